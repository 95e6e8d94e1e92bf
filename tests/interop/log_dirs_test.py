"""A partition is moved between log directories by Kafka's own tools while its producer writes to it."""

import os
import subprocess

from confluent_kafka.admin import ConfigResource

import harness
from harness import check, check_equal, run, say
from moved import admin_of, move_partition
from sillok_server import server

TOPIC = "moving"
RECORDS = 400_000
MOVES = ["b", "a", "b", "a"]
THROTTLED = "a"
THROTTLE = 50_000_000  # bytes a second
LIMIT = "replica.alter.log.dirs.io.max.bytes.per.second"


def tool(broker, name, *arguments):
    return harness.java("broker", f"org.apache.kafka.tools.{name}", "--bootstrap-server", broker.address,
                        *arguments)


def printed(broker, name, *arguments):
    return run(tool(broker, name, *arguments)).stdout.decode()


def move(broker, folder, directory):
    options = ["--replica-alter-log-dirs-throttle", THROTTLE] if directory == THROTTLED else []
    move_partition(broker, TOPIC, 0, os.path.join(folder, directory), *options)
    folders = [name for name in ("a", "b") if os.path.isdir(os.path.join(folder, name, f"{TOPIC}-0"))]
    check_equal(folders, [directory], "directories with the partition")


def logged(broker):
    with open(broker.output, encoding="utf-8", errors="replace") as log:
        return log.read()


def limit_of(broker):
    """Of its moves, where one is set."""
    admin = admin_of(broker.address)
    (described,) = admin.describe_configs([ConfigResource(ConfigResource.Type.BROKER, "1")]).values()
    entry = described.result(30).get(LIMIT)
    return entry and entry.value


def produce_and_move(broker, folder):
    producer = subprocess.Popen(tool(broker, "ProducerPerformance", "--topic", TOPIC, "--num-records", RECORDS,
                                     "--record-size", 500, "--throughput", 15_000), stdout=subprocess.PIPE)
    try:
        for directory in MOVES:
            move(broker, folder, directory)
        output = producer.communicate(timeout=300)[0].decode()
    finally:
        producer.kill()
    check_equal(producer.returncode, 0, "exit code of kafka-producer-perf-test")
    check(f"{RECORDS} records sent" in output, f"kafka-producer-perf-test:\n{output}")


def test(folder):
    directories = ",".join(os.path.join(folder, name) for name in ("a", "b"))
    with server(folder, {"log.dirs": directories}) as broker:
        printed(broker, "TopicCommand", "--create", "--topic", TOPIC, "--partitions", 1)
        produce_and_move(broker, folder)
        check_equal(printed(broker, "GetOffsetShell", "--topic", TOPIC, "--time", "latest").strip(),
                    f"{TOPIC}:0:{RECORDS}", "where the partition ends: each record is there once")
        check(f"setting {LIMIT} of this broker altered" in logged(broker), f"{LIMIT} was never set")
        check(not limit_of(broker), f"--verify has not taken {LIMIT} away")
        say(f"moved {len(MOVES)} times under an idempotent producer")
        broker.stop()
        broker.start()
        check_equal(printed(broker, "GetOffsetShell", "--topic", TOPIC, "--time", "latest").strip(),
                    f"{TOPIC}:0:{RECORDS}", "where the partition ends after a restart")


harness.main(test)

"""The command-line tools that come with Kafka 4.3.1, and the Java admin client."""

import json
import os
import re

import harness
from harness import check, check_equal, run, say
from sillok_server import server


class Tools:
    def __init__(self, address):
        self.address = address

    def __call__(self, name, *arguments, stdin=None):
        """What a tool printed. `name` is a class of org.apache.kafka.tools."""
        server_option = ["--bootstrap-server", self.address]
        return run(harness.java("broker", f"org.apache.kafka.tools.{name}", *server_option, *arguments),
                   stdin).stdout.decode()


def check_topics(tools):
    tools("TopicCommand", "--create", "--topic", "tools", "--partitions", 4, "--replication-factor", 1,
          "--config", "segment.bytes=2097152")
    tools("TopicCommand", "--create", "--topic", "second")
    check_equal(sorted(tools("TopicCommand", "--list").split()), ["second", "tools"], "kafka-topics --list")
    described = tools("TopicCommand", "--describe", "--topic", "tools")
    for part in ["PartitionCount: 4", "ReplicationFactor: 1", "segment.bytes=2097152"]:
        check(part in described, f"kafka-topics --describe lacks '{part}':\n{described}")
    check_equal(len(re.findall(r"Partition: \d\s+Leader: (?!none)", described)), 4, "partitions with a leader")
    tools("TopicCommand", "--delete", "--topic", "second")
    check_equal(tools("TopicCommand", "--list").split(), ["tools"], "kafka-topics --list after --delete")
    say("topics: created, listed, described, deleted")


def check_changes(tools, folder):
    """Configs, partitions and the start of a log, changed while the server runs."""
    topic = ["--entity-type", "topics", "--entity-name", "tools"]
    kafka_configs(tools, "--alter", *topic, "--add-config", "retention.ms=123456789,compression.type=zstd")
    described = kafka_configs(tools, "--describe", *topic)
    for part in ["retention.ms=123456789", "compression.type=zstd", "DYNAMIC_TOPIC_CONFIG"]:
        check(part in described, f"kafka-configs --describe of a topic lacks '{part}':\n{described}")
    kafka_configs(tools, "--alter", *topic, "--delete-config", "compression.type")
    check("compression.type" not in kafka_configs(tools, "--describe", *topic), "a config that was deleted is told")
    brokers = ["--entity-type", "brokers", "--entity-default"]
    kafka_configs(tools, "--alter", *brokers, "--add-config", "log.retention.ms=7777777")
    described = kafka_configs(tools, "--describe", *brokers)
    check("log.retention.ms=7777777" in described, f"kafka-configs --describe of all brokers:\n{described}")
    described = kafka_configs(tools, "--describe", "--entity-type", "brokers", "--entity-name", 1, "--all")
    check("log.retention.ms=7777777" in described, f"kafka-configs --describe of the broker:\n{described}")
    tools("TopicCommand", "--alter", "--topic", "tools", "--partitions", 6)
    described = tools("TopicCommand", "--describe", "--topic", "tools")
    check("PartitionCount: 6" in described, f"kafka-topics --describe after --alter:\n{described}")
    path = os.path.join(folder, "delete.json")
    with open(path, "w") as file:
        json.dump({"partitions": [{"topic": "tools", "partition": 0, "offset": 10}], "version": 1}, file)
    output = tools("DeleteRecordsCommand", "--offset-json-file", path)
    check("low_watermark: 10" in output, f"kafka-delete-records:\n{output}")
    check_equal(offsets(tools, "earliest")[0], 10, "the earliest offset after kafka-delete-records")
    say("configs, partitions and records: changed by Kafka's tools")


def kafka_configs(tools, *arguments):
    server_option = ["--bootstrap-server", tools.address]
    return run(harness.java("broker", "kafka.admin.ConfigCommand", *server_option, *arguments)).stdout.decode()


def check_log_dirs(tools):
    output = tools("LogDirsCommand", "--describe", "--topic-list", "tools")
    described = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    directory = described["brokers"][0]["logDirs"][0]
    check_equal(directory["error"], None, "the error of the log directory")
    sizes = {partition["partition"]: partition["size"] for partition in directory["partitions"]}
    check_equal(sorted(sizes), [f"tools-{i}" for i in range(6)], "partitions of kafka-log-dirs")
    check(sum(sizes.values()) > 50_000 * 200, f"sizes of kafka-log-dirs: {sizes}")
    say("kafka-log-dirs: sizes described")


def check_performance_and_offsets(tools):
    output = tools("ProducerPerformance", "--topic", "tools", "--num-records", 50_000, "--record-size", 200,
                   "--throughput", -1)
    check("50000 records sent" in output, f"kafka-producer-perf-test:\n{output}")
    latest = offsets(tools, "latest")
    check_equal(sum(latest.values()), 50_000, "sum of the latest offsets")
    check_equal(offsets(tools, "earliest"), {partition: 0 for partition in range(4)}, "earliest offsets")
    check_equal(offsets(tools, "max-timestamp").keys(), latest.keys(), "partitions with a maximum timestamp")
    say(f"performance test ran, offsets {latest}")


def offsets(tools, when):
    output = tools("GetOffsetShell", "--topic", "tools", "--time", when)
    return {int(line.split(":")[1]): int(line.split(":")[2]) for line in output.split()}


def check_cluster(tools):
    features = tools("FeatureCommand", "describe")
    check("metadata.version" in features and "4.3-IV0" in features, f"kafka-features describe:\n{features}")
    status = tools("MetadataQuorumCommand", "describe", "--status")
    check(re.search(r"LeaderId: +1\n", status), f"kafka-metadata-quorum describe --status:\n{status}")
    replication = tools("MetadataQuorumCommand", "describe", "--replication")
    check(replication.rstrip().endswith("Leader"),
          f"kafka-metadata-quorum describe --replication:\n{replication}")
    moves = tools("reassign.ReassignPartitionsCommand", "--list")
    check("No partition reassignments found" in moves, f"kafka-reassign-partitions --list:\n{moves}")
    elected = tools("LeaderElectionCommand", "--election-type", "preferred", "--topic", "tools",
                    "--partition", 0)
    check("Valid replica already elected" in elected, f"kafka-leader-election:\n{elected}")
    producers = [tools("TransactionsCommand", "describe-producers", "--topic", "tools",
                       "--partition", partition) for partition in range(4)]
    known = [line for text in producers for line in text.splitlines()[1:] if line.strip()]
    check(known, f"kafka-transactions describe-producers knows nobody:\n{producers}")
    say("cluster: features, quorum, reassignments, elections and producers described")


def check_admin(address):
    lines = run(harness.own_java("JavaClient.java", "admin", address)).stdout.decode().splitlines()
    found = dict(line.split(" ", 1) for line in lines if not line.startswith("config "))
    configs = dict(line.split(" ", 1)[1].split("=", 1) for line in lines if line.startswith("config "))
    check(found["cluster"] not in ("", "null"), "no cluster id")
    check_equal(found["node"], address, "address of the only node")
    check_equal(found["partitions"], "3", "partitions of the created topic")
    check_equal(found["same-id"], "true", "CreateTopics and Metadata name the same topic id")
    check_equal(configs, {
        "retention.ms": "123456789 DYNAMIC_TOPIC_CONFIG",
        "segment.bytes": "1073741824 DEFAULT_CONFIG",
        "cleanup.policy": "delete DEFAULT_CONFIG",
        "max.message.bytes": "1048588 DEFAULT_CONFIG",
    }, "configuration of the created topic")
    check_equal(found["broker-config"], "log.dirs true", "configuration of the broker")
    say("admin client: cluster and configurations described")


def test(folder):
    with server(folder) as broker:
        tools = Tools(broker.address)
        check_topics(tools)
        check_performance_and_offsets(tools)
        check_changes(tools, folder)
        check_log_dirs(tools)
        check_cluster(tools)
        check_admin(broker.address)
        broker.check_running()


harness.main(test)

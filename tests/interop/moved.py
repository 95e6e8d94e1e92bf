"""What must be the same when a log directory goes from one broker to another: topics and their records."""

import json
import os
import shutil

import confluent_kafka
from confluent_kafka.admin import AdminClient, ConfigResource

import confluent
import harness
from harness import check, check_equal, eventually

INTERNAL = {"__consumer_offsets", "__transaction_state"}
# Parts of words that Kafka's log says of a file that it does not take as it is.
REPAIRS = ["stray", "orrupt", "runcat"]


def admin_of(address):
    return AdminClient({"bootstrap.servers": address, "log_level": 2})


def describe(broker):
    """Names, ids, partition counts and configs of all topics, as a client sees them."""
    admin = admin_of(broker.address)
    names = sorted(admin.list_topics(timeout=30).topics)
    described = {}
    for name, future in admin.describe_topics(confluent_kafka.TopicCollection(names)).items():
        topic = future.result(30)
        id_parts = (topic.topic_id.get_most_significant_bits(), topic.topic_id.get_least_significant_bits())
        described[name] = [id_parts, len(topic.partitions), topic.is_internal, {}]
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    for resource, future in admin.describe_configs(resources).items():
        for entry in future.result(30).values():
            if entry.source == 1:  # DYNAMIC_TOPIC_CONFIG
                described[resource.name][3][entry.name] = entry.value
    return described


def replay(broker, described):
    """Every record of every topic, and the watermarks; aborted records too."""
    found = {}
    for name, (_, partitions, _, _) in described.items():
        for partition in range(partitions):
            messages = confluent.read_all(broker.address, name, partition, isolation_level="read_uncommitted")
            records = [(m.offset(), m.timestamp(), m.key(), m.value(), m.headers()) for m in messages]
            found[name, partition] = (confluent.watermarks(broker.address, name, partition), records)
    return found


def compare(broker, described, records, what):
    """All topics, and the records of those that `records` has."""
    check_equal(describe(broker), described, f"{what}: topics")
    found = replay(broker, {name: described[name] for name, _ in records})
    for place, expected in records.items():
        if place[0] in INTERNAL:  # these grow by themselves
            check(len(found[place][1]) >= len(expected[1]), f"{what}: {place} lost records")
            expected = (expected[0][:1], expected[1])
            found[place] = (found[place][0][:1], found[place][1][:len(expected[1])])
        check_equal(found[place][0], expected[0], f"{what}: {place}, watermarks")
        check_equal(found[place][1], expected[1], f"{what}: {place}")


def move_partition(broker, topic, partition, directory, *options):
    """To a log directory of the same broker, by kafka-reassign-partitions --execute `options`."""
    path = os.path.join(broker.folder, "moves.json")
    with open(path, "w") as file:
        json.dump({"version": 1, "partitions": [{"topic": topic, "partition": partition, "replicas": [1],
                                                 "log_dirs": [directory]}]}, file)

    def reassign(*step):
        return harness.run(harness.java(
            "broker", "org.apache.kafka.tools.reassign.ReassignPartitionsCommand", "--bootstrap-server",
            broker.address, "--reassignment-json-file", path, *step)).stdout.decode()

    output = reassign("--execute", *options)
    check("Successfully started moving log directory" in output, f"kafka-reassign-partitions --execute:\n{output}")
    eventually(lambda: "completed successfully" in reassign("--verify"), f"the move to {directory}", timeout_s=120)


def copy(source, target):
    shutil.rmtree(target.data)
    shutil.copytree(source.data, target.data)


def check_quiet(kafka, begin, topics, recovers=False):
    """Kafka has repaired nothing of these topics since its output was `begin` long; `recovers`: though it looked at
    every segment.
    """
    with open(kafka.output, "rb") as file:
        file.seek(begin)
        lines = file.read().decode(errors="replace").splitlines()
    signs = ["Recovering unflushed segment"] if recovers else ["Loading", "Recovering"]
    check(any(sign in line for line in lines for sign in signs), f"Kafka's log says none of {signs}")
    repairs = [line for line in lines if any(word in line for word in REPAIRS)
               and any(f"{topic}-" in line for topic in topics)]
    check(not repairs, "Kafka repaired something:\n" + "\n".join(repairs[:5]))

"""Moving in from an Apache Kafka that kept something in another place: its metadata, some partitions in another log
directory, some on another broker. What is missing is never taken for empty.
"""

import hashlib
import os
import shutil

import confluent
import harness
from harness import Failure, check, check_equal, say
from moved import admin_of, check_quiet, compare, copy, describe, move_partition, replay
from sillok_server import Kafka, Sillok, free_port

SWITCH = "sillok.adopt.incomplete.topics"
CLEAN_MARK = ".kafka_cleanshutdown"


def fill(kafka, topic, partitions, config=None):
    confluent.create_topic(kafka.address, topic, partitions, config)
    load = confluent.Acknowledged(kafka.address, topic, partitions)
    load.send(2_000)
    load.flush()


def metadata_apart(folder):
    """metadata.log.dir: without it the topics are adopted by their ids, with it they have their configs too."""
    apart = os.path.join(folder, "apart")
    kafka = Kafka(os.path.join(folder, "kafka"), {"metadata.log.dir": apart, "offsets.topic.num.partitions": 1}, ())
    sillok = Sillok(os.path.join(folder, "sillok"), {}, ())
    with kafka:
        fill(kafka, "configured", 3, {"retention.ms": 123_456_789_000})
        replay(kafka, describe(kafka))  # a consumer makes Kafka make a topic for offsets
        described = describe(kafka)
        records = replay(kafka, described)
        kafka.stop()
    copy(kafka, sillok)
    with sillok:
        kept = {"retention.ms": "-1", "retention.bytes": "-1"}
        bare = {name: [*topic[:3], {"cleanup.policy": "compact"} if name == "__consumer_offsets" else kept]
                for name, topic in described.items()}
        compare(sillok, bare, records, "without Kafka's metadata")
        check("metadata.log.dir" in sillok.tail(), "nothing points to metadata.log.dir")
        sillok.stop()
        sillok.settings["metadata.log.dir"] = apart
        before = sorted(os.listdir(apart))
        sillok.start()
        compare(sillok, described, records, "with metadata.log.dir")
        sillok.stop()
    check_equal(sorted(os.listdir(apart)), before, "files in metadata.log.dir")
    say("metadata.log.dir is read")


def contents(folder):
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = hashlib.sha256(file.read()).hexdigest()
    return found


def check_refused(sillok, word):
    """The start says what is missing, and leaves everything as it was."""
    before = contents(sillok.data)
    try:
        sillok.start()
    except Failure:
        pass
    else:
        raise Failure("a start with partitions missing was not refused")
    output = sillok.tail()
    check(word in output and SWITCH in output, f"no word of {word} and {SWITCH} in: {output}")
    left = contents(sillok.data)
    changed = {name for name in before if left.get(name) != before[name] and name != CLEAN_MARK}
    check(not changed, f"gone or changed: {changed}")
    made = {name for name in left if name not in before and os.sep in name}
    check(not made, f"made: {made}")
    check(CLEAN_MARK in left, "the clean mark is gone")


def partitions_here(broker, topic, partitions):
    return {i for i in range(partitions) if os.path.isdir(broker.partition_folder(topic, i))}


def check_parts(sillok, topic, partitions, here, records):
    """Those that are here are served, those that are not are known, and offline."""
    metadata = admin_of(sillok.address).list_topics(timeout=30).topics[topic]
    check_equal(len(metadata.partitions), partitions, "partitions that clients see")
    offline = {i for i, partition in metadata.partitions.items() if partition.leader < 0}
    check_equal(offline, set(range(partitions)) - here, "partitions without a leader")
    for i in here:
        found = [(m.offset(), m.value()) for m in confluent.read_all(sillok.address, topic, i)]
        check_equal(found, [(record[0], record[3]) for record in records[topic, i][1]], f"{topic}-{i}")
    check_equal(partitions_here(sillok, topic, partitions), here, "partition folders")


def parts_missing(source, folder, topic, partitions, records, word):
    sillok = Sillok(folder, {}, ())
    copy(source, sillok)
    here = partitions_here(sillok, topic, partitions)
    check(0 < len(here) < partitions, f"Kafka put partitions {here} in this directory")
    check_refused(sillok, word)
    sillok.settings[SWITCH] = "true"
    with sillok:
        with open(sillok.output, encoding="utf-8") as output:
            check("were recovered" not in output.read(), "a start after one that was refused recovers everything")
        check_parts(sillok, topic, partitions, here, records)
        sillok.stop()
        del sillok.settings[SWITCH]
        sillok.start()
        check_parts(sillok, topic, partitions, here, records)
        sillok.stop()


def two_directories(folder):
    kafka = Kafka(os.path.join(folder, "kafka"), {}, ())
    second = os.path.join(folder, "second")
    kafka.settings = {"log.dirs": f"{kafka.data},{second}"}
    with kafka:
        fill(kafka, "spread", 6)
        replay(kafka, describe(kafka))  # a consumer makes Kafka make a topic for offsets
        described = describe(kafka)
        records = replay(kafka, described)
        kafka.stop()
    parts_missing(kafka, os.path.join(folder, "sillok"), "spread", 6, records, "in another log directory")
    say("partitions in a second log directory are missed")
    both_directories(kafka, second, os.path.join(folder, "both"), described, records)


def both_directories(kafka, second, folder, described, records):
    """With both directories all is there; one partition moves, and Kafka finds each where it is."""
    sillok = Sillok(folder, {}, ())
    copy(kafka, sillok)
    other = os.path.join(folder, "second")
    shutil.copytree(second, other)
    sillok.settings["log.dirs"] = f"{other},{sillok.data}"
    try:
        sillok.start()
    except Failure:
        check("must be the first" in sillok.tail(), f"the wrong order is refused by: {sillok.tail()}")
    else:
        raise Failure("a start without Kafka's metadata in the first directory was not refused")
    sillok.settings["log.dirs"] = f"{sillok.data},{other}"
    here = partitions_here(kafka, "spread", 6)
    with sillok:
        compare(sillok, described, records, "in both directories")
        check_equal(partitions_here(sillok, "spread", 6), here, "partitions in the first directory")
        moving = min(here)
        move_partition(sillok, "spread", moving, other)
        compare(sillok, described, records, "after a move")
        sillok.stop()
    check_equal(partitions_here(sillok, "spread", 6), here - {moving}, "partitions in the first directory")
    for source, target in ((sillok.data, kafka.data), (other, second)):
        shutil.rmtree(target)
        shutil.copytree(source, target)
    begin = os.path.getsize(kafka.output)
    kafka.log_level = "info"
    with kafka:
        compare(kafka, described, records, "in Kafka again")
        kafka.stop()
    check_quiet(kafka, begin, ["spread"])
    say("two log directories go to Sillok and back")


def two_brokers(folder):
    controller = free_port()
    common = {"controller.quorum.voters": f"1@127.0.0.1:{controller}"}
    first = Kafka(os.path.join(folder, "first"), common, ())
    first.settings = {**common, "listeners": f"PLAINTEXT://{first.address},CONTROLLER://127.0.0.1:{controller}"}
    second = Kafka(os.path.join(folder, "second"), {}, ())
    second.settings = {**common, "node.id": 2, "process.roles": "broker", "listeners": f"PLAINTEXT://{second.address}"}
    with first, second:
        fill(first, "spread", 6)
        records = replay(first, describe(first))
        second.stop()
        first.stop()
    parts_missing(first, os.path.join(folder, "sillok-1"), "spread", 6, records, "is on broker 2")
    parts_missing(second, os.path.join(folder, "sillok-2"), "spread", 6, records, "is on broker 1")
    say("partitions on a second broker are missed")


def test(folder):
    harness.class_path("broker")
    for part in (metadata_apart, two_directories, two_brokers):
        part(os.path.join(folder, part.__name__))


harness.main(test)

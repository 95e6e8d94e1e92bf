"""Moving in from Apache Kafka and back: Sillok starts on a copy of a whole log directory of Kafka's, with its topics,
ids, configs and records, appends to it, and Kafka starts on what Sillok left and serves the same.

Once for each Kafka on this machine, after a clean stop of both and after a kill -9 of both.
"""

import hashlib
import os
import shutil

import confluent_kafka
from confluent_kafka.admin import NewPartitions

import confluent
import harness
from harness import CODECS, check, check_equal, say
from moved import INTERNAL, admin_of, check_quiet, compare, copy, describe, replay
from sillok_server import Kafka, Sillok

NODE_ID = 7
KAFKAS = {"4.3.1": "broker", "4.4.0": "broker-4.4"}
SETTINGS = {"node.id": NODE_ID, "offsets.topic.num.partitions": 3, "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1, "transaction.state.log.num.partitions": 2,
            "metadata.log.max.snapshot.interval.ms": 2000}
TOPICS = {
    "plain": (3, {}),
    "moved.compact": (2, {"cleanup.policy": "compact", "segment.bytes": 1 << 20, "min.cleanable.dirty.ratio": "0.1"}),
    "append-time": (1, {"message.timestamp.type": "LogAppendTime"}),
    "kept": (1, {"retention.ms": "987654321000", "retention.bytes": 1 << 30, "max.message.bytes": 2_000_000}),
    "altered": (1, {"retention.ms": 1_000_000_000, "segment.ms": 100_000_000}),
    "grown": (1, {}),
    "gone": (2, {"retention.ms": 777_777_777}),
    "transactions": (1, {}),
}


def fill(kafka):
    address = kafka.address
    admin = admin_of(address)
    for topic, (partitions, config) in TOPICS.items():
        confluent.create_topic(address, topic, partitions, config)
    # Whole snapshots of the metadata come to lie between these, each for what came before it.
    admin.create_partitions([NewPartitions("grown", 4)])["grown"].result(30)
    confluent.alter_topic(address, "altered", {"retention.ms": 2_000_000_000, "segment.ms": None, "flush.messages": 9})
    admin.delete_topics(["gone"])["gone"].result(30)
    for topic, partitions in [("plain", 3), ("moved.compact", 2), ("append-time", 1), ("kept", 1), ("grown", 4)]:
        for codec in CODECS:
            load = confluent.Acknowledged(address, topic, partitions, compression_type=codec)
            if topic == "moved.compact":
                write_keyed(address, topic, partitions)
                continue
            load.send(1_000, os.urandom(30) + b"y" * 100)
            load.flush()
    harness.run(harness.own_java("JavaTransactions.java", address, "transactions", "mover", 20))
    commit_offset(address)


def write_keyed(address, topic, partitions):
    producer = confluent.producer(address, enable_idempotence=True)
    for i in range(2_000):
        producer.produce(topic, b"value %d" % i, key=b"key %d" % (i % 50), partition=i % partitions)
    check(producer.flush(60) == 0, "keyed records were not acknowledged")


def commit_offset(address):
    client = confluent.consumer(address, group_id="movers")
    client.commit(offsets=[confluent_kafka.TopicPartition("plain", 0, 42)], asynchronous=False)
    client.close()


def raise_epochs(kafka, restarts):
    """Each stop of Sillok that was not clean gives its partitions a new leader epoch, and Kafka cuts what it knows of
    epochs that are greater than its own. So Kafka is first restarted on its metadata alone, which raises them."""
    data = os.path.join(kafka.folder, "metadata-alone")
    kept, kafka.data = kafka.data, data
    shutil.copytree(kept, data, ignore=lambda _, names: [name for name in names if name[-2:-1] == "-" and
                                                         name != "__cluster_metadata-0"])
    set_log_dir(kafka, data)
    for _ in range(restarts):
        kafka.start()
        kafka.stop()
    kafka.data = kept
    set_log_dir(kafka, kept)
    shutil.rmtree(os.path.join(kept, "__cluster_metadata-0"))
    shutil.copytree(os.path.join(data, "__cluster_metadata-0"), os.path.join(kept, "__cluster_metadata-0"))


def set_log_dir(kafka, data):
    with open(os.path.join(kafka.folder, "kafka.properties"), "r+", encoding="ascii") as file:
        lines = [f"log.dirs={data}\n" if line.startswith("log.dirs=") else line for line in file]
        file.seek(0)
        file.truncate()
        file.writelines(lines)


def metadata_files(broker):
    folder = os.path.join(broker.data, "__cluster_metadata-0")
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            found[name] = hashlib.sha256(file.read()).hexdigest()
    return found


def check_prepared(kafka, described, records):
    """What the rest of the test is about is really there."""
    check(INTERNAL <= set(described) and "gone" not in described, f"Kafka has {sorted(described)}")
    for topic in INTERNAL:
        partitions = [place for place in records if place[0] == topic]
        check(any(records[place][1] for place in partitions), f"{topic} has no records")
    snapshots = [name for name in metadata_files(kafka) if name.endswith(".checkpoint")]
    check(any(int(name.split("-")[0]) > 0 for name in snapshots), f"no snapshot of the metadata: {snapshots}")


def make_again(kafka):
    """A topic that goes, and comes back under its name with another id and other configs."""
    admin = admin_of(kafka.address)
    admin.delete_topics(["kept"])["kept"].result(30)
    harness.eventually(lambda: "kept" not in admin.list_topics(timeout=30).topics, "a topic is deleted")
    confluent.create_topic(kafka.address, "kept", 2, {"retention.ms": "123456789000"})
    load = confluent.Acknowledged(kafka.address, "kept", 2)
    load.send(300)
    load.flush()


def output_since(broker, begin):
    with open(broker.output, "rb") as file:
        file.seek(begin)
        return file.read().decode(errors="replace")


def append(broker):
    for topic, partitions in [("plain", 3), ("append-time", 1), ("grown", 4), ("transactions", 1)]:
        load = confluent.Acknowledged(broker.address, topic, partitions)
        load.send(500)
        load.flush()
    write_keyed(broker.address, "moved.compact", 2)


def move(folder, version, jars, end):
    """`end` is how both brokers stop: Broker.stop or Broker.kill."""
    kafka = Kafka(os.path.join(folder, "kafka"), SETTINGS, ())
    kafka.jars, kafka.log_level = jars, "info"
    sillok = Sillok(os.path.join(folder, "sillok"), {}, ())
    with kafka:
        fill(kafka)
        described = describe(kafka)
        records = replay(kafka, described)
        check_prepared(kafka, described, records)
        end(kafka)
        copy(kafka, sillok)
        files = metadata_files(sillok)
        with sillok:
            compare(sillok, described, records, "moved in")
            was_recovered = "were recovered" in output_since(sillok, 0)
            check_equal(was_recovered, end == Kafka.kill, "everything was recovered")
            check(f"node.id={NODE_ID}" in open(os.path.join(sillok.data, "meta.properties")).read(), "node id")
            append(sillok)
            records = replay(sillok, described)
            confluent.create_topic(sillok.address, "born", 1)
            born = describe(sillok)["born"]
            sillok.stop()
            begin = os.path.getsize(sillok.output)
            sillok.start()
            described["born"] = born
            records["born", 0] = ((0, 0), [])
            compare(sillok, described, records, "restarted")
            output = output_since(sillok, begin)
            check("took topic" not in output, "Sillok took topics over twice")
            check("were recovered" not in output, "a clean stop was not")
            if end == Kafka.kill:
                append(sillok)
                records = replay(sillok, described)
                sillok.kill()
                sillok.start()
                compare(sillok, described, records, "restarted after a kill")
            getattr(sillok, end.__name__)()
        check_equal(metadata_files(sillok), files, "Kafka's own metadata")
        copy(sillok, kafka)
        del described["born"], records["born", 0]
        if end == Kafka.kill:
            raise_epochs(kafka, 2)
        begin = os.path.getsize(kafka.output)
        kafka.start()
        compare(kafka, described, records, "moved back")
        check_quiet(kafka, begin, described)
        append(kafka)
        make_again(kafka)
        described = describe(kafka)
        records = replay(kafka, described)
        kafka.stop()
        say(f"Kafka {version}, {end.__name__}: moved to Sillok and back")
        copy(kafka, sillok)
        with sillok:
            # A topic that Kafka does not know it puts aside: not to be taken for an empty one.
            described["born"] = born
            compare(sillok, described, records, "moved in again")
            sillok.stop()
            sillok.start()
            compare(sillok, described, records, "moved in again and restarted")
            aside = [name for name in os.listdir(sillok.data) if name.startswith("born-0")]
            check(len(aside) == 1 and aside[0].endswith("-stray"), f"folders {aside}")
            sillok.stop()
            os.rename(os.path.join(sillok.data, aside[0]), sillok.partition_folder("born"))
            sillok.start()
            check_equal(confluent.watermarks(sillok.address, "born"), (0, 0), "a topic that came back")
            sillok.stop()


def test(folder):
    skipped = harness.Skipped()
    for version, jars in KAFKAS.items():
        for end in (Kafka.stop, Kafka.kill):
            place = os.path.join(folder, f"{version}-{end.__name__}")
            skipped.attempt(lambda: move(place, version, jars, end))
    skipped.finish()


harness.main(test)

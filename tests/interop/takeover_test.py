"""The files are Kafka's: Kafka opens partitions that Sillok wrote, and Sillok those that Kafka wrote.

Kafka is shown the copies twice, once after a clean stop and once as if it had lost its recovery points, so that
it reads every batch; then once more after Sillok was killed under a producer. No time may it find anything to repair.
"""

import glob
import os
import shutil

import confluent
import harness
from harness import CODECS, check_equal, say
from moved import check_quiet
from sillok_server import Kafka, Sillok, server

TOPIC = "moved"
PARTITIONS = 2
CONFIG = {"segment.bytes": 1 << 20, "retention.ms": -1}


def fill(broker):
    confluent.create_topic(broker.address, TOPIC, PARTITIONS, CONFIG)
    for codec in CODECS:
        load = confluent.Acknowledged(broker.address, TOPIC, PARTITIONS, compression_type=codec)
        load.send(10_000, os.urandom(60) + b"y" * 200)
        load.flush()


def replay(broker):
    return [[(message.offset(), message.timestamp(), message.key(), message.value())
             for message in confluent.read_all(broker.address, TOPIC, partition)] for partition in range(PARTITIONS)]


def compare(broker, expected, what):
    for partition, (found, wanted) in enumerate(zip(replay(broker), expected)):
        check_equal(found, wanted, f"{what}, partition {partition}")
        check_equal(confluent.watermarks(broker.address, TOPIC, partition), (0, len(wanted)), f"{what}, watermarks")


def copy_partitions(source, target):
    for partition in range(PARTITIONS):
        place = target.partition_folder(TOPIC, partition)
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(source.partition_folder(TOPIC, partition), place)


def kafka_reads(source, expected, folder):
    """Kafka's metadata must know the topic, so it creates it first; then the copies take that topic's id."""
    kafka = Kafka(folder, {}, ())
    kafka.log_level = "info"
    with kafka:
        confluent.create_topic(kafka.address, TOPIC, PARTITIONS, CONFIG)
        kafka.stop()
        with open(os.path.join(kafka.partition_folder(TOPIC), "partition.metadata"), "rb") as file:
            identity = file.read()
        for unclean in (False, True):
            bring(source, kafka, identity)
            if unclean:
                forget_recovery(kafka)
            read_quietly(kafka, expected, "by full recovery" if unclean else "after a clean stop", unclean)
        if isinstance(source, Sillok):
            expected = kill_under_load(source)
            # Two unclean starts gave the partitions two new epochs, and Kafka cuts what it knows of epochs that are
            # greater than its own. Each of its restarts raises those.
            for _ in range(2):
                kafka.start()
                kafka.stop()
            bring(source, kafka, identity)
            forget_recovery(kafka)
            read_quietly(kafka, expected, "of a Sillok that was killed", recovers=True)


def bring(source, kafka, identity):
    copy_partitions(source, kafka)
    for partition in range(PARTITIONS):
        with open(os.path.join(kafka.partition_folder(TOPIC, partition), "partition.metadata"), "wb") as file:
            file.write(identity)


def forget_recovery(kafka):
    os.remove(os.path.join(kafka.data, ".kafka_cleanshutdown"))
    for path in glob.glob(os.path.join(kafka.data, "recovery-point-offset-checkpoint")):
        os.remove(path)


def read_quietly(kafka, expected, what, recovers):
    begin = os.path.getsize(kafka.output)
    kafka.start()
    compare(kafka, expected, f"read by Kafka {what}")
    kafka.stop()
    check_quiet(kafka, begin, [TOPIC], recovers)
    say(f"Kafka read the copies {what}")


def kill_under_load(source):
    """Killed while it appends, started, and killed idle: then all that it serves is in the partitions' files."""
    with source:
        load = confluent.Acknowledged(source.address, TOPIC, PARTITIONS)
        load.send(20_000)
        load.poll(0.2)
        source.kill()
        load.give_up()
        source.start()
        expected = replay(source)
        source.kill()
    return expected


def sillok_reads(folder, target):
    """Sillok adopts a partition folder that it does not know, with its id."""
    kafka = Kafka(folder, {}, ())
    with kafka:
        fill(kafka)
        expected = replay(kafka)
        kafka.stop()
    copy_partitions(kafka, target)
    with target:
        compare(target, expected, "written by Kafka, read by Sillok")
        load = confluent.Acknowledged(target.address, TOPIC, PARTITIONS)
        load.send(1_000)
        load.flush()
        say("Sillok read Kafka's partitions and went on with them")


def test(folder):
    harness.class_path("broker")
    source = server(os.path.join(folder, "source"))
    with source:
        fill(source)
        expected = replay(source)
        source.stop()
    kafka_reads(source, expected, os.path.join(folder, "kafka"))
    if isinstance(source, Sillok):
        sillok_reads(os.path.join(folder, "from"), Sillok(os.path.join(folder, "to"), {}, ()))


harness.main(test)

"""A disk fills up, by the log itself and then by others: records are refused before it is full, all else goes on,
even a start finds a way, and when there is room again the log goes on where it was."""

import os

from confluent_kafka.admin import AdminClient

import harness
from confluent import Acknowledged, create_topic, producer, read_all
from harness import check, eventually, say
from loop_disk import LoopDisk
from sillok_server import server

FREE_MIN = 16 << 20
MEGABYTE = 1 << 20
KAFKA_STORAGE_ERROR = 56


def is_refused(address, topic):
    """Whether a record is refused for want of room; none is ever lost on the way."""
    outcome = []
    client = producer(address, retries=0)
    client.produce(topic, b"999999999999 one more", partition=0, on_delivery=lambda error, _: outcome.append(error))
    client.flush(30)
    check(len(outcome) == 1, "no answer to a produce")
    if outcome[0] is None:
        return False
    check(outcome[0].code() == KAFKA_STORAGE_ERROR, f"refused with {outcome[0]}")
    return True


def fill(path):
    """Takes the rest of the disk, as somebody else's file would, root's share included."""
    with open(path, "wb", buffering=0) as other:
        for size in (MEGABYTE, 4096, 1):
            try:
                while other.write(b"z" * size):
                    pass
            except OSError:
                continue
        os.fsync(other.fileno())


def test(folder):
    settings = {"log.segment.bytes": 4 * MEGABYTE, "sillok.disk.free.min.bytes": FREE_MIN,
                "log.retention.check.interval.ms": 1000, "log.segment.delete.delay.ms": 1000}
    with LoopDisk(folder, 128) as disk, server(disk.path, settings) as broker:
        broker.output = os.path.join(folder, "server.log")
        create_topic(broker.address, "old")
        old = Acknowledged(broker.address, "old", 1)
        old.send(8000, filler=os.urandom(4000))
        old.flush()
        create_topic(broker.address, "full")
        load = Acknowledged(broker.address, "full", 1, message_timeout_ms=3000)
        while not load.errors:
            load.send(100, filler=os.urandom(4000))
        load.poll(5)
        check(disk.free_bytes() > FREE_MIN // 2, f"{disk.free_bytes()} bytes are left of {FREE_MIN} to keep")
        say(f"refused after {load.count()} records, with {disk.free_bytes() / MEGABYTE:.1f} MB free")
        check(is_refused(broker.address, "full"), "a record was taken past the limit")
        load.check_log(broker.address)
        create_topic(broker.address, "small")  # the rest of the broker works

        other = os.path.join(disk.path, "other")
        fill(other)
        load.check_log(broker.address)
        for attempt in range(2):
            broker.kill()
            fill(f"{other}-{attempt}")  # what the server gave away while it ran
            broker.start()
            load.check_log(broker.address)
            check(is_refused(broker.address, "full"), "a record was taken on a full disk")
        say("started twice on a disk without a free byte, everything is there")

        # Room comes from deletion, and then both the partition that was filled and the others go on.
        admin = AdminClient({"bootstrap.servers": broker.address})
        admin.delete_topics(["old"])["old"].result(30)
        for topic in ("full", "small"):
            eventually(lambda: not is_refused(broker.address, topic), f"{topic} takes records again", 60)
        check(read_all(broker.address, "small"), "nothing was written")
        load.check_log(broker.address)
        broker.check_running()
        broker.stop()


harness.main(test)

"""The power goes in the middle of an acks=all load, several times: whatever was acknowledged before is there, once,
at its offset, and so are all partitions of a topic that was just made. An acks=1 load on the same partitions may
lose its last records, but leaves no hole.

SILLOK_POWER_CYCLES sets the number of cuts (10). SILLOK_WRITE_CACHING=true is the negative control: with
acknowledgements from the page cache the test must fail.
"""

import copy
import os
import time

from confluent import Acknowledged, create_topic, producer, read_all
import harness
from harness import check, check_equal, say
from journal_files import is_in_use
from loop_disk import LoopDisk
from sillok_server import server

# Few, so that there are many requests: the journal is made for who asks often.
BATCH_RECORDS = 50
CYCLES = int(os.environ.get("SILLOK_POWER_CYCLES", 10))
PARTITIONS = 4
MARK = b"acks=1 "
WIDE_PARTITIONS = 100  # made right before the power goes


class Careless:
    """An acks=1 producer of numbered records, to the partitions in turn."""

    def __init__(self, address, topic):
        self.topic = topic
        self.sent = 0
        # One request at a time, since without idempotence a repeated one could overtake another.
        self._producer = producer(address, acks="1", linger_ms=2, max_in_flight_requests_per_connection=1)

    def send(self, count):
        for _ in range(count):
            try:
                self._producer.produce(self.topic, b"%s%012d" % (MARK, self.sent), partition=self.sent % PARTITIONS)
            except BufferError:
                break
            self.sent += 1
        self._producer.poll(0)

    def give_up(self):
        self._producer.purge()
        self._producer = None


def check_log(address, kept):
    for partition in range(PARTITIONS):
        messages = read_all(address, kept.topic, partition)
        check_equal([message.offset() for message in messages], list(range(len(messages))), "offsets")
        careless = [int(message.value()[len(MARK):]) for message in messages if message.value().startswith(MARK)]
        check_equal(careless, list(range(partition, partition + PARTITIONS * len(careless), PARTITIONS)),
                    f"records with acks=1 in partition {partition}")
        kept.check_messages(partition, [message for message in messages if not message.value().startswith(MARK)])


def check_folders(data, topic):
    """Before a start makes anew what is missing."""
    for partition in range(WIDE_PARTITIONS):
        folder = os.path.join(data, f"{topic}-{partition}")
        for name in ("partition.metadata", "leader-epoch-checkpoint"):
            with open(os.path.join(folder, name), encoding="ascii") as file:
                check(file.read(), f"{file.name} is empty")
        check(os.path.exists(os.path.join(folder, f"{0:020}.log")), f"{folder} has no log")


def test(folder):
    choice = harness.seeded_random()
    settings = {"log.segment.bytes": 1 << 20, "sillok.disk.free.min.bytes": 0,
                "write.caching": os.environ.get("SILLOK_WRITE_CACHING", "false")}
    with LoopDisk(folder, 2048) as disk, server(disk.path, settings) as broker:
        broker.output = os.path.join(folder, "server.log")  # is to outlive the power
        acknowledged = []
        journaled = 0
        for cycle in range(CYCLES):
            topic = f"cut-{cycle}"
            create_topic(broker.address, topic, PARTITIONS)
            load = Acknowledged(broker.address, topic, PARTITIONS, compression_type=choice.choice(harness.CODECS),
                                batch_num_messages=BATCH_RECORDS)
            careless = Careless(broker.address, topic)
            target = choice.randrange(1, 20_000)
            deadline = time.monotonic() + 60
            while load.count() < target:
                careless.send(choice.randrange(0, 100))
                load.send(choice.randrange(1, 300))
                check(not load.errors, f"delivery failed: {load.errors[:1]}")
                check(time.monotonic() < deadline, f"{load.count()} acknowledgements, waited for {target}")
            create_topic(broker.address, f"wide-{cycle}", WIDE_PARTITIONS)
            # Acknowledgements are taken in by send() alone, so this is all that came before the power went.
            count = load.count()
            kept = copy.copy(load)
            kept.offsets = [dict(offsets) for offsets in load.offsets]
            journaled += is_in_use(broker.data)
            disk.cut_power()
            careless.give_up()
            load.give_up()
            broker.kill()
            disk.unmount()
            disk.mount()
            check_folders(broker.data, f"wide-{cycle}")
            seconds = broker.start()
            say(f"cycle {cycle}: power cut after {count} acknowledgements, ready after {seconds:.2f} s")
            acknowledged.append(kept)
            check_log(broker.address, kept)
        for kept in acknowledged:  # what one cut left, the next ones leave as well
            check_log(broker.address, kept)
        say(f"{sum(kept.count() for kept in acknowledged)} records through {CYCLES} cuts, {journaled} of them with the "
            "journal in use")
        check(journaled > 0 or settings["write.caching"] == "true", "the journal was in use at none of the cuts")
        broker.stop()


harness.main(test)

"""kill -9 in the middle of an idempotent produce, several times: the producer goes on after each restart, and
every acknowledged record is there once, in order, at its acknowledged offset. With the commit journal in use, most of
what was acknowledged was synced in no segment."""

import os
import time

import harness
from confluent import Acknowledged, create_topic
from harness import check, say
from journal_files import is_in_use, journal_files
from sillok_server import Sillok, server

# Few, so that there are many requests: the journal is made for who asks often.
BATCH_RECORDS = 50
CYCLES = int(os.environ.get("SILLOK_KILL_CYCLES", 6))
PARTITIONS = 3


def test(folder):
    choice = harness.seeded_random()
    with server(folder, {"log.segment.bytes": 1 << 20}) as broker:
        create_topic(broker.address, "killed", PARTITIONS)
        load = Acknowledged(broker.address, "killed", PARTITIONS,
                            compression_type=choice.choice(harness.CODECS),
                            batch_num_messages=BATCH_RECORDS)
        journaled = 0
        for cycle in range(CYCLES):
            # The kill falls at a random number of acknowledgements, so at a random place of a flush or a roll.
            target = load.count() + choice.randrange(1, 30_000)
            deadline = time.monotonic() + 60
            while load.count() < target:
                load.send(choice.randrange(1, 500))
                check(not load.errors, f"delivery failed: {load.errors[:1]}")
                check(time.monotonic() < deadline, f"{load.count()} acknowledgements, waited for {target}")
            broker.kill()
            acknowledged = load.count()
            journaled += is_in_use(broker.data)
            load.send_what_fits(choice.randrange(1, 2_000))  # some are sent while nobody listens
            seconds = broker.start()
            say(f"cycle {cycle}: killed after {acknowledged} acknowledgements, ready after {seconds:.2f} s")
        load.send(1_000)
        load.flush()
        check(load.count() == load.sent, f"{load.sent} sent, {load.count()} acknowledged")
        load.check_log(broker.address)
        # What a client saw must also survive one more start, this time without traffic.
        broker.kill()
        broker.start()
        load.check_log(broker.address)
        check(journaled > 0 or not isinstance(broker, Sillok), "the journal was in use at none of the kills")
        broker.stop()
        check(not journal_files(broker.data), "a clean stop left files of the journal")
        say(f"{load.count()} records, each once, in order, at its offset; the journal in use at {journaled} kills")


harness.main(test)

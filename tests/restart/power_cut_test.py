"""The power goes in the middle of an acks=all load, several times: whatever was acknowledged before is there, once,
at its offset.

SILLOK_POWER_CYCLES sets the number of cuts (10). SILLOK_WRITE_CACHING=true is the negative control: with
acknowledgements from the page cache the test must fail.
"""

import copy
import os
import time

from confluent import Acknowledged, create_topic
import harness
from harness import check, say
from loop_disk import LoopDisk
from sillok_server import server

CYCLES = int(os.environ.get("SILLOK_POWER_CYCLES", 10))
PARTITIONS = 4


def test(folder):
    choice = harness.seeded_random()
    settings = {"log.segment.bytes": 1 << 20, "sillok.disk.free.min.bytes": 0,
                "write.caching": os.environ.get("SILLOK_WRITE_CACHING", "false")}
    with LoopDisk(folder, 2048) as disk, server(disk.path, settings) as broker:
        broker.output = os.path.join(folder, "server.log")  # is to outlive the power
        acknowledged = []
        for cycle in range(CYCLES):
            topic = f"cut-{cycle}"
            create_topic(broker.address, topic, PARTITIONS)
            load = Acknowledged(broker.address, topic, PARTITIONS, compression_type=choice.choice(harness.CODECS))
            target = choice.randrange(1, 20_000)
            deadline = time.monotonic() + 60
            while load.count() < target:
                load.send(choice.randrange(1, 300))
                check(not load.errors, f"delivery failed: {load.errors[:1]}")
                check(time.monotonic() < deadline, f"{load.count()} acknowledgements, waited for {target}")
            # Acknowledgements are taken in by send() alone, so this is all that came before the power went.
            count = load.count()
            kept = copy.copy(load)
            kept.offsets = [dict(offsets) for offsets in load.offsets]
            disk.cut_power()
            load.give_up()
            broker.kill()
            disk.unmount()
            disk.mount()
            seconds = broker.start()
            say(f"cycle {cycle}: power cut after {count} acknowledgements, ready after {seconds:.2f} s")
            acknowledged.append(kept)
            kept.check_log(broker.address)
        for kept in acknowledged:  # what one cut left, the next ones leave as well
            kept.check_log(broker.address)
        say(f"{sum(kept.count() for kept in acknowledged)} records through {CYCLES} cuts")
        broker.stop()


harness.main(test)

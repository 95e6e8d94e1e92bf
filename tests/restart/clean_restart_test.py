"""A replay after a clean stop is the replay before it: same records, same offsets, same end."""

import os

import harness
from confluent import Acknowledged, create_topic, read_all, watermarks
from harness import check, check_equal, say
from sillok_server import Sillok, server

CLEAN_MARK = ".kafka_cleanshutdown"
PARTITIONS = 2


def replay(broker):
    return [[(message.offset(), message.timestamp(), message.value())
             for message in read_all(broker.address, "kept", partition)] for partition in range(PARTITIONS)]


def check_left_alone(folder, names, is_marked):
    """Folders that the broker leaves alone: after a kill the next SIGTERM is still a good stop. Only where one of
    them may be torn is no mark left, since that would tell Kafka that they are whole."""
    with Sillok(folder, {}, ()) as broker:
        create_topic(broker.address, "kept")
        broker.kill()
        for name in names:
            os.mkdir(os.path.join(broker.data, name))
        broker.start()
        broker.stop()
        check_equal(os.path.exists(os.path.join(broker.data, CLEAN_MARK)), is_marked, f"mark beside {names}")
        check_equal("no clean-shutdown mark" in broker.tail(), not is_marked, "the line about it")


def test(folder):
    with server(folder, {"log.segment.bytes": 1 << 20}) as broker:
        create_topic(broker.address, "kept", PARTITIONS)
        load = Acknowledged(broker.address, "kept", PARTITIONS)
        load.send(40_000)
        load.flush()
        before = replay(broker)
        for round_number in range(3):
            broker.stop()
            check(os.path.exists(os.path.join(broker.data, CLEAN_MARK)), "no mark of a clean stop was left")
            seconds = broker.start()
            for partition in range(PARTITIONS):
                check_equal(replay(broker)[partition], before[partition], f"replay of partition {partition}")
                check_equal(watermarks(broker.address, "kept", partition), (0, len(before[partition])), "watermarks")
            say(f"restart {round_number}: {load.count()} records equal, ready after {seconds:.2f} s")
        # The same producer session goes on where it was: no duplicate, no refused sequence.
        load.send(1_000)
        load.flush()
        load.check_log(broker.address)
    if isinstance(broker, Sillok):
        check_left_alone(os.path.join(folder, "metadata"), ["__cluster_metadata-0"], True)
        check_left_alone(os.path.join(folder, "others"), ["__cluster_metadata-0", "neither-3"], False)


harness.main(test)

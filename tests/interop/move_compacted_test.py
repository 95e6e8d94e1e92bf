"""A compacted topic that goes from Apache Kafka to Sillok, back, and in again, twice: what Kafka compacted meanwhile, the
segment where Sillok's last stop ended included, is no damage, and the topic takes records as before. Also where Kafka
was killed before it wrote its recovery points, and the topic is not compacted any more.
"""

import os

import confluent
import harness
from harness import check, check_equal
from moved import copy
from sillok_server import Kafka, Sillok

NODE_ID = 7
TOPIC = "compacted"
CONFIG = {"cleanup.policy": "compact", "segment.ms": 100, "min.cleanable.dirty.ratio": "0.01"}
KEYS = 50


class Writer:
    def __init__(self):
        self.latest = {}  # by key
        self.written = 0

    def write(self, broker, count=500):
        producer = confluent.producer(broker.address, enable_idempotence=True)
        for _ in range(count):
            key, value = b"key %d" % (self.written % KEYS), b"value %d" % self.written
            producer.produce(TOPIC, value, key=key, partition=0)
            self.latest[key] = value
            self.written += 1
        check(producer.flush(60) == 0, "records were not acknowledged")

    def check_latest(self, broker, what):
        found = {message.key(): message.value() for message in confluent.read_all(broker.address, TOPIC)}
        check_equal(found, self.latest, f"{what}: the last value of each key")
        check_equal(confluent.watermarks(broker.address, TOPIC)[1], self.written, f"{what}: the end")


def segments(broker):
    return sorted(name for name in os.listdir(broker.partition_folder(TOPIC)) if name.endswith(".log"))


def compact(kafka, writer, last):
    def is_compacted():
        writer.write(kafka, KEYS)
        return last not in segments(kafka)

    harness.eventually(is_compacted, "Kafka compacts the segment where Sillok stopped", 60)
    writer.check_latest(kafka, "Kafka")


def check_in_again(sillok, writer):
    sillok.start()
    writer.check_latest(sillok, "in again")
    writer.write(sillok)
    sillok.stop()
    sillok.start()
    writer.check_latest(sillok, "in again and restarted")
    writer.write(sillok)
    sillok.stop()


def test(folder):
    kafka = Kafka(os.path.join(folder, "kafka"), {"node.id": NODE_ID, "log.cleaner.backoff.ms": 200}, ())
    sillok = Sillok(os.path.join(folder, "sillok"), {}, ())
    writer = Writer()
    with kafka:
        confluent.create_topic(kafka.address, TOPIC, 1, CONFIG)
        writer.write(kafka)
        kafka.stop()
        copy(kafka, sillok)
        with sillok:
            writer.write(sillok)
            sillok.stop()
            for is_killed in (False, True):
                last = segments(sillok)[-1]
                copy(sillok, kafka)
                kafka.start()
                compact(kafka, writer, last)
                if is_killed:
                    confluent.alter_topic(kafka.address, TOPIC, {"cleanup.policy": "delete"})
                    kafka.kill()
                else:
                    kafka.stop()
                copy(kafka, sillok)
                check_in_again(sillok, writer)


harness.main(test)

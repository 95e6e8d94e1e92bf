"""kafka-python: partitions by assignment, no group. The command line is described in ../README.md."""

import contextlib
import sys

import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError

import command_line
from records import Record


def version():
    return kafka.__version__


def write(address, scenario, codecs):
    for topic, codec in codecs.items():
        producer = KafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=True, linger_ms=20,
                                 compression_type=None if codec == "none" else codec)
        sent = [producer.send(topic, value=record.value, key=record.key, partition=0,
                              headers=[(name.decode(), value) for name, value in record.headers],
                              timestamp_ms=record.timestamp)
                for record in scenario]
        producer.flush(60)
        for result in sent:
            result.get(60)
        producer.close()


def read(address, counts):
    consumer = KafkaConsumer(bootstrap_servers=address, group_id=None, enable_auto_commit=False,
                             auto_offset_reset="none", check_crcs=True, fetch_max_wait_ms=50,
                             consumer_timeout_ms=30_000)
    for topic, count in counts.items():
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        found = []
        while len(found) < count:
            message = next(consumer)
            headers = tuple((name.encode(), value) for name, value in message.headers)
            found.append((message.offset, Record(message.timestamp, message.key, message.value, headers)))
        yield topic, found
    consumer.close()


@contextlib.contextmanager
def steps(address, topic):
    admin = KafkaAdminClient(bootstrap_servers=address)
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    first = TopicPartition(topic, 0)

    def configs():
        wanted = ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": None})
        found = admin.describe_configs([wanted], config_filter="all")
        return found["topic"][topic]["retention.ms"]["value"]

    def alter():
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "987654321"})])

    known = {
        "create": lambda: _silent(admin.create_topics(
            {topic: {"num_partitions": 2, "replication_factor": 1, "configs": {"retention.ms": "123456789"}}})),
        "list": lambda: "found" if topic in admin.list_topics() else "absent",
        "describe": lambda: str(len(admin.describe_topics([topic])[0]["partitions"])),
        "configs": configs,
        "partitions": lambda: _silent(admin.create_partitions({topic: 3})),
        "alter": alter,
        "truncate": lambda: str(admin.delete_records({first: 2})[first]["low_watermark"]),
        "delete": lambda: _silent(admin.delete_topics([topic])),
    }
    yield {name: _refusing(step) for name, step in known.items()}
    admin.close()


def _silent(_answer):
    return None


def _refusing(step):
    def call():
        try:
            return step()
        except KafkaError as error:
            raise command_line.Refused(type(error).__name__) from error

    return call


if __name__ == "__main__":
    command_line.main(sys.modules[__name__])

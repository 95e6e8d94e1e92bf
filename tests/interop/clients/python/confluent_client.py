"""confluent-kafka: partitions by assignment, no group. The command line is described in ../README.md."""

import contextlib
import sys

import confluent_kafka
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions,
                                   NewTopic, ResourceType)

import command_line
import confluent
from records import Record


def version():
    return f"{confluent_kafka.version()} with librdkafka {confluent_kafka.libversion()[0]}"


def write(address, scenario, codecs):
    for topic, codec in codecs.items():
        errors = []
        producer = confluent.producer(address, compression_type=codec, enable_idempotence=True, linger_ms=20)
        for record in scenario:
            producer.produce(topic, record.value, record.key, 0, timestamp=record.timestamp,
                             headers=[(name.decode(), value) for name, value in record.headers],
                             on_delivery=lambda error, _: errors.append(error) if error else None)
        if producer.flush(60) or errors:
            sys.exit(f"{topic}: {errors[:1]}")


def read(address, counts):
    for topic in counts:
        yield topic, [_record(message) for message in confluent.read_all(address, topic)]


def _record(message):
    kind, timestamp = message.timestamp()
    if kind != confluent_kafka.TIMESTAMP_CREATE_TIME:
        sys.exit(f"timestamp type {kind}")
    headers = tuple((name.encode(), value) for name, value in message.headers() or [])
    return message.offset(), Record(timestamp, message.key(), message.value(), headers)


@contextlib.contextmanager
def steps(address, topic):
    admin = AdminClient({"bootstrap.servers": address, "log_level": 4})

    def configs():
        [answer] = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
        return answer.result(30)["retention.ms"].value

    def alter():
        entry = ConfigEntry("retention.ms", "987654321", incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        _results(admin.incremental_alter_configs([resource]))

    def truncate():
        [answer] = admin.delete_records([TopicPartition(topic, 0, 2)]).values()
        return str(answer.result(30).low_watermark)

    known = {
        "create": lambda: _results(admin.create_topics(
            [NewTopic(topic, 2, replication_factor=1, config={"retention.ms": "123456789"})])),
        "list": lambda: "found" if topic in admin.list_topics(timeout=30).topics else "absent",
        "describe": lambda: str(len(admin.list_topics(topic, timeout=30).topics[topic].partitions)),
        "configs": configs,
        "partitions": lambda: _results(admin.create_partitions([NewPartitions(topic, 3)])),
        "alter": alter,
        "truncate": truncate,
        "delete": lambda: _results(admin.delete_topics([topic])),
    }
    yield {name: _refusing(step) for name, step in known.items()}


def _results(answers):
    for answer in answers.values():
        answer.result(30)


def _refusing(step):
    def call():
        try:
            return step()
        except KafkaException as error:
            raise command_line.Refused(error.args[0].name()) from error

    return call


if __name__ == "__main__":
    command_line.main(sys.modules[__name__])

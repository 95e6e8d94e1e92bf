"""aiokafka: partitions by assignment, no group. The command line is described in ../README.md."""

import asyncio
import contextlib
import sys

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

import command_line
from records import Record


def version():
    return aiokafka.__version__


def write(address, scenario, codecs):
    asyncio.run(_write(address, scenario, codecs))


async def _write(address, scenario, codecs):
    for topic, codec in codecs.items():
        producer = AIOKafkaProducer(bootstrap_servers=address, enable_idempotence=True, linger_ms=20,
                                    compression_type=None if codec == "none" else codec)
        await producer.start()
        sent = [await producer.send(topic, record.value, record.key, 0, record.timestamp,
                                    [(name.decode(), value) for name, value in record.headers])
                for record in scenario]
        await asyncio.gather(*sent)
        await producer.stop()


def read(address, counts):
    return asyncio.run(_read(address, counts))


async def _read(address, counts):
    consumer = AIOKafkaConsumer(bootstrap_servers=address, group_id=None, enable_auto_commit=False,
                                auto_offset_reset="none", check_crcs=True, fetch_max_wait_ms=50)
    await consumer.start()
    everything = []
    for topic, count in counts.items():
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        found = []
        while len(found) < count:
            message = await asyncio.wait_for(consumer.getone(), 30)
            headers = tuple((name.encode(), value) for name, value in message.headers)
            found.append((message.offset, Record(message.timestamp, message.key, message.value, headers)))
        everything.append((topic, found))
    await consumer.stop()
    return everything


@contextlib.contextmanager
def steps(address, topic):
    loop = asyncio.new_event_loop()
    admin = loop.run_until_complete(_started_admin(address))

    async def create():
        answer = await admin.create_topics([NewTopic(topic, 2, 1, topic_configs={"retention.ms": "123456789"})])
        _check(*(error[1] for error in answer.topic_errors))

    async def listed():
        return "found" if topic in await admin.list_topics() else "absent"

    async def describe():
        [found] = await admin.describe_topics([topic])
        _check(found["error_code"])
        return str(len(found["partitions"]))

    async def configs():
        # No names asked for: the client sends null, and gets all of them.
        [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        [(code, _, _, _, entries)] = (resource[:5] for resource in answer.resources)
        _check(code)
        return {entry[0]: entry[1] for entry in entries}["retention.ms"]

    async def partitions():
        await admin.create_partitions({topic: NewPartitions(3)})

    async def alter():
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "987654321"})
        [answer] = await admin.alter_configs([resource])
        _check(*(result[0] for result in answer.resources))

    async def truncate():
        first = TopicPartition(topic, 0)
        return str((await admin.delete_records({first: RecordsToDelete(before_offset=2)}))[first])

    async def delete():
        answer = await admin.delete_topics([topic])
        _check(*(error[1] for error in answer.topic_error_codes))

    known = {"create": create, "list": listed, "describe": describe, "configs": configs,
             "partitions": partitions, "alter": alter, "truncate": truncate, "delete": delete}
    yield {name: lambda step=step: loop.run_until_complete(_refusing(step)) for name, step in known.items()}
    loop.run_until_complete(admin.close())
    loop.close()


async def _started_admin(address):
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    return admin


def _check(*codes):
    for code in codes:
        if code:
            raise for_code(code)


async def _refusing(step):
    try:
        return await step()
    except KafkaError as error:
        raise command_line.Refused(type(error).__name__) from error


if __name__ == "__main__":
    command_line.main(sys.modules[__name__])

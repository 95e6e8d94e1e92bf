"""Every client writes with every codec it has, and every client reads what every other wrote: equal in key, value,
headers, timestamp and offset. Then each leads a topic through its life by its admin calls."""

import os
import re

import advertised
import harness
from admin_steps import administer
from batch_headers import batch_headers
from harness import CODECS, check, check_equal, say
from matrix_clients import (Aiokafka, Confluent, FranzGo, Java, KafkaGo, Kafkajs, KafkaPython, Platformatic, Rdkafka,
                            Rskafka, Sarama)
from matrix_tools import Console, Kcat, Rsyslog
from records import every_record, null_header_records, to_lines
from sillok_server import server

QUICK = [Java, Confluent, Rdkafka, KafkaPython, Aiokafka, Kcat, Console]
FETCHED = [FranzGo, Sarama, KafkaGo, Rskafka, Kafkajs, Platformatic, Rsyslog]

NULL_HEADERS = "null-headers"  # the end of names of topics that have some


def run(folder, kinds, known=()):
    """kinds are of QUICK and FETCHED. Those of `known` are only tested together with the others."""
    known = {kind.name for kind in known}
    skipped = harness.Skipped()
    clients = []
    for make in kinds:
        skipped.attempt(lambda make=make: clients.append(make()))
    for client in clients:
        say(f"client {client.name} {client.version()}")
    # The timestamps of the records are years old: retention would take them within the minute.
    with server(folder, {"log.retention.ms": -1}) as broker:
        read_all(broker, clients, write_all(folder, broker, clients), known)
        offered = advertised.apis(broker.address)
        for client in clients:
            if client.admin_steps and client.name not in known:
                say(f"{client.name} admin: {' '.join(administer(broker.address, client, offered))}")
        broker.check_running()
        report_complaints(broker, clients)
    skipped.finish()


def write_all(folder, broker, clients):
    """{topic: the records that its writer sent}, with the timestamp None where the writer does not choose it. The
    topics are made by the writers' questions for them."""
    written = {}
    for client in clients:
        if client.writes:
            codecs = {f"{client.name}-{codec}": codec for codec in CODECS}
            write(folder, broker, client, every_record(), codecs, written)
            write(folder, broker, client, null_header_records(), {f"{client.name}-{NULL_HEADERS}": "none"}, written)
            say(f"{client.name} wrote {' '.join(CODECS)}")
    return written


def write(folder, broker, client, records, codecs, written):
    sent = client.sends(records)
    if not sent:
        return
    scenario = os.path.join(folder, "scenario")
    with open(scenario, "wb") as file:
        file.write(to_lines(sent))
    client.write(broker.address, scenario, codecs)
    for topic, codec in codecs.items():
        check_batches(broker, client, topic, codec)
    expected = [record if client.chooses_timestamp(record) else record._replace(timestamp=None) for record in sent]
    written.update(dict.fromkeys(codecs, expected))


def check_batches(broker, client, topic, codec):
    """A client that thinks that a broker lacks a codec, or producer ids, may do without and say nothing."""
    batches = batch_headers(broker.partition_folder(topic))
    # A batch that would not get smaller may stay as it is.
    expected = client.codec_in_log(codec, advertised.apis(broker.address))
    check(expected in {batch.codec for batch in batches}, f"{topic}: no batch with {expected} in {batches}")
    ids = {batch.producer_id for batch in batches}
    check((min(ids) >= 0) == client.idempotent, f"{topic}: producer ids {ids}")


def read_all(broker, clients, written, known):
    first_found = {}
    for client in clients:
        if client.reads:
            counts = {topic: len(written[topic]) for topic in topics_of(client, written, known)}
            found = client.read(broker.address, counts)
            for topic in counts:
                first = first_found.setdefault(topic, found[topic])
                check_read(client, topic, written[topic], found[topic], first)
            say(f"{client.name} read {len(counts)} topics: equal")


def topics_of(client, written, known):
    """The topics that it reads: all codecs, or one of each writer, which is another each time."""
    by_writer = {}
    for topic in written:
        writer = topic.split("-")[0]
        if not (client.name in known and writer in known):
            if client.reads_null_headers or not topic.endswith(NULL_HEADERS):
                by_writer.setdefault(writer, []).append(topic)
    if client.reads_all_codecs:
        return [topic for topics in by_writer.values() for topic in topics]
    return [topics[i % len(CODECS)] for i, topics in enumerate(by_writer.values())]


def check_read(client, topic, sent, found, first_found):
    what = f"{topic} read by {client.name}"
    check_equal([offset for offset, _ in found], list(range(len(sent))), f"{what}, offsets")
    # Timestamps that the writer did not choose must still be the same for all readers.
    expected = [record if record.timestamp is not None else record._replace(timestamp=there.timestamp)
                for record, (_, there) in zip(sent, first_found)]
    check_equal([record for _, record in found], [client.seen(record) for record in expected], what)


def report_complaints(broker, clients):
    """What clients and broker had to say although everything went well. A line of the broker fails the test."""
    for client in clients:
        for line in client.complaints[:5]:
            say(f"{client.name} says: {line}")
    with open(broker.output, encoding="utf-8", errors="replace") as log:
        lines = [line for line in log.read().splitlines() if re.match(r"\S+ (warning|error|critical) ", line)]
    check_equal(lines, [], "lines of the broker at level warning or above")

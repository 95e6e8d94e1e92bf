"""The clients of the matrix, each with the same two verbs.

write(address, topic, codec, records) sends what the client can express and returns it, with the timestamp None
where the client does not choose it. expected_text(records) against read_text(address, topic) is how a client that
prints is compared; a client that hands over records has read(address, topics) instead.
"""

import os

import confluent_kafka

import confluent
import harness
from harness import check, run
from records import HEADERS, Record, every_record, from_lines, null_records, text_records, to_lines


def without_timestamp(records):
    return [record._replace(timestamp=None) for record in records]


class Confluent:
    """confluent-kafka 2.16 (librdkafka 2.16)."""

    name = "confluent"

    def write(self, address, topic, codec):
        errors = []
        client = confluent.producer(address, compression_type=codec, enable_idempotence=True, linger_ms=20)
        for record in every_record():
            client.produce(topic, record.value, record.key, 0, timestamp=record.timestamp,
                           headers=[(name.decode(), value) for name, value in record.headers],
                           on_delivery=lambda error, _: errors.append(error) if error else None)
        check(client.flush(60) == 0 and not errors, f"confluent-kafka, {codec}: {errors[:1]}")
        # 0 means "now" to this client, so this one timestamp is not ours.
        return [record._replace(timestamp=record.timestamp or None) for record in every_record()]

    def read(self, address, topics):
        return {topic: [self._record(message) for message in confluent.read_all(address, topic)] for topic in topics}

    @staticmethod
    def _record(message):
        kind, timestamp = message.timestamp()
        check(kind == confluent_kafka.TIMESTAMP_CREATE_TIME, f"timestamp type {kind}")
        headers = tuple((name.encode(), value) for name, value in message.headers() or [])
        return message.offset(), Record(timestamp, message.key(), message.value(), headers)


class Rdkafka:
    """librdkafka 2.0 of Debian, through rdkafka_client.cc."""

    name = "rdkafka"

    def __init__(self):
        self.program = os.environ.get("SILLOK_RDKAFKA_CLIENT", "")
        if not os.access(self.program, os.X_OK):
            raise harness.Skip("rdkafka_client was not built (librdkafka-dev)")

    def write(self, address, topic, codec):
        run([self.program, "produce", address, topic, codec], to_lines(every_record()))
        return [record._replace(timestamp=record.timestamp or None) for record in every_record()]

    def read(self, address, topics):
        return {topic: from_lines(run([self.program, "consume", address, topic]).stdout) for topic in topics}


class Java:
    """kafka-clients 4.4.0, through JavaClient.java."""

    name = "java"

    def __init__(self):
        harness.compiled_java("JavaClient.java")

    def write(self, address, topic, codec):
        run(harness.own_java("JavaClient.java", "produce", address, topic, codec), to_lines(every_record()))
        return every_record()

    def read(self, address, topics):
        output = run(harness.own_java("JavaClient.java", "consume", address, *topics)).stdout
        found = {}
        for part in output.decode().split("topic ")[1:]:
            topic, lines = part.split("\n", 1)
            found[topic] = from_lines(lines.encode())
        return found


class Kcat:
    """kcat 1.7 of Debian: one set of headers a call, no timestamps, no way to tell null from empty in a value."""

    name = "kcat"

    def __init__(self):
        self.program = harness.tool("kcat")

    def write(self, address, topic, codec):
        call = [self.program, "-P", "-b", address, "-t", topic, "-p", "0", "-z", codec, "-K", "\\t"]
        records = [record for record in text_records() if not record.headers]
        run(call, self._lines(records))
        tombstones = [record for record in null_records() if record.key and not record.value]
        run([*call, "-Z"], self._lines(tombstones))
        with_headers = [Record(None, b"headers %d" % i, b"value %d" % i, HEADERS) for i in range(3)]
        options = [option for name, value in HEADERS for option in ("-H", f"{name.decode()}={value.decode()}")]
        run([*call, *options], self._lines(with_headers))
        return without_timestamp(records + tombstones + with_headers)

    @staticmethod
    def _lines(records):
        return b"".join(record.key + b"\t" + (record.value or b"") + b"\n" for record in records)

    def read_text(self, address, topic):
        # Lengths, with -1 for null, stand before the bytes: that tells everything apart.
        return run([self.program, "-C", "-e", "-q", "-b", address, "-t", topic, "-p", "0", "-o", "beginning",
                    "-f", "%o %T %K %S [%h]\\n%k%s\\n"]).stdout

    @staticmethod
    def expected_text(found):
        def size(value):
            return -1 if value is None else len(value)

        text = b""
        for offset, record in found:
            # It prints header values as C strings, up to the first zero byte.
            headers = b",".join(name + b"=" + (b"NULL" if value is None else value.split(b"\0")[0])
                                for name, value in record.headers)
            text += b"%d %d %d %d [%s]\n%s%s\n" % (offset, record.timestamp, size(record.key), size(record.value),
                                                   headers, record.key or b"", record.value or b"")
        return text


class Console:
    """The console producer and consumer of Kafka 4.3.1."""

    name = "console"

    def __init__(self):
        harness.class_path("broker")

    def write(self, address, topic, codec):
        records = text_records() + [record for record in null_records() if record.headers]
        properties = {"parse.key": "true", "parse.headers": "true", "null.marker": "NIL"}
        options = [word for name, value in properties.items() for word in ("--reader-property", f"{name}={value}")]
        run(harness.java("broker", "org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", address,
                         "--topic", topic, "--compression-codec", codec, *options),
            b"".join(self._line(record) for record in records))
        return without_timestamp(records)

    @staticmethod
    def _line(record):
        headers = b",".join(name + b":" + (b"NIL" if value is None else value) for name, value in record.headers)
        return b"\t".join([headers or b"NIL", record.key, record.value]) + b"\n"

    def read_text(self, address, topic):
        properties = ["timestamp", "offset", "headers", "key", "value"]
        options = [word for name in properties for word in ("--formatter-property", f"print.{name}=true")]
        low, high = confluent.watermarks(address, topic)
        return run(harness.java("broker", "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server",
                                address, "--topic", topic, "--partition", 0, "--offset", "earliest",
                                "--max-messages", high - low, *options)).stdout

    @staticmethod
    def expected_text(found):
        def text(value):
            return b"null" if value is None else value

        return b"".join(
            b"CreateTime:%d\tOffset:%d\t%s\t%s\t%s\n" % (
                record.timestamp, offset,
                b",".join(name + b":" + text(value) for name, value in record.headers) or b"NO_HEADERS",
                text(record.key), text(record.value))
            for offset, record in found)


CLIENTS = [Java, Confluent, Rdkafka, Kcat, Console]

"""Fetch requests as bytes and answers from bytes, versions 12 (topics by name) and 13 (by id): what no client lets a
test choose is chosen here."""

import collections
import socket
import struct

from harness import Failure, check_equal

FETCH_KEY = 1
BY_NAME, BY_ID = 12, 13
MAX_BYTES = 1 << 20

Answer = collections.namedtuple("Answer", "error session partitions")
# `topic` is the name, or the 16 bytes of the id.
Partition = collections.namedtuple("Partition", "topic index error high_watermark log_start records diverging")


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def array(items):
    return varint(len(items) + 1) + b"".join(items)


def topic_key(topic, version):
    return topic if version >= BY_ID else varint(len(topic) + 1) + topic.encode()


def completed(wanted):
    """(partition, offset, last fetched epoch) of a partition alone, with its offset, or with both."""
    given = wanted if isinstance(wanted, tuple) else (wanted,)
    return given + (0, -1)[len(given) - 1:]


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        self.at += size
        if self.at > len(self.data):
            raise Failure("an answer that is cut short")
        return self.data[self.at - size:self.at]

    def number(self, form):
        return struct.unpack(f">{form}", self.take(struct.calcsize(f">{form}")))[0]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def array(self, read):
        return [read() for _ in range(self.varint() - 1)]

    def tags(self):
        return {self.varint(): self.take(self.varint()) for _ in range(self.varint())}


def encode(version, correlation_id, session, epoch, topics, forget, max_wait_ms, min_bytes, max_bytes):
    """topics: [(topic, [(partition, offset, last fetched epoch)])], forget: [(topic, [partition])]"""
    body = struct.pack(">hhihx", FETCH_KEY, version, correlation_id, -1)
    body += struct.pack(">iiiibii", -1, max_wait_ms, min_bytes, max_bytes, 0, session, epoch)
    body += array([topic_key(topic, version) + array([
        struct.pack(">iiqiqi", index, -1, offset, last_epoch, -1, MAX_BYTES) + b"\0" for index, offset, last_epoch in wanted]) + b"\0"
        for topic, wanted in topics])
    body += array([topic_key(topic, version) + array([struct.pack(">i", index) for index in indexes]) + b"\0"
                   for topic, indexes in forget])
    return struct.pack(">i", len(body) + 2) + body + b"\1\0"


def decode(data, version, correlation_id):
    reader = Reader(data)
    check_equal(reader.number("i"), correlation_id, "correlation id")
    reader.tags()
    reader.number("i")  # throttle time
    error, session = reader.number("h"), reader.number("i")
    partitions = []

    def read_topic():
        topic = reader.take(16) if version >= BY_ID else reader.take(reader.varint() - 1).decode()
        reader.array(lambda: partitions.append(read_partition(topic)))
        reader.tags()

    def read_partition(topic):
        index, partition_error = reader.number("i"), reader.number("h")
        high_watermark, _, log_start = reader.number("q"), reader.number("q"), reader.number("q")
        reader.array(lambda: (reader.take(16), reader.tags()))  # aborted transactions
        reader.number("i")  # preferred replica
        records = reader.take(max(0, reader.varint() - 1))
        diverging = reader.tags().get(0)
        return Partition(topic, index, partition_error, high_watermark, log_start, records,
                         struct.unpack(">iq", diverging[:12]) if diverging else None)

    reader.array(read_topic)
    reader.tags()
    check_equal(reader.at, len(data), "end of the answer")
    return Answer(error, session, partitions)


class FetchClient:
    def __init__(self, address):
        host, port = address.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=60)
        self.correlation_id = 0

    def fetch(self, session, epoch, topics=(), forget=(), version=BY_ID, max_wait_ms=0, min_bytes=1, max_bytes=MAX_BYTES):
        """topics: [(topic, [partition or (partition, offset) or (partition, offset, last fetched epoch)])]"""
        self.correlation_id += 1
        full = [(topic, [completed(one) for one in wanted]) for topic, wanted in topics]
        self.socket.sendall(encode(version, self.correlation_id, session, epoch, full, forget, max_wait_ms, min_bytes, max_bytes))
        size = struct.unpack(">i", self._receive(4))[0]
        return decode(self._receive(size), version, self.correlation_id)

    def _receive(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise Failure("the server closed the connection")
            data += more
        return data

"""The records that every client of the matrix writes and reads, and their exchange form."""

import random
from typing import NamedTuple, Optional


class Record(NamedTuple):
    timestamp: Optional[int]  # milliseconds; None where the writer does not choose it
    key: Optional[bytes]
    value: Optional[bytes]
    headers: tuple = ()  # of (bytes, bytes or None), in order, names may repeat


START_MS = 1_700_000_000_000
HEADERS = ((b"trace", b"abc"), (b"twice", b"first"), (b"twice", b"second"), (b"empty", b""))
NULL_HEADERS = ((b"nothing", None), (b"nothing", b"something"))


def text_records():
    """What a line-based tool can also write: no line ends, tabs, commas or colons in any part."""
    return [
        Record(START_MS, b"plain", b"one value"),
        Record(START_MS + 1, b"k\xc3\xa9y", "실록, 한국어".replace(",", "").encode()),
        Record(START_MS + 1, b"with headers", b"value", HEADERS),
        Record(START_MS + 500, b"long", b"the same words again and again " * 3000),
        Record(START_MS + 400, b"earlier", b"a timestamp that goes back"),
        *(Record(START_MS + 1000 + i, b"key %d" % (i % 7), b"value %d of many" % i) for i in range(200)),
    ]


def null_records():
    """Nulls, and values that are empty but there."""
    return [
        Record(START_MS + 2000, None, b"no key"),
        Record(START_MS + 2001, b"tombstone", None),
        Record(START_MS + 2002, None, None),
        Record(START_MS + 2003, b"", b""),
    ]


def null_header_records():
    """Apart from the others, since not every client can read them."""
    return [Record(START_MS + 4000, b"null header", b"value", NULL_HEADERS)]


def binary_records():
    noise = random.Random(5).randbytes
    return [
        Record(START_MS + 3000, bytes(range(256)), bytes(range(255, -1, -1))),
        Record(START_MS + 3001, b"a\nb\0c", b"\r\n\0\xff\xfe"),
        Record(START_MS + 3002, b"noise", noise(50_000), ((b"noise", noise(300)), (b"zero", b"\0"))),
        Record(0, b"epoch", b"timestamp zero"),
    ]


def every_record():
    return text_records() + null_records() + binary_records()


def _print(value):
    return "-" if value is None else "x" + value.hex()


def _parse(text):
    return None if text == "-" else bytes.fromhex(text[1:])


def to_lines(records):
    """The exchange form, without offsets; clients/README.md describes it."""
    lines = []
    for record in records:
        headers = "".join(f" {_print(name)}={_print(value)}" for name, value in record.headers)
        lines.append(f"{record.timestamp} {_print(record.key)} {_print(record.value)}{headers}\n")
    return "".join(lines).encode()


def from_lines(data):
    """The records of the exchange form without offsets."""
    return [_record(line.split(" ")) for line in data.decode().splitlines()]


def found_to_lines(found):
    """The exchange form of (offset, Record) pairs."""
    return "".join(f"{offset} {to_lines([record]).decode()}" for offset, record in found)


def found_from_lines(data):
    """The (offset, Record) pairs of the exchange form."""
    split = (line.split(" ") for line in data.decode().splitlines())
    return [(int(offset), _record(words)) for offset, *words in split]


def found_by_topic(data):
    """What a client program's read prints: a line "topic NAME" before the records of each."""
    parts = (part.split(b"\n", 1) for part in data.split(b"topic ")[1:])
    return {topic.decode(): found_from_lines(lines) for topic, lines in parts}


def _record(words):
    timestamp, key, value, *headers = words
    pairs = tuple(tuple(_parse(part) for part in header.split("=")) for header in headers)
    return Record(int(timestamp), _parse(key), _parse(value), pairs)

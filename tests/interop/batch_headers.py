"""The headers of the record batches of one partition, from its first segment file."""

import os
import struct
from typing import NamedTuple

from harness import CODECS

# Base offset, length, leader epoch, magic, CRC, attributes, last offset delta, two timestamps, producer id.
HEADER = struct.Struct(">qiibIhiqqq")
LENGTH_COUNTS_FROM = 12
CODEC_MASK = 7


class BatchHeader(NamedTuple):
    codec: str
    producer_id: int


def batch_headers(partition_folder):
    found = []
    with open(os.path.join(partition_folder, f"{0:020}.log"), "rb") as file:
        data = file.read()
    position = 0
    while position + HEADER.size <= len(data):
        _, length, _, _, _, attributes, _, _, _, producer_id = HEADER.unpack_from(data, position)
        found.append(BatchHeader(CODECS[attributes & CODEC_MASK], producer_id))
        position += LENGTH_COUNTS_FROM + length
    return found

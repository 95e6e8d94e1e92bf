#!/usr/bin/env python3
"""Error codes are found in every place of an answer where `./dev peers many` looks for them."""

import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "peers"))

import errors_of

NULL, NO_TAGS = b"\0", b"\0"
ID = bytes(16)


def text(value):
    return bytes([len(value) + 1]) + value.encode()


def array(*elements):
    return bytes([len(elements) + 1]) + b"".join(elements)


class ErrorsOf(unittest.TestCase):
    def test_create_topics_gives_one_a_topic(self):
        config = text("retention.ms") + text("1") + b"\0\5\0" + NO_TAGS

        def topic(name, code):
            tag = b"\1\0\2" + struct.pack(">h", 29)  # why there are no configs
            return text(name) + ID + struct.pack(">h", code) + NULL + struct.pack(">ih", 1, 1) + array(config) + tag

        content = struct.pack(">i", 0) + array(topic("a", 0), topic("b", 36), topic("c", 0)) + NO_TAGS
        self.assertEqual(errors_of.create_topics(content), [0, 36, 0])

    def test_metadata_gives_those_of_topics_and_partitions(self):
        def partition(code):
            numbers = struct.pack(">i", 1)
            return struct.pack(">hiii", code, 0, 1, 0) + array(numbers) + array(numbers) + array() + NO_TAGS

        def topic(code, *partitions):
            return struct.pack(">h", code) + text("a") + ID + b"\0" + array(*partitions) + struct.pack(">i", 0) + NO_TAGS

        broker = struct.pack(">i", 1) + text("here") + struct.pack(">i", 9092) + NULL + NO_TAGS
        content = (struct.pack(">i", 0) + array(broker) + text("cluster") + struct.pack(">i", 1) +
                   array(topic(0, partition(0), partition(5)), topic(3)) + NO_TAGS)
        self.assertEqual(errors_of.metadata(content), [[0, 0, 5], [3]])

    def test_describe_configs_gives_one_a_topic(self):
        synonym = text("log.retention.ms") + text("1") + b"\5" + NO_TAGS
        config = text("retention.ms") + NULL + b"\0\5\0" + array(synonym) + b"\5" + text("why") + NO_TAGS

        def topic(code, *configs):
            return struct.pack(">h", code) + text("no") + b"\2" + text("a") + array(*configs) + NO_TAGS

        content = struct.pack(">i", 0) + array(topic(0, config, config), topic(40)) + NO_TAGS
        self.assertEqual(errors_of.describe_configs(content), [0, 40])


if __name__ == "__main__":
    unittest.main()

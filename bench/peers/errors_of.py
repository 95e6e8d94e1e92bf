"""The error codes inside the answers that many.py times: how fast a refusal comes says nothing."""

import struct


class Answer:
    """An answer of a flexible version, read front to back."""

    def __init__(self, content):
        self.content, self.at = content, 0

    def number(self, kind):
        [value] = struct.unpack_from(f">{kind}", self.content, self.at)
        self.at += struct.calcsize(f">{kind}")
        return value

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.number("B")
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def skip(self, kinds):
        """Fields by letters: those of struct, s for a string, and the tagged fields that end an object, _."""
        for kind in kinds:
            if kind == "s":
                size = max(0, self.varint() - 1)
                self.at += size
            elif kind == "_":
                for _ in range(self.varint()):
                    self.varint()
                    size = self.varint()
                    self.at += size
            else:
                self.number(kind)

    def array(self, element):
        return [element() for _ in range(max(0, self.varint() - 1))]


def create_topics(content):
    """Of CreateTopics 7, a code a topic."""
    answer = Answer(content)

    def topic():
        answer.skip("sqq")
        code = answer.number("h")
        answer.skip("sih")
        answer.array(lambda: answer.skip("ss?b?_"))
        answer.skip("_")
        return code

    answer.skip("i")
    return answer.array(topic)


def metadata(content):
    """Of Metadata 12, those of a topic and its partitions as one list a topic."""
    answer = Answer(content)

    def partition():
        code = answer.number("h")
        answer.skip("iii")
        for _ in range(3):
            answer.array(lambda: answer.skip("i"))
        answer.skip("_")
        return code

    def topic():
        code = answer.number("h")
        answer.skip("sqq?")
        codes = [code, *answer.array(partition)]
        answer.skip("i_")
        return codes

    answer.skip("i")
    answer.array(lambda: answer.skip("isis_"))
    answer.skip("si")
    return answer.array(topic)


def describe_configs(content):
    """Of DescribeConfigs 4, a code a topic."""
    answer = Answer(content)

    def config():
        answer.skip("ss?b?")
        answer.array(lambda: answer.skip("ssb_"))
        answer.skip("bs_")

    def topic():
        code = answer.number("h")
        answer.skip("sbs")
        answer.array(config)
        answer.skip("_")
        return code

    answer.skip("i")
    return answer.array(topic)

#!/usr/bin/env python3
"""Small requests at a fixed rate, as a process of its own: how long a server takes for what no disk is needed for.

Four kinds, each on a few connections that have a schedule of their own: metadata of all topics, a consumer's list
offsets, an administrator's describe configs, and fetches of what is cached. A connection has one request under way;
latency counts from when a request was due, so that one that waits for its predecessor counts in full. Prints JSON:
{"samples": {KIND: [[when it was due, Unix seconds; milliseconds], ...]}, "errors": {KIND: count}}.
"""

import argparse
import heapq
import json
import random
import select
import socket
import struct
import sys
import time

FETCH, LIST_OFFSETS, METADATA, DESCRIBE_CONFIGS = 1, 2, 3, 32
TOPIC_RESOURCE = 2
LATEST = -1
FETCH_BYTES = 64 << 10
# After the end of the schedule, for what a stalled server still owes.
DRAIN_SECONDS_MAX = 60
RECEIVE_BYTES = 1 << 20


def string(text):
    return struct.pack(">h", len(text)) + text.encode()


def frame(key, version, body):
    head = struct.pack(">hhi", key, version, 0) + string("probe")
    return struct.pack(">i", len(head) + len(body)) + head + body


class Metadata:
    """Of all topics."""
    def __init__(self, topic, end_offset):
        self.bytes = frame(METADATA, 1, struct.pack(">i", -1))

    def request(self):
        return self.bytes

    def error(self, body):
        return 0 if len(body) > 16 else -1


class ListOffsets:
    def __init__(self, topic, end_offset):
        self.at = 4 + 2 + len(topic) + 4 + 4
        self.bytes = frame(LIST_OFFSETS, 1, struct.pack(">ii", -1, 1) + string(topic) + struct.pack(">iiq", 1, 0, LATEST))

    def request(self):
        return self.bytes

    def error(self, body):
        return struct.unpack_from(">h", body, self.at)[0]


class DescribeConfigs:
    def __init__(self, topic, end_offset):
        self.bytes = frame(DESCRIBE_CONFIGS, 1, struct.pack(">ib", 1, TOPIC_RESOURCE) + string(topic) + struct.pack(">ib", -1, 0))

    def request(self):
        return self.bytes

    def error(self, body):
        return struct.unpack_from(">h", body, 8)[0]


class Fetch:
    """64 KiB at any offset of a topic with one partition; the server must hold them in memory."""
    def __init__(self, topic, end_offset):
        self.topic, self.end_offset = topic, end_offset
        self.at = 4 + 4 + 2 + len(topic) + 4 + 4
        self.choice = random.Random(1)

    def request(self):
        offset = self.choice.randrange(max(1, self.end_offset - 128))
        return frame(FETCH, 4, struct.pack(">iiiibi", -1, 100, 1, FETCH_BYTES, 0, 1) + string(self.topic) +
                     struct.pack(">iiqi", 1, 0, offset, FETCH_BYTES))

    def error(self, body):
        return struct.unpack_from(">h", body, self.at)[0]


KINDS = {"fetch": Fetch, "metadata": Metadata, "list-offsets": ListOffsets, "describe-configs": DescribeConfigs}


class Connection:
    def __init__(self, address, kind, maker, first_due, interval):
        self.socket = socket.create_connection(address, timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.kind, self.maker, self.due, self.interval = kind, maker, first_due, interval
        self.received = bytearray()
        self.is_busy = False

    def send(self):
        self.socket.sendall(self.maker.request())
        self.is_busy = True

    def answer(self):
        """The body of the answer, once it is whole."""
        part = self.socket.recv(RECEIVE_BYTES)
        if not part:
            raise ConnectionError(f"{self.kind}: the server closed the connection")
        self.received += part
        if len(self.received) < 4:
            return None
        size, = struct.unpack_from(">i", self.received)
        if len(self.received) < 4 + size:
            return None
        body = bytes(self.received[8:4 + size])
        del self.received[:4 + size]
        self.is_busy = False
        return body


def run(options):
    host, _, port = options.brokers.rpartition(":")
    connections = []
    start = time.monotonic() + 0.2
    interval = options.connections / options.rate
    # A server that deals connections out in turn gives each of its threads some of each kind, whatever their number.
    order = [(number, place) for number in range(options.connections) for place in range(len(KINDS))]
    random.Random(2).shuffle(order)
    for number, place in order:
        kind, maker = list(KINDS.items())[place]
        # Neither all kinds nor all connections at once.
        share = (number + place / len(KINDS)) / options.connections
        connections.append(Connection((host, int(port)), kind, maker(options.topic, options.end_offset),
                                      start + interval * share, interval))
    return Schedule(connections, start + options.seconds).run()


class Schedule:
    def __init__(self, connections, end):
        self.end = end
        self.by_descriptor = {connection.socket.fileno(): connection for connection in connections}
        # Those that have nothing under way, by when their next request is due.
        self.idle = [(connection.due, descriptor) for descriptor, connection in self.by_descriptor.items()]
        heapq.heapify(self.idle)
        self.samples = {kind: [] for kind in KINDS}
        self.errors = {kind: 0 for kind in KINDS}

    def run(self):
        wall = time.time() - time.monotonic()
        poll = select.epoll()
        for descriptor in self.by_descriptor:
            poll.register(descriptor, select.EPOLLIN)
        while True:
            self.send_due()
            now = time.monotonic()
            is_done = not self.idle and not any(one.is_busy for one in self.by_descriptor.values())
            if is_done or now > self.end + DRAIN_SECONDS_MAX:
                break
            wait = min(0.1, max(0.0, self.idle[0][0] - now)) if self.idle else 0.1
            for descriptor, _ in poll.poll(wait):
                self.receive(self.by_descriptor[descriptor], wall)
        unanswered = sum(connection.is_busy for connection in self.by_descriptor.values())
        return {"samples": self.samples, "errors": self.errors, "unanswered": unanswered}

    def send_due(self):
        now = time.monotonic()
        while self.idle and self.idle[0][0] <= now:
            _, descriptor = heapq.heappop(self.idle)
            connection = self.by_descriptor[descriptor]
            if connection.due < self.end:
                connection.send()

    def receive(self, connection, wall):
        body = connection.answer()
        if body is None:
            return
        self.samples[connection.kind].append([round(connection.due + wall, 4),
                                              round((time.monotonic() - connection.due) * 1e3, 3)])
        if connection.maker.error(body) != 0:
            self.errors[connection.kind] += 1
        connection.due += connection.interval
        heapq.heappush(self.idle, (connection.due, connection.socket.fileno()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brokers", required=True, metavar="HOST:PORT")
    parser.add_argument("--topic", required=True, help="one partition, cached")
    parser.add_argument("--end-offset", type=int, required=True, help="of that topic")
    parser.add_argument("--connections", type=int, default=4, help="of each kind")
    parser.add_argument("--rate", type=float, default=200, help="requests a second of each kind")
    parser.add_argument("--seconds", type=float, default=10)
    json.dump(run(parser.parse_args()), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())

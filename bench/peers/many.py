#!/usr/bin/env python3
"""Many topics and partitions: `./dev peers many` (bench/peers/README.md).

  create      1,000 topics of one partition by one CreateTopics request, from its first byte to its answer
  memory      resident bytes of the server with all topics, after nobody asked it anything for a while
  metadata    Metadata for all topics, from the request's first byte to the answer's last
  configs     DescribeConfigs for all topics, in requests of 1,000
  start       after a clean stop, from the fork of the process to its first acknowledged record

  ./dev peers many                          all of it, Kafka and Sillok, over 10,000 partitions
  ./dev peers many --quick                  short: only to see that it runs
"""

import os
import socket
import struct
import sys
import time

import errors_of
import machine
import servers
from experiment import Experiment, finish_options, median, parser_for, ratio, run, shown, table
from machine import say

PEERS = ["kafka", "sillok"]
CASES = ["create", "memory", "metadata", "configs", "start"]
UNITS = {"create": "s", "memory": "MB", "metadata": "ms", "configs": "ms", "start": "s"}
CREATE_TOPICS, METADATA, DESCRIBE_CONFIGS = (19, 7), (3, 12), (32, 4)
TOPIC_RESOURCE = 2
TOPICS_A_REQUEST = 1000
PARTITIONS_A_REQUEST = 5000  # Kafka refuses 10,000
SETTLE_SECONDS = 5
TIMEOUT_SECONDS = 600


def varint(number):
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(digits) + bytes([number])


def text(value):
    return varint(len(value) + 1) + value.encode()


def array(elements):
    return varint(len(elements) + 1) + b"".join(elements)


def create_topics(names, partitions):
    topics = [text(name) + struct.pack(">ih", partitions, 1) + array([]) + array([]) + b"\0" for name in names]
    return array(topics) + struct.pack(">i?", 1000 * TIMEOUT_SECONDS, False) + b"\0"


def metadata():
    return varint(0) + struct.pack(">??", False, False) + b"\0"  # no list of topics: all


def describe_configs(names):
    resources = [struct.pack(">b", TOPIC_RESOURCE) + text(name) + varint(0) + b"\0" for name in names]
    return array(resources) + struct.pack(">??", False, False) + b"\0"


def ask(server, api, body):
    """Seconds from the request's first byte to the answer's last, and the answer behind its header."""
    host, port = server.address.split(":")
    with socket.create_connection((host, int(port)), TIMEOUT_SECONDS) as connection:
        header = struct.pack(">hhi", *api, 7) + struct.pack(">h", 4) + b"many" + b"\0"
        request = header + body
        began = time.monotonic()
        connection.sendall(struct.pack(">i", len(request)) + request)
        size = struct.unpack(">i", receive(connection, 4))[0]
        answer = receive(connection, size)
        return time.monotonic() - began, answer[5:]


def receive(connection, size):
    parts = bytearray(size)
    view, got = memoryview(parts), 0
    while got < size:
        count = connection.recv_into(view[got:])
        if count == 0:
            raise machine.Failed("the server closed the connection")
        got += count
    return bytes(parts)


def check(what, codes, count):
    wrong = sorted({code for code in codes if code != 0})
    if wrong or len(codes) < count:
        raise machine.Failed(f"{what}: {len(codes)} answers of {count}, with the errors {wrong}")


def create(server, names, partitions):
    """Makes the topics in as few requests as may be; the seconds of each."""
    seconds = []
    step = min(TOPICS_A_REQUEST, PARTITIONS_A_REQUEST // partitions)
    for first in range(0, len(names), step):
        spent, answer = ask(server, CREATE_TOPICS, create_topics(names[first:first + step], partitions))
        check("CreateTopics", errors_of.create_topics(answer), len(names[first:first + step]))
        seconds.append(spent)
    return seconds


def check_metadata(answer, partition_count):
    topics = errors_of.metadata(answer)  # one more than ours: what the start was measured with
    check("Metadata", [code for codes in topics for code in codes], len(topics) + partition_count)


def wait_until_known(server, partition_count):
    """Kafka answers CreateTopics before its own Metadata names the topics."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        topics = errors_of.metadata(ask(server, METADATA, metadata())[1])
        if sum(map(len, topics)) >= len(topics) + partition_count:
            return
        if time.monotonic() > deadline:
            raise machine.Failed(f"Metadata does not name all of {partition_count} partitions")
        time.sleep(0.2)


def measure(experiment, options, folder, peer, number):
    server = servers.PROCESSES[peer](peer, options, os.path.join(folder, f"{peer}-{number}"))
    note = lambda case, value, **more: experiment.note("many", {"peer": peer, "round": number, "case": case, "value": value, **more})
    try:
        server.start()
        os.sync()
        first = [f"created-{i:05}" for i in range(min(options.topics, TOPICS_A_REQUEST))]
        note("create", create(server, first, 1)[0])
        names = [f"many-{i:05}" for i in range(options.topics)]
        create(server, names, options.partitions // options.topics)
        partition_count = len(first) + len(names) * (options.partitions // options.topics)
        wait_until_known(server, partition_count)
        for _ in range(3):  # what the server has compiled by then counts
            ask(server, METADATA, metadata())
        time.sleep(SETTLE_SECONDS)
        note("memory", server.resident_bytes() / 1e6)
        spent, answer = ask(server, METADATA, metadata())
        check_metadata(answer, partition_count)
        note("metadata", spent * 1e3, bytes=len(answer))
        spent = 0
        for at in range(0, len(names), TOPICS_A_REQUEST):
            asked = names[at:at + TOPICS_A_REQUEST]
            took, answer = ask(server, DESCRIBE_CONFIGS, describe_configs(asked))
            check("DescribeConfigs", errors_of.describe_configs(answer), len(asked))
            spent += took
        note("configs", spent * 1e3)
        if peer == "sillok":
            server.stop()
            note("start", server.start_measured("again"))
    finally:
        # Its folder stays until the end: for minutes ext4 looks at every file that was removed before it makes
        # a new one, and whoever comes next would pay for that.
        server.kill()


def conclude(figures):
    options, entries = figures["options"], figures["many"]
    print(f"\n{options['topics']:,} topics, {options['partitions']:,} partitions: medians of {options['rounds']}\n")
    rows = []
    for case in CASES:
        values = {peer: median(entry["value"] for entry in entries if (entry["peer"], entry["case"]) == (peer, case)) for peer in PEERS}
        value = ratio(values["sillok"], values["kafka"])
        rows.append([f"{case}, {UNITS[case]}", *(shown(values[peer], 3) for peer in PEERS), "" if value is None else f"{value:.3f}x"])
    table(["case", *PEERS, "Sillok over Kafka"], rows)


def parse():
    parser = parser_for("many", __doc__)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--topics", type=int, default=None, help="default 1,000")
    parser.add_argument("--partitions", type=int, default=None, help="of all topics (default 10,000)")
    parser.add_argument("--rounds", type=int, default=None, help="default 3")
    parser.add_argument("--server-core", type=int, default=0)
    options = parser.parse_args()
    options.peers = options.peers.split(",")
    options.topics = options.topics or (100 if options.quick else 1000)
    options.partitions = options.partitions or (1000 if options.quick else 10_000)
    options.rounds = options.rounds or (1 if options.quick else 3)
    return finish_options(options, "many")


def main():
    options = parse()
    experiment = Experiment(options, ["many"])
    options.peers = experiment.installed(options.peers)

    def measure_all(folder):
        for number in range(options.rounds):
            for peer in options.peers if number % 2 == 0 else options.peers[::-1]:
                say(f"round {number + 1}, {peer}")
                experiment.attempt(f"{peer}, round {number + 1}",
                                   lambda: measure(experiment, options, folder, peer, number))

    return run("many", options, experiment, measure_all, lambda: conclude(experiment.figures))


if __name__ == "__main__":
    sys.exit(main())

"""sillok_load against sillok_floor: what the load reports is what the files of the floor hold."""

import json
import os
import signal
import struct
import subprocess
import time

import harness
from harness import Failure, check, check_equal
from sillok_server import free_port

BIN = os.environ.get("SILLOK_BIN_DIR", os.path.join(harness.HERE, "../../build/release/bin"))
LATENCIES = ["p50_us", "p90_us", "p99_us", "p999_us", "max_us"]
JOURNAL_MB = 4


def crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC_TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


class Floor:
    def __init__(self, folder, flush):
        self.data = os.path.join(folder, f"floor-{flush}-{time.monotonic_ns()}")
        os.mkdir(self.data)
        self.address = f"127.0.0.1:{free_port()}"
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", os.path.join(BIN, "sillok_floor"), "--listen", self.address, "--dir",
             self.data, "--flush", flush, "--journal-mb", str(JOURNAL_MB)], stdout=subprocess.PIPE)
        first = self.process.stdout.readline()
        check(first.startswith(b"ready"), f"the floor said {first!r}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        check_equal(self.process.wait(30), 0, "exit code after SIGTERM")

    def start_load(self, mode, *words, **pipes):
        command = [os.path.join(BIN, "sillok_load"), mode, "--brokers", self.address, *map(str, words)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, **pipes)

    def load(self, mode, *words):
        return answer_of(self.start_load(mode, *words))


def answer_of(process):
    out, _ = process.communicate(timeout=120)
    check_equal(process.returncode, 0, f"exit code of {process.args}")
    return json.loads(out)


def walk(path):
    """The records of a partition's file; fails at a batch that is not whole, not right or not in its place."""
    with open(path, "rb") as file:
        data = file.read()
    at = next_offset = 0
    while at < len(data):
        base, length, epoch, magic, crc, _, last_delta = struct.unpack_from(">qiibIhi", data, at)
        check_equal((base, epoch, magic), (next_offset, 0, 2), f"{path} at {at}: offset, epoch, magic")
        end = at + 12 + length
        check(end <= len(data), f"{path} at {at}: a torn batch")
        check_equal(crc32c(data[at + 21:end]), crc, f"{path} at {at}: CRC")
        next_offset = base + last_delta + 1
        at = end
    return next_offset


def test_flush_mode(folder, flush):
    """floor: what was acknowledged stands in the files, batch by batch, whatever is flushed."""
    with Floor(folder, flush) as floor:
        words = ["--topic", "three", "--partitions", 3]
        produced = floor.load("produce", *words, "--acks", -1, "--connections", 4, "--records", 10, "--requests", 300,
                              "--in-flight", 7)
        check(300 <= produced["requests"] < 330, f"requests: {produced}")
        check_equal(produced["records"], 10 * produced["requests"], "records produced")
        read = floor.load("fetch", *words, "--once", "--connections", 2, "--max-bytes", 20000)
        check_equal(read["records"], produced["records"], "records read once")
        end_to_end = floor.load("e2e", "--topic", "single", "--acks", -1, "--rate", 500, "--requests", 100)
        check_equal(end_to_end["records"], 100, "records end to end")
        for name in LATENCIES:
            check(end_to_end[name] > 0 and end_to_end[f"ack_{name}"] > 0, f"{name}: {end_to_end}")
        floor.stop()
        files = [f"{floor.data}/three-{i}.log" for i in range(3)]
        check_equal(sum(map(walk, files)), produced["records"], "records in the files")
        check_equal(sum(map(os.path.getsize, files)), read["bytes"], "bytes in the files")
        check_equal(walk(f"{floor.data}/single-0.log"), 100, "records in the files")
        if flush == "journal":
            check_equal(os.path.getsize(f"{floor.data}/journal"), JOURNAL_MB << 20, "size of the journal")


def test_many(floor):
    """load: more partitions and connections than fit one event array, each of them used."""
    words = ["--topic", "many", "--partitions", 2000]
    produced = floor.load("produce", *words, "--connections", 1000, "--in-flight", 2, "--requests", 6000)
    read = floor.load("fetch", *words, "--connections", 300, "--once")
    check_equal(read["records"], produced["records"], "records")
    check(all(os.path.getsize(f"{floor.data}/many-{i}.log") > 0 for i in range(2000)), "a partition was left out")


def test_open_loop(floor):
    """load: at a fixed rate, a server that stands still for a second shows in all that was due meanwhile."""
    floor.load("produce", "--topic", "paced", "--requests", 1)
    process = floor.start_load("produce", "--topic", "paced", "--rate", 1000, "--seconds", 3, "--timeline-ms", 100,
                               "--connections", 3)
    time.sleep(1)
    floor.process.send_signal(signal.SIGSTOP)
    time.sleep(1)
    floor.process.send_signal(signal.SIGCONT)
    answer = answer_of(process)
    check(abs(answer["requests"] + answer["missed"] - 3000) <= 1 and answer["missed"] <= 10, f"due: {answer}")
    check(answer["max_us"] > 900e3, f"the longest: {answer['max_us']}")
    check(answer["p90_us"] > 500e3, f"a sixth waited for half a second: p90 {answer['p90_us']}")
    points = answer["timeline"]
    check_equal(sum(point["count"] for point in points), answer["requests"], "answers in the timeline")
    check_equal([point["t_s"] for point in points][:3], [0, 0.1, 0.2], "intervals")
    check(sum(point["count"] == 0 for point in points) >= 8, f"no gap of a second: {points}")
    check(max(point["max_ms"] for point in points) > 900, f"no stall: {points}")


def test_tail(floor):
    """load: a fetch from the end has each stamped batch, and when it was sent."""
    floor.load("produce", "--topic", "tail", "--partitions", 2, "--requests", 50)
    process = floor.start_load("fetch", "--topic", "tail", "--partitions", 2, "--connections", 2, "--from", "end",
                               "--seconds", 3, "--timeline-ms", 1000)
    time.sleep(1)
    sent = floor.load("produce", "--topic", "tail", "--partitions", 2, "--stamp", "--rate", 200, "--seconds", 1,
                      "--records", 3)
    seen = answer_of(process)
    check_equal(seen["records"], sent["records"], "records after the end")
    check_equal(sum(point["count"] for point in seen["timeline"]), sent["requests"], "batches with a stamp")
    check(0 < seen["p50_us"] < 1e6, f"latency: {seen}")
    walk(f"{floor.data}/tail-0.log")


def test_offset(floor):
    """load: a fetch from an offset reads once from there to the end."""
    floor.load("produce", "--topic", "part", "--requests", 20, "--connections", 1, "--in-flight", 1)
    check_equal(floor.load("fetch", "--topic", "part", "--from", 15, "--once")["records"], 5, "records from 15 on")


def test_idle(floor):
    """load: idle connections are all open until the input ends."""
    process = floor.start_load("idle", "--connections", 300, "--seconds", 60, stdin=subprocess.PIPE)
    check_equal(json.loads(process.stdout.readline())["connections"], 300, "connections that were opened")
    check_equal(answer_of(process)["connections"], 300, "connections at the end")


def test_metadata(floor):
    """load: metadata of one topic, or of all."""
    floor.load("produce", "--topic", "small", "--requests", 1)
    one = floor.load("metadata", "--topic", "small", "--requests", 50, "--connections", 3)
    every = floor.load("metadata", "--all-topics", "--rate", 100, "--seconds", 0.5)
    check(50 <= one["requests"] < 53 and 49 <= every["requests"] + every["missed"] <= 51, f"{one}, {every}")
    check(every["bytes"] / every["requests"] > one["bytes"] / one["requests"], "more topics, a larger answer")
    check(0 < one["p50_us"] <= one["max_us"], f"latencies: {one}")


def test(folder):
    if not os.access(os.path.join(BIN, "sillok_floor"), os.X_OK):
        raise Failure(f"sillok_floor is not in {BIN}")
    for flush in ["none", "direct", "journal"]:
        harness.say(f"flush {flush}")
        test_flush_mode(folder, flush)
    with Floor(folder, "none") as floor:
        for part in [test_many, test_open_loop, test_tail, test_offset, test_idle, test_metadata]:
            harness.say(part.__doc__)
            part(floor)


harness.main(test)

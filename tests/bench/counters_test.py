"""How many system calls and heap allocations a request costs sillokd in steady state: upper bounds, in the table CASES.

Each load runs on a server that has seen it before, with few requests and with many, and the difference is what those
between cost: connecting, looking for the topic and leaving are in both. Nothing here depends on how fast a machine is;
but a write that took long sends the next ones to another thread, so a case counts by the best of ATTEMPTS.

SILLOK_ALLOCATION_STACKS=1 prints who allocates, for a build with symbols. SILLOK_COUNTERS=NAME runs the cases whose
names contain NAME. Every case prints what it found.
"""

import collections
import dataclasses
import json
import mmap
import os
import re
import struct

import harness
import sillok_server
from harness import Failure, check

BIN = os.environ.get("SILLOK_BIN_DIR", os.path.join(harness.HERE, "../../build/release/bin"))
LIBRARY = os.environ.get("SILLOK_ALLOCATIONS_LIBRARY", os.path.join(BIN, "../tests/bench/libcount_allocations.so"))
NEVER_MS = 9223372036854775807
# One reactor: which one a connection gets, and whether two meet at a lock, is chance.
DEFAULTS = {"num.network.threads": 1}
CACHED = {**DEFAULTS, "log.flush.interval.ms": NEVER_MS, "write.caching": "true"}

ATTEMPTS = 10
FEW_REQUESTS = 20
# What a bound of the table may be exceeded by, for timers and what grows with the log: of a call, of all calls that
# have no bound, of allocations.
CALL_SLACK = 0.05
OTHER_CALLS_MAX = 0.15
ALLOCATION_SLACK = 0.01

ONE_RECORD = ("--records", 1, "--record-bytes", 100)
RECORDS_150 = ("--records", 150, "--record-bytes", 100)
MEGABYTE = ("--records", 1000, "--record-bytes", 1024)
ALL = ("--acks", -1)
ONE_AT_A_TIME = ("--connections", 1, "--in-flight", 1)
PIPELINED = ("--connections", 4, "--in-flight", 5)


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    settings: dict
    mode: str
    words: tuple
    requests: int
    allocations: float  # upper bounds, per request; what is above 0 is of queues that still grow
    calls: dict


def calls(receive=0, wait=0, send=0, **more):
    """What each round of a connection costs, and what else there is."""
    return {"recvfrom": receive, "epoll_wait": wait, "epoll_ctl": wait, "sendmsg": send, **more}


CASES = [
    Case("one record, one at a time", CACHED, "produce", (*ONE_RECORD, *ONE_AT_A_TIME), 1000,
         0, calls(1, 1, 1, pwritev=1)),
    # Five requests arrive together, are written together, and are answered together.
    Case("one record, pipelined", CACHED, "produce", (*ONE_RECORD, *PIPELINED), 4000,
         0, calls(0.2, 0.2, 0.2, pwritev=0.2)),
    Case("150 records, one at a time", CACHED, "produce", (*RECORDS_150, *ONE_AT_A_TIME), 1000,
         0, calls(1, 1, 1, pwritev=1)),
    Case("150 records, pipelined", CACHED, "produce", (*RECORDS_150, *PIPELINED), 2000,
         0, calls(0.4, 0.4, 0.4, pwritev=0.4)),
    # The first piece goes into the reactor's buffer, the rest to where it stays.
    Case("1 MB, one at a time", CACHED, "produce", (*MEGABYTE, *ONE_AT_A_TIME), 60,
         0.05, calls(2, 2, 1, pwritev=1)),
    Case("1 MB, pipelined", CACHED, "produce", (*MEGABYTE, *PIPELINED), 60,
         0.05, calls(2, 2, 1, pwritev=1)),
    Case("fetch of 1 MiB", CACHED, "fetch", ("--max-bytes", 1 << 20), 300,
         0.02, calls(1, 1, 2, preadv2=3, cachestat=2, sendfile=2)),
    Case("fetch of 64 KiB", CACHED, "fetch", ("--max-bytes", 64 << 10), 1000,
         0.02, calls(1, 1, 2, preadv2=1.1, cachestat=1, sendfile=1, setsockopt=2)),
    # One produce and one fetch.
    Case("a record that a fetch waits for", CACHED, "e2e", ("--rate", 500), 300,
         0.05, {**calls(2, 2, 2, pwritev=1, preadv2=1), "epoll_wait": 4.5}),
    Case("acks=all, one record, one at a time", DEFAULTS, "produce", (*ALL, *ONE_RECORD, *ONE_AT_A_TIME), 300,
         0.05, {**calls(1, 2, 1, pwritev=2, pread64=1, fdatasync=1, futex=7), "epoll_wait": 3.5}),
    Case("acks=all, one record, pipelined", DEFAULTS, "produce", (*ALL, *ONE_RECORD, *PIPELINED), 2000,
         0.05, calls(0.5, 1, 0.6, pwritev=1, pread64=0.5, fdatasync=0.5, futex=1.5)),
    Case("acks=all, 150 records, pipelined", DEFAULTS, "produce", (*ALL, *RECORDS_150, *PIPELINED), 1000,
         0.05, calls(0.5, 1, 0.6, pwritev=1, pread64=0.5, fdatasync=0.5, futex=1.5)),
]


class Traced(sillok_server.Sillok):
    """A sillokd under strace. counts(): how often each system call was made so far, by (thread, name)."""

    CALL = re.compile(rb"^(\d+) +(\w+)\(")
    # What an older strace does not know, and what other processors have instead.
    NAMES = {"syscall_0x1c3": "cachestat", "epoll_pwait": "epoll_wait"}

    def __init__(self, folder, settings):
        self.trace = os.path.join(folder, "trace")
        strace = [harness.tool("strace"), "-f", "-qq", "-o", self.trace, "-e", "signal=none", "-e", "raw=all"]
        super().__init__(folder, settings, strace)
        self.read_up_to = 0
        self.seen = collections.Counter()

    def pid(self):
        return self._broker_id()

    def counts(self):
        with open(self.trace, "rb") as file:
            file.seek(self.read_up_to)
            text = file.read()
        whole = text[:text.rfind(b"\n") + 1]
        self.read_up_to += len(whole)
        for line in whole.splitlines():
            match = self.CALL.match(line)
            if match:
                name = match[2].decode()
                self.seen[(int(match[1]), self.NAMES.get(name, name))] += 1
        return self.seen.copy()

    def thread_name(self, thread):
        try:
            with open(f"/proc/{self.pid()}/task/{thread}/comm") as file:
                return file.read().strip()
        except FileNotFoundError:
            return "ended"


class Counted(sillok_server.Sillok):
    """A sillokd with count_allocations.cc in it. counts(): allocations and bytes so far, and by whom."""

    HEAD = struct.Struct("QQQ")
    STACK = struct.Struct("32Q")

    def __init__(self, folder, settings):
        super().__init__(folder, settings, ())
        self.file = os.path.join(folder, "allocations")

    def command(self):
        return ["env", f"LD_PRELOAD={LIBRARY}", f"SILLOK_ALLOCATIONS={self.file}", *super().command()]

    def pid(self):
        return self.process.pid

    def counts(self):
        found = collections.Counter()
        with open(self.file, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            found["allocations"], found["bytes"], stacks = self.HEAD.unpack_from(view, 0)
            check(found["allocations"] > 0, "no allocation was counted")
            for i in range(stacks):
                count, _, depth, *frames = self.STACK.unpack_from(view, self.HEAD.size + i * self.STACK.size)
                found[tuple(frames[:depth])] = count
        return found

    def describe(self, frames):
        """The library's function that allocates, and the innermost functions of ours on the way to it."""
        with open(f"/proc/{self.pid()}/maps") as file:
            maps = [line.split() for line in file if line.endswith("/sillokd\n")]
        positions = []
        for frame in frames:
            for span, _, offset, *_ in maps:
                begin, end = (int(part, 16) for part in span.split("-"))
                if begin <= frame - 1 < end:
                    positions.append(hex(frame - 1 - begin + int(offset, 16)))
        # Addresses in the file are offsets in it: so our linkers lay a program out.
        out = harness.run(["addr2line", "-Cfi", "-e", maps[0][-1], *positions]).stdout.decode().splitlines()
        names, last = [], "?"
        for name, place in zip(out[0::2], out[1::2]):
            if "/usr/" in place:
                last = name if not names else last
            else:
                names.append(f"{name.split('(')[0]} ({place.split(' ')[0].split('/main/')[-1]})")
        return " < ".join([last.split("(")[0][:60], *names[:5]])


def load(server, mode, *words):
    command = [os.path.join(BIN, "sillok_load"), mode, "--brokers", server.address, *map(str, words)]
    return json.loads(harness.run(command, timeout=120).stdout)


def sockets(server):
    """A closed connection is the last thing that a load leaves to its server."""
    folder, count = f"/proc/{server.pid()}/fd", 0
    for name in os.listdir(folder):
        try:
            count += os.readlink(os.path.join(folder, name)).startswith("socket:")
        except FileNotFoundError:
            pass
    return count


def per_request(server, idle, case, number):
    """What a request of the case costs: the counts of a server, divided."""
    topic = "read" if case.mode == "fetch" else f"topic-{number}"
    words = (case.mode, "--topic", topic, "--seconds", 60, *case.words)
    taken = []
    for requests in (FEW_REQUESTS, case.requests):
        before = server.counts()
        answer = load(server, *words, "--requests", requests)
        harness.eventually(lambda: sockets(server) == idle, "the connections of the load are closed")
        counts = server.counts()
        counts.subtract(before)
        taken.append((counts, answer["requests" if "requests" in answer else "records"]))
    (small, few), (large, many) = taken
    check(many > few > 0, f"{case.name}: {few} and {many} requests")
    large.subtract(small)
    return {what: count / (many - few) for what, count in large.items()}


def shown(values):
    return ", ".join(f"{name} {value:.2f}" for name, value in sorted(values.items(), key=lambda item: -item[1])
                     if abs(value) >= 0.005)


def judge_calls(server, case, found):
    by_name, by_thread = collections.Counter(), collections.defaultdict(dict)
    for (thread, name), count in found.items():
        by_name[name] += count
        by_thread[thread][name] = count
    harness.say(f"{case.name}: {shown(by_name)}")
    for thread, counts in by_thread.items():
        if shown(counts):
            print(f"    {server.thread_name(thread)}: {shown(counts)}")
    check(by_name["recvfrom"] > 0, f"no system calls of {case.name} were seen")
    wrong = [f"{name} {by_name[name]:.2f}, at most {most}" for name, most in case.calls.items()
             if by_name[name] > most + CALL_SLACK]
    others = {name: count for name, count in by_name.items() if name not in case.calls and count > 0}
    if sum(others.values()) > OTHER_CALLS_MAX:
        wrong.append(f"others: {shown(others)}, at most {OTHER_CALLS_MAX} in all")
    return f"system calls of {case.name}: {'; '.join(wrong)}" if wrong else ""


def judge_allocations(server, case, found):
    count, size = found.pop("allocations"), found.pop("bytes")
    harness.say(f"{case.name}: {count:.3f} allocations, {size:.0f} bytes")
    by_description = collections.Counter()
    for frames, times in found.items():
        if times >= ALLOCATION_SLACK:
            by_description[server.describe(frames)] += times
    for description, times in by_description.most_common():
        print(f"    {times:.3f}  {description}")
    if count <= case.allocations + ALLOCATION_SLACK:
        return ""
    return f"allocations of {case.name}: {count:.3f}, at most {case.allocations}"


def run_case(server, idle, judge, case, number):
    """Empty, or what is wrong with the case at every attempt."""
    topic = "read" if case.mode == "fetch" else f"topic-{number}"
    load(server, case.mode, "--topic", topic, "--seconds", 60, *case.words, "--requests", case.requests)
    harness.eventually(lambda: sockets(server) == idle, "the connections of the load are closed")
    for _ in range(ATTEMPTS):
        wrong = judge(server, case, per_request(server, idle, case, number))
        if not wrong:
            break
    return wrong


def run_all(folder, kind, judge):
    failed = []
    for settings in (CACHED, DEFAULTS):
        cases = [(case, number) for number, case in enumerate(CASES)
                 if case.settings is settings and os.environ.get("SILLOK_COUNTERS", "") in case.name]
        if not cases:
            continue
        place = os.path.join(folder, f"{kind.__name__}-{'defaults' if settings is DEFAULTS else 'cached'}")
        os.mkdir(place)
        with kind(place, settings) as server:
            idle = sockets(server)
            check(server.counts(), "nothing was counted at the start")
            load(server, "produce", "--topic", "read", *RECORDS_150, *PIPELINED, "--requests", 2000, "--seconds", 60)
            failed += filter(None, [run_case(server, idle, judge, *case) for case in cases])
            server.stop()
    return failed


def test(folder):
    failed = run_all(folder, Counted, judge_allocations) + run_all(folder, Traced, judge_calls)
    if failed:
        raise Failure("\n".join(["", *failed]))


if __name__ == "__main__":
    harness.main(test)

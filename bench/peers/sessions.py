#!/usr/bin/env python3
"""What consumers of many partitions cost their server while nothing comes: `./dev peers sessions` (bench/peers/README.md).

  idle        each fetches with a session and a longest wait of 500 ms, and nothing is appended
  trickle     the same, and records arrive on a few of the partitions
  full        as idle, but each fetch names all partitions: what sessions are there to save
  alone       nobody is connected: what the server does by itself

  ./dev peers sessions                          all of it, Kafka and Sillok
  ./dev peers sessions --quick                  short: only to see that it runs
"""

import os
import sys
import time

import machine
import parts
import servers
from experiment import Experiment, finish_options, in_background, judged, median, parser_for, ratio, run, shown, table
from machine import say
from servers import load

PEERS = ["kafka", "sillok"]
CASES = ["idle", "trickle", "full", "alone"]
GOALS = {"idle": 0.3}
TOPIC = "many"
# The first fetches name all partitions, and are no part of what is measured.
SETTLE_SECONDS = 3
# How much longer than it is looked at a load runs.
SPARE_SECONDS = 1


def thread_seconds(pid):
    """CPU time of all threads, in nanosecond steps: /proc/PID/stat counts in ticks of 10 ms, which is more than these
    loads take. A thread that ends meanwhile takes its part along."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / 1e9


def warm_up(server, seconds):
    """With Kafka the compiler must have seen these fetches."""
    parts.warm_up(server, seconds / 2)
    consume = ["--topic", TOPIC, "--partitions", server.options.partitions]
    load(server, "produce", *consume, "--records", 1, "--acks", 1, "--seconds", 60, "--requests", 2 * server.options.partitions)
    for more in ([], ["--no-sessions"]):
        load(server, "consume", *consume, "--connections", 50, "--seconds", seconds / 4, *more)


def measure(server, case):
    """CPU seconds a second, and what a request and its answer take on the wire."""
    options = server.options
    words = ["--topic", TOPIC, "--partitions", options.partitions]
    seconds = SETTLE_SECONDS + options.seconds + SPARE_SECONDS
    running = []
    if case != "alone":
        no_sessions = ["--no-sessions"] if case == "full" else []
        running.append(in_background(server, "consume", *words, "--connections", options.consumers, "--seconds", seconds, *no_sessions))
    if case == "trickle":
        running.append(in_background(server, "produce", *words, "--records", 1, "--record-bytes", 100, "--acks", 1, "--connections", 1,
                                     "--rate", options.rate, "--seconds", seconds))
    time.sleep(SETTLE_SECONDS)
    began, before = time.monotonic(), thread_seconds(server.pid)
    time.sleep(options.seconds)
    spent, lasted = thread_seconds(server.pid) - before, time.monotonic() - began
    found = {"cpu_ms_per_s": spent / lasted * 1e3}
    answers = [load.answer(seconds + 60) for load in running]
    if answers:
        consumed = answers[0]
        if consumed["errors"] or (case != "full" and consumed["sessions"] != options.consumers):
            raise machine.Failed(f"{case}: {consumed}")
        found["consumed"] = consumed
        found["requests_per_s"] = consumed["requests"] / consumed["seconds"]
    return found


def run_rounds(experiment, options, folder):
    up = {}
    try:
        for peer in options.peers:
            say(f"{peer}: start and warm-up")
            up[peer] = servers.PROCESSES[peer](peer, options, os.path.join(folder, peer))
            up[peer].start()
            warm_up(up[peer], options.warm_up if peer == "kafka" else options.warm_up / 10)
            up[peer].pause()
        for number in range(options.rounds):
            for case in options.only:
                for peer in options.peers if number % 2 == 0 else options.peers[::-1]:
                    up[peer].resume()
                    found = measure(up[peer], case)
                    up[peer].pause()
                    say(f"  round {number + 1}, {case}, {peer}: {found['cpu_ms_per_s']:.2f} ms a second")
                    experiment.note("sessions", {"peer": peer, "case": case, "round": number, **found})
    finally:
        for server in up.values():
            server.discard()


def one_answer(entry):
    """Bytes of an incremental request and of its answer: what is left of the totals without the full first fetches."""
    consumed = entry.get("consumed")
    if not consumed:
        return ""
    return f"{consumed['request_bytes'] / consumed['requests']:,.0f} / {consumed['answer_bytes'] / consumed['requests']:,.0f}"


def conclude(figures):
    options, entries = figures["options"], figures["sessions"]
    print(f"\nCPU of the server, ms a second: {options['consumers']} consumers of {options['partitions']:,} partitions each, medians\n")
    rows = []
    for case in dict.fromkeys(entry["case"] for entry in entries):
        cpu = {peer: median(entry["cpu_ms_per_s"] for entry in entries if (entry["case"], entry["peer"]) == (case, peer)) for peer in PEERS}
        per_round = [ratio(*(next((entry["cpu_ms_per_s"] for entry in entries
                                   if (entry["case"], entry["peer"], entry["round"]) == (case, peer, number)), None)
                             for peer in PEERS[::-1])) for number in range(options["rounds"])]
        spread = [value for value in per_round if value is not None]
        value = ratio(cpu["sillok"], cpu["kafka"])
        rows.append([case, *(shown(cpu[peer]) for peer in PEERS),
                     judged(value, GOALS[case]) if case in GOALS else "" if value is None else f"{value:.2f}x",
                     f"{min(spread):.2f} to {max(spread):.2f}" if spread else "",
                     *(next((one_answer(entry) for entry in entries if (entry["case"], entry["peer"]) == (case, peer)), "") for peer in PEERS)])
    table(["case", *PEERS, "Sillok over Kafka", "of single rounds", *(f"{peer}: bytes of a request / its answer, mean" for peer in PEERS)], rows)


def parse():
    parser = parser_for("sessions", __doc__)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--consumers", type=int, default=10)
    parser.add_argument("--partitions", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=50, help="trickle: records a second")
    parser.add_argument("--seconds", type=float, default=None, help="of a measurement (default 10)")
    parser.add_argument("--rounds", type=int, default=None, help="default 5")
    parser.add_argument("--server-core", type=int, default=0)
    options = parser.parse_args()
    options.peers, options.only = options.peers.split(","), options.only.split(",")
    options.seconds = options.seconds or (2.0 if options.quick else 10.0)
    options.rounds = options.rounds or (1 if options.quick else 5)
    return finish_options(options, "sessions")


def main():
    options = parse()
    experiment = Experiment(options, ["sessions"])
    options.peers = experiment.installed(options.peers)

    def measure_all(folder):
        experiment.attempt("sessions", lambda: run_rounds(experiment, options, folder))

    return run("sessions", options, experiment, measure_all, lambda: conclude(experiment.figures))


if __name__ == "__main__":
    sys.exit(main())

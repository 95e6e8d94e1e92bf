#!/usr/bin/env python3
"""Whether live traffic notices slow storage: `./dev peers cold` (bench/peers/README.md says how it measures).

  replay  live produce and a tail consumer, without and with consumers that replay a log that does not fit the memory
  stall   a disk that takes no writes for seconds: fetch of cached data, metadata, list offsets and describe configs

  ./dev peers cold                              both parts, Sillok and Kafka
  ./dev peers cold --peers sillok --only stall
  ./dev peers cold --quick                      short: only to see that it runs
"""

import os
import shutil
import sys
import time

import curves
import machine
import servers
from confinement import MemoryGroup, StallingDisk, confine
from experiment import (BEHIND_NICE, Experiment, Running, finish_options, in_background, judged, median, parser_for, percentile,
                        ratio, run, shown, table)
from machine import GB, say
from probe import KINDS
from servers import load

CASES = {"sillok": [1, -1], "kafka": [1]}
GOAL = 1.2
TIMELINE_MS = 250
# Beside the page cache that both have: Kafka's heap, and what else a JVM needs.
KAFKA_MEMORY_GB = 1.25
# More than Kafka's handler threads, as a few producers could not hold them all.
STALL_CONNECTIONS = 10
CACHED_TOPIC, CACHED_RECORDS = "cached", 32 << 10
MANY_PARTITIONS = 100
DISK_MEGABYTES = 8 << 10
SPARE_GB = 12
WAIT_SECONDS = 60
SHARES = ["p50", "p99", "p999"]


def case_name(peer, acks):
    return f"{peer} acks={'all' if acks < 0 else acks}"


def start(server, options, group=None):
    if server.column == "sillok":
        server.settings = dict(setting.split("=", 1) for setting in options.set)
    confine(server, options.server_cores, group)
    server.start()
    warm_up(server, options.warm_up if server.column == "kafka" else options.warm_up / 10)
    return server


def warm_up(server, seconds):
    """The kinds of load that are measured; little is written, as the disk of the stall is small."""
    load(server, "produce", "--topic", "warm", "--connections", 10, "--seconds", 0.4 * seconds)
    load(server, "fetch", "--topic", "warm", "--seconds", 0.2 * seconds)
    load(server, "produce", "--topic", CACHED_TOPIC, "--records", 16, "--record-bytes", 1024, "--requests",
         CACHED_RECORDS // 16, "--connections", 1, "--seconds", 60)
    load(server, "produce", "--topic", "many", "--partitions", MANY_PARTITIONS, "--requests", MANY_PARTITIONS,
         "--connections", 1)
    load(server, "fetch", "--topic", CACHED_TOPIC, "--once", "--seconds", 60)
    probing = probe(server, 0.2 * seconds)
    produce = in_background(server, "produce", "--topic", "warm", *live_words(server.options, 1, 4, 0.2 * seconds))
    answers(probing, produce, seconds=seconds)


def probe(server, seconds):
    command = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "probe.py"), "--brokers",
               server.address, "--topic", CACHED_TOPIC, "--end-offset", CACHED_RECORDS, "--seconds", seconds]
    return Running(command, server.options, server.log)


def live_words(options, acks, connections, seconds):
    """An open loop: a server that stalls gets the requests that were due meanwhile, and their latency counts from then."""
    return ["--connections", connections, "--in-flight", 10_000 // connections, "--record-bytes", options.record_bytes,
            "--rate", options.rate, "--acks", acks, "--stamp", "--timeline-ms", TIMELINE_MS, "--seconds", seconds]


def answers(*running, seconds):
    """The answers of loads that run side by side; where one fails, none goes on."""
    try:
        return [one.answer(seconds + WAIT_SECONDS) for one in running]
    finally:
        for one in running:
            one.end()


def latencies(answer):
    return {**{share: answer[f"{share}_us"] / 1e3 for share in SHARES}, "max": answer["max_us"] / 1e3}


def read_bytes(pid):
    """What the process has had read from disks."""
    with open(f"/proc/{pid}/io") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("read_bytes:"))


def live_phase(server, topic, acks, seconds, replay_consumers):
    """Live produce and its tail, beside a replay where there are consumers for one."""
    options = server.options
    os.sync()
    time.sleep(0.5)
    before = read_bytes(server.pid)
    running = [in_background(server, "fetch", "--topic", topic, "--from", "end", "--timeline-ms", TIMELINE_MS,
                             "--seconds", seconds + 1.5)]
    if replay_consumers:
        # It begins again where it ends: the log lasts as long as the phase.
        running.append(in_background(server, "fetch", "--topic", "big", "--connections", replay_consumers, "--partitions",
                                     options.partitions, "--seconds", seconds + 1, nice=BEHIND_NICE))
    time.sleep(0.7)
    running.append(in_background(server, "produce", "--topic", topic, *live_words(options, acks, 4, seconds)))
    found = answers(*running, seconds=seconds)
    tail, produce = found[0], found[-1]
    phase = {"replay": bool(replay_consumers), "produce": latencies(produce), "tail": latencies(tail),
             "missed": produce["missed"], "errors": {**produce["errors"], **tail["errors"]},
             "records": [produce["records"], tail["records"]], "begin": produce["started_unix_s"],
             "timelines": {"produce": timeline(produce), "tail": timeline(tail)}}
    if replay_consumers:
        phase["replay_mb_per_s"] = found[1]["mb_per_s"]
        phase["replay_from_disk"] = (read_bytes(server.pid) - before) / max(1, found[1]["bytes"])
    return phase


def timeline(answer):
    """[Unix seconds, p99 in ms] of each interval that had any."""
    return [[round(answer["started_unix_s"] + point["t_s"], 3), point["p99_ms"]] for point in answer["timeline"] if point["count"]]


def fill(server, gigabytes, partitions):
    answer = load(server, "produce", "--topic", "big", "--partitions", partitions, "--connections", 4, "--records", 16,
                  "--record-bytes", 1024, "--seconds", 1200, "--requests", int(gigabytes * GB / 16384))
    say(f"  {answer['bytes'] / GB:.1f} GB written, {answer['mb_per_s']:.0f} MB/s")
    os.sync()


def run_replay(experiment, options, peer, folder):
    limit = options.memory_gb + (KAFKA_MEMORY_GB if peer == "kafka" else 0)
    with MemoryGroup(int(limit * (1 << 30))) as group:
        server = servers.PROCESSES[peer](peer, options, os.path.join(folder, f"replay-{peer}"))
        try:
            start(server, options, group)
            fill(server, options.gb, options.partitions)
            for acks in CASES[peer]:
                say(f"replay: {case_name(peer, acks)}, {limit:g} GiB for the server")
                entry = {"peer": peer, "acks": acks, "memory_gib": limit, "phases": []}
                kinds = [0, options.consumers] * options.rounds + [0]
                for number, consumers in enumerate(kinds):
                    phase = live_phase(server, f"live-{acks}", acks, options.seconds, consumers)
                    entry["phases"].append(phase)
                    say_phase(phase)
                entry["memory_used_gib"] = group.used_bytes() / (1 << 30)
                experiment.note("replay", entry)
        finally:
            server.discard()


def say_phase(phase):
    text = ", ".join(f"{kind} " + "/".join(shown(phase[kind][share]) for share in SHARES) for kind in ("produce", "tail"))
    more = f", replay {phase['replay_mb_per_s']:.0f} MB/s, {phase['replay_from_disk']:.0%} from disk" if phase["replay"] else ""
    say(f"  p50/p99/p99.9 in ms: {text}{more}")


def stall_round(server, disk, topic, acks):
    options = server.options
    before, during, after = options.seconds, options.stall_seconds, options.seconds / 2 + 2
    length = before + during + after
    os.sync()
    tail = in_background(server, "fetch", "--topic", topic, "--from", "end", "--timeline-ms", TIMELINE_MS, "--seconds", length + 1)
    time.sleep(0.5)
    probing = probe(server, length)
    produce = in_background(server, "produce", "--topic", topic, *live_words(options, acks, STALL_CONNECTIONS, length))
    began = time.time()
    try:
        time.sleep(before)
        span = disk.stall(during)
        produced, tailed, probed = answers(produce, tail, probing, seconds=length)
    finally:
        for one in (produce, tail, probing):
            one.end()
    read = load(server, "fetch", "--topic", topic, "--once", "--seconds", 60)
    # The first second is connecting, and a new topic's first records.
    groups = {"before": (began + 1, span[0]), "during": span}
    return {"span": span, "begin": began, "produce": latencies(produced), "missed": produced["missed"],
            "errors": {**produced["errors"], **tailed["errors"], **{kind: n for kind, n in probed["errors"].items() if n}},
            "unanswered": probed["unanswered"], "acknowledged": produced["records"], "read": read["records"],
            "samples": {kind: {name: [ms for due, ms in found if since <= due < until] for name, (since, until) in groups.items()}
                        for kind, found in probed["samples"].items()},
            "timelines": {"produce": timeline(produced), "tail": timeline(tailed),
                          **{kind: intervals(found) for kind, found in probed["samples"].items()}}}


def intervals(samples):
    """The same as the load tool's timeline, of when the answers came."""
    found = {}
    for due, ms in samples:
        found.setdefault(int((due + ms / 1e3) * 1e3 // TIMELINE_MS), []).append(ms)
    return [[at * TIMELINE_MS / 1e3, percentile(values, 0.99)] for at, values in sorted(found.items())]


def run_stall(experiment, options, peer, folder):
    place = os.path.join(folder, f"stall-{peer}")
    os.makedirs(place)
    with StallingDisk(place, DISK_MEGABYTES) as disk:
        server = servers.PROCESSES[peer](peer, options, os.path.join(place, "server"), os.path.join(disk.path, "data"))
        try:
            start(server, options)
            for acks in CASES[peer]:
                say(f"stall: {case_name(peer, acks)}, no writes for {options.stall_seconds:g} s")
                entry = {"peer": peer, "acks": acks, "rounds": []}
                for number in range(options.rounds):
                    found = stall_round(server, disk, f"stall-{acks}-{number}", acks)
                    entry["rounds"].append(found)
                    say_stall(found)
                    check_stall(experiment, case_name(peer, acks), found)
                experiment.note("stall", entry)
        finally:
            server.discard()


def say_stall(found):
    say(f"  produce waited {found['produce']['max'] / 1e3:.1f} s; p99 in ms before and during: " + ", ".join(
        f"{kind} " + " ".join(shown(percentile(found["samples"][kind][name], 0.99)) for name in ("before", "during")) for kind in KINDS))


def check_stall(experiment, name, found):
    if found["read"] != found["acknowledged"]:
        experiment.fail(f"stall, {name}", f"{found['acknowledged']} records acknowledged, {found['read']} read")
    if found["errors"] or found["unanswered"]:
        experiment.fail(f"stall, {name}", f"errors {found['errors']}, {found['unanswered']} unanswered")


def replay_rows(figures):
    for entry in figures["replay"]:
        quiet = [phase for phase in entry["phases"] if not phase["replay"]]
        busy = [phase for phase in entry["phases"] if phase["replay"]]
        for kind in ("produce", "tail"):
            values = [{share: median(phase[kind][share] for phase in phases) for share in SHARES} for phases in (quiet, busy)]
            yield [case_name(entry["peer"], entry["acks"]), kind,
                   *(" / ".join(shown(value[share]) for share in SHARES) for value in values),
                   judged(ratio(values[1]["p99"], values[0]["p99"]), GOAL),
                   f"{median(phase['replay_mb_per_s'] for phase in busy):,.0f} MB/s, "
                   f"{median(phase['replay_from_disk'] for phase in busy):.0%} from disk"]


def stall_rows(figures):
    for entry in figures["stall"]:
        name = case_name(entry["peer"], entry["acks"])
        yield [name, "produce", "", f"waits, {max(one['produce']['max'] for one in entry['rounds']) / 1e3:,.1f} s at most", ""]
        for kind in KINDS:
            before, during = ([ms for one in entry["rounds"] for ms in one["samples"][kind][part]] for part in ("before", "during"))
            yield [name, kind, *(" / ".join(shown(percentile(values, share)) for share in (0.5, 0.99, 0.999)) for values in (before, during)),
                   judged(ratio(percentile(during, 0.99), percentile(before, 0.99)), GOAL)]


def shifted(points, zero):
    return [(at - zero, value) for at, value in points if at >= zero - 1]


def plot_replay(figures, folder):
    """All phases of a case one after the other; the cases ran at other times, but with the same phases."""
    panels = {"produce": {}, "tail": {}}
    spans = []
    for entry in figures["replay"]:
        name, at = case_name(entry["peer"], entry["acks"]), 0.0
        seconds = figures["options"]["seconds"]
        for kind in panels:
            panels[kind][name] = []
        for phase in entry["phases"]:
            for kind, curves_of in panels.items():
                curves_of[name] += [(at + when, value) for when, value in shifted(phase["timelines"][kind], phase["begin"])
                                    if 0 <= when < seconds]
            if phase["replay"] and (at, at + seconds) not in spans:
                spans.append((at, at + seconds))
            at += seconds
    options = figures["options"]
    curves.time_panels(f"Live traffic beside {options['consumers']} consumers that replay {options['gb']:g} GB (shaded)",
                       f"p99 of each {TIMELINE_MS} ms; page cache of {options['memory_gb']:g} GiB; {options['rate']:,.0f} "
                       f"requests/s of {options['record_bytes']} B; server on core {options['server_cores']}",
                       [("produce, until the answer", panels["produce"]), ("tail consumer, since the record was due", panels["tail"])],
                       spans, os.path.join(folder, "cold-replay.svg"))


def plot_stall(figures, folder):
    """The last round of each case, with the stall at the same place."""
    panels, span = {}, None
    for entry in figures["stall"]:
        found = entry["rounds"][-1]
        # The stalls of all cases begin at the length of what is before.
        zero = found["span"][0] - figures["options"]["seconds"]
        span = (figures["options"]["seconds"], max(found["span"][1] - zero, span[1] if span else 0))
        for kind, points in found["timelines"].items():
            panels.setdefault(kind, {})[case_name(entry["peer"], entry["acks"])] = [
                point for point in shifted(points, zero) if point[0] >= 0]
    titles = {"fetch": "fetch of cached data", "metadata": "metadata of all topics", "list-offsets": "list offsets",
              "describe-configs": "describe configs", "tail": "tail consumer, since the record was due"}
    if panels:
        curves.time_panels("A disk that takes no writes and no flushes for seconds (shaded)",
                           f"p99 of each {TIMELINE_MS} ms, by when the answer came; server on core {figures['options']['server_cores']}",
                           [(titles.get(kind, kind), of_kind) for kind, of_kind in panels.items()], [span],
                           os.path.join(folder, "cold-stall.svg"))


def conclude(figures, folder):
    if figures["replay"]:
        print("\nLive traffic beside a replay of a log that does not fit the memory: ms, p50 / p99 / p99.9, medians of the phases\n")
        table(["server", "live", "without", "with the replay", "p99, ratio", "the replay"], replay_rows(figures))
        plot_replay(figures, folder)
    if figures["stall"]:
        print("\nWhile the disk takes no writes: ms, p50 / p99 / p99.9 of what was due before and during the stall\n")
        table(["server", "request", "before", "during", "p99, ratio"], stall_rows(figures))
        plot_stall(figures, folder)


def parse():
    parser = parser_for("cold", __doc__)
    parser.add_argument("--peers", default="sillok,kafka")
    parser.add_argument("--only", default="replay,stall")
    parser.add_argument("--gb", type=float, default=None, help="of the log that is replayed (default 6)")
    parser.add_argument("--memory-gb", type=float, default=None,
                        help=f"of page cache and memory (GiB, default 1); Kafka has {KAFKA_MEMORY_GB} more for its heap and JVM")
    parser.add_argument("--consumers", type=int, default=4, help="that replay")
    parser.add_argument("--partitions", type=int, default=4, help="of the log that is replayed; a consumer reads one of them")
    parser.add_argument("--rate", type=float, default=2000, help="live produce requests a second")
    parser.add_argument("--record-bytes", type=int, default=1024, help="one record a request")
    parser.add_argument("--seconds", type=float, default=None, help="of a phase (default 15)")
    parser.add_argument("--stall-seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=None, help="phases with a replay, and stalls, of each kind (default 3)")
    parser.add_argument("--server-cores", default="0", help='one core, or several: "0,1"')
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="for Sillok; repeatable")
    parser.add_argument("--ballast", type=float, default=None, metavar="GB",
                        help="the clean file in the page cache, as for ./dev peers (default 20, with --quick none)")
    options = parser.parse_args()
    options.peers, options.only = options.peers.split(","), options.only.split(",")
    for peer in options.peers:
        if peer not in CASES:
            parser.error(f"--peers {peer}: of {','.join(CASES)}")
    quick = options.quick
    options.gb = options.gb or (1.0 if quick else 6.0)
    options.memory_gb = options.memory_gb or (0.25 if quick else 1.0)
    options.seconds = options.seconds or (4.0 if quick else 15.0)
    options.rounds = options.rounds or (1 if quick else 3)
    options.server_core = int(options.server_cores.split(",")[0])
    if not any(setting.startswith("num.network.threads=") for setting in options.set):
        options.set.append("num.network.threads=2")
    return finish_options(options, "cold")


def main():
    options = parse()
    experiment = Experiment(options, ["replay", "stall"])
    options.peers = experiment.installed(options.peers)
    ballast = machine.Ballast(options.dir, 0 if options.quick and options.ballast is None else options.ballast,
                              2 * options.gb + SPARE_GB)
    actions = {"replay": run_replay, "stall": run_stall}

    def measure(folder):
        try:
            for part in [part for part in actions if part in options.only]:
                for peer in options.peers:
                    ballast.fill()
                    attempt(part, peer, folder)
        finally:
            ballast.remove()

    def attempt(part, peer, folder):
        if part == "replay" and shutil.disk_usage(folder).free < (options.gb * 1.2 + 2) * GB:
            experiment.skip(f"{part}, {peer}", "not enough room on the disk")
            return
        experiment.attempt(f"{part}, {peer}", lambda: actions[part](experiment, options, peer, folder))

    return run("cold", options, experiment, measure, lambda: conclude(experiment.figures, options.plots))


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Is it still as fast? The core workloads on Sillok and on the floor in turn, and their ratios beside the last ones of
this machine in bench/history.jsonl, to which one line is added. Some minutes; `./dev bench` builds and runs it.

A ratio to the floor in the same run says more than a figure: both suffer alike from a slow disk or a busy neighbour.
"""

import argparse
import json
import os
import shutil
import socket
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "peers"))

import machine  # noqa: E402
import parts  # noqa: E402
import report  # noqa: E402
import servers  # noqa: E402
from machine import GB, say  # noqa: E402
from workloads import FIGURE, LESS, PARTS  # noqa: E402

HISTORY = os.path.join(HERE, "history.jsonl")
# Each workload with the server that is judged, its yardstick, and the figures that are kept.
CACHED, ON_DISK = ("sillok-kafka", "floor"), ("sillok", "floor-journal")
WORKLOADS = {
    "P1": (CACHED, ["P1.cpu"]), "P2": (CACHED, ["P2.cpu"]), "P3": (CACHED, ["P3.cpu"]),
    "P4": (CACHED, ["P4.cpu", "P4.rate"]), "P5": (CACHED, ["P5.p50"]), "P7": (ON_DISK, ["P7.cpu", "P7.rate"]),
    "F1": (CACHED, ["F1.cpu", "F1.rate"]), "F3": (CACHED, ["F3.cpu", "F3.rate"]),
}
# A ratio that is worse than the last one by more than this is pointed out.
WORSE_MAX = 0.1
# The lengths in PARTS are for --seconds 8.
PARTS_SECONDS = 8
WARM_UP_SECONDS = 3
# Memory that the servers, the load and what they write may have beside the ballast.
SPARE_GB = 4


class SparseBallast(machine.Ballast):
    """A file without blocks: reading it fills the page cache with clean pages, and the disk has nothing to do."""

    def __init__(self, folder, gigabytes):
        self.path = os.path.join(folder, "ballast")
        self.gigabytes = max(0.0, machine.memory("MemTotal") / GB - SPARE_GB) if gigabytes is None else gigabytes

    def fill(self):
        if not os.path.exists(self.path):
            with open(self.path, "wb") as file:
                file.truncate(int(self.gigabytes * GB))
        super().fill()


# ---- measuring ----

def run_round(options, folder, round_number, samples):
    """Every workload on every server that it names, the order turning with each round."""
    chosen = {name: WORKLOADS[name] for name in options.only}
    up = {}
    try:
        for column in dict.fromkeys(column for columns, _ in chosen.values() for column in columns):
            up[column] = servers.PROCESSES[column](column, options, os.path.join(folder, f"{column}-{round_number}"))
            up[column].start()
            parts.warm_up(up[column], WARM_UP_SECONDS)
            up[column].pause()
        for name, (columns, keys) in chosen.items():
            for column in columns if round_number % 2 == 0 else columns[::-1]:
                options.clean_file.fill()
                up[column].resume()
                _, figures = parts.run_load(up[column], column, name, round_number)
                up[column].pause()
                say(f"{name} {column}: " + ", ".join(f"{key} {report.number(figures[key])}" for key in keys))
                samples += [{"run": "", "round": round_number, "figure": key, "column": column, "value": figures[key]}
                            for key in keys]
    finally:
        for server in up.values():
            server.discard()


def entry_of(samples, described, host, now):
    """The line for the history: medians, and the ratios of them."""
    values = report.Values({"samples": samples})
    entry = {"time": now, "commit": described["commit"], "host": host, "cpu": described["processor"],
             "cores": described["cores"], "memory_gb": described["memory_gb"], "kernel": described["kernel"],
             "ratios": {}, "figures": {}}
    for (mine, floor), keys in WORKLOADS.values():
        for key in keys:
            ratio = values.ratio(key, mine, floor)
            if ratio is None:
                continue
            entry["ratios"][key] = round(ratio[0], 4)
            entry["figures"][key] = {"unit": FIGURE[key].unit, "sillok": rounded(values.median(key, mine)),
                                     "floor": rounded(values.median(key, floor)),
                                     "ratio_spread": [round(ratio[1], 4), round(ratio[2], 4)]}
    return entry


def rounded(value):
    return float(f"{value:.4g}")


# ---- comparing ----

def read_history(path):
    """The lines of a history, the oldest first. One that an editor or a merge has spoiled is named and left out."""
    entries = []
    if not os.path.exists(path):
        return entries
    with open(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
                if not isinstance(entry["ratios"], dict) or not all(name in entry for name in ("host", "cpu", "commit")):
                    raise ValueError
                entries.append(entry)
            except (ValueError, KeyError, TypeError):
                say(f"{path}:{number} is no entry of ./dev bench; it is left out")
    return entries


def last_ratios(entries, host, cpu):
    """Of each figure its last ratio on the same machine, as (ratio, commit): a run of some workloads hides no other."""
    last = {}
    for entry in entries:
        if (entry["host"], entry["cpu"]) == (host, cpu):
            last.update({key: (ratio, entry["commit"]) for key, ratio in entry["ratios"].items()})
    return last


def change(key, ratio, before):
    """By how much of it the ratio is better (above 0) or worse than before."""
    return before / ratio - 1 if FIGURE[key].better == LESS else ratio / before - 1


def is_worse(key, ratio, before):
    """Whether by more than WORSE_MAX: a cost that grew to more than 1.1x, or a rate that fell by more than that."""
    return ratio > before * (1 + WORSE_MAX) if FIGURE[key].better == LESS else before > ratio * (1 + WORSE_MAX)


def table(entry, last):
    lines = ["| workload | unit | Sillok | the floor | ratio | spread | last ratio | |", "|---|---|---|---|---|---|---|---|"]
    for key, ratio in entry["ratios"].items():
        figure = entry["figures"][key]
        least, greatest = figure["ratio_spread"]
        before, note = "-", ""
        if key in last:
            before = f"{report.ratio_text(last[key][0])} ({last[key][1]})"
            moved = change(key, ratio, last[key][0])
            note = f"**worse**, {moved:+.0%}" if is_worse(key, ratio, last[key][0]) else f"{moved:+.0%}"
        lines.append(f"| {FIGURE[key].title} | {figure['unit']} | {report.number(figure['sillok'])} | "
                     f"{report.number(figure['floor'])} | {report.ratio_text(ratio)} | {report.ratio_text(least)} to "
                     f"{report.ratio_text(greatest)} | {before} | {note} |")
    return "\n".join(lines)


def append(path, entry):
    with open(path, "a") as file:
        file.write(json.dumps(entry) + "\n")


# ---- the program ----

def parse():
    cores = sorted(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="length of a usual load (default 4)")
    parser.add_argument("--gb", type=float, default=1, help="what P1, P2, P3 write and the fetches read (default 1)")
    parser.add_argument("--only", default=",".join(WORKLOADS), help=f"workloads, of {','.join(WORKLOADS)}")
    parser.add_argument("--ballast", type=float, default=None, metavar="GB",
                        help=f"size of the clean file in the page cache (default the memory but for {SPARE_GB} GB)")
    parser.add_argument("--no-record", action="store_true", help="print, and leave the history as it is")
    parser.add_argument("--history", default=HISTORY, metavar="FILE", help="default bench/history.jsonl")
    parser.add_argument("--server-core", type=int, default=cores[0])
    parser.add_argument("--load-core", type=int, default=cores[min(1, len(cores) - 1)])
    parser.add_argument("--dir", default=tempfile.gettempdir(), help="where data folders are made")
    parser.add_argument("--bin", default=os.path.join(machine.ROOT, "build/release/bin"), help="Sillok's programs")
    options = parser.parse_args()
    options.only = options.only.split(",")
    for name in options.only:
        if name not in WORKLOADS:
            parser.error(f"--only {name}: of {','.join(WORKLOADS)}")
    for core in (options.server_core, options.load_core):
        if core not in cores:
            parser.error(f"core {core} is not there: {cores}")
    if options.rounds < 1 or not 0 < options.seconds <= 600 or not 0 < options.gb <= 100:
        parser.error("--rounds from 1, --seconds up to 600, --gb up to 100")
    if options.server_core == options.load_core:
        say("server and load share one core: the rates will be worth little")
    options.scale = options.seconds / PARTS_SECONDS
    return options


def main():
    options = parse()
    machine.begin()
    folder = tempfile.mkdtemp(prefix="sillok-bench-", dir=options.dir)
    options.clean_file = SparseBallast(folder, options.ballast)
    samples, began = [], time.monotonic()
    try:
        for round_number in range(options.rounds):
            say(f"round {round_number + 1} of {options.rounds}")
            run_round(options, folder, round_number, samples)
    except KeyboardInterrupt:
        say("interrupted; nothing was recorded")
        return 130
    except machine.Failed as failed:
        say(f"FAILED: {failed}")
        return 1
    finally:
        machine.end_all()
        shutil.rmtree(folder, ignore_errors=True)
    say(f"{(time.monotonic() - began) / 60:.1f} minutes")
    described, host = machine.describe(), socket.gethostname()
    entry = entry_of(samples, described, host, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    last = last_ratios(read_history(options.history), host, described["processor"])
    print(f"Medians of {options.rounds} rounds; commit {described['commit']}, {described['processor']}, "
          f"{described['cores']} cores, {described['memory_gb']:g} GB, Linux {described['kernel']}.\n")
    print(table(entry, last))
    worse = [key for key, ratio in entry["ratios"].items() if key in last and is_worse(key, ratio, last[key][0])]
    if worse:
        print(f"\nWorse by more than {WORSE_MAX:.0%} than the last time: {', '.join(worse)}. Run it again before you believe it.")
    if not options.no_record:
        append(options.history, entry)
    return 0


if __name__ == "__main__":
    sys.exit(main())

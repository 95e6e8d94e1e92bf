#!/usr/bin/env python3
"""Sillok beside its peers on this machine, in alternation: `./dev peers` (bench/peers/README.md says how it measures).

  ./dev peers                                   everything, five rounds
  ./dev peers --quick                           one short round, to see that all of it runs
  ./dev peers --only P1,F1 --peers sillok,floor some workloads on some servers
  ./dev peers --resume                          goes on where an interrupted run ended
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time

import foreign
import machine
import parts
import plots
import report as reports
import servers
from machine import say
from workloads import FOREIGN, FOREIGN_SIZES, PARTS

PEERS = ["sillok", "kafka", "floor", "nats", "rabbitmq", "artemis"]
INSTALLED = {"kafka": ["kafka", "kafka-tools"], "nats": ["nats/bin/nats", "nats/bin/nats-server"],
             "rabbitmq": ["rabbitmq/usr", "rabbitmq/perf-test"], "artemis": ["artemis/bin"]}
RECOVERY = ["R1"]
FOREIGN_PART = "X"
DEFAULT_SECONDS = 8.0
DEFAULT_JSON = os.path.join(machine.ROOT, "bench", "peers.json")
DEFAULT_PLOTS = os.path.join(machine.ROOT, "bench", "plots")
# What the long parts write at once, beside the ballast, in GB of disk.
SPARE_GB = 30


class Run:
    """The samples of one run; each part's are on disk as soon as it is done."""

    def __init__(self, options):
        self.path = options.json
        old = reports.read(self.path) if options.resume and os.path.exists(self.path) else None
        self.report = old or reports.empty()
        if not self.report["runs"]:
            self.report["runs"].append({"id": f"{int(time.time())}-{os.getpid()}"})
        run = self.report["runs"][-1]
        self.id = run["id"]
        run.setdefault("started", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        run["machine"] = machine.describe()
        run["options"] = {name: getattr(options, name) for name in (
            "rounds", "seconds", "gb", "restart_gb", "kafka_restart_gb", "restart_partitions", "idle_partitions", "quick")}
        # What failed before gets another chance.
        self.report["failures"] = []
        self.done = {(sample["part"], sample["round"], sample["column"]) for sample in self.report["samples"]
                     if sample["run"] == self.id}

    def is_done(self, part, round_number, column):
        return (part, round_number, column) in self.done

    def note(self, part, round_number, column, answer, figures):
        for figure, value in figures.items():
            self.report["samples"].append({"run": self.id, "round": round_number, "part": part, "figure": figure,
                                           "column": column, "value": value, "detail": answer})
        self.done.add((part, round_number, column))
        shown = ", ".join(f"{figure} {reports.number(value)}" for figure, value in figures.items())
        say(f"  {column}: {shown}")
        self.save()

    def fail(self, part, round_number, column, error):
        say(f"  {column}: {part} FAILED: {error}")
        self.report["failures"].append(f"{part} on {column}, round {round_number + 1}: {str(error).splitlines()[0][:300]}")
        self.save()

    def save(self):
        reports.write(self.path, self.report)


def columns_of(part, options):
    return [column for column in PARTS[part].columns if any(column in servers.PEER_COLUMNS[peer]
                                                            for peer in options.peers if peer in servers.PEER_COLUMNS)]


def owed(run, options, round_number, names):
    """(part, columns that lack it) of a round, the order of the columns turning with each round."""
    for part in names:
        columns = [column for column in columns_of(part, options)
                   if not run.is_done(part, round_number, column)]
        if columns:
            yield part, columns if round_number % 2 == 0 else columns[::-1]


def start_servers(run, options, folder, round_number, names):
    """A started, warm and stopped process for each column that the parts need."""
    wanted = {servers.COLUMN_PROCESS[column] for _, columns in owed(run, options, round_number, names)
              for column in columns}
    up = {}
    for name in [name for name in servers.PROCESSES if name in wanted]:
        server = servers.PROCESSES[name](name, options, os.path.join(folder, f"{name}-{round_number}"))
        try:
            server.start()
            parts.warm_up(server, options.warm_up if name == "kafka" else options.warm_up / 10)
            server.pause()
            up[name] = server
        except machine.Failed as error:
            run.fail("start", round_number, name, error)
            server.discard()
    return up


def measure(run, options, up, part, column, round_number):
    server = up.get(servers.COLUMN_PROCESS[column])
    if server is None:
        return
    options.clean_file.fill()
    server.resume()
    try:
        action = parts.run_memory if part == "M1" else lambda *words: parts.run_load(words[0], words[1], part, words[2])
        run.note(part, round_number, column, *action(server, column, round_number))
        if PARTS[part].drops_written:
            server.drop_written()
        server.pause()
    except (machine.Failed, OSError) as error:
        run.fail(part, round_number, column, error)
        # Its later figures would be of another state than those of the rounds before.
        if server.process is None or machine.is_gone(server.pid):
            up.pop(server.column).discard()
        else:
            server.pause()


def run_round(run, options, folder, round_number):
    names = [name for name in PARTS if name in options.only and name not in ("S1", *RECOVERY)]
    up = start_servers(run, options, folder, round_number, names)
    try:
        for part, columns in list(owed(run, options, round_number, names)):
            say(f"{part}: {PARTS[part].title}")
            for column in columns:
                measure(run, options, up, part, column, round_number)
    finally:
        for server in up.values():
            server.discard()
    for part, columns in list(owed(run, options, round_number, [name for name in ("S1", "R1") if name in options.only])):
        say(f"{part}: {PARTS[part].title}")
        for column in columns:
            run_restart(run, options, folder, round_number, part, column)


def run_restart(run, options, folder, round_number, part, column):
    # Kafka needs a minute for it, and it is no peer there: once says enough.
    if part == "R1" and column == "kafka" and round_number > 0:
        return
    if part == "R1" and not parts.room_for_recovery(options, folder):
        run.fail(part, round_number, column, "not enough room on the disk")
        return
    options.clean_file.fill()
    try:
        action = parts.run_start if part == "S1" else parts.run_recovery
        run.note(part, round_number, column, *action(column, options, folder))
    except (machine.Failed, OSError) as error:
        run.fail(part, round_number, column, error)


def run_foreign(run, options, folder, round_number):
    groups = foreign.groups_of(options.peers)
    for group in groups if round_number % 2 == 0 else groups[::-1]:
        wanted = [(name, size) for name in foreign.names_of(group) for size in FOREIGN_SIZES
                  if not run.is_done(f"{FOREIGN_PART}.{size}", round_number, name)]
        if not wanted:
            continue
        options.clean_file.fill()
        place = os.path.join(folder, f"foreign-{group}")
        broker = None
        try:
            broker = foreign.start(group, options, place)
            for name, size in wanted:
                say(f"{FOREIGN[name].server}: {FOREIGN[name].setting}, {size} B")
                run_foreign_load(run, options, broker, name, size, round_number)
        except (machine.Failed, OSError, ValueError) as error:
            run.fail(FOREIGN_PART, round_number, group, error)
        finally:
            if broker is not None:
                broker.stop()
            shutil.rmtree(place, ignore_errors=True)


def run_foreign_load(run, options, broker, name, size, round_number):
    options.clean_file.fill()
    try:
        run.note(f"{FOREIGN_PART}.{size}", round_number, name, *foreign.measure(broker, name, size))
    except (machine.Failed, OSError, ValueError, KeyError) as error:
        run.fail(f"{FOREIGN_PART}.{size}", round_number, name, error)


def estimate(options):
    """Minutes of a whole run, from the lengths of the loads and the rates that such machines reach."""
    seconds = 0.0
    kinds = {servers.COLUMN_PROCESS[column] for part in options.only if part in PARTS
             for column in columns_of(part, options)}
    if kinds:
        seconds += 10 + sum(options.warm_up * (1.2 if kind == "kafka" else 0.12) + 2 for kind in kinds)
    for part in [part for part in options.only if part in PARTS]:
        for column in columns_of(part, options):
            kafka = column.startswith("kafka")
            seconds += 1.5  # ballast, sync, topics
            if PARTS[part].drops_written:
                seconds += 10 if column.startswith("sillok") else 2
            if PARTS[part].by_size:
                seconds += options.gb * (6 if kafka else 1.5)
            elif PARTS[part].mode:
                seconds += parts.scaled(options, PARTS[part], column)
            elif part == "R1":
                seconds += options.restart_gb * 3.5 if column == "sillok" else options.kafka_restart_gb * 10 / options.rounds
            else:
                seconds += 10 if kafka else 1
    seconds *= options.rounds
    if FOREIGN_PART in options.only:
        seconds += options.foreign_rounds * sum(foreign.estimate(group, options) for group in foreign.groups_of(options.peers))
    return (seconds + options.ballast_gb()) / 60


def missing_peers(options):
    """Takes out, loudly, what is not installed."""
    for peer in list(options.peers):
        lacking = [path for path in INSTALLED.get(peer, []) if not os.path.exists(os.path.join(machine.PEERS, path))]
        if peer == "floor" and not os.path.exists(os.path.join(options.bin, "sillok_floor")):
            lacking = [os.path.join(options.bin, "sillok_floor")]
        if lacking:
            say(f"SKIPPED: {peer} is not installed ({', '.join(lacking)}); its columns will be missing")
            options.peers.remove(peer)
            options.skipped.append(peer)


def parse():
    parser = argparse.ArgumentParser(prog="./dev peers", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=None, help="default 5")
    parser.add_argument("--foreign-rounds", type=int, default=None,
                        help="rounds of the servers of other protocols (default 3, or --rounds where that is less)")
    parser.add_argument("--only", default=",".join([*PARTS, FOREIGN_PART]),
                        help=f"workloads, of {','.join(PARTS)} and {FOREIGN_PART} (servers of other protocols)")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {','.join(PEERS)}")
    parser.add_argument("--quick", action="store_true", help="one short round without ballast: only to see that it runs")
    parser.add_argument("--seconds", type=float, default=None,
                        help="length of a usual load by time (default 8); the others, as P6 with 60, change in proportion")
    parser.add_argument("--gb", type=float, default=None, help="what P1, P2, P3 write and the fetches read (default 2)")
    parser.add_argument("--restart-gb", type=float, default=None, help="size of the log of R1 and S1 (default 20)")
    parser.add_argument("--ballast", type=float, default=None, metavar="GB",
                        help="size of the clean file in the page cache (default 20, less where memory or disk are small)")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--dir", default=None, help="where data folders are made (default the system's)")
    parser.add_argument("--bin", default=os.path.join(machine.ROOT, "build/release/bin"), help="Sillok's programs")
    parser.add_argument("--json", default=None, metavar="FILE",
                        help="default bench/peers.json; with --quick a file in the system's folder for such")
    parser.add_argument("--plots", default=None, metavar="DIR", help="default bench/plots; with --quick none")
    parser.add_argument("--resume", action="store_true", help="add what the JSON file lacks")
    options = parser.parse_args()
    options.peers = options.peers.split(",")
    options.only = options.only.split(",")
    options.skipped = []
    for name in options.peers:
        if name not in PEERS:
            parser.error(f"--peers {name}: of {','.join(PEERS)}")
    for name in options.only:
        if name not in PARTS and name != FOREIGN_PART:
            parser.error(f"--only {name}: of {','.join(PARTS)},{FOREIGN_PART}")
    for core in (options.server_core, options.load_core):
        if core not in os.sched_getaffinity(0):
            parser.error(f"core {core} is not there: {sorted(os.sched_getaffinity(0))}")
    set_lengths(options)
    return options


def set_lengths(options):
    quick = options.quick
    options.rounds = options.rounds or (1 if quick else 5)
    options.foreign_rounds = min(options.rounds, 3) if options.foreign_rounds is None else options.foreign_rounds
    options.seconds = options.seconds or (1.0 if quick else DEFAULT_SECONDS)
    options.scale = options.seconds / DEFAULT_SECONDS
    options.gb = options.gb or (0.1 if quick else 2)
    options.restart_gb = options.restart_gb or (0.5 if quick else 20)
    options.kafka_restart_gb = min(options.restart_gb, 5)
    options.restart_partitions = 500 if quick else 10_000
    options.idle_partitions = 500 if quick else 5_000
    # All kinds of load together; the steady state of a JIT compiler is what is measured.
    options.warm_up = 6 if quick else 42
    scratch = tempfile.gettempdir()
    options.dir = options.dir or scratch
    options.json = options.json or (os.path.join(scratch, "sillok-peers-quick.json") if quick else DEFAULT_JSON)
    options.plots = options.plots or ("" if quick else DEFAULT_PLOTS)
    size = options.ballast if options.ballast is not None else (0 if quick else None)
    options.clean_file = machine.Ballast(options.dir, size, SPARE_GB * options.scale)
    options.ballast_gb = lambda: options.clean_file.gigabytes


def main():
    options = parse()
    missing_peers(options)
    machine.begin()
    run = Run(options)
    run.report["failures"] += [f"{peer}: not installed" for peer in options.skipped]
    folder = tempfile.mkdtemp(prefix="sillok-peers-", dir=options.dir)
    say(f"about {estimate(options):.0f} minutes: {options.rounds} rounds of {','.join(options.only)} on "
        f"{', '.join(options.peers)}; ballast {options.ballast_gb():.0f} GB; data in {folder}")
    began, status = time.monotonic(), 0
    try:
        for round_number in range(options.rounds):
            say(f"round {round_number + 1} of {options.rounds}, after {(time.monotonic() - began) / 60:.1f} minutes")
            run_round(run, options, folder, round_number)
            if FOREIGN_PART in options.only and round_number < options.foreign_rounds:
                run_foreign(run, options, folder, round_number)
    except KeyboardInterrupt:
        say(f"interrupted; what was measured is in {options.json}, and --resume goes on from there")
        status = 130
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        machine.end_all()
        shutil.rmtree(folder, ignore_errors=True)
        options.clean_file.remove()
        run.save()
    say(f"{(time.monotonic() - began) / 60:.1f} minutes; every figure is in {options.json}")
    if options.plots:
        plots.write_all(run.report, options.plots)
    print(reports.whole(run.report))
    return status or (1 if run.report["failures"] else 0)


if __name__ == "__main__":
    sys.exit(main())

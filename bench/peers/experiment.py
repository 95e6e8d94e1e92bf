"""What the runs beside the big table share (cold.py, scale.py): their choices, their file, their end."""

import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time

import machine
import report as reports
from confinement import Skip
from machine import say
from servers import load_command

DEFAULT_PLOTS = os.path.join(machine.ROOT, "bench", "plots")
# With this weight a load that reads much does not take the load core from those whose latency is measured.
BEHIND_NICE = 19


class Experiment:
    """The figures of one run; they are on disk after each step."""

    def __init__(self, options, parts):
        self.path = options.json
        shown = {name: value for name, value in vars(options).items() if isinstance(value, (int, float, str, list, bool))}
        self.figures = {"started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine.describe(),
                        "options": shown, **{part: [] for part in parts}, "skipped": [], "failures": []}

    def note(self, part, entry):
        self.figures[part].append(entry)
        self.save()

    def fail(self, what, error):
        say(f"  {what} FAILED: {error}")
        self.figures["failures"].append(f"{what}: {str(error).splitlines()[0][:300]}")
        self.save()

    def skip(self, what, why):
        say(f"  SKIPPED: {what}: {why}")
        self.figures["skipped"].append(f"{what}: {why}")
        self.save()

    def installed(self, peers):
        """Those of the peers that are on this machine; the others are noted."""
        if "kafka" in peers and not os.path.exists(os.path.join(machine.PEERS, "kafka")):
            self.skip("kafka", "it is not installed")
            return [peer for peer in peers if peer != "kafka"]
        return peers

    def attempt(self, what, action):
        """action(), where what goes wrong and what is lacking here are noted, and the rest goes on."""
        try:
            action()
        except Skip as why:
            self.skip(what, why)
        except (machine.Failed, OSError, ValueError, KeyError) as error:
            self.fail(what, error)

    def save(self):
        reports.write(self.path, self.figures)


def parser_for(verb, description):
    parser = argparse.ArgumentParser(prog=f"./dev peers {verb}", description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short: only to see that it runs")
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--warm-up", type=float, default=None, metavar="SECONDS",
                        help="of Kafka (default 42, with --quick 6); the others have a tenth of it")
    parser.add_argument("--dir", default=tempfile.gettempdir(), help="where data folders are made")
    parser.add_argument("--bin", default=os.path.join(machine.ROOT, "build/release/bin"), help="Sillok's programs")
    parser.add_argument("--json", default=None, metavar="FILE",
                        help=f"default bench/{verb}.json; with --quick a file in the system's folder for such")
    parser.add_argument("--plots", default=None, metavar="DIR", help="default bench/plots; with --quick beside the JSON file")
    return parser


def finish_options(options, verb):
    scratch = tempfile.gettempdir()
    options.warm_up = options.warm_up or (6.0 if options.quick else 42.0)
    options.json = options.json or (os.path.join(scratch, f"sillok-{verb}-quick.json") if options.quick else
                                    os.path.join(machine.ROOT, "bench", f"{verb}.json"))
    options.plots = options.plots or (os.path.dirname(os.path.abspath(options.json)) if options.quick else DEFAULT_PLOTS)
    return options


def run(verb, options, experiment, measure, conclude):
    """measure(folder), then conclude(): tables and plots of what there is, after an interruption too."""
    machine.begin()
    folder = tempfile.mkdtemp(prefix=f"sillok-{verb}-", dir=options.dir)
    began, status = time.monotonic(), 0
    try:
        measure(folder)
    except KeyboardInterrupt:
        say(f"interrupted; what was measured is in {options.json}")
        status = 130
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        machine.end_all()
        shutil.rmtree(folder, ignore_errors=True)
        experiment.save()
    say(f"{(time.monotonic() - began) / 60:.1f} minutes; every figure is in {options.json}")
    os.makedirs(options.plots, exist_ok=True)
    conclude()
    for text in experiment.figures["skipped"]:
        print(f"\nSkipped: {text}")
    for text in experiment.figures["failures"]:
        print(f"\nFailed: {text}")
    return status or (1 if experiment.figures["failures"] else 0)


class Running:
    """A load in the background; answer() waits for its end. One that had errors still has an answer."""

    def __init__(self, command, options, log, nice=0):
        self.command = command
        if nice:
            command = ["nice", "-n", nice, *command]
        self.process = machine.start(command, options.load_core, log, stdout=-1)

    def answer(self, seconds):
        try:
            text, _ = self.process.communicate(timeout=seconds)
        except Exception as late:
            self.end()
            raise machine.Failed(f"{machine.words(self.command)}: {late}") from None
        if not text.strip():
            raise machine.Failed(f"{machine.words(self.command)}: exit code {self.process.returncode}")
        return json.loads(text)

    def end(self):
        if self.process.poll() is None:
            machine.end(self.process.pid, signal.SIGKILL)
            self.process.wait()


def in_background(server, mode, *words, nice=0):
    return Running(load_command(server.options, mode, server.address, *words), server.options, server.log, nice)


def percentile(values, share):
    """The least of the values that `share` of them do not exceed; None where there are none."""
    values = sorted(values)
    return values[min(len(values) - 1, max(0, -(-int(share * 1e6) * len(values) // 1_000_000) - 1))] if values else None


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def shown(value, digits=2):
    return "" if value is None else f"{value:,.{digits}f}"


def ratio(value, base):
    return value / base if value is not None and base else None


def judged(value, goal):
    """A ratio, and whether it is reached."""
    return "" if value is None else f"{value:.2f}x" + (" ok" if value <= goal else f" MISSED (goal {goal}x)")


def table(columns, rows):
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    print("\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]))

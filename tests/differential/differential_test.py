"""Sillok answers as Apache Kafka does: the same requests to both, and the answers compared field by field.

differential_test.py [PATTERN] [--show]: only scenarios in whose "file: name" PATTERN is found; --show prints
every exchange. README.md tells how a scenario is written. SILLOK_INTEROP_TARGET=kafka plays them against two
Kafkas: what differs then is not Sillok's, and must not be compared.
"""

import glob
import json
import os
import re
import sys

import harness
from harness import check, run, say
from sillok_server import Kafka, server

import answers

HERE = os.path.dirname(os.path.abspath(__file__))
OTHER_REQUESTS_SHOWN = 5
FIELDS_SHOWN = 12
EXCHANGES_MIN = 400
# A busy machine must not look to Kafka's controller like a broker that is gone.
PATIENT = {"broker.session.timeout.ms": 120_000, "broker.heartbeat.interval.ms": 1_000}
SETTINGS = {
    "node.id": 1,
    # Nothing may be deleted while it is looked at.
    "log.retention.check.interval.ms": 3_600_000,
    "log.initial.task.delay.ms": 3_600_000,
    "log.segment.delete.delay.ms": 1_000,
}
# What each of the two needs to serve the APIs of clients' own metrics.
TELEMETRY = {"sillok.client.telemetry.enable": "true", "metric.reporters": "TelemetryReporter"}


def compiled():
    """The folder with the classes of the Java program."""
    return harness.compiled_java("Differential", sorted(glob.glob(os.path.join(HERE, "*.java"))), "broker")


def play(folder, kafka, sillok, pattern):
    output = os.path.join(folder, "exchanges.jsonl")
    run(harness.java("broker", "Differential", output, kafka.address, sillok.address, pattern,
                     *sorted(glob.glob(os.path.join(HERE, "scenarios", "*.yaml"))), classes=[compiled()]), timeout=600)
    with open(output, encoding="utf-8") as file:
        first, *lines = [json.loads(line) for line in file]
    return first["advertised"], lines


def show(line):
    print(f"{line['file']}: {line['scenario']}\n  {line['call']} {json.dumps(line.get('request'))}\n"
          f"  kafka  {json.dumps(line['left'])}\n  sillok {json.dumps(line['right'])}")


class Report:
    """What differs, said once for all versions of a request in which it is the same."""

    def __init__(self, word):
        self.word = word
        self.groups = {}

    def add(self, line, found):
        scenario = line["scenario"].split(" [")[0]
        key = json.dumps([line["file"], scenario, answers.api_of(line["call"]), found])
        key = re.sub(r"-\d+\b", "-N", key)  # topics are named after the version
        self.groups.setdefault(key, []).append((line, found))

    def print(self):
        for group in self.groups.values():
            line, found = group[0]
            calls = ", ".join(dict.fromkeys(other["call"] for other, _ in group))
            print(f"{self.word} {line['file']}: {line['scenario']}")
            print(f"  {calls} {shortened(line.get('request'))}")
            others = {json.dumps(other.get("request")) for other, _ in group}
            others.discard(json.dumps(line.get("request")))
            for other in sorted(others)[:OTHER_REQUESTS_SHOWN]:
                print(f"    as well: {shortened(json.loads(other))}")
            for path, left, right in found[:FIELDS_SHOWN]:
                print(f"    {json.dumps(path)[1:-1]}")
                print(f"      kafka  {shortened(left)}\n      sillok {shortened(right)}")
            if len(found) > FIELDS_SHOWN:
                print(f"    and {len(found) - FIELDS_SHOWN} other fields")

    def __len__(self):
        return sum(len(group) for group in self.groups.values())


def shortened(value):
    text = json.dumps(value)
    return text if len(text) <= 600 else f"{text[:600]}... ({len(text)} characters)"


def compare(lines, known, to_be_fixed):
    """What differs without a reason, and what is to be fixed."""
    unexplained, pending = Report("DIFFERENCE"), Report("TO BE FIXED")
    for line in lines:
        api = answers.api_of(line["call"])
        left, right = (answers.comparable(line[side], api, line["now"]) for side in ("left", "right"))
        found = list(answers.differences(left, right))
        found += [(flaw, left.get(flaw), right.get(flaw)) for flaw in ("!fault", "!unreadable")
                  if left and right and flaw in left and left.get(flaw) == right.get(flaw)]
        found = [one for one in found if not known.match(line, *one)]
        left_over = [one for one in found if not to_be_fixed.match(line, *one)]
        if left_over:
            unexplained.add(line, left_over)
        if len(left_over) < len(found):
            pending.add(line, [one for one in found if one not in left_over])
    return unexplained, pending


def check_complete(advertised, lines):
    """Every version of every API that Sillok advertises has been asked for."""
    asked = {(line["key"], int(version.group(1))) for line in lines if "key" in line
             and (version := re.search(r" v(\d+)", line["call"]))}
    served = {(int(key), version) for key, (first, last) in advertised.items() for version in range(first, last + 1)}
    say(f"{len(asked & served)} of {len(served)} versions of {len(advertised)} APIs were asked for")
    check(served <= asked, f"(API, version) in no scenario: {sorted(served - asked)}")
    check(len(lines) >= EXCHANGES_MIN, f"only {len(lines)} exchanges")


def play_both(folder, pattern):
    folders = [os.path.join(folder, name) for name in ("kafka", "sillok")]
    others = server(folders[1], {**SETTINGS, **TELEMETRY})
    first = Kafka(folders[0], {**SETTINGS, **PATIENT, **TELEMETRY}, ())
    for broker in (first, others):
        broker.classes = [compiled()]
    with first as kafka, others as sillok:
        say("both servers are ready")
        advertised, lines = play(folder, kafka, sillok, pattern)
        sillok.check_running()
    return advertised, [line for line in lines if "lacks" not in line], [line for line in lines if "lacks" in line]


def test(folder):
    arguments = [argument for argument in sys.argv[1:] if argument != "--show"]
    pattern = arguments[0] if arguments else ""
    beside_kafka = os.environ.get("SILLOK_INTEROP_TARGET") == "kafka"
    with open(os.path.join(HERE, "allowed.json"), encoding="utf-8") as file:
        lists = json.load(file)
    known, to_be_fixed = (answers.Exceptions(lists[name]) for name in ("allowed", "to_be_fixed"))
    compiled()
    advertised, lines, waiting = play_both(folder, pattern)
    if "--show" in sys.argv:
        for line in lines:
            show(line)
    unexplained, pending = compare(lines, known, to_be_fixed)
    for report in (pending, unexplained):
        report.print()
    for api in sorted({line["lacks"] for line in waiting}):
        say(f"{sum(line['lacks'] == api for line in waiting)} scenarios wait until both servers have {api}")
    say(f"{len(lines)} exchanges of {len({(line['file'], line['scenario']) for line in lines})} scenarios: "
        f"{len(unexplained)} differ without a reason, {len(pending)} are to be fixed")
    names = {f"{line['file']}: {line['scenario']}" for line in waiting}
    unused = [] if pattern or beside_kafka else [*known.unused(names), *to_be_fixed.unused(names)]
    for entry in unused:
        print(f"allowed.json has what nothing needs: {entry}")
    check(not len(unexplained), f"{len(unexplained)} answers differ from Kafka's without a reason")
    check(not unused, f"{len(unused)} pairs of allowed.json are not needed")
    if not pattern and not beside_kafka:
        check_complete(advertised, lines)


harness.main(test)

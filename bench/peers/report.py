#!/usr/bin/env python3
"""Tables from the JSON of one or several runs of `./dev peers`.

  bench/peers/report.py bench/peers.json             the whole table, and the second one of other protocols
  bench/peers/report.py a.json b.json --json c.json  several files as one
  bench/peers/report.py bench/peers.json --short     the rows for README
  bench/peers/report.py bench/peers.json --plots DIR the SVG plots
"""

import argparse
import json
import os
import statistics
import sys

from workloads import FIGURES, FOREIGN, FOREIGN_SIZES, LESS, foreign_key


def empty():
    return {"format": 1, "runs": [], "samples": [], "failures": []}


def merge(reports):
    """All samples of several reports. A run that stands in several of them (one resumed the other) counts once."""
    merged = empty()
    seen_runs, seen_samples = set(), set()
    for report in reports:
        if report.get("format") != 1:
            raise ValueError("not a report of ./dev peers")
        for run in report["runs"]:
            if run["id"] not in seen_runs:
                seen_runs.add(run["id"])
                merged["runs"].append(run)
        for sample in report["samples"]:
            name = (sample["run"], sample["round"], sample["figure"], sample["column"])
            if name not in seen_samples:
                seen_samples.add(name)
                merged["samples"].append(sample)
        merged["failures"] += [failure for failure in report["failures"] if failure not in merged["failures"]]
    return merged


def read(path):
    with open(path) as file:
        return json.load(file)


def write(path, report):
    """Whole or not at all: an interrupted run leaves what was there."""
    with open(path + ".new", "w") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    os.replace(path + ".new", path)


class Values:
    """The samples of a report by figure and column."""

    def __init__(self, report):
        self.rounds = {}  # (figure, column): {(run, round): value}
        for sample in report["samples"]:
            place = self.rounds.setdefault((sample["figure"], sample["column"]), {})
            place[(sample["run"], sample["round"])] = sample["value"]

    def all(self, figure, column):
        return list(self.rounds.get((figure, column), {}).values())

    def median(self, figure, column):
        values = self.all(figure, column)
        return statistics.median(values) if values else None

    def ratio(self, figure, column, against):
        """(ratio of the medians, least and greatest ratio of the rounds that have both), or None; of what is a difference
        and came out below zero there is none."""
        top, bottom = self.median(figure, column), self.median(figure, against)
        if top is None or bottom is None or top < 0 or bottom <= 0:
            return None
        mine, theirs = self.rounds[(figure, column)], self.rounds[(figure, against)]
        pairs = [mine[at] / theirs[at] for at in mine if theirs.get(at)]
        return top / bottom, min(pairs, default=top / bottom), max(pairs, default=top / bottom)


def is_reached(figure, goal, value):
    return value <= goal.value if figure.better == LESS else value >= goal.value


def number(value):
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def ratio_text(value):
    return f"{value:.3f}x" if value < 0.1 else f"{value:.2f}x" if value < 10 else f"{value:.1f}x"


def figure_cell(values, figure, columns, names):
    """Median and spread of each column that there is."""
    cells = []
    for column in columns:
        found = values.all(figure.key, column)
        if not found:
            continue
        text = number(statistics.median(found))
        if len(found) > 1:
            text += f" ({number(min(found))} to {number(max(found))})"
        cells.append(text + (f" {names[column]}" if len(columns) > 1 else ""))
    return "; ".join(cells) or "-"


NAMES = {"kafka": "*not* on disk", "kafka-disk": "on disk", "floor-direct": "by file", "floor-journal": "by journal"}


def ratio_cell(values, figure, columns):
    """Sillok over each of the columns, with spread and goal."""
    cells = []
    for column in columns:
        ratio = values.ratio(figure.key, figure.sillok, column)
        goal = next((goal for goal in figure.goals if goal.against == column), None)
        if ratio is None:
            continue
        middle, least, greatest = ratio
        text = f"**{ratio_text(middle)}**"
        if least != greatest:
            text += f" ({ratio_text(least)} to {ratio_text(greatest)})"
        if goal:
            text += f", goal {number(goal.value)}x"
        cells.append(text)
    return "; ".join(cells) or "-"


def judgement(values, figure):
    """"reached", or which goals were missed and by how much; empty where nothing can be judged."""
    missed, judged = [], 0
    for goal in figure.goals:
        column = goal.of or figure.sillok
        if goal.against:
            ratio = values.ratio(figure.key, column, goal.against)
            value, text = (ratio[0], ratio_text(ratio[0])) if ratio else (None, "")
        else:
            value = values.median(figure.key, column)
            text = f"{number(value)} {figure.unit}" if value is not None else ""
        if value is None:
            continue
        judged += 1
        if not is_reached(figure, goal, value):
            wanted = f"{number(goal.value)}x {goal.against}" if goal.against else f"{number(goal.value)} {figure.unit}"
            missed.append(f"{text}, not {wanted}")
    if not judged:
        return ""
    return "**not reached**: " + "; ".join(missed) if missed else "reached"


def fill_title(title, report):
    options = report["runs"][-1]["options"] if report["runs"] else {}
    return title.format(gb=options.get("restart_gb", 0), kafka_gb=options.get("kafka_restart_gb", 0),
                        partitions=options.get("restart_partitions", 0))


def bounds(figure):
    found = [f"goal {number(goal.value)} {figure.unit}" for goal in figure.goals if not goal.against]
    return ", ".join(found)


def table(report):
    values = Values(report)
    lines = ["| workload | unit | Apache Kafka 4.4.0 | the floor | Sillok, Kafka's flush settings | Sillok, defaults "
             "| Sillok over Kafka | Sillok over the floor | |", "|---|---|---|---|---|---|---|---|---|"]
    for figure in FIGURES:
        columns = (*figure.kafka, *figure.floor, "sillok-kafka", "sillok")
        if not any(values.all(figure.key, column) for column in columns):
            continue
        over_kafka = [cell for cell in (ratio_cell(values, figure, figure.kafka), bounds(figure)) if cell not in ("", "-")]
        lines.append("| " + " | ".join([
            fill_title(figure.title, report), figure.unit, figure_cell(values, figure, figure.kafka, NAMES),
            figure_cell(values, figure, figure.floor, NAMES), figure_cell(values, figure, ["sillok-kafka"], NAMES),
            figure_cell(values, figure, ["sillok"], NAMES), ", ".join(over_kafka) or "-",
            ratio_cell(values, figure, figure.floor), judgement(values, figure)]) + " |")
    return "\n".join(lines)


def short_table(report):
    """The rows for README: medians and the ratio."""
    values = Values(report)
    lines = ["| | Apache Kafka 4.4.0 | Sillok | ratio |", "|---|---|---|---|"]
    for figure in FIGURES:
        mine = values.median(figure.key, figure.sillok)
        if not figure.is_short or mine is None:
            continue
        kafka, ratios = [], []
        for column in figure.kafka:
            ratio = values.ratio(figure.key, figure.sillok, column)
            if ratio is None:
                continue
            name = f" {NAMES[column]}" if len(figure.kafka) > 1 else ""
            kafka.append(f"{number(values.median(figure.key, column))}{name}")
            ratios.append(ratio_text(ratio[0]))
        title = fill_title(figure.short_title or figure.title, report)
        lines.append(f"| {title}, {figure.unit} | {'; '.join(kafka) or '-'} | {number(mine)} | **{'; '.join(ratios) or '-'}** |")
    return "\n".join(lines)


def foreign_table(report):
    """The servers of other protocols, each by its own tool, and what is nearest to that on Sillok and Kafka."""
    values = Values(report)
    lines = ["| server | load | confirmed when in the | message | messages/s | MB/s | server CPU, us a message |",
             "|---|---|---|---|---|---|---|"]
    for size in FOREIGN_SIZES:
        for name, title in FOREIGN.items():
            rates = values.all(foreign_key(name, size, "rate"), name)
            if not rates:
                continue
            cells = [spread(values.all(foreign_key(name, size, figure), name)) for figure in ("rate", "mb", "cpu")]
            lines.append(f"| {title.server} | {title.setting} | {title.confirmed} | {size:,} B | {' | '.join(cells)} |")
    return "\n".join(lines) if len(lines) > 2 else ""


def spread(found):
    text = number(statistics.median(found))
    return text if len(found) < 2 else f"{text} ({number(min(found))} to {number(max(found))})"


def round_count(report):
    """The smallest and the largest number of samples behind a median of the first table's load figures."""
    counts = [len(rounds) for (figure, _), rounds in Values(report).rounds.items() if figure[0] in "PFE"]
    counts = counts or [len(rounds) for rounds in Values(report).rounds.values()]
    return (min(counts), max(counts)) if counts else (0, 0)


def heading(report):
    if not report["runs"]:
        return ""
    machine = report["runs"][-1]["machine"]
    least, most = round_count(report)
    rounds = "one round" if most <= 1 else f"{most} rounds" if least == most else f"{least} to {most} rounds"
    return (f"Medians of {rounds}, least and greatest in brackets; commit {machine['commit']}, "
            f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:g} GB, Linux {machine['kernel']}.")


def whole(report):
    parts = [heading(report), table(report)]
    foreign = foreign_table(report)
    if foreign:
        parts.append(foreign)
    if report["failures"]:
        parts.append("Missing:\n" + "\n".join(f"- {failure}" for failure in report["failures"]))
    return "\n\n".join(part for part in parts if part)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--short", action="store_true", help="only the rows for README")
    parser.add_argument("--json", metavar="FILE", help="write what was merged")
    parser.add_argument("--plots", metavar="DIR", help="write the SVG plots")
    options = parser.parse_args()
    try:
        report = merge([read(path) for path in options.files])
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"report.py: {error}")
    if options.json:
        write(options.json, report)
    if options.plots:
        import plots
        plots.write_all(report, options.plots)
    print(short_table(report) if options.short else whole(report))


if __name__ == "__main__":
    main()

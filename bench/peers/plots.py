"""The SVG plots of a report, for README and bench/README.md: no library, readable on light and dark pages."""

import math
import os
from html import escape

from report import Values, ratio_text, number
from workloads import COLUMN_TITLES, FIGURES, FOREIGN, LESS, foreign_key

WIDTH = 860
ROW = 22
LABEL_WIDTH = 430
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 15px; font-weight: 600; }
.small { font-size: 11px; fill: #57606a; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.base { stroke: #57606a; stroke-width: 1.5; }
.spread { stroke: #24292f; stroke-width: 1; fill: none; }
.goal { stroke: #cf222e; stroke-width: 2; }
.a { fill: #0969da; stroke: #0969da; }
.b { fill: #bf8700; stroke: #bf8700; }
.c { fill: #1a7f37; stroke: #1a7f37; }
.d { fill: #8250df; stroke: #8250df; }
.e { fill: #bc4c00; stroke: #bc4c00; }
.pale { fill-opacity: 0.45; stroke: none; }
.bar { stroke: none; }
.line { fill: none; stroke-width: 2; }
.thin { fill: none; stroke-width: 1.3; }
.shade { fill: #d0d7de; fill-opacity: 0.45; stroke: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .small { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .base { stroke: #9198a1; }
  .spread { stroke: #e6edf3; }
  .goal { stroke: #ff7b72; }
  .a { fill: #58a6ff; stroke: #58a6ff; }
  .b { fill: #d29922; stroke: #d29922; }
  .c { fill: #3fb950; stroke: #3fb950; }
  .d { fill: #bc8cff; stroke: #bc8cff; }
  .e { fill: #ff9b57; stroke: #ff9b57; }
  .line, .thin { fill: none; }
  .shade { fill: #3d444d; }
}
"""


class Picture:
    def __init__(self, title, note, height):
        self.height = height
        self.shapes = []
        self.text(16, 26, title, "title")
        self.text(16, 45, note, "small")

    def text(self, x, y, words, name="", anchor="start"):
        self.shapes.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{name}" text-anchor="{anchor}">{escape(words)}</text>')

    def line(self, x1, y1, x2, y2, name):
        self.shapes.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{name}"/>')

    def box(self, x, y, width, height, name):
        self.shapes.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height}" rx="2" class="{name}"/>')

    def path(self, points, name):
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.shapes.append(f'<polyline points="{places}" class="line {name}"/>')
        self.shapes += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{name}"/>' for x, y in points]

    def write(self, path):
        with open(path, "w") as file:
            file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" width="{WIDTH}" '
                       f'height="{self.height}" role="img">\n<style>{STYLE}</style>\n' + "\n".join(self.shapes) + "\n</svg>\n")


class LogScale:
    def __init__(self, values, begin, end):
        values = [value for value in values if value > 0]
        self.low = 10 ** math.floor(math.log10(min(values)) + 1e-9)
        self.high = 10 ** math.ceil(math.log10(max(values)) - 1e-9)
        if self.low == self.high:
            self.high *= 10
        self.begin, self.end = begin, end

    def __call__(self, value):
        share = (math.log10(max(value, self.low)) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return self.begin + min(share, 1) * (self.end - self.begin)

    def marks(self):
        """Powers of ten, with 2 and 5 between them where there are few."""
        powers = [10.0 ** power for power in range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)]
        if len(powers) > 3:
            return powers
        return [step * power for power in powers for step in (1, 2, 5) if step * power <= self.high]


def mark_text(value):
    return f"{value:g}" if value < 1000 else f"{value:,.0f}"


def bars(title, note, rows, unit):
    """Rows of (label, value, (least, greatest) or None, goal or None, classes) on one log axis that holds 1 where the
    values are ratios (unit "x")."""
    values = [value for _, value, *_ in rows] + [goal for _, _, _, goal, _ in rows if goal] + ([1] if unit == "x" else [])
    scale = LogScale(values, LABEL_WIDTH, WIDTH - 90)
    top, bottom = 60, 60 + ROW * len(rows)
    picture = Picture(title, note, bottom + 40)
    for mark in scale.marks():
        picture.line(scale(mark), top, scale(mark), bottom, "base" if mark == 1 and unit == "x" else "grid")
        picture.text(scale(mark), bottom + 16, mark_text(mark) + ("x" if unit == "x" else ""), "small", "middle")
    origin = scale(1) if unit == "x" else scale.begin
    for index, (label, value, spread, goal, classes) in enumerate(rows):
        y = top + ROW * index
        picture.text(LABEL_WIDTH - 10, y + 15, label, "", "end")
        picture.box(min(origin, scale(value)), y + 4, abs(scale(value) - origin), ROW - 8, classes + " bar")
        right = max(origin, scale(value))
        if spread and spread[0] != spread[1]:
            picture.line(scale(spread[0]), y + ROW / 2, scale(spread[1]), y + ROW / 2, "spread")
            right = max(right, scale(spread[1]))
        if goal:
            picture.line(scale(goal), y + 2, scale(goal), y + ROW - 2, "goal")
            right = max(right, scale(goal))
        picture.text(right + 6, y + 15, ratio_text(value) if unit == "x" else number(value), "small")
    return picture


def times_better(values, figure, against):
    """How many times better Sillok is than a column: (middle, least, greatest)."""
    ratio = values.ratio(figure.key, figure.sillok, against)
    if ratio is None or min(ratio) <= 0:
        return None
    return tuple(1 / part for part in (ratio[0], ratio[2], ratio[1])) if figure.better == LESS else ratio


def against_kafka(values):
    rows = []
    for figure in FIGURES:
        if not any(goal.against for goal in figure.goals) and not figure.is_short:
            continue
        for column in figure.kafka:
            better = times_better(values, figure, column)
            if better is None or figure.key == "M1.connection":
                continue
            goal = next((goal.value for goal in figure.goals if goal.against == column), None)
            goal = 1 / goal if goal and figure.better == LESS else goal
            name = plain_title(figure) + (", Kafka on disk too" if column == "kafka-disk" else "")
            rows.append((name, better[0], better[1:], goal, "a pale" if column == "kafka-disk" else "a"))
    return rows


def plain_title(figure):
    kind = {"cpu": "CPU", "rate": "rate", "records": "rate", "p50": "p50", "p99": "p99", "p999": "p99.9", "rss": "memory",
            "empty": "first ack", "acks1": "first ack"}.get(figure.key.split(".")[1], figure.key.split(".")[1])
    words = {"P1": "produce 100 B x 150", "P2": "produce 1 KiB x 16", "P3": "produce 1 KiB x 1,000",
             "P4": "produce one 100 B record", "P5": "one request at a time", "P6": "acks=all on disk, 1 KiB x 16",
             "P7": "acks=all on disk, one 100 B record", "P8": "acks=all on disk, 1,000 partitions",
             "F1": "fetch 1 MiB, one consumer", "F2": "fetch 1 MiB, eight consumers", "F3": "fetch 64 KiB, four consumers",
             "E1": "end to end, acks=1", "E2": "end to end, acks=all on disk", "M1": "after all of it", "S1": "start",
             "R1": "start after kill -9"}
    return f"{figure.part} {words[figure.part]}: {kind}"


def against_floor(values):
    """Sillok, and Kafka paler below it, as a share of the floor."""
    rows = []
    for figure in FIGURES:
        floor = figure.floor[0] if figure.floor else None
        if not any(goal.against.startswith("floor") for goal in figure.goals):
            continue
        for column, classes in ((figure.sillok, "c"), (figure.kafka[-1], "b pale")):
            ratio = values.ratio(figure.key, column, floor)
            if ratio is None or min(ratio) <= 0:
                continue
            goal = next((goal.value for goal in figure.goals if goal.against == floor), None) if classes == "c" else None
            owner = "Sillok" if classes == "c" else "Kafka on disk" if column == "kafka-disk" else "Kafka"
            rows.append((f"{plain_title(figure)}, {owner}", ratio[0], ratio[1:], goal, classes))
    return rows


def others(values, size):
    rows = []
    for name, title in FOREIGN.items():
        median = values.median(foreign_key(name, size, "cpu"), name)
        if median:
            found = values.all(foreign_key(name, size, "cpu"), name)
            # The setting's first words are of the tool, which says little here.
            short = title.server + {"rabbitmq-stream": " stream", "rabbitmq-quorum": " quorum queue"}.get(name, "")
            acks = ", acks=1" if name.endswith("-1") else ", acks=all" if name.startswith(("java", "raw")) else ""
            tool = (", ProducerPerformance" if name.startswith("java") else "") + acks
            rows.append((f"{short}{tool}: {title.confirmed}", median, (min(found), max(found)), None,
                         ("a" if "sillok" in name else "b") + ("" if title.confirmed == "disk" else " pale")))
    return rows


SHARES = [("p50", "p50"), ("p90", "p90"), ("p99", "p99"), ("p999", "p99.9"), ("max", "max")]
LINE_CLASSES = {"kafka": "b", "kafka-disk": "e", "sillok-kafka": "d", "sillok": "a", "floor": "c", "floor-direct": "c",
                "floor-journal": "d"}


def latencies(report, part):
    """Column: its percentiles in ms, medians over the rounds."""
    found = {}
    for sample in report["samples"]:
        if sample["figure"] == f"{part}.p50":
            prefix = "ack_" if part == "E2" and sample["column"].startswith("floor") else ""
            row = [sample["detail"].get(f"{prefix}{share}_us") for share, _ in SHARES]
            if None not in row:
                found.setdefault(sample["column"], []).append([value / 1e3 for value in row])
    return {column: [sorted(values)[len(values) // 2] for values in zip(*rows)] for column, rows in found.items()}


def latency_picture(title, note, columns):
    height, top, bottom = 380, 70, 330
    scale = LogScale([value for row in columns.values() for value in row], bottom, top)
    picture = Picture(title, note, height)
    left, right = 85, WIDTH - 290
    for mark in scale.marks():
        picture.line(left, scale(mark), right, scale(mark), "grid")
        picture.text(left - 8, scale(mark) + 4, f"{mark_text(mark)} ms", "small", "end")
    step = (right - left - 40) / (len(SHARES) - 1)
    for index, (_, name) in enumerate(SHARES):
        picture.text(left + 20 + step * index, bottom + 20, name, "small", "middle")
    taken = []
    for column, row in sorted(columns.items(), key=lambda item: item[1][-1]):
        picture.path([(left + 20 + step * index, scale(value)) for index, value in enumerate(row)], LINE_CLASSES[column])
        # Names stand beside the last point, and never on each other.
        y = scale(row[-1]) + 4
        while any(abs(y - other) < 15 for other in taken):
            y -= 15
        taken.append(y)
        shown = COLUMN_TITLES[column] + (" (the answer)" if column.startswith("floor-") else "")
        picture.line(right - 18, scale(row[-1]), right - 2, y - 4, "grid")
        picture.text(right, y, shown)
    return picture


def write_all(report, folder):
    values = Values(report)
    os.makedirs(folder, exist_ok=True)
    pictures = {
        "kafka.svg": ("Sillok, times better than Apache Kafka 4.4.0",
                      "medians; thin line: least to greatest of the rounds; red: the goal; pale: Kafka on disk too", "x",
                      against_kafka(values)),
        "floor.svg": ("Sillok and Kafka over the floor, a server that does only what any must",
                      "for CPU and latency less is better, for rates more; red: the goal", "x", against_floor(values)),
        "others.svg": ("CPU of the server, us a message of 1 KiB, each under its own load tool",
                       "less is better; full colour: confirmed when on disk, pale: when in the page cache", "us",
                       others(values, 1024)),
    }
    for name, (title, note, unit, rows) in pictures.items():
        if rows:
            bars(title, note, rows, unit).write(os.path.join(folder, name))
    for part, title in (("E1", "End to end at 1,000 records/s, acks=1, nobody waits for the disk"),
                        ("E2", "End to end at 1,000 records/s, acks=all; Kafka answers from its page cache")):
        columns = latencies(report, part)
        if columns:
            latency_picture(title, "from the send until a waiting fetch has the record; medians of the rounds",
                            columns).write(os.path.join(folder, f"{part.lower()}.svg"))

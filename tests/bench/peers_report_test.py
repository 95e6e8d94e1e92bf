#!/usr/bin/env python3
"""The report of `./dev peers`: medians, ratios, goals, merging, and pictures that are well-formed."""

import os
import sys
import tempfile
import unittest
from xml.etree import ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "peers"))

import plots  # noqa: E402
import report  # noqa: E402
import workloads  # noqa: E402
from workloads import FIGURE, FOREIGN, PARTS  # noqa: E402

MACHINE = {"commit": "abc", "processor": "p", "cores": 2, "memory_gb": 24, "kernel": "6"}
OPTIONS = {"restart_gb": 20, "kafka_restart_gb": 5, "restart_partitions": 10000}


def made(samples, run="a"):
    """A report of samples {(figure, column): [a value a round]}."""
    made_up = report.empty()
    made_up["runs"].append({"id": run, "machine": MACHINE, "options": OPTIONS})
    for (figure, column), values in samples.items():
        for number, value in enumerate(values):
            made_up["samples"].append({"run": run, "round": number, "part": figure.split(".")[0], "figure": figure,
                                       "column": column, "value": value, "detail": {}})
    return made_up


class Ratios(unittest.TestCase):
    def test_a_ratio_is_of_the_medians_and_its_spread_of_the_rounds(self):
        values = report.Values(made({("P1.cpu", "sillok-kafka"): [1, 2, 9], ("P1.cpu", "kafka"): [10, 8, 9]}))
        self.assertEqual(values.ratio("P1.cpu", "sillok-kafka", "kafka"), (2 / 9, 0.1, 1.0))

    def test_a_missing_column_has_no_ratio(self):
        values = report.Values(made({("P1.cpu", "sillok-kafka"): [1]}))
        self.assertIsNone(values.ratio("P1.cpu", "sillok-kafka", "kafka"))

    def test_only_rounds_that_both_have_are_in_the_spread(self):
        values = report.Values(made({("P1.cpu", "sillok-kafka"): [1, 100], ("P1.cpu", "kafka"): [2]}))
        self.assertEqual(values.ratio("P1.cpu", "sillok-kafka", "kafka")[1:], (0.5, 0.5))


class Goals(unittest.TestCase):
    def judge(self, figure, **columns):
        samples = {(figure, column.replace("_", "-")): [value] for column, value in columns.items()}
        return report.judgement(report.Values(made(samples)), FIGURE[figure])

    def test_less_is_better_for_cpu(self):
        self.assertEqual(self.judge("P1.cpu", sillok_kafka=0.28, kafka=1, floor=1), "reached")
        self.assertIn("not reached", self.judge("P1.cpu", sillok_kafka=0.29, kafka=1, floor=1))

    def test_more_is_better_for_a_rate(self):
        self.assertEqual(self.judge("P4.rate", sillok_kafka=4.5, kafka=1), "reached")
        self.assertIn("not reached", self.judge("P4.rate", sillok_kafka=4.4, kafka=1))

    def test_every_goal_that_can_be_judged_counts(self):
        text = self.judge("P6.rate", sillok=120, kafka=100, kafka_disk=20, floor_direct=80)
        self.assertIn("6.00x, not 8x kafka-disk", text)
        self.assertNotIn("floor-direct", text)

    def test_an_absolute_goal_needs_no_other_column(self):
        self.assertEqual(self.judge("S1.empty", sillok=0.03), "reached")
        self.assertIn("not reached", self.judge("S1.empty", sillok=0.031))

    def test_nothing_measured_is_no_judgement(self):
        self.assertEqual(self.judge("P1.cpu", kafka=1), "")
        self.assertEqual(self.judge("P1.cpu", sillok_kafka=1), "")


class Merging(unittest.TestCase):
    def test_two_runs_add_up(self):
        merged = report.merge([made({("P1.cpu", "kafka"): [1]}, "a"), made({("P1.cpu", "kafka"): [3]}, "b")])
        self.assertEqual(report.Values(merged).median("P1.cpu", "kafka"), 2)

    def test_a_sample_in_two_files_counts_once(self):
        one = made({("P1.cpu", "kafka"): [1, 2]})
        merged = report.merge([one, made({("P1.cpu", "kafka"): [1, 2, 3]})])
        self.assertEqual(report.Values(merged).all("P1.cpu", "kafka"), [1, 2, 3])
        self.assertEqual(len(merged["runs"]), 1)

    def test_rounds_of_different_runs_are_not_paired(self):
        merged = report.merge([made({("P1.cpu", "kafka"): [2]}, "a"), made({("P1.cpu", "sillok-kafka"): [1]}, "b")])
        self.assertEqual(report.Values(merged).ratio("P1.cpu", "sillok-kafka", "kafka"), (0.5, 0.5, 0.5))

    def test_another_format_is_refused(self):
        with self.assertRaises(ValueError):
            report.merge([{"format": 2}])

    def test_what_is_written_is_read(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.json")
            report.write(path, made({("P1.cpu", "kafka"): [1]}))
            self.assertEqual(report.read(path), made({("P1.cpu", "kafka"): [1]}))
            self.assertEqual(os.listdir(folder), ["x.json"])


def everything():
    samples = {}
    for figure in workloads.FIGURES:
        for column in PARTS[figure.part].columns:
            samples[(figure.key, column)] = [1.0, 2.0, 3.0]
    for name in FOREIGN:
        for kind in ("rate", "mb", "cpu"):
            samples[(workloads.foreign_key(name, 1024, kind), name)] = [5.0]
    whole = made(samples)
    for sample in whole["samples"]:
        sample["detail"] = {f"{ack}{share}_us": 100.0 for ack in ("", "ack_") for share, _ in plots.SHARES}
    return whole


class Tables(unittest.TestCase):
    def test_every_figure_has_a_row_and_every_row_as_many_cells(self):
        lines = report.table(everything()).splitlines()
        self.assertEqual(len(lines), len(workloads.FIGURES) + 2)
        self.assertEqual({line.count("|") for line in lines}, {10})

    def test_every_figure_and_goal_names_what_is_measured(self):
        for figure in workloads.FIGURES:
            for column in [figure.sillok, *(goal.against for goal in figure.goals if goal.against)]:
                self.assertIn(column, PARTS[figure.part].columns, figure.key)

    def test_the_short_table_fits_a_page(self):
        rows = report.short_table(everything()).splitlines()[2:]
        self.assertTrue(8 <= len(rows) <= 12, len(rows))

    def test_a_report_without_samples_has_tables_too(self):
        self.assertIn("| workload |", report.whole(report.empty()))

    def test_pictures_are_well_formed(self):
        with tempfile.TemporaryDirectory() as folder:
            plots.write_all(everything(), folder)
            self.assertEqual(sorted(os.listdir(folder)), ["e1.svg", "e2.svg", "floor.svg", "kafka.svg", "others.svg"])
            for name in os.listdir(folder):
                ElementTree.parse(os.path.join(folder, name))


if __name__ == "__main__":
    unittest.main()

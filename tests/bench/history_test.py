"""bench/history.py: what is kept of a run, and what it is compared with."""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bench"))

import history  # noqa: E402

MACHINE = {"commit": "abc", "processor": "fast", "cores": 2, "memory_gb": 24, "kernel": "6"}


def samples(**rounds):
    """rounds: column_figure=[value of round 0, of round 1, ...], as floor_P1cpu."""
    made = []
    for name, values in rounds.items():
        column, figure = name.rsplit("_", 1)
        key = figure[:2] + "." + figure[2:]
        made += [{"run": "", "round": i, "figure": key, "column": column.replace("_", "-"), "value": value}
                 for i, value in enumerate(values)]
    return made


def entry(ratios, host="here", cpu="fast", commit="abc"):
    return {"host": host, "cpu": cpu, "commit": commit, "ratios": ratios}


class HistoryTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "history.jsonl")

    def entry_of(self, **rounds):
        return history.entry_of(samples(**rounds), MACHINE, "here", "now")

    def test_ratios_are_of_the_medians_and_each_to_its_own_floor(self):
        made = self.entry_of(sillok_kafka_P1cpu=[2, 9, 3], floor_P1cpu=[2, 2, 5], sillok_P7rate=[300], floor_journal_P7rate=[200])
        self.assertEqual(made["ratios"], {"P1.cpu": 1.5, "P7.rate": 1.5})
        self.assertEqual(made["figures"]["P1.cpu"],
                         {"unit": "CPU s/GB", "sillok": 3, "floor": 2, "ratio_spread": [0.6, 4.5]})
        self.assertEqual((made["host"], made["cpu"], made["commit"], made["time"]), ("here", "fast", "abc", "now"))

    def test_a_figure_that_one_of_the_two_lacks_has_no_ratio(self):
        self.assertEqual(self.entry_of(sillok_kafka_P1cpu=[2], floor_P2cpu=[2])["ratios"], {})

    def test_worse_is_a_higher_cost_and_a_lower_rate_by_more_than_a_tenth(self):
        self.assertTrue(history.is_worse("P1.cpu", 1.12, 1.0))
        self.assertFalse(history.is_worse("P1.cpu", 1.09, 1.0))
        self.assertFalse(history.is_worse("P1.cpu", 0.5, 1.0))
        self.assertTrue(history.is_worse("P4.rate", 0.9, 1.0))
        self.assertFalse(history.is_worse("P4.rate", 0.92, 1.0))
        self.assertFalse(history.is_worse("P4.rate", 2.0, 1.0))

    def test_a_change_for_the_better_is_above_zero(self):
        self.assertAlmostEqual(history.change("P1.cpu", 1.0, 1.5), 0.5)
        self.assertAlmostEqual(history.change("P4.rate", 1.5, 1.0), 0.5)
        self.assertLess(history.change("P5.p50", 1.1, 1.0), 0)

    def test_only_the_same_host_and_processor_count_and_of_each_figure_the_last(self):
        entries = [entry({"P1.cpu": 1, "F1.cpu": 1}, commit="a"), entry({"P1.cpu": 2}, commit="b"),
                   entry({"P1.cpu": 3}, host="there"), entry({"P1.cpu": 4}, cpu="slow")]
        self.assertEqual(history.last_ratios(entries, "here", "fast"), {"P1.cpu": (2, "b"), "F1.cpu": (1, "a")})

    def test_what_was_appended_is_read_and_a_spoiled_line_is_left_out(self):
        history.append(self.path, entry({"P1.cpu": 1}))
        with open(self.path, "a") as file:
            file.write('<<<<<<< HEAD\n\n{"ratios": 3}\n[]\n' + json.dumps({"ratios": {}}) + "\n")
        history.append(self.path, entry({"P1.cpu": 2}))
        with contextlib.redirect_stderr(io.StringIO()) as said:
            entries = history.read_history(self.path)
        self.assertEqual([one["ratios"] for one in entries], [{"P1.cpu": 1}, {"P1.cpu": 2}])
        self.assertEqual(said.getvalue().count("left out"), 4)

    def test_no_history_is_an_empty_one(self):
        self.assertEqual(history.read_history(self.path), [])

    def test_the_table_names_the_last_ratio_and_points_out_what_is_worse(self):
        made = self.entry_of(sillok_kafka_P1cpu=[1.5], floor_P1cpu=[1], sillok_kafka_F1cpu=[1.5], floor_F1cpu=[1],
                             sillok_kafka_F3rate=[1], floor_F3rate=[1])
        lines = history.table(made, {"P1.cpu": (1.2, "old"), "F1.cpu": (1.6, "older")}).splitlines()
        by_figure = {line.split()[1]: line for line in lines[2:]}
        self.assertIn("| 1.20x (old) | **worse**, -20% |", by_figure["P1"])
        self.assertIn("| 1.60x (older) | +7% |", by_figure["F1"])
        self.assertIn("| - |  |", by_figure["F3"])

    def test_every_figure_of_the_workloads_is_one_that_the_peers_have(self):
        for name, (_, keys) in history.WORKLOADS.items():
            for key in keys:
                self.assertEqual(history.FIGURE[key].part, name)


if __name__ == "__main__":
    unittest.main()

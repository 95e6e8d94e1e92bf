#!/usr/bin/env python3
"""What counts as a difference from Kafka, and what an entry of allowed.json is about."""

import json
import os
import re
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import answers

LINE = {"file": "a.yaml", "scenario": "a rule [Fetch v4]", "call": "Fetch v4", "key": 1}


def matches(fields, path, left, right, line=LINE, **more):
    entry = {"apis": [1], "fields": fields, "reason": "so", **more}
    return answers.Exceptions([entry]).match(line, path, left, right)


class Matching(unittest.TestCase):
    def test_no_pattern_means_a_missing_answer_or_one_that_is_none(self):
        for path in ("", "!", "!unreadable", "!fault", "!waited"):
            for pattern in ("*", "*/*", "!*", "{,!}"):
                self.assertFalse(matches({pattern: [[1, 2]]}, path, 1, 2), (pattern, path))
        self.assertTrue(matches({"!": [["(an answer)", "closed"]]}, "!", "(an answer)", "closed"))

    def test_a_star_does_not_cross_a_step_of_the_path(self):
        self.assertTrue(matches({"topics/*/errorCode": [[0, 3]]}, "topics/a/errorCode", 0, 3))
        self.assertFalse(matches({"topics/*": [[0, 3]]}, "topics/a/errorCode", 0, 3))
        self.assertFalse(matches({"topics/*/errorCode": [[0, 3]]}, "topics/a/b/errorCode", 0, 3))

    def test_an_entry_is_about_its_apis_values_and_scenarios_alone(self):
        self.assertFalse(matches({"errorCode": [[0, 3]]}, "errorCode", 0, 3, {**LINE, "key": 0}))
        self.assertFalse(matches({"errorCode": [[0, 3]]}, "errorCode", 0, 4))
        self.assertFalse(matches({"errorCode": [[1, 3]]}, "errorCode", True, 3))
        self.assertFalse(matches({"errorCode": [[0, 3]]}, "errorCode", 0, 3, scenario="a.yaml: another*"))
        self.assertTrue(matches({"errorCode": [[0, 3]]}, "errorCode", 0, 3, scenario="a.yaml: a rule*"))
        # Brackets are no pattern: versions stand in them.
        self.assertTrue(matches({"errorCode": [[0, 3]]}, "errorCode", 0, 3, scenario="a.yaml: a rule [Fetch v4]"))

    def test_words_stand_for_values(self):
        for value, is_something, is_number in ((None, False, False), ([], False, False), ("", False, False), ({}, False, False),
                                               (0, True, True), (-1, True, False), (True, True, False), ("a", True, False)):
            self.assertEqual(matches({"x": [["(something)", 1]]}, "x", value, 1), is_something, value)
            self.assertEqual(matches({"x": [["(a number)", 1]]}, "x", value, 1), is_number, value)

    def test_what_nothing_needed_is_told_pair_by_pair(self):
        known = answers.Exceptions([{"apis": [1], "fields": {"x": [[1, 2], [3, 4]]}, "reason": "so"}])
        known.match(LINE, "x", 1, 2)
        self.assertEqual(known.unused([]), ["everywhere, x: [3, 4]"])

    def test_an_entry_without_apis_or_with_words_of_no_meaning_is_refused(self):
        for entry in ({"fields": {"x": [[1, 2]]}, "reason": "so"}, {"apis": [], "fields": {"x": [[1, 2]]}, "reason": "so"},
                      {"apis": [1], "fields": {"x": []}, "reason": "so"}, {"apis": [1], "fields": {"x": [[1, 2]]}, "reason": ""},
                      {"apis": [1], "fields": {"x": [[1, 2]]}, "reason": "so", "call": "Fetch*"}):
            with self.assertRaises((ValueError, KeyError)):
                answers.Exceptions([entry])


class Differences(unittest.TestCase):
    def test_an_answer_beside_none_is_one_difference(self):
        found = list(answers.differences({"errorCode": 0, "topics": []}, {"!": "closed"}))
        self.assertEqual(found, [("!", "(an answer)", "closed")])

    def test_a_slash_in_a_name_is_no_step(self):
        found = list(answers.differences({"topics": [{"name": "a/b", "errorCode": 0}]},
                                         {"topics": [{"name": "a/b", "errorCode": 3}]}))
        self.assertEqual(found, [("topics/a%2Fb/errorCode", 0, 3)])


class Allowed(unittest.TestCase):
    def test_no_field_is_a_pattern_alone(self):
        with open(os.path.join(HERE, "allowed.json"), encoding="utf-8") as file:
            lists = json.load(file)
        for entry in lists["allowed"] + lists["to_be_fixed"]:
            for field in entry["fields"]:
                self.assertFalse(re.fullmatch(r"[*/]*", field), entry)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""The regression gate's judgement (bench/instructions/gate.py), on made-up counts."""

import copy
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench" / "instructions"))
import gate  # noqa: E402

HERE = {"compiler": "GNU 12.2.0", "flags": "-O2", "interprocedural": "", "processor": ["aes"],
        "packages": {"libssl3": "3.0.22"}}


class Compare(unittest.TestCase):
    def test_three_percent_more_is_a_fault(self):
        self.assertEqual(gate.compare({"a": 1000}, {"a": 1029})[1:], ([], []))
        self.assertEqual(len(gate.compare({"a": 1000}, {"a": 1031})[1]), 1)

    def test_three_percent_less_is_told_and_no_fault(self):
        _, faults, gains = gate.compare({"a": 1000}, {"a": 960})
        self.assertEqual((faults, len(gains)), ([], 1))

    def test_a_script_without_a_number_and_a_number_without_a_script(self):
        self.assertIn("no script", gate.compare({"a": 1}, {})[1][0])
        self.assertIn("--renew", gate.compare({}, {"a": 1})[1][0])


class Environment(unittest.TestCase):
    def test_every_difference_is_named(self):
        self.assertEqual(gate.differences(HERE, copy.deepcopy(HERE)), [])
        for key, value in (("compiler", "Clang 14.0.6"), ("flags", "-O3"), ("processor", [])):
            self.assertIn(key, gate.differences(HERE, HERE | {key: value})[0])
        other = HERE | {"packages": {"libssl3": "3.0.23"}}
        self.assertIn("libssl3", gate.differences(HERE, other)[0])

    def test_versions_that_were_accepted_are_comparable_and_no_others(self):
        both = HERE | {"packages": {"libssl3": ["3.0.19", "3.0.22"]}}
        self.assertEqual(gate.differences(both, HERE), [])
        self.assertEqual(gate.differences(both, HERE | {"packages": {"libssl3": "3.0.19"}}), [])
        self.assertIn("3.0.19 and 3.0.22", gate.differences(both, HERE | {"packages": {"libssl3": "3.0.20"}})[0])

    def test_accepting_adds_a_version_and_forgets_none(self):
        first = gate.accepted({"libssl3": "3.0.22", "libc6": "2.36"}, {"libssl3": "3.0.19", "libc6": "2.36"})
        self.assertEqual((first["libssl3"], first["libc6"]), (["3.0.19", "3.0.22"], "2.36"))
        self.assertEqual(gate.accepted(first, {"libssl3": "3.0.22", "libc6": "2.36"})["libssl3"], ["3.0.19", "3.0.22"])


class Dump(unittest.TestCase):
    def test_only_dumps_that_a_script_asked_for(self):
        text = "version: 1\ndesc: Trigger: Client Request: form_splice\nevents: Ir\ntotals: 1234\n"
        self.assertEqual(gate.read_dump(text), ("form_splice", 1234))
        self.assertIsNone(gate.read_dump("desc: Trigger: Program termination\ntotals: 5\n"))


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""What tests/tally.py makes of ctest's report, on made-up ones."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import tally  # noqa: E402

RAN = '<testcase name="{}" status="run"><system-out>{}</system-out></testcase>'
FAILED = '<testcase name="{}" status="fail"><failure message="x"/><system-out>{}</system-out></testcase>'
NOT_RUN = '<testcase name="{}" status="notrun"><skipped message="{}"/><system-out>why</system-out></testcase>'


def counted(*cases, reports=None):
    """(exit code, last line, everything printed)"""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "ctest.xml").write_text(f"<testsuite>{''.join(cases)}</testsuite>", encoding="utf-8")
        for name, report in (reports or {}).items():
            (root / f"{name}.json").write_text(report, encoding="utf-8")
        printed = io.StringIO()
        with mock.patch.object(sys, "argv", ["tally.py", str(root / "ctest.xml"), folder]), \
                contextlib.redirect_stdout(printed):
            code = tally.main()
    return code, printed.getvalue().splitlines()[-1], printed.getvalue()


def gtest(*results):
    cases = [{"result": result, "status": "RUN"} for result in results]
    return json.dumps({"tests": len(cases), "failures": 0, "testsuites": [{"testsuite": cases}]})


class Tally(unittest.TestCase):
    def test_cases_of_a_binary_lines_of_a_script_and_single_tests_are_added_up(self):
        code, line, _ = counted(RAN.format("a", ""), RAN.format("b", "5 passed, 0 failed\n"), RAN.format("c", "good"),
                                reports={"a": gtest("COMPLETED", "COMPLETED", "SKIPPED")})
        self.assertEqual((code, line), (0, "8 passed, 0 failed"))

    def test_what_died_before_it_reported_is_a_failure(self):
        code, line, text = counted(FAILED.format("a", "Segmentation fault"), RAN.format("b", ""))
        self.assertEqual((code, line), (1, "1 passed, 1 failed"))
        self.assertIn("FAIL  a", text)
        self.assertIn("Segmentation fault", text)

    def test_a_binary_whose_report_says_all_is_well_and_whose_end_does_not_is_a_failure(self):
        self.assertEqual(counted(FAILED.format("a", ""), reports={"a": gtest("COMPLETED")})[:2], (1, "1 passed, 1 failed"))

    def test_a_test_that_cannot_run_here_is_neither_and_says_why(self):
        code, line, text = counted(NOT_RUN.format("gate", "SKIP_RETURN_CODE=77"), RAN.format("b", ""))
        self.assertEqual((code, line), (0, "1 passed, 0 failed"))
        self.assertIn("skip  gate\n        why", text)
        self.assertIn("1 skipped", text)

    def test_a_test_that_was_not_found_is_a_failure(self):
        self.assertEqual(counted(NOT_RUN.format("a", "Unable to find executable"), RAN.format("b", ""))[:2],
                         (1, "1 passed, 1 failed"))

    def test_nothing_counted_is_no_success(self):
        self.assertEqual(counted()[0], 1)
        self.assertEqual(counted(NOT_RUN.format("gate", "SKIP_RETURN_CODE=77"))[0], 1)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Counts the test cases of one ctest run: `N passed, N failed` as the last line.

tally.py JUNIT.xml GTEST_FOLDER

A GoogleTest binary counts by the cases in its own report, GTEST_FOLDER/NAME.json; a script by its last line
`N passed, N failed`; anything else is one case. A test that says itself that it cannot run here (its exit code is
SKIP_RETURN_CODE) is skipped; one that ctest calls failed, or did not find, counts at least one failure, so that a
binary that dies before it reports is never lost.
"""

import json
import pathlib
import re
import sys
import xml.etree.ElementTree

LINE = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)


def of_gtest(path):
    """(passed, failed, skipped), or None where the binary left no whole report."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    skipped = sum(
        case["result"] == "SKIPPED" or case["status"] == "NOTRUN"
        for suite in report["testsuites"]
        for case in suite["testsuite"]
    )
    failed = report["failures"]
    return report["tests"] - failed - skipped, failed, skipped


def of_test(test, folder):
    output = test.findtext("system-out") or ""
    good = test.get("status") == "run"
    skipped = 0
    reason = test.find("skipped")
    if reason is not None and reason.get("message", "").startswith("SKIP_RETURN_CODE"):
        return 0, 0, 1
    counted = of_gtest(folder / f"{test.get('name')}.json")
    if counted is not None:
        passed, failed, skipped = counted
    elif LINE.search(output):
        passed, failed = (int(number) for number in LINE.findall(output)[-1])
    else:
        passed, failed = int(good), int(not good)
    if not good and failed == 0:
        failed = 1
    return passed, failed, skipped


def main():
    junit, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    passed = failed = skipped = 0
    for test in xml.etree.ElementTree.parse(junit).getroot().iter("testcase"):
        good, bad, left = of_test(test, folder)
        passed, failed, skipped = passed + good, failed + bad, skipped + left
        if bad or not good:
            print(f"FAIL  {test.get('name')}: {bad} of {good + bad}" if bad else f"skip  {test.get('name')}")
            print("\n".join("        " + line for line in (test.findtext("system-out") or "").splitlines()[-60:]))
    if skipped:
        print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

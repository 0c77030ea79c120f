#!/usr/bin/env python3
"""Checks of the source tree that no compiler makes.

hygiene.py --root DIR [CHECK...]

Without a name every check runs. The last line is `N passed, N failed`, one per check.
"""

import argparse
import importlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import formatting  # noqa: E402

CHECKS = ("include_direction", "library_manners", "build_files", "file_shapes", "fuzz_targets", "threat_model", "attack_catalogue", "formatting")


def main():
    parser = argparse.ArgumentParser(description="Checks of the source tree")
    parser.add_argument("--root", required=True)
    parser.add_argument("checks", nargs="*", default=[])
    options = parser.parse_args()
    passed = failed = 0
    for name in options.checks or CHECKS:
        try:
            findings = list(importlib.import_module(name).check(options.root))
        except formatting.Skipped as reason:
            print(f"skip  {name}: {reason}")
            continue
        print(f"{'FAIL' if findings else 'ok  '}  {name}")
        for finding in findings:
            print(f"        {finding}")
        passed, failed = passed + (not findings), failed + bool(findings)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs the end-to-end cases against a built binary.

run.py --binary PATH [--quick | --smoke | --sanitized] [--only WORD] [--list]

--quick leaves the slow cases out, --smoke keeps only a cross-section (for sanitized binaries), --sanitized all but those that
measure, --only keeps the cases whose file or name contains WORD. The last line is `N passed, N failed`; the exit code is 1 when a
case failed. Needs Python 3 and nothing else.
"""

import argparse
import importlib
import os
import pathlib
import signal
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from support import settings  # noqa: E402
from support.case import CASES, Failure, Shared, Skip  # noqa: E402


def load_cases():
    for file in sorted((HERE / "cases").glob("*.py")):
        if file.stem != "__init__":
            importlib.import_module("cases." + file.stem)


def selected(case, options):
    if options.smoke and not case.smoke:
        return False
    if options.quick and case.slow:
        return False
    if options.sanitized and case.figures:
        return False
    return not options.only or options.only in f"{case.module}: {case.name}"


# What each case waits for has an end of its own; this one is for what nobody thought of.
CASE_SECONDS = int(os.environ.get("PARAVENT_E2E_CASE_SECONDS", "900"))


def out_of_time(*_):
    raise Failure(f"the case did not end within {CASE_SECONDS} s")


def wait_for_midnight():
    """Just before midnight (UTC) the next day is waited for: at it tokens and pseudonyms of a day or a month change, which
    is no fault of a case that compares two of them."""
    left = 86400 - time.time() % 86400
    if left < 90 * settings.SLOWNESS:
        print(f"      midnight is waited for, {left:.0f} s", flush=True)
        time.sleep(left + 1)


def run_case(case):
    """'ok', 'skip' or 'FAIL', and what to say."""
    try:
        signal.signal(signal.SIGALRM, out_of_time)
        signal.alarm(CASE_SECONDS)
        try:
            case.run()
        finally:
            signal.alarm(0)
    except Skip as skip:
        return "skip", str(skip)
    except Failure as failure:
        return "FAIL", str(failure)
    except Exception:  # noqa: BLE001 - a case that breaks has failed
        return "FAIL", traceback.format_exc()
    return "ok", ""


def run_all(cases):
    tally = {"ok": 0, "skip": 0, "FAIL": 0}

    def report(verdict, name, remark, seconds=0.0):
        tally[verdict] += 1
        time_text = f"  ({seconds:.1f} s)" if seconds >= 2 else ""
        print(f"{verdict:4}  {name}{time_text}", flush=True)
        for line in remark.splitlines():
            print(f"        {line}", flush=True)

    def close_shared(module):
        for error in Shared.close_all():
            report("FAIL", f"{module}: closing what its cases shared", error)

    module = None
    for case in cases:
        if case.module != module and module is not None:
            close_shared(module)
        module = case.module
        wait_for_midnight()
        begin = time.monotonic()
        verdict, remark = run_case(case)
        report(verdict, f"{case.module}: {case.name}", remark, time.monotonic() - begin)
    close_shared(module)
    return tally


def main():
    parser = argparse.ArgumentParser(description="End-to-end cases of Paravent")
    parser.add_argument("--binary", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--sanitized", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    load_cases()
    cases = [case for case in CASES if selected(case, options)]
    if options.list:
        for case in cases:
            print(f"{case.module}: {case.name}")
        return 0
    settings.BINARY = os.path.abspath(options.binary)
    if not os.access(settings.BINARY, os.X_OK):
        print(f"{settings.BINARY} is no program.\n0 passed, 1 failed")
        return 1
    slowness = os.environ.get("PARAVENT_E2E_SLOWNESS", "4" if options.smoke or options.sanitized else "1")
    settings.set_slowness(float(slowness))
    tally = run_all(cases)
    if not cases:
        print("No case was selected.\n0 passed, 1 failed")
        return 1
    if tally["skip"]:
        print(f"{tally['skip']} skipped, for the reasons given above")
    print(f"{tally['ok']} passed, {tally['FAIL']} failed")
    return 1 if tally["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())

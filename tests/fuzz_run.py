#!/usr/bin/env python3
"""Runs one libFuzzer target until it has used so much processor time, however busy the machine is.

  fuzz_run.py BINARY CPU_SECONDS FINDINGS_PREFIX CORPUS_DIR SEED_DIR

libFuzzer only knows elapsed time, so the run is cut into slices of two minutes; each begins with the corpus that the
ones before have grown. The last line sums up: `fuzzed CPU_SECONDS EXECUTIONS EDGES FEATURES`. Ends with 1 where a
slice found something (the input lies behind FINDINGS_PREFIX); what it printed is then in the output.
"""

import os
import re
import subprocess
import sys

SLICE_SECONDS = 120


def last(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def run_slice(command):
    """Output, outcome and processor seconds of one slice."""
    before = os.times()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return done.stdout.decode("utf-8", "replace"), done.returncode, used


def run(binary, cpu_seconds, findings, corpus, seeds):
    used = 0.0
    executions = edges = features = 0
    while used < cpu_seconds:
        # A second at least, so that the last slice does not become many.
        seconds = max(1, min(SLICE_SECONDS, round(cpu_seconds - used)))
        text, outcome, spent = run_slice([
            binary, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
            f"-artifact_prefix={findings}", corpus, seeds,
        ])
        if outcome != 0:
            print(text)
            return 1
        used += spent
        executions += last(r"stat::number_of_executed_units:\s+(\d+)", text)
        edges = max(edges, last(r"cov: (\d+)", text))
        features = max(features, last(r"ft: (\d+)", text))
        print(f"slice: {spent:.0f} s of processor time, {executions} executions so far", flush=True)
    print(f"fuzzed {used:.0f} {executions} {edges} {features}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    sys.exit(run(sys.argv[1], float(sys.argv[2]), *sys.argv[3:6]))

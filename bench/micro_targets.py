#!/usr/bin/env python3
"""The speed of the transformations against their targets, as one table.

  micro_targets.py [--binary build/release/bench/paravent_micro] [--repetitions N] [--json FILE]

Medians of CPU time on one processor (pinned to processor 0), all in one run. A row is met when the
whole work, text included, is within its target, and when without its text it has at least 80 % of
the speed of the primitive in a loop of its own. The last column says how far the same is from the
bare library calls that the primitive makes. The JSON has the bootstrap 95 % interval of speed and time over the repetitions as well.
Exit code 5 when a row is not met.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

import stats

TOP = pathlib.Path(__file__).resolve().parent.parent
LEAST_SPEED = 0.80

# (row, benchmark, target in nanoseconds)
TARGETS = (
    ("derived token, 32 bytes", "derived", 300),
    ("pseudonym, 32 bytes", "pseudonym", 400),
    ("encrypted value, 32 bytes", "encrypted", 600),
    ("preserved number, 16 digits", "preserved", 350),
    ("sealed value, 32 bytes, amortised", "sealed", 800),
    ("address, ipcrypt deterministic", "ipcrypt", 50),
)


def medians(document):
    """{name of the benchmark: median CPU time in nanoseconds}"""
    found = {}
    for entry in document["benchmarks"]:
        if entry.get("aggregate_name") == "median":
            if entry["time_unit"] != "ns":
                raise ValueError("times in nanoseconds expected")
            found[entry["run_name"]] = entry["cpu_time"]
    return found


def repetitions(document):
    """{name of the benchmark: CPU time of each repetition, in order}"""
    found = {}
    for entry in document["benchmarks"]:
        if entry.get("run_type") == "iteration":
            found.setdefault(entry["run_name"], {})[entry["repetition_index"]] = entry["cpu_time"]
    return {name: [times[index] for index in sorted(times)] for name, times in found.items()}


def intervals(single):
    """{row: {"of_primitive": [median, low, high], "whole_ns": the same}}, each repetition beside its own primitive."""
    result = {}
    for title, name, _ in TARGETS:
        whole = single[f"targets/{name}"]
        text = single.get(f"targets/{name}/text", [0.0] * len(whole))
        primitive = single.get(f"targets/{name}/primitive", single[f"targets/{name}/library"])
        speeds = [one / (all_of_it - spelt) for all_of_it, spelt, one in zip(whole, text, primitive)]
        result[title] = {"of_primitive": stats.interval_of_median(speeds), "whole_ns": stats.interval_of_median(whole)}
    return result


def rows_of(found):
    """One dictionary per target. The text's own time is taken off before speeds are compared."""
    rows = []
    for title, name, target in TARGETS:
        whole = found[f"targets/{name}"]
        bare = whole - found.get(f"targets/{name}/text", 0.0)
        library = found[f"targets/{name}/library"]
        primitive = found.get(f"targets/{name}/primitive", library)
        rows.append({
            "row": title, "target_ns": target, "whole_ns": whole, "bare_ns": bare,
            "primitive_ns": primitive, "library_ns": library,
            "of_primitive": primitive / bare, "of_library": library / bare,
            "met": whole <= target and primitive / bare >= LEAST_SPEED,
        })
    return rows


def table(rows):
    lines = [f"{'':34} {'target':>7} {'whole':>7} {'no text':>8} {'primitive':>10} {'speed':>6}"
             f" {'':8} {'library':>8} {'speed':>6}"]
    for row in rows:
        lines.append(
            f"{row['row']:34} {row['target_ns']:7.0f} {row['whole_ns']:7.0f} {row['bare_ns']:8.0f}"
            f" {row['primitive_ns']:10.0f} {row['of_primitive']:6.0%}"
            f" {'met' if row['met'] else 'NOT MET':8} {row['library_ns']:8.0f}"
            f" {row['of_library']:6.0%}")
    return "\n".join(lines)


def measure(binary, repetitions):
    command = [binary, "--benchmark_filter=^targets/", f"--benchmark_repetitions={repetitions}",
               "--benchmark_min_time=0.05", "--benchmark_enable_random_interleaving=true",
               "--benchmark_format=json"]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                         preexec_fn=lambda: os.sched_setaffinity(0, {0}))
    return json.loads(run.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--binary", default=str(TOP / "build/release/bench/paravent_micro"))
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--json", help="write the rows here as well")
    options = parser.parse_args()
    if not os.access(options.binary, os.X_OK):
        print(f"micro_targets: {options.binary} is missing: cmake --preset release && "
              "cmake --build --preset release --target paravent_micro", file=sys.stderr)
        return 6
    try:
        document = measure(options.binary, options.repetitions)
        rows, found = rows_of(medians(document)), intervals(repetitions(document))
        rows = [row | {"intervals": found[row["row"]]} for row in rows]
    except KeyError as missing:
        print(f"micro_targets: {options.binary} has no benchmark {missing}; build it again.", file=sys.stderr)
        return 6
    print(table(rows))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0 if all(row["met"] for row in rows) else 5


if __name__ == "__main__":
    sys.exit(main())

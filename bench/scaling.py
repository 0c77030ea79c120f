#!/usr/bin/env python3
"""What a second worker costs: CPU per request of the gateway with two workers against one with one, at most 1.05.

  scaling.py --binary PARAVENT --tools DIR [--seconds S] [--rounds N] [--workloads A,B:CONNECTIONS] [--json FILE] [--c2c]

Both gateways, the load and the application may use both processors; they are measured in turns. CPU per request says what a
worker pays for the other one being there (shared lines, locks, wake-ups); requests per second say little here, because load and
application take their share of two processors. With 64 connections, the usual number, each of two workers
finds less to do each time that it wakes up, and sleeps more often than with 256; either way four threads want two processors in place
of three, and are taken off them more often. The switches of processor per request, of both kinds, are told beside it. The figure is the median of the rounds' ratios with its bootstrap 95 %
interval. --c2c adds what `perf c2c` counts of modified lines taken from the other processor, where the machine lets it.
Exit code 5 where the interval's worse end misses the goal.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

import running
import stats

GOAL = 1.05
PORTS = {"tokens": 19311, "one": 19312, "two": 19313, "admin_one": 19314, "admin_two": 19315}
WORKERS = {"one": 1, "two": 2}
USUAL = 64  # connections
FIELDS = ("proxy_cpu_us", "requests_per_second", "proxy_switches")


def workload_of(text):
    name, _, connections = text.partition(":")
    return name, int(connections or USUAL)


def compare(rows):
    """{metric: [ratio, low, high]} of two workers to one."""
    found = {}
    for metric, field in (("cpu_us_per_request", "proxy_cpu_us"), ("requests_per_second", "requests_per_second")):
        pairs = [two[field] / one[field] for one, two in zip(rows["one"], rows["two"])]
        found[metric] = [round(value, 4) for value in stats.interval_of_median(pairs)]
    return found


def c2c(gateway, seconds, run):
    """Loads that found their line modified in the other processor's cache (HITM), or why that cannot be told."""
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "perf.data"
        record = subprocess.Popen(["perf", "c2c", "record", "-o", data, "-p", str(gateway.process.pid), "--", "sleep", str(seconds)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        run()
        _, said = record.communicate()
        if record.returncode != 0 or not data.exists():
            return "perf c2c does not work here: " + (said.strip().splitlines() or ["no reason given"])[-1]
        report = subprocess.run(["perf", "c2c", "report", "--stats", "-i", data], capture_output=True, text=True, check=False)
        lines = re.findall(r"^\s*(Load Local HITM|Load Remote HITM|Load Operations)\s*:\s*(\d+)", report.stdout, re.MULTILINE)
        return {name: int(number) for name, number in lines} or "perf c2c counted nothing here"


def measure(options, folder):
    backend = running.Backend(options.tools, {"tokens": PORTS["tokens"]}, cpus="0,1")
    gateways, result = {}, []
    try:
        for role, workers in WORKERS.items():
            gateways[role] = running.Gateway(options.binary, folder / role, PORTS[role], PORTS["admin_" + role],
                                             running.peer_policy(f"http://127.0.0.1:{PORTS['tokens']}"), workers, "0,1")
        for workload, connections in options.workloads:
            rows = {"one": [], "two": []}

            def load(role, workload=workload, connections=connections):
                return running.load(options.tools, gateways[role], workload, connections, options.seconds / 4, options.seconds, backend, "0,1")

            for number in range(options.rounds):
                for role in list(WORKERS) if number % 2 == 0 else reversed(list(WORKERS)):
                    rows[role].append(load(role))
            errors = sum(row["errors"] for row in rows["one"] + rows["two"])
            if errors:
                running.fail(f"{errors} failures in {workload}")
            line = {"workload": workload, "connections": connections, "goal": GOAL, "rounds": options.rounds,
                    "disturbed": stats.disturbances(rows["one"] + rows["two"])}
            line |= compare(rows)
            for role in WORKERS:
                line[role] = {field: round(statistics.median(row[field] for row in rows[role]), 3) for field in FIELDS}
            line["met"] = line["cpu_us_per_request"][2] <= GOAL
            if options.c2c:
                line["c2c"] = c2c(gateways["two"], options.seconds, lambda: load("two"))
            result.append(line)
    finally:
        for gateway in gateways.values():
            gateway.close()
        backend.close()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--tools", required=True, type=lambda text: pathlib.Path(text).resolve(), help="BUILD/bench")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--workloads", default="form-post-5-fields,form-post-5-fields:256,get-1-kib,json-batch-20-events",
                        type=lambda text: [workload_of(one) for one in text.split(",")])
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--c2c", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paravent-scaling-") as folder:
        result = measure(options, pathlib.Path(folder))
    for line in result:
        ratio, low, high = line["cpu_us_per_request"]
        said = "void: " + "; ".join(line["disturbed"]) if line["disturbed"] else "met" if line["met"] else "missed"
        one, two = line["one"], line["two"]
        print(f"{line['workload']}, {line['connections']} connections: one worker {one['proxy_cpu_us']:.2f} us, two {two['proxy_cpu_us']:.2f} us of CPU "
              f"per request: {ratio:.3f} ({low:.3f} to {high:.3f}), goal {GOAL}: {said}; switches {one['proxy_switches']:.3f}, {two['proxy_switches']:.3f}")
        if "c2c" in line:
            print(f"  {line['c2c']}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if all(line["met"] or line["disturbed"] for line in result) else 5


if __name__ == "__main__":
    sys.exit(main())

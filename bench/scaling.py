#!/usr/bin/env python3
"""What a second worker costs: CPU per request of the gateway with two workers against one with one, at most 1.05.

  scaling.py --binary PARAVENT --tools DIR [--seconds S] [--rounds N] [--workloads A,B:CONNECTIONS] [--json FILE] [--c2c]

Gateways, load and application may use both processors; the gateways are measured in turns, in short windows, so that both
of a pair meet the same minute of the machine. CPU per request says what a worker pays for the other one being there; requests per second
say little here, because load and application take their share of two processors. Part of it is no matter of workers that share something:
four threads want two processors in place of three, are taken off them more often, and find the caches as another left them. So a
third pair of workers is measured, in two processes, with half of the connections each: those share nothing but the machine. What two
workers of one process cost against them is what they cost each other (locks, shared lines, wake-ups). The switches of processor per
request, of both kinds, are told beside it. Figures are medians of the rounds' ratios with their bootstrap 95 % interval.
--c2c adds what `perf c2c` counts of modified lines taken from the other processor, where the machine lets it.
Exit code 5 where the worse end of two workers against one misses the goal.
"""

import argparse
import itertools
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
TOKENS = 19311
# Role -> (port, admin port, workers) of each of its processes.
ROLES = {"one": [(19312, 19322, 1)], "two": [(19313, 19323, 2)], "apart": [(19314, 19324, 1), (19315, 19325, 1)]}
USUAL = 64  # connections
FIELDS = ("proxy_cpu_us", "requests_per_second", "proxy_switches")


def workload_of(text):
    name, _, connections = text.partition(":")
    return name, int(connections or USUAL)


def compare(rows):
    """{figure: [ratio, low, high]} of two workers to one, and to two processes."""
    found = {}
    for figure, field, base in (("cpu_us_per_request", "proxy_cpu_us", "one"), ("requests_per_second", "requests_per_second", "one"),
                                ("cpu_of_apart", "proxy_cpu_us", "apart")):
        pairs = [two[field] / other[field] for other, two in zip(rows[base], rows["two"])]
        found[figure] = [round(value, 4) for value in stats.interval_of_median(pairs)]
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
    backend = running.Backend(options.tools, {"tokens": TOKENS}, cpus="0,1")
    gateways, result = {role: [] for role in ROLES}, []
    try:
        for role, processes in ROLES.items():
            for port, admin, workers in processes:
                gateways[role].append(running.Gateway(options.binary, folder / f"{role}-{port}", port, admin,
                                                      running.peer_policy(f"http://127.0.0.1:{TOKENS}"), workers, "0,1"))
        for workload, connections in options.workloads:
            rows = {role: [] for role in ROLES}

            def load(role, workload=workload, connections=connections):
                first, *beside = gateways[role]
                more = [word for one in beside for word in ("--beside-port", one.port, "--proxy", one.process.pid)]
                return running.load(options.tools, first, workload, connections, options.seconds / 4, options.seconds, backend, "0,1", more)

            for number in range(options.rounds):
                for role in list(ROLES) if number % 2 == 0 else reversed(list(ROLES)):
                    rows[role].append(load(role))
            every = [row for role in ROLES for row in rows[role]]
            errors = sum(row["errors"] for row in every)
            if errors:
                running.fail(f"{errors} failures in {workload}")
            line = {"workload": workload, "connections": connections, "goal": GOAL, "rounds": options.rounds,
                    "disturbed": stats.disturbances(every)}
            line |= compare(rows)
            for role in ROLES:
                line[role] = {field: round(statistics.median(row[field] for row in rows[role]), 3) for field in FIELDS}
            line["met"] = line["cpu_us_per_request"][2] <= GOAL
            if options.c2c:
                line["c2c"] = c2c(gateways["two"][0], options.seconds, lambda: load("two"))
            result.append(line)
    finally:
        for gateway in itertools.chain(*gateways.values()):
            gateway.close()
        backend.close()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--tools", required=True, type=lambda text: pathlib.Path(text).resolve(), help="BUILD/bench")
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--rounds", type=int, default=45)
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
        spent, switches = (", ".join(f"{line[role][field]:.{digits}f}" for role in ROLES) for field, digits in (("proxy_cpu_us", 2), ("proxy_switches", 3)))
        print(f"{line['workload']}, {line['connections']} connections: one worker, two, two processes {spent} us of CPU per request; two against one "
              f"{ratio:.3f} ({low:.3f} to {high:.3f}), goal {GOAL}: {said}; against two processes "
              f"{line['cpu_of_apart'][0]:.3f} ({line['cpu_of_apart'][1]:.3f} to {line['cpu_of_apart'][2]:.3f}); switches {switches}")
        if "c2c" in line:
            print(f"  {line['c2c']}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if all(line["met"] or line["disturbed"] for line in result) else 5


if __name__ == "__main__":
    sys.exit(main())

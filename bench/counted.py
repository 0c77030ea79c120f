#!/usr/bin/env python3
"""Heap allocations per request and fsyncs per thousand (T22), counted in windows of their own.

  counted.py --binary PARAVENT --tools DIR [--seconds S] [--json FILE]

The gateway runs under `count_calls.so` (DIR), which counts thread by thread. What a request costs is the slope between a short
window and one three times as long, so that opening the connections and the first requests fall out. `worker` is the thread that carries the
requests; `all` counts the rest as well: the counters' flush once a second, the store. Ends without JSON where a request failed;
exit code 5 where the worker allocated for a GET or a form.
"""

import argparse
import json
import os
import pathlib
import struct
import sys
import tempfile

import durable_tokens
import running
import stats

PORTS = {"tokens": 19351, "gateway": 19352, "admin": 19353}
CONNECTIONS = 64
# (workload, the policy it needs: the comparison's or the vault's)
WORKLOADS = ((stats.GET, "peers"), (stats.FORM, "peers"), (stats.BATCH, "peers"), ("new-token", "vault"))
RECORD = struct.Struct("@QQQ")
LEAST = 0.0005  # less than one in two thousand requests is none: a table that grows once is nothing that a request costs


def read(path):
    """{thread: (allocations, syncs)} so far."""
    return {thread: (allocations, syncs) for thread, allocations, syncs in RECORD.iter_unpack(path.read_bytes()) if thread}


def run_times(process):
    """{thread: nanoseconds on a processor}"""
    return {int(task.name): int((task / "schedstat").read_text(encoding="ascii").split()[0])
            for task in pathlib.Path(f"/proc/{process}/task").iterdir()}


def window(options, gateway, backend, counts, workload, seconds):
    """(requests, {thread: (allocations, syncs)}) of one run of the load, its first and last request included."""
    before = read(counts)
    row = running.load(options.tools, gateway, workload, CONNECTIONS, 0, seconds, backend)
    if row["errors"]:
        running.fail(f"{row['errors']} failures in {workload}")
    after = read(counts)
    return row["requests"], {thread: tuple(a - b for a, b in zip(now, before.get(thread, (0, 0)))) for thread, now in after.items()}


def measure_one(options, gateway, backend, counts, workload):
    window(options, gateway, backend, counts, workload, options.seconds)  # everything has its size
    times = run_times(gateway.process.pid)
    few, short = window(options, gateway, backend, counts, workload, options.seconds)
    many, long = window(options, gateway, backend, counts, workload, 3 * options.seconds)
    used = {thread: time - times.get(thread, 0) for thread, time in run_times(gateway.process.pid).items()}
    requests = many - few
    if requests <= 0:
        running.fail(f"a window three times as long had no more requests of {workload}")

    def slope(threads, which):
        grown = sum(long[thread][which] - short.get(thread, (0, 0))[which] for thread in threads if thread in long)
        return round(max(0.0, grown / requests), 6)

    worker = max(used, key=used.get)  # one worker: whoever was on the processor for most of the time
    return {"workload": workload, "requests": requests, "worker": slope([worker], 0), "all": slope(long, 0),
            "syncs_per_thousand": round(1000 * slope(long, 1), 3)}


def measure(options, folder):
    backend = running.Backend(options.tools, {"tokens": PORTS["tokens"]})
    upstream = f"http://127.0.0.1:{PORTS['tokens']}"
    lines = []
    try:
        for name, text in (("peers", running.peer_policy(upstream)), ("vault", durable_tokens.POLICY.replace("UPSTREAM", upstream))):
            counts = folder / f"{name}.counts"
            gateway = running.Gateway(options.binary, folder / name, PORTS["gateway"], PORTS["admin"], text,
                                      environment={"LD_PRELOAD": options.tools / "count_calls.so", "COUNT_CALLS": counts})
            try:
                lines += [measure_one(options, gateway, backend, counts, workload) for workload, needs in WORKLOADS if needs == name]
            finally:
                gateway.close()
    finally:
        backend.close()
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--tools", required=True, type=lambda text: pathlib.Path(text).resolve(), help="BUILD/bench")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if not (options.tools / "count_calls.so").exists():
        running.fail(f"{options.tools}/count_calls.so is missing; the target paravent_bench builds it")
    with tempfile.TemporaryDirectory(prefix="paravent-counted-") as folder:
        lines = measure(options, pathlib.Path(folder))
    for line in lines:
        print(f"{line['workload']:<22} {line['worker']:.4f} allocations a request by its worker, {line['all']:.4f} by all threads; "
              f"{line['syncs_per_thousand']:.2f} fsyncs for a thousand")
    if options.json:
        options.json.write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    return 5 if any(line["worker"] >= LEAST for line in lines if line["workload"] in (stats.GET, stats.FORM)) else 0


if __name__ == "__main__":
    sys.exit(main())

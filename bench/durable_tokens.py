#!/usr/bin/env python3
"""Durable new tokens (W8): forms whose one address is tokenised in the vault, acknowledged when the row is on the disk.

  durable_tokens.py --binary PARAVENT --tools DIR [--seconds S] [--rounds N] [--store DIR] [--disk US] [--json FILE]

With 64 in flight against one fsync for each: the same through the gateway with one in flight, and a bare file on the same disk
to which a row is appended and made durable one after the other, which no store that syncs for each can beat. Also one new
address among nine known ones. `--disk 1000`: on a disk whose fsync takes 1 ms, as that of a common SSD does (slow_fsync.so), for the gateway and
for the bare file alike; 0: the one that is there. In turns; medians of the rounds' ratios with bootstrap 95 % intervals. Exit code 4, and no
JSON, where a body came without a token or a request failed.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import running
import stats

GOALS = (10.0, 25.0)  # T19: limit, goal
PORTS = {"tokens": 19321, "gateway": 19322, "admin": 19323}
POLICY = """policy: 1
tenant: bench
roles: { dpo: { reveal: clear } }
recipients: { site: { name: Site, country: FR } }
purposes: { contact: { basis: contract, retention: { active: P1Y }, reveal: [dpo] } }
routes:
  - name: vault
    match: { method: POST, path: /vault }
    upstream: UPSTREAM
    recipient: site
    purpose: contact
    fields: { form.email: { kind: email, do: tokenise } }
"""
ROW = b"r" * 160  # about what a row takes


def slowed(options):
    """The environment of a program for which the disk is as slow as was asked."""
    if not options.disk:
        return {}
    return {"LD_PRELOAD": str(options.tools / "slow_fsync.so"), "SLOW_FSYNC_US": str(options.disk)}


def one_fsync_each(options, folder):
    """Rows a second of a file that is made durable for each: this program once more, so that it has the same disk."""
    done = subprocess.run([sys.executable, __file__, "--bare", folder / "fsync", "--binary", options.binary, "--tools", options.tools,
                           "--seconds", str(options.seconds)], env=os.environ | slowed(options), check=True, capture_output=True, text=True)
    return float(done.stdout)


def write_bare(path, seconds):
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        rows, began = 0, time.monotonic()
        while time.monotonic() - began < seconds:
            os.write(descriptor, ROW)
            os.fdatasync(descriptor)
            rows += 1
        return rows / (time.monotonic() - began)
    finally:
        os.close(descriptor)
        path.unlink()


def ratio(above, below):
    return [round(value, 3) for value in stats.interval_of_median([a / b for a, b in zip(above, below)])]


def measure(options, folder):
    backend = running.Backend(options.tools, {"tokens": PORTS["tokens"]})
    gateway = running.Gateway(options.binary, folder / "gateway", PORTS["gateway"], PORTS["admin"],
                              POLICY.replace("UPSTREAM", f"http://127.0.0.1:{PORTS['tokens']}"), environment=slowed(options))
    rows = {"many": [], "one": [], "mixed": [], "fsync": []}
    failed = 0
    try:
        for number in range(options.rounds):
            turns = [("many", "new-token", 64), ("one", "new-token", 1), ("mixed", "one-new-token-of-ten", 64), ("fsync", None, 0)]
            for name, workload, connections in turns if number % 2 == 0 else reversed(turns):
                if workload is None:
                    rows[name].append(one_fsync_each(options, folder))
                    continue
                row = running.load(options.tools, gateway, workload, connections, options.seconds / 4, options.seconds, backend)
                failed += row["errors"]
                rows[name].append(row["requests_per_second"])
    finally:
        gateway.close()
        counts = backend.close()["tokens"]
    return {"goals": GOALS, "rounds": options.rounds, "disk_us": options.disk, "failed": failed, "unprotected": counts["unminted"], "minted": counts["minted"],
            "against_one_fsync_each": ratio(rows["many"], rows["fsync"]), "against_one_in_flight": ratio(rows["many"], rows["one"]),
            "per_second": {name: round(statistics.median(values), 1) for name, values in rows.items()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--tools", required=True, type=lambda text: pathlib.Path(text).resolve(), help="BUILD/bench")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--store", help="folder on the disk that is meant (default: the one for temporary files)")
    parser.add_argument("--disk", type=int, default=0, help="microseconds that an fsync takes (default 0: as it is)")
    parser.add_argument("--bare", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if options.bare:
        print(write_bare(options.bare, options.seconds))
        return 0
    if options.disk and not (options.tools / "slow_fsync.so").exists():
        running.fail(f"{options.tools}/slow_fsync.so is missing; the target paravent_bench builds it")
    with tempfile.TemporaryDirectory(prefix="paravent-tokens-", dir=options.store) as folder:
        result = measure(options, pathlib.Path(folder))
    wrong = result["failed"] or result["unprotected"] or not result["minted"]
    if options.json and not wrong:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    rates = result["per_second"]
    print(f"new tokens a second: {rates['many']:.0f} with 64 in flight, {rates['one']:.0f} with one, {rates['fsync']:.0f} rows with an fsync "
          f"each; forms a second with one new of ten: {rates['mixed']:.0f}")
    for name in ("against_one_fsync_each", "against_one_in_flight"):
        value, low, high = result[name]
        print(f"{name.replace('_', ' ')}: {value:.2f} ({low:.2f} to {high:.2f})")
    print(f"{result['minted']} bodies with a token, {result['unprotected']} without; {result['failed']} requests failed")
    return 4 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

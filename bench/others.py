#!/usr/bin/env python3
"""The targets that are no comparison of one request with the peers': memory, crowds, two workers, tokens, store, audit.

  others.py --binary PARAVENT --tools DIR --out DIR [--quick]

Runs the programs that measure them one after the other and leaves what each wrote in DIR/others/NAME.json, where results_page.py
finds it. A program that fails is told and leaves nothing, so that its targets read "not measured". Exit code 1 where one failed.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MICRO = "^(vault_known_in_memory|store_find_known/(100000|1000000)/|audit_append_64_in_flight|audit_commit_floor)"


def programs(options):
    """{name: (command, whether it writes --json itself)}; `idle` prints its object instead."""
    both = ["--binary", options.binary, "--tools", options.tools]
    pace = ["--seconds", "0.5", "--rounds", "3"] if options.quick else []
    micro = options.tools / "paravent_micro"
    found = {
        "idle-plain": ([HERE / "tls_idle.py", "--binary", options.binary, "--plain"], False),
        "idle-tls": ([HERE / "tls_idle.py", "--binary", options.binary], False),
        "crowd": ([HERE / "idle_crowd.py", *both, *pace, *(["--idle", "1000"] if options.quick else [])], True),
        "uploads": ([HERE / "upload_memory.py", "--binary", options.binary], True),
        "scaling": ([HERE / "scaling.py", *both, *pace], True),
        "durable-tokens": ([HERE / "durable_tokens.py", *both, *pace], True),
    }
    if micro.exists():
        found["transformations"] = ([HERE / "micro_targets.py", "--binary", micro, *(["--repetitions", "3"] if options.quick else [])], True)
        found["stores"] = (["taskset", "-c", "0", micro, f"--benchmark_filter={MICRO}", "--benchmark_format=json",
                            f"--benchmark_min_time={0.05 if options.quick else 1}"], False)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--tools", required=True, type=lambda text: pathlib.Path(text).resolve(), help="BUILD/bench")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--quick", action="store_true", help="to see that everything works; the figures mean nothing")
    options = parser.parse_args()
    folder = options.out / "others"
    folder.mkdir(parents=True, exist_ok=True)
    # What an earlier run left is no figure of this one, also where its program is not run or ends before it writes.
    for stale in folder.glob("*.json"):
        stale.unlink()
    failed = 0
    for name, (command, writes) in programs(options).items():
        target = folder / f"{name}.json"
        print(f"{name}:", flush=True)
        if str(command[0]).endswith(".py"):
            command = [sys.executable, *command]
        done = subprocess.run([*command, *(["--json", target] if writes else [])], text=True, check=False,
                              stdout=None if writes else subprocess.PIPE, stderr=None if writes else subprocess.DEVNULL)
        # 1 and 5: measured, and something missed its target. Anything else: what was measured is no figure.
        whole = done.returncode in (0, 1, 5)
        if whole and not writes:
            whole = keep(done.stdout, target)
        if not whole or not target.exists():
            print(f"others: {name} ended with code {done.returncode}", file=sys.stderr)
            target.unlink(missing_ok=True)
            failed += 1
    return 1 if failed else 0


def keep(text, target):
    """Writes what was printed, where it is JSON."""
    try:
        json.loads(text)
    except ValueError:
        return False
    target.write_text(text, encoding="utf-8")
    print(f"  {len(text)} bytes in {target}")
    return True


if __name__ == "__main__":
    sys.exit(main())

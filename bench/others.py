#!/usr/bin/env python3
"""The targets that are no comparison of one request with the peers': memory, crowds, two workers, tokens, store, audit.

  others.py --binary PARAVENT --tools DIR --out DIR [--pace SHARE] [--only A,B | --again] [--quick | --seconds]

Runs the programs that measure them one after the other and leaves what each wrote in DIR/others/NAME.json, where results_page.py
finds it. A program that fails is told and leaves nothing; its targets read "not measured" with the reason, from DIR/others/why.json. `--only`
does some again and keeps the rest; `--again` does those that were disturbed or left nothing. Exit code 1 where one failed. --seconds prints how long all of it takes.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import running

HERE = pathlib.Path(__file__).resolve().parent
MICRO = "^(vault_known_in_memory|store_find_known/(100000|1000000)/|keys_open/100000)"
STORED_SIZES = (1000, 10_000_000)
# The targets that are not measured where a program fails.
TARGETS = {
    "idle-plain": ("T12",), "idle-tls": ("T12 TLS",), "crowd": ("T13",), "uploads": ("T9",), "scaling": ("scaling", "scaling 256"),
    "durable-tokens": ("T19",), "durable-tokens-1ms": ("T19 disk 1 ms", "T19 one in flight"), "inflate": ("T15",), "counted": ("T22", "T22 form"), "reveal": ("T21", "T21 disk 1 ms"),
    "stored-tokens": ("T18 stored", "T18 first of the day", "T18 new", "T18 noted"),
    "transformations": ("T16 HMAC", "T16 SIV", "T16 AEAD", "T17"), "stores": ("T18", "T18 store", "unsealing"),
}
# Seconds on a quiet machine: (what the pace shortens, what it does not).
SECONDS = {
    "idle-plain": (0, 6), "idle-tls": (0, 20), "crowd": (78, 37), "uploads": (0, 25), "scaling": (0, 300), "durable-tokens": (70, 5), "durable-tokens-1ms": (105, 15),
    "inflate": (0, 6), "counted": (24, 8), "reveal": (60, 50), "transformations": (0, 25), "stores": (0, 40), "stored-tokens": (35, 250),
}


def stores():
    """Where `paravent_micro` keeps its vaults, when those of both sizes are there."""
    folder = os.environ.get("PARAVENT_BENCH_STORES")
    if folder and all((pathlib.Path(folder) / f"vault-{size}" / "filled").is_dir() for size in STORED_SIZES):
        return pathlib.Path(folder)
    return None


def programs(options):
    """{name: (command, whether it writes --json itself)}; `idle` prints its object instead."""
    both = ["--binary", options.binary, "--tools", options.tools]

    def pace(seconds, rounds):
        if options.quick:
            return ["--seconds", "0.5", "--rounds", "3"]
        return ["--seconds", f"{max(0.5, seconds * options.pace):.2f}", "--rounds", str(rounds)]

    few = ["--few", "200", "--many", "1200"] if options.quick else ["--few", "1000", "--many", "10000"]
    micro = options.tools / "paravent_micro"
    found = {
        "counted": ([HERE / "counted.py", *both, "--seconds", "0.5" if options.quick else "1"], True),
        "idle-plain": ([HERE / "tls_idle.py", "--binary", options.binary, "--plain", *few], False),
        "idle-tls": ([HERE / "tls_idle.py", "--binary", options.binary, *few], False),
        "uploads": ([HERE / "upload_memory.py", "--binary", options.binary], True),
        "crowd": ([HERE / "idle_crowd.py", *both, *pace(2, 31), *(["--idle", "1000"] if options.quick else [])], True),
        "scaling": ([HERE / "scaling.py", *both, *(["--rounds", "3"] if options.quick else [])], True),
        "durable-tokens": ([HERE / "durable_tokens.py", *both, *pace(2, 7)], True),
        "durable-tokens-1ms": ([HERE / "durable_tokens.py", *both, *pace(1, 21), "--disk", "1000"], True),
        "inflate": ([HERE / "inflate_time.py", "--tools", options.tools, "--seconds", "1" if options.quick else "5"], True),
        "reveal": ([HERE / "reveal.py", *both, *pace(3, 5), *(["--disk", "0"] if options.quick else [])], True),
    }
    if micro.exists():
        found["transformations"] = ([HERE / "micro_targets.py", "--binary", micro, *(["--repetitions", "3"] if options.quick else [])], True)
        found["stores"] = (["taskset", "-c", "0", micro, f"--benchmark_filter={MICRO}", "--benchmark_format=json",
                            f"--benchmark_min_time={0.05 if options.quick else 1}"], False)
    if stores():
        found["stored-tokens"] = ([HERE / "stored_tokens.py", *both, "--stores", stores(), *pace(2, 7),
                                   *(["--daily-rounds", "1", "--days", "2"] if options.quick else
                                     ["--daily-rounds", "3" if options.pace == 1 else "2"])], True)
    return found


def expected(options):
    """(seconds that the pace shortens, those that it does not)"""
    names = [name for name in programs(options) if name in SECONDS]
    return tuple(sum(SECONDS[name][which] for name in names) for which in (0, 1))


def run_one(name, command, writes, target):
    """None, or why there is no figure."""
    if str(command[0]).endswith(".py"):
        command = [sys.executable, *command]
    done = subprocess.run([*command, *(["--json", target] if writes else [])], text=True, check=False,
                          stdout=None if writes else subprocess.PIPE, stderr=None if writes else subprocess.DEVNULL)
    # 1 and 5: measured, and something missed its target. Anything else: what was measured is no figure.
    whole = done.returncode in (0, 1, 5)
    if whole and not writes:
        whole = keep(done.stdout, target)
    if whole and target.exists():
        return None
    target.unlink(missing_ok=True)
    return f"{name} ended with code {done.returncode}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--tools", required=True, type=lambda text: pathlib.Path(text).resolve(), help="BUILD/bench")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--pace", type=float, default=1.0, help="share of the usual seconds of a window")
    parser.add_argument("--only", type=lambda text: text.split(","), help="of " + ", ".join(SECONDS))
    parser.add_argument("--again", action="store_true", help="those that were disturbed or left nothing")
    parser.add_argument("--quick", action="store_true", help="to see that everything works; the figures mean nothing")
    parser.add_argument("--seconds", action="store_true", help="print how long all of it takes: what the pace shortens, what it does not")
    options = parser.parse_args()
    if options.seconds:
        print(*expected(options))
        return 0
    if not options.out:
        parser.error("--out is needed")
    unknown = set(options.only or ()) - set(SECONDS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(SECONDS)}")
    folder = options.out / "others"
    folder.mkdir(parents=True, exist_ok=True)
    why = folder / "why.json"
    known = programs(options)
    if options.again:
        options.only = to_do_again(folder)
        if not options.only:
            return 0
    wanted = options.only or list(SECONDS)
    reasons = json.loads(why.read_text(encoding="utf-8")) if options.only and why.exists() else {}
    when = folder / "when.json"
    times = json.loads(when.read_text(encoding="utf-8")) if options.only and when.exists() else {}
    # What an earlier run left is no figure of this one, also where its program is not run or ends before it writes.
    for name in wanted:
        (folder / f"{name}.json").unlink(missing_ok=True)
    failed = 0
    for name in wanted:
        began = time.monotonic()
        print(f"{name}:", flush=True)
        times[name] = {"at": time.strftime("%Y-%m-%d %H:%M", time.gmtime()), "commit": running.commit()}
        reason = run_one(name, *known[name], folder / f"{name}.json") if name in known else missing(name)
        for target in TARGETS[name]:
            reasons.pop(target, None)
            if reason:
                reasons[target] = f"not measured in this run: {reason}"
        why.write_text(json.dumps(reasons, indent=1) + "\n", encoding="utf-8")
        when.write_text(json.dumps(times, indent=1) + "\n", encoding="utf-8")
        if reason:
            print(f"others: {reason}", file=sys.stderr)
            failed += name in known
        else:
            print(f"  {time.monotonic() - began:.0f} s", flush=True)
    return 1 if failed else 0


def was_disturbed(found):
    """Whether a program's own witness says so, wherever in its object."""
    if isinstance(found, dict):
        return bool(found.get("disturbed")) or any(was_disturbed(value) for value in found.values())
    return isinstance(found, list) and any(was_disturbed(value) for value in found)


def to_do_again(folder):
    def is_whole(name):
        path = folder / f"{name}.json"
        return path.exists() and not was_disturbed(json.loads(path.read_text(encoding="utf-8")))

    return [name for name in SECONDS if not is_whole(name)]


def missing(name):
    if name == "stored-tokens":
        return "PARAVENT_BENCH_STORES names no folder with the vaults of " + " and ".join(map(str, STORED_SIZES)) + " tokens"
    return "paravent_micro is not built"


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

#!/usr/bin/env python3
"""The regression gate: instructions of fixed scripts (scripts.cc) against the committed numbers.

  gate.py --program BUILD/bench/instructions [--renew | --accept]

Runs the program under valgrind's callgrind and compares the instructions per run of each script with
expected.json beside this file. Instructions do not depend on the neighbours, so 3 % are a finding:

  0   all within 3 %; or --renew wrote the numbers of this build; or --accept added the versions of this
      system's packages to those that the numbers hold for, after it had counted all within 3 %
  5   a script takes 3 % more, or one is missing on either side
  6   valgrind is missing or failed
  77  not comparable: made by another compiler, other flags, libraries or processor features (named)

3 % less is told as well, so that the number can be renewed and the gain is kept.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOLERANCE = 0.03
TIMES = 200  # scripts.cc: kTimes
EXPECTED = pathlib.Path(__file__).with_name("expected.json")
PACKAGES = ["libc6", "libicu72", "libsodium23", "libssl3", "libstdc++6", "valgrind"]
# What libcrypto and libc choose their code by and valgrind passes on.
FEATURES = ["aes", "avx2", "bmi2", "pclmulqdq", "rdrand", "sha_ni"]


def packages():
    """Installed versions; an empty text for what this system's package manager does not know."""
    if not shutil.which("dpkg-query"):
        return {}
    shown = subprocess.run(["dpkg-query", "-W", "-f", "${Package}=${Version}\n", *PACKAGES],
                           capture_output=True, text=True, check=False).stdout
    return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)


def features():
    flags = set()
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("flags"):
            flags = set(line.split(":", 1)[1].split())
            break
    return [name for name in FEATURES if name in flags]


def environment(program):
    build = json.loads(program.with_name("instructions.build.json").read_text(encoding="utf-8"))
    build["flags"] = " ".join(build["flags"].split())
    return build | {"packages": packages(), "processor": features()}


def differences(expected, here):
    """What makes two environments not comparable, in words."""
    found = []
    for key in ("compiler", "flags", "interprocedural", "processor"):
        if expected[key] != here[key]:
            found.append(f"{key}: the numbers were made with '{expected[key]}', here it is '{here[key]}'")
    for name in PACKAGES:
        then, now = versions(expected["packages"].get(name, "none")), here["packages"].get(name, "none")
        if now not in then:
            found.append(f"{name}: the numbers were made with {' and '.join(then)}, here it is {now}")
    return found


def versions(recorded):
    """Of a package, those that the numbers hold for: one, or a list since --accept."""
    return recorded if isinstance(recorded, list) else [recorded]


def accepted(expected, here):
    """The packages that the numbers hold for, with those of this system."""
    joined = {}
    for name in PACKAGES:
        known = versions(expected.get(name, "none"))
        now = here.get(name, "none")
        known = sorted({*known, now})
        joined[name] = known if len(known) > 1 else known[0]
    return joined


def read_dump(text):
    """(name, instructions) of one dump of callgrind's, or None for one that no script asked for."""
    name = re.search(r"^desc: Trigger: Client Request: (\S+)$", text, re.MULTILINE)
    total = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
    return (name.group(1), int(total.group(1))) if name and total else None


def count(program):
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet",
             f"--callgrind-out-file={folder}/out", str(program)],
            capture_output=True, text=True, check=False)
        if run.returncode != 0:
            print(f"gate: valgrind ended with {run.returncode}: {run.stderr[-500:]}", file=sys.stderr)
            sys.exit(6)
        dumps = [read_dump(path.read_text(encoding="utf-8"))
                 for path in sorted(pathlib.Path(folder).iterdir())]
    return {name: round(total / TIMES) for name, total in filter(None, dumps)}


def compare(expected, counted):
    """(lines of a table, faults, gains)"""
    lines, faults, gains = [], [], []
    for name in sorted(expected.keys() | counted.keys()):
        if name not in counted:
            faults.append(f"{name}: in expected.json, but no script has this name")
            continue
        if name not in expected:
            faults.append(f"{name}: not in expected.json; run with --renew")
            continue
        change = counted[name] / expected[name] - 1
        lines.append(f"{name:<20} {expected[name]:>10} {counted[name]:>10} {change:>+8.1%}")
        if change > TOLERANCE:
            faults.append(f"{name}: {change:+.1%} instructions; find out why, or renew the number and "
                          "say why in the commit")
        elif change < -TOLERANCE:
            gains.append(f"{name}: {change:+.1%} instructions; renew the number to keep the gain")
    return lines, faults, gains


def write(made_in, counts):
    EXPECTED.write_text(json.dumps({"environment": made_in, "instructions": counts}, indent=1,
                                   sort_keys=True) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, required=True)
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--renew", action="store_true", help="write expected.json from this build")
    change.add_argument("--accept", action="store_true",
                        help="count in spite of other packages, and take them up if all is within 3 %%")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        print("gate: valgrind is missing; deploy/packages.txt lists it.", file=sys.stderr)
        return 6
    here = environment(options.program)
    if options.renew:
        counts = count(options.program)
        write(here, counts)
        print(f"gate: wrote {len(counts)} numbers to {EXPECTED}")
        return 0
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    known = expected["environment"]
    if options.accept:
        known = known | {"packages": accepted(known["packages"], here["packages"])}
    reasons = differences(known, here)
    if reasons:
        print("gate: skipped, not comparable.\n" + "\n".join(reasons))
        return 77
    lines, faults, gains = compare(expected["instructions"], count(options.program))
    print(f"{'script':<20} {'expected':>10} {'counted':>10} {'change':>8}   instructions per run")
    for line in lines + gains + faults:
        print(line)
    if options.accept and not faults:
        write(known, expected["instructions"])
        print("gate: the numbers hold for this system's packages too.")
    return 5 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

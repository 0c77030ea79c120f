#!/usr/bin/env python3
"""The unit as systemd reads it: without a fault, and with an exposure below 2. 77: there is no systemd here."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

UNIT = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "systemd" / "paravent.service"
MOST = 2.0


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, check=False)


def verified(folder):
    """What systemd objects to; the program and the manual need not be installed for that."""
    text = UNIT.read_text(encoding="utf-8").replace("/usr/bin/paravent", "/bin/true")
    copy = folder / "paravent.service"
    copy.write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.M), encoding="utf-8")
    done = analyze("verify", "--man=no", str(copy))
    return [line for line in done.stderr.splitlines() if "paravent" in line or "Unknown" in line]


def exposure():
    done = analyze("security", "--offline=true", str(UNIT))
    found = re.search(r"Overall exposure level for paravent.service: ([0-9.]+)", done.stdout)
    return float(found.group(1)) if found else None


def main():
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is not installed")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        objections = verified(pathlib.Path(folder))
    score = exposure()
    print(*objections, sep="\n")
    print(f"exposure {score}, at most {MOST}")
    results = [not objections, score is not None and score < MOST]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())

"""clang-format 14 has nothing to change. Another version would differ in taste: then the check is skipped."""

import os
import re
import shutil
import subprocess

import tree


class Skipped(Exception):
    """The check cannot run here; says why."""


def formatter():
    for name in ("clang-format-14", "clang-format"):
        path = shutil.which(name)
        if path is None:
            continue
        version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
        if "version 14." in version:
            return path
    raise Skipped("clang-format 14 is not installed (Debian's clang-format, section [test] of the packages)")


def check(root):
    program = formatter()
    paths = tree.sources(root, (*tree.ROOMS, "tests", "bench"))
    for at in range(0, len(paths), 40):
        batch = [os.path.abspath(os.path.join(root, path)) for path in paths[at : at + 40]]
        command = [program, "--style=file", "--dry-run", "--Werror", *batch]
        done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
        bad = set()
        for line in done.stderr.splitlines():
            match = re.match(r"(/[^:]+):\d+:\d+: (?:error|warning): ", line)
            if match:
                bad.add(os.path.relpath(match.group(1), root))
        if done.returncode != 0 and not bad:
            yield f"clang-format failed: {done.stderr.strip()}"
        for path in sorted(bad):
            yield f"{path}: clang-format -i would change it"

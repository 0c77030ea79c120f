"""docs/attack-catalogue.md has every row of the survey, each row names tests, and they exist.

A test is named in backquotes: `tests/PATH`, where `*` may stand for part of a name, or `tests/PATH: WORDS` for one test in
it. A file of raw cases (.http) holds at least one. An end-to-end case is looked for in what run.py --list says, so that
the ones made from tables count, and the ones that nobody registers do not.
"""

import glob
import os
import re
import subprocess
import sys

PAGE = "docs/attack-catalogue.md"
ROWS = [*(f"F{n}" for n in range(1, 24)), *(f"C{n}" for n in range(1, 11)), *(f"S{n}" for n in range(1, 6))]
NAMED = re.compile(r"`(tests/[^`:\s]+)(?:: ([^`]+))?`")
E2E = "tests/e2e/cases/"


def rows_of(cell):
    """`F1–F4` is four rows."""
    match = re.fullmatch(r"([FCS])(\d+)(?:–\1(\d+))?", cell)
    return [f"{match[1]}{n}" for n in range(int(match[2]), int(match[3] or match[2]) + 1)] if match else []


def end_to_end_cases(root):
    """{module: [sentences]}, as the runner knows them."""
    runner = os.path.join(root, "tests/e2e/run.py")
    if not os.path.isfile(runner):
        return {}
    done = subprocess.run([sys.executable, runner, "--binary", "none", "--list"], capture_output=True, text=True, check=True)
    found = {}
    for line in done.stdout.splitlines():
        module, _, sentence = line.partition(": ")
        found.setdefault(module, []).append(sentence)
    return found


def fault_of(root, path, words, cases):
    files = sorted(glob.glob(os.path.join(root, path)))
    if not files:
        return f"{path} does not exist"
    for name in files:
        if name.endswith(".http"):
            with open(name, encoding="utf-8") as file:
                if not re.search(r"^=== .+ \| .+", file.read(), re.MULTILINE):
                    return f"{os.path.relpath(name, root)} holds no case"
    if words is None:
        return None
    if path.startswith(E2E):
        # A row's id is a word of its own: F1 is not F10.
        wanted = words + " " if re.fullmatch(r"[FCS]\d+", words) else words
        module = os.path.basename(path).removesuffix(".py")
        return None if any(wanted in sentence for sentence in cases.get(module, [])) else f"{path} has no case '{words}'"
    text = ""
    for name in files:
        with open(name, encoding="utf-8") as file:
            text += file.read()
    if path.endswith(".cc"):
        found = re.search(r"\b(?:TYPED_)?TEST(?:_F|_P)?\(\w+,\s*" + re.escape(words) + r"\)", text)
    else:
        found = re.search(r'"' + re.escape(words) + r'"|\bdef ' + re.escape(words) + r"\(", text)
    return None if found else f"{path} has no test '{words}'"


def check(root):
    page = os.path.join(root, PAGE)
    if not os.path.isfile(page):
        yield f"{PAGE} does not exist"
        return
    cases = end_to_end_cases(root)
    missing = set(ROWS)
    with open(page, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for number, line in enumerate(lines, 1):
        for path, words in NAMED.findall(line):
            fault = fault_of(root, path, words or None, cases)
            if fault:
                yield f"{PAGE}:{number}: {fault}"
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        rows = rows_of(cells[0])
        if rows:
            missing -= set(rows)
            if not NAMED.search(cells[-1]):
                yield f"{PAGE}:{number}: {cells[0]} names no test"
    for row in ROWS:
        if row in missing:
            yield f"{PAGE}: the row {row} is missing"

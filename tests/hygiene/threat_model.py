"""Every claim of the pages named below names the test that holds it, and that test exists.

A claim is a row of a table whose last column is headed `held by`. There, and everywhere else on a page, a test is
named in backquotes: `tests/PATH` for a file or folder, `tests/PATH: WORDS` for one test in it, whose name or
sentence holds these words.
"""

import os
import re

PAGES = ("docs/threat-model.md", "docs/carriers-coverage.md", "docs/reidentification.md", "docs/vault-coverage.md")
HEAD = "held by"
NAMED = re.compile(r"`(tests/[^`:\s]+)(?:: ([^`]+))?`")


def fault_of(root, path, words):
    """What is wrong with one named test; None for nothing."""
    full = os.path.join(root, path)
    if not os.path.exists(full):
        return f"{path} does not exist"
    if words is None:
        return None
    if not os.path.isfile(full):
        return f"{path} is no file to look for '{words}' in"
    with open(full, encoding="utf-8") as file:
        text = file.read()
    if path.endswith((".cc", ".h")):
        found = re.search(r"\bTEST(?:_F|_P)?\(\w+,\s*" + re.escape(words) + r"\)", text) or re.search(
            r"\bTYPED_TEST\(\w+,\s*" + re.escape(words) + r"\)", text
        )
    else:
        found = any(words in sentence for sentence in re.findall(r'@case\(\s*"((?:[^"\\]|\\.)*)"', text))
    return None if found else f"{path} has no test '{words}'"


def check(root):
    for page in PAGES:
        yield from check_page(root, page)


def check_page(root, page):
    path = os.path.join(root, page)
    if not os.path.isfile(path):
        return
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    claims, in_table = 0, False
    for number, line in enumerate(lines, 1):
        for name, words in NAMED.findall(line):
            fault = fault_of(root, name, words or None)
            if fault:
                yield f"{page}:{number}: {fault}"
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")] if line.startswith("|") else []
        if not cells:
            in_table = False
        elif cells[-1].lower() == HEAD:
            in_table = True
        elif in_table and not set(line) <= set("|- "):
            claims += 1
            if not NAMED.search(cells[-1]):
                yield f"{page}:{number}: the claim names no test"
    if claims == 0:
        yield f"{page}: no claim in a table whose last column is '{HEAD}'"

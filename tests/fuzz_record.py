#!/usr/bin/env python3
"""Adds the outcome of one run of fuzz_run.py to a table that is committed.

  fuzz_record.py TABLE TARGET LOG CORPUS_DIR

The table has a line per target: processor seconds and executions of every run so far, and of the last one its date,
its speed, the edges and features that its corpus reaches and the inputs committed. A target whose run ended with a
finding keeps its old line and is marked, so that the table never says more than what held.
"""

import datetime
import os
import re
import sys

HEAD = "target seconds executions last-run per-second edges features inputs state"


def read_table(path):
    try:
        with open(path, encoding="ascii") as file:
            lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    except FileNotFoundError:
        return {}
    return {line[0]: line[1:] for line in lines if line != HEAD.split()}


def record(path, target, log, corpus):
    with open(log, encoding="utf-8", errors="replace") as file:
        text = file.read()
    table = read_table(path)
    old = table.get(target, ["0", "0", "never", "0", "0", "0", "0", "new"])
    run = re.findall(r"^fuzzed (\d+) (\d+) (\d+) (\d+)$", text, re.MULTILINE)
    if not run:
        table[target] = [*old[:-1], "finding"]
    else:
        seconds, executed, edges, features = map(int, run[-1])
        table[target] = [
            str(int(old[0]) + seconds),
            str(int(old[1]) + executed),
            datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
            str(executed // max(1, seconds)),
            str(edges),
            str(features),
            str(sum(1 for name in os.listdir(corpus) if os.path.isfile(os.path.join(corpus, name)))),
            "clean",
        ]
    rows = [HEAD.split(), *([name, *table[name]] for name in sorted(table))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    new = path + ".new"
    with open(new, "w", encoding="ascii") as file:
        file.write("# Long fuzzing, added to by tests/long.sh fuzz; address and undefined-behaviour sanitizers, one core a target.\n")
        for row in rows:
            file.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() + "\n")
    os.replace(new, path)


if __name__ == "__main__":
    record(*sys.argv[1:5])

#!/usr/bin/env python3
"""Writes the page of one run (bench/RESULTS.md): a row per target, then what every peer did.

  results_page.py DIR        DIR as bench/run.sh leaves it
"""

import json
import pathlib
import statistics
import sys

import added_latency
import stats

# (target, workload, what it is, peer, metric, limit, goal): T1 to T8, T10, T11 and T15 of the house's table. For calls per
# request the figure is ours, not a ratio.
TARGETS = [
    ("T1", stats.GET, "requests per second against nginx, at least", "nginx", "requests_per_second", 0.95, 1.10),
    ("T2", stats.GET, "requests per second against the raw relay, at least", "relay-floor",
     "requests_per_second", 0.75, 0.85),
    ("T3", stats.GET, "system calls per request, at most", None, "calls", 7, 6),
    ("T4", stats.FORM, "CPU per request against nginx, at most", "nginx", "cpu_us_per_request", 1.15, 1.00),
    ("T5", stats.FORM, "CPU per request against nginx + Lua, at most", "nginx-lua",
     "cpu_us_per_request", 0.60, 0.50),
    ("T5 typical", stats.FORM, "CPU per request against nginx + Lua as usually written, at most", "nginx-lua-typical",
     "cpu_us_per_request", 0.60, 0.45),
    ("", stats.FORM, "system calls per request, at most", None, "calls", 6, 6),
    ("T6", stats.BATCH, "CPU per request against nginx + Lua with cjson, at most", "nginx-lua",
     "cpu_us_per_request", 0.33, 0.20),
    ("T7", stats.BATCH, "CPU microseconds above nginx, at most", "nginx", stats.ABOVE, 60.0, 40.0),
    ("T8", stats.UPLOAD, "bytes per second against nginx, at least", "nginx", "requests_per_second", 0.85, 0.95),
    ("T10", stats.TLS_FORM, "CPU per request against nginx, at most", "nginx", "cpu_us_per_request", 1.11, 1.00),
    ("T11", stats.HANDSHAKE, "CPU per full handshake and GET against nginx, at most", "nginx", "cpu_us_per_request",
     1.11, 1.02),
    ("T11", stats.RESUMPTION, "CPU per resumed handshake and GET against nginx, at most", "nginx", "cpu_us_per_request",
     1.11, 1.02),
    ("T15", stats.GZIP, "CPU per request against the same without gzip, at most", stats.PLAIN_BATCH,
     "cpu_us_per_request", 1.25, 1.10),
]


def judge(more, low, high, limit, goal):
    """By the interval's worse end."""
    if (low >= goal) if more else (high <= goal):
        return "goal met"
    if (low >= limit) if more else (high <= limit):
        return "limit kept"
    return "missed"


def target_rows(ratios, calls):
    """(target, workload, what, limit, goal, measured, verdict) of every target that the run has a figure for."""
    rows = []
    for name, workload, what, peer, metric, limit, goal in TARGETS:
        if metric == "calls":
            ours = calls.get(workload, {}).get(stats.US)
            if ours is None:
                continue
            rows.append((name, workload, what, f"{limit}", f"{goal}", f"{ours:.2f}",
                         judge(False, ours, ours, limit, goal)))
            continue
        for row in ratios:
            if (row["workload"], row["peer"], row["metric"]) != (workload, peer, metric):
                continue
            verdict = judge(metric in stats.MORE_IS_BETTER, row["low"], row["high"], limit, goal)
            rows.append((name, workload, what, f"{limit:.2f}", f"{goal:.2f}",
                         f"{row['ratio']:.3f} ({row['low']:.3f} to {row['high']:.3f})",
                         "void" if row["void"] else verdict))
    return rows


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def peer_rows(rows, calls):
    result = []
    for peer in dict.fromkeys(row["peer"] for row in rows):
        own = [row for row in rows if row["peer"] == peer]

        def median(field, own=own):
            return statistics.median(row[field] for row in own)

        result.append((peer, f"{median('proxy_cpu_us'):.2f}", f"{median('requests_per_second'):.0f}",
                       f"{median('p50_us'):.0f}", f"{median('p99_us'):.0f}",
                       f"{median('proxy_cpu_busy'):.0%}",
                       f"{calls[peer]:.2f}" if calls.get(peer) else "-"))
    return result


def latency_section(lines):
    """Added latency in microseconds, where the run measured it."""
    if not lines:
        return []
    rows = []
    for line in lines:
        limit, goal = added_latency.QUANTILES[line["quantile"]]
        ours = line["peer"] == stats.US
        rows.append((line["peer"], line["quantile"].replace("_us", ""), f"{line['added_us']:.1f}",
                     f"{line['low']:.1f} to {line['high']:.1f}", f"{limit} / {goal}" if ours else "",
                     f"{line['of_nginx']:.2f}" if "of_nginx" in line else "", line.get("verdict", "")))
    return ["", "## Added latency (T14)", "",
            "Open loop at half of the slowest peer's rate: through the proxy minus straight to the application, microseconds.",
            "", *table(("peer", "quantile", "added", "95 % interval", "limit / goal", "of nginx's", "verdict"), rows)]


def page(rows, ratios, calls, facts, latency=()):
    settings = facts["settings"]
    lines = ["# Results", "",
             "The latest run of `bench/run.sh --results`, which writes this page; `bench/README.md` says how it measures. Ratios are ours",
             "divided by the peer's, the median of the rounds with its bootstrap 95 % interval; a verdict takes the interval's worse",
             "end. A void figure is not a figure.", "",
             f"{facts['processor']}, kernel {facts['kernel']}; commit {(facts['commit'] or 'unknown')[:12]}"
             f"{' with uncommitted changes' if facts['uncommitted'] else ''}; {facts['compiler']}; "
             f"{settings['rounds']} rounds of {settings['window']} s, {settings['connections']} connections.",
             "Packages: " + ", ".join(f"{name} {version}" for name, version in facts["packages"].items()
                                      if version) + ".", "",
             "## Targets", ""]
    lines += table(("target", "workload", "what", "limit", "goal", "measured", "verdict"),
                   target_rows(ratios, calls))
    lines += ["", "T22, allocations per request in the steady state: 0, by the tests `net_steady_state_test` (the whole gateway),",
              "`pipeline_steady_state_test`, `body_steady_state_test` and their like in every room. Instructions per script:",
              "`bench/instructions/expected.json`."]
    for workload, own in stats.by_workload(rows).items():
        lines += ["", f"## {workload}", ""]
        lines += table(("peer", "CPU us/request", "requests/s", "p50 us", "p99 us", "proxy CPU", "calls/request"),
                       peer_rows(own, calls.get(workload, {})))
        lines.append("")
        lines += table(("ours / theirs", "metric", "ratio", "95 % interval", "null control", ""),
                       [(row["peer"], row["metric"], f"{row['ratio']:.3f}",
                         f"{row['low']:.3f} to {row['high']:.3f}", f"{row['null_control']:.3f}",
                         "void" if row["void"] else "")
                        for row in ratios if row["workload"] == workload])
    lines += latency_section(latency)
    reasons = sorted({reason for row in ratios for reason in row["void_reasons"]})
    if reasons:
        lines += ["", "Void because of:", ""] + [f"* {reason}" for reason in reasons]
    return "\n".join(lines) + "\n"


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    folder = pathlib.Path(arguments[0])
    ratios = json.loads((folder / "ratios.json").read_text(encoding="utf-8"))
    facts = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    measured = folder / "latency.json"
    latency = json.loads(measured.read_text(encoding="utf-8")) if measured.exists() else []
    sys.stdout.write(page(stats.read_lines(folder / "rounds.jsonl"), ratios,
                          stats.read_calls(folder / "syscalls.jsonl"), facts, latency))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

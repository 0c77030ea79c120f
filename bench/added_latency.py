#!/usr/bin/env python3
"""Added latency: what a request waits longer through a proxy than straight to the application, in one run.

  added_latency.py rate DIR      prints the rate of the open-loop rounds: half of what the slowest proxy answered in
                                 the closed rounds of the form (rounds.jsonl)
  added_latency.py report DIR    reads latency.jsonl; writes latency.json and prints the table

A round measures every peer and the application itself at the same rate, requests leaving at fixed instants and
counted from them. A quantile's added latency is the difference of the two quantiles of that round; the figure is the
median of the rounds with its bootstrap 95 % interval. Exit code 5 when a request failed or was not answered.
"""

import json
import pathlib
import statistics
import sys

import stats

DIRECT = "direct"
OURS = (stats.US, stats.POLLING)
FLOOR = "relay-floor"  # what two more wake-ups cost where nothing is done between them
PEERS = ("nginx", stats.NULL, FLOOR, "haproxy", "nginx-lua", *OURS)
# quantile -> (limit, goal) in microseconds: T14 of the house's table; besides at most 1.15 times nginx's own.
QUANTILES = {"p50_us": (60, 35), "p99_us": (300, 150), "p999_us": (2000, 1000)}
AGAINST_NGINX = 1.15


def rate_of(rows):
    slowest = min(statistics.median(row["requests_per_second"] for row in rows
                                    if row["workload"] == stats.FORM and row["peer"] == peer)
                  for peer in PEERS if any(row["peer"] == peer for row in rows))
    return max(1, int(slowest / 2))


def added(rounds, peer, quantile):
    return [found[peer][quantile] - found[DIRECT][quantile] for found in rounds.values()]


def judge(quantile, high, ratio_high):
    limit, goal = QUANTILES[quantile]
    kept = "goal met" if high <= goal else "limit kept" if high <= limit else "missed"
    if ratio_high is not None and ratio_high > AGAINST_NGINX:
        kept += f", more than {AGAINST_NGINX} of nginx's"
    return kept


def report(rows):
    """A line per peer and quantile: microseconds added, and ours and the null control's as a ratio of nginx's own."""
    rounds = stats.by_round(rows)
    result = []
    for peer in PEERS:
        if not any(row["peer"] == peer for row in rows):
            continue
        for quantile in QUANTILES:
            value, low, high = stats.interval_of_median(added(rounds, peer, quantile))
            line = {"workload": stats.FORM, "peer": peer, "quantile": quantile, "added_us": round(value, 2),
                    "low": round(low, 2), "high": round(high, 2), "rounds": len(rounds)}
            if peer in OURS or peer == stats.NULL:
                # Only where nginx adds something can ours be so many times of it.
                pairs = [(ours, theirs) for ours, theirs in
                         zip(added(rounds, peer, quantile), added(rounds, stats.BASE, quantile)) if theirs > 0]
                ratio_high = None
                if pairs:
                    ratio, ratio_low, ratio_high = stats.interval_of_median([ours / theirs for ours, theirs in pairs])
                    line |= {"of_nginx": round(ratio, 3), "of_nginx_low": round(ratio_low, 3),
                             "of_nginx_high": round(ratio_high, 3)}
                if peer in OURS:
                    line["verdict"] = judge(quantile, high, ratio_high)
            result.append(line)
    return result


def faults_of(rows):
    return [f"{row['peer']}, round {row['round']}: {row['errors']} errors, {row['answered']} of {row['requests']} answered"
            for row in rows if row["errors"] > 0 or row["answered"] != row["requests"]]


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in ("rate", "report"):
        print(__doc__, file=sys.stderr)
        return 2
    folder = pathlib.Path(arguments[1])
    if arguments[0] == "rate":
        print(rate_of(stats.read_lines(folder / "rounds.jsonl")))
        return 0
    rows = stats.read_lines(folder / "latency.jsonl")
    # Two seconds of somebody else's compiler spoil a 99.9th percentile: what voids the closed rounds voids these.
    disturbed = stats.disturbances(stats.read_lines(folder / "rounds.jsonl"))
    result = [line | {"void": bool(disturbed)} | ({"verdict": "void"} if disturbed and "verdict" in line else {})
              for line in report(rows)]
    (folder / "latency.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"\nadded latency at {rows[0]['rate']:.0f} requests/s, microseconds")
    for line in result:
        beside = f"  {line['of_nginx']:.2f} of nginx's  {line.get('verdict', '')}".rstrip() if "of_nginx" in line else ""
        print(f"{line['peer']:<15} {line['quantile'].replace('_us', ''):<5} {line['added_us']:>9.1f}  "
              f"{line['low']:.1f} to {line['high']:.1f}{beside}")
    faults = faults_of(rows)
    for fault in faults:
        print(f"VOID: {fault}")
    return 5 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

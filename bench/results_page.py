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
import target_table

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
                       f"{calls[peer]:.2f}" if calls.get(peer) else "-", stats.switches_per_request(own)))
    return result


def latency_section(lines):
    """Added latency in microseconds, where the run measured it."""
    if not lines:
        return []
    rows = []
    for line in lines:
        limit, goal = added_latency.QUANTILES[line["quantile"]]
        ours = line["peer"] in added_latency.OURS
        rows.append((line["peer"], line["quantile"].replace("_us", ""), f"{line['added_us']:.1f}",
                     f"{line['low']:.1f} to {line['high']:.1f}", f"{limit} / {goal}" if ours else "",
                     target_table.interval(line["of_nginx"], line["of_nginx_low"], line["of_nginx_high"]) if "of_nginx" in line else "",
                     line.get("verdict", "")))
    return ["", "## Added latency (T14)", "",
            "Open loop at half of the slowest peer's rate: through the proxy minus straight to the application, microseconds. nginx-null: the same nginx once more.",
            "", *table(("peer", "quantile", "added", "95 % interval", "limit / goal", "of nginx's", "verdict"), rows)]


def other_sections(others):
    """What the programs of others.py found beyond their targets."""
    lines = []
    if "scaling" in others:
        lines += ["", "## Two workers against one", "",
                  *table(("workload", "connections", "CPU us/request, one", "two", "in two processes", "two against one", "against two processes",
                          "switches/request, one", "two", "in two processes", "requests/s, two against one"),
                         [(line["workload"], str(line["connections"]), *[f"{line[role]['proxy_cpu_us']:.2f}" for role in ("one", "two", "apart")],
                           target_table.interval(*line["cpu_us_per_request"]), target_table.interval(*line["cpu_of_apart"]),
                           *[f"{line[role]['proxy_switches']:.3f}" for role in ("one", "two", "apart")],
                           target_table.interval(*line["requests_per_second"]))
                          for line in others["scaling"]])]
    lines += durable_section(others) + stored_section(others)
    if "reveal" in others:
        lines += reveal_section(others["reveal"])
    if "counted" in others:
        lines += counted_section(others["counted"])
    return lines + idle_section(others)


def durable_section(others):
    own = [(disk, others[name]) for disk, name in (("as it is", "durable-tokens"), ("1000 us", "durable-tokens-1ms")) if name in others]
    kinds = (("new tokens, 64 in flight", "many"), ("new tokens, one in flight", "one"), ("rows of a file with an fsync each", "fsync"),
             ("forms, one new token of ten", "mixed"))
    return ["", "## Durable new tokens (W8)", "",
            *table(("fsync", *[f"{what}, a second" for what, _ in kinds], "64 in flight against a bare fsync each", "against one in flight"),
                   [(disk, *[f"{one['per_second'][key]:.0f}" for _, key in kinds], target_table.interval(*one["against_one_fsync_each"]),
                     target_table.interval(*one["against_one_in_flight"])) for disk, one in own])] if own else []


def stored_section(others):
    """Requests with five stored tokens, by when these were used last."""
    lines = others.get("stored-tokens", {}).get("lines", [])
    kinds = (("used before today", "steady"), ("first use of the day", "daily"), ("one new one instead of five", "new"), ("first use of the day, noted", "noted"),
             ("first use since the gateway's start", "first"))
    return ["", "## Stored tokens, five a request", "",
            *table(("stored", "the tokens were", "CPU us/request", "among 10^3", "ratio", "p99, ratio"),
                   [(str(line["stored"]), what, f"{line[state]['cpu']:.2f}", f"{line[state]['cpu_base']:.2f}",
                     target_table.interval(*line[state]["cpu_ratio"]), target_table.interval(*line[state]["p99_ratio"]))
                    for line in lines for what, state in kinds if state in line]),
            "", "All but the first with what the store does afterwards, behind the traffic. Noted: where a retention counts from the last contact and the",
            "route says no person, so that the row is written again. A token's first use in a new epoch (each month) is such a write as well."] if lines else []


def reveal_section(lines):
    """Re-identification with its durable record (W9): medians of the rounds."""
    found = {}
    for line in lines:
        if "tokens_per_second" in line:
            found.setdefault((line["what"], line["fsync_us"]), []).append(line)

    def median(own, field):
        return statistics.median(line[field] for line in own)

    disk = {0: "as it is"}
    return ["", "## Re-identification (W9)", "", "Through the admin API, each answer after its entry in the record is durable.", "",
            *table(("what", "fsync", "tokens/s", "p50 ms", "p99 ms", "CPU us/token"),
                   [(what, disk.get(us, f"{us} us"), f"{median(own, 'tokens_per_second'):.0f}", f"{median(own, 'p50_ms'):.2f}",
                     f"{median(own, 'p99_ms'):.2f}", f"{median(own, 'gateway_cpu_us_per_token'):.1f}") for (what, us), own in found.items()])]


def counted_section(lines):
    return ["", "## Allocations and syncs", "",
            "Counted in windows of their own, by the slope between a short one and one three times as long.", "",
            *table(("workload", "heap allocations/request, its worker", "all threads", "fsyncs for 1000"),
                   [(line["workload"], f"{line['worker']:.4f}", f"{line['all']:.4f}", f"{line['syncs_per_thousand']:.2f}") for line in lines])]


def idle_section(others):
    own = [(kind, others[name]) for kind, name in (("plain", "idle-plain"), ("TLS", "idle-tls")) if name in others]
    return ["", "## Memory of an idle connection", "",
            *table(("kind", "connections", "KiB of the gateway", "KiB of the kernel, both ends"),
                   [(kind, f"{one['points'][0][0]} to {one['points'][1][0]}", f"{one['kib_per_connection']:.2f}",
                     f"{one['kernel_kib_per_connection']:.2f}") for kind, one in own])] if own else []


def more_rounds(rows, planned):
    """Of whom more rounds were measured, because the first ones left it open (stats.is_open())."""
    counts = {workload: len({row["round"] for row in own}) for workload, own in stats.by_workload(rows).items()}
    more = [f"{workload} {count}" for workload, count in counts.items() if count > planned]
    return ["", "More rounds, added to the first ones and nothing left out, where nginx differed from itself or a goal lay within the interval: " +
            ", ".join(more) + "."] if more else []


def provenance(facts, others):
    """The command, and what is not of its run."""
    command = facts.get("command")
    lines = [f"`{command}`, from {facts['started']} UTC; `paravent_micro` (T16 to T18, T21, unsealing) is of the build that has the tools."] if command else []
    later = [f"{name} ({one['commit'][:12]}, {one['at']})" for name, one in others.get("when", {}).items()
             if facts.get("commit") and not facts["commit"].startswith(one["commit"])]
    return lines + (["Of another commit: " + ", ".join(later) + "."] if later else [])


def page(rows, ratios, calls, facts, latency=(), others=None, soak=None):
    settings = facts["settings"]
    lines = ["# Results", "",
             "The latest run of `bench/run.sh --results`, which writes this page; `bench/README.md` says how it measures. Ratios are ours",
             "divided by the peer's, the median of the rounds with its bootstrap 95 % interval; a verdict takes the interval's worse",
             "end. A void figure is not a figure.", "",
             f"{facts['processor']}, kernel {facts['kernel']}; commit {(facts['commit'] or 'unknown')[:12]}"
             f"{' with uncommitted changes' if facts['uncommitted'] else ''}; {facts['compiler']}, `{(facts.get('gateway') or {}).get('flags') or 'flags unknown'}`; "
             f"{settings['rounds']} rounds of {settings['window']} s, {settings['connections']} connections.",
             *provenance(facts, others or {}),
             "Packages: " + ", ".join(f"{name} {version}" for name, version in facts["packages"].items()
                                      if version) + ".",
             *more_rounds(rows, int(settings["rounds"])), "",
             "## Targets", ""]
    lines += table(("target", "workload", "what", "limit", "goal", "stretch", "measured", "verdict", "what limits it"),
                   target_table.rows(ratios, calls, latency, others, soak, bool(rows) and bool(stats.disturbances(rows)), rows))
    lines += ["", "What has no interval is one figure. Where nothing was measured, the verdict's place names what measures it. Instructions",
              "per script: `bench/instructions/expected.json`; what it costs as it grows: `bench/growth.py`, which writes a page with plots; what was tried where a target is",
              "missed: `docs/speed.md`."]
    lines += other_sections(others or {})
    for workload, own in stats.by_workload(rows).items():
        lines += ["", f"## {workload}", ""]
        lines += table(("peer", "CPU us/request", "requests/s", "p50 us", "p99 us", "proxy CPU", "calls/request", "switches/request"),
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
                          stats.read_calls(folder / "syscalls.jsonl"), facts, latency, target_table.read_others(folder),
                          target_table.read_soak()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""The statistics of bench/run.sh: ratios per round, their median and interval, and the verdict.

  stats.py report DIR        reads rounds.jsonl, counts-*.json, syscalls.jsonl; writes ratios.json and
                             prints the table. Exit code 5 when the witness saw unprotected fields.
  stats.py open DIR          the workloads that want more rounds, each with the number of its next one
  stats.py more DIR          what `run.sh --more` begins with: sitting, rounds, warm-up, window, connections, gateway
  stats.py syscalls WORKLOAD PEER STRACE-FILE COUNTS-BEFORE COUNTS-AFTER
"""

import collections
import json
import math
import pathlib
import random
import statistics
import sys

FORM, GET = "form-post-5-fields", "get-1-kib"
BATCH, GZIP = "json-batch-20-events", "json-batch-gzip"
UPLOAD = "upload-10-mib"
TLS_FORM, HANDSHAKE, RESUMPTION = "form-post-tls", "tls-handshake", "tls-resumption"
TLS_GET = "get-tls"
# W1 over other numbers of connections than 64.
GETS = tuple(f"get-1-kib-{connections}" for connections in (1, 16, 256))
US = "paravent"
POLLING = "paravent-busy-poll"  # the same with busy-poll-us: 50
PLAIN = "paravent-plain"  # the same, sent the batch without gzip, in the rounds of the one with it (T15)
BASE, NULL = "nginx", "nginx-null"
PEERS = ("nginx", "haproxy", "nginx-lua", "nginx-lua-light", "nginx-lua-typical", "nginx-njs", "relay-floor")

# Name in the result -> name in a round. Ratios are ours / theirs: lower is better but for requests.
METRICS = {
    "cpu_us_per_request": "proxy_cpu_us",
    "requests_per_second": "requests_per_second",
    "latency_p50": "p50_us",
    "latency_p99": "p99_us",
}

# Not a ratio: microseconds of CPU per request more than the peer's (T7).
ABOVE = "cpu_us_above"
# What both spend above nginx's plain proxying, ours divided by the peer's: the other reading of T6
# (docs/decisions/0060).
ABOVE_NGINX = "cpu_us_above_nginx"
# (workload, peer, metric) -> (limit, goal): DESIGN 6 and the targets T1, T2, T4 to T8, T10, T11, T15. The interval's
# worse end counts; more is better for requests per second.
GOALS = {
    (FORM, "nginx", "cpu_us_per_request"): (1.15, 1.00),
    (FORM, "nginx-lua", "cpu_us_per_request"): (0.60, 0.50),
    (FORM, "nginx-lua-typical", "cpu_us_per_request"): (0.60, 0.45),
    (BATCH, "nginx-lua", "cpu_us_per_request"): (0.33, 0.20),
    (BATCH, "nginx-lua", ABOVE_NGINX): (0.33, 0.20),
    (BATCH, "nginx", ABOVE): (60.0, 40.0),
    (GZIP, PLAIN, "cpu_us_per_request"): (1.25, 1.10),
    (TLS_FORM, "nginx", "cpu_us_per_request"): (1.11, 1.00),
    (TLS_GET, "nginx", "cpu_us_per_request"): (1.11, 1.00),
    (HANDSHAKE, "nginx", "cpu_us_per_request"): (1.11, 1.02),
    (RESUMPTION, "nginx", "cpu_us_per_request"): (1.11, 1.02),
    (GET, "nginx", "requests_per_second"): (0.95, 1.10),
    # What counts in its place where the load was the limit; likewise below.
    (GET, "nginx", "cpu_us_per_request"): (1.05, 0.91),
    # Each upload has the same size, so this is the ratio of bytes per second too.
    (UPLOAD, "nginx", "requests_per_second"): (0.85, 0.95),
    (UPLOAD, "nginx", "cpu_us_per_request"): (1.18, 1.05),
    (GET, "relay-floor", "requests_per_second"): (0.75, 0.85),
    (GET, "relay-floor", "cpu_us_per_request"): (1.33, 1.18),
}
MORE_IS_BETTER = ("requests_per_second",)

NULL_BAND = (0.97, 1.03)
MAX_STEAL = 0.03
MAX_FOREIGN = 0.05
RESAMPLES = 4000
FEWER_RESAMPLES = 1000  # of whole histograms, which take longer to add up
FORMS = 2048  # of the pool: each has an e-mail address of its own


def interval_of_median(values, seed=1):
    """Median and its bootstrap 95 % percentile interval (Efron); the seed makes it repeatable."""
    if not values:
        raise ValueError("no rounds")
    draw = random.Random(seed)
    medians = sorted(
        statistics.median(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    low = medians[int(0.025 * (RESAMPLES - 1))]
    high = medians[int(0.975 * (RESAMPLES - 1))]
    return statistics.median(values), low, high


def quantile_of(histograms, part):
    """The quantile of several [[value, how many], ...] (load --histogram) taken together: the bucket's upper edge."""
    together = collections.Counter()
    for histogram in histograms:
        for value, count in histogram:
            together[value] += count
    wanted, seen = part * sum(together.values()), 0
    for value in sorted(together):
        seen += together[value]
        if seen >= wanted:
            return value
    raise ValueError("no latencies")


def interval_of_quantile_ratio(above, below, part, seed=1):
    """Of two lists of histograms, a round in each place: the ratio of the quantiles over all rounds, with its bootstrap 95 % interval over
    rounds. Where few stalls in a round decide what its p99 is, the rounds' own p99 jump between two values, and so would their median."""
    if not above or len(above) != len(below):
        raise ValueError("no rounds, or not the same of both")
    draw = random.Random(seed)
    rounds = range(len(above))
    ratios = []
    for _ in range(FEWER_RESAMPLES):
        drawn = draw.choices(rounds, k=len(above))
        ratios.append(quantile_of([above[one] for one in drawn], part) / quantile_of([below[one] for one in drawn], part))
    ratios.sort()
    return (quantile_of(above, part) / quantile_of(below, part),
            ratios[int(0.025 * (FEWER_RESAMPLES - 1))], ratios[int(math.ceil(0.975 * (FEWER_RESAMPLES - 1)))])


def by_round(rows):
    """{round: {peer: row}}, only rounds in which every peer was measured."""
    rounds = {}
    for row in rows:
        rounds.setdefault(int(row["round"]), {})[row["peer"]] = row
    peers = {row["peer"] for row in rows}
    return {number: found for number, found in sorted(rounds.items()) if set(found) == peers}


def ratios(rounds, ours, theirs, field):
    return [found[ours][field] / found[theirs][field] for found in rounds.values()]


def disturbances(rows):
    """Reasons that void the whole run, whatever the metric."""
    reasons = []
    steal = statistics.fmean(row["steal"] for row in rows)
    foreign = statistics.fmean(row["foreign"] for row in rows)
    if steal > MAX_STEAL:
        reasons.append(f"the host took {steal:.1%} of the processors (steal); at most {MAX_STEAL:.0%}")
    if foreign > MAX_FOREIGN:
        reasons.append(f"other programs used {foreign:.1%} of the processors; at most {MAX_FOREIGN:.0%}")
    return reasons


def by_workload(rows):
    """{workload: rows}, in the order of the run."""
    found = {}
    for row in rows:
        found.setdefault(row["workload"], []).append(row)
    return found


def compare(rows):
    """The list that CONTRACTS names, with the reasons for void rows beside."""
    lines = [line for workload, own in by_workload(rows).items() for line in compare_one(workload, own)]
    return lines + compare_batches(rows, lines)


def compare_batches(rows, lines):
    """What is no ratio to a peer of the same workload; void where the CPU figures it is made of are."""
    rounds = {workload: by_round([row for row in rows if row["workload"] == workload]) for workload in (BATCH, GZIP)}

    def cpu(workload, peer):
        return [found[peer]["proxy_cpu_us"] for found in rounds[workload].values() if peer in found]

    ours, theirs, lua = cpu(BATCH, US), cpu(BATCH, BASE), cpu(BATCH, "nginx-lua")
    packed, plain = cpu(GZIP, US), cpu(GZIP, PLAIN)
    found = []
    if ours and theirs:
        found.append((BATCH, BASE, ABOVE, [a - b for a, b in zip(ours, theirs)]))
    # A peer that costs no more than nginx in some round leaves nothing to divide by.
    if ours and lua and all(c > b for b, c in zip(theirs, lua)):
        found.append((BATCH, "nginx-lua", ABOVE_NGINX, [(a - b) / (c - b) for a, b, c in zip(ours, theirs, lua)]))
    if packed and plain:
        found.append((GZIP, PLAIN, "cpu_us_per_request", [a / b for a, b in zip(packed, plain) if b > 0]))
    result = []
    for workload, peer, metric, values in found:
        if not values:
            continue
        value, low, high = interval_of_median(values)
        like = next((line for line in lines if (line["workload"], line["peer"], line["metric"])
                     == (workload, BASE, "cpu_us_per_request")), None)
        if like is None:
            continue
        result.append(like | {"peer": peer, "metric": metric, "ratio": round(value, 4), "low": round(low, 4),
                              "high": round(high, 4)})
    return result


def compare_one(workload, rows):
    rounds = by_round(rows)
    common = disturbances(rows)
    measured = {row["peer"] for row in rows}
    # A machine so busy that somebody answered nothing has no ratio there, and the rest are void.
    empty = [number for number, found in rounds.items() if any(row["requests"] == 0 for row in found.values())]
    if empty:
        common = [*common, f"somebody answered nothing in {len(empty)} of {len(rounds)} rounds"]
        rounds = {number: found for number, found in rounds.items() if number not in empty}
    if not rounds or not {BASE, NULL} <= measured:
        return []  # interrupted in its first round
    result = []
    for metric, field in METRICS.items():
        null, null_low, null_high = interval_of_median(ratios(rounds, NULL, BASE, field))
        reasons = list(common)
        if null_low < NULL_BAND[0] or null_high > NULL_BAND[1]:
            reasons.append(f"nginx against itself, {metric}: {null_low:.3f} to {null_high:.3f}, "
                           f"outside {NULL_BAND[0]} to {NULL_BAND[1]}")
        for peer in PEERS:
            if US not in measured or peer not in measured:
                continue
            ratio, low, high = interval_of_median(ratios(rounds, US, peer, field))
            result.append({
                "workload": workload, "peer": peer, "metric": metric,
                "ratio": round(ratio, 4), "low": round(low, 4), "high": round(high, 4),
                "null_control": round(null, 4), "null_low": round(null_low, 4),
                "null_high": round(null_high, 4), "void": bool(reasons), "void_reasons": reasons,
                "rounds": len(rounds),
            })
    return result


def witness_faults(before, after, rows):
    """What the backend saw that must not be. Nobody is compared who did not do the work."""
    faults = []
    sent = {}
    gets = {}
    uploads = {}
    batches = {}
    senders = {}
    service_of = {US: "tokens", PLAIN: "tokens", "nginx-lua": "peer-tokens", "nginx-lua-light": "changed",
                  "nginx-lua-typical": "changed", "nginx-njs": "changed"}
    tallies = dict.fromkeys((GET, *GETS, TLS_GET, HANDSHAKE, RESUMPTION), gets) | {BATCH: batches, GZIP: batches, UPLOAD: uploads}
    for row in rows:
        service = service_of.get(row["peer"], "clear")
        senders.setdefault(service, set()).add(US if row["peer"] == PLAIN else row["peer"])  # one gateway, with one's keys
        tally = tallies.get(row["workload"], sent)
        # Plain nginx passes a compressed batch as it is: nothing there to judge.
        if row["workload"] != GZIP or row["peer"] in (US, PLAIN):
            tally[service] = tally.get(service, 0) + row["requests"]
        if row["workload"] == RESUMPTION and row["resumed"] < 0.9 * row["requests"]:
            faults.append(f"{row['peer']}, round {row['round']}: only {row['resumed']} of {row['requests']} handshakes were resumed")
        if row["errors"] > 0:
            faults.append(f"{row['peer']}, round {row['round']}: {row['errors']} of "
                          f"{row['requests']} requests failed")
    for service, requests in batches.items():
        good = after[service]["batches"] - before[service]["batches"]
        bad = after[service]["bad_batches"] - before[service]["bad_batches"]
        if bad > 0 and service != "clear":
            faults.append(f"{bad} batches on the port '{service}' did not have the sixty values as they should be")
        if good < requests:
            faults.append(f"port '{service}': {requests} answers, but only {good} good batches came")
    for service, requests in uploads.items():
        bad = after[service].get("bad_uploads", 0) - before[service].get("bad_uploads", 0)
        if bad > 0:
            faults.append(f"{bad} uploads on the port '{service}' did not have their fields as they should be")
        came = after[service]["uploads"] - before[service]["uploads"]
        if came < requests:
            faults.append(f"port '{service}': {requests} answers, but only {came} uploads came")
    for service, requests in gets.items():
        came = after[service]["gets"] - before[service]["gets"]
        if came < requests:
            faults.append(f"port '{service}': {requests} answers, but only {came} GETs came")
    for service, requests in sent.items():
        good = after[service]["good"] - before[service]["good"]
        bad = after[service]["bad"] - before[service]["bad"]
        if bad > 0:
            faults.append(f"{bad} bodies on the port '{service}' did not have the five fields as "
                          f"they should be; the first: {after[service].get('first_bad', '')[:300]}")
        if good + bad < requests:
            faults.append(f"port '{service}': {requests} answers, but only {good + bad} bodies came")
        faults += repeat_faults(service, good, after[service]["distinct"], len(senders[service]))
    return faults


def repeat_faults(service, good, distinct, senders):
    """Equal values must give equal tokens, different ones different, and ciphertexts never repeat.

    Distinct values are told apart by 16 bits of a hash, so a count is somewhat low. `senders` peers share the
    service, each with keys of its own.
    """
    if service == "clear" or good < 4 * FORMS:
        return []
    faults = []
    # Twice the pool: an epoch may end during the run.
    if not 0.9 * FORMS <= distinct["email"] <= senders * (2 * FORMS + 2):
        faults.append(f"port '{service}': {FORMS} e-mail addresses became {distinct['email']} tokens")
    if not 10 <= distinct["city"] <= senders * 64:
        faults.append(f"port '{service}': 20 cities became {distinct['city']} pseudonyms")
    if distinct["name"] > senders * 0.6 * FORMS:
        faults.append(f"port '{service}': 576 names became {distinct['name']} tokens")
    if distinct["message"] < 0.5 * min(good, 65536):
        faults.append(f"port '{service}': only {distinct['message']} different encrypted messages")
    return faults


def syscalls_per_request(strace_text, requests):
    """Calls per request from strace -c, waiting included; None when nothing was served."""
    for line in strace_text.splitlines():
        words = line.split()
        if words and words[-1] == "total" and requests > 0:
            # "100.00 seconds usecs/call calls [errors] total"
            numbers = [word for word in words[:-1] if word.isdigit()]
            return int(numbers[1] if len(numbers) > 1 else numbers[0]) / requests
    return None


def main_syscalls(workload, peer, path, before, after):
    def bodies(text):
        return sum(service["good"] + service["bad"] + service["gets"] + service["batches"] + service["bad_batches"]
                   + service.get("uploads", 0)
                   for service in json.loads(text).values())

    requests = bodies(after) - bodies(before)
    calls = syscalls_per_request(pathlib.Path(path).read_text(encoding="utf-8"), requests)
    print(json.dumps({"workload": workload, "peer": peer, "requests": requests, "syscalls_per_request": calls}))


def read_lines(path):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def read_calls(path):
    """{workload: {peer: system calls per request}}"""
    calls = {}
    for row in read_lines(path):
        calls.setdefault(row["workload"], {})[row["peer"]] = row["syscalls_per_request"]
    return calls


def switches_per_request(rows):
    """Context switches of the proxy for each request, as text."""
    counted = [row["proxy_switches"] for row in rows if "proxy_switches" in row]
    return f"{statistics.median(counted):.3f}" if counted else "-"


def print_absolute(rows, calls):
    print(f"{'peer':<15} {'CPU us/req':>10} {'req/s':>9} {'p50 us':>8} {'p99 us':>8} "
          f"{'proxy CPU':>10} {'load CPU':>9} {'calls/req':>10} {'switches':>9}")
    for peer in dict.fromkeys(row["peer"] for row in rows):
        own = [row for row in rows if row["peer"] == peer]

        def median(field, own=own):
            return statistics.median(row[field] for row in own)

        shown = f"{calls[peer]:.2f}" if calls.get(peer) else "-"
        switches = switches_per_request(own)
        print(f"{peer:<15} {median('proxy_cpu_us'):>10.2f} {median('requests_per_second'):>9.0f} "
              f"{median('p50_us'):>8.0f} {median('p99_us'):>8.0f} "
              f"{median('proxy_cpu_busy'):>9.0%} {median('own_cpu_busy'):>8.0%}  {shown:>10} {switches:>9}")


def verdict(row):
    if row["void"]:
        return "void"
    goals = GOALS.get((row["workload"], row["peer"], row["metric"]))
    if not goals:
        return ""
    limit, goal = goals
    more = row["metric"] in MORE_IS_BETTER

    def reached(wanted):
        return row["low"] >= wanted if more else row["high"] <= wanted

    if reached(goal):
        return f"goal {goal:.2f} met"
    return f"limit {limit:.2f} " + ("kept" if reached(limit) else "MISSED")


def print_ratios(result):
    print(f"\n{'paravent / peer':<16} {'metric':<20} {'ratio':>6}  {'95 % interval':<16} "
          f"{'null':>6}")
    for row in result:
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        print(f"{row['peer']:<16} {row['metric']:<20} {row['ratio']:>6.3f}  {interval:<16} "
              f"{row['null_control']:>6.3f}  {verdict(row)}")


def sitting_of(row):
    return int(row.get("sitting", 0))


def faults_of_all(folder, rows):
    """Each sitting had a witness of its own."""
    faults = []
    for sitting in sorted({sitting_of(row) for row in rows}):
        before, after = (json.loads((folder / f"counts-{when}{f'-{sitting}' if sitting else ''}.json").read_text(encoding="utf-8"))
                         for when in ("before", "after"))
        faults += witness_faults(before, after, [row for row in rows if sitting_of(row) == sitting])
    return faults


def limited_by_the_load(rounds, workload, peer):
    """Requests per second say something where the proxy's processor is above 95 % and the other below 90 %."""
    own = [row for row in rounds if row["workload"] == workload and row["peer"] in (US, peer)]
    return any(row["proxy_cpu_busy"] <= 0.95 or row["own_cpu_busy"] >= 0.90 for row in own)


def is_open(row):
    """Whether the row is no figure yet, or its interval does not say on which side of the goal it is: whichever side that will be."""
    goals = GOALS.get((row["workload"], row["peer"], row["metric"]))
    if row["void"] and (goals is not None or row["metric"] == "cpu_us_per_request"):
        return True
    return goals is not None and row["low"] < goals[1] < row["high"]


def open_workloads(result, rounds=()):
    """Those with an open row, in the order of the run. Requests a second where the load was the limit are no figure however often they are
    measured; the row of CPU counts."""
    return list(dict.fromkeys(row["workload"] for row in result if is_open(row) and not (
        row["metric"] in MORE_IS_BETTER and limited_by_the_load(rounds, row["workload"], row["peer"]))))


def main_more(folder):
    """What another sitting begins with: its number, the settings of the run, and the gateway that it measured."""
    folder = pathlib.Path(folder)
    facts = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    settings = facts["settings"]
    sitting = 1 + max((sitting_of(row) for row in read_lines(folder / "rounds.jsonl")), default=0)
    print(sitting, settings["rounds"], settings["warm_up"], settings["window"], settings["connections"], facts["gateway"]["sha256"])


def main_open(folder):
    """Each open workload with the number of its next round."""
    rows = read_lines(pathlib.Path(folder) / "rounds.jsonl")
    for workload in open_workloads(compare(rows), rows):
        print(workload, 1 + max(int(row["round"]) for row in rows if row["workload"] == workload))


def main_report(folder):
    folder = pathlib.Path(folder)
    rows = read_lines(folder / "rounds.jsonl")
    calls = read_calls(folder / "syscalls.jsonl")
    result = compare(rows)
    faults = faults_of_all(folder, rows)
    if faults:
        for row in result:
            row["void"] = True
            row["void_reasons"] = row["void_reasons"] + faults
    (folder / "ratios.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")

    for workload, own in by_workload(rows).items():
        print(f"\n{workload}")
        print_absolute(own, calls.get(workload, {}))
        if result:
            print_ratios([row for row in result if row["workload"] == workload])
    if not result:
        null, low, high = interval_of_median(ratios(by_round(rows), NULL, BASE, "proxy_cpu_us"))
        print(f"\nnull control (nginx against itself, CPU): {null:.3f}, {low:.3f} to {high:.3f}")
    reasons = sorted({reason for row in result for reason in row["void_reasons"]}
                     | set(disturbances(rows)) | set(faults))
    for reason in reasons:
        print(f"VOID: {reason}")
    return 5 if faults else 0


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "report":
        return main_report(arguments[1])
    if len(arguments) == 2 and arguments[0] in ("more", "open"):
        {"more": main_more, "open": main_open}[arguments[0]](arguments[1])
        return 0
    if len(arguments) == 6 and arguments[0] == "syscalls":
        main_syscalls(*arguments[1:])
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""One row per target, T1 to T24: what is wanted, what was measured with its interval, whether it is met, and what limits it.

What a run did not measure says so, and how it is measured. Verdicts take the interval's worse end.
"""

import json
import pathlib

import added_latency
import counted
import stats

SOAK = pathlib.Path(__file__).resolve().parent.parent / "tests" / "results" / "soak.txt"
SOAK_GOALS = ("none", "no growth", "no drift")
NOT_BUILT = "not built"

# (target, workload, what it is, peer, metric, limit, goal, stretch): of the rounds. For calls per request the figure is ours, no
# ratio. T1, T2 and T8 stand twice: requests per second mean something only while processor 1 is not the limit.
ROUNDS = [
    ("T1", stats.GET, "requests per second against nginx, at least", "nginx", "requests_per_second", 0.95, 1.10, 1.25),
    ("T1 CPU", stats.GET, "the same as CPU per request, at most", "nginx", "cpu_us_per_request", 1.05, 0.91, 0.80),
    ("T2", stats.GET, "requests per second against the raw relay, at least", "relay-floor", "requests_per_second", 0.75, 0.85, 0.92),
    ("T2 CPU", stats.GET, "the same as CPU per request, at most", "relay-floor", "cpu_us_per_request", 1.33, 1.18, 1.09),
    ("T3", stats.GET, "system calls per request, at most", None, "calls", 7, 6, 5),
    ("T3 form", stats.FORM, "system calls per request, at most", None, "calls", 6, 6, 5),
    ("T4", stats.FORM, "CPU per request against nginx, at most", "nginx", "cpu_us_per_request", 1.15, 1.00, 0.95),
    ("T5", stats.FORM, "CPU per request against nginx + Lua, at most", "nginx-lua", "cpu_us_per_request", 0.60, 0.50, 0.33),
    ("T5 typical", stats.FORM, "CPU per request against nginx + Lua as usually written, at most", "nginx-lua-typical",
     "cpu_us_per_request", 0.60, 0.45, 0.25),
    ("T5 njs", stats.FORM, "CPU per request against nginx + njs, at most", "nginx-njs", "cpu_us_per_request", 0.33, 0.20, 0.125),
    ("T6", stats.BATCH, "CPU per request against nginx + Lua with cjson, at most", "nginx-lua", "cpu_us_per_request", 0.33, 0.20, 0.125),
    ("T6 above nginx", stats.BATCH, "CPU above nginx against that of nginx + Lua with cjson, at most", "nginx-lua", stats.ABOVE_NGINX,
     0.33, 0.20, 0.125),
    ("T7", stats.BATCH, "CPU microseconds above nginx, at most", "nginx", stats.ABOVE, 60.0, 40.0, 25.0),
    ("T8", stats.UPLOAD, "bytes per second against nginx, at least", "nginx", "requests_per_second", 0.85, 0.95, 1.00),
    ("T8 CPU", stats.UPLOAD, "the same as CPU per upload, at most", "nginx", "cpu_us_per_request", 1.18, 1.05, 1.00),
    ("T10", stats.TLS_FORM, "CPU per request against nginx, at most", "nginx", "cpu_us_per_request", 1.11, 1.00, 0.91),
    ("T10 GET", stats.TLS_GET, "CPU per request against nginx, at most", "nginx", "cpu_us_per_request", 1.11, 1.00, 0.91),
    ("T11", stats.HANDSHAKE, "CPU per full handshake and GET against nginx, at most", "nginx", "cpu_us_per_request", 1.11, 1.02, 1.00),
    ("T11 resumed", stats.RESUMPTION, "CPU per resumed handshake and GET against nginx, at most", "nginx", "cpu_us_per_request",
     1.11, 1.02, 1.00),
    ("T15 ratio", stats.GZIP, "CPU per request against the same without gzip, at most", stats.PLAIN, "cpu_us_per_request",
     1.25, 1.10, 1.05),
]

# (target, what, limit, goal, stretch, how it is measured) of everything else.
OTHERS = [
    ("T9", "KiB of memory per upload under way, at most", "512", "256", "128", "bench/upload_memory.py"),
    ("T12", "KiB of memory per idle connection, at most", "6", "2", "1", "bench/tls_idle.py --plain"),
    ("T12 TLS", "KiB of memory per idle TLS connection, at most", "40", "20", "12", "bench/tls_idle.py"),
    ("T13", "p99 of 100 active connections beside 10 000 idle ones against none, at most", "1.25", "1.10", "1.05", "bench/idle_crowd.py"),
    ("T14 p50", "added latency at half load, us, at most", "60", "35", "25", "bench/run.sh --latency"),
    ("T14 p99", "added latency at half load, us, at most", "300", "150", "100", "bench/run.sh --latency"),
    ("T14 p999", "added latency at half load, us, at most", "2000", "1000", "500", "bench/run.sh --latency"),
    ("T14 p50 of nginx", "the same against what nginx adds, at most", "1.15", "1.15", "1.00", "bench/run.sh --latency"),
    ("T14 p99 of nginx", "the same against what nginx adds, at most", "1.15", "1.15", "1.00", "bench/run.sh --latency"),
    ("T14 p999 of nginx", "the same against what nginx adds, at most", "1.15", "1.15", "1.00", "bench/run.sh --latency"),
    ("T14 polling p50", "added latency with busy-poll-us: 50, us, at most", "60", "35", "25", "bench/run.sh --latency"),
    ("T14 polling p99", "added latency with busy-poll-us: 50, us, at most", "300", "150", "100", "bench/run.sh --latency"),
    ("T14 polling p999", "added latency with busy-poll-us: 50, us, at most", "2000", "1000", "500", "bench/run.sh --latency"),
    ("T15", "CPU above the same without gzip, in times of inflating it, at most", "1.25", "1.10", "1.05", "bench/inflate_time.py"),
    ("T16 HMAC", "pseudonym against the bare primitive, speed, at least", "0.70", "0.80", "0.90", "bench/micro_targets.py"),
    ("T16 SIV", "derived token against the bare primitive, speed, at least", "0.70", "0.80", "0.90", "bench/micro_targets.py"),
    ("T16 AEAD", "encrypted value (XAES-256-GCM, where the target's table says XChaCha) against the bare primitive, speed, at least", "0.85", "0.90", "0.95",
     "bench/micro_targets.py"),
    ("T17", "FF1 of 16 digits, million a second on one processor, at least", "1.0", "2.0", "4.0", "bench/micro_targets.py"),
    ("T18", "known tokens from memory, million a second, at least", "1.0", "3.0", "5.0",
     "paravent_micro --benchmark_filter=vault_known_in_memory"),
    ("T18 store", "known tokens from the store of 10^6, thousand a second, at least", "150", "300", "500",
     "paravent_micro --benchmark_filter=store_find_known"),
    ("T18 stored", "five known tokens a request, used before today, 10^7 stored against 10^3, CPU, at most", "1.20", "1.20", "1.20",
     "bench/stored_tokens.py (needs PARAVENT_BENCH_STORES)"),
    ("T18 first of the day", "the same, each token's first use of the day, at most", "1.20", "1.20", "1.20",
     "bench/stored_tokens.py (needs PARAVENT_BENCH_STORES)"),
    ("T18 new", "one new token a request instead, at most", "1.20", "1.20", "1.20", "bench/stored_tokens.py (needs PARAVENT_BENCH_STORES)"),
    ("T18 noted", "five known ones, first use of the day, where that use is noted in the store, at most", "1.20", "1.20", "1.20",
     "bench/stored_tokens.py (needs PARAVENT_BENCH_STORES)"),
    ("T19", "durable new tokens, 64 in flight, against one fsync each, at least", "10", "25", "50", "bench/durable_tokens.py"),
    ("T19 disk 1 ms", "the same where an fsync takes 1 ms, at least", "10", "25", "50", "bench/durable_tokens.py --disk 1000"),
    ("T19 one in flight", "the same disk, against the gateway with one in flight, which is one fsync each too, at least", "10", "25", "50",
     "bench/durable_tokens.py --disk 1000"),
    ("T20", "shared PostgreSQL: pipelined batches against autocommitted rows, at least", "5", "15", "30", NOT_BUILT),
    ("T21", "durable audit appends against fsync rate times batch, at least", "0.70", "0.85", "0.95", "bench/reveal.py"),
    ("T21 disk 1 ms", "the same where an fsync takes 1 ms, at least", "0.70", "0.85", "0.95", "bench/reveal.py"),
    ("T22", "heap allocations per GET, at most", "2", "0", "0", "bench/counted.py"),
    ("T22 form", "heap allocations per form, at most", "6", "2", "0", "bench/counted.py"),
    ("T23", "the form with the vault in its own process against in-process, at least", "0.60", "0.75", "0.85", NOT_BUILT),
    ("T24", "soak: growth of memory and descriptors, failed requests; p99 of the last third against the first, which soak.py lets go to 1.10",
     "1 % in ten minutes", "0", "0", "tests/long.sh soak"),
    ("unsealing", "opening a key store of 100 000 context rows, milliseconds, at most", "1000", "500", "250",
     "paravent_micro --benchmark_filter=keys_open"),
    ("scaling", "CPU per request with two workers against one, form, at most", "1.05", "1.05", "1.05", "bench/scaling.py"),
    ("scaling 256", "the same with 256 connections, at most", "1.05", "1.05", "1.05", "bench/scaling.py"),
]

# Figures of time, which somebody else's work spoils as it spoils the rounds'.
TIMED = ("T13", "T16", "T17", "T18", "T19", "T21", "unsealing", "scaling", "scaling 256")

LIMITED_BY = {
    "T1": "the kernel's sockets, about 70 % of the time; with no work of ours at all the ratio would be 1.4",
    "T2": "the relay makes the same four socket calls and parses nothing",
    "T3": "four are the least (receive, send, twice); the rest are epoll and the reads that find nothing",
    "T3 form": "the same",
    "T4": "15.2 us of kernel work that every proxy has; ours is parsing, five constructions and one gathered write",
    "T5": "our own constructions and the kernel's share, which both sides have",
    "T5 typical": "the kernel's share, which both sides have",
    "T5 njs": "the kernel's share; njs needs a subrequest with the new body",
    "T6": "the kernel's share of 16 KiB, which both sides have",
    "T6 above nginx": "nothing that both sides have (docs/decisions/0060)",
    "T7": "sixty constructions and one validating pass over 16 KiB",
    "T8": "four copies through loopback sockets; one search for the boundary",
    "T9": "a window of 64 KiB, what is held back of the result, and the connection's own buffers",
    "T10": "the same records by the same OpenSSL",
    "T11": "one P-256 signature and key agreement by the same OpenSSL",
    "T11 resumed": "one key agreement by the same OpenSSL",
    "T12": "one session object; buffers are given back when idle",
    "T12 TLS": "OpenSSL's own state of a connection",
    "T13": "epoll costs what is ready; deadlines are looked at once a tick",
    "T14 p50 of nginx": "the same socket calls as nginx's, whose own figure has the same noise",
    "T14 p99 of nginx": "the same",
    "T14 p999 of nginx": "the same",
    "T14 p50": "what the bare relay adds as well: wake-ups of sleeping processors (docs/speed.md)",
    "T14": "scheduling on two processors: 50 to 100 us of noise at the 99th percentile",
    "T15": "inflating",
    "T15 ratio": "inflating; fewer bytes come in",
    "T16": "the call into the library, framing and checksum",
    "T17": "ten AES blocks that wait for each other",
    "T18": "one probe of a hash table, shared by the workers",
    "T18 store": "the store's own memory of rows, 64 asked for at once; the first look-up of a row reads the tables (docs/growth.md)",
    "T18 stored": "one cache miss more for each token",
    "T18 first of the day": "the same",
    "T18 new": "the same, beside the write's own sync",
    "T18 noted": "the store's tables, into which the rows that are written again are sorted",
    "T19": "the processor: what a request takes, beside an fsync that takes less than ten of them",
    "T19 disk 1 ms": "the disk's fsync; a batch is what arrives during the one before",
    "T19 one in flight": "the same",
    "T21": "the processor: each of 64 threads is woken for its own append, beside an fsync that takes less than ten wake-ups",
    "T21 disk 1 ms": "the disk's fsync",
    "T22": "nothing is allocated; held by the tests net_steady_state_test, pipeline_steady_state_test and body_steady_state_test too",
    "T24": "nothing: what grows would be a fault",
    "unsealing": "one HMAC over the file, and a place in the tables for each record",
    "scaling": "four threads for two processors: two processes that share nothing cost as much (bench/README.md)",
    "scaling 256": "the same",
}


def judge(more, low, high, limit, goal, stretch=None):
    """By the interval's worse end."""
    if stretch is not None and ((low >= stretch) if more else (high <= stretch)):
        return "stretch met" if stretch != goal else "goal met"
    if (low >= goal) if more else (high <= goal):
        return "goal met"
    if (low >= limit) if more else (high <= limit):
        return "limit kept"
    return "missed"


def number(value):
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def interval(value, low, high):
    return f"{number(value)} ({number(low)} to {number(high)})" if low != high else number(value)


def round_rows(ratios, calls, rounds=()):
    """{target: (workload, what, limit, goal, stretch, measured, verdict)} of the targets that the rounds have a figure for."""
    rows = {}
    for name, workload, what, peer, metric, limit, goal, stretch in ROUNDS:
        if metric == "calls":
            ours = calls.get(workload, {}).get(stats.US)
            if ours is not None:
                rows[name] = (workload, what, f"{limit}", f"{goal}", f"{stretch}", f"{ours:.2f}",
                              judge(False, ours, ours, limit, goal, stretch))
            continue
        for row in ratios:
            if (row["workload"], row["peer"], row["metric"]) != (workload, peer, metric):
                continue
            verdict = judge(metric in stats.MORE_IS_BETTER, row["low"], row["high"], limit, goal, stretch)
            measured = f"{row['ratio']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
            if metric in stats.MORE_IS_BETTER and stats.limited_by_the_load(rounds, workload, peer):
                measured += "; processor 1 was at its end too: the row of CPU counts"
            rows[name] = (workload, what, *shown(limit, goal, stretch), measured, "void" if row["void"] else verdict)
    return rows


def shown(*limits):
    return tuple(f"{limit:g}" if isinstance(limit, int) else f"{limit:.2f}" for limit in limits)


def read_others(folder):
    """{name: what the program of that name wrote}"""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "others").glob("*.json"))}


def benchmarks(document):
    return {row["name"]: row for row in document["benchmarks"] if not row.get("error_occurred")}


def store_figures(document):
    """{target: figure} of paravent_micro's vault, store and keys; what failed there is missing."""
    found = {}
    rows = benchmarks(document)
    for name, row in rows.items():
        # Processor time: one processor that does nothing else.
        if name.startswith("vault_known_in_memory/values:4"):
            found["T18"] = 4 / row["cpu_time"] * 1000
        if name.startswith("store_find_known/1000000/"):
            found["T18 store"] = row["items_per_second"] / 1000
        if name.startswith("keys_open/100000"):
            found["unsealing"] = row["real_time"]
    return found


def cpu_of_rounds(rounds, workload, peers):
    """For each round in which all were measured: their figures."""
    found = stats.by_round([row for row in rounds if row["workload"] == workload])
    return [[own[peer]["proxy_cpu_us"] for peer in peers] for own in found.values() if set(peers) <= set(own)]


def measured_elsewhere(others, latency, rounds=(), ratios=()):
    """{target: (value, low, high, more is better, void)}"""
    found = {}

    def put(target, value, low=None, high=None, more=False, void=False):
        found[target] = (value, value if low is None else low, value if high is None else high, more, void)

    if "uploads" in others:
        put("T9", others["uploads"]["kib_per_upload"])
    for target, name in (("T12", "idle-plain"), ("T12 TLS", "idle-tls")):
        if name in others:
            put(target, others[name]["kib_per_connection"])
    # Fewer idle connections are another question.
    if "crowd" in others and others["crowd"]["idle"] >= 10_000:
        put("T13", *others["crowd"]["p99_ratio"], void=bool(others["crowd"]["disturbed"]))
    for line in latency:
        if line["peer"] in added_latency.OURS:
            target = ("T14 " if line["peer"] == stats.US else "T14 polling ") + line["quantile"].replace("_us", "")
            put(target, line["added_us"], line["low"], line["high"], void=line.get("void", False))
            if "of_nginx" in line and line["peer"] == stats.US:
                put(target + " of nginx", line["of_nginx"], line["of_nginx_low"], line["of_nginx_high"], void=line.get("void", False))
    if "inflate" in others:
        times = [(packed - plain) / others["inflate"]["inflate_us"]
                 for packed, plain in cpu_of_rounds(rounds, stats.GZIP, (stats.US, stats.PLAIN))]
        if times:
            put("T15", *stats.interval_of_median(times), void=any(
                row["void"] for row in ratios if row["workload"] == stats.GZIP and row["metric"] == "cpu_us_per_request"))
    for row in others.get("transformations", []):
        target = {"pseudonym, 32 bytes": "T16 HMAC", "derived token, 32 bytes": "T16 SIV", "encrypted value, 32 bytes": "T16 AEAD"}.get(row["row"])
        if target:
            put(target, *row["intervals"]["of_primitive"], more=True)
        if row["row"] == "preserved number, 16 digits":
            value, low, high = row["intervals"]["whole_ns"]
            put("T17", 1000 / value, 1000 / high, 1000 / low, more=True)
    for target, value in store_figures(others["stores"]).items() if "stores" in others else ():
        put(target, value, more=target != "unsealing")
    # Each round beside its own disk.
    for target, disk in (("T21", 0), ("T21 disk 1 ms", 1000)):
        shares = [line["of_what_the_disk_allows"] for line in others.get("reveal", []) if "of_what_the_disk_allows" in line and line["fsync_us"] == disk]
        if shares:
            put(target, *stats.interval_of_median(shares), more=True)
    for line in others.get("counted", []):
        target = {stats.GET: "T22", stats.FORM: "T22 form"}.get(line["workload"])
        if target:
            put(target, 0.0 if line["worker"] < counted.LEAST else line["worker"])
    for line in others["stored-tokens"]["lines"][-1:] if "stored-tokens" in others else ():
        for target, state in (("T18 stored", "steady"), ("T18 first of the day", "daily"), ("T18 new", "new"), ("T18 noted", "noted")):
            if state not in line:
                continue  # raw data of a run before it was measured
            put(target, *line[state]["cpu_ratio"], void=bool(line[state]["disturbed"]))
    for target, name in (("T19", "durable-tokens"), ("T19 disk 1 ms", "durable-tokens-1ms")):
        if name in others:
            put(target, *others[name]["against_one_fsync_each"], more=True)
    if "durable-tokens-1ms" in others:
        put("T19 one in flight", *others["durable-tokens-1ms"]["against_one_in_flight"], more=True)
    for line in others.get("scaling", []):
        target = {64: "scaling", 256: "scaling 256"}.get(line["connections"])
        if line["workload"] == stats.FORM and target:
            put(target, *line["cpu_us_per_request"], void=bool(line["disturbed"]))
    return found


def soak_row(others, lines):
    """What the soak of this run, or the last one on record, said."""
    if "soak" in others:
        said = others["soak"]["verdicts"]
        text = "; ".join(f"{what}: {sentence}" for what, sentence in said.items())
        for word, verdict in (("MISSED", "missed"), ("too short", "too short a run for a verdict"), ("no verdict", "no verdict"),
                              ("limit kept", "limit kept")):
            if word in text:
                return text, verdict
        return text, "goal met"
    if lines:
        said = [line.rpartition(": ") for line in lines[2:7]]
        verdict = ("missed" if any("MISSED" in line for line in lines) else
                   "goal met" if len(said) == 5 and all(word in SOAK_GOALS for _, _, word in said) else "see tests/results/soak.txt")
        return f"another run ({lines[0]}): " + "; ".join(head for head, _, _ in said), verdict
    return "not measured in this run", "tests/long.sh soak"


def rows(ratios, calls, latency=(), others=None, soak=None, disturbed=False, rounds=()):
    """(target, workload, what, limit, goal, stretch, measured, verdict, what limits it), one per target, in order. `disturbed`: the
    machine was, while the rounds ran."""
    others = others or {}
    found = round_rows(ratios, calls, rounds)
    lines = {}
    for name, workload, what, _, _, *limits in ROUNDS:
        lines[name] = found.get(name, (workload, what, *shown(*limits), "not measured in this run", f"bench/run.sh --workload {workload}"))
    values = measured_elsewhere(others, latency, rounds, ratios)
    for name, what, *limits, how in OTHERS:
        if how == NOT_BUILT:
            measured, verdict = NOT_BUILT, NOT_BUILT
        elif name == "T24":
            measured, verdict = soak_row(others, soak or [])
        elif name in values:
            value, low, high, more, void = values[name]
            measured = interval(value, low, high)
            void = void or (disturbed and name.split(" ")[0] in TIMED)
            verdict = "void" if void else judge(more, low, high, *map(float, limits))
        else:
            measured, verdict = others.get("why", {}).get(name, "not measured in this run"), how
        lines[name] = ("", what, *limits, measured, verdict)

    def place(name):
        head = name.split(" ")[0]
        return int(head[1:]) if head[1:].isdigit() else 99

    return [(name, *lines[name], LIMITED_BY.get(name, LIMITED_BY.get(name.split(" ")[0], "")))
            for name in sorted(lines, key=place)]


def read_soak():
    return SOAK.read_text(encoding="utf-8").splitlines() if SOAK.exists() else []


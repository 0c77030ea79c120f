"""One row per target, T1 to T24: what is wanted, what was measured with its interval, whether it is met, and what limits it.

What a run did not measure says so, and how it is measured. Verdicts take the interval's worse end.
"""

import json
import pathlib

import stats

SOAK = pathlib.Path(__file__).resolve().parent.parent / "tests" / "results" / "soak.txt"
NOT_BUILT = "not built"

# (target, workload, what it is, peer, metric, limit, goal): of the rounds. For calls per request the figure is ours, no ratio.
ROUNDS = [
    ("T1", stats.GET, "requests per second against nginx, at least", "nginx", "requests_per_second", 0.95, 1.10),
    ("T2", stats.GET, "requests per second against the raw relay, at least", "relay-floor", "requests_per_second", 0.75, 0.85),
    ("T3", stats.GET, "system calls per request, at most", None, "calls", 7, 6),
    ("T4", stats.FORM, "CPU per request against nginx, at most", "nginx", "cpu_us_per_request", 1.15, 1.00),
    ("T5", stats.FORM, "CPU per request against nginx + Lua, at most", "nginx-lua", "cpu_us_per_request", 0.60, 0.50),
    ("T5 typical", stats.FORM, "CPU per request against nginx + Lua as usually written, at most", "nginx-lua-typical",
     "cpu_us_per_request", 0.60, 0.45),
    ("T3 form", stats.FORM, "system calls per request, at most", None, "calls", 6, 6),
    ("T6", stats.BATCH, "CPU per request against nginx + Lua with cjson, at most", "nginx-lua", "cpu_us_per_request", 0.33, 0.20),
    ("T6 above nginx", stats.BATCH, "CPU above nginx against that of nginx + Lua with cjson, at most", "nginx-lua", stats.ABOVE_NGINX,
     0.33, 0.20),
    ("T7", stats.BATCH, "CPU microseconds above nginx, at most", "nginx", stats.ABOVE, 60.0, 40.0),
    ("T8", stats.UPLOAD, "bytes per second against nginx, at least", "nginx", "requests_per_second", 0.85, 0.95),
    ("T10", stats.TLS_FORM, "CPU per request against nginx, at most", "nginx", "cpu_us_per_request", 1.11, 1.00),
    ("T11", stats.HANDSHAKE, "CPU per full handshake and GET against nginx, at most", "nginx", "cpu_us_per_request", 1.11, 1.02),
    ("T11 resumed", stats.RESUMPTION, "CPU per resumed handshake and GET against nginx, at most", "nginx", "cpu_us_per_request",
     1.11, 1.02),
    ("T15", stats.GZIP, "CPU per request against the same without gzip, at most", stats.PLAIN_BATCH, "cpu_us_per_request", 1.25, 1.10),
]

# (target, what, limit, goal, how it is measured) of everything else.
OTHERS = [
    ("T9", "KiB of memory per upload under way, at most", "512", "256", "bench/upload_memory.py"),
    ("T12", "KiB of memory per idle connection, at most", "6", "2", "bench/tls_idle.py --plain"),
    ("T12 TLS", "KiB of memory per idle TLS connection, at most", "40", "20", "bench/tls_idle.py"),
    ("T13", "p99 of 100 active connections beside 10 000 idle ones against none, at most", "1.25", "1.10", "bench/idle_crowd.py"),
    ("T14 p50", "added latency at half load, us, at most", "60", "35", "bench/run.sh --latency"),
    ("T14 p99", "added latency at half load, us, at most", "300", "150", "bench/run.sh --latency"),
    ("T14 p999", "added latency at half load, us, at most", "2000", "1000", "bench/run.sh --latency"),
    ("T16 HMAC", "pseudonym against the bare primitive, speed, at least", "0.70", "0.80", "bench/micro_targets.py"),
    ("T16 SIV", "derived token against the bare primitive, speed, at least", "0.70", "0.80", "bench/micro_targets.py"),
    ("T16 XChaCha", "encrypted value against the bare primitive, speed, at least", "0.85", "0.90", "bench/micro_targets.py"),
    ("T17", "FF1 of 16 digits, million a second on one processor, at least", "1.0", "2.0", "bench/micro_targets.py"),
    ("T18", "known tokens from memory, million a second, at least", "1.0", "3.0", "paravent_micro --benchmark_filter=vault_known_in_memory"),
    ("T18 store", "known tokens from the store of 10^6, thousand a second, at least", "150", "300",
     "paravent_micro --benchmark_filter=store_find_known"),
    ("T19", "durable new tokens, 64 in flight, against one fsync each, at least", "10", "25", "bench/durable_tokens.py"),
    ("T20", "shared PostgreSQL: pipelined batches against autocommitted rows, at least", "5", "15", NOT_BUILT),
    ("T21", "durable audit appends against fsync rate times batch, at least", "0.70", "0.85",
     "paravent_micro --benchmark_filter='audit_(append|commit_floor)'"),
    ("T22", "heap allocations per request, GET and form, at most", "2, 6", "0, 0", ""),
    ("T23", "the form with the vault in its own process against in-process, at least", "0.60", "0.75", NOT_BUILT),
    ("T24", "soak: memory, descriptors, p99, failed requests", "1 % in ten minutes, 0", "0", "tests/long.sh soak"),
    ("scaling", "CPU per request with two workers against one, form, at most", "1.05", "1.05", "bench/scaling.py"),
]

# Figures of time, which somebody else's work spoils as it spoils the rounds'.
TIMED = ("T13", "T16", "T17", "T18", "T19", "T21", "scaling")

LIMITED_BY = {
    "T1": "the kernel's sockets, about 70 % of the time; with no work of ours at all the ratio would be 1.4",
    "T2": "the relay makes the same four socket calls and parses nothing",
    "T3": "four are the least (receive, send, twice); the rest are epoll and the reads that find nothing",
    "T3 form": "the same",
    "T4": "15.2 us of kernel work that every proxy has; ours is parsing, five constructions and one gathered write",
    "T5": "our own constructions and the kernel's share, which both sides have",
    "T5 typical": "the kernel's share, which both sides have",
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
    "T14": "scheduling on two processors: 50 to 100 us of noise at the 99th percentile",
    "T15": "inflating, and zlib's checksum",
    "T16": "the call into the library, framing and checksum",
    "T17": "ten AES blocks that wait for each other",
    "T18": "one probe of a hash table, shared by the workers",
    "T18 store": "one read of the store's block cache",
    "T19": "the disk's fsync; a batch is what arrives during the one before",
    "T21": "the disk's fsync",
    "T22": "nothing is allocated: tests net_steady_state_test, pipeline_steady_state_test, body_steady_state_test",
    "T24": "",
    "scaling": "per-worker counters, buffers and connection pools; shared is what is only read (docs in bench/README.md)",
}


def judge(more, low, high, limit, goal):
    """By the interval's worse end."""
    if (low >= goal) if more else (high <= goal):
        return "goal met"
    if (low >= limit) if more else (high <= limit):
        return "limit kept"
    return "missed"


def number(value):
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def interval(value, low, high):
    return f"{number(value)} ({number(low)} to {number(high)})" if low != high else number(value)


def round_rows(ratios, calls):
    """{target: (workload, what, limit, goal, measured, verdict)} of the targets that the rounds have a figure for."""
    rows = {}
    for name, workload, what, peer, metric, limit, goal in ROUNDS:
        if metric == "calls":
            ours = calls.get(workload, {}).get(stats.US)
            if ours is not None:
                rows[name] = (workload, what, f"{limit}", f"{goal}", f"{ours:.2f}", judge(False, ours, ours, limit, goal))
            continue
        for row in ratios:
            if (row["workload"], row["peer"], row["metric"]) != (workload, peer, metric):
                continue
            verdict = judge(metric in stats.MORE_IS_BETTER, row["low"], row["high"], limit, goal)
            rows[name] = (workload, what, f"{limit:.2f}", f"{goal:.2f}",
                          f"{row['ratio']:.3f} ({row['low']:.3f} to {row['high']:.3f})", "void" if row["void"] else verdict)
    return rows


def read_others(folder):
    """{name: what the program of that name wrote}"""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "others").glob("*.json"))}


def benchmarks(document):
    return {row["name"]: row for row in document["benchmarks"] if not row.get("error_occurred")}


def store_figures(document):
    """{target: figure} of paravent_micro's vault, store and audit; what failed there is missing."""
    found = {}
    rows = benchmarks(document)
    for name, row in rows.items():
        # Processor time: one processor that does nothing else.
        if name.startswith("vault_known_in_memory/values:4"):
            found["T18"] = 4 / row["cpu_time"] * 1000
        if name.startswith("store_find_known/1000000/"):
            found["T18 store"] = row["items_per_second"] / 1000
    append, floor = (next((row for name, row in rows.items() if name.startswith(prefix)), None)
                     for prefix in ("audit_append_64_in_flight", "audit_commit_floor"))
    if append and floor:
        found["T21"] = append["commits"] / floor["commits"]
    return found


def measured_elsewhere(others, latency):
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
        if line["peer"] == stats.US:
            put("T14 " + line["quantile"].replace("_us", ""), line["added_us"], line["low"], line["high"], void=line.get("void", False))
    for row in others.get("transformations", []):
        target = {"pseudonym, 32 bytes": "T16 HMAC", "derived token, 32 bytes": "T16 SIV", "encrypted value, 32 bytes": "T16 XChaCha"}.get(row["row"])
        if target:
            put(target, row["of_primitive"], more=True)
        if row["row"] == "preserved number, 16 digits":
            put("T17", 1000 / row["whole_ns"], more=True)
    for target, value in store_figures(others["stores"]).items() if "stores" in others else ():
        put(target, value, more=True)
    if "durable-tokens" in others:
        put("T19", *others["durable-tokens"]["against_one_fsync_each"], more=True)
    for line in others.get("scaling", []):
        if line["workload"] == stats.FORM:
            put("scaling", *line["cpu_us_per_request"], void=bool(line["disturbed"]))
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
        kept = [line.rpartition(": ")[0] for line in lines[2:7]]
        verdict = "missed" if any("MISSED" in line for line in lines) else "see tests/results/soak.txt"
        return f"another run ({lines[0]}): " + "; ".join(kept), verdict
    return "not measured in this run", "tests/long.sh soak"


def rows(ratios, calls, latency=(), others=None, soak=None, disturbed=False):
    """(target, workload, what, limit, goal, measured, verdict, what limits it), one per target, in order. `disturbed`: the machine
    was, while the rounds ran."""
    others = others or {}
    found = round_rows(ratios, calls)
    lines = {}
    for name, workload, what, _, metric, limit, goal in ROUNDS:
        shown = (f"{limit}", f"{goal}") if metric == "calls" else (f"{limit:.2f}", f"{goal:.2f}")
        lines[name] = found.get(name, (workload, what, *shown, "not measured in this run", f"bench/run.sh --workload {workload}"))
    values = measured_elsewhere(others, latency)
    for name, what, limit, goal, how in OTHERS:
        if how == NOT_BUILT:
            measured, verdict = NOT_BUILT, NOT_BUILT
        elif name == "T22":
            measured, verdict = "not measured in this run", "held by tests"
        elif name == "T24":
            measured, verdict = soak_row(others, soak or [])
        elif name in values:
            value, low, high, more, void = values[name]
            measured = interval(value, low, high)
            void = void or (disturbed and name.split(" ")[0] in TIMED)
            verdict = "void" if void else judge(more, low, high, float(limit), float(goal))
        else:
            measured, verdict = "not measured in this run", how
        lines[name] = ("", what, limit, goal, measured, verdict)

    def place(name):
        head = name.split(" ")[0]
        return int(head[1:]) if head[1:].isdigit() else 99

    return [(name, *lines[name], LIMITED_BY.get(name, LIMITED_BY.get(name.split(" ")[0], "")))
            for name in sorted(lines, key=place)]


def read_soak():
    return SOAK.read_text(encoding="utf-8").splitlines() if SOAK.exists() else []


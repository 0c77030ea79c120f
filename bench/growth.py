#!/usr/bin/env python3
"""What the gateway costs as things grow: routes, rules, the body, connections and stored tokens.

  growth.py --binary PARAVENT --tools DIR [--seconds S] [--rounds N] [--axes A,B] [--out DIR]

Each point is a gateway of its own, measured in turns with one at the axis's first point, so that a ratio is formed
within a second on the same machine; the figure is the median of the rounds with its bootstrap 95 % interval. Stored
tokens are measured over real sockets by stored_tokens.py, and in their parts by `paravent_micro`, whose stores of 10^7 rows are kept in PARAVENT_BENCH_STORES. Writes
growth.json, the plots (gnuplot) and the page that shows them, after every axis; axes that are not asked for keep what growth.json has.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

import environment
import results_page
import running
import stats
import target_table

HERE = pathlib.Path(__file__).resolve().parent
PORTS = {"clear": 19201, "tokens": 19202, "base": 19203, "point": 19204, "admin_base": 19205, "admin_point": 19206}
AXES = {
    "routes": (1, 10, 100, 1000),
    "rules": (10, 100, 1000, 10000),
    "body": (0, 1024, 4096, 16384, 65536),
    "connections": (1, 8, 64, 256, 1024),  # more at one target at one time are refused (upstream-requests)
    "tokens": (1000, 10_000, 100_000, 1_000_000, 10_000_000),
}
WHAT = {"body": "more bytes in the encrypted message"}
FIELDS = """      form.name:    { kind: name,  do: tokenise, mode: derived }
      form.email:   { kind: email, do: tokenise, mode: derived }
      form.phone:   { kind: phone, do: tokenise, mode: derived }
      form.city:    { kind: name,  do: pseudonymise }
      form.message: { kind: text,  do: encrypt }
"""


def route(name, path, fields):
    return f"""  - name: {name}
    match: {{ method: POST, path: {path} }}
    upstream: http://127.0.0.1:{PORTS['tokens']}
    recipient: site
    purpose: contact
    client-address: drop
    fields:
{fields}    unlisted: refuse
"""


def policy(routes, rules):
    """`routes` of them, the one that is used among them in the middle; `rules` in it, its own five among them."""
    text = running.peer_policy("http://127.0.0.1:1")
    head = text[:text.index("routes:")]
    more = [f"      form.field_{n}: {{ do: keep }}\n" for n in range(max(0, rules - 5))]
    fields = "".join(more[:len(more) // 2]) + FIELDS + "".join(more[len(more) // 2:])
    others = [route(f"other-{n}", f"/other/{n}", FIELDS) for n in range(routes - 1)]
    half = len(others) // 2
    return head + "routes:\n" + "".join(others[:half]) + route("contact-form", "/contact", fields) + "".join(others[half:])


def load(options, gateway, backend, size):
    row = running.load(options.tools, gateway, "form-post-5-fields", size["connections"], options.seconds / 4, options.seconds,
                       backend, more=("--message-bytes", size["body"]))
    if row["errors"] or not row["requests"]:
        sys.exit(f"growth: {row['requests']} requests and {row['errors']} failures on port {gateway.port}")
    return row


def measure(options, backend, axis, value, folder):
    """One line: the point beside the axis's first."""
    first = AXES[axis][0]
    sizes = {"routes": 1, "rules": 5, "connections": 64, "body": 0}
    base, point = sizes | {axis: first}, sizes | {axis: value}
    one, two = (running.Gateway(options.binary, folder / role, PORTS[role], PORTS["admin_" + role],
                                policy(size["routes"], size["rules"]))
                for role, size in (("base", base), ("point", point)))
    rows = {"base": [], "point": []}
    try:
        for number in range(options.rounds):
            turn = [("base", one, base), ("point", two, point)]
            for role, gateway, size in turn if number % 2 == 0 else reversed(turn):
                rows[role].append(load(options, gateway, backend, size))
    finally:
        one.close()
        two.close()
    line = {"axis": axis, "value": value}
    for field, name in (("proxy_cpu_us", "cpu"), ("requests_per_second", "rate"), ("p99_us", "p99")):
        ratio, low, high = stats.interval_of_median([b[field] / a[field] for a, b in zip(rows["base"], rows["point"])])
        line |= {name: round(statistics.median(row[field] for row in rows["point"]), 3), name + "_ratio": round(ratio, 4),
                 name + "_low": round(low, 4), name + "_high": round(high, 4)}
    line["disturbed"] = stats.disturbances(rows["base"] + rows["point"])
    return line


REPETITIONS = 3
# Of paravent_micro, and how many tokens (or requests) one iteration is.
TOKEN_BENCHES = {"pipeline_vault_transaction": 1, "vault_five_known": 5, "vault_five_from_store": 5,
                 "store_find_known": 64, "store_find_first": 64, "store_commit_new": 64}


def measure_tokens(options):
    """Look-ups and durable commits by stored tokens, CPU time of one token, from the micro benchmarks."""
    names = "|".join(TOKEN_BENCHES)
    done = subprocess.run(["taskset", "-c", "0", options.tools / "paravent_micro", "--benchmark_format=json",
                           f"--benchmark_repetitions={REPETITIONS}", f"--benchmark_min_time={options.seconds}",
                           f"--benchmark_filter=^({names})/"],
                          check=True, capture_output=True, text=True)
    lines = {}
    for row in json.loads(done.stdout)["benchmarks"]:
        if row.get("aggregate_name") != "median":
            continue
        name, size = row["run_name"].split("/")[:2]
        lines.setdefault(int(size), {"axis": "tokens", "value": int(size), "disturbed": []})[name] = row["cpu_time"] / 1000 / TOKEN_BENCHES[name]
    # Without PARAVENT_BENCH_STORES the larger sizes are left out.
    lines = {size: line for size, line in lines.items() if all(name in line for name in TOKEN_BENCHES)}
    if not lines:
        sys.exit("growth: paravent_micro measured no stored tokens")
    first = lines[min(lines)]
    for size, own in over_sockets(options, sorted(lines)).items():
        lines[size] |= own
    return [line | {name + "_ratio": round(line[name] / first[name], 3) for name in TOKEN_BENCHES}
            for _, line in sorted(lines.items())]


def over_sockets(options, sizes):
    """{stored tokens: figures as of measure(), and what disturbed them}: requests with five that were used before today."""
    if "PARAVENT_BENCH_STORES" not in os.environ or len(sizes) < 2:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder) / "stored.json"
        subprocess.run([sys.executable, HERE / "stored_tokens.py", "--binary", options.binary, "--tools", options.tools, "--stores",
                        os.environ["PARAVENT_BENCH_STORES"], "--sizes", ",".join(map(str, sizes)), "--seconds", str(options.seconds), "--rounds",
                        str(options.rounds), "--daily-rounds", "1", "--days", "2", "--json", target], check=True, stdout=subprocess.DEVNULL)
        found = json.loads(target.read_text(encoding="utf-8"))["lines"]
    result = {}
    for one in found:
        steady = one["steady"]
        own = result[one["stored"]] = {"disturbed": steady["disturbed"]}
        for name in ("cpu", "rate", "p99"):
            ratio, low, high = steady[name + "_ratio"]
            own |= {name: steady[name], name + "_ratio": ratio, name + "_low": low, name + "_high": high}
    base = found[-1]["steady"]
    result[sizes[0]] = {name: base[name + "_base"] for name in ("cpu", "rate", "p99")} | {
        f"{name}_{what}": 1.0 for name in ("cpu", "rate", "p99") for what in ("ratio", "low", "high")}
    return result


PLOT = """set terminal svg size 560,320 font 'sans-serif,12' background '#ffffff'
set output '{svg}'
{scale}
set key off
set grid ytics lc rgb '#dddddd'
set border 3
set tics nomirror
set yrange [0:*]
set xlabel '{axis}'
set ylabel '{what}'
plot '-' using 1:2:3:4 with yerrorlines pt 7 ps 0.6 lw 2 lc rgb '#1f5fa8'
{points}
e
"""


def plot(lines, axis, field, what, folder):
    points = "\n".join(f"{line['value']} {line[field + '_ratio']} {line.get(field + '_low', line[field + '_ratio'])} "
                       f"{line.get(field + '_high', line[field + '_ratio'])}" for line in lines)
    svg = folder / f"{axis}-{field}.svg"
    scale = "" if lines[0]["value"] == 0 else "set logscale x 10"
    label = WHAT.get(axis, axis)
    subprocess.run(["gnuplot"], input=PLOT.format(svg=svg, axis=label, what=what, points=points, scale=scale), text=True, check=True)
    return svg.name


def table(axis, lines):
    def ratio(line, name):
        return target_table.interval(line[name + "_ratio"], line[name + "_low"], line[name + "_high"])

    # Of requests that do not leave in one piece the generator keeps no times (load.cc).
    return results_page.table(
        (axis, "CPU us/request", "ratio", "requests/s", "ratio", "p99 us", "ratio"),
        [(str(line["value"]), f"{line['cpu']:.2f}", ratio(line, "cpu"), f"{line['rate']:.0f}", ratio(line, "rate"),
          *((f"{line['p99']:.0f}", ratio(line, "p99")) if line["p99"] else ("not taken", ""))) for line in lines])


def plots(lines, axis, folder):
    return [plot(lines, axis, "cpu", "CPU per request, ratio", folder), plot(lines, axis, "rate", "requests per second, ratio", folder),
            plot([line for line in lines if line["p99"]], axis, "p99", "99th percentile at saturation, ratio", folder)]


def page(lines, folder, facts):
    facts_of = {axis: facts for axis in AXES} if isinstance(facts, str) else facts
    text = ["# What it costs as it grows", "",
            "Written by `bench/growth.py`. The five-field form of `bench/README.md` through the gateway on one processor; every",
            "figure is a ratio to the first point of its axis, measured in turns with it: the median with its bootstrap 95 % interval.",
            ""]
    for axis in AXES:
        own = [line for line in lines if line["axis"] == axis]
        if not own:
            continue
        disturbed = sorted({reason for line in own for reason in line["disturbed"]})
        text += [f"## {axis.capitalize()}", "", facts_of.get(axis, ""), ""]
        if axis in WHAT:
            text += [WHAT[axis][0].upper() + WHAT[axis][1:] + ", in bytes as sent.", ""]
        if axis == "tokens":
            over = [line for line in own if "cpu" in line]
            if over:
                text += ["Requests with five tokens each, used before today, over real sockets (`bench/stored_tokens.py`, against which the goal of 1.2 times",
                         "stands):", "", *table(axis, over), ""]
            text += ["The parts: processor time in microseconds, and its ratio to 1 000 tokens. *request*: a whole transaction with five known vault",
                     "tokens, sockets left out; *known*: one token answered from memory, five asked for at once; *by way of the store*: the same",
                     "through the vault's threads and the token store; *look-up*: in the store alone, 64 at once, of what was asked for before and of",
                     "what was not since the start; *new*: 64 written with one fsync. The memory is what a gateway takes when nobody says",
                     "([vault.md](vault.md)).", "",
                     "| stored tokens | request | known | by way of the store | look-up, asked for before | look-up, the first one | new |",
                     "|---|---|---|---|---|---|---|"]
            order = ("pipeline_vault_transaction", "vault_five_known", "vault_five_from_store", "store_find_known",
                     "store_find_first", "store_commit_new")
            text += [f"| {line['value']} | " + " | ".join(f"{line[name]:.2f} ({line[name + '_ratio']:.2f})" for name in order) + " |"
                     for line in own]
            pictures = (plots(over, axis, folder) if over else []) + [
                plot(own, axis, "pipeline_vault_transaction", "request, CPU against 1 000 tokens", folder),
                plot(own, axis, "vault_five_from_store", "token by way of the store, CPU against 1 000", folder)]
        else:
            text += table(axis, own)
            pictures = plots(own, axis, folder)
        text += ["", *[f"![{axis}: {name}](growth/{name})" for name in pictures], ""]
        text += [f"Void: {reason}" for reason in disturbed] + ([""] if disturbed else [])
    return "\n".join(text).rstrip() + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--tools", required=True, type=lambda text: pathlib.Path(text).resolve(), help="BUILD/bench")
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--axes", default=",".join(AXES), type=lambda text: text.split(","))
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent / "docs")
    options = parser.parse_args()
    unknown = set(options.axes) - set(AXES)
    if unknown:
        parser.error(f"there is no axis {', '.join(sorted(unknown))}; there are {', '.join(AXES)}")
    if not shutil.which("gnuplot"):
        sys.exit("growth: gnuplot is missing: apt-get install gnuplot-nox")
    pictures = options.out / "growth"
    pictures.mkdir(parents=True, exist_ok=True)
    lines = [line for line in read_lines(pictures / "growth.json") if line["axis"] not in options.axes]
    machine = environment.processor().get("model name", "unknown processor")
    today = f"Commit {running.commit()}, {datetime.date.today()}, {machine}, kernel {platform.release()}"
    facts = f"{today}; {options.rounds} rounds of {options.seconds} s."
    of_tokens = f"{today}; medians of {REPETITIONS} repetitions of at least {options.seconds} s."
    backend = running.Backend(options.tools, {"tokens": PORTS["tokens"], "clear": PORTS["clear"]})
    try:
        for axis in options.axes:
            if axis == "tokens":
                lines += [line | {"facts": of_tokens} for line in measure_tokens(options)]
                write(lines, options.out)
                continue
            for value in AXES[axis]:
                with tempfile.TemporaryDirectory() as folder:
                    lines.append(measure(options, backend, axis, value, pathlib.Path(folder)) | {"facts": facts})
                print(json.dumps(lines[-1]), flush=True)
            write(lines, options.out)
    finally:
        backend.close()
    return 0


def read_lines(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def write(lines, out):
    pictures = out / "growth"
    (pictures / "growth.json").write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    facts = {line["axis"]: line.get("facts", "") for line in lines}
    (out / "growth.md").write_text(page(lines, pictures, facts), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What a request with known vault tokens costs by how many are stored, as a user of the gateway meets it (goal: at most 1.2 times
from 10^3 to 10^7).

  stored_tokens.py --binary PARAVENT --tools DIR --stores DIR [--sizes A,B] [--seconds S] [--rounds N] [--days N] [--json FILE]

The whole gateway over real sockets: a form of five fields, each an address whose token is stored, any of 400 000 of the stored ones (of
1 000: all) equally likely. `--stores` is the folder in which `paravent_micro --benchmark_filter=vault_five_known` has made and kept the vaults
(PARAVENT_BENCH_STORES); what is measured works on copies of them. One gateway on the smallest and one on each other size; on each, one after the other:

  first   every form once after the gateway's start: tables are read
  steady  windows, in turns, after passes until next to no request asks the store: every token was used before today
  daily   every form once on a new day, in turns. The purpose's retention counts from collection, so the day says nothing new. The smallest
          store's few forms on --days days. With what the store does behind the traffic, until it is quiet
  new     forms of one field each that nobody sent before, in turns, so many to either; with what the store does behind the traffic
  noted   as daily, where the retention counts from the last contact and the route says no person: each use is noted, the row written again

CPU of all the gateway's threads per request; medians of the rounds' ratios with bootstrap 95 % intervals. Steady says also how many requests asked
the store. Exit code 4, and no JSON, where a body came without its five tokens or a request failed.
"""

import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import running
import stats

GOAL = 1.2
PORTS = {"tokens": 19331, "base": 19332, "point": 19333, "admin_base": 19334, "admin_point": 19335}
FIVE = 5
FORMS = 80_000  # of five: as many different addresses as vault_growth_bench.cc asks for
NEW = 100_000  # in a round
FIELDS = "".join(f"      form.{name}: {{ kind: email, do: tokenise, mode: vault, epoch: none }}\n"
                 for name in ("first", "second", "third", "fourth", "fifth", "email"))
POLICY = f"""policy: 1
tenant: bench
recipients: {{ crm: {{ name: CRM, country: FR }} }}
purposes: {{ contact: {{ basis: contract, retention: {{ from: collection, active: P3Y }} }} }}
routes:
  - name: contact-form
    match: {{ method: POST, path: /vault }}
    upstream: http://127.0.0.1:{PORTS['tokens']}
    recipient: crm
    purpose: contact
    client-address: truncate
    fields:
{FIELDS}"""
KEY = bytes([7]) + bytes(31)  # of a benchmark: no secret
LABEL = b"paravent-root-key-v1 "
KNOWN = 0.001  # so few of a pass's requests ask the store where all is known
MISSES = "paravent_store_known_misses_total"
RELOADED = 'paravent_reloads_total{outcome="done"}'


def copy_of(source, target):
    """A vault to work on. Tables are written once, so they are shared; all else is copied."""
    def copy(one, other):
        if one.endswith(".sst"):
            with contextlib.suppress(OSError):
                os.link(one, other)
                return
        shutil.copy2(one, other)
    shutil.copytree(source, target, copy_function=copy)


class Gateway:
    """One on a copy of a vault that is there already, with a wall clock that goes by a file."""

    def __init__(self, options, folder, size, role):
        kept = options.stores / f"vault-{size}" / "data"
        if not kept.is_dir():
            running.fail(f"{kept} is missing; PARAVENT_BENCH_STORES={options.stores} paravent_micro "
                         f"--benchmark_filter=vault_five_known/{size} makes it")
        folder.mkdir()
        # Beside what it is a copy of: a link stays on its disk.
        self.data = pathlib.Path(tempfile.mkdtemp(prefix=f"copy-{size}-", dir=options.stores))
        try:
            copy_of(kept, self.data / "data")
            self.start(options, folder, size, role)
        except BaseException:
            shutil.rmtree(self.data)
            raise

    def start(self, options, folder, size, role):
        self.port, self.admin = PORTS[role], PORTS["admin_" + role]
        # Of a form's pool: as many as there are different ones.
        self.stored, self.forms = size, min(FORMS, size // FIVE)
        check = hmac.new(KEY, LABEL, hashlib.sha256).digest()[:4]
        key_file = folder / "root.key"
        key_file.write_bytes(LABEL + base64.urlsafe_b64encode(KEY + check).rstrip(b"=") + b"\n")
        key_file.chmod(0o600)
        self.policy = folder / "policy.yaml"
        self.policy.write_text(POLICY, encoding="utf-8")
        (folder / "gateway.yaml").write_text(
            f"listen: [ {{ address: 127.0.0.1:{self.port} }} ]\nadmin: {{ address: 127.0.0.1:{self.admin} }}\n"
            f"data: {self.data / 'data'}\nvault: {{ unseal: {{ key-file: {key_file} }} }}\npolicies: [policy.yaml]\nworkers: 1\n"
            "limits: { connections-per-address: 20000 }\n", encoding="utf-8")
        self.day = folder / "day"
        self.day.write_bytes(bytes(8))
        self.log = open(folder / "log", "wb")  # noqa: SIM115 (closed with the gateway)
        self.process = subprocess.Popen(
            ["taskset", "-c", "0", options.binary, "serve", "--config", folder / "gateway.yaml"], stdout=self.log, stderr=self.log,
            env=os.environ | {"LD_PRELOAD": str(options.tools / "later_day.so"), "LATER_DAYS": str(self.day)})
        try:
            running.wait_for(self.port, self.process)
            running.wait_for(self.admin, self.process)
        except SystemExit:
            self.stop()
            raise

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def close(self):
        self.stop()
        shutil.rmtree(self.data)

    def cpu_ns(self):
        """Of all threads so far."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks)

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name):
                    return float(line.split()[-1])
        running.fail(f"the gateway has no {name}")

    def misses(self):
        """Requests so far that had to ask the store."""
        return self.metric(MISSES)

    def note_days(self):
        """From now on the retention counts from the last contact."""
        before = self.metric(RELOADED)
        self.policy.write_text(POLICY.replace("from: collection", "from: last-contact"), encoding="utf-8")
        self.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 30
        while self.metric(RELOADED) == before:
            if time.monotonic() > until:
                running.fail("the gateway does not take the other retention; see its log")
            time.sleep(0.1)

    def until_quiet(self, patience=180, pause=0.5, share=0.02):
        """Whether what the store does behind the traffic came to its end: what was written is sorted into its tables."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            before = self.cpu_ns()
            time.sleep(pause)
            if self.cpu_ns() - before < share * pause * 1e9:
                return True
        return False


def days(options, gateway, backend, count):
    """Every form once on each of so many new days: the load's row, with the CPU per request until the store is quiet."""
    before = gateway.cpu_ns()
    row = running.load(options.tools, gateway, "five-stored-tokens", 64, 0, 0, backend,
                       more=("--stored", gateway.stored, "--forms", gateway.forms, "--requests", count * gateway.forms,
                             "--day", gateway.day, "--patience", 600))
    quiet = gateway.until_quiet()
    row["whole_cpu_us"] = (gateway.cpu_ns() - before) / 1000 / max(row["requests"], 1)
    if not quiet:
        running.fail("the store is still at work three minutes after the load")
    if row["requests"] != count * gateway.forms:
        row["errors"] += 1
    return row


def new_tokens(options, gateway, backend):
    """Forms with one new token each: the load's row, with the CPU per request until the store is quiet."""
    before = gateway.cpu_ns()
    row = running.load(options.tools, gateway, "new-token", 64, 0, 0, backend, more=("--requests", NEW, "--patience", 600))
    quiet = gateway.until_quiet()
    row["whole_cpu_us"] = (gateway.cpu_ns() - before) / 1000 / max(row["requests"], 1)
    if not quiet:
        running.fail("the store is still at work three minutes after the load")
    if row["requests"] != NEW:
        row["errors"] += 1
    return row


def warm(options, gateway, backend, most=8):
    """Every form once more, until they are known: the memory of known tokens loses some while it grows."""
    for _ in range(most):
        before = gateway.misses()
        running.load(options.tools, gateway, "five-stored-tokens", 64, 0, 0, backend,
                     more=("--stored", gateway.stored, "--forms", gateway.forms, "--requests", gateway.forms, "--patience", 600))
        if gateway.misses() - before <= KNOWN * gateway.forms:
            return
    running.fail(f"{gateway.stored} stored: the memory of known tokens does not hold those that are asked for")


def window(options, gateway, backend):
    before = gateway.misses()
    # As many forms for each, so that the generator works through as much memory.
    row = running.load(options.tools, gateway, "five-stored-tokens", 64, options.seconds / 4, options.seconds, backend,
                       more=("--stored", gateway.stored, "--forms", FORMS))
    # Those of the warm-up and of the end are among the misses, and not among the requests: no fewer than there were.
    row["misses"] = (gateway.misses() - before) / max(row["requests"], 1)
    return row


def ratio(above, below):
    return [round(value, 4) for value in stats.interval_of_median([a / b for a, b in zip(above, below)])]


def in_turns(rounds, base, point):
    """{name: rows} of two that are called by turns."""
    rows = {"base": [], "point": []}
    for number in range(rounds):
        turns = [("base", base), ("point", point)]
        for name, call in turns if number % 2 == 0 else reversed(turns):
            rows[name].append(call())
    return rows


def compared(rows, fields):
    line = {}
    for field, name in fields:
        line[name] = round(statistics.median(row[field] for row in rows["point"]), 3)
        line[name + "_base"] = round(statistics.median(row[field] for row in rows["base"]), 3)
        line[name + "_ratio"] = ratio([row[field] for row in rows["point"]], [row[field] for row in rows["base"]])
    every = rows["base"] + rows["point"]
    return line | {"errors": sum(row["errors"] for row in every), "disturbed": stats.disturbances(every)}


def measure(options, backend, base, size, folder):
    with contextlib.ExitStack() as opened:
        one = opened.enter_context(contextlib.closing(Gateway(options, folder / "base", base, "base")))
        two = opened.enter_context(contextlib.closing(Gateway(options, folder / "point", size, "point")))
        first = {"base": [days(options, one, backend, 1)], "point": [days(options, two, backend, 1)]}
        for gateway in (one, two):
            warm(options, gateway, backend)
        steady = in_turns(options.rounds, lambda: window(options, one, backend), lambda: window(options, two, backend))
        new_days = (lambda: days(options, one, backend, options.days), lambda: days(options, two, backend, 1))
        daily = in_turns(options.daily_rounds, *new_days)
        new = in_turns(options.daily_rounds, lambda: new_tokens(options, one, backend), lambda: new_tokens(options, two, backend))
        one.note_days()
        two.note_days()
        noted = in_turns(options.daily_rounds, *new_days)
    usual = (("requests_per_second", "rate"), ("p99_us", "p99"))
    line = {"stored": size, "first": compared(first, (("whole_cpu_us", "cpu"), *usual)),
            "steady": compared(steady, (("proxy_cpu_us", "cpu"), *usual)),
            "daily": compared(daily, (("whole_cpu_us", "cpu"), ("proxy_cpu_us", "cpu_at_once"), *usual)),
            "new": compared(new, (("whole_cpu_us", "cpu"), ("proxy_cpu_us", "cpu_at_once"), *usual)),
            "noted": compared(noted, (("whole_cpu_us", "cpu"), ("proxy_cpu_us", "cpu_at_once"), *usual))}
    line["steady"]["misses"] = max(row["misses"] for row in steady["base"] + steady["point"])
    return line


SENTENCES = {"first": "first since the start", "steady": "used before today", "daily": "first of the day", "new": "one new token each",
             "noted": "first of the day, noted"}


def say(line, base):
    for state, sentence in SENTENCES.items():
        own = line[state]
        value, low, high = own["cpu_ratio"]
        print(f"{line['stored']} stored, {sentence}: {own['cpu']:.2f} us a request, {own['cpu_base']:.2f} at {base}: {value:.3f} times "
              f"({low:.3f} to {high:.3f}{'' if state == 'first' else f'; goal {GOAL}'}); requests a second {own['rate_ratio'][0]:.3f} times, "
              f"p99 {own['p99_ratio'][0]:.2f} times", flush=True)
        if state == "steady":
            print(f"  of a window's requests at most {own['misses']:.3%} asked the store")
        if state in ("daily", "new", "noted"):
            print(f"  while they were asked for: {own['cpu_at_once']:.2f} us, {own['cpu_at_once_base']:.2f} at {base}")
        if own["errors"]:
            print(f"  {own['errors']} requests failed, or were not answered: no figure")
        for reason in own["disturbed"]:
            print(f"  disturbed: {reason}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--tools", required=True, type=lambda text: pathlib.Path(text).resolve(), help="BUILD/bench")
    parser.add_argument("--stores", required=True, type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--sizes", default="1000,10000000", type=lambda text: [int(size) for size in text.split(",")])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--daily-rounds", type=int, default=3)
    parser.add_argument("--days", type=int, default=50, help="of the smallest store in a round: it has few forms")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if not (options.tools / "later_day.so").exists():
        running.fail(f"{options.tools}/later_day.so is missing; the target paravent_bench builds it")
    backend = running.Backend(options.tools, {"tokens": PORTS["tokens"]})
    lines = []
    try:
        for size in options.sizes[1:]:
            with tempfile.TemporaryDirectory(prefix="paravent-stored-") as folder:
                lines.append(measure(options, backend, options.sizes[0], size, pathlib.Path(folder)))
            say(lines[-1], options.sizes[0])
    finally:
        counts = backend.close()["tokens"]
    wrong = counts["unminted"] or not counts["minted"] or any(line[state]["errors"] for line in lines for state in SENTENCES)
    print(f"{counts['minted']} bodies with their tokens, {counts['unminted']} without")
    if options.json and not wrong:
        options.json.write_text(json.dumps({"goal": GOAL, "lines": lines}, indent=1) + "\n", encoding="utf-8")
    return 4 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

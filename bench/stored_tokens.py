#!/usr/bin/env python3
"""What a request with known vault tokens costs by how many are stored, as a user of the gateway meets it (goal: at most 1.2 times
from 10^3 to 10^7).

  stored_tokens.py --binary PARAVENT --tools DIR --stores DIR [--sizes A,B] [--seconds S] [--rounds N] [--json FILE]

The whole gateway over real sockets: a form of five fields, each an address whose token is stored and was used today, any of the
stored ones (400 000 of them at most) equally likely. `--stores` is the folder in which `paravent_micro
--benchmark_filter=vault_five_known` has made and kept the vaults (PARAVENT_BENCH_STORES). One gateway on the smallest and one on each
other size, asked in turns, so that a ratio is formed within seconds; medians of the rounds' ratios with bootstrap 95 % intervals.
Exit code 4, and no JSON, where a body came without its five tokens or a request failed.
"""

import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import running
import stats

GOAL = 1.2
PORTS = {"tokens": 19331, "base": 19332, "point": 19333, "admin_base": 19334, "admin_point": 19335}
FORMS = 80_000  # of five: as many different addresses as vault_growth_bench.cc asks for
FIELDS = "".join(f"      form.{name}: {{ kind: email, do: tokenise, mode: vault, epoch: none }}\n"
                 for name in ("first", "second", "third", "fourth", "fifth"))
POLICY = f"""policy: 1
tenant: bench
recipients: {{ crm: {{ name: CRM, country: FR }} }}
purposes: {{ contact: {{ basis: contract, retention: {{ active: P3Y }} }} }}
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


class Gateway:
    """One on a vault that is there already."""

    def __init__(self, options, folder, size, role):
        data = options.stores / f"vault-{size}" / "data"
        if not data.is_dir():
            sys.exit(f"stored_tokens: {data} is missing; PARAVENT_BENCH_STORES={options.stores} paravent_micro "
                     f"--benchmark_filter=vault_five_known/{size} makes it")
        folder.mkdir()
        self.port = PORTS[role]
        check = hmac.new(KEY, LABEL, hashlib.sha256).digest()[:4]
        key_file = folder / "root.key"
        key_file.write_bytes(LABEL + base64.urlsafe_b64encode(KEY + check).rstrip(b"=") + b"\n")
        key_file.chmod(0o600)
        (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
        (folder / "gateway.yaml").write_text(
            f"listen: [ {{ address: 127.0.0.1:{self.port} }} ]\nadmin: {{ address: 127.0.0.1:{PORTS['admin_' + role]} }}\n"
            f"data: {data}\nvault: {{ unseal: {{ key-file: {key_file} }} }}\npolicies: [policy.yaml]\nworkers: 1\n"
            "limits: { connections-per-address: 20000 }\n", encoding="utf-8")
        self.log = open(folder / "log", "wb")  # noqa: SIM115 (closed with the gateway)
        self.process = subprocess.Popen(["taskset", "-c", "0", options.binary, "serve", "--config", folder / "gateway.yaml"],
                                        stdout=self.log, stderr=self.log)
        try:
            running.wait_for(self.port, self.process)
        except SystemExit:
            self.close()
            raise

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


def ask(options, gateway, backend, size, warm_up, window):
    return running.load(options.tools, gateway, "five-stored-tokens", 64, warm_up, window, backend,
                        more=("--stored", size, "--forms", FORMS))


def ratio(above, below):
    return [round(value, 4) for value in stats.interval_of_median([a / b for a, b in zip(above, below)])]


def measure(options, backend, base, size, folder):
    rows = {"base": [], "point": []}
    with contextlib.ExitStack() as opened:
        one = opened.enter_context(contextlib.closing(Gateway(options, folder / "base", base, "base")))
        two = opened.enter_context(contextlib.closing(Gateway(options, folder / "point", size, "point")))
        # Every form at least once: what was not used today is written, once.
        for gateway, stored in ((one, base), (two, size)):
            ask(options, gateway, backend, stored, options.settle, options.seconds)
        for number in range(options.rounds):
            turns = [("base", one, base), ("point", two, size)]
            for name, gateway, stored in turns if number % 2 == 0 else reversed(turns):
                rows[name].append(ask(options, gateway, backend, stored, options.seconds / 4, options.seconds))
    line = {"stored": size, "errors": sum(row["errors"] for row in rows["base"] + rows["point"]),
            "disturbed": stats.disturbances(rows["base"] + rows["point"])}
    for field, name in (("proxy_cpu_us", "cpu"), ("requests_per_second", "rate"), ("p99_us", "p99")):
        line[name] = round(statistics.median(row[field] for row in rows["point"]), 3)
        line[name + "_base"] = round(statistics.median(row[field] for row in rows["base"]), 3)
        line[name + "_ratio"] = ratio([row[field] for row in rows["point"]], [row[field] for row in rows["base"]])
    return line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--tools", required=True, type=lambda text: pathlib.Path(text).resolve(), help="BUILD/bench")
    parser.add_argument("--stores", required=True, type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--sizes", default="1000,10000000", type=lambda text: [int(size) for size in text.split(",")])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--settle", type=float, default=30.0, help="before the rounds: every form at least twice")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    backend = running.Backend(options.tools, {"tokens": PORTS["tokens"]})
    lines = []
    try:
        for size in options.sizes[1:]:
            with tempfile.TemporaryDirectory(prefix="paravent-stored-") as folder:
                lines.append(measure(options, backend, options.sizes[0], size, pathlib.Path(folder)))
            line = lines[-1]
            low, high = line["cpu_ratio"][1:]
            print(f"{size} stored: {line['cpu']:.2f} us a request, {line['cpu_base']:.2f} at {options.sizes[0]}: "
                  f"{line['cpu_ratio'][0]:.3f} times ({low:.3f} to {high:.3f}; goal {GOAL}); requests a second "
                  f"{line['rate_ratio'][0]:.3f} times, p99 {line['p99_ratio'][0]:.2f} times", flush=True)
            for reason in line["disturbed"]:
                print(f"  disturbed: {reason}")
    finally:
        counts = backend.close()["tokens"]
    wrong = counts["unminted"] or not counts["minted"] or any(line["errors"] for line in lines)
    print(f"{counts['minted']} bodies with their tokens, {counts['unminted']} without")
    if options.json and not wrong:
        options.json.write_text(json.dumps({"goal": GOAL, "lines": lines}, indent=1) + "\n", encoding="utf-8")
    return 4 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

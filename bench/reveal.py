#!/usr/bin/env python3
"""What re-identification with a durable record costs (W9, T21), through the real admin API.

  reveal.py --binary PARAVENT --tools BUILD/bench [--seconds S] [--rounds N] [--disk US,...] [--alone] [--compare] [--json FILE]

For each disk (`0`: the one that is there; `1000`: one whose fsync takes 1 ms, slow_fsync.so) and round, in turns: single
reveals over 1 and 16 connections, and batches of 100 over 8. Beside each: what the disk would allow, taken in the
same minute from `paravent_micro` (a bare write and fdatasync, and the log's appends with 64 in flight); not with --alone.

--compare instead asks, over one connection and in random order, for tokens of another tenant (foreign), such as nobody has
under a key id of the asker's (unknown) or under a key id of nobody (nobody), and erased ones; and says how much longer one
takes than the other, with its 95 % interval: the mean of the quicker four fifths, compared in 50 blocks of time, so that what drifts drifts in
both. A null control does the same to two sets of the same sort; told_apart: the interval is off zero, and the difference
beyond where the null control's own interval ends.
"""

import argparse
import http.client
import http.server
import json
import math
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

POLICY = """policy: 1
tenant: TENANT
roles: { dpo: { reveal: clear, subjects: true } }
recipients: { site: { name: Site, country: FR } }
purposes:
  contact:
    basis: legitimate-interest
    retention: { from: last-contact, active: P3Y, archive: P5Y }
    reveal: [dpo]
routes:
  - name: TENANT-form
    match: { method: POST, path: /TENANT }
    upstream: http://127.0.0.1:UPSTREAM
    recipient: site
    purpose: contact
    client-address: drop
    subject: form.email
    fields:
      form.email: { kind: email, do: tokenise }
      form.name:  { kind: name,  do: tokenise }
      form.phone: { kind: phone, do: tokenise, mode: derived }
    unlisted: refuse
"""


class Keeper(http.server.BaseHTTPRequestHandler):
    """The application: keeps the forms it gets."""

    protocol_version = "HTTP/1.1"
    forms = []

    def do_POST(self):  # noqa: N802 - the library's name
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        Keeper.forms.append(dict(urllib.parse.parse_qsl(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Gateway:
    """A gateway with two tenants in a folder of its own."""

    def __init__(self, binary, tools, disk):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="paravent-reveal-", dir=os.environ.get("TMPDIR", "/var/tmp")))
        self.upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keeper)
        threading.Thread(target=self.upstream.serve_forever, daemon=True).start()
        for tenant in ("first", "second"):
            text = POLICY.replace("TENANT", tenant).replace("UPSTREAM", str(self.upstream.server_port))
            (self.folder / f"{tenant}.yaml").write_text(text, encoding="utf-8")
        (self.folder / "gateway.yaml").write_text(
            f"listen: [{{ address: 127.0.0.1:0 }}]\nadmin: {{ address: 127.0.0.1:0 }}\ndata: {self.folder}/data\n"
            f"vault: {{ unseal: {{ key-file: {self.folder}/root.key }} }}\npolicies: [first.yaml, second.yaml]\n",
            encoding="utf-8",
        )
        environment = dict(os.environ)
        if disk:
            environment |= {"LD_PRELOAD": str(pathlib.Path(tools, "slow_fsync.so").resolve()), "SLOW_FSYNC_US": str(disk)}
        self.errors = open(self.folder / "stderr", "w+", encoding="utf-8")  # noqa: SIM115 - closed in close()
        self.process = subprocess.Popen(
            [binary, "serve", "--config", str(self.folder / "gateway.yaml")], stdout=self.errors, stderr=self.errors, env=environment
        )
        deadline = time.monotonic() + 60
        while True:
            text = (self.folder / "stderr").read_text(encoding="utf-8")
            match = re.search(r"listening on 127\.0\.0\.1:(\d+), admin on 127\.0\.0\.1:(\d+)", text)
            if match:
                break
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the gateway does not start: {text}")
            time.sleep(0.02)
        self.port, self.admin = int(match.group(1)), int(match.group(2))
        first = json.loads((self.folder / "data" / "first-credentials").read_text(encoding="utf-8"))
        self.credential, self.admin_credential = first["credential"], first["admin_credential"]

    def submit(self, tenant, number):
        """The tokens of that many forms."""
        client = http.client.HTTPConnection("127.0.0.1", self.port)
        begin = len(Keeper.forms)
        for n in range(number):
            form = {"email": f"p{n}@{tenant}.example.fr", "name": f"Person {n}", "phone": f"+336{n:08d}"}
            client.request("POST", f"/{tenant}", urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
            answer = client.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"a form was answered with {answer.status}")
        client.close()
        return [form[field] for form in Keeper.forms[begin:] for field in ("email", "name", "phone")]

    def call(self, path, body):
        client = http.client.HTTPConnection("127.0.0.1", self.admin)
        headers = {"Authorization": f"Bearer {self.credential}", "Content-Type": "application/json"}
        client.request("POST", path, json.dumps(body), headers)
        answer = client.getresponse()
        text = answer.read()
        client.close()
        return answer.status, text

    def load(self, tools, bodies, connections, seconds, samples=None):
        file = self.folder / "bodies"
        with open(file, "w", encoding="utf-8") as out:
            for label, tokens in bodies:
                body = json.dumps({"purpose": "contact", "reason": "a measurement", "tokens": tokens})
                out.write(f"{label} {body}\n")
        command = [str(pathlib.Path(tools, "reveal_load")), "--port", str(self.admin), "--credential", self.credential]
        command += ["--bodies", str(file), "--connections", str(connections), "--window", str(seconds)]
        command += ["--gateway", str(self.process.pid)]
        if samples:
            command += ["--samples", str(samples)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr + (self.folder / "stderr").read_text(encoding="utf-8"))
        return json.loads(done.stdout)

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.errors.close()
        self.upstream.shutdown()
        shutil.rmtree(self.folder)


def disk_allows(tools, disk):
    """Syncs a second of a bare file, and the share of it that the log's appends reach (T21)."""
    environment = dict(os.environ)
    if disk:
        environment |= {"LD_PRELOAD": str(pathlib.Path(tools, "slow_fsync.so").resolve()), "SLOW_FSYNC_US": str(disk)}
    command = [str(pathlib.Path(tools, "paravent_micro").resolve()), "--benchmark_format=json", "--benchmark_min_time=1"]
    command += ["--benchmark_filter=audit_(append_64|raw_sync)"]
    folder = tempfile.mkdtemp(prefix="paravent-reveal-", dir=os.environ.get("TMPDIR", "/var/tmp"))
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
    shutil.rmtree(folder)
    rows = {row["name"].split("/")[0]: row for row in json.loads(done.stdout)["benchmarks"]}
    syncs, appends = rows["audit_raw_sync"]["syncs"], rows["audit_append_64_in_flight"]
    return {
        "syncs_per_second": round(syncs),
        "appends_per_second": round(appends["appends"]),
        "mean_batch": round(appends["mean_batch"], 1),
        "of_what_the_disk_allows": round(appends["appends"] / (syncs * appends["mean_batch"]), 3),
    }


def row(name, disk, result, per_request):
    label = next(iter(result["labels"].values()))
    tokens = label["revealed"]
    expected = label["requests"] * per_request
    if label["errors"] or tokens != expected:
        raise SystemExit(f"{name}: {label['errors']} errors, {tokens} of {expected} revealed")
    return {
        "what": name,
        "fsync_us": disk,
        "tokens_per_second": round(tokens / result["seconds"]),
        "p50_ms": round(label["p50_us"] / 1000, 2),
        "p99_ms": round(label["p99_us"] / 1000, 2),
        "gateway_cpu_us_per_token": round(result["gateway_cpu_s"] * 1e6 / max(tokens, 1), 2),
    }


def measure(options):
    rows = []
    for disk in options.disk:
        gateway = Gateway(options.binary, options.tools, disk)
        try:
            tokens = gateway.submit("first", 400)
            mixed = random.Random(1)
            single = [("single", [token]) for token in tokens]
            batches = [("batch", mixed.sample(tokens, 100)) for _ in range(50)]
            gateway.load(options.tools, single, 4, 1)  # the journal is there from now on
            for _ in range(options.rounds):
                if not options.alone:
                    rows.append({"what": "appends, 64 in flight", "fsync_us": disk} | disk_allows(options.tools, disk))
                for name, bodies, connections, per_request in (
                    ("single reveal, 1 connection", single, 1, 1),
                    ("single reveals, 16 connections", single, 16, 1),
                    ("batches of 100, 8 connections", batches, 8, 100),
                ):
                    rows.append(row(name, disk, gateway.load(options.tools, bodies, connections, options.seconds), per_request))
        finally:
            gateway.close()
        for one in rows:
            if one["fsync_us"] == disk:
                print(json.dumps(one))
    return rows


def middle(samples):
    """Mean without the slowest fifth, where the machine speaks and not the program."""
    kept = sorted(samples)[: int(len(samples) * 0.8)]
    return statistics.fmean(kept)


BLOCKS = 50


def blocks(samples):
    """In the order in which they came: labels are drawn at random, so block by block all labels stand for the same time."""
    return [samples[len(samples) * i // BLOCKS : len(samples) * (i + 1) // BLOCKS] for i in range(BLOCKS)]


def compared(one, other):
    """How much longer `other` takes than `one`, block by block, so that what drifts drifts in both; and its 95 % interval."""
    differences = [middle(b) - middle(a) for a, b in zip(blocks(one), blocks(other))]
    mean = statistics.fmean(differences)
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    return {
        "difference_ns": round(mean),
        "low_ns": round(mean - 2.01 * error),  # Student's t, 49 degrees of freedom
        "high_ns": round(mean + 2.01 * error),
        "t": round(mean / error, 2),
        "samples": min(len(one), len(other)),
    }


def altered(token, nobodys_key, letters="qpzry9x8gf2tvdw0s3jn54khce6mua7l"):
    """A token that nobody has, with a checksum that is right (BIP 350): of another random id, or of a key id that names no
    key. (A derived token under a key of one's own is another question: only opening it tells that it was altered.)"""
    prefix, data = token.split("1", 1)
    values = [letters.index(letter) for letter in data[:-6]]
    values[6 if nobodys_key else -2] ^= 1
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    checksum = 1
    for value in expanded + values + [0] * 6:
        top, checksum = checksum >> 25, (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> bit & 1 else 0
    checksum ^= 0x2BC830A3
    values += [checksum >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(letters[value] for value in values)


SET = 200  # tokens of each label; each set is its own, the null control's too


def questions(gateway):
    """(label, tokens) of everything that is asked for."""
    own = gateway.submit("first", 4 * SET)
    foreign = gateway.submit("second", SET)
    bodies = []
    for kind, names in (("pvv1", ("unknown", "null", "nobody", "erased")), ("pvd1", ("nobody", "null"))):
        mine = [token for token in own if token.startswith(kind)]
        bodies += [(f"foreign-{kind}", [token]) for token in foreign if token.startswith(kind)][:SET]
        for n, name in enumerate(names):
            tokens = mine[n * SET : (n + 1) * SET]
            if name != "erased":
                # `null`: a second set of what the first set is.
                nobodys_key = name == "nobody" or kind == "pvd1"
                tokens = [altered(token, nobodys_key) for token in tokens]
            bodies += [(f"{name}-{kind}", [token]) for token in tokens]
    for label, tokens in bodies:
        if label.startswith("erased"):
            status, text = gateway.call("/v1/subjects/erase", {"reason": "a measurement", "tokens": tokens})
            if status != 200:
                raise SystemExit(f"no erased tokens: {status} {text[:200]!r}")
    return bodies


def compare(options):
    gateway = Gateway(options.binary, options.tools, 1)
    try:
        bodies = questions(gateway)
        samples = gateway.folder / "samples"
        result = gateway.load(options.tools, bodies, 1, options.seconds * options.rounds, samples)
        for name, label in result["labels"].items():
            if label["errors"] or label["unavailable"] != label["requests"]:
                raise SystemExit(f"{name}: not every answer was `unavailable`: {label}")
        times = {}
        for line in samples.read_text(encoding="utf-8").splitlines():
            name, ns = line.split()
            times.setdefault(name, []).append(int(ns))
        rows = []
        for kind, base, others in (
            ("pvv1", "unknown", ("foreign", "nobody", "erased")),
            ("pvd1", "nobody", ("foreign",)),
        ):
            null = compared(times[f"{base}-{kind}"], times[f"null-{kind}"])
            rows.append({"what": f"null control, {kind}"} | null)
            reach = max(abs(null["low_ns"]), abs(null["high_ns"]))
            for name in others:
                row = compared(times[f"{base}-{kind}"], times[f"{name}-{kind}"])
                told = (row["low_ns"] > 0 or row["high_ns"] < 0) and abs(row["difference_ns"]) > reach
                rows.append({"what": f"{name} against {base}, {kind}"} | row | {"told_apart": told})
        for one in rows:
            print(json.dumps(one))
        return rows
    finally:
        gateway.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--disk", type=lambda text: [int(part) for part in text.split(",")], default=[0, 1000])
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()
    rows = compare(options) if options.compare else measure(options)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

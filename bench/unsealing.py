#!/usr/bin/env python3
"""How long a gateway takes from a root key to full work: POST /v1/unseal of a key store with many context rows.

  unsealing.py --binary PARAVENT --tools BUILD/bench [--rows N] [--times N] [--json FILE]

Sealed and unsealed again by the admin API: the answer comes when the vault is open (key store, people, token store, record)
and the policy bound to it. Beside it the start of the process until it listens, with the same store, and both with the rows
that the policy alone makes. `paravent_micro --benchmark_filter=keys_open` has the key store by itself.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request


class Gateway:
    def __init__(self, binary, folder):
        self.folder = folder
        began = time.monotonic()
        self.errors = open(folder / "stderr", "w", encoding="utf-8")  # noqa: SIM115 - closed in stop()
        command = [binary, "serve", "--preset", "contact-form", "--upstream", "http://127.0.0.1:9", "--listen", "127.0.0.1:0",
                   "--admin", "127.0.0.1:0", "--data", str(folder / "data"), "--root-key", str(folder / "root.key")]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=self.errors, stderr=self.errors)
        while True:
            text = (folder / "stderr").read_text(encoding="utf-8")
            match = re.search(r"admin on 127\.0\.0\.1:(\d+)", text)
            if match:
                break
            if self.process.poll() is not None or time.monotonic() > began + 60:
                self.stop()
                raise SystemExit(f"the gateway does not start: {text}")
            time.sleep(0.002)
        self.started = time.monotonic() - began
        self.admin = int(match.group(1))

    def post(self, path, credential=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.admin}{path}", data=b'{"reason":"a benchmark"}' if credential else b"{}", method="POST"
        )
        request.add_header("Content-Type", "application/json")
        if credential:
            request.add_header("Authorization", f"Bearer {credential}")
        began = time.monotonic()
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()
        return time.monotonic() - began

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.errors.close()


def measure(binary, folder, credential, times):
    starts, unsealings = [], []
    for _ in range(times):
        gateway = Gateway(binary, folder)
        try:
            starts.append(gateway.started)
            gateway.post("/v1/seal", credential)
            unsealings.append(gateway.post("/v1/unseal"))
        finally:
            gateway.stop()
    return {"start": [round(1000 * one, 1) for one in starts], "unseal": [round(1000 * one, 1) for one in unsealings]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--json")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="paravent-unsealing-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    try:
        Gateway(options.binary, folder).stop()
        first = json.loads((folder / "data" / "first-credentials").read_text(encoding="utf-8"))
        found = {"few": measure(options.binary, folder, first["admin_credential"], options.times)}
        done = subprocess.run(
            [pathlib.Path(options.tools, "context_rows"), folder / "data", folder / "root.key", str(options.rows)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        found["rows"] = int(done.stdout.split()[0])
        found["many"] = measure(options.binary, folder, first["admin_credential"], options.times)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, rows in (("few", "the policy's"), ("many", f"{found['rows']:,}".replace(",", " "))):
        for what in ("start", "unseal"):
            times = found[name][what]
            print(f"{what:7} {rows:>12} context rows: {statistics.median(times):7.1f} ms ({min(times):.1f} to {max(times):.1f})")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The loads under which a gateway is run whose build counts what it executes (deploy/build_package.sh): the workloads of the
comparison, plain and over TLS, new durable tokens, and re-identification with its record.

  train.py --binary PARAVENT --tools DIR [--seconds S]

The forms are drawn from another seed than the bench's. Ends with an error where a request failed or a body came through unprotected: a
gateway that does not do its work would be trained for something else. Takes processors 0 and 1, as the bench does.
"""

import argparse
import contextlib
import pathlib
import subprocess
import sys
import tempfile

import running

PORTS = {"clear": 19351, "tokens": 19352, "gateway": 19353, "admin": 19354, "tls": 19355}
SEED = 20_240_229
TLS = ("--tls",)
EACH_NEW = (*TLS, "--each-new")
# (workload, connections, more of load.cc's words)
LOADS = (
    ("form-post-5-fields", 64, ("--seed", SEED)),
    ("form-post-5-fields", 1, ("--seed", SEED)),
    ("get-1-kib", 64, ()),
    ("json-batch-20-events", 64, ()),
    ("json-batch-gzip", 64, ()),
    ("upload-10-mib", 4, ()),
    ("form-post-5-fields", 64, ("--seed", SEED, *TLS)),
    ("get-1-kib", 64, TLS),
    ("get-1-kib", 64, EACH_NEW),
    ("get-1-kib", 64, (*EACH_NEW, "--resume")),
)


def train(options, folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "site.key",
                    "-out", folder / "site.pem", "-days", "2", "-subj", "/CN=localhost"], check=True, capture_output=True)
    upstream = f"http://127.0.0.1:{PORTS['tokens']}"
    backend = running.Backend(options.tools, {"clear": PORTS["clear"], "tokens": PORTS["tokens"]})
    try:
        under_load(options, folder, upstream, backend)
    finally:
        seen = backend.close()["tokens"]
    unprotected = seen["bad"] + seen["bad_batches"] + seen["bad_uploads"]
    if unprotected:
        running.fail(f"{unprotected} bodies came through unprotected")


def under_load(options, folder, upstream, backend):
    gateway = running.Gateway(options.binary, folder / "gateway", PORTS["gateway"], PORTS["admin"], running.peer_policy(upstream),
                              tls=PORTS["tls"])
    with contextlib.closing(gateway):
        for workload, connections, more in LOADS:
            port = PORTS["tls"] if "--tls" in more else None
            row = running.load(options.tools, gateway, workload, connections, 0.1, options.seconds, backend, more=more, port=port)
            if row["errors"] or not row["requests"]:
                running.fail(f"{row['requests']} requests and {row['errors']} failures of {workload}")
            print(f"{row['requests']:>8} requests of {workload} {' '.join(map(str, more))}", flush=True)
        gateway.reload(running.peer_policy(upstream).replace("Contact form", "Form"))
    if gateway.process.returncode != 0:
        running.fail(f"the gateway ended with code {gateway.process.returncode}, and its counts may not be written")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--tools", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=float, default=1.5)
    options = parser.parse_args()
    options.binary, options.tools = options.binary.resolve(), options.tools.resolve()
    with tempfile.TemporaryDirectory(prefix="paravent-train.") as name:
        train(options, pathlib.Path(name))
    here = pathlib.Path(__file__).resolve().parent
    common = ["--binary", options.binary, "--tools", options.tools, "--seconds", "1", "--rounds", "1"]
    for program in ("durable_tokens.py", "reveal.py"):
        done = subprocess.run([sys.executable, here / program, *common, *(["--disk", "0", "--alone"] if program == "reveal.py" else [])],
                              stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            running.fail(f"{program} ended with code {done.returncode}")
        print(f"{program} has run")


if __name__ == "__main__":
    main()

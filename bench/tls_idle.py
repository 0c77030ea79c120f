#!/usr/bin/env python3
"""Memory of an idle connection: the slope of the gateway's resident memory over many of them.

tls_idle.py --binary PATH [--few N] [--many N] [--plain]

Opens connections that have carried one request each and then rest, FEW and then MANY of them, and divides what
Private_Dirty of /proc/PID/smaps_rollup grew by. One worker; kernel memory of sockets is not in it, and told
beside (of both ends, and of whoever else uses sockets meanwhile). Prints one JSON object; the exit code is 1 where a TLS connection costs more than 20 KiB (T12).
"""

import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from support import settings, wire  # noqa: E402
from support.certificates import Authority  # noqa: E402
from support.gateway import Scene  # noqa: E402
from support.policies import WIDE  # noqa: E402

TARGET_KIB = 20.0


def private_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"Private_Dirty:\s+(\d+) kB", file.read()).group(1))


def kernel_kib():
    """What the kernel holds for TCP sockets, both ends of each connection and everybody else's."""
    text = pathlib.Path("/proc/net/sockstat").read_text(encoding="ascii")
    return int(re.search(r"^TCP: .* mem (\d+)", text, re.MULTILINE).group(1)) * os.sysconf("SC_PAGESIZE") // 1024


def measure(few, many, plain):
    folder = tempfile.mkdtemp(prefix="paravent-idle-")
    try:
        authority = Authority(folder)
        certificate, key = authority.issue("site.example")
        served = None if plain else f"{{ certificate: {certificate}, key: {key} }}"
        limits = {"connections-per-address": many + 10}
        with Scene(policy=WIDE, workers=1, tls=served, limits=limits) as scene:
            tls = None if plain else (authority.trusting(), "site.example")
            connections, points, kernel = [], [], []
            for target in (few, many):
                while len(connections) < target:
                    connection = scene.wire(tls=tls)
                    connection.send(wire.request("GET", "/"))
                    connection.answer()
                    connections.append(connection)
                time.sleep(1)
                points.append((len(connections), private_kib(scene.process.pid)))
                kernel.append(kernel_kib())
            open_now = len(connections)
            for connection in connections:
                connection.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    (n1, k1), (n2, k2) = points
    return {"tls": not plain, "open": open_now, "points": points, "kib_per_connection": round((k2 - k1) / (n2 - n1), 2),
            "kernel_kib_per_connection": round((kernel[1] - kernel[0]) / (n2 - n1), 2)}


def main():
    parser = argparse.ArgumentParser(description="Memory of idle connections")
    parser.add_argument("--binary", required=True)
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    settings.BINARY = os.path.abspath(options.binary)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    result = measure(options.few, options.many, options.plain)
    print(json.dumps(result))
    return 1 if not options.plain and result["kib_per_connection"] > TARGET_KIB else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What a crowd of idle connections costs those who work: the p99 of 100 active connections beside many that rest (W6).

  idle_crowd.py --binary PARAVENT --tools DIR [--idle N] [--seconds S] [--rounds N] [--json FILE]

Two gateways, one with the crowd and one without, asked in turns, request by request, by an open loop over 100 connections to each:
what else the machine does hits both. Each connection asks fifty times a second, a tenth of what a gateway answers at most: there the
p99 is a gateway's, where at half of its most it is the slices that the scheduler gives to the load and the application, which share
the other processor. Each connection of the crowd has carried a request and carries another before every round, since the gateway closes
what rests for 30 seconds. The figure is the ratio of the p99 over all rounds, with its bootstrap 95 % interval over rounds. Exit code 4,
and no JSON, where a request failed or was not answered.
"""

import argparse
import json
import os
import pathlib
import resource
import socket
import subprocess
import sys
import tempfile

import running
import stats

GOALS = (1.25, 1.10)  # T13: limit, goal
PORTS = {"clear": 19331, "alone": 19332, "crowd": 19333, "admin_alone": 19334, "admin_crowd": 19335}
ACTIVE = 100
RATE = 5000  # requests a second, of each gateway
REQUEST = b"GET /kib HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Crowd:
    def __init__(self, port, size):
        self.members = []
        for _ in range(size):
            member = socket.create_connection(("127.0.0.1", port), 10)
            self.members.append(member)
            self.ask(member)

    @staticmethod
    def ask(member):
        member.sendall(REQUEST)
        got = b""
        while b"\r\n\r\n" not in got or len(got.partition(b"\r\n\r\n")[2]) < 1024:
            more = member.recv(4096)
            if not more:
                running.fail("a connection of the crowd was closed")
            got += more

    def stir(self):
        for member in self.members:
            self.ask(member)

    def close(self):
        for member in self.members:
            member.close()


def open_load(options, gateways, backend):
    """One window of open_load.cc: {role: its row}."""
    alone, crowd = gateways["alone"], gateways["crowd"]
    ours = ",".join(str(one.process.pid) for one in (alone, crowd, backend))
    done = subprocess.run(["taskset", "-c", "1", options.tools / "open_load", "--workload", "get-1-kib", "--port", str(alone.port), "--beside-port",
                           str(crowd.port), "--rate", str(2 * RATE), "--connections", str(ACTIVE), "--warm-up", str(options.seconds / 4),
                           "--window", str(options.seconds), "--histogram", "--ours", ours], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        running.fail(f"the load ended with code {done.returncode}: {done.stderr.strip()}")
    row = json.loads(done.stdout)
    return {"alone": row, "crowd": row.pop("beside")}


def failures_of(rows):
    return sum(row["errors"] + row["requests"] - row["answered"] for row in rows)


def measure(options, folder):
    backend = running.Backend(options.tools, {"clear": PORTS["clear"]})
    gateways = {}
    crowd = None
    rows = {"alone": [], "crowd": []}
    try:
        for role in rows:
            gateways[role] = running.Gateway(options.binary, folder / role, PORTS[role], PORTS["admin_" + role],
                                             running.peer_policy(f"http://127.0.0.1:{PORTS['clear']}"))
        crowd = Crowd(PORTS["crowd"], options.idle)
        for _ in range(options.rounds):
            crowd.stir()
            for role, row in open_load(options, gateways, backend).items():
                rows[role].append(row)
    finally:
        if crowd:
            crowd.close()
        for gateway in gateways.values():
            gateway.close()
        backend.close()
    latencies = {role: [row["latencies"] for row in own] for role, own in rows.items()}
    ratio = stats.interval_of_quantile_ratio(latencies["crowd"], latencies["alone"], 0.99)
    return {"goals": GOALS, "idle": options.idle, "rounds": options.rounds, "rate": RATE, "p99_ratio": [round(value, 4) for value in ratio],
            "errors": failures_of(rows["alone"] + rows["crowd"]), "p99_us": {role: stats.quantile_of(own, 0.99) for role, own in latencies.items()},
            "rounds_p99_us": {role: [row["p99_us"] for row in own] for role, own in rows.items()},
            "disturbed": stats.disturbances(rows["alone"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--tools", required=True, type=lambda text: pathlib.Path(text).resolve(), help="BUILD/bench")
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory(prefix="paravent-crowd-") as folder:
        result = measure(options, pathlib.Path(folder))
    value, low, high = result["p99_ratio"]
    print(f"p99 of {ACTIVE} active connections at {result['rate']} requests/s: {result['p99_us']['alone']} us alone, {result['p99_us']['crowd']} us beside {result['idle']} idle ones: "
          f"{value:.3f} ({low:.3f} to {high:.3f})" + "".join(f"; void: {reason}" for reason in result["disturbed"]))
    if options.json and not result["errors"]:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 4 if result["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What a crowd of idle connections costs those who work: the p99 of 100 active connections beside many that rest (W6).

  idle_crowd.py --binary PARAVENT --tools DIR [--idle N] [--seconds S] [--rounds N] [--json FILE]

Two gateways, one with the crowd and one without, measured in turns. Each connection of the crowd has carried a request and carries
another before every round, since the gateway closes what rests for 30 seconds. The figure is the ratio of the p99 over all rounds,
with its bootstrap 95 % interval over rounds. Exit code 4, and no JSON, where a request failed.
"""

import argparse
import json
import os
import pathlib
import resource
import socket
import sys
import tempfile

import running
import stats

GOALS = (1.25, 1.10)  # T13: limit, goal
PORTS = {"clear": 19331, "alone": 19332, "crowd": 19333, "admin_alone": 19334, "admin_crowd": 19335}
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
        for number in range(options.rounds):
            crowd.stir()
            for role in list(rows) if number % 2 == 0 else reversed(list(rows)):
                rows[role].append(running.load(options.tools, gateways[role], "get-1-kib", 100, options.seconds / 4, options.seconds, backend,
                                               more=["--histogram"]))
    finally:
        if crowd:
            crowd.close()
        for gateway in gateways.values():
            gateway.close()
        backend.close()
    latencies = {role: [row["latencies"] for row in own] for role, own in rows.items()}
    ratio = stats.interval_of_quantile_ratio(latencies["crowd"], latencies["alone"], 0.99)
    return {"goals": GOALS, "idle": options.idle, "rounds": options.rounds, "p99_ratio": [round(value, 4) for value in ratio],
            "errors": sum(row["errors"] for row in rows["alone"] + rows["crowd"]),
            "p99_us": {role: stats.quantile_of(own, 0.99) for role, own in latencies.items()},
            "rounds_p99_us": {role: [row["p99_us"] for row in own] for role, own in rows.items()},
            "disturbed": stats.disturbances(rows["alone"] + rows["crowd"])}


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
    print(f"p99 of 100 active connections: {result['p99_us']['alone']} us alone, {result['p99_us']['crowd']} us beside {result['idle']} idle ones: "
          f"{value:.3f} ({low:.3f} to {high:.3f})" + "".join(f"; void: {reason}" for reason in result["disturbed"]))
    if options.json and not result["errors"]:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 4 if result["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())

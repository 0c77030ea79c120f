#!/usr/bin/env python3
"""Slow and many clients in front of the gateway.

slow.py --binary PATH [--seconds N] [--connections N] [--crowd N [--crowd-seconds N]] [--only NAME]

headers, body, read, range: slowhttptest from Debian in each of its modes, for so many seconds, or as long as the gateway's
deadline for them needs. The gateway must go on answering others within a second, hold its memory, have no more connections than
came, and show the slow ones out while they are still there: slow heads and bodies are refused and counted, and the tool ends when
it has no connection left. Slow readers have 60 seconds; where the whole test has fewer they are only borne. The tool must call
the service available in every second.
crowd (only with --crowd): so many idle connections and so many that send a byte now and then are held while others are
measured: every slow one must be shown out, the others' p99 may be 1.10 times what it is at a gateway without them, and memory
grow by no more than 8 KiB a connection and be flat in the end, which needs some 300 seconds (crowd.py).

The last line is `N passed, N failed`.
"""

import argparse
import csv
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "e2e")]

from crowd import measure as beside_a_crowd, memory_of  # noqa: E402
from support import settings, wire  # noqa: E402
from support.gateway import Scene  # noqa: E402
from support.policies import WIDE  # noqa: E402
from support.upstream import Upstream, default_answer  # noqa: E402

LARGE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (1 << 20) + b"x" * (1 << 20)
MODES = {
    "headers": ["-H", "-u", "{url}/contact", "-x", "24"],
    "body": ["-B", "-u", "{url}/contact", "-s", "8192", "-x", "10"],
    "read": ["-X", "-u", "{url}/large", "-w", "10", "-y", "20", "-z", "32", "-n", "5", "-k", "3"],
    "range": ["-R", "-u", "{url}/", "-a", "10", "-b", "3000"],
}
# When the gateway ends them (docs/request-path.md, Limits), and in how many seconds all have come.
DEADLINES = {"headers": 10, "body": 10, "read": 60, "range": 0}
COMING = 4
MARGIN = 10
REFUSED = ("headers", "body")  # with an answer, which is counted; who reads slowly has had the beginning of another
ELSE_OPEN = 5  # the probe's, the tool's own, and one of each that is just ending


def answer(request):
    return LARGE if request.target == "/large" else default_answer(request)


class Probe(threading.Thread):
    """One client after the other, each on a connection of its own, as fast as they are answered."""

    def __init__(self, scene):
        super().__init__(daemon=True)
        self.scene, self.times, self.errors, self.done = scene, [], [], False

    def run(self):
        while not self.done:
            begin = time.monotonic()
            try:
                with self.scene.wire(5) as connection:
                    connection.send(wire.request("GET", "/page"))
                    if connection.answer().status != 200:
                        self.errors.append("not 200")
            except Exception as error:  # noqa: BLE001 - counted below
                self.errors.append(repr(error))
            self.times.append(time.monotonic() - begin)
            time.sleep(0.02)

    def finish(self):
        self.done = True
        self.join(10)
        self.times.sort()
        return self.times[int(len(self.times) * 0.99)] if self.times else float("inf")


class Watch(threading.Thread):
    """(seconds since the beginning, connections open, refusals by timeout), twice a second."""

    def __init__(self, scene):
        super().__init__(daemon=True)
        self.scene, self.seen, self.done = scene, [], threading.Event()

    def look(self):
        admin = self.scene.admin
        return admin.metric("paravent_connections_open"), admin.refusals("timeout")

    def run(self):
        begin = time.monotonic()
        while not self.done.is_set():
            self.seen.append((time.monotonic() - begin, *self.look()))
            self.done.wait(0.5)

    def finish(self):
        self.done.set()
        self.join(10)
        return self.seen


def attack(name, url, seconds, connections):
    """(exit code, whether the service was available in each second, what ended it) of the tool."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["slowhttptest", *[word.format(url=url) for word in MODES[name]]]
        command += ["-c", str(connections), "-r", str(connections // COMING), "-i", "5", "-l", str(seconds), "-p", "3", "-v", "1"]
        command += ["-g", "-o", f"{folder}/seen"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
        with open(f"{folder}/seen.csv", encoding="ascii", newline="") as file:
            available = [row["Service Available"] != "0" for row in csv.DictReader(file)]
    ended = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout.rpartition("Exit status:")[2]).strip()
    return done.returncode, available, ended.partition("\n")[0]


def slow_faults(name, seconds, connections, seen, refused, accepted):
    """What the gateway's own figures say: while the tool was there, and how many were `refused` by its end."""
    faults = []
    peak = max(held for _, held, _ in seen)
    if peak > connections + ELSE_OPEN:
        faults.append(f"{peak:.0f} connections were open at once")
    if accepted < connections:
        faults.append(f"only {accepted:.0f} connections came")
    if name in REFUSED and refused < connections * 0.97:
        faults.append(f"only {refused:.0f} of {connections} slow ones were refused")
    if name not in REFUSED and seconds > DEADLINES[name] + COMING and seen[-1][1] > ELSE_OPEN:
        faults.append(f"{seen[-1][1]:.0f} were still open after {seen[-1][0]:.0f} s")
    return faults


def slow_mode(name, seconds, connections):
    limits = {"connections-per-address": connections + 100}
    if name != "read" or seconds >= DEADLINES[name]:
        seconds = max(seconds, DEADLINES[name] + COMING + MARGIN)
    with Scene(policy=WIDE, upstream=Upstream(answer), limits=limits) as scene:
        before = memory_of(scene.process.pid)
        probe, watch = Probe(scene), Watch(scene)
        probe.start()
        watch.start()
        code, available, ended = attack(name, f"http://127.0.0.1:{scene.port}", seconds, connections)
        refused = watch.look()[1]
        seen = watch.finish()
        worst = probe.finish()
        grown = memory_of(scene.process.pid) - before
        accepted = scene.admin.metric("paravent_connections_accepted_total") - len(probe.times)
        faults = slow_faults(name, seconds, connections, seen, refused, accepted)
        if probe.errors:
            faults.append(f"{len(probe.errors)} of {len(probe.times)} others failed: {probe.errors[0]}")
        if worst > 1.0:
            faults.append(f"others' p99 was {worst:.2f} s")
        if grown > (64 << 20) + connections * (160 << 10):
            faults.append(f"memory grew by {grown >> 20} MiB")
        if code != 0 or len(available) < 3:
            faults.append(f"slowhttptest ended with {code} after {len(available)} s")
        if not all(available):
            faults.append(f"to slowhttptest the service was away in {available.count(False)} of {len(available)} s")
        # It does not look for the end of what it does not read.
        if name != "read" and ended != "No open connections left":
            faults.append(f"slowhttptest ended otherwise: {ended}")
        deadline = time.monotonic() + 10
        while scene.admin.metric("paravent_connections_open") > 1 and time.monotonic() < deadline:
            time.sleep(0.5)
        left = scene.admin.metric("paravent_connections_open")
        if left > 1:
            faults.append(f"{left:.0f} connections are still open")
        print(
            f"      {name}: {len(probe.times)} others, p99 {worst * 1000:.1f} ms, memory +{grown >> 10} KiB\n"
            f"      {max(held for _, held, _ in seen):.0f} open at most, {seen[-1][1]:.0f} after {seen[-1][0]:.0f} s; "
            f"{refused:.0f} refused by timeout; available in {available.count(True)} of {len(available)} s; {ended}"
        )
        return faults


def crowd(size, seconds):
    limits = {"connections": 2 * size + 500, "connections-per-address": 2 * size + 500}
    # A million requests that are kept stop the application for a second whenever Python looks through them.
    with Scene(policy=WIDE, upstream=Upstream(answer, forget=True), limits=limits) as alone:
        with Scene(policy=WIDE, upstream=Upstream(answer, forget=True), limits=limits) as beside:
            return beside_a_crowd((alone, beside), size, seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--crowd", type=int, default=0)
    parser.add_argument("--crowd-seconds", type=int)
    parser.add_argument("--only")
    options = parser.parse_args()
    settings.BINARY = str(pathlib.Path(options.binary).resolve())
    runs = {name: lambda name=name: slow_mode(name, options.seconds, options.connections) for name in MODES}
    if options.crowd:
        runs["crowd"] = lambda: crowd(options.crowd, options.crowd_seconds or options.seconds)
    passed = failed = 0
    for name, run in runs.items():
        if options.only and name != options.only:
            continue
        faults = run()
        passed, failed = passed + (not faults), failed + bool(faults)
        print(f"{'FAIL' if faults else 'ok  '}  {name}{': ' if faults else ''}{'; '.join(faults)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

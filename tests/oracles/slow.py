#!/usr/bin/env python3
"""Slow and many clients in front of the gateway.

slow.py --binary PATH [--seconds N] [--connections N] [--crowd N [--crowd-seconds N]] [--only NAME]

headers, body, read, range: slowhttptest from Debian in each of its modes, for so many seconds. The gateway must go on answering
others within a second, hold its memory, and let none of the slow ones stay for ever.
crowd (only with --crowd): so many idle connections and so many that send a byte now and then are held while others are
measured: their p99 may be 1.10 times what it is at a gateway without them, memory grow by no more than 16 KiB a connection and
stay flat from then on (crowd.py).

The last line is `N passed, N failed`.
"""

import argparse
import pathlib
import subprocess
import sys
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


def slow_mode(name, seconds, connections):
    limits = {"connections-per-address": connections + 100}
    with Scene(policy=WIDE, upstream=Upstream(answer), limits=limits) as scene:
        before = memory_of(scene.process.pid)
        probe = Probe(scene)
        probe.start()
        url = f"http://127.0.0.1:{scene.port}"
        command = ["slowhttptest", *[word.format(url=url) for word in MODES[name]]]
        command += ["-c", str(connections), "-r", str(connections // 4), "-i", "5", "-l", str(seconds), "-p", "3", "-v", "1"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
        worst = probe.finish()
        grown = memory_of(scene.process.pid) - before
        faults = []
        if probe.errors:
            faults.append(f"{len(probe.errors)} of {len(probe.times)} others failed: {probe.errors[0]}")
        if worst > 1.0:
            faults.append(f"others' p99 was {worst:.2f} s")
        if grown > (64 << 20) + connections * (160 << 10):
            faults.append(f"memory grew by {grown >> 20} MiB")
        if done.returncode not in (0, 1) and not done.stdout:
            faults.append(f"slowhttptest ended with {done.returncode}")
        deadline = time.monotonic() + 95
        while scene.admin.metric("paravent_connections_open") > 1 and time.monotonic() < deadline:
            time.sleep(1)
        left = scene.admin.metric("paravent_connections_open")
        if left > 1:
            faults.append(f"{left:.0f} connections are still open")
        print(f"      {name}: {len(probe.times)} others, p99 {worst * 1000:.1f} ms, memory +{grown >> 10} KiB")
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

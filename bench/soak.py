#!/usr/bin/env python3
"""The mixed soak (W10): 70 % GETs, 20 % forms, 9 % batches, 1 % uploads of 10 MiB, for a long time, while the policy is
reloaded and the applications are restarted in turns.

  soak.py --binary PARAVENT --tools DIR [--minutes N] [--connections N] [--json FILE] [--plan SECONDS] [--settle N]

First as many reloads, one after the other beside the same load, as the allocator takes until it has room for the largest mixture of an old and a
new policy (--settle, 300; bench/README.md has 600 in a row); else half an hour's ninety reloads are a slope.
Then, between windows of load, when nothing is under way, resident memory is read; its slope after the
warm-up (the first fifth) is Theil and Sen's median of all pairs, with a bootstrap 95 % interval. Open descriptors, which go up and down with the
connections that are kept for later, are counted before and afterwards, when all of these are closed. The applications are
two targets of one upstream; each is restarted in order (its last answer on a connection says so), so that no request
has a reason to fail, and none may. Exit code 5 where one did, or where something grew or may have (memory and p99 judged from ten minutes on).
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import platform
import random
import statistics
import sys
import tempfile
import threading
import time

import running

PORTS = {"one": 19301, "two": 19302, "gateway": 19303, "admin": 19304}
MOST_PER_TEN_MINUTES = 0.01  # of memory (T24)
MOST_DRIFT = 1.10            # of the p99 of the last third of the windows against the first
LEAST_MINUTES = 10           # for a verdict about growth
REST = 36                    # seconds; the gateway closes what nobody uses after 30, to clients and to applications


def slope(points):
    """Median of the slopes between all pairs of (x, y) (Theil 1950, Sen 1968)."""
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(points) for b in points[i + 1:] if b[0] > a[0]]
    return statistics.median(slopes) if slopes else 0.0


def slope_interval(points, seed=1, resamples=400):
    """The slope and its bootstrap 95 % interval."""
    draw = random.Random(seed)
    found = sorted(slope(sorted(draw.choices(points, k=len(points)))) for _ in range(resamples))
    return slope(points), found[int(0.025 * (resamples - 1))], found[int(0.975 * (resamples - 1))]


def growth(samples, field, warm_up):
    """Per ten minutes, as a share of what there was after the warm-up: (value, low, high)."""
    kept = [(sample["at"], sample[field]) for sample in samples if sample["at"] >= warm_up]
    if len(kept) < 3:
        return 0.0, float("-inf"), float("inf")
    return tuple(600 * value / kept[0][1] for value in slope_interval(kept))


def drift(windows):
    """p99 of the last third of the windows against the first third's; of everything but the uploads (load.cc)."""
    third = max(1, len(windows) // 3)
    first, last = ([w["p99_us"] for w in part] for part in (windows[:third], windows[-third:]))
    return statistics.median(last) / statistics.median(first)


def verdicts(result):
    """{what: sentence}; growth only where it ran long enough."""
    failed, seen = result["failed"], result["unprotected"]
    found = {"failed requests": "none" if failed == 0 else "MISSED",
             "unprotected bodies": "none" if seen == 0 else "MISSED"}
    idle = [what for what in ("requests", "uploads", "reloads", "restarts") if result[what] == 0]
    found["work"] = "MISSED: no " + ", no ".join(idle) if idle else "all kinds"
    value, low, high = result["memory"]
    if result["minutes"] < LEAST_MINUTES:
        found["memory"] = "too short a run for a verdict"
    elif value > MOST_PER_TEN_MINUTES:
        found["memory"] = "MISSED"
    elif high <= MOST_PER_TEN_MINUTES:
        found["memory"] = "no growth" if low <= 0 else "limit kept"
    else:
        found["memory"] = "no verdict: the interval goes beyond the limit"
    before, after = result["open_at_rest"]
    found["descriptors"] = "no growth" if after <= before else "MISSED"
    if result["minutes"] < LEAST_MINUTES:
        found["p99"] = "too short a run for a verdict"
    else:
        found["p99"] = "no drift" if result["p99_drift"] <= MOST_DRIFT else "MISSED"
    return found


def tally(said):
    """(passed, failed): what was not shown to hold has failed; what the run was too short for counts as neither."""
    judged = [sentence for sentence in said.values() if not sentence.startswith("too short")]
    failed = [sentence for sentence in judged if sentence.startswith(("MISSED", "no verdict"))]
    return len(judged) - len(failed), len(failed)


class Trouble(threading.Thread):
    """Reloads the policy every `reload` seconds and restarts one application every `restart` seconds."""

    def __init__(self, gateway, backends, texts, reload, restart):
        super().__init__(daemon=True)
        self.gateway, self.backends, self.texts = gateway, backends, texts
        self.every = {"reload": reload, "restart": restart}
        self.done = {"reload": 0, "restart": 0}
        self.counts = []
        self.over = threading.Event()
        self.fault = None

    def run(self):
        due = {what: time.monotonic() + seconds for what, seconds in self.every.items()}
        try:
            while not self.over.wait(0.2):
                for what, at in due.items():
                    if time.monotonic() >= at:
                        getattr(self, what)()
                        self.done[what] += 1
                        due[what] = time.monotonic() + self.every[what]
        except Exception as fault:  # noqa: BLE001 (told by whoever joins)
            self.fault = fault

    def reload(self):
        self.gateway.reload(self.texts[(self.done["reload"] + 1) % len(self.texts)])

    def restart(self):
        backend = self.backends[self.done["restart"] % len(self.backends)]
        self.counts.append(backend.close())
        time.sleep(0.5)
        backend.start()


def settle(options, gateway, texts):
    """So many reloads beside windows of load: the windows' rows, which count as all others."""
    over = threading.Event()

    def load():
        rows = []
        while not over.is_set():
            rows.append(running.load(options.tools, gateway, "mixed", options.connections, 0, 2))
        return rows

    # What ends the load ends the soak: its result raises it here.
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load)
        try:
            for _ in range(options.settle // 2):
                # Back to the first one each time: what follows begins with the other.
                gateway.reload(texts[1])
                gateway.reload(texts[0])
        finally:
            over.set()
    return loading.result()


def open_at_rest(gateway):
    time.sleep(REST)
    return gateway.descriptors()


def soak(options, folder):
    backends = [running.Backend(options.tools, {"tokens": PORTS[name]}, drain=True) for name in ("one", "two")]
    targets = "[" + ", ".join(f"'http://127.0.0.1:{PORTS[name]}'" for name in ("one", "two")) + "]"
    text = running.peer_policy(targets)
    # A rule that nothing uses: the next policy is another one.
    texts = (text, text.replace("    fields:\n", "    fields:\n      cookie.never: { do: drop }\n", 1))
    gateway = running.Gateway(options.binary, folder / "gateway", PORTS["gateway"], PORTS["admin"], text)
    trouble = Trouble(gateway, backends, texts, options.plan, options.plan * 1.5)
    windows, samples = [], []
    try:
        settled = settle(options, gateway, texts)
        rested = [open_at_rest(gateway)]
        began = time.monotonic()
        trouble.start()
        while time.monotonic() - began < 60 * options.minutes:
            windows.append(running.load(options.tools, gateway, "mixed", options.connections, 0, options.window))
            time.sleep(1)  # what was cut off by the window's end is over
            samples.append({"at": time.monotonic() - began, "memory": gateway.memory_kib(), "descriptors": gateway.descriptors()})
            if sys.stderr.isatty():
                print(f"\rsoak: {samples[-1]['at'] / 60:.1f} of {options.minutes} minutes", end="", file=sys.stderr)
        trouble.over.set()
        trouble.join()
        if trouble.fault:
            running.fail(f"{trouble.fault}")
        rested.append(open_at_rest(gateway))
    finally:
        trouble.over.set()
        code = gateway.close()
        counts = trouble.counts + [backend.close() for backend in backends]
    warm_up = 12 * options.minutes  # a fifth
    return {
        "minutes": options.minutes, "connections": options.connections, "gateway_exit": code,
        "requests": sum(w["requests"] for w in settled + windows), "failed": sum(w["errors"] for w in settled + windows),
        "unprotected": sum(c["tokens"]["bad"] + c["tokens"]["bad_batches"] + c["tokens"]["bad_uploads"] for c in counts),
        "uploads": sum(c["tokens"]["uploads"] for c in counts),
        "reloads": trouble.done["reload"], "restarts": trouble.done["restart"],
        "memory": growth(samples, "memory", warm_up), "open_at_rest": rested,
        "memory_kib": [samples[0]["memory"], samples[-1]["memory"]],
        "open": [min(sample["descriptors"] for sample in samples), max(sample["descriptors"] for sample in samples)],
        "p99_drift": drift(windows), "p99_us": [windows[0]["p99_us"], windows[-1]["p99_us"]],
        "samples": samples, "rates": [w["requests_per_second"] for w in windows], "p99s": [w["p99_us"] for w in windows],
    }


def text_of(result, said):
    value, low, high = result["memory"]
    slope_text = f"{value:+.3%} in ten minutes ({low:+.3%} to {high:+.3%})"
    return "\n".join([
        f"Mixed soak, {result['minutes']} minutes, {datetime.date.today()}, commit {running.commit()}, "
        f"{platform.system()} {platform.release()}, {os.cpu_count()} processors",
        f"requests: {result['requests']}, of which uploads {result['uploads']}; over {result['connections']} connections; "
        f"{result['reloads']} reloads, {result['restarts']} restarts of an application: {said['work']}",
        f"failed requests: {result['failed']}: {said['failed requests']}",
        f"unprotected bodies: {result['unprotected']}: {said['unprotected bodies']}",
        f"memory: {result['memory_kib'][0]} to {result['memory_kib'][1]} KiB, {slope_text}: {said['memory']}",
        f"descriptors: {result['open_at_rest'][0]} at rest before, {result['open_at_rest'][1]} afterwards; {result['open'][0]} to {result['open'][1]} "
        f"between windows: {said['descriptors']}",
        f"p99: {result['p99_us'][0]:.0f} to {result['p99_us'][1]:.0f} us, last third {result['p99_drift']:.3f} of the first: "
        f"{said['p99']}",
    ]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--tools", required=True, type=lambda text: pathlib.Path(text).resolve(), help="BUILD/bench")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--window", type=float, default=10.0, help="seconds between two looks at the memory")
    parser.add_argument("--plan", type=float, default=20.0, help="seconds between reloads; restarts every one and a half times")
    parser.add_argument("--settle", type=int, default=300, help="reloads before the first look at the memory")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paravent-soak-") as folder:
        result = soak(options, pathlib.Path(folder))
    said = verdicts(result)
    if options.json:
        options.json.write_text(json.dumps(result | {"verdicts": said}, indent=1) + "\n", encoding="utf-8")
    if sys.stderr.isatty():
        print(file=sys.stderr)
    sys.stdout.write(text_of(result, said))
    passed, failed = tally(said)
    if passed + failed < len(said):
        print(f"{len(said) - passed - failed} not judged: growth and drift need {LEAST_MINUTES} minutes")
    print(f"{passed} passed, {failed} failed")
    return 5 if failed or result["gateway_exit"] != 0 else 0


if __name__ == "__main__":
    sys.exit(main())

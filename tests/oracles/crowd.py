"""A crowd of connections beside clients that work: `idle` ones that ask for a page every 20 seconds, and `slow` ones that send a
byte of a head every 4 seconds until the gateway's deadline ends them, and come back at once.

Two gateways alike, one with the crowd and one without. A probe asks them in turns, within a millisecond of each other, so that
whatever else the machine does hits both; the figure is the ratio of their p99 with a bootstrap 95 % interval over blocks of
time. The crowd is a process of its own: its work must not hold up the probe's.
"""

import collections
import multiprocessing
import os
import random
import resource
import selectors
import socket
import time

from support import wire

ASK_SECONDS = 20
DRIP_SECONDS = 4
PAGE = b"GET / HTTP/1.1\r\nHost: www.example.fr\r\n\r\n"
HEAD = b"POST /contact HTTP/1.1\r\nHost: www.exa"
BLOCKS = 40
MOST = 1.10
DEADLINE = 10  # of a head (docs/request-path.md, Limits)
# Memory is judged when two deadlines have passed. Those who are shown out and come back still find their rhythm then, which takes
# a minute: so its top is compared with the middle of the first half of the rest, and the middles of both halves with each other.
# In the run of tests/results/crowd.txt that is 1.005 times and 1.001 times, in another beside a build 1.02 and 0.990; the top was
# 5.3 KiB a connection, and 5.9.
MOST_EACH = 8 << 10
FIXED = 8 << 20  # whatever else the process takes at its first work, for small crowds
MOST_GROWTH = 1.04
MOST_DRIFT = 1.01


def raise_descriptor_limit():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Member:
    def __init__(self, port, number, slow):
        self.port, self.number, self.slow = port, number, slow
        self.socket = None
        self.shown_out = 0  # how often it was told that it took too long

    def open(self, selector):
        """Whether it came in; if not, it tries again the next time that it is its turn."""
        # 127.0.0.2 to 127.0.0.251: each source address has its own ports.
        source = (f"127.0.0.{2 + self.number % 250}", 0)
        try:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=20, source_address=source)
            self.socket.setblocking(False)
            selector.register(self.socket, selectors.EVENT_READ, self)
            self.socket.send(HEAD if self.slow else PAGE)
        except OSError:
            self.close(selector)
        return self.socket is not None

    def say(self, words, selector):
        if self.socket is None:
            self.open(selector)
            return
        try:
            self.socket.send(words)
        except OSError:
            pass  # its end is read in drain()

    def close(self, selector):
        if self.socket is None:
            return
        if self.socket.fileno() in selector.get_map():
            selector.unregister(self.socket)
        self.socket.close()
        self.socket = None


def crowd(port, idle, slow, pipe):
    """The process. Once it is told to end it says how many times idle ones and slow ones were ended, how many times a slow one at
    least was shown out, and what else than 408 slow ones were told."""
    raise_descriptor_limit()
    selector = selectors.EpollSelector()
    members = [Member(port, number, number >= idle) for number in range(idle + slow)]
    for number, member in enumerate(members):
        member.open(selector)
        if number % 100 == 0:
            drain(selector, 0, collections.Counter())
    # It shares the processors with what is measured, and is woken by the one gateway and not by the other. Where a crowd is, on
    # other machines, it takes no processor time from either: here it gets what they leave.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    begin = time.monotonic()
    pipe.send("built")
    said = [0, 0]  # how many turns the idle and the slow ones have had
    for member in members:
        member.shown_out = 0
    ends = collections.Counter()
    kinds = (members[:idle], members[idle:])
    while not pipe.poll():
        now = time.monotonic()
        for kind, (group, seconds, words) in enumerate(zip(kinds, (ASK_SECONDS, DRIP_SECONDS), (PAGE, b"a"), strict=True)):
            due = int((now - begin) / seconds * len(group))
            while said[kind] < due:
                group[said[kind] % len(group)].say(words, selector)
                said[kind] += 1
        drain(selector, 0.002, ends)
    pipe.send((ends, min((member.shown_out for member in kinds[1]), default=0)))


def drain(selector, seconds, ends):
    """Reads what came; whoever was shown out comes back. `ends` counts them by kind and by the last word."""
    for key, _ in selector.select(seconds):
        member = key.data
        try:
            told = member.socket.recv(8192)
        except BlockingIOError:
            continue
        except OSError:
            told = b""
        if told == b"" or member.slow:
            last = told[9:12].decode("latin-1") if told.startswith(b"HTTP/1.1 ") else "nothing"
            member.shown_out += last == "408"
            ends["slow" if member.slow else "idle", last] += 1
            member.close(selector)
            member.open(selector)


def memory_faults(before, connections, memory):
    """`memory`: (seconds since the crowd came in, bytes); `before`: without it."""
    rest = [size for at, size in memory if at >= 2 * DEADLINE]
    if len(rest) < BLOCKS // 2:
        return ["no verdict about memory: too short"]
    half = len(rest) // 2
    first, last = (sorted(part)[len(part) // 2] for part in (rest[:half], rest[half:]))
    growth, drift, each = max(rest) / first, last / first, (max(size for _, size in memory) - before) / connections
    print(
        f"      memory from {2 * DEADLINE} s on: top {growth:.3f} times the first half, second half {drift:.4f} times; "
        f"{each / 1024:.1f} KiB a connection at the top"
    )
    faults = [f"memory grew {growth:.3f} times"] if growth > MOST_GROWTH else []
    faults += [f"memory goes on growing: {drift:.4f} times"] if drift > MOST_DRIFT else []
    if each * connections > MOST_EACH * connections + FIXED:
        faults.append(f"memory grew by {each / 1024:.1f} KiB a connection")
    return faults


def ends_faults(ends, least, size, seconds):
    """Every slow one was shown out, half as often as the deadline allows at least: the crowd gets little processor time. None was
    told anything else, and nobody ends the idle ones."""
    faults = []
    shown_out, rounds = ends["slow", "408"], max(1, seconds // DEADLINE // 2)
    if least == 0 or shown_out < size * rounds:
        faults.append(f"slow ones were shown out {shown_out} times, one of them {least} times")
    others = {key: count for key, count in ends.items() if key != ("slow", "408")}
    if sum(others.values()) > size // 100:
        faults.append(f"otherwise ended: {others}")
    return faults


class Pairs:
    """Times of the same request to both gateways: how often each microsecond occurred, in a Counter for each block of time."""

    def __init__(self, scenes):
        self.scenes, self.errors, self.asked = scenes, [], 0
        self.blocks = []

    def ask(self, scene):
        # As for the crowd: more ports than one address has before those of a minute ago are free again.
        self.asked += 1
        begin = time.monotonic()
        try:
            with scene.wire(5, source=f"127.0.1.{1 + self.asked // 2 % 250}") as connection:
                connection.send(wire.request("GET", "/page"))
                status = connection.answer().status
                if status != 200:
                    self.errors.append(f"status {status}")
        except Exception as error:  # noqa: BLE001 - told below
            self.errors.append(repr(error))
        return round((time.monotonic() - begin) * 1e6)

    def run(self, seconds, between):
        draw = random.Random(1)
        for _ in range(BLOCKS):
            times = [collections.Counter(), collections.Counter()]
            end = time.monotonic() + seconds / BLOCKS
            while time.monotonic() < end:
                for which in draw.sample((0, 1), 2):
                    times[which][self.ask(self.scenes[which])] += 1
            self.blocks.append(times)
            between()

    def p99(self, which, blocks=None):
        """In microseconds."""
        times = collections.Counter()
        for block in blocks or self.blocks:
            times.update(block[which])
        left = times.total() - int(times.total() * 0.99)  # so many are at least as long
        for one in sorted(times, reverse=True):
            left -= times[one]
            if left <= 0:
                return one
        raise ValueError("nothing was asked")

    def ratio(self, resamples=400):
        """(value, low, high) of the p99 of the second to that of the first."""
        draw = random.Random(2)
        found = []
        for _ in range(resamples):
            blocks = draw.choices(self.blocks, k=len(self.blocks))
            found.append(self.p99(1, blocks) / self.p99(0, blocks))
        found.sort()
        return self.p99(1) / self.p99(0), found[int(0.025 * resamples)], found[int(0.975 * resamples)]


def memory_of(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def measure(scenes, size, seconds):
    """`scenes`: without and with the crowd. The faults."""
    if raise_descriptor_limit() < 2 * size + 500:
        return [f"a limit of {2 * size + 500} descriptors is needed (ulimit -Hn)"]
    beside = scenes[1]
    Pairs(scenes).run(2, lambda: None)  # both are warm
    before = memory_of(beside.process.pid)
    here, there = multiprocessing.Pipe()
    begin = time.monotonic()
    others = multiprocessing.Process(target=crowd, args=(beside.port, size, size, there), daemon=True)
    others.start()
    there.close()  # its end is seen as one
    if not here.poll(120):
        others.kill()
        return ["the crowd did not come in"]
    try:
        here.recv()
    except EOFError:
        return ["the crowd's process died"]
    built = time.monotonic() - begin
    filled = memory_of(beside.process.pid)
    refused = beside.admin.refusals("timeout")
    held, memory = [], [(0, filled)]
    came_in = time.monotonic()

    def look():
        held.append(beside.admin.metric("paravent_connections_open"))
        memory.append((time.monotonic() - came_in, memory_of(beside.process.pid)))

    pairs = Pairs(scenes)
    pairs.run(seconds, look)
    try:
        here.send("end")
        ends, least = here.recv() if here.poll(30) else (None, 0)
    except (EOFError, OSError):
        ends, least = None, 0
    refused = beside.admin.refusals("timeout") - refused
    others.kill()
    others.join()
    value, low, high = pairs.ratio()
    told = ", ".join(f"{kind} {last}: {count}" for (kind, last), count in sorted((ends or {}).items()))
    print(
        f"      {min(held):.0f} to {max(held):.0f} connections held, in {built:.0f} s; ended by the gateway and back again: "
        f"{told or 'none'}; {refused:.0f} refused by timeout\n"
        f"      memory +{(filled - before) / 2 / size / 1024:.1f} KiB a connection, then at each eighth, MiB: "
        f"{' '.join(f'{one / 1048576:.1f}' for _, one in memory[::max(1, len(memory) // 8)])}\n"
        f"      p99 of {pairs.asked // 2} others {pairs.p99(0) / 1000:.3f} ms without them, {pairs.p99(1) / 1000:.3f} ms beside them: "
        f"{value:.3f} times ({low:.3f} to {high:.3f})"
    )
    faults = ["the crowd's process died"] if ends is None else ends_faults(ends, least, size, seconds)
    if ends is not None and refused < 0.99 * ends["slow", "408"]:
        faults.append(f"the gateway counted {refused:.0f} refusals only")
    faults += memory_faults(before, 2 * size, memory)
    faults += [f"{len(pairs.errors)} of the others failed: {pairs.errors[0]}"] if pairs.errors else []
    if min(held) < 2 * size * 0.99:
        faults.append(f"only {min(held):.0f} of {2 * size} were held")
    if value > MOST:
        faults.append(f"p99 grew {value:.2f} times")
    elif high > MOST:
        faults.append(f"no verdict about p99: it may have grown {high:.2f} times")
    return faults

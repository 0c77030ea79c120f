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


def raise_descriptor_limit():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Member:
    def __init__(self, port, number, slow):
        self.port, self.number, self.slow = port, number, slow
        self.socket = None

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
    """The process. Says how many came back once it is told to end."""
    raise_descriptor_limit()
    selector = selectors.EpollSelector()
    members = [Member(port, number, number >= idle) for number in range(idle + slow)]
    for number, member in enumerate(members):
        member.open(selector)
        if number % 100 == 0:
            drain(selector, 0)
    # It shares the processors with what is measured, and is woken by the one gateway and not by the other. Where a crowd is, on
    # other machines, it takes no processor time from either: here it gets what they leave.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    begin = time.monotonic()
    pipe.send("built")
    said, back = [0, 0], 0  # how many turns the idle and the slow ones have had
    kinds = (members[:idle], members[idle:])
    while not pipe.poll():
        now = time.monotonic()
        for kind, (group, seconds, words) in enumerate(zip(kinds, (ASK_SECONDS, DRIP_SECONDS), (PAGE, b"a"), strict=True)):
            due = int((now - begin) / seconds * len(group))
            while said[kind] < due:
                group[said[kind] % len(group)].say(words, selector)
                said[kind] += 1
        back += drain(selector, 0.002)
    pipe.send(back)


def drain(selector, seconds):
    """Reads what came; whoever was shown out comes back. How many did."""
    back = 0
    for key, _ in selector.select(seconds):
        member = key.data
        try:
            gone = member.socket.recv(8192) == b"" or member.slow
        except BlockingIOError:
            gone = False
        except OSError:
            gone = True
        if gone:
            member.close(selector)
            back += member.open(selector)
    return back


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
    held, memory = [], []

    def look():
        held.append(beside.admin.metric("paravent_connections_open"))
        memory.append(memory_of(beside.process.pid))

    pairs = Pairs(scenes)
    pairs.run(seconds, look)
    try:
        here.send("end")
        back = here.recv() if here.poll(30) else -1
    except (EOFError, OSError):
        back = -1
    others.kill()
    others.join()
    value, low, high = pairs.ratio()
    third = len(memory) // 3  # in the first of them those who are shown out and come back find their rhythm
    first, last = (sorted(part)[third // 2] for part in (memory[third:-third], memory[-third:]))
    print(
        f"      {min(held):.0f} to {max(held):.0f} connections held, in {built:.0f} s; {back} were shown out and came back; memory "
        f"+{(filled - before) / 2 / size / 1024:.1f} KiB a connection, then {first >> 10} KiB, and {last >> 10} KiB at the end\n"
        f"      memory at each eighth, MiB: {' '.join(f'{one / 1048576:.1f}' for one in memory[::max(1, len(memory) // 8)])}\n"
        f"      p99 of {pairs.asked // 2} others {pairs.p99(0) / 1000:.3f} ms without them, {pairs.p99(1) / 1000:.3f} ms beside them: "
        f"{value:.3f} times ({low:.3f} to {high:.3f})"
    )
    faults = ["the crowd's process died"] if back < 0 else []
    faults += [f"{len(pairs.errors)} of the others failed: {pairs.errors[0]}"] if pairs.errors else []
    if min(held) < 2 * size * 0.99:
        faults.append(f"only {min(held):.0f} of {2 * size} were held")
    if value > MOST:
        faults.append(f"p99 grew {value:.2f} times")
    elif high > MOST:
        faults.append(f"no verdict about p99: it may have grown {high:.2f} times")
    if filled - before > 2 * size * (16 << 10):
        faults.append("memory grew with them by more than 16 KiB each")
    if last > first * 1.02:
        faults.append("memory goes on growing")
    return faults

"""Pipelines behind an answer that is held: one request at a time goes upstream, and what waits costs no memory (row F20)."""

import select
import socket
import threading
import time

from support import figures, settings, wire
from support.case import case, equal, expect
from support.gateway import Scene
from support.policies import WIDE
from support.upstream import Upstream

from cases.floods import MIB, within

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"


class Holding(Upstream):
    """An upstream that goes on reading while it holds its answers, and so sees what is sent before the last one is answered.

    `most`: how many requests were under way at one time, on all connections together, of those that hold.
    """

    def __init__(self, seconds):
        self.seconds = seconds
        self.held = threading.Event()  # set: nothing is answered
        self.most = self.under_way = 0
        self.targets = []
        super().__init__()

    def _serve(self, connection):
        """No request has a body here."""
        connection.settimeout(0.02)
        buffer, waiting, since = b"", [], 0.0
        with connection:
            while True:
                try:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    buffer += piece
                except TimeoutError:
                    pass
                except OSError:
                    return
                while b"\r\n\r\n" in buffer:
                    head, buffer = buffer.split(b"\r\n\r\n", 1)
                    since = since if waiting else time.monotonic()
                    waiting.append(self._begin(head))
                if waiting and (waiting[0] == "/free" or not self.held.is_set() and time.monotonic() - since >= self.seconds):
                    target, since = waiting.pop(0), time.monotonic()
                    self._end(target)
                    connection.sendall(PAGE % (len(target), target.encode()))

    def _begin(self, head):
        target = head.split(b" ", 2)[1].decode()
        with self._lock:
            self.targets.append(target)
            self.under_way += target != "/free"
            self.most = max(self.most, self.under_way)
        return target

    def _end(self, target):
        with self._lock:
            self.under_way -= target != "/free"

    def arrived(self):
        with self._lock:
            return list(self.targets)


def get(number, padding=b""):
    more = [("X-Padding", padding.decode())] if padding else []
    return wire.request("GET", f"/{number}", headers=more)


@case("of a pipeline one request at a time is under way upstream, while its answers are held")
def one_at_a_time():
    with Scene(policy=WIDE, upstream=Holding(0.06), workers=1) as scene, scene.wire() as connection:
        for first in (0, 8):  # in one piece, and one after the other
            requests = [get(number) for number in range(first, first + 8)]
            for data in [b"".join(requests)] if first == 0 else requests:
                connection.send(data)
            for number in range(first, first + 8):
                equal(connection.answer().body, f"/{number}".encode(), "the answer")
        equal(scene.upstream.arrived(), [f"/{number}" for number in range(16)], "the order upstream")
        equal(scene.upstream.most, 1, "requests under way at one time")


def push(connection, data):
    """Sends until nothing was taken for two seconds; answers how much was."""
    connection.socket.setblocking(False)
    sent, last = 0, time.monotonic()
    while sent < len(data) and time.monotonic() - last < 2 * settings.SLOWNESS:
        if select.select([], [connection.socket], [], 0.1)[1]:
            sent += connection.socket.send(data[sent : sent + 65536])
            last = time.monotonic()
    connection.socket.settimeout(20 * settings.PATIENCE)
    return sent


@case("megabytes behind a held answer are pushed back and take no memory; others are served, and then all is answered",
      figures=True, slow=True)  # fmt: skip
def pushed_back():
    padding = b"x" * 6000
    pipeline = b"".join(get(number, padding) for number in range(1, 900))
    rest = pipeline * 6
    with Scene(policy=WIDE, upstream=Holding(0), workers=1, environment=figures.AT_ONCE) as scene:
        for number in range(20):  # what is made once is made
            equal(scene.exchange(get(number, padding)).status, 200, "before")
        scene.upstream.held.set()
        scene.upstream.targets.clear()
        scene.upstream.most = 0
        with scene.wire() as connection:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            connection.send(get(0))
            deadline = time.monotonic() + 20 * settings.PATIENCE
            while not scene.upstream.arrived():
                expect(time.monotonic() < deadline, "the first request did not arrive")
                time.sleep(0.01)
            with within(scene, MIB // 2, "what waits behind a held answer"):
                sent = push(connection, rest)
                expect(len(padding) < sent < len(rest) - MIB, f"{sent} bytes of {len(rest)} were taken behind a held answer")
                for _ in range(10):
                    equal(scene.exchange(wire.request("GET", "/free")).body, b"/free", "somebody else's answer")
            equal([one for one in scene.upstream.arrived() if one != "/free"], ["/0"], "what reached the upstream meanwhile")
            scene.upstream.held.clear()
            whole = pipeline[:sent].count(b"\r\n\r\n")
            for number in range(min(whole, 899) + 1):
                equal(connection.answer().body, f"/{number}".encode(), "the answer, in its turn")
        equal(scene.upstream.most, 1, "requests under way at one time")

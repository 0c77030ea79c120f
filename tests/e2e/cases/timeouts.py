"""Deadlines. Slow by nature: everything that waits does so at the same time."""

import socket
import threading
import time

from support import wire
from support.case import Shared, case, equal, expect
from support.gateway import Scene
from support.policies import WIDE
from support.upstream import Upstream, default_answer


LARGE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (16 << 20) + b"x" * (16 << 20)


class Waits:
    """Starts every slow client at once; `answers` has what each of them got, and after how long."""

    def __init__(self):
        self.hold = threading.Event()
        upstream = Upstream(self._answer)
        self.scene = Scene(policy=WIDE, upstream=upstream)
        self.answers = {}
        slow = {
            "head": b"POST /contact HTTP/1.1\r\nHost: www.exa",
            "body": wire.head("POST", "/contact", [("Content-Type", wire.FORM), ("Content-Length", "50")])
            + b"email=",
            "upstream": wire.request("GET", "/hang"),
            "idle": wire.request("GET", "/"),
        }
        self.threads = [
            threading.Thread(target=self._run, args=(name, data)) for name, data in slow.items()
        ]
        self.threads += [threading.Thread(target=self._drip), threading.Thread(target=self._read_slowly)]
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join()

    def _answer(self, request):
        if request.target == "/hang":
            self.hold.wait(120)
            return None
        if request.target == "/large":
            return LARGE
        return default_answer(request)

    def _read_slowly(self):
        """A client far slower than the network, but faster than the 1 KiB/s that a writer must see."""
        begin = time.monotonic()
        try:
            with self.scene.wire(timeout=60) as connection:
                connection.send(wire.request("GET", "/large"))
                read = 0
                while time.monotonic() - begin < 80:
                    read += len(connection.socket.recv(4096))
                    time.sleep(0.5)
                read += len(connection.rest())
                self.answers["slow reader"] = read
        except Exception as error:  # noqa: BLE001 - the case reports it
            self.answers["slow reader"] = error

    def _run(self, name, data):
        begin = time.monotonic()
        try:
            with self.scene.wire(timeout=90) as connection:
                connection.send(data)
                answer = connection.answer()
                if name == "idle":
                    begin = time.monotonic()
                closed = connection.is_closed(90)
                self.answers[name] = (answer, time.monotonic() - begin, closed)
        except Exception as error:  # noqa: BLE001 - the case reports it
            self.answers[name] = (error, time.monotonic() - begin, True)

    def _drip(self):
        """A body slower than the pace that is asked for, but never silent."""
        begin = time.monotonic()
        head = wire.head("POST", "/contact", [("Content-Type", wire.FORM), ("Content-Length", "5000")])
        try:
            with self.scene.wire(timeout=60) as connection:
                connection.send(head)
                connection.socket.settimeout(0.25)
                while time.monotonic() - begin < 60:
                    try:
                        connection.send(b"a")
                        connection._more()
                        break
                    except (TimeoutError, socket.timeout):
                        continue
                connection.socket.settimeout(30)
                answer = connection.answer()
                self.answers["drip"] = (answer, time.monotonic() - begin, connection.is_closed(20))
        except Exception as error:  # noqa: BLE001 - the case reports it
            self.answers["drip"] = (error, time.monotonic() - begin, True)

    def close(self):
        self.hold.set()
        self.scene.close()


SHARED = Shared(Waits)


def check(name, status, reason, least, most):
    """`most`: below the next longer deadline, of 30 s, with room for a machine that is busy."""
    answer, seconds, closed = SHARED.get().answers[name]
    if isinstance(answer, Exception):
        raise answer
    equal((answer.status, answer.json()["reason"]), (status, reason), name)
    expect(least <= seconds <= most, f"after {seconds:.1f} s, not {least} to {most} s")
    expect(closed, "the connection stays open")


@case("408 timeout: a head that does not end", slow=True)
def head():
    check("head", 408, "timeout", 9, 28)


@case("408 timeout: a body that does not come", slow=True)
def body():
    check("body", 408, "timeout", 9, 28)


@case("408 timeout: a body that comes too slowly", slow=True)
def drip():
    check("drip", 408, "timeout", 9, 28)


@case("504 upstream-timeout", slow=True)
def upstream():
    answer, seconds, _ = SHARED.get().answers["upstream"]
    if isinstance(answer, Exception):
        raise answer
    equal((answer.status, answer.json()["reason"]), (504, "upstream-timeout"), "the answer")
    expect(55 <= seconds, f"after {seconds:.1f} s")


@case("an idle connection is closed without a word", slow=True)
def idle():
    answer, seconds, closed = SHARED.get().answers["idle"]
    if isinstance(answer, Exception):
        raise answer
    equal(answer.status, 200, "the answer before")
    expect(closed and 25 <= seconds <= 55, f"closed: {closed}, after {seconds:.1f} s")


@case("a client that reads 8 KiB a second gets all of a large answer", slow=True)
def slow_reader():
    read = SHARED.get().answers["slow reader"]
    if isinstance(read, Exception):
        raise read
    expect(read >= 16 << 20, f"{read} bytes of {16 << 20}")


@case("each is counted, and nothing of the refused ones reached the upstream", slow=True)
def counted():
    waits = SHARED.get()
    equal(waits.scene.admin.refusals("timeout"), 3, "timeout")
    equal(waits.scene.admin.refusals("upstream-timeout"), 1, "upstream-timeout")
    targets = sorted(request.target for request in waits.scene.upstream.requests)
    equal(targets, ["/", "/hang", "/large"], "what reached the upstream")

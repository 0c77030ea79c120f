"""Clients that read at a pace of their own: 1 KiB a second is asked for, and a byte now and then is no pace (row S1).

Slow by nature: all of them read at the same time. Their buffers are small, so that what they acknowledge is what they have read.
"""

import select
import socket
import threading
import time

from support import settings, wire
from support.case import Shared, case, equal, expect
from support.gateway import Scene
from support.policies import WIDE
from support.upstream import Upstream

LEAST = 1024  # bytes a second, over WINDOW seconds
WINDOW = 60
BODY = bytes(range(256)) * (16 << 12)
STEP = 0.25
MIB = 1 << 20


def large(chunked):
    if not chunked:
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
    pieces = (BODY[at : at + 1000] for at in range(0, len(BODY), 1000))
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def longest():
    """Nobody waits so long but for a gateway to which any byte is progress, or on a machine that is busy."""
    return WINDOW + 5 * settings.PATIENCE


class Reader(threading.Thread):
    """Reads `rate` bytes a second until `enough` is set; then as fast as it can.

    `segment`: the largest that it takes, in bytes. `received` is all of its answer in the end.
    """

    def __init__(self, scene, rate, target, segment=None):
        super().__init__(daemon=True)
        self.rate, self.enough = rate, threading.Event()
        self.received, self.error = bytearray(), None
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if segment:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
        self.socket.settimeout(20 * settings.PATIENCE)
        self.socket.connect(("127.0.0.1", scene.port))
        self.socket.sendall(wire.request("GET", target, headers=[("Connection", "close")]))
        self.start()

    def run(self):
        try:
            with self.socket:
                last = time.monotonic()
                while not self.enough.wait(STEP):
                    now = time.monotonic()
                    due, last = max(1, int(self.rate * (now - last))), now
                    if select.select([self.socket], [], [], 0)[0]:
                        self.received += self.socket.recv(due)
                while piece := self.socket.recv(65536):
                    self.received += piece
        except ConnectionResetError:
            pass
        except Exception as error:  # noqa: BLE001 - the case reports it
            self.error = error

    def finish(self):
        self.enough.set()
        self.join(100 * settings.PATIENCE)


class Readers:
    """`cut_off`: after how many seconds the gateway had none of the slow ones any more; None: it never came to that."""

    def __init__(self):
        answers = {"/large": large(False), "/chunks": large(True)}
        self.scenes = [Scene(policy=WIDE, upstream=Upstream(lambda request: answers[request.target])) for _ in range(2)]
        begin = time.monotonic()
        self.slow = [
            Reader(self.scenes[0], LEAST // 3, target, segment) for target in answers for segment in (None, 88)
        ]
        self.steady = [Reader(self.scenes[1], 4 * LEAST, target) for target in answers]
        self.cut_off = None
        # A while for all of them to have come in; none of the slow ones may go before its first window has passed.
        time.sleep(WINDOW / 2)
        self.early = len(self.slow) - self._open()
        while time.monotonic() - begin < longest():
            if self._open() == 0:
                self.cut_off = time.monotonic() - begin
                break
            time.sleep(STEP)
        # They go on at their pace until then, so that no silence ends them.
        for reader in self.slow:
            reader.finish()
        time.sleep(max(0.0, begin + WINDOW + 20 - time.monotonic()))
        for reader in self.steady:
            reader.finish()

    def _open(self):
        return self.scenes[0].admin.metric("paravent_connections_open")

    def close(self):
        for scene in self.scenes:
            scene.close()


SHARED = Shared(Readers)


def body_of(reader):
    """(head, what there is behind it)"""
    expect(reader.error is None, f"{reader.error!r}")
    expect(not reader.is_alive(), "it reads for ever")
    head, _, body = bytes(reader.received).partition(b"\r\n\r\n")
    expect(head.startswith(b"HTTP/1.1 200 "), f"it got {head[:100]!r}")
    return head, body


@case("a client that reads, but at a third of the least pace, is cut off, whatever the size of its segments", slow=True)
def too_slow():
    readers = SHARED.get()
    equal(readers.early, 0, "clients that were cut off before a window of their pace had passed")
    expect(readers.cut_off is not None, f"some were still served after {longest():.0f} s")
    expect(readers.cut_off >= WINDOW - 1, f"cut off after {readers.cut_off:.1f} s")
    for reader in readers.slow:
        head, body = body_of(reader)
        # What lay in the kernel's hands may still come; no end of an answer does.
        expect(len(body) < MIB, f"{len(body)} bytes came, of {len(BODY)}")
        expect(b"chunked" not in head or not body.endswith(b"0\r\n\r\n"), "an answer that was cut short has a clean end")


@case("one that reads at four times the least pace gets everything", slow=True)
def steady():
    for reader in SHARED.get().steady:
        head, body = body_of(reader)
        if b"chunked" in head:
            whole = bytearray()
            while (size := int((line := body[: body.index(b"\r\n")]), 16)) > 0:
                whole += body[len(line) + 2 : len(line) + 2 + size]
                body = body[len(line) + 4 + size :]
            body = bytes(whole)
        expect(body == BODY, f"another answer, of {len(body)} bytes")

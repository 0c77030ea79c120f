"""Clients that are never silent and never done: what counts is the time since the beginning, not since the last byte (row S1).

Slow by nature: all of them drip at the same time.
"""

import shutil
import tempfile
import threading
import time

from support import settings, wire
from support.case import Shared, case, equal, expect
from support.certificates import Authority
from support.gateway import Scene
from support.policies import WIDE, bare

PAUSE = 0.5
DEADLINE = 10  # a head's, a PROXY header's, and a body's grace
HEAD = b"POST /contact HTTP/1.1\r\nHost: www.example.fr\r\nX-Slow: "
PROXY_1 = b"PROXY UNKNOWN "
# Announces 1500 bytes, which would take 750 s.
PROXY_2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x05\xdc" + b"\x7f\0\0\1" * 3
BODY = [("Content-Type", wire.FORM)]


def most():
    """Nobody waits so long but for a gateway that begins anew with each byte, or on a machine that is busy."""
    return DEADLINE + 10 * settings.PATIENCE


class Drips:
    """Starts every client at once; `ends` has what each of them got, how long after its beginning, and what it had sent."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="paravent-drip-")
        authority = Authority(self.folder)
        certificate, key = authority.issue("a.example")
        self.plain = Scene(policy=WIDE)
        self.secret = Scene(policy=WIDE, tls=f"{{ certificate: {certificate}, key: {key} }}")
        self.proxied = Scene(policy=bare(), trusted=["127.0.0.0/8"], proxy_protocol=True)
        self.ends = {}
        tls = (authority.trusting(), "a.example")
        get = wire.request("GET", "/")
        length = wire.head("POST", "/contact", [*BODY, ("Content-Length", "5000")])
        chunked = wire.head("POST", "/contact", [*BODY, ("Transfer-Encoding", "chunked")])
        clients = [
            ("request line", self.plain, None, b"", b"POST /contact?query=", b"a"),
            ("head", self.plain, None, b"", HEAD, b"a"),
            ("second head", self.plain, None, get, HEAD, b"a"),
            ("head over TLS", self.secret, tls, b"", HEAD, b"a"),
            ("body", self.plain, None, b"", length, b"a"),
            ("chunks", self.plain, None, b"", chunked, b"1\r\na\r\n"),
            ("PROXY 1", self.proxied, None, b"", PROXY_1, b"a"),
            ("PROXY 2", self.proxied, None, b"", PROXY_2, b"\0"),
        ]
        threads = [threading.Thread(target=self._drip, args=client) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _drip(self, name, scene, tls, first, data, more):
        """`first` is a whole request and is answered; then `data` byte by byte, where it is no body, and `more` for ever."""
        begin, sent = time.monotonic(), 0
        try:
            with scene.wire(tls=tls) as connection:
                if first:
                    connection.send(first)
                    equal(connection.answer().status, 200, "the first answer")
                if data.endswith(b"\r\n\r\n") or data == PROXY_2:
                    connection.send(data)
                    data = b""
                connection.socket.settimeout(PAUSE)
                while time.monotonic() - begin < most():
                    try:
                        connection.send(data[sent : sent + 1] or more)
                        sent += 1
                        connection._more()  # noqa: SLF001 - whatever comes ends the dripping
                        break
                    except TimeoutError:
                        continue
                    except (OSError, wire.Closed):
                        break
                seconds = time.monotonic() - begin
                connection.socket.settimeout(20 * settings.PATIENCE)
                self.ends[name] = (connection.rest(), seconds, sent)
        except Exception as error:  # noqa: BLE001 - the case reports it
            self.ends[name] = (error, 0.0, 0)

    def close(self):
        for scene in (self.plain, self.secret, self.proxied):
            scene.close()
        shutil.rmtree(self.folder, ignore_errors=True)


SHARED = Shared(Drips)


def ended(name):
    """What the client got, and that it dripped until the deadline and not much longer."""
    got, seconds, sent = SHARED.get().ends[name]
    if isinstance(got, Exception):
        raise got
    expect(DEADLINE - 1 <= seconds < most(), f"{name} ended after {seconds:.1f} s and {sent} drops, with {got!r}")
    # Had it paused, the deadline might have been one of silence; on a machine that is busy it drips less often.
    expect(sent >= 3, f"{name}: only {sent} drops in {seconds:.1f} s")
    return got


def timed_out(name):
    got = ended(name)
    expect(got.startswith(b"HTTP/1.1 408 ") and b'"timeout"' in got, f"{name} got {got!r}")
    equal(got.count(b"HTTP/1.1 "), 1, f"answers to {name}")


@case("a head that drips for ever is answered 408 at its deadline: a byte buys no time, plain and over TLS", slow=True)
def heads():
    for name in ("request line", "head", "second head", "head over TLS"):
        timed_out(name)


@case("a body that drips for ever, by length or in chunks, is answered 408 when it is behind its pace", slow=True)
def bodies():
    for name in ("body", "chunks"):
        timed_out(name)


@case("a PROXY header that drips for ever is closed at its deadline, without an answer", slow=True)
def proxy_headers():
    for name in ("PROXY 1", "PROXY 2"):
        equal(ended(name), b"", name)


@case("each of them is counted, and nothing of them reached an upstream", slow=True)
def counted():
    drips = SHARED.get()
    equal(drips.plain.admin.refusals("timeout"), 5, "timeouts without TLS")
    equal(drips.secret.admin.refusals("timeout"), 1, "timeouts over TLS")
    equal([request.target for request in drips.plain.upstream.requests], ["/"], "what reached the upstream")
    for scene in (drips.secret, drips.proxied):
        equal(scene.upstream.all_bytes(), b"", "what reached the upstream")

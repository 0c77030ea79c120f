"""The raw cases of tests/e2e/raw: bytes on the wire, and what becomes of them (format: raw/README.md)."""

import pathlib
import re

from support import tokens
from support.case import Shared, about, equal, expect, register
from support.gateway import Scene
from support.policies import WIDE
from support.upstream import Upstream

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "raw"
# elsewhere takes forms too here: what a spelling gets past the routes would arrive.
OPEN = WIDE.replace("methods: [GET, HEAD]", "methods: [GET, HEAD, POST, PUT, OPTIONS]")
SHARED = Shared(lambda: Scene(policy=OPEN))
ALIVE = b"GET /alive HTTP/1.1\r\nHost: www.example.fr\r\n\r\n"
ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "s": " ", "\\": "\\"}


def unescape(text):
    def one(match):
        word = match.group(1)
        return chr(int(word[1:], 16)) if word[0] == "x" else ESCAPES[word]

    return re.sub(r"\\(x[0-9a-f]{2}|[rnt0s\\])", one, text).encode("latin-1")


def read(path):
    """(name, outcome, bytes); {length} stands for the size of what lies behind the first empty line."""
    found = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.startswith("=== "):
            name, outcome = line[4:].rsplit(" | ", 1)
            found.append([name, outcome, b""])
        elif found:
            found[-1][2] += unescape(line)
    for case in found:
        head, mark, body = case[2].partition(b"\r\n\r\n")
        case[2] = head.replace(b"{length}", str(len(body)).encode()) + mark + body
    return found


def check(outcome, raw):
    """`refused STATUS REASON [closes]`, or `STATUS` with what must hold at the upstream."""
    scene = SHARED.get()
    words = outcome.split(" ")
    if words[0] == "refused":
        closes = True if "closes" in words else None
        scene.refused(raw, int(words[1]), words[2], closes=closes)
        return
    scene.upstream.clear()
    with scene.wire() as connection:
        connection.send(raw)
        equal(connection.answer().status, int(words[0]), "status")
        if "closes" in words:
            expect(connection.is_closed(), "the connection stays open")
    received = scene.upstream.last()
    for word in words[1:]:
        key, mark, value = word.partition("=")
        value = unescape(value)
        if key == "target":
            equal(received.target.encode("latin-1"), value, "target")
        elif key == "body":
            equal(received.body, value, "body")
        elif key == "absent":
            arrived = tokens.without(received.raw.decode("latin-1")).encode("latin-1")
            expect(value not in arrived, f"{value!r} arrived: {received.raw!r}")
        elif key == "present":
            expect(value in received.raw, f"{value!r} did not arrive: {received.raw!r}")
        elif key == "tokens":
            equal(len(tokens.IN_TEXT.findall(received.raw.decode("latin-1"))), int(value), "tokens at the upstream")
        else:
            expect(key == "closes", f"no such expectation: {word}")


def register_files():
    for path in sorted(FOLDER.glob("*.http")):
        row = path.name.split("-")[0]
        for number, (name, outcome, raw) in enumerate(read(path)):

            def run(outcome=outcome, raw=raw, name=name):
                with about(name):
                    check(outcome, raw)

            run.__module__ = __name__
            register(f"{row} {name}", run, smoke=number == 0)


register_files()


LIES = [
    ("a length and a coding", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 502),
    ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!", 502),
    ("a signed length", b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", 502),
    ("an unknown coding", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok", 502),
    ("a bad chunk size", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n0\r\n\r\n", 502),
    ("an extension of a chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\nok\r\n0\r\n\r\n", 502),
    ("a trailer", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n", 502),
    ("extra bytes behind the body", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", 200),
    ("a body with 204", b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil", 502),
    ("a chunked body with 204", b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n", 502),
    ("bytes behind a 204", b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", 204),
    ("bytes behind a 304", b"HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", 304),
    ("a flood of 1xx", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100 + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 502),
    ("101 that nobody asked for", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nevil", 502),
    ("a head of 1 MiB", b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * (1 << 20) + b"\r\n\r\n", 502),
    ("1000 headers", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n", 502),
    ("a folded header", b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok", 502),
    ("a bare LF", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 502),
    ("HTTP/2", b"HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok", 502),
    ("status 600", b"HTTP/1.1 600 X\r\nContent-Length: 2\r\n\r\nok", 502),
]


def register_lies():
    """F23: whatever it says, the next client gets an answer of its own, over another connection."""
    for name, bytes_of_it, status in LIES:

        def run(bytes_of_it=bytes_of_it, status=status):
            good = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
            upstream = Upstream(lambda request: bytes_of_it if request.target == "/lie" else good)
            with Scene(policy=OPEN, upstream=upstream, workers=1) as scene, scene.wire() as connection:
                connection.send(b"GET /lie HTTP/1.1\r\nHost: www.example.fr\r\n\r\n")
                answer = connection.answer()
                equal(answer.status, status, "status")
                expect(b"evil" not in answer.body, "bytes that belong to no answer")
                before = upstream.connections
                for number in range(3):
                    with scene.wire() as other:
                        other.send(b"GET /next HTTP/1.1\r\nHost: www.example.fr\r\n\r\n")
                        equal(other.answer().body, b"good", f"answer {number} to another client")
                equal(upstream.connections, before + 1, "connections made for the others")

        run.__module__ = __name__
        register(f"F23 {name}", run, smoke=name.startswith("extra"))


register_lies()

"""Who may come in: PROXY protocol, connections and requests of one client, memory that runs short."""

import contextlib
import socket
import struct
import time

from support import settings, wire
from support.case import case, equal, expect
from support.gateway import Scene
from support.policies import WIDE, bare

GET = wire.request("GET", "/")
MARK = b"\r\n\r\n\0\r\nQUIT\n"
CLIENT = "198.51.100.7"


def version_1(source=CLIENT):
    return f"PROXY TCP4 {source} 192.0.2.1 51234 443\r\n".encode()


def version_2(source=CLIENT):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    packed = socket.inet_pton(family, source)
    addresses = packed + packed[::-1] + struct.pack(">HH", 51234, 443)
    kind = 0x21 if family == socket.AF_INET6 else 0x11
    return MARK + bytes([0x21, kind]) + struct.pack(">H", len(addresses)) + addresses


def post(*headers):
    return wire.request("POST", "/contact", b"email=a%40example.fr", wire.FORM, headers=headers)


@case("PROXY protocol: both versions name the client, in pieces and with requests behind them", smoke=True)
def proxy_protocol():
    with Scene(policy=bare("truncate"), trusted=["127.0.0.0/8"], proxy_protocol=True) as scene:
        for header, wanted in (
            (version_1(), "198.51.0.0"),
            (version_2(), "198.51.0.0"),
            (version_2("2001:db8:1:2::7"), "2001:db8:1::"),
            (b"PROXY UNKNOWN\r\n", "127.0.0.0"),
            (MARK + b"\x20\x00\x00\x00", "127.0.0.0"),
        ):
            scene.upstream.clear()
            with scene.wire() as connection:
                # A client is no proxy: what it claims besides counts for nothing.
                claims = [] if wanted == "127.0.0.0" else [("X-Forwarded-For", "203.0.113.9")]
                connection.send(header + post(*claims) + post(*claims))
                equal([connection.answer().status for _ in range(2)], [200, 200], "answers")
            scene.upstream.last(2)
            for request in scene.upstream.requests:
                equal(request.values("X-Forwarded-For"), [wanted], f"{header!r}")
        for header in (version_1(), version_2()):
            with scene.wire() as connection:
                connection.send_slowly(header + post(), pause=0.001)
                equal(connection.answer().status, 200, "single bytes")


@case("PROXY protocol: a proxy behind the balancer is believed in its turn")
def proxy_behind():
    trusted = ["127.0.0.0/8", "10.0.0.0/8"]
    with Scene(policy=bare("truncate"), trusted=trusted, proxy_protocol=True) as scene:
        scene.upstream.clear()
        with scene.wire() as connection:
            connection.send(version_2("10.0.0.2") + post(("X-Forwarded-For", "203.0.113.9, 10.0.0.3")))
            equal(connection.answer().status, 200, "the answer")
        equal(scene.upstream.last().values("X-Forwarded-For"), ["203.0.0.0"], "X-Forwarded-For")


@case("PROXY protocol: anything else, and anybody else, is closed without an answer", smoke=True)
def no_proxy_header():
    with Scene(policy=bare(), trusted=["127.0.0.0/8"], proxy_protocol=True) as scene:
        for raw in (
            GET,
            b"PROXY TCP4 198.51.100.7 192.0.2.1 1 2\n" + GET,
            b"PROXY TCP4 nobody 192.0.2.1 1 2\r\n" + GET,
            MARK + b"\x21\x12\x00\x0c" + b"\0" * 12 + GET,
            MARK + b"\x21\x11\xff\xff" + b"\0" * 100,
            b"\0" * 300,
        ):
            with scene.wire() as connection:
                with contextlib.suppress(OSError):
                    connection.send(raw)
                equal(connection.rest(), b"", f"{raw!r}")
        equal(scene.upstream.count(), 0, "requests at the upstream")
    with Scene(policy=bare(), trusted=["192.0.2.0/24"], proxy_protocol=True) as scene:
        with scene.wire() as connection:
            with contextlib.suppress(OSError):
                connection.send(version_1() + GET)
            equal(connection.rest(), b"", "a peer that is not trusted")


@case("without proxy-protocol its header is no request", smoke=True)
def unexpected_header():
    with Scene(policy=bare(), trusted=["127.0.0.0/8"]) as scene:
        for header in (version_1(), version_2()):
            scene.refused(header + GET, 400, "framing", closes=True)


@case("429 rate-limited: more connections than one address may have; others come in", smoke=True)
def connections():
    with Scene(policy=WIDE, limits={"connections-per-address": 5}) as scene, contextlib.ExitStack() as stack:
        held = [stack.enter_context(scene.wire(source="127.0.0.2")) for _ in range(5)]
        for connection in held:
            connection.send(GET)
            equal(connection.answer().status, 200, "an early one")
        with scene.wire(source="127.0.0.2") as late:
            answer = late.answer()
            equal((answer.status, answer.json()["reason"]), (429, "rate-limited"), "the sixth")
            expect(answer.header("Retry-After") is not None, "no Retry-After")
            expect(late.is_closed(), "not closed")
        with scene.wire(source="127.0.0.3") as other:
            other.send(GET)
            equal(other.answer().status, 200, "another address")
        held.pop().close()
        deadline = time.monotonic() + 5 * settings.PATIENCE
        while time.monotonic() < deadline:
            with scene.wire(source="127.0.0.2") as again:
                with contextlib.suppress(OSError):
                    again.send(GET)
                if again.answer().status == 200:
                    break
            time.sleep(0.05)
        else:
            expect(False, "a closed connection is still counted")
        expect(scene.admin.refusals("rate-limited") >= 1, "not counted")


@case("a trusted proxy may have any number of connections")
def proxies_are_exempt():
    limits = {"connections-per-address": 3}
    with Scene(policy=WIDE, limits=limits, trusted=["127.0.0.0/8"]) as scene, contextlib.ExitStack() as stack:
        for _ in range(10):
            connection = stack.enter_context(scene.wire())
            connection.send(GET)
            equal(connection.answer().status, 200, "the answer")
    # Through a balancer the client that it names counts.
    with Scene(policy=WIDE, limits=limits, trusted=["127.0.0.0/8"], proxy_protocol=True) as scene:
        with contextlib.ExitStack() as stack:
            statuses = []
            for number in range(5):
                connection = stack.enter_context(scene.wire())
                connection.send(version_1() + GET)
                statuses.append(connection.answer().status)
            equal(statuses, [200, 200, 200, 429, 429], "statuses")


@case("429 rate-limited: a client's requests, on one connection and on many", smoke=True)
def requests():
    with Scene(policy=WIDE, limits={"requests-per-second": 1, "request-burst": 10}) as scene:
        with scene.wire(source="127.0.0.4") as connection:
            statuses, begin = [], time.monotonic()
            while len(statuses) < 30 or answer.status != 429:
                connection.send(GET)
                answer = connection.answer()
                statuses.append(answer.status)
                expect(len(statuses) < 2000, "never too many")
            # One more of the second that has begun.
            most = 10 + (time.monotonic() - begin) + 1
            expect(10 <= statuses.count(200) <= most, f"{statuses}")
            expect(statuses.count(429) == len(statuses) - statuses.count(200), f"{statuses}")
            equal((answer.status, answer.json()["reason"]), (429, "rate-limited"), "the answer")
            expect(answer.header("Retry-After") is not None, "no Retry-After")
            time.sleep(1.2)
            connection.send(GET)
            equal(connection.answer().status, 200, "after a pause, on the same connection")
        with scene.wire(source="127.0.0.5") as other:
            other.send(GET)
            equal(other.answer().status, 200, "another client")
        # A body that nobody will read ends the connection.
        with scene.wire(source="127.0.0.4") as connection:
            for _ in range(40):
                connection.send(post())
                answer = connection.answer()
                if answer.status == 429:
                    break
            equal(answer.status, 429, "a request with a body")
            expect(connection.is_closed(), "the connection goes on in front of an unread body")


@case("the rate is that of the client whom a trusted proxy names")
def rate_behind_a_proxy():
    limits = {"requests-per-second": 1, "request-burst": 3}
    with Scene(policy=WIDE, limits=limits, trusted=["127.0.0.0/8"]) as scene, scene.wire() as connection:

        def statuses(client, count):
            seen = []
            for _ in range(count):
                headers = [("X-Forwarded-For", client)] if client else []
                connection.send(wire.request("GET", "/", headers=headers))
                seen.append(connection.answer().status)
            return seen

        def limited(client, burst, since=None):
            """A burst and one a second, however long the machine takes for them."""
            seen, since = [], since or time.monotonic()
            while seen.count(429) < 2:
                seen += statuses(client, 1)
                expect(seen.count(200) <= burst + (time.monotonic() - since) + 1, f"{client}: {seen}")

        limited(CLIENT, 3)
        equal(statuses("203.0.113.9", 3), [200] * 3, "another client")
        begin = time.monotonic()
        expect(statuses("2001:db8:1:2::1", 3) == [200] * 3, "an IPv6 client")
        limited("2001:db8:1:2:ffff::1", 0, begin)
        limited("unknown", 3)
        equal(statuses(None, 8), [200] * 8, "the proxy for itself")


@case("503 overloaded when memory runs short; the admin listener answers; it recovers", figures=True, slow=True)
def memory():
    with Scene(policy=WIDE, limits={"memory": "128MiB"}) as scene, contextlib.ExitStack() as stack:
        with scene.wire() as early:
            early.send(GET)
            equal(early.answer().status, 200, "before")
            head = wire.head("POST", "/contact", [("Content-Type", wire.JSON), ("Content-Length", "8000000")])
            for _ in range(16):
                connection = stack.enter_context(scene.wire())
                with contextlib.suppress(OSError):
                    connection.send(head + b"[" + b" " * 7_000_000)
            deadline = time.monotonic() + 20 * settings.PATIENCE
            while True:  # until all of that has come in and been counted
                with scene.wire() as late:
                    with contextlib.suppress(OSError):
                        late.send(GET)
                    answer = late.answer()
                if answer.status != 200 or time.monotonic() > deadline:
                    break
                time.sleep(0.1)
            equal((answer.status, answer.json()["reason"]), (503, "overloaded"), "a new connection")
            expect(answer.header("Retry-After") is not None, "no Retry-After")
            expect(early.is_closed(), "an idle connection stays open")
            equal(scene.admin.call("GET", "/healthz")[0], 200, "/healthz")
            expect(scene.admin.refusals("overloaded") >= 1, "not counted")
        stack.close()
        deadline = time.monotonic() + 60 * settings.PATIENCE
        while time.monotonic() < deadline:
            if scene.exchange(GET).status == 200:
                return
            time.sleep(0.5)
        expect(False, "it does not recover")

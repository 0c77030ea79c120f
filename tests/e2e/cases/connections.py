"""Keep-alive, pipelining, slow and chunked senders, draining."""

import signal
import threading
import time

from support import settings, tokens, wire
from support.case import Shared, case, equal, expect
from support.gateway import Scene
from support.policies import WIDE
from support.upstream import Upstream, default_answer

SHARED = Shared(lambda: Scene(policy=WIDE))


def post(number, target="/contact"):
    body = wire.form({"email": f"visitor{number}@example.fr", "submit": str(number)})
    return wire.request("POST", target, body, wire.FORM)


@case("one connection carries many requests, and few go to the upstream", smoke=True)
def keep_alive():
    with Scene(policy=WIDE, workers=1) as scene:
        with scene.wire() as connection:
            for number in range(50):
                connection.send(post(number) if number % 2 else wire.request("GET", f"/{number}"))
                equal(connection.answer().status, 200, f"request {number}")
        scene.upstream.last(50)
        equal(scene.upstream.connections, 1, "upstream connections")


@case("pipelined requests are answered in order, one at a time upstream", smoke=True)
def pipelining():
    scene = SHARED.get()
    for data in (
        b"".join(post(number) for number in range(8)),
        b"".join(wire.request("GET", f"/{number}") for number in range(8)),
        post(0) + wire.request("GET", "/1") + post(2) + wire.request("GET", "/3"),
    ):
        scene.upstream.clear()
        count = data.count(b"HTTP/1.1\r\n")
        with scene.wire() as connection:
            connection.send(data)
            for number in range(count):
                equal(connection.answer().status, 200, f"answer {number}")
        scene.upstream.last(count)
        numbers = []
        for request in scene.upstream.requests:
            fields = dict(wire.form_fields(request.body))
            numbers.append(int(fields.get("submit") or request.target.lstrip("/")))
        equal(numbers, list(range(count)), "the order at the upstream")


@case("a refused request between pipelined ones stops the connection or itself, never the order")
def pipelined_refusal():
    scene = SHARED.get()
    scene.upstream.clear()
    bad = wire.request("POST", "/contact", b"surprise=1", wire.FORM)
    with scene.wire() as connection:
        connection.send(post(0) + bad + post(2))
        equal([connection.answer().status for _ in range(3)], [200, 422, 200], "statuses")
    scene.upstream.last(2)
    scene.upstream.clear()
    with scene.wire() as connection:
        connection.send(post(0) + b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n" + post(2))
        equal([connection.answer().status for _ in range(2)], [200, 400], "statuses")
        expect(connection.is_closed(), "the connection goes on after bad framing")
    scene.upstream.last(1)


@case("Connection: close is honoured, and HTTP/1.0 is closed by default")
def close():
    scene = SHARED.get()
    for data in (
        wire.request("GET", "/", headers=[("Connection", "close")]),
        b"GET / HTTP/1.0\r\nHost: www.example.fr\r\n\r\n",
    ):
        with scene.wire() as connection:
            connection.send(data)
            answer = connection.answer()
            equal((answer.status, answer.header("Connection")), (200, "close"), "the answer")
            expect(connection.is_closed(), "the connection stays open")


@case("a request in single bytes, and in two halves at every place", smoke=True)
def cut():
    scene = SHARED.get()
    data = post(7)
    scene.upstream.clear()
    with scene.wire() as connection:
        connection.send_slowly(data)
        equal(connection.answer().status, 200, "single bytes")
    whole = scene.upstream.last().raw
    with scene.wire() as connection:
        for at in range(1, len(data), 3):
            scene.upstream.clear()
            connection.send(data[:at])
            time.sleep(0.002)
            connection.send(data[at:])
            equal(connection.answer().status, 200, f"cut at {at}")
            equal(scene.upstream.last().raw, whole, f"the request cut at {at}")


@case("chunked bodies: one byte each, one large chunk, cut anywhere", smoke=True)
def chunked():
    scene = SHARED.get()
    body = b'{"person":{"email":"visitor@example.fr"},"message":"' + b"x" * 20000 + b'"}'
    head = wire.head("POST", "/contact", [("Content-Type", wire.JSON), ("Transfer-Encoding", "chunked")])
    for size in (1, 7, 1000, 100000):
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        data = b"".join(b"%X\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
        scene.upstream.clear()
        with scene.wire() as connection:
            connection.send(head + data + b"0\r\n\r\n" + wire.request("GET", "/next"))
            equal([connection.answer().status for _ in range(2)], [200, 200], f"chunks of {size}")
        received = scene.upstream.requests[0]
        equal(received.values("Transfer-Encoding"), [], "Transfer-Encoding")
        equal(received.values("Content-Length"), [str(len(received.body))], "Content-Length")
        expect(b"visitor" not in received.body and b"xxxx" not in received.body, "a clear value")
        scene.upstream.last(2)


@case("Expect: 100-continue is answered by the gateway and never forwarded")
def expect_continue():
    scene = SHARED.get()
    body = wire.form({"email": "a@example.fr"})
    head = wire.head(
        "POST", "/contact",
        [("Content-Type", wire.FORM), ("Content-Length", str(len(body))), ("Expect", "100-continue")],
    )  # fmt: skip
    scene.upstream.clear()
    with scene.wire() as connection:
        connection.send(head)
        equal(connection.answer(interim=True).status, 100, "the interim answer")
        connection.send(body)
        equal(connection.answer().status, 200, "the final answer")
    equal(scene.upstream.last().values("Expect"), [], "Expect")
    # Refused by its length: one final answer, no 100 before it.
    head = wire.head(
        "POST", "/contact",
        [("Content-Type", wire.FORM), ("Content-Length", "99999999"), ("Expect", "100-continue")],
    )  # fmt: skip
    with scene.wire() as connection:
        connection.send(head)
        equal(connection.answer(interim=True).status, 413, "the only answer")


@case("a large answer to a late reader arrives whole, and others are served meanwhile")
def late_reader():
    body = bytes(range(256)) * 40000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    upstream = Upstream(lambda request: answer if request.target == "/large" else default_answer(request))
    with Scene(policy=WIDE, upstream=upstream, workers=1) as scene, scene.wire() as slow:
        slow.send(wire.request("GET", "/large"))
        for number in range(20):
            equal(scene.exchange(post(number)).status, 200, "another client")
        time.sleep(1)
        equal(slow.answer().body == body, True, "the large answer")


@case("a client that goes away in the middle leaves nothing behind")
def gone_client():
    scene = SHARED.get()
    scene.upstream.clear()
    for at in (10, 60, 120, 150):
        with scene.wire() as connection:
            connection.send(post(1)[:at])
    time.sleep(0.1)
    equal(scene.upstream.count(), 0, "requests at the upstream")
    equal(scene.exchange(post(2)).status, 200, "the next client")


@case("a hundred clients at once: nobody gets another's token", smoke=True)
def many_clients():
    scene = SHARED.get()
    failures = []
    pairs = {}
    lock = threading.Lock()

    def remember(request):
        fields = dict(wire.form_fields(request.body))
        with lock:
            pairs[int(fields["submit"])] = fields["email"]
        number = fields["submit"].encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(number), number)

    def client(number):
        try:
            with scene.wire(timeout=30) as connection:
                for step in range(10):
                    connection.send(post(number * 100 + step))
                    answer = connection.answer()
                    if answer.body != str(number * 100 + step).encode():
                        failures.append(f"{number * 100 + step} got {answer!r}")
        except Exception as error:  # noqa: BLE001 - reported below
            failures.append(repr(error))

    scene.upstream.answer = remember
    clients = [threading.Thread(target=client, args=(number,)) for number in range(100)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    scene.upstream.answer = default_answer
    equal(failures[:3], [], "failures")
    equal(len(pairs), 1000, "requests")
    numbers = sorted(pairs)
    values = scene.reveal([pairs[number] for number in numbers])
    equal(values, [f"visitor{number}@example.fr" for number in numbers], "values")
    for email in pairs.values():
        tokens.email_shaped(email)


def door_is_open(scene):
    try:
        scene.wire().close()
    except OSError:
        return False
    return True


@case("SIGTERM drains: the request under way is answered, new ones are not taken", smoke=True)
def drain():
    hold, arrived = threading.Event(), threading.Event()

    def slowly(request):
        if request.target == "/slow":
            arrived.set()
            hold.wait(60 * settings.PATIENCE)
        return default_answer(request)

    with Scene(policy=WIDE, upstream=Upstream(slowly)) as scene, scene.wire(30) as busy, scene.wire() as idle:
        idle.send(wire.request("GET", "/"))
        equal(idle.answer().status, 200, "before")
        busy.send(wire.request("GET", "/slow"))
        expect(arrived.wait(10 * settings.PATIENCE), "the slow request did not arrive")
        process, scene.process = scene.process, None
        process.send_signal(signal.SIGTERM)
        expect(idle.is_closed(10 * settings.PATIENCE), "an idle connection stays open while draining")
        # Each worker has a door of its own and closes it when it comes to it; after that nobody comes in.
        deadline = time.monotonic() + 10 * settings.PATIENCE
        while door_is_open(scene):
            expect(time.monotonic() < deadline, "new connections are still taken")
            time.sleep(0.01)
        try:
            with scene.wire(5) as late:
                late.send(wire.request("GET", "/late"))
                late.rest()
        except OSError:
            pass
        expect(process.poll() is None, "it ended before the answer was sent")
        hold.set()
        answer = busy.answer()
        equal((answer.status, answer.body), (200, b"<p>Merci</p>\n"), "the answer to the slow request")
        equal(process.wait(timeout=20 * settings.PATIENCE), 0, "exit code")
        expect("stopped" in scene.stderr(), "it does not say that it stopped")
        targets = [request.target for request in scene.upstream.requests]
        expect("/late" not in targets, "a request was taken while draining")

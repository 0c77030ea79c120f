"""Upstreams: several targets, TLS and Unix sockets, health, circuit breaker, deadlines, back-pressure."""

import os
import shutil
import socket
import ssl
import tempfile
import threading
import time

from support import settings, wire
from support.case import case, contains, equal, expect, wait_for
from support.certificates import Authority
from support.gateway import Scene, one_sentence, run
from support.policies import WIDE
from support.upstream import Upstream, default_answer


def get(scene, target="/page"):
    return scene.exchange(wire.request("GET", target)).status


def post(scene):
    return scene.exchange(wire.request("POST", "/contact", wire.form({"submit": "1"}), wire.FORM)).status


def listing(*upstreams):
    """WIDE with these in place of its one upstream."""
    return WIDE.replace("upstream: UPSTREAM", f"upstream: [{', '.join(one.url for one in upstreams)}]")


def closed_port():
    """A port that nobody else can get and at which nobody answers, until it is closed: (what holds it, its number)."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder, holder.getsockname()[1]


@case("two targets share the requests; one that goes away costs none, one that comes back gets its share", smoke=True)
def two_targets():
    first, second = Upstream(), Upstream()
    with Scene(policy=listing(first, second), upstream=first, workers=1) as scene:
        for number in range(40):
            equal(post(scene) if number % 2 else get(scene), 200, f"request {number}")
        expect(min(len(first.requests), len(second.requests)) >= 10, "one target has nearly everything")
        second.close()
        time.sleep(0.3)
        for number in range(40):
            equal(post(scene) if number % 2 else get(scene), 200, f"request {number} without the second")
        expect(scene.admin.metric("paravent_upstream_trips_total", upstream=second.url) >= 1, "the circuit never opened")
        again = Upstream(port=second.port)
        wait_for(lambda: get(scene) == 200 and len(again.requests) > 0, "the second target is not used again")
        equal(scene.admin.metric("paravent_upstream_open_circuits", upstream=second.url), 0.0, "open circuits")
        again.close()


@case("a target that hangs gets no more requests once its circuit is open; the busier one gets fewer")
def least_loaded():
    hold = threading.Event()

    def slow(request):
        hold.wait(20 * settings.PATIENCE)
        return default_answer(request)

    first, second = Upstream(slow), Upstream()
    with Scene(policy=listing(first, second), upstream=first, workers=1) as scene:
        waiting = []
        for _ in range(2):  # one of the two goes to the slow target and stays there
            connection = scene.wire()
            connection.send(wire.request("GET", "/page"))
            waiting.append(connection)
        wait_for(lambda: len(first.requests) == 1, "no request at the slow target")
        # The other one's answer is through as well: with one request under way at each, both are as good.
        in_flight = lambda one: scene.admin.metric("paravent_upstream_in_flight", upstream=one.url)  # noqa: E731
        wait_for(lambda: (in_flight(first), in_flight(second)) == (1.0, 0.0), "requests under way")
        for number in range(20):
            equal(get(scene), 200, f"request {number}")
        equal(len(first.requests), 1, "requests at the busy target")
        equal(scene.admin.metric("paravent_upstream_in_flight", upstream=first.url), 1.0, "in flight")
        hold.set()
        for connection in waiting:
            equal(connection.answer().status, 200, "a slow answer")
            connection.close()
    second.close()


@case("a circuit opens after five failures, whichever workers met them, answers at once while it is open, and closes again", smoke=True)
def circuit():
    holder, port = closed_port()
    dead = Upstream()
    with Scene(policy=WIDE.replace("UPSTREAM", f"http://127.0.0.1:{port}"), upstream=dead, workers=2) as scene:
        name = f"http://127.0.0.1:{port}"
        for number in range(8):
            equal(get(scene), 502, f"request {number}")
        equal(scene.admin.metric("paravent_upstream_trips_total", upstream=name), 1.0, "trips")
        failures = scene.admin.metric("paravent_upstream_target_failures_total", upstream=name)
        equal(failures, 5.0, "failures that were tried")
        holder.close()
        back = Upstream(port=port)
        wait_for(lambda: get(scene) == 200, "the circuit does not close")
        for number in range(10):
            equal(get(scene), 200, f"request {number} after it")
        back.close()


@case("active checks take a target out and in again", slow=True)
def health():
    well = [True]

    def answer(request):
        if request.target == "/healthz":
            return b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % (b"200 OK" if well[0] else b"503 Busy")
        return default_answer(request)

    first, second = Upstream(answer), Upstream()
    extra = f"upstreams: [{{ url: {first.url}, health: {{ path: /healthz, seconds: 1 }} }}]"
    with Scene(policy=listing(first, second), upstream=first, workers=1, extra=extra) as scene:
        up = lambda: scene.admin.metric("paravent_upstream_up", upstream=first.url)  # noqa: E731
        wait_for(lambda: any(r.target == "/healthz" for r in first.requests), "no check came")
        check = next(r for r in first.requests if r.target == "/healthz")
        equal(check.names(), ["host", "user-agent", "connection"], "what a check says")
        equal(up(), 1.0, "up")
        well[0] = False
        wait_for(lambda: up() == 0.0, "the target is not taken out")
        first.clear()
        for number in range(10):
            equal(get(scene), 200, f"request {number}")
        equal([r.target for r in first.requests if r.target != "/healthz"], [], "requests at the target that is out")
        well[0] = True
        wait_for(lambda: up() == 1.0, "the target is not taken in again")
        wait_for(lambda: get(scene) == 200 and any(r.target == "/page" for r in first.requests), "no request again")
    second.close()


@case("an upstream over TLS: its authority and its name count, and it is shown our certificate", smoke=True)
def over_tls():
    folder = tempfile.mkdtemp(prefix="paravent-tls-")
    try:
        authority, other = Authority(folder), Authority(folder, "other")
        certificate = authority.issue("site", alternative="IP:127.0.0.1,DNS:site.example")
        ours = authority.issue("gateway", usage="clientAuth")
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(*certificate)
        mutual = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        mutual.load_cert_chain(*certificate)
        mutual.load_verify_locations(authority.certificate)
        mutual.verify_mode = ssl.CERT_REQUIRED
        own = f", certificate: {ours[0]}, key: {ours[1]}"
        for context, tls, status in (
            (server, f"tls: {{ ca: {authority.certificate} }}", 200),
            (server, f"tls: {{ ca: {authority.certificate}, name: site.example }}", 200),
            (server, f"tls: {{ ca: {authority.certificate}, name: another.example }}", 502),
            (server, f"tls: {{ ca: {other.certificate} }}", 502),
            (server, None, 502),  # the system's authorities do not know ours
            (mutual, f"tls: {{ ca: {authority.certificate}{own} }}", 200),
        ):
            upstream = Upstream(tls=context)
            extra = f"upstreams: [{{ url: {upstream.url}, {tls} }}]" if tls else ""
            with Scene(policy=WIDE, upstream=upstream, workers=1, extra=extra) as scene:
                with scene.wire() as connection:
                    for number in range(4):
                        data = wire.form({"email": "visitor@example.fr", "message": "m" * 30_000, "submit": "1"})
                        request = wire.request("POST", "/contact", data, wire.FORM)
                        connection.send(request if number % 2 else wire.request("GET", "/page"))
                        equal(connection.answer().status, status, f"{tls}, request {number}")
                if status == 200:
                    equal(upstream.connections, 1, "connections to the upstream")
                    equal(len(upstream.requests), 4, "requests at the upstream")
                else:
                    equal(upstream.requests, [], "requests at an upstream that is not trusted")
        # Without our certificate the mutual one refuses; in TLS 1.3 it says so only after the handshake.
        upstream = Upstream(tls=mutual)
        extra = f"upstreams: [{{ url: {upstream.url}, tls: {{ ca: {authority.certificate} }} }}]"
        with Scene(policy=WIDE, upstream=upstream, workers=1, extra=extra) as scene:
            equal(get(scene), 502, "without a certificate")
            equal(upstream.requests, [], "requests")
        # Plain HTTP where TLS was expected, and files that are none.
        plain = Upstream()
        url = plain.url.replace("http:", "https:")
        with Scene(policy=WIDE.replace("UPSTREAM", url), upstream=plain, workers=1) as scene:
            equal(get(scene), 502, "a plain upstream behind https")
        with Scene(policy=WIDE.replace("UPSTREAM", "https://127.0.0.1:1"), start=False) as scene:
            scene.extra = f"upstreams: [{{ url: https://127.0.0.1:1, tls: {{ ca: {folder}/none.pem }} }}]"
            scene.write_config()
            done = run("serve", "--config", scene.config_file)
            equal(done.returncode, 3, done.err)
            contains(one_sentence(done.err), "none.pem cannot be read", "the sentence")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@case("an upstream on a Unix socket")
def unix_socket():
    folder = tempfile.mkdtemp(prefix="paravent-unix-")
    try:
        upstream = Upstream(path=os.path.join(folder, "site"))
        with Scene(policy=WIDE, upstream=upstream, workers=1) as scene:
            for number in range(4):
                equal(post(scene) if number % 2 else get(scene), 200, f"request {number}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@case("deadlines and the bound on requests under way are the gateway file's")
def bounds():
    hold = threading.Event()

    def slow(request):
        hold.wait(60 * settings.PATIENCE)
        return default_answer(request)

    # Each by itself: the first request may not have run into its deadline when the second comes.
    with Scene(policy=WIDE, upstream=Upstream(slow), workers=1, limits={"upstream-requests": 1}) as scene:
        with scene.wire() as connection:
            connection.send(wire.request("GET", "/page"))
            wait_for(lambda: len(scene.upstream.requests) == 1, "no request came")
            refusal = scene.exchange(wire.request("GET", "/page"))
            equal((refusal.status, refusal.json()["reason"]), (503, "overloaded"), "a second request")
            hold.set()
            equal(connection.answer().status, 200, "the first one's answer")
        equal(get(scene), 200, "afterwards")
    hold.clear()
    with Scene(policy=WIDE, upstream=Upstream(slow), workers=1, limits={"upstream-answer-seconds": 1}) as scene:
        with scene.wire() as connection:
            begin = time.monotonic()
            connection.send(wire.request("GET", "/page"))
            equal(connection.answer().status, 504, "a late answer")
            # Without the gateway file's word it would be a minute.
            expect(time.monotonic() - begin < 5 * settings.PATIENCE, "the deadline came late")
        hold.set()
        equal(get(scene), 200, "afterwards")

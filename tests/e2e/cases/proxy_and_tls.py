"""A PROXY header in front of TLS on one listener, and clients that end their half of a TLS connection first."""

import contextlib
import os
import shutil
import socket
import ssl
import tempfile
import threading

from support import settings, wire
from support.case import Shared, about, case, equal, expect, lacks
from support.certificates import Authority
from support.gateway import Scene
from support.policies import WIDE, bare
from support.upstream import Upstream, default_answer

from cases.door import CLIENT, version_1, version_2

NAME = "a.example"
GET = wire.request("GET", "/page", host=NAME)
BODY = wire.form({"email": "visitor@example.fr"})
POST = wire.request("POST", "/contact", BODY, wire.FORM, host=NAME)
LARGE = os.urandom(2 << 20)


class Served:
    """A certificate's folder and what to say of it in a gateway file."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="paravent-proxy-tls-")
        self.authority = Authority(self.folder)
        certificate, key = self.authority.issue(NAME)
        self.tls = f"{{ certificate: {certificate}, key: {key} }}"

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def behind_proxy(self, **more):
        return Scene(policy=bare("truncate"), trusted=["127.0.0.0/8"], proxy_protocol=True, tls=self.tls, **more)


SHARED = Shared(Served)


class Client:
    """TLS by hand over a socket, so that a handshake's bytes can be sent when and how a case likes."""

    def __init__(self, scene, version=ssl.TLSVersion.TLSv1_3):
        context = SHARED.get().authority.trusting(least=version, most=version)
        self.come, self.go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.come, self.go, server_hostname=NAME)
        self.socket = scene.wire().socket

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def hello(self):
        """The first bytes of the handshake."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self.go.read()

    def _do(self, what, *arguments):
        while True:
            try:
                done = what(*arguments)
            except ssl.SSLWantReadError:
                done = None
            if self.go.pending:
                self.socket.sendall(self.go.read())
            if done is not None:
                return done
            piece = self.socket.recv(65536)
            if not piece:
                raise wire.Closed("closed without close_notify")
            self.come.write(piece)

    def handshake(self):
        self._do(lambda: self.tls.do_handshake() or True)

    def send(self, data):
        self._do(self.tls.write, data)

    def end(self, tcp_too):
        """Says that nothing more will be sent, and goes on reading."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.socket.sendall(self.go.read())
        if tcp_too:
            self.socket.shutdown(socket.SHUT_WR)

    def rest(self):
        """Everything up to a proper end of the stream."""
        data = bytearray()
        while True:
            try:
                piece = self._do(self.tls.read, 65536)
            except ssl.SSLZeroReturnError:
                return bytes(data)
            if not piece:
                return bytes(data)
            data += piece


def closing(claims):
    """A post behind which the connection ends. A client is no proxy: what it claims counts for nothing."""
    return wire.request("POST", "/contact", BODY, wire.FORM, headers=[("Connection", "close"), *claims], host=NAME)


def forwarded(scene):
    request = scene.upstream.last()
    equal(request.values("X-Forwarded-Proto"), ["https"], "X-Forwarded-Proto")
    lacks(request.raw, b"visitor@", "what arrived")
    return request.values("X-Forwarded-For")


@case("PROXY protocol in front of TLS: both versions name the client, in one packet with the handshake or in pieces")
def header_and_handshake():
    with SHARED.get().behind_proxy() as scene:
        for header, wanted in (
            (version_1(), "198.51.0.0"),
            (version_2(), "198.51.0.0"),
            (version_2("2001:db8:1:2::7"), "2001:db8:1::"),
            (b"PROXY UNKNOWN\r\n", "127.0.0.0"),
        ):
            for how in ("apart", "together", "pieces"):
                with about(f"{header!r}, {how}"), Client(scene) as client:
                    scene.upstream.clear()
                    hello = client.hello()
                    if how == "pieces":
                        for byte in header + hello:
                            client.socket.sendall(bytes([byte]))
                    else:
                        for part in [header, hello] if how == "apart" else [header + hello]:
                            client.socket.sendall(part)
                    client.handshake()
                    client.send(closing(claims=[] if wanted == "127.0.0.0" else [("X-Forwarded-For", "203.0.113.9")]))
                    expect(client.rest().startswith(b"HTTP/1.1 200 "), "no answer")
                    equal(forwarded(scene), [wanted], "X-Forwarded-For")


@case("PROXY protocol in front of TLS: the client's number of connections is that of the header's address")
def counted_by_header():
    with SHARED.get().behind_proxy(limits={"connections-per-address": 2}) as scene, contextlib.ExitStack() as stack:

        def comes_in(source):
            client = stack.enter_context(Client(scene))
            client.socket.sendall(version_2(source))
            try:
                client.handshake()
            except (OSError, wire.Closed):
                return False
            return True

        equal([comes_in(CLIENT) for _ in range(4)], [True, True, False, False], "connections of one client")
        equal([comes_in("198.51.100.8") for _ in range(2)], [True, True], "connections of another")


@case("PROXY protocol in front of TLS: a handshake at once, plain HTTP and a header inside of TLS are no way in")
def no_header():
    with SHARED.get().behind_proxy() as scene:
        with Client(scene) as client:
            client.socket.sendall(client.hello())
            equal(scene_says(client.socket), b"", "what a handshake without a header gets")
        for raw in (POST, version_1() + POST, version_1() + version_1() + POST):
            with scene.wire() as connection:
                with contextlib.suppress(OSError):
                    connection.send(raw)
                # What TLS says to it is an alert, never an answer.
                lacks(connection.rest(), b"HTTP/1.1", f"what {raw[:40]!r} gets")
        with Client(scene) as client:
            client.socket.sendall(version_1())
            client.handshake()
            client.send(version_2("203.0.113.9") + POST)
            expect(client.rest().startswith(b"HTTP/1.1 400 "), "a header inside of TLS is not refused as a request")
        equal(scene.upstream.all_bytes(), b"", "what reached the upstream")
    with Scene(policy=bare(), trusted=["192.0.2.0/24"], proxy_protocol=True, tls=SHARED.get().tls) as scene:
        with Client(scene) as client:
            with contextlib.suppress(OSError):
                client.socket.sendall(version_1() + client.hello())
            equal(scene_says(client.socket), b"", "what a peer gets that is not trusted")


def scene_says(connection):
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(4096):
            data += piece
    return data


@case("a client may end its half of the connection behind its request: the whole answer comes, plain and over TLS")
def half_closed():
    hold, arrived = threading.Event(), threading.Event()

    def answer(request):
        if request.target == "/large":
            arrived.set()
            hold.wait(60 * settings.PATIENCE)
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE
        return default_answer(request)

    large = wire.request("GET", "/large", host=NAME)

    def ends(client, sent, end, wanted):
        """`end` comes when the upstream has the request, or at once behind it, where nobody holds it."""
        hold.clear()
        arrived.clear()
        client.send(sent)
        if sent == large:
            expect(arrived.wait(20 * settings.PATIENCE), "the request did not arrive")
        end()
        hold.set()
        got = client.rest()
        expect(got.startswith(b"HTTP/1.1 200 "), f"it got {got[:100]!r}")
        expect(got.partition(b"\r\n\r\n")[2] == wanted, f"the answer is another one, of {len(got)} bytes")

    page = b"<p>Merci</p>\n"
    with Scene(policy=WIDE, upstream=Upstream(answer)) as scene:
        for sent, wanted in ((large, LARGE), (GET, page), (POST, page)):
            with about("plain"), scene.wire() as connection:
                ends(connection, sent, lambda: connection.socket.shutdown(socket.SHUT_WR), wanted)
    with Scene(policy=WIDE, tls=SHARED.get().tls, upstream=Upstream(answer)) as scene:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for tcp_too in (False, True):
                for sent, wanted in ((large, LARGE), (GET, page), (POST, page)):
                    with about(f"{version.name}, {'FIN' if tcp_too else 'no FIN'}"), Client(scene, version) as client:
                        client.handshake()
                        ends(client, sent, lambda: client.end(tcp_too), wanted)

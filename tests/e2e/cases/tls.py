"""TLS on the public door: versions, names, tickets, client certificates, what is refused, and attacks on it."""

import os
import select
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from support import figures, settings, wire
from support.case import Shared, case, contains, equal, expect, lacks, not_installed
from support.certificates import Authority
from support.gateway import Scene, one_sentence, run
from support.policies import WIDE
from support.upstream import Upstream


class Door:
    """A gateway with two certificates, for a.example and *.b.example, and their authority."""

    def __init__(self, **scene):
        self.folder = tempfile.mkdtemp(prefix="paravent-tls-")
        self.authority = Authority(self.folder)
        pairs = [
            self.authority.issue("a.example"),
            self.authority.issue("b.example", alternative="DNS:b.example,DNS:*.b.example", kind="rsa"),
        ]
        listed = ", ".join(f"{{ certificate: {c}, key: {k} }}" for c, k in pairs)
        self.scene = Scene(policy=WIDE, tls=f"{{ certificates: [{listed}] }}", **scene)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.scene.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wire(self, name="a.example", **options):
        return self.scene.wire(tls=(self.authority.trusting(**options), name))


SHARED = Shared(Door)


def get(host="a.example"):
    return wire.request("GET", "/page", host=host)


@case("TLS 1.2 and 1.3 carry requests, form posts and 1 MiB answers; kept alive, spoken to the site as https", smoke=True)
def versions():
    large = b"x" * 1024 * 1024

    def answer(_request):
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(large), large)

    with Door(upstream=Upstream(answer)) as door:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with door.wire(least=version, most=version) as connection:
                for number in range(3):
                    connection.send(get())
                    got = connection.answer()
                    expect(got.status == 200 and got.body == large, f"{version} answer {number}: {got}")
                body = wire.form({"email": "visitor@example.fr", "submit": "1"})
                connection.send(wire.request("POST", "/contact", body, wire.FORM, host="a.example"))
                equal(connection.answer().status, 200, f"{version} post")
                lacks(door.scene.upstream.requests[-1].body, b"visitor@example.fr", "the site's form")
                equal(door.scene.upstream.requests[-1].header("X-Forwarded-Proto"), "https", "the scheme")


@case("a body larger than a record, sent in slow single-byte records, arrives whole")
def tiny_records():
    door = SHARED.get()
    door.scene.upstream.clear()
    body = wire.form({"message": "m" * 40_000, "submit": "1"})
    data = wire.request("POST", "/contact", body, wire.FORM, host="a.example")
    with door.wire() as connection:
        for at in range(0, 3000):  # each its own record, of 23 bytes and more
            connection.send(data[at : at + 1])
        connection.send(data[3000:])
        equal(connection.answer().status, 200, "the answer")
    equal(dict(wire.form_fields(door.scene.upstream.last().body))["submit"], "1", "the form")


@case("a client that reads late and slowly gets everything, and one that goes away harms nobody", smoke=True)
def slow_reader():
    large = os.urandom(8 * 1024 * 1024)

    def answer(_request):
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(large), large)

    with Door(upstream=Upstream(answer), workers=1) as door:
        with door.wire() as connection, door.wire() as gone:
            for one in (connection, gone):
                one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 262144)
                one.send(get())
            time.sleep(0.5)
            gone.close()
            for number in range(2):
                seen = bytearray()
                while len(seen) < len(large):
                    if not seen:
                        connection._until(b"\r\n\r\n")  # noqa: SLF001 - the head, and then the body in pieces
                    if connection.buffer:
                        seen += connection.buffer
                        connection.buffer.clear()
                    else:
                        connection._more()  # noqa: SLF001
                    if len(seen) % 7 == 0:
                        time.sleep(0.001)
                expect(bytes(seen) == large, f"answer {number} is another one")
                connection.send(get())
            with door.wire() as other:
                other.send(get())
                equal(other.answer().status, 200, "somebody else's request")


@case("the certificate follows the name that the client asks for; an unknown one gets the first")
def names():
    door = SHARED.get()
    for name, subject in (("a.example", "a.example"), ("b.example", "b.example"), ("shop.b.example", "b.example")):
        with door.wire(name) as connection:
            seen = dict(pair[0] for pair in connection.socket.getpeercert()["subject"])["commonName"]
            equal(seen, subject, f"the certificate for {name}")
            # Host decides the route, whatever name the certificate was chosen by.
            connection.send(get("other.example"))
            equal(connection.answer().status, 200, "another Host")
    for name in ("deep.shop.b.example", "c.example", "x" * 60 + "." + "y" * 60 + ".example"):
        context = door.authority.trusting()
        context.check_hostname = False
        with door.scene.wire(tls=(context, name)) as connection:
            seen = dict(pair[0] for pair in connection.socket.getpeercert()["subject"])["commonName"]
            equal(seen, "a.example", f"the certificate for {name}")


@case("old protocols, weak ciphers, and other application protocols are refused")
def refused_handshakes():
    door = SHARED.get()
    before = door.scene.admin.metric("paravent_tls_failures_total")
    for options in (
        ["-tls1"],
        ["-tls1_1"],
        ["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
        ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"],
        ["-alpn", "h2"],
        ["-groups", "P-521"],
    ):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{door.scene.port}", "-servername", "a.example"]
            + (["-cipher", "ALL:@SECLEVEL=0"] if "-cipher" not in options else [])
            + options,
            input=b"",
            capture_output=True,
            timeout=30 * settings.PATIENCE,
        )
        expect(done.returncode != 0, f"s_client {options} shook hands")
    after = door.scene.admin.metric("paravent_tls_failures_total")
    deadline = time.monotonic() + 5 * settings.PATIENCE
    while after < before + 4 and time.monotonic() < deadline:  # a worker counts when it comes to it
        time.sleep(0.05)
        after = door.scene.admin.metric("paravent_tls_failures_total")
    expect(after >= before + 4, f"paravent_tls_failures_total went from {before} to {after}")
    for alpn, chosen in ((["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1")):
        context = door.authority.trusting()
        context.set_alpn_protocols(alpn)
        with door.scene.wire(tls=(context, "a.example")) as connection:
            equal(connection.socket.selected_alpn_protocol(), chosen, f"ALPN of {alpn}")


@case("sessions are resumed by tickets, and early data is never offered")
def tickets():
    door = SHARED.get()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = door.authority.trusting(least=version, most=version)
        session = None
        for number in range(3):
            raw = socket.create_connection(("127.0.0.1", door.scene.port), 20 * settings.PATIENCE)
            with context.wrap_socket(raw, server_hostname="a.example", session=session) as connection:
                connection.sendall(get())
                expect(connection.recv(65536).startswith(b"HTTP/1.1 200"), "no answer")
                equal(connection.session_reused, number > 0, f"{version} connection {number} resumed")
                if number > 0 and version == ssl.TLSVersion.TLSv1_3:
                    expect(connection.session != session, "a resumed connection got no ticket of its own")
                session = connection.session
    # What the tickets say; what becomes of a client that does not heed it: early_data.py.
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{door.scene.port}", "-servername", "a.example", "-tls1_3", "-ign_eof"],
        input=get().replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), capture_output=True,
        timeout=60 * settings.PATIENCE,
    )  # fmt: skip
    tickets_seen = done.stdout.count(b"Session Ticket arrived")
    expect(tickets_seen > 0, "no ticket")
    equal(done.stdout.count(b"Max Early Data: 0\n"), tickets_seen, "tickets that allow no early data")


class Client:
    """`openssl s_client`, which takes a letter at the beginning of what it reads at once as a command: the next one is
    written when it has answered the last."""

    def __init__(self, door, version):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{door.scene.port}", version, "-servername", "a.example"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )
        self.heard = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def command(self, letter):
        try:
            self.process.stdin.write(letter + b"\n")
        except BrokenPipeError:
            return False
        return True

    def _hears(self, within):
        """Whether something more was heard; not at its end."""
        if not select.select([self.process.stdout], [], [], max(0, within))[0]:
            return False
        piece = self.process.stdout.read(65536)
        self.heard += piece
        return piece != b""

    def says(self, words, times=1):
        deadline = time.monotonic() + 10 * settings.PATIENCE
        while self.heard.count(words) < times:
            if not self._hears(deadline - time.monotonic()):
                return False
        return True

    def ended(self, within):
        deadline = time.monotonic() + within
        while self._hears(deadline - time.monotonic()):
            pass
        try:
            self.process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self):
        """No more input; its exit code."""
        self.process.stdin.close()
        self.ended(60 * settings.PATIENCE)
        return self.process.wait(timeout=60 * settings.PATIENCE)


@case("renegotiation is refused", slow=True)
def renegotiation():
    door = SHARED.get()
    with Client(door, "-tls1_2") as client:
        expect(client.says(b"Verify return code"), f"no handshake: {client.heard[-400:]!r}")
        client.command(b"R")
        expect(client.says(b"RENEGOTIATING"), f"not asked for: {client.heard[-400:]!r}")
        # It says so, or it ends.
        client.says(b"no renegotiation")
        code = client.end()
        expect(b"no renegotiation" in client.heard or code != 0, f"renegotiated: {client.heard[-400:]!r}")


@case("a client that asks for new keys again and again is cut off", slow=True)
def key_updates():
    door = SHARED.get()
    with Client(door, "-tls1_3") as client:
        expect(client.says(b"Verify return code"), f"no handshake: {client.heard[-400:]!r}")
        sent = 0
        # It says so when it has sent one, not when it was taken: the gateway gets time to hear of each.
        while sent < 2000 and client.command(b"K") and client.says(b"KEYUPDATE", sent + 1) and not client.ended(0.02):
            sent += 1
        ended = client.ended(5 * settings.PATIENCE)
    expect(ended and 10 < sent < 2000, f"{sent} key updates were taken, ended: {ended}")


@case("curl is served, by name and with verification")
def curl():
    if shutil.which("curl") is None:
        raise not_installed("curl")
    door = SHARED.get()
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--noproxy", "*", "--cacert", door.authority.certificate]
        + ["--resolve", f"a.example:{door.scene.port}:127.0.0.1", f"https://a.example:{door.scene.port}/page"],
        capture_output=True,
        timeout=60 * settings.PATIENCE,
    )
    equal(done.returncode, 0, f"curl: {done.stderr!r}")
    contains(done.stdout, b"Merci", "the page")


@case("silent, slow, huge and senseless handshakes end within their time; others are served meanwhile", slow=True)
def attacks():
    with Door(workers=1) as door:
        scene = door.scene
        address = ("127.0.0.1", scene.port)
        silent = [socket.create_connection(address, 20 * settings.PATIENCE) for _ in range(100)]
        # A ClientHello that announces 16 MiB, in records that never end.
        huge = socket.create_connection(address, 20 * settings.PATIENCE)
        senseless = socket.create_connection(address, 20 * settings.PATIENCE)
        senseless.sendall(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
        record = b"\x16\x03\x01\x40\x00" + b"\x01\xff\xff\xff\x03\x03" + b"x" * (16384 - 6)
        try:
            for _ in range(20):
                huge.sendall(record)
                record = b"\x16\x03\x01\x40\x00" + b"x" * 16384
            huge.settimeout(20 * settings.PATIENCE)
            while huge.recv(4096):
                pass
        except OSError:
            pass  # a reset is an end as well
        slow = socket.create_connection(address, 20 * settings.PATIENCE)
        begin = time.monotonic()

        def served():
            with door.wire() as connection:
                connection.send(get())
                equal(connection.answer().status, 200, "somebody else's request")

        figures.soon_enough(served, 3 * settings.SLOWNESS, "somebody else")
        ended = None
        try:
            for byte in b"\x16\x03\x01\x02\x00" + b"\x01" * 505:
                slow.sendall(bytes([byte]))
                slow.settimeout(0.2)
                try:
                    if not slow.recv(100):
                        ended = time.monotonic() - begin
                        break
                except TimeoutError:
                    pass
                if time.monotonic() - begin > 15 * settings.PATIENCE:
                    break
        except OSError:
            ended = time.monotonic() - begin
        expect(ended is not None and ended < 9 * settings.PATIENCE, f"the slow handshake ended after {ended} s")
        for one in silent:
            one.settimeout(10 * settings.PATIENCE)
            try:
                equal(one.recv(100), b"", "what a silent client gets")
            except ConnectionResetError:
                pass
            one.close()
        senseless.settimeout(10 * settings.PATIENCE)
        lacks(senseless.recv(4096), b"HTTP/1.1", "what plain HTTP gets on a TLS port")
        for one in (huge, senseless, slow):
            one.close()


@case("a flood of handshakes leaves no connection behind", slow=True)
def flood():
    with Door(workers=1) as door:
        stop = time.monotonic() + 3

        def shake():
            while time.monotonic() < stop:
                try:
                    door.wire().close()
                except OSError:
                    pass

        threads = [threading.Thread(target=shake) for _ in range(8)]
        for thread in threads:
            thread.start()
        waited = []
        while time.monotonic() < stop or len(waited) < 5:
            begin = time.monotonic()
            with door.wire() as connection:
                connection.send(get())
                equal(connection.answer().status, 200, "a request in the flood")
            waited.append(time.monotonic() - begin)
        for thread in threads:
            thread.join()
        # The flood's eight threads and this one share the processors with the gateway: one of them may have to wait.
        usual, slowest = sorted(waited)[len(waited) // 2], max(waited)
        expect(usual < 2 * settings.SLOWNESS, f"half of the requests took {usual:.2f} s and more")
        expect(slowest < 2 * settings.PATIENCE, f"the slowest request took {slowest:.2f} s")
        deadline = time.monotonic() + 10 * settings.PATIENCE
        while door.scene.admin.metric("paravent_connections_open") > 0:
            expect(time.monotonic() < deadline, "connections stay open")
            time.sleep(0.1)


@case("a listener that requires a client certificate serves nobody else; one that requests it serves routes without need")
def client_certificates():
    folder = tempfile.mkdtemp(prefix="paravent-tls-")
    try:
        authority, other = Authority(folder), Authority(folder, "other")
        certificate, key = authority.issue("a.example")
        good = authority.issue("partner", usage="clientAuth")
        foreign = other.issue("stranger", usage="clientAuth")
        server_only = authority.issue("only-a-server", usage="serverAuth")
        common = f"certificate: {certificate}, key: {key}, client-ca: {authority.certificate}"
        policy = WIDE.replace("  - name: survey\n", "  - name: survey\n    client-certificate: required\n", 1)
        body = wire.form({"name": "x"})

        def ask(scene, pair, target="/page"):
            context = authority.trusting(*(pair or (None, None)))
            try:
                with scene.wire(tls=(context, "a.example")) as connection:
                    data = get() if target == "/page" else wire.request("POST", target, body, wire.FORM, host="a")
                    connection.send(data)
                    return connection.answer()
            except (OSError, wire.Closed):
                return None

        with Scene(policy=policy) as scene:
            contains(scene.stderr(), "The route survey needs a client certificate, and no listener", "the warning")
            equal(scene.exchange(wire.request("POST", "/survey", body, wire.FORM)).status, 403, "over plain HTTP")
        with Scene(policy=policy, tls=f"{{ {common}, client-certificate: required }}") as scene:
            equal(ask(scene, good).status, 200, "the partner")
            for pair in (None, foreign, server_only):
                expect(ask(scene, pair) is None, f"served with {pair}")
        with Scene(policy=policy, tls=f"{{ {common}, client-certificate: requested }}") as scene:
            equal(ask(scene, good).status, 200, "the partner")
            equal(ask(scene, None).status, 200, "somebody without a certificate")
            expect(ask(scene, foreign) is None, "served with a foreign certificate")
            refusal = ask(scene, None, "/survey")
            equal((refusal.status, refusal.json()["reason"]), (403, "client-certificate"), "the route that needs it")
            equal(scene.admin.refusals("client-certificate"), 1.0, "the refusals")
            expect(ask(scene, good, "/survey").status != 403, "the partner is refused on the route")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@case("operators come to the admin API over TLS, by credential or by the name in their certificate")
def admin():
    folder = tempfile.mkdtemp(prefix="paravent-tls-")
    try:
        authority, other = Authority(folder), Authority(folder, "other")
        certificate, key = authority.issue("admin.example")
        served = f"tls: {{ certificate: {certificate}, key: {key} }}, client-ca: {authority.certificate}"
        people = {name: authority.issue(name, usage="clientAuth") for name in ("dpo", "admin", "nobody")}
        foreign = other.issue("dpo-abroad", usage="clientAuth", common_name="dpo")

        with Scene(policy=WIDE, admin_tls=served) as scene:

            def ask(pair=None, credential=None, path="/v1/audit/checkpoint"):
                context = authority.trusting(*(pair or (None, None)))
                headers = [("Connection", "close")]
                if credential:
                    headers.append(("Authorization", f"Bearer {credential}"))
                try:
                    address = ("127.0.0.1", scene.admin_port)
                    with wire.Wire(address, 20 * settings.PATIENCE, (context, "admin.example")) as connection:
                        connection.send(wire.request("GET", path, headers=headers))
                        return connection.answer().status
                except (OSError, wire.Closed):
                    return None

            equal(ask(path="/healthz"), 200, "/healthz")
            equal(ask(), 401, "nobody")
            equal(ask(credential=scene.dpo), 200, "the DPO's credential")
            equal(ask(people["dpo"]), 200, "the DPO's certificate")
            equal(ask(people["nobody"]), 401, "a certificate of no operator")
            equal(ask(people["dpo"], credential="pvcred_wrong"), 401, "a wrong credential beside a certificate")
            equal(ask(foreign), None, "a certificate of another authority")
            # The command, by name: nobody is called 127.0.0.1 in that certificate.
            by_address = ["reidentify", "--purpose", "contact", "--reason", "a test", "--credential-file"]
            by_address += [scene.credential_file(), "--admin", f"https://127.0.0.1:{scene.admin_port}", "pvv1xyz"]
            for extra in ([], ["--ca", authority.certificate]):
                done = run(*by_address, *extra)
                equal(done.returncode, 6, done.err)
                contains(one_sentence(done.err), "cannot be trusted", "the sentence")
            with socket.create_connection(("127.0.0.1", scene.admin_port), 20 * settings.PATIENCE) as plain:
                plain.sendall(wire.request("GET", "/healthz"))
                plain.settimeout(20 * settings.PATIENCE)
                try:
                    lacks(plain.recv(4096), b"HTTP/1.1", "what plain HTTP gets")
                except ConnectionResetError:
                    pass
        local, local_key = authority.issue("local", alternative="IP:127.0.0.1")
        with Scene(policy=WIDE, admin_tls=f"tls: {{ certificate: {local}, key: {local_key} }}") as scene:
            done = run(
                *("reidentify", "--purpose", "contact", "--reason", "a test", "--json"),
                *("--credential-file", scene.credential_file(), "--ca", authority.certificate),
                *("--admin", f"https://127.0.0.1:{scene.admin_port}", "pvv1xyz"),
            )
            contains(done.out, "malformed", f"what the API answers: {done.err}")
        with Scene(policy=WIDE, start=False) as scene:
            scene.write_config()
            with open(scene.config_file, encoding="utf-8") as file:
                text = file.read()
            with open(scene.config_file, "w", encoding="utf-8") as file:
                file.write(text.replace("admin: { address: 127.0.0.1:0", "admin: { address: 0.0.0.0:0"))
            done = run("serve", "--config", scene.config_file)
            equal(done.returncode, 3, done.err)
            contains(done.err, "may not be reachable from elsewhere without TLS", "what is said")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@case("what is wrong with a certificate is said in one sentence, and the gateway does not start; an expired one warns")
def faults():
    folder = tempfile.mkdtemp(prefix="paravent-tls-")
    try:
        authority = Authority(folder)
        certificate, key = authority.issue("a.example")
        _, other_key = authority.issue("b.example")
        expired, expired_key = authority.issue("expired.example", days=-1)
        junk = os.path.join(folder, "junk.pem")
        with open(junk, "w", encoding="ascii") as file:
            file.write("-----BEGIN CERTIFICATE-----\njunk\n-----END CERTIFICATE-----\n")
        locked = os.path.join(folder, "locked.key")
        subprocess.run(
            ["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", locked], check=True
        )
        with Scene(policy=WIDE, start=False) as scene:
            for tls, words in (
                (f"{{ certificate: {folder}/none.pem, key: {key} }}", "none.pem cannot be read"),
                (f"{{ certificate: {certificate}, key: {folder}/none.key }}", "none.key cannot be read"),
                (f"{{ certificate: {junk}, key: {key} }}", "junk.pem holds no usable certificate"),
                (f"{{ certificate: {certificate}, key: {junk} }}", "junk.pem holds no usable private key"),
                (f"{{ certificate: {certificate}, key: {locked} }}", "without a pass-phrase"),
                (f"{{ certificate: {certificate}, key: {other_key} }}", "does not belong to"),
                (
                    f"{{ certificate: {certificate}, key: {key}, client-certificate: required, client-ca: {key} }}",
                    "holds no certificate authority",
                ),
            ):
                scene.tls = tls
                scene.write_config()
                done = run("serve", "--config", scene.config_file)
                equal(done.returncode, 3, f"{tls}: {done.err}")
                contains(one_sentence(done.err), words, tls)
            scene.tls = f"{{ certificate: {expired}, key: {expired_key} }}"
            scene.start()
            contains(scene.stderr(), "has expired", "the warning")
    finally:
        shutil.rmtree(folder, ignore_errors=True)

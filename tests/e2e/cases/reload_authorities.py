"""Reload of authorities: whom the gateway trusts changes for every connection that comes after, on both sides."""

import os
import shutil
import ssl
import tempfile

from cases.reload import reload
from support import settings, wire
from support.case import case, contains, equal, expect
from support.certificates import Authority
from support.gateway import Scene
from support.policies import WIDE
from support.upstream import Upstream


class Folder:
    """Two authorities, and the file `trusted` that names one of them."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="paravent-tls-")
        self.old, self.new = Authority(self.path, "old"), Authority(self.path, "new")
        self.trusted = os.path.join(self.path, "trusted.pem")
        self.trust(self.old)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def trust(self, authority):
        shutil.copy(authority.certificate, self.trusted)

    def break_it(self):
        with open(self.trusted, "w", encoding="ascii") as file:
            file.write("no certificate\n")


def must_reload(scene):
    status, answer = reload(scene, scene.administrator)
    equal(status, 200, f"the reload: {answer}")


def must_refuse(scene, name):
    status, answer = reload(scene, scene.administrator)
    equal(status, 422, f"the reload of a broken file: {answer}")
    contains(str(answer), name, "what is said of it")


@case("an upstream's authority changes with a reload: no request goes to whom it does not vouch for, kept connection or not", smoke=True)
def upstream_authority():
    with Folder() as folder:
        certificate = folder.old.issue("site", alternative="IP:127.0.0.1")
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(*certificate)
        upstream = Upstream(tls=server)
        extra = f"upstreams: [{{ url: {upstream.url}, tls: {{ ca: {folder.trusted} }} }}]"
        with Scene(policy=WIDE, upstream=upstream, workers=1, extra=extra) as scene, scene.wire() as connection:

            def status():
                connection.send(wire.request("GET", "/page"))
                return connection.answer().status

            equal([status(), status()], [200, 200], "while its authority is trusted")
            equal(upstream.connections, 1, "connections to the upstream: one is kept")
            folder.break_it()
            must_refuse(scene, "trusted.pem")
            equal(status(), 200, "after a reload that was refused")
            folder.trust(folder.new)
            must_reload(scene)
            upstream.clear()
            equal([status(), status()], [502, 502], "after its authority is trusted no more")
            equal(upstream.requests, [], "requests that an upstream got that nobody vouches for")
            folder.trust(folder.old)
            must_reload(scene)
            equal(status(), 200, "when it is trusted again")


@case("client-ca changes with a reload: the old authority's clients come in no more, not by their sessions either", smoke=True)
def client_authority():
    with Folder() as folder:
        certificate, key = folder.old.issue("a.example")
        partner = folder.old.issue("partner", usage="clientAuth")
        newcomer = folder.new.issue("newcomer", usage="clientAuth")
        served = f"{{ certificate: {certificate}, key: {key}, client-ca: {folder.trusted}, client-certificate: required }}"

        def ask(scene, context, session=None):
            """Answers (status, the session to come back with); None: nobody was let in."""
            try:
                with scene.wire(tls=(context, "a.example", session)) as connection:
                    connection.send(wire.request("GET", "/page", headers=[("Connection", "close")]))
                    return connection.answer().status, connection.socket.session
            except (OSError, wire.Closed):
                return None

        for most in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            folder.trust(folder.old)
            with Scene(policy=WIDE, tls=served) as scene:
                old = folder.old.trusting(*partner, most=most)
                new = folder.old.trusting(*newcomer, most=most)  # the server's own authority stays
                status, session = ask(scene, old)
                equal(status, 200, "the partner")
                equal(ask(scene, new), None, "somebody of another authority")
                folder.break_it()
                must_refuse(scene, "trusted.pem")
                equal(ask(scene, old)[0], 200, "the partner, after a reload that was refused")
                folder.trust(folder.new)
                must_reload(scene)
                equal(ask(scene, old), None, "the partner, whose authority is trusted no more")
                if session is not None:
                    equal(ask(scene, old, session), None, "the partner with a session from before")
                equal(ask(scene, new)[0], 200, "the newcomer")


@case("the admin API's client-ca changes with a reload: an operator's certificate of the old authority is none any more")
def operators_authority():
    with Folder() as folder:
        certificate, key = folder.old.issue("admin.example")
        before = folder.old.issue("dpo-before", usage="clientAuth", common_name="dpo")
        after = folder.new.issue("dpo-after", usage="clientAuth", common_name="dpo")
        served = f"tls: {{ certificate: {certificate}, key: {key} }}, client-ca: {folder.trusted}"
        with Scene(policy=WIDE, admin_tls=served) as scene:

            def ask(method, path, pair, credential=None):
                context = folder.old.trusting(*(pair or (None, None)))
                headers = [("Connection", "close")]
                if credential:
                    headers.append(("Authorization", f"Bearer {credential}"))
                try:
                    with wire.Wire(("127.0.0.1", scene.admin_port), 20 * settings.PATIENCE, (context, "admin.example")) as connection:
                        connection.send(wire.request(method, path, headers=headers))
                        return connection.answer().status
                except (OSError, wire.Closed):
                    return None

            equal(ask("GET", "/v1/audit/checkpoint", before), 200, "the DPO's certificate")
            expect(ask("GET", "/v1/audit/checkpoint", after) != 200, "a certificate of another authority")
            folder.trust(folder.new)
            equal(ask("POST", "/v1/policy/reload", None, scene.administrator), 200, "the reload")
            expect(ask("GET", "/v1/audit/checkpoint", before) != 200, "the certificate of before")
            equal(ask("GET", "/v1/audit/checkpoint", after), 200, "the certificate of the new authority")

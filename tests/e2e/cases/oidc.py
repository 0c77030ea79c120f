"""Programs that come with a JWT of another issuer."""

import http.server
import json
import os
import ssl
import tempfile
import threading
import time

from support import gateway, wire
from support.case import case, equal, expect, lacks, shown, wait_for
from support.certificates import Authority
from support.gateway import Scene, one_sentence
from support.issuer import Issuer
from support.policies import WIDE

POLICY = (
    WIDE
    + """\
oidc:
  - { issuer: login, subject: crm-1, role: support }
  - { issuer: login, claims: { groups: readers }, role: dpo }
"""
)


class Publisher:
    """Serves whatever `text` is, over HTTP or TLS."""

    def __init__(self, text, tls=None):
        publisher = self
        self.text, self.status, self.asked = text, 200, 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                publisher.asked += 1
                self.send_response(publisher.status)
                self.send_header("Content-Length", str(len(publisher.text)))
                self.end_headers()
                self.wfile.write(publisher.text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def whoami(scene, credential):
    status, _, body = scene.admin.call("GET", "/v1/whoami", None, credential)
    return (status, json.loads(body).get("operator"))


def entries(scene):
    status, _, body = scene.admin.call("GET", "/v1/audit/entries", None, scene.dpo)
    equal(status, 200, "the audit entries")
    return json.loads(body)["entries"]


@case("a JWT of a configured issuer gives its subject the role of the policy, with RS256, ES256 and EdDSA")
def enters():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        issuer = Issuer(folder, ("RS256", "ES256", "EdDSA"))
        with Scene(policy=POLICY, extra=issuer.configured(folder)) as scene:
            for key in issuer.keys:
                equal(whoami(scene, issuer.credential("crm-1", key)), (200, "oidc:login/crm-1"), key.algorithm)
            received = scene.submit(wire.request("POST", "/contact", wire.form({"name": "Anne"}), wire.FORM))
            token = dict(wire.form_fields(received.body))["name"]
            credential = issuer.credential("crm-1")
            results = scene.admin.reidentify(credential, [token])
            equal(results[0]["status"], "masked", "what support sees")
            reader = issuer.credential("report|7", groups=["x", "readers"])
            results = scene.admin.reidentify(reader, [token])
            equal((results[0]["status"], results[0]["value"]), ("revealed", "Anne"), "what a reader sees")
            reveals = [one for one in entries(scene) if one["event"] == "reveal"]
            equal(
                [(one["operator"], one["role"]) for one in reveals],
                [("oidc:login/crm-1", "support"), ("oidc:login/report|7", "dpo")],
                "the record",
            )
            for name, text in (("log", scene.stderr()), ("metrics", scene.admin.metrics())):
                lacks(text, credential.split(".")[2], name)
            equal(scene.admin.metric("paravent_oidc_keys", issuer="login"), 3.0, "the keys")


@case("a JWT that is wrong in anything is answered as a wrong credential is")
def refused():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        issuer, stranger = Issuer(folder), Issuer(tempfile.mkdtemp(dir=folder))
        with Scene(policy=POLICY, extra=issuer.configured(folder)) as scene:
            wrong = scene.admin.call("GET", "/v1/whoami", None, "pvcred_" + "A" * 43)
            equal(wrong[0], 401, "a wrong credential")
            good = issuer.credential("crm-1")
            head, body, signature = good.split(".")
            now = int(time.time())
            cases = {
                "an unknown subject": issuer.credential("crm-2"),
                "another's key": stranger.credential("crm-1"),
                "another audience": issuer.credential("crm-1", aud="other"),
                "another issuer": issuer.credential("crm-1", iss="https://evil.example"),
                "expired": issuer.credential("crm-1", iat=now - 900, exp=now - 600),
                "from the future": issuer.credential("crm-1", iat=now + 600, exp=now + 900),
                "too long": issuer.credential("crm-1", exp=now + 7200),
                "no end": issuer.credential("crm-1", exp=None),
                "crit": issuer.credential("crm-1", header={"crit": ["exp"]}),
                "its own key": issuer.credential("crm-1", header={"jwk": stranger.keys[0].jwk()}),
                "no name of a key": issuer.credential("crm-1", header={"kid": None}),
                "none": issuer.credential("crm-1", header={"alg": "none"}),
                "an altered signature": f"{head}.{body}.{'A' + signature[1:] if signature[0] != 'A' else 'B' + signature[1:]}",
                "no signature": f"{head}.{body}.",
                "padding": good + "=",
            }
            for name, credential in cases.items():
                answer = scene.admin.call("GET", "/v1/whoami", None, credential)
                equal((answer[0], answer[2]), (wrong[0], wrong[2]), name)
            equal(whoami(scene, good)[0], 200, "the good one")
            for path in ("/v1/operators", "/v1/oidc", "/v1/keys"):
                status, _, _ = scene.admin.call("GET", path, None, issuer.credential("x", groups="readers"))
                equal(status, 403, path)


@case("a revoked subject is shut out at once, and after a restart")
def revoked():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        issuer = Issuer(folder)
        with Scene(policy=POLICY, extra=issuer.configured(folder)) as scene:
            credential = issuer.credential("crm-1")
            equal(whoami(scene, credential)[0], 200, "before")
            admin_file = scene.admin_credential_file()
            options = ("--admin", scene.admin.url, "--credential-file", admin_file)
            done = gateway.run("operators", "revoke", "oidc:login/crm-1", "--reason", "Contract ended", *options)
            equal(done.returncode, 0, f"revoke: {shown(done.err)}")
            equal(whoami(scene, credential)[0], 401, "afterwards")
            scene.restart()
            equal(whoami(scene, credential)[0], 401, "after a restart")
            options = ("--admin", scene.admin.url, "--credential-file", admin_file)
            listed = gateway.run("operators", "oidc", "--json", *options)
            revoked_ones = json.loads(listed.out)["revoked"]
            equal([one["operator"] for one in revoked_ones], ["oidc:login/crm-1"], "the list")
            wrong = gateway.run("operators", "revoke", "oidc:crm-1", "--reason", "x", *options)
            equal(wrong.returncode, 2, "a name without an issuer")
            one_sentence(wrong.err)
            changes = [one for one in entries(scene) if one["event"] == "operator-change"]
            expect(
                any(one.get("object") == "oidc:login/crm-1" and one.get("remark") == "revoke" for one in changes),
                f"not on the record: {shown(changes)}",
            )


@case("keys are fetched over TLS with a known authority, renewed, and kept while the issuer is away")
def fetched():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        issuer = Issuer(folder)
        authority = Authority(folder)
        tls = authority.issue("localhost", alternative="IP:127.0.0.1")
        with Publisher(issuer.key_set(), tls) as publisher:
            keys = f"{{ url: 'https://127.0.0.1:{publisher.port}/keys', ca: {authority.certificate} }}"
            with Scene(policy=POLICY, extra=issuer.lines(keys, ", refresh-seconds: 1")) as scene:
                wait_for(lambda: whoami(scene, issuer.credential("crm-1"))[0] == 200, "the keys were not fetched")
                publisher.status = 500
                old = issuer.credential("crm-1")
                issuer.rotate()
                asked = publisher.asked
                wait_for(lambda: publisher.asked > asked, "nobody asked again")
                equal(whoami(scene, old)[0], 200, "while the issuer is away")
                publisher.text, publisher.status = issuer.key_set(), 200
                wait_for(lambda: whoami(scene, issuer.credential("crm-1"))[0] == 200, "the new keys were not fetched")
                equal(whoami(scene, old)[0], 401, "the old key")
                failed = scene.admin.metric("paravent_oidc_refresh_failures_total", issuer="login")
                expect(failed >= 1, "failures are not counted")
                expect("the keys of the OIDC issuer login" in scene.stderr(), "nothing was said")


@case("an issuer whose certificate nobody vouches for gives no keys, and the gateway serves all the same")
def untrusted():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        issuer = Issuer(folder)
        tls = Authority(folder).issue("localhost", alternative="IP:127.0.0.1")
        with Publisher(issuer.key_set(), tls) as publisher:
            extra = issuer.lines(f"{{ url: 'https://127.0.0.1:{publisher.port}/keys' }}")
            with Scene(policy=POLICY, extra=extra) as scene:
                wait_for(lambda: "is not trusted" in scene.stderr(), "nothing was said")
                equal(whoami(scene, issuer.credential("crm-1"))[0], 401, "a credential")
                equal(publisher.asked, 0, "questions that came through")
        # A certificate of the right authority for somebody else is no better.
        authority = Authority(folder, "known")
        tls = authority.issue("elsewhere.example")
        with Publisher(issuer.key_set(), tls) as publisher:
            keys = f"{{ url: 'https://127.0.0.1:{publisher.port}/keys', ca: {authority.certificate} }}"
            with Scene(policy=POLICY, extra=issuer.lines(keys)) as scene:
                wait_for(lambda: "is not trusted" in scene.stderr(), "nothing was said of the name")
                equal(whoami(scene, issuer.credential("crm-1"))[0], 401, "a credential")
                equal(publisher.asked, 0, "questions that came through")


@case("a key file that is no key set ends the start with one sentence; a policy's unknown issuer warns")
def misconfigured():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        issuer = Issuer(folder)
        extra = issuer.configured(folder)
        with open(os.path.join(folder, "jwks.json"), "w", encoding="utf-8") as file:
            file.write('{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}')
        with Scene(policy=POLICY, extra=extra, start=False) as scene:
            done = gateway.run(*scene.arguments())
            equal(done.returncode, 3, "exit code")
            expect("issuer login" in one_sentence(done.err), f"not said which: {shown(done.err)}")
            lacks(done.err, "c2VjcmV0", "the sentence")
        with Scene(policy=POLICY) as scene:
            expect("names the issuer login" in scene.stderr(), f"no warning: {shown(scene.stderr())}")
            equal(whoami(scene, issuer.credential("crm-1"))[0], 401, "a credential")


@case("which keys an issuer had when is on the record of the installation and of the tenant, and in a subject's dossier")
def keys_on_record():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        issuer = Issuer(folder)
        with Scene(policy=POLICY, extra=issuer.configured(folder, ", refresh-seconds: 1")) as scene:

            def told(log, credential):
                status, _, body = scene.admin.call("GET", f"/v1/audit/entries?count=1000{log}", None, credential)
                equal(status, 200, "the record")
                found = [one for one in json.loads(body)["entries"] if one.get("object", "").startswith("oidc:login key")]
                return [(one["object"], one["remark"].rsplit(" ", 2)[0]) for one in found]

            first = issuer.keys[0].kid
            begun = [("oidc:login keys", "trusted from here on, and no"), (f"oidc:login key {first}", "trusted ES256")]
            equal(told("&log=installation", scene.administrator)[1:], begun[1:], "at the start")
            equal(told("", scene.dpo)[1:], begun[1:], "for the tenant")
            issuer.rotate()
            second = issuer.keys[0].kid
            issuer.publish(folder)
            wait_for(lambda: whoami(scene, issuer.credential("crm-1"))[0] == 200, "the new key is not taken")
            changed = [(f"oidc:login key {second}", "trusted ES256"), (f"oidc:login key {first}", "withdrawn ES256")]
            for log, credential in (("&log=installation", scene.administrator), ("", scene.dpo)):
                equal(told(log, credential)[2:], changed, f"the change, {log}")
            scene.admin.call("GET", "/v1/policy", None, issuer.credential("crm-1"))
            body = {"reason": "r", "operator": "oidc:login/crm-1"}
            status, _, text = scene.admin.call("POST", "/v1/dossier", body, scene.dpo)
            equal(status, 200, "the dossier")
            document = json.loads(text)
            objects = [one.get("object") for one in document["issuer_keys"]]
            for kid in (first, second):
                expect(f"oidc:login key {kid}" in objects, f"{kid} is not in {objects}")
            expect("operator-change" not in document["events"], f"counted as the subject's: {document['events']}")
            # Offline these are looked at as well.
            file, keys = os.path.join(folder, "dossier.json"), scene.public_keys_file()
            for expected in (0, 5):
                with open(file, "w", encoding="utf-8") as out:
                    json.dump(document, out)
                done = gateway.run("audit", "verify-record", file, "--key", keys)
                equal(done.returncode, expected, f"the dossier offline: {done.err}")
                document["issuer_keys"][0]["outcome"] = "failed"
            lacks(text.decode(), issuer.keys[0].jwk()["x"], "the dossier")
            # A restart says all anew, so that what changed meanwhile shows.
            scene.restart()
            equal(told("", scene.dpo)[-1], (f"oidc:login key {second}", "trusted ES256"), "after a restart")


@case("an issuer that is gone from the configuration at a reload or a restart is off the record of whom it served")
def gone():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        issuer = Issuer(folder)
        with Scene(policy=POLICY, extra=issuer.configured(folder)) as scene:

            def told(log, credential):
                status, _, body = scene.admin.call("GET", f"/v1/audit/entries?count=1000{log}", None, credential)
                equal(status, 200, "the record")
                return [one["remark"] for one in json.loads(body)["entries"] if one.get("object") == "oidc:login keys"]

            over = "not configured any more; nobody comes in by them"
            # The policy of the tenant names it no more: its own record says so.
            scene.write_policy(WIDE)
            status, _, text = scene.admin.call("POST", "/v1/policy/reload", b"", scene.administrator)
            equal(status, 200, f"the reload: {text}")
            equal(told("", scene.dpo)[-1], over, "for the tenant")
            expect(over not in told("&log=installation", scene.administrator), "it is configured still")
            # Nor does the gateway file, at the next start: so does the installation's.
            scene.extra = ""
            scene.restart()
            equal(told("&log=installation", scene.administrator)[-1], over, "for the installation")
            equal(told("", scene.dpo).count(over), 1, "said once")
            scene.restart()
            equal(told("&log=installation", scene.administrator).count(over), 1, "said once")


@case("a person of the policy who is no operator is warned of at the start and at a reload")
def unknown_people():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        issuer = Issuer(folder)

        def named(person):
            return POLICY.replace("subject: crm-1, role: support", f"subject: crm-1, role: support, person: {person}")

        with Scene(policy=named("dpp"), extra=issuer.configured(folder)) as scene:
            warning = "oidc[0].person: the tenant has no operator dpp"
            expect(warning in scene.stderr(), f"no warning: {shown(scene.stderr())}")
            equal(whoami(scene, issuer.credential("crm-1"))[0], 200, "all the same")
            for person, expected in (("dpp", True), ("dpo", False), ("ops, operator: false", False)):
                scene.write_policy(named(person))
                status, _, text = scene.admin.call("POST", "/v1/policy/reload", None, scene.administrator)
                equal(status, 200, f"reload: {text}")
                equal(warning in text.decode(), expected, f"the reload's diagnostics: {text}")


@case("an issuer belongs to one tenant: a second policy that names it ends the start, unless it is shared by name")
def one_tenant():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        issuer = Issuer(folder)
        other = os.path.join(folder, "garage.yaml")
        garage = POLICY.replace("tenant: atelier", "tenant: garage").replace("/contact", "/garage")
        for path in ("/survey", "/contract", "/relay"):
            garage = garage.replace(path, "/garage" + path)
        garage = "\n".join(line for line in garage.splitlines() if not line.startswith("elsewhere:")) + "\n"
        for more, code, words in (
            ("", 3, "belongs to one tenant"),
            (", tenants: [atelier]", 3, "keeps to other tenants"),
            (", tenants: [atelier, garage]", 3, "the same subject"),
        ):
            extra = issuer.configured(folder, more)
            with Scene(policy=POLICY, extra=extra, start=False) as scene:
                scene.write_config()
                with open(other, "w", encoding="utf-8") as file:
                    file.write(garage.replace("UPSTREAM", scene.upstream.url))
                with open(scene.config_file, encoding="utf-8") as file:
                    text = file.read()
                expect(scene.policy_file in text, text)
                text = text.replace(scene.policy_file, f"{scene.policy_file}, {other}")
                with open(scene.config_file, "w", encoding="utf-8") as file:
                    file.write(text)
                done = gateway.run("serve", "--config", scene.config_file)
                equal(done.returncode, code, f"exit code with {more!r}: {shown(done.err)}")
                expect(words in done.err.splitlines()[-1], f"{more!r}: {done.err.splitlines()[-1]}")

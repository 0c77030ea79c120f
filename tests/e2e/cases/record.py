"""The record by API and offline: proofs, what a verifier remembers, anchors, exports, dossiers."""

import json
import os
import re
import shutil

from support import gateway, merkle, settings, wire
from support.case import Shared, case, contains, equal, expect, lacks, shown, wait_for
from support.gateway import Scene, one_sentence
from support.policies import WIDE


class Recorded:
    """A running gateway that anchors every second, with some entries."""

    def __init__(self):
        self.scene = Scene(policy=WIDE, start=False)
        self.anchor = os.path.join(self.scene.folder, "anchored")
        self.scene.extra = f"anchor: {{ file: {self.anchor}, seconds: 1 }}"
        self.scene.start()
        received = self.scene.submit(
            wire.request("POST", "/contact", wire.form({"name": "Anne", "email": "anne@example.fr"}), wire.FORM)
        )
        fields = dict(wire.form_fields(received.body))
        self.token, self.email = fields["name"], fields["email"]
        self.scene.admin.reidentify(self.scene.dpo, [self.token] * 20 + [self.email, "pvv1x"])

    def close(self):
        self.scene.close()


SHARED = Shared(Recorded)


def get(scene, path, credential=None, status=200):
    got, _, body = scene.admin.call("GET", path, credential=credential or scene.dpo)
    equal(got, status, f"GET {path}: {shown(body)}")
    return json.loads(body)


def checkpoint(scene):
    status, _, body = scene.admin.call("GET", "/v1/audit/checkpoint", credential=scene.dpo)
    equal(status, 200, "the checkpoint")
    return body.decode()


def tenant_log(data):
    audit = os.path.join(data, "audit")
    return os.path.join(audit, next(log for log in os.listdir(audit) if log != "installation"))


@case("entries page by page, and a script with nothing but SHA-256 verifies each", smoke=True)
def entries_and_proofs():
    scene = SHARED.get().scene
    _, size, root = merkle.checkpoint(checkpoint(scene))
    seen, at = [], 0
    while at is not None:
        page = get(scene, f"/v1/audit/entries?count=7&from={at}")
        seen += page["entries"]
        at = page.get("next")
    equal([entry["index"] for entry in seen], list(range(len(seen))), "indices")
    expect(len(seen) >= size, f"{len(seen)} entries of {size}")
    for index in range(0, size, 3):
        answer = get(scene, f"/v1/audit/proof/inclusion?index={index}&size={size}")
        proof = [merkle.b64(one) for one in answer["proof"]]
        leaf = merkle.b64(seen[index]["leaf"])
        expect(merkle.included(leaf, index, size, proof, root), f"entry {index} is not proved")
        expect(not merkle.included(leaf + b"x", index, size, proof, root), "another leaf is proved")
    lacks(json.dumps(seen), "anne@example.fr", "the entries")
    reveal = next(entry for entry in seen if entry["event"] == "reveal")
    equal((reveal["operator"], reveal["role"], reveal["purpose"]), ("dpo", "dpo", "contact"), "a reveal")


@case("an older checkpoint is continued by the newer one, and the proof says so")
def consistency():
    scene = SHARED.get().scene
    before = merkle.checkpoint(checkpoint(scene))
    scene.admin.reidentify(scene.dpo, ["pvv1x", "pvv1y", "pvv1z"])
    answer = get(scene, f"/v1/audit/proof/consistency?from={before[1]}")
    after = merkle.checkpoint(answer["checkpoint"])
    proof = [merkle.b64(one) for one in answer["proof"]]
    expect(merkle.consistent(before[1], after[1], before[2], after[2], proof), "the proof does not hold")
    expect(not merkle.consistent(before[1] - 1, after[1], before[2], after[2], proof), "it proves too much")


@case("audit prove and audit consistency, checked offline with the public key alone", smoke=True)
def prove_offline():
    scene = SHARED.get().scene
    log = tenant_log(scene.data)
    key = os.path.join(scene.folder, "kept.key")
    shutil.copy(os.path.join(log, "public-key"), key)
    proof = os.path.join(scene.folder, "entry.tlog-proof")
    done = gateway.run("audit", "prove", scene.data, "3", "--out", proof)
    equal((done.returncode, done.err), (0, ""), "prove")
    done = gateway.run("audit", "prove", "--check", proof, "--public-key", key)
    equal(done.returncode, 0, f"check: {done.err}")
    contains(done.out, "entry 3", "what it says")
    contains(done.out, "compared with the checkpoint", "what it says")
    with open(proof, "rb") as file:
        good = file.read()
    for at in range(0, len(good), 41):
        damaged = bytearray(good)
        damaged[at] ^= 1
        with open(proof, "wb") as file:
            file.write(damaged)
        done = gateway.run("audit", "prove", "--check", proof, "--public-key", key)
        equal(done.returncode, 5, f"byte {at} altered")
        one_sentence(done.err)
    done = gateway.run("audit", "prove", scene.data, "99999")
    equal(done.returncode, 2, "an entry that is not there")

    saved = os.path.join(scene.folder, "saved.checkpoint")
    with open(saved, "w", encoding="utf-8") as file:
        file.write(checkpoint(scene))
    scene.admin.reidentify(scene.dpo, ["pvv1x"])
    proof = os.path.join(scene.folder, "continues")
    done = gateway.run("audit", "consistency", scene.data, "--checkpoint", saved, "--public-key", key, "--out", proof)
    equal(done.returncode, 0, f"consistency: {done.err}")
    contains(done.out, "continues the checkpoint of size", "what it says")
    done = gateway.run("audit", "consistency", "--check", proof, "--checkpoint", saved, "--public-key", key)
    equal(done.returncode, 0, f"check: {done.err}")
    with Scene(policy=WIDE) as other:
        other.stop()
        done = gateway.run("audit", "consistency", other.data, "--checkpoint", saved)
        expect(done.returncode in (4, 5), f"another installation: {done.returncode}")
        one_sentence(done.err)


@case("a verifier that remembers sees the whole directory put back, and a fork of it", smoke=True)
def remembers():
    with Scene(policy=WIDE) as scene:
        scene.stop()
        old = os.path.join(scene.folder, "old")
        memory = os.path.join(scene.folder, "memory")
        shutil.copytree(scene.data, old)
        done = gateway.run("audit", "verify", scene.data)
        contains(done.out, "compared with nothing that was kept elsewhere", "without a memory")
        done = gateway.run("audit", "verify", scene.data, "--remember", memory)
        equal(done.returncode, 0, f"first: {done.err}")
        scene.start()
        scene.admin.reidentify(scene.dpo, ["pvv1x"])
        scene.stop()
        done = gateway.run("audit", "verify", scene.data, "--remember", memory)
        equal(done.returncode, 0, f"second: {done.err}")
        contains(done.out, f"the checkpoint remembered in {memory} of size", "what it compared with")
        lacks(done.out, "compared with nothing", "with a memory")
        new = os.path.join(scene.folder, "new")
        os.rename(scene.data, new)
        shutil.copytree(old, scene.data)
        equal(gateway.run("audit", "verify", scene.data).returncode, 0, "consistent in itself")
        done = gateway.run("audit", "verify", scene.data, "--remember", memory)
        equal(done.returncode, 5, "put back")
        contains(one_sentence(done.err), "is older than", "put back")
        # Continued from there: another history of the same length and more.
        scene.start()
        for _ in range(9):
            scene.admin.reidentify(scene.dpo, ["pvv1other"])
        scene.stop()
        scene.start()
        scene.stop()
        done = gateway.run("audit", "verify", scene.data, "--remember", memory)
        equal(done.returncode, 5, "forked")
        contains(one_sentence(done.err), "does not continue", "forked")
        done = gateway.run("audit", "verify", new, "--remember", memory)
        equal(done.returncode, 0, f"the real one: {done.err}")


@case("a tenant's log that is deleted or rolled back alone is missed by anybody with the folder", smoke=True)
def tenant_log_deleted():
    with Scene(policy=WIDE) as scene:
        scene.stop()
        old = os.path.join(scene.folder, "old")
        shutil.copytree(tenant_log(scene.data), old)
        scene.start()
        scene.admin.reidentify(scene.dpo, ["pvv1x"])
        scene.stop()
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"whole: {done.err}")
        contains(done.out, "that the installation's log records", "what it compared with")
        log = tenant_log(scene.data)
        shutil.rmtree(log)
        shutil.copytree(old, log)
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 5, "rolled back alone")
        contains(one_sentence(done.err), "is older than what the installation's log records", "says what")
        shutil.rmtree(log)
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 5, "deleted")
        contains(one_sentence(done.err), "is missing: the installation's log records it", "says what")
        code, begin = None, len(scene.stderr())
        try:
            scene.start()
        except AssertionError as failure:
            code = str(failure)
        expect(code and "ended with 4" in code, f"it starts without the log: {scene.stderr()[begin:]}")


@case("the anchor: checkpoints lie elsewhere within seconds, and show a roll-back", smoke=True)
def anchored():
    recorded = SHARED.get()
    scene = recorded.scene
    wait_for(lambda: os.path.exists(recorded.anchor), "no anchor file", 15)
    now = checkpoint(scene)

    def there():
        with open(recorded.anchor, encoding="utf-8") as file:
            return now in file.read()

    wait_for(there, "the checkpoint is not anchored", 15)
    done = gateway.run("audit", "verify", scene.data, "--checkpoint", recorded.anchor)
    equal(done.returncode, 0, f"verify: {done.err}")
    equal(done.out.count("the checkpoint in " + recorded.anchor), 2, "both logs compared")
    equal(scene.admin.metric("paravent_anchor_failures_total"), 0.0, "failures")


@case("an anchor that cannot be written is said once, counted, and nothing waits for it")
def anchor_fails():
    with Scene(policy=WIDE, start=False) as scene:
        scene.extra = f"anchor: {{ file: {scene.folder}/nowhere/deep/anchor, seconds: 1 }}"
        scene.start()
        wait_for(lambda: scene.admin.metric("paravent_anchor_failures_total") >= 2, "not counted", 15)
        equal(scene.stderr().count("cannot be written. It is tried again"), 1, "said once")
        scene.admin.reidentify(scene.dpo, ["pvv1x"])


@case("gateway files with a wrong anchor, retention or alarm are refused")
def wrong_config():
    with Scene(policy=WIDE, start=False) as scene:
        for extra in (
            "anchor: {}",
            "anchor: { url: ftp://x }",
            "anchor: { file: a, seconds: 0 }",
            "anchor: { file: a, witnesses: [{ url: 'http://127.0.0.1:1', key: nonsense }] }",
            "audit: { retention: P10D }",
            "audit: { retention: P11Y }",
            "audit: { keep: P1Y }",
            "alarm: {}",
            "alarm: { program: x }",
        ):
            scene.extra = extra
            scene.write_config()
            done = gateway.run("check", scene.config_file)
            equal(done.returncode, 3, extra)


@case("audit export: JSON lines, and syslog of RFC 5424, going on where the last one ended", smoke=True)
def export():
    scene = SHARED.get().scene
    arguments = ["audit", "export", "--admin", scene.admin.url, "--credential-file", scene.credential_file()]
    state = os.path.join(scene.folder, "export.state")
    done = gateway.run(*arguments, "--state", state)
    equal((done.returncode, done.err), (0, ""), "export")
    entries = [json.loads(line) for line in done.out.splitlines()]
    equal([entry["index"] for entry in entries], list(range(len(entries))), "all of them")
    scene.admin.reidentify(scene.dpo, ["pvv1x"])
    done = gateway.run(*arguments, "--state", state, "--format", "syslog")
    lines = done.out.splitlines()
    equal(len(lines), 1, f"only what is new: {lines}")
    pattern = (
        r"<108>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ paravent - refusal "
        r'\[paravent@32473 index="\d+" outcome="refused" .*operator="dpo".*\] refusal refused'
    )
    expect(re.fullmatch(pattern, lines[0]), f"not a line of RFC 5424: {lines[0]}")
    out = os.path.join(scene.folder, "export.log")
    done = gateway.run(*arguments, "--out", out)
    equal(done.returncode, 0, "to a file")
    with open(out, encoding="utf-8") as file:
        equal(len(file.read().splitlines()), len(entries) + 1, "lines in the file")
    done = gateway.run(*arguments, "--installation")
    expect(done.returncode in (2, 7), f"the dpo has no right to the installation's log: {done.returncode}")


@case("a dossier of what an operator touched: JSON whose proofs hold, and a page to print", smoke=True)
def dossier():
    recorded = SHARED.get()
    scene = recorded.scene
    arguments = ["dossier", "--admin", scene.admin.url, "--credential-file", scene.credential_file()]
    done = gateway.run(*arguments, "--operator", "dpo", "--reason", "a stolen laptop")
    equal((done.returncode, done.err), (0, ""), "dossier")
    document = json.loads(done.out)
    _, size, root = merkle.checkpoint(document["checkpoint"])
    expect(document["entries"], "nothing was touched")
    for entry in document["entries"]:
        equal(entry["operator"], "dpo", "whose entries")
        proof = [merkle.b64(one) for one in entry["proof"]]
        expect(merkle.included(merkle.b64(entry["leaf"]), entry["index"], size, proof, root), f"entry {entry}")
    file = os.path.join(scene.folder, "dossier.json")
    keys = scene.public_keys_file()
    for expected in (0, 5):
        with open(file, "w", encoding="utf-8") as out:
            json.dump(document, out)
        equal(gateway.run("audit", "verify-record", file, "--key", keys).returncode, expected, "the dossier offline")
        document["entries"][0]["outcome"] = "failed"
    document = json.loads(done.out)
    equal(len(document["tokens"]), 2, "tokens")
    equal(sorted(document["kinds"]), ["email", "name"], "kinds")
    equal(list(document["purposes"]), ["contact"], "purposes")
    lacks(done.out, "anne@example.fr", "the dossier")
    page = os.path.join(scene.folder, "dossier.html")
    done = gateway.run(*arguments, "--reason", "to print", "--from", "2001-01-01", "--html", "--out", page)
    equal((done.returncode, done.out), (0, ""), f"page: {done.err}")
    with open(page, encoding="utf-8") as file:
        contains(file.read(), "<h1>Dossier of what was touched</h1>", "the page")
    done = gateway.run(*arguments, "--reason", "x", "--from", "yesterday")
    equal(done.returncode, 2, "a wrong day")
    one_sentence(done.err)


@case("10 000 tokens in one request: as lines, each answered, part by part")
def ten_thousand():
    recorded = SHARED.get()
    scene = recorded.scene
    body = {"purpose": "contact", "reason": "ten thousand", "tokens": [recorded.token] * 9999 + ["pvv1x"]}
    status, headers, answer = scene.admin.call(
        "POST", "/v1/reidentify", body, scene.dpo, headers=[("Accept", "application/x-ndjson")]
    )
    equal((status, headers["Content-Type"]), (200, "application/x-ndjson"), "the answer")
    equal(headers["Transfer-Encoding"], "chunked", "how it comes")
    lines = [json.loads(line) for line in answer.decode().splitlines()]
    equal(lines[-1], {"complete": True, "results": 10000}, "the last line")
    equal(len(lines), 10001, "lines")
    equal({line["value"] for line in lines[:9999]}, {"Anne"}, "values")
    equal(lines[9999]["status"], "malformed", "the one that is none")
    body["tokens"].append("pvv1x")
    status, _, _ = scene.admin.call("POST", "/v1/reidentify", body, scene.dpo)
    equal(status, 400, "one too many")
    body["purpose"], body["tokens"] = "sealed-purpose", [recorded.token]
    status, headers, _ = scene.admin.call(
        "POST", "/v1/reidentify", body, scene.dpo, headers=[("Accept", "application/x-ndjson")]
    )
    equal((status, headers["Content-Type"]), (403, "application/problem+json"), "barred")


@case("an Idempotency-Key: a change that is sent twice happens once")
def idempotent():
    scene = SHARED.get().scene
    key = [("Idempotency-Key", "3f2b-once")]

    def create(name, headers=key, credential=None):
        status, headers, body = scene.admin.call(
            "POST", "/v1/tenants", {"name": name, "reason": "r"}, credential or scene.administrator, headers
        )
        return status, headers["Idempotency-Replayed"], body

    first = create("second-tenant")
    equal(first[:2], (200, None), "the first")
    equal(create("second-tenant"), (200, "true", first[2]), "the second")
    equal(create("another-tenant")[0], 422, "the same key for another request")
    equal(create("second-tenant", headers=())[0], 409, "without a key it is refused")
    equal(create("second-tenant", [("Idempotency-Key", "bad key")])[0], 400, "a malformed key")
    equal(create("second-tenant", credential=scene.dpo)[0], 403, "somebody else's key is another key")
    listed = get(scene, "/v1/tenants", scene.administrator)["tenants"]
    equal(len(listed), 2, "tenants")


@case("the admin listener on a Unix socket, for every client command", smoke=True)
def unix_socket():
    import subprocess

    with Scene(policy=WIDE, start=False) as scene:
        socket = os.path.join(scene.folder, "admin.sock")
        scene.write_config()
        with open(scene.config_file, encoding="utf-8") as file:
            text = file.read()
        with open(scene.config_file, "w", encoding="utf-8") as file:
            file.write(text.replace("admin: { address: 127.0.0.1:0 }", f"admin: {{ address: 'unix:{socket}' }}"))
        errors = open(os.path.join(scene.folder, "stderr"), "ab")
        process = subprocess.Popen(
            [settings.BINARY, "serve", "--config", scene.config_file], stdout=errors, stderr=errors, cwd=scene.folder
        )
        try:
            wait_for(lambda: f"admin on unix:{socket}" in scene.stderr(), "no socket", 15)
            equal(os.stat(socket).st_mode & 0o777, 0o600, "its mode")
            scene._credentials.update(scene.read_first_credentials())
            done = gateway.run(
                "reidentify", "--purpose", "contact", "--reason", "r", "--admin", f"unix:{socket}",
                "--credential-file", scene.credential_file(), "--json", "pvv1x",
            )  # fmt: skip
            contains(done.out, "malformed", f"the answer ({done.err})")
            done = gateway.run(
                "audit", "export", "--admin", f"unix:{socket}", "--credential-file", scene.credential_file()
            )
            equal(done.returncode, 0, f"export: {done.err}")
        finally:
            process.terminate()
            equal(process.wait(timeout=30 * settings.PATIENCE), 0, "the exit code")
            errors.close()
        expect(not os.path.exists(socket), "the socket is left behind")
        done = gateway.run(
            "reidentify", "--purpose", "contact", "--reason", "r", "--admin", f"unix:{socket}",
            "--credential-file", scene.credential_file(), "pvv1x",
        )  # fmt: skip
        equal(done.returncode, 6, "nobody there")

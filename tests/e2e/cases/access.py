"""Who may ask and for how much: operators and their credentials, logins, budgets, protect, grants."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import struct
import time

from support import gateway, settings, wire
from support.case import case, contains, equal, expect, lacks
from support.gateway import Scene, one_sentence
from support.policies import WIDE

ROLES = "roles: { dpo: { reveal: clear }, support: { reveal: masked } }"


def policy(support="", extra=""):
    roles = ROLES.replace("{ reveal: masked }", "{ reveal: masked" + (", " + support if support else "") + " }")
    return WIDE.replace(ROLES, roles) + extra


def totp(secret, steps=0):
    """RFC 6238 over the secret in base32, now or so many steps later. A code of an earlier step is made early in this
    one: at its end the gateway would see it two steps late, which is too late."""
    while steps < 0 and time.time() % 30 > 15:
        time.sleep(0.5)
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    mac = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


class Access(Scene):
    """A scene whose administrator makes operators."""

    def __init__(self, support="", extra=""):
        super().__init__(policy=policy(support, extra))
        self.files = {"admin": self.keep("admin", self.administrator), "dpo": self.keep("dpo", self.dpo)}

    def command(self, *arguments, who="admin", code=0, stdin=None):
        credential = ["--credential-file", self.files[who]] if who else []
        done = gateway.run(*arguments, "--admin", self.admin.url, *credential, stdin=stdin)
        equal(done.returncode, code, f"{arguments} ({done.err})")
        return done

    def call(self, method, path, body=None, who="admin", status=200):
        with open(self.files[who], encoding="utf-8") as file:
            credential = file.read().strip()
        got, _, answer = self.admin.call(method, path, body, credential)
        equal(got, status, f"{method} {path} ({answer})")
        return json.loads(answer) if answer[:1] in (b"{", b"[") else answer

    def add(self, name, role="support", *more):
        made = ("operators", "add", name, "--role", role, "--reason", "a case", "--json", *more)
        answer = json.loads(self.command(*made).out)
        if "grant" in answer:  # four eyes are in force
            grant = answer["grant"]["id"]
            self.command("grants", "approve", grant, "--reason", "known", who="dpo")
            answer = json.loads(self.command(*made, "--grant", grant).out)
        self.files[name] = self.keep(name, answer["credential"])

    def tokens(self, count):
        made = []
        for i in range(count):
            body = wire.form({"name": f"Anne {i}", "email": f"anne{i}@example.fr"})
            sent = self.submit(wire.request("POST", "/contact", body, wire.FORM))
            made.append(dict(wire.form_fields(sent.body))["email"])
        return made

    def reveal_as(self, who, tokens, status=200, **more):
        body = {"purpose": "contact", "reason": "a case", "tokens": tokens, **more}
        return self.call("POST", "/v1/reidentify", body, who, status)


@case("an admin makes a program, which works until it is revoked, on its open connection too", smoke=True)
def program():
    with Access() as scene:
        scene.add("crm-sync", "support", "--expires", "P30D", "--path", "reidentify")
        token = scene.tokens(1)[0]
        equal(scene.reveal_as("crm-sync", [token])["results"][0]["status"], "masked", "what support sees")
        scene.call("GET", "/v1/audit/checkpoint", who="crm-sync", status=403)
        listed = scene.command("operators", "list").out
        contains(listed, "crm-sync  support  program  active", "the list")
        contains(listed, "expires", "the list")
        with open(scene.files["crm-sync"], encoding="utf-8") as file:
            credential = file.read().strip()
        with open(os.path.join(scene.data, "operators", "operators"), encoding="utf-8") as file:
            lacks(file.read(), credential, "what is kept")
        connection = http.client.HTTPConnection("127.0.0.1", scene.admin_port, timeout=20 * settings.PATIENCE)
        try:
            def ask():
                connection.request("GET", "/v1/whoami", headers={"Authorization": "Bearer " + credential})
                answer = connection.getresponse()
                answer.read()
                return answer.status

            equal(ask(), 200, "before")
            socket = connection.sock
            scene.command("operators", "revoke", "crm-sync", "--reason", "left")
            equal(ask(), 401, "on the open connection")
            expect(connection.sock is socket, "it was another connection")
        finally:
            connection.close()
        scene.restart()
        scene.reveal_as("crm-sync", [token], status=401)
        one_sentence(scene.command("operators", "revoke", "admin", "--reason", "tidy", code=7).err)
        one_sentence(scene.command("operators", "add", "Ann", "--role", "dpo", "--reason", "r", code=2).err)


@case("several credentials of one operator, each ends alone")
def several():
    with Access() as scene:
        scene.add("crm-sync")
        made = json.loads(
            scene.command("operators", "credential", "crm-sync", "--reason", "rotation", "--json").out
        )
        scene.files["second"] = scene.keep("second", made["credential"])
        scene.call("GET", "/v1/whoami", who="second")
        scene.command("operators", "revoke", "crm-sync", "--credential", made["id"], "--reason", "lost")
        scene.call("GET", "/v1/whoami", who="second", status=401)
        scene.call("GET", "/v1/whoami", who="crm-sync")


@case("a person enrols with an invitation, logs in with pass-phrase and code, each code once, across a kill")
def person():
    phrase = "Correct-Horse-7"
    with Access() as scene:
        scene.command("operators", "add", "anne", "--role", "dpo", "--type", "person", "--reason", "new")
        invitation = json.loads(
            scene.command("operators", "invite", "anne", "--reason", "new", "--json").out
        )["code"]
        status, _, body = scene.admin.call("POST", "/v1/enrol", {"invitation": invitation})
        equal(status, 200, f"the secret: {body}")
        secret = json.loads(body)["secret"]
        weak = f"{invitation}\nshort\n{totp(secret)}\n".encode()
        contains(scene.command("enrol", who=None, stdin=weak, code=2).err, "12 characters", "what is asked for")
        for phrase_and_code in ("", "\n\n", f"{phrase}\n\n", f"\n{totp(secret, -1)}\n"):
            empty = scene.command("enrol", who=None, stdin=f"{invitation}\n{phrase_and_code}".encode(), code=2)
            contains(empty.err, "nothing was kept", "an empty one")
        scene.command("enrol", who=None, stdin=f"{invitation}\n{phrase}\n{totp(secret, -1)}\n".encode())
        again = f"{invitation}\n{phrase}\n{totp(secret)}\n".encode()
        scene.command("enrol", who=None, stdin=again, code=7)
        code = totp(secret)
        session = os.path.join(scene.folder, "anne.session")
        scene.command("login", "anne", "--out", session, who=None, stdin=f"{phrase}\n{code}\n".encode())
        scene.files["anne"] = session
        equal(scene.call("GET", "/v1/whoami", who="anne")["operator"], "anne", "who it is")
        equal(scene.reveal_as("anne", scene.tokens(1))["results"][0]["status"], "revealed", "what the DPO sees")
        scene.kill()
        scene.start()
        scene.call("GET", "/v1/whoami", who="anne", status=401)  # sessions end with the process
        replayed = {"operator": "anne", "passphrase": phrase, "code": code}
        equal(scene.admin.call("POST", "/v1/login", replayed)[0], 401, "a code that was used")
        for _ in range(6):
            wrong = {"operator": "anne", "passphrase": "wrong", "code": "000000"}
            status = scene.admin.call("POST", "/v1/login", wrong)[0]
            unknown = scene.admin.call("POST", "/v1/login", {**wrong, "operator": "nobody-9"})[0]
        equal((status, unknown), (429, 429), "after so many failures, whether there is somebody or not")
        scene.kill()
        scene.start()
        good = {"operator": "anne", "passphrase": phrase, "code": totp(secret, 1)}
        equal(scene.admin.call("POST", "/v1/login", good)[0], 429, "locked across a kill")
        nobody = {**good, "operator": "nobody-9"}
        equal(scene.admin.call("POST", "/v1/login", nobody)[0], 429, "a name that nobody has is locked alike")
        with open(os.path.join(scene.data, "operators", "attempts"), encoding="utf-8") as file:
            lacks(file.read(), "nobody-9", "what is kept of a name that may be a pass-phrase")
        scene.command("operators", "unlock", "anne", "--reason", "rang")
        equal(scene.admin.call("POST", "/v1/login", good)[0], 200, "after the unlocking")
        with open(os.path.join(scene.data, "operators", "operators"), encoding="utf-8") as file:
            kept = file.read()
        for clear in (phrase, secret, invitation):
            lacks(kept, clear, "what is kept")


@case("a budget holds across a kill, raises an alarm and cools off", smoke=True)
def budget():
    with Access("budget: { subjects-per-day: 4, cooling-off-minutes: 60 }") as scene:
        scene.add("desk")
        tokens = scene.tokens(6)
        scene.reveal_as("desk", tokens[:3])
        scene.kill()
        scene.start()
        scene.reveal_as("desk", tokens[:4])
        answer = scene.reveal_as("desk", tokens[:5], status=429)
        equal(answer["reason"], "budget", "the reason")
        equal(
            scene.admin.metric("paravent_budget_alarms_total", role="support", limit="subjects-per-day"),
            1,
            "the alarm",
        )
        scene.kill()
        scene.start()
        scene.reveal_as("desk", tokens[:1], status=429)  # cooling off
        equal(len(scene.reveal_as("dpo", tokens)["results"]), 6, "the DPO, who has no budget")
        scene.stop()
        equal(gateway.run("audit", "verify", scene.data).returncode, 0, "audit verify")


@case("protect gives what the form would have given, to a role that may", smoke=True)
def protect():
    with Access("protect: true") as scene:
        scene.add("desk")
        body = wire.form({"name": "Anne", "email": "anne@example.fr"})
        sent = dict(wire.form_fields(scene.submit(wire.request("POST", "/contact", body, wire.FORM)).body))
        scene.upstream.clear()
        done = scene.command(
            "protect", "--route", "contact-form", "form.email=Anne@Example.fr ", "form.name=Anne",
            "form.zip=69001", "form.note=x", "--json", who="desk",
        )
        made = {one["field"]: one for one in json.loads(done.out)["results"]}
        equal(made["form.email"]["value"], sent["email"], "the surrogate of the address")
        equal(made["form.name"]["value"], sent["name"], "the surrogate of the name")
        equal(made["form.zip"]["value"], "69", "what is truncated")
        expect("value" not in made["form.note"], "what is dropped")
        equal(len(scene.upstream.requests), 0, "requests at the upstream")
        for carrier in ({"json.person.email": "anne@example.fr"}, {"query.mail": "anne@example.fr"},
                        {"header.X-Customer": "Anne"}, {"multipart.email": "anne@example.fr"}):
            scene.call("POST", "/v1/protect", {"route": "contact-form", "values": carrier}, "desk")
        refused = scene.call(
            "POST", "/v1/protect", {"route": "contact-form", "values": {"form.other": "x"}}, "desk", 422
        )
        contains(refused["title"], "unlisted-field", "the refusal")
        scene.call("POST", "/v1/protect", {"route": "nowhere", "values": {"form.email": "x"}}, "desk", 404)
        scene.call("POST", "/v1/protect", {"route": "contact-form", "values": {"form.email": "x"}}, "dpo", 403)
        many = {f"form.f{i}": "x" for i in range(100)}
        scene.call("POST", "/v1/protect", {"route": "contact-form", "values": many}, "desk", 429)


@case("a purpose under four eyes: asked, approved by another, used up, printed with its proofs", smoke=True)
def four_eyes():
    with Access(extra="four-eyes: { approve: [dpo], purposes: [contact] }\n") as scene:
        scene.add("desk")
        tokens = scene.tokens(2)
        equal(scene.reveal_as("dpo", tokens, status=403)["reason"], "four-eyes", "alone")
        asked = json.loads(
            scene.command(
                "grants", "ask", "--purpose", "contact", "--basis", "contract", "--reason", "A complaint",
                "--json", *tokens, who="desk",
            ).out
        )
        identifier = asked["id"]
        scene.command("grants", "approve", identifier, "--reason", "mine", who="desk", code=7)
        contains(scene.command("grants", "list", who="dpo").out, identifier, "what the approver sees")
        scene.command("grants", "approve", identifier, "--reason", "agreed", who="dpo")
        scene.kill()
        scene.start()
        done = scene.command(
            "reidentify", "--purpose", "contact", "--reason", "A complaint", "--grant", identifier, tokens[0],
            who="desk",
        )
        contains(done.out, "***", "the masked value")
        scene.reveal_as("desk", [tokens[1]], grant=identifier)
        scene.reveal_as("desk", [tokens[1]], status=403, grant=identifier)  # the quota is used
        page = os.path.join(scene.folder, "record.html")
        scene.command("grants", "record", identifier, "--html", "--out", page, who="dpo")
        with open(page, encoding="utf-8") as file:
            text = file.read()
        contains(text, "A complaint", "the record")
        lacks(text, "anne0@example.fr", "the record")
        record = json.loads(scene.command("grants", "record", identifier, who="desk").out)
        equal([event["event"] for event in record["events"]],
              ["grant-change", "grant-change", "reveal", "reveal"], "what is on record")
        scene.stop()
        checkpoint = os.path.join(scene.folder, "checkpoint")
        with open(checkpoint, "w", encoding="utf-8") as file:
            file.write(record["checkpoint"])
        log = next(entry for entry in os.listdir(os.path.join(scene.data, "audit")) if entry != "installation")
        verified = gateway.run(
            "audit", "verify", os.path.join(scene.data, "audit", log), "--checkpoint", checkpoint
        )
        equal(verified.returncode, 0, f"the record's checkpoint against the log: {verified.err}")
        key = os.path.join(scene.data, "audit", log, "public-key")
        record_is_verified_offline(scene, record, key, "events")


def record_is_verified_offline(scene, record, key, entries):
    """By the public key alone; and any change is found, in each entry and in the checkpoint."""
    file = os.path.join(scene.folder, "record.json")

    def verify(document):
        with open(file, "w", encoding="utf-8") as out:
            json.dump(document, out)
        return gateway.run("audit", "verify-record", file, "--public-key", key)

    done = verify(record)
    equal((done.returncode, done.err), (0, ""), "the record as it is")
    contains(done.out, f"verified: {len(record[entries])} entries", "what it says")
    for at, entry in enumerate(record[entries]):
        changes = {"time": "2001-01-01T00:00:00Z", "event": "unseal", "outcome": "failed", "index": entry["index"] + 1}
        changes["leaf"] = record[entries][at - 1]["leaf"]
        changes["proof"] = entry["proof"][:-1] + ["A" * 43 + "="]
        for name, value in changes.items():
            altered = json.loads(json.dumps(record))
            altered[entries][at][name] = value
            equal(verify(altered).returncode, 5, f"{name} of entry {at} altered")
    foreign = json.loads(json.dumps(record))
    # The root's first letter: always there, and always another one than it was.
    lines = record["checkpoint"].split("\n")
    lines[2] = ("B" if lines[2][0] == "A" else "A") + lines[2][1:]
    foreign["checkpoint"] = "\n".join(lines)
    expect(verify(foreign).returncode == 5, "an altered checkpoint")
    for broken in ({}, {"checkpoint": record["checkpoint"]}, {"checkpoint": record["checkpoint"], entries: [{}]}, []):
        done = verify(broken)
        equal(done.returncode, 5, f"{broken}")
        gateway.one_sentence(done.err)


@case("hostile bodies and credentials at every new door are refused", smoke=True)
def hostile():
    with Access("protect: true", "four-eyes: { approve: [dpo], purposes: [contact] }\n") as scene:
        bombs = (b"[" * 100_000, b'{"a":' * 100_000, b'{"reason":"' + b"x" * 100_000 + b'"}', b"\xff\xfe", b"")
        for path in ("/v1/login", "/v1/enrol"):
            for bomb in bombs:
                status = scene.admin.call("POST", path, bomb)[0]
                expect(status in (400, 401), f"{path} {bomb[:20]}: {status}")
        for path, who in (
            ("/v1/operators", scene.administrator),
            ("/v1/operators/dpo/credentials", scene.administrator),
            ("/v1/operators/dpo/revoke", scene.administrator),
            ("/v1/grants", scene.dpo),
            ("/v1/protect", scene.dpo),
            ("/v1/reidentify", scene.dpo),
        ):
            for bomb in bombs:
                equal(scene.admin.call("POST", path, bomb, who)[0], 400, f"{path} {bomb[:20]}")
            for forged in ("pvcred_" + "A" * 43, "pvsess_" + "A" * 43, "x", "A" * 300):
                equal(scene.admin.call("POST", path, b"{}", forged)[0], 401, f"{path} {forged[:10]}")
        equal(scene.admin.call("GET", "/v1/whoami", credential=scene.dpo)[0], 200, "the DPO all the same")


@case("where four eyes are in force, operators and wider policies need a second person, across a restart", smoke=True)
def changes():
    eyes = "four-eyes: { approve: [dpo], purposes: [contact] }\n"
    with Access(extra=eyes) as scene:
        opened = scene.command(
            "operators", "add", "desk", "--role", "support", "--reason", "new desk", "--json"
        )
        grant = json.loads(opened.out)["grant"]["id"]
        again = ("operators", "add", "desk", "--role", "support", "--reason", "new desk", "--grant", grant, "--json")
        scene.command(*again, code=7)
        scene.command("grants", "approve", grant, "--reason", "known", who="dpo")
        scene.files["desk"] = scene.keep("desk", json.loads(scene.command(*again).out)["credential"])
        scene.call("GET", "/v1/whoami", who="desk")

        wide = policy(extra=eyes).replace("support: { reveal: masked }", "support: { reveal: clear }")
        scene.write_policy(wide)
        refused = scene.call("POST", "/v1/policy/reload", who="admin", status=422)
        contains(refused["title"], "second person", "the refusal")
        waiting = [one for one in scene.call("GET", "/v1/grants", who="dpo")["grants"] if one["state"] == "open"]
        equal(len(waiting), 1, f"what waits for the DPO: {waiting}")
        # Stopping and starting is no way around.
        scene.stop()
        done = gateway.run(*scene.arguments())
        equal(done.returncode, 3, f"a start with the wider policy: {done.err}")
        contains(one_sentence(done.err), "second person", "the refusal at the start")
        scene.write_policy(policy(extra=eyes))
        scene.start()
        scene.command("grants", "approve", waiting[0]["id"], "--reason", "agreed", who="dpo")
        scene.write_policy(wide)
        scene.call("POST", "/v1/policy/reload", who="admin")
        entries = scene.call("GET", "/v1/audit/entries?count=1000", who="dpo")["entries"]
        load = [one for one in entries if one["event"] == "policy-load"][-1]
        equal((load["operator"], load["outcome"], load["grant"]), ("admin", "done", waiting[0]["id"]), f"the load: {load}")
        contains(load["remark"], "asked for by admin, approved by dpo (dpo)", "who is named")
        question = {"credential": load["credential"], "reason": "a stolen credential"}
        touched = scene.call("POST", "/v1/dossier", question, "dpo")
        done = [one["event"] for one in touched["entries"] if one.get("remark", "") == load["remark"]]
        equal(done, ["policy-load"], "what the credential's dossier has")
        # Four eyes themselves cannot be taken away alone.
        scene.write_policy(policy())
        refused = scene.call("POST", "/v1/policy/reload", who="admin", status=422)
        contains(refused["title"], "limit alone purpose contact", "the refusal")
        scene.write_policy(wide)

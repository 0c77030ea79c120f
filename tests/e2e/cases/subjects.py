"""Data subjects: located, exported, restricted, objected, told of events, and erased for good."""

import json
import os
import shutil

from support import gateway, wire
from support.case import Shared, case, equal, expect, lacks
from support.gateway import Scene

POLICY = """\
policy: 1
tenant: atelier
roles:
  dpo: { reveal: clear, subjects: true }
  support: { reveal: clear }
recipients:
  crm: { name: Atelier CRM, country: FR }
  counter: { name: Audience measurement, country: FR, analytics: true }
purposes:
  contact:
    basis: contract
    retention: { from: last-contact, active: P3Y, archive: P5Y }
    reveal: [dpo]
  billing:
    basis: contract
    retention: { from: contract-end, active: P10Y }
    reveal: [dpo]
  prospecting:
    basis: legitimate-interest
    retention: { from: collection, active: P3Y }
    reveal: [dpo]
  audience:
    basis: consent
    retention: { from: collection, active: P13M }
    reveal: [dpo]
routes:
  - name: contact-form
    match: { method: POST, path: /contact }
    upstream: UPSTREAM
    recipient: crm
    purpose: contact
    subject: form.email
    on-error: protect-raw
    fields:
      form.name:    { kind: name, do: tokenise }
      form.email:   { kind: email, do: tokenise, shape: email }
      form.phone:   { kind: phone, do: tokenise, shape: digits }
      form.message: { kind: text, do: encrypt }
    unlisted: encrypt
  - name: order
    match: { method: POST, path: /order }
    upstream: UPSTREAM
    recipient: crm
    purpose: billing
    subject: form.email
    fields:
      form.name:  { kind: name, do: tokenise }
      form.email: { kind: email, do: tokenise, shape: email }
  - name: brochure
    match: { method: POST, path: /brochure }
    upstream: UPSTREAM
    recipient: crm
    purpose: prospecting
    subject: form.email
    fields:
      form.email: { kind: email, do: tokenise, shape: email, erasable: subject }
      form.note:  { kind: text, do: encrypt, erasable: subject }
  - name: visit
    match: { method: POST, path: /visit }
    upstream: UPSTREAM
    recipient: counter
    purpose: audience
    subject: form.email
    on-objection: drop
    fields:
      form.email: { kind: email, do: pseudonymise, because: no other identity is there }
      form.page:  { do: keep }
"""

SHARED = Shared(lambda: Scene(policy=POLICY))


def post(scene, path, fields):
    received = scene.submit(wire.request("POST", path, wire.form(fields), wire.FORM))
    return dict(wire.form_fields(received.body))


def answer(scene, path, fields):
    return scene.exchange(wire.request("POST", path, wire.form(fields), wire.FORM))


def subjects(scene, door, expected=200, credential=None, **body):
    body.setdefault("reason", "an end-to-end case")
    status, _, text = scene.admin.call("POST", "/v1/subjects/" + door, body, credential or scene.dpo)
    equal(status, expected, f"/v1/subjects/{door}: {text[:300]}")
    return json.loads(text)


def person(value, kind="email"):
    return {"identifier": {"kind": kind, "value": value}}


def statuses(scene, tokens, purpose="contact"):
    return [result["status"] for result in scene.admin.reidentify(scene.dpo, tokens, purpose)]


@case("one person's values stay the same, two people of one name share nothing", smoke=True)
def equality():
    scene = SHARED.get()
    first = post(scene, "/contact", {"name": "Martin", "email": "a.martin@example.fr", "message": "Bonjour"})
    again = post(scene, "/contact", {"name": "Martin", "email": " A.Martin@example.fr ", "message": "Bonjour"})
    other = post(scene, "/contact", {"name": "Martin", "email": "b.martin@example.fr", "message": "Bonjour"})
    equal((first["name"], first["email"]), (again["name"], again["email"]), "tokens of one person")
    expect(first["message"] != again["message"], "encrypted values differ")
    expect(first["name"] != other["name"], "two people of one name have two tokens")
    values = scene.reveal([first["name"], first["email"], first["message"], other["name"]])
    equal(values, ["Martin", "a.martin@example.fr", "Bonjour", "Martin"], "values")


@case("without anybody's address each request is somebody new, and all of it opens")
def nobody():
    scene = SHARED.get()
    for email in (None, "see below"):
        fields = {"name": "Personne", "extra": "42"}
        if email is not None:
            fields["email"] = email
        first, second = post(scene, "/contact", fields), post(scene, "/contact", fields)
        expect(first["name"] != second["name"], "a fresh subject each")
        equal(scene.reveal([first["name"], first["extra"]]), ["Personne", "42"], "values")
        found = subjects(scene, "locate", tokens=[first["name"]])["subjects"]
        equal([one["identified"] for one in found], [False], "of one request")


@case("located by address, by token, by list and by number, without a value", smoke=True)
def locate():
    scene = SHARED.get()
    fields = {"name": "Loc Ate", "email": "locate@example.fr", "phone": "0612345678", "message": "Où ?"}
    sent = post(scene, "/contact", fields)
    post(scene, "/order", {"name": "Loc Ate", "email": "locate@example.fr"})
    by_address = subjects(scene, "locate", **person(" Locate@Example.fr"))
    equal(len(by_address["subjects"]), 1, "one person")
    found = by_address["subjects"][0]
    equal(sorted(p["purpose"] for p in found["purposes"]), ["billing", "contact"], "purposes")
    equal(found["purposes"][0]["recipients"], ["crm"], "recipients")
    equal(len(found["tokens"]), 3, "name, address and number")
    for token in (sent["email"], sent["name"], sent["message"], sent["phone"]):
        equal(subjects(scene, "locate", tokens=[token])["subjects"], [found], f"by {token[:12]}")
    several = subjects(scene, "locate", tokens=[sent["name"], "pvv1nonsense", sent["message"]])
    equal((len(several["subjects"]), several["unknown_tokens"]), (1, 1), "a list")
    for value in fields.values():
        lacks(json.dumps(by_address, ensure_ascii=False), value, "the answer")
    equal(subjects(scene, "locate", **person("nobody@example.fr"))["subjects"], [], "nobody")


@case("only a role with subjects: true; every call is on the record", smoke=True)
def rights():
    with Scene(policy=POLICY.replace("clear, subjects: true", "clear")) as scene:
        post(scene, "/contact", {"name": "X", "email": "x@example.fr"})
        for door in ("locate", "export", "restrict", "object", "erase"):
            subjects(scene, door, 403, **person("x@example.fr"))
            subjects(scene, door, 403, scene.administrator, **person("x@example.fr"))
    scene = SHARED.get()
    subjects(scene, "locate", 400, reason=" ", **person("x@example.fr"))
    subjects(scene, "locate", 400)
    subjects(scene, "locate", 400, tokens=["pvv1x"], **person("x@example.fr"))
    status, _, _ = scene.admin.call("POST", "/v1/subjects/locate", {"reason": "x", **person("x@example.fr")})
    equal(status, 401, "without a credential")


@case("export gives all values of one person that the role may see")
def export():
    scene = SHARED.get()
    sent = post(scene, "/contact", {"name": "Ex Port", "email": "export@example.fr", "message": "Mes données ?"})
    post(scene, "/order", {"name": "Ex Port", "email": "export@example.fr"})
    whole = subjects(scene, "export", tokens=[sent["message"]])
    values = sorted((v["purpose"], v["kind"], v["value"]) for v in whole["values"])
    wanted = [
        ("billing", "email", "export@example.fr"), ("billing", "name", "Ex Port"),
        ("contact", "email", "export@example.fr"), ("contact", "name", "Ex Port"),
        ("contact", "text", "Mes données ?"),
    ]
    equal(values, wanted, "values")
    expect(all(v["recipients"] == ["crm"] for v in whole["values"]), "recipients")
    other = post(scene, "/contact", {"name": "Other", "email": "other@example.fr"})
    subjects(scene, "export", 400, tokens=[sent["name"], other["name"]])


@case("restricted: kept, and refused until it is lifted", smoke=True)
def restrict():
    scene = SHARED.get()
    sent = post(scene, "/contact", {"name": "Re Strict", "email": "restrict@example.fr", "message": "Non"})
    subjects(scene, "restrict", restricted=True, **person("restrict@example.fr"))
    equal(statuses(scene, [sent["name"], sent["message"]]), ["refused", "refused"], "restricted")
    again = post(scene, "/contact", {"name": "Re Strict", "email": "restrict@example.fr"})
    equal(again["name"], sent["name"], "still taken, and kept")
    equal(subjects(scene, "export", **person("restrict@example.fr"))["values"], [], "exported while restricted")
    subjects(scene, "restrict", restricted=False, **person("restrict@example.fr"))
    equal(statuses(scene, [sent["name"], sent["message"]]), ["revealed", "revealed"], "lifted")


@case("objected: legitimate interest and analytics stop, a contract goes on")
def objection():
    scene = SHARED.get()
    post(scene, "/contact", {"name": "Ob Ject", "email": "object@example.fr"})
    subjects(scene, "object", **person("object@example.fr"))
    before = len(scene.upstream.requests)
    refused = answer(scene, "/brochure", {"email": "object@example.fr", "note": "?"})
    equal((refused.status, json.loads(refused.body)["reason"]), (422, "objected"), "brochure")
    dropped = answer(scene, "/visit", {"email": "object@example.fr", "page": "/"})
    equal((dropped.status, dropped.body), (204, b""), "visit")
    equal(len(scene.upstream.requests), before, "nothing went on")
    post(scene, "/contact", {"name": "Ob Ject", "email": "object@example.fr"})
    post(scene, "/visit", {"email": "somebody@example.fr", "page": "/"})
    subjects(scene, "object", objected=False, **person("object@example.fr"))
    post(scene, "/brochure", {"email": "object@example.fr", "note": "!"})


@case("events are kept to the day and can be taken back")
def events():
    scene = SHARED.get()
    post(scene, "/order", {"name": "E Vent", "email": "event@example.fr"})
    event = {"purpose": "billing", "event": "contract-end"}
    done = subjects(scene, "events", day="2026-01-31", **event, **person("event@example.fr"))
    equal(done["subjects"][0]["purposes"][0]["event"], "2026-01-31", "the event")
    done = subjects(scene, "events", day=None, **event, **person("event@example.fr"))
    expect("event" not in done["subjects"][0]["purposes"][0], "taken back")
    subjects(scene, "events", 400, day="2999-01-01", **event, **person("event@example.fr"))
    subjects(scene, "events", 400, day="31/01/2026", **event, **person("event@example.fr"))
    event["purpose"] = "contact"
    subjects(scene, "events", 404, day="2026-01-31", **event, **person("event@example.fr"))


@case("the command does the same, the identifier on standard input")
def command():
    scene = SHARED.get()
    sent = post(scene, "/contact", {"name": "Com Mand", "email": "command@example.fr"})
    common = ["--admin", scene.admin.url, "--credential-file", scene.credential_file(), "--reason", "a request"]
    located = gateway.run("subjects", "locate", *common, "--kind", "email", stdin=b"command@example.fr\n")
    equal(located.returncode, 0, located.err)
    expect(sent["name"] in located.out, f"the token is listed: {located.out}")
    lacks(located.out, "command@example.fr", "the listing")
    exported = gateway.run("subjects", "export", *common, "--json", sent["name"])
    equal(sorted(v["value"] for v in json.loads(exported.out)["values"]), ["Com Mand", "command@example.fr"], "export")
    certificate = os.path.join(scene.folder, "erased.certificate")
    erased = gateway.run("subjects", "erase", *common, "--certificate", certificate, sent["name"])
    equal(erased.returncode, 0, erased.err)
    logs = os.path.join(scene.data, "audit")
    tenant = [folder for folder in os.listdir(logs) if folder != "installation"][0]
    public_key = os.path.join(logs, tenant, "public-key")
    verified = gateway.run("keys", "verify-certificate", certificate, "--public-key", public_key, "--json")
    equal(verified.returncode, 0, verified.err)
    told = json.loads(verified.out)
    equal((told["class"], told["state"], told["tenant-id"]), ("subject", "destroyed", tenant), "the certificate")
    expect(int(told["keys"]) >= 1 and int(told["tokens"]) >= 1, f"what went: {told}")
    expect(told["no-backup-after"] > told["destroyed"], f"backups: {told}")
    with open(certificate, encoding="utf-8") as file:
        text = file.read()
    lacks(text, "example.fr", "the certificate")
    altered = os.path.join(scene.folder, "altered.certificate")
    with open(altered, "w", encoding="utf-8") as file:
        file.write(text.replace("tokens ", "tokens 1"))
    equal(gateway.run("keys", "verify-certificate", altered, "--public-key", public_key).returncode, 5, "altered")
    again = gateway.run("subjects", "erase", *common, sent["name"])
    equal(again.returncode, 7, "nobody is erased twice")
    equal(statuses(scene, [sent["name"]]), ["unavailable"], "gone")


@case("erased for good: no copy of the backend or of the old data brings the person back", smoke=True)
def shredding():
    with Scene(policy=POLICY) as scene:
        def send(name):
            return post(scene, "/contact", {"name": name, "email": f"{name}@example.fr", "message": f"I am {name}"})

        anne, paul = send("anne"), send("paul")
        backend = [dict(anne), dict(paul)]
        equal(scene.stop(), 0, "the gateway stops")
        old = os.path.join(scene.folder, "t0")
        shutil.copytree(scene.data, old)
        scene.start()
        done = subjects(scene, "erase", **person("anne@example.fr"))
        equal((done["erased"], done["tokens_gone"]), (1, 2), "erased")
        back = send("anne")
        expect(back["name"] != anne["name"], "whoever writes again is somebody new")
        unknown = statuses(scene, [anne["name"], anne["email"], anne["message"]])
        equal(unknown, ["unavailable"] * 3, "as unknown ones")
        equal(subjects(scene, "locate", tokens=[anne["message"]])["subjects"], [], "nobody knows her")
        equal(scene.stop(), 0, "the gateway stops")

        # The backend of t0 and the whole old store beside the keys of t1.
        shutil.rmtree(os.path.join(scene.data, "store"))
        shutil.copytree(os.path.join(old, "store"), os.path.join(scene.data, "store"))
        scene.start()
        equal(statuses(scene, [backend[0][k] for k in ("name", "email", "message")]), ["unavailable"] * 3, "gone")
        equal(scene.reveal([backend[1]["name"], backend[1]["message"]]), ["paul", "I am paul"], "everybody else")
        equal(scene.stop(), 0, "the gateway stops")

        # Everything of t0, the operators' and the logs' too, beside the keys of t1.
        shutil.copytree(os.path.join(scene.data, "keys"), os.path.join(scene.folder, "t1-keys"))
        shutil.rmtree(scene.data)
        shutil.copytree(old, scene.data)
        shutil.rmtree(os.path.join(scene.data, "keys"))
        shutil.copytree(os.path.join(scene.folder, "t1-keys"), os.path.join(scene.data, "keys"))
        scene.start()
        equal(statuses(scene, [backend[0][k] for k in ("name", "email", "message")]), ["unavailable"] * 3, "gone")
        equal(scene.reveal([backend[1]["name"], backend[1]["message"]]), ["paul", "I am paul"], "everybody else")
        equal(scene.stop(), 0, "the gateway stops")

        # Keys of t0 beside the shred secret of t1: one sentence, nothing opens.
        keys = os.path.join(scene.data, "keys")
        for names in (["subjects"], ["subjects", "keystore"]):
            for name in names:
                shutil.copy2(os.path.join(old, "keys", name), os.path.join(keys, name))
            scene.write_config()
            failed = gateway.run("serve", "--config", scene.config_file)
            equal(failed.returncode, 4, f"old {names}: {failed.err}")
            gateway.one_sentence(failed.err)


@case("whose data is due is listed by reference; a hold of one person forbids the erasure")
def due_and_held():
    scene = SHARED.get()
    post(scene, "/contact", {"name": "Du E", "email": "due@example.fr"})
    (found,) = subjects(scene, "locate", **person("due@example.fr"))["subjects"]

    def due(within):
        status, _, text = scene.admin.call("GET", "/v1/keys?within=" + within, credential=scene.administrator)
        equal(status, 200, f"/v1/keys: {text[:200]}")
        return [one for one in json.loads(text)["subjects"] if one["reference"] == found["reference"]]

    equal([one["purpose"] for one in due("P9Y")], ["contact"], "within nine years")
    equal(due("P7Y"), [], "three years, and five in the archive")
    hold = {"tenant": "atelier", "purpose": "contact", "subject": found["reference"], "until": "2099-01-01"}
    hold["reason"] = "a lawsuit"
    status, _, text = scene.admin.call("POST", "/v1/holds", hold, scene.administrator)
    equal(status, 200, f"/v1/holds: {text[:200]}")
    expect("held_until" in due("P9Y")[0], "held")
    subjects(scene, "erase", 409, **person("due@example.fr"))
    path = "/v1/holds/" + json.loads(text)["id"] + "/release"
    status, _, text = scene.admin.call("POST", path, {"reason": "settled"}, scene.administrator)
    equal(status, 200, f"release: {text[:200]}")
    equal(subjects(scene, "erase", **person("due@example.fr"))["erased"], 1, "erased")

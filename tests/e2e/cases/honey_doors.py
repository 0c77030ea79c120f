"""Honey tokens at every door: rights of people, cases, dossiers, figures, backups. They answer like real ones, and ring."""

import json
import os
import shutil
import tempfile

from cases.backup import backup, restore
from support import gateway, wire
from support.case import Shared, case, equal, expect, lacks
from support.gateway import Scene

POLICY = """\
policy: 1
tenant: atelier
roles:
  dpo: { reveal: clear, subjects: true }
  support: { reveal: masked }
recipients: { crm: { name: Atelier CRM, country: FR } }
purposes:
  contact:
    basis: contract
    retention: { from: last-contact, active: P3Y }
    reveal: [dpo, support]
  billing:
    basis: contract
    retention: { from: collection, active: P10Y }
    reveal: [dpo]
routes:
  - name: contact-form
    match: { method: POST, path: /contact }
    upstream: UPSTREAM
    recipient: crm
    purpose: contact
    subject: form.email
    fields:
      form.email: { kind: email, do: tokenise, shape: email }
      form.phone: { kind: phone, do: tokenise, shape: digits }
"""
DECOY = "bernard.decoy@example.fr"
NOTE = "row 7 of the customers' list"


def plant(scene, value=DECOY, field="form.email"):
    body = {"route": "contact-form", "field": field, "value": value, "note": NOTE, "reason": "watch"}
    status, _, answer = scene.admin.call("POST", "/v1/honey-tokens", body, scene.administrator)
    equal(status, 200, f"plant: {answer}")
    return json.loads(answer)["token"]


def real_one(scene, email="anne@example.fr"):
    received = scene.submit(wire.request("POST", "/contact", wire.form({"email": email}), wire.FORM))
    return dict(wire.form_fields(received.body))["email"]


def alarms(scene):
    return scene.admin.metric("paravent_honey_alarms_total")


def right(scene, door, credential=None, **body):
    body.setdefault("reason", "a request")
    status, _, text = scene.admin.call("POST", "/v1/subjects/" + door, body, credential or scene.dpo)
    return status, json.loads(text)


def shape(value):
    """An answer without what differs between any two people."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    if isinstance(value, str):
        return "text"
    return value


def readable(value):
    """An answer without the hashes, signatures and sealed bytes in it, in whose letters any short word stands by chance."""
    if isinstance(value, dict):
        return {name: readable(one) for name, one in value.items() if name not in ("leaf", "proof", "checkpoint", "sha256")}
    return [readable(one) for one in value] if isinstance(value, list) else value


SHARED = Shared(lambda: Scene(policy=POLICY))


@case("people's rights answer about a decoy as about anybody, by token and by address, and ring once each", smoke=True)
def rights():
    with Scene(policy=POLICY) as scene:
        real, honey = real_one(scene), plant(scene)
        doors = [
            ("locate", {}),
            ("export", {}),
            ("restrict", {}),
            ("restrict", {"restricted": False}),
            ("object", {}),
            ("object", {"objected": False}),
            ("events", {"purpose": "contact", "event": "last-contact", "day": "2026-01-01"}),
        ]
        for door, more in doors:
            for named in ("tokens", "identifier"):
                asked = [
                    {"tokens": [one]} if named == "tokens" else {"identifier": {"kind": "email", "value": address}}
                    for one, address in ((real, "anne@example.fr"), (honey, DECOY))
                ]
                before = alarms(scene)
                answer = right(scene, door, **asked[0], **more)
                equal((answer[0], alarms(scene) - before), (200, 0), f"{door} of a real one by {named}")
                decoy = right(scene, door, **asked[1], **more)
                equal((decoy[0], alarms(scene) - before), (200, 1), f"{door} of a decoy by {named}")
                equal(shape(decoy[1]), shape(answer[1]), f"{door} by {named}")
                before = alarms(scene)
                equal(right(scene, door, scene.administrator, **asked[1], **more)[0], 403, "the role admin")
                equal(alarms(scene) - before, 1, f"{door} by {named} of whoever may not")
        # Erased, it is as gone as anybody, and still heard.
        erased = [right(scene, "erase", tokens=[one]) for one in (real, honey)]
        equal(shape(erased[1][1]), shape(erased[0][1]), "erase")
        before = alarms(scene)
        both = scene.admin.reidentify(scene.dpo, [real, honey])
        equal([one["status"] for one in both], ["unavailable"] * 2, "afterwards")
        equal(alarms(scene) - before, 1, "the alarm of an erased one")
        listed = json.loads(scene.admin.call("GET", "/v1/honey-tokens", None, scene.administrator)[2])
        equal([one["token"] for one in listed["honey_tokens"]], [honey], "it stays on the list")


@case("a decoy in a shape rings for every purpose, allowed or not, and where the role may not ask at all")
def shapes():
    scene = SHARED.get()
    honey = plant(scene, "+33612345678", "form.phone")
    expect(honey.isdigit(), f"in its shape: {honey}")
    for credential, purpose, status in ((scene.dpo, "contact", 200), (scene.dpo, "billing", 200), (scene.administrator, "contact", 403)):
        before = alarms(scene)
        body = {"purpose": purpose, "reason": "r", "tokens": [honey]}
        equal(scene.admin.call("POST", "/v1/reidentify", body, credential)[0], status, purpose)
        equal(alarms(scene) - before, 1, f"alarms of {purpose}, answered {status}")
    before = alarms(scene)
    equal(right(scene, "locate", tokens=[honey])[0], 200, "locate")
    equal(alarms(scene) - before, 1, "alarms of locate")


@case("figures, lists, the record and a dossier tell a decoy from a real one to nobody who reveals")
def figures():
    with Scene(policy=POLICY) as scene:
        before = json.loads(scene.admin.call("GET", "/v1/store", None, scene.administrator)[2])
        real = real_one(scene)
        between = json.loads(scene.admin.call("GET", "/v1/store", None, scene.administrator)[2])
        honey = plant(scene)
        after = json.loads(scene.admin.call("GET", "/v1/store", None, scene.administrator)[2])
        grown = {
            name: (between[name] - before[name], after[name] - between[name])
            for name in before
            if isinstance(before[name], int) and ("row" in name or "token" in name or "minted" in name)
        }
        expect("minted" in grown and grown["minted"][0] > 0, f"nothing grew: {grown}")
        for name, (by_real, by_honey) in grown.items():
            equal(by_honey, by_real, f"{name} of the store")
        scene.admin.reidentify(scene.dpo, [real, honey], reason="a look")
        body = {"reason": "a check", "operator": "dpo"}
        status, _, text = scene.admin.call("POST", "/v1/dossier", body, scene.dpo)
        equal(status, 200, "the dossier")
        dossier = json.loads(text)
        equal(len(dossier["tokens"]), 2, "tokens in the dossier")
        first, second = ({name: one[name] for name in one if name != "sha256"} for one in dossier["tokens"])
        equal(first, second, "what the dossier says of each")
        reveals = [one for one in dossier["entries"] if one["event"] == "reveal"]
        equal(len(reveals), 2, "reveals")
        # The installation's log grows by the alarm: how much is nobody's who reveals.
        for path in ("checkpoint?log=installation", "proof/inclusion?log=installation&index=1000000000"):
            equal(scene.admin.call("GET", "/v1/audit/" + path, None, scene.dpo)[0], 403, path)
        equal(shape([one | {"index": 0, "proof": []} for one in reveals[:1]]), shape([one | {"index": 0, "proof": []} for one in reveals[1:2]]), "entries")
        entries = json.loads(scene.admin.call("GET", "/v1/audit/entries?count=1000", None, scene.dpo)[2])
        for document in (dossier, entries):
            lacks(json.dumps(document), honey, "what whoever reveals can read")
            told = json.dumps(readable(document))
            expect("reveal" in told, f"nothing is left to look at: {told[:300]}")
            for word in ("honey", "alarm", "decoy"):
                lacks(told, word, "what whoever reveals can read")
        for path in ("/v1/honey-tokens", "/v1/store"):
            equal(scene.admin.call("GET", path, None, scene.dpo)[0], 403, path)


@case("a decoy goes with backup and restore, answers on the other machine, and rings there")
def restored():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-backup-") as safe:
        data_backup, key_backup = os.path.join(safe, "data.pvbackup"), os.path.join(safe, "keys.pvbackup")
        with Scene(policy=POLICY) as scene:
            real, honey = real_one(scene), plant(scene)
            equal(backup(scene, data_backup).returncode, 0, "backup")
            equal(backup(scene, key_backup, "--keys").returncode, 0, "backup --keys")
            root_key = shutil.copy(scene.root_key, safe)
            credentials = dict(scene._credentials)
            expect(credentials, "credentials were read")
        for path in (data_backup, key_backup):
            with open(path, "rb") as file:
                text = file.read()
            lacks(text, honey.split("@")[0].encode(), path)
            lacks(text, NOTE.encode(), path)
        with Scene(policy=POLICY, start=False) as second:
            done = restore(data_backup, key_backup, second.folder, root_key)
            equal((done.returncode, done.err), (0, ""), "restore")
            shutil.copy(root_key, second.root_key)
            second.start()
            second._credentials = credentials
            before = alarms(second)
            answers = second.admin.reidentify(second.dpo, [real, honey])
            equal([one["value"] for one in answers], ["anne@example.fr", DECOY], "values")
            equal(alarms(second) - before, 1, "the alarm")
            command = gateway.run(
                "honey", "list", "--admin", second.admin.url, "--credential-file", second.admin_credential_file(), "--json"
            )
            equal([one["token"] for one in json.loads(command.out)["honey_tokens"]], [honey], "the list")

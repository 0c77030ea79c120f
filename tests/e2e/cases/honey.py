"""Honey tokens: they answer like real ones, and raise an alarm at once."""

import json
import os

from support import gateway, wire
from support.case import Shared, case, contains, equal, expect, lacks, wait_for
from support.gateway import Scene
from support.policies import WIDE


class Hive:
    """A gateway with an alarm command, a visitor's token and a honey token."""

    def __init__(self):
        self.scene = Scene(policy=WIDE, start=False)
        scene = self.scene
        self.rung = os.path.join(scene.folder, "rung")
        command = os.path.join(scene.folder, "alarm.sh")
        with open(command, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\necho "$PARAVENT_ALARM $PARAVENT_OPERATOR $PARAVENT_NOTE" >> {self.rung}\n')
        os.chmod(command, 0o755)
        scene.extra = f"alarm: {{ command: {command} }}"
        scene.start()
        received = scene.submit(
            wire.request("POST", "/contact", wire.form({"email": "anne@example.fr"}), wire.FORM)
        )
        self.real = dict(wire.form_fields(received.body))["email"]
        self.admin_file = scene.admin_credential_file()
        done = self.honey(
            "plant", "--route", "contact-form", "--field", "form.email", "--note", "CRM row 7", "--reason", "watch",
            stdin=b"bernard.decoy@example.fr\n",
        )  # fmt: skip
        equal((done.returncode, done.err), (0, ""), "plant")
        self.token = done.out.strip()

    def honey(self, action, *arguments, stdin=None):
        return gateway.run(
            "honey", action, "--admin", self.scene.admin.url, "--credential-file", self.admin_file, *arguments,
            stdin=stdin,
        )  # fmt: skip

    def alarms(self):
        return self.scene.admin.metric("paravent_honey_alarms_total")

    def close(self):
        self.scene.close()


SHARED = Shared(Hive)


@case("a honey token looks and answers like a real one, and the alarm is raised at once", smoke=True)
def answers_and_rings():
    hive = SHARED.get()
    scene = hive.scene
    equal(len(hive.token), len(hive.real), f"its form: {hive.token} and {hive.real}")
    before = hive.alarms()
    size = int(scene.admin.call("GET", "/v1/audit/checkpoint", credential=scene.dpo)[2].split(b"\n")[1])
    real, honey = scene.admin.reidentify(scene.dpo, [hive.real, hive.token])
    equal(honey["value"], "bernard.decoy@example.fr", "the decoy")
    for result in (real, honey):
        del result["token"], result["value"]
    equal(honey, real, "everything but token and value")
    after = int(scene.admin.call("GET", "/v1/audit/checkpoint", credential=scene.dpo)[2].split(b"\n")[1])
    equal(after - size, 2, "entries in the asker's log: the two reveals, and no alarm")
    equal(hive.alarms() - before, 1, "alarms counted")
    wait_for(lambda: "ALARM: a honey token was asked for by operator dpo" in scene.stderr(), "nothing on standard error", 15)
    wait_for(lambda: os.path.exists(hive.rung) and os.path.getsize(hive.rung) > 0, "the command was not run", 15)
    with open(hive.rung, encoding="utf-8") as file:
        contains(file.read(), "honey-token dpo CRM row 7", "what the command was told")
    lacks(scene.stderr(), hive.token, "standard error")
    lacks(scene.stderr(), "bernard", "standard error")


@case("the alarm is in the installation's log, which nobody who reveals can read")
def on_record():
    hive = SHARED.get()
    scene = hive.scene
    scene.admin.reidentify(scene.dpo, [hive.token])

    def entries():
        status, _, body = scene.admin.call(
            "GET", "/v1/audit/entries?log=installation&count=1000", credential=scene.administrator
        )
        equal(status, 200, "the installation's log")
        return json.loads(body)["entries"]

    wait_for(lambda: any(entry["event"] == "alarm" for entry in entries()), "no alarm on record", 15)
    alarm = [entry for entry in entries() if entry["event"] == "alarm"][-1]
    equal((alarm["operator"], alarm["purpose"]), ("dpo", "contact"), "whose")
    contains(alarm["remark"], "CRM row 7", "which")
    for path in ("/v1/audit/entries?log=installation", "/v1/honey-tokens"):
        status, _, _ = scene.admin.call("GET", path, credential=scene.dpo)
        equal(status, 403, path)


@case("a real token raises nothing; a honey token that is asked for in vain does")
def only_honey():
    hive = SHARED.get()
    scene = hive.scene
    before = hive.alarms()
    scene.admin.reidentify(scene.dpo, [hive.real, "pvv1x"])
    equal(hive.alarms(), before, "alarms of a real one")
    scene.admin.call("POST", "/v1/reidentify", {"purpose": "survey", "reason": "r", "tokens": [hive.token]}, scene.dpo)
    equal(hive.alarms(), before + 1, "asked for another purpose")


@case("honey tokens survive a restart; removed ones still answer and ring no more")
def list_and_remove():
    hive = SHARED.get()
    scene = hive.scene
    scene.restart()
    listed = json.loads(hive.honey("list", "--json").out)["honey_tokens"]
    equal([one["token"] for one in listed], [hive.token], "listed")
    contains(hive.honey("list").out, "CRM row 7", "for people")
    before = hive.alarms()
    scene.admin.reidentify(scene.dpo, [hive.token])
    equal(hive.alarms(), before + 1, "after a restart")
    stored = b""
    for path, _, names in os.walk(os.path.join(scene.data, "operators")):
        for name in names:
            with open(os.path.join(path, name), "rb") as file:
                stored += file.read()
    lacks(stored, hive.token.split("@")[0].encode(), "what is stored beside the rows")
    done = hive.honey("remove", hive.token, "--reason", "over")
    equal((done.returncode, done.err), (0, ""), "remove")
    equal(scene.admin.reidentify(scene.dpo, [hive.token])[0]["status"], "revealed", "it still answers")
    equal(hive.alarms(), before + 1, "and rings no more")


@case("what cannot be planted is said in one sentence")
def not_planted():
    hive = SHARED.get()
    for field, value in (
        ("form.phone", b"+33612345678\n"),  # derived: no row of the store
        ("form.nothing", b"x\n"),
        ("form.email", b"no address\n"),
    ):
        done = hive.honey("plant", "--route", "contact-form", "--field", field, "--reason", "r", stdin=value)
        equal((done.returncode, done.out), (2, ""), f"{field}: {done.err}")
        gateway.one_sentence(done.err)


@case("a value that somebody has is not planted: no token of theirs, and an entry in the tenant's log")
def nobodys():
    hive = SHARED.get()
    scene = hive.scene

    def size():
        return int(scene.admin.call("GET", "/v1/audit/checkpoint", credential=scene.dpo)[2].split(b"\n")[1])

    before = size()
    where = ("--route", "contact-form", "--field", "form.email", "--reason", "r")
    done = hive.honey("plant", *where, stdin=b"anne@example.fr\n")
    equal((done.returncode, done.out), (7, ""), f"a visitor's: {done.err}")
    gateway.one_sentence(done.err)
    lacks(done.err, hive.real, "the answer")
    equal(size() - before, 1, "entries in the tenant's log")

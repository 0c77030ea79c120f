"""What is destroyed stays gone, whatever copies of the data are put back."""

import json
import os
import shutil

from cases.keys import REASON, Keys, outcome
from support import gateway, wire
from support.case import case, contains, equal, expect
from support.gateway import one_sentence


class OldData:
    """The data directory of a stopped scene as it was at a moment, for whoever tries to bring something back."""

    def __init__(self, scene):
        self.scene = scene
        self.keys = os.path.join(scene.data, "keys")
        self.copy = os.path.join(scene.folder, "old")
        shutil.copytree(scene.data, self.copy)

    def put_back(self, *names):
        for name in names:
            shutil.rmtree(os.path.join(self.scene.data, name))
            shutil.copytree(os.path.join(self.copy, name), os.path.join(self.scene.data, name))

    def expect_old_keys_refused(self):
        """The old key store beside the new shred secret; what was there is there again afterwards."""
        now = os.path.join(self.scene.folder, "now")
        shutil.copytree(self.keys, now)
        shutil.copy2(os.path.join(self.copy, "keys", "keystore"), os.path.join(self.keys, "keystore"))
        self.scene.write_config()
        done = gateway.run("serve", "--config", self.scene.config_file)
        equal(done.returncode, 4, "the old key store beside the new shred secret")
        contains(one_sentence(done.err), "not of the same moment", "the sentence")
        shutil.rmtree(self.keys)
        shutil.move(now, self.keys)


def certified(scene, key):
    """The certificate's text, and what it says to somebody who has the tenant's public key."""
    path = os.path.join(scene.folder, "certificate")
    scene.command("keys", "certificate", key, "--out", path)
    logs = os.path.join(scene.data, "audit")
    folder = next(f for f in os.listdir(logs) if f != "installation")
    check = ("keys", "verify-certificate", path, "--public-key", os.path.join(logs, folder, "public-key"))
    done = gateway.run(*check, "--json")
    equal(done.returncode, 0, f"verify-certificate ({done.err})")
    return path, check, json.loads(done.out)


@case("what is destroyed stays gone with the old data put back, and the certificate says so")
def destroy():
    with Keys() as scene:
        token = scene.token()
        key = scene.epoch_key()["id"]
        scene.stop()
        old = OldData(scene)
        scene.start()
        scene.operate(key, "destroy", 400)
        one_sentence(
            scene.command("keys", "destroy", key, "--reason", REASON, "--confirm", "yes", code=2).err
        )
        equal(scene.reveal([token]), ["Anne"], "nothing was destroyed yet")
        scene.command("keys", "destroy", key, "--reason", REASON, "--confirm", "destroy")
        equal(outcome(scene, token), "unavailable", "a token under a destroyed key")
        # Somebody new is served at once, under a new key.
        equal(scene.reveal([scene.token("Bert")]), ["Bert"], "a new value")

        tenant = scene.keys(id=key)[0]["tenant"]
        certificate, check, shown = certified(scene, key)
        equal((shown["key"], shown["tenant"], shown["state"]), (key, tenant, "destroyed"), "what it says")
        expect(shown["no-backup-after"] > shown["destroyed"], f"{shown}")
        with open(certificate, encoding="utf-8") as file:
            text = file.read()
        for altered in (text.replace("destroyed 2", "destroyed 1"), text.replace(key, key[::-1]), text[:-9]):
            with open(certificate, "w", encoding="utf-8") as file:
                file.write(altered)
            done = gateway.run(*check)
            equal(done.returncode, 5, "an altered certificate")
            one_sentence(done.err)

        scene.stop()
        old.put_back("store", "operators")
        scene.start()
        equal(outcome(scene, token), "unavailable", "the old store beside the new keys")
        scene.stop()
        old.expect_old_keys_refused()
        scene.start()


@case("what a destroyed tenant left with the application opens never again, whatever of before is put back")
def tenant():
    with Keys() as scene:
        form = {"name": "Anne", "email": "anne@example.fr", "phone": "+33 6 12 34 56 78", "message": "Call me"}
        sent = scene.submit(wire.request("POST", "/contact", wire.form(form), wire.FORM))
        backend = [value for name, value in wire.form_fields(sent.body) if name in form]
        equal(scene.reveal(backend), ["Anne", "anne@example.fr", "+33612345678", "Call me"], "what the application has")
        scene.stop()
        old = OldData(scene)
        scene.start()
        name = scene.epoch_key()["tenant"]
        key = next(k["id"] for k in scene.keys(**{"class": "tenant", "tenant": name}))
        scene.command("tenants", "destroy", name, "--confirm", name, "--reason", REASON)
        _, _, shown = certified(scene, key)
        equal((shown["class"], shown["tenant"], shown["state"]), ("tenant", name, "destroyed"), "the certificate")
        expect(int(shown["keys"]) > 5, f"everything below it went too: {shown}")

        def expect_gone(when):
            results = scene.admin.reidentify(scene.dpo, backend)
            equal({one["status"] for one in results}, {"unavailable"}, when)

        expect_gone("at once")
        scene.stop()
        old.put_back("store", "operators")
        scene.start()
        expect_gone("the old store beside the new keys")
        scene.stop()
        old.expect_old_keys_refused()
        # Somebody who has the store, the audit logs and everything else of before, but not the keys.
        old.put_back(*(name for name in os.listdir(old.copy) if name != "keys" and os.path.isdir(os.path.join(old.copy, name))))
        scene.start()
        expect_gone("everything of before beside the new keys")

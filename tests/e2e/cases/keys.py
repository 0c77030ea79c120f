"""Keys through the admin API and the command line: listed, disabled, rotated, destroyed, held, certified."""

import json
import os
import time

from support import gateway, settings, wire
from support.case import case, contains, equal, expect
from support.gateway import Scene, one_sentence
from support.policies import WIDE

REASON = "an end-to-end case"


class Keys(Scene):
    """A scene whose administrator works on keys."""

    def __init__(self):
        super().__init__(policy=WIDE)
        self.admin_file = self.admin_credential_file()

    def token(self, name="Anne"):
        body = wire.form({"name": name, "email": "anne@example.fr"})
        return dict(wire.form_fields(self.submit(wire.request("POST", "/contact", body, wire.FORM)).body))["name"]

    def call(self, method, path, body=None, status=200, who=None):
        got, _, answer = self.admin.call(method, path, body, who or self.administrator)
        equal(got, status, f"{method} {path} ({answer})")
        return answer if path.endswith("/certificate") else json.loads(answer)

    def keys(self, **wanted):
        found = self.call("GET", "/v1/keys")["keys"]
        return [k for k in found if all(k.get(name) == value for name, value in wanted.items())]

    def epoch_key(self):
        # This month's: what belongs to nobody has an epoch under every retention.
        return max(self.keys(**{"class": "epoch", "purpose": "contact", "primary": True}), key=lambda key: (len(key["epoch"]) == 7, key["epoch"]))

    def operate(self, key, verb, status=200, **more):
        return self.call("POST", f"/v1/keys/{key}/{verb}", {"reason": REASON, **more}, status)

    def command(self, *arguments, code=0):
        done = gateway.run(*arguments, "--admin", self.admin.url, "--credential-file", self.admin_file)
        equal(done.returncode, code, f"{arguments} ({done.err})")
        return done


def outcome(scene, token):
    return scene.admin.reidentify(scene.dpo, [token])[0]["status"]


@case("keys are listed for the role admin only, and never with their bytes", smoke=True)
def listing():
    with Keys() as scene:
        scene.token()
        for key in scene.keys():
            expect(len(key["id"]) == 32 and key["state"] == "active", f"{key}")
            expect("active" in key["since"], f"not dated: {key}")
        for method, path in (("GET", "/v1/keys"), ("POST", "/v1/tenants"), ("POST", "/v1/rewrap")):
            body = None if method == "GET" else {}
            scene.call(method, path, body, 403, scene.dpo)
            status, _, _ = scene.admin.call(method, path, body)
            equal(status, 401, f"{path} without a credential")
        done = scene.command("keys", "list")
        contains(done.out, scene.epoch_key()["id"], "keys list")
        shown = json.loads(scene.command("keys", "list", "--json").out)
        equal(len(shown["keys"]), len(scene.keys()), "keys in --json")


@case("a disabled key stops its routes with 503 sealed and opens nothing; enabled, all is as before")
def disable():
    with Keys() as scene:
        token = scene.token()
        key = scene.epoch_key()["id"]
        scene.operate(key, "disable")
        body = wire.form({"name": "Anne", "email": "anne@example.fr"})
        scene.refused(wire.request("POST", "/contact", body, wire.FORM), 503, "sealed")
        equal(outcome(scene, token), "unavailable", "a token under a disabled key")
        scene.restart()
        scene.refused(wire.request("POST", "/contact", body, wire.FORM), 503, "sealed")
        scene.operate(key, "enable")
        equal(scene.token(), token, "the token of a known value")
        equal(scene.reveal([token]), ["Anne"], "what it opens to")
        scene.operate(key, "enable", 409)
        scene.operate("0" * 32, "disable", 404)
        scene.operate(key, "melt", 404)
        scene.call("POST", f"/v1/keys/{key}/disable", {}, 400)


@case("a rotated key goes on opening, and traffic goes on under the next one")
def rotate():
    with Keys() as scene:
        token = scene.token()
        old = scene.epoch_key()
        made = json.loads(scene.command("keys", "rotate", old["id"], "--reason", REASON, "--json").out)
        equal((made["version"], made["state"]), (old["version"] + 1, "active"), "the new key")
        equal(scene.token(), token, "the token of a known value")
        equal(scene.reveal([token]), ["Anne"], "what it opens to")
        equal(scene.keys(id=old["id"])[0]["state"], "deactivated", "the old key")


@case("the keys of a tenant and a domain rotate: every token stays what it was, after a kill too, and the walk is on record")
def rotate_parents():
    with Keys() as scene:
        tokens = {f"name{i}": scene.token(f"name{i}") for i in range(20)}
        for level in ("domain", "tenant", "domain"):
            old = next(k for k in scene.keys(**{"class": level, "primary": True}) if k.get("domain", "crm") == "crm")
            made = json.loads(scene.command("keys", "rotate", old["id"], "--reason", REASON, "--json").out)
            equal((made["class"], made["version"], made["state"]), (level, old["version"] + 1, "active"), "the new key")
            equal(scene.keys(id=old["id"])[0]["state"], "deactivated", "the old key")
            one_sentence(scene.command("keys", "destroy", old["id"], "--confirm", "destroy", "--reason", REASON, code=7).err)
            scene.kill()
            scene.start()
            for name, token in list(tokens.items())[:8]:
                equal(scene.token(name), token, f"the token of {name} after a rotation of the {level}")
            equal(scene.reveal(list(tokens.values())), list(tokens), "what they open to")
            tokens[level + str(made["version"])] = scene.token(level + str(made["version"]))
            deadline = time.monotonic() + 30 * settings.PATIENCE
            # Idle: its end is on record too.
            while (rows := scene.call("GET", "/v1/keys/rows"))["wanted"] or rows["state"] != "idle":
                expect(time.monotonic() < deadline, "the index never comes to its end")
                time.sleep(0.05)
        for name, token in tokens.items():
            equal(scene.token(name), token, f"the token of {name}")
        # The walks over the rows are on record, at their beginning and at their end.
        on_record(scene, "re-index")
        seed = scene.keys(**{"class": "audit-seed"})[0]["id"]
        one_sentence(scene.command("keys", "rotate", seed, "--reason", REASON, code=7).err)
        equal(scene.stop(), 0, "serve")
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify: {done.err}")


@case("a tenant is made and destroyed by name, and its routes are refused")
def tenants():
    with Keys() as scene:
        token = scene.token()
        scene.command("tenants", "create", "second", "--reason", REASON)
        scene.command("tenants", "create", "second", "--reason", REASON, code=7)
        listed = json.loads(scene.command("tenants", "list", "--json").out)["tenants"]
        equal(len(listed), 2, "tenants")
        name = scene.epoch_key()["tenant"]
        scene.command("tenants", "destroy", name, "--confirm", "second", "--reason", REASON, code=2)
        equal(scene.reveal([token]), ["Anne"], "nothing was destroyed yet")
        scene.command("tenants", "destroy", name, "--confirm", name, "--reason", REASON)
        equal(outcome(scene, token), "unavailable", "a token of a destroyed tenant")
        body = wire.form({"name": "Anne", "email": "anne@example.fr"})
        scene.refused(wire.request("POST", "/contact", body, wire.FORM), 503, "sealed")
        scene.restart()
        scene.refused(wire.request("POST", "/contact", body, wire.FORM), 503, "sealed")
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify ({done.err})")


@case("a hold keeps keys from being destroyed until it is released")
def holds():
    with Keys() as scene:
        scene.token()
        key = scene.epoch_key()
        where = ("--tenant", key["tenant"], "--purpose", "contact")
        scene.command("keys", "hold", *where, "--until", "2019-01-01", "--reason", REASON, code=2)
        scene.command("keys", "hold", *where, "--until", "soon", "--reason", REASON, code=2)
        hold = json.loads(
            scene.command("keys", "hold", *where, "--until", "2099-01-01", "--reason", REASON, "--json").out
        )["id"]
        contains(scene.command("keys", "holds").out, hold, "keys holds")
        expect(scene.keys(id=key["id"])[0]["held_until"].startswith("2099"), "held_until")
        contains(str(scene.operate(key["id"], "destroy", 409, confirm="destroy")), "hold", "the refusal")
        scene.command("keys", "hold", "--release", hold, "--reason", REASON)
        scene.operate(key["id"], "destroy", confirm="destroy")


@case("a shortened retention freezes destruction until somebody confirms")
def freeze():
    with Keys() as scene:
        equal(scene.call("GET", "/v1/keys/freeze")["frozen"], False, "at first")
        scene.stop()
        expect("active: P3Y" in WIDE, "the policy's retention has changed: adapt this case")
        scene.write_policy(WIDE.replace("active: P3Y", "active: P1Y"))
        scene.start()
        contains(scene.stderr(), "frozen", "standard error")
        state = scene.call("GET", "/v1/keys/freeze")
        equal((state["frozen"], state["because"]), (True, ["retention"]), "the freeze")
        expect(state["pending"][0]["asked"]["active"] == "P12M", f"{state}")
        equal(scene.admin.metric("paravent_key_destruction_frozen", cause="retention"), 1.0, "the metric")
        equal(scene.admin.metric("paravent_key_retention_failed"), 0.0, "the keeper itself")
        status, _, body = scene.admin.call("GET", "/readyz")
        equal(status, 200, "readyz")
        contains(body.decode(), "destruction-frozen", "readyz")
        scene.command("keys", "confirm", "--reason", REASON)
        equal(scene.call("GET", "/v1/keys/freeze"), {"frozen": False, "pending": []}, "confirmed")


@case("due lists what will go, soonest first, and nothing that has no end")
def due():
    with Keys() as scene:
        scene.token()
        far = json.loads(scene.command("keys", "due", "--within", "P90Y", "--json").out)["keys"]
        expect(far and all("destroyed_by" in key for key in far), f"{far}")
        equal([k["destroyed_by"] for k in far], sorted(k["destroyed_by"] for k in far), "the order")
        equal(json.loads(scene.command("keys", "due", "--within", "P1D", "--json").out)["keys"], [], "tomorrow")
        one_sentence(scene.command("keys", "due", "--within", "1 month", code=2).err)


def on_record(scene, work):
    """A walk over the rows has an entry at its beginning and one at its end, whatever else it did."""
    _, _, body = scene.admin.call("GET", "/v1/audit/entries?log=installation&count=1000", credential=scene.administrator)
    walks = [entry["remark"] for entry in json.loads(body)["entries"] if entry.get("operator") == "row keeper"]
    begun = [walk for walk in walks if walk.startswith("begins: ") and work in walk]
    ended = [walk for walk in walks if work in walk and " rows seen, " in walk]
    expect(begun and ended, f"{work} is not on record: {walks}")


def settled_rows(scene):
    """Waits until nothing is to be done to the rows; what the last run did."""
    deadline = time.monotonic() + 20 * settings.PATIENCE
    while True:
        told = scene.call("GET", "/v1/keys/rows")
        if told["state"] == "idle" and not told["wanted"]:
            return told.get("last")
        expect(time.monotonic() < deadline, f"the rows are not settled: {told}")
        time.sleep(0.1)


@case("rows of a destroyed key leave the store, and a value that comes back gets another token")
def revived():
    with Keys() as scene:
        old = scene.token()
        equal(scene.token(), old, "a known value")
        scene.command("keys", "destroy", scene.epoch_key()["id"], "--reason", REASON, "--confirm", "destroy")
        # At once, whether its row has gone by then or not.
        new = scene.token()
        expect(new != old, "the old token came back")
        equal((outcome(scene, old), scene.reveal([new])), ("unavailable", ["Anne"]), "the two tokens")
        expect(settled_rows(scene)["removed"] >= 1, "nothing was removed")
        on_record(scene, "purge")
        scene.restart()
        equal((scene.token(), outcome(scene, old)), (new, "unavailable"), "after a restart")


@case("rows and blind index move to new keys, killed in the midst of it: every token stays what it was")
def moved():
    with Keys() as scene:
        names = [f"Person {i}" for i in range(700)]
        with scene.wire() as connection:
            for name in names:
                body = wire.form({"name": name, "email": "anne@example.fr"})
                connection.send(wire.request("POST", "/contact", body, wire.FORM))
                equal(connection.answer().status, 200, name)
        some = names[::53]
        tokens = [scene.token(name) for name in some]
        old = scene.epoch_key()["id"]
        scene.command("keys", "rotate", old, "--reason", REASON)
        scene.command("keys", "reseal", "--reason", REASON)
        scene.command("keys", "reindex", "--tenant", "atelier", "--domain", "crm", "--reason", REASON)
        one_sentence(
            scene.command("keys", "reindex", "--tenant", "atelier", "--domain", "none", "--reason", REASON, code=2).err
        )
        for pause in (0, 0.02, 0.05):
            time.sleep(pause)
            scene.kill()
            scene.start()
            equal([scene.token(name) for name in some], tokens, "tokens after a kill")
        settled_rows(scene)
        scene.command("keys", "reindex", "--tenant", "atelier", "--domain", "crm", "--reason", REASON)
        expect(settled_rows(scene)["reindexed"] >= len(names), "the second move finds every value under the first")
        on_record(scene, "re-seal")
        on_record(scene, "re-index")
        # The proof that nothing hangs on the old key any more.
        scene.command("keys", "destroy", old, "--reason", REASON, "--confirm", "destroy")
        equal([scene.token(name) for name in some], tokens, "tokens after the old key's end")
        equal(scene.reveal(tokens), some, "their values")
        equal(settled_rows(scene)["removed"], 0, "rows under the old key")
        scene.stop()
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify ({done.err})")
        scene.start()


@case("another root key: the old one opens nothing any more, everything opens under the new one")
def rewrap():
    with Keys() as scene:
        token = scene.token()
        scene.stop()
        new_key = os.path.join(scene.folder, "new.key")
        arguments = ("--data", scene.data, "--root-key", scene.root_key, "--new-root-key", new_key)
        done = gateway.run("keys", "rewrap", *arguments)
        equal(done.returncode, 0, f"rewrap ({done.err})")
        again = gateway.run("keys", "rewrap", *arguments)
        equal(again.returncode, 0, f"a second time ({again.err})")
        contains(again.out, "already", "a second time")
        scene.write_config()
        refused = gateway.run("serve", "--config", scene.config_file)
        equal(refused.returncode, 4, "the old root key")
        contains(one_sentence(refused.err), "root key is not the one", "the sentence")
        scene.root_key = new_key
        scene.start()
        equal(scene.reveal([token]), ["Anne"], "what it opens to")
        equal(scene.token(), token, "the token of a known value")


@case("every operation on keys is in the audit log, and it verifies")
def recorded():
    with Keys() as scene:
        scene.token()
        key = scene.epoch_key()["id"]
        before = scene.admin.metric("paravent_audit_entries", log=log_of(scene))
        scene.operate(key, "disable")
        scene.operate(key, "enable")
        scene.operate(key, "enable", 409)
        scene.operate(key, "rotate")
        scene.operate(key, "destroy", confirm="destroy")
        equal(scene.admin.metric("paravent_audit_entries", log=log_of(scene)), before + 4, "entries")
        scene.stop()
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify ({done.err})")
        scene.start()


def log_of(scene):
    folders = [f for f in os.listdir(os.path.join(scene.data, "audit")) if f != "installation"]
    return folders[0]

"""Backup and restore: the first machine is lost and the second goes on; what is wrong is noticed before."""

import json
import os
import shutil
import tempfile
import threading
import time

from support import gateway, settings, wire
from support.case import Shared, case, equal, expect, shown
from support.gateway import Scene, digest, one_sentence
from support.policies import WIDE


def token_of(scene, email):
    received = scene.submit(wire.request("POST", "/contact", wire.form({"email": email}), wire.FORM))
    return dict(wire.form_fields(received.body))["email"]


SEALED_LINE = "2026-11-28T05:16:00Z 0123456789abcdef report form.message pvs_abc\n"


def private(path, flags):
    return os.open(path, flags, 0o600)


def backup(scene, out, *options):
    """Of a running gateway, through its admin API."""
    return gateway.run(
        "backup", scene.data, out, "--root-key", scene.root_key, "--admin", scene.admin.url,
        "--credential-file", scene.admin_credential_file(), "--json", *options,
    )  # fmt: skip


def restore(data_backup, key_backup, folder, root_key):
    return gateway.run(
        "restore", data_backup, "--keys", key_backup, "--data", os.path.join(folder, "data"),
        "--root-key", root_key, "--json",
    )  # fmt: skip


def arrived(scene):
    """The tokens of every form that the application has, in their order."""
    with scene.upstream._lock:
        bodies = [one.body for one in scene.upstream.requests]
    return [dict(wire.form_fields(body))["email"] for body in bodies]


def wait_for_tokens(scene, count):
    deadline = time.monotonic() + 60 * settings.PATIENCE
    while len(arrived(scene)) < count:
        expect(time.monotonic() < deadline, "no load came")
        time.sleep(0.01)


@case("the drill: backed up under load, the first machine is lost, the second goes on", smoke=True)
def drill():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-backup-") as safe:
        data_backup, key_backup = os.path.join(safe, "data.pvbackup"), os.path.join(safe, "keys.pvbackup")
        with Scene(policy=WIDE) as scene:
            known = {f"known{i}@example.fr": token_of(scene, f"known{i}@example.fr") for i in range(20)}
            clear = {"name": "Anne Martin", "phone": "+33612345678", "message": "Bonjour"}
            form = scene.submit(wire.request("POST", "/contact", wire.form(clear), wire.FORM)).body
            every_kind = dict(wire.form_fields(form))
            scene.upstream.clear()
            # As a time with a sealed vault leaves it.
            with open(os.path.join(scene.data, "when-sealed.list"), "x", encoding="ascii", opener=private) as file:
                file.write(SEALED_LINE)
            stop = threading.Event()

            def load():
                number = 0
                while not stop.is_set():
                    number += 1
                    body = wire.form({"email": f"load{number}@example.fr"})
                    scene.exchange(wire.request("POST", "/contact", body, wire.FORM))

            visitor = threading.Thread(target=load)
            visitor.start()
            try:
                wait_for_tokens(scene, 20)
                before = arrived(scene)
                done = backup(scene, data_backup)
                equal(done.returncode, 0, f"backup ({done.err})")
                keys = backup(scene, key_backup, "--keys")
                equal(keys.returncode, 0, f"backup --keys ({keys.err})")
            finally:
                stop.set()
                visitor.join()
            behind = [token for token in arrived(scene) if token not in set(before)]
            expect(json.loads(done.out)["records"] >= 20, done.out)
            made = json.loads(keys.out)
            equal(made["expires"] - made["made"], 30 * 86400 * 1000, "30 days, by default")
            equal(os.listdir(os.path.join(scene.data, "backups")), [], "nothing stays behind")
            root_key = shutil.copy(scene.root_key, safe)
            policy = open(scene.policy_file, encoding="utf-8").read().replace(scene.upstream.url, "UPSTREAM")
            credentials = dict(scene._credentials)
            with open(os.path.join(scene.data, "keys", "shred-secret"), "rb") as file:
                secret = file.read()
        # The first machine is gone. Nothing of it can be read out of what was kept.
        for path in (data_backup, key_backup):
            with open(path, "rb") as file:
                raw = file.read()
            for word in (b"example.fr", b"contexts.json", b"operators", secret, secret[30:62]):
                expect(word not in raw, f"{word!r} lies open in {os.path.basename(path)}")

        second = Scene(policy=policy, start=False)
        with second:
            done = restore(data_backup, key_backup, second.folder, root_key)
            equal(done.returncode, 0, f"restore ({done.err})")
            report = json.loads(done.out)
            expect(report["rows"] >= 20 and report["indexed"] == report["rows"], done.out)
            shutil.copy(root_key, second.root_key)
            second.start()
            second._credentials = credentials
            equal(second.reveal(list(known.values())), list(known), "old tokens on the second machine")
            values = second.reveal([every_kind[name] for name in clear])
            equal(values, list(clear.values()), "a vault token, a derived one and an encrypted value on the second machine")
            # What an application had before the backup began is in it; what came during it is there whole, or not at all.
            values = second.reveal(before)
            expect(all(value.startswith("load") for value in values) and len(set(values)) == len(before), f"{values[:3]}")
            expect(behind, "nothing came while the backups were made")
            for result in second.admin.reidentify(second.dpo, behind[:500]):
                there = result["status"] == "revealed" and result["value"].startswith("load")
                expect(there or result["status"] == "unavailable", f"a token that came during the backup: {result['status']}")
            listed = gateway.run(
                "keys", "when-sealed", "--admin", second.admin.url, "--credential-file", second.admin_credential_file()
            )  # fmt: skip
            expect("pvs_abc" in listed.out, f"what is still to be converted ({listed.out}{listed.err})")
            for email, token in list(known.items())[:5]:
                equal(token_of(second, email), token, f"the token of {email} on the second machine")
            fresh = token_of(second, "new@example.fr")
            equal(second.reveal([fresh]), ["new@example.fr"], "a new token on the second machine")
            verified = gateway.run("audit", "verify", second.data)
            equal(verified.returncode, 0, f"audit verify ({verified.err})")


@case("a backup needs the role admin, and is refused to everybody else")
def needs_admin():
    with Scene(policy=WIDE) as scene:
        status, _, _ = scene.admin.call("POST", "/v1/backup", {"kind": "data"}, scene.dpo)
        equal(status, 403, "POST /v1/backup as dpo")
        status, _, _ = scene.admin.call("POST", "/v1/backup", {"kind": "data"})
        equal(status, 401, "POST /v1/backup without a credential")
        for body in ({}, {"kind": "all"}, {"kind": "data", "days": 3}, {"kind": "keys", "days": 0}, b"x"):
            status, _, answer = scene.admin.call("POST", "/v1/backup", body, scene.administrator)
            equal(status, 400, f"POST /v1/backup {body} ({answer})")
        status, _, answer = scene.admin.call("POST", "/v1/backup", {"kind": "data"}, scene.administrator)
        equal(status, 202, f"POST /v1/backup ({answer})")
        _, _, answer = scene.admin.call("GET", "/v1/audit/entries?log=installation&count=1000", credential=scene.administrator)
        made = [entry for entry in json.loads(answer)["entries"] if entry.get("object", "").startswith("data backup ")]
        expect(made and all(entry.get("credential") for entry in made), f"not by which credential: {made}")
        status, _, answer = scene.admin.call("GET", "/v1/store", None, scene.administrator)
        equal(status, 200, "GET /v1/store")
        before = json.loads(answer)
        token_of(scene, "one@example.fr")
        token_of(scene, "one@example.fr")
        after = json.loads(scene.admin.call("GET", "/v1/store", None, scene.administrator)[2])
        equal((after["minted"] - before["minted"], after["known_hits"] - before["known_hits"]), (1, 1), "counts")
        expect(after["rows"] >= 1 and after["fsyncs"] > before["fsyncs"], f"{after}")
        equal(scene.admin.metric("paravent_store_known_hits_total"), 1.0, "the metric")
        # Without a credential the command says what it needs, and touches nothing.
        done = gateway.run("backup", scene.data, os.path.join(scene.folder, "out"), "--root-key", scene.root_key)
        equal(done.returncode, 4, f"backup of a running gateway ({done.err})")
        expect("--credential-file" in one_sentence(done.err), done.err)


@case("a backup is not written into the data directory that it is of; --days is for key backups; a vault in another's directory is refused")
def places():
    with Scene(policy=WIDE) as scene:
        link = os.path.join(scene.folder, "link")
        os.symlink(os.path.join(scene.data, "keys"), link)
        for folder in (os.path.join(scene.data, "keys"), scene.data, link, os.path.join(scene.folder, "x", "..", "data", "new")):
            done = backup(scene, os.path.join(folder, "d.pvbackup"))
            equal(done.returncode, 2, f"{folder}: {done.err}")
            expect("write the backup elsewhere" in one_sentence(done.err), done.err)
        equal([name for name in os.listdir(os.path.join(scene.data, "keys")) if "pvbackup" in name], [], "what is in keys")
        done = backup(scene, os.path.join(scene.folder, "d.pvbackup"), "--days", "3")
        equal(done.returncode, 2, f"--days of a data backup ({done.err})")
        expect("--keys" in one_sentence(done.err), done.err)
        beside = os.path.join(scene.folder, "data-of-another.pvbackup")
        equal(backup(scene, beside).returncode, 0, "a name that begins as the directory's")
        inside = os.path.join(scene.data, "other", "data")
        done = gateway.run("init", "--data", inside, "--root-key", os.path.join(scene.folder, "other.key"))
        equal((done.returncode, done.out), (4, ""), f"init inside ({done.err})")
        expect("of another vault" in one_sentence(done.err), done.err)
        expect(not os.path.exists(inside), "a folder was made")


class Kept:
    """A stopped scene and its two backups, made without a gateway."""

    def __init__(self):
        self.scene = Scene(policy=WIDE)
        self.token = token_of(self.scene, "anne@example.fr")
        self.scene.stop()
        self.data = os.path.join(self.scene.folder, "data.pvbackup")
        self.keys = os.path.join(self.scene.folder, "keys.pvbackup")
        for out, options in ((self.data, ()), (self.keys, ("--keys",))):
            done = gateway.run("backup", self.scene.data, out, "--root-key", self.scene.root_key, *options)
            equal(done.returncode, 0, f"backup {options} ({done.err})")

    def close(self):
        self.scene.close()


SHARED = Shared(Kept)


def refused(data, keys, word, root_key=None):
    """A restore that must fail so: code 4, one sentence, and nothing is there afterwards."""
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        done = restore(data, keys, folder, root_key or SHARED.get().scene.root_key)
        equal(done.returncode, 4, f"restore ({done.err})")
        expect(word in one_sentence(done.err), f"{word!r} is not in {shown(done.err)}")
        equal(os.listdir(folder), [], "what is left behind")


@case("an altered or half-written backup is noticed before anything is replaced", smoke=True)
def altered():
    kept = SHARED.get()
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        for name, good in (("data", kept.data), ("keys", kept.keys)):
            with open(good, "rb") as file:
                whole = file.read()
            bad = os.path.join(folder, name)
            flips = (0, 5, 11, 30, 50, 60, 68, 80, 120, 150, 200, len(whole) // 2, len(whole) - 1)
            wrong = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in flips]
            wrong += [whole[:-1], whole[: len(whole) // 2], whole[:151], whole[:100], b"", whole + b"x"]
            for text in wrong:
                with open(bad, "wb") as file:
                    file.write(text)
                pair = (bad, kept.keys) if name == "data" else (kept.data, bad)
                refused(*pair, "")


@case("backups that do not belong together, another root key, a target that holds something: code 4")
def mismatched():
    kept = SHARED.get()
    refused(kept.keys, kept.keys, "is a key backup")
    refused(kept.data, kept.data, "is a data backup")
    refused(kept.scene.policy_file, kept.keys, "not a backup")
    refused(os.path.join(kept.scene.folder, "missing"), kept.keys, "cannot be read")
    with Scene(policy=WIDE) as other:
        other.stop()
        refused(kept.data, kept.keys, "root key", root_key=other.root_key)
        foreign = os.path.join(other.folder, "keys.pvbackup")
        done = gateway.run("backup", other.data, foreign, "--keys", "--root-key", other.root_key)
        equal(done.returncode, 0, f"backup ({done.err})")
        refused(kept.data, foreign, "root key")
    with open(kept.data, "rb") as file:
        whole = bytearray(file.read())
    whole[8:10] = b"\x00\x04"
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        newer = os.path.join(folder, "newer")
        with open(newer, "wb") as file:
            file.write(whole)
        refused(newer, kept.keys, "newer version")
        with open(newer, "wb") as file:
            file.write(bytes(whole[:8]) + b"\x00\x01" + bytes(whole[10:]))
        refused(newer, kept.keys, "before the first release")
        data = os.path.join(folder, "data")
        os.mkdir(data, 0o700)
        with open(os.path.join(data, "mine"), "w", encoding="ascii") as file:
            file.write("mine")
        before = digest(folder)
        done = restore(kept.data, kept.keys, folder, kept.scene.root_key)
        equal(done.returncode, 4, f"restore over something ({done.err})")
        expect("not overwritten" in one_sentence(done.err), done.err)
        equal(digest(folder), before, "what was there")
    done = gateway.run("backup", kept.scene.data, kept.data, "--root-key", kept.scene.root_key)
    equal(done.returncode, 4, f"backup over a backup ({done.err})")
    expect("not overwritten" in one_sentence(done.err), done.err)


@case("a key backup that is older than the data says so; one that is newer will do")
def older_keys():
    with Scene(policy=WIDE) as scene:
        old = os.path.join(scene.folder, "old.pvbackup")
        done = backup(scene, old, "--keys", "--days", "7")
        equal(done.returncode, 0, f"backup --keys ({done.err})")
        scene.write_policy(WIDE.replace("form.email:      { kind: email,", "form.email:      { kind: email, space: other,"))
        scene.restart()
        token = token_of(scene, "anne@example.fr")
        data, new = os.path.join(scene.folder, "data.pvbackup"), os.path.join(scene.folder, "new.pvbackup")
        for out, options in ((data, ()), (new, ("--keys",))):
            done = backup(scene, out, *options)
            equal(done.returncode, 0, f"backup {options} ({done.err})")
        scene.stop()
        refused(data, old, "older than the data backup", root_key=scene.root_key)
        expect(token, "a token")
        with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
            done = restore(data, new, folder, scene.root_key)
            equal(done.returncode, 0, f"restore ({done.err})")

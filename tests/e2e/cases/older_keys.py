"""Keys that are older than the data, and an old shred secret that cannot be erased: neither passes in silence."""

import json
import os
import shutil
import tempfile
import time

from cases.backup import backup, restore
from cases.keys import REASON, Keys, outcome
from support import gateway, settings
from support.case import case, contains, equal, expect, shown
from support.gateway import one_sentence


@case("a key backup from before a destruction is refused; one from afterwards will do")
def before_a_destruction():
    with Keys() as scene, tempfile.TemporaryDirectory(prefix="paravent-e2e-older-") as safe:
        token = scene.token()
        old, new, data = (os.path.join(safe, name) for name in ("old.pvbackup", "new.pvbackup", "data.pvbackup"))
        equal(backup(scene, old, "--keys").returncode, 0, "backup --keys, before")
        scene.operate(scene.epoch_key()["id"], "destroy", confirm="destroy")
        equal(outcome(scene, token), "unavailable", "a token under a destroyed key")
        for out, options in ((data, ()), (new, ("--keys",))):
            done = backup(scene, out, *options)
            equal(done.returncode, 0, f"backup {options} ({done.err})")
        scene.stop()
        with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
            done = restore(data, old, folder, scene.root_key)
            equal(done.returncode, 4, f"restore ({done.err})")
            contains(one_sentence(done.err), "would undo 1 destructions", "the refusal")
            contains(done.err, "1 destroyed keys would open again", "the refusal")
            equal(os.listdir(folder), [], "what is left behind")
            done = restore(data, new, folder, scene.root_key)
            equal(done.returncode, 0, f"restore ({done.err})")
            report = json.loads(done.out)
            equal((report["renewals_undone"], report["keys_revived"]), (0, 0), "with the newest keys")


@case("a key backup in which a disabled key is in use is refused, unless somebody says so")
def before_a_disabling():
    with Keys() as scene, tempfile.TemporaryDirectory(prefix="paravent-e2e-older-") as safe:
        scene.token()
        old, data = os.path.join(safe, "old.pvbackup"), os.path.join(safe, "data.pvbackup")
        equal(backup(scene, old, "--keys").returncode, 0, "backup --keys, before")
        scene.operate(scene.epoch_key()["id"], "disable")
        equal(backup(scene, data).returncode, 0, "backup")
        scene.stop()
        with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
            done = restore(data, old, folder, scene.root_key)
            equal(done.returncode, 4, f"restore ({done.err})")
            contains(one_sentence(done.err), "1 disabled or compromised ones be in use", "the refusal")
            equal(os.listdir(folder), [], "what is left behind")
            target = os.path.join(folder, "data")
            done = gateway.run(
                "restore", data, "--keys", old, "--data", target, "--root-key", scene.root_key,
                "--undo-key-changes", "--json",
            )  # fmt: skip
            equal(done.returncode, 0, f"restore ({done.err})")
            report = json.loads(done.out)
            equal((report["renewals_undone"], report["keys_enabled"]), (0, 1), "what it says")
            verified = gateway.run("audit", "verify", target)
            equal(verified.returncode, 0, f"audit verify ({verified.err})")


@case("an older keys folder beside the newer store is refused, until somebody accepts it on the record", smoke=True)
def folder_put_back():
    with Keys() as scene:
        token = scene.token()
        scene.stop()
        keys = os.path.join(scene.data, "keys")
        old, newest = os.path.join(scene.folder, "old"), os.path.join(scene.folder, "newest")
        shutil.copytree(keys, old)
        scene.start()
        scene.operate(scene.epoch_key()["id"], "destroy", confirm="destroy")
        scene.stop()
        shutil.move(keys, newest)
        shutil.copytree(old, keys)
        scene.write_config()
        done = gateway.run("serve", "--config", scene.config_file)
        equal(done.returncode, 4, f"serve ({done.err})")
        expect("older than the token store" in done.err and "accept-older" in done.err, shown(done.err))
        # The newest keys go on as if nothing had been.
        shutil.rmtree(keys)
        shutil.move(newest, keys)
        scene.start()
        equal(outcome(scene, token), "unavailable", "destroyed, and still so")
        scene.stop()
        shutil.rmtree(keys)
        shutil.copytree(old, keys)
        accept = ("keys", "accept-older", "--data", scene.data, "--root-key", scene.root_key)
        equal(gateway.run(*accept).returncode, 2, "without a reason")
        done = gateway.run(*accept, "--reason", REASON)
        equal(done.returncode, 0, f"accept-older ({done.err})")
        scene.start()
        equal(scene.reveal([scene.token("Bert")]), ["Bert"], "somebody said so")
        found = scene.call("GET", "/v1/audit/entries?log=installation&count=1000")
        contains(json.dumps(found), "older than the token store are accepted", "the record")


@case("older keys that are accepted behind a rotation of a domain: known values keep their tokens")
def accepted_behind_a_rotation():
    with Keys() as scene:
        token = scene.token()
        scene.stop()
        keys, old = os.path.join(scene.data, "keys"), os.path.join(scene.folder, "old")
        shutil.copytree(keys, old)
        scene.start()
        domain = next(key for key in scene.keys(**{"class": "domain", "primary": True}) if key["domain"] == "crm")
        scene.operate(domain["id"], "rotate")
        deadline = time.monotonic() + 30 * settings.PATIENCE
        while (rows := scene.call("GET", "/v1/keys/rows"))["wanted"] or rows["state"] != "idle":
            expect(time.monotonic() < deadline, f"the index stays where it is ({rows})")
            time.sleep(0.05)
        scene.stop()
        shutil.rmtree(keys)
        shutil.copytree(old, keys)
        accept = ("keys", "accept-older", "--data", scene.data, "--root-key", scene.root_key, "--reason", REASON)
        done = gateway.run(*accept)
        equal(done.returncode, 0, f"accept-older ({done.err})")
        scene.start()
        equal(scene.token(), token, "the token of a known value")
        equal(scene.reveal([token]), ["Anne"], "what it opens to")


@case("an old secret that cannot be erased raises an alarm and gives no certificate; the next start ends it")
def cannot_be_erased():
    with Keys() as scene:
        token = scene.token()
        key = scene.epoch_key()["id"]
        secret, aside = os.path.join(scene.data, "keys", "shred-secret"), os.path.join(scene.folder, "aside")
        equal(scene.admin.metric("paravent_key_erasure_unfinished"), 0.0, "the metric, at first")
        # Something that cannot be overwritten lies where the secret should.
        os.rename(secret, aside)
        os.makedirs(os.path.join(secret, "in-the-way"))
        answer = scene.operate(key, "destroy", 503, confirm="destroy")
        contains(str(answer), "could not be erased yet", "the answer")
        equal(outcome(scene, token), "unavailable", "destroyed all the same")
        _, _, body = scene.admin.call("GET", "/readyz")
        contains(body.decode(), '"alarms":["erasure-unfinished"]', "readyz")
        equal(scene.admin.metric("paravent_key_erasure_unfinished"), 1.0, "the metric")
        status, _, _ = scene.admin.call("GET", f"/v1/keys/{key}/certificate", None, scene.administrator)
        expect(status >= 400, "no certificate before it is final")
        scene.stop()
        shutil.rmtree(secret)
        os.rename(aside, secret)
        scene.start()
        _, _, body = scene.admin.call("GET", "/readyz")
        equal(body.decode(), '{"status":"ready"}\n', "readyz afterwards")
        equal(scene.admin.metric("paravent_key_erasure_unfinished"), 0.0, "the metric afterwards")
        contains(scene.call("GET", f"/v1/keys/{key}/certificate").decode(), "destroyed", "the certificate")
        equal(outcome(scene, token), "unavailable", "still gone")

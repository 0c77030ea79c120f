"""The journal of the audit log: what was acknowledged is counted, backed up and restored, whatever the log's files say."""

import http.client
import json
import os
import threading
import time

from support import gateway, settings, wire
from support.case import case, contains, equal, expect, lacks
from support.gateway import Scene
from support.policies import WIDE


def checkpoint(scene):
    status, _, body = scene.admin.call("GET", "/v1/audit/checkpoint", credential=scene.dpo)
    equal(status, 200, "the checkpoint")
    return body


def size_of(note):
    return int(note.split(b"\n")[1])


class Load:
    """Four clients that reveal batches until they are told to stop, or the gateway is gone."""

    def __init__(self, scene, tokens):
        self.scene, self.tokens = scene, tokens
        self.stop = threading.Event()
        self.answered = 0
        self.threads = [threading.Thread(target=self.run) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def run(self):
        body = {"purpose": "contact", "reason": "load", "tokens": self.tokens * 10}
        while not self.stop.is_set():
            try:
                status, _, _ = self.scene.admin.call("POST", "/v1/reidentify", body, self.scene.dpo)
            except (OSError, http.client.HTTPException):  # it was killed, or is gone
                return
            if status == 200:
                self.answered += 1

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def tenant_log(scene):
    logs = [name for name in os.listdir(os.path.join(scene.data, "audit")) if name != "installation"]
    equal(len(logs), 1, "logs of tenants")
    return logs[0]


@case("under load and after a kill the log verifies against every checkpoint handed out; a backup has every acknowledged entry")
def killed_under_load():
    with Scene(policy=WIDE) as scene:
        form = wire.form({"email": "anne@example.fr", "name": "Anne Martin"})
        received = scene.submit(wire.request("POST", "/contact", form, wire.FORM))
        tokens = list(dict(wire.form_fields(received.body)).values())
        saved = os.path.join(scene.folder, "saved")
        journal = os.path.join(scene.data, "audit-journal", tenant_log(scene))
        load = Load(scene, tokens)
        try:
            deadline = time.monotonic() + 30 * settings.PATIENCE
            while load.answered < 40 or not os.path.exists(journal):
                expect(time.monotonic() < deadline, "no load")
                time.sleep(0.02)
            for _ in range(5):
                note = checkpoint(scene)
                with open(saved, "wb") as file:
                    file.write(note)
                done = gateway.run("audit", "verify", scene.data, "--checkpoint", saved)
                equal((done.returncode, done.err), (0, ""), "verified while it runs")
            note = checkpoint(scene)
            scene.kill()
        finally:
            load.end()
        with open(saved, "wb") as file:
            file.write(note)
        expect(os.path.exists(journal), "a killed gateway leaves its journal")
        done = gateway.run("audit", "verify", scene.data, "--checkpoint", saved, "--json")
        equal((done.returncode, done.err), (0, ""), "verified after the kill")
        # What a power failure may leave besides: the checkpoint's name without its bytes.
        log = os.path.join(scene.data, "audit", tenant_log(scene))
        with open(os.path.join(log, "checkpoint"), "wb"):
            pass
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 5, "a torn file is a fault")
        contains(done.err, "there is a journal", "what to do about it")
        lacks(done.err, "restore the folder", "what not to do")
        data, keys = os.path.join(scene.folder, "data.pvbackup"), os.path.join(scene.folder, "keys.pvbackup")
        for out, options in ((data, ()), (keys, ("--keys",))):
            done = gateway.run("backup", scene.data, out, "--root-key", scene.root_key, *options)
            equal(done.returncode, 0, f"backup without a gateway ({done.err})")
        expect(not os.path.exists(journal), "the journal was replayed")
        restored = os.path.join(scene.folder, "restored")
        done = gateway.run("restore", data, "--keys", keys, "--data", restored, "--root-key", scene.root_key)
        equal(done.returncode, 0, f"restore ({done.err})")
        done = gateway.run("audit", "verify", restored, "--checkpoint", saved, "--json")
        equal((done.returncode, done.err), (0, ""), "the restored log continues what was handed out")
        sizes = {log["origin"].rsplit("/")[-1]: log["size"] for log in json.loads(done.out)["logs"]}
        expect(sizes[tenant_log(scene)] >= size_of(note), f"{sizes} and {size_of(note)}")
        scene.start()
        scene.reveal(tokens[:1])
        equal(scene.stop(), 0, "an orderly end")
        expect(not os.path.exists(os.path.dirname(journal)), "an orderly end leaves no journal")
        equal(gateway.run("audit", "verify", scene.data, "--checkpoint", saved).returncode, 0, "and verifies")


@case("a backup of a running gateway under load restores to a log that verifies")
def running_backup():
    with Scene(policy=WIDE) as scene:
        form = wire.form({"email": "anne@example.fr", "name": "Anne Martin"})
        received = scene.submit(wire.request("POST", "/contact", form, wire.FORM))
        admin = scene.admin_credential_file()
        data, keys = os.path.join(scene.folder, "data.pvbackup"), os.path.join(scene.folder, "keys.pvbackup")
        saved = os.path.join(scene.folder, "saved")
        load = Load(scene, list(dict(wire.form_fields(received.body)).values()))
        try:
            deadline = time.monotonic() + 30 * settings.PATIENCE
            while load.answered < 30:
                expect(time.monotonic() < deadline, "no load")
                time.sleep(0.02)
            with open(saved, "wb") as file:
                file.write(checkpoint(scene))
            for out, options in ((data, ()), (keys, ("--keys",))):
                done = gateway.run(
                    "backup", scene.data, out, "--root-key", scene.root_key, "--admin", scene.admin.url,
                    "--credential-file", admin, *options,
                )  # fmt: skip
                equal(done.returncode, 0, f"backup ({done.err})")
        finally:
            load.end()
        restored = os.path.join(scene.folder, "restored")
        done = gateway.run("restore", data, "--keys", keys, "--data", restored, "--root-key", scene.root_key)
        equal(done.returncode, 0, f"restore ({done.err})")
        done = gateway.run("audit", "verify", restored, "--checkpoint", saved)
        equal((done.returncode, done.err), (0, ""), "the restored log continues what was handed out before")

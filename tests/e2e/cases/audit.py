"""The audit log: entries for what was given and for what was refused; verified offline."""

import json
import os
import shutil

from support import gateway, tokens, wire
from support.case import Shared, case, contains, equal, expect
from support.gateway import Scene, digest, one_sentence
from support.policies import WIDE


class Recorded:
    """A stopped scene's data directory with entries in it."""

    def __init__(self):
        self.scene = Scene(policy=WIDE)
        scene = self.scene
        received = scene.submit(wire.request("POST", "/contact", wire.form({"name": "Anne"}), wire.FORM))
        token = dict(wire.form_fields(received.body))["name"]
        self.sizes = []
        self.after_start = tree_sizes(scene)
        scene.admin.reidentify(scene.dpo, [token, "pvv1x", tokens.altered(token)])
        self.after_three = tree_sizes(scene)
        scene.admin.call(
            "POST",
            "/v1/reidentify",
            {"purpose": "sealed-purpose", "reason": "x", "tokens": [token]},
            scene.dpo,
        )
        self.after_barred = tree_sizes(scene)
        scene.admin.call(
            "POST",
            "/v1/reidentify",
            {"purpose": "contact", "reason": "x", "tokens": [token]},
            scene.administrator,
        )
        self.after_admin = tree_sizes(scene)
        scene.admin.reidentify(scene.dpo, [token] * 300)
        self.checkpoint = checkpoint(scene)
        scene.stop()

    def close(self):
        self.scene.close()


def checkpoint(scene):
    status, _, body = scene.admin.call("GET", "/v1/audit/checkpoint", credential=scene.dpo)
    equal(status, 200, "the checkpoint")
    return body.decode()


def tree_sizes(scene):
    """The number of entries of the tenant's log: the second line of its checkpoint."""
    return int(checkpoint(scene).split("\n")[1])


SHARED = Shared(Recorded)


def verify(folder, *arguments):
    return gateway.run("audit", "verify", folder, *arguments)


@case("each token, and each refusal, has an entry before the answer", smoke=True)
def entries():
    recorded = SHARED.get()
    equal(recorded.after_three - recorded.after_start, 3, "entries of three tokens")
    equal(recorded.after_barred - recorded.after_three, 1, "entry of a barred purpose")
    equal(recorded.after_admin - recorded.after_barred, 1, "entry of the role admin")


@case("verify is content with the data directory, its audit folder and each log", smoke=True)
def verifies():
    data = SHARED.get().scene.data
    before = digest(data)
    logs = sorted(os.listdir(os.path.join(data, "audit")))
    equal(len(logs), 2, f"logs: {logs}")
    for folder in [data, os.path.join(data, "audit"), *[os.path.join(data, "audit", log) for log in logs]]:
        done = verify(folder)
        equal((done.returncode, done.err), (0, ""), f"verify {os.path.basename(folder)}")
    done = verify(data, "--json")
    report = json.loads(done.out)
    equal((report["verified"], len(report["logs"])), (True, 2), "--json")
    equal(digest(data), before, "the data directory: verifying writes nothing")


@case("verify against an earlier checkpoint and a public key kept elsewhere", smoke=True)
def against_checkpoint():
    recorded = SHARED.get()
    scene = recorded.scene
    path = os.path.join(scene.folder, "checkpoint")
    with open(path, "w", encoding="utf-8") as file:
        file.write(recorded.checkpoint)
    done = verify(scene.data, "--checkpoint", path)
    equal(done.returncode, 0, f"verify --checkpoint: {done.err}")
    audit = os.path.join(scene.data, "audit")
    tenant = next(log for log in os.listdir(audit) if log != "installation")
    key = next(n for n in os.listdir(os.path.join(audit, tenant)) if "key" in n)
    done = verify(scene.data, "--public-key", os.path.join(audit, tenant, key))
    equal(done.returncode, 0, f"verify --public-key: {done.err}")

    with Scene(policy=WIDE) as other:
        scene_key = os.path.join(audit, tenant, key)
        other.stop()
        done = verify(other.data, "--public-key", scene_key)
        equal(done.returncode, 5, "the key of another installation")
        one_sentence(done.err)
        done = verify(other.data, "--checkpoint", path)
        equal(done.returncode, 5, "the checkpoint of another installation")


@case("any flipped byte of the audit folders fails with code 5", smoke=True)
def flipped():
    data = SHARED.get().scene.data
    files = []
    for path, _, names in os.walk(os.path.join(data, "audit")):
        files += [os.path.join(path, name) for name in names]
    expect(len(files) >= 8, f"few files: {files}")
    for name in sorted(files):
        with open(name, "rb") as file:
            clean = file.read()
        for at in sorted({0, len(clean) // 3, len(clean) // 2, len(clean) - 1}):
            if not clean:
                continue
            damaged = bytearray(clean)
            damaged[at] ^= 1
            with open(name, "wb") as file:
                file.write(damaged)
            done = verify(data)
            with open(name, "wb") as file:
                file.write(clean)
            what = f"{os.path.relpath(name, data)}, byte {at} of {len(clean)}"
            equal(done.returncode, 5, what)
            one_sentence(done.err)
    equal(verify(data).returncode, 0, "everything put back")


@case("a truncated, removed, added or swapped file fails with code 5")
def shape():
    scene = SHARED.get().scene
    audit = os.path.join(scene.data, "audit")
    tenant = next(log for log in os.listdir(audit) if log != "installation")
    work = os.path.join(scene.folder, "copy")

    def damaged(change):
        shutil.copytree(scene.data, work)
        try:
            change(os.path.join(work, "audit"))
            return verify(work)
        finally:
            shutil.rmtree(work)

    def all_files(root):
        return sorted(os.path.join(p, n) for p, _, names in os.walk(root) for n in names)

    count = len(all_files(audit))
    for index in range(count):
        for name, change in {
            "removed": os.unlink,
            "truncated": lambda path: os.truncate(path, max(0, os.path.getsize(path) - 1)),
            "emptied": lambda path: os.truncate(path, 0),
        }.items():
            done = damaged(lambda root, i=index, c=change: c(all_files(root)[i]))
            equal(done.returncode, 5, f"{os.path.relpath(all_files(audit)[index], audit)} {name}")
    done = damaged(lambda root: open(os.path.join(root, tenant, "extra"), "wb").close())
    equal(done.returncode, 5, "a file that does not belong there")
    done = damaged(lambda root: os.rename(os.path.join(root, tenant), os.path.join(root, "0" * 32)))
    equal(done.returncode, 5, "a log under another tenant's name")
    done = verify(os.path.join(scene.folder, "nowhere"))
    equal(done.returncode, 4, "no folder there")
    one_sentence(done.err)


@case("the log is appended to across restarts")
def across_restarts():
    with Scene(policy=WIDE) as scene:
        before = tree_sizes(scene)
        scene.restart()
        expect(tree_sizes(scene) > before, "a restart left no entry of the policy it loaded")
        scene.stop()
        done = verify(scene.data)
        equal(done.returncode, 0, f"verify: {done.err}")
        contains(done.out, "verified", "what it prints")

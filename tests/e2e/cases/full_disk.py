"""A disk that is full, on a small file system of its own (needs root to mount one)."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time

from support import gateway, settings, wire
from support.case import Skip, case, equal, expect, shown
from support.gateway import Scene, one_sentence
from support.policies import WIDE


@contextlib.contextmanager
def small_disk(size):
    if os.geteuid() != 0:
        raise Skip("only root can mount the small file system that this needs")
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-disk-") as folder:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False
        )
        if done.returncode != 0:
            raise Skip(f"a tmpfs cannot be mounted here: {done.stderr.decode().strip()}")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", folder], check=False, capture_output=True)


def fill(folder):
    """Takes every byte that is left; answers the file that holds them."""
    path = os.path.join(folder, "ballast")
    with open(path, "ab", buffering=0) as file:
        for piece in (1 << 16, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * piece)
                    if piece == 1 and os.statvfs(folder).f_bavail > 0:
                        break
    return path


@contextlib.contextmanager
def audit_on(scene, disk):
    """The scene's audit logs on a file system of their own; the scene is stopped."""
    place, audit = os.path.join(disk, "audit"), os.path.join(scene.data, "audit")
    shutil.copytree(audit, place)
    done = subprocess.run(["mount", "--bind", place, audit], capture_output=True, check=False)
    if done.returncode != 0:
        raise Skip(f"a bind mount is not possible here: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", audit], check=False, capture_output=True)


@case("the disk under the audit log fills: no value, no right and no key operation without a record; forms go on", smoke=True)
def audit_disk_fills():
    with small_disk("3m") as disk, Scene(policy=WIDE) as scene:
        scene.stop()
        with audit_on(scene, disk):
            scene.start()

            def submit(name):
                received = scene.submit(wire.request("POST", "/contact", wire.form({"name": name}), wire.FORM))
                return dict(wire.form_fields(received.body))["name"]

            token = submit("Anne")
            ballast = fill(disk)
            body = {"purpose": "contact", "reason": "r", "tokens": [token]}
            for path, request, who in (
                ("/v1/reidentify", body, scene.dpo),
                ("/v1/dossier", {"reason": "r"}, scene.dpo),
                ("/v1/tenants", {"name": "more", "reason": "r"}, scene.administrator),
                ("/v1/keys/confirm", {"reason": "r"}, scene.administrator),
                ("/v1/backup", {"kind": "data"}, scene.administrator),
            ):
                status, _, answer = scene.admin.call("POST", path, request, who)
                equal((status, json.loads(answer)["reason"]), (503, "audit-unavailable"), path)
                expect(b"Anne" not in answer, "a value without an entry")
            status, headers, answer = scene.admin.call(
                "POST", "/v1/reidentify", body, scene.dpo, headers=[("Accept", "application/x-ndjson")]
            )
            equal((status, headers["Content-Type"]), (503, "application/problem+json"), "as lines")
            # Protection goes on, for values never seen before too; and what was recorded stays readable.
            submit("Bernard")
            status, _, _ = scene.admin.call("GET", "/v1/audit/checkpoint", credential=scene.dpo)
            equal(status, 200, "the checkpoint")
            os.unlink(ballast)
            equal(scene.reveal([token]), ["Anne"], "with room again, without a restart")
            scene.stop()
            done = gateway.run("audit", "verify", scene.data)
            equal(done.returncode, 0, f"verify: {done.err}")


@case("init on a full disk: code 4, one sentence, and a later init works", smoke=True)
def init_full():
    with small_disk("1m") as disk, tempfile.TemporaryDirectory() as folder:
        ballast = fill(disk)
        data, key = os.path.join(disk, "data"), os.path.join(folder, "root.key")
        done = gateway.run("init", "--data", data, "--root-key", key, "--json")
        equal((done.returncode, done.out), (4, ""), f"init ({done.err})")
        expect("full" in one_sentence(done.err), done.err)
        os.unlink(ballast)
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        done = gateway.run("init", "--data", data, "--root-key", key, "--json")
        equal(done.returncode, 0, f"init with room ({done.err})")


@case("a root key that cannot be written for want of room: code 4, nothing half made")
def key_full():
    with small_disk("1m") as disk, tempfile.TemporaryDirectory() as folder:
        fill(disk)
        data, key = os.path.join(folder, "data"), os.path.join(disk, "root.key")
        done = gateway.run("init", "--data", data, "--root-key", key, "--json")
        equal((done.returncode, done.out), (4, ""), f"init ({done.err})")
        one_sentence(done.err)
        equal(os.path.exists(key), False, "a root key, whole or in part")


@case("the disk fills while the gateway runs: new values are refused, nothing is lost", smoke=True)
def fills_while_running():
    with small_disk("40m") as disk:
        scene = Scene(policy=WIDE, start=False)
        scene.data = os.path.join(disk, "data")
        with scene:
            scene.start()

            def send(number):
                # Many long names, so that the store soon fills what it had reserved beforehand.
                people = [{"name": f"visitor{number} {i} " + "n" * 3900} for i in range(60)]
                return scene.exchange(wire.request("POST", "/contact", json.dumps({"people": people}), wire.JSON))

            def first_token(request):
                return json.loads(request.body)["people"][0]["name"]

            equal(send(0).status, 200, "before")
            first = first_token(scene.upstream.last())
            scene.upstream.clear()
            ballast = fill(disk)
            answers = []
            for number in range(1, 2000):
                answers.append(send(number))
                if sum(answer.status != 200 for answer in answers[-5:]) == 5:
                    break
            refused = [answer for answer in answers if answer.status != 200]
            expect(refused, "no request was refused on a full disk")
            for answer in refused:
                seen = (answer.status, answer.json()["reason"])
                equal(seen, (503, "store-unavailable"), "the answer")
                expect("visitor" not in answer.body.decode(), f"a value: {answer!r}")
            went = len(answers) - len(refused)
            equal(scene.upstream.count(), went, "only what was acknowledged reached the upstream")
            acknowledged = [first_token(request) for request in scene.upstream.requests]
            expect(scene.admin.refusals("store-unavailable") == len(refused), "counter")
            equal(send(0).status, 200, "values that are known already")

            # Re-identification needs its entry: on a full disk, no entry and no value.
            status, _, body = scene.admin.call(
                "POST", "/v1/reidentify",
                {"purpose": "contact", "reason": "x" * 900, "tokens": [first] * 900}, scene.dpo,
            )  # fmt: skip
            expect(status in (200, 503), f"reidentify answers {status}")
            expect(status == 200 or b"visitor" not in body, "a value without an entry")

            os.unlink(ballast)
            deadline = time.monotonic() + 30 * settings.PATIENCE
            answer = send(5000)
            while answer.status != 200 and time.monotonic() < deadline:
                time.sleep(0.5)
                answer = send(5000)
            equal(answer.status, 200, f"with room again, and without a restart: {answer!r}")
            values = scene.reveal([first, *acknowledged])
            for number, value in enumerate(values):
                expect(value.startswith(f"visitor{number} 0 n"), f"token {number} is {shown(value, 40)}")
            scene.restart()
            equal(scene.reveal([first]), values[:1], "the first token after a restart")

"""A disk that is full, on a small file system of its own (needs root to mount one)."""

import contextlib
import os
import subprocess
import tempfile

from support import gateway, tokens, wire
from support.case import Skip, case, equal, expect
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
    with small_disk("24m") as disk:
        scene = Scene(policy=WIDE, start=False)
        scene.data = os.path.join(disk, "data")
        with scene:
            scene.start()

            def send(number):
                # A long name, so that the store fills what it had reserved beforehand.
                fields = {"email": f"visitor{number}@example.fr", "name": f"{number} " + "n" * 3900}
                return scene.exchange(wire.request("POST", "/contact", wire.form(fields), wire.FORM))

            equal(send(0).status, 200, "before")
            first = dict(wire.form_fields(scene.upstream.last().body))["email"]
            scene.upstream.clear()
            ballast = fill(disk)
            answers = []
            for number in range(1, 20000):
                answers.append(send(number))
                if sum(answer.status != 200 for answer in answers[-20:]) == 20:
                    break
            refused = [answer for answer in answers if answer.status != 200]
            expect(refused, "no request was refused on a full disk")
            for answer in refused:
                seen = (answer.status, answer.json()["reason"])
                equal(seen, (503, "store-unavailable"), "the answer")
                expect("visitor" not in answer.body.decode(), f"a value: {answer!r}")
            went = len(answers) - len(refused)
            equal(scene.upstream.count(), went, "only what was acknowledged reached the upstream")
            acknowledged = [
                dict(wire.form_fields(request.body))["email"] for request in scene.upstream.requests
            ]
            expect(scene.admin.refusals("store-unavailable") == len(refused), "counter")

            equal(send(0).status, 200, "a value that is known already")
            scene.upstream.requests.pop()

            # Re-identification needs its entry: on a full disk, no entry and no value.
            status, _, body = scene.admin.call(
                "POST", "/v1/reidentify",
                {"purpose": "contact", "reason": "x" * 900, "tokens": [first] * 900}, scene.dpo,
            )  # fmt: skip
            expect(status in (200, 503), f"reidentify answers {status}")
            expect(status == 200 or b"visitor" not in body, "a value without an entry")

            os.unlink(ballast)
            answer = send(50000)
            if answer.status != 200:  # the store may need one more try, or a restart, to go on
                scene.restart()
                scene.upstream.clear()
                answer = send(50000)
            equal(answer.status, 200, f"with room again: {answer!r}")
            for email in [first, *acknowledged]:
                tokens.email_shaped(email)
            equal(scene.reveal([first]), ["visitor0@example.fr"], "the first token")
            values = scene.reveal(acknowledged) if acknowledged else []
            expect(all(v.startswith("visitor") for v in values), f"{values}")
            scene.restart()
            equal(scene.reveal([first]), ["visitor0@example.fr"], "the first token after a restart")

"""The root key under a key in a PKCS#11 token: SoftHSM2, installed and initialised here, wrong, pulled out, put back."""

import json
import os
import shutil
import subprocess
import tempfile
import time

from cases.unsealing import contact, expect_sealed, expect_working, seal, sealed_scene, unseal
from support import gateway, settings, wire
from support.case import Failure, case, contains, equal, expect, not_installed
from support.gateway import one_sentence

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "483921"


class Softhsm:
    """A SoftHSM2 with tokens of its own, initialised here."""

    def __init__(self):
        if not os.path.exists(MODULE) or shutil.which("softhsm2-util") is None:
            raise not_installed("softhsm2")
        self.folder = tempfile.mkdtemp(prefix="paravent-hsm-")
        self.tokens = os.path.join(self.folder, "tokens")
        os.mkdir(self.tokens)
        config = os.path.join(self.folder, "softhsm2.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"directories.tokendir = {self.tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = config

    def token(self, label):
        before = set(os.listdir(self.tokens))
        command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", PIN]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            raise Failure(f"softhsm2-util: {done.stderr.decode()}")
        return os.path.join(self.tokens, (set(os.listdir(self.tokens)) - before).pop())

    def close(self):
        os.environ.pop("SOFTHSM2_CONF", None)
        shutil.rmtree(self.folder, ignore_errors=True)


def with_softhsm(run):
    def wrapped():
        hsm = Softhsm()
        try:
            run(hsm)
        finally:
            hsm.close()

    wrapped.__module__ = run.__module__
    return wrapped


def token_scene(pin_file=True):
    """`pin_file`: else a person gives the PIN."""
    way = ["--pkcs11-module", MODULE, "--pkcs11-token", "paravent", "--pkcs11-key", "root", "--secret-fd", "0"]
    text = f"{{ pkcs11: {{ module: {MODULE}, token: paravent, key: root }} }}"
    scene, _ = sealed_scene(text, way, PIN.encode() + b"\n")
    if pin_file:
        file = os.path.join(scene.folder, "pin")
        with open(file, "w", encoding="utf-8") as out:
            out.write(PIN + "\n")
        os.chmod(file, 0o600)
        scene.extra = scene.extra.replace("key: root", f"key: root, pin-file: {file}")
    return scene


@case("PKCS#11: the PIN from a file or from a person; wrong PIN, token absent, key missing: code 4", smoke=True)
@with_softhsm
def pkcs11(hsm):
    token = hsm.token("paravent")
    hsm.token("empty")
    with token_scene() as scene:
        scene.start()
        expect_working(scene)
        equal(scene.stop(), 0, "serve")
        with_pin_file = scene.extra
        pin_file = os.path.join(scene.folder, "pin")

        def fails(word, code=4):
            scene.write_config()
            done = gateway.run("serve", "--config", scene.config_file)
            equal(done.returncode, code, f"{word}: {done.err}")
            contains(one_sentence(done.err), word, word)

        scene.extra = with_pin_file.replace("token: paravent", "token: elsewhere")
        fails("no token labelled elsewhere")
        scene.extra = with_pin_file.replace("key: root", "key: other")
        fails("no AES key labelled other")
        scene.extra = with_pin_file.replace("token: paravent", "token: empty")
        fails("no AES key labelled root")
        scene.extra = with_pin_file.replace(MODULE, "/nonexistent/module.so")
        fails("cannot be loaded", 3)
        scene.extra = with_pin_file
        with open(pin_file, "w", encoding="utf-8") as out:
            out.write("000000\n")
        fails("PIN of the token paravent is wrong")
        shutil.move(token, os.path.join(hsm.folder, "away"))
        fails("no token labelled paravent")
        shutil.move(os.path.join(hsm.folder, "away"), token)

        # By a person.
        scene.extra = with_pin_file.replace(f", pin-file: {pin_file}", "")
        scene.start()
        expect_sealed(scene)
        done = unseal(scene, "111111")
        equal(done.returncode, 4, "a wrong PIN")
        contains(one_sentence(done.err), "wrong", "a wrong PIN")
        time.sleep(1.1)
        equal(unseal(scene, PIN).returncode, 0, "the PIN")
        expect_working(scene)


@case("PKCS#11: a token pulled out in mid-work closes the way back; forward goes on; put back, all is well", smoke=True)
@with_softhsm
def pulled_out(hsm):
    token = hsm.token("paravent")
    with token_scene() as scene:
        scene.start()
        value = expect_working(scene)
        away = os.path.join(hsm.folder, "away")
        shutil.move(token, away)
        deadline = time.monotonic() + 20 * settings.PATIENCE
        while True:
            status, _, body = scene.admin.call("POST", "/v1/reidentify", {"purpose": "contact", "reason": "x", "tokens": [value]}, scene.dpo)
            if status == 503:
                break
            expect(time.monotonic() < deadline, "the way back stays open without the token")
            time.sleep(0.2)
        equal(json.loads(body)["reason"], "sealed", "re-identification")
        contains(json.loads(body)["title"], "token", "the sentence")
        equal(dict(wire.form_fields(scene.submit(contact()).body))["name"], value, "forward")
        status, _, body = scene.admin.call("GET", "/readyz")
        equal((status, json.loads(body)), (200, {"status": "ready", "reveal": "sealed"}), "/readyz")
        shutil.move(away, token)
        while scene.admin.call("POST", "/v1/reidentify", {"purpose": "contact", "reason": "x", "tokens": [value]}, scene.dpo)[0] != 200:
            expect(time.monotonic() < deadline, "the way back stays closed with the token")
            time.sleep(0.2)
        equal(scene.reveal([value]), ["Anne"], "with the token")
        equal(seal(scene).returncode, 0, "seal")
        expect_sealed(scene)
        equal(scene.admin.call("POST", "/v1/unseal", {})[0], 200, "unseal with the PIN of the file")
        equal(scene.reveal([value]), ["Anne"], "afterwards")


@case("PKCS#11: a token that comes back wants its PIN from a person again, and a wrong one changes nothing")
@with_softhsm
def pin_again(hsm):
    token = hsm.token("paravent")
    with token_scene(pin_file=False) as scene:
        scene.start()
        done = unseal(scene, PIN)
        equal((done.returncode, done.err), (0, ""), "the PIN")
        value = expect_working(scene)
        away = os.path.join(hsm.folder, "away")
        shutil.move(token, away)
        wait_for_reveal(scene, value, 503)
        done = unseal(scene, PIN)
        equal(done.returncode, 4, "without the token")
        contains(one_sentence(done.err), "no token labelled paravent", "without the token")
        shutil.move(away, token)
        time.sleep(0.1)
        done = unseal(scene, "999999")
        equal(done.returncode, 4, "a wrong PIN")
        contains(one_sentence(done.err), "wrong", "a wrong PIN")
        equal(scene.admin.call("GET", "/v1/keys", None, scene.administrator)[0], 503, "still closed")
        equal(dict(wire.form_fields(scene.submit(contact()).body))["name"], value, "forward")
        time.sleep(1.1)
        done = unseal(scene, PIN)
        equal((done.returncode, done.err), (0, ""), "the PIN again")
        equal(scene.reveal([value]), ["Anne"], "with the token")
        equal(scene.stop(), 0, "serve")
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify: {done.err}")


def wait_for_reveal(scene, value, wanted):
    deadline = time.monotonic() + 20 * settings.PATIENCE
    request = {"purpose": "contact", "reason": "x", "tokens": [value]}
    while scene.admin.call("POST", "/v1/reidentify", request, scene.dpo)[0] != wanted:
        expect(time.monotonic() < deadline, f"re-identification never answers {wanted}")
        time.sleep(0.2)

"""The PKCS#11 token is pulled out while the root key moves to it or from it: one sentence, nothing changed, and put back it goes on."""

import contextlib
import os
import shutil

from cases.unseal_change import TOKEN, rewrap, rewrap_running, use
from cases.unseal_pkcs11 import MODULE, PIN, token_scene, wait_for_reveal, with_softhsm
from cases.unsealing import contact, expect_working, unseal
from support import wire
from support.case import case, contains, equal, expect
from support.gateway import Scene, digest
from support.policies import WIDE

IN_TOKEN = f"{{ pkcs11: {{ module: {MODULE}, token: paravent, key: root }} }}"


@contextlib.contextmanager
def pulled_out(hsm, token):
    away = os.path.join(hsm.folder, "away")
    shutil.move(token, away)
    try:
        yield
    finally:
        shutil.move(away, token)


def keys_of(scene):
    return digest(os.path.join(scene.data, "keys"), ())


@case("PKCS#11: pulled out before the root key of a stopped gateway moves into it, or out of it: nothing changes")
@with_softhsm
def stopped(hsm):
    token = hsm.token("paravent")
    with Scene(policy=WIDE) as scene:
        value = expect_working(scene)
        equal(scene.stop(), 0, "serve")
        before = keys_of(scene)
        with pulled_out(hsm, token):
            sentence = rewrap(scene, "--root-key", scene.root_key, *TOKEN, secrets=[PIN], code=4)
            contains(sentence, "no token labelled paravent", "into it")
        equal(keys_of(scene), before, "the keys folder")
        rewrap(scene, "--root-key", scene.root_key, *TOKEN, secrets=[PIN])
        use(scene, IN_TOKEN)

        before, new_key = keys_of(scene), os.path.join(scene.folder, "again.key")
        with pulled_out(hsm, token):
            sentence = rewrap(scene, "--config", scene.config_file, "--new-root-key", new_key, secrets=[PIN], code=4)
            contains(sentence, "no token labelled paravent", "out of it")
        equal(keys_of(scene), before, "the keys folder")
        expect(not os.path.exists(new_key), "a key file was made for nothing")
        scene.start()
        equal(unseal(scene, PIN).returncode, 0, "the token, put back")
        equal(scene.reveal([value]), ["Anne"], "the value")


@case("PKCS#11: pulled out while a running gateway changes its root key: nothing changes, traffic goes on, put back it works")
@with_softhsm
def running(hsm):
    token = hsm.token("paravent")
    with token_scene() as scene:
        scene.start()
        value = expect_working(scene)
        before, new_key = keys_of(scene), os.path.join(scene.folder, "again.key")
        with pulled_out(hsm, token):
            wait_for_reveal(scene, value, 503)
            contains(rewrap_running(scene, "--new-root-key", new_key, code=6), "token that holds the root key was removed", "out of it")
            equal(dict(wire.form_fields(scene.submit(contact()).body))["name"], value, "forward")
        equal(keys_of(scene), before, "the keys folder")
        expect(not os.path.exists(new_key), "a key file was made for nothing")
        wait_for_reveal(scene, value, 200)
        rewrap_running(scene, "--new-root-key", new_key)
        equal(scene.reveal([value]), ["Anne"], "under a key file")

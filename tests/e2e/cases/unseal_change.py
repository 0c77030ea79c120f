"""The way to unseal is changed: of a stopped gateway and of a running one; and a restore by every way."""

import json
import os
import shutil
import tempfile
import time

from cases.unseal_pkcs11 import MODULE, PIN, token_scene, with_softhsm
from cases.unsealing import PASSPHRASE, expect_sealed, expect_working, passphrase_scene, seal, shares_scene, unseal
from support import gateway
from support.case import case, contains, equal, expect, lacks
from support.gateway import Scene, one_sentence
from support.policies import WIDE

TOKEN = ["--new-pkcs11-module", MODULE, "--new-pkcs11-token", "paravent", "--new-pkcs11-key", "root"]
OTHER = "another phrase of seven words for later"


def rewrap(scene, *options, secrets=(), code=0):
    """Of a stopped gateway."""
    stdin = "".join(secret + "\n" for secret in secrets).encode()
    done = gateway.run("keys", "rewrap", "--data", scene.data, "--secret-fd", "0", "--json", *options, stdin=stdin)
    equal(done.returncode, code, f"keys rewrap {options} ({done.err})")
    for secret in (PASSPHRASE, OTHER, PIN):
        lacks(done.out + done.err, secret, "what is printed")
    return [json.loads(line) for line in done.out.splitlines()] if code == 0 else one_sentence(done.err)


def rewrap_running(scene, *options, secrets=(), code=0):
    more = ["--reason", "change of custodians", "--admin", scene.admin.url, "--credential-file", scene.admin_credential_file()]
    return rewrap(scene, *options, *more, secrets=secrets, code=code)


def use(scene, text):
    """What the operator writes into the gateway file afterwards."""
    scene.root_key = None
    scene.extra = f"vault: {{ unseal: {text} }}"
    scene.write_config()


def serve_fails(scene, word):
    done = gateway.run("serve", "--config", scene.config_file)
    equal(done.returncode, 4, word)
    contains(one_sentence(done.err), word, word)


@case("keys rewrap, stopped: key file, pass-phrase, shares, token and back; the old way opens nothing", smoke=True)
@with_softhsm
def stopped(hsm):
    hsm.token("paravent")
    with Scene(policy=WIDE) as scene:
        value = expect_working(scene)
        equal(scene.stop(), 0, "serve")
        old_key = scene.root_key

        equal(rewrap(scene, "--root-key", old_key, "--new-passphrase", secrets=[PASSPHRASE])[-1], {"unseal": "{ passphrase: ask }"}, "what to write")
        serve_fails(scene, "unseals by passphrase, not by key-file")
        use(scene, "{ passphrase: ask }")
        scene.start()
        expect_sealed(scene)
        equal(unseal(scene, PASSPHRASE).returncode, 0, "the pass-phrase")
        equal(scene.reveal([value]), ["Anne"], "under a pass-phrase")
        equal(scene.stop(), 0, "serve")

        contains(rewrap(scene, "--new-shares", "2/3", secrets=["not the words it was made with"], code=4), "wrong", "a wrong pass-phrase")
        told = rewrap(scene, "--new-shares", "2/3", secrets=[PASSPHRASE])
        shares = told[0]["shares"]
        equal((len(shares), told[-1]), (3, {"unseal": "{ shares: 2 }"}), "shares")
        use(scene, "{ shares: 2 }")
        scene.start()
        equal(unseal(scene, *shares[1:]).returncode, 0, "two shares")
        equal(scene.reveal([value]), ["Anne"], "under shares")
        equal(scene.stop(), 0, "serve")

        contains(rewrap(scene, *TOKEN, secrets=[shares[0], ""], code=4), "nobody gave enough", "too few shares")
        contains(rewrap(scene, *TOKEN, secrets=[shares[0], shares[2], "000000"], code=4), "wrong", "a wrong PIN")
        rewrap(scene, *TOKEN, secrets=[shares[0], shares[2], PIN])
        use(scene, f"{{ pkcs11: {{ module: {MODULE}, token: paravent, key: root }} }}")
        scene.start()
        equal(unseal(scene, PIN).returncode, 0, "the PIN")
        equal(scene.reveal([value]), ["Anne"], "under a token")
        equal(scene.stop(), 0, "serve")

        new_key = os.path.join(scene.folder, "again.key")
        rewrap(scene, "--config", scene.config_file, "--new-root-key", new_key, secrets=[PIN])
        equal(os.path.exists(os.path.join(scene.data, "keys", "unseal")), False, "the record of the token")
        scene.extra, scene.root_key = "", old_key
        scene.write_config()
        serve_fails(scene, "root key is not the one")
        scene.root_key = new_key
        scene.start()
        equal(scene.reveal([value]), ["Anne"], "under a key file again")
        equal(scene.stop(), 0, "serve")
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify: {done.err}")


@case("keys rewrap, running: nothing stops, the old way is over at once, seal and unseal go by the new one", smoke=True)
@with_softhsm
def running(hsm):
    hsm.token("paravent")
    with Scene(policy=WIDE) as scene:
        value = expect_working(scene)
        done = gateway.run("keys", "rewrap", "--data", scene.data, "--root-key", scene.root_key, "--new-passphrase")
        equal(done.returncode, 4, "without a credential")
        contains(one_sentence(done.err), "--credential-file", "without a credential")
        told = rewrap_running(scene, "--root-key", scene.root_key, "--new-shares", "2/3")
        shares = told[0]["shares"]
        equal(scene.reveal([value]), ["Anne"], "while it runs")
        equal(seal(scene).returncode, 0, "seal")
        expect_sealed(scene)
        status, _, body = scene.admin.call("POST", "/v1/unseal", {})
        equal((status, json.loads(body)["method"], json.loads(body)["needed"]), (200, "shares", 2), "what is wanted now")
        equal(unseal(scene, *shares[:2]).returncode, 0, "shares")

        # The present root key takes a quorum: no admin replaces it alone.
        word = rewrap_running(scene, "--new-passphrase", secrets=[shares[0], shares[0], PASSPHRASE], code=4)
        contains(word, "in people's hands", "one share twice")
        status, _, body = scene.admin.call("POST", "/v1/rewrap", {"root_key_file": "/tmp/x", "reason": "r"}, scene.administrator)
        equal((status, json.loads(body)["reason"]), (403, "unseal-refused"), "without shares")
        told = rewrap_running(scene, "--new-shares", "2/2", secrets=shares[1:])
        gone, shares = shares, told[0]["shares"]
        equal(seal(scene).returncode, 0, "seal")
        contains(one_sentence(unseal(scene, *gone[:2]).err), "another set", "shares from before")
        equal(unseal(scene, *shares).returncode, 0, "the new shares")

        # An offer of shares that nobody confirms changes nothing.
        offer = {"shares": "2/3", "reason": "r", "present": shares}
        status, _, body = scene.admin.call("POST", "/v1/rewrap", offer, scene.administrator)
        equal((status, len(json.loads(body)["shares"])), (200, 3), "an offer")
        first = json.loads(body)["confirm"]
        status, _, body = scene.admin.call("POST", "/v1/rewrap", offer, scene.administrator)
        equal(scene.admin.call("POST", "/v1/rewrap", {"confirm": first, "reason": "r"}, scene.administrator)[0], 403, "an offer that was replaced")
        ticket = json.loads(body)["confirm"]
        expect(os.path.exists(os.path.join(scene.data, "keys", "unseal.next")), "the record of the offer")
        equal(seal(scene).returncode, 0, "seal")
        equal(os.path.exists(os.path.join(scene.data, "keys", "unseal.next")), False, "the record after sealing")
        time.sleep(0.1)
        equal(unseal(scene, *shares).returncode, 0, "the shares in force still")
        equal(scene.admin.call("POST", "/v1/rewrap", {"confirm": ticket, "reason": "r"}, scene.administrator)[0], 403, "an offer from before")

        # Killed with an offer open: the way in force opens, and what was left of the offer goes.
        scene.admin.call("POST", "/v1/rewrap", offer, scene.administrator)
        use(scene, "{ shares: 2 }")
        scene.kill()
        expect(os.path.exists(os.path.join(scene.data, "keys", "unseal.next")), "left behind")
        scene.start()
        equal(unseal(scene, *shares).returncode, 0, "after a kill")
        equal(os.path.exists(os.path.join(scene.data, "keys", "unseal.next")), False, "the record after unsealing")

        # To a token, which is watched from then on; killed right after the answer.
        rewrap_running(scene, *TOKEN, secrets=[*shares, PIN])
        time.sleep(3)
        equal(scene.reveal([value]), ["Anne"], "with the token")
        # A token that is not there is no reason to lose the one that is.
        other = [word.replace("paravent", "paravnet") for word in TOKEN]
        contains(rewrap_running(scene, "--root-key", scene.root_key or "unused", *other, secrets=[PIN], code=4), "no token labelled paravnet", "a mistyped token")
        time.sleep(3)
        equal(scene.reveal([value]), ["Anne"], "with the token in force after a mistyped one")
        use(scene, f"{{ pkcs11: {{ module: {MODULE}, token: paravent, key: root }} }}")
        scene.kill()
        scene.start()
        equal(unseal(scene, PIN).returncode, 0, "the PIN")
        key = os.path.join(scene.folder, "last.key")
        rewrap_running(scene, "--config", scene.config_file, "--new-root-key", key)
        scene.extra, scene.root_key = "", key
        scene.restart()
        equal(scene.reveal([value]), ["Anne"], "under a key file again")
        status, _, body = scene.admin.call("POST", "/v1/policy/reload", None, scene.administrator)
        equal(status, 200, f"a reload ({body})")
        equal(scene.stop(), 0, "serve")
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify: {done.err}")


@case("an offer of shares is void: after a way that cannot be taken, another that is, the end of the gateway; not after a wrong ticket")
def voided():
    with Scene(policy=WIDE) as scene:
        value = expect_working(scene)
        record = os.path.join(scene.data, "keys", "unseal.next")

        def ask(wish, status, word):
            got, _, body = scene.admin.call("POST", "/v1/rewrap", dict(wish, reason="r"), scene.administrator)
            equal(got, status, f"{word} ({body})")
            return json.loads(body)

        def offer():
            ticket = ask({"shares": "2/3"}, 200, "an offer")["confirm"]
            expect(os.path.exists(record), "the record of the offer")
            return ticket

        def expect_void(ticket, word):
            equal(os.path.exists(record), False, f"the record, {word}")
            equal(ask({"confirm": ticket}, 403, word)["reason"], "unseal-refused", word)
            equal(os.path.exists(os.path.join(scene.data, "keys", "unseal")), False, f"a record in force, {word}")
            equal(scene.reveal([value]), ["Anne"], word)

        ticket = offer()
        ask({"root_key_file": os.path.join(scene.data, "inside.key")}, 400, "a key file inside of the data")
        expect_void(ticket, "after a way that could not be taken")

        ticket = offer()
        scene.root_key = os.path.join(scene.folder, "another.key")
        ask({"root_key_file": scene.root_key}, 200, "another key file")
        expect_void(ticket, "after another way was taken")
        scene.write_config()

        ticket = offer()
        equal(scene.stop(), 0, "serve")
        equal(os.path.exists(record), False, "the record after the end")
        scene.start()
        expect_void(ticket, "after the end of the gateway")

        ticket = offer()
        ask({"confirm": "0" * 32}, 403, "a wrong ticket")
        expect(os.path.exists(record), "the record after a wrong ticket")
        equal(ask({"confirm": ticket}, 200, "the right one")["method"], "shares", "what is in force")
        ask({"confirm": ticket}, 403, "the same once more")
        equal(scene.reveal([value]), ["Anne"], "under shares")
        use(scene, "{ shares: 2 }")
        equal(scene.stop(), 0, "serve")
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify: {done.err}")


@case("POST /v1/rewrap takes one way and a reason, and nothing else; to a systemd credential")
def bodies():
    with Scene(policy=WIDE) as scene:
        value = expect_working(scene)
        for body in (
            {"reason": "r"},
            {"passphrase": OTHER},
            {"reason": "r", "passphrase": OTHER, "shares": "2/3"},
            {"reason": "r", "passphrase": OTHER, "other": 1},
            {"reason": "r", "passphrase": "hunter2"},
            {"reason": "r", "shares": "3/2"},
            {"reason": "r", "shares": "1/3"},
            {"reason": "r", "root_key_file": "relative"},
            {"reason": "r", "root_key_file": scene.root_key},
            {"reason": "r", "confirm": "x", "present": ["y"]},
            {"reason": "r", "present": "y", "shares": "2/3"},
            {"reason": "r", "pkcs11": {"module": MODULE, "token": "t", "key": "k"}},
            {"reason": "r", "systemd_credential": "../x"},
            b"[]",
        ):  # fmt: skip
            status, _, answer = scene.admin.call("POST", "/v1/rewrap", body, scene.administrator)
            equal(status, 400, f"{body}: {answer}")
            lacks(answer.decode() if isinstance(answer, bytes) else answer, "hunter2", "the answer")
        status, _, answer = scene.admin.call("POST", "/v1/rewrap", {"reason": "r", "systemd_credential": "x"}, scene.administrator)
        equal(status, 409, f"without systemd: {answer}")
        # Not among the vault's own files; and no code that somebody else could have put there.
        for name in ("keys/unseal", "keys/unseal.next", "root.key", "store/../keys/new"):
            body = {"reason": "r", "root_key_file": os.path.join(scene.data, name)}
            status, _, answer = scene.admin.call("POST", "/v1/rewrap", body, scene.administrator)
            equal(status, 400, f"{name}: {answer}")
            expect(b"outside of the data directory" in answer, f"{name}: {answer}")
            equal(os.path.exists(os.path.join(scene.data, name)), False, name)
        module = os.path.join(scene.folder, "module.so")
        for source in (MODULE, "/etc/passwd"):
            if os.path.exists(source):
                shutil.copy(source, module)
                os.chmod(module, 0o666)
                body = {"reason": "r", "pkcs11": {"module": module, "token": "t", "key": "k", "pin": PIN}}
                status, _, answer = scene.admin.call("POST", "/v1/rewrap", body, scene.administrator)
                equal(status, 400, f"a module that others can write: {answer}")
                expect(b"not taken from there" in answer, f"{answer}")
        equal(scene.admin.call("POST", "/v1/rewrap", {"reason": "r", "shares": "2/3"}, scene.dpo)[0], 403, "the DPO")
        equal(scene.stop(), 0, "serve")

        # The next root key lies where systemd puts it.
        credentials = os.path.join(scene.folder, "credentials")
        os.mkdir(credentials, 0o700)
        key = os.path.join(scene.folder, "next.key")
        equal(gateway.run("init", "--data", os.path.join(scene.folder, "scrap"), "--root-key", key, "--json").returncode, 0, "a root key")
        shutil.move(key, os.path.join(credentials, "paravent-root"))
        os.environ["CREDENTIALS_DIRECTORY"] = credentials
        try:
            told = rewrap(scene, "--root-key", scene.root_key, "--new-systemd-credential", "paravent-root")
            equal(told[-1], {"unseal": "{ systemd-credential: paravent-root }"}, "what to write")
            use(scene, told[-1]["unseal"])
            scene.start()
            equal(scene.reveal([value]), ["Anne"], "under the credential")
            # And from there, while it runs, to a pass-phrase.
            rewrap_running(scene, "--config", scene.config_file, "--new-passphrase", secrets=[PASSPHRASE])
            for text in ("{ passphrase: ask }", f"{{ passphrase: {{ file: {scene.folder}/words }} }}", "{ shares: 2 }"):
                use(scene, text)
                status, _, answer = scene.admin.call("POST", "/v1/policy/reload", None, scene.administrator)
                equal(status, 422 if "shares" in text else 200, f"a reload with {text}: {answer}")
            use(scene, "{ passphrase: ask }")
            scene.restart()
            equal(unseal(scene, PASSPHRASE).returncode, 0, "the pass-phrase")
            equal(scene.reveal([value]), ["Anne"], "under the pass-phrase")
        finally:
            del os.environ["CREDENTIALS_DIRECTORY"]


def both_backups(scene, folder, secrets):
    """Of a stopped gateway, by its gateway file."""
    data, keys = os.path.join(folder, "data.pvbackup"), os.path.join(folder, "keys.pvbackup")
    stdin = "".join(secret + "\n" for secret in secrets).encode()
    for out, options in ((data, ()), (keys, ("--keys",))):
        done = gateway.run("backup", scene.data, out, "--config", scene.config_file, *options, stdin=stdin)
        equal(done.returncode, 0, f"backup {options} ({done.err})")
    return data, keys


def restore(data, keys, folder, *options, secrets=(), code=0):
    stdin = "".join(secret + "\n" for secret in secrets).encode()
    done = gateway.run("restore", data, "--keys", keys, "--data", folder, "--secret-fd", "0", "--json", *options, stdin=stdin)
    equal(done.returncode, code, f"restore {options} ({done.err})")
    if code != 0:
        expect(not os.path.exists(folder), "nothing is left behind")
        for more in (".restoring", ".unsealing"):
            expect(not os.path.exists(folder + more), f"{more} is left behind")
        return one_sentence(done.err)
    return json.loads(done.out)


@case("after a change of the root key, backups from before restore with each other and the old key, and the new ones with the new")
def old_backups():
    with Scene(policy=WIDE) as scene, tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        value = expect_working(scene)
        equal(scene.stop(), 0, "serve")
        old_key, new_key = scene.root_key, os.path.join(folder, "new.key")
        made = {}
        for moment, key in (("old", old_key), ("new", new_key)):
            for kind, options in (("data", ()), ("keys", ("--keys",))):
                made[moment, kind] = os.path.join(folder, f"{moment}.{kind}")
                done = gateway.run("backup", scene.data, made[moment, kind], "--root-key", key, *options)
                equal(done.returncode, 0, f"backup ({done.err})")
            if moment == "old":
                done = gateway.run("keys", "rewrap", "--data", scene.data, "--root-key", old_key, "--new-root-key", new_key)
                equal(done.returncode, 0, f"rewrap ({done.err})")
                contains(done.out, "Make both backups now", "what the command says")
        target = os.path.join(folder, "machine")
        for key in (old_key, new_key):
            contains(restore(made["old", "data"], made["new", "keys"], target, "--root-key", key, code=4), "root key is not the one", "mixed")
        for moment, key in (("old", old_key), ("new", new_key)):
            restore(made[moment, "data"], made[moment, "keys"], target, "--root-key", key)
            shutil.rmtree(scene.data)
            shutil.move(target, scene.data)
            scene.root_key = key
            scene.start()
            equal(scene.reveal([value]), ["Anne"], f"from the {moment} backups")
            equal(scene.stop(), 0, "serve")


@case("backup --config and restore where a pass-phrase, shares or a token make the root key", smoke=True)
@with_softhsm
def restored(hsm):
    hsm.token("paravent")
    hsm.token("foreign")
    shared, shares = shares_scene()
    token = ("--pkcs11-module", MODULE, "--pkcs11-token", "paravent", "--pkcs11-key", "root")
    ways = (
        (passphrase_scene(), [PASSPHRASE], [OTHER], ()),
        (shared, shares, [shares[0], shares[0]], ()),
        (token_scene(pin_file=False), [PIN], ["000000"], token),
    )  # fmt: skip
    for scene, secrets, wrong, options in ways:
        with scene, tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
            scene.start()
            equal(unseal(scene, *secrets).returncode, 0, "unseal")
            value = expect_working(scene)
            # Of a running one, which asks nobody.
            running_keys = os.path.join(folder, "running.pvbackup")
            done = gateway.run("backup", scene.data, running_keys, "--keys", "--config", scene.config_file, "--admin", scene.admin.url, "--credential-file", scene.admin_credential_file())
            equal(done.returncode, 0, f"backup of a running one ({done.err})")
            equal(scene.stop(), 0, "serve")
            data, keys = both_backups(scene, folder, secrets)
            target = os.path.join(folder, "machine")
            restore(data, keys, target, *options, secrets=wrong, code=4)
            if options:
                contains(restore(data, keys, target, secrets=secrets, code=2), "--pkcs11-module", "which token")
                foreign = ("--pkcs11-module", MODULE, "--pkcs11-token", "foreign", "--pkcs11-key", "root")
                restore(data, keys, target, *foreign, secrets=secrets, code=4)
            contains(restore(keys, data, target, *options, secrets=secrets, code=4), "is a data backup", "the wrong way about")
            # The record is bound to the rest of the key backup.
            with open(keys, "rb") as file:
                whole = file.read()
            bad = os.path.join(folder, "bad.pvbackup")
            for at in (70, 90, 100):
                with open(bad, "wb") as file:
                    file.write(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
                restore(data, bad, target, *options, secrets=secrets, code=4)
            for one in (keys, running_keys):
                shutil.rmtree(target, ignore_errors=True)
                told = restore(data, one, target, *options, secrets=secrets)
                expect(told["rows"] >= 1 and told["indexed"] == told["rows"], f"{told}")
            # The second machine goes on by the same secret.
            shutil.rmtree(scene.data)
            shutil.move(target, scene.data)
            scene.start()
            equal(unseal(scene, *secrets).returncode, 0, "unseal the second machine")
            equal(scene.reveal([value]), ["Anne"], "the token of the first machine")
            equal(expect_working(scene), value, "the token of a known value")

"""How a vault is made and how the first credentials are handed over."""

import json
import os
import shutil
import re
import stat
import subprocess
import tempfile

from support import gateway, settings
from support.case import case, equal, expect, lacks
from support.gateway import Scene, digest, one_sentence
from support.policies import WIDE

CREDENTIAL = re.compile(r"[A-Za-z0-9_-]{32,}")


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def everything_in(folder):
    data = b""
    for path, _, files in os.walk(folder):
        for name in files:
            with open(os.path.join(path, name), "rb") as file:
                data += file.read()
    return data


@case("init --json prints the credentials once, and stores only hashes", smoke=True)
def init_json():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        data, key = os.path.join(folder, "data"), os.path.join(folder, "root.key")
        done = gateway.run("init", "--data", data, "--root-key", key, "--json")
        equal(done.returncode, 0, "exit code")
        shown = json.loads(done.out)
        equal(
            sorted(shown),
            ["admin_credential", "admin_operator", "credential", "operator"],
            "the keys of the JSON",
        )
        equal((shown["operator"], shown["admin_operator"]), ("dpo", "admin"), "the operators")
        stored = everything_in(folder)
        for name in ("credential", "admin_credential"):
            expect(CREDENTIAL.fullmatch(shown[name]), f"{name} is no credential")
            lacks(stored, shown[name].encode(), "what is stored")
        equal(mode(key), 0o600, "the mode of the root key")
        equal(mode(data), 0o700, "the mode of the data directory")
        for name in ("keys", "store", "operators", "audit"):
            expect(os.path.isdir(os.path.join(data, name)), f"{name}/ is missing")

        before = digest(folder)
        again = gateway.run("init", "--data", data, "--root-key", key, "--json")
        equal((again.returncode, again.out), (4, ""), "a second init")
        one_sentence(again.err)
        equal(digest(folder, ["data/lock"]), {k: v for k, v in before.items() if k != "data/lock"}, "files")


@case("init without --root-key puts the key beside the data, and warns")
def key_beside():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        data = os.path.join(folder, "data")
        done = gateway.run("init", "--data", data)
        equal(done.returncode, 0, "exit code")
        equal(mode(os.path.join(data, "root.key")), 0o600, "the mode of the root key")
        expect("warning" in done.err and "beside" in done.err, f"no warning: {done.err}")
        expect("root.key" in done.out and "dpo" in done.out, f"says little: {done.out}")
    with Scene(policy=WIDE, root_key=True) as scene:
        lacks(scene.stderr(), "beside", "standard error with the key elsewhere")
    with Scene(preset="contact-form", root_key=False) as scene:
        expect("beside" in scene.stderr(), "serve does not warn of the key beside the data")
        scene.restart()
        equal(scene.stderr().count("beside the data"), 2, "warnings, one per start")


@case("serve that initialises prints no credential and leaves them in a file of mode 0600", smoke=True)
def serve_initialises():
    with Scene(policy=WIDE) as scene:
        equal(mode(scene.first_credentials), 0o600, "the mode of first-credentials")
        both = scene.read_first_credentials()
        equal((both["operator"], both["admin_operator"]), ("dpo", "admin"), "the operators")
        for name in ("credential", "admin_credential"):
            lacks(scene.stderr(), both[name], "standard error")


@case("an initialisation that stopped before its operators were kept is finished, by init and by serve", smoke=True)
def finishes_what_was_interrupted():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        data, key = os.path.join(folder, "data"), os.path.join(folder, "root.key")
        arguments = ("init", "--data", data, "--root-key", key, "--json")
        with open("/dev/full", "wb") as nowhere:
            lost = subprocess.run(
                [settings.BINARY, *arguments], stdout=nowhere, stderr=subprocess.PIPE, timeout=60
            )
        equal(lost.returncode, 1, "exit code where nobody could read the credentials")
        done = gateway.run(*arguments)
        equal(done.returncode, 0, "exit code of the second init")
        expect(CREDENTIAL.fullmatch(json.loads(done.out)["credential"]), "no credential")
        equal(gateway.run(*arguments).returncode, 4, "exit code of a third")
    with Scene(policy=WIDE) as scene:
        scene.stop()
        # What a crash between the two durable steps of an initialisation leaves: everything, and no list of operators.
        shutil.rmtree(scene.data)
        os.remove(scene.root_key)
        done = gateway.run("init", "--data", scene.data, "--root-key", scene.root_key, "--json")
        equal(done.returncode, 0, f"init ({done.err})")
        never_valid = json.loads(done.out)["credential"]
        os.remove(os.path.join(scene.data, "operators", "operators"))
        scene.start()
        status, _, _ = scene.admin.call("GET", "/v1/audit/checkpoint", credential=never_valid)
        equal(status, 401, "a credential of the interrupted start")
        status, _, _ = scene.admin.call(
            "GET", "/v1/audit/checkpoint", credential=scene.read_first_credentials()["credential"]
        )
        equal(status, 200, "the credential of the start that finished it")


@case("each credential leaves that file at its own first use, the file goes with the last", smoke=True)
def leaves_at_first_use():
    with Scene(policy=WIDE) as scene:
        status, _, _ = scene.admin.call("GET", "/v1/audit/checkpoint", credential="pvcred_wrong")
        equal(status, 401, "a wrong credential")
        equal(len(scene.read_first_credentials()), 4, "entries after a wrong credential")
        status, _, _ = scene.admin.call("GET", "/v1/audit/checkpoint", credential=scene.dpo)
        equal(status, 200, "the DPO's checkpoint")
        left = scene.read_first_credentials()
        equal(left, {"admin_operator": "admin", "admin_credential": scene.administrator}, "left")
        equal(mode(scene.first_credentials), 0o600, "the mode of first-credentials")
        dpo = scene.dpo
        scene.restart()
        equal(scene.read_first_credentials(), left, "left after a restart")
        status, _, _ = scene.admin.call("GET", "/v1/audit/checkpoint", credential=scene.administrator)
        equal(status, 200, "the administrator's checkpoint")
        expect(not os.path.exists(scene.first_credentials), "the file is still there")
        for credential in (dpo, scene.administrator):
            lacks(everything_in(scene.data), credential.encode(), "the data directory")
            status, _, _ = scene.admin.call("GET", "/v1/audit/checkpoint", credential=credential)
            equal(status, 200, "the credential, used again")
            lacks(scene.stderr(), credential, "standard error")


@case("init, then serve: the credentials that init printed work")
def init_then_serve():
    with Scene(policy=WIDE, start=False) as scene:
        done = gateway.run("init", "--data", scene.data, "--root-key", scene.root_key, "--json")
        credentials = json.loads(done.out)
        scene.start()
        expect(not os.path.exists(scene.first_credentials), "serve left a file of its own")
        results = scene.admin.reidentify(credentials["credential"], ["pvv1nothing"])
        equal(results, [{"token": "pvv1nothing", "status": "malformed"}], "the DPO's answer")


@case("every command has --help and answers a wrong option with one sentence and code 2", smoke=True)
def help_texts():
    commands = [
        [], ["serve"], ["init"], ["check"], ["explain"], ["test"], ["policy"], ["policy", "apply"],
        ["reidentify"], ["vectors"], ["audit"], ["audit", "verify"], ["audit", "prove"], ["audit", "consistency"],
        ["audit", "export"], ["dossier"], ["honey"], ["honey", "plant"], ["honey", "list"], ["honey", "remove"],
    ]  # fmt: skip
    for command in commands:
        done = gateway.run(*command, "--help")
        equal((done.returncode, done.err), (0, ""), f"{command} --help")
        expect("--help" in done.out, f"{command} --help: {done.out}")
        done = gateway.run(*command, "--no-such-option")
        equal((done.returncode, done.out), (2, ""), f"{command} --no-such-option")
        one_sentence(done.err)


@case("groups of commands alone, and unknown ones, say what to do, with code 2")
def unknown_commands():
    for command in ("operators", "grants", "keys", "subjects"):
        done = gateway.run(command)
        equal(done.returncode, 2, command)
        expect("subcommand" in one_sentence(done.err), f"{command}: {done.err}")
    for wrong in ([], ["nonsense"]):
        done = gateway.run(*wrong)
        equal(done.returncode, 2, f"{wrong}")
        one_sentence(done.err)

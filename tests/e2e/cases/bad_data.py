"""Data directories and keys that are wrong: one sentence, the right code, nothing overwritten."""

import contextlib
import json
import os
import shutil
import socket
import tempfile

from support import gateway, wire
from support.case import Failure, Shared, case, contains, equal, expect
from support.gateway import Scene, digest, one_sentence
from support.policies import WIDE, bare


class Stopped:
    """A stopped scene with some tokens in its store, to be copied and damaged."""

    def __init__(self):
        self.scene = Scene(policy=WIDE)
        body = wire.form({"name": "Anne", "email": "anne@example.fr"})
        received = self.scene.submit(wire.request("POST", "/contact", body, wire.FORM))
        self.token = dict(wire.form_fields(received.body))["name"]
        self.scene.stop()
        self.scene.write_config()

    def close(self):
        self.scene.close()


SHARED = Shared(Stopped)


@contextlib.contextmanager
def copied():
    """A copy of the stopped scene: its folder, data and key."""
    stopped = SHARED.get().scene
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        shutil.copytree(stopped.data, os.path.join(folder, "data"))
        shutil.copy2(stopped.root_key, os.path.join(folder, "root.key"))
        with open(stopped.config_file, encoding="utf-8") as file:
            text = file.read().replace(stopped.data, os.path.join(folder, "data"))
        with open(os.path.join(folder, "gateway.yaml"), "w", encoding="utf-8") as file:
            file.write(text.replace(stopped.root_key, os.path.join(folder, "root.key")))
        yield folder


def serve_fails(folder, code, *words, leave_out=("data/lock",)):
    """serve ends with `code` and one sentence holding `words`, and touches nothing."""
    before = digest(folder, leave_out)
    done = gateway.run("serve", "--config", os.path.join(folder, "gateway.yaml"))
    sentence = one_sentence(done.err)
    equal((done.returncode, done.out), (code, ""), f"serve ({sentence})")
    for word in words:
        expect(word in sentence, f"{word!r} is missing in: {sentence}")
    after = digest(folder, leave_out)
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    expect(not changed, f"changed: {sorted(changed)}")


@case("the copy itself starts: what fails below fails for its own reason", smoke=True)
def copy_works():
    with copied() as folder:
        scene = Scene(policy=WIDE, start=False)
        shutil.rmtree(scene.data, ignore_errors=True)
        shutil.copytree(os.path.join(folder, "data"), scene.data)
        shutil.copy2(os.path.join(folder, "root.key"), scene.root_key)
        with scene:
            scene.start()
            scene._credentials = SHARED.get().scene._credentials
            equal(scene.reveal([SHARED.get().token]), ["Anne"], "the token")


@case("the root key file is missing: code 4, and no new one is made", smoke=True)
def key_missing():
    with copied() as folder:
        os.unlink(os.path.join(folder, "root.key"))
        serve_fails(folder, 4, "root.key", "missing")
        expect(not os.path.exists(os.path.join(folder, "root.key")), "a key was made")


@case("the root key file is truncated, at every length", smoke=True)
def key_truncated():
    size = os.path.getsize(SHARED.get().scene.root_key)
    for length in sorted({0, 1, 10, size // 2, size - 2, size - 1}):
        with copied() as folder:
            os.truncate(os.path.join(folder, "root.key"), length)
            serve_fails(folder, 4, "root.key")


@case("the root key file is altered, or has more in it")
def key_altered():
    size = os.path.getsize(SHARED.get().scene.root_key)
    for at in sorted({0, size // 3, size // 2, size - 4}):
        with copied() as folder:
            path = os.path.join(folder, "root.key")
            with open(path, "r+b") as file:
                file.seek(at)
                byte = file.read(1)
                file.seek(at)
                file.write(b"A" if byte != b"A" else b"B")
            serve_fails(folder, 4, "root.key")
    with copied() as folder:
        with open(os.path.join(folder, "root.key"), "ab") as file:
            file.write(b"\n")
        serve_fails(folder, 4, "root.key")


@case("the root key of another installation: code 4", smoke=True)
def key_foreign():
    with copied() as folder, tempfile.TemporaryDirectory() as other:
        done = gateway.run("init", "--data", os.path.join(other, "data"), "--root-key",
                           os.path.join(other, "root.key"))  # fmt: skip
        equal(done.returncode, 0, "init")
        shutil.copy2(os.path.join(other, "root.key"), os.path.join(folder, "root.key"))
        serve_fails(folder, 4, "key")


@case("a root key or data directory that others may read: code 4")
def modes():
    with copied() as folder:
        os.chmod(os.path.join(folder, "root.key"), 0o644)
        serve_fails(folder, 4, "root.key")
    with copied() as folder:
        os.chmod(os.path.join(folder, "data"), 0o755)
        serve_fails(folder, 4, "data")
    with copied() as folder:
        os.chmod(os.path.join(folder, "data", "keys"), 0o750)
        serve_fails(folder, 4, "keys")


@case("files of the key store altered, truncated or missing: code 4", smoke=True)
def key_store():
    keys = sorted(os.listdir(os.path.join(SHARED.get().scene.data, "keys")))
    expect(keys, "the key store has no file")
    for name in keys:
        for how in ("flip", "truncate", "empty", "remove"):
            with copied() as folder:
                path = os.path.join(folder, "data", "keys", name)
                if how == "remove":
                    os.unlink(path)
                elif how == "flip":
                    with open(path, "r+b") as file:
                        file.seek(os.path.getsize(path) // 2)
                        byte = file.read(1)
                        file.seek(-1, os.SEEK_CUR)
                        file.write(bytes([byte[0] ^ 1]))
                else:
                    os.truncate(path, os.path.getsize(path) // 2 if how == "truncate" else 0)
                serve_fails(folder, 4)


@case("the token store is gone, but the keys are there: code 4, no empty store in its place")
def store_missing():
    with copied() as folder:
        shutil.rmtree(os.path.join(folder, "data", "store"))
        os.mkdir(os.path.join(folder, "data", "store"), 0o700)
        serve_fails(folder, 4)


def damages(folder):
    """Every file of the token store, altered here and there, cut in half and gone."""
    for name in sorted(os.listdir(folder)):
        size = os.path.getsize(os.path.join(folder, name))
        if name == "LOCK" or size == 0:
            continue
        data = name.endswith((".sst", ".log"))
        for tenth in (1, 5, 9) if data else (5,):
            yield name, f"altered at {tenth} tenths", lambda old, at=size * tenth // 10: old[:at] + bytes([old[at] ^ 1]) + old[at + 1 :]
        yield name, "cut in half", lambda old, at=size // 2: old[:at]


@case("files of the token store altered or truncated: code 4 and one sentence, or refused; never another value, never a second token")
def store_damaged():
    with Scene(policy=WIDE) as scene:

        def answer(name):
            return scene.exchange(wire.request("POST", "/contact", wire.form({"name": name}), wire.FORM))

        def token(name):
            scene.upstream.clear()
            equal(answer(name).status, 200, f"the form of {name}")
            return dict(wire.form_fields(scene.upstream.last().body))["name"]

        # In a table, and in the log.
        tokens = {name: token(name) for name in ("Anne", "Bob")}
        scene.restart()
        tokens |= {name: token(name) for name in ("Carl", "Dora")}
        equal(scene.stop(), 0, "serve")
        store, whole = os.path.join(scene.data, "store"), os.path.join(scene.folder, "whole")
        shutil.copytree(store, whole)
        seen = set()
        for name, how, damaged in damages(whole):
            what = f"{name} {how}"
            shutil.rmtree(store)
            shutil.copytree(whole, store)
            os.chmod(store, 0o700)
            with open(os.path.join(whole, name), "rb") as file:
                old = file.read()
            with open(os.path.join(store, name), "wb") as file:
                file.write(damaged(old))
            told = len(scene.stderr())
            try:
                scene.start()
            except Failure as failure:
                contains(str(failure), "serve ended with 4", what)
                one_sentence(scene.stderr()[told:])
                seen.add("does not start")
                continue
            # A log that ends early is what a crash leaves: what was behind the cut is gone with it.
            cut = name.endswith(".log") and how == "cut in half"
            results = scene.admin.call("POST", "/v1/reidentify", {"purpose": "contact", "reason": "r", "tokens": list(tokens.values())}, scene.dpo)
            if results[0] == 200:
                for (value, one), result in zip(tokens.items(), json.loads(results[2])["results"], strict=True):
                    expect(result["status"] in ("revealed", "unavailable"), f"{what}: {result}")
                    if result["status"] == "revealed":
                        equal(result["value"], value, what)
                    else:
                        seen.add("unavailable")
            else:
                expect(results[0] == 503, f"{what}: {results[0]}")
            for value, one in tokens.items():
                scene.upstream.clear()
                status = answer(value).status
                expect(status in (200, 503), f"{what}: {status}")
                if status == 503:
                    seen.add("refused")
                elif not cut:
                    equal(dict(wire.form_fields(scene.upstream.last().body))["name"], one, f"{what}: the token of {value}")
            scene.kill()
        expect("does not start" in seen, f"nothing was noticed: {seen}")


@case("the audit log altered or truncated: code 4")
def audit_damaged():
    audit = os.path.join(SHARED.get().scene.data, "audit")
    for log in os.listdir(audit):
        with copied() as folder:
            path = os.path.join(folder, "data", "audit", log, "checkpoint")
            with open(path, "r+b") as file:
                file.seek(os.path.getsize(path) // 2)
                file.write(b"#")
            done = gateway.run("serve", "--config", os.path.join(folder, "gateway.yaml"))
            expect(done.returncode in (4, 5), f"serve ends with {done.returncode}: {done.err}")
            one_sentence(done.err)


@case("the list of operators altered: code 4")
def operators_damaged():
    folder_name = os.path.join(SHARED.get().scene.data, "operators")
    for name in os.listdir(folder_name):
        with copied() as folder:
            os.truncate(os.path.join(folder, "data", "operators", name), 5)
            # The store was opened by then, which makes RocksDB rotate its own files.
            serve_fails(folder, 4, leave_out=("data/lock", "data/store"))


@case("the operators of another installation: code 4, and nobody of theirs gets in")
def operators_foreign():
    with copied() as folder:
        other = os.path.join(folder, "other")
        done = gateway.run("init", "--data", other, "--root-key", os.path.join(folder, "other.key"))
        equal(done.returncode, 0, f"init of another one ({done.err})")
        mine = os.path.join(folder, "data", "operators")
        shutil.rmtree(mine)
        shutil.copytree(os.path.join(other, "operators"), mine)
        serve_fails(folder, 4, "operators", "another installation", leave_out=("data/lock", "data/store"))


@case("the list of operators lost: code 4, no new one, no new credentials, by serve and by init", smoke=True)
def operators_lost():
    def init_fails(folder):
        done = gateway.run("init", "--config", os.path.join(folder, "gateway.yaml"))
        equal((done.returncode, done.out), (4, ""), f"init ({done.err})")
        contains(one_sentence(done.err), "The list of operators", "init")
        expect(not os.path.exists(os.path.join(folder, "data", "operators", "operators")), "a list was made")

    with copied() as folder:
        os.unlink(os.path.join(folder, "data", "operators", "operators"))
        serve_fails(folder, 4, "The list of operators", "restore it from a data backup")
        init_fails(folder)
    with copied() as folder:
        shutil.rmtree(os.path.join(folder, "data", "operators"))
        serve_fails(folder, 4, "The list of operators")
    with copied() as folder:
        shutil.rmtree(os.path.join(folder, "data", "operators"))
        shutil.rmtree(os.path.join(folder, "data", "audit"))
        # The folders are there again, empty.
        serve_fails(folder, 4, "The list of operators", leave_out=("data/lock", "data/store", "data/operators", "data/audit"))
        equal((os.listdir(os.path.join(folder, "data", "operators")), os.listdir(os.path.join(folder, "data", "audit"))), ([], []), "nothing was made anew")


@case("the installation's audit log deleted whole: code 4, and it does not begin anew")
def audit_log_deleted():
    with copied() as folder:
        log = os.path.join(folder, "data", "audit", "installation")
        shutil.rmtree(log)
        serve_fails(folder, 4, leave_out=("data/lock", "data/store"))
        expect(not os.path.exists(log), "a new log was begun in silence")


@case("a tenant's audit log deleted whole: code 4, and it does not begin anew")
def tenant_log_deleted():
    with copied() as folder:
        logs = os.path.join(folder, "data", "audit")
        (tenant,) = [name for name in os.listdir(logs) if name != "installation"]
        shutil.rmtree(os.path.join(logs, tenant))
        serve_fails(folder, 4, leave_out=("data/lock", "data/store"))
        equal(os.listdir(logs), ["installation"], "no new log begun in silence")


@case("data that is a file, or cannot be made: code 4")
def no_directory():
    with Scene(policy=bare(), start=False) as scene:
        with open(scene.data, "w", encoding="utf-8"):
            pass
        scene.write_config()
        serve_fails(scene.folder, 4, "data", leave_out=())
        os.unlink(scene.data)
        scene.data = "/proc/paravent-data"
        scene.write_config()
        done = gateway.run("serve", "--config", scene.config_file)
        equal(done.returncode, 4, "a place where nothing can be made")
        one_sentence(done.err)


@case("a second gateway on the same directory: code 4, and the first goes on", smoke=True)
def second_gateway():
    with Scene(policy=bare()) as scene:
        before = digest(scene.data, ["store"])
        done = gateway.run("serve", "--config", scene.config_file)
        equal((done.returncode, done.out), (4, ""), f"the second ({done.err})")
        expect("another" in one_sentence(done.err).lower(), done.err)
        for command in (["init", "--data", scene.data, "--root-key", scene.root_key],
                        ["policy", "apply", scene.policy_file, "--data", scene.data, "--root-key",
                         scene.root_key]):  # fmt: skip
            done = gateway.run(*command)
            equal(done.returncode, 4, f"{command[0]} ({done.err})")
            one_sentence(done.err)
        equal(digest(scene.data, ["store"]), before, "the data directory")
        scene.submit(wire.request("POST", "/contact", b"email=a%40example.fr", wire.FORM))


@case("a busy port: code 3, for either listener", smoke=True)
def busy_port():
    with Scene(policy=bare()) as scene, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        scene.stop()
        for which in ("--listen", "--admin"):
            done = gateway.run("serve", "--config", scene.config_file, which, f"127.0.0.1:{port}")
            equal((done.returncode, done.out), (3, ""), f"{which} ({done.err})")
            expect(str(port) in one_sentence(done.err), f"no port in: {done.err}")
        scene.start()
        # Another gateway's port, with another directory.
        with Scene(policy=bare(), start=False) as other:
            other.write_config()
            done = gateway.run("serve", "--config", other.config_file, "--listen", f"127.0.0.1:{scene.port}")
            equal(done.returncode, 3, f"another gateway's port ({done.err})")
            one_sentence(done.err)


@case("an address that is not this machine's: code 3, as on the first start")
def foreign_address():
    with Scene(policy=bare()) as scene:
        scene.stop()
        # TEST-NET-3 (RFC 5737): no machine has it.
        done = gateway.run("serve", "--config", scene.config_file, "--listen", "203.0.113.9:8080", timeout=20)
        equal((done.returncode, done.out), (3, ""), done.err)
        contains(one_sentence(done.err), "203.0.113.9:8080", "the sentence")


@case("--data takes the place of `data` alone: the root key is the gateway file's")
def data_flag():
    with Scene(policy=bare(), start=False) as scene:
        scene.write_config()
        other = scene.data + "-other"
        equal(gateway.run("init", "--data", other).returncode, 0, "a vault with its key beside it")
        done = gateway.run("serve", "--config", scene.config_file, "--data", other, timeout=20)
        equal((done.returncode, done.out), (4, ""), done.err)
        contains(one_sentence(done.err), scene.root_key, "the sentence")
        expect(not os.path.exists(scene.root_key), "a root key was made")


@case("--data beside a gateway file that names no root key: init, serve and the others mean the same one")
def data_flag_and_key():
    with Scene(policy=bare(), start=False, root_key=False) as scene:
        scene.write_config()
        other = scene.data + "-other"
        where = ("--config", scene.config_file, "--data", other)
        equal(gateway.run("init", *where).returncode, 0, "init")
        expect(os.path.exists(os.path.join(other, "root.key")), "the key is not beside the data")
        done = gateway.run("policy", "apply", scene.policy_file, *where)
        equal(done.returncode, 0, f"policy apply ({done.err})")
        done = gateway.run("backup", other, os.path.join(scene.folder, "out"), "--config", scene.config_file)
        equal(done.returncode, 0, f"backup ({done.err})")
        # A busy port ends it, behind the opening of the vault.
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = gateway.run("serve", *where, "--listen", f"127.0.0.1:{taken.getsockname()[1]}", timeout=20)
            equal(done.returncode, 3, f"serve ({done.err})")
        expect(not os.path.exists(scene.data), "the file's own data directory was made")


@case("a data directory that cannot be looked into: code 4 and one sentence")
def unreachable_data():
    with Scene(policy=bare(), start=False) as scene:
        os.symlink("data", scene.data)  # to itself
        scene.write_config()
        done = gateway.run("serve", "--config", scene.config_file)
        equal((done.returncode, done.out), (4, ""), done.err)
        contains(one_sentence(done.err), scene.data, "the sentence")
        expect(not os.path.exists(scene.root_key), "a root key was made")


@case("a busy port on the first start: code 3, and no vault is made")
def busy_port_first():
    with Scene(policy=bare(), start=False) as scene, socket.create_server(("127.0.0.1", 0)) as taken:
        scene.write_config()
        port = taken.getsockname()[1]
        for which in ("--listen", "--admin"):
            done = gateway.run("serve", "--config", scene.config_file, which, f"127.0.0.1:{port}")
            equal(done.returncode, 3, f"{which} ({done.err})")
            expect(str(port) in one_sentence(done.err), f"no port in: {done.err}")
            expect("a new vault" not in done.err, done.err)
            for path in (scene.data, scene.root_key):
                expect(not os.path.exists(path), f"{path} was made for a gateway that cannot start")


@case("an upstream that is one of the gateway's own listeners is refused")
def own_listener():
    with Scene(policy=bare(), start=False) as scene, socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
        probe.close()
        with open(scene.policy_file, "w", encoding="utf-8") as file:
            file.write(bare().replace("UPSTREAM", f"http://127.0.0.1:{port}"))
        scene.write_config()
        for which in ("--listen", "--admin"):
            done = gateway.run("serve", "--config", scene.config_file, which, f"127.0.0.1:{port}", timeout=20)
            equal(done.returncode, 3, f"{which} ({done.err})")
            one_sentence(done.err)

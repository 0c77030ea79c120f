"""The five ways to the root key, sealed mode and back, and every secret that may be wrong."""

import json
import os
import shutil
import tempfile
import time

from support import gateway, wire
from support.case import Failure, case, contains, equal, expect, lacks
from support.gateway import Scene, digest, one_sentence
from support.policies import WIDE

PASSPHRASE = "seven plain words that nobody guesses ever"
BODY = wire.form({"name": "Anne", "email": "anne@example.fr"})


def contact():
    return wire.request("POST", "/contact", BODY, wire.FORM)


def sealed_scene(unseal, init, secret=b"", policy=WIDE):
    """A stopped scene whose vault was made by `init`, and what init printed, a JSON document a line."""
    scene = Scene(policy=policy, start=False, root_key=False, extra=f"vault: {{ unseal: {unseal} }}")
    try:
        done = gateway.run("init", "--data", scene.data, "--json", *init, stdin=secret)
        equal((done.returncode, done.err), (0, ""), "init")
        told = [json.loads(line) for line in done.out.splitlines()]
        scene._credentials.update(told[-1])
    except BaseException:
        scene.close(check=False)
        raise
    return scene, told


def passphrase_scene(policy=WIDE):
    scene, _ = sealed_scene("{ passphrase: ask }", ["--passphrase", "--secret-fd", "0"], PASSPHRASE.encode() + b"\n", policy)
    return scene


def shares_scene(policy=WIDE):
    """For cases that unseal more than once: shares cost no second each time, as a pass-phrase does."""
    scene, told = sealed_scene("{ shares: 2 }", ["--shares", "2/3"], policy=policy)
    return scene, told[0]["shares"][:2]


def unseal(scene, *secrets, arguments=()):
    text = "".join(secret + "\n" for secret in secrets).encode()
    return gateway.run("unseal", "--admin", scene.admin.url, "--secret-fd", "0", *arguments, stdin=text)


def seal(scene):
    return gateway.run("seal", "--admin", scene.admin.url, "--credential-file", scene.admin_credential_file())


def expect_sealed(scene):
    """Sealed means sealed: nothing is revealed, nothing is downgraded, and it says so."""
    scene.refused(contact(), 503, "sealed")
    answer = scene.exchange(contact())
    expect(answer.header("Retry-After"), f"no Retry-After: {answer!r}")
    status, _, body = scene.admin.call("GET", "/readyz")
    equal((status, json.loads(body)), (503, {"status": "sealed"}), "/readyz")
    status, _, body = scene.admin.call("GET", "/healthz")
    equal((status, json.loads(body)), (200, {"status": "alive"}), "/healthz")
    for method, path in (("POST", "/v1/reidentify"), ("GET", "/v1/audit/checkpoint"), ("GET", "/v1/none")):
        status, headers, body = scene.admin.call(method, path, None if method == "GET" else {}, scene.dpo)
        equal((status, json.loads(body)["reason"]), (503, "sealed"), path)
        expect(headers["Retry-After"], f"{path} without Retry-After")
    equal(scene.admin.metric("paravent_sealed"), 1, "paravent_sealed")
    # Routes without keys go on, and so do the figures of what they ask.
    equal(scene.admin.metric("paravent_reloads_total", outcome="refused"), 0, "reloads while sealed")


def expect_working(scene):
    received = scene.submit(contact())
    token = dict(wire.form_fields(received.body))["name"]
    equal(scene.reveal([token]), ["Anne"], "the name")
    equal(scene.admin.metric("paravent_sealed"), 0, "paravent_sealed")
    return token


@case("a pass-phrase: sealed at the start, wrong ones are refused, the right one unseals, seal goes back", smoke=True)
def passphrase():
    with passphrase_scene() as scene:
        scene.start()
        contains(scene.stderr(), "the vault is sealed", "standard error")
        expect_sealed(scene)
        done = unseal(scene, "another phrase of words that is wrong")
        equal((done.returncode, done.out), (4, ""), "a wrong pass-phrase")
        contains(one_sentence(done.err), "wrong", "a wrong pass-phrase")
        expect_sealed(scene)
        time.sleep(1.1)
        done = unseal(scene, PASSPHRASE)
        equal((done.returncode, done.err), (0, ""), "the right one")
        token = expect_working(scene)
        done = unseal(scene)
        equal((done.returncode, done.out), (0, "The vault is unsealed.\n"), "unsealed already")
        done = seal(scene)
        equal((done.returncode, done.err, done.out), (0, "", "The vault is sealed.\n"), "seal")
        expect_sealed(scene)
        time.sleep(0.1)
        equal(unseal(scene, PASSPHRASE).returncode, 0, "again")
        equal(scene.reveal([token]), ["Anne"], "the token from before")
        equal(scene.stop(), 0, "serve")
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify: {done.err}")
        lacks(scene.stderr(), PASSPHRASE, "standard error")


@case("no connection is dropped by sealing: a route without keys goes on over one, and a body on its way is refused", smoke=True)
def same_connection():
    scene, shares = shares_scene()
    with scene:
        scene.start()
        equal(unseal(scene, *shares).returncode, 0, "unseal")
        with scene.wire() as one, scene.wire() as slow:
            def over(connection, data):
                connection.send(data)
                return connection.answer()

            equal(over(one, contact()).status, 200, "before")
            # This one's body arrives while the vault is being sealed.
            whole = contact()
            slow.send(whole[:-5])
            time.sleep(0.2)
            equal(seal(scene).returncode, 0, "seal")
            scene.upstream.clear()
            slow.send(whole[-5:])
            answer = slow.answer()
            equal((answer.status, answer.json()["reason"]), (503, "sealed"), "in the middle of a request")
            # Needs no key. A refused body would end its connection, as every refusal of an unread body does.
            equal(over(one, wire.request("GET", "/")).status, 200, "between")
            equal(unseal(scene, *shares).returncode, 0, "unseal")
            equal(over(one, contact()).status, 200, "after")


@case("only the role admin seals, and unseal takes nothing but what unseals")
def who_may():
    with passphrase_scene() as scene:
        scene.start()
        for body in (b"", b"[]", {"passphrase": 1}, {"passphrase": "a", "pin": "b"}, {"key": "x"}, b'{"passphrase":"x"'):
            status, _, _ = scene.admin.call("POST", "/v1/unseal", body)
            equal(status, 400, f"POST /v1/unseal {body}")
        status, _, body = scene.admin.call("POST", "/v1/unseal", {})
        equal((status, json.loads(body)), (200, {"sealed": True, "present": True, "method": "passphrase", "given": 0, "needed": 1}), "{}")
        equal(scene.admin.call("GET", "/v1/unseal")[0], 405, "GET")
        equal(scene.admin.call("POST", "/v1/unseal", {}, "nobody")[0], 401, "a wrong credential")
        for _ in range(20):
            equal(scene.admin.call("POST", "/v1/unseal", {"passphrase": "x"})[0], 403, "a wrong one")
            begin = time.monotonic()
            status, headers, _ = scene.admin.call("POST", "/v1/unseal", {"passphrase": "y"})
            if status == 429 or time.monotonic() - begin < 0.9:
                break
            time.sleep(1.1)  # the machine stood still for a second: that was no "at once"
        equal((status, headers["Retry-After"]), (429, "1"), "at once after a wrong one")
        time.sleep(1.1)
        equal(scene.admin.call("POST", "/v1/unseal", {"passphrase": PASSPHRASE})[0], 200, "the right one")
        equal(scene.admin.call("POST", "/v1/seal", {})[0], 401, "seal without a credential")
        equal(scene.admin.call("POST", "/v1/seal", {}, scene.dpo)[0], 403, "seal by the DPO")
        expect_working(scene)


@case("a pass-phrase from a file or a descriptor starts unsealed; a wrong one does not start: code 4", smoke=True)
def passphrase_files():
    with passphrase_scene() as scene:
        file = os.path.join(scene.folder, "passphrase")
        with open(file, "w", encoding="utf-8") as out:
            out.write(PASSPHRASE + "\n")
        os.chmod(file, 0o600)
        scene.extra = f"vault: {{ unseal: {{ passphrase: {{ file: {file} }} }} }}"
        scene.start()
        expect_working(scene)
        equal(seal(scene).returncode, 0, "seal")
        expect_sealed(scene)
        equal(scene.admin.call("POST", "/v1/unseal", {})[0], 200, "from the file again")
        expect_working(scene)
        equal(scene.stop(), 0, "serve")
        os.chmod(file, 0o644)
        done = gateway.run("serve", "--config", scene.config_file)
        equal(done.returncode, 4, "a file that others may read")
        contains(one_sentence(done.err), "chmod 600", "a file that others may read")
        with open(file, "w", encoding="utf-8") as out:
            out.write("not the words that it was made with\n")
        os.chmod(file, 0o600)
        done = gateway.run("serve", "--config", scene.config_file)
        equal(done.returncode, 4, "a wrong file")
        contains(one_sentence(done.err), "wrong", "a wrong file")
        done = gateway.run("init", "--data", os.path.join(scene.folder, "weak"), "--passphrase", "--secret-fd", "0", stdin=b"hunter2\n")
        equal(done.returncode, 2, "a weak one")
        contains(one_sentence(done.err), "easy to guess", "a weak one")


@case("shares: three of five in any order; wrong, mixed and repeated ones", smoke=True)
def shares():
    scene, told = sealed_scene("{ shares: 3 }", ["--shares", "3/5"])
    with scene:
        mine = told[0]["shares"]
        equal(len(mine), 5, "shares")
        with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
            done = gateway.run("init", "--data", os.path.join(folder, "d"), "--json", "--shares", "3/5")
            other = json.loads(done.out.splitlines()[0])["shares"]
        scene.start()
        expect_sealed(scene)
        # What anybody can see is said at once.
        typo = mine[0][:30] + ("q" if mine[0][30] != "q" else "p") + mine[0][31:]
        for wrong, word in ((typo, "typing error"), (other[0], "another set"), ("hello", "no share")):
            done = unseal(scene, wrong)
            equal(done.returncode, 4, wrong)
            contains(one_sentence(done.err), word, wrong)
        for share in (mine[4], mine[1]):
            status, _, body = scene.admin.call("POST", "/v1/unseal", {"share": share})
            equal(status, 200, "a share")
            expect(json.loads(body)["sealed"], "sealed still")
        status, _, body = scene.admin.call("POST", "/v1/unseal", {"share": mine[1]})
        equal((status, json.loads(body)["reason"]), (400, "malformed-secret"), "one twice")
        expect_sealed(scene)
        status, _, body = scene.admin.call("POST", "/v1/unseal", {"share": mine[2].upper()})
        equal((status, json.loads(body)["sealed"]), (200, False), "the third")
        expect_working(scene)
        equal(seal(scene).returncode, 0, "seal")
        done = unseal(scene, mine[0], mine[3], mine[4])
        equal((done.returncode, done.err), (0, ""), "three at once")
        expect_working(scene)
        equal(scene.stop(), 0, "serve")
        scene.extra = "vault: { unseal: { shares: 2 } }"
        scene.write_config()
        done = gateway.run("serve", "--config", scene.config_file)
        equal(done.returncode, 4, "another threshold")
        contains(one_sentence(done.err), "needs 3 shares", "another threshold")


@case("a share that is whole and wrong: noticed when all are there, and no answer says which")
def forged_share():
    scene, told = sealed_scene("{ shares: 2 }", ["--shares", "2/3"])
    with scene:
        mine = told[0]["shares"]
        scene.start()
        forged = forge(mine[1])
        status, _, body = scene.admin.call("POST", "/v1/unseal", {"share": forged})
        equal((status, json.loads(body)["given"]), (200, 1), "a forged one is not noticed alone")
        status, _, body = scene.admin.call("POST", "/v1/unseal", {"share": mine[0]})
        equal((status, json.loads(body)["reason"]), (403, "unseal-refused"), "noticed")
        contains(json.loads(body)["title"], "all of them were forgotten", "the answer")
        time.sleep(1.1)
        equal(unseal(scene, mine[0], mine[2]).returncode, 0, "two right ones")
        expect_working(scene)


_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def forge(share):
    """The same share with another value and a right checksum (Bech32m, BIP-350)."""

    def polymod(values):
        check = 1
        for value in values:
            top = check >> 25
            check = (check & 0x1FFFFFF) << 5 ^ value
            for i, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
                check ^= term if (top >> i) & 1 else 0
        return check

    data = [_ALPHABET.index(c) for c in share[8:-6]]
    data[40] ^= 1
    hrp = "pvshare"
    spread = [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp]
    check = polymod(spread + data + [0] * 6) ^ 0x2BC830A3
    return hrp + "1" + "".join(_ALPHABET[v] for v in data + [(check >> 5 * (5 - i)) & 31 for i in range(6)])


@case("a systemd credential: the root key by its name; missing, foreign and without systemd: code 4", smoke=True)
def systemd_credential():
    with Scene(policy=WIDE, start=False, root_key=False, extra="vault: { unseal: { systemd-credential: paravent-root } }") as scene:
        key = os.path.join(scene.folder, "made.key")
        done = gateway.run("init", "--data", scene.data, "--root-key", key, "--json")
        equal(done.returncode, 0, "init")
        scene._credentials.update(json.loads(done.out))
        credentials = os.path.join(scene.folder, "credentials")
        os.mkdir(credentials, 0o700)
        shutil.move(key, os.path.join(credentials, "paravent-root"))
        scene.write_config()
        done = gateway.run("serve", "--config", scene.config_file)
        equal(done.returncode, 4, "without systemd")
        contains(one_sentence(done.err), "without systemd credentials", "without systemd")
        os.environ["CREDENTIALS_DIRECTORY"] = credentials
        try:
            scene.start()
            expect_working(scene)
            equal(scene.stop(), 0, "serve")
            foreign = os.path.join(scene.folder, "foreign.key")
            done = gateway.run("init", "--data", os.path.join(scene.folder, "other"), "--root-key", foreign, "--json")
            shutil.copy(foreign, os.path.join(credentials, "paravent-root"))
            done = gateway.run("serve", "--config", scene.config_file)
            equal(done.returncode, 4, "a foreign key")
            contains(one_sentence(done.err), "not the root key", "a foreign key")
            os.unlink(os.path.join(credentials, "paravent-root"))
            done = gateway.run("serve", "--config", scene.config_file)
            equal(done.returncode, 4, "missing")
            contains(one_sentence(done.err), "missing", "missing")
        finally:
            del os.environ["CREDENTIALS_DIRECTORY"]


@case("another installation's key store under a right pass-phrase; an altered and a missing record: code 4")
def foreign_records():
    with passphrase_scene() as scene, passphrase_scene() as other:
        record = os.path.join(scene.data, "keys", "unseal")
        with open(record, "rb") as file:
            whole = file.read()
        file = os.path.join(scene.folder, "passphrase")
        with open(file, "w", encoding="utf-8") as out:
            out.write(PASSPHRASE + "\n")
        os.chmod(file, 0o600)
        scene.extra = f"vault: {{ unseal: {{ passphrase: {{ file: {file} }} }} }}"
        scene.write_config()

        def fails(word):
            done = gateway.run("serve", "--config", scene.config_file)
            equal(done.returncode, 4, word)
            contains(one_sentence(done.err), word, word)

        shutil.copy(os.path.join(other.data, "keys", "unseal"), record)
        fails("another root key")
        with open(record, "wb") as out:
            out.write(whole[:60] + bytes([whole[60] ^ 1]) + whole[61:])
        fails("altered")
        with open(record, "wb") as out:
            out.write(whole[:50])
        fails("truncated")
        os.unlink(record)
        fails("no unseal record")
        with open(record, "wb") as out:
            out.write(whole)
        os.chmod(record, 0o600)
        scene.start()
        expect_working(scene)


@case("a sealed gateway holds its directory: a second one, and commands beside it, say so with code 4", smoke=True)
def holds_its_directory():
    scene, shares = shares_scene()
    with scene:
        scene.start()
        before = digest(scene.data, ("lock",))
        done = gateway.run("serve", "--config", scene.config_file)
        equal(done.returncode, 4, "a second gateway")
        contains(one_sentence(done.err), "Another paravent process", "a second gateway")
        done = gateway.run("policy", "apply", scene.policy_file, "--config", scene.config_file)
        equal(done.returncode, 4, "policy apply")
        contains(one_sentence(done.err), "Another paravent process", "policy apply")
        done = gateway.run("init", "--data", scene.data, "--passphrase", "--secret-fd", "0", stdin=PASSPHRASE.encode() + b"\n")
        equal(done.returncode, 4, "init")
        one_sentence(done.err)
        equal(digest(scene.data, ("lock",)), before, "the directory")
        equal(unseal(scene, *shares).returncode, 0, "the first one unseals")
        expect_working(scene)


@case("files of another installation, of a newer version or of another moment: unsealing says so, nothing is made anew")
def foreign_files():
    scene, shares = shares_scene()
    other, others = shares_scene()
    with scene, other:
        scene.start()
        equal(unseal(scene, *shares).returncode, 0, "unseal")
        other.start()
        equal(unseal(other, *others).returncode, 0, "unseal")
        value = expect_working(scene)
        expect_working(other)
        scene.stop()
        other.stop()
        kept = os.path.join(scene.folder, "kept")
        shutil.copytree(scene.data, kept)

        def put(path, data):
            with open(os.path.join(scene.data, path), "wb") as out:
                out.write(data)

        def get(path, data=None):
            with open(os.path.join(data or scene.data, path), "rb") as file:
                return file.read()

        def foreign(path):
            return lambda: put(path, get(path, other.data))

        def foreign_store():
            shutil.rmtree(os.path.join(scene.data, "store"))
            shutil.copytree(os.path.join(other.data, "store"), os.path.join(scene.data, "store"))

        def newer(path, at):
            def change():
                whole = get(path)
                put(path, whole[:at] + bytes([whole[at] + 1]) + whole[at + 1 :])

            return change

        # What is seen when the gateway starts, and what only the keys can tell.
        at_start = [
            (newer("keys/keystore", 9), "newer version"),
            (newer("keys/unseal", 8), "newer version"),
            (foreign("keys/keystore"), "another root key"),
            (foreign("keys/unseal"), "another root key"),
            (lambda: put("keys/keystore", get("keys/keystore")[:20]), "truncated"),
        ]
        at_unsealing = [
            (foreign("keys/shred-secret"), "shred secret"),
            (foreign_store, "another installation"),
            (lambda: put("keys/keystore", get("keys/keystore")[:-1] + bytes([get("keys/keystore")[-1] ^ 1])), "altered"),
        ]
        for change, word in at_start + at_unsealing:
            change()
            before = digest(scene.data, LEFT_OUT)
            if (change, word) in at_start:
                scene.write_config()
                done = gateway.run("serve", "--config", scene.config_file)
                if done.returncode == 4:
                    contains(one_sentence(done.err), word, word)
                else:
                    raise Failure(f"{word}: serve answered {done.returncode}: {done.err}")
            else:
                scene.start()
                done = unseal(scene, *shares)
                equal(done.returncode, 4, f"{word}: {done.err}")
                contains(one_sentence(done.err), word, word)
                expect_sealed(scene)
                equal(scene.stop(), 0, "serve")
            after = digest(scene.data, LEFT_OUT)
            equal(after, before, f"{word}: the directory")
            shutil.rmtree(scene.data)
            shutil.copytree(kept, scene.data)
        scene.start()
        equal(unseal(scene, *shares).returncode, 0, "everything put back")
        equal(scene.reveal([value]), ["Anne"], "the value")


# RocksDB writes its own log when it opens a store, whatever it finds there.
LEFT_OUT = ("lock", "store")

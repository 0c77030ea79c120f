"""Values sealed to a public key: the key pair, the exported contexts, and opening without a gateway."""

import json
import os
import re
import stat
import subprocess
import tempfile
import time

from support import gateway, settings, tokens, wire
from support.case import case, contains, equal, expect, lacks
from support.gateway import Scene, one_sentence

POLICY = """\
policy: 1
tenant: atelier
roles: { dpo: { reveal: clear } }
recipients: { crm: { name: Atelier CRM, country: FR } }
purposes:
  contact: { basis: consent, retention: { active: P1Y }, reveal: [dpo] }
public-keys: { board: { key: 'PUBLIC' } }
routes:
  - name: report
    match: { method: POST, path: /report }
    upstream: UPSTREAM
    recipient: crm
    purpose: contact
    fields:
      form.message: { kind: text, do: encrypt, to: board }
      form.note: { kind: text, do: encrypt, to: board, seal: per-field }
      form.email: { kind: email, do: tokenise, shape: email }
"""


def keypair(folder, name="board.key"):
    path = os.path.join(folder, name)
    done = gateway.run("keypair", "--out", path, "--json")
    equal((done.returncode, done.err), (0, ""), "keypair --json")
    return path, json.loads(done.out)


@case("keypair: a private file that is never overwritten, and a public text", smoke=True)
def key_pairs():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        path, told = keypair(folder)
        equal(sorted(told), ["id", "private_key_file", "public_key"], "keys")
        expect(re.fullmatch(r"pvpub1[02-9ac-hj-np-z]{58}", told["public_key"]), f"public key: {told}")
        expect(re.fullmatch(r"[0-9a-f]{32}", told["id"]), f"id: {told}")
        equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode of the private key")
        with open(path, encoding="ascii") as file:
            private = file.read()
        expect(re.fullmatch(r"pvpriv1[02-9ac-hj-np-z]{58}\n", private), "the private key's text")
        lacks(json.dumps(told), private.strip(), "what is printed")
        done = gateway.run("keypair", "--out", path)
        equal((done.returncode, done.out), (4, ""), "a file that is there")
        one_sentence(done.err)
        with open(path, encoding="ascii") as file:
            equal(file.read(), private, "the private key after the refusal")
        other = gateway.run("keypair", "--out", os.path.join(folder, "other.key"))
        equal((other.returncode, other.err), (0, ""), "keypair")
        contains(other.out, "pvpub1", "what it prints")
        lacks(other.out, "pvpriv1", "what it prints")
        lacks(other.out, told["public_key"], "another pair")


@case("contexts: an export without keys, of a data directory that may be in use", smoke=True)
def contexts():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        data = os.path.join(folder, "data")
        equal(gateway.run("init", "--data", data, "--json").returncode, 0, "init")
        out = os.path.join(folder, "contexts.json")
        done = gateway.run("contexts", "--data", data, out)
        equal((done.returncode, done.err), (0, ""), "contexts")
        with open(out, encoding="utf-8") as file:
            told = json.load(file)
        equal((told["paravent-contexts"], told["contexts"]), (1, []), "a vault without contexts")
        done = gateway.run("contexts", "--data", data, "-")
        equal(json.loads(done.out), told, "on standard output")
        for arguments in (("--data", os.path.join(folder, "nothing"), out), ("--data", data, folder)):
            done = gateway.run("contexts", *arguments)
            equal((done.returncode, done.out), (4, ""), f"contexts {arguments}")
            one_sentence(done.err)


@case("open: what it cannot read is said by name, what does not open is one answer", smoke=True)
def open_errors():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        path, _ = keypair(folder)
        table = os.path.join(folder, "contexts.json")
        with open(table, "w", encoding="utf-8") as file:
            file.write('{"paravent-contexts":1,"installation":"00","contexts":[]}')
        for text in ("pvs_AAAA", "hello", "pvv1qyqsqqqq"):
            done = gateway.run("open", "--key", path, "--contexts", table, text)
            equal((done.returncode, done.out), (5, "\n"), text)
            one_sentence(done.err)
        done = gateway.run("open", "--key", path, "--contexts", table, "--json", "pvs_AAAA")
        equal(done.returncode, 5, "open --json")
        equal(json.loads(done.out), {"results": [{"token": "pvs_AAAA", "status": "not-opened"}]}, "--json")
        done = gateway.run("open", "--key", path, "--contexts", table, "-", stdin=b"no token\r\n here")
        equal((done.returncode, done.out, done.err), (0, "no token\r\n here", ""), "a text without any")
        missing = os.path.join(folder, "missing")
        for key, contexts_file, code in ((missing, table, 2), (path, missing, 2), (table, table, 4), (path, path, 4)):
            os.chmod(table, 0o600)
            done = gateway.run("open", "--key", key, "--contexts", contexts_file, "pvs_AAAA")
            equal((done.returncode, done.out), (code, ""), f"open --key {key} --contexts {contexts_file}")
            one_sentence(done.err)
        os.chmod(path, 0o644)
        done = gateway.run("open", "--key", path, "--contexts", table, "pvs_AAAA")
        equal((done.returncode, done.out), (4, ""), "a private key that others may read")
        one_sentence(done.err)


@case("sealed values open elsewhere, with the private key and the exported contexts alone", smoke=True)
def round_trip():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        path, told = keypair(folder)
        other, _ = keypair(folder, "other.key")
        policy = POLICY.replace("PUBLIC", told["public_key"])
        draft = os.path.join(folder, "policy.yaml")
        with open(draft, "w", encoding="utf-8") as file:
            file.write(policy.replace("UPSTREAM", "http://127.0.0.1:9000"))
        equal(gateway.run("check", draft).returncode, 0, "check")
        values = {"message": "Voici ce que j'ai vu : é€\r\n\"fin\"", "note": "x", "email": "a@example.fr"}
        table = os.path.join(folder, "contexts.json")
        with Scene(policy=policy) as scene:
            received = scene.submit(wire.request("POST", "/report", wire.form(values), wire.FORM))
            seen = dict(wire.form_fields(received.body))
            for name in ("message", "note"):
                expect(seen[name].startswith("pvs_"), f"{name}: {seen[name]}")
            # Nobody at the gateway opens them, whatever the role.
            results = scene.admin.reidentify(scene.dpo, [seen["message"], seen["note"]])
            equal([result["status"] for result in results], ["refused", "refused"], "at the gateway")
            done = gateway.run("contexts", "--data", scene.data, "--root-key", scene.root_key, table)
            equal((done.returncode, done.err), (0, ""), "contexts beside a running gateway")
        arguments = ["--key", path, "--contexts", table]
        done = gateway.run("open", *arguments, "--json", seen["message"], seen["note"])
        equal((done.returncode, done.err), (0, ""), "open --json")
        opened = json.loads(done.out)["results"]
        equal([one["value"] for one in opened], [values["message"], values["note"]], "values")
        equal((opened[0]["tenant"], opened[0]["purpose"], opened[0]["kind"]), ("atelier", "contact", "text"), "facts")
        mail = f"Bonjour,\r\n> {seen['message']}\r\n<{seen['email']}> {seen['note']}.\r\n"
        done = gateway.run("open", *arguments, "-", stdin=mail.encode())
        equal(done.returncode, 0, "open -")
        wanted = mail.replace(seen["message"], values["message"]).replace(seen["note"], values["note"])
        equal(done.stdout.decode(), wanted, "the text")
        tokens.email_shaped(seen["email"])
        done = gateway.run("open", "--key", other, "--contexts", table, seen["message"], seen["note"])
        equal((done.returncode, done.out), (5, "\n\n"), "another key")
        one_sentence(done.err)
        damaged = seen["message"][:40] + ("A" if seen["message"][40] != "A" else "B") + seen["message"][41:]
        done = gateway.run("open", *arguments, "-", stdin=f"{damaged} {seen['note']}".encode())
        equal((done.returncode, done.out), (0, f"{damaged} {values['note']}"), "a damaged text is no token")
        done = gateway.run("open", *arguments, damaged)
        equal((done.returncode, done.out), (5, "\n"), "a damaged token")


@case("no command that holds a key can leave it in a core dump")
def core_dumps():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        path, _ = keypair(folder)
        table = os.path.join(folder, "contexts.json")
        with open(table, "w", encoding="utf-8") as file:
            file.write('{"paravent-contexts":1,"installation":"00","contexts":[]}')
        command = [settings.BINARY, "open", "--key", path, "--contexts", table, "-"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            # It has its key once it waits for the text; the limit is set before anything else.
            limit = ""
            deadline = time.monotonic() + 20 * settings.PATIENCE
            while not re.search(r"Max core file size +0 +0 ", limit) and time.monotonic() < deadline:
                with open(f"/proc/{process.pid}/limits", encoding="ascii") as file:
                    limit = file.read()
                time.sleep(0.01)
            process.stdin.close()
            equal(process.wait(timeout=20 * settings.PATIENCE), 0, "open -")
        expect(re.search(r"Max core file size +0 +0 ", limit), limit)

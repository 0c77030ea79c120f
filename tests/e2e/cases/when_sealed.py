"""Routes that go on while the vault is sealed: to a named public key, listed for conversion, and nothing else."""

import json
import os
import tempfile

from cases.unsealing import PASSPHRASE, contact, passphrase_scene, seal, shares_scene, unseal
from support import gateway, tokens, wire
from support.case import case, equal, expect, lacks

WHEN_SEALED = """\
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
    when-sealed: encrypt-to board
    fields:
      form.message: { kind: text, do: encrypt }
      form.topic: { do: keep }
      form.phone: { do: drop }
    unlisted: encrypt
  - name: contact-form
    match: { method: POST, path: /contact }
    upstream: UPSTREAM
    recipient: crm
    purpose: contact
    fields: { form.name: { kind: name, do: tokenise }, form.email: { kind: email, do: tokenise } }
"""


def report(message="help me", **more):
    return wire.request("POST", "/report", wire.form({"message": message, "topic": "noise", "phone": "0612345678", **more}), wire.FORM)


@case("when-sealed: encrypt fields go on to the named public key, are listed, and everything else is refused", smoke=True)
def when_sealed():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        private = os.path.join(folder, "board.key")
        told = json.loads(gateway.run("keypair", "--out", private, "--json").out)
        with passphrase_scene(policy=WHEN_SEALED.replace("PUBLIC", told["public_key"])) as scene:
            scene.start()
            # Never unsealed with this policy: nobody knows the contexts yet.
            scene.refused(report(), 503, "sealed")
            equal(unseal(scene, PASSPHRASE).returncode, 0, "unseal")
            usual = dict(wire.form_fields(scene.submit(report()).body))
            expect(usual["message"].startswith("pve_"), f"unsealed: {usual}")
            equal(seal(scene).returncode, 0, "seal")
            for restarted in (False, True):
                if restarted:
                    scene.restart()
                got = dict(wire.form_fields(scene.submit(report("secret word", extra="more of it")).body))
                equal((got["topic"], "phone" in got), ("noise", False), "what needs no key")
                expect(got["message"].startswith("pvs_") and got["extra"].startswith("pvs_"), f"sealed: {got}")
                scene.refused(contact(), 503, "sealed")
            contexts = os.path.join(folder, "contexts.json")
            equal(unseal(scene, PASSPHRASE).returncode, 0, "unseal")
            equal(scene.admin.metric("paravent_when_sealed_values"), 4, "values in the list")
            expect(dict(wire.form_fields(scene.submit(report()).body))["message"].startswith("pve_"), "unsealed again")
            # What was sealed meanwhile is listed, and opens with the private key alone.
            asked = ("keys", "when-sealed", "--admin", scene.admin.url, "--credential-file", scene.admin_credential_file())
            listed = gateway.run(*asked)
            equal(listed.returncode, 0, f"keys when-sealed: {listed.err}")
            lines = [line.split(" ") for line in listed.out.splitlines()]
            equal([line[2:4] for line in lines], [["report/when-sealed", "form.message"], ["report/when-sealed", "unlisted"]] * 2, "the list")
            equal(lines[-2][4], got["message"], "the value as the application has it")
            lacks(tokens.without(listed.out), "secret", "the list")
            done = gateway.run("contexts", "--data", scene.data, "--config", scene.config_file, contexts, stdin=PASSPHRASE.encode() + b"\n")
            equal(done.returncode, 0, f"contexts: {done.err}")
            done = gateway.run("open", "--key", private, "--contexts", contexts, lines[0][4], lines[1][4])
            equal((done.returncode, "secret word" in done.out, "more of it" in done.out), (0, True, True), f"open: {done.err}")
            equal(gateway.run(*asked, "--converted", "5", "--reason", "done").returncode, 2, "more than there are")
            equal(gateway.run(*asked, "--converted", "3", "--reason", "done").returncode, 0, "three of them")
            equal(len(gateway.run(*asked).out.splitlines()), 1, "what is left")
            equal(scene.admin.metric("paravent_when_sealed_values"), 1, "values in the list")


@case("when-sealed: killed after an answer, every value that went on is on the list", smoke=True)
def listed_durably():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        told = json.loads(gateway.run("keypair", "--out", os.path.join(folder, "board.key"), "--json").out)
        scene, shares = shares_scene(policy=WHEN_SEALED.replace("PUBLIC", told["public_key"]))
        with scene:
            scene.start()
            equal(unseal(scene, *shares).returncode, 0, "unseal")
            acknowledged = []
            for number in range(5):
                equal(seal(scene).returncode if number == 0 else 0, 0, "seal")
                for one in range(number + 1):
                    got = dict(wire.form_fields(scene.submit(report(f"message {number} {one}")).body))
                    acknowledged.append(got["message"])
                scene.kill()
                scene.start()
            with open(os.path.join(scene.data, "when-sealed.list"), encoding="ascii") as file:
                listed = [line.split(" ")[4].strip() for line in file]
            equal([value for value in acknowledged if listed.count(value) != 1], [], "values that went on and are not listed once")
            equal(unseal(scene, *shares).returncode, 0, "unseal")
            equal(scene.admin.metric("paravent_when_sealed_values"), len(listed), "values in the list")

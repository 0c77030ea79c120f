"""Policies and gateway files that are wrong: every mistake at its place, and nothing starts."""

import json
import os
import re
import subprocess
import tempfile

from support import gateway, settings, wire
from support.case import case, contains, equal, expect
from support.gateway import Scene, one_sentence
from support.policies import WIDE, bare

PLACE = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+): (?P<severity>\w+): ")

TEN = """\
policy: 1
tenant: atelier
roles: { dpo: { reveal: clear }, support: { reveal: blurred } }
recipients:
  crm: { name: Atelier CRM, country: UK }
  ads: { name: Advertiser, country: US }
purposes:
  contact:
    basis: legitimate-interest
    retention: { active: 3 years }
    reveal: [dpo, support]
routes:
  - name: contact-form
    match: { method: post, path: contact }
    upstream: 127.0.0.1:9000
    recipient: cmr
    purpose: contact
    fields:
      form.email: { kind: email, do: tokenize }
      form.phone: { knid: phone, do: tokenise }
"""


def check(text, *arguments, name="policy.yaml"):
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return gateway.run("check", path, *arguments)


def error_lines(text):
    return [line for line in text.splitlines() if PLACE.match(line) and ": error: " in line]


@case("a policy with ten mistakes gets ten diagnostics, each with file, line and column", smoke=True)
def ten_mistakes():
    done = check(TEN)
    equal(done.returncode, 3, "check")
    lines = error_lines(done.out)
    equal(len(lines), 10, f"diagnostics:\n{done.out}")
    places = [int(PLACE.match(line)["line"]) for line in lines]
    equal(places, [3, 5, 6, 10, 14, 14, 15, 16, 19, 20], "their lines")
    one_sentence(done.err)
    listed = json.loads(check(TEN, "--json").out)
    equal(listed["promises"], [], "what a policy with errors promises")
    errors = [one for one in listed["diagnostics"] if one["severity"] == "error"]
    equal(len(errors), 10, "diagnostics as JSON")
    for one in errors:
        equal(sorted(one), ["column", "file", "hint", "key", "line", "message", "severity"], "keys")


@case("serve says the same ten and starts nothing", smoke=True)
def serve_refuses():
    with Scene(start=False) as scene:
        scene.write_policy(TEN)
        scene.write_config()
        done = gateway.run("serve", "--config", scene.config_file)
        equal((done.returncode, done.out), (3, ""), "serve")
        equal(len(error_lines(done.err)), 10, f"diagnostics:\n{done.err}")
        expect(not os.path.exists(scene.data), "a data directory was made")


@case("a policy without mistakes, the presets' copies and the examples pass", smoke=True)
def good():
    done = check(WIDE.replace("UPSTREAM", "http://127.0.0.1:9000"))
    equal((done.returncode, done.err), (0, ""), f"check:\n{done.out}")
    root = os.path.join(os.path.dirname(__file__), "..", "..", "..", "policies")
    for folder in ("presets", "examples"):
        files = sorted(os.listdir(os.path.join(root, folder)))
        expect(files, f"policies/{folder} is empty")
        for name in files:
            if name.endswith(".yaml") and not name.endswith(".test.yaml"):
                done = gateway.run("check", os.path.join(root, folder, name))
                equal(done.returncode, 0, f"policies/{folder}/{name}:\n{done.out}{done.err}")


@case("a policy whose routes need no keys names no recipient: check remarks on it, serve starts and takes it at a reload")
def without_recipient():
    policy = (
        "policy: 1\ntenant: atelier\n"
        "routes: [{ name: form, match: { method: POST, path: /contact }, upstream: UPSTREAM, unlisted: keep }]\n"
    )
    with Scene(policy=policy) as scene:
        contains(gateway.run("check", scene.policy_file).out, "does not say who receives", "the remark")
        sent = scene.submit(wire.request("POST", "/contact", wire.form({"name": "Anne"}), wire.FORM))
        equal(sent.body, wire.form({"name": "Anne"}), "nothing is to be protected")
        scene.write_policy(policy.replace("/contact", "/other"))
        status, _, body = scene.admin.call("POST", "/v1/policy/reload", credential=scene.administrator)
        equal(status, 200, f"the reload: {body}")
        scene.submit(wire.request("POST", "/other", wire.form({"name": "Anne"}), wire.FORM))


@case("a recipient outside the EEA without a safeguard is an error")
def country():
    text = bare().replace("UPSTREAM", "http://127.0.0.1:9000")
    done = check(text.replace("country: FR", "country: US"))
    equal((done.returncode, len(error_lines(done.out))), (3, 1), f"US:\n{done.out}")
    done = check(text.replace("country: FR", "country: US, safeguard: dpf"))
    equal(done.returncode, 0, f"US with dpf:\n{done.out}")
    done = check(text.replace("country: FR", "country: JP"))
    equal(done.returncode, 0, f"Japan (adequacy):\n{done.out}")


@case("unknown and reserved keys are diagnostics, never silence")
def unknown_keys():
    text = bare().replace("UPSTREAM", "http://127.0.0.1:9000")
    for old, new, word in (
        ("policy: 1", "policy: 1\nsurprise: 2", "surprise"),
        ("policy: 1", "policy: 2", "policy"),
        ("shape: email }", "shape: name-like }", "name-like"),
        ("do: tokenise,", "do: scan,", "scan"),
        ("client-address: drop", "client-address: hidden", "hidden"),
        ("shape: email }", "erasable: subject }", "erasable"),
        ("path: /contact }", "path: /contact, when: x }", "when"),
        ("purpose: contact\n", "purpose: contact\n    stream: yes\n", "stream"),
    ):
        expect(old in text, f"the scene changed: {old}")
        done = check(text.replace(old, new, 1))
        equal(done.returncode, 3, f"{new}:\n{done.out}")
        contains(done.out, word, new)


GATEWAY = """\
listen: [{ address: 127.0.0.1:8080 }]
admin: { address: 127.0.0.1:8081 }
policies: [policy.yaml]
"""


@case("gateway files: unknown and reserved keys, bad values, an admin door to the world", smoke=True)
def gateway_files():
    equal(check(GATEWAY, name="gateway.yaml").returncode, 0, "the plain file")
    for old, new in (
        ("policies: [policy.yaml]", "policies: [policy.yaml]\nsurprise: 1"),
        ("policies: [policy.yaml]", "policies: []"),
        ("policies: [policy.yaml]\n", ""),
        ("[{ address: 127.0.0.1:8080 }]", "[{ address: 127.0.0.1:8080, tls: { certificate: a } }]"),
        ("[{ address: 127.0.0.1:8080 }]", "[{ address: localhost }]"),
        ("[{ address: 127.0.0.1:8080 }]", "[{ address: 127.0.0.1:99999 }]"),
        ("{ address: 127.0.0.1:8081 }", "{ address: 0.0.0.0:8081 }"),
        ("{ address: 127.0.0.1:8081 }", "{ address: '[::]:8081' }"),
        ("{ address: 127.0.0.1:8081 }", "{ address: 127.0.0.1:8081, client-ca: x }"),
        ("policies: [policy.yaml]", "policies: [policy.yaml]\nlimits: { form-bytes: lots }"),
        ("policies: [policy.yaml]", "policies: [policy.yaml]\nlimits: { file-bytes: 1PB }"),
        ("policies: [policy.yaml]", "policies: [policy.yaml]\nworkers: many"),
        ("policies: [policy.yaml]", "policies: [policy.yaml]\ntrusted-proxies: [10.0.0.0/33]"),
        ("policies: [policy.yaml]", "policies: [policy.yaml]\nlisten: [{ address: 127.0.0.1:9 }]"),
        ("policies: [policy.yaml]", "policies: [policy.yaml]\n  bad: indent"),
    ):
        expect(old in GATEWAY, f"the file changed: {old}")
        done = check(GATEWAY.replace(old, new, 1), name="gateway.yaml")
        equal(done.returncode, 3, f"{new}:\n{done.out}")
        expect(error_lines(done.out), f"no place: {done.out}")


@case("a folder in the place of a gateway file is said to be none, by every command that takes one")
def folder_as_config():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        policy, out = os.path.join(folder, "policy.yaml"), os.path.join(folder, "out")
        with open(policy, "w", encoding="utf-8") as file:
            file.write(bare().replace("UPSTREAM", "http://127.0.0.1:9000"))
        for arguments in (
            ["check", folder],
            ["serve", "--config", folder],
            ["init", "--config", folder],
            ["policy", "apply", policy, "--config", folder],
            ["backup", folder, out, "--config", folder],
        ):
            done = gateway.run(*arguments)
            equal(done.returncode, 3, f"{arguments}: {done.err}")
            contains(done.out + done.err, "the file cannot be read", f"{arguments}")
            expect(done.err.splitlines()[-1].startswith("paravent: "), done.err)
        equal(os.listdir(folder), ["policy.yaml"], "what is there")


@case("what nobody foresaw ends a command with code 1 and one sentence")
def unforeseen():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        gone = os.path.join(folder, "gone")
        # Where we are is nowhere, so that nobody can say what a relative name means.
        script = 'mkdir "$1" && cd "$1" && rmdir "$1" && exec "$0" init --data secret-name'
        done = subprocess.run(["sh", "-c", script, settings.BINARY, gone], capture_output=True, text=True, timeout=60)
        equal((done.returncode, done.stdout), (1, ""), f"init ({done.stderr})")
        expect("secret-name" not in one_sentence(done.stderr), done.stderr)


@case("serve without what it needs: one sentence each")
def serve_usage():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        data = os.path.join(folder, "data")
        site = "http://127.0.0.1:9000"
        for arguments, code in (
            (["--data", data], 2),
            (["--preset", "no-such", "--upstream", site, "--data", data], 2),
            (["--preset", "contact-form", "--data", data], 2),
            (["--preset", "contact-form", "--upstream", "127.0.0.1", "--data", data], 2),
            (["--preset", "contact-form", "--upstream", site, "--path", "no-slash", "--data", data], 2),
            (["--preset", "contact-form", "--upstream", site, "--listen", "nowhere", "--data", data], 2),
            (["--preset", "contact-form", "--upstream", site, "--admin", "0.0.0.0:1", "--data", data], 3),
            (["--config", os.path.join(folder, "missing.yaml")], 3),
            (["--config", folder], 3),
            (["--config", "/dev/zero"], 3),
        ):
            done = gateway.run("serve", *arguments)
            equal((done.returncode, done.out), (code, ""), f"serve {arguments} ({done.err})")
            expect(done.err.splitlines()[-1].startswith("paravent: "), done.err)
            expect(not os.path.exists(data), f"serve {arguments} made a data directory")

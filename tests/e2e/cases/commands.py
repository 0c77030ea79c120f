"""explain, test and vectors: the commands that work without a gateway."""

import json
import os
import re
import tempfile

from support import gateway, tokens
from support.case import case, contains, equal, expect, lacks
from support.gateway import one_sentence
from support.policies import WIDE

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "vectors")

REQUEST = """\
POST /contact?mail=query%40example.fr&ref=abc HTTP/1.1
Host: www.example.fr
Content-Type: application/x-www-form-urlencoded
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0
Cookie: track=1
X-Forwarded-For: 198.51.100.7

email=Visitor%40Example.FR&message=Bonjour&note=x&submit=1
"""


class Folder:
    def __init__(self, **files):
        self.folder = tempfile.TemporaryDirectory(prefix="paravent-e2e-")
        self.files = dict({"policy.yaml": WIDE.replace("UPSTREAM", "http://127.0.0.1:9000")}, **files)

    def __enter__(self):
        for name, text in self.files.items():
            with open(self / name, "w", encoding="utf-8", newline="") as file:
                file.write(text)
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def __truediv__(self, name):
        return os.path.join(self.folder.name, name)


@case("explain: each field with its rule, before and after", smoke=True)
def explain():
    with Folder(**{"request.http": REQUEST}) as folder:
        done = gateway.run("explain", folder / "policy.yaml", "--request", folder / "request.http", "--json")
        equal((done.returncode, done.err), (0, ""), "explain --json")
        told = json.loads(done.out)
        expect({"route", "outcome", "fields", "unlisted"} <= told.keys(), f"keys: {sorted(told)}")
        equal((told["route"], told["outcome"], told["unlisted"]), ("contact-form", "forwarded", []), "route")
        fields = {field["path"]: field for field in told["fields"]}
        for field in told["fields"]:
            equal(sorted(field), ["action", "after", "before", "path", "rule"], "keys of a field")
        email = fields["form.email"]
        equal((email["action"], email["before"]), ("tokenise", "Visitor@Example.FR"), "form.email")
        tokens.email_shaped(email["after"])
        tokens.encrypted(fields["form.message"]["after"])
        tokens.vault(fields["query.mail"]["after"])
        equal(fields["form.note"]["after"], None, "a dropped field")
        equal(fields["form.submit"]["after"], "1", "a kept field")
        agent = next(field for path, field in fields.items() if path.lower() == "header.user-agent")
        equal(agent["after"], "Mozilla/5.0 Firefox/127.0", "the user agent")
        done = gateway.run("explain", folder / "policy.yaml", "--request", folder / "request.http")
        equal((done.returncode, done.err), (0, ""), "explain")
        for part in ("contact-form", "form.email", "Visitor@Example.FR", "pvv1"):
            contains(done.out, part, "what it prints")
        lacks(done.out, "198.51.100.7", "what the upstream would receive")


@case("explain: unlisted fields and refusals are said by name")
def explain_refused():
    bad = REQUEST.replace("note=x", "surprise=x")
    with Folder(**{"request.http": bad, "crlf.http": REQUEST.replace("\n", "\r\n")}) as folder:
        done = gateway.run("explain", folder / "policy.yaml", "--request", folder / "request.http", "--json")
        told = json.loads(done.out)
        equal((done.returncode, told["outcome"], told["reason"]), (0, "refused", "unlisted-field"), "refused")
        equal(told["unlisted"], ["form.surprise"], "unlisted")
        done = gateway.run("explain", folder / "policy.yaml", "--request", folder / "crlf.http", "--json")
        equal(json.loads(done.out)["outcome"], "forwarded", "a request with CRLF")
        done = gateway.run("explain", folder / "policy.yaml", "--request", folder / "nowhere", "--json")
        equal((done.returncode, done.out), (2, ""), "a request file that is not there")
        one_sentence(done.err)
        done = gateway.run("explain", folder / "request.http", "--request", folder / "request.http")
        equal((done.returncode, done.out), (3, ""), "a policy that is none")


@case("an option or argument that is empty is a mistake, and nothing is done")
def empty_values():
    with Folder() as folder:
        for arguments in (
            ["init", "--data", ""],
            ["init", "--data", folder / "data", "--root-key", ""],
            ["serve", "--config", ""],
            ["check", ""],
            ["audit", "verify", ""],
            ["operators", "add", "", "--role", "dpo", "--reason", "x"],
        ):
            done = gateway.run(*arguments)
            equal((done.returncode, done.out), (2, ""), f"{arguments}: {done.err}")
            contains(one_sentence(done.err), "is empty", "the sentence")
        equal(os.listdir(folder.folder.name), ["policy.yaml"], "what is there")


TESTS = """\
policy: policy.yaml
cases:
  - name: a submission
    request: request.http
    expect:
      route: contact-form
      upstream:
        form.email: { action: tokenise, not-contains: [Visitor, Example.FR] }
        form.note: absent
        header.X-Forwarded-For: absent
  - name: a field too many
    request: |
      POST /contact HTTP/1.1
      Host: www.example.fr
      Content-Type: application/x-www-form-urlencoded

      surprise=1
    expect: { refused: unlisted-field }
"""


@case("what is wrong with a command line is named: the word that is no command, the option that is empty, where an id stands")
def named():
    for arguments, words, absent in (
        (["keys", "rotat"], "rotat is no command of keys.", "subcommand"),
        (["subjects", "--help-me", "forget"], "forget is no command of subjects.", "subcommand"),
        (["keys"], "A subcommand is required.", "no command of"),
        (["subjects", "locate", "--reason", "", "pvv1x"], "--reason is empty; give it a value.", "leave it out"),
        (["subjects", "locate", "--reason", "r", "--kind", ""], "--kind is empty; give it a value, or leave it out.", "required"),
        (["backup", "/nowhere/at/all", "out"], "check the name, or give --config or --data.", "init"),
    ):
        done = gateway.run(*arguments)
        expect(done.returncode in (2, 4), f"{arguments}: {done.returncode}")
        contains(one_sentence(done.err), words, f"{arguments}")
        lacks(done.err, absent, f"{arguments}")
    with Folder(**{"c": "pvcred_x\n"}) as folder:
        held = ["keys", "hold", "--release", "x", "--reason", "r", "--credential-file", folder / "c"]
        contains(one_sentence(gateway.run(*held).err), "paravent keys holds", "where a hold's id stands")


@case("a root key that nobody named and that is not beside the data is asked for by name")
def key_elsewhere():
    with Folder() as folder:
        data, key = folder / "data", folder / "key"
        done = gateway.run("init", "--data", data, "--root-key", key)
        equal(done.returncode, 0, f"init ({done.err})")
        for arguments in (["contexts", "-", "--data", data], ["backup", data, folder / "out"], ["keys", "rewrap", "--data", data, "--new-root-key", folder / "new"],
                          ["keys", "accept-older", "--data", data, "--reason", "r"]):  # fmt: skip
            done = gateway.run(*arguments)
            equal(done.returncode, 4, f"{arguments}: {done.err}")
            contains(one_sentence(done.err), f"{data}/root.key is missing", f"{arguments}")
            contains(done.err, "name it with --root-key or --config where it lies elsewhere", f"{arguments}")
        equal(gateway.run("contexts", "-", "--data", data, "--root-key", key).returncode, 0, "named")


@case("test: passes, and fails when an expectation does not hold", smoke=True)
def policy_tests():
    with Folder(**{"request.http": REQUEST, "a.test.yaml": TESTS}) as folder:
        done = gateway.run("test", folder / "a.test.yaml")
        equal((done.returncode, done.err), (0, ""), f"test:\n{done.out}")
        equal(done.out.splitlines()[-1], "2 passed, 0 failed", "the last line")
        told = json.loads(gateway.run("test", "--json", folder / "a.test.yaml").out)
        equal((told["passed"], told["failed"], len(told["cases"])), (2, 0, 2), "--json")
    wrong = {
        "another action": ("action: tokenise", "action: encrypt"),
        "a text that is there": ("not-contains: [Visitor, Example.FR]", "not-contains: [paravent.invalid]"),
        "a field that is there": ("form.note: absent", "form.submit: absent"),
        "another route": ("route: contact-form", "route: survey"),
        "another reason": ("refused: unlisted-field", "refused: no-route"),
    }
    for name, (old, new) in wrong.items():
        with Folder(**{"request.http": REQUEST, "a.test.yaml": TESTS.replace(old, new)}) as folder:
            done = gateway.run("test", folder / "a.test.yaml")
            equal((done.returncode, done.out.splitlines()[-1]), (5, "1 passed, 1 failed"), name)


@case("test: files with mistakes are diagnostics with code 3")
def policy_test_mistakes():
    for old, new in (
        ("cases:", "cazes:"),
        ("expect: { refused: unlisted-field }", "expect: {}"),
        ("request: request.http", "request: missing.http"),
        ("policy: policy.yaml", "policy: missing.yaml"),
        ("route: contact-form", "rout: contact-form"),
    ):
        with Folder(**{"request.http": REQUEST, "a.test.yaml": TESTS.replace(old, new, 1)}) as folder:
            done = gateway.run("test", folder / "a.test.yaml")
            equal(done.returncode, 3, f"{new}: {done.out}{done.err}")
    done = gateway.run("test", "/nowhere/a.test.yaml")
    equal(done.returncode, 3, "a file that is not there")


@case("test files for the example policies pass")
def examples():
    here = os.path.join(VECTORS, "..", "e2e", "scenes")
    beside = os.path.join(VECTORS, "..", "..", "policies", "examples")
    files = [os.path.join(folder, name) for folder in (here, beside) for name in sorted(os.listdir(folder))]
    done = gateway.run("test", *[path for path in files if path.endswith(".test.yaml")])
    equal((done.returncode, done.err), (0, ""), f"test:\n{done.out}")
    expect(int(done.out.splitlines()[-1].split()[0]) >= 5, f"few cases: {done.out}")


SUMMARY = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")
IN_USE = [
    "wycheproof/aes_siv_cmac_test.json", "wycheproof/hkdf_sha256_test.json", "wycheproof/hmac_sha256_test.json",
    "wycheproof/ed25519_test.json", "wycheproof/xchacha20_poly1305_test.json", "xaes",
]  # fmt: skip


def vector_files():
    for folder in ("wycheproof", "xaes", "ipcrypt", "merkle"):
        for path, _, names in sorted(os.walk(os.path.join(VECTORS, folder))):
            for name in sorted(names):
                if name.endswith(".json"):
                    yield os.path.join(path, name)


@case("vectors: every file of the handed-over suites, each skip with its reason", smoke=True)
def vectors():
    for path in vector_files():
        name = os.path.relpath(path, VECTORS)
        done = gateway.run("vectors", path, timeout=120)
        counts = SUMMARY.fullmatch(done.out.splitlines()[-1] if done.out else "")
        expect(counts is not None, f"{name}: no last line: {done.out[-300:]}{done.err}")
        passed, failed, skipped = (int(count) for count in counts.groups())
        equal((done.returncode, failed), (0, 0), f"{name}:\n{done.out}")
        expect(passed + skipped > 0, f"{name}: nothing was run")
        if any(name.startswith(used) for used in IN_USE):
            expect(passed > 0, f"{name}: {passed} passed, {skipped} skipped")
        if skipped:
            contains(done.out, "skipped", f"{name}: the reason")


@case("vectors: a changed vector fails with code 5, another file with code 4", smoke=True)
def wrong_vectors():
    with open(os.path.join(VECTORS, "wycheproof", "hkdf_sha256_test.json"), encoding="utf-8") as file:
        document = json.load(file)
    case_zero = document["testGroups"][0]["tests"][0]
    case_zero["okm"] = ("00" if case_zero["okm"][:2] != "00" else "01") + case_zero["okm"][2:]
    with Folder(**{"v.json": json.dumps(document), "other.json": "{}", "broken.json": "{"}) as folder:
        done = gateway.run("vectors", folder / "v.json")
        equal(done.returncode, 5, f"a changed vector:\n{done.out}")
        equal(SUMMARY.fullmatch(done.out.splitlines()[-1]).group(2), "1", "failed")
        for name in ("other.json", "broken.json", "missing.json"):
            done = gateway.run("vectors", folder / name)
            equal(done.returncode, 4, f"{name} ({done.err})")
            one_sentence(done.err)
    told = json.loads(gateway.run("vectors", "--json", *vector_files(), timeout=300).out)
    expect(told["passed"] > 500 and told["failed"] == 0, f"{told['passed']} passed")

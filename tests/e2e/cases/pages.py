"""Long lists come in pages, each item once, in the order of the whole; progress of long commands for people at a terminal."""

import json
import os
import pty
import subprocess

from cases.honey_doors import admin_file, plant
from support import settings, wire
from support.case import Shared, case, contains, equal, expect, lacks
from support.gateway import Scene
from support.policies import WIDE

POLICY = WIDE + "four-eyes: { approve: [support], purposes: [survey] }\n"


class Listed:
    """A gateway with several of everything that is listed."""

    def __init__(self):
        self.scene = scene = Scene(policy=POLICY)
        received = scene.submit(wire.request("POST", "/contact", wire.form({"name": "Anne"}), wire.FORM))
        token = dict(wire.form_fields(received.body))["name"]
        for number in range(5):
            plant(scene, f"decoy{number}@example.fr")
            body = {"purpose": "contact", "basis": "contract", "hours": 1, "reason": "r", "tokens": [token]}
            equal(scene.admin.call("POST", "/v1/grants", body, scene.dpo)[0], 201, "a grant")
            body = {"name": f"robot-{number}", "role": "dpo", "type": "program", "expires": "P1D", "reason": "r"}
            equal(scene.admin.call("POST", "/v1/operators", body, scene.administrator)[0], 200, "an operator")

    def close(self):
        self.scene.close()


SHARED = Shared(Listed)


@case("operators, keys, grants and honey tokens come in pages that give each once, in order", smoke=True)
def pages():
    scene = SHARED.get().scene
    lists = (
        ("/v1/operators", "operators", "name", scene.administrator),
        ("/v1/keys", "keys", "id", scene.administrator),
        ("/v1/grants", "grants", "id", scene.dpo),
        ("/v1/honey-tokens", "honey_tokens", "token", scene.administrator),
    )
    for path, name, key, credential in lists:

        def get(query):
            status, _, body = scene.admin.call("GET", path + query, None, credential)
            return status, json.loads(body)

        status, answer = get("")
        equal(status, 200, path)
        whole = [one[key] for one in answer[name]]
        expect(len(whole) >= 5 and len(set(whole)) == len(whole), f"{path}: {whole}")
        expect("next" not in answer, f"{path}: next behind the whole list")
        for count in (1, 2, len(whole) - 1, len(whole), 1000):
            seen, query = [], f"?count={count}"
            for _ in range(len(whole) + 1):
                status, answer = get(query)
                equal(status, 200, path + query)
                expect(len(answer[name]) <= count, f"{path}{query}: {len(answer[name])}")
                seen += [one[key] for one in answer[name]]
                if "next" not in answer:
                    break
                query = f"?after={answer['next'].replace('@', '%40')}&count={count}"
            equal(seen, whole, f"{path} in pages of {count}")
        for wrong in ("?count=0", "?count=1001", "?count=x", "?after=nobody&count=2", "?from=1", "?count=1&count=1"):
            equal(get(wrong)[0], 400, path + wrong)


def at_a_terminal(*arguments, stdin=None):
    """What a command writes to a terminal that is its standard error."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [settings.BINARY, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs
        ) as process:
            out, _ = process.communicate(stdin, timeout=60 * settings.SLOWNESS)
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            if not piece:
                break
            seen += piece
    finally:
        os.close(ours)
    return process.returncode, out.decode(), seen.decode()


@case("long commands show at a terminal how far they are, and elsewhere nothing")
def progress():
    scene = SHARED.get().scene
    received = scene.submit(wire.request("POST", "/contact", wire.form({"email": "anne@example.fr"}), wire.FORM))
    token = dict(wire.form_fields(received.body))["email"]
    text = (token + "\n").encode() * 1200
    ask = ("reidentify", "--purpose", "contact", "--reason", "r", "--admin", scene.admin.url)
    ask += ("--credential-file", scene.credential_file(), "-")
    code, out, seen = at_a_terminal(*ask, stdin=text)
    equal((code, out.count("anne@example.fr")), (0, 1200), f"reidentify: {seen}")
    contains(seen, "500 of 1200", "its terminal")
    expect(seen.endswith("\x1b[K"), f"the line does not go: {seen!r}")
    code, _, seen = at_a_terminal("audit", "verify", scene.data)
    equal(code, 0, f"verify: {seen}")
    contains(seen, "entries", "its terminal")
    out = os.path.join(scene.folder, "data.pvbackup")
    backup = ("backup", scene.data, out, "--root-key", scene.root_key, "--admin", scene.admin.url)
    code, _, seen = at_a_terminal(*backup, "--credential-file", admin_file(scene))
    equal(code, 0, f"backup: {seen}")
    contains(seen, "the gateway makes the backup", "its terminal")
    done = subprocess.run([settings.BINARY, "audit", "verify", scene.data], capture_output=True, check=False)
    equal((done.returncode, done.stderr), (0, b""), "verify without a terminal")
    lacks(done.stdout, b"\r", "its output")

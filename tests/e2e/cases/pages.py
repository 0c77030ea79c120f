"""Long lists come in pages, each item once, in the order of the whole; progress of long commands for people at a terminal."""

import contextlib
import json
import os
import pty
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from cases.honey_doors import plant
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
            body = {"tenant": "atelier", "purpose": "contact", "until": "2090-01-01", "reason": f"hold {number}"}
            equal(scene.admin.call("POST", "/v1/holds", body, scene.administrator)[0], 200, "a hold")
            body = {"name": f"tenant-{number}", "reason": "r"}
            equal(scene.admin.call("POST", "/v1/tenants", body, scene.administrator)[0], 200, "a tenant")
            plant(scene, f"decoy{number}@example.fr")
            body = {"purpose": "contact", "basis": "contract", "hours": 1, "reason": "r", "tokens": [token]}
            equal(scene.admin.call("POST", "/v1/grants", body, scene.dpo)[0], 201, "a grant")
            body = {"name": f"robot-{number}", "role": "dpo", "type": "program", "expires": "P1D", "reason": "r"}
            equal(scene.admin.call("POST", "/v1/operators", body, scene.administrator)[0], 200, "an operator")

    def close(self):
        self.scene.close()


SHARED = Shared(Listed)


@case("operators, keys, grants, honey tokens, holds and tenants come in pages that give each once, in order", smoke=True)
def pages():
    scene = SHARED.get().scene
    lists = (
        ("/v1/operators", "operators", "name", scene.administrator),
        ("/v1/keys", "keys", "id", scene.administrator),
        ("/v1/grants", "grants", "id", scene.dpo),
        ("/v1/honey-tokens", "honey_tokens", "token", scene.administrator),
        ("/v1/holds", "holds", "id", scene.administrator),
        ("/v1/tenants", "tenants", "id", scene.administrator),
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
        for wrong in ("?count=0", "?count=1001", "?count=x", "?from=1", "?count=1&count=1"):
            equal(get(wrong)[0], 400, path + wrong)
        # What nothing can have been taken from has no place for a stranger.
        by_key = name in ("honey_tokens", "holds", "tenants")
        equal(get("?after=nobody&count=2")[0], 200 if by_key else 400, f"{path}: a stranger")
    for wrong in ("?within=P30D&count=2", "?count=2&within=P30D", "?within=P30D&after=x"):
        equal(scene.admin.call("GET", "/v1/keys" + wrong, None, scene.administrator)[0], 400, wrong)


@case("a list that changes between two pages throws no reader back, and gives nobody twice")
def changing():
    scene = SHARED.get().scene

    def get(path, query, name, key, credential):
        status, _, body = scene.admin.call("GET", path + query, None, credential)
        equal(status, 200, f"{path}{query}: {body}")
        answer = json.loads(body)
        return [one[key] for one in answer[name]], answer.get("next")

    honey = ("/v1/honey-tokens", "honey_tokens", "token", scene.administrator)
    whole, _ = get(honey[0], "", *honey[1:])
    equal(whole, sorted(whole), "decoys in the order of their tokens")
    first, after = get(honey[0], "?count=2", *honey[1:])
    equal((first, after), (whole[:2], whole[1]), "the first page")
    for gone in (whole[1], whole[2]):
        body = {"token": gone, "reason": "r"}
        equal(scene.admin.call("POST", "/v1/honey-tokens/remove", body, scene.administrator)[0], 200, "remove")
    rest, after = get(honey[0], f"?count=100&after={after.replace('@', '%40')}", *honey[1:])
    equal((rest, after), (whole[3:], None), "behind a decoy that is gone")
    for number in range(2):
        plant(scene, f"again{number}@example.fr")

    grants = ("/v1/grants", "grants", "id", scene.dpo)
    whole, _ = get(grants[0], "", *grants[1:])
    first, after = get(grants[0], "?count=2", *grants[1:])
    body = {"purpose": "contact", "basis": "contract", "hours": 1, "reason": "r", "subjects": 1, "values": 1}
    equal(scene.admin.call("POST", "/v1/grants", body, scene.dpo)[0], 201, "a newer grant")
    body = {"reason": "r"}
    equal(scene.admin.call("POST", f"/v1/grants/{after}/close", body, scene.dpo)[0], 200, "closed meanwhile")
    rest, _ = get(grants[0], f"?count=1000&after={after}", *grants[1:])
    equal(first + rest, whole, "grants, with a newer one")

    operators = ("/v1/operators", "operators", "name", scene.administrator)
    whole, _ = get(operators[0], "", *operators[1:])
    first, after = get(operators[0], f"?count={len(whole) - 2}", *operators[1:])
    equal(scene.admin.call("POST", f"/v1/operators/{after}/revoke", {"reason": "r"}, scene.administrator)[0], 200, after)
    rest, _ = get(operators[0], f"?count=1000&after={after}", *operators[1:])
    equal(first + rest, whole, "operators, with one revoked")


class Pages:
    """An admin API whose lists come two at a time, whatever is asked for. `broken`: the pages turn in a circle."""

    def __init__(self, name, key, items, broken=False):
        self.asked = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                after = parse_qs(urlsplit(self.path).query).get("after", [None])[0]
                at = 0 if after is None else [one[key] for one in items].index(after) + 1
                page = items[:2] if broken else items[at : at + 2]
                answer = {name: page}
                if broken or at + 2 < len(items):
                    answer["next"] = page[-1][key]
                text = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *arguments):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.server.shutdown()
        self.server.server_close()


@case("the commands that list read all pages: one document, every item once")
def commands():
    scene = SHARED.get().scene
    lists = (
        ("operators", "operators", "name", scene.administrator, {"role": "dpo", "credentials": []}),
        ("keys", "keys", "id", scene.administrator, {"class": "epoch", "state": "active", "version": 1}),
        ("grants", "grants", "id", scene.dpo, {"state": "open", "requester": "a"}),
        ("honey", "honey_tokens", "token", scene.administrator, {"route": "r"}),
    )
    for command, name, key, credential, more in lists:
        path = scene.keep(command, credential)

        def run(url, *options):
            arguments = [settings.BINARY, command, "list", "--admin", url, "--credential-file", path, *options]
            return subprocess.run(arguments, capture_output=True, text=True, timeout=60 * settings.PATIENCE, check=False)

        items = [{key: f"a+b {number}&c=ü@x", **more} for number in range(5)]
        with Pages(name, key, items) as pages_of:
            done = run(pages_of.url, "--json")
            equal((done.returncode, json.loads(done.stdout)), (0, {name: items}), f"{command}: {done.stderr}")
            equal(len(pages_of.asked), 3, f"{command}: {pages_of.asked}")
            done = run(pages_of.url)
            equal(done.returncode, 0, f"{command}: {done.stderr}")
            for item in items:
                equal(done.stdout.count(item[key]), 1, f"{command}: {item[key]}")
        with Pages(name, key, items, broken=True) as pages_of:
            done = run(pages_of.url, "--json")
            equal((done.returncode, done.stdout), (6, ""), f"{command} in a circle: {done.stderr}")
        # The gateway's own.
        status, _, body = scene.admin.call("GET", "/v1/" + name.replace("_", "-"), None, credential)
        equal(status, 200, name)
        equal(json.loads(run(scene.admin.url, "--json").stdout), json.loads(body), f"{command} of a gateway")


def at_a_terminal(*arguments, stdin=None):
    """What a command writes to a terminal that is its standard error."""
    ours, theirs = pty.openpty()
    pieces = []

    def read():
        """As it comes: a terminal holds few pages, and whoever writes more waits."""
        with contextlib.suppress(OSError):  # what a terminal says whose other side is closed
            while piece := os.read(ours, 65536):
                pieces.append(piece)

    reader = threading.Thread(target=read, daemon=True)
    try:
        process = subprocess.Popen(
            [settings.BINARY, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs
        )
        os.close(theirs)
        reader.start()
        try:
            out, _ = process.communicate(stdin, timeout=60 * settings.PATIENCE)
        finally:
            process.kill()
            process.wait()
        reader.join(60 * settings.PATIENCE)
    finally:
        os.close(ours)
    return process.returncode, out.decode(), b"".join(pieces).decode()


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
    code, _, seen = at_a_terminal(*backup, "--credential-file", scene.admin_credential_file())
    equal(code, 0, f"backup: {seen}")
    contains(seen, "the gateway makes the backup", "its terminal")
    keys = os.path.join(scene.folder, "keys.pvbackup")
    backup = ("backup", scene.data, keys, "--keys", "--root-key", scene.root_key, "--admin", scene.admin.url)
    code, _, seen = at_a_terminal(*backup, "--credential-file", scene.admin_credential_file())
    equal(code, 0, f"backup of the keys: {seen}")
    restored = os.path.join(scene.folder, "restored")
    restore = ("restore", out, "--keys", keys, "--root-key", scene.root_key, "--data", restored)
    code, _, seen = at_a_terminal(*restore)
    equal(code, 0, f"restore: {seen}")
    contains(seen, "records taken from the backup", "its terminal")
    expect(seen.endswith("\x1b[K"), f"the line does not go: {seen!r}")
    dpo = ("--admin", scene.admin.url, "--credential-file", scene.credential_file())
    code, text, seen = at_a_terminal("audit", "export", *dpo)
    equal(code, 0, f"export: {seen}")
    lines = text.count("\n")
    contains(seen, f" of {lines} entries", "its terminal")
    expect(lines > 5 and seen.endswith("\x1b[K"), f"the line does not go: {seen!r}")
    code, text, seen = at_a_terminal("dossier", "--reason", "r", *dpo)
    equal(code, 0, f"dossier: {seen}")
    contains(seen, "the gateway puts the dossier together: ", "its terminal")
    expect(json.loads(text) and seen.endswith("\x1b[K"), f"the line does not go: {seen!r}")
    away = ("--data", restored, "--root-key", scene.root_key, "--new-root-key", os.path.join(scene.folder, "next.key"))
    code, _, seen = at_a_terminal("keys", "rewrap", *away, "--reason", "r")
    equal(code, 0, f"rewrap: {seen}")
    contains(seen, "the keys are wrapped under it: ", "its terminal")
    done = subprocess.run([settings.BINARY, "audit", "export", *dpo], capture_output=True, check=False)
    equal((done.returncode, done.stderr), (0, b""), "export without a terminal")
    done = subprocess.run([settings.BINARY, "audit", "verify", scene.data], capture_output=True, check=False)
    equal((done.returncode, done.stderr), (0, b""), "verify without a terminal")
    lacks(done.stdout, b"\r", "its output")

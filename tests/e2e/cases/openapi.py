"""/openapi.json against the real behaviour: every operation is called, every answer is one that is described."""

import json
import os
import re
import tempfile
import time

from cases.access import totp
from support import gateway, schema, settings, wire
from support.case import Shared, case, equal, expect, shown
from support.gateway import Scene
from support.issuer import Issuer
from support.policies import WIDE

METHODS = ("get", "head", "post", "put", "delete")
ROLES = "roles: { dpo: { reveal: clear }, support: { reveal: masked } }"
POLICY = WIDE.replace(ROLES, "roles: { dpo: { reveal: clear, subjects: true }, support: { reveal: masked, protect: true } }")
# So that operators need a second person, and grants can be asked for.
# So that something waits for conversion once the vault was sealed.
POLICY = POLICY.replace(
    "routes:\n",
    """public-keys: { board: { key: 'PUBLIC' } }
routes:
  - name: report
    match: { method: POST, path: /report }
    upstream: UPSTREAM
    recipient: crm
    purpose: contact
    when-sealed: encrypt-to board
    fields: { form.message: { kind: text, do: encrypt } }
""",
)
POLICY += "four-eyes: { approve: [dpo], purposes: [survey] }\n"


def needs_credential(operation):
    return bool(operation.get("security")) and {} not in operation["security"]


class Described:
    """A gateway whose dpo exercises people's rights, with a token, and its description."""

    def __init__(self):
        with tempfile.TemporaryDirectory() as folder:
            told = json.loads(gateway.run("keypair", "--out", os.path.join(folder, "board.key"), "--json").out)
            self.issuer = Issuer(folder)
            self.scene = Scene(
                policy=POLICY.replace("PUBLIC", told["public_key"]),
                extra=self.issuer.configured(folder),
            )
        received = self.scene.submit(
            wire.request("POST", "/contact", wire.form({"name": "Anne", "email": "anne@example.fr"}), wire.FORM)
        )
        self.token = dict(wire.form_fields(received.body))["name"]
        status, headers, body = self.scene.admin.call("GET", "/openapi.json")
        equal((status, headers["Content-Type"]), (200, "application/json"), "the description")
        self.document = json.loads(body)

    def operations(self):
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), path, item, item[method]

    def check(self, method, path, operation, answer):
        """That the answer is one of those described: status, type and body. Answers its JSON."""
        status, headers, body = answer
        described = operation["responses"].get(str(status))
        expect(described is not None, f"{method} {path} answers {status}, which is not described: {shown(body)}")
        kind = headers["Content-Type"].split(";")[0]
        content = described.get("content")
        if content is not None:
            expect(kind in content, f"{method} {path} {status} is {kind}, described are {list(content)}")
        if status >= 400 and status not in (503,):
            equal(kind, "application/problem+json", f"{method} {path} {status}")
        if status == 403:
            reason = json.loads(body)["reason"]
            expect(reason in described["x-reasons"], f"{method} {path}: 403 {reason}, described are {described['x-reasons']}")
        if method == "HEAD":
            equal(body, b"", f"{method} {path} {status}: the body")
            return None
        if not kind.endswith("json"):
            return None
        value = json.loads(body)
        wanted = (content or {}).get(kind, {}).get("schema")
        if kind == "application/problem+json":
            wanted = {"$ref": "#/components/schemas/Problem"}
        if wanted is not None:
            found = schema.faults(self.document, wanted, value)
            expect(not found, f"{method} {path} {status}: {found[:3]} in {shown(value)}")
        return value

    def close(self):
        self.scene.close()


SHARED = Shared(Described)


@case("the description is OpenAPI 3.1 in form: references, parameters, answers, security", smoke=True)
def form():
    document = SHARED.get().document
    expect(re.fullmatch(r"3\.1\.\d+", document["openapi"]), document["openapi"])
    expect(document["info"]["title"] and document["info"]["version"], "info")
    allowed = {"openapi", "info", "jsonSchemaDialect", "servers", "paths", "webhooks", "components", "security", "tags"}
    expect(set(document) <= allowed | {"externalDocs"}, f"top level: {list(document)}")

    def walk(node, at):
        if isinstance(node, dict):
            if "$ref" in node:
                expect(schema.resolve(document, node["$ref"]) is not None, f"{at}: {node['$ref']}")
            for key, value in node.items():
                walk(value, f"{at}/{key}")
        elif isinstance(node, list):
            for number, value in enumerate(node):
                walk(value, f"{at}/{number}")

    walk(document, "#")
    schemes = document["components"]["securitySchemes"]
    for method, path, item, operation in SHARED.get().operations():
        where = f"{method} {path}"
        expect(operation.get("summary"), f"{where}: no summary")
        for status, answer in operation["responses"].items():
            expect(re.fullmatch(r"[1-5]\d\d", status), f"{where}: status {status}")
            expect(answer.get("description"), f"{where}: {status} has no description")
        for one in operation.get("security", []):
            expect(set(one) <= set(schemes), f"{where}: security {one}")
        parameters = item.get("parameters", []) + operation.get("parameters", [])
        parameters = [schema.resolve(document, p["$ref"]) if "$ref" in p else p for p in parameters]
        names = {(p["in"], p["name"]) for p in parameters}
        equal(len(names), len(parameters), f"{where}: parameters")
        for parameter in parameters:
            expect("schema" in parameter, f"{where}: {parameter['name']} has no schema")
        in_path = {("path", name) for name in re.findall(r"\{(\w+)\}", path)}
        equal({name for name in names if name[0] == "path"}, in_path, f"{where}: path parameters")
        expect(method != "GET" or "requestBody" not in operation, f"{where}: a GET with a body")


@case("without a credential every operation that needs one answers 401 as described, and another method 405", smoke=True)
def doors():
    described = SHARED.get()
    for method, path, item, operation in described.operations():
        real = re.sub(r"\{\w+\}", "0" * 32, path)
        if needs_credential(operation):
            answer = described.scene.admin.call(method, real, body={} if method == "POST" else None)
            equal(answer[0], 401, f"{method} {path} without a credential")
            described.check(method, path, operation, answer)
        others = [one for one in METHODS if one not in item]
        status, headers, _ = described.scene.admin.call(others[-1].upper(), real, credential=described.scene.dpo)
        expect(status in (404, 405), f"{others[-1]} {path} answers {status}")
        if status == 405:
            expect(method in headers["Allow"], f"{path}: Allow is {headers['Allow']}")


@case("with a body that is none every POST answers as described, and so does whoever may not", smoke=True)
def malformed():
    described = SHARED.get()
    scene = described.scene
    for method, path, _, operation in described.operations():
        if method != "POST" or not needs_credential(operation):
            continue
        if path == "/v1/seal":
            continue  # takes no body, and would end the others' case
        real = re.sub(r"\{\w+\}", "0" * 32, path)
        for credential in (scene.dpo, scene.administrator):
            for body in (b"[", b"{}", b'{"nonsense":"x"}'):
                answer = scene.admin.call(method, real, body, credential)
                expect(answer[0] >= 400, f"{method} {path} takes {body!r}: {answer[0]}")
                described.check(method, path, operation, answer)


@case("every operation whose description says so takes an Idempotency-Key, and no other does", smoke=True)
def idempotency_keys():
    described = SHARED.get()
    scene = described.scene
    for method, path, _, operation in described.operations():
        # The seal's two stand in front; a session ends for whoever asks.
        if method != "POST" or not needs_credential(operation) or path in ("/v1/seal", "/v1/unseal", "/v1/logout"):
            continue
        takes = {"$ref": "#/components/parameters/IdempotencyKey"} in operation.get("parameters", [])
        real = re.sub(r"\{\w+\}", "0" * 32, path)
        # One that is none: it is read before anything else is.
        answer = scene.admin.call(method, real, b"[", scene.administrator, [("Idempotency-Key", "not one")])
        described.check(method, path, operation, answer)
        told = (answer[0], json.loads(answer[2])["reason"]) == (400, "idempotency-key")
        equal(told, takes, f"{path} with a key that is none: {shown(answer[2])}")
        if not takes:
            continue
        # Used for another request before.
        key = [("Idempotency-Key", "k" + path.translate(str.maketrans("/{}-", "____")))]
        first = scene.admin.call(method, real, b"[", scene.administrator, key)
        again = scene.admin.call(method, real, b"{", scene.administrator, key)
        if first[0] in (400, 403, 422):
            equal((again[0], json.loads(again[2])["reason"]), (422, "idempotency-key"), f"{path}: another request")
        described.check(method, path, operation, again)


def approved(described, path, body):
    """A change of operators: asked for, approved by the other, done. Answers what it answered."""
    dpo, admin = described.scene.dpo, described.scene.administrator
    grant = (yield "POST", path, body, admin)["grant"]["id"]
    yield "POST", f"/v1/grants/{grant}/approve", {"reason": "known"}, dpo
    return (yield "POST", path, {**body, "grant": grant}, admin)


def calls_of_people(described):
    """Operators, logins, grants and protect."""
    dpo, admin = described.scene.dpo, described.scene.administrator
    why = {"reason": "r"}
    robot = {"name": "robot", "role": "support", "type": "program", "expires": "P1D", "reason": "r"}
    robot = (yield from approved(described, "/v1/operators", robot))["credential"]
    yield "GET", "/v1/operators", None, admin
    yield "GET", "/v1/whoami", None, robot
    protect = {"route": "contact-form", "values": {"form.email": "b@example.fr"}}
    yield "POST", "/v1/protect", protect, robot
    more = yield from approved(described, "/v1/operators/robot/credentials", {"expires": "P1D", "reason": "r"})
    yield "POST", f"/v1/operators/robot/credentials/{more['id']}/revoke", why, admin

    person = {"name": "anne", "role": "support", "type": "person", "reason": "r"}
    yield from approved(described, "/v1/operators", person)
    invitation = (yield from approved(described, "/v1/operators/anne/invite", why))["code"]
    secret = (yield "POST", "/v1/enrol", {"invitation": invitation}, None)["secret"]
    phrase = "Cheval-Correct-7-Agrafe"
    first = {"invitation": invitation, "passphrase": phrase, "code": totp(secret, -1)}
    yield "POST", "/v1/enrol", first, None
    come_in = {"operator": "anne", "passphrase": phrase, "code": totp(secret)}
    session = (yield "POST", "/v1/login", come_in, None)["credential"]
    yield "POST", "/v1/logout", None, session
    yield "POST", "/v1/operators/anne/unlock", why, admin

    ask = {"purpose": "contact", "basis": "contract", "hours": 1, "tokens": [described.token], "reason": "r"}
    grant = (yield "POST", "/v1/grants", ask, robot)["id"]
    yield "GET", "/v1/grants", None, robot
    yield "GET", f"/v1/grants/{grant}", None, robot
    yield "POST", f"/v1/grants/{grant}/approve", why, dpo
    yield "POST", f"/v1/grants/{grant}/close", why, robot
    yield "GET", f"/v1/grants/{grant}/record", None, robot
    grant = (yield "POST", "/v1/grants", ask, robot)["id"]
    yield "POST", f"/v1/grants/{grant}/refuse", why, dpo
    yield "POST", "/v1/operators/robot/revoke", why, admin
    yield "GET", "/v1/oidc", None, admin
    yield "POST", "/v1/oidc/revoke", {"issuer": "login", "subject": "crm-1", "reason": "r"}, admin


def calls(described):
    """One good call of every operation, in an order in which each can be done: (method, path, body, who). Takes the
    JSON of each answer."""
    scene = described.scene
    dpo, admin = scene.dpo, scene.administrator
    people = {"reason": "r", "tokens": [described.token]}
    why = {"reason": "r"}

    def get(path, who=admin):
        return json.loads(scene.admin.call("GET", path, credential=who)[2])

    yield "POST", "/v1/reidentify", {"purpose": "contact", "reason": "r", "tokens": [described.token, "x"]}, dpo
    yield from calls_of_people(described)
    for door in ("locate", "export"):
        yield "POST", f"/v1/subjects/{door}", people, dpo
    yield "POST", "/v1/subjects/restrict", {**people, "restricted": False}, dpo
    yield "POST", "/v1/subjects/object", {**people, "objected": False}, dpo
    yield "POST", "/v1/subjects/events", {**people, "purpose": "contact", "event": "contract-end", "day": None}, dpo
    yield "POST", "/v1/subjects/erase", people, dpo
    yield "GET", "/v1/policy", None, dpo
    yield "POST", "/v1/policy/reload", None, admin
    yield "GET", "/v1/store", None, admin
    yield "POST", "/v1/backup", {"kind": "data"}, admin
    yield "GET", "/v1/backup", None, admin
    for query in ("", "?count=1", "?log=installation"):
        yield "GET", "/v1/audit/entries" + query, None, admin if "log" in query else dpo
    yield "GET", "/v1/audit/checkpoint", None, dpo
    yield "GET", "/v1/audit/proof/inclusion?index=0", None, dpo
    yield "GET", "/v1/audit/proof/consistency?from=1", None, dpo
    yield "POST", "/v1/dossier", {"reason": "r", "operator": "dpo"}, dpo
    yield "POST", "/v1/dossier", {"reason": "r", "format": "html"}, dpo
    plant = {"route": "contact-form", "field": "form.email", "value": "decoy@example.fr", "note": "n", "reason": "r"}
    yield "POST", "/v1/honey-tokens", plant, admin
    yield "GET", "/v1/honey-tokens", None, admin
    token = get("/v1/honey-tokens")["honey_tokens"][0]["token"]
    yield "POST", "/v1/honey-tokens/remove", {"token": token, "reason": "r"}, admin
    yield "GET", "/v1/keys/rows", None, admin
    yield "POST", "/v1/keys/reseal", why, admin
    wait_for_rows(scene)
    yield "POST", "/v1/keys/reindex", {"tenant": "atelier", "domain": "crm", "reason": "r"}, admin
    wait_for_rows(scene)
    yield "GET", "/v1/keys", None, admin
    yield "GET", "/v1/keys?within=P20Y", None, admin
    yield "GET", "/v1/keys/freeze", None, admin
    epoch = next(k["id"] for k in get("/v1/keys")["keys"] if k["class"] == "epoch" and k["state"] == "active")
    for verb in ("rotate", "disable", "enable", "compromise", "override"):
        yield "POST", f"/v1/keys/{epoch}/{verb}", why, admin
    yield "POST", f"/v1/keys/{epoch}/destroy", {**why, "confirm": "destroy"}, admin
    yield "GET", f"/v1/keys/{epoch}/certificate", None, admin
    yield "POST", "/v1/keys/confirm", why, admin
    hold = {"tenant": "atelier", "purpose": "contact", "until": "2090-01-01", "reason": "r"}
    yield "POST", "/v1/holds", hold, admin
    yield "GET", "/v1/holds", None, admin
    held = get("/v1/holds")["holds"][0]["id"]
    yield "POST", f"/v1/holds/{held}/release", why, admin
    yield "POST", "/v1/tenants", {"name": "short-lived", "reason": "r"}, admin
    yield "GET", "/v1/tenants", None, admin
    entries = get("/v1/audit/entries?log=installation&count=1000")["entries"]
    expect(any(e.get("object") == "tenant short-lived" for e in entries), "the new tenant is not on record")
    newest = next(t["id"] for t in get("/v1/tenants")["tenants"] if t["id"] != scene.tenant)
    yield "POST", f"/v1/tenants/{newest}/destroy", {"confirm": "short-lived", "reason": "r"}, admin
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        yield "GET", path, None, None
    for path in ("/healthz", "/readyz"):
        yield "HEAD", path, None, None
    yield "POST", "/v1/seal", None, admin
    scene.submit(wire.request("POST", "/report", wire.form({"message": "help"}), wire.FORM))
    yield "POST", "/v1/unseal", {}, None
    yield "GET", "/v1/keys/when-sealed", None, admin
    yield "POST", "/v1/keys/when-sealed", {"converted": "1", "reason": "r"}, admin
    # The last: the gateway file goes on naming the old one.
    yield "POST", "/v1/rewrap", {"root_key_file": scene.next_root, "reason": "r"}, admin


def wait_for_rows(scene):
    deadline = time.monotonic() + 30 * settings.PATIENCE
    while b'"running"' in scene.admin.call("GET", "/v1/keys/rows", credential=scene.administrator)[2]:
        expect(time.monotonic() < deadline, "the work on rows does not end")
        time.sleep(0.05)


def pattern_of(described, method, path):
    """The described path that this one is an instance of."""
    bare = path.split("?")[0]
    if bare in described.document["paths"]:
        return bare
    for pattern in described.document["paths"]:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), bare):
            return pattern
    raise AssertionError(f"{method} {path} is not described")


@case("every described operation answers a good call as described, and none is left out", smoke=True)
def good_calls():
    described = SHARED.get()
    scene = described.scene
    # What the table needs to know of the set-up.
    scene.tenant = next(iter(json.loads(scene.admin.call("GET", "/v1/tenants", credential=scene.administrator)[2])["tenants"]))["id"]  # fmt: skip
    scene.next_root = make_root_key(scene)
    called = set()
    plan = calls(described)
    told = None
    while True:
        try:
            method, path, body, who = plan.send(told)
        except StopIteration:
            break
        pattern = pattern_of(described, method, path)
        operation = described.document["paths"][pattern][method.lower()]
        if body is not None:
            media = operation["requestBody"]["content"]["application/json"]["schema"]
            found = schema.faults(described.document, media, body)
            expect(not found, f"{method} {path}: the body that works breaks its description: {found}")
        answer = scene.admin.call(method, path, body if body is not None else (b"" if method == "POST" else None), who)
        expect(answer[0] in (200, 201, 202), f"{method} {path} answers {answer[0]}: {shown(answer[2])}")
        told = described.check(method, pattern, operation, answer)
        called.add((method, pattern))
    missing = {(m, p) for m, p, _, _ in described.operations()} - called
    expect(not missing, f"described and never called: {sorted(missing)}")


def make_root_key(scene):
    """Another root key file, made by an init of its own."""
    path = os.path.join(scene.folder, "next-root.key")
    done = gateway.run("init", "--data", os.path.join(scene.folder, "elsewhere"), "--root-key", path, "--json")
    equal(done.returncode, 0, f"init: {done.err}")
    return path

"""/openapi.json against the real behaviour: every operation is called, every answer is one that is described."""

import json
import re

from support import schema, wire
from support.case import Shared, case, equal, expect, shown
from support.gateway import Scene
from support.policies import WIDE

METHODS = ("get", "post", "put", "delete")


class Described:
    """A gateway whose dpo exercises people's rights, with a token, and its description."""

    def __init__(self):
        self.scene = Scene(policy=WIDE.replace("dpo: { reveal: clear }", "dpo: { reveal: clear, subjects: true }"))
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
        real = path.replace("{id}", "0" * 32)
        if operation.get("security"):
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
        if method != "POST" or not operation.get("security"):
            continue
        real = path.replace("{id}", "0" * 32)
        for credential in (scene.dpo, scene.administrator):
            for body in (b"[", b"{}", b'{"nonsense":"x"}'):
                answer = scene.admin.call(method, real, body, credential)
                expect(answer[0] >= 400, f"{method} {path} takes {body!r}: {answer[0]}")
                described.check(method, path, operation, answer)


def calls(described):
    """One good call of every operation, in an order in which each can be done: (method, path, body, who, status)."""
    scene = described.scene
    dpo, admin = scene.dpo, scene.administrator
    people = {"reason": "r", "tokens": [described.token]}
    why = {"reason": "r"}

    def get(path, who=admin):
        return json.loads(scene.admin.call("GET", path, credential=who)[2])

    yield "POST", "/v1/reidentify", {"purpose": "contact", "reason": "r", "tokens": [described.token, "x"]}, dpo
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
    yield "POST", "/v1/rewrap", {"root_key_file": scene.next_root, "reason": "r"}, admin
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        yield "GET", path, None, None


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
    for method, path, body, who in calls(described):
        pattern = pattern_of(described, method, path)
        operation = described.document["paths"][pattern][method.lower()]
        if body is not None:
            media = operation["requestBody"]["content"]["application/json"]["schema"]
            found = schema.faults(described.document, media, body)
            expect(not found, f"{method} {path}: the body that works breaks its description: {found}")
        answer = scene.admin.call(method, path, body if body is not None else (b"" if method == "POST" else None), who)
        expect(answer[0] in (200, 202), f"{method} {path} answers {answer[0]}: {shown(answer[2])}")
        described.check(method, pattern, operation, answer)
        called.add((method, pattern))
    missing = {(m, p) for m, p, _, _ in described.operations()} - called
    expect(not missing, f"described and never called: {sorted(missing)}")


def make_root_key(scene):
    """Another root key file, made by an init of its own."""
    import os

    from support import gateway

    path = os.path.join(scene.folder, "next-root.key")
    done = gateway.run("init", "--data", os.path.join(scene.folder, "elsewhere"), "--root-key", path, "--json")
    equal(done.returncode, 0, f"init: {done.err}")
    return path

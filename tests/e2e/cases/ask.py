"""A command for every operation of the admin API; and those that ask one question and print the answer."""

import json
import re

from support import gateway
from support.case import case, contains, equal, expect
from support.gateway import Scene
from support.policies import WIDE

# Of each operation, the command that is its client. What monitoring asks needs none.
CLIENTS = {
    "GET /v1/audit/checkpoint": "audit checkpoint",
    "GET /v1/audit/entries": "audit export",
    "GET /v1/audit/proof/consistency": "audit proof",
    "GET /v1/audit/proof/inclusion": "audit proof",
    "GET /v1/backup": "backup",
    "POST /v1/backup": "backup",
    "POST /v1/dossier": "dossier",
    "POST /v1/enrol": "enrol",
    "GET /v1/grants": "grants list",
    "POST /v1/grants": "grants ask",
    "GET /v1/grants/{id}": "grants show",
    "POST /v1/grants/{id}/approve": "grants approve",
    "POST /v1/grants/{id}/close": "grants close",
    "GET /v1/grants/{id}/record": "grants record",
    "POST /v1/grants/{id}/refuse": "grants refuse",
    "GET /v1/holds": "keys holds",
    "POST /v1/holds": "keys hold",
    "POST /v1/holds/{id}/release": "keys hold",
    "GET /v1/honey-tokens": "honey list",
    "POST /v1/honey-tokens": "honey plant",
    "POST /v1/honey-tokens/remove": "honey remove",
    "GET /v1/keys": "keys list",
    "GET /v1/keys/freeze": "keys freeze",
    "GET /v1/keys/rows": "keys rows",
    "GET /v1/keys/when-sealed": "keys when-sealed",
    "POST /v1/keys/when-sealed": "keys when-sealed",
    "GET /v1/keys/{id}/certificate": "keys certificate",
    "POST /v1/keys/confirm": "keys confirm",
    "POST /v1/keys/reindex": "keys reindex",
    "POST /v1/keys/reseal": "keys reseal",
    "POST /v1/login": "login",
    "POST /v1/logout": "logout",
    "GET /v1/oidc": "operators oidc",
    "POST /v1/oidc/revoke": "operators revoke",
    "GET /v1/operators": "operators list",
    "POST /v1/operators": "operators add",
    "POST /v1/operators/{name}/credentials": "operators credential",
    "POST /v1/operators/{name}/credentials/{id}/revoke": "operators revoke",
    "POST /v1/operators/{name}/invite": "operators invite",
    "POST /v1/operators/{name}/revoke": "operators revoke",
    "POST /v1/operators/{name}/unlock": "operators unlock",
    "GET /v1/policy": "policy show",
    "POST /v1/policy/reload": "policy reload",
    "POST /v1/protect": "protect",
    "POST /v1/reidentify": "reidentify",
    "POST /v1/rewrap": "keys rewrap",
    "POST /v1/seal": "seal",
    "GET /v1/store": "store",
    "GET /v1/tenants": "tenants list",
    "POST /v1/tenants": "tenants create",
    "POST /v1/tenants/{id}/destroy": "tenants destroy",
    "POST /v1/unseal": "unseal",
    "GET /v1/whoami": "whoami",
}
CLIENTS |= {f"POST /v1/keys/{{id}}/{verb}": f"keys {verb}" for verb in ("rotate", "disable", "enable", "compromise", "override", "destroy")}
CLIENTS |= {f"POST /v1/subjects/{door}": f"subjects {door}" for door in ("locate", "export", "restrict", "object", "erase", "events")}
MONITORING = {"GET /healthz", "HEAD /healthz", "GET /readyz", "HEAD /readyz", "GET /metrics", "GET /openapi.json"}


@case("every operation of the description has a command, and each asks one question and prints the answer")
def every_operation():
    with Scene(policy=WIDE) as scene:
        document = json.loads(scene.admin.call("GET", "/openapi.json")[2])
        operations = {
            f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item if method != "parameters"
        }
        equal(set(CLIENTS), operations - MONITORING, "operations and their clients")
        for command in sorted(set(CLIENTS.values())):
            done = gateway.run(*command.split(), "--help")
            equal((done.returncode, done.err), (0, ""), f"{command} --help")

        def ask(command, credential, *more):
            done = gateway.run(*command.split(), "--admin", scene.admin.url, "--credential-file", credential, *more)
            equal((done.returncode, done.err), (0, ""), command)
            return done.out

        dpo, admin = scene.credential_file(), scene.admin_credential_file()
        equal(json.loads(ask("whoami", dpo))["operator"], "dpo", "whoami")
        equal(json.loads(ask("whoami", admin))["role"], "admin", "whoami")
        expect("rows" in json.loads(ask("store", admin)), "store")
        equal([one["tenant"] for one in json.loads(ask("policy show", dpo))["policies"]], ["atelier"], "policy show")
        json.loads(ask("policy reload", admin))
        for credential, more in ((dpo, ()), (admin, ("--installation",))):
            checkpoint = ask("audit checkpoint", credential, *more)
            expect(re.search(r"paravent\.invalid/[0-9a-f]{32}/", checkpoint), f"a checkpoint: {checkpoint}")
            json.loads(ask("audit proof", credential, "--index", "0", *more))
            json.loads(ask("audit proof", credential, "--from", "1", *more))
        # Whoever may not, what is no question, and a policy that is none.
        refused = gateway.run("store", "--admin", scene.admin.url, "--credential-file", dpo)
        equal((refused.returncode, refused.out), (7, ""), "a role that may not")
        nothing = gateway.run("audit", "proof", "--admin", scene.admin.url, "--credential-file", dpo)
        equal((nothing.returncode, nothing.out), (2, ""), "no question")
        scene.write_policy("policy: 1\nnonsense: 1\n")
        broken = gateway.run("policy", "reload", "--admin", scene.admin.url, "--credential-file", admin)
        expect(broken.returncode != 0 and not broken.out, f"a policy that is none: {broken.returncode}")
        contains(broken.err, "nonsense", "what is wrong with it")

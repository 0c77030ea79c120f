"""What belongs to another tenant, in the place of a tenant's own: noticed, and nothing is made anew."""

import json
import os
import shutil

from cases.keys import REASON, Keys
from support import gateway
from support.case import case, contains, equal
from support.gateway import digest, one_sentence

# The installation's log gets the start on the record before the policies are looked at.
LEFT_OUT = ("lock", "store", "audit/installation")


def fails(scene, word, code):
    before = digest(scene.data, LEFT_OUT)
    scene.write_config()
    done = gateway.run("serve", "--config", scene.config_file)
    equal(done.returncode, code, f"{word}: {done.err}")
    contains(done.err.strip().splitlines()[-1], word, word)
    equal(digest(scene.data, LEFT_OUT), before, f"{word}: the directory")


@case("the vault of another tenant under a policy, and another tenant's audit log in the place of one's own: refused, nothing made anew")
def another_tenant():
    with Keys() as scene:
        token = scene.token()
        made = scene.call("POST", "/v1/tenants", {"name": "second", "reason": REASON})
        tenants = {one["key"]["tenant"]: one["id"] for one in scene.call("GET", "/v1/tenants")["tenants"]}
        (mine,) = [name for name in tenants if name != "second"]
        equal(scene.stop(), 0, "serve")

        # A policy of a tenant that this vault was never made for.
        with open(scene.policy_file, encoding="utf-8") as file:
            policy = file.read()
        with open(scene.policy_file, "w", encoding="utf-8") as file:
            file.write(policy.replace(f"tenant: {mine}", "tenant: somebody-else", 1))
        fails(scene, 'does not know tenant "somebody-else"', 3)
        with open(scene.policy_file, "w", encoding="utf-8") as file:
            file.write(policy)

        # The log of the other tenant under this one's name.
        logs = os.path.join(scene.data, "audit")
        own, other, aside = (os.path.join(logs, name) for name in (tenants[mine], made["id"], "aside"))
        shutil.move(own, aside)
        shutil.copytree(other, own)
        fails(scene, "audit log", 4)
        shutil.rmtree(own)
        shutil.move(aside, own)

        scene.start()
        equal(scene.reveal([token]), ["Anne"], "everything put back")


@case("a tenant whose policy is gone: its roles may do nothing and are told why, its keys end on its own record and by its own signature")
def policy_gone():
    with Keys() as scene:
        scene.token()
        (key,) = scene.keys(**{"class": "tenant"})
        (tenant,) = [one["id"] for one in scene.call("GET", "/v1/tenants")["tenants"]]
        equal(scene.stop(), 0, "serve")
        with open(scene.policy_file, encoding="utf-8") as file:
            policy = file.read()
        scene.write_policy(policy.replace("tenant: " + key["tenant"], "tenant: second", 1))
        done = gateway.run("policy", "apply", scene.policy_file, "--data", scene.data, "--root-key", scene.root_key, "--create")
        equal(done.returncode, 0, done.err)
        scene.start()

        why = "No policy of your tenant is loaded"
        body = {"reason": REASON, "identifier": {"kind": "email", "value": "anne@example.fr"}}
        for path, asked in (
            ("/v1/subjects/erase", body),
            ("/v1/reidentify", {"purpose": "contact", "reason": REASON, "tokens": ["pvv1nonsense"]}),
            ("/v1/protect", {"route": "contact-form", "values": {"form.email": "anne@example.fr"}}),
            ("/v1/dossier", {"operator": "dpo", "reason": REASON}),
        ):
            status, _, text = scene.admin.call("POST", path, asked, scene.dpo)
            equal((status, json.loads(text)["reason"]), (403, "refused"), path)
            contains(json.loads(text)["title"], why, path)
        status, _, text = scene.admin.call("GET", "/v1/audit/entries", credential=scene.dpo)
        equal(status, 403, "its log")
        contains(json.loads(text)["title"], why, "its log")

        ended = {"reason": "the customer left", "confirm": key["tenant"]}
        scene.call("POST", f"/v1/tenants/{tenant}/destroy", ended)
        status, _, text = scene.admin.call("GET", f"/v1/keys/{key['id']}/certificate", credential=scene.administrator)
        equal(status, 200, "the certificate")
        certificate = os.path.join(scene.folder, "certificate")
        with open(certificate, "wb") as file:
            file.write(text)
        logs = os.path.join(scene.data, "audit")
        verify = ["keys", "verify-certificate", certificate, "--public-key"]
        done = gateway.run(*verify, os.path.join(logs, tenant, "public-key"))
        equal(done.returncode, 0, f"by the key that the documentation names: {done.err}")
        done = gateway.run(*verify, os.path.join(logs, "installation", "public-key"))
        equal(done.returncode, 5, "by another")
        contains(done.err, f"/{tenant}, and this is the public key of", "whose signature it is")
        scene.restart()
        equal(scene.stop(), 0, "serve, with the log of a tenant that is no more")
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify: {done.err}")

"""What belongs to another tenant, in the place of a tenant's own: noticed, and nothing is made anew."""

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

"""Roles that may ask at certain hours only."""

import datetime
import json

from support import wire
from support.case import case, equal, shown
from support.gateway import Scene
from support.policies import WIDE


def policy(begin, end):
    """The dpo may ask from `begin` to `end` hours from now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    times = [(now + datetime.timedelta(hours=away)).strftime("%H:%M") for away in (begin, end)]
    hours = f"hours: {{ from: '{times[0]}', until: '{times[1]}' }}"
    text = WIDE.replace("dpo: { reveal: clear }", f"dpo: {{ reveal: clear, {hours} }}")
    return text.replace("roles:", "time-zone: Etc/UTC\nroles:")


@case("outside of its hours a role is answered 403 hours, on the record, and protection goes on")
def closed():
    with Scene(policy=policy(2, -2)) as scene:
        received = scene.submit(wire.request("POST", "/contact", wire.form({"name": "Anne"}), wire.FORM))
        token = dict(wire.form_fields(received.body))["name"]
        body = {"purpose": "contact", "reason": "r", "tokens": [token]}
        status, _, answer = scene.admin.call("POST", "/v1/reidentify", body, scene.dpo)
        equal((status, json.loads(answer)["reason"]), (403, "hours"), "the answer")
        status, _, _ = scene.admin.call("GET", "/v1/audit/entries", None, scene.dpo)
        equal(status, 403, "the record")
        equal(scene.admin.call("GET", "/v1/whoami", None, scene.dpo)[0], 200, "who one is")
        # The policy is changed, and the record read.
        scene.write_policy(policy(-2, 2))
        status, _, answer = scene.admin.call("POST", "/v1/policy/reload", b"", scene.administrator)
        equal(status, 200, f"the reload: {shown(answer)}")
        equal(scene.reveal([token]), ["Anne"], "within the hours")
        _, _, answer = scene.admin.call("GET", "/v1/audit/entries", None, scene.dpo)
        refusals = [one for one in json.loads(answer)["entries"] if one["event"] == "refusal"]
        equal([one.get("remark") for one in refusals], ["hours", "hours"], "the refusals")
        equal(len(refusals[0]["tokens"]), 1, "the token that was asked for")

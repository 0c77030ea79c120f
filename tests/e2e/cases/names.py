"""Names of tenants, domains and purposes against the store."""

import json

from support import gateway, wire
from support.case import case, contains, equal, expect
from support.gateway import Scene, one_sentence
from support.policies import WIDE, bare


def apply(scene, *arguments):
    return gateway.run("policy", "apply", scene.policy_file, "--data", scene.data, "--root-key",
                       scene.root_key, *arguments)  # fmt: skip


def refused_to_start(scene, word):
    scene.write_config()
    done = gateway.run("serve", "--config", scene.config_file)
    equal((done.returncode, done.out), (3, ""), f"serve ({done.err})")
    sentence = done.err.splitlines()[-1]
    contains(sentence, word, "the sentence")
    contains(sentence, "policy apply", "the sentence")


def minted(scene):
    received = scene.submit(wire.request("POST", "/contact", b"email=a%40example.fr", wire.FORM))
    return dict(wire.form_fields(received.body))["email"]


@case("a new purpose is refused until policy apply --create", smoke=True)
def create():
    with Scene(policy=bare()) as scene:
        before = minted(scene)
        scene.stop()
        text = bare().replace("  contact: {", "  support: {")
        scene.write_policy(text.replace("purpose: contact", "purpose: support"))
        refused_to_start(scene, "support")
        done = apply(scene)
        equal((done.returncode, done.out), (3, ""), f"apply without --create ({done.err})")
        contains(one_sentence(done.err), "--create", "the sentence")
        done = apply(scene, "--create")
        equal((done.returncode, done.err), (0, ""), "apply --create")
        contains(done.out, "support", "what it did")
        scene.start()
        equal(minted(scene), before, "the vault token, whose space is the same")


@case("a renamed purpose, recipient and tenant keep their keys", smoke=True)
def rename():
    with Scene(policy=WIDE) as scene:
        received = scene.submit(wire.request("POST", "/contact", b"phone=0612345678&email=a%40example.fr", wire.FORM))
        before = dict(wire.form_fields(received.body))
        scene.stop()
        text = WIDE.replace("tenant: atelier", "tenant: workshop").replace("contact:\n", "enquiry:\n")
        text = text.replace("purpose: contact", "purpose: enquiry")
        text = text.replace("  crm: {", "  customers: {").replace("recipient: crm", "recipient: customers")
        scene.write_policy(text)
        refused_to_start(scene, "workshop")
        done = apply(scene, "--rename", "atelier=workshop", "--rename", "contact=enquiry", "--rename",
                     "crm=customers")  # fmt: skip
        equal((done.returncode, done.err), (0, ""), "apply --rename")
        scene.start()
        received = scene.submit(wire.request("POST", "/contact", b"phone=0612345678&email=a%40example.fr", wire.FORM))
        equal(dict(wire.form_fields(received.body)), before, "the tokens after the renaming")
        equal(scene.reveal([before["email"], before["phone"]], "enquiry"), ["a@example.fr", "+33612345678"], "values")


@case("wrong renames change nothing")
def wrong_renames():
    with Scene(policy=bare()) as scene:
        before = minted(scene)
        scene.stop()
        for change, code in (("contact", 2), ("=x", 2), ("contact=", 2), ("contact=nothing", 3), ("no=contact", 3)):
            done = apply(scene, "--rename", change)
            equal((done.returncode, done.out), (code, ""), f"--rename {change} ({done.err})")
            one_sentence(done.err)
        done = apply(scene)
        equal(done.returncode, 0, f"apply with nothing to do ({done.err})")
        scene.start()
        equal(minted(scene), before, "the token")


@case("renames that are right beside something that is not change nothing either")
def half_right_renames():
    with Scene(policy=bare()) as scene:
        before = minted(scene)
        scene.stop()
        text = bare().replace("tenant: atelier", "tenant: workshop").replace("  contact: {", "  enquiry: {")
        scene.write_policy(text.replace("purpose: contact", "purpose: enquiry"))
        for more in ((), ("--rename", "contact=nothing"), ("--rename", "no=enquiry"), ("--rename", "contact")):
            done = apply(scene, "--rename", "atelier=workshop", *more)
            equal((done.returncode, done.out), (2 if more[1:] == ("contact",) else 3, ""), f"{more} ({done.err})")
            one_sentence(done.err)
        scene.write_policy(bare())
        scene.start()
        equal(minted(scene), before, "the token")


@case("what was renamed and created is on record", smoke=True)
def on_record():
    with Scene(policy=bare()) as scene:
        scene.stop()
        scene.write_policy(bare().replace("tenant: atelier", "tenant: workshop"))
        equal(apply(scene, "--rename", "atelier=workshop").returncode, 0, "apply --rename")
        scene.start()
        path = "/v1/audit/entries?log=installation&count=1000"
        _, _, answer = scene.admin.call("GET", path, credential=scene.administrator)
        found = [one for one in json.loads(answer)["entries"] if one.get("object") == "policy workshop"]
        equal(len(found), 1, f"entries: {found}")
        contains(json.dumps(found), "tenant atelier is now workshop", "the entry")


@case("a policy that needs names goes into a store by init alone: the first policies register theirs")
def first_policies():
    with Scene(policy=WIDE, start=False) as scene:
        done = gateway.run("init", "--data", scene.data, "--root-key", scene.root_key)
        equal(done.returncode, 0, "init")
        scene.start()
        expect(minted(scene), "no token")


@case("apply on a policy with errors, or without a store, changes nothing")
def apply_fails():
    with Scene(policy=bare(), start=False) as scene:
        done = apply(scene, "--create")
        equal(done.returncode, 4, f"no store ({done.err})")
        one_sentence(done.err)
        scene.start()
        scene.stop()
        scene.write_policy(bare().replace("kind: email", "kind: e-mail"))
        done = apply(scene, "--create")
        equal((done.returncode, done.out), (3, ""), "a policy with an error")


@case("the key of a destroyed domain: policy apply --create makes another, and says so")
def anew():
    with Scene(policy=bare()) as scene:
        before = minted(scene)
        _, _, listed = scene.admin.call("GET", "/v1/keys", credential=scene.administrator)
        (key,) = [one for one in json.loads(listed)["keys"] if one["class"] == "domain" and one["domain"] == "crm"]
        destroy = {"reason": "an incident", "confirm": "destroy"}
        status, _, answer = scene.admin.call("POST", f"/v1/keys/{key['id']}/destroy", destroy, scene.administrator)
        equal(status, 200, f"destroy ({answer})")
        scene.stop()
        known = "The store knows every name of this policy already."
        contains(apply(scene).out, known, "without --create nothing is made")
        done = apply(scene, "--create")
        equal((done.returncode, done.out), (0, "made anew the key of domain crm, whose old one is destroyed\n"), "apply --create")
        contains(apply(scene, "--create").out, known, "once more")
        scene.start()
        expect(minted(scene) != before, "what comes back is somebody new")

"""When tokens are equal and when they must differ."""

import json

from support import tokens, wire
from support.case import Shared, case, equal, expect
from support.gateway import Scene
from support.policies import WIDE

SHARED = Shared(lambda: Scene(policy=WIDE))


def contact(scene, **fields):
    received = scene.submit(wire.request("POST", "/contact", wire.form(fields), wire.FORM))
    return dict(wire.form_fields(received.body))


@case("the same value gets the same vault token, however it is written and in whatever carrier", smoke=True)
def same_value():
    scene = SHARED.get()
    token = tokens.email_shaped(contact(scene, email="Jean.Dupont@example.fr")["email"])
    equal(contact(scene, email=" jean.dupont@EXAMPLE.fr ")["email"].split("@")[0], token, "form")
    body = json.dumps({"person": {"email": "JEAN.DUPONT@example.fr"}})
    received = scene.submit(wire.request("POST", "/contact", body, wire.JSON))
    equal(json.loads(received.body)["person"]["email"].split("@")[0], token, "JSON")
    target = "/contact?mail=jean.dupont%40example.fr"
    received = scene.submit(wire.request("POST", target, b"", None))
    equal(received.target, f"/contact?mail={token}", "query")


@case("typed twice in one request: equal tokens")
def twice_in_one():
    scene = SHARED.get()
    body = wire.form([("email", "twice@example.fr"), ("x", ""), ("email", "TWICE@example.fr")])
    received = scene.submit(wire.request("POST", "/relay", body, wire.FORM))
    one, _, two = wire.form_fields(received.body)
    equal(one, two, "the two fields")


@case("after a restart the token is the same, and is revealed", smoke=True)
def restart():
    with Scene(policy=WIDE) as scene:
        before = contact(scene, email="restart@example.fr", name="Anne", phone="0612345678")
        scene.restart()
        after = contact(scene, email="restart@example.fr", name="Anne", phone="0612345678")
        equal(after, before, "the fields after the restart")
        values = scene.reveal([before["email"], before["name"], before["phone"]])
        equal(values, ["restart@example.fr", "Anne", "+33612345678"], "the values")


@case("two domains, two tokens: what two recipients hold cannot be joined", smoke=True)
def domains():
    scene = SHARED.get()
    crm = tokens.email_shaped(contact(scene, email="both@example.fr")["email"])
    body = wire.form({"email": "both@example.fr", "answer": "42"})
    received = scene.submit(wire.request("POST", "/survey", body, wire.FORM))
    mailing = tokens.email_shaped(dict(wire.form_fields(received.body))["email"])
    expect(crm != mailing, f"one token for two recipients: {crm}")
    one, two = tokens.read(crm, "pvv"), tokens.read(mailing, "pvv")
    expect(one[0] != two[0], "the two domains share a key id")


@case("derived tokens are stable for equal values and differ for others", smoke=True)
def derived():
    scene = SHARED.get()
    one = tokens.derived(contact(scene, phone="06 12 34 56 78")["phone"])
    equal(contact(scene, phone="+33 6 12 34 56 78")["phone"], one, "the same number")
    two = tokens.derived(contact(scene, phone="06 12 34 56 79")["phone"])
    expect(one != two, "two numbers share a token")
    equal(scene.reveal([one, two]), ["+33612345678", "+33612345679"], "the values")


@case("pseudonyms are stable and differ by value")
def pseudonyms():
    scene = SHARED.get()
    one = tokens.pseudonym(contact(scene, city="Lyon")["city"])
    equal(contact(scene, city=" Lyon ")["city"], one, "the same city")
    expect(contact(scene, city="Nantes")["city"] != one, "two cities share a pseudonym")


@case("encryption gives another text each time, and its length tells only a bucket")
def encryption():
    scene = SHARED.get()
    seen = [contact(scene, message=text)["message"] for text in ("oui", "oui", "non merci")]
    expect(len(set(seen)) == 3, "equal ciphertexts")
    equal(len({len(tokens.encrypted(one)) for one in seen}), 1, "lengths in one bucket")
    equal(scene.reveal(seen), ["oui", "oui", "non merci"], "the values")


@case("two gateways share nothing")
def two_gateways():
    with Scene(policy=WIDE) as other:
        one = contact(SHARED.get(), email="alone@example.fr")["email"]
        two = contact(other, email="alone@example.fr")["email"]
        expect(one != two, "two vaults gave the same token")
        token = one.split("@")[0]
        (result,) = other.admin.reidentify(other.dpo, [token])
        equal(result["status"], "unavailable", "a foreign vault's token")

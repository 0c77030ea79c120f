"""The transformations beyond the contact form's: shapes, scopes, addresses, coarser values. Sealing: sealing.py."""

import ipaddress
import json
import re
import subprocess

from support import wire
from support.case import Shared, case, equal, expect
from support.gateway import Scene

POLICY = """\
policy: 1
tenant: atelier
roles: { dpo: { reveal: clear } }
recipients: { crm: { name: Atelier CRM, country: FR } }
purposes:
  contact:
    basis: legitimate-interest
    retention: { from: collection, active: P1Y }
    reveal: [dpo]
public-keys: { backup: { key: 'pvpub1uhjqjhnc7ypxku4c97qx2pga0gtneh3pt5ejk3wv9szpj0kmkdhs85jlap' } }
routes:
  - name: shapes
    match: { method: POST, path: /shapes }
    upstream: UPSTREAM
    recipient: crm
    purpose: contact
    client-address: pseudonym
    subject: form.account
    fields:
      form.account:  { kind: text, do: tokenise, shape: uuid, space: account }
      form.digits:   { kind: text, do: tokenise, shape: digits, shape-length: 10, space: number }
      form.hex:      { kind: text, do: tokenise, shape: hex16, space: number }
      form.letters:  { kind: text, do: tokenise, shape: alphanumeric, shape-length: 12, space: number }
      form.phone:    { kind: phone, do: tokenise, shape: phone }
      form.cid:      { kind: text, do: pseudonymise, shape: digits.digits, space: cid }
      form.order:    { kind: text, do: tokenise, mode: derived, shape: preserve, space: order, values: 4000000000, because: the application checks that it is ten digits }
      form.visit:    { kind: text, do: pseudonymise, space: visit, scope: request }
      form.again:    { kind: text, do: pseudonymise, space: visit, scope: request }
      form.client:   { kind: text, do: pseudonymise, space: client, scope: relationship, relationship: form.account }
      form.coarse:   { kind: text, do: pseudonymise, space: coarse, bits: 8 }
      form.ip:       { kind: ip, do: tokenise, mode: ipcrypt-ndx }
      form.ip_equal: { kind: ip, do: tokenise, mode: ipcrypt-deterministic }
      form.ip_net:   { kind: ip, do: tokenise, mode: ipcrypt-pfx, shape: ip }
      form.ip_cut:   { kind: ip, do: truncate, ipv4-bits: 24, ipv6-bits: 56 }
      form.born:     { do: generalise, to: year }
      form.age:      { do: generalise, to: age-band }
      form.code:     { do: generalise, to: department }
      form.place:    { do: generalise, to: grid, step: '0.1' }
      form.amount:   { do: generalise, to: bins, step: '100' }
      form.tongue:   { do: generalise, to: language }
      form.page:     { do: generalise, to: url, keep-query: [utm_source], templates: ['/user/*/orders'] }
      form.seen:     { do: generalise, to: shifted-date, days: 10 }
      form.masked:   { kind: name, do: mask, show-first: 2 }
      form.secret:   { kind: text, do: encrypt, to: backup }
      form.secret1:  { kind: text, do: encrypt, to: backup, seal: per-field }
      header.X-Visitor-Address: { kind: ip, do: pseudonymise }
      header.User-Agent: { do: generalise, to: browser-version }
    unlisted: refuse
"""

SHARED = Shared(lambda: Scene(policy=POLICY))


def sent(headers=(), **fields):
    received = SHARED.get().submit(wire.request("POST", "/shapes", wire.form(fields), wire.FORM, headers))
    return dict(wire.form_fields(received.body)), received


@case("shaped tokens look as the backend wants, are stable, and are found again", smoke=True)
def shapes():
    fields = {"account": "A-17", "digits": "4711", "hex": "4711", "letters": "4711", "phone": "06 12 34 56 78"}
    one, _ = sent(**fields)
    two, _ = sent(**fields)
    equal(two, one, "the second time")
    for name, pattern in {
        "account": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        "digits": r"[1-9][0-9]{9}",
        "hex": r"[0-9a-f]{16}",
        "letters": r"[a-z][a-z0-9]{11}",
        "phone": r"\+999[0-9]{12}",
    }.items():
        expect(re.fullmatch(pattern, one[name]), f"{name}: {one[name]}")
    scene = SHARED.get()
    results = scene.admin.reidentify(scene.dpo, [one[name] for name in fields])
    equal([r["value"] for r in results], ["A-17", "4711", "4711", "4711", "+33612345678"], "the values")
    # Of so few texts that a mistyped one may be another person's: said so.
    statuses = ["revealed", "unverified", "revealed", "unverified", "unverified"]
    equal([r["status"] for r in results], statuses, "the statuses")
    (unknown,) = scene.admin.reidentify(scene.dpo, ["9999999999"])
    equal(unknown["status"], "unavailable", "ten digits that nobody was given")


@case("they survive a restart", smoke=True)
def shapes_after_restart():
    scene = SHARED.get()
    one, _ = sent(account="restart", digits="restart")
    scene.restart()
    two, _ = sent(account="restart", digits="restart")
    equal(two, one, "after the restart")
    equal(scene.reveal([two["account"]]), ["restart"], "the value")


@case("a pseudonym has the form of an analytics id")
def analytics_id():
    one, _ = sent(cid="1234567890.1700000000")
    expect(re.fullmatch(r"[1-9][0-9]{9}\.[1-9][0-9]{9}", one["cid"]), one["cid"])
    equal(sent(cid="1234567890.1700000000")[0], one, "the second time")


@case("a value of preserved form keeps its form, and comes back unverified", smoke=True)
def preserved():
    scene = SHARED.get()
    one, _ = sent(order="2026112100")
    expect(re.fullmatch(r"[0-9]{10}", one["order"]) and one["order"] != "2026112100", one["order"])
    body = {
        "purpose": "contact",
        "reason": "an end-to-end case",
        "values": [{"value": one["order"], "field": "form.order"}],
    }
    status, _, answer = scene.admin.call("POST", "/v1/reidentify", body, scene.dpo)
    equal(status, 200, answer)
    (result,) = json.loads(answer)["results"]
    equal((result["status"], result.get("value")), ("unverified", "2026112100"), "the way back")


@case("scope: equal within one request, different in the next; and per relationship")
def scopes():
    one, _ = sent(visit="v", again="v")
    equal(one["visit"], one["again"], "within the request")
    expect(sent(visit="v")[0]["visit"] != one["visit"], "two requests share a pseudonym")
    a, _ = sent(account="A", client="c")
    b, _ = sent(client="c", account="B")
    equal(sent(client="c", account="A")[0]["client"], a["client"], "the same relationship")
    expect(a["client"] != b["client"], "two relationships share a pseudonym")
    SHARED.get().refused(
        wire.request("POST", "/shapes", wire.form({"client": "c"}), wire.FORM),
        422,
        "transform-failed",
        field="form.client",
    )


@case("bits: values collide as often as they should")
def bits():
    seen = {sent(coarse=f"value {i}")[0]["coarse"] for i in range(400)}
    expect(150 < len(seen) <= 256, f"{len(seen)} different pseudonyms of 8 bits for 400 values")


@case("addresses: equal, unlinkable or with their network, and back again", smoke=True)
def addresses():
    scene = SHARED.get()
    fields = {"ip": "198.51.100.7", "ip_equal": "198.51.100.7", "ip_net": "198.51.100.7", "ip_cut": "198.51.100.7"}
    one, _ = sent(**fields)
    two, _ = sent(**fields)
    equal(two["ip_equal"], one["ip_equal"], "ipcrypt-deterministic")
    expect(two["ip"] != one["ip"], "ipcrypt-ndx repeats itself")
    expect(len(one["ip"]) == 71 and len(one["ip_equal"]) == 46, f"lengths of {one}")
    near, _ = sent(ip_net="198.51.100.8")
    expect(ipaddress.ip_address(one["ip_net"]).version == 4, one["ip_net"])
    same = int(ipaddress.ip_address(one["ip_net"])) ^ int(ipaddress.ip_address(near["ip_net"]))
    equal(same.bit_length(), 4, "the first different bit of 198.51.100.7 and .8")
    equal(one["ip_cut"], "198.51.100.0", "24 bits")
    equal(sent(ip_cut="2002:c633:6407::1")[0]["ip_cut"], "2002:c633:6400::", "a 6to4 address")
    results = scene.admin.reidentify(scene.dpo, [one["ip"], one["ip_equal"]])
    equal([r["status"] for r in results], ["unverified"] * 2, "the statuses")
    equal([r["value"] for r in results], ["198.51.100.7"] * 2, "the values")


@case("in headers the pseudonym of an address is an address that nobody has", smoke=True)
def header_addresses():
    _, one = sent(headers=[("X-Visitor-Address", "198.51.100.7")], born="1999-01-01")
    for name in ("X-Visitor-Address", "X-Forwarded-For"):
        (value,) = one.values(name)
        expect(ipaddress.ip_address(value) in ipaddress.ip_network("fd00::/8"), f"{name}: {value}")
    _, two = sent(born="1999-01-01")
    equal(two.values("X-Forwarded-For"), one.values("X-Forwarded-For"), "the same client on the same day")


@case("coarser values", smoke=True)
def coarser():
    one, received = sent(
        headers=[("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")],
        born="21/11/1984",
        age="1930-01-01",
        code="20200",
        place="48.8566, 2.3522",
        amount="249.90",
        tongue="fr-CA,fr;q=0.9,en;q=0.5",
        page="https://shop.example/user/42/orders?utm_source=mail&email=a%40b.example#top",
        masked="Jean-Baptiste",
    )
    equal(one["born"], "1984", "the year")
    equal(one["age"], "90+", "the age band")
    equal(one["code"], "2B", "the department")
    equal(one["tongue"], "fr", "the language")
    equal(one["page"], "https://shop.example/user/*/orders?utm_source=mail", "the page")
    expect(one["amount"].startswith("200"), one["amount"])
    expect("48.8566" not in one["place"] and "2.3522" not in one["place"], one["place"])
    expect(one["masked"].startswith("Je") and "an" not in one["masked"], one["masked"])
    equal(received.values("User-Agent"), ["Firefox/128"], "the browser")


@case("dates of one person move together, by no more than the rule says")
def shifted():
    import datetime

    def days(account, date):
        moved = datetime.date.fromisoformat(sent(account=account, seen=date)[0]["seen"])
        return (moved - datetime.date.fromisoformat(date)).days

    shifts = {days(f"person {i}", "2026-03-01") for i in range(30)}
    expect(len(shifts) > 3 and all(1 <= abs(s) <= 10 for s in shifts), f"shifts: {shifts}")
    equal(days("one", "2026-03-01"), days("one", "2025-07-14"), "two dates of one person")


@case("what cannot be made coarser is refused, and nothing arrives", smoke=True)
def outside_the_domain():
    scene = SHARED.get()
    for name, value in {
        "born": "tomorrow",
        "code": "ABCDE",
        "place": "somewhere",
        "amount": "a lot",
        "ip": "localhost",
        "order": "12345",
        "tongue": "!!",
    }.items():
        scene.refused(
            wire.request("POST", "/shapes", wire.form({name: value}), wire.FORM),
            422,
            "transform-failed",
            field=f"form.{name}",
        )


@case("nothing of all that is in the log, the metrics or the data directory")
def canary():
    scene = SHARED.get()
    mark = "k4n4r1env0gel"
    sent(account=mark, secret=mark, visit=mark, client=mark, coarse=mark, hex=mark, masked=mark)
    expect(mark not in scene.stderr() and mark not in scene.admin.metrics(), "the value was told")
    found = subprocess.run(["grep", "-rlaF", mark, scene.data], capture_output=True, check=False)
    equal(found.stdout, b"", "files that hold the value")
    expect(mark.encode() not in scene.upstream.all_bytes(), "the value reached the upstream")

"""Every carrier and every action of the policy language, on the wire."""

import gzip
import json
import subprocess
import zlib

from support import tokens, wire
from support.case import Shared, case, equal, lacks
from support.gateway import Scene
from support.policies import WIDE

SHARED = Shared(lambda: Scene(policy=WIDE))


def contact(body=b"", content_type=None, target="/contact", headers=()):
    scene = SHARED.get()
    return scene.submit(wire.request("POST", target, body, content_type, headers=headers))


@case("form: each action", smoke=True)
def actions():
    fields = {
        "name": "Anne Martin",
        "email": "anne@example.fr",
        "phone": "0612345678",
        "city": "Lyon",
        "message": "Bonjour",
        "note": "internal",
        "country": "BE",
        "secret": "hunter2",
        "zip": "69100",
        "submit": "1",
    }
    received = contact(wire.form(fields), wire.FORM)
    seen = dict(wire.form_fields(received.body))
    tokens.vault(seen["name"])
    tokens.email_shaped(seen["email"])
    tokens.derived(seen["phone"])
    tokens.pseudonym(seen["city"])
    tokens.encrypted(seen["message"])
    equal("note" in seen, False, "a dropped field")
    equal((seen["country"], seen["zip"], seen["submit"]), ("FR", "69", "1"), "replace, truncate, keep")
    lacks(seen["secret"], "hunter", "a masked field")


@case("a packed body is read and goes on unpacked", smoke=True)
def packed_bodies():
    body = wire.form({"name": "Anne Martin", "city": "Lyon", "submit": "1"})
    zstd = subprocess.run(["zstd", "-c"], input=body, capture_output=True, check=True).stdout
    packed = {"gzip": gzip.compress(body), "Deflate": zlib.compress(body), "zstd": zstd}
    for coding, data in packed.items():
        digest = ("Content-Digest", "sha-256=:AAAA:")
        received = contact(data, wire.FORM, headers=[("Content-Encoding", coding), digest])
        seen = dict(wire.form_fields(received.body))
        tokens.vault(seen["name"])
        tokens.pseudonym(seen["city"])
        equal(seen["submit"], "1", "a kept field")
        equal(received.header("Content-Encoding"), None, "the coding is gone")
        equal(received.header("Content-Digest"), None, "and what was true of the packed bytes")
        equal(int(received.header("Content-Length")), len(received.body), "the length is ours")
    same = [contact(data, wire.FORM, headers=[("Content-Encoding", "gzip")]).body
            for data in (gzip.compress(b"submit=a+b&zip="), gzip.compress(b"submit=a+b&zip=", 1))]
    equal(same, [b"submit=a+b&zip="] * 2, "untouched fields, byte for byte")


@case("JSON: nested paths and array wildcards", smoke=True)
def nested_json():
    document = {
        "person": {"email": "anne@example.fr"},
        "people": [{"name": "Anne"}, {"name": "Bob"}, {"name": None}, {"name": ""}],
        "message": "Bonjour",
        "kept": [1, 2.50],
    }
    received = contact(json.dumps(document), wire.JSON)
    seen = json.loads(received.body)
    tokens.email_shaped(seen["person"]["email"])
    one, two = (tokens.vault(person["name"]) for person in seen["people"][:2])
    equal([person["name"] for person in seen["people"][2:]], [None, ""], "null and empty pass")
    equal(seen["kept"], document["kept"], "kept elements")
    equal(SHARED.get().reveal([one, two]), ["Anne", "Bob"], "the values")


@case("JSON: a replaced number becomes a string")
def json_number():
    received = contact(b'{"message": 12.50 , "kept":1}', wire.JSON)
    seen = json.loads(received.body)
    equal(SHARED.get().reveal([tokens.encrypted(seen["message"])]), ["12.50"], "the value")


@case("JSON under text/plain where the route declares it")
def json_as_text():
    scene = SHARED.get()
    body = b'{"email":"anne@example.fr"}'
    received = scene.submit(wire.request("POST", "/relay", body, "text/plain"))
    tokens.email_shaped(json.loads(received.body)["email"])
    answer = scene.exchange(wire.request("POST", "/contact", body, "text/plain"))
    equal((answer.status, answer.json()["reason"]), (415, "unsupported-type"), "elsewhere")


@case("query: a named parameter", smoke=True)
def query():
    received = contact(target="/contact?ref=abc&mail=anne%40example.fr")
    path, _, text = received.target.partition("?")
    pairs = text.split("&")
    equal((path, pairs[0]), ("/contact", "ref=abc"), "the rest of the target")
    tokens.vault(pairs[1].removeprefix("mail="))


@case("header: tokenised, dropped, generalised", smoke=True)
def header():
    sent = [
        ("X-Customer", "Anne Martin"),
        ("Referer", "https://www.example.fr/?email=anne@example.fr"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"),
    ]
    received = contact(b"submit=1", wire.FORM, headers=sent)
    token = tokens.vault(received.header("X-Customer"))
    equal(SHARED.get().reveal([token]), ["Anne Martin"], "the value")
    equal(received.values("Referer"), [], "Referer")
    equal(received.header("User-Agent"), "Mozilla/5.0 Firefox/127.0", "User-Agent")


@case("cookie: pseudonymised and dropped, the others untouched", smoke=True)
def cookie():
    sent = [("Cookie", "a=1; visitor=12345; track=xyz; b=2")]
    received = contact(b"submit=1", wire.FORM, headers=sent)
    first, visitor, last = received.header("Cookie").split("; ")
    equal((first, last), ("a=1", "b=2"), "the other cookies")
    tokens.pseudonym(visitor.removeprefix("visitor="))
    received = contact(b"submit=1", wire.FORM, headers=[("Cookie", "track=xyz")])
    equal(received.values("Cookie"), [], "a line that is left without a cookie")


@case("unlisted: drop leaves nothing of what no rule names")
def unlisted_drop():
    scene = SHARED.get()
    body = wire.form({"answer": "42", "extra": "private", "email": "a@example.fr"})
    received = scene.submit(wire.request("POST", "/survey?page=2&x=private", body, wire.FORM))
    equal([n for n, _ in wire.form_fields(received.body)], ["answer", "email"], "the body's fields")
    lacks(received.raw.decode(), "private", "what the site received")


@case("multipart: fields between fields")
def multipart():
    body = wire.multipart([("email", "anne@example.fr"), ("message", "a\r\nb")])
    fields = wire.multipart_fields(contact(body, wire.MULTIPART).body)
    email, message = (value for _, value in fields)
    values = SHARED.get().reveal([tokens.email_shaped(email), tokens.encrypted(message)])
    equal(values, ["anne@example.fr", "a\r\nb"], "the values")


@case("PUT takes the same rules as POST where the route takes both")
def put():
    scene = SHARED.get()
    received = scene.submit(wire.request("PUT", "/relay", b"email=a%40example.fr", wire.FORM))
    equal(received.method, "PUT", "method")
    tokens.email_shaped(wire.form_fields(received.body)[0][1])


@case("naughty but valid texts come back to the byte")
def naughty():
    scene = SHARED.get()
    texts = [
        "👩‍👩‍👧‍👦 семья 家族 عائلة",
        "' OR 1=1; --",
        "<script>alert(1)</script>",
        "=HYPERLINK(\"http://x\")",
        "a\u0000b".replace("\u0000", "\u2400"),
        "\ufeffBOM\u202etxt",
        "x" * 5000,
        "100%25 %zz +&=;",
    ]
    for text in texts:
        body = json.dumps({"message": text}, ensure_ascii=False).encode()
        received = scene.submit(wire.request("POST", "/contact", body, wire.JSON))
        token = tokens.encrypted(json.loads(received.body)["message"])
        equal(scene.reveal([token]), [text], "the value")

"""The main job: the preset `contact-form` in front of a form, as the README runs it."""

import json

from support import tokens, wire
from support.case import Shared, case, equal, expect, lacks
from support.gateway import Scene

SHARED = Shared(lambda: Scene(preset="contact-form"))

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.6478.127 Safari/537.36"
)
VISITOR = {
    "first_name": "Élodie",
    "last_name": "Martin",
    "email": "Elodie.Martin@Example.FR",
    "phone": "06 12 34 56 78",
    "company": "Atelier Martin",
    "subject": "Devis",
    "message": "Bonjour,\r\npouvez-vous me rappeler ? 100 % & plus",
    "budget": "12 000 €",  # no rule names it
    "submit": "1",
}
# What the DPO gets back: names and addresses in their normal form, texts to the byte.
CLEAR = dict(VISITOR, email="elodie.martin@example.fr", phone="+33612345678")
ADDRESSES = [
    ("X-Forwarded-For", "198.51.100.7"),
    ("Forwarded", "for=198.51.100.7"),
    ("X-Real-IP", "198.51.100.7"),
    ("CF-Connecting-IP", "198.51.100.7"),
    ("True-Client-IP", "198.51.100.7"),
    ("X-Client-IP", "198.51.100.7"),
    ("Via", "1.1 198.51.100.7"),
    ("CF-IPCity", "Villeurbanne"),
]
SECRETS = ["lodie", "Martin", "12 34 56", "612345678", "Devis", "rappeler", "12 000", "12+000"]


def check_fields(fields):
    """Every personal field is a token of its form; answers them by name."""
    equal(sorted(fields), sorted(VISITOR), "the names of the fields")
    for name in ("first_name", "last_name", "phone"):
        tokens.vault(fields[name])
    tokens.email_shaped(fields["email"])
    for name in ("company", "subject", "message", "budget"):
        tokens.encrypted(fields[name])
    equal(fields["submit"], "1", "the control field")


def check_nothing_clear(received):
    arrived = tokens.without(received.raw.decode("latin-1"))
    for secret in SECRETS:
        for text in (secret, secret.encode().hex(), secret.upper(), secret.lower()):
            lacks(arrived, text, "what the site received")


def reveal_all(scene, fields):
    names = [name for name in fields if name != "submit"]
    values = scene.reveal([fields[name] for name in names])
    equal(dict(zip(names, values)), {name: CLEAR[name] for name in names}, "what the DPO gets back")


@case("a form's personal fields arrive as tokens and come back in clear", smoke=True)
def form():
    scene = SHARED.get()
    received = scene.submit(wire.request("POST", "/contact", wire.form(VISITOR), wire.FORM))
    pairs = wire.form_fields(received.body)
    equal([name for name, _ in pairs], list(VISITOR), "the order of the fields")
    check_fields(dict(pairs))
    check_nothing_clear(received)
    reveal_all(scene, dict(pairs))


@case("the same as multipart/form-data", smoke=True)
def multipart():
    scene = SHARED.get()
    received = scene.submit(wire.request("POST", "/contact", wire.multipart(VISITOR), wire.MULTIPART))
    fields = dict(wire.multipart_fields(received.body))
    check_fields(fields)
    check_nothing_clear(received)
    reveal_all(scene, fields)


@case("the same as JSON", smoke=True)
def as_json():
    scene = SHARED.get()
    body = json.dumps(VISITOR)
    received = scene.submit(wire.request("POST", "/contact", body, wire.JSON))
    fields = json.loads(received.body)
    check_fields(fields)
    check_nothing_clear(received)
    reveal_all(scene, fields)


@case("the user agent is generalised, address headers are gone, the host is preserved", smoke=True)
def headers():
    scene = SHARED.get()
    received = scene.submit(
        wire.request(
            "POST",
            "/contact",
            wire.form(VISITOR),
            wire.FORM,
            headers=[("User-Agent", CHROME), ("X-Forwarded-Proto", "https"), *ADDRESSES],
            host="www.atelier-martin.example:8080",
        )
    )
    equal(received.header("User-Agent"), "Mozilla/5.0 Chrome/126.0", "User-Agent")
    for name, _ in ADDRESSES:
        equal(received.values(name), [], name)
    for part in ("198.51.100.7", "127.0.0.1", "Villeurbanne"):
        lacks(received.head.decode(), part, "the head at the site")
    equal(received.values("Host"), ["www.atelier-martin.example:8080"], "Host")
    # The peer is no trusted proxy: what it claims is set anew.
    equal(received.values("X-Forwarded-Proto"), ["http"], "X-Forwarded-Proto")
    equal(received.values("X-Forwarded-Host"), ["www.atelier-martin.example:8080"], "X-Forwarded-Host")
    equal(received.values("Content-Length"), [str(len(received.body))], "Content-Length")


@case("a page passes as it is, without the visitor's address", smoke=True)
def page():
    scene = SHARED.get()
    received = scene.submit(
        wire.request("GET", "/contact?lang=fr", headers=[("User-Agent", CHROME), *ADDRESSES])
    )
    equal((received.method, received.target, received.body), ("GET", "/contact?lang=fr", b""), "request")
    for name, _ in ADDRESSES:
        equal(received.values(name), [], name)
    equal(received.header("User-Agent"), CHROME, "User-Agent (elsewhere passes)")


@case("HEAD passes and its answer has no body")
def head_request():
    scene = SHARED.get()
    scene.upstream.clear()
    with scene.wire() as connection:
        connection.send(wire.request("HEAD", "/"))
        answer = connection.answer(to_head=True)
        equal((answer.status, answer.header("Content-Length")), (200, "13"), "the answer to HEAD")
        connection.send(wire.request("GET", "/"))
        equal(connection.answer().body, b"<p>Merci</p>\n", "the page behind it on the same connection")


@case("the form's own fields in the query of a GET on its path are refused")
def fields_in_query():
    scene = SHARED.get()
    scene.upstream.clear()
    answer = scene.exchange(wire.request("GET", "/contact?email=a%40example.fr"))
    equal((answer.status, answer.json()["reason"]), (405, "method"), "the answer")
    equal(scene.upstream.count(), 0, "requests at the site")


@case("a value that cannot be read as its kind is protected as typed, and counted")
def protect_raw():
    scene = SHARED.get()
    labels = {"route": "contact-form", "field": "form.phone", "action": "tokenise"}
    before = scene.admin.metric("paravent_raw_fields_total", **labels)
    fields = dict(VISITOR, phone="  see e-mail ")
    received = scene.submit(wire.request("POST", "/contact", wire.form(fields), wire.FORM))
    token = tokens.vault(dict(wire.form_fields(received.body))["phone"])
    equal(scene.reveal([token]), ["see e-mail"], "what the DPO gets back")
    equal(scene.admin.metric("paravent_raw_fields_total", **labels), before + 1, "counter")


@case("empty values pass")
def empty():
    scene = SHARED.get()
    fields = [("name", ""), ("email", ""), ("message", ""), ("unknown", "")]
    received = scene.submit(wire.request("POST", "/contact", wire.form(fields), wire.FORM))
    equal(wire.form_fields(received.body), fields, "the fields")


@case("French names of fields are known as well")
def french():
    scene = SHARED.get()
    fields = {
        "nom": "Martin",
        "prenom": "Élodie",
        "courriel": "e@example.fr",
        "telephone": "01 23 45 67 89",
        "societe": "Atelier",
        "objet": "Devis",
        "comment": "Bonjour",
    }
    received = scene.submit(wire.request("POST", "/contact", wire.form(fields), wire.FORM))
    seen = dict(wire.form_fields(received.body))
    for name in ("nom", "prenom", "telephone"):
        tokens.vault(seen[name])
    tokens.email_shaped(seen["courriel"])
    for name in ("societe", "objet", "comment"):
        tokens.encrypted(seen[name])


@case("an upload is refused as a type that is not supported")
def upload():
    scene = SHARED.get()
    scene.upstream.clear()
    body = (
        f"--{wire.BOUNDARY}\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.pdf\"\r\n"
        f"Content-Type: application/pdf\r\n\r\nsecret\r\n--{wire.BOUNDARY}--\r\n"
    ).encode()
    answer = scene.exchange(wire.request("POST", "/contact", body, wire.MULTIPART))
    equal((answer.status, answer.json()["reason"]), (415, "unsupported-type"), "the answer")
    equal(scene.upstream.count(), 0, "requests at the site")


@case("--path moves the form")
def other_path():
    with Scene(preset="contact-form", path="/fr/nous-ecrire") as scene:
        body = wire.form({"email": "a@example.fr"})
        received = scene.submit(wire.request("POST", "/fr/nous-ecrire", body, wire.FORM))
        tokens.email_shaped(dict(wire.form_fields(received.body))["email"])
        answer = scene.exchange(wire.request("POST", "/contact", body, wire.FORM))
        expect(answer.status in (404, 405), f"POST elsewhere answers {answer!r}")

"""What other fields say: conditions, routes told apart by a field, our own tokens that come back; and the carriers
that are no plain form: segments of a path, bodies of several documents."""

import json

from support import tokens, wire
from support.case import Shared, case, contains, equal, expect, lacks
from support.gateway import Scene

POLICY = """\
policy: 1
tenant: atelier
roles: { dpo: { reveal: clear } }
recipients:
  site: { name: The site, country: FR }
  other: { name: Another site, country: FR }
purposes:
  contact:
    basis: legitimate-interest
    retention: { from: last-contact, active: P3Y }
    reveal: [dpo]
routes:
  - name: survey
    match: { method: POST, path: /survey }
    upstream: UPSTREAM
    recipient: site
    purpose: contact
    php-names: on
    fields:
      form.consent: { do: keep }
      form.email: { kind: email, do: tokenise, shape: email, when: { form.consent: ['on', '1'] }, else: drop }
      form.note: { do: encrypt, when: { form.consent: ['on', '1'] }, else: { do: mask, show-first: 1 } }
      form.phone: { do: keep, when: { form.consent: 'on' }, else: refuse }
  - name: quote
    match: { method: POST, path: /wp-admin/admin-ajax.php, when: { form.action: quote } }
    upstream: UPSTREAM
    recipient: site
    purpose: contact
    php-names: on
    fields:
      form.action: { do: keep }
      form.email: { kind: email, do: tokenise, shape: email }
      multipart.action: { do: keep }
      multipart.email: { kind: email, do: tokenise, shape: email }
  - name: news
    match: { method: POST, path: /wp-admin/admin-ajax.php, when: { form.action: news } }
    upstream: UPSTREAM
    recipient: site
    purpose: contact
    php-names: on
    fields:
      form.action: { do: keep }
      form.email: { do: drop }
  - name: comments
    match: { method: POST, path: /wp-comments-post.php }
    upstream: UPSTREAM
    recipient: site
    purpose: contact
    fields:
      form.author: { kind: name, do: tokenise, own-tokens: accept }
      form.email: { kind: email, do: tokenise, shape: email, own-tokens: accept }
      form.comment: { do: encrypt }
  - name: elsewhere-comments
    match: { method: POST, path: /other/comments }
    upstream: UPSTREAM
    recipient: other
    purpose: contact
    fields:
      form.author: { kind: name, do: tokenise, own-tokens: accept }
  - name: users
    match: { method: [GET, POST], path: '/users/{id}/orders' }
    upstream: UPSTREAM
    recipient: site
    purpose: contact
    fields:
      path.id: { kind: name, do: tokenise, own-tokens: accept }
    unlisted: keep
  - name: lines
    match: { method: POST, path: /lines }
    upstream: UPSTREAM
    recipient: site
    purpose: contact
    text-plain: [json, form, gzip]
    lines: on
    fields:
      json..email: { kind: email, do: tokenise, shape: email }
      form.ep.email: { do: drop }
    unlisted: keep
  - name: documents
    match: { method: POST, path: /documents }
    upstream: UPSTREAM
    recipient: site
    purpose: contact
    fields:
      csv.email: { kind: email, do: tokenise, shape: email }
      xml.*/email: { kind: email, do: tokenise, shape: email }
      json.email: { kind: email, do: tokenise, shape: email }
      json[*].attachment: { do: keep }
    unlisted: keep
elsewhere: { methods: [GET], upstream: UPSTREAM, do: pass }
"""

SHARED = Shared(lambda: Scene(policy=POLICY))


def post(target, fields, headers=()):
    body = fields if isinstance(fields, bytes) else wire.form(fields)
    return wire.request("POST", target, body, wire.FORM, headers=headers)


@case("a condition decides, wherever in the body the field stands", smoke=True)
def condition():
    scene = SHARED.get()
    for body in (b"consent=on&email=anne%40example.fr&note=abcd", b"note=abcd&email=anne%40example.fr&consent=1"):
        seen = dict(wire.form_fields(scene.submit(post("/survey", body)).body))
        tokens.email_shaped(seen["email"])
        tokens.encrypted(seen["note"])
        equal(scene.reveal([seen["email"], seen["note"]]), ["anne@example.fr", "abcd"], "revealed")
    for body in (b"consent=no&email=anne%40example.fr&note=abcdefgh", b"email=anne%40example.fr&note=abcdefgh"):
        received = scene.submit(post("/survey", body))
        lacks(received.raw.decode(), "anne", "what arrived")
        equal(dict(wire.form_fields(received.body)).get("note"), "a********", "the note")
    scene.refused(post("/survey", b"phone=06&consent=off"), 422, "refused-field", field="form.phone")


@case("a condition that depends on the reader is refused, and nothing arrives", smoke=True)
def ambiguous():
    scene = SHARED.get()
    for target, body in (
        ("/survey", b"consent=on&email=anne%40example.fr&consent=off"),
        ("/survey", b"con%73ent=on&email=anne%40example.fr&%20consent=off"),
        ("/survey", b"consent=on&email=anne%40example.fr&consent[]=x"),
        ("/survey?consent=on", b"email=anne%40example.fr"),
        ("/survey?consent=off", b"email=anne%40example.fr&consent=on"),
    ):
        answer = scene.refused(post(target, body), 422, "ambiguous-field", field="form.consent")
        lacks(answer.body.decode(), "anne", "the answer")


@case("routes of one address, told apart by a field of the body", smoke=True)
def group():
    scene = SHARED.get()
    path = "/wp-admin/admin-ajax.php"
    seen = dict(wire.form_fields(scene.submit(post(path, {"email": "anne@example.fr", "action": "quote"})).body))
    tokens.email_shaped(seen["email"])
    equal(scene.submit(post(path, {"email": "anne@example.fr", "action": "news"})).body, b"action=news", "the news")
    parts = wire.multipart([("email", "anne@example.fr"), ("action", "quote")])
    received = scene.submit(wire.request("POST", path, parts, wire.MULTIPART))
    equal(dict(wire.multipart_fields(received.body))["email"], seen["email"], "the same token in the other encoding")
    # Chunked, so that nothing but the body tells the route.
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, bytes([c])) for c in b"action=news&email=a%40b.fr") + b"0\r\n\r\n"
    head = wire.head("POST", path, [("Content-Type", wire.FORM), ("Transfer-Encoding", "chunked")])
    equal(scene.submit(head + chunks).body, b"action=news", "chunks of one byte")
    scene.refused(post(path, {"email": "a@b.fr", "action": "other"}), 404, "no-route")
    scene.refused(post(path, {"email": "a@b.fr"}), 404, "no-route")
    scene.refused(post(path + "?action=quote", {"email": "a@b.fr"}), 422, "ambiguous-field", field="form.action")
    scene.refused(post(path, b"action=quote&action=news&email=a%40b.fr"), 422, "ambiguous-field")
    scene.refused(wire.request("POST", path, b"{}", wire.JSON), 415, "unsupported-type")
    scene.refused(post(path, b"action=quote&email=a%40b.fr&%zz"), 400, "malformed-body")


@case("the route of a group counts as itself")
def group_counts():
    scene = SHARED.get()
    before = scene.admin.metrics()
    scene.submit(post("/wp-admin/admin-ajax.php", {"email": "anne@example.fr", "action": "news"}))
    after = scene.admin.metrics()
    wanted = 'paravent_fields_total{route="news",field="form.email",action="drop"}'
    contains(after, wanted, "the metrics")
    expect(before != after, "nothing was counted")
    contains(after, 'field="form.email (else)",action="drop"', "what else did, apart")


@case("own tokens pass once the vault has confirmed them; any other is refused", smoke=True)
def own_tokens():
    scene = SHARED.get()
    first = dict(wire.form_fields(scene.submit(
        post("/wp-comments-post.php", {"author": "Anne", "email": "anne@example.fr", "comment": "Bonjour"})).body))  # fmt: skip
    again = {"author": first["author"], "email": first["email"], "comment": "Encore"}
    second = dict(wire.form_fields(scene.submit(post("/wp-comments-post.php", again)).body))
    equal((second["author"], second["email"]), (first["author"], first["email"]), "wrapped once")
    tokens.encrypted(second["comment"])
    equal(scene.reveal([second["author"], second["email"]]), ["Anne", "anne@example.fr"], "revealed")
    local = first["email"].split("@")[0]
    for target, fields in (
        ("/wp-comments-post.php", {"author": local}),
        ("/wp-comments-post.php", {"email": first["author"] + "@paravent.invalid"}),
        ("/wp-comments-post.php", {"email": local + "@example.org"}),
        ("/wp-comments-post.php", {"author": first["author"].upper()}),
        ("/wp-comments-post.php", {"author": " " + first["author"]}),
        ("/wp-comments-post.php", {"author": second["comment"]}),
        ("/wp-comments-post.php", {"comment": first["author"]}),
        ("/other/comments", {"author": first["author"]}),  # another domain
    ):
        answer = scene.refused(post(target, fields), 422, "own-token")
        lacks(answer.body.decode(), first["author"], "the answer")
    # Well formed and nobody's.
    row = bytes(range(16))
    key_id = int.from_bytes(tokens._short_bytes(first["author"])[2:6], "big")
    scene.refused(post("/wp-comments-post.php", {"author": tokens.write_vault(key_id, row)}), 422, "own-token")


@case("an own token passes after a restart as before it")
def own_token_after_restart():
    scene = SHARED.get()
    token = dict(wire.form_fields(scene.submit(post("/wp-comments-post.php", {"author": "Berthe"})).body))["author"]
    equal(dict(wire.form_fields(scene.submit(post("/wp-comments-post.php", {"author": token})).body))["author"], token,
          "before a restart")  # fmt: skip
    scene.restart()
    equal(dict(wire.form_fields(scene.submit(post("/wp-comments-post.php", {"author": token})).body))["author"], token,
          "after a restart")  # fmt: skip


@case("a named segment of the path is a field", smoke=True)
def path():
    scene = SHARED.get()
    target = scene.submit(wire.request("GET", "/users/Anne%20M%C3%BCller/orders?page=2")).target
    expect(target.startswith("/users/pvv1") and target.endswith("/orders?page=2"), target)
    equal(scene.reveal([target.split("/")[2]]), ["Anne Müller"], "revealed")
    equal(scene.submit(wire.request("GET", target)).target, target, "the token in a link of the site")
    with open(scene._stderr, encoding="utf-8") as log:
        lacks(log.read(), "Anne", "the log")


@case("bodies of several documents, however they are cut", smoke=True)
def lines():
    scene = SHARED.get()
    documents = [{"email": "anne@example.fr", "n": 1}, {"a": [{"email": "anne@example.fr"}]}, {"n": 3}]
    body = b"".join(json.dumps(one).encode() + b"\n" for one in documents)
    for kind in ("application/x-ndjson", "text/plain", None):
        received = scene.submit(wire.request("POST", "/lines", body, kind))
        seen = [json.loads(line) for line in received.body.splitlines()]
        tokens.email_shaped(seen[0]["email"])
        equal(seen[1]["a"][0]["email"], seen[0]["email"], "one address, one token")
        equal(seen[2], {"n": 3}, "the third line")
    data = wire.request("POST", "/lines", body, "application/x-ndjson")
    with scene.wire() as connection:
        scene.upstream.clear()
        connection.send_slowly(data, step=1)
        equal(connection.answer().status, 200, "status")
        equal(scene.upstream.last().body, received.body, "a byte at a time")
    beacon = b"en=view&ep.email=anne%40example.fr\r\nen=click"
    equal(scene.submit(wire.request("POST", "/lines", beacon, "text/plain")).body, b"en=view\r\nen=click", "a beacon")
    scene.refused(wire.request("POST", "/lines", b'{"a":1}\n\n{"a":2}', "application/x-ndjson"), 400, "malformed-body")
    scene.refused(wire.request("POST", "/lines", b'{"a":1}\n{"a":1,"a":2}', wire.JSON), 400, "malformed-body")


@case("CSV, XML and a JSON part with attachments; what is no data in them is refused", smoke=True)
def documents():
    scene = SHARED.get()

    def send(body, kind):
        return scene.submit(wire.request("POST", "/documents", body, kind)).body.decode("latin-1")

    rows = send(b"id,email\r\n1,anne@example.fr\r\n", "text/csv").split("\r\n")
    token = rows[1].split(",")[1]
    tokens.email_shaped(token)
    equal((rows[0], rows[2]), ("id,email", ""), "the other lines")
    xml = send(b'<?xml version="1.0"?>\n<o id="7"><email>anne@example.fr</email></o>', "application/xml")
    equal(xml, f'<?xml version="1.0"?>\n<o id="7"><email>{token}</email></o>', "the same token in XML")
    part = b'--B\r\nContent-Type: application/json\r\n\r\n{"email":"anne@example.fr"}\r\n'
    picture = b"--B\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--B--\r\n"
    mixed = send(part + picture, "multipart/mixed; boundary=B")
    equal(mixed.encode("latin-1"), part.replace(b"anne@example.fr", token.encode()) + picture, "the parts")
    equal(scene.reveal([token]), ["anne@example.fr"], "revealed")
    entity = b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>"
    for body, kind in (
        (b"id,id\n1,2\n", "text/csv"),
        (b"id,email\n1\n", "text/csv"),
        (entity, "application/xml"),
        (b"<a><!-- anne@example.fr --></a>", "text/xml"),
        (b"<a>x<b>y</b></a>", "text/xml"),
        (part + b"--B\r\nX: y\r\n\r\nz\r\n--B--", "multipart/mixed; boundary=B"),
        (part, "multipart/mixed; boundary=B"),
    ):
        answer = scene.refused(wire.request("POST", "/documents", body, kind), 400, "malformed-body")
        lacks(answer.body.decode(), "anne", "the answer")

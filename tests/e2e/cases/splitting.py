"""Any splitting of the same bytes into segments and chunks gives the same result: every kind of body, several ways."""

import base64
import gzip
import json
import subprocess
import urllib.parse
import zlib

from support import wire
from support.case import Shared, equal, expect, register
from support.gateway import Scene

POLICY = """\
policy: 1
tenant: atelier
recipients: { site: { name: The site, country: FR } }
routes:
  - name: fields
    match: { method: POST, path: /fields }
    upstream: UPSTREAM
    recipient: site
    text-plain: [json, form, gzip]
    fields:
      form.email: { do: replace, with: 'e & "e"' }
      json..email: { do: replace, with: 'e & "e"' }
      json.inner: { do: open, as: [base64url, json] }
      json.inner > json.email: { do: mask }
      multipart.email: { do: replace, with: 'e & "e"' }
      csv.email: { do: replace, with: 'e & "e"' }
      xml.*/email: { do: replace, with: 'e & "e"' }
      json[*].attachment: { do: keep }
    unlisted: keep
  - name: nested
    match: { method: POST, path: /nested }
    upstream: UPSTREAM
    recipient: site
    text-plain: [json, form]
    fields:
      query.doc: { do: open, as: json }
      query.doc > json.email: { do: mask }
      cookie.visitor: { do: open, as: [percent, json] }
      cookie.visitor > json.email: { do: mask }
      form.visit: { do: open, as: query }
      form.visit > query.email: { do: replace, with: 'e & "e"' }
      form.visit > query.url: { do: open, as: url }
      form.visit > query.url > query.email: { do: drop }
      form.data: { do: open, as: [base64, gzip, json] }
      form.data > json.email: { do: mask }
      multipart.data: { do: open, as: json }
      multipart.data > json..email: { do: mask }
      json.requests[*]: { do: open, as: query }
      json.requests[*] > query.email: { do: mask }
      json.text: { do: open, as: json }
      json.text > json.mail: { do: open, as: mailto }
      json.text > json.mail > value: { do: mask }
      json.packed: { do: open, as: [base64, gzip, json] }
      json.packed > json.email: { do: replace, with: 'e & "e"' }
      json.ue_px: { do: open, as: [base64url, json] }
      json.ue_px > json.data.email: { do: mask }
    unlisted: keep
  - name: lines
    match: { method: POST, path: /lines }
    upstream: UPSTREAM
    recipient: site
    lines: on
    text-plain: [json, form]
    fields:
      json..email: { do: replace, with: 'e & "e"' }
      form.email: { do: drop }
    unlisted: keep
  - name: envelope
    match: { method: POST, path: /envelope }
    upstream: UPSTREAM
    recipient: site
    lines: envelope
    fields:
      json[*].user.email: { do: replace, with: 'e & "e"' }
      json[*].attachment: { do: keep }
    unlisted: keep
"""
SHARED = Shared(lambda: Scene(policy=POLICY))
DOCUMENT = json.dumps({"n": [1, {"email": "anne@example.fr", "é": "\\\"\n"}], "inner": "eyJlbWFpbCI6ImEifQ"}).encode()
MIXED = (b"--B\r\nContent-Type: application/json\r\n\r\n" + DOCUMENT +
         b"\r\n--B\r\nContent-Type: application/octet-stream\r\nX-Experience-API-Hash: 00\r\n\r\n\x00\r\n-\r\n--B--\r\n")
PAYLOAD = b'{"user":{"email":"anne@example.fr"}}'
# Debian has no brotli for this; made of DOCUMENT by another program.
BROTLI = bytes.fromhex("1b5a00f81c076eaccc4ad4704acc8079a57e796213da1280174ba72f40c021877e403a496ecd5b2948098bfac7093296f8030434a7d3a0"
                       "51a9f18688fcc930833ae5798efc840581e5741a6eb0e71bec6de45c5ad397fcc35ec61001")
INSIDE = '{"email":"anne@example.fr","n":1.0}'
PACKED = base64.b64encode(gzip.compress(INSIDE.encode(), mtime=0)).decode()
NESTED = json.dumps({"requests": ["?email=anne%40example.fr&a=b%20c", "?x=1"], "text": '{"mail":"mailto:anne@example.fr"}', "packed": PACKED,
                     "ue_px": base64.urlsafe_b64encode(b'{"data":{"email":"anne@example.fr"}}').decode().rstrip("=")}).encode()
VISIT = urllib.parse.urlencode({"email": "anne@example.fr", "url": "https://a.example/p?email=anne%40example.fr&b=1#c"})
HEADS = {"/nested": [("Cookie", "a=1; visitor=" + urllib.parse.quote(INSIDE) + "; b=2")]}
PACKINGS = {
    b"\x1f\x8b": "gzip",
    b"\x78": "deflate",
    b"\x1b": "br",
    b"\x28\xb5": "zstd",
}


def zstd(data):
    return subprocess.run(["zstd", "-c"], input=data, capture_output=True, check=True).stdout


BODIES = {
    "a form": ("/fields", wire.FORM, b"a=1&email=anne%40example.fr&b=%C3%A9&email=&c"),
    "JSON": ("/fields", "application/json", DOCUMENT),
    "JSON in gzip": ("/fields", "application/json", gzip.compress(DOCUMENT, mtime=0)),
    "JSON in deflate": ("/fields", "application/json", zlib.compress(DOCUMENT)),
    "JSON in br": ("/fields", "application/json", BROTLI),
    "JSON in zstd": ("/fields", "application/json", lambda: zstd(DOCUMENT)),
    "a form in zstd": ("/fields", wire.FORM, lambda: zstd(b"a=1&email=anne%40example.fr&b=%C3%A9")),
    "multipart in gzip": ("/fields", wire.MULTIPART, gzip.compress(wire.multipart({"a": "x", "email": "anne@example.fr"}), mtime=0)),
    "queries, JSON, gzip and a mail address inside of JSON": ("/nested", "application/json", NESTED),
    "the same in gzip": ("/nested", "application/json", gzip.compress(NESTED, mtime=0)),
    "a query, a URL and packed JSON inside of a form": ("/nested", wire.FORM, wire.form({"visit": VISIT, "data": PACKED, "z": "="})),
    "JSON inside of a part": ("/nested", wire.MULTIPART, wire.multipart({"data": INSIDE, "b": "--"})),
    "multipart": ("/fields", wire.MULTIPART, wire.multipart({"a": "\r\n--x", "email": "anne@example.fr", "b": "--"})),
    "multipart/mixed": ("/fields", "multipart/mixed; boundary=B", MIXED),
    "text that is JSON": ("/fields", "text/plain", b" \n" + DOCUMENT),
    "text that is a form": ("/fields", "text/plain", b"email=anne%40example.fr&x=1"),
    "text that is gzip": ("/fields", "text/plain", gzip.compress(DOCUMENT, mtime=0)),
    "CSV": ("/fields", "text/csv", b'id,email\r\n1,"anne ""A"" @example.fr"\r\n2,b\r\n'),
    "XML": ("/fields", "application/xml", b'<o a="1"><email>anne@example.fr</email><n>&lt;</n></o>'),
    "NDJSON": ("/lines", "application/x-ndjson", DOCUMENT + b"\r\n" + PAYLOAD + b"\n"),
    "a form a line": ("/lines", "text/plain", b"email=anne&x=1\r\nx=2\nemail=b&y"),
    "an envelope": ("/envelope", "application/x-sentry-envelope",
                    b'{"dsn":"x"}\n{"type":"event","length":%d}\n%s\n{"type":"attachment","length":3}\n\x00\n\x01' % (len(PAYLOAD), PAYLOAD)),
}


def splittings(target, kind, body):
    """(name, how it is sent): whole first."""
    extra = list(HEADS.get(target, []))
    if HEADS.get(target):
        target += "?doc=" + urllib.parse.quote(INSIDE)
    coding = next((name for magic, name in PACKINGS.items() if body.startswith(magic)), None)
    if coding and kind != "text/plain":
        extra.append(("Content-Encoding", coding))
    whole = wire.request("POST", target, body, kind, headers=extra)
    yield "whole", lambda connection: connection.send(whole)
    yield "byte by byte", lambda connection: connection.send_slowly(whole)
    yield "in segments of 7", lambda connection: connection.send_slowly(whole, step=7, pause=0.0002)
    for size in (1, 13, 4096):
        head = wire.head("POST", target, [("Content-Type", kind), ("Transfer-Encoding", "chunked"), *extra])
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[at : at + size]), body[at : at + size]) for at in range(0, len(body), size))
        data = head + chunks + b"0\r\n\r\n"
        yield f"in chunks of {size}", lambda connection, data=data: connection.send(data)
        if size < 4096:
            yield f"in chunks of {size}, byte by byte", lambda connection, data=data: connection.send_slowly(data)


def check(arrived, target):
    """That the work was done; the rest compares."""
    expect(b"anne" not in arrived.body and arrived.body, f"nothing was done: {arrived.body!r}")
    if not HEADS.get(target):
        return
    head = arrived.raw[: arrived.raw.index(b"\r\n\r\n")]
    expect(b"anne" not in head, f"the head: {head!r}")
    # What is packed inside was opened, protected and packed again.
    fields = dict(wire.form_fields(arrived.body)) if b"data=" in arrived.body else {}
    packed = fields.get("data") or (json.loads(arrived.body).get("packed") if arrived.body.startswith(b"{") else None)
    if packed:
        inside = gzip.decompress(base64.b64decode(packed))
        expect(b"anne" not in inside and inside.endswith(b'"n":1.0}'), f"packed: {inside!r}")


def register_all():
    for name, (target, kind, body) in BODIES.items():
        def run(target=target, kind=kind, body=body):
            scene = SHARED.get()
            expected = None
            for how, send in splittings(target, kind, body() if callable(body) else body):
                scene.upstream.clear()
                with scene.wire() as connection:
                    send(connection)
                    equal(connection.answer().status, 200, f"the answer, {how}")
                arrived = scene.upstream.last()
                received = (arrived.target, arrived.values("Cookie"), arrived.body)
                if expected is None:
                    expected = received
                    check(arrived, target)
                equal(received, expected, how)

        register(f"{name}: the same result however it is split", run, smoke=name in ("JSON", "a form"))


register_all()

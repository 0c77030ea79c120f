"""Any splitting of the same bytes into segments and chunks gives the same result: every kind of body, several ways."""

import gzip
import json

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
BODIES = {
    "a form": ("/fields", wire.FORM, b"a=1&email=anne%40example.fr&b=%C3%A9&email=&c"),
    "JSON": ("/fields", "application/json", DOCUMENT),
    "JSON in gzip": ("/fields", "application/json", gzip.compress(DOCUMENT, mtime=0)),
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
    extra = [("Content-Encoding", "gzip")] if body.startswith(b"\x1f\x8b") and kind != "text/plain" else []
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


def register_all():
    for name, (target, kind, body) in BODIES.items():
        def run(target=target, kind=kind, body=body):
            scene = SHARED.get()
            expected = None
            for how, send in splittings(target, kind, body):
                scene.upstream.clear()
                with scene.wire() as connection:
                    send(connection)
                    equal(connection.answer().status, 200, f"the answer, {how}")
                received = scene.upstream.last().body
                if expected is None:
                    expected = received
                    expect(b"anne" not in received and received != body, f"nothing was done: {received!r}")
                equal(received, expected, how)

        register(f"{name}: the same result however it is split", run, smoke=name in ("JSON", "a form"))


register_all()

"""What no rule matches passes byte for byte; what one matches changes nothing else."""

import json

from support import tokens, wire
from support.case import Shared, about, case, equal, register
from support.gateway import Scene
from support.policies import WIDE

SHARED = Shared(lambda: Scene(policy=WIDE))

JSON_BODIES = {
    "numbers and empty containers": b'{"a":[],"b":{},"c":1.0,"d":1E5,"e":9007199254740993,"f":-0}',
    "escapes": rb'{"path":"a\/b","u":"\u00e9\u20AC\ud83d\ude00","t":"\t\"\\"}',
    "white space": b' { "a" :\t[ 1 ,\r\n 2 ] }\n',
    "a bare string": b'"hello"',
    "an array at the top": b'[1,"two",{"three":null},true]',
    "UTF-8": '{"ville":"Besançon","emoji":"🙂"}'.encode(),
}
FORM_BODIES = {
    "odd escapes": b"a=%c3%A9&b=+%20+&c=%2B",
    "empty pairs and names without a value": b"a=1&&b&c=&=d",
    "brackets and repeated names": b"x[]=1&x[]=2&y[0][z]=3&x[]=1",
    "raw punctuation": b"q=a~b.c-d_e*f'(g)!",
    "nothing": b"",
}


def same_body(body, content_type):
    scene = SHARED.get()
    received = scene.submit(wire.request("POST", "/relay?a=1&b=%20x&&c", body, content_type))
    equal(received.body, body, "the body")
    equal(received.target, "/relay?a=1&b=%20x&&c", "the target")
    equal(received.header("Content-Type"), content_type, "Content-Type")


def register_all(bodies, content_type, kind):
    for name, body in bodies.items():

        def run(body=body):
            same_body(body, content_type)

        run.__module__ = __name__
        register(f"{kind} without a matching field: {name}", run)


register_all(JSON_BODIES, wire.JSON, "JSON")
register_all(JSON_BODIES, "text/plain;charset=UTF-8", "JSON as text/plain")
register_all(FORM_BODIES, wire.FORM, "form")


@case("a multipart body without a matching field", smoke=True)
def multipart_identity():
    body = wire.multipart([("a", "1"), ("b", "line\r\nline"), ("c", ""), ("a", "é")])
    same_body(body, wire.MULTIPART)


@case("headers and cookies that no rule names arrive as they were sent", smoke=True)
def header_identity():
    scene = SHARED.get()
    sent = [
        ("Accept", "text/html, */*;q=0.5"),
        ("Accept-Language", "fr-FR,fr;q=0.9"),
        ("Cookie", "a=1; b=two;  c=%7B%7D"),
        ("X-Odd", "  spaced   inside"),
        ("x-lower-case", "yes"),
        ("Referer", "https://www.example.fr/page?x=1"),
    ]
    received = scene.submit(wire.request("POST", "/relay", b"a=1", wire.FORM, headers=sent))
    for name, value in sent:
        equal([v for n, v in received.headers if n == name], [value.strip()], name)


@case("around a replaced field every other byte stays", smoke=True)
def splice():
    scene = SHARED.get()
    before, after = b'{ "x":[1.0, 1E5 ,"\\u00e9\\/"],\n "email" : ', b' ,"email2":"x@y.z", "y": {} }\n'
    body = before + b'"Someone@Example.FR"' + after
    received = scene.submit(wire.request("POST", "/relay", body, wire.JSON))
    start, end = received.body[: len(before)], received.body[-len(after) :]
    equal((start, end), (before, after), "the bytes around the field")
    tokens.email_shaped(json.loads(received.body)["email"])

    body = b"a=%c3%A9&&email=x%40example.fr&b=+&email=y%40example.fr&c"
    received = scene.submit(wire.request("POST", "/relay", body, wire.FORM))
    parts = received.body.split(b"&")
    with about(repr(received.body)):
        equal(parts[:2] + [parts[3], parts[5]], [b"a=%c3%A9", b"", b"b=+", b"c"], "other pairs")
        for part in (parts[2], parts[4]):
            tokens.email_shaped(wire.form_fields(part)[0][1])


@case("the answer of the site comes back byte for byte", smoke=True)
def answers():
    scene = SHARED.get()
    body = bytes(range(256)) * 300
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (body[:1], body[1:50000], body[50000:]))
    head = b"HTTP/1.1 201 Created\r\nX-App: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
    kinds = {
        "by length": head + b"Content-Length: %d\r\n\r\n" % len(body) + body,
        "chunked": head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n",
    }
    try:
        for kind, answer in kinds.items():
            scene.upstream.answer = lambda _, answer=answer: answer
            got = scene.exchange(wire.request("GET", "/"))
            with about(kind):
                equal((got.status, got.body == body), (201, True), "status and body")
                equal([v for n, v in got.headers if n == "Set-Cookie"], ["a=1", "b=2"], "cookies")
                equal(got.header("X-App"), "1", "X-App")
    finally:
        from support.upstream import default_answer

        scene.upstream.answer = default_answer

"""Every refusal that CONTRACTS names and that can be reached: status, reason, counter, nothing upstream."""

import gzip
import json
import time

from support import settings, wire
from support.case import Shared, case, contains, equal, expect, lacks
from support.gateway import Scene
from support.policies import WIDE, bare
from support.upstream import Upstream, default_answer

SHARED = Shared(lambda: Scene(policy=WIDE))
BARE = Shared(lambda: Scene(policy=bare(), limits={"form-bytes": "2KiB", "json-bytes": "2KiB"}))
CANARY = "Canary-9f27c1"


def form(body, target="/contact", **more):
    body = body if isinstance(body, (bytes, str)) else wire.form(body)
    return wire.request("POST", target, body, wire.FORM, **more)


def check(data, status, reason, **more):
    answer = SHARED.get().refused(data, status, reason, **more)
    lacks(answer.body.decode(), CANARY, "the answer")
    return answer


@case("404 no-route", smoke=True)
def no_route():
    for data in (wire.request("GET", "/"), form({"email": CANARY}, "/other"), form("a=1", "/contact/")):
        answer = BARE.get().refused(data, 404, "no-route", closes=None)
        expect("route" not in answer.json(), f"a route where none was found: {answer!r}")


@case("405 method", smoke=True)
def method():
    check(wire.request("DELETE", "/contact"), 405, "method", closes=False)
    check(wire.request("POST", "/somewhere", b"", None), 404, "no-route")
    check(wire.request("OPTIONS", "/contact"), 405, "method")
    BARE.get().refused(wire.request("GET", "/contact"), 405, "method")


@case("411 length-required")
def length_required():
    raw = b"POST /contact HTTP/1.0\r\nHost: www.example.fr\r\nContent-Type: text/plain\r\n\r\n"
    check(raw, 411, "length-required", closes=True)


@case("413 too-large, by length and by what arrives", smoke=True)
def too_large():
    scene = BARE.get()
    body = b"email=" + b"a" * 3000
    scene.refused(form(body), 413, "too-large", closes=True)
    head = wire.head("POST", "/contact", [("Content-Type", wire.FORM), ("Transfer-Encoding", "chunked")])
    chunked = b"".join(b"%x\r\n%s\r\n" % (500, b"a" * 500) for _ in range(6)) + b"0\r\n\r\n"
    scene.refused(head + chunked, 413, "too-large", closes=True)
    # Only announced: the answer comes before the body does.
    head = wire.head("POST", "/contact", [("Content-Type", wire.FORM), ("Content-Length", "999999999999")])
    scene.refused(head, 413, "too-large", closes=True)
    # limit - 1 and limit pass, limit + 1 does not
    for size, good in ((2047, True), (2048, True), (2049, False)):
        body = b"email=" + b"&" * (size - 6)
        if good:
            equal(scene.submit(form(body)).body, body, f"{size} bytes")
        else:
            scene.refused(form(body), 413, "too-large")


@case("413 too-large: too many fields, parts, JSON keys or levels")
def too_many():
    cases = [
        form("&".join(f"a{i}=1" for i in range(600)), "/relay"),
        wire.request("POST", "/relay", wire.multipart([(f"a{i}", "1") for i in range(200)]), wire.MULTIPART),
        wire.request("POST", "/relay", b"[" * 50 + b"]" * 50, wire.JSON),
        wire.request("POST", "/relay", b"[" * 100000, wire.JSON),
        wire.request("POST", "/relay", json.dumps({f"k{i}": 1 for i in range(30000)}), wire.JSON),
    ]
    for data in cases:
        scene = SHARED.get()
        scene.upstream.clear()
        answer = scene.exchange(data)
        seen = (answer.status, answer.json()["reason"])
        equal(seen, (413, "too-large"), f"{data[:80]!r}")
        equal(scene.upstream.count(), 0, "requests at the upstream")


@case("414 target-too-long")
def target_too_long():
    check(wire.request("GET", "/" + "a" * 9000), 414, "target-too-long", closes=True)
    check(wire.request("GET", "/?" + "a" * 40000), 414, "target-too-long", closes=True)


@case("431 headers-too-large: a line, their sum, their number", smoke=True)
def headers_too_large():
    for headers in (
        [("X", "a" * 9000)],
        [(f"X{i}", "a" * 4000) for i in range(5)],
        [(f"X{i}", "a") for i in range(120)],
        [("Cookie", "a=" + "b" * 30000)],
    ):
        check(wire.request("GET", "/", headers=headers), 431, "headers-too-large", closes=True)


@case("415 unsupported-type", smoke=True)
def unsupported_type():
    body = CANARY.encode()
    types = [
        "application/xml", "text/plain", "application/octet-stream", "image/png", "nonsense", "",
        "multipart/mixed; boundary=x", "multipart/form-data", "multipart/form-data; boundary=",
        "application/x-www-form-urlencoded; charset=utf-16", "application/json; charset=iso-8859-1",
        "application/x-www-form-urlencoded, application/json", "application/grpc",
    ]  # fmt: skip
    for kind in types:
        data = wire.request("POST", "/contact", body, None, headers=[("Content-Type", kind)])
        check(data, 415, "unsupported-type")
    check(wire.request("POST", "/contact", body, None), 415, "unsupported-type", closes=True)
    # A kind of body for which the route has no rule.
    data = wire.request("POST", "/survey", b"{}", wire.JSON)
    check(data, 415, "unsupported-type")


@case("415 unsupported-encoding")
def unsupported_encoding():
    for value in ("x-gzip", "gzip, gzip", "identity, gzip", "compress", "gzip;q=1", ""):
        check(form("a=1", headers=[("Content-Encoding", value)]), 415, "unsupported-encoding")
    twice = [("Content-Encoding", "identity"), ("Content-Encoding", "identity")]
    check(form("a=1", headers=twice), 415, "unsupported-encoding")
    for value in ("gzip", "deflate", "br", "zstd"):
        check(form("a=1", headers=[("Content-Encoding", value)]), 400, "malformed-body")
    packed = gzip.compress(b"name=Anne")
    lies = [packed + packed, packed + b"\0", packed[:-1], packed[:-4] + b"\1\0\0\0"]
    for body in lies:
        check(form(body, headers=[("Content-Encoding", "gzip")]), 400, "malformed-body")
    bomb = gzip.compress(b"name=" + b"A" * 60_000_000)
    check(form(bomb, headers=[("Content-Encoding", "gzip")]), 413, "too-large")


@case("400 framing: two content types")
def two_types():
    data = form("a=1", headers=[("Content-Type", wire.JSON)])
    check(data, 400, "framing", closes=True)


@case("417 expectation")
def expectation():
    for headers in (
        [("Expect", "y 100-continue")],
        [("Expect", "100-continue, 100-continue")],
        [("Expect", "nonsense")],
        [("Expect", "100-continue"), ("Expect", "100-continue")],
        [("Expect", "")],
    ):
        check(form("a=1", headers=headers), 417, "expectation", closes=True)


@case("422 unlisted-field names the field to its sender, cut at 64 bytes", smoke=True)
def unlisted_field():
    answer = check(form({"surprise": CANARY}), 422, "unlisted-field", field="form.surprise", closes=False)
    equal(answer.json()["route"], "contact-form", "route")
    check(wire.request("POST", "/contact", json.dumps({"a": {"b": [CANARY]}}), wire.JSON), 422,
          "unlisted-field", field="json.a.b[0]")  # fmt: skip
    check(wire.request("POST", "/contact", wire.multipart({"x": CANARY}), wire.MULTIPART), 422,
          "unlisted-field", field="multipart.x")  # fmt: skip
    check(form("submit=1", "/contact?odd=" + CANARY), 422, "unlisted-field", field="query.odd")
    answer = check(form({"n" * 500: CANARY}), 422, "unlisted-field")
    name = answer.json()["field"]
    expect(len(name.removeprefix("form.").encode()) <= 64, f"a name of {len(name)} bytes")
    lacks(SHARED.get().admin.metrics(), "surprise", "/metrics")
    answer = check(form({'"><script>': CANARY}), 422, "unlisted-field", field='form."><script>')


@case("422 missing-field", smoke=True)
def missing_field():
    for body in ("email=a%40example.fr", "", "answer=", "answer=+"):
        check(form(body, "/survey"), 422, "missing-field", field="form.answer")


@case("422 refused-field", smoke=True)
def refused_field():
    check(form({"card": CANARY}), 422, "refused-field", field="form.card")
    check(form({"card": ""}), 422, "refused-field", field="form.card")


@case("422 own-token: nobody plants a token", smoke=True)
def own_token():
    scene = SHARED.get()
    received = scene.submit(form({"email": "a@example.fr", "message": "x", "phone": "0612345678", "city": "Lyon"}))
    have = dict(wire.form_fields(received.body))
    for text in (have["email"], have["email"].split("@")[0], have["phone"], have["message"], have["city"]):
        tokens_of = {"name": text, "submit": f"see {text}!", "message": text}
        for name, value in tokens_of.items():
            check(form({name: value}), 422, "own-token", field=f"form.{name}")


@case("422 transform-failed", smoke=True)
def transform_failed():
    for fields in ({"email": CANARY}, {"phone": CANARY}, {"name": "a\x01b"}, {"phone": "0" * 20}):
        (name,) = fields
        check(form(fields), 422, "transform-failed", field=f"form.{name}")
    for document in ({"person": {"email": {"x": CANARY}}}, {"person": {"email": [CANARY]}}):
        data = wire.request("POST", "/contact", json.dumps(document), wire.JSON)
        check(data, 422, "transform-failed", field="json.person.email")


@case("400 malformed-body", smoke=True)
def malformed_body():
    for body in (b"a=%zz", b"a=%", b"a=%2", b"%00=1", b"a=1;b=2", b"a=\x00", b"%ff=1", b"a=\n"):
        check(form(body, "/relay"), 400, "malformed-body")
    for body in (
        b"", b"{", b"{}x", b"{} {}", b'{"a":1,}', b"{'a':1}", b'{"a":01}', b'{"a":NaN}', b'{"a":1,"a":2}',
        b'{"a":1,"\\u0061":2}', b'\xef\xbb\xbf{"a":1}', b'{"a":"\x01"}', b'{"a":"\\ud800"}', b'"\xff"', b'{"a":.5}',
        b'{"a":1}//', '{"a":1}'.encode("utf-16"), b'{"a" 1}', b"[1,,2]", b"nul",
    ):  # fmt: skip
        if body:
            check(wire.request("POST", "/relay", body, wire.JSON), 400, "malformed-body")
    good = wire.multipart({"message": CANARY})
    for body in (
        good[:-4], good[: len(good) // 2], good.replace(b"\r\n", b"\n"), b"preamble" + good, good + good,
        good.replace(b"form-data; ", b""), good.replace(b'name="message"', b"name=message\x00"),
        good.replace(b'; name="message"', b""), good.replace(b"Content-Disposition", b"Content_Disposition"),
        good.replace(b'name="message"', b'name="message"; name="other"'),
    ):  # fmt: skip
        scene = SHARED.get()
        scene.upstream.clear()
        answer = scene.exchange(wire.request("POST", "/contact", body, wire.MULTIPART))
        equal((answer.status, answer.json()["reason"]), (400, "malformed-body"), repr(body[:80]))
        lacks(answer.body.decode(), CANARY, "the answer")
        equal(scene.upstream.count(), 0, "requests at the upstream")


@case("502 upstream-failed: nobody listens, it closes, it answers nonsense", smoke=True)
def upstream_failed():
    with Scene(policy=WIDE) as scene:
        answers = [
            None,
            b"",
            b"nonsense\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nX: a\nb\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 200000 + b"\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n" * 200,
        ]
        for wrong in answers:
            scene.upstream.answer = lambda _, wrong=wrong: wrong or None
            before = scene.admin.refusals("upstream-failed")
            answer = scene.exchange(form({"email": "canary@example.fr"}))
            what = repr(wrong and wrong[:60])
            equal((answer.status, answer.json()["reason"]), (502, "upstream-failed"), what)
            lacks(answer.body.decode(), "canary", "the answer")
            equal(scene.admin.refusals("upstream-failed"), before + 1, "counter")
        scene.upstream.answer = default_answer
        # A worker that saw five of them in a row leaves the target alone for a second.
        deadline = time.monotonic() + 10 * settings.PATIENCE
        while scene.exchange(form({"email": "a@example.fr"})).status != 200:
            expect(time.monotonic() < deadline, "the target is not asked again")
            time.sleep(0.1)
        scene.upstream.close()
        answer = scene.exchange(form({"email": "a@example.fr"}))
        equal((answer.status, answer.json()["reason"]), (502, "upstream-failed"), "nobody listens")


@case("an answer that breaks off in the middle is not ended cleanly")
def cut_answer():
    upstream = Upstream(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
    with Scene(policy=WIDE, upstream=upstream) as scene:
        original = upstream._serve

        def serve_and_close(connection):
            upstream.answer = lambda request: None
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
            connection.close()

        upstream._serve = serve_and_close
        with scene.wire() as connection:
            connection.send(wire.request("GET", "/"))
            data = connection.rest()
        upstream._serve = original
        expect(data.count(b"HTTP/1.1") == 1, f"two answers: {data!r}")
        head, _, body = data.partition(b"\r\n\r\n")
        good = b" 502 " in head or (b"Content-Length: 100" in head and len(body) < 100) or (
            b"chunked" in head and not body.endswith(b"0\r\n\r\n")
        )
        expect(good, f"looks complete: {data!r}")


@case("a client that prefers text/html gets a page in French and English", smoke=True)
def html_page():
    scene = SHARED.get()
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    with scene.wire() as connection:
        connection.send(form({"surprise": CANARY}, headers=[("Accept", browser)]))
        answer = connection.answer()
    equal((answer.status, answer.header("Content-Type")), (422, "text/html; charset=utf-8"), "the answer")
    page = answer.body.decode()
    for part in ('lang="fr"', 'lang="en"', "unlisted-field", "form.surprise"):
        contains(page, part, "the page")
    lacks(page, CANARY, "the page")
    answer = scene.exchange(form({"<script>x": CANARY}, headers=[("Accept", browser)]))
    lacks(answer.body.decode(), "<script>", "the page")
    for accept in ("*/*", "application/json, text/html", "application/json", "text/plain", None):
        headers = [("Accept", accept)] if accept else []
        answer = scene.exchange(form({"surprise": CANARY}, headers=headers))
        equal(answer.header("Content-Type"), "application/problem+json", f"Accept: {accept}")


@case("a refusal to HEAD has no body")
def head_refused():
    with BARE.get().wire() as connection:
        connection.send(wire.request("HEAD", "/nothing"))
        answer = connection.answer(to_head=True)
        equal(answer.status, 404, "the answer")
        connection.send(wire.request("GET", "/nothing"))
        equal(connection.answer().json()["reason"], "no-route", "the next answer")


@case("each request has an id of its own")
def request_ids():
    ids = [SHARED.get().exchange(form({"x": "1"})).json()["request_id"] for _ in range(20)]
    equal(len(set(ids)), 20, "different ids")

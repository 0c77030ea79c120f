"""Rows F1 to F13, F17 and F18 of the attack catalogue, byte by byte.

Whatever can be read in two ways is refused once, the connection closes, and neither the request nor what was
hidden behind it reaches the upstream.
"""

from support.case import Shared, case, equal, expect, register
from support.gateway import Scene
from support.policies import WIDE

SHARED = Shared(lambda: Scene(policy=WIDE))

# Travels behind every attack: the request that a confused reader would see.
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: www.example.fr\r\n\r\n"
FRAMING = (400, "framing")
CODING = (501, "unsupported-coding")
VERSION = (505, "http-version")
LENGTH = (411, "length-required")


def post(*lines, body=b"a=1", version=b"1.1", host=b"Host: www.example.fr"):
    """A POST whose framing lines are given; every line ends in CRLF."""
    head = [b"POST /relay HTTP/" + version]
    if host is not None:
        head.append(host)
    head.append(b"Content-Type: application/x-www-form-urlencoded")
    return b"\r\n".join([*head, *lines, b"", b""]) + body


def start(line, *lines):
    return b"\r\n".join([line, b"Host: www.example.fr", *lines, b"", b""])


def chunks(raw):
    return post(b"Transfer-Encoding: chunked", body=raw)


def rows():
    """(name, bytes, (status, reason))"""
    te, cl = b"Transfer-Encoding: chunked", b"Content-Length: 3"
    yield "F1 length, then chunked", post(cl, te, body=b"0\r\n\r\n"), FRAMING
    yield "F2 chunked, then length", post(te, cl, body=b"3\r\na=1\r\n0\r\n\r\n"), FRAMING
    yield "F3 two codings", post(te, te, body=b"3\r\na=1\r\n0\r\n\r\n"), FRAMING
    yield "F4 unknown coding and length", post(b"Transfer-Encoding: gzip", cl), FRAMING
    yield "F4 length and unknown coding", post(cl, b"Transfer-Encoding: xchunked"), FRAMING
    yield "F4 length zero and chunked", post(b"Content-Length: 0", te, body=b"0\r\n\r\n"), FRAMING

    yield "F5 two equal lengths", post(cl, cl), FRAMING
    yield "F5 two lengths", post(cl, b"Content-Length: 4"), FRAMING
    for value in (
        b"+3", b"-3", b"0x3", b"03", b"3 3", b"3,3", b"3, 3", b"1_0", b"", b"3.0", b"3;", b'"3"', b"3\t4",
        b"\xb2", b"9" * 20, b"18446744073709551619", b"three",
    ):  # fmt: skip
        yield f"F5 length {value!r}", post(b"Content-Length: " + value), FRAMING

    for value in (
        b"chunked, chunked", b"gzip, chunked", b"chunked, gzip", b",chunked", b"chunked,", b"xchunked",
        b"chunkedx", b"identity", b'"chunked"', b"chunked;q=1", b"\x0bchunked", b"chunked\x0b", b"chunked\x00",
        b"\xa0chunked", b"chun ked", b"chunked\x80", b"", b"identity, chunked", b"'chunked'",
    ):  # fmt: skip
        raw = post(b"Transfer-Encoding: " + value, body=b"3\r\na=1\r\n0\r\n\r\n")
        yield f"F6 coding {value!r}", raw, FRAMING
    for value in (b"gzip", b"deflate", b"br", b"cow"):
        raw = post(b"Transfer-Encoding: " + value, body=b"3\r\na=1\r\n0\r\n\r\n")
        yield f"F6 coding {value!r}", raw, CODING
    raw = post(te, b"Transfer-Encoding: identity", body=b"3\r\na=1\r\n0\r\n\r\n")
    yield "F6 chunked and identity in two lines", raw, FRAMING

    yield "F7 HTTP/1.0 and chunked", post(te, version=b"1.0", body=b"0\r\n\r\n"), FRAMING
    raw = post(cl, b"Connection: keep-alive", version=b"1.0")
    yield "F7 HTTP/1.0 keep-alive with a length", raw, FRAMING
    yield "F7 HTTP/1.0 POST without a length", post(version=b"1.0", body=b""), LENGTH

    for name, end in ((r"\n", b"\n"), (r"\r", b"\r"), (r"\n\r", b"\n\r"), ("NUL", b"\0\r\n")):
        raw = b"GET / HTTP/1.1" + end + b"Host: www.example.fr\r\n\r\n"
        yield f"F8 start line ends in {name}", raw, FRAMING
        raw = b"GET / HTTP/1.1\r\nHost: www.example.fr" + end + b"X: y\r\n\r\n"
        yield f"F8 header ends in {name}", raw, FRAMING
        yield f"F8 {name} inside a value", start(b"GET / HTTP/1.1", b"X: a" + end + b"b"), FRAMING
        yield f"F8 chunk size ends in {name}", chunks(b"3" + end + b"a=1\r\n0\r\n\r\n"), FRAMING
        yield f"F8 chunk data ends in {name}", chunks(b"3\r\na=1" + end + b"0\r\n\r\n"), FRAMING
        yield f"F8 last chunk ends in {name}", chunks(b"3\r\na=1\r\n0" + end + b"\r\n"), FRAMING
    for byte in (0x01, 0x08, 0x0B, 0x0C, 0x1B, 0x7F):
        raw = start(b"GET / HTTP/1.1", b"X: a" + bytes([byte]) + b"b")
        yield f"F8 control byte {byte:#04x} in a value", raw, FRAMING
    yield "F8 an empty line before the request line", b"\r\n" + start(b"GET / HTTP/1.1"), FRAMING

    yield "F9 folded header", start(b"GET / HTTP/1.1", b"X: a", b" b"), FRAMING
    raw = post(b"Transfer-Encoding:", b" chunked", body=b"3\r\na=1\r\n0\r\n\r\n")
    yield "F9 folded coding", raw, FRAMING
    yield "F9 first header begins with a blank", b"GET / HTTP/1.1\r\n Host: www.example.fr\r\n\r\n", FRAMING
    for name in (
        b"X : y", b"X\t: y", b": y", b"X y: z", b"X\xe9: y", b"X(: y", b"X\x00: y", b"no colon", b"X@: y",
        b"Content-Length : 3", b"Transfer-Encoding : chunked",
    ):  # fmt: skip
        yield f"F9 header {name!r}", start(b"GET / HTTP/1.1", name), FRAMING

    for alias in (
        b"Transfer_Encoding: chunked", b"Content_Length: 3", b"X_Forwarded_For: 1.2.3.4", b"X.Forwarded.For: 1.2.3.4",
        b"Content.Length: 3", b"X!Customer: a", b"X~Customer: a", b"User|Agent: a", b"Client'IP: 1.2.3.4",
    ):  # fmt: skip
        yield f"F10 alias {alias!r}", post(b"Content-Length: 3", alias), FRAMING

    for size in (
        b"+3", b"-3", b"0x3", b" 3", b"3 ", b"\t3", b"3\t", b"3_", b"", b"g", b"00000000000000003",
        b"FFFFFFFFFFFFFFFF", b"10000000000000003", b"3\x00", b"3\xa0",
    ):  # fmt: skip
        yield f"F11 chunk size {size!r}", chunks(size + b"\r\na=1\r\n0\r\n\r\n"), FRAMING

    for extension in (b";a", b";a=b", b';a="\n"', b";\n", b";a\rb", b' ;a="b"', b";", b";\x00", b';a="\r\n"'):
        yield f"F12 chunk extension {extension!r}", chunks(b"3" + extension + b"\r\na=1\r\n0\r\n\r\n"), FRAMING
    yield "F12 extension of the last chunk", chunks(b"3\r\na=1\r\n0;a\r\n\r\n"), FRAMING
    yield "F12 data longer than its size", chunks(b"2\r\na=1\r\n0\r\n\r\n"), FRAMING
    yield "F12 no CRLF behind the data", chunks(b"3\r\na=10\r\n\r\n"), FRAMING
    yield "F12 wrong two bytes behind the data", chunks(b"3\r\na=1XX0\r\n\r\n"), FRAMING

    for trailer in (
        b"Content-Length: 3", te, b"Host: evil.example", b"Authorization: x", b"Content-Type: a/b", b"X: y",
    ):  # fmt: skip
        yield f"F13 trailer {trailer!r}", chunks(b"3\r\na=1\r\n0\r\n" + trailer + b"\r\n\r\n"), FRAMING

    yield "F14 GET with a body", start(b"GET / HTTP/1.1", cl) + b"a=1", FRAMING
    yield "F14 HEAD with a chunked body", start(b"HEAD / HTTP/1.1", te) + b"0\r\n\r\n", FRAMING

    get = b"GET / HTTP/1.1\r\n"
    yield "F17 no host", get + b"\r\n", FRAMING
    yield "F17 two hosts", get + b"Host: a.example\r\nHost: b.example\r\n\r\n", FRAMING
    yield "F17 two equal hosts", get + b"Host: a.example\r\nHost: a.example\r\n\r\n", FRAMING
    for host in (
        b"", b"a.example, b.example", b"user@a.example", b"a.example/path", b"a.example:", b"a.example:80x",
        b"a.example:99999", b"a.example:-1", b"a example", b"a.example#b", b"a.example?b", b"[::1", b"::1",
        b"a..example", b"\xe9.example", b"a.example\\b", b"http://a.example",
    ):  # fmt: skip
        yield f"F17 host {host!r}", get + b"Host: " + host + b"\r\n\r\n", FRAMING
    raw = b"GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"
    yield "F17 absolute form that is not the host", raw, FRAMING

    for line in (
        b"GET  / HTTP/1.1", b"GET /  HTTP/1.1", b"GET\t/\tHTTP/1.1", b" GET / HTTP/1.1", b"GET / HTTP/1.1 ",
        b"GET / http/1.1", b"GET / HTTP/01.1", b"GET / HTTP/1.01", b"GET / HTTP/1", b"GET / HTTP/1.1.1",
        b"GET / HTTPS/1.1", b"GET /", b"GET / HTTP/+1.1", b"GET /a b HTTP/1.1", b"GET /#a HTTP/1.1",
        b"GET /a\\b HTTP/1.1", b"GET /\xc3\xa9 HTTP/1.1", b"GET /%00 HTTP/1.1", b"GET /%0d%0aX:y HTTP/1.1",
        b"GET /%zz HTTP/1.1", b"GET /% HTTP/1.1", b"GET /%2 HTTP/1.1", b'GET /" HTTP/1.1', b"GET /< HTTP/1.1",
        b"GET * HTTP/1.1", b"GET contact HTTP/1.1", b"G(T / HTTP/1.1", b"/ HTTP/1.1", b"GET ftp://a/ HTTP/1.1",
        b"GET //a HTTP/1.1", b"GET /./a HTTP/1.1", b"GET /a/../b HTTP/1.1", b"GET /a/.. HTTP/1.1",
        b"GET /%2e%2e/a HTTP/1.1", b"GET /a%2fb HTTP/1.1", b"GET /a%5cb HTTP/1.1", b"GET /?a=%0 HTTP/1.1",
        b"GET /?a=\xe9 HTTP/1.1", b"GET /?a#b HTTP/1.1",
    ):  # fmt: skip
        yield f"F18 request line {line!r}", start(line), FRAMING
    for line in (b"GET / HTTP/1.2", b"GET / HTTP/2.0", b"GET / HTTP/0.9", b"GET / HTTP/9.9"):
        yield f"F18 request line {line!r}", start(line), VERSION
    yield "F18 HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION
    yield "F18 TLS to a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"A" * 64 + b"\r\n", FRAMING


def attack(raw, wanted):
    SHARED.get().refused(raw + SMUGGLED, *wanted, closes=True)


def register_rows():
    for name, raw, wanted in rows():

        def run(raw=raw, wanted=wanted):
            attack(raw, wanted)

        run.__module__ = __name__
        register(name, run, smoke=name.split()[0] in ("F1", "F2", "F3", "F4", "F7", "F13"))


register_rows()


@case("F6 the case of chunked does not matter")
def chunked_case():
    scene = SHARED.get()
    for value in (b"chunked", b"Chunked", b"CHUNKED", b" \tchunked\t "):
        raw = post(b"Transfer-Encoding:" + value, body=b"3\r\na=1\r\n0\r\n\r\n")
        received = scene.submit(raw)
        equal(received.body, b"a=1", f"{value!r}")
        equal(received.values("Transfer-Encoding"), [], "Transfer-Encoding at the upstream")
        equal(received.values("Content-Length"), ["3"], "Content-Length at the upstream")


@case("F17 absolute form that equals the host is rewritten")
def absolute_form():
    scene = SHARED.get()
    raw = b"GET http://www.example.fr/page?x=1 HTTP/1.1\r\nHost: www.example.fr\r\n\r\n"
    received = scene.submit(raw)
    equal((received.target, received.values("Host")), ("/page?x=1", ["www.example.fr"]), "at the upstream")


@case("F18 CONNECT and TRACE are refused as methods")
def methods():
    scene = SHARED.get()
    for line in (b"CONNECT a.example:443 HTTP/1.1", b"TRACE / HTTP/1.1", b"CONNECT / HTTP/1.1"):
        scene.refused(start(line), 405, "method", closes=None)


@case("F21 a client's Connection header strips nothing that matters")
def connection_header():
    scene = SHARED.get()
    raw = post(b"Content-Length: 3", b"Connection: Host, X-Policy, Content-Length, keep-alive", b"X-Policy: 1")
    received = scene.submit(raw)
    equal(received.values("Host"), ["www.example.fr"], "Host")
    equal(received.values("X-Policy"), ["1"], "X-Policy")
    equal(received.values("Content-Length"), ["3"], "Content-Length")
    equal(received.values("Connection"), [], "Connection")


@case("F22 headers that only insiders may set are removed")
def internals():
    scene = SHARED.get()
    names = [
        b"X-HTTP-Method-Override", b"X-Original-URL", b"X-Rewrite-URL", b"Proxy", b"X-Paravent-Route",
        b"X-Forwarded-Port", b"Upgrade", b"TE", b"Keep-Alive", b"Proxy-Connection",
    ]  # fmt: skip
    received = scene.submit(post(b"Content-Length: 3", *[name + b": evil" for name in names]))
    for name in names:
        equal(received.values(name.decode()), [], name.decode())
    expect(b"evil" not in received.raw, "a value is still there")


@case("every attack cut into single bytes gives the same answer", slow=True)
def byte_by_byte():
    scene = SHARED.get()
    for index, (name, raw, (status, reason)) in enumerate(rows()):
        if index % 7 or len(raw) > 400:
            continue
        scene.upstream.clear()
        with scene.wire() as wire:
            try:
                wire.send_slowly(raw)
            except (BrokenPipeError, ConnectionResetError):
                pass
            answer = wire.answer()
        equal((answer.status, answer.json()["reason"]), (status, reason), name)
        equal(scene.upstream.count(), 0, f"{name}: requests at the upstream")

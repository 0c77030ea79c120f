"""Requests that might be read in two ways, from a fixed seed: assembled from parts that are each right or slightly
wrong, and then sometimes damaged byte by byte."""

import random

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PATHS = [
    "/", "/a", "/a/b.html", "/caf%C3%A9", "/a%20b", "/a;v=1/b", "/a//b", "/./a", "/a/../b", "/a/%2e%2e/b", "/a%2fb",
    "/a%5cb", "/a%00", "/a%252fb", "/100%25", "/a/..;/b", "/%61", "/~x", "/a+b", "/a@b:c", "/a'()*!$&,=", "/a%7E",
    "/a%c0%af", "/...", "/a/.b", "//a", "/a%", "/a%zz", "/a\\b", "/a|b", "/a{b}", '/a"b', "/a<b>", "/a^b", "/a`b", "/[a]",
    "/a%3Bb", "/a%2Bb", "/a%3Ab", "/a%2Cb", "/a%22", "/a%3C", "/a%5E", "/a%60", "/a%7B", "/a%7C", "/a%E9", "/a%0A",
    "/a%09", "/a%7F", "/a%3F", "/a%23", "/a.", "/a/", "/" + "x" * 200 + "/y" * 1000, "/%E2%82%AC", "/a&b=c", "/a%26b",
]  # fmt: skip
QUERIES = [
    "", "?", "?a=1", "?a=1&b=2", "?a=%00", "?a=/../", "?a=b?c", "?a[b]=c", "?%61=1", "?a=%zz", "?a=1#f", "?a+b=c%20d", "?é",
    "?a=|", "?a={}", '?a="', "?a=\\", "?;", "?a;b", "?a=%0d%0a", "?=", "?&&", "?a=%25", "?a=^`", "?a=<>",
]  # fmt: skip
VERSIONS = ["HTTP/1.1"] * 12 + ["HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/01.1", "HTTP/1.1 ", "HTTP/1.10"]
HOSTS = ["a.example"] * 10 + [
    "A.Example", "a.example:80", "a.example:8080", "127.0.0.1", "[::1]", "[::1]:80", "[:1]", "[1::2::3]", "a.example.", "a..b", "", "a,b", "u@a", "a/b",
    "a:", "a:0", "a:99999", "a b", "-a", "a_b", "a.example:080", "[::g]", "localhost", "xn--caf-dma.example", "1.2.3", "a:80:80",
]  # fmt: skip
LENGTHS = ["{n}"] * 8 + ["{n},{n}", "+{n}", "0{n}", "{n} ", " {n}", "\t{n}", "0x{n}", "-{n}", "{m}", "{n}.0", "", "{n};", "{n}\x0b"]
CODINGS = ["chunked"] * 8 + [
    "Chunked", "chunked ", " chunked", "\tchunked", "chunked,", ",chunked", "chunked, chunked", "gzip, chunked", "xchunked",
    "chunked;a", "identity", "gzip", "\x0bchunked", "chunked\x00", '"chunked"', "chunked, identity", "cow",
]  # fmt: skip
EXTRA = [
    "X: y", "X:y", "X : y", "X:", ": y", " X: y", "X: a\r\n b", "X: a\r\n\tb", "X: a\nY: b", "X: a\rb", "X: a\x00b", "X_Y: z", "X(: y", "X\u00e9: y",
    "Connection: close", "Connection: keep-alive", "Connection: Content-Length", "Connection: Host", "Connection: X, close",
    "Upgrade: h2c", "Upgrade: websocket", "Expect: 100-continue", "Expect: x", "Expect: 100-continue, x", "TE: trailers",
    "Trailer: X", "Keep-Alive: timeout=5", "Proxy-Connection: close", "X-HTTP-Method-Override: DELETE", "Host: b.example", "Range: bytes=0-1",
    "If-None-Match: *", "Content-Type: application/json", "Accept: */*", "Cookie: a=b", "Cookie: a=b\r\nCookie: c=d",
    "X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4", "Via: 1.1 x", "Date: x", "Max-Forwards: 0", "Authorization: Basic YTpi",
    "X: " + "y" * 7000, "X: \x80\xff", "X: \"a", "X: a\x7fb", "X:\t y\t ", "Content-Encoding: gzip", "HTTP2-Settings: AA",
    "Content-Length : 3", "Transfer-Encoding : chunked", "Content-Length\t: 3", "Content_Length: 3", "Transfer_Encoding: chunked",
    "Content-Length: 0", "Content-Length: 5", "Transfer-Encoding: chunked", "transfer-encoding: identity", "Transfer-Encoding:",
    "\x00: y", "X\x00: y", "X: y\x0b", "X\r\n: y", "X-Original-URL: /b", "Content-Location: /x", "Origin: null",
]  # fmt: skip
BODIES = [b"", b"a=1", b"hello world", b"0\r\n\r\n", b"GET /x HTTP/1.1\r\nHost: b\r\n\r\n", b"x" * 5000, b"\r\n\r\n", b"\x00\xff"]
ENDS = ["\r\n"] * 30 + ["\n", "\r", "\n\r", "\r\r\n", "\r\n\r\n"]


def chunks(rng, body):
    """The body in chunks, each line of which may be a little off."""
    out = b""
    at = 0
    strict = rng.random() < 0.6
    while at < len(body):
        size = rng.randint(1, max(1, len(body) - at))
        piece = body[at : at + size]
        at += size
        forms = [f"{size:x}", f"{size:X}"]
        if not strict:
            forms += [f"0{size:x}", f"{size:x};a", f"{size:x};a=b", f"{size:x} ", f" {size:x}", f"0x{size:x}", f"+{size:x}"]
            forms += [f"{size + 1:x}", f"{size:x};\"", f"{size:x}\t", f"{size:016x}", f"{size:017x}", f"{size:x};a\x00", f"{size - 1:x}"]
        end = b"\r\n" if strict or rng.random() < 0.8 else rng.choice([b"\n", b"\r", b"", b"\r\r\n", b"\n\r"])
        tail = b"\r\n" if strict or rng.random() < 0.8 else rng.choice([b"\n", b"", b"XX", b"\r"])
        out += rng.choice(forms).encode("latin-1") + end + piece + tail
    lasts = [b"0\r\n\r\n"]
    if not strict:
        lasts += [b"0\r\nX: y\r\n\r\n", b"00\r\n\r\n", b"0;a\r\n\r\n", b"0\n\n", b"0\r\n", b"0\r\nContent-Length: 3\r\n\r\n", b"-0\r\n\r\n", b""]
    return out + rng.choice(lasts)


def encode(text):
    return text.encode("latin-1", "replace")


def odd(rng, values, chance):
    """The first of `values`, or once in a while any of them."""
    return rng.choice(values) if rng.random() < chance else values[0]


BOUNDARY = "----b0und4ry"
FORMS = [b"email=marie%40example.fr&name=Marie+Curie&topic=radium", b"email=a%40b.fr&email=c%40d.fr&x=", b"name=&email=%C3%A9%40b.fr", b"topic=1"]
JSONS = [b'{"email":"marie@example.fr","name":"Marie","n":1.5e3}', b'{"a":[{"email":"a@b.fr"},{"email":null}],"name":"\\u00e9"}', b"[]", b'{"email":""}']


def part(name, value, *more):
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
    return head + b"".join(more) + b"\r\n\r\n" + value + b"\r\n"


def upload(rng):
    file = part("file", bytes(rng.randrange(256) for _ in range(rng.choice([0, 10, 3000]))), b'; filename="a.bin"\r\nContent-Type: application/octet-stream')
    return part("email", b"marie@example.fr") + part("topic", b"radium") + file + f"--{BOUNDARY}--\r\n".encode()


def protected(rng):
    """To a route that changes the body, mostly right: what the gateway writes then is a head and a framing of its own."""
    kind = rng.choice(["form", "json", "upload"])
    body = {"form": lambda: rng.choice(FORMS), "json": lambda: rng.choice(JSONS), "upload": lambda: upload(rng)}[kind]()
    types = {"form": "application/x-www-form-urlencoded", "json": "application/json", "upload": f"multipart/form-data; boundary={BOUNDARY}"}
    query = rng.choice(["", "", "?email=marie%40example.fr&x=1", "?x=%20", "?"])
    return assemble(rng, rng.choice([0.02, 0.1]), "POST", f"/protected/{kind}{query}", body, [f"Content-Type: {types[kind]}"])


def request(rng):
    chance = rng.choice([0.05, 0.2, 0.5])
    method = rng.choice(METHODS) if rng.random() < 0.97 else rng.choice(["get", "FOO", "G@T", "", "CONNECT", "TRACE", "M-SEARCH"])
    path = rng.choice(PATHS) if rng.random() < 0.6 else "/p%d" % rng.randint(0, 99)
    query = rng.choice(QUERIES) if rng.random() < 0.4 else ""
    target = path + query
    if rng.random() < 0.05:
        target = rng.choice(["http://a.example", "http://a.example:80", "HTTP://A.example", "http://b.example", "*", "https://a.example"]) + target
    body = rng.choice(BODIES) if method not in ("GET", "HEAD") or rng.random() < 0.1 else b""
    return assemble(rng, chance, method, target, body, [])


def assemble(rng, chance, method, target, body, headers):
    space = odd(rng, [" ", "  ", "\t", ""], 0.02)
    lines = [encode(f"{method}{space}{target}{space}{odd(rng, VERSIONS, chance)}")]
    if rng.random() < 0.97:
        headers.append("Host: " + odd(rng, HOSTS, chance))
    payload = body
    if body or rng.random() < 0.3:
        names = [("Content-Length", "Transfer-Encoding")]
        length, coding = names[0]
        if rng.random() < 0.1:
            length, coding = rng.choice([("content-length", "transfer-encoding"), ("CONTENT-LENGTH", "TRANSFER-ENCODING")])
        how = rng.random()
        if how < 0.45:
            value = odd(rng, LENGTHS, chance).format(n=len(body), m=max(0, len(body) - 1))
            headers.append(f"{length}: {value}")
        elif how < 0.9:
            headers.append(f"{coding}: {odd(rng, CODINGS, chance)}")
            payload = chunks(rng, body)
        elif how < 0.95:
            both = [f"{length}: {len(body)}", f"{coding}: chunked"]
            rng.shuffle(both)
            headers += both
            payload = rng.choice([body, chunks(rng, body)])
    for _ in range(rng.choice([0, 0, 1, 1, 2, 4])):
        headers.append(rng.choice(EXTRA))
    rng.shuffle(headers)
    lines += [encode(header) for header in headers]
    end = odd(rng, ENDS, chance / 4).encode()
    raw = end.join(lines) + end + odd(rng, ENDS, chance / 4).encode() + payload
    if rng.random() < 0.15:
        raw = damage(rng, raw)
    return raw


BYTES = [0, 9, 10, 11, 12, 13, 32, 34, 35, 37, 44, 45, 46, 47, 48, 58, 59, 92, 95, 127, 128, 160, 173, 255]


def damage(rng, raw):
    data = bytearray(raw)
    for _ in range(rng.choice([1, 1, 1, 2])):
        if not data:
            break
        at = rng.randrange(min(len(data), 400))
        how = rng.random()
        if how < 0.4:
            data[at] = rng.choice(BYTES)
        elif how < 0.7:
            data.insert(at, rng.choice(BYTES))
        elif how < 0.85:
            del data[at]
        else:
            piece = data[at : at + rng.randint(1, 20)]
            data[at:at] = piece
    return bytes(data)


def generate(seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        yield protected(rng) if rng.random() < 0.2 else request(rng)

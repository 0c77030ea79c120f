#!/usr/bin/env python3
"""The differential test of the front door.

run.py --binary PATH [--requests N] [--seed N] [--only NAME,...] [--show]

Sends generated requests through the gateway. Whatever it forwards must be read as exactly one request, with the method,
target, host, body and headers that the gateway wrote, by nginx, haproxy, Apache, lighttpd and h2o; a fifth goes to routes that change
the body. Whatever it accepts must be refused or read the same by them when they get the client's own bytes: then no server in front of the gateway sees another
request than the gateway does. Behind each goes a second request, which must be read as the second.

Any disagreement fails and is printed with the bytes that made it. So does a gateway that refuses nearly all. The last line is `N passed, N failed`.
"""

import argparse
import pathlib
import re
import socket
import sys
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "e2e")]

import mutations  # noqa: E402
import servers  # noqa: E402
from support import settings  # noqa: E402
from support.gateway import Scene  # noqa: E402

POLICY = """
policy: 1
tenant: oracle
recipients: { site: { name: Site, country: FR } }
purposes: { p: { basis: contract, retention: { active: P3Y } } }
routes:
  - name: form
    match: { method: POST, path: /never }
    upstream: UPSTREAM
    recipient: site
    purpose: p
    fields: { form.email: { kind: email, do: tokenise } }
  - name: protected-form
    match: { method: POST, path: /protected/form }
    upstream: UPSTREAM
    recipient: site
    purpose: p
    fields: { form.email: { kind: email, do: tokenise }, form.name: { kind: name, do: encrypt }, query.email: { kind: email, do: drop } }
    unlisted: keep
  - name: protected-json
    match: { method: POST, path: /protected/json }
    upstream: UPSTREAM
    recipient: site
    purpose: p
    fields: { json..email: { kind: email, do: tokenise }, json.name: { kind: name, do: encrypt }, query.email: { kind: email, do: drop } }
    unlisted: keep
  - name: protected-upload
    match: { method: POST, path: /protected/upload }
    upstream: UPSTREAM
    recipient: site
    purpose: p
    fields: { multipart.email: { kind: email, do: tokenise }, multipart.file: { file: pass }, query.email: { kind: email, do: drop } }
    unlisted: keep
elsewhere:
  methods: [GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS]
  upstream: UPSTREAM
  do: pass
"""
MARK = b"/the-second"
SECOND = b"GET " + MARK + b" HTTP/1.1\r\nHost: second.example\r\nConnection: close\r\n\r\n"
WAIT = 0.6  # a server that waits for more bytes is given up on after so many seconds without any


def talk(port, data, wait=WAIT):
    """Sends `data` and reads to the end, or until nothing came for `wait` seconds. (bytes, closed)"""
    out = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection.sendall(data)
        except OSError:
            pass
        connection.settimeout(wait)
        while True:
            try:
                piece = connection.recv(65536)
            except TimeoutError:
                return out, False
            except OSError:
                return out, True
            if not piece:
                return out, True
            out += piece


class Upstream:
    """The gateway's: a recorder."""

    def __init__(self):
        self.recorder = servers.Recorder()
        self.url = f"http://127.0.0.1:{self.recorder.port}"

    def close(self):
        self.recorder.listener.close()


# Headers that no proxy has a business with.
END_TO_END = (b"content-type", b"content-encoding", b"cookie", b"authorization", b"accept", b"origin", b"x-http-method-override")


def end_to_end(request):
    """Lines of one name are one list (RFC 9110 5.3), of cookies with their own separator (RFC 6265 5.4)."""
    return {name: b", ".join(request[5][name]).replace(b"; ", b", ") for name in END_TO_END if name in request[5]}


def normal(request):
    """What two readers must agree on. Escapes are undone on both sides: a proxy may write them its way."""
    method, target, host, body = request[:4]
    # An absolute target that says what Host says is the same one (RFC 9112 3.2.2); h2o 2.2 takes it for a path, which
    # only concerns an h2o in front, since the gateway never writes one.
    for absolute in (b"http://" + host, b"/http://" + host):
        if target.lower().startswith(absolute.lower() + b"/"):
            target = target[len(absolute) :]
    path, mark, query = target.partition(b"?")
    host = host.lower().removesuffix(b":80")
    return method, urllib.parse.unquote_to_bytes(path), mark, urllib.parse.unquote_to_bytes(query), host, body


LAST = normal((b"GET", MARK, b"second.example", b""))
LEAST_ACCEPTED = 0.1


class Comparison:
    def __init__(self, names):
        self.servers = [servers.Server(name) for name in names]
        self.upstream = Upstream()
        self.scene = Scene(policy=POLICY, upstream=self.upstream, limits={"connections-per-address": 10000}, workers=1)
        self.passed = self.accepted = self.changed = 0
        self.failures = []

    def close(self):
        for server in self.servers:
            server.close()
        self.scene.close()

    def fail(self, kind, server, raw, seen, wanted):
        self.failures.append((kind, server.name, raw, seen, wanted))

    def read_by(self, server, data):
        """What the server understood."""
        server.recorder.take()
        talk(server.port, data)
        seen = server.recorder.take()
        self.headers = [end_to_end(one) for one in seen]
        return [normal(one) for one in seen]

    def one(self, raw):
        self.upstream.recorder.take()
        answer, _ = talk(self.scene.port, raw + SECOND)
        # What it refused in the end it has no reading of.
        refused = b"urn:paravent:problem:" in answer
        forwarded = self.upstream.recorder.take()
        wanted = [normal(one) for one in forwarded]
        if unreadable := self.upstream.recorder.take_broken():
            self.failures.append(("unreadable", "gateway", raw, unreadable, "a request"))
            return
        if not wanted or wanted == [LAST]:
            self.passed += 1  # refused; or nothing but the second request was one
            return
        self.accepted += 1
        good = True
        if wanted[-1] == LAST:
            forwarded.pop()
        ours = b"".join(one[4] for one in forwarded) + SECOND
        changes = any(one[1].startswith(b"/protected/") for one in forwarded)
        self.changed += changes
        for server in self.servers:
            # What the gateway writes must be read by all, and as it was meant.
            seen = self.read_by(server, ours)
            if not seen and any(is_refused_by_choice(server.name, one) for one in forwarded):
                continue
            if seen != [normal(one) for one in forwarded] + [LAST]:
                good = False
                self.fail("forwarded", server, ours, seen, wanted)
            elif self.headers[:-1] != [end_to_end(one) for one in forwarded]:
                good = False
                self.fail("headers", server, ours, self.headers[:-1], [end_to_end(one) for one in forwarded])
            # What it accepts may be refused by others, at once or later; what they do read is the same. They change no body.
            if answers_itself(raw) or changes:
                continue
            seen = self.read_by(server, raw + SECOND)
            both = min(len(seen), len(wanted))
            if seen[:both] != wanted[:both] or (len(seen) > both and not refused and not says_both(raw)):
                good = False
                self.fail("client", server, raw, seen, wanted)
        self.passed += good


def says_both(raw):
    """Close in one Connection line and keep-alive in another: nginx, lighttpd and h2o go by the last line and go on behind the request, the
    gateway closes (RFC 9112 9.3: close holds whatever else is said). What is read until then is the same."""
    lines = re.findall(rb"\nconnection:([^\n]*)", raw.lower())
    return any(b"close" in line for line in lines) and any(b"keep-alive" in line for line in lines)


def is_refused_by_choice(name, request):
    """What one server refuses whole, and others take as it is: Apache a name whose last label begins with a digit, nginx a second line of what
    it takes once."""
    if name == "apache":
        return request[2].partition(b":")[0].rpartition(b".")[2][:1].isdigit()
    return name == "nginx" and any(len(request[5].get(once, [])) > 1 for once in (b"authorization", b"if-none-match"))


def answers_itself(raw):
    """OPTIONS that may go no further (RFC 9110 7.6.2): Apache answers it, and no application reads it. The gateway
    takes the header off, so what it forwards is judged all the same."""
    return raw.startswith(b"OPTIONS ") and b"\nmax-forwards:" in raw.lower()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--only", default=",".join(servers.KINDS))
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    settings.BINARY = str(pathlib.Path(options.binary).resolve())
    comparison = Comparison(options.only.split(","))
    begin = time.monotonic()
    try:
        for raw in mutations.generate(options.seed, options.requests):
            comparison.one(raw)
    finally:
        comparison.close()
    for server in comparison.servers:
        for error in server.recorder.broken[:3]:
            print(f"{server.name} sent what its recorder could not read: {error}")
    shown = set()
    for kind, name, raw, seen, wanted in comparison.failures:
        key = (kind, name)
        if key in shown and not options.show:
            continue
        shown.add(key)
        print(f"FAIL  {name}, {kind}: {raw[:300]!r}\n      read {seen!r:.400}\n      wanted {wanted!r:.300}")
    print(f"{comparison.accepted} of {options.requests} requests were accepted, {comparison.changed} of them by routes that change bodies; {time.monotonic() - begin:.0f} s")
    failed = options.requests - comparison.passed
    if comparison.accepted < LEAST_ACCEPTED * options.requests or comparison.changed < LEAST_ACCEPTED / 5 * options.requests:
        print("FAIL  too few were accepted to say anything")
        failed += 1
    print(f"{comparison.passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

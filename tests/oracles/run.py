#!/usr/bin/env python3
"""The differential test of the front door.

run.py --binary PATH [--requests N] [--seed N] [--only NAME,...] [--show]

Sends generated requests through the gateway. Whatever it forwards must be read as exactly one request, with the method,
target, host and body that the gateway read, by nginx, haproxy, Apache, lighttpd and h2o. Whatever it accepts must
be refused or read the same by them when they get the client's own bytes: then no server in front of the gateway sees another
request than the gateway does. Behind each goes a second request, which must be read as the second.

Any disagreement fails and is printed with the bytes that made it. The last line is `N passed, N failed`.
"""

import argparse
import pathlib
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


def normal(request):
    """What two readers must agree on. Escapes are undone on both sides: a proxy may write them its way."""
    method, target, host, body, _ = request
    # An absolute target that says what Host says is the same one (RFC 9112 3.2.2); h2o 2.2 takes it for a path, which
    # only concerns an h2o in front, since the gateway never writes one.
    for absolute in (b"http://" + host, b"/http://" + host):
        if target.lower().startswith(absolute.lower() + b"/"):
            target = target[len(absolute) :]
    path, mark, query = target.partition(b"?")
    host = host.lower().removesuffix(b":80")
    return method, urllib.parse.unquote_to_bytes(path), mark, urllib.parse.unquote_to_bytes(query), host, body


LAST = normal((b"GET", MARK, b"second.example", b"", b""))


class Comparison:
    def __init__(self, names):
        self.servers = [servers.Server(name) for name in names]
        self.upstream = Upstream()
        self.scene = Scene(policy=POLICY, upstream=self.upstream, limits={"connections-per-address": 10000}, workers=1)
        self.passed = self.accepted = 0
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
        return [normal(one) for one in server.recorder.take()]

    def one(self, raw):
        self.upstream.recorder.take()
        answer, _ = talk(self.scene.port, raw + SECOND)
        # What it refused in the end it has no reading of.
        refused = b"urn:paravent:problem:" in answer
        forwarded = self.upstream.recorder.take()
        wanted = [normal(one) for one in forwarded]
        if not wanted or wanted == [LAST]:
            self.passed += 1  # refused; or nothing but the second request was one
            return
        self.accepted += 1
        good = True
        if wanted[-1] == LAST:
            forwarded.pop()
        ours = b"".join(one[-1] for one in forwarded) + SECOND
        for server in self.servers:
            # What the gateway writes must be read by all, and as it was meant.
            seen = self.read_by(server, ours)
            if seen != [normal(one) for one in forwarded] + [LAST]:
                good = False
                self.fail("forwarded", server, ours, seen, wanted)
            # What it accepts may be refused by others, at once or later; what they do read is the same.
            if answers_itself(raw):
                continue
            seen = self.read_by(server, raw + SECOND)
            both = min(len(seen), len(wanted))
            if seen[:both] != wanted[:both] or (len(seen) > both and not refused):
                good = False
                self.fail("client", server, raw, seen, wanted)
        self.passed += good


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
    print(f"{comparison.accepted} of {options.requests} requests were accepted; {time.monotonic() - begin:.0f} s")
    failed = options.requests - comparison.passed
    print(f"{comparison.passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

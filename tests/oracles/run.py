#!/usr/bin/env python3
"""The differential test of the front door.

run.py --binary PATH [--requests N] [--seed N] [--only NAME,...] [--show]

Sends generated requests through the gateway. Whatever it forwards must be read as exactly one request, with the method,
target, host, body and every header that the gateway wrote, less those of a single connection and those that a server writes
itself, by nginx, haproxy, Apache, lighttpd and h2o; a fifth goes to routes that change the body. Whatever it accepts must be
refused or read the same by them when they get the client's own bytes: then no server in front of the gateway sees another
request than the gateway does. Behind each goes a second request, which must be read as the second.

Any disagreement fails and is printed with the bytes that made it. So does a gateway that refuses nearly all, and a server that
refuses much of what the gateway accepts. The last line is `N passed, N failed`.
"""

import argparse
import pathlib
import re
import socket
import sys
import time

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
# So many times as long, where something must be read: on a busy machine a server may only have been slow (Apache runs as one process
# here, and stands still for a second or two now and then). What it does not read stays unread.
PATIENCE = (1, 5, 20)


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


# About one connection alone (RFC 9110 7.6.1); each server writes its own.
HOP_BY_HOP = {
    b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"http2-settings",
}  # fmt: skip
# As the host, and as the body that it frames.
COMPARED_ELSEWHERE = {b"host", b"content-length"}
# What the gateway takes off a client's request, and must never send on: who the client is, is its own to say; methods and
# targets beside those that the policy matched; what tells of proxies; and Expect, which it answers itself. Of what
# policies/model/header_name.cc lists, what mutations.py makes.
TAKEN_OFF = {
    b"forwarded", b"forwarded-for", b"x-forwarded", b"x-http-method-override", b"x-http-method", b"x-method-override",
    b"x-original-url", b"via", b"max-forwards", b"expect",
}  # fmt: skip
TAKEN_OFF_BEGINS = b"x-forwarded-"
# What it writes whatever the client says.
WRITTEN = {b"x-forwarded-host", b"x-forwarded-proto"}
# What a server writes itself: Apache adds its own to the list of hosts, lighttpd writes Host once more, in lower case.
BY_SERVER = {
    "apache": {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-server"},
    "lighttpd": {b"x-forwarded-for", b"x-forwarded-host", b"x-host"},
    "h2o": {b"x-forwarded-for", b"via"},
}
UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
BARE_IN_PATHS = UNRESERVED + b"!$&'()*+,;=:@"  # all that a segment may have as it is (RFC 3986 3.3)


def end_to_end(request, left_out):
    """Lines of one name are one list (RFC 9110 5.3), of cookies with their own separator (RFC 6265 5.4)."""
    left_out = HOP_BY_HOP | COMPARED_ELSEWHERE | left_out
    out = {name: b", ".join(lines).rstrip(b" ") for name, lines in request[5].items() if name not in left_out}
    if b"cookie" in out:
        out[b"cookie"] = out[b"cookie"].replace(b"; ", b", ")
    return out


def folded(text, bare=UNRESERVED):
    """What RFC 3986 6.2.2 calls equivalent is one text: the case of an escape, and the escape of a byte that needs none."""

    def one(match):
        byte = bytes.fromhex(match.group(1).decode())
        return byte if byte in bare else match.group().upper()

    return re.sub(rb"%([0-9A-Fa-f]{2})", one, text)


def normal(request, bare=UNRESERVED):
    """What two readers must agree on."""
    method, target, host, body = request[:4]
    # An absolute target that says what Host says is the same one (RFC 9112 3.2.2); h2o 2.2 takes it for a path, which
    # only concerns an h2o in front, since the gateway never writes one.
    for absolute in (b"http://" + host, b"/http://" + host):
        if target.lower().startswith(absolute.lower() + b"/"):
            target = target[len(absolute) :]
    path, mark, query = target.partition(b"?")
    host = host.lower().removesuffix(b":80")
    return method, folded(path, bare), mark, folded(query), host, body


LAST = normal((b"GET", MARK, b"second.example", b""))
LEAST_ACCEPTED = 0.1
# What share of the requests that the gateway accepts a server reads in the client's own bytes; the rest it refuses. Seen with the
# seeds 1 to 7 and 3000 requests each: 0.93 (lighttpd) to 1.
LEAST_AGREED = 0.85


class Comparison:
    def __init__(self, names):
        self.servers = [servers.Server(name) for name in names]
        self.upstream = Upstream()
        self.scene = Scene(policy=POLICY, upstream=self.upstream, limits={"connections-per-address": 10000}, workers=1)
        self.passed = self.accepted = self.changed = self.asked = 0
        self.failures = []

    def close(self):
        for server in self.servers:
            server.close()
        self.scene.close()

    def fail(self, kind, server, raw, seen, wanted):
        self.failures.append((kind, server.name, raw, seen, wanted))

    def read_by(self, server, data, wait=WAIT):
        """What the server understood."""
        server.recorder.take()
        talk(server.port, data, wait)
        return server.recorder.take()

    def one(self, raw):
        self.upstream.recorder.take()
        answer, _ = talk(self.scene.port, raw + SECOND)
        # What it refused in the end it has no reading of.
        refused = b"urn:paravent:problem:" in answer
        forwarded = arrived = self.upstream.recorder.take()
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
            forwarded = arrived[:-1]
        ours = b"".join(one[4] for one in forwarded) + SECOND
        changes = any(one[1].startswith(b"/protected/") for one in forwarded)
        self.changed += changes
        self.asked += not answers_itself(raw) and not changes
        for server in self.servers:
            # What the gateway writes must be read by all, and as it was meant.
            for patience in PATIENCE:
                theirs = self.read_by(server, ours, patience * WAIT)
                if len(theirs) > len(forwarded):
                    break
            if patience > 1:  # what was asked before it came late, in front
                theirs = theirs[-len(forwarded) - 1 :]
            seen = [normal(one) for one in theirs]
            if not seen and any(is_refused_by_choice(server.name, one) for one in forwarded):
                continue
            if seen != [normal(one) for one in forwarded] + [LAST]:
                good = False
                self.fail("forwarded", server, ours, seen, wanted)
            elif differing := headers_differ(server.name, forwarded, theirs):
                good = False
                self.fail("headers", server, ours, *differing)
            # What it accepts may be refused by others, at once or later; what they do read is the same. They change no body.
            if answers_itself(raw) or changes:
                continue
            theirs = aligned(self.read_by(server, raw + SECOND), arrived, answer)
            bare = BARE_IN_PATHS if rewrites_paths(server.name, raw) else UNRESERVED
            seen = [normal(one, bare) for one in theirs]
            both = min(len(seen), len(wanted))
            same = seen[:both] == [normal(one, bare) for one in arrived[:both]]
            if not same or (len(seen) > both and not refused and not says_both(raw)):
                good = False
                self.fail("client", server, raw, seen, wanted)
            elif differing := headers_differ(server.name, forwarded, theirs, client=raw):
                good = False
                self.fail("client's headers", server, raw, *differing)
            else:
                server.agreed += bool(both)
        self.passed += good


def aligned(seen, arrived, answer):
    """Less those requests that the gateway refused and went on behind, as it does where no route is: of those it has no reading.
    The server may have read them, in the same place."""
    pieces = re.split(rb"HTTP/1\.1 (?!1)\d\d\d ", answer)[1:]
    refused = [b"application/problem+json" in piece for piece in pieces[:-1]]
    if not any(refused) or [normal(one) for one in seen[: len(arrived)]] == [normal(one) for one in arrived[: len(seen)]]:
        return seen
    return [one for at, one in enumerate(seen) if at >= len(refused) or not refused[at]]


def headers_differ(name, wanted, seen, client=None):
    """(seen, wanted) of the first request whose headers the server read otherwise; `client`: the client's own bytes."""
    own = BY_SERVER.get(name, frozenset())
    if client is not None:
        own = own | WRITTEN | named_by_connection(client)
    for one, other in zip(wanted, seen, strict=False):  # there may be a second request, or fewer
        mine = end_to_end(one, own)
        theirs = end_to_end(other, own)
        if client is not None:
            theirs = {key: value for key, value in theirs.items() if not is_taken_off(key)}
        if name == "lighttpd":
            mine, theirs = as_lighttpd(mine), as_lighttpd(theirs)
        if mine != theirs:
            names = [key for key in {**mine, **theirs} if mine.get(key) != theirs.get(key)]
            return [{key: headers.get(key) for key in names} for headers in (theirs, mine)]
    return None


def is_taken_off(name):
    return name in TAKEN_OFF or name.startswith(TAKEN_OFF_BEGINS)


def as_lighttpd(headers):
    """It leaves out empty lines, and each If-None-Match behind the first."""
    parts = {name: [one.strip() for one in value.split(b",") if one.strip()] for name, value in headers.items()}
    if once := parts.get(b"if-none-match"):
        parts[b"if-none-match"] = once[:1]
    return {name: some for name, some in parts.items() if some}


def rewrites_paths(name, raw):
    """Apache writes the path of an absolute target anew, with `,` and its like as they are, though RFC 3986 2.2 tells them from
    their escapes. The gateway never writes such a target."""
    return name == "apache" and b"://" in raw.split(b"\r\n", 1)[0]


def named_by_connection(raw):
    """Headers that the client's Connection makes hop-by-hop: the gateway takes them off, nginx does not."""
    lines = re.findall(rb"\nconnection:([^\n]*)", raw.lower())
    return {name.strip() for line in lines for name in line.split(b",")}


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
    for server in comparison.servers:
        share = 100 * server.agreed / max(1, comparison.asked)
        print(f"      {server.name} read {server.agreed} of {comparison.asked} of the client's own, {share:.1f} %")
        if server.agreed < LEAST_AGREED * comparison.asked:
            print(f"FAIL  {server.name} read too few to say anything")
            failed += 1
    print(f"{comparison.passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""A route that is bound to a host: other spellings of it come to it or are refused; other hosts come to other routes."""

from support import tokens, wire
from support.case import Shared, about, case, equal, expect, lacks
from support.gateway import Scene
from support.policies import BARE

SECRET = "marie.curie"
BODY = wire.form({"email": SECRET + "@example.fr"})
# Every other host has the same path, without protection: whoever gets there is seen in clear.
ROUTES = BARE.replace("path: /contact", "host: www.example.fr, path: /contact").replace("ADDRESS", "drop") + """\
  - name: other-sites
    match: { method: POST, path: /contact }
    upstream: UPSTREAM
    recipient: crm
    unlisted: keep
elsewhere: { methods: [GET, HEAD, POST], upstream: UPSTREAM, do: pass }
"""
ALONE = ROUTES.replace(ROUTES[ROUTES.index("  - name: other-sites"):ROUTES.index("elsewhere")], "")
SHARED = Shared(lambda: Scene(policy=ROUTES, trusted=["127.0.0.0/8"]))

SAME = [
    "www.example.fr", "WWW.EXAMPLE.FR", "Www.Example.Fr", "www.example.fr:80", "www.example.fr:8080", "WWW.example.FR:443",
    "\twww.example.fr \t",
]  # fmt: skip
# No host in a spelling that some reader takes for the same: each is refused, whatever route it might have come to.
REFUSED = [
    "www.example.fr.", "WWW.EXAMPLE.FR.", "www.example.fr.:80", "www.example.fr..", ".www.example.fr", "www..example.fr",
    "www.example.fr:", "www.example.fr:080", "www.example.fr:0x50", "www.example.fr:80:80", "user@www.example.fr",
    "www.example.fr,other.example", "www.example.fr, www.example.fr", "www.example.fr other.example", "www%2eexample.fr",
    "www.example.fr/", "www.example.fr\\", "www.example.fr#", "www.example.fr?", "http://www.example.fr", "//www.example.fr",
    "[www.example.fr]", "www。example.fr", "ｗｗｗ.example.fr", '"www.example.fr"', "www.example.fr\0", "www.example.fr;",
]  # fmt: skip
OTHER = ["other.example", "example.fr", "www.example.fr.other.example", "wwww.example.fr", "www-example.fr", "127.0.0.1"]


def post(host, target="/contact", version="1.1", more=()):
    lines = [f"POST {target} HTTP/{version}", f"Host: {host}", *more, f"Content-Type: {wire.FORM}"]
    return "\r\n".join([*lines, f"Content-Length: {len(BODY)}", "", ""]).encode() + BODY


def protected(raw):
    """It went through the host's route, and what was sent in clear nowhere arrived."""
    received = SHARED.get().submit(raw)
    tokens.email_shaped(dict(wire.form_fields(received.body))["email"])
    lacks(received.raw, SECRET.encode(), "what arrived")
    return received


@case("a host in capitals, with a port or between blanks is the host: its route protects", smoke=True)
def spellings():
    for host in SAME:
        with about(f"Host: {host!r}"):
            protected(post(host))


@case("a trailing dot, an escape, a scheme and whatever else may be read as the host is refused, and goes nowhere")
def refused():
    for host in REFUSED:
        with about(f"Host: {host!r}"):
            SHARED.get().refused(post(host), 400, "framing", closes=True)


@case("an absolute target chooses by the same host; one that differs from Host is refused", smoke=True)
def absolute():
    for target, host in (
        ("http://www.example.fr/contact", "www.example.fr"),
        ("http://WWW.Example.FR/contact", "www.example.fr"),
        ("http://www.example.fr/contact", "WWW.EXAMPLE.FR"),
        ("http://www.example.fr:8080/contact", "www.example.fr:8080"),
    ):
        with about(f"{target} and Host: {host}"):
            equal(protected(post(host, target)).target, "/contact", "the target that arrived")
    for target, host in (
        ("http://www.example.fr/contact", "other.example"),
        ("http://other.example/contact", "www.example.fr"),
        ("http://www.example.fr./contact", "www.example.fr"),
        ("http://www.example.fr./contact", "www.example.fr."),
        ("http://www.example.fr:8080/contact", "www.example.fr:8081"),
        ("http://user@www.example.fr/contact", "www.example.fr"),
        ("HTTP://www.example.fr/contact", "www.example.fr"),
        ("https://www.example.fr/contact", "www.example.fr"),
        ("http:///contact", "www.example.fr"),
        ("http:/contact", "www.example.fr"),
        ("//www.example.fr/contact", "other.example"),
    ):
        with about(f"{target} and Host: {host}"):
            SHARED.get().refused(post(host, target), 400, "framing", closes=True)


@case("HTTP/1.0 comes to the host's route as well, and without Host to none")
def old_version():
    protected(post("WWW.example.fr", version="1.0"))
    raw = post("www.example.fr", version="1.0").replace(b"Host: www.example.fr\r\n", b"")
    SHARED.get().refused(raw, 400, "framing", closes=True)


@case("no other header says which host it is, not even a trusted proxy's")
def other_headers():
    names = ["X-Forwarded-Host", "X-Host", "X-Original-Host", "X-HTTP-Host-Override", "X-Forwarded-Server"]
    for name in names:
        with about(name):
            protected(post("www.example.fr", more=[f"{name}: other.example"]))
    with about("Forwarded"):
        protected(post("www.example.fr", more=["Forwarded: for=198.51.100.7;host=other.example"]))


@case("another host is another site: it has the route of the others, and its own fields in clear")
def others():
    for host in OTHER:
        with about(f"Host: {host}"):
            equal(SHARED.get().submit(post(host)).body, BODY, "what arrived")


@case("where the others have no route, a host that nobody names does not take a form past the application's route")
def unnamed():
    with Scene(policy=ALONE) as scene:
        expect(scene.submit(post("WWW.example.fr")).body != BODY, "the route does not protect")
        for host in OTHER:
            with about(f"Host: {host}"):
                scene.refused(post(host), 405, "method")
        equal(scene.submit(post("other.example", "/elsewhere")).body, BODY, "what arrived elsewhere")

"""Other spellings of a protected path, and what the path itself holds: nothing of it arrives past the route's rules."""

from support import tokens, wire
from support.case import Shared, about, case, equal, expect, lacks
from support.gateway import Scene
from support.policies import BARE

SECRET = "marie.curie"
MAIL = SECRET + "@example.fr"
FORM = wire.form({"email": MAIL})
USERS = """\
  - name: users
    match: { method: [GET, POST], path: ['/users/{id}', '/lists/{any}/*', '/lists/{any}/mail/{mail}'] }
    upstream: UPSTREAM
    recipient: crm
    purpose: contact
    fields:
      path.id:     { kind: email, do: tokenise, shape: email }
      path.mail:   { kind: email, do: tokenise, shape: email }
      query.email: { kind: email, do: tokenise, shape: email }
    unlisted: keep
"""
REST = """\
  - name: rest
    match: { path: '/*' }
    upstream: UPSTREAM
    recipient: crm
    unlisted: keep
"""
ELSEWHERE = "elsewhere: { methods: [GET, HEAD], upstream: UPSTREAM, do: pass }\n"
OPEN = Shared(lambda: Scene(policy=BARE.replace("ADDRESS", "drop") + USERS + ELSEWHERE))
WIDER = Shared(lambda: Scene(policy=BARE.replace("ADDRESS", "drop") + REST))


@case("what a segment of the path holds does not pass through elsewhere, in whatever spelling of the path", smoke=True)
def segments():
    scene = OPEN.get()
    received = scene.submit(wire.request("GET", "/users/" + MAIL))
    lacks(received.raw, SECRET.encode(), "what arrived")
    for target in (f"/users/{MAIL}/", f"/Users/{MAIL}", f"/users;x/{MAIL}", f"/LISTS/x/mail/{MAIL}"):
        for method in ("GET", "HEAD"):
            with about(f"{method} {target}"):
                if method == "GET":
                    scene.refused(wire.request(method, target), 405, "method")
                else:
                    scene.upstream.clear()
                    equal(scene.exchange(wire.request(method, target), to_head=True).status, 405, "status")
                    equal(scene.upstream.count(), 0, "requests at the upstream")


@case("every path of the route that matches gives its segments their rules")
def paths():
    received = OPEN.get().submit(wire.request("GET", f"/lists/7/mail/{MAIL}"))
    lacks(received.raw, SECRET.encode(), "what arrived")
    expect(received.target.startswith("/lists/7/mail/"), received.target)
    equal(len(tokens.IN_TEXT.findall(received.target)), 1, "tokens in the target")


@case("a listed query name in a spelling that some reader takes for it does not pass through elsewhere")
def names():
    scene = OPEN.get()
    for name in ("email", "Email", "email[]", "Email[a]", "%20email", "e%6Dail", "email%5B"):
        with about(name):
            scene.refused(wire.request("GET", f"/contact?{name}={SECRET}"), 405, "method")
    for name in ("page", "mail", "x[email]"):
        with about(name):
            scene.submit(wire.request("GET", f"/contact?{name}=1"))


@case("another spelling of a route's path does not come to a wider route behind it", smoke=True)
def wider():
    scene = WIDER.get()
    post = lambda target: wire.request("POST", target, FORM, wire.FORM)  # noqa: E731
    lacks(scene.submit(post("/contact")).raw, SECRET.encode(), "what arrived")
    for target in ("/Contact", "/contact/", "/contact;x", "/contact%20", "/contact."):
        with about(target):
            scene.refused(post(target), 404, "no-route")
            scene.submit(wire.request("GET", target))
    scene.submit(post("/contacts"))

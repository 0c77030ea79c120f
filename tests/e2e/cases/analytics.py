"""The preset `analytics-ip`, with the payloads as the trackers send them (tests/real.sh drives the real ones)."""

import json

from support import wire
from support.case import Shared, case, equal, expect
from support.gateway import Scene

SHARED = Shared(lambda: Scene(preset="analytics-ip"))
CHROME = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.6478.127 Safari/537.36"
)
HEADERS = [
    ("User-Agent", CHROME),
    ("X-Forwarded-For", "198.51.100.7"),
    ("X-Plausible-IP", "198.51.100.7"),
    ("Sec-CH-UA-Platform-Version", '"14.5.0"'),
    ("Accept-Language", "fr-FR"),
    ("Cookie", "_pk_id.1=0123456789abcdef.1"),
]


def check_headers(received):
    equal(received.header("User-Agent"), "Mozilla/5.0 Chrome/126.0", "User-Agent")
    for name in ("X-Forwarded-For", "X-Plausible-IP", "Sec-CH-UA-Platform-Version"):
        equal(received.values(name), [], name)
    equal(received.header("Accept-Language"), "fr-FR", "Accept-Language")
    expect(b"198.51.100.7" not in received.raw, "the address")


@case("Matomo, GET: cip gone, ua generalised, every other byte the same", smoke=True)
def matomo_get():
    scene = SHARED.get()
    kept = "idsite=1&rec=1&_id=0123456789abcdef&url=https%3A%2F%2Fwww.example.fr%2F%3Fa%3Db%2Bc&_cvar=%7B%7D"
    received = scene.submit(
        wire.request("GET", f"/matomo.php?{kept}&cip=198.51.100.7&res=1920x1080&h=21", headers=HEADERS)
    )
    equal(received.target, f"/matomo.php?{kept}&res=1920x1080&h=21", "the target")
    check_headers(received)
    target = "/piwik.php?idsite=1&ua=" + "Mozilla%2F5.0%20(X11)%20Firefox%2F127.0&lang=fr"
    received = scene.submit(wire.request("GET", target, headers=HEADERS))
    equal(
        dict(wire.form_fields(received.target.partition("?")[2].encode())),
        {"idsite": "1", "ua": "Mozilla/5.0 Firefox/127.0", "lang": "fr"},
        "the parameters",
    )
    expect("X11" not in received.target, received.target)


@case("Matomo, POST as a form", smoke=True)
def matomo_post():
    scene = SHARED.get()
    body = b"idsite=1&rec=1&cip=198.51.100.7&action_name=Accueil%20%C3%A9t%C3%A9&_id=0123456789abcdef"
    received = scene.submit(wire.request("POST", "/matomo.php", body, wire.FORM, headers=HEADERS))
    equal(received.body, body.replace(b"&cip=198.51.100.7", b""), "the body")
    check_headers(received)


@case("Matomo's bulk form: addresses gone inside, the rest as it was; refused under other content types", smoke=True)
def matomo_bulk():
    scene = SHARED.get()
    visits = ["?idsite=1&rec=1&cip=198.51.100.7&x=%7e", {"idsite": 1, "cip": "198.51.100.7"}]
    clean = ["?idsite=1&rec=1&x=%7e", {"idsite": 1}]
    body = json.dumps({"requests": visits, "token_auth": "x" * 32}).encode()
    for kind in (wire.JSON, "text/plain", None):
        received = scene.submit(wire.request("POST", "/matomo.php", body, kind, headers=HEADERS))
        equal(json.loads(received.body), {"requests": clean, "token_auth": "x" * 32}, "the body")
        check_headers(received)
    for kind in (wire.FORM, "application/octet-stream", wire.MULTIPART):
        scene.upstream.clear()
        answer = scene.exchange(wire.request("POST", "/matomo.php", body, kind, headers=HEADERS))
        expect(400 <= answer.status < 500, f"{kind}: {answer!r}")
        expect(b"198.51.100.7" not in answer.body, f"{kind}: the address in {answer!r}")
        equal(scene.upstream.count(), 0, f"{kind}: requests at the upstream")


@case("Plausible: JSON as text/plain passes byte for byte", smoke=True)
def plausible():
    scene = SHARED.get()
    body = (
        b'{"n":"pageview","u":"https://www.example.fr/a?b=c","d":"www.example.fr","r":null,"w":1280,"h":0,'
        b'"p":"{\\"plan\\":\\"pro\\"}"}'
    )
    for kind in ("text/plain", "text/plain;charset=UTF-8", wire.JSON):
        received = scene.submit(wire.request("POST", "/api/event", body, kind, headers=HEADERS))
        equal(received.body, body, "the body")
        equal(received.header("Content-Type"), kind, "Content-Type")
        check_headers(received)


@case("the trackers' scripts pass, other paths do not")
def scripts():
    scene = SHARED.get()
    for path in ("/matomo.js", "/piwik.js", "/js/script.js", "/js/script.outbound-links.js", "/js/plausible.js"):
        received = scene.submit(wire.request("GET", path, headers=HEADERS))
        equal(received.target, path, "the target")
        check_headers(received)
    for path in ("/index.php", "/", "/js/other.js", "/api/stats"):
        equal(scene.exchange(wire.request("GET", path)).json()["reason"], "no-route", path)

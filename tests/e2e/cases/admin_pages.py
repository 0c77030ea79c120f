"""/healthz, /readyz, /metrics, /openapi.json and what else the admin listener answers."""

import json
import re

from support import wire
from support.case import Shared, case, equal, expect, lacks
from support.gateway import Scene
from support.policies import WIDE
from support.wire import Wire

SHARED = Shared(lambda: Scene(policy=WIDE))


@case("healthz and readyz need no credential on loopback", smoke=True)
def health():
    scene = SHARED.get()
    for path, word in (("/healthz", "alive"), ("/readyz", "ready")):
        status, headers, body = scene.admin.call("GET", path)
        equal((status, json.loads(body)["status"]), (200, word), path)
        equal(headers["Cache-Control"], "no-store", "Cache-Control")
        head, its_headers, nothing = scene.admin.call("HEAD", path)
        equal((head, nothing), (200, b""), f"HEAD {path}")
        equal(its_headers["Content-Length"], str(len(body)), f"HEAD {path}: Content-Length")


@case("metrics: the families of CONTRACTS, in Prometheus text form", smoke=True)
def metrics():
    scene = SHARED.get()
    scene.submit(wire.request("POST", "/contact", b"email=a%40example.fr", wire.FORM))
    scene.exchange(wire.request("POST", "/contact", b"unknown=1", wire.FORM))
    text = scene.admin.metrics()
    for family in (
        "paravent_requests_total",
        "paravent_fields_total",
        "paravent_refusals_total",
        "paravent_request_duration_seconds",
        "paravent_added_latency_seconds",
    ):
        expect(f"\n# TYPE {family} " in "\n" + text, f"{family} is missing")
    for word in ("vault", "store", "audit", "build"):
        expect(re.search(rf"^paravent_\w*{word}\w*", text, re.M), f"nothing about {word}")
    for line in text.splitlines():
        good = line.startswith("# ") or re.fullmatch(r"paravent_\w+(\{[^}]*\})? \S+", line)
        expect(good, f"no sample: {line}")
    lacks(text, "example.fr", "/metrics")
    equal(
        scene.admin.metric("paravent_requests_total", route="contact-form", outcome="forwarded") >= 1,
        True,
        "forwarded",
    )
    metric = scene.admin.metric(
        "paravent_fields_total", route="contact-form", field="form.email", action="tokenise"
    )
    expect(metric >= 1, "form.email was not counted")


@case("a name from the client is no label")
def labels():
    scene = SHARED.get()
    name = "canaryname7f3a"
    scene.exchange(wire.request("POST", "/contact", f"{name}=1".encode(), wire.FORM))
    scene.exchange(wire.request("POST", f"/{name}", b"a=1", wire.FORM))
    scene.exchange(wire.request(name.upper(), "/contact", b"", None))
    lacks(scene.admin.metrics().lower(), name, "/metrics")


@case("openapi.json describes the paths that answer", smoke=True)
def openapi():
    scene = SHARED.get()
    status, _, body = scene.admin.call("GET", "/openapi.json")
    document = json.loads(body)
    equal((status, document["openapi"][:2]), (200, "3."), "the document")
    for path, methods in document["paths"].items():
        for method in methods:
            status, _, _ = scene.admin.call(method.upper(), path)
            expect(status in (200, 400, 401), f"{method.upper()} {path} answers {status}")


@case("the admin listener serves no site, and the site's listener no admin path")
def apart():
    scene = SHARED.get()
    for path in ("/contact", "/", "/v1", "/v1/reidentify/"):
        status, headers, _ = scene.admin.call("GET", path)
        equal((status, headers["Content-Type"]), (404, "application/problem+json"), path)
    answer = scene.exchange(wire.request("POST", "/v1/reidentify", b"{}", wire.JSON))
    equal(answer.status, 404, "POST /v1/reidentify at the visitors' door")


@case("bytes that are no HTTP do not harm the admin listener")
def garbage():
    scene = SHARED.get()
    for data in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"A" * 100000 + b"\r\n\r\n", b"\r\n" * 50):
        with Wire(("127.0.0.1", scene.admin_port), 10) as connection:
            try:
                connection.send(data)
                connection.socket.shutdown(1)
            except OSError:
                pass  # it has hung up already
            connection.rest()
    status, _, _ = scene.admin.call("GET", "/healthz")
    equal(status, 200, "healthz afterwards")

"""client-address: the whole family of headers at once; trusted and other peers."""

from support import wire
from support.case import case, equal, expect
from support.gateway import Scene
from support.policies import bare

FAMILY = [
    "X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "CF-Connecting-IPv6", "CF-Pseudo-IPv4",
    "True-Client-IP", "X-Client-IP", "Client-IP", "X-Cluster-Client-IP", "Fastly-Client-IP", "Fly-Client-IP",
    "X-Azure-ClientIP", "X-Azure-SocketIP", "X-Appengine-User-IP", "X-Original-Forwarded-For",
    "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr", "X-ProxyUser-Ip", "WL-Proxy-Client-IP", "X-Plausible-IP",
    "B-Forwarded-For", "X-Forwarded", "Forwarded-For", "Via", "CF-IPCountry", "CF-IPCity", "CF-IPLatitude",
    "X-Vercel-IP-City", "CloudFront-Viewer-Address",
]  # fmt: skip
TRUSTED = ["127.0.0.0/8"]


def received(scene, *headers, **more):
    body = b"email=a%40example.fr"
    return scene.submit(wire.request("POST", "/contact", body, wire.FORM, headers=headers, **more))


def whole_family(value):
    """Each name, and once more in another case."""
    return [(name, value) for name in FAMILY] + [(name.lower(), value) for name in FAMILY[:8]]


@case("drop: nothing of the family, whoever sends it", smoke=True)
def drop():
    for trusted in (None, TRUSTED):
        with Scene(policy=bare("drop"), trusted=trusted) as scene:
            request = received(scene, *whole_family("198.51.100.7"))
            names = {name.lower() for name in FAMILY}
            equal([name for name in request.names() if name in names], [], "address headers")
            for part in (b"198.51.100.7", b"127.0.0.1"):
                expect(part not in request.raw.replace(scene.upstream.url.encode(), b""), f"{part!r}")


@case("truncate: only the network of the client that the trusted proxy saw", smoke=True)
def truncate():
    with Scene(policy=bare("truncate"), trusted=TRUSTED) as scene:
        for sent, wanted in (
            ([("X-Forwarded-For", "198.51.100.7")], "198.51.0.0"),
            ([("X-Forwarded-For", "203.0.113.9, 198.51.100.7")], "198.51.0.0"),
            ([("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "198.51.100.7")], "198.51.0.0"),
            ([("X-Forwarded-For", "2001:db8:1:2:3:4:5:6")], "2001:db8:1::"),
            ([("X-Forwarded-For", "::ffff:198.51.100.7")], "198.51.0.0"),
            ([], "127.0.0.0"),
        ):
            request = received(scene, *sent)
            equal(request.values("X-Forwarded-For"), [wanted], f"{sent}")
        request = received(scene, *whole_family("nonsense"))
        expect(b"nonsense" not in request.raw, "what is no address passed")
    with Scene(policy=bare("truncate")) as scene:
        request = received(scene, ("X-Forwarded-For", "198.51.100.7"))
        equal(request.values("X-Forwarded-For"), ["127.0.0.0"], "a peer that nobody trusts")


@case("fixed: one address for all")
def fixed():
    with Scene(policy=bare("fixed"), trusted=TRUSTED) as scene:
        request = received(scene, *whole_family("198.51.100.7"))
        equal(request.values("X-Forwarded-For"), ["0.0.0.0"], "the default")
        expect(b"198.51.100.7" not in request.raw, "the address")
    with Scene(policy=bare("fixed\n    fixed-address: 192.0.2.1")) as scene:
        equal(received(scene).values("X-Forwarded-For"), ["192.0.2.1"], "the policy's own")


@case("keep: a trusted proxy's headers and the peer; another peer's claims are dropped")
def keep():
    with Scene(policy=bare("keep"), trusted=TRUSTED) as scene:
        request = received(scene, ("X-Forwarded-For", "198.51.100.7"), ("X-Real-IP", "198.51.100.7"))
        joined = ", ".join(request.values("X-Forwarded-For"))
        equal(joined, "198.51.100.7, 127.0.0.1", "X-Forwarded-For")
        equal(request.values("X-Real-IP"), ["198.51.100.7"], "X-Real-IP")
    with Scene(policy=bare("keep")) as scene:
        request = received(scene, ("X-Forwarded-For", "198.51.100.7"), ("X-Real-IP", "198.51.100.7"))
        equal(request.values("X-Forwarded-For"), ["127.0.0.1"], "X-Forwarded-For")
        equal(request.values("X-Real-IP"), [], "X-Real-IP")


@case("X-Forwarded-Proto and -Host are kept from a trusted proxy and set otherwise", smoke=True)
def forwarded():
    sent = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop.example")]
    with Scene(policy=bare(), trusted=TRUSTED) as scene:
        request = received(scene, *sent, host="inside.example")
        equal(request.values("X-Forwarded-Proto"), ["https"], "kept")
        equal(request.values("X-Forwarded-Host"), ["shop.example"], "kept")
        equal(request.values("Host"), ["inside.example"], "Host")
        request = received(scene, host="inside.example")
        equal(request.values("X-Forwarded-Proto"), ["http"], "set")
        equal(request.values("X-Forwarded-Host"), ["inside.example"], "set")
    with Scene(policy=bare(), trusted=["192.0.2.0/24"]) as scene:
        request = received(scene, *sent, host="inside.example")
        equal(request.values("X-Forwarded-Proto"), ["http"], "set")
        equal(request.values("X-Forwarded-Host"), ["inside.example"], "set")


@case("elsewhere handles address headers too")
def elsewhere():
    policy = bare() + "elsewhere: { methods: [GET], upstream: UPSTREAM, do: pass, client-address: truncate }\n"
    with Scene(policy=policy, trusted=TRUSTED) as scene:
        family = [(name, value) for name, value in whole_family("198.51.100.7") if name.lower() != "forwarded"]
        family.append(("Forwarded", "for=198.51.100.7"))
        request = scene.submit(wire.request("GET", "/page", headers=family))
        equal(request.values("X-Forwarded-For"), ["198.51.0.0"], "X-Forwarded-For")
        # Two chains that do not say the same say nothing.
        request = scene.submit(wire.request("GET", "/page", headers=whole_family("198.51.100.7")))
        equal(request.values("X-Forwarded-For"), [], "X-Forwarded-For")
        expect(b"198.51.100.7" not in request.raw, "the address")

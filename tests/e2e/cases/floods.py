"""Much of something: each is refused or served in bounded time and memory, and others are served meanwhile (rows C3, C8, S2 to S5)."""

import contextlib
import gzip
import os
import socket
import struct
import threading
import time
import zlib

from support import figures, settings, wire
from support.case import case, equal, expect
from support.gateway import Scene
from support.policies import WIDE

MIB = 1 << 20


def resident(scene, what="VmRSS"):
    """In bytes; what="VmHWM": the most since forget_peak()."""
    with open(f"/proc/{scene.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith(what + ":"))


def forget_peak(scene):
    """proc(5); also the peak of memory that is given back again is seen from here on."""
    with open(f"/proc/{scene.process.pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


@contextlib.contextmanager
def within(scene, most, what):
    """What happens inside takes no more than so many bytes at any moment."""
    before = resident(scene)
    forget_peak(scene)
    yield
    taken = resident(scene, "VmHWM") - before
    expect(taken <= most, f"{what} took {taken >> 10} KiB")


def processor_seconds(scene):
    with open(f"/proc/{scene.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def refused(scene, data, status):
    """The answer's reason; the rest of `data` may meet a closed connection."""
    with scene.wire() as connection:
        try:
            connection.send(data)
        except OSError:
            pass
        answer = connection.answer()
    equal(answer.status, status, f"{data[:60]!r}")
    return answer.json()["reason"]


def alive(scene):
    """Somebody else is served meanwhile. The best of some tries: a busy machine holds up one, a busy gateway all."""

    def served():
        equal(scene.exchange(wire.request("GET", "/page")).status, 200, "somebody else")

    figures.soon_enough(served, 2 * settings.SLOWNESS, "somebody else")


def bomb(kind, size):
    """A form that unpacks to `size` bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if kind == "gzip" else 15)
    out, block = packer.compress(b"submit="), b"a" * MIB
    for _ in range(size // MIB):
        out += packer.compress(block)
    return out + packer.flush()


@case("C8 bodies that unpack to 64 MiB, also one in the other's skin: 413, and no memory for it", figures=True)
def bombs():
    with Scene(policy=WIDE) as scene:
        alive(scene)
        for kind in ("gzip", "deflate"):
            packed = bomb(kind, 64 * MIB)
            # The limit of the kind of body, twice, since a buffer grows by being copied.
            for path, media, limit in (("/contact", wire.FORM, 1 * MIB), ("/relay", wire.JSON, 8 * MIB)):
                data = wire.request("POST", path, packed, media, [("Content-Encoding", kind)])
                with within(scene, 2 * limit + 4 * MIB, f"{kind} to {path}"):
                    equal(refused(scene, data, 413), "too-large", f"{kind} to {path}")
        # A second layer is a coding that nobody declared: its bytes are no form.
        twice = wire.request("POST", "/contact", gzip.compress(bomb("gzip", 16 * MIB)), wire.FORM, [("Content-Encoding", "gzip")])
        with within(scene, 4 * MIB, "a bomb inside"):
            equal(refused(scene, twice, 400), "malformed-body", "a bomb inside")
        equal(scene.upstream.count(), 1, "requests at the upstream: the one of alive()")
        alive(scene)


@case("C3 600 000 keys, a hundred thousand levels and a string of 64 MiB: refused in bounded time and memory", figures=True)
def json_bombs():
    with Scene(policy=WIDE) as scene:
        alive(scene)
        keys = b"{" + b",".join(b'"k%07d":1' % number for number in range(600_000)) + b"}"
        for data, reason in (
            (keys, "too-large"),
            (b"[" * 100_000, "too-large"),
            (b'{"a":' * 100_000, "too-large"),
            (b'{"message":"' + b"a" * (64 * MIB) + b'"}', "too-large"),
        ):
            begin = processor_seconds(scene)
            with within(scene, 2 * 8 * MIB + 4 * MIB, f"{data[:20]!r}"):  # the limit of JSON is 8 MiB
                equal(refused(scene, wire.request("POST", "/relay", data, wire.JSON), 413), reason, f"{data[:20]!r}")
            spent = processor_seconds(scene) - begin
            expect(spent < 1 * settings.SLOWNESS * figures.pace(), f"{data[:20]!r} took {spent:.2f} s of processor time")
        alive(scene)


@case("S2 ten thousand headers, a header of 1 MiB, ten thousand cookies in one line and in many: 431 at the limit", figures=True)
def headers():
    with Scene(policy=WIDE) as scene:
        many = [(f"X{number}", "a") for number in range(10_000)]
        crumbs = [("Cookie", f"c{number}=1") for number in range(10_000)]
        line = [("Cookie", "; ".join(f"c{number}=1" for number in range(10_000)))]
        alive(scene)
        for fields in (many, [("X", "a" * MIB)], crumbs, line, [("a" * MIB, "x")]):
            with within(scene, MIB // 2, f"{len(fields)} headers"):
                equal(refused(scene, wire.request("GET", "/", headers=fields), 431), "headers-too-large", f"{fields[0][0][:20]}")
        equal(scene.upstream.count(), 1, "requests at the upstream: the one of alive()")
        alive(scene)


@case("S4 chunks of one byte: each costs a few microseconds at most, and the body is whole", figures=True)
def tiny_chunks():
    with Scene(policy=WIDE) as scene:
        text = b"a" * 200_000
        body = b"".join(b"1\r\n%c\r\n" % byte for byte in b"submit=" + text) + b"0\r\n\r\n"
        head = wire.head("POST", "/contact", [("Content-Type", wire.FORM), ("Transfer-Encoding", "chunked")])
        scene.submit(wire.request("POST", "/contact", b"submit=" + text, wire.FORM))
        middle = processor_seconds(scene)
        received = scene.submit(head + body)
        spent = processor_seconds(scene) - middle
        equal(received.body, b"submit=" + text, "the body")
        # 2 us is what a quiet machine needs at most; measured here in ticks of 10 ms, beside whatever else runs.
        expect(spent < len(text) * 6e-6 * settings.SLOWNESS * figures.pace(), f"{spent / len(text) * 1e6:.1f} us a chunk")


@case("S4 a storm of resets at every stage leaves no connection behind, and others are served meanwhile")
def resets():
    form = wire.request("POST", "/contact", wire.form({"name": "Anna", "email": "a@example.fr"}), wire.FORM)
    large = wire.request("POST", "/contact", wire.form({"message": "m" * 60_000}), wire.FORM)
    stages = (b"", b"POST /con", form[:-10], form, form * 3, large[:30_000], wire.request("GET", "/large"))
    page = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MIB + b"x" * MIB
    with Scene(policy=WIDE, workers=2) as scene:
        usual = scene.upstream.answer
        scene.upstream.answer = lambda request: page if request.target == "/large" else usual(request)
        problems = []

        def storm(seed):
            try:
                for number in range(100):
                    one = socket.create_connection(("127.0.0.1", scene.port), 20 * settings.PATIENCE)
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    one.send(stages[(number + seed) % len(stages)])
                    time.sleep(0.001 * (number % 4))
                    one.close()  # a reset
            except OSError as error:
                problems.append(repr(error))

        threads = [threading.Thread(target=storm, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            alive(scene)
        for thread in threads:
            thread.join()
        equal(problems, [], "the storm")
        deadline = time.monotonic() + 20 * settings.PATIENCE
        while scene.admin.metric("paravent_connections_open") > 0:
            expect(time.monotonic() < deadline, "connections stay open")
            time.sleep(0.05)
        expect(len(os.listdir(f"/proc/{scene.process.pid}/fd")) < 120, "descriptors are left")
        alive(scene)

"""A process that gets no more memory: some requests are answered 503 or end, none by halves; the gateway lives (hardening 5.1)."""

import contextlib
import json
import resource
import threading

from support import settings, wire
from support.case import case, equal, expect
from support.gateway import Scene
from support.policies import WIDE

MIB = 1 << 20


@contextlib.contextmanager
def no_more_than(process, more):
    """The process gets so many bytes of address space beyond what it has."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        has = next(int(line.split()[1]) << 10 for line in file if line.startswith("VmSize:"))
    usual = resource.prlimit(process.pid, resource.RLIMIT_AS, (has + more, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_AS, usual)


def crowd(scene, data, count):
    """`data` over so many connections at once; the status of each answer, None where there was none."""
    answers = [None] * count

    def visit(number):
        with scene.wire(60 * settings.PATIENCE) as connection:
            # All but the last byte first, so that all of them are held at once, but for those that end before.
            with contextlib.suppress(OSError):
                connection.send(data[:-1])
            with contextlib.suppress(threading.BrokenBarrierError):
                ready.wait(60 * settings.PATIENCE)
            with contextlib.suppress(OSError, wire.Closed):
                connection.send(data[-1:])
                answers[number] = connection.answer().status

    ready = threading.Barrier(count)
    threads = [threading.Thread(target=visit, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@case("an allocation that fails ends its connection, with 503 where it can, and not the process; the next request is served", figures=True)
def allocations():
    secret = "Zanzibar7"
    # Nothing that the vault would mint: a write of its store, once begun, is not left for want of memory.
    large = json.dumps({"message": secret, "kept": [number % 10 for number in range(60_000)]}).encode()
    large = large.replace(b"[", b"[" + b" " * 4_000_000, 1)
    form = wire.request("POST", "/contact", wire.form({"name": secret, "email": "a@example.fr"}), wire.FORM)
    with Scene(policy=WIDE, workers=2) as scene:
        token = dict(wire.form_fields(scene.submit(form).body))["name"]
        ended = 0
        for room in (8 * MIB, 24 * MIB, 64 * MIB):
            scene.upstream.clear()
            with no_more_than(scene.process, room):
                answers = crowd(scene, wire.request("POST", "/contact", large, wire.JSON), 24)
                expect(scene.process.poll() is None, "the process has ended")
            expect(set(answers) <= {200, 422, 503, None}, f"answered {answers}")
            ended += sum(answer in (503, None) for answer in answers)
            expect(secret.encode() not in scene.upstream.all_bytes(), "a value went on unprotected")
            equal(scene.exchange(form).status, 200, "the next request")
            equal(scene.reveal([token]), [secret], "what it said before")
        expect(ended > 0, "there was memory for all of them: nothing was tested")


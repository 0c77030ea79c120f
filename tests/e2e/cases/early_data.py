"""Early data of TLS 1.3 can be sent again by whoever saw it: the gateway takes none."""

import base64
import os
import subprocess
import time

from support import settings, wire
from support.case import case, contains, equal, expect, lacks

from cases.tls import Door


def der(tag, content):
    """One element of DER, of less than 64 KiB."""
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def elements(data):
    """The elements that `data` consists of: each whole, and its content."""
    at = 0
    while at < len(data):
        size, begin = data[at + 1], at + 2
        if size >= 128:
            begin += size - 128
            size = int.from_bytes(data[at + 2 : begin], "big")
        yield data[at : begin + size], data[begin : begin + size]
        at = begin + size


def with_early_data(session, most=16384):
    """A kept session (PEM) that claims what no ticket of the gateway does: so many bytes of early data, its element [15]."""
    lines = session.decode("ascii").splitlines()
    marks = [number for number, line in enumerate(lines) if line.startswith("-----")]
    _, inside = next(elements(base64.b64decode("".join(lines[marks[0] + 1 : marks[1]]))))
    parts = [whole for whole, _ in elements(inside)]
    expect(all(part[0] != 0xAF for part in parts), "the session allows early data by itself")
    claim = der(0xAF, der(0x02, most.to_bytes(2, "big")))
    changed = base64.b64encode(der(0x30, b"".join(sorted([*parts, claim], key=lambda part: part[0])))).decode("ascii")
    rows = [changed[at : at + 64] for at in range(0, len(changed), 64)]
    return "\n".join([lines[marks[0]], *rows, lines[marks[1]], ""]).encode("ascii")


@case("early data is not offered, and a client that sends some all the same is shown out: none of it is a request")
def early_data():
    with Door() as door:
        insist(door)


def insist(door):
    address = ["openssl", "s_client", "-connect", f"127.0.0.1:{door.scene.port}", "-servername", "a.example", "-tls1_3"]
    file, early = os.path.join(door.folder, "session.pem"), os.path.join(door.folder, "early")

    def ask(target, *options):
        request = wire.request("GET", target, host="a.example", headers=[("Connection", "close")])
        return subprocess.run(
            [*address, "-ign_eof", *options], input=request, capture_output=True, timeout=60 * settings.PATIENCE
        )

    def served(target, words, *options):
        said = ask(target, *options).stdout
        for word in (b"HTTP/1.1 200", *words):
            contains(said, word, f"what s_client says of {target}")
        equal(door.scene.upstream.requests[-1].target, target, "what reached the upstream")

    with open(early, "wb") as out:
        out.write(wire.request("GET", "/early", host="a.example"))
    served("/first", [b"New, TLSv1.3"], "-sess_out", file)
    with open(file, "rb") as kept:
        session = kept.read()
    # As the ticket has it a client does not send any.
    served("/resumed", [b"Reused, TLSv1.3", b"Early data was not sent"], "-sess_in", file, "-early_data", early)
    # One that believes in early data does. Without it the same session is a good one.
    with open(file, "wb") as out:
        out.write(with_early_data(session))
    served("/claiming", [b"Reused, TLSv1.3", b"Max Early Data: 16384"], "-sess_in", file)
    failures = door.scene.admin.metric("paravent_tls_failures_total")
    done = ask("/insisting", "-sess_in", file, "-early_data", early)
    lacks(done.stdout, b"HTTP/1.1", "what early data is answered")
    contains(done.stderr, b"alert unexpected message", "what early data is answered")
    lacks(done.stdout, b"Early data was accepted", "s_client")
    deadline = time.monotonic() + 5 * settings.PATIENCE
    while door.scene.admin.metric("paravent_tls_failures_total") <= failures:  # a worker counts when it comes to it
        expect(time.monotonic() < deadline, "it is not counted as a failed handshake")
        time.sleep(0.05)
    for target in (b"/early", b"/insisting"):
        lacks(door.scene.upstream.all_bytes(), target, "what ever reached the upstream")

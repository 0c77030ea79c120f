#!/usr/bin/env python3
"""Memory of one upload under way (T9): what the gateway's resident memory grows by over many that the application leaves waiting.

  upload_memory.py --binary PARAVENT [--uploads N] [--json FILE]

The application accepts connections and reads nothing, so that each upload fills whatever the gateway holds of it, whatever the
size of the file: one that passes, one that is encrypted, a picture that is freed of its metadata, and one that is both. The figure is
the worst of them. Exit code 5 where one takes more than 512 KiB.
"""

import argparse
import contextlib
import json
import os
import pathlib
import socket
import sys
import tempfile
import threading
import time

import running

GOALS = (512, 256)  # KiB: limit, goal
PORTS = {"gateway": 19342, "admin": 19343}
SIZE = 64 << 20
FILES = {"pass": "file: pass", "encrypt": "file: encrypt", "strip": "file: pass, metadata: strip",
         "strip and encrypt": "file: encrypt, metadata: strip"}
POLICY = """policy: 1
tenant: bench
roles: { dpo: { reveal: clear } }
recipients: { site: { name: Site, country: FR } }
purposes: { contact: { basis: contract, retention: { active: P1Y }, reveal: [dpo] } }
routes:
"""
ROUTE = """  - name: upload-NUMBER
    match: { method: POST, path: /upload/NUMBER }
    upstream: UPSTREAM
    recipient: site
    purpose: contact
    fields:
      multipart.email: { kind: email, do: tokenise, mode: derived }
      multipart.data: { RULE }
"""
# As much of a picture as it takes to be one whose scan has no end.
PICTURE = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffc0000b080100010001011100ffda0008010100003f00")


def policy(upstream):
    return POLICY + "".join(ROUTE.replace("NUMBER", str(number)).replace("RULE", rule).replace("UPSTREAM", upstream)
                            for number, rule in enumerate(FILES.values()))


def request(number):
    body = (b'--B\r\nContent-Disposition: form-data; name="email"\r\n\r\nmarie.dupont@example.fr\r\n'
            b'--B\r\nContent-Disposition: form-data; name="data"; filename="data.jpg"\r\n\r\n' + PICTURE)
    return (b"POST /upload/%d HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\n"
            b"Content-Length: %d\r\n\r\n" % (number, SIZE)) + body


def accept_all(listener, held):
    while True:
        with contextlib.suppress(OSError):
            held.append(listener.accept()[0])
            continue
        return


def measure_kind(options, folder, number, kind):
    """KiB for each upload of one kind, by slope, in a gateway of its own."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    held, clients = [], []
    threading.Thread(target=accept_all, args=(listener, held), daemon=True).start()
    gateway = running.Gateway(options.binary, folder / f"gateway-{number}", PORTS["gateway"], PORTS["admin"],
                              policy(f"http://127.0.0.1:{listener.getsockname()[1]}"))
    sizes = []
    try:
        for target in (options.uploads // 4, options.uploads):
            while len(clients) < target:
                client = socket.create_connection(("127.0.0.1", PORTS["gateway"]), 10)
                client.sendall(request(number))
                client.setblocking(False)
                clients.append(client)
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline:
                for client in clients:
                    with contextlib.suppress(BlockingIOError):
                        client.send(b"y" * 262_144)
                time.sleep(0.01)
            sizes.append((target, gateway.memory_kib()))
        if len(held) != options.uploads:
            running.fail(f"{len(held)} of {options.uploads} uploads began ({kind})")
    finally:
        for client in clients:
            client.close()
        gateway.close()
        listener.close()
    (few, before), (many, after) = sizes
    return round((after - before) / (many - few), 1)


def measure(options, folder):
    kinds = {kind: measure_kind(options, folder, number, kind) for number, kind in enumerate(FILES)}
    return {"goals": GOALS, "uploads": options.uploads, "kinds": kinds, "kib_per_upload": max(kinds.values())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--uploads", type=int, default=64)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paravent-uploads-") as folder:
        result = measure(options, pathlib.Path(folder))
    print(f"KiB for each of {result['uploads']} uploads under way: " + ", ".join(f"{kind} {kib}" for kind, kib in result["kinds"].items()))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 5 if result["kib_per_upload"] > GOALS[0] else 0


if __name__ == "__main__":
    sys.exit(main())

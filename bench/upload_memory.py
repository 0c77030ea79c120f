#!/usr/bin/env python3
"""Memory of one upload under way (T9): what the gateway's resident memory grows by over many that the application leaves waiting.

  upload_memory.py --binary PARAVENT [--uploads N] [--json FILE]

The application accepts connections and reads nothing, so that each upload fills whatever the gateway holds of it, whatever the
size of the file. Exit code 5 where one takes more than 512 KiB.
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
FIELDS = {"name": "Marie Dupont", "email": "marie.dupont@example.fr", "city": "Lyon", "note": "x"}
SIZE = 64 << 20


def request():
    body = "".join(f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in FIELDS.items())
    body += '--B\r\nContent-Disposition: form-data; name="data"; filename="data.bin"\r\n\r\n'
    return (f"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\n"
            f"Content-Length: {len(body) + SIZE + 9}\r\n\r\n{body}").encode()


def accept_all(listener, held):
    while True:
        with contextlib.suppress(OSError):
            held.append(listener.accept()[0])
            continue
        return


def measure(options, folder):
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    held, clients = [], []
    threading.Thread(target=accept_all, args=(listener, held), daemon=True).start()
    gateway = running.Gateway(options.binary, folder / "gateway", PORTS["gateway"], PORTS["admin"],
                              running.peer_policy(f"http://127.0.0.1:{listener.getsockname()[1]}"))
    sizes = []
    try:
        for target in (options.uploads // 4, options.uploads):
            while len(clients) < target:
                client = socket.create_connection(("127.0.0.1", PORTS["gateway"]), 10)
                client.sendall(request())
                client.setblocking(False)
                clients.append(client)
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline:
                for client in clients:
                    with contextlib.suppress(BlockingIOError):
                        client.send(b"y" * 262_144)
                time.sleep(0.01)
            sizes.append((target, gateway.memory_kib()))
        waiting = len(held)
    finally:
        for client in clients:
            client.close()
        gateway.close()
        listener.close()
    (few, before), (many, after) = sizes
    return {"goals": GOALS, "uploads": options.uploads, "begun": waiting, "kib_per_upload": round((after - before) / (many - few), 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--uploads", type=int, default=64)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paravent-uploads-") as folder:
        result = measure(options, pathlib.Path(folder))
    print(f"{result['kib_per_upload']} KiB for each of {result['uploads']} uploads under way, {result['begun']} of which the application knows")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 5 if result["kib_per_upload"] > GOALS[0] else 0


if __name__ == "__main__":
    sys.exit(main())

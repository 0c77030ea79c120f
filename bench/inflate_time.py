#!/usr/bin/env python3
"""What inflating one gzip batch of the comparison takes (T15), by the library that the gateway inflates with.

  inflate_time.py --tools DIR [--seconds S] [--json FILE]

The bodies are the load generator's own, taken from it over a socket; libdeflate inflates each into memory that is there, on processor 0. The
figure is the least time of many, per body: interference only adds.
"""

import argparse
import ctypes
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time
import zlib

import running
import stats

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nreceived"
BODIES = 64


def bodies(tools):
    """What the generator sends of the workload, unpacked from its requests."""
    found = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        sender = subprocess.Popen([tools / "load", "--workload", stats.GZIP, "--port", str(port), "--connections", "1", "--warm-up", "0",
                                   "--window", "2", "--patience", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        listener.settimeout(10)
        client, _ = listener.accept()
        with client, client.makefile("rb") as stream:
            while len(found) < BODIES:
                length = 0
                while (line := stream.readline().strip()):
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                if not length:
                    break
                found.append(stream.read(length))
                client.sendall(ANSWER)
        sender.terminate()
        sender.wait()
    return found


def inflate_ns(packed, seconds):
    """Least nanoseconds of libdeflate for this body."""
    library = ctypes.CDLL("libdeflate.so.0")
    library.libdeflate_alloc_decompressor.restype = ctypes.c_void_p
    inflate = library.libdeflate_gzip_decompress
    inflate.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]
    tables = library.libdeflate_alloc_decompressor()
    size = len(zlib.decompress(packed, 31))
    out, done = ctypes.create_string_buffer(size), ctypes.c_size_t()
    arguments = (tables, packed, len(packed), out, size, ctypes.byref(done))
    least, until = float("inf"), time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter_ns()
        code = inflate(*arguments)
        least = min(least, time.perf_counter_ns() - began)
        if code != 0 or done.value != size:
            running.fail("libdeflate did not inflate what zlib inflates")
    return least, size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", required=True, type=lambda text: pathlib.Path(text).resolve(), help="BUILD/bench")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    packed = bodies(options.tools)
    if len(packed) < BODIES:
        running.fail(f"the generator sent {len(packed)} of {BODIES} bodies")
    os.sched_setaffinity(0, {0})
    rows = [inflate_ns(body, options.seconds / BODIES) for body in packed]
    result = {"inflate_us": round(statistics.fmean(ns for ns, _ in rows) / 1000, 3), "bodies": len(rows),
              "bytes": round(statistics.fmean(size for _, size in rows)), "packed": round(statistics.fmean(map(len, packed)))}
    print(f"inflating one of {result['bodies']} batches ({result['packed']} bytes to {result['bytes']}): {result['inflate_us']:.2f} us")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The load generator: an answer that never comes is a failed request, and so is one that comes cut off."""

import json
import socket
import subprocess
import sys
import threading
import unittest

LOAD = sys.argv.pop() if len(sys.argv) > 1 else "build/units/bench/load"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers GETs; of each connection the `swallowed`th request not at all, the `cut`th in half."""

    def __init__(self, swallowed=None, cut=None):
        self.swallowed, self.cut = swallowed, cut
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        held, number = b"", 0
        while True:
            while b"\r\n\r\n" not in held:
                more = connection.recv(65536)
                if not more:
                    return
                held += more
            held = held.partition(b"\r\n\r\n")[2]
            number += 1
            if number == self.swallowed:
                continue
            if number == self.cut:
                connection.sendall(ANSWER[:-1])
                connection.close()
                return
            connection.sendall(ANSWER)


def run(server):
    done = subprocess.run([LOAD, "--workload", "get-1-kib", "--port", str(server.port), "--connections", "4", "--warm-up", "0",
                           "--window", "2", "--patience", "5"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


class Failures(unittest.TestCase):
    def test_none(self):
        row = run(Server())
        self.assertGreater(row["requests"], 0)
        self.assertEqual(row["errors"], 0)

    def test_an_answer_that_never_comes(self):
        self.assertEqual(run(Server(swallowed=5))["errors"], 4)

    def test_an_answer_that_is_cut_off(self):
        self.assertGreaterEqual(run(Server(cut=5))["errors"], 4)


if __name__ == "__main__":
    unittest.main()

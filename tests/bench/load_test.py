#!/usr/bin/env python3
"""The load generator: an answer that never comes is a failed request, and so is one that comes cut off."""

import json
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

LOAD = sys.argv.pop() if len(sys.argv) > 1 else "build/units/bench/load"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers GETs; of each connection the `swallowed`th request not at all, the `cut`th in half."""

    def __init__(self, swallowed=None, cut=None):
        self.swallowed, self.cut, self.accepted = swallowed, cut, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
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


class Beside(unittest.TestCase):
    def test_every_second_connection_goes_to_the_other_proxy(self):
        one, other = Server(), Server()
        done = subprocess.run([LOAD, "--workload", "get-1-kib", "--port", str(one.port), "--beside-port", str(other.port), "--connections", "6",
                               "--warm-up", "0", "--window", "0.3"], capture_output=True, text=True, check=True)
        self.assertEqual(json.loads(done.stdout)["errors"], 0)
        self.assertEqual((one.accepted, other.accepted), (3, 3))
        # A connection that is closed is opened again to where it was.
        one, other = Server(cut=2), Server()
        # So many requests, however long a busy machine takes for them.
        done = subprocess.run([LOAD, "--workload", "get-1-kib", "--port", str(one.port), "--beside-port", str(other.port), "--connections", "6",
                               "--requests", "60", "--patience", "3"], capture_output=True, text=True, check=True)
        self.assertGreater(json.loads(done.stdout)["reconnects"], 0)
        self.assertGreater(one.accepted, 3)
        self.assertEqual(other.accepted, 3)


class Counted(unittest.TestCase):
    """So many requests instead of a window, and a day for each pass over the six forms."""

    def run_with(self, server, connections):
        with tempfile.TemporaryDirectory() as folder:
            day = pathlib.Path(folder) / "day"
            day.write_bytes(struct.pack("@q", 20))
            done = subprocess.run([LOAD, "--workload", "form-post-5-fields", "--port", str(server.port), "--connections", str(connections),
                                   "--forms", "6", "--requests", "15", "--day", str(day), "--patience", "2"],
                                  capture_output=True, text=True, check=True)
            return json.loads(done.stdout), struct.unpack("@q", day.read_bytes())[0]

    def test_each_once_and_a_day_for_each_pass(self):
        for connections in (1, 4, 9):
            row, day = self.run_with(Server(), connections)
            self.assertEqual((row["requests"], row["errors"], day), (15, 0, 23), connections)

    def test_what_is_not_answered_ends_the_run(self):
        row, day = self.run_with(Server(swallowed=5), 1)
        # Of the first pass's six one is swallowed, and the last one waits behind it.
        self.assertEqual((row["requests"], row["errors"], day), (4, 2, 21))


if __name__ == "__main__":
    unittest.main()

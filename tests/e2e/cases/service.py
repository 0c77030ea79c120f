"""As a service: the manager is told when the gateway listens, and the access log can be rotated."""

import os
import socket
import tempfile
import time

from support import settings, wire
from support.case import case, equal, expect
from support.gateway import Scene
from support.policies import WIDE


@case("the service manager is told once, when the doors are open")
def readiness():
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        place = os.path.join(folder, "notify")
        manager.bind(place)
        manager.settimeout(20 * settings.PATIENCE)
        with Scene(policy=WIDE, environment={"NOTIFY_SOCKET": place}) as scene:
            equal(manager.recv(1024), b"READY=1", "what the manager is told")
            with scene.wire():
                pass  # the door is open
            manager.settimeout(0.2)
            try:
                equal(manager.recv(1024), None, "a second message")
            except TimeoutError:
                pass


@case("a socket of the manager that is gone hinders no start")
def no_manager():
    with Scene(policy=WIDE, environment={"NOTIFY_SOCKET": "/nonexistent/notify"}) as scene:
        received = scene.submit(wire.request("POST", "/contact", b"country=FR", wire.FORM))
        equal(received.body, b"country=FR", "a request")


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


@case("after a rotation and SIGHUP the access log's lines go into the new file", smoke=True)
def rotation():
    with Scene(policy=WIDE, access_log=True) as scene:

        def one_line(path):
            deadline = time.monotonic() + 20 * settings.PATIENCE
            while not os.path.exists(path) or not lines_of(path):
                expect(time.monotonic() < deadline, f"no line in {os.path.basename(path)}")
                time.sleep(0.02)
            return len(lines_of(path))

        scene.submit(wire.request("POST", "/contact", b"country=FR", wire.FORM))
        equal(one_line(scene.access_log), 1, "lines before")
        os.rename(scene.access_log, scene.access_log + ".1")
        status, _, _ = scene.admin.call("POST", "/v1/policy/reload", credential=scene.administrator)
        equal(status, 200, "the reload")
        scene.submit(wire.request("POST", "/contact", b"country=FR", wire.FORM))
        equal(one_line(scene.access_log), 1, "lines in the new file")
        equal(len(lines_of(scene.access_log + ".1")), 1, "lines in the old file")

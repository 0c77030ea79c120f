"""The wall clock of a running gateway jumps: nothing is destroyed until somebody has seen why.

Not with a sanitizer's binary (`figures`), whose runtime has to be loaded before anything else.
"""

import contextlib
import os
import shutil
import struct
import subprocess
import time

from cases.keys import REASON, Keys
from support import settings
from support.case import case, contains, equal, expect, not_installed

_SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support", "moved_clock.c")
_DAY = 86400


class Clock:
    """Moves the wall clock of a gateway, as an environment does; what counts seconds stays as it is."""

    def __init__(self, folder):
        library = os.path.join(folder, "moved_clock.so")
        if shutil.which("cc") is None:
            raise not_installed("gcc")
        done = subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, _SOURCE], capture_output=True, check=False)
        equal(done.returncode, 0, f"cc ({done.stderr.decode()})")
        self.file = os.path.join(folder, "moved-by")
        with open(self.file, "wb") as file:
            file.write(bytes(8))
        self.environment = {"LD_PRELOAD": library, "MOVED_CLOCK": self.file}

    def move(self, days):
        with open(self.file, "r+b") as file:
            file.write(struct.pack("=q", days * _DAY))


@contextlib.contextmanager
def moved():
    """A scene under such a clock."""
    with Keys() as scene:
        clock = Clock(scene.folder)
        scene.stop()
        scene.environment = clock.environment
        scene.start()
        yield scene, clock


def expect_frozen(scene, cause):
    deadline = time.monotonic() + 90 * settings.PATIENCE
    while not (state := scene.call("GET", "/v1/keys/freeze"))["frozen"]:
        expect(time.monotonic() < deadline, "nothing is frozen")
        time.sleep(0.2)
    equal(state["because"], [cause], "the freeze")
    equal(scene.admin.metric("paravent_key_destruction_frozen", cause=cause), 1.0, "the metric")
    status, _, body = scene.admin.call("GET", "/readyz")
    equal(status, 200, "readyz")
    contains(body.decode(), "destruction-frozen", "readyz")


def expect_works(scene, token):
    """A freeze stops ends, and nothing else."""
    equal(scene.token(), token, "the token of a known value")
    equal(scene.reveal([token]), ["Anne"], "what it opens to")


@case("a clock that jumps ahead while the gateway runs freezes destruction until somebody confirms", slow=True, figures=True)
def ahead():
    with moved() as (scene, clock):
        token = scene.token()
        equal(scene.call("GET", "/v1/keys/freeze")["frozen"], False, "at first")
        before = {key["id"]: key["state"] for key in scene.keys()}
        # Past every limit of the policy, in one step.
        clock.move(20 * 365)
        expect_frozen(scene, "clock")
        clock.move(0)
        equal(scene.token(), token, "the token of a known value")
        equal({key["id"]: key["state"] for key in scene.keys() if key["id"] in before}, before, "the keys of before")
        # Who may see a value is decided by the latest time that was seen, until a restart (docs/operators.md).
        scene.restart()
        expect_frozen(scene, "clock")
        expect_works(scene, token)
        scene.command("keys", "confirm", "--reason", REASON)
        equal(scene.call("GET", "/v1/keys/freeze"), {"frozen": False, "pending": []}, "confirmed")


@case("a clock that lies days behind at a start freezes destruction", figures=True)
def behind():
    with moved() as (scene, clock):
        token = scene.token()
        scene.stop()
        clock.move(-2)
        scene.start()
        expect_frozen(scene, "clock")
        scene.stop()
        clock.move(0)
        scene.start()
        expect_frozen(scene, "clock")
        scene.command("keys", "confirm", "--reason", REASON)
        equal(scene.call("GET", "/v1/keys/freeze"), {"frozen": False, "pending": []}, "confirmed")
        expect_works(scene, token)

"""The wall clock of a running gateway jumps: nothing is destroyed until somebody has seen why.

Not with a sanitizer's binary (`figures`), whose runtime has to be loaded before anything else.
"""

import contextlib
import json
import os
import shutil
import struct
import subprocess
import time

from cases.access import Access, totp
from cases.keys import REASON, Keys
from support import gateway, settings, wire
from support.case import case, contains, equal, expect, not_installed, wait_for

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
_COMPILE = ["c++", "-std=c++20", "-O1", "-shared", "-fPIC", "-I", _ROOT, os.path.join(_ROOT, "bench", "later_day.cc")]


class Clock:
    """Moves the wall clock of a gateway, as an environment does; what counts seconds stays as it is."""

    def __init__(self, folder):
        library = os.path.join(folder, "later_day.so")
        if shutil.which("c++") is None:
            raise not_installed("g++")
        done = subprocess.run([*_COMPILE, "-o", library], capture_output=True, check=False)
        equal(done.returncode, 0, f"c++ ({done.stderr.decode()})")
        self.file = os.path.join(folder, "moved-by")
        with open(self.file, "wb") as file:
            file.write(bytes(8))
        self.environment = {"LD_PRELOAD": library, "LATER_DAYS": self.file}

    def move(self, days):
        with open(self.file, "r+b") as file:
            file.write(struct.pack("=q", days))


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
        contains(scene.command("keys", "confirm", "--reason", REASON).out, "Nothing was frozen.", "once more")


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


@case("a clock that was years ahead at a start: once it is right the next start freezes, and what was disabled is given back", figures=True)
def ahead_at_a_start():
    with moved() as (scene, clock):
        token = scene.token()
        before = {key["id"]: key["state"] for key in scene.keys()}
        scene.stop()
        clock.move(20 * 365)
        scene.start()
        wait_for(lambda: scene.keys(state="disabled"), "nothing is disabled")
        scene.stop()
        clock.move(0)
        # The logs' own keys are of this month too: without them nobody could put on record what comes now.
        scene.start()
        expect_frozen(scene, "clock")
        scene.command("keys", "confirm", "--reason", REASON)
        for key in scene.keys(**{"class": "epoch", "state": "disabled"}):
            if key["id"] in before:
                scene.operate(key["id"], "enable")
        expect_works(scene, token)
        scene.stop()
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify ({done.err})")
        scene.start()


def submit_form(scene):
    body = wire.form({"name": "Anne", "email": "anne@example.fr"})
    return scene.exchange(wire.request("POST", "/contact", body, wire.FORM))


def is_accepted(scene):
    return submit_form(scene).status == 200


@case("a clock that was ahead for a moment: frozen, the next month waits for somebody's word, and begins with it", figures=True)
def ahead_for_a_moment():
    with moved() as (scene, clock):
        token = scene.token()
        of_now = {key["id"] for key in scene.keys()}
        clock.move(400)
        wait_for(lambda: {key["id"] for key in scene.keys()} != of_now, "no key of the future is made")
        clock.move(0)
        scene.stop()
        scene.start()
        # Nobody saw it ahead; the keys say it.
        expect_frozen(scene, "clock")
        expect_works(scene, token)
        # The month changes: the keys of before go on, and that is said.
        clock.move(32)
        wait_for(lambda: "no keys can be made" in scene.stderr(), "nothing is said")
        expect_works(scene, token)
        scene.stop()
        scene.start()
        answer = submit_form(scene)
        equal((answer.status, answer.json()["reason"]), (503, "sealed"), "a form of a month that has no key")
        contains(scene.stderr(), "the route contact-form is refused (503)", "standard error")
        scene.command("keys", "confirm", "--reason", REASON)
        wait_for(lambda: is_accepted(scene), "the route stays refused")
        expect_works(scene, token)
        equal(scene.call("GET", "/v1/keys/freeze"), {"frozen": False, "pending": []}, "confirmed")
        scene.stop()
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify ({done.err})")
        scene.start()


@case("a clock that was months ahead at a start: this month's keys get a next version once somebody has confirmed", figures=True)
def over_too_early():
    with moved() as (scene, clock):
        token = scene.token()
        scene.stop()
        clock.move(70)
        scene.start()
        wait_for(lambda: scene.keys(state="deactivated"), "nothing is over")
        scene.stop()
        clock.move(0)
        scene.start()
        expect_frozen(scene, "clock")
        scene.command("keys", "confirm", "--reason", REASON)
        wait_for(lambda: is_accepted(scene), "the route stays refused")
        expect_works(scene, token)


@case("a clock that was ahead at a start: set right, confirmed and restarted, logins and budgets go by it again", figures=True)
def ahead_at_the_door():
    budget = "budget: { subjects-per-hour: 3, cooling-off-minutes: 60 }"
    with Access(budget) as scene:
        clock = Clock(scene.folder)
        scene.stop()
        scene.environment = clock.environment
        scene.start()
        scene.add("desk")
        tokens = scene.tokens(6)
        phrase = "Correct-Horse-7"
        scene.command("operators", "add", "anne", "--role", "dpo", "--type", "person", "--reason", REASON)
        code = json.loads(scene.command("operators", "invite", "anne", "--reason", REASON, "--json").out)["code"]
        secret = json.loads(scene.admin.call("POST", "/v1/enrol", {"invitation": code})[2])["secret"]
        scene.command("enrol", who=None, stdin=f"{code}\n{phrase}\n{totp(secret, -1)}\n".encode())
        scene.stop()

        clock.move(1000)
        scene.start()
        scene.add("late")
        scene.reveal_as("desk", tokens[:1])
        scene.stop()

        clock.move(0)
        scene.start()
        expect_frozen(scene, "clock")
        scene.command("keys", "confirm", "--reason", REASON)
        scene.restart()
        # The code is of this minute, whatever the list of operators and the log have seen.
        login = {"operator": "anne", "passphrase": phrase, "code": totp(secret)}
        status, _, body = scene.admin.call("POST", "/v1/login", login)
        equal(status, 200, f"the login: {body}")
        scene.reveal_as("desk", tokens[1:3])
        with open(scene.files["desk"], encoding="utf-8") as file:
            desk = file.read().strip()
        over = {"purpose": "contact", "reason": REASON, "tokens": tokens[3:5]}
        status, headers, _ = scene.admin.call("POST", "/v1/reidentify", over, desk)
        equal(status, 429, "four people within the hour")
        expect(int(headers["Retry-After"]) <= 3600, f"an hour, not years: {headers}")
        scene.stop()
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify ({done.err})")
        scene.start()

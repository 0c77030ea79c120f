"""kill -9 at any moment, while people are erased and keys rotate beside the load: what was answered holds, both ways."""

import http.client
import json
import os
import random
import threading
import time
import urllib.error

from cases.subjects import POLICY, person
from support import gateway, settings, wire
from support.case import case, equal, expect
from support.gateway import Scene

ROUNDS = max(4, int(os.environ.get("PARAVENT_E2E_KILLS", "20")) // 2)
IN_ONE = 10  # rounds of one installation: rotations seal all its rows anew, so hundreds of rounds would not end
CLIENTS = 4
ERASURES = 5  # that every other round waits for; the rest are killed as early as may be
FIELDS = ("name", "email", "message")


class Round:
    """What one run of the gateway was asked and has answered, until its kill."""

    def __init__(self, scene, number):
        self.scene, self.number = scene, number
        self.over = threading.Event()
        self.sent = set()  # who was answered
        self.asked, self.erased = set(), set()
        self.rotations = 0
        self.lock = threading.Lock()
        self.problems = []
        work = [lambda client=client: self.send(client) for client in range(CLIENTS)] + [self.erase, self.rotate]
        self.threads = [threading.Thread(target=self.noting, args=(one,)) for one in work]

    def noting(self, work):
        try:
            work()
        except Exception as problem:  # of a thread, which nobody else would see
            self.problems.append(repr(problem))

    def send(self, client):
        count = 0
        while not self.over.is_set():
            try:
                with self.scene.wire(timeout=5) as connection:
                    while not self.over.is_set():
                        count += 1
                        who = f"p{self.number}-{client}-{count}"
                        form = wire.form({"name": who, "email": f"{who}@example.fr", "message": f"I am {who}"})
                        connection.send(wire.request("POST", "/contact", form, wire.FORM))
                        if connection.answer().status == 200:
                            with self.lock:
                                self.sent.add(who)
            except (OSError, wire.Closed):
                continue

    def ask(self, path, body, credential):
        """False: no answer came."""
        try:
            status, _, text = self.scene.admin.call("POST", path, {"reason": "an end-to-end case", **body}, credential)
        except (OSError, urllib.error.URLError, http.client.HTTPException):
            return False
        equal(status, 200, f"{path}: {text[:200]}")
        return True

    def erase(self):
        chance = random.Random(self.number)
        while not self.over.is_set():
            with self.lock:
                there = [who for who in self.sent if who not in self.asked]
            if len(there) < 5:
                time.sleep(0.005)
                continue
            who = chance.choice(there)
            self.asked.add(who)
            if not self.ask("/v1/subjects/erase", person(f"{who}@example.fr"), self.scene.dpo):
                return
            self.erased.add(who)

    def ask_again(self):
        """The erasure that was under way at the kill: it happened, and nobody knows the person, or it did not."""
        for who in self.asked - self.erased:
            status, _, text = self.scene.admin.call(
                "POST", "/v1/subjects/erase", {"reason": "asked again", **person(f"{who}@example.fr")}, self.scene.dpo)
            expect(status in (200, 404), f"erase again: {status} {text[:200]}")
            self.erased.add(who)

    def rotate(self):
        while not self.over.is_set():
            try:
                status, _, text = self.scene.admin.call("GET", "/v1/keys", credential=self.scene.administrator)
            except (OSError, urllib.error.URLError, http.client.HTTPException):
                return
            equal(status, 200, "/v1/keys")
            keys = [key for key in json.loads(text)["keys"] if key.get("purpose") == "contact" and key.get("primary") and key["class"] == "epoch"]
            if not keys:
                continue
            if not self.ask(f"/v1/keys/{keys[self.rotations % len(keys)]['id']}/rotate", {}, self.scene.administrator):
                return
            self.rotations += 1
            self.over.wait(0.05)

    def wait_for(self, erasures):
        deadline = time.monotonic() + 60 * settings.PATIENCE
        while not self.sent or len(self.erased) < erasures or (erasures and not self.rotations):
            expect(not self.problems and time.monotonic() < deadline,
                   f"{len(self.sent)} answered, {len(self.erased)} erased, {self.rotations} rotations; {self.problems}")
            time.sleep(0.001)

    def run(self, seconds, erasures):
        """Kills `seconds` after as many `erasures`, and a rotation, have been answered: how long they take is the machine's."""
        for thread in self.threads:
            thread.start()
        try:
            self.wait_for(erasures)
            time.sleep(seconds)
        finally:
            self.scene.kill()
            self.over.set()
            for thread in self.threads:
                thread.join()
        equal(self.problems, [], "what went wrong beside the load")


@case("killed at any moment beside erasures and rotations: whoever was erased stays so, everybody else's values come back")
def kills():
    for first in range(0, ROUNDS, IN_ONE):
        kills_of_one(range(first, min(first + IN_ONE, ROUNDS)))


def kills_of_one(numbers):
    chance = random.Random(41 + numbers[0])
    rounds, rows, lock = [], [], threading.Lock()
    with Scene(policy=POLICY) as scene:
        usual = scene.upstream.answer

        def remember(request):
            fields = dict(wire.form_fields(request.body))
            with lock:
                rows.append([fields[name] for name in FIELDS])
            return usual(request)

        scene.upstream.answer = remember
        for number in numbers:
            before = len(rows)
            one = Round(scene, number)
            one.run(chance.uniform(0, 1.2) * settings.SLOWNESS, ERASURES if number % 2 else 0)
            rounds.append(one)
            done = gateway.run("audit", "verify", scene.data)
            equal(done.returncode, 0, f"audit verify after kill {number} ({done.err})")
            scene.start()
            check([one], *who_is_there(scene, rows[before:]))
            one.ask_again()
        there, by_halves = who_is_there(scene, rows)
        check(rounds, there, by_halves)
        expect(sum(len(one.sent) for one in rounds) >= 2 * len(numbers), "hardly anybody was answered")


def who_is_there(scene, rows):
    """By what the application has got: who is there whole, and who by halves."""
    tokens = [token for row in rows for token in row]
    values = []
    for at in range(0, len(tokens), 500):
        results = scene.admin.reidentify(scene.dpo, tokens[at : at + 500])
        values += [result["value"] if result["status"] == "revealed" else None for result in results]
    there, by_halves = set(), set()
    for row in zip(values[::3], values[1::3], values[2::3], strict=True):
        left = {value.removesuffix("@example.fr").removeprefix("I am ") for value in row if value is not None}
        expect(len(left) <= 1, f"the values of one person are of several: {row}")
        (there if None not in row else by_halves).update(left)
    return there, by_halves


def check(rounds, there, by_halves):
    for one in rounds:
        for who in one.sent:
            if who in one.erased:
                expect(who not in there | by_halves, f"{who} was erased, and is there")
            elif who not in one.asked:
                expect(who in there, f"{who} was answered, and is lost")
    # Also of those whose erasure was broken off: it happened, or it did not.
    equal(by_halves, set(), "who is there by halves")

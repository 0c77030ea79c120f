"""Keys that rotate, and rows and wraps that move after them, while forms go on: nobody is refused, no token changes."""

import os
import threading
import time

from cases.keys import REASON, Keys, on_record, settled_rows
from support import gateway, settings, wire
from support.case import case, equal, expect


class Traffic(threading.Thread):
    """Forms with the same names again and again, until stop(); or, `to_the_kill`, the gateway's end."""

    def __init__(self, scene, names, to_the_kill=False):
        super().__init__(daemon=True)
        self.scene, self.names, self.done, self.answers = scene, names, False, []
        self.to_the_kill, self.broke = to_the_kill, None

    def run(self):
        try:
            self.ask()
        except (OSError, wire.Closed) as broke:
            self.broke = broke

    def ask(self):
        while not self.done:
            with self.scene.wire() as connection:
                self.ask_on(connection)

    def ask_on(self, connection):
        """Until stop(), or the gateway says that it closes the connection."""
        while not self.done:
            body = wire.form({"name": self.names[len(self.answers) % len(self.names)], "email": "anne@example.fr"})
            connection.send(wire.request("POST", "/contact", body, wire.FORM))
            answer = connection.answer()
            self.answers.append(answer.status)
            if answer.header("Connection") == "close":
                return

    def wait_for_answers(self):
        deadline = time.monotonic() + 20 * settings.PATIENCE
        while len(self.answers) < 3:
            expect(time.monotonic() < deadline, "no traffic")
            time.sleep(0.001)

    def stop(self):
        self.done = True
        self.join(10 * settings.PATIENCE)
        expect(not self.is_alive(), "the last form is not answered")
        expect(self.to_the_kill or self.broke is None, f"the connection broke: {self.broke}")
        expect(self.answers and set(self.answers) == {200}, f"traffic was answered {sorted(set(self.answers))}")


@case("the keys of a tenant and a domain rotate while traffic goes on, killed in the midst of it: every token stays what it was")
def rotate_in_traffic():
    with Keys() as scene:
        names = [f"Person {i}" for i in range(40)]
        tokens = [scene.token(name) for name in names]
        rotated = 0
        # The command takes some tens of milliseconds to come to the gateway: the kills fall before and into the batch, and
        # the last ones right behind it.
        for number, pause in enumerate((0.01, 0.03, 0.05, 0.08, 0.15, None)):
            level = ("tenant", "domain")[number % 2]
            old = next(k for k in scene.keys(**{"class": level, "primary": True}) if k.get("domain", "crm") == "crm")
            traffic = Traffic(scene, names, to_the_kill=True)
            traffic.start()
            traffic.wait_for_answers()
            asking = threading.Thread(target=gateway.run, daemon=True, args=(
                "keys", "rotate", old["id"], "--reason", REASON, "--admin", scene.admin.url, "--credential-file", scene.admin_file))
            asking.start()
            asking.join(None if pause is None else pause * settings.SLOWNESS)
            scene.kill()
            asking.join()
            traffic.stop()
            scene.start()
            now = next(k for k in scene.keys(**{"class": level, "primary": True}) if k.get("domain", "crm") == "crm")
            expect(now["version"] - old["version"] in (0, 1), f"the {level} went from {old['version']} to {now['version']}")
            rotated += now["version"] - old["version"]
            equal([scene.token(name) for name in names], tokens, f"tokens after kill {number} in a rotation of the {level}")
            equal(scene.reveal(tokens), names, "what they open to")
            settled_rows(scene)
        expect(rotated >= 1, "no rotation came to its end before its kill")
        traffic = Traffic(scene, names)
        traffic.start()
        traffic.wait_for_answers()
        for level in ("tenant", "domain"):
            old = next(k for k in scene.keys(**{"class": level, "primary": True}) if k.get("domain", "crm") == "crm")
            scene.command("keys", "rotate", old["id"], "--reason", REASON)
        settled_rows(scene)
        traffic.stop()
        equal([scene.token(name) for name in names], tokens, "tokens after rotations in traffic")
        equal(scene.stop(), 0, "serve")
        done = gateway.run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify: {done.err}")


@case("rows, blind index and wraps move to new keys while traffic goes on: nobody is refused, every token stays what it was")
def moved_in_traffic():
    with Keys() as scene:
        names = [f"Person {i}" for i in range(400)]
        tokens = [scene.token(name) for name in names]
        traffic = [Traffic(scene, names[at:] + names[:at]) for at in (0, 200)]
        for one in traffic:
            one.start()
        for one in traffic:
            one.wait_for_answers()
        old = scene.epoch_key()["id"]
        scene.command("keys", "rotate", old, "--reason", REASON)
        scene.command("keys", "reseal", "--reason", REASON)
        settled_rows(scene)
        domain = ("--tenant", "atelier", "--domain", "crm")
        scene.command("keys", "reindex", *domain, "--reason", REASON)
        expect(settled_rows(scene)["reindexed"] >= len(names), "the index has not moved")
        new_key = os.path.join(scene.folder, "new.key")
        scene.command("keys", "rewrap", "--data", scene.data, "--new-root-key", new_key, "--reason", REASON)
        # What nothing hangs on any more goes, with the whole key store wrapped anew, and nobody notices.
        scene.command("keys", "destroy", old, "--reason", REASON, "--confirm", "destroy")
        equal(settled_rows(scene)["removed"], 0, "rows under the old key")
        for one in traffic:
            one.stop()
        expect(min(len(one.answers) for one in traffic) > 20, "hardly any traffic went on meanwhile")
        for work in ("re-seal", "re-index", "purge"):
            on_record(scene, work)
        scene.root_key = new_key
        scene.restart()
        equal([scene.token(name) for name in names], tokens, "tokens under new keys and another root key")
        equal(scene.reveal(tokens), names, "what they open to")

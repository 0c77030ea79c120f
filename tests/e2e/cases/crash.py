"""kill -9 under load: every token that the upstream has seen still comes back, and its value is given no second one."""

import os
import random
import subprocess
import threading
import time

from support import gateway, settings, wire
from support.case import case, equal, expect, shown
from support.gateway import Scene
from support.policies import WIDE
from support.upstream import default_answer

ROUNDS = int(os.environ.get("PARAVENT_E2E_KILLS", "20"))
CLIENTS = 8
LEAST = 20  # tokens that come before a kill, which comes at some moment after them
AGAIN = 20  # values of each round that are sent once more after its kill


def load(scene, stop, sent, number):
    """One client that submits fresh values until the gateway is gone."""
    count = 0
    while not stop.is_set():
        try:
            with scene.wire(timeout=5) as connection:
                while not stop.is_set():
                    count += 1
                    name = f"v{number}-{count}"
                    sent.append(name)
                    body = wire.form({"email": f"{name}@example.fr", "name": name, "phone": "0612345678"})
                    connection.send(wire.request("POST", "/contact", body, wire.FORM))
                    connection.answer()
        except (OSError, wire.Closed):
            continue


@case("killed under load, restarted: no acknowledged token is lost or changed, the audit log verifies", smoke=True)
def kills():
    seen = {}
    lock = threading.Lock()

    def remember(request):
        fields = dict(wire.form_fields(request.body))
        with lock:
            # The same value may be sent twice by a client that saw no answer: one token for both.
            if fields["email"] in seen and seen[fields["email"]] != fields["name"]:
                seen["conflict"] = fields
            seen[fields["email"]] = fields["name"]
        return default_answer(request)

    chance = random.Random(43)
    with Scene(policy=WIDE) as scene:
        scene.upstream.answer = remember
        known = {}
        for number in range(ROUNDS):
            stop, sent = threading.Event(), []
            clients = [
                threading.Thread(target=load, args=(scene, stop, sent, f"{number}-{i}")) for i in range(CLIENTS)
            ]
            before = len(seen)
            for client in clients:
                client.start()
            deadline = time.monotonic() + 60 * settings.PATIENCE
            while len(seen) < before + LEAST:
                time.sleep(0.001)
                expect(time.monotonic() < deadline, f"only {len(seen) - before} tokens came")
                expect(scene.process.poll() is None, f"serve died: {shown(scene.stderr())}")
            time.sleep(chance.uniform(0, 0.1) * settings.SLOWNESS)
            scene.kill()
            stop.set()
            for client in clients:
                client.join()
            done = gateway.run("audit", "verify", scene.data)
            equal(done.returncode, 0, f"audit verify after kill {number} ({done.err})")
            scene.start()
            with lock:
                tokens = dict(seen)
            expect("conflict" not in tokens, f"one token for two values: {tokens.get('conflict')}")
            # All of them after the last kill; in between what is new, so that hundreds of rounds end.
            emails = list(tokens) if number in (0, ROUNDS - 1) else list(tokens)[max(0, before - 40) :]
            values = scene.reveal(emails)
            names = scene.reveal([tokens[email] for email in emails])
            for email, value, name in zip(emails, values, names):
                equal(value, f"{name}@example.fr", f"the value of {email}")
                # A value keeps its token across kills.
                expect(known.setdefault(value, email) == email, f"{value} got a second token")
            for email, name in zip(emails[-AGAIN:], names[-AGAIN:]):
                body = wire.form({"email": f"{name}@example.fr", "name": name})
                fields = dict(wire.form_fields(scene.submit(wire.request("POST", "/contact", body, wire.FORM)).body))
                equal((fields["email"], fields["name"]), (email, tokens[email]), f"the tokens of {name}, sent once more")
        expect(len(seen) >= LEAST * ROUNDS, f"only {len(seen)} acknowledged tokens")


@case("killed while it initialises: the next start finds a vault or makes one, never half of one")
def kill_while_initialising():
    for delay in (0.0, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08):
        with Scene(policy=WIDE, start=False) as scene:
            process = subprocess.Popen(
                [settings.BINARY, *scene.arguments()], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
            time.sleep(delay * settings.SLOWNESS)
            process.kill()
            process.wait()
            scene.start()
            body = wire.form({"email": "a@example.fr"})
            received = scene.submit(wire.request("POST", "/contact", body, wire.FORM))
            token = dict(wire.form_fields(received.body))["email"]
            status, _, _ = scene.admin.call("GET", "/v1/audit/checkpoint", credential=scene.dpo)
            equal(status, 200, f"the credentials after a kill at {delay} s")
            equal(scene.reveal([token]), ["a@example.fr"], f"after a kill at {delay} s")

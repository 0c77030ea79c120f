"""Policy, certificates and gateway file are reloaded in turns, by signal and by the API, under load of every kind.

PARAVENT_E2E_STORM_SECONDS says for how long (4); `tests/long.sh tsan` lets it last.
"""

import os
import re
import shutil
import signal
import ssl
import tempfile
import threading
import time

from cases.reload import reload
from support import settings, wire
from support.case import case, equal, expect, wait_for
from support.certificates import Authority
from support.gateway import Scene, run
from support.policies import WIDE

SECONDS = float(os.environ.get("PARAVENT_E2E_STORM_SECONDS", "4"))
FILES = """\
  - name: files
    match: { method: POST, path: /files }
    upstream: UPSTREAM
    recipient: crm
    purpose: contact
    fields:
      multipart.email: { kind: email, do: tokenise }
      multipart.scan:  { file: encrypt }
      multipart.scan > file-name: { do: keep }
elsewhere:"""
POLICIES = [WIDE.replace("with: FR", f"with: {word}").replace("\nelsewhere:", "\n" + FILES) for word in ("one", "two")]
LIMITS = ("form-bytes: 64KiB", "form-bytes: 32KiB")


class Storm:
    """Reloads one thing after the other; `done` counts them by what changed."""

    def __init__(self, scene, install):
        self.scene, self.install = scene, install
        self.done = {"policy": 0, "certificates": 0, "gateway file": 0, "refused": 0}
        self.text = open(scene.config_file, encoding="utf-8").read()

    def policy(self, turn):
        self.scene.write_policy(POLICIES[turn % 2])

    def certificates(self, turn):
        self.install(turn % 2)

    def gateway_file(self, turn):
        with open(self.scene.config_file, "w", encoding="utf-8") as file:
            file.write(self.text.replace(LIMITS[0], LIMITS[turn % 2]))

    def refused(self, _turn):
        self.scene.write_policy("policy: [")

    def take_over(self, what):
        """By signal and by the API in turns; what is refused must be, and all else taken."""
        outcome = "refused" if what == "refused" else "done"
        before = self.scene.admin.metric("paravent_reloads_total", outcome=outcome)
        if sum(self.done.values()) % 3 == 0:
            self.scene.process.send_signal(signal.SIGHUP)
        else:
            equal(reload(self.scene, self.scene.administrator)[0], 422 if what == "refused" else 200, f"{what}: the reload")
        wait_for(lambda: self.scene.admin.metric("paravent_reloads_total", outcome=outcome) > before, f"{what}: not taken over")
        self.done[what] += 1

    def run(self, seconds, enough):
        """For so long, and on until `enough`, which a busy machine reaches later."""
        turn, begin = 0, time.monotonic()
        late = begin + seconds + 60 * settings.PATIENCE
        while time.monotonic() < begin + seconds or not all(self.done.values()) or not (enough() or time.monotonic() > late):
            turn += 1
            for what, change in zip(self.done, (self.policy, self.certificates, self.gateway_file, self.refused), strict=True):
                change(turn)
                self.take_over(what)
            self.scene.write_policy(POLICIES[turn % 2])


class Load:
    """Threads that each do one kind of work until `stop`; nothing they do may fail."""

    def __init__(self, scene, context):
        self.scene, self.context = scene, context
        self.stop, self.problems, self.counts = threading.Event(), [], {}
        self.certificates, self.reveals = set(), 0
        kinds = (self.forms, self.pages, self.files, self.broken, self.operator)
        self.threads = [threading.Thread(target=self.work, args=(kind,)) for kind in kinds]
        for thread in self.threads:
            thread.start()

    def work(self, kind):
        name = kind.__name__
        self.counts[name] = 0
        while not self.stop.is_set():
            try:
                kind(self.counts[name])
                self.counts[name] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, something failed
                self.problems.append(f"{name} after {self.counts[name]}: {error!r}")
                return

    def open(self):
        connection = self.scene.wire(tls=(self.context, "a.example"))
        self.certificates.add(connection.socket.getpeercert()["serialNumber"])
        return connection

    def forms(self, number):
        with self.open() as connection:
            for more in range(10):
                fields = {"name": f"Name {number} {more}", "email": f"v{number}@example.fr", "city": "Lyon", "message": "m" * 200, "country": "XX"}
                connection.send(wire.request("POST", "/contact", wire.form(fields), wire.FORM))
                equal(connection.answer().status, 200, "a form")

    def pages(self, _number):
        with self.open() as connection:
            for _ in range(3):
                connection.send(wire.request("GET", "/page"))
                equal(connection.answer().status, 200, "a page")

    def files(self, number):
        mark = b"frontier"
        body = (
            b"--%s\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nu%d@example.fr\r\n"
            b"--%s\r\nContent-Disposition: form-data; name=\"scan\"; filename=\"a.bin\"\r\n"
            b"Content-Type: application/octet-stream\r\n\r\n%s\r\n--%s--\r\n" % (mark, number, mark, b"x" * 200_000, mark)
        )
        with self.open() as connection:
            connection.send(wire.request("POST", "/files", body, "multipart/form-data; boundary=frontier"))
            equal(connection.answer().status, 200, "an upload")

    def broken(self, _number):
        """Clients that go away in the middle: nobody waits for them, and nothing of theirs holds up a reload."""
        with self.open() as connection:
            connection.send(wire.head("POST", "/contact", [("Content-Type", wire.FORM), ("Content-Length", "500")]) + b"name=a")
        time.sleep(0.02)

    def operator(self, number):
        scene = self.scene
        scene.admin.metrics()
        equal(scene.admin.call("GET", "/v1/policy", credential=scene.dpo)[0], 200, "the policy")
        with self.scene.upstream._lock:
            forms = [one.body for one in scene.upstream.requests if one.target == "/contact"][-1:]
        if forms and number % 2 == 0:
            (value,) = scene.reveal([dict(wire.form_fields(forms[0]))["name"]])
            expect(re.fullmatch(r"Name \d+ \d+", value), f"a token of a moment ago reveals {value!r}")
            self.reveals += 1
        time.sleep(0.01)

    def enough(self):
        """Each kind of work was done under both policies and both certificates; or something has failed."""
        with self.scene.upstream._lock:
            forms = [one.body for one in self.scene.upstream.requests if one.target == "/contact"]
        countries = {dict(wire.form_fields(body)).get("country") for body in forms}
        done = min(self.counts.values(), default=0) >= 3 and self.reveals >= 1
        return bool(self.problems) or (done and len(self.certificates) == 2 and {"one", "two"} <= countries)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


@case("policy, certificates and gateway file reloaded in turns under load of every kind: nothing fails", smoke=True)
def storm():
    folder = tempfile.mkdtemp(prefix="paravent-storm-")
    try:
        authority = Authority(folder)
        pairs = [authority.issue(f"turn-{number}", alternative="DNS:a.example") for number in range(2)]
        certificate, key = os.path.join(folder, "site.pem"), os.path.join(folder, "site.key")

        def install(which):
            shutil.copy(pairs[which][0], certificate)
            shutil.copy(pairs[which][1], key)

        install(0)
        context = authority.trusting()
        context.verify_mode = ssl.CERT_REQUIRED
        served = f"{{ certificate: {certificate}, key: {key} }}"
        with Scene(policy=POLICIES[0], tls=served, workers=2, limits=dict([LIMITS[0].split(": ")])) as scene:
            turns = Storm(scene, install)
            load = Load(scene, context)
            try:
                turns.run(SECONDS, load.enough)
            finally:
                load.end()
            equal(load.problems, [], f"failures of {load.counts} under {turns.done}")
            expect(min(load.counts.values()) >= 3 and load.reveals >= 1, f"too little work: {load.counts} under {turns.done}")
            equal(len(load.certificates), 2, "certificates that were shown")
            forms = [dict(wire.form_fields(one.body)) for one in scene.upstream.requests if one.target == "/contact" and one.method == "POST"]
            equal({fields["country"] for fields in forms}, {"one", "two"}, "the policies that carried forms")
            leaked = [fields for fields in forms if re.search(r"Name \d|v\d+@example|m{40}", str(fields))]
            equal(leaked, [], "clear values at the upstream")
            files = [one.body for one in scene.upstream.requests if one.target == "/files"]
            expect(files and all(len(body) > 200_000 for body in files), "uploads at the upstream")
            leaked = [body[:400] for body in files if re.search(rb"u\d+@example|x{64}", body)]
            equal(leaked, [], "clear values of uploads at the upstream")
            equal(scene.stop(), 0, "the end")
            done = run("audit", "verify", scene.data)
            equal(done.returncode, 0, f"audit verify: {done.err}")
            if SECONDS * settings.SLOWNESS > 30:
                print(f"      {turns.done} under {load.counts}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)

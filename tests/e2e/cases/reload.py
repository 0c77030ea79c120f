"""Reload: new policies, certificates and limits without dropping a request; what is wrong changes nothing."""

import json
import os
import shutil
import signal
import ssl
import tempfile
import threading
import time

from support import settings, wire
from support.case import case, contains, equal, expect, lacks, wait_for
from support.certificates import Authority
from support.gateway import Scene, run
from support.policies import WIDE


def reload(scene, credential=None):
    """Answers (status, JSON)."""
    status, _, body = scene.admin.call("POST", "/v1/policy/reload", credential=credential)
    return status, json.loads(body)


def post(connection, fields):
    connection.send(wire.request("POST", "/contact", wire.form(fields), wire.FORM))
    return connection.answer()


def country(scene):
    return dict(wire.form_fields(scene.upstream.last().body))["country"]


@case("a new policy is in force after SIGHUP and after the API's reload, on connections that stay open", smoke=True)
def new_policy():
    with Scene(policy=WIDE) as scene, scene.wire() as connection:
        entries = 0
        for number, word in enumerate(("FR", "BE", "CH")):
            if number > 0:
                scene.write_policy(WIDE.replace("with: FR", f"with: {word}"))
                before = scene.admin.metric("paravent_reloads_total", outcome="done")
                if number == 1:
                    scene.process.send_signal(signal.SIGHUP)
                    wait_for(
                        lambda b=before: scene.admin.metric("paravent_reloads_total", outcome="done") > b,
                        "SIGHUP did not reload",
                    )
                else:
                    status, answer = reload(scene, scene.administrator)
                    equal(status, 200, f"the reload: {answer}")
                    equal(answer["policies"][0]["tenant"], "atelier", "the tenant")
            scene.upstream.clear()
            equal(post(connection, {"country": "XX", "submit": "1"}).status, 200, "the post")
            equal(country(scene), word, "what the policy in force writes")
            log = [line for line in scene.admin.metrics().splitlines() if line.startswith("paravent_audit_entries")]
            count = sum(float(line.rsplit(" ", 1)[1]) for line in log)
            expect(count > entries, "no audit entry for a policy load")
            entries = count
        contains(scene.stderr(), "paravent: reloaded for SIGHUP.", "the log")
        contains(scene.stderr(), "paravent: reloaded for admin.", "the log")
        equal(scene.upstream.connections, 1, "upstream connections")
        code = scene.stop()
        equal(code, 0, "the end")
        done = run("audit", "verify", scene.data)
        equal(done.returncode, 0, f"audit verify: {done.err}")


@case("only the role admin reloads; each operator sees the policy of the tenant", smoke=True)
def who():
    with Scene(policy=WIDE) as scene:
        equal(reload(scene)[0], 401, "nobody")
        equal(reload(scene, scene.dpo)[0], 403, "the DPO")
        status, _, body = scene.admin.call("POST", "/v1/policy/reload", b"{}", scene.administrator)
        equal(status, 400, f"a reload with a body: {body!r}")
        equal(scene.admin.metric("paravent_reloads_total", outcome="done"), 0.0, "reloads")
        equal(scene.admin.call("GET", "/v1/policy")[0], 401, "nobody")
        for credential in (scene.dpo, scene.administrator):
            status, _, body = scene.admin.call("GET", "/v1/policy", credential=credential)
            equal(status, 200, "the policy")
            (policy,) = json.loads(body)["policies"]
            equal(policy["tenant"], "atelier", "the tenant")
            equal(policy["text"].splitlines()[0], "policy: 1", "the text")
            equal(len(policy["sha256"]), 64, "the hash")


@case("a policy or gateway file with faults changes nothing, and the answer says what and where", smoke=True)
def faults():
    with Scene(policy=WIDE, limits={"form-bytes": "8KiB"}) as scene, scene.wire() as connection:
        good = open(scene.config_file, encoding="utf-8").read()

        def still_works():
            scene.upstream.clear()
            equal(post(connection, {"country": "XX", "submit": "1"}).status, 200, "the post")
            equal(country(scene), "FR", "what the old policy writes")

        def refused(words, place=None):
            before = scene.admin.metric("paravent_reloads_total", outcome="refused")
            status, answer = reload(scene, scene.administrator)
            equal((status, answer["reason"]), (422, "policy"), f"the reload: {answer}")
            contains(answer["title"], words, "the sentence")
            if place:
                contains("\n".join(answer["diagnostics"]), place, "the diagnostics")
            equal(scene.admin.metric("paravent_reloads_total", outcome="refused"), before + 1, "refused reloads")
            contains(scene.stderr(), "everything stays as it was: ", "the log")
            still_works()

        scene.write_policy(WIDE.replace("do: replace, with: FR", "do: vanish"))
        refused("The policy has errors", "routes.contact-form.fields.form.country")
        scene.write_policy("policy: [")
        refused("The policy has errors", "policy.yaml:")
        os.remove(scene.policy_file)
        refused("policy.yaml")
        # A tenant that the store does not know is made by `policy apply` alone.
        scene.write_policy(WIDE.replace("tenant: atelier", "tenant: newcomer"))
        refused("newcomer")
        # An upstream that leads back to us.
        scene.write_policy(WIDE)
        text = open(scene.policy_file, encoding="utf-8").read()
        with open(scene.policy_file, "w", encoding="utf-8") as file:
            file.write(text.replace(scene.upstream.url, f"http://127.0.0.1:{scene.port}"))
        # Port 0 was asked for; the gateway knows which one it got.
        refused("own listener")
        scene.write_policy(WIDE)
        for old, new, words in (
            ("listen: [{ address: 127.0.0.1:0 }]", "listen: [{ address: 127.0.0.1:1 }]", "listen"),
            ("admin: { address: 127.0.0.1:0 }", "admin: { address: 127.0.0.1:1 }", "admin.address"),
            (f"data: {scene.data}", "data: elsewhere", "data"),
            ("policies:", "workers: 7\npolicies:", "workers"),
            ("policies:", "trusted-proxies: [10.0.0.0/8]\npolicies:", "trusted-proxies"),
            ("policies:", "access-log: there\npolicies:", "access-log"),
            ("policies:", "operators: { session-minutes: 5 }\npolicies:", "operators.session-minutes"),
        ):
            with open(scene.config_file, "w", encoding="utf-8") as file:
                file.write(good.replace(old, new, 1))
            refused(words + (" (an address)" if words == "listen" else "") + " cannot change while the gateway runs")
        with open(scene.config_file, "w", encoding="utf-8") as file:
            file.write("lissen: 1\n" + good)
        refused("The gateway file has errors", "lissen")
        # The gateway file itself is gone, and a folder has its name.
        os.remove(scene.config_file)
        os.mkdir(scene.config_file)
        refused("The gateway file has errors", "the file cannot be read")
        os.rmdir(scene.config_file)
        # Limits do change.
        with open(scene.config_file, "w", encoding="utf-8") as file:
            file.write(good.replace("form-bytes: 8KiB", "form-bytes: 1KiB"))
        equal(reload(scene, scene.administrator)[0], 200, "a reload with other limits")
        equal(post(connection, {"message": "m" * 3000, "submit": "1"}).status, 413, "a form beyond the new limit")


@case("a reload that cannot keep what is in force changes nothing: plan, policy and access", smoke=True)
def unwritable():
    before = WIDE + "four-eyes: { approve: [dpo], purposes: [survey] }\n"
    after = before.replace("do: replace, with: FR", "do: replace, with: BE").replace(
        "dpo: { reveal: clear }", "dpo: { reveal: masked }"
    )
    with Scene(policy=before) as scene, scene.wire() as connection:

        def in_force():
            scene.upstream.clear()
            equal(post(connection, {"country": "XX", "name": "Anne", "submit": "1"}).status, 200, "the post")
            fields = dict(wire.form_fields(scene.upstream.last().body))
            (result,) = scene.admin.reidentify(scene.dpo, [fields["name"]], "contact")
            _, _, body = scene.admin.call("GET", "/v1/policy", credential=scene.administrator)
            (policy,) = json.loads(body)["policies"]
            return fields["country"], result["status"], policy["sha256"]

        old = in_force()
        equal(old[:2], ("FR", "revealed"), "before")
        operators = os.path.join(scene.data, "operators")
        (terms,) = [name for name in os.listdir(operators) if name.startswith("terms-")]
        # Where the file is written first: nothing else fails.
        obstacle = os.path.join(operators, terms + ".tmp")
        os.mkdir(obstacle)
        scene.write_policy(after)
        status, answer = reload(scene, scene.administrator)
        equal(in_force(), old, "what is in force")
        equal((status, answer["reason"]), (503, "store-unavailable"), f"the reload: {answer}")
        os.rmdir(obstacle)
        status, answer = reload(scene, scene.administrator)
        equal(status, 200, f"the reload: {answer}")
        new = in_force()
        equal(new[:2], ("BE", "masked"), "after")
        equal(new[2], answer["policies"][0]["sha256"], "the policy")


@case("new certificates are shown to new connections, open ones go on; a bad one changes nothing", smoke=True)
def certificates():
    folder = tempfile.mkdtemp(prefix="paravent-tls-")
    try:
        old, new = Authority(folder, "old"), Authority(folder, "new")
        certificate, key = os.path.join(folder, "site.pem"), os.path.join(folder, "site.key")

        def install(authority, name):
            pair = authority.issue(name, alternative="DNS:a.example")
            shutil.copy(pair[0], certificate)
            shutil.copy(pair[1], key)

        def reachable(scene, authority):
            try:
                with scene.wire(tls=(authority.trusting(), "a.example")) as connection:
                    connection.send(wire.request("GET", "/"))
                    return connection.answer().status == 200
            except ssl.SSLError:
                return False

        install(old, "first")
        served = f"{{ certificate: {certificate}, key: {key} }}"
        with Scene(policy=WIDE, tls=served, admin_tls=f"tls: {served}") as scene:
            with scene.wire(tls=(old.trusting(), "a.example")) as connection:
                connection.send(wire.request("GET", "/"))
                equal(connection.answer().status, 200, "the first answer")
                with open(key, "w", encoding="ascii") as file:
                    file.write("no key\n")
                scene.process.send_signal(signal.SIGHUP)
                wait_for(lambda: "site.key holds no usable private key" in scene.stderr(), "no word about the key")
                expect(reachable(scene, old), "the old certificate is gone")
                install(new, "second")
                scene.process.send_signal(signal.SIGHUP)
                wait_for(lambda: "reloaded for SIGHUP" in scene.stderr(), "no reload")
                expect(reachable(scene, new) and not reachable(scene, old), "the new certificate is not shown")
                address = ("127.0.0.1", scene.admin_port)
                with wire.Wire(address, 20, (new.trusting(), "a.example")) as admin:
                    admin.send(wire.request("GET", "/healthz"))
                    equal(admin.answer().status, 200, "the admin listener")
                connection.send(wire.request("GET", "/"))
                equal(connection.answer().status, 200, "the open connection")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@case("SIGTERM in the middle of reloads ends everything in order")
def ending():
    for _ in range(3):
        with Scene(policy=WIDE, workers=2) as scene, scene.wire() as connection:
            equal(post(connection, {"country": "XX", "submit": "1"}).status, 200, "the post")
            stop = threading.Event()

            def storm(scene=scene, stop=stop):
                number = 0
                while not stop.is_set():
                    number += 1
                    scene.write_policy(WIDE.replace("with: FR", f"with: W{number}"))
                    try:
                        reload(scene, scene.administrator)
                    except OSError:
                        return

            threads = [threading.Thread(target=storm) for _ in range(2)]
            for thread in threads:
                thread.start()
            time.sleep(0.3)
            process = scene.process
            for _ in range(20):
                process.send_signal(signal.SIGHUP)
            connection.close()
            try:
                equal(scene.stop(), 0, "the end")
            finally:
                stop.set()
                for thread in threads:
                    thread.join()
            done = run("audit", "verify", scene.data)
            equal(done.returncode, 0, f"audit verify: {done.err}")


@case("the allocator works as proxy/main/allocator.cc says", figures=True)
def allocator():
    with Scene(policy=WIDE, environment={"MALLOC_CONF": "stats_print:true"}) as scene:
        lacks(scene.stderr(), "<jemalloc>", "a complaint about the settings")
        scene.stop()
        for words in ("opt.background_thread: true", "opt.tcache_max: 20480", "opt.tcache_nslots_small_max: 64", "opt.tcache_nslots_large: 8"):
            contains(scene.stderr(), words, "what jemalloc says about itself")


@case("reloads leave nothing behind in memory: the third hundred costs nothing any more", slow=True, figures=True)
def memory():
    versions = [WIDE.replace("with: FR", f"with: {word}") for word in ("one", "two")]
    # Freed pages go back at once, not within ten seconds: what is left is in use or in the allocator's caches.
    at_once = {"MALLOC_CONF": "dirty_decay_ms:0"}
    with Scene(policy=versions[0], environment=at_once) as scene, scene.wire() as connection:

        def reloaded(times):
            for number in range(times):
                scene.write_policy(versions[(number + 1) % 2])
                equal(reload(scene, scene.administrator)[0], 200, "a reload")
                equal(post(connection, {"country": "XX", "submit": "1"}).status, 200, "a request")
            with open(f"/proc/{scene.process.pid}/smaps_rollup", encoding="ascii") as file:
                return next(int(line.split()[1]) for line in file if line.startswith("Anonymous:"))

        # The first ones fill what is kept for good.
        seen = [reloaded(100) for _ in range(3)]
        expect(seen[2] - seen[1] <= 256, f"KiB after a hundred reloads, two and three: {seen}")


@case("reloads under load: no request fails, and each is carried under exactly one policy", smoke=True)
def under_load():
    versions = [
        WIDE.replace("with: FR", f"with: {word}").replace("length: 2", f"length: {length}")
        for word, length in (("one", 1), ("two", 2), ("three", 3))
    ]
    lengths = {"one": 1, "two": 2, "three": 3}
    with Scene(policy=versions[0], workers=2) as scene:
        problems, sent = [], [0] * 6
        stop = threading.Event()

        def visit(number):
            try:
                with scene.wire() as connection:
                    while not stop.is_set():
                        fields = {"country": "XX", "zip": "75011", "email": f"v{sent[number]}@example.fr"}
                        answer = post(connection, fields)
                        sent[number] += 1
                        if answer.status != 200:
                            problems.append(repr(answer))
                        if sent[number] % 500 == 0:
                            return visit(number)  # another connection
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a failed request
                problems.append(f"after {sent[number]}: {error!r}")

        threads = [threading.Thread(target=visit, args=(number,)) for number in range(len(sent))]
        for thread in threads:
            thread.start()
        begin, reloads = time.monotonic(), 0
        # As long as it takes to do enough of it on a machine that is busy.
        deadline = begin + 60 * settings.PATIENCE

        def enough():
            if reloads < 10 or sum(sent) < 200:
                return False
            with scene.upstream._lock:
                bodies = [one.body for one in scene.upstream.requests]
            return {dict(wire.form_fields(body))["country"] for body in bodies} == set(lengths)

        while time.monotonic() - begin < 6 or (not problems and not enough() and time.monotonic() < deadline):
            reloads += 1
            scene.write_policy(versions[reloads % 3] if reloads % 7 else "policy: [")
            status, _ = reload(scene, scene.administrator)
            equal(status, 200 if reloads % 7 else 422, "a reload under load")
        stop.set()
        for thread in threads:
            thread.join()
        equal(problems, [], f"failed requests of {sum(sent)} under {reloads} reloads")
        expect(reloads >= 10 and sum(sent) >= 200, f"only {sum(sent)} requests under {reloads} reloads")
        seen = set()
        for request in scene.upstream.requests:
            fields = dict(wire.form_fields(request.body))
            seen.add(fields["country"])
            equal(len(fields["zip"]), lengths[fields["country"]], f"a request under two policies: {fields}")
        equal(seen, set(lengths), "the policies that carried requests")

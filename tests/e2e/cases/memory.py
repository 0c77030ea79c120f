"""What a dump of the process would hold: neither keys nor clear values, after requests and after seal.

All of these are cases with figures: a sanitizer keeps freed memory, and makes mlock do nothing.
"""

import ctypes
import gzip
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

from cases.subjects import POLICY as PEOPLE
from cases.unsealing import PASSPHRASE, passphrase_scene, seal, shares_scene, unseal
from support import settings, wire
from support.case import Skip, case, contains, equal, expect, lacks
from support.certificates import Authority
from support.gateway import Scene
from support.hmac_state import states
from support.key_store import clear_keys, hkdf_expand, read_root_key, read_shred_secret, reference_key
from support.policies import WIDE

NOT_DUMPED = " (not dumped)"
CANARIES = ("Zephyrine Quartzenbourg", "quartz.zephyrine@example.fr")


def mappings(pid):
    """(begin, end, whether a core dump has it) of every readable mapping (proc(5), core(5))."""
    found = []
    with open(f"/proc/{pid}/smaps", encoding="ascii", errors="replace") as file:
        for line in file:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)", line)
            if match:
                begin, end = (int(part, 16) for part in match.group(1, 2))
                current = [begin, end, match.group(3), match.group(4), True]
                found.append(current)
            elif line.startswith("VmFlags:"):
                current[4] = " dd" not in line
    return [one for one in found if one[2].startswith("r") and not one[3].startswith(("[vvar", "[vsyscall"))]


class Dump:
    def __init__(self, pid):
        self.parts = []
        try:
            with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                for begin, end, _, name, dumped in mappings(pid):
                    memory.seek(begin)
                    try:
                        self.parts.append((name, dumped, memory.read(end - begin)))
                    except OSError:
                        continue
        except PermissionError:
            raise Skip("reading another process's memory is not allowed here") from None

    def places(self, needle, everything=False):
        """The mappings that hold it; without `everything`, only those that a core dump has."""
        return [
            f"{name or 'anonymous'}{'' if dumped else NOT_DUMPED}"
            for name, dumped, data in self.parts
            if (dumped or everything) and needle in data
        ]


def look(scene, secrets, when):
    """No secret in what a core dump holds; the names of those that lie elsewhere."""
    dump = Dump(scene.process.pid)
    # The search itself works: a word of the policy is there.
    expect(dump.places(b"legitimate-interest") or dump.places(b"mailing"), "the dump holds not even the policy")
    there = set()
    for name, needle in secrets.items():
        places = dump.places(needle, True)
        dumped = [place for place in places if not place.endswith(NOT_DUMPED)]
        expect(not dumped, f"{when}: {name} lies in {dumped}")
        if places:
            there.add(name)
    return there


@case("a dump of the process holds neither keys nor values, after requests, a reveal and a seal", figures=True)
def dumps():
    with Scene(policy=WIDE) as scene:
        with open(scene.root_key, "rb") as file:
            text = file.read().split()[1]
        root = read_root_key(scene.root_key)
        secrets = {
            "the root key": root,
            "the text of the root key": text,
            "the root's wrapping key": hkdf_expand(root, b"paravent/v1/root.wrap"),
            "the key store's MAC key": hkdf_expand(root, b"paravent/v1/keystore.mac"),
        }
        secrets["the key of the shred secret"] = read_shred_secret(scene.data)
        for canary in CANARIES:
            secrets[f"the value {canary}"] = canary.encode()
            secrets[f"the encoded value {canary}"] = wire.form({"x": canary})[2:]
        name, email = CANARIES
        token = None
        for _ in range(20):
            body = wire.form({"name": name, "email": email})
            token = dict(wire.form_fields(scene.submit(wire.request("POST", "/contact", body, wire.FORM)).body))["name"]
        there = look(scene, secrets, "after requests")
        expect("the root's wrapping key" in there, "the wrapping key is not where keys lie: the search finds nothing")
        equal(scene.reveal([token]), [name], "the value")
        look(scene, secrets, "after a reveal")
        equal(seal(scene).returncode, 0, "seal")
        there = look(scene, secrets, "after seal")
        keys = {name for name in there if "key" in name}
        expect(not keys, f"still in memory after seal: {keys}")


@case("... nor any key of the tree or of a person, wherever it is wrapped on the disk", figures=True)
def tree():
    with Scene(policy=PEOPLE) as scene:
        for number in range(3):
            body = wire.form({"name": "Anne", "email": f"anne{number}@example.fr", "message": "hello"})
            answer = scene.submit(wire.request("POST", "/contact", body, wire.FORM))
        token = dict(wire.form_fields(answer.body))["name"]
        equal(scene.reveal([token]), ["Anne"], "the value")
        keys = clear_keys(scene.data, read_root_key(scene.root_key))
        secrets = {f"a key of class {what} ({number})": key for number, (what, key, _) in enumerate(keys)}
        for what, key, _ in keys:
            secrets.setdefault(f"what the children of class {what} lie under", hkdf_expand(key, b"paravent/v1/wrap"))
        for what in ("tenant", "domain", "epoch", "subject"):
            expect(any(what == found for found, _, _ in keys), f"no key of class {what} was found on the disk")
        # The state of an HMAC is as good as its key.
        (tenant,) = [reference_key(key, tenant) for what, key, tenant in keys if what == "tenant"]
        for number, state in enumerate(states(tenant)):
            secrets[f"the state of the references' HMAC ({number})"] = state
        there = look(scene, secrets, "after requests and a reveal")
        expect(there, "not one of them is where keys lie: the search finds nothing")
        expect(any("references" in name for name in there), "no such state is where keys lie: it is made in another way")
        equal(seal(scene).returncode, 0, "seal")
        equal(look(scene, secrets, "after seal"), set(), "not even where keys lie")


@case("what people gave to unseal it does not stay in the process: pass-phrase, shares", figures=True)
def given():
    with passphrase_scene() as scene:
        scene.start()
        equal(unseal(scene, "another pass-phrase of seven plain words").returncode, 4, "a wrong one")
        time.sleep(1.1)  # so long nothing is tried after a wrong one
        equal(unseal(scene, PASSPHRASE).returncode, 0, "the right one")
        there = look(scene, {"the wrong one": b"another pass-phrase of seven", "it": PASSPHRASE.encode()}, "unsealed")
        equal(there, set(), "not even where keys lie")
    scene, shares = shares_scene()
    with scene:
        scene.start()
        equal(unseal(scene, *shares).returncode, 0, "two shares")
        there = look(scene, {f"share {n}": share.encode() for n, share in enumerate(shares)}, "unsealed")
        equal(there, set(), "not even where keys lie")


class Ended(Dump):
    """What a process holds at its very end (ptrace(2), PTRACE_EVENT_EXIT), when its own code is done."""

    SEIZE, CONTINUE, TRACE_EXIT, EVENT_EXIT = 0x4206, 7, 0x40, 6

    def __init__(self, process):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        libc.ptrace.restype = ctypes.c_long
        pid = process.pid
        if libc.ptrace(self.SEIZE, pid, None, self.TRACE_EXIT) != 0:
            raise Skip("tracing a process is not allowed here")
        self.parts = []
        watchdog = threading.Timer(40 * settings.PATIENCE, os.kill, (pid, signal.SIGKILL))
        watchdog.start()
        process.send_signal(signal.SIGTERM)
        while True:
            _, status = os.waitpid(pid, 0)
            if not os.WIFSTOPPED(status):
                break
            passed_on = os.WSTOPSIG(status)
            try:
                if status >> 8 == signal.SIGTRAP | self.EVENT_EXIT << 8:
                    passed_on = None
                    super().__init__(pid)
            finally:
                libc.ptrace(self.CONTINUE, pid, None, passed_on)
        watchdog.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)


@case("wiped on exit: at the end of the process no key is left where keys lay", figures=True)
def wiped():
    with Scene(policy=WIDE) as scene:
        root, secret = read_root_key(scene.root_key), read_shred_secret(scene.data)
        secrets = {
            "the root's wrapping key": hkdf_expand(root, b"paravent/v1/root.wrap"),
            "the key store's MAC key": hkdf_expand(root, b"paravent/v1/keystore.mac"),
            "the key of the shred secret": secret,
        }
        there = look(scene, secrets, "before")
        expect("the root's wrapping key" in there, "the search finds nothing")
        process, scene.process = scene.process, None
        ended = Ended(process)
        equal(process.returncode, 0, "the gateway ends")
        expect(ended.parts, "nothing could be read at the end")
        for name, needle in secrets.items():
            equal(ended.places(needle, True), [], f"{name} at the end")


@case("the memory of keys is locked, and a limit that is too low is named", figures=True)
def locked():
    import resource

    with Scene(policy=WIDE) as scene:
        expect(scene.admin.metric("paravent_secret_memory_locked_bytes") >= 1 << 20, "a locked mebibyte")
        equal(scene.admin.metric("paravent_secret_memory_unlocked_bytes"), 0, "unlocked")
        flags = []
        with open(f"/proc/{scene.process.pid}/smaps", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("VmFlags:") and " dd" in line and " lo" in line:
                    flags.append(line)
        expect(flags, "no mapping is locked and left out of dumps")
        with open(f"/proc/{scene.process.pid}/limits", encoding="ascii") as file:
            (core,) = [line.split() for line in file if line.startswith("Max core file size")]
        equal(core[4:6], ["0", "0"], "how large a core dump may be, and may be made to be")
        if os.geteuid() != 0:
            raise Skip("only root can give the limit up for another user")
        scene.stop()
        scene.write_config()
        for folder, _, files in os.walk(scene.folder):
            for entry in [folder, *(os.path.join(folder, one) for one in files)]:
                os.chown(entry, 65534, 65534)
        os.chmod(scene.folder, 0o755)

        def lower():
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))

        done = subprocess.run(
            [settings.BINARY, "serve", "--config", scene.config_file],
            capture_output=True, check=False, user=65534, group=65534, preexec_fn=lower, cwd=scene.folder,
        )  # fmt: skip
        if done.returncode == 126:
            raise Skip("another user cannot run the binary here")
        equal(done.returncode, 3, f"serve: {done.stderr.decode()}")
        sentence = done.stderr.decode()
        expect("LimitMEMLOCK" in sentence and "ulimit -l" in sentence, sentence)


@case("keys that grow beyond what may be locked are used, and said: an alarm and a figure", figures=True)
def grown():
    usual = settings.BINARY
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        wrapper = os.path.join(folder, "paravent")
        with open(wrapper, "w", encoding="ascii") as file:
            # Without the capability root has a limit, too: what the start asks for, and little more.
            file.write(f"#!/bin/sh\nexec prlimit --memlock=1200000 setpriv --bounding-set=-ipc_lock {usual} \"$@\"\n")
        os.chmod(wrapper, 0o755)
        without = subprocess.run(["setpriv", "--bounding-set=-ipc_lock", "true"], check=False, capture_output=True)
        if os.geteuid() != 0 or without.returncode != 0:
            raise Skip("the capability to lock memory cannot be given up here")
        rule = "      form.name:       { kind: name, do: tokenise }\n"
        expect(rule in WIDE, "the policy has changed: adapt this case")
        many = "".join(f"      form.f{at}: {{ kind: name, do: tokenise, mode: derived, space: s{at} }}\n" for at in range(1500))
        settings.BINARY = wrapper
        try:
            with Scene(policy=WIDE) as scene:
                lacks(scene.admin.call("GET", "/readyz")[2].decode(), "secret-memory-unlocked", "with what a start needs")
                scene.write_policy(WIDE.replace(rule, rule + many, 1))
                status, _, body = scene.admin.call("POST", "/v1/policy/reload", credential=scene.administrator)
                equal(status, 200, f"the reload: {body[:300]}")
                expect(scene.admin.metric("paravent_secret_memory_unlocked_bytes") > 0, "so many keys fit: adapt this case")
                contains(scene.admin.call("GET", "/readyz")[2].decode(), "secret-memory-unlocked", "with more than may be locked")
                equal(scene.submit(wire.request("POST", "/contact", wire.form({"f7": "x"}), wire.FORM)).method, "POST", "it goes on")
        finally:
            settings.BINARY = usual


@case("no value stays in the process: large, chunked, compressed and JSON bodies, uploads, queries, refusals, over TLS too", figures=True)
def every_way_in():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        authority = Authority(folder)
        certificate, key = authority.issue("a.example")
        with Scene(policy=WIDE, tls=f"{{ certificate: {certificate}, key: {key} }}") as scene:
            secrets = {}

            def fresh(what):
                """A name that nobody has sent, looked for as text and as it is encoded in a form."""
                name = f"Zephyrine {what} Quartzenbourg"
                for needle in (name.encode(), wire.form({"x": name})[2:]):
                    secrets[f"{what}: {needle.decode()}"] = needle
                return name

            def form(what, **more):
                return wire.form({**more, "name": fresh(what), "email": "a@example.fr"})

            people = json.dumps({"people": [{"name": fresh("Json")}, {"name": fresh("Second")}], "message": "x" * 40_000})
            upload = wire.multipart({"email": "a@example.fr", "message": fresh("Upload")})
            ways = {
                "small": wire.request("POST", "/contact", form("Small"), wire.FORM),
                "large": wire.request("POST", "/contact", form("Large", message="y" * 90_000), wire.FORM),
                "chunked": chunked(form("Chunked")),
                "gzip": wire.request(
                    "POST", "/contact", gzip.compress(form("Gzip")), wire.FORM, [("Content-Encoding", "gzip")]
                ),
                "json": wire.request("POST", "/contact", people, "application/json"),
                "multipart": wire.request("POST", "/contact", upload, wire.MULTIPART),
                "header": wire.request("POST", "/contact", form("Beside"), wire.FORM, [("X-Customer", fresh("Header"))]),
                "refused": wire.request("POST", "/contact", wire.form({"name": fresh("Refused"), "nobody": "x"}), wire.FORM),
            }
            for what, data in ways.items():
                for _ in range(3):
                    with scene.wire(tls=(authority.trusting(), "a.example")) as connection:
                        connection.send(data)
                        equal(connection.answer().status, 422 if what == "refused" else 200, what)
            # A connection that is used keeps the buffer of its last record, with nothing of it (warm_streams.h).
            with scene.wire(tls=(authority.trusting(), "a.example")) as kept:
                kept.send(wire.request("POST", "/contact", form("Kept"), wire.FORM))
                equal(kept.answer().status, 200, "a connection that stays")
                look(scene, secrets, "after every way in, beside a connection that stays")


def chunked(body):
    head = "POST /contact HTTP/1.1\r\nHost: www.example.fr\r\nContent-Type: " + wire.FORM + "\r\nTransfer-Encoding: chunked\r\n\r\n"
    half = len(body) // 2
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:]))
    return head.encode() + pieces + b"0\r\n\r\n"

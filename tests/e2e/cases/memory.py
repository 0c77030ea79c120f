"""What a dump of the process would hold: neither keys nor clear values, after requests and after seal.

All of these are cases with figures: a sanitizer keeps freed memory, and makes mlock do nothing.
"""

import base64
import gzip
import hashlib
import hmac
import json
import os
import re
import tempfile

from cases.unsealing import seal
from support import wire
from support.case import Skip, case, equal, expect
from support.certificates import Authority
from support.gateway import Scene
from support.policies import WIDE

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
            f"{name or 'anonymous'}{'' if dumped else ' (not dumped)'}"
            for name, dumped, data in self.parts
            if (dumped or everything) and needle in data
        ]


def hkdf_expand(key, info):
    return hmac.new(key, info + b"\x01", hashlib.sha256).digest()


def look(scene, secrets, when):
    """No secret in what a core dump holds; the names of those that lie elsewhere."""
    dump = Dump(scene.process.pid)
    # The search itself works: a word of the policy is there.
    expect(dump.places(b"legitimate-interest") or dump.places(b"mailing"), "the dump holds not even the policy")
    for name, needle in secrets.items():
        places = dump.places(needle)
        expect(not places, f"{when}: {name} lies in {places}")
    return {name for name, needle in secrets.items() if dump.places(needle, True)}


@case("a dump of the process holds neither keys nor values, after requests, a reveal and a seal", figures=True)
def dumps():
    with Scene(policy=WIDE) as scene:
        with open(scene.root_key, "rb") as file:
            text = file.read().split()[1]
        root = base64.urlsafe_b64decode(text)[:32]
        secrets = {
            "the root key": root,
            "the text of the root key": text,
            "the root's wrapping key": hkdf_expand(root, b"paravent/v1/root.wrap"),
            "the key store's MAC key": hkdf_expand(root, b"paravent/v1/keystore.mac"),
        }
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


@case("the memory of keys is locked, and a limit that is too low is named", figures=True)
def locked():
    import resource
    import subprocess

    from support import settings

    with Scene(policy=WIDE) as scene:
        expect(scene.admin.metric("paravent_secret_memory_locked_bytes") >= 1 << 20, "a locked mebibyte")
        equal(scene.admin.metric("paravent_secret_memory_unlocked_bytes"), 0, "unlocked")
        flags = []
        with open(f"/proc/{scene.process.pid}/smaps", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("VmFlags:") and " dd" in line and " lo" in line:
                    flags.append(line)
        expect(flags, "no mapping is locked and left out of dumps")
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
            look(scene, secrets, "after every way in")


def chunked(body):
    head = "POST /contact HTTP/1.1\r\nHost: www.example.fr\r\nContent-Type: " + wire.FORM + "\r\nTransfer-Encoding: chunked\r\n\r\n"
    half = len(body) // 2
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:]))
    return head.encode() + pieces + b"0\r\n\r\n"

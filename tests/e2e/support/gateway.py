"""The real binary as a process: a scene is a temporary folder, an upstream and a running gateway."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time

from . import settings
from .admin import Admin
from .case import Failure, expect, shown
from .upstream import Upstream
from .wire import Wire

_LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+), admin on 127\.0\.0\.1:(\d+)")
_SANITIZER = ("AddressSanitizer", "runtime error:", "ThreadSanitizer", "LeakSanitizer")


def run(*arguments, stdin=None, timeout=60, cwd=None):
    """One command of the binary to its end."""
    done = subprocess.run(
        [settings.BINARY, *[str(a) for a in arguments]],
        input=stdin,
        capture_output=True,
        timeout=timeout * settings.PATIENCE,
        cwd=cwd,
    )
    done.out = done.stdout.decode("utf-8", "replace")
    done.err = done.stderr.decode("utf-8", "replace")
    check_sanitizers(done.err)
    if done.returncode < 0:
        raise Failure(f"{arguments[0]} died of signal {-done.returncode}: {shown(done.err)}")
    return done


def check_sanitizers(text):
    places = [text.find(mark) for mark in _SANITIZER if mark in text]
    if places:
        raise Failure(f"a sanitizer spoke: {shown(text[min(places):], 6000)}")


def one_sentence(err):
    """What every failing command ends with: one line on standard error that says what to do.

    In front of it may only stand warnings, and that a vault was made.
    """
    lines = err.splitlines()
    others = [line for line in lines[:-1] if "warning: " not in line and "a new vault was made" not in line]
    expect(lines and not others, f"not one sentence on standard error: {shown(err)}")
    expect(lines[-1].startswith("paravent: ") and len(lines[-1].split()) >= 4, f"no sentence: {lines[-1]}")
    return lines[-1]


def digest(folder, leave_out=()):
    """A hash per file below `folder`, with modes: two equal answers mean that nothing was touched."""
    seen = {}
    for path, folders, files in os.walk(folder):
        for name in folders + files:
            full = os.path.join(path, name)
            key = os.path.relpath(full, folder)
            if any(key == left or key.startswith(left + "/") for left in leave_out):
                continue
            mode = os.lstat(full).st_mode
            data = b""
            if stat.S_ISREG(mode):
                with open(full, "rb") as file:
                    data = file.read()
            seen[key] = (mode, hashlib.sha256(data).hexdigest())
    return seen


class Scene:
    """A folder, an upstream and a gateway in front of it.

    `policy`: text with UPSTREAM in place of the address. `preset`: the name of a built-in policy. `limits`,
    `trusted`, `access_log`, `tls` and `admin_tls` (YAML), `extra` (lines) go into a gateway file; with a preset and none of them the flags alone are used.
    """

    def __init__(
        self,
        policy=None,
        preset=None,
        path=None,
        limits=None,
        trusted=None,
        access_log=False,
        workers=None,
        upstream=None,
        start=True,
        root_key=True,
        proxy_protocol=False,
        tls=None,
        admin_tls=None,
        extra="",
        environment=None,
    ):
        self.folder = tempfile.mkdtemp(prefix="paravent-e2e-")
        self.data = os.path.join(self.folder, "data")
        self.root_key = os.path.join(self.folder, "root.key") if root_key else None
        self.upstream = upstream or Upstream()
        self.preset, self.path = preset, path
        self.proxy_protocol = proxy_protocol
        self.tls, self.admin_tls, self.extra = tls, admin_tls, extra
        self.limits, self.trusted, self.workers = limits, trusted, workers
        self.access_log = os.path.join(self.folder, "access.log") if access_log else None
        self.policy_file = os.path.join(self.folder, "policy.yaml")
        self.config_file = os.path.join(self.folder, "gateway.yaml")
        self.environment = environment or {}
        self.process = None
        self.port = self.admin_port = None
        self._credentials = {}
        self._stderr = os.path.join(self.folder, "stderr")
        if policy is not None:
            self.write_policy(policy)
        if start:
            try:
                self.start()
            except BaseException:
                self.close(check=False)
                raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.close(check=kind is None)

    # ---- the process ----

    def write_policy(self, text):
        with open(self.policy_file, "w", encoding="utf-8") as file:
            file.write(text.replace("UPSTREAM", self.upstream.url))

    def write_config(self):
        proxy = ", proxy-protocol: on" if self.proxy_protocol else ""
        tls = f", tls: {self.tls}" if self.tls else ""
        admin_tls = f", {self.admin_tls}" if self.admin_tls else ""
        lines = [f"listen: [{{ address: 127.0.0.1:0{proxy}{tls} }}]"]
        lines.append(f"admin: {{ address: 127.0.0.1:0{admin_tls} }}")
        lines.append(f"data: {self.data}")
        if self.root_key:
            lines.append(f"vault: {{ unseal: {{ key-file: {self.root_key} }} }}")
        lines.append(f"policies: [{self.policy_file}]")
        if self.trusted:
            lines.append(f"trusted-proxies: [{', '.join(self.trusted)}]")
        if self.limits:
            lines.append("limits: { " + ", ".join(f"{k}: {v}" for k, v in self.limits.items()) + " }")
        if self.workers is not None:
            lines.append(f"workers: {self.workers}")
        if self.access_log:
            lines.append(f"access-log: {self.access_log}")
        if self.extra:
            lines.append(self.extra)
        with open(self.config_file, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def arguments(self):
        if self.preset is None:
            self.write_config()
            return ["serve", "--config", self.config_file]
        arguments = ["serve", "--preset", self.preset, "--upstream", self.upstream.url]
        arguments += ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", self.data]
        if self.path:
            arguments += ["--path", self.path]
        if self.root_key:
            arguments += ["--root-key", self.root_key]
        return arguments

    def start(self):
        expect(self.process is None, "the scene runs already")
        with open(self._stderr, "ab") as errors:
            begin = errors.tell()
            self.process = subprocess.Popen(
                [settings.BINARY, *self.arguments()],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                cwd=self.folder,
                env=os.environ | self.environment,
            )
        deadline = time.monotonic() + 60 * settings.PATIENCE
        while True:
            match = _LISTENING.search(self.stderr()[begin:])
            if match:
                break
            if self.process.poll() is not None:
                code = self.process.returncode
                self.process = None
                raise Failure(f"serve ended with {code}: {shown(self.stderr()[begin:], 2000)}")
            expect(time.monotonic() < deadline, f"serve does not listen: {shown(self.stderr())}")
            time.sleep(0.01)
        self.port, self.admin_port = int(match.group(1)), int(match.group(2))
        self.admin = Admin(self.admin_port)
        # Each operator's own copy, before the file's goes at its first use.
        if os.path.exists(self.first_credentials):
            self._credentials.update(self.read_first_credentials())

    def stop(self):
        """SIGTERM, and the exit code."""
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(timeout=40 * settings.PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failure("serve did not end within 40 s of SIGTERM") from None
        check_sanitizers(self.stderr())
        return code

    def kill(self):
        process, self.process = self.process, None
        process.send_signal(signal.SIGKILL)
        process.wait()

    def restart(self):
        code = self.stop()
        expect(code == 0, f"serve ended with {code}: {shown(self.stderr())}")
        self.start()

    def close(self, check=True):
        try:
            if self.process is not None:
                code = self.stop()
                expect(not check or code == 0, f"serve ended with {code}: {shown(self.stderr())}")
        finally:
            self.upstream.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def stderr(self):
        with contextlib.suppress(FileNotFoundError), open(self._stderr, "rb") as file:
            return file.read().decode("utf-8", "replace")
        return ""

    # ---- who may ask ----

    @property
    def first_credentials(self):
        return os.path.join(self.data, "first-credentials")

    def read_first_credentials(self):
        with open(self.first_credentials, encoding="utf-8") as file:
            return json.load(file)

    @property
    def dpo(self):
        return self._credentials["credential"]

    @property
    def administrator(self):
        return self._credentials["admin_credential"]

    def keep(self, name, credential):
        """A credential in a file of its own, as the commands take it."""
        path = os.path.join(self.folder, name + ".credential")
        with open(path, "w", encoding="utf-8") as file:
            file.write(credential + "\n")
        os.chmod(path, 0o600)
        return path

    def credential_file(self):
        return self.keep("dpo", self.dpo)

    def admin_credential_file(self):
        return self.keep("admin", self.administrator)

    def public_keys_file(self):
        """The public keys of all logs in one file, for who verifies without the data directory."""
        keys = os.path.join(self.folder, "public-keys")
        with open(keys, "w", encoding="utf-8") as out:
            for path, _, names in os.walk(os.path.join(self.data, "audit")):
                if "public-key" in names:
                    with open(os.path.join(path, "public-key"), encoding="utf-8") as one:
                        out.write(one.read())
        return keys

    def reveal(self, tokens, purpose="contact"):
        """The clear values of tokens that the DPO may see, in order."""
        results = []
        for at in range(0, len(tokens), 500):
            results += self.admin.reidentify(self.dpo, tokens[at : at + 500], purpose)
        for token, result in zip(tokens, results, strict=True):
            expect(result["token"] == token, f"results are out of order: {shown(result)} for {token}")
            expect(result["status"] == "revealed", f"not revealed: {shown(result)}")
        return [result["value"] for result in results]

    # ---- visitors ----

    def wire(self, timeout=20, tls=None, source=None):
        """`tls`: an ssl.SSLContext and the name to ask for. `source`: where from, any of 127.0.0.0/8."""
        return Wire(("127.0.0.1", self.port), timeout * settings.PATIENCE, tls, source)

    def exchange(self, data, to_head=False):
        """One connection, one request, one answer."""
        with self.wire() as wire:
            wire.send(data)
            return wire.answer(to_head)

    def refused(self, data, status, reason, closes=None, field=None):
        """A request that must be refused so: right answer, a counter, and nothing at the upstream.

        `closes`: whether the connection must (True) or must not (False) be closed afterwards. Answers
        the Answer.
        """
        self.upstream.clear()
        before = self.admin.refusals(reason)
        with self.wire() as wire:
            try:
                wire.send(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before everything was sent; the answer is still to be read
            answer = wire.answer()
            if closes is True:
                expect(answer.header("Connection") == "close", f"no Connection: close: {answer!r}")
                expect(wire.is_closed(10 * settings.PATIENCE), f"not closed, or more follows: {wire.buffer!r}")
            elif closes is False:
                expect(answer.header("Connection") is None, f"Connection: close: {answer!r}")
                wire.send(b"GET /alive HTTP/1.1\r\nHost: www.example.fr\r\n\r\n")
                after = wire.answer()
                expect(after.status in (200, 404), f"the connection does not go on: {after!r}")
        problem = answer.json() if answer.body else {}
        seen = (answer.status, problem.get("reason"))
        expect(seen == (status, reason), f"expected {(status, reason)}, got {answer!r}")
        expect(answer.header("Content-Type") == "application/problem+json", f"type of {answer!r}")
        expect(problem["type"] == f"urn:paravent:problem:{reason}", f"type of {problem}")
        expect(problem["status"] == status and problem["request_id"], f"{problem}")
        if field is not None:
            expect(problem.get("field") == field, f"expected field {field}: {problem}")
        with self.upstream._lock:
            arrived = [one.raw for one in self.upstream.requests if one.target != "/alive"]
        expect(not arrived and not self.upstream.stray, f"reached the upstream: {arrived}")
        expect(self.admin.refusals(reason) == before + 1, f"{reason} was not counted once")
        return answer

    def submit(self, data, status=200):
        """One request that is expected to go through: what the upstream received."""
        self.upstream.clear()
        answer = self.exchange(data)
        expect(answer.status == status, f"answered {answer!r}")
        return self.upstream.last()

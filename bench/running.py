"""Gateways and applications of the measurements that start their own: growth, scaling, soak, tokens, crowd."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent


def fail(sentence):
    sys.exit(f"{pathlib.Path(sys.argv[0]).stem}: {sentence}")


def wait_for(port, process):
    for _ in range(300):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    fail(f"nothing answers on port {port}")


def peer_policy(upstream):
    """The policy of the comparison, with its routes for the form, the batch and the upload."""
    return (HERE / "peers" / "policy.yaml").read_text(encoding="utf-8").replace("http://127.0.0.1:@UPSTREAM@", upstream)


class Gateway:
    """One gateway in a folder of its own. `cpus`: as taskset takes them; `environment`: more of it; `tls`: a port, where site.pem and
    site.key lie beside the folder."""

    def __init__(self, binary, folder, port, admin, text, workers=1, cpus="0", environment=None, tls=None):
        folder.mkdir()
        self.folder, self.port, self.cpus = folder, port, cpus
        self.policy = folder / "policy.yaml"
        self.policy.write_text(text, encoding="utf-8")
        config = (HERE / "peers" / "gateway.yaml").read_text(encoding="utf-8")
        for word, value in (("@LISTEN@", port), ("@ADMIN@", admin), ("@RUN@", folder), *([("@TLS@", tls)] if tls else [])):
            config = config.replace(word, str(value))
        config = "".join(line for line in config.splitlines(True) if "@TLS@" not in line)
        config = config.replace("workers: 1", f"workers: {workers}")
        (folder / "gateway.yaml").write_text(config, encoding="utf-8")
        done = subprocess.run([binary, "init", "--data", folder / "data", "--root-key", folder / "root.key", "--json"],
                              check=True, capture_output=True, text=True)
        self.admin, self.credential = admin, json.loads(done.stdout)["admin_credential"]
        # What is said goes to a file of this run: a policy that the gateway refuses must not look like a slow start.
        self.log = open(folder / "log", "wb")  # noqa: SIM115 (closed with the gateway)
        self.process = subprocess.Popen(["taskset", "-c", cpus, binary, "serve", "--config", folder / "gateway.yaml"],
                                        stdout=self.log, stderr=self.log, env=os.environ | (environment or {}))
        wait_for(port, self.process)
        wait_for(admin, self.process)

    def reload(self, text):
        """Until new requests see the new policy; its text has to be another one."""
        before = self.served()
        if before == text:
            fail("a reload that changes nothing proves nothing")
        self.policy.write_text(text, encoding="utf-8")
        self.process.send_signal(signal.SIGHUP)
        for _ in range(200):
            if self.served() == text:
                return
            time.sleep(0.05)
        fail(f"the gateway did not take the policy: {(self.folder / 'log').read_text(encoding='utf-8')[-500:]}")

    def served(self):
        """The policy that new requests see, as the admin API tells it."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin}/v1/policy", headers={"Authorization": f"Bearer {self.credential}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["policies"][0]["text"]

    def memory_kib(self):
        """Resident, as the kernel sums it up."""
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Rss:"))

    def descriptors(self):
        return len(list(pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def close(self):
        """Its exit code."""
        self.process.terminate()
        code = self.process.wait()
        self.log.close()
        return code


class Backend:
    """The application that judges what it gets (backend.cc). `ports`: {service: port}."""

    def __init__(self, tools, ports, drain=False, cpus="1"):
        named = [word for name, port in ports.items() for word in (f"--{name}", str(port))]
        self.command = ["taskset", "-c", cpus, tools / "backend", *named, *(["--drain"] if drain else [])]
        self.port = next(iter(ports.values()))
        self.counts = []
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        wait_for(self.port, self.process)

    def close(self):
        """What it saw: {service: counts}."""
        self.process.terminate()
        out, _ = self.process.communicate()
        return json.loads(out)


def load(tools, gateway, workload, connections, warm_up, window, backend=None, cpus="1", more=(), port=None):
    """One window of load.cc, to another port of the gateway where one is named: the row that it prints."""
    done = subprocess.run(
        ["taskset", "-c", cpus, tools / "load", "--workload", workload, "--port", str(port or gateway.port),
         "--connections", str(connections), "--warm-up", str(warm_up), "--window", str(window),
         "--proxy", str(gateway.process.pid), *(["--backend", str(backend.process.pid)] if backend else []),
         "--label", "peer=paravent", *map(str, more)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fail(f"the load ended with code {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def commit():
    done = subprocess.run(["git", "-C", HERE, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"

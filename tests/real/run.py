#!/usr/bin/env python3
"""Drives real third-party programs through the gateway and looks at the bytes that arrive.

run.py --binary PATH

Needs node_modules beside it (npm ci); the browser cases are skipped where chromium, chromedriver or php are
missing. The last line is `N passed, N failed`.
"""

import argparse
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "deploy" / "site")]

import run as e2e  # noqa: E402
import submit_with_browser as browser  # noqa: E402
from support import settings, tokens, wire  # noqa: E402
from support.case import CASES, Skip, case, contains, equal, expect, lacks  # noqa: E402
from support.gateway import Scene  # noqa: E402
from support.upstream import Upstream  # noqa: E402

ADDRESS = "198.51.100.77"
ADDRESS_HEADERS = {"x-forwarded-for", "x-plausible-ip", "x-real-ip", "forwarded", "via"}
# What the gateway itself writes or leaves out; everything else must arrive as it was sent.
OWN = {"host", "connection", "x-forwarded-proto", "x-forwarded-host", "user-agent", "sec-ch-ua-platform"}


def no_content(_request):
    return b"HTTP/1.1 204 No Content\r\n\r\n"


def node(script, *arguments):
    environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    command = ["node", str(HERE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
    expect(done.returncode == 0, f"{script}: {done.stderr}")
    return json.loads(done.stdout)


def sent_and_received(script, count, path="", *arguments):
    """The same program straight to an upstream, and through the gateway: what either of them received."""
    plain = Upstream(no_content)
    with contextlib.closing(plain), Scene(preset="analytics-ip", upstream=Upstream(no_content)) as scene:
        node(script, plain.url + path, *arguments)
        told = node(script, f"http://127.0.0.1:{scene.port}{path}", *arguments)
        plain.last(count)
        scene.upstream.last(count)
        return plain.requests, scene.upstream.requests, told


def others(request):
    """The headers that the gateway has no business with, in their order."""
    return [(n, v) for n, v in request.headers if n.lower() not in OWN | ADDRESS_HEADERS]


def check_addresses(request):
    lacks(request.raw.decode("latin-1"), ADDRESS, "what arrived")
    for name in request.names():
        expect(name not in ADDRESS_HEADERS, f"header {name} arrived")


@case("matomo-tracker: cip is gone, ua is generalised, every other byte is the same")
def matomo():
    (sent,), (got,), told = sent_and_received("matomo.js", 1, "/matomo.php")
    equal(told["errors"], [], "errors that the tracker saw")
    equal((got.method, got.body), ("GET", b""), "method and body")
    check_addresses(got)
    contains(sent.target, f"cip={ADDRESS}", "what the tracker sends")
    wanted = [pair for pair in sent.target.split("?", 1)[1].split("&") if not pair.startswith("cip=")]
    seen = got.target.split("?", 1)[1].split("&")
    equal([p.split("=")[0] for p in seen], [p.split("=")[0] for p in wanted], "the parameters")
    for before, after in zip(wanted, seen, strict=True):
        if before.startswith("ua="):
            equal(wire.form_fields(after.encode()), [("ua", "Mozilla/5.0 Firefox/127.0")], "ua")
        else:
            equal(after, before, "a parameter")
    equal(others(got), others(sent), "the other headers")


@case("matomo-tracker: its bulk form is refused and nothing of it arrives")
def matomo_bulk():
    with Scene(preset="analytics-ip", upstream=Upstream(no_content)) as scene:
        told = node("matomo.js", f"http://127.0.0.1:{scene.port}/matomo.php", "bulk")
        (status,) = told["errors"]
        expect(status in (415, 422), f"answered {status}")
        lacks(told["body"], ADDRESS, "the answer")
        equal(scene.upstream.count(), 0, "requests that arrived")


@case("plausible-tracker: two events under text/plain arrive unchanged, without address and platform")
def plausible():
    sent, got, told = sent_and_received("plausible.js", 2)
    equal(told["statuses"], [204, 204], "statuses that the tracker saw")
    for before, after in zip(sent, got, strict=True):
        equal((after.method, after.target), ("POST", "/api/event"), "request line")
        equal(after.body, before.body, "the body")
        equal(after.header("Content-Type"), "text/plain", "Content-Type")
        equal(after.header("User-Agent"), "Mozilla/5.0 Chrome/126.0", "User-Agent")
        equal(after.values("Sec-CH-UA-Platform"), [], "Sec-CH-UA-Platform")
        check_addresses(after)
        equal(others(after), others(before), "the other headers")
    props = json.loads(json.loads(got[1].body)["p"])
    equal(props, {"plan": "pro", "note": 'a "quoted" \\ word'}, "the properties, JSON inside JSON")


FIELDS = {
    "first_name": "Élodie",
    "last_name": "Martin",
    "email": "elodie.martin@example.fr",
    "phone": "06 12 34 56 78",
    "message": "Bonjour,\npouvez-vous me rappeler ?",
}
CLEAR = {**FIELDS, "phone": "+33612345678"}


@case("Node's fetch with URLSearchParams, FormData and JSON: one token per value, all revealed")
def node_forms():
    with Scene(preset="contact-form") as scene:
        told = node("forms.js", f"http://127.0.0.1:{scene.port}/contact", json.dumps(FIELDS))
        equal(told["statuses"], [200, 200, 200], "statuses")
        scene.upstream.last(3)
        as_form, as_multipart, as_json = scene.upstream.requests
        boundary = as_multipart.header("Content-Type").split("boundary=")[1]
        rows = [
            dict(wire.form_fields(as_form.body)),
            dict(wire.multipart_fields(as_multipart.body, boundary)),
            json.loads(as_json.body),
        ]
        for name in ("first_name", "last_name", "phone", "email"):
            equal(len({row[name] for row in rows}), 1, f"tokens of {name}")
        for row in rows:
            tokens.email_shaped(row["email"])
            values = scene.reveal([row[name] for name in FIELDS])
            values = [value.replace("\r\n", "\n") for value in values]
            equal(dict(zip(FIELDS, values)), CLEAR, "what the DPO gets back")
        for text in ("lodie", "Martin", "612345678", "rappeler"):
            lacks(scene.upstream.all_bytes().decode("latin-1"), text, "what the site received")


def needs(*programs):
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise Skip(f"not installed: {', '.join(missing)}")


class Site:
    """The small PHP site of deploy/site, as an upstream of a scene."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="paravent-real-")
        self.database = os.path.join(self.folder.name, "site.sqlite")
        self.port = browser.free_port()
        site = ROOT / "deploy/site"
        self.process = subprocess.Popen(
            ["php", "-S", f"127.0.0.1:{self.port}", "-t", str(site), str(site / "index.php")],
            env={**os.environ, "SITE_DATABASE": self.database},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise AssertionError("the site does not start")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def rows(self):
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("SELECT * FROM submission ORDER BY id")]

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()


@case("Chromium fills the contact form of a PHP site: its database holds tokens alone")
def browser_form():
    needs("chromium", "chromedriver", "php")
    site = Site()
    with Scene(preset="contact-form", upstream=site) as scene:
        shot = os.path.join(scene.folder, "thanks.png")
        command = [str(ROOT / "deploy/site/submit_with_browser.py"), f"http://127.0.0.1:{scene.port}/contact", shot]
        done = subprocess.run(
            [sys.executable, *command, *[f"{k}={v}" for k, v in FIELDS.items()], "company=Atelier", "subject=Devis"],
            capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        equal(done.returncode, 0, f"the browser ({done.stderr[-800:]})")
        (row,) = site.rows()
        for name in ("first_name", "last_name", "phone"):
            tokens.vault(row[name])
        tokens.email_shaped(row["email"])
        for name in ("message", "company", "subject"):
            tokens.encrypted(row[name])
        values = dict(zip(FIELDS, scene.reveal([row[name] for name in FIELDS])))
        values["message"] = values["message"].replace("\r\n", "\n")
        equal(values, CLEAR, "what the DPO gets back")
        equal(row["remote_address"], "127.0.0.1", "the address that the site saw: the gateway's")
        expect(row["user_agent"].startswith("Mozilla/5.0 Chrome/"), f"user agent: {row['user_agent']}")
        lacks(row["user_agent"], "Linux", "the user agent")
        with open(site.database, "rb") as file:
            data = file.read()
        for text in FIELDS.values():
            expect(text.encode() not in data, f"{text!r} is in the site's database")


class TrackedPage(http.server.BaseHTTPRequestHandler):
    """A page that tracks itself with plausible-tracker, loaded as the modules that the package ships."""

    api = ""

    def do_GET(self):  # noqa: N802 - the library's name
        if self.path == "/":
            kind, body = "text/html", (
                "<!doctype html><title>Page</title><script type=module>\n"
                "import Plausible from '/module/index';\n"
                f"const p = Plausible({{domain: 'www.example.fr', apiHost: '{self.api}', trackLocalhost: true}});\n"
                "p.trackPageview({}, {callback: () => {\n"
                "  p.trackEvent('Vu', {props: {n: '1'}, callback: () => { document.title = 'done'; }});\n"
                "}});\n</script>"
            ).encode()  # fmt: skip
        else:
            path = HERE / "node_modules/plausible-tracker/build" / self.path.lstrip("/")
            path = path if path.suffix == ".js" else path.with_name(path.name + ".js")
            if not path.is_file():
                self.send_error(404)
                return
            kind, body = "text/javascript", path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@case("plausible-tracker in Chromium: the events arrive with the browser's family and no more of it")
def browser_plausible():
    needs("chromium", "chromedriver")
    answer = b"HTTP/1.1 202 Accepted\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 2\r\n\r\nok"
    pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), TrackedPage)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    with Scene(preset="analytics-ip", upstream=Upstream(lambda _: answer)) as scene:
        TrackedPage.api = f"http://127.0.0.1:{scene.port}"
        visit(f"http://127.0.0.1:{pages.server_address[1]}/")
        pages.shutdown()
        events = [r for r in scene.upstream.requests if r.method == "POST"]
        equal([json.loads(event.body)["n"] for event in events], ["pageview", "Vu"], "events")
        for event in events:
            agent = event.header("User-Agent")
            expect(agent.startswith("Mozilla/5.0 Chrome/") and agent.endswith(".0"), f"user agent: {agent}")
            for name in event.names():
                expect(not name.startswith("sec-ch-ua-"), f"header {name} arrived")
            check_addresses(event)


def visit(url):
    """Opens `url` in Chromium and waits until the page says that it is done."""
    port = browser.free_port()
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    with tempfile.TemporaryDirectory() as profile:
        process = subprocess.Popen(
            ["chromedriver", f"--port={port}", "--silent"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        try:
            driver = browser.Driver(port)
            driver.wait_until_ready()
            options = {"args": [*browser.FLAGS, f"--user-data-dir={profile}"], "binary": "/usr/bin/chromium"}
            wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
            session = "/session/" + driver.call("POST", "/session", wanted)["sessionId"]
            try:
                driver.call("POST", session + "/url", {"url": url})
                for _ in range(300):
                    if driver.call("GET", session + "/title") == "done":
                        return
                    time.sleep(0.1)
                raise AssertionError("the page did not get its answers")
            finally:
                driver.call("DELETE", session)
        finally:
            process.terminate()
            process.wait()


def main():
    parser = argparse.ArgumentParser(description="Real third-party programs through the gateway")
    parser.add_argument("--binary", required=True)
    options = parser.parse_args()
    settings.BINARY = os.path.abspath(options.binary)
    for one in CASES:
        one.module = "real"  # and not the name that Python gives to a program
    tally = e2e.run_all(CASES)
    if tally["skip"]:
        print(f"{tally['skip']} skipped, for the reasons given above")
    print(f"{tally['ok']} passed, {tally['FAIL']} failed")
    return 1 if tally["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())

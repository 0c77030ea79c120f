#!/usr/bin/env python3
"""Drives real third-party programs through the gateway and looks at the bytes that arrive.

run.py --binary PATH

Needs node_modules beside it (npm ci); the browser cases are skipped where chromium, chromedriver or php are
missing. The last line is `N passed, N failed`.
"""

import argparse
import base64
import contextlib
import html.parser
import http.client
import http.cookies
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "deploy" / "site")]

import run as e2e  # noqa: E402
import submit_with_browser as browser  # noqa: E402
import wordpress  # noqa: E402
from support import settings, tokens, wire  # noqa: E402
from support.case import CASES, Shared, Skip, case, contains, equal, expect, lacks  # noqa: E402
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


def parameters(request):
    """A query string's pairs, as they are written."""
    return request.lstrip("?").split("&")


@case("matomo-tracker in bulk: cip is gone from every visit, ua is generalised, the rest is the same")
def matomo_bulk():
    (sent,), (got,), told = sent_and_received("matomo.js", 1, "/matomo.php", "bulk")
    equal(told["errors"], [], "errors that the tracker saw")
    check_addresses(got)
    before, after = json.loads(sent.body), json.loads(got.body)
    equal({k: v for k, v in after.items() if k != "requests"}, {k: v for k, v in before.items() if k != "requests"},
          "beside the visits")
    equal(len(after["requests"]), len(before["requests"]), "visits")
    for one, other in zip(before["requests"], after["requests"], strict=True):
        contains(one, f"cip={ADDRESS}", "what the tracker sends")
        wanted = [p if not p.startswith("ua=") else None for p in parameters(one) if not p.startswith("cip=")]
        seen = [p if not p.startswith("ua=") else None for p in parameters(other)]
        equal(seen, wanted, "the parameters")
        (agent,) = [p for p in parameters(other) if p.startswith("ua=")]
        equal(wire.form_fields(agent.encode()), [("ua", "Mozilla/5.0 Firefox/127.0")], "ua")


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


@case("@segment/analytics-node: its batch arrives without address and person, everything else as it was")
def segment():
    plain = Upstream(no_content)
    with contextlib.closing(plain), Scene(preset="segment", upstream=Upstream(no_content)) as scene:
        node("segment.js", plain.url)
        told = node("segment.js", f"http://127.0.0.1:{scene.port}")
        equal(told["errors"], [], "errors that the library saw")
        plain.last(1)
        scene.upstream.last(1)
        (sent,), (got,) = plain.requests, scene.upstream.requests
        equal((got.method, got.target), ("POST", "/v1/batch"), "request line")
        equal(got.header("Authorization"), sent.header("Authorization"), "the write key")
        before, after = json.loads(sent.body)["batch"], json.loads(got.body)["batch"]
        equal([one["type"] for one in after], [one["type"] for one in before], "messages")
        text = got.raw.decode("utf-8")
        for clear in ("elodie", "Élodie", "12 34 56", "u-4711", '"a-1"', ADDRESS):
            lacks(text, clear, "what arrived")
        identify, track, page = after
        equal(len({one["userId"] for one in after}), 1, "pseudonyms of one person")
        tokens.email_shaped(identify["traits"]["email"])
        equal(track["context"]["traits"]["email"], identify["traits"]["email"], "one address, one token")
        equal(track["properties"], {"total": 19.9, "items": [], "note": "été"}, "properties")
        equal(page["properties"]["url"], "https://shop.example.fr/cart", "the page")
        equal(scene.reveal([identify["traits"]["firstName"]], purpose="audience"), ["Élodie"], "what the DPO gets back")


def base64url_json(text):
    expect("=" not in text, "padding came back")
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


@case("@snowplow/node-tracker: three layers opened and put together again")
def snowplow():
    plain = Upstream(no_content)
    with contextlib.closing(plain), Scene(preset="snowplow", upstream=Upstream(no_content)) as scene:
        node("snowplow.js", plain.url)
        node("snowplow.js", f"http://127.0.0.1:{scene.port}")
        sent = [event for request in plain.requests for event in json.loads(request.body)["data"]]
        got = [event for request in scene.upstream.requests for event in json.loads(request.body)["data"]]
        equal(len(got), len(sent), "events")
        equal([event["e"] for event in got], [event["e"] for event in sent], "kinds of events")
        for request in scene.upstream.requests:
            equal(request.target, "/com.snowplowanalytics.snowplow/tp2", "the path")
            for clear in ("elodie", "u-4711", ADDRESS):
                lacks(request.raw.decode("utf-8"), clear, "what arrived")
        (view,) = [event for event in got if event["e"] == "pv"]
        equal(view["url"], "https://shop.example.fr/cart", "the page")
        equal(view["ua"], "Mozilla/5.0 Firefox/127.0", "the user agent")
        (before,) = [base64url_json(event["ue_px"]) for event in sent if "ue_px" in event]
        (after,) = [base64url_json(event["ue_px"]) for event in got if "ue_px" in event]
        expect(after["data"]["data"].pop("email").startswith("pvh1"), "the address is a pseudonym")
        del before["data"]["data"]["email"]
        equal(after, before, "everything else in the event")


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


PERSON = {"author": "Élodie Martin", "email": "elodie.martin@example.fr", "url": "https://elodie.example.fr/?me=1"}
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"


class Visitor:
    """A browser without scripts: keeps cookies, follows nothing."""

    def __init__(self, port):
        self.port = port
        self.cookies = http.cookies.SimpleCookie()

    def ask(self, method, target, body=None, kind=None):
        headers = {"User-Agent": AGENT, "X-Forwarded-For": ADDRESS}
        if kind:
            headers["Content-Type"] = kind
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{c.key}={c.coded_value}" for c in self.cookies.values())
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies.load(line)
        return answer.status, text

    def form(self, page):
        """The values of the comment form's fields."""
        finder = InputFinder()
        finder.feed(page)
        return finder.values

    def comment(self, fields, text):
        form = {"wp-comment-cookies-consent": "yes", **fields, "comment": text}
        body = urllib.parse.urlencode(form)
        return self.ask("POST", "/wp-comments-post.php", body, wire.FORM)


class InputFinder(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.values = {}

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "input" and attributes.get("name") in (*PERSON, "comment_post_ID", "comment_parent", "submit"):
            self.values[attributes["name"]] = attributes.get("value") or ""


BLOG = Shared(wordpress.WordPress)


def site():
    """One WordPress for all cases."""
    lacking = wordpress.missing()
    if lacking:
        raise Skip(f"not installed: {', '.join(lacking)}")
    return BLOG.get()


def clear_in(text, values):
    return [value for value in values if value in text]


@case("WordPress: a comment, and a second one with the comment cookies: tokens once, and nothing clear in the database")
def wordpress_comments():
    blog = site()
    with Scene(preset="wordpress-comments", upstream=Borrowed(blog)) as scene:
        visitor = Visitor(scene.port)
        status, page = visitor.ask("GET", "/hello-world/")
        equal(status, 200, "the page")
        fields = visitor.form(page)
        equal((fields["author"], fields["email"]), ("", ""), "the empty form")
        status, page = visitor.comment({**fields, **PERSON}, "Merci pour cet article.")
        equal(status, 302, f"the comment ({page[:300]})")
        (row,) = blog.comments()
        tokens.vault(row["author"])
        tokens.email_shaped(row["email"])
        equal(row["url"], "https://elodie.example.fr/", "the author's page")
        equal(row["address"], "127.0.0.1", "the address: the gateway's")
        equal(row["agent"], "Mozilla/5.0 (compatible)", "the user agent")
        # The second visit: WordPress fills the form from its cookies.
        expect(any(name.startswith("comment_author_email_") for name in visitor.cookies), "the comment cookies")
        status, page = visitor.ask("GET", "/hello-world/")
        equal(status, 200, "the page at the second visit")
        fields = visitor.form(page)
        equal((fields["author"], fields["email"]), (row["author"], row["email"]), "what the form is filled with")
        status, page = visitor.comment(fields, "Encore une chose.")
        equal(status, 302, f"the second comment ({page[:300]})")
        first, second = blog.comments()
        equal((second["author"], second["email"]), (first["author"], first["email"]), "author and address")
        status, _ = visitor.comment({**fields, "author": first["email"].split("@")[0], "email": PERSON["email"]}, "Non.")
        equal(status, 422, "another field's token")
        equal([one["content"] for one in blog.comments()][:2], ["Merci pour cet article.", "Encore une chose."], "texts")
        found = clear_in(blog.dump(), [*PERSON.values(), "elodie.martin", "lodie Martin", ADDRESS, "Firefox"])
        equal(found, [], "clear values in the database")
        equal(scene.reveal([first["author"], first["email"]]), [PERSON["author"], PERSON["email"]], "revealed")


@case("WordPress with a contact form in Contact Form 7's wire format: nothing clear in the database, the form works")
def wordpress_contact_form():
    blog = site()
    fields = {
        "_wpcf7": "5", "_wpcf7_version": "5.9.8", "_wpcf7_locale": "fr_FR", "_wpcf7_unit_tag": "wpcf7-f5-p2-o1",
        "_wpcf7_container_post": "2", "your-name": "Jeanne Durand", "your-email": "jeanne.durand@example.org",
        "your-subject": "Devis", "your-message": "Rappelez-moi au 06 98 76 54 32.", "your-tel": "06 98 76 54 32",
    }  # fmt: skip
    boundary = "----WebKitFormBoundaryParavent"
    body = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                   for name, value in fields.items()) + f"--{boundary}--\r\n"  # fmt: skip
    target = "/wp-json/contact-form-7/v1/contact-forms/5/feedback"
    with Scene(preset="contact-form-7", upstream=Borrowed(blog)) as scene:
        visitor = Visitor(scene.port)
        status, page = visitor.ask("POST", target, body.encode(), f"multipart/form-data; boundary={boundary}")
        equal((status, json.loads(page)["status"]), (200, "mail_sent"), "what the form's script gets")
        status, _ = visitor.ask("GET", "/")
        equal(status, 200, "the home page")
        stored = blog.query("SELECT option_value FROM wp_options WHERE option_name = 'contact_submissions'", "wordpress")
        contains(stored, '"your-name"', "what the plug-in stored")
        found = clear_in(blog.dump(), ["Durand", "jeanne.durand", "98 76 54", "Rappelez", "Devis", ADDRESS, "Firefox"])
        equal(found, [], "clear values in the database")
        (name,) = re.findall(r'"your-name";s:\d+:"(pvv1[a-z0-9]+)"', stored)
        equal(scene.reveal([name]), ["Jeanne Durand"], "revealed")


class Borrowed:
    """WordPress as a scene's upstream; the scene does not take it down."""

    def __init__(self, blog):
        self.url = blog.url

    def close(self):
        pass


def main():
    parser = argparse.ArgumentParser(description="Real third-party programs through the gateway")
    parser.add_argument("--binary", required=True)
    parser.add_argument("--only", help="cases whose title has this text")
    options = parser.parse_args()
    settings.BINARY = os.path.abspath(options.binary)
    for one in CASES:
        one.module = "real"  # and not the name that Python gives to a program
    tally = e2e.run_all([one for one in CASES if options.only is None or options.only in one.name])
    if tally["skip"]:
        print(f"{tally['skip']} skipped, for the reasons given above")
    print(f"{tally['ok']} passed, {tally['FAIL']} failed")
    return 1 if tally["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())

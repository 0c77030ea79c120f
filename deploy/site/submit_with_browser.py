#!/usr/bin/env python3
"""Fills the contact form in a real browser (Chromium through ChromeDriver) and presses the button.

submit_with_browser.py URL SCREENSHOT FIELD=VALUE...

Exit code 0 when the site's thank-you page came up. Speaks the W3C WebDriver protocol with the standard
library alone, so that nothing has to be installed for it but Debian's chromium and chromium-driver.
"""

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=900,1000",
]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Driver:
    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}"

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def wait_until_ready(self):
        for _ in range(100):
            with contextlib.suppress(urllib.error.URLError, OSError):
                if self.call("GET", "/status")["ready"]:
                    return
            time.sleep(0.1)
        raise SystemExit("ChromeDriver does not start.")


def submit(driver, profile, url, screenshot, fields):
    options = {"args": FLAGS + [f"--user-data-dir={profile}"], "binary": "/usr/bin/chromium"}
    wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
    session = "/session/" + driver.call("POST", "/session", wanted)["sessionId"]

    def find(selector):
        found = driver.call("POST", session + "/element", {"using": "css selector", "value": selector})
        return f"{session}/element/{found[ELEMENT]}"

    try:
        driver.call("POST", session + "/timeouts", {"implicit": 30000, "pageLoad": 60000})
        driver.call("POST", session + "/url", {"url": url})
        for name, value in fields:
            driver.call("POST", find(f'[name="{name}"]') + "/value", {"text": value})
        driver.call("POST", find("button[type=submit]") + "/click", {})
        find("#thanks")
        if screenshot != "-":
            with open(screenshot, "wb") as out:
                out.write(base64.b64decode(driver.call("GET", session + "/screenshot")))
    finally:
        driver.call("DELETE", session)


def main():
    url, screenshot = sys.argv[1:3]
    fields = [argument.split("=", 1) for argument in sys.argv[3:]]
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    with tempfile.TemporaryDirectory() as profile:
        process = subprocess.Popen(
            ["chromedriver", f"--port={port}", "--silent"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        try:
            driver = Driver(port)
            driver.wait_until_ready()
            submit(driver, profile, url, screenshot, fields)
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()

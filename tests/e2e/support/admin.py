"""The admin API over plain HTTP, as an operator's script would call it."""

import json
import re
import urllib.error
import urllib.request

from . import settings
from .case import expect, shown


class Admin:
    """The admin API over plain HTTP."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"

    def call(self, method, path, body=None, credential=None, headers=()):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if credential is not None:
            request.add_header("Authorization", f"Bearer {credential}")
        for name, value in headers:
            request.add_header(name, value)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30 * settings.PATIENCE) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def metrics(self):
        status, _, body = self.call("GET", "/metrics")
        expect(status == 200, f"/metrics answers {status}")
        return body.decode()

    def metric(self, name, **labels):
        """The value of one sample; 0 where it is not there yet."""
        wanted = sorted(f'{key}="{value}"' for key, value in labels.items())
        for line in self.metrics().splitlines():
            match = re.fullmatch(re.escape(name) + r"(?:\{(.*)\})? (\S+)", line)
            if match is None:
                continue
            have = sorted(re.findall(r'\w+="(?:[^"\\]|\\.)*"', match.group(1) or ""))
            if have == wanted:
                return float(match.group(2))
        return 0.0

    def refusals(self, reason):
        """paravent_refusals_total of that reason, over all routes."""
        pattern = re.compile(r'paravent_refusals_total\{[^}]*reason="' + reason + r'"[^}]*\} (\S+)')
        return sum(float(count) for count in pattern.findall(self.metrics()))

    def reidentify(self, credential, tokens, purpose="contact", reason="an end-to-end case"):
        status, _, body = self.call(
            "POST",
            "/v1/reidentify",
            {"purpose": purpose, "reason": reason, "tokens": tokens},
            credential,
        )
        expect(status == 200, f"/v1/reidentify answers {status}: {shown(body)}")
        return json.loads(body)["results"]

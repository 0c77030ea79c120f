"""Ten thousand tokens as lines, and what ends the answer half-way: nothing more is opened, and the last line says why."""

import http.client
import json
import os
import re
import socket
import tempfile
import time

from support import settings, wire
from support.case import case, equal, expect
from support.gateway import Scene
from support.issuer import Issuer
from support.policies import WIDE

ASKED = 10_000
PARTS = 500
# Long enough that an answer does not fit into what the kernel holds for a reader who waits.
NAME = "Anne " + "x" * 4000
POLICY = WIDE + "oidc: [{ issuer: login, subject: crm-1, role: dpo }]\n"


class Reader:
    """Begins an answer in lines, and reads on when it is told to."""

    def __init__(self, scene, credential, token):
        host, port = scene.admin.url.removeprefix("http://").split(":")
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        self.socket.settimeout(60 * settings.PATIENCE)
        self.socket.connect((host, int(port)))
        body = json.dumps({"purpose": "contact", "reason": "lines", "tokens": [token] * ASKED}).encode()
        head = (
            f"POST /v1/reidentify HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {credential}\r\n"
            f"Accept: application/x-ndjson\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.socket.sendall(head.encode() + body)
        self.answer = http.client.HTTPResponse(self.socket)
        self.answer.begin()
        equal(self.answer.status, 200, "the answer begins")
        self.first = json.loads(self.answer.readline())

    def rest(self):
        """The number of values, the first one's counted, and the last line."""
        values, last = 1, self.first
        for line in iter(self.answer.readline, b""):
            last = json.loads(line)
            values += "value" in last
        self.socket.close()
        return values, last


def entries(scene, begin=0):
    found = []
    while True:
        status, _, body = scene.admin.call("GET", f"/v1/audit/entries?from={begin}&count=1000", None, scene.dpo)
        equal(status, 200, "the record")
        answer = json.loads(body)
        found += answer["entries"]
        if "next" not in answer:
            return found
        begin = answer["next"]


def token_of(scene):
    received = scene.submit(wire.request("POST", "/contact", wire.form({"name": NAME}), wire.FORM))
    return dict(wire.form_fields(received.body))["name"]


def ends(scene, credential, change, operator):
    reader = Reader(scene, credential, token_of(scene))
    equal(reader.first["value"], NAME, "the first value")
    change()
    values, last = reader.rest()
    expect(values < ASKED, f"all of {values} values came")
    equal((last.get("status"), last.get("reason")), (401, "credential"), f"the last line behind {values} values")
    record = [one for one in entries(scene) if one.get("reason") == "lines"]
    revealed = [one for one in record if one["event"] == "reveal"]
    refused = [one for one in record if one["event"] == "refusal"]
    # What was opened is what was given, and the rest is on record as refused, behind it.
    equal(len(revealed), values, "reveals on record")
    equal(values % PARTS, 0, "whole parts")
    equal({(one["operator"], one["remark"]) for one in refused}, {(operator, "credential")}, "the refusals")
    equal(sum(len(one["tokens"]) for one in refused), ASKED - values, "tokens that are refused")
    expect(min(one["index"] for one in refused) > max(one["index"] for one in revealed), "the refusals come last")
    status, _, _ = scene.admin.call("GET", "/v1/whoami", None, credential)
    equal(status, 401, "and nothing else is answered")


@case("an operator who is revoked half-way gets nothing more of ten thousand values, and the rest is on record")
def revoked():
    with Scene(policy=WIDE) as scene:
        body = {"name": "crm", "role": "dpo", "type": "program", "expires": "P1D", "reason": "r"}
        status, _, answer = scene.admin.call("POST", "/v1/operators", body, scene.administrator)
        equal(status, 200, "a program")

        def revoke():
            path = "/v1/operators/crm/revoke"
            equal(scene.admin.call("POST", path, {"reason": "lost"}, scene.administrator)[0], 200, "revoked")

        ends(scene, json.loads(answer)["credential"], revoke, "crm")


@case("a client that hangs up in the middle of ten thousand values leaves on record how many were handed over, and the rest")
def hangs_up():
    with Scene(policy=WIDE) as scene:
        reader = Reader(scene, scene.dpo, token_of(scene))
        # With what it has not read the kernel sends a reset; the gateway notices when it writes on.
        reader.answer.close()
        reader.socket.close()
        refused = []
        for _ in range(int(600 * settings.SLOWNESS)):
            record = [one for one in entries(scene) if one.get("reason") == "lines"]
            refused = [one for one in record if one["event"] == "refusal"]
            if sum(len(one["tokens"]) for one in refused) + sum(one["event"] == "reveal" for one in record) == ASKED:
                break
            time.sleep(0.1)
        revealed = [one for one in record if one["event"] == "reveal"]
        equal(len(revealed) + sum(len(one["tokens"]) for one in refused), ASKED, "everything is on record")
        remarks = {one["remark"] for one in refused}
        equal(len(remarks), 1, f"one end: {remarks}")
        found = re.fullmatch(r"broken-off: handed over (\d+) to (\d+) of 10000", remarks.pop())
        expect(found, "the remark says how many")
        low, high = int(found[1]), int(found[2])
        equal(high, len(revealed), "what was opened covers what left")
        expect(high - low <= PARTS < ASKED, f"{low} to {high}")


@case("a key that its issuer withdraws half-way ends the answer of whoever came with it")
def withdrawn():
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        issuer = Issuer(folder)
        with Scene(policy=POLICY, extra=issuer.configured(folder)) as scene:

            def withdraw():
                issuer.rotate()
                issuer.publish(folder)
                status, _, answer = scene.admin.call("POST", "/v1/policy/reload", b"", scene.administrator)
                equal(status, 200, f"the reload: {answer}")
                old = credential
                deadline = time.monotonic() + 20 * settings.PATIENCE
                while scene.admin.call("GET", "/v1/whoami", None, old)[0] != 401:
                    expect(time.monotonic() < deadline, "the old key is still trusted")
                    time.sleep(0.002)

            credential = issuer.credential("crm-1")
            ends(scene, credential, withdraw, "oidc:login/crm-1")

"""A value sent through every carrier is found nowhere it should not be, in whatever spelling.

Looked for: in what the upstream received, in standard error, access log, metrics, error answers, the audit
folder and every file of the data directory.
"""

import base64
import json
import os
import time
import urllib.parse

from support import settings, tokens, wire
from support.case import Failure, Shared, case, equal, expect, shown
from support.gateway import Scene
from support.policies import WIDE

# One word per carrier, so that a find tells where it came from. Names, texts and addresses differ in letters
# beyond ASCII, because these are what encodings change.
CANARY = "Kanarienvögel"
CLEAR = {
    "form-name": f"{CANARY} Eins",
    "form-email": "kanarienvogel.zwei@canary-cage.example",
    "form-phone": "06 31 41 59 26",
    "form-message": f"{CANARY} drei \"<&>\" + 100 %",
    "form-note": f"{CANARY} vier",
    "form-secret": f"{CANARY} fuenf",
    "json-email": "kanarienvogel.sechs@canary-cage.example",
    "json-name": f"{CANARY} sieben",
    "json-message": f"{CANARY}\nacht\\",
    "multipart-email": "kanarienvogel.neun@canary-cage.example",
    "multipart-message": f"{CANARY} zehn",
    "query": "kanarienvogel.elf@canary-cage.example",
    "header": f"{CANARY} zwoelf",
    "referer": "https://www.example.fr/?q=kanarienvogel-dreizehn",
    "cookie": "kanarienvogel-vierzehn",
    "cookie-track": "kanarienvogel-fuenfzehn",
    "address": "198.51.100.77",
    "agent": "KanarienvogelBrowser/16.17.18",
}
PHONES = ["631415926", "6 31 41 59 26"]


def spellings(value):
    """`value` as it could stand in a file: raw, by URL, base64, JSON, hex, folded; as bytes."""
    texts = {value, value.lower(), value.upper(), value.strip()}
    found = set()
    for text in texts:
        raw = text.encode()
        found |= {
            raw,
            urllib.parse.quote(text).encode(),
            urllib.parse.quote(text, safe="").encode(),
            urllib.parse.quote_plus(text).encode(),
            urllib.parse.quote(text).lower().encode(),
            json.dumps(text)[1:-1].encode(),
            json.dumps(text).replace("\\u00f6", "\\u00F6")[1:-1].encode(),
            text.encode("utf-16-le"),
            text.encode("latin-1", "replace"),
            raw.hex().encode(),
            raw.hex().upper().encode(),
        }
        # base64 at each of the three alignments, without what the neighbours would change
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + raw)
            begin, end = (0, 2, 3)[shift], len(coded) - 4 if (len(raw) + shift) % 3 else len(coded)
            found |= {coded[begin:end], coded[begin:end].translate(bytes.maketrans(b"+/", b"-_"))}
    return {one for one in found if len(one) >= 8}


PATTERNS = {name: spellings(value) for name, value in CLEAR.items()}
PATTERNS["form-phone"] |= {p for phone in PHONES for p in spellings(phone)}
for _word in ("kanarienvogel", CANARY):
    PATTERNS[_word] = spellings(_word)


def search(data, where):
    for name, patterns in PATTERNS.items():
        for pattern in patterns:
            if pattern in data:
                at = data.index(pattern)
                raise Failure(f"{where} holds {name}: {shown(data[max(0, at - 60) : at + 80])}")


class Cage:
    """The scene after every carrier was used, well and badly."""

    def __init__(self):
        self.scene = Scene(policy=WIDE, access_log=True)
        self.answers = []
        self.tokens = []
        try:
            self.send_good()
            self.upstream_bytes = self.scene.upstream.all_bytes()
            self.scene.upstream.clear()
            self.send_refused()
            self.ask_back()
            self.metrics = self.scene.admin.metrics().encode()
        except BaseException:
            self.scene.close(check=False)
            raise

    def close(self):
        self.scene.close()

    def headers(self):
        return [
            ("X-Customer", CLEAR["header"]),
            ("Referer", CLEAR["referer"]),
            ("Cookie", f"visitor={CLEAR['cookie']}; track={CLEAR['cookie-track']}"),
            ("User-Agent", CLEAR["agent"]),
            ("X-Forwarded-For", CLEAR["address"]),
            ("X-Real-IP", CLEAR["address"]),
        ]

    def send_good(self):
        form = {
            "name": CLEAR["form-name"],
            "email": CLEAR["form-email"],
            "phone": CLEAR["form-phone"],
            "message": CLEAR["form-message"],
            "note": CLEAR["form-note"],
            "secret": CLEAR["form-secret"],
        }
        target = "/contact?mail=" + urllib.parse.quote(CLEAR["query"])
        document = {
            "person": {"email": CLEAR["json-email"]},
            "people": [{"name": CLEAR["json-name"]}],
            "message": CLEAR["json-message"],
        }
        multipart = {"email": CLEAR["multipart-email"], "message": CLEAR["multipart-message"]}
        submit, headers = self.scene.submit, self.headers()
        received = submit(wire.request("POST", target, wire.form(form), wire.FORM, headers=headers))
        self.tokens += [v for n, v in wire.form_fields(received.body) if v.startswith("pv")]
        escaped, plain = json.dumps(document), json.dumps(document, ensure_ascii=False)
        for body in (escaped, plain):
            received = submit(wire.request("POST", target, body, wire.JSON, headers=headers))
        submit(wire.request("POST", target, wire.multipart(multipart), wire.MULTIPART, headers=headers))

    def send_refused(self):
        """Requests that carry the values and are refused at every phase."""
        clear, headers = CLEAR, self.headers()
        value = urllib.parse.quote(clear["form-name"])
        everything = wire.form({name: text for name, text in clear.items()})
        bad = [
            wire.request("POST", "/contact", everything, wire.FORM, headers=headers),
            wire.request("POST", "/contact?odd=" + value, b"", None, headers=headers),
            wire.request("POST", "/contact", everything, "text/plain", headers=headers),
            wire.request("POST", "/contact", everything + b"&a=%zz", wire.FORM),
            wire.request("POST", "/nothing/" + value, everything, wire.FORM),
            wire.request("DELETE", "/contact?mail=" + value),
            wire.request("POST", "/contact", wire.form({"email": clear["form-name"]}), wire.FORM),
            wire.request("POST", "/contact", wire.form({"card": clear["form-name"]}), wire.FORM),
            wire.request("POST", "/contact", json.dumps({"email": clear}), wire.JSON),
            wire.request("POST", "/contact", json.dumps({"message": clear}), wire.JSON),
            wire.request("POST", "/contact", wire.multipart({"x": clear["form-name"]}), wire.MULTIPART),
            wire.request("POST", "/contact", wire.multipart({"email": clear["form-name"]})[:-9], wire.MULTIPART),
            wire.head("POST", "/contact", [("Content-Length", "5, 5"), *headers]),
            wire.head("GET", "/" + value + "a" * 9000),
            wire.head("GET", "/", [("Cookie", clear["cookie"] + "a" * 9000)]),
        ]
        for data in bad:
            for accept in (b"", b"Accept: text/html\r\n"):
                first, rest = data.split(b"\r\n", 1)
                answer = self.scene.exchange(first + b"\r\n" + accept + rest)
                self.answers.append((data[:80], answer))
        # An upstream that fails, so that the answer of that phase is seen as well.
        kept, self.scene.upstream.answer = self.scene.upstream.answer, lambda _: None
        data = wire.request("POST", "/contact", wire.form({"name": clear["form-name"]}), wire.FORM)
        self.answers.append((data[:80], self.scene.exchange(data)))
        self.scene.upstream.answer = kept

    def ask_back(self):
        """The DPO reads them; that, too, may leave no trace but the entry."""
        self.scene.reveal(self.tokens)
        for token in self.tokens:
            self.scene.admin.call(
                "POST",
                "/v1/reidentify",
                {"purpose": "contact", "reason": "r", "tokens": [tokens.altered(token)]},
                self.scene.dpo,
            )


SHARED = Shared(Cage)


@case("the search itself finds the value in every spelling it claims", smoke=True)
def search_works():
    value = CLEAR["form-name"]
    planted = [
        value, value.upper(), urllib.parse.quote_plus(value), json.dumps(value), value.encode().hex(),
        base64.b64encode(b"xx" + value.encode() + b"yyy").decode(), base64.b64encode(b"x" + value.encode()).decode(),
        base64.b64encode(b"xxx" + value.encode() + b"z").decode(),
    ]  # fmt: skip
    for text in planted:
        try:
            search(b"before " + text.encode() + b" after", "here")
        except Failure:
            continue
        raise Failure(f"not found: {text}")
    search(b"nothing of the kind" * 100, "here")


@case("not in what the upstream received", smoke=True)
def at_upstream():
    data = SHARED.get().upstream_bytes
    expect(data.count(b"HTTP/1.1\r\n") == 4, f"few requests: {shown(data)}")
    expect(data.count(b"pvv1") >= 8 and data.count(b"pve_") >= 4, "few tokens")
    search(data, "the upstream")
    search(SHARED.get().scene.upstream.all_bytes(), "the upstream, after refusals")


@case("not in the answers to refused requests", smoke=True)
def in_answers():
    answers = SHARED.get().answers
    expect(len(answers) >= 30, "few answers")
    for data, answer in answers:
        expect(answer.status >= 400, f"not refused: {data!r} {answer!r}")
        search(answer.raw_head + answer.body, f"the answer to {data!r}")


@case("not in the metrics", smoke=True)
def in_metrics():
    search(SHARED.get().metrics, "/metrics")


@case("not on standard error, and not in the access log", smoke=True)
def in_logs():
    scene = SHARED.get().scene
    search(scene.stderr().encode(), "standard error")
    deadline, log = time.monotonic() + 20 * settings.PATIENCE, b""
    while log.count(b"\n") < 20 and time.monotonic() < deadline:  # a thread of its own writes it
        time.sleep(0.02)
        with open(scene.access_log, "rb") as file:
            log = file.read()
    expect(log.count(b"\n") >= 20, f"few lines: {shown(log)}")
    search(log, "the access log")
    for word in (b"/contact", b"email", b"127.0.0.1"):
        equal(word in log, False, f"{word!r} in the access log")


@case("not in any file of the data directory, running and stopped", smoke=True)
def in_data():
    scene = SHARED.get().scene

    def look():
        count = 0
        for path, folders, files in os.walk(scene.data):
            for name in folders + files:
                search(os.path.join(path, name).encode(), "a file's name")
            for name in files:
                try:
                    with open(os.path.join(path, name), "rb") as file:
                        data = file.read()
                except FileNotFoundError:
                    expect(scene.process is not None, f"{name} is gone")  # the running store removes files of its own
                    continue
                search(data, os.path.relpath(os.path.join(path, name), scene.folder))
                count += 1
        return count

    expect(look() >= 8, "few files")
    scene.stop()
    look()
    # The store was compacted or replayed by a start: look again.
    scene.start()
    scene.stop()
    look()
    search(scene.stderr().encode(), "standard error")

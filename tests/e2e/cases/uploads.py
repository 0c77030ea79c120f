"""Uploads: streamed through, in bounded memory; fields protected wherever they lie; pictures freed of
their metadata; and what goes wrong never comes to a clean end at the application."""

import io
import json
import os
import socket
import tempfile
import threading
import time

from support import figures, settings, tokens, wire
from support.case import Shared, case, equal, expect, lacks, not_installed
from support.gateway import Scene, run
from support.upstream import Upstream

# What the policies of these cases and of upload_rules.py have in common.
HEAD = """\
policy: 1
tenant: atelier
roles: { dpo: { reveal: clear, subjects: true }, support: { reveal: masked } }
recipients: { crm: { name: Atelier CRM, country: FR } }
purposes:
  jobs: { basis: contract, retention: { from: collection, active: P1Y }, reveal: [dpo, support] }
"""
TO_CRM = """\
    upstream: UPSTREAM
    recipient: crm
    purpose: jobs
"""
ELSEWHERE = "elsewhere: { methods: [GET, HEAD], upstream: UPSTREAM, do: pass }\n"


def policy_of(routes, head=HEAD):
    """A policy of these routes, whose upstream, recipient and purpose are written `to: crm`."""
    return head + "routes:\n" + routes.replace("    to: crm\n", TO_CRM) + ELSEWHERE


FIELDS = """
      multipart.name:  { kind: name, do: tokenise }
      multipart.email: { kind: email, do: tokenise, mode: derived }
      multipart.note:  { do: keep }
      multipart.cv:    { file: pass }
      multipart.cv > file-name: { do: tokenise }
      multipart.photo: { file: pass, metadata: strip }
      multipart.spare: { file: drop }
"""
POLICY = policy_of("""\
  - name: apply
    match: { method: POST, path: /apply }
    to: crm
    fields: &fields
  - name: any
    match: { method: POST, path: /any }
    to: crm
    stream: any-order
    fields: &fields
  - name: plain
    match: { method: POST, path: /plain }
    to: crm
    fields:
      multipart.note: { do: keep }
      multipart.data: { file: pass }
      multipart.data > file-name: { do: keep }
  - name: buffered
    match: { method: POST, path: /buffered }
    to: crm
    fields:
      multipart.name: { kind: name, do: tokenise }
  - name: files
    match: { method: POST, path: /files }
    to: crm
    fields:
      multipart.id: { file: encrypt }
  - name: identity
    match: { method: POST, path: /identity }
    to: crm
    subject: multipart.email
    fields:
      multipart.email: { kind: email, do: tokenise, erasable: subject }
      multipart.id: { file: encrypt }
      multipart.bound: { file: encrypt }
      multipart.bound > content: { do: encrypt, erasable: subject }
      multipart.sealed: { file: encrypt }
      multipart.sealed > content: { do: encrypt, to: hr }
""".replace("&fields", FIELDS), HEAD + "public-keys: { hr: { key: 'PUBLIC' } }\n")

FOLDER = tempfile.TemporaryDirectory(prefix="paravent-e2e-hr-")
HR_KEY = os.path.join(FOLDER.name, "hr.key")


def policy(upstream="UPSTREAM"):
    if not os.path.exists(HR_KEY):
        done = run("keypair", "--out", HR_KEY, "--json")
        equal(done.returncode, 0, done.err)
        with open(HR_KEY + ".public", "w", encoding="utf-8") as out:
            out.write(json.loads(done.out)["public_key"])
    with open(HR_KEY + ".public", encoding="utf-8") as public:
        return POLICY.replace("PUBLIC", public.read()).replace("UPSTREAM", upstream)


SHARED = Shared(lambda: Scene(policy=policy(), limits={"file-bytes": "8MiB", "form-bytes": "64KiB"}))
NAME = b"M\xc3\xa9lanie Quentin"


def field(name, value):
    value = value if isinstance(value, bytes) else value.encode()
    return (
        f'--{wire.BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
    )


def file(name, content, file_name="cv de M\u00e9lanie Quentin.pdf", content_type="application/pdf"):
    return (
        f'--{wire.BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n".encode() + content + b"\r\n"
    )


END = f"--{wire.BOUNDARY}--\r\n".encode()


def post(body, target="/apply", headers=()):
    return wire.request("POST", target, body, wire.MULTIPART, headers=headers)


def chunked_post(body, step, target="/apply"):
    head = wire.head("POST", target, [("Content-Type", wire.MULTIPART), ("Transfer-Encoding", "chunked")])
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(body[at : at + step]), body[at : at + step]) for at in range(0, len(body), step)
    )
    return head + chunks + b"0\r\n\r\n"


def received(scene, data):
    """The upstream's view of one request that is let through."""
    scene.upstream.clear()
    with scene.wire() as connection:
        connection.send(data)
        answer = connection.answer()
    equal(answer.status, 200, f"{answer}")
    equal(scene.upstream.count(), 1, "requests upstream")
    return scene.upstream.requests[0]


def parts(body):
    """name -> (file name or None, content) of what the application got."""
    found = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + wire.BOUNDARY.encode())[1:-1]:
        head, content = part.split(b"\r\n\r\n", 1)
        name = head.split(b'name="', 1)[1].split(b'"', 1)[0].decode()
        file_name = head.split(b'filename="', 1)[1].split(b'"', 1)[0].decode() if b"filename=" in head else None
        found.setdefault(name, []).append((file_name, content))
    return found


@case("an application with a file: fields and the file's name are protected, the file is as it was", smoke=True)
def application():
    scene = SHARED.get()
    content = os.urandom(3_000_000)
    body = field("name", NAME) + field("email", "melanie@example.fr") + field("note", "x") + file("cv", content) + END
    request = received(scene, post(body))
    equal(request.header("Transfer-Encoding"), "chunked", "the framing of a streamed body")
    equal(request.header("Content-Length"), None, "one framing")
    seen = parts(request.body)
    tokens.vault(seen["name"][0][1].decode())
    tokens.derived(seen["email"][0][1].decode())
    equal(seen["cv"][0][1] == content, True, "the content, byte for byte")
    name = seen["cv"][0][0]
    expect(name.endswith(".pdf"), f"the ending stays: {name}")
    tokens.vault(name[: -len(".pdf")])
    lacks(request.raw, b"Quentin", "upstream")
    revealed = scene.admin.reidentify(scene.dpo, [name[: -len(".pdf")]], "jobs")
    equal(revealed[0]["status"], "revealed", "the name of the file")
    equal(revealed[0]["value"], "cv de M\u00e9lanie Quentin.pdf", "the name of the file")
    equal(revealed[0]["fields"], ["multipart.cv > file-name"], "its field")


@case("a small upload is held back until it is whole and has a length")
def small():
    request = received(SHARED.get(), post(field("note", "x") + file("photo", b"", "x.png") + file("cv", b"abc") + END))
    equal(request.header("Transfer-Encoding"), None, "no chunks")
    equal(int(request.header("Content-Length")), len(request.body), "the length")


@case("what no rule touches goes on byte for byte, with the client's length")
def identity():
    scene = SHARED.get()
    for size in (0, 1, 70_000, 1_000_000):
        content = os.urandom(size) + b"\r\n--" + wire.BOUNDARY.encode()[:-1]
        body = field("note", "one") + file("data", content, "n.bin") + field("note", "two") + END
        request = received(scene, post(body, "/plain"))
        equal(request.body == body, True, f"{size} bytes")
        equal(int(request.header("Content-Length")), len(body), "the length")
        request = received(scene, chunked_post(body, 10_000, "/plain"))
        equal(request.body == body, True, f"{size} bytes in chunks")


@case("any splitting into segments and chunks gives the same")
def splitting():
    scene = SHARED.get()
    content = b"\r\n--x" * 20_000
    body = field("email", "melanie@example.fr") + file("spare", b"gone") + file("cv", content, "a.txt") + END
    expected = parts(received(scene, post(body)).body)
    equal(sorted(expected), ["cv", "email"], "parts")
    for step in (7, 1000, 65_536):
        equal(parts(received(scene, chunked_post(body, step)).body), expected, f"chunks of {step}")
    small = field("email", "melanie@example.fr") + file("spare", b"gone") + file("cv", b"\r\n--x", "a.txt") + END
    expected = parts(received(scene, post(small)).body)
    scene.upstream.clear()
    with scene.wire() as connection:
        connection.send_slowly(post(small))
        equal(connection.answer().status, 200, "byte by byte")
    equal(parts(scene.upstream.requests[0].body), expected, "byte by byte")
    equal(parts(received(scene, chunked_post(small, 1)).body), expected, "chunks of one")


@case("two uploads follow each other on one connection, and one waits for 100 Continue")
def kept_alive():
    scene = SHARED.get()
    body = field("note", "x") + file("cv", b"y" * 200_000) + END
    scene.upstream.clear()
    with scene.wire() as connection:
        connection.send(post(body) + chunked_post(body, 50_000) + post(body))
        for _ in range(3):
            equal(connection.answer().status, 200, "each")
        connection.send(wire.head("POST", "/apply", [("Content-Type", wire.MULTIPART),
                                                     ("Content-Length", str(len(body))),
                                                     ("Expect", "100-continue")]))
        equal(connection.answer(interim=True).status, 100, "go on")
        connection.send(body)
        equal(connection.answer().status, 200, "the fourth")
    equal(scene.upstream.count(), 4, "requests")
    equal({len(r.body) for r in scene.upstream.requests}, {len(scene.upstream.requests[0].body)}, "all alike")


@case("any-order: a field behind a file is protected before it leaves")
def late_fields():
    scene = SHARED.get()
    body = file("cv", b"y" * 300_000) + field("name", NAME) + file("cv", b"z") + field("email", "m@example.fr") + END
    request = received(scene, post(body, "/any"))
    seen = parts(request.body)
    tokens.vault(seen["name"][0][1].decode())
    tokens.derived(seen["email"][0][1].decode())
    lacks(request.raw, b"Quentin", "upstream")
    # The same order where the route does not say so.
    refused(scene, body, "late-field", 422, begun=True)


def refused(scene, body, reason, status, target="/apply", begun=None, data=None):
    """Refused; and the application has seen nothing, or a request without an end."""
    scene.upstream.clear()
    scene.upstream.broken.clear()
    with scene.wire() as connection:
        try:
            connection.send(data if data is not None else post(body, target))
        except OSError:
            pass
        answer = connection.answer()
        equal((answer.status, answer.json()["reason"]), (status, reason), "the answer")
        if target != "/buffered":
            expect(connection.is_closed(), "what is left of the body stands where a head would")
    equal(scene.upstream.count(), 0, f"whole requests upstream for {reason}")
    if begun:
        deadline = time.monotonic() + 5 * settings.PATIENCE
        while not scene.upstream.broken and time.monotonic() < deadline:
            time.sleep(0.01)
        equal(len(scene.upstream.broken), 1, f"requests broken off for {reason}")
        lacks(scene.upstream.broken[0][1], b"Quentin", "what the application saw")
    elif begun is False:
        equal(scene.upstream.broken, [], "requests begun")


@case("what is refused early never reaches the application; later it never comes to an end")
def faults():
    scene = SHARED.get()
    long = field("note", "x") + file("cv", b"y" * 200_000)
    for begin, begun in ((b"", False), (long, True)):
        for body, reason, status in (
            (field("who", NAME) + END, "unlisted-field", 422),
            (file("who", b"x") + END, "unlisted-field", 422),
            (file("note", b"x") + END, "unsupported-type", 415),
            (field("cv", "no file") + END, "refused-field", 422),
            (b"--" + wire.BOUNDARY.encode() + b"\r\nX: y\n\r\n", "malformed-body", 400),
            (file("cv", b"no end"), "malformed-body", 400),
            (file("photo", b"no picture", "x.jpg") + END, "transform-failed", 422),
            (file("photo", b"GIF89a with a comment", "x") + END, "transform-failed", 422),
            (field("note", "n" * 70_000) + END, "too-large", 413),
            (file("cv", b"x", "x", "multipart/mixed") + END, "unsupported-type", 415),
            (file("cv", b"x") * 130 + END, "too-large", 413),
        ):
            refused(scene, begin + body, reason, status, begun=begun)
    refused(scene, b"", "too-large", 413, begun=False, data=wire.head(
        "POST", "/apply", [("Content-Type", wire.MULTIPART), ("Content-Length", str(9 << 20))]))
    refused(scene, b"", "unsupported-encoding", 415, begun=False,
            data=post(long + END, headers=[("Content-Encoding", "gzip")]))
    refused(scene, file("name", b"x") + END, "unsupported-type", 415, "/buffered", begun=False)
    bad_chunk = chunked_post(long + END, 150_000).replace(b"\r\n0\r\n\r\n", b"\r\nzz\r\n")
    refused(scene, b"", "framing", 400, begun=True, data=bad_chunk)
    # More files than file-bytes, without a length that would tell.
    big = chunked_post(file("cv", b"y" * (9 << 20)) + END, 1 << 20)
    refused(scene, b"", "too-large", 413, begun=True, data=big)


@case("a client that goes away in the middle breaks the application's request off")
def truncated():
    scene = SHARED.get()
    body = field("note", "x") + file("cv", b"y" * 400_000) + END
    for whole in (post(body), chunked_post(body, 20_000)):
        for cut in (len(whole) // 2, len(whole) - 3):
            scene.upstream.clear()
            scene.upstream.broken.clear()
            with scene.wire() as connection:
                connection.send(whole[:cut])
                time.sleep(0.05)
            deadline = time.monotonic() + 5 * settings.PATIENCE
            while not scene.upstream.broken and time.monotonic() < deadline:
                time.sleep(0.01)
            equal(len(scene.upstream.broken), 1, "requests broken off")
            equal(scene.upstream.count(), 0, "whole requests")


@case("an application that answers early, or goes away, ends the upload at once")
def early_answer():
    listener = socket.create_server(("127.0.0.1", 0))
    answers = [b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno", None]
    answered = threading.Event()

    def serve():
        for answer in answers:
            connection, _ = listener.accept()
            while b"\r\n\r\n" not in connection.recv(65536):
                pass
            if answer:
                connection.sendall(answer)
                # Not before the gateway has seen it: closing with bytes unread is a reset, which overtakes the answer.
                answered.wait(60 * settings.PATIENCE)
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    upstream = Upstream()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with Scene(policy=policy(url), upstream=upstream) as scene:
        head = wire.head("POST", "/apply", [("Content-Type", wire.MULTIPART), ("Content-Length", "50000000")])
        for status in (413, 502):
            with scene.wire() as connection:
                connection.send(head + file("cv", b"y" * 200_000)[:-2])
                equal(connection.answer().status, status, "the answer")
                expect(connection.is_closed(), "the rest of the body stands where a head would")
                answered.set()
    listener.close()


class Sink:
    """An application that throws bodies away as they come, at most `rate` bytes a second."""

    def __init__(self, rate=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.bytes = 0
        self.rate = rate
        self.go = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        if self.rate == 0:
            self.go.wait(60 * settings.PATIENCE)
        buffer = bytearray(1 << 18)
        tail = end = b""
        while True:
            try:
                size = connection.recv_into(buffer)
            except ConnectionResetError:
                return  # broken off by the gateway
            if size == 0:
                return
            # Ciphertext ends a chunk with two dashes once in 65 536, so the framing decides what the end looks like.
            if not end:
                end = b"\r\n0\r\n\r\n" if b"transfer-encoding: chunked" in bytes(buffer[:size]).lower() else b"--\r\n"
            self.bytes += size
            tail = (tail + bytes(buffer[max(0, size - 8) : size]))[-8:]
            if tail.endswith(end):
                end = b""
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def memory(pid, what="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(what + ":"):
                return int(line.split()[1]) * 1024
    return 0


def upload(connection, size, target="/apply", piece=1 << 20, part="cv"):
    head = file(part, b"")[:-2]
    length = len(head) + size + 2 + len(END)
    connection.send(wire.head("POST", target, [("Content-Type", wire.MULTIPART), ("Content-Length", str(length))]))
    connection.send(head)
    block = b"y" * piece
    for _ in range(size // piece):
        connection.send(block)
    connection.send(b"\r\n" + END)


@case("a large upload takes no memory, whatever its size", smoke=True)
def bounded_memory(size=128 << 20, target="/apply", part="cv"):
    sink = Sink()
    with Scene(policy=policy(sink.url), limits={"file-bytes": "20GiB"}, workers=1) as scene:
        with scene.wire(timeout=120) as connection:
            upload(connection, 4 << 20, target, part=part)
            equal(connection.answer().status, 200, "a first one, so that everything is there")
        before = memory(scene.process.pid)
        with scene.wire(timeout=120) as connection:
            upload(connection, size, target, part=part)
            peak = memory(scene.process.pid, "VmHWM")
            equal(connection.answer().status, 200, "the large one")
        expect(sink.bytes > size, f"{sink.bytes} bytes arrived")
        # The sanitizers keep freed memory for a while.
        slack = 64 << 20 if settings.SLOWNESS > 1 else 1 << 20
        expect(peak - before <= slack, f"the process grew by {(peak - before) >> 10} KiB")
    sink.close()


@case("64 uploads whose application reads nothing hold 256 KiB each at most, and end")
def stalled_uploads():
    sink = Sink(rate=0)
    uploads = 64
    with Scene(policy=policy(sink.url), limits={"file-bytes": "1GiB"}, workers=1, environment=figures.AT_ONCE) as scene:
        with scene.wire() as connection:
            connection.send(post(field("who", "x") + END))
            connection.answer()
        before = memory(scene.process.pid)
        statuses = []

        def send():
            with scene.wire(timeout=60) as connection:
                upload(connection, 8 << 20)
                statuses.append(connection.answer().status)

        threads = [threading.Thread(target=send) for _ in range(uploads)]
        for thread in threads:
            thread.start()
        time.sleep(1.0)
        grown = memory(scene.process.pid) - before
        if not settings.SLOWNESS > 1:
            expect(grown <= uploads * (256 << 10), f"{grown // uploads >> 10} KiB an upload")
        sink.go.set()
        for thread in threads:
            thread.join()
        equal(statuses, [200] * uploads, "all end well")
    sink.close()


def picture_library():
    try:
        from PIL import Image, PngImagePlugin
    except ImportError:
        raise not_installed("python3-pil") from None
    return Image, PngImagePlugin


@case("pictures lose position, device and author, and still open with the same pixels", smoke=True)
def pictures():
    image, png = picture_library()
    scene = SHARED.get()
    source = image.effect_mandelbrot((320, 200), (-2, -1.2, 1, 1.2), 80).convert("RGB")
    exif = image.Exif()
    exif[0x010F] = "Canary Camera"
    exif[0x013B] = "Melanie Quentin"
    exif[0x0112] = 6
    exif[0xA431] = "SERIAL-4711"
    position = exif.get_ifd(0x8825)
    position[1], position[2] = "N", (48.0, 51.0, 29.0)
    position[3], position[4] = "E", (2.0, 17.0, 40.0)
    info = png.PngInfo()
    info.add_text("Author", "Melanie Quentin")
    info.add_itxt("Comment", "taken at home", zip=True)
    for form, options in (
        ("JPEG", {"exif": exif, "comment": b"Quentin", "quality": 85}),
        ("JPEG", {"exif": exif, "progressive": True, "icc_profile": b"profile" * 100}),
        ("PNG", {"exif": exif, "pnginfo": info}),
    ):
        made = io.BytesIO()
        source.save(made, form, **options)
        original = made.getvalue()
        expect(b"Quentin" in original, "the picture tells its author")
        ending = {"JPEG": "jpg", "PNG": "png"}[form]
        for padding in (b"", b"y" * 200_000):
            body = file("cv", padding) + file("photo", original, f"quentin.{ending}", f"image/{form.lower()}") + END
            file_name, content = parts(received(scene, post(body)).body)["photo"][0]
            equal(file_name, f"file.{ending}", "the name")
            for secret in (b"Quentin", b"Canary", b"SERIAL", b"taken at home"):
                lacks(content, secret, "the picture")
            opened = image.open(io.BytesIO(content))
            equal(opened.format, form, "format")
            equal(opened.tobytes() == image.open(io.BytesIO(original)).tobytes(), True, "pixels")
            left = dict(opened.getexif())
            equal(left, {0x0112: 6} if form == "JPEG" else {}, "what the picture still says")
            equal(opened.getexif().get_ifd(0x8825), {}, "position")
            equal(opened.info.get("icc_profile") == options.get("icc_profile"), True, "colour profile")


@case("explain shows what becomes of a file's name")
def explained():
    scene = SHARED.get()
    path = os.path.join(scene.folder, "upload.http")
    with open(path, "wb") as out:
        out.write(post(field("note", "x") + file("cv", b"content") + file("spare", b"y") + END))
    done = run("explain", scene.policy_file, "--request", path)
    equal(done.returncode, 0, done.err)
    expect("multipart.cv > file-name" in done.out, done.out)


def reveal_file(scene, path, out, reason="an application was withdrawn", purpose="jobs"):
    return run(
        "reidentify", "--purpose", purpose, "--reason", reason, "--admin", scene.admin.url,
        "--credential-file", scene.credential_file(), "--file", path, "--out", out,
    )


def write(path, content):
    with open(path, "wb") as out:
        out.write(content)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


@case("an encrypted file opens for the role that may, on the record, and for nobody else", smoke=True)
def encrypted():
    scene = SHARED.get()
    for size in (0, 10, 1_000_000):
        content = (b"passport of Quentin " * (size // 20 + 1))[:size]
        body = field("email", "melanie@example.fr") + file("id", content, "x.pdf") + file("bound", content) + END
        seen = parts(received(scene, post(body, "/identity")).body)
        for name in ("id", "bound"):
            stored = seen[name][0][1]
            lacks(stored, b"Quentin", "what the application stores")
            path = write(os.path.join(scene.folder, f"{name}-{size}.stored"), stored)
            out = os.path.join(scene.folder, f"{name}-{size}.clear")
            done = reveal_file(scene, path, out)
            equal(done.returncode, 0, done.err)
            equal(read(out) == content, True, "the content")
            equal(os.stat(out).st_mode & 0o777, 0o600, "who may read it")
    # The entry is there, and it names the field.
    revealed = scene.admin.reidentify(scene.dpo, [stored.split(b"\n")[1].decode()], "jobs")[0]
    equal(revealed["fields"], ["multipart.bound > content"], "its field")
    # Not over a file that is there, and not what was cut off, altered or is something else.
    equal(reveal_file(scene, path, out).returncode, 2, "over a file")
    for name, bad, code in (
        ("cut", stored[:-1], 4), ("chunk", stored[: len(stored) - 70_000], 4), ("more", stored + b"x", 4),
        ("altered", stored[:-100] + bytes([stored[-100] ^ 1]) + stored[-99:], 4), ("other", b"%PDF-1.7", 4),
    ):
        target = os.path.join(scene.folder, name + ".clear")
        done = reveal_file(scene, write(os.path.join(scene.folder, name), bad), target)
        equal(done.returncode, code, f"{name}: {done.err}")
        equal(os.path.exists(target), False, f"{name}: nothing is left behind")
    equal(reveal_file(scene, path, out + "2", purpose="other").returncode in (3, 7), True, "another purpose")
    # A person's erasure ends what is bound to the person, and only that.
    done = run("subjects", "erase", "--kind", "email", "--reason", "erasure", "--admin", scene.admin.url,
               "--credential-file", scene.credential_file(), stdin=b"melanie@example.fr")
    equal(done.returncode, 0, done.err)
    done = reveal_file(scene, path, out + "3")
    equal(done.returncode, 7, done.err)
    done = reveal_file(scene, os.path.join(scene.folder, "id-10.stored"), out + "4")
    equal(done.returncode, 0, done.err)


@case("a file encrypted to a public key opens with the private one, offline, and not with the gateway's")
def sealed():
    scene = SHARED.get()
    content = os.urandom(200_000)
    body = field("email", "seal@example.fr") + file("sealed", content) + END
    path = write(os.path.join(scene.folder, "sealed"), parts(received(scene, post(body, "/identity")).body)["sealed"][0][1])
    done = reveal_file(scene, path, path + ".clear")
    equal(done.returncode, 7, done.err)
    contexts = os.path.join(scene.folder, "contexts")
    equal(scene.stop(), 0, "stopped")
    done = run("contexts", "--data", scene.data, "--root-key", scene.root_key, contexts)
    equal(done.returncode, 0, done.err)
    scene.start()
    done = run("open", "--key", HR_KEY, "--contexts", contexts, "--file", path, "--out", path + ".clear")
    equal(done.returncode, 0, done.err)
    equal(read(path + ".clear") == content, True, "the content")

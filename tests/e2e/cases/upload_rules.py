"""What files are let through by: conditions and routes that a field of the form tells apart; pictures that are freed of
their metadata and then encrypted; and uploads while the vault is sealed."""

import contextlib
import io
import json
import os
import tempfile
import time

from cases.unsealing import PASSPHRASE, passphrase_scene, seal, unseal
from cases.uploads import (END, HEAD, Sink, field, file, memory, parts, picture_library, policy_of, post, read,
                           received, refused, reveal_file, write)
from support import figures, gateway, settings, tokens, wire
from support.case import Shared, case, equal, expect, lacks
from support.gateway import Scene

POLICY = policy_of("""\
  - name: survey
    match: { method: POST, path: /survey }
    to: crm
    fields:
      multipart.consent: { do: keep }
      multipart.email: { kind: email, do: tokenise, when: { form.consent: ['on', '1'] }, else: drop }
      multipart.photo: { file: encrypt, metadata: strip, when: { form.consent: ['on', '1'] }, else: drop }
      multipart.cv: { file: pass }
  - name: apply
    match: { method: POST, path: /wp-admin/admin-ajax.php, when: { form.action: apply } }
    to: crm
    php-names: on
    fields:
      multipart.action: { do: keep }
      multipart.name: { kind: name, do: tokenise }
      multipart.cv: { file: encrypt }
  - name: news
    match: { method: POST, path: /wp-admin/admin-ajax.php, when: { form.action: news } }
    to: crm
    php-names: on
    fields:
      form.action: { do: keep }
      form.name: { do: drop }
      multipart.action: { do: keep }
      multipart.name: { do: drop }
  - name: named
    match: { method: POST, path: /named }
    to: crm
    fields:
      multipart.consent: { do: keep }
      multipart.cv: { file: pass }
      multipart.cv > file-name: { do: keep, when: { form.consent: 'on' }, else: tokenise }
  - name: scans
    match: { method: POST, path: /scans }
    to: crm
    fields:
      multipart.scan: { file: encrypt }
      multipart.both: { file: encrypt, metadata: strip }
""")
SHARED = Shared(lambda: Scene(policy=POLICY, limits={"file-bytes": "8MiB", "form-bytes": "64KiB"}))
AJAX = "/wp-admin/admin-ajax.php"


def picture():
    image, _ = picture_library()
    exif = image.Exif()
    exif[0x013B] = "Melanie Quentin"
    exif[0x0112] = 6
    made = io.BytesIO()
    source = image.effect_mandelbrot((1600, 1200), (-2, -1.2, 1, 1.2), 90).convert("RGB")
    source.save(made, "JPEG", exif=exif, comment=b"Quentin", quality=95)
    return made.getvalue()


@case("a consent in front of the file decides about fields and files; behind it, it is refused", smoke=True)
def conditions():
    scene = SHARED.get()
    cv = file("cv", b"y" * 200_000)
    yes = field("email", "melanie@example.fr") + field("consent", "on") + cv + file("photo", picture(), "q.jpg") + END
    seen = parts(received(scene, post(yes, "/survey")).body)
    tokens.vault(seen["email"][0][1].decode())
    equal(seen["photo"][0][1][:16], b"paravent-file-1\n", "the picture is encrypted")
    for no in (field("consent", "off"), b""):
        body = field("email", "melanie@example.fr") + no + cv + file("photo", b"any", "q.jpg") + END
        seen = parts(received(scene, post(body, "/survey")).body)
        equal(sorted(set(seen) - {"consent"}), ["cv"], "what is left without consent")
    late = field("email", "melanie@example.fr") + cv + field("consent", "on") + END
    refused(scene, late, "late-field", 422, "/survey", begun=True)
    refused(scene, field("email", "m@example.fr") + file("cv", b"x") + field("consent", "on") + END, "late-field", 422,
            "/survey", begun=False)
    both = field("consent", "on") + field("consent", "off") + field("email", "m@example.fr") + cv + END
    refused(scene, both, "ambiguous-field", 422, "/survey", begun=False)


@case("one address serves forms with files and without; a field in front of the files tells them apart", smoke=True)
def groups():
    scene = SHARED.get()
    content = os.urandom(300_000)
    body = field("name", "Melanie Quentin") + field("action", "apply") + file("cv", content) + END
    request = received(scene, post(body, AJAX))
    seen = parts(request.body)
    tokens.vault(seen["name"][0][1].decode())
    path = write(os.path.join(scene.folder, "cv.stored"), seen["cv"][0][1])
    done = reveal_file(scene, path, path + ".clear")
    equal(done.returncode, 0, done.err)
    equal(read(path + ".clear") == content, True, "the content")
    seen = parts(received(scene, post(field("name", "Melanie") + field("action", "news") + END, AJAX)).body)
    equal(list(seen), ["action"], "by the other form's rules")
    form = wire.request("POST", AJAX, b"action=news&name=Melanie", wire.FORM)
    equal(received(scene, form).body, b"action=news", "in the other encoding")
    refused(scene, field("action", "news") + file("cv", b"x") + END, "unlisted-field", 422, AJAX, begun=False)
    refused(scene, field("action", "else") + file("cv", content) + END, "no-route", 404, AJAX, begun=False)
    refused(scene, file("cv", content) + field("action", "apply") + END, "no-route", 404, AJAX, begun=False)
    late = field("action", "apply") + file("cv", content) + field("action", "news") + END
    refused(scene, late, "late-field", 422, AJAX, begun=True)


@case("a picture loses its metadata before it is encrypted, and opens with the same pixels")
def stripped_and_encrypted():
    image, _ = picture_library()
    scene = SHARED.get()
    original = picture()
    expect(b"Quentin" in original and len(original) > 70_000, f"the picture tells its author, in {len(original)} bytes")
    body = field("consent", "1") + file("photo", original, "quentin.jpg", "image/jpeg") + END
    name, stored = parts(received(scene, post(body, "/survey")).body)["photo"][0]
    equal(name, "file.jpg", "the name")
    path = write(os.path.join(scene.folder, "photo.stored"), stored)
    done = reveal_file(scene, path, path + ".clear")
    equal(done.returncode, 0, done.err)
    clear = read(path + ".clear")
    lacks(clear, b"Quentin", "the picture")
    opened = image.open(io.BytesIO(clear))
    equal(opened.tobytes() == image.open(io.BytesIO(original)).tobytes(), True, "pixels")
    equal(dict(opened.getexif()), {0x0112: 6}, "what the picture still says")
    refused(scene, field("consent", "1") + file("photo", b"no picture", "x.jpg") + END, "transform-failed", 422,
            "/survey", begun=False)


@case("what is announced of an upload is what comes: its names cannot make it longer", smoke=True)
def announced():
    scene = SHARED.get()
    hidden = b"GET /wp-admin/secret HTTP/1.1\r\nHost: x\r\nX-Pad: ppp\r\n\r\n"
    for consent in ("on", "no"):
        body = field("consent", consent) + file("cv", b"x" * 70_000, "a.txt") + file("cv", b"y" * 300 + hidden, "b.txt") * 3 + END
        request = received(scene, post(body, "/named"))
        seen = parts(request.body)
        equal([f[1] for f in seen["cv"]][1:], [b"y" * 300 + hidden] * 3, "contents")
        if request.header("Content-Length"):
            equal(int(request.header("Content-Length")), len(request.body), "the length")
        equal(seen["cv"][1][0].startswith("pvv1"), consent == "no", f"names: {seen['cv'][1][0]}")
        equal(scene.submit(post(field("consent", "no") + END, "/named")).target, "/named", "the next request on that connection")


def stall(scene, part, count):
    """So many uploads whose application reads nothing, until the gateway takes no more of them."""
    head = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffc0000b080100010001011100ffda0008010100003f00")
    begin = wire.head("POST", "/scans", [("Content-Type", wire.MULTIPART), ("Content-Length", str(64 << 20))])
    connections = []
    for _ in range(count):
        connection = scene.wire(timeout=10)
        connections.append(connection)
        connection.send(begin + file(part, b"")[:-2] + head)
        connection.socket.setblocking(False)
    for _ in range(60):
        for connection in connections:
            with contextlib.suppress(BlockingIOError):
                connection.socket.send(b"y" * 262_144)
        time.sleep(0.02)
    return connections


@case("64 stalled uploads that are encrypted, or freed of metadata before, hold 256 KiB each at most, and end")
def stalled_uploads():
    for part in ("scan", "both"):
        sink = Sink(rate=0)
        upstream = POLICY.replace("UPSTREAM", sink.url)
        with Scene(policy=upstream, limits={"file-bytes": "1GiB"}, workers=1, environment=figures.AT_ONCE) as scene:
            # With some there already, so that only what is an upload's own is counted.
            connections = stall(scene, part, 16)
            before = memory(scene.process.pid)
            connections += stall(scene, part, 64)
            grown = memory(scene.process.pid) - before
            for connection in connections:
                connection.close()
            if not settings.SLOWNESS > 1:
                expect(grown <= 64 * (256 << 10), f"{grown // 64 >> 10} KiB an upload ({part})")
            # The application reads on and gets what was held, and no end.
            sink.go.set()
            deadline = time.monotonic() + 30 * settings.PATIENCE
            while scene.admin.metric("paravent_connections_open") > 0:
                expect(time.monotonic() < deadline, "uploads whose clients have left stay open")
                time.sleep(0.05)
        sink.close()


SEALED = policy_of("""\
  - name: report
    match: { method: POST, path: /report }
    to: crm
    when-sealed: encrypt-to board
    fields:
      multipart.message: { kind: text, do: encrypt }
      multipart.topic: { do: keep }
      multipart.proof: { file: encrypt }
      multipart.scan: { file: pass }
  - name: apply
    match: { method: POST, path: /apply }
    to: crm
    fields:
      multipart.name: { kind: name, do: tokenise }
      multipart.cv: { file: pass }
""", HEAD + "public-keys: { board: { key: 'PUBLIC' } }\n")


@case("when-sealed: an upload goes on with its fields and files encrypted to the named key, all of them listed", smoke=True)
def when_sealed():
    content = os.urandom(200_000)
    report = (field("message", "secret word") + field("topic", "noise") + file("proof", content) +
              file("scan", b"y" * 100_000) + file("proof", b"second") + END)
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        private = os.path.join(folder, "board.key")
        told = json.loads(gateway.run("keypair", "--out", private, "--json").out)
        with passphrase_scene(policy=SEALED.replace("PUBLIC", told["public_key"])) as scene:
            scene.start()
            # Never unsealed with this policy: nobody knows the contexts yet.
            refused(scene, report, "sealed", 503, "/report", begun=False)
            equal(unseal(scene, PASSPHRASE).returncode, 0, "unseal")
            seen = parts(received(scene, post(report, "/report")).body)
            expect(seen["message"][0][1].startswith(b"pve_"), f"unsealed: {seen['message']}")
            equal(seal(scene).returncode, 0, "seal")
            scene.restart()
            seen = parts(received(scene, post(report, "/report")).body)
            expect(seen["message"][0][1].startswith(b"pvs_"), f"sealed: {seen['message']}")
            expect(seen["proof"][0][1].startswith(b"paravent-file-1\npvs_"), "a file's key is sealed too")
            refused(scene, field("name", "x") + file("cv", b"x") + END, "sealed", 503, "/apply", begun=False)
            equal(unseal(scene, PASSPHRASE).returncode, 0, "unseal")
            listed = gateway.run("keys", "when-sealed", "--admin", scene.admin.url, "--credential-file",
                                 scene.admin_credential_file())
            lines = [line.split(" ") for line in listed.out.splitlines()]
            names = ["multipart.message", "multipart.proof_>_content", "multipart.proof_>_content"]
            equal([line[3] for line in lines], names, f"the list: {listed.out}{listed.err}")
            equal([line[-1].encode() for line in lines[1:]], [f[1].split(b"\n")[1] for f in seen["proof"]], "the files' keys")
            contexts = os.path.join(folder, "contexts.json")
            done = gateway.run("contexts", "--data", scene.data, "--config", scene.config_file, contexts,
                               stdin=PASSPHRASE.encode() + b"\n")
            equal(done.returncode, 0, f"contexts: {done.err}")
            for (_, stored), clear in zip(seen["proof"], (content, b"second")):
                path = write(os.path.join(folder, f"proof-{len(clear)}"), stored)
                done = gateway.run("open", "--key", private, "--contexts", contexts, "--file", path, "--out", path + ".clear")
                equal(done.returncode, 0, f"open: {done.err}")
                equal(read(path + ".clear") == clear, True, "the content")

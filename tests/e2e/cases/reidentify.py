"""The way back: the admin API, the command, and the filter on a mail."""

import json

from support import gateway, tokens, wire
from support.case import Shared, case, contains, equal, expect, lacks
from support.gateway import Scene, one_sentence
from support.policies import WIDE

SHARED = Shared(lambda: Scene(policy=WIDE))


def contact(**fields):
    received = SHARED.get().submit(wire.request("POST", "/contact", wire.form(fields), wire.FORM))
    return dict(wire.form_fields(received.body))


def post(path, fields):
    received = SHARED.get().submit(wire.request("POST", path, wire.form(fields), wire.FORM))
    return dict(wire.form_fields(received.body))


def status_of(token, purpose="contact"):
    scene = SHARED.get()
    (result,) = scene.admin.reidentify(scene.dpo, [token], purpose)
    equal(sorted(result), ["status", "token"], "the keys of a result without a value")
    return result["status"]


@case("values are exact, with kind and fields, in the order that was asked", smoke=True)
def exact():
    scene = SHARED.get()
    fields = contact(
        name="  Ångström\u00a0 Zoë ", email="Z.Oe@Example.fr", phone="0612345678", message="a\r\nb\t€ \\ \""
    )
    asked = [fields["message"], fields["email"], fields["phone"], fields["name"], fields["email"]]
    results = scene.admin.reidentify(scene.dpo, asked)
    equal([r["token"] for r in results], asked, "the tokens, as they were asked")
    equal([r["status"] for r in results], ["revealed"] * 5, "statuses")
    wanted = ["a\r\nb\t€ \\ \"", "z.oe@example.fr", "+33612345678", "Ångström Zoë", "z.oe@example.fr"]
    equal([r["value"] for r in results], wanted, "values")
    equal([r["kind"] for r in results], ["text", "email", "phone", "name", "email"], "kinds")
    expect("form.email" in results[1]["fields"], f"fields: {results[1]['fields']}")
    expect("form.message" in results[0]["fields"], f"fields: {results[0]['fields']}")


@case("a shaped token is accepted whole, bare, and in upper case")
def spellings():
    scene = SHARED.get()
    email = contact(email="spelling@example.fr")["email"]
    bare = email.split("@")[0]
    for text in (email, bare, bare.upper()):
        (result,) = scene.admin.reidentify(scene.dpo, [text])
        equal((result["status"], result.get("value")), ("revealed", "spelling@example.fr"), text)


@case("malformed is what anyone could compute; unknown tokens are unavailable", smoke=True)
def malformed():
    fields = contact(email="a@example.fr", phone="0612345678", message="Bonjour")
    for token in (fields["email"].split("@")[0], fields["phone"], fields["message"]):
        wrong = [tokens.altered(token), token[:-1], token + "q", token[:10].upper() + token[10:]]
        for text in [*wrong, "", "hello", "pvv1", "pve_", "x@paravent.invalid"]:
            equal(status_of(text), "malformed", text)


@case("a token that was never minted, or was forged, is unavailable")
def unknown():
    # Well formed, by an independent writer: an unknown id under a known key id, and an unknown key id.
    key_id, payload = tokens.read(contact(email="a@example.fr")["email"].split("@")[0], "pvv")
    for forged in (tokens.write_vault(key_id, bytes(16)), tokens.write_vault(key_id ^ 0x5A5A5A, payload)):
        tokens.vault(forged)
        equal(status_of(forged), "unavailable", forged)


@case("a token of another purpose is unavailable, a barred purpose is 403", smoke=True)
def purposes():
    scene = SHARED.get()
    survey = post("/survey", {"email": "a@example.fr", "answer": "42"})
    equal(status_of(survey["email"], "contact"), "unavailable", "vault token of the survey")
    equal(status_of(survey["answer"], "contact"), "unavailable", "ciphertext of the survey")
    equal(scene.reveal([survey["email"]], "survey"), ["a@example.fr"], "for its own purpose")
    for purpose in ("sealed-purpose", "no-such-purpose"):
        status, headers, body = scene.admin.call(
            "POST",
            "/v1/reidentify",
            {"purpose": purpose, "reason": "x", "tokens": [survey["email"]]},
            scene.dpo,
        )
        equal(status, 403, f"purpose {purpose}")
        equal(headers["Content-Type"], "application/problem+json", "Content-Type")
        lacks(body.decode(), "a@example.fr", "the answer")


@case("pseudonyms never come back")
def pseudonym():
    # One way by construction: whether the answer says refused or unavailable, no value comes.
    scene = SHARED.get()
    token = contact(city="Lyon")["city"]
    (result,) = scene.admin.reidentify(scene.dpo, [token])
    expect(result["status"] in ("refused", "unavailable"), f"a pseudonym: {result}")
    equal("value" in result, False, "a value")


@case("the role's level decides: masked, replaced, refused", smoke=True)
def levels():
    for level in ("masked", "replaced", "refused"):
        policy = WIDE.replace("dpo: { reveal: clear }", "dpo: { reveal: %s }" % level)
        with Scene(policy=policy) as scene:
            fields = {"name": "Jean-Baptiste Dupont", "email": "jb.dupont@atelier.example"}
            fields["message"] = "Dupont a appelé"
            received = scene.submit(wire.request("POST", "/contact", wire.form(fields), wire.FORM))
            seen = dict(wire.form_fields(received.body))
            results = scene.admin.reidentify(scene.dpo, [seen[name] for name in fields])
            equal([result["status"] for result in results], [level] * 3, "statuses")
            for result in results:
                told = tokens.without(json.dumps(result, ensure_ascii=False))
                for part in ("upont", "appel"):
                    lacks(told, part, f"a value that is {level}")
                equal("value" in result, level != "refused", f"a value for {level}")


@case("without a credential or with a wrong one: 401, and counted as nothing", smoke=True)
def no_credential():
    scene = SHARED.get()
    token = contact(email="a@example.fr")["email"]
    body = {"purpose": "contact", "reason": "x", "tokens": [token]}
    wrong = [
        {},
        {"credential": "pvcred_" + "A" * 43},
        {"credential": scene.dpo + "x"},
        {"credential": scene.dpo[:-1]},
        {"credential": ""},
        {"headers": [("Authorization", f"Basic {scene.dpo}")]},
        {"headers": [("Authorization", scene.dpo)]},
    ]
    for how in wrong:
        status, headers, answer = scene.admin.call("POST", "/v1/reidentify", body, **how)
        equal((status, headers["Content-Type"]), (401, "application/problem+json"), f"{list(how)}")
        lacks(answer.decode(), "a@example.fr", "the answer")
        lacks(answer.decode(), scene.dpo, "the answer")


@case("the role admin never reveals", smoke=True)
def administrator():
    scene = SHARED.get()
    token = contact(email="a@example.fr")["email"]
    body = {"purpose": "contact", "reason": "x", "tokens": [token]}
    status, _, answer = scene.admin.call("POST", "/v1/reidentify", body, scene.administrator)
    equal(status, 403, "the administrator")
    lacks(answer.decode(), "a@example.fr", "the answer")


@case("what is not the JSON that is asked for: 400, never a crash")
def bad_requests():
    scene = SHARED.get()
    bodies = [
        b"", b"{", b"[]", b"null", b'"x"', b'{"purpose":"contact"}', b'{"purpose":1,"reason":"x","tokens":[]}',
        b'{"purpose":"contact","reason":"","tokens":["pvv1x"]}',
        b'{"purpose":"contact","reason":"x","tokens":"pvv1x"}',
        b'{"purpose":"contact","reason":"x","tokens":[1]}',
        b'{"purpose":"contact","reason":"x","tokens":["a"],"tokens":["b"]}',
        b'{"purpose":"contact","reason":"x","tokens":["a"],"unknown":1}',
        b"[" * 100000,
        json.dumps({"purpose": "contact", "reason": "x", "tokens": ["a"] * 200000}).encode(),
    ]  # fmt: skip
    for body in bodies:
        status, headers, _ = scene.admin.call("POST", "/v1/reidentify", body, scene.dpo)
        expect(status in (400, 413, 422), f"{body[:60]!r} answers {status}")
        equal(headers["Content-Type"], "application/problem+json", "Content-Type")
    for method, path, wanted in (("GET", "/v1/reidentify", 405), ("GET", "/v1/nothing", 404)):
        status, _, _ = scene.admin.call(method, path, credential=scene.dpo)
        equal(status, wanted, f"{method} {path}")


@case("re-identifications and refusals are counted", smoke=True)
def counters():
    scene = SHARED.get()
    token = contact(email="count@example.fr")["email"]
    name = "paravent_reidentifications_total"
    labels = {"role": "dpo", "purpose": "contact"}
    before = [
        scene.admin.metric(name, **labels, outcome=outcome) for outcome in ("revealed", "malformed")
    ]
    scene.admin.reidentify(scene.dpo, [token, token, "pvv1x"])
    after = [
        scene.admin.metric(name, **labels, outcome=outcome) for outcome in ("revealed", "malformed")
    ]
    equal([b - a for a, b in zip(before, after)], [2, 1], "revealed and malformed")
    lacks(scene.admin.metrics(), "count@example.fr", "/metrics")


# ---- the command ----


def command(*arguments, stdin=None, credential_file=None):
    scene = SHARED.get()
    return gateway.run(
        "reidentify", "--purpose", "contact", "--reason", "an end-to-end case", "--admin",
        scene.admin.url, "--credential-file", credential_file or scene.credential_file(), *arguments,
        stdin=stdin,
    )  # fmt: skip


@case("the command prints a line per token", smoke=True)
def command_tokens():
    fields = contact(name="Anne", email="anne@example.fr")
    done = command(fields["name"], fields["email"])
    equal((done.returncode, done.out, done.err), (0, "Anne\nanne@example.fr\n", ""), "the command")
    done = command("--json", fields["name"])
    (result,) = json.loads(done.out)["results"]
    equal((result["status"], result["value"]), ("revealed", "Anne"), "--json")
    done = command(fields["name"], "pvv1nothing")
    equal((done.returncode, done.out), (7, "Anne\n\n"), "one token that cannot be opened")
    contains(done.err, "malformed (no token, or one that was altered or cut)", "standard error")


@case("bytes that are not UTF-8 come back as they were protected")
def command_bytes():
    policy = WIDE.replace("kind: phone, do: tokenise", "kind: phone, on-error: protect-raw, do: tokenise")
    with Scene(policy=policy) as scene:
        body = b"phone=appeler+%E9t%E9"
        received = scene.submit(wire.request("POST", "/contact", body, wire.FORM))
        token = dict(wire.form_fields(received.body))["phone"]
        command = ["reidentify", "--purpose", "contact", "--reason", "an end-to-end case", "--admin", scene.admin.url,
                   "--credential-file", scene.credential_file()]  # fmt: skip
        done = gateway.run(*command, token)
        equal((done.returncode, done.stdout), (0, b"appeler \xe9t\xe9\n"), done.err)
        done = gateway.run(*command, "-", stdin=f"<{token}>".encode())
        equal((done.returncode, done.stdout), (0, b"<appeler \xe9t\xe9>"), done.err)
        (result,) = json.loads(gateway.run(*command, "--json", token).out)["results"]
        equal((result["value"], result["encoding"]), ("YXBwZWxlciDpdOk=", "base64"), "--json")


MAIL = """\
Subject: [website] {subject}
From: {email}

{name} <{email}> wrote, on {phone}:
> {message}
Reply to {email}. ({upper}!)
not tokens: pvv1hello anne@paravent.invalid {wrong}
"""


@case("the filter replaces the tokens in a notification mail and leaves every other byte", smoke=True)
def filter_mail():
    scene = SHARED.get()
    fields = contact(name="Anne Martin", email="anne@example.fr", phone="0612345678", message="Bonjour, €")
    other = tokens.altered(fields["name"])
    upper = fields["name"].upper()
    text = MAIL.format(**fields, subject=fields["name"], upper=upper, wrong=other).encode() + b"\xff\x00\r\n"
    clear = MAIL.format(
        name="Anne Martin", email="anne@example.fr", phone="+33612345678", message="Bonjour, €",
        subject="Anne Martin", upper="Anne Martin", wrong=other,
    ).encode() + b"\xff\x00\r\n"  # fmt: skip
    done = command("-", stdin=text)
    equal((done.returncode, len(done.err.splitlines())), (0, 1), f"the filter ({done.err})")
    contains(done.err, "damaged", "the word with a typing error is said")
    lacks(done.err, other, "but not repeated")
    equal(done.stdout, clear, "what it writes")
    scene.stop()
    scene.start()
    equal(command("-", stdin=text).stdout, clear, "the same after a restart")


@case("a token that cannot be opened stays in the text, and the exit code says so")
def filter_refused():
    fields = contact(name="Anne")
    survey = post("/survey", {"email": "a@example.fr", "answer": "42"})
    text = f"{fields['name']} and {survey['email']}\n".encode()
    done = command("-", stdin=text)
    equal((done.returncode, done.out), (7, f"Anne and {survey['email']}\n"), "the filter")
    one_sentence(done.err)
    done = command("-", stdin=b"no token at all\n")
    equal((done.returncode, done.out, done.err), (0, "no token at all\n", ""), "a text without tokens")
    done = command("--json", "-", stdin=b"no token at all\n")
    equal((done.returncode, done.out), (2, ""), "a text as JSON")
    one_sentence(done.err)


@case("the command's failures: no gateway 6, no or wrong credential 2 and 7, barred 7")
def command_failures():
    scene = SHARED.get()
    token = contact(name="Anne")["name"]
    done = command(token, credential_file=scene.credential_file() + "-missing")
    equal((done.returncode, done.out), (2, ""), "a credential file that is not there")
    one_sentence(done.err)
    wrong = scene.credential_file() + "-wrong"
    with open(wrong, "w", encoding="utf-8") as file:
        file.write("pvcred_" + "A" * 43)
    done = command(token, credential_file=wrong)
    equal((done.returncode, done.out), (7, ""), "a wrong credential")
    one_sentence(done.err)
    done = gateway.run(
        "reidentify", "--purpose", "contact", "--reason", "x", "--admin", "http://127.0.0.1:1",
        "--credential-file", scene.credential_file(), token,
    )  # fmt: skip
    equal((done.returncode, done.out), (6, ""), "nobody listens")
    one_sentence(done.err)
    done = gateway.run(
        "reidentify", "--purpose", "sealed-purpose", "--reason", "x", "--admin", scene.admin.url,
        "--credential-file", scene.credential_file(), token,
    )  # fmt: skip
    equal((done.returncode, done.out), (7, ""), "a barred purpose")
    one_sentence(done.err)
    done = gateway.run("reidentify", "--reason", "x", token)
    equal((done.returncode, done.out), (2, ""), "no purpose")


@case("the file that serve left holds a credential that the command takes")
def first_credentials_file():
    with Scene(policy=WIDE) as scene:
        received = scene.submit(wire.request("POST", "/contact", wire.form({"name": "Anne"}), wire.FORM))
        token = dict(wire.form_fields(received.body))["name"]
        arguments = [
            "reidentify", "--purpose", "contact", "--reason", "x", "--admin", scene.admin.url,
            "--credential-file", scene.first_credentials, token,
        ]  # fmt: skip
        done = gateway.run(*arguments)
        equal((done.returncode, done.out), (0, "Anne\n"), "the first use")
        done = gateway.run(*arguments)
        equal((done.returncode, done.out), (2, ""), "the second: the credential has left the file")
        one_sentence(done.err)

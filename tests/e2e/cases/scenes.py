"""The five deployments of DESIGN 1, each with its own example policy, as its files are shipped."""

import json
import os
import re

from support import tokens, wire
from support.case import case, equal, expect, lacks
from support.gateway import Scene

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "policies", "examples")
FIREFOX = [("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0")]


def scene(name):
    with open(os.path.join(EXAMPLES, name + ".yaml"), encoding="utf-8") as file:
        text = re.sub(r"http://127\.0\.0\.1:900\d", "UPSTREAM", file.read())
    return Scene(policy=text)


def post(running, path, body, kind, **more):
    return running.submit(wire.request("POST", path, body, kind, **more))


@case("training company: contact, newsletter to another domain, a survey that nobody can trace back", smoke=True)
def training_company():
    with scene("training-company") as running:
        fields = {"name": "Anne", "email": "anne@example.fr", "phone": "sur rendez-vous", "message": "Bonjour"}
        fields |= {"course": "C++", "consent": "1"}
        seen = dict(wire.form_fields(post(running, "/contact", wire.form(fields), wire.FORM, headers=FIREFOX).body))
        crm = tokens.email_shaped(seen["email"], "tokens.training.invalid")
        tokens.vault(seen["name"])
        tokens.vault(seen["phone"])
        equal((seen["course"], seen["consent"]), ("C++", "1"), "kept fields")
        asked = [seen["name"], seen["email"], seen["phone"], seen["message"]]
        equal(running.reveal(asked), ["Anne", "anne@example.fr", "sur rendez-vous", "Bonjour"], "values")

        for path in ("/newsletter/subscribe", "/newsletter/unsubscribe"):
            body = wire.form({"email": "anne@example.fr", "consent": "1", "utm": "spring"})
            received = post(running, path, body, wire.FORM, headers=[("Cookie", "a=1")])
            seen = dict(wire.form_fields(received.body))
            mailing = tokens.email_shaped(seen["email"], "tokens.training.invalid")
            equal((sorted(seen), received.values("Cookie")), (["consent", "email"], []), "what is left")
            expect(mailing != crm, "the mail provider and the CRM share a token")

        body = json.dumps({"email": "anne@example.fr", "answers": [{"grade": 5, "comment": "bien"}], "x": 1})
        seen = json.loads(post(running, "/survey", body, wire.JSON).body)
        tokens.pseudonym(seen["email"])
        tokens.encrypted(seen["answers"][0]["comment"])
        equal((seen["answers"][0]["grade"], "x" in seen), (5, False), "the rest of the survey")
        status, _, _ = running.admin.call(
            "POST", "/v1/reidentify",
            {"purpose": "satisfaction", "reason": "x", "tokens": [seen["email"]]}, running.dpo,
        )  # fmt: skip
        equal(status, 403, "a purpose that nobody may be asked for")


@case("IT services: a form that needs consent, an invoice, navigation without the visitor", smoke=True)
def it_services():
    with scene("it-services") as running:
        host = {"host": "www.it-services.example"}
        fields = {"company": "Atelier", "contact": "Anne", "email": "anne@example.fr", "need": "un site"}
        fields["consent"] = "1"
        seen = dict(wire.form_fields(post(running, "/quote", wire.form(fields), wire.FORM, **host).body))
        values = running.reveal([seen[name] for name in ("company", "contact", "email", "need")], "prospecting")
        equal(values, ["Atelier", "Anne", "anne@example.fr", "un site"], "values")
        without = wire.form({name: value for name, value in fields.items() if name != "consent"})
        without = wire.request("POST", "/quote", without, wire.FORM, **host)
        running.refused(without, 422, "missing-field", field="form.consent")
        running.refused(wire.request("POST", "/quote", wire.form(fields), wire.FORM), 404, "no-route")

        invoice = {
            "number": 17,
            "customer": {"name": "Anne", "email": "anne@example.fr", "address": "1 rue X"},
            "lines": [{"price": 1.50, "note": "pour Anne"}, {"price": 2, "note": ""}],
            "payment": {"iban": "FR7630006000011234567890189"},
        }
        received = post(
            running, "/api/invoices/17", json.dumps(invoice), wire.JSON, host="billing.it-services.example"
        )
        seen = json.loads(received.body)
        customer = seen["customer"]
        asked = [customer["name"], customer["address"], seen["lines"][0]["note"], seen["payment"]["iban"]]
        values = running.reveal(asked, "billing")
        equal(values, ["Anne", "1 rue X", "pour Anne", "FR7630006000011234567890189"], "values")
        equal((seen["number"], seen["lines"][1]), (17, {"price": 2, "note": ""}), "the rest")
        lacks(tokens.without(received.body.decode()), "Anne", "the invoice")

        target = "/collect?visitor=12345&page=%2Fhome&utm_source=x&screen=1920"
        headers = [("Cookie", "_visitor=12345; theme=dark"), *FIREFOX]
        received = running.submit(wire.request("GET", target, headers=headers, **host))
        query = dict(wire.form_fields(received.target.split("?", 1)[1].encode()))
        tokens.pseudonym(query["visitor"])
        equal(sorted(query), ["page", "utm_source", "visitor"], "parameters")
        equal(received.header("Cookie"), "theme=dark", "cookies")
        lacks(tokens.without(received.raw.decode()), "12345", "what the statistics receive")
        refused = wire.request("GET", "/collect?email=a%40example.fr", **host)
        running.refused(refused, 422, "refused-field", field="query.email")


@case("repair shop: Contact Form 7, comments, a sign-in that nobody touches, an order", smoke=True)
def repair_shop():
    with scene("repair-shop") as running:
        path = "/wp-json/contact-form-7/v1/contact-forms/12/feedback"
        fields = [
            ("_wpcf7", "12"), ("_wpcf7_unit_tag", "wpcf7-f12-o1"), ("your-name", "Anne"),
            ("your-email", "anne@example.fr"), ("your-subject", "Écran"), ("your-message", "cassé"),
            ("your-model", "X200"),
        ]  # fmt: skip
        received = post(running, path, wire.multipart(fields), wire.MULTIPART, headers=FIREFOX)
        seen = wire.multipart_fields(received.body)
        equal([name for name, _ in seen], [name for name, _ in fields], "names and order")
        equal(seen[:2], fields[:2], "the plug-in's own fields")
        equal(received.header("User-Agent"), "Mozilla/5.0 Firefox/127.0", "User-Agent")
        values = running.reveal([value for _, value in seen[2:]])
        equal(values, [value for _, value in fields[2:]], "values")

        fields = {"author": "Anne", "email": "anne@example.fr", "url": "https://anne.example", "comment": "Merci !"}
        headers = [("Cookie", "comment_author_1a2b=Anne; comment_author_email_1a2b=anne%40example.fr; wp=1")]
        received = post(running, "/wp-comments-post.php", wire.form(fields), wire.FORM, headers=headers)
        seen = dict(wire.form_fields(received.body))
        equal((sorted(seen), seen["comment"]), (["author", "comment", "email"], "Merci !"), "the comment")
        equal(received.header("Cookie"), "wp=1", "cookies")
        lacks(tokens.without(received.raw.decode()), "nne", "what WordPress receives")

        secret = wire.form({"login": "anne@example.fr", "password": "p%ss w&rd", "totp": "123456"})
        received = post(running, "/client/login", secret, wire.FORM)
        equal(received.body, secret, "the sign-in, byte for byte")
        lacks(running.stderr() + running.admin.metrics(), "p%ss", "logs and metrics")

        fields = {"first_name": "Anne", "address1": "1 rue X", "birth_date": "1980-02-29", "serial_number": "SN 1"}
        seen = dict(wire.form_fields(post(running, "/client/orders", wire.form(fields), wire.FORM).body))
        equal(running.reveal([seen[name] for name in fields], "repair"), list(fields.values()), "values")


@case("field app: nested JSON, a coarser position, logs where addresses stand anywhere", smoke=True)
def field_app():
    with scene("field-app") as running:
        host = {"host": "client-company.field.example"}
        quote = {
            "id": 9007199254740993,
            "customer": {"name": "Anne", "email": "anne@example.fr", "phone": "0612345678", "job_title": "CTO"},
            "technicians": [{"name": "Bob"}, {"name": "Chloé"}],
            "notes": "code 1234",
        }
        received = post(running, "/api/v1/quotes", json.dumps(quote), wire.JSON, **host)
        seen = json.loads(received.body)
        equal((seen["id"], "job_title" in seen["customer"]), (9007199254740993, False), "the rest")
        asked = [seen["customer"]["name"], *[one["name"] for one in seen["technicians"]], seen["notes"]]
        equal(running.reveal(asked, "intervention"), ["Anne", "Bob", "Chloé", "code 1234"], "values")

        body = b'{"technician":"Bob","points":[{"lat":48.856614,"lon":2.3522219,"altitude":35,"t":1}]}'
        seen = json.loads(post(running, "/api/v1/positions", body, wire.JSON, **host).body)
        for name, exact in (("lat", 48.856614), ("lon", 2.3522219)):
            told = float(seen["points"][0][name])
            expect(told != exact and abs(told - exact) <= 0.011, f"the position: {name} {told}")
        equal("altitude" in seen["points"][0], False, "the altitude")
        tokens.vault(seen["technician"])

        log = {"level": "info", "who": {"email": "bob@example.fr", "net": {"ip": "198.51.100.7"}},
               "events": [{"message": "Bob opened X", "device_id": "d-1"}]}  # fmt: skip
        received = post(running, "/api/v1/logs", json.dumps(log), "text/plain", **host)
        seen = json.loads(received.body)
        tokens.pseudonym(seen["who"]["email"])
        tokens.pseudonym(seen["events"][0]["device_id"])
        tokens.encrypted(seen["events"][0]["message"])
        equal((seen["level"], seen["who"]["net"]["ip"]), ("info", "198.51.0.0"), "level and address")


@case("learning platform: a sign-up typed twice, statements, a chat vendor, a job application", smoke=True)
def learning_platform():
    with scene("learning-platform") as running:
        fields = {"username": "anne", "password": "s3cret&", "email": "anne@example.fr", "email2": "Anne@example.fr",
                  "firstname": "Anne", "city": "Lyon", "profile_field_team": "A", "logintoken": "x"}  # fmt: skip
        seen = dict(wire.form_fields(post(running, "/login/signup.php", wire.form(fields), wire.FORM).body))
        equal(seen["email"], seen["email2"], "the address, typed twice")
        tokens.email_shaped(seen["email"])
        equal((seen["password"], seen["username"], seen["logintoken"]), ("s3cret&", "anne", "x"), "kept fields")
        equal("city" in seen, False, "the city")

        statement = {
            "actor": {"name": "Anne", "mbox": "mailto:anne@example.fr"},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
            "result": {"response": "42"},
            "context": {"team": {"member": [{"account": {"name": "anne", "homePage": "https://x.example"}}]}},
        }
        received = post(running, "/xapi/statements", json.dumps(statement), wire.JSON)
        seen = json.loads(received.body)
        equal(seen["verb"], statement["verb"], "the verb")
        asked = [seen["actor"]["name"], seen["actor"]["mbox"], seen["result"]["response"]]
        equal(running.reveal(asked, "learning"), ["Anne", "mailto:anne@example.fr", "42"], "values")
        lacks(tokens.without(received.body.decode()).lower(), "anne", "the statement")

        visitor = {"name": "Anne", "email": "anne@example.fr", "device": "iPhone"}
        message = {"visitor": visitor, "text": "Bonjour", "ref": "x"}
        headers = [*FIREFOX, ("Referer", "https://x.example/anne"), ("Cookie", "c=1")]
        headers.append(("X-Forwarded-For", "198.51.100.7"))
        received = post(running, "/chat/messages", json.dumps(message), wire.JSON, headers=headers)
        seen = json.loads(received.body)
        equal((sorted(seen), sorted(seen["visitor"])), (["text", "visitor"], ["email", "name"]), "what is left")
        equal(received.header("User-Agent"), "Mozilla/5.0 (compatible)", "User-Agent")
        equal(received.values("X-Forwarded-For"), ["0.0.0.0"], "the address")
        equal((received.values("Referer"), received.values("Cookie")), ([], []), "Referer and Cookie")

        parts = [("name", "Anne"), ("email", "anne@example.fr"), ("letter", "Bonjour"), ("position", "dev")]
        seen = dict(wire.multipart_fields(post(running, "/jobs/apply", wire.multipart(parts), wire.MULTIPART).body))
        values = running.reveal([seen["name"], seen["letter"]], "recruitment")
        equal((values, seen["position"]), (["Anne", "Bonjour"], "dev"), "values")
        (result,) = running.admin.reidentify(running.dpo, [seen["letter"]], "learning")
        equal(result["status"], "unavailable", "an application, asked for under another purpose")

"""People by the reference that lists name them by, and each right by the command."""

import datetime
import json
import os

from cases.subjects import POLICY, person, post, statuses, subjects
from support import gateway
from support.case import Shared, case, contains, equal, expect, lacks
from support.gateway import Scene

SHARED = Shared(lambda: Scene(policy=POLICY))


def today():
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()


def command(scene, door, *arguments, code=0, stdin=None):
    """What `paravent subjects DOOR` prints."""
    common = ["--admin", scene.admin.url, "--credential-file", scene.credential_file(), "--reason", "a request"]
    done = gateway.run("subjects", door, *common, *arguments, stdin=stdin)
    equal(done.returncode, code, f"subjects {door}: {done.err}")
    return done.out if code == 0 else done.err


def keys(scene, *arguments):
    where = ["--admin", scene.admin.url, "--credential-file", scene.admin_credential_file()]
    done = gateway.run("keys", *arguments, *where)
    equal(done.returncode, 0, f"keys {arguments}: {done.err}")
    return done.out


@case("who is due can be asked: the list names a reference, the reference leads to the address", smoke=True)
def due_to_address():
    scene = SHARED.get()
    sent = post(scene, "/contact", {"name": "As Ked", "email": "asked@example.fr"})
    due = json.loads(keys(scene, "due", "--within", "P9Y", "--json"))["subjects"]
    references = [one["reference"] for one in due if one["purpose"] == "contact"]
    expect(references, "nobody is due")
    contains(keys(scene, "due", "--within", "P9Y"), references[0], "what the command prints")
    found = {}
    for reference in references:
        out = command(scene, "locate", "--reference", reference)
        lacks(out, "example.fr", "the listing")
        found[reference] = sent["name"] in out
    (reference,) = [one for one, is_it in found.items() if is_it]
    values = json.loads(command(scene, "export", "--reference", reference, "--json"))["values"]
    equal(sorted(one["value"] for one in values), ["As Ked", "asked@example.fr"], "what can be written to")


@case("a reference means one person of one's own tenant; another, or one that is none, means nobody")
def references():
    scene = SHARED.get()
    post(scene, "/contact", {"name": "One", "email": "one@example.fr"})
    (found,) = subjects(scene, "locate", **person("one@example.fr"))["subjects"]
    by_reference = subjects(scene, "locate", reference=found["reference"])
    equal(by_reference["subjects"], [found], "by reference")
    equal(subjects(scene, "locate", reference="0" * 64)["subjects"], [], "nobody's")
    for wrong in ("", "9f2c", found["reference"].upper(), found["reference"] + "00", "g" * 64):
        subjects(scene, "locate", 400, reference=wrong)
    subjects(scene, "locate", 400, reference=found["reference"], tokens=["pvv1xyz"])
    subjects(scene, "locate", 400, reference=found["reference"], **person("one@example.fr"))
    contains(command(scene, "locate", "--reference", "0" * 64, code=7), "No value is bound", "nobody's, by the command")
    contains(command(scene, "locate", "--reference", "0" * 64, "--kind", "email", code=2), "Say who is meant", "two at once")


@case("a key out of use: nobody is said to be nobody, and an erasure by reference is one", smoke=True)
def out_of_use():
    with Scene(policy=POLICY) as scene:
        sent = post(scene, "/contact", {"name": "Ou T", "email": "out@example.fr", "phone": "0612345678", "message": "?"})
        (found,) = subjects(scene, "locate", **person("out@example.fr"))["subjects"]
        where = ["--admin", scene.admin.url, "--credential-file", scene.admin_credential_file(), "--reason", "an incident"]

        def turn(operation, key_class, code=0):
            listed = json.loads(scene.admin.call("GET", "/v1/keys", credential=scene.administrator)[2])["keys"]
            for key in listed:
                if key["class"] == key_class and key["primary"] and (key_class == "tenant" or key.get("domain") == "crm"):
                    done = gateway.run("keys", operation, key["id"], *where)
                    equal(done.returncode, code, f"keys {operation}: {done.err}")

        for key_class, hidden in (("tenant", ("name", "email", "phone", "message")), ("domain", ("name", "email", "phone", "message")),
                                  ("epoch", ("name", "email", "message"))):
            turn("disable", key_class)
            for door in ("locate", "export", "erase"):
                for field in hidden:
                    told = subjects(scene, door, 409, tokens=[sent[field]])
                    equal(told["reason"], "sealed", f"{door} by {field} under a disabled {key_class} key")
                if key_class == "tenant":
                    subjects(scene, door, 409, **person("out@example.fr"))
            told = command(scene, "erase", sent["name"], code=7)
            contains(told, "A key of this tenant is out of use", "what the command says")
            equal(len(subjects(scene, "locate", reference=found["reference"])["subjects"]), 1, "by reference")
            turn("enable", key_class)
            for field in hidden:
                equal(len(subjects(scene, "locate", tokens=[sent[field]])["subjects"]), 1, f"{field}, enabled again")

        turn("compromise", "tenant")
        subjects(scene, "erase", 409, **person("out@example.fr"))
        equal(subjects(scene, "erase", reference=found["reference"])["erased"], 1, "gone at once")
        turn("override", "tenant")
        equal(subjects(scene, "locate", **person("out@example.fr"))["subjects"], [], "gone for good")


@case("the command restricts and lifts it, objects and takes it back")
def marks():
    scene = SHARED.get()
    sent = post(scene, "/contact", {"name": "Mar Ked", "email": "marked@example.fr"})
    contains(command(scene, "restrict", sent["name"]), " restricted", "what it prints")
    equal(statuses(scene, [sent["name"]]), ["refused"], "restricted")
    lacks(command(scene, "restrict", "--lift", sent["name"]), " restricted", "lifted")
    equal(statuses(scene, [sent["name"]]), ["revealed"], "lifted")
    address = b"marked@example.fr\n"
    contains(command(scene, "object", "--kind", "email", stdin=address), " objected", "what it prints")
    expect(subjects(scene, "locate", tokens=[sent["name"]])["subjects"][0]["objected"], "objected")
    lacks(command(scene, "object", "--lift", "--kind", "email", stdin=address), " objected", "taken back")
    expect(not subjects(scene, "locate", tokens=[sent["name"]])["subjects"][0]["objected"], "taken back")


@case("the command tells of a contract's end, a case closed and a contact elsewhere; the due date moves")
def events():
    scene = SHARED.get()
    order = post(scene, "/order", {"name": "Ev Ent", "email": "events@example.fr"})

    def due(purpose, within):
        (found,) = subjects(scene, "locate", tokens=[order["name"]])["subjects"]
        listed = json.loads(keys(scene, "due", "--within", within, "--json"))["subjects"]
        return [one for one in listed if (one["reference"], one["purpose"]) == (found["reference"], purpose)]

    equal(due("billing", "P11Y"), [], "without an event a contract has no end")
    for event in ("contract-end", "case-closed"):
        out = command(scene, "events", "--purpose", "billing", "--event", event, "--day", "2026-01-31", order["name"])
        contains(out, "event 2026-01-31", event)
        equal(len(due("billing", "P11Y")), 1, f"{event}: ten years later")
        equal(due("billing", "P9Y"), [], f"{event}: not before")
        out = command(scene, "events", "--purpose", "billing", "--event", event, "--lift", order["name"])
        lacks(out, "event ", f"{event}, taken back")
        equal(due("billing", "P11Y"), [], f"{event}, taken back")
    out = command(scene, "events", "--purpose", "billing", "--event", "last-contact", "--day", today(), order["name"])
    contains(out, f"last contact {today()}", "a contact elsewhere")
    refused = command(scene, "events", "--purpose", "billing", "--event", "last-contact", "--lift", order["name"], code=2)
    contains(refused, "cannot be taken back", "a contact is no event that can be undone")
    refused = command(scene, "events", "--purpose", "nothing", "--event", "contract-end", "--day", today(), order["name"], code=2)
    contains(refused, "Nothing of this person is kept", "another purpose")


@case("an erasure says what went and prints its certificate; a file for it is asked for before anybody is erased")
def certificates():
    scene = SHARED.get()
    sent = post(scene, "/contact", {"name": "Cert Ified", "email": "certified@example.fr"})
    taken = os.path.join(scene.folder, "taken.certificate")
    with open(taken, "w", encoding="utf-8") as file:
        file.write("another's")
    for wrong in (taken, os.path.join(scene.folder, "nowhere", "certificate")):
        command(scene, "erase", "--certificate", wrong, sent["name"], code=4)
        equal(statuses(scene, [sent["name"]]), ["revealed"], f"nobody is erased: {wrong}")
    unwritten = os.path.join(scene.folder, "unwritten.certificate")
    refused = command(scene, "erase", "--certificate", unwritten, "pvv1nobody", code=7)
    contains(refused, "1 of 1 token leads to nobody", "a token that is none")
    expect(not os.path.exists(unwritten), "a file without a certificate is left")
    out = command(scene, "erase", sent["name"])
    (reference, *_) = out.split(" ")
    contains(out, f"{reference} erased\n  contact: since ", "who")
    contains(out, "Erased: 1 person, 2 tokens gone.", "what")
    contains(out, "paravent certificate of destruction v1\n", "the certificate, where no file is named")
    contains(out, f"subject {reference}", "whose it is")
    equal(statuses(scene, [sent["name"]]), ["unavailable"], "erased")
    again = post(scene, "/contact", {"name": "Cert Ified", "email": "certified@example.fr"})
    out = command(scene, "erase", "--certificate", unwritten, "pvv1nobody", again["name"])
    contains(out, f"The certificate is in {unwritten}.", "where it is")
    lacks(out, "certificate of destruction v1", "once")
    with open(unwritten, encoding="utf-8") as file:
        contains(file.read(), "paravent certificate of destruction v1\n", "the file")


@case("of two people's certificates the one that cannot be written is printed")
def certificate_unwritten():
    scene = SHARED.get()
    sent = [post(scene, "/contact", {"name": f"{one} Two", "email": f"{one}two@example.fr"})["name"] for one in "ab"]
    where = os.path.join(scene.folder, "two.certificate")
    with open(where + ".2", "w", encoding="utf-8") as file:
        file.write("another's")
    common = ["--admin", scene.admin.url, "--credential-file", scene.credential_file(), "--reason", "a request"]
    done = gateway.run("subjects", "erase", *common, "--certificate", where, *sent)
    equal(done.returncode, 4, f"erase: {done.err}")
    contains(done.err, "The people are erased, but", "what happened")
    contains(done.out, "Erased: 2 people", "what happened")
    equal(done.out.count("paravent certificate of destruction v1\n"), 1, "the one that is not in a file")
    with open(where + ".2", encoding="utf-8") as file:
        equal(file.read(), "another's", "the file that was there")


@case("a kind that is none, a value that is none of its kind and a value handed in as a token are said so")
def not_nobody():
    scene = SHARED.get()
    contains(command(scene, "erase", "--kind", "mail", code=2, stdin=b"a@example.fr\n"), 'Did you mean "email"?', "a kind")
    refused = command(scene, "locate", "--kind", "email", code=2, stdin=b"notanemail\n")
    contains(refused, "none of its kind", "a value")
    lacks(refused, "notanemail", "the sentence")
    refused = command(scene, "locate", "someone@example.fr", code=7)
    contains(refused, "A value is no token", "a value as a token")
    lacks(refused, "someone@", "the sentence")

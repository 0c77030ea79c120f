"""What a restore with an older key backup undoes and loses: said in words, refused, and on the record when accepted."""

import json
import os
import shutil
import tempfile

from cases.backup import backup
from cases.subjects import POLICY, person, post, statuses, subjects
from support import gateway
from support.case import case, contains, equal, expect, lacks
from support.gateway import Scene, one_sentence

REASON = "a case about Jeanne"
MORE_RETENTION = POLICY.replace("from: collection, active: P3Y", "from: collection, active: P1Y")


class Kept:
    """Where the backups of a scene lie."""

    def __init__(self, scene):
        self.scene = scene
        self.folder = tempfile.TemporaryDirectory(prefix="paravent-e2e-older-")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def make(self, name, *options):
        out = os.path.join(self.folder.name, name)
        done = backup(self.scene, out, *options)
        equal(done.returncode, 0, f"backup {options} ({done.err})")
        return out


def restore(data, keys, folder, root_key, *flags):
    target = os.path.join(folder, "data")
    return gateway.run("restore", data, "--keys", keys, "--data", target, "--root-key", root_key, *flags)


def operate(scene, method, path, body=None, status=200):
    got, _, answer = scene.admin.call(method, path, body, scene.administrator)
    equal(got, status, f"{method} {path} ({answer[:300]})")
    return json.loads(answer)


def hold(scene, purpose):
    wish = {"tenant": "atelier", "purpose": purpose, "until": "2099-01-31", "reason": REASON}
    return operate(scene, "POST", "/v1/holds", wish)["id"]


def key_of_prospecting(scene):
    return next(
        one["id"]
        for one in operate(scene, "GET", "/v1/keys")["keys"]
        if one["class"] == "epoch" and one.get("purpose") == "prospecting" and one["primary"]
    )


def refusal(data, keys, root_key, *flags):
    """Code 4, one sentence, and nothing is left behind."""
    with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
        done = restore(data, keys, folder, root_key, *flags)
        equal(done.returncode, 4, f"restore {flags} ({done.err})")
        equal(os.listdir(folder), [], "what is left behind")
        return one_sentence(done.err)


def second_machine(data, keys, first, *flags):
    """A scene on the restored folder, and what the command said."""
    second = Scene(policy=POLICY, start=False)
    shutil.copy(first.root_key, second.root_key)
    done = restore(data, keys, second.folder, first.root_key, *flags)
    equal(done.returncode, 0, f"restore {flags} ({done.err})")
    second._credentials = dict(first._credentials)
    return second, done.out


def on_record(scene):
    return json.dumps(operate(scene, "GET", "/v1/audit/entries?log=installation&count=1000"))


@case("a hold, a retention, a freeze, a restriction, an event since: a restore with older keys undoes none in silence", smoke=True)
def settled_since():
    with Scene(policy=POLICY) as scene, Kept(scene) as kept:
        for number in range(3):
            post(scene, "/contact", {"name": f"N{number}", "email": f"p{number}@example.fr"})
        post(scene, "/order", {"name": "E Vent", "email": "event@example.fr"})
        post(scene, "/brochure", {"email": "p0@example.fr", "note": "!"})
        released = hold(scene, "contact")
        subjects(scene, "restrict", restricted=True, **person("p0@example.fr"))
        old = kept.make("old.pvbackup", "--keys")
        operate(scene, "POST", f"/v1/holds/{released}/release", {"reason": REASON})
        made = hold(scene, "billing")
        subjects(scene, "restrict", restricted=True, **person("p1@example.fr"))
        subjects(scene, "restrict", restricted=False, **person("p0@example.fr"))
        subjects(scene, "object", **person("p2@example.fr"))
        subjects(scene, "events", purpose="billing", event="contract-end", day="2026-01-31", **person("event@example.fr"))
        restricted = subjects(scene, "locate", **person("p1@example.fr"))["subjects"][0]["reference"]
        scene.write_policy(MORE_RETENTION)
        scene.restart()
        data, new = kept.make("data.pvbackup"), kept.make("new.pvbackup", "--keys")
        scene.stop()

        said = refusal(data, old, scene.root_key)
        for words in (
            f"the hold {made} on billing of atelier until 2099-01-31 is lost",
            f"the hold {released} on contact of atelier until 2099-01-31, released since, is back",
            "the retention of prospecting of atelier, P3Y (P1Y not confirmed), is P3Y again",
            "the freeze of destruction (retention) is lost",
            "the restriction of 1 person is lost",
            "the restriction of 1 person, lifted since, is back",
            "the objection of 1 person is lost",
            "1 of people's events that were noted since are lost",
        ):
            contains(said, words, "the refusal")
        contains(said, "--undo-key-changes", "the refusal")
        lacks(said, "--accept-loss", "the refusal: nothing is lacking")
        lacks(said, REASON, "the refusal")
        refusal(data, old, scene.root_key, "--accept-loss")

        # With the newer keys nothing is undone, and the command says what holds and as of when.
        second, out = second_machine(data, new, scene, "--json")
        with second:
            told = json.loads(out)
            equal((told["undone"], told["compared"]), ([], True), "with the newest keys")
            settled = told["settled"]
            equal([one["id"] for one in settled["holds"]], [made], "the holds")
            equal((settled["frozen"], settled["people_restricted"], settled["people_objected"]), ("retention", 1, 1), "")
            equal(
                [one["not_confirmed"] for one in settled["retentions"] if "not_confirmed" in one], ["P1Y"], "the retentions"
            )

        second, out = second_machine(data, old, scene, "--undo-key-changes", "--json")
        with second:
            told = json.loads(out)
            equal(len(told["undone"]), 8, f"what is undone: {told['undone']}")
            expect(restricted in told["people_undone"], "who is restricted no more")
            equal(len(told["people_undone"]), 2, "and who objects no more")
            equal([one["id"] for one in told["settled"]["holds"]], [released], "what holds now")
            second.start()
            contains(on_record(second), f"the hold {made} on billing of atelier", "the record")
            equal([one["id"] for one in operate(second, "GET", "/v1/holds")["holds"]], [released], "the holds")
            verified = gateway.run("audit", "verify", second.data)
            equal(verified.returncode, 0, f"audit verify ({verified.err})")

        with tempfile.TemporaryDirectory(prefix="paravent-e2e-") as folder:
            done = restore(data, old, folder, scene.root_key, "--undo-key-changes")
            equal(done.returncode, 0, f"restore ({done.err})")
            contains(done.out, "what was settled since is undone", "for people")
            contains(done.out, f"restricted or objected no more: {restricted}", "for people")
            contains(done.out, "those of the key backup, of 20", "as of when")
            contains(done.out, f"held: contact of atelier until 2099-01-31 (hold {released})", "for people")
            contains(done.out, "destruction is not frozen", "for people")
            lacks(done.out, REASON, "for people")


@case("rows under keys that an older key backup lacks are lost only when somebody accepts it, on the record", smoke=True)
def lacking():
    with Scene(policy=POLICY) as scene, Kept(scene) as kept:
        anne = post(scene, "/contact", {"name": "Anne", "email": "anne@example.fr", "message": "Bonjour"})
        old = kept.make("old.pvbackup", "--keys")
        # Somebody new, under contexts that were there; then a context that was not.
        bert = post(scene, "/contact", {"name": "Bert", "email": "bert@example.fr"})
        people = kept.make("people.pvbackup")
        operate(scene, "POST", f"/v1/keys/{key_of_prospecting(scene)}/rotate", {"reason": REASON})
        note = post(scene, "/brochure", {"email": "anne@example.fr", "note": "!"})["note"]
        data, new = kept.make("data.pvbackup"), kept.make("new.pvbackup", "--keys")
        scene.stop()

        said = refusal(people, old, scene.root_key, "--undo-key-changes")
        contains(said, "lacks the keys of people who came since", "the refusal")
        contains(said, "--accept-loss", "the refusal")
        said = refusal(data, old, scene.root_key)
        contains(said, "of its keys", "the refusal")
        contains(said, "of its contexts", "the refusal")
        contains(said, "never open again", "the refusal")

        second, out = second_machine(data, old, scene, "--accept-loss", "--json")
        with second:
            told = json.loads(out)
            expect(told["keys_lacking"] > 0 and told["contexts_lacking"] > 0 and told["people_lacking"], out)
            expect(told["rows_lacking"] >= 2, out)
            second.start()
            equal(statuses(second, [anne["name"], anne["message"]]), ["revealed"] * 2, "what the keys open")
            equal(statuses(second, [bert["name"]]), ["unavailable"], "what they lack")
            equal(statuses(second, [note], "prospecting"), ["unavailable"], "what they lack")
            again = post(second, "/contact", {"name": "Bert", "email": "bert@example.fr"})
            expect(again["name"] != bert["name"], "a lost token stands for nobody any more")
            equal(statuses(second, [again["name"], bert["name"]]), ["revealed", "unavailable"], "the new one opens")
            contains(on_record(second), "rows never open again", "the record")
            verified = gateway.run("audit", "verify", second.data)
            equal(verified.returncode, 0, f"audit verify ({verified.err})")

        # Nothing was lost of the backups: the newest keys open all of it.
        second, out = second_machine(data, new, scene, "--json")
        with second:
            told = json.loads(out)
            equal((told["rows_lacking"], told["keys_lacking"], told["unreadable"]), (0, 0, 0), "with the newest keys")
            second.start()
            equal(statuses(second, [bert["name"]]), ["revealed"], "with the newest keys")


@case("a destruction undone and a new key lacking: one sentence names both, and both have to be accepted")
def both():
    with Scene(policy=POLICY) as scene, Kept(scene) as kept:
        sent = post(scene, "/brochure", {"email": "anne@example.fr", "note": "!"})
        old = kept.make("old.pvbackup", "--keys")
        operate(scene, "POST", f"/v1/keys/{key_of_prospecting(scene)}/destroy", {"reason": REASON, "confirm": "destroy"})
        scene.restart()
        post(scene, "/brochure", {"email": "anne@example.fr", "note": "!"})
        data = kept.make("data.pvbackup")
        scene.stop()
        said = refusal(data, old, scene.root_key)
        contains(said, "would undo 1 destructions", "the refusal")
        contains(said, "and lacks ", "the refusal")
        contains(said, "--undo-key-changes --accept-loss", "the refusal")
        contains(refusal(data, old, scene.root_key, "--undo-key-changes"), "--accept-loss", "the refusal")
        contains(refusal(data, old, scene.root_key, "--accept-loss"), "--undo-key-changes", "the refusal")
        second, out = second_machine(data, old, scene, "--undo-key-changes", "--accept-loss", "--json")
        with second:
            told = json.loads(out)
            equal((told["renewals_undone"], told["keys_revived"]), (1, 1), "undone")
            expect(told["keys_lacking"] > 0, "lacking")
            second.start()
            equal(statuses(second, [sent["note"]], "prospecting"), ["revealed"], "destroyed, and back: somebody said so")

"""Each fuzz target is registered and has seeds, and every parser that meets foreign bytes has a target."""

import os
import re

import tree

FUZZ = "tests/fuzz"
# What reads foreign bytes, as headers declare it: by its name, and a text comes first.
READER = re.compile(r"\b((?:parse|decode|scan|read)_\w+)\s*\(\s*(?:const\s+)?(?:std::string_view|(?:\w+::)*ByteView)\b")
# Which of them no target names, and why none need: `function: target`, or `function: none, reason`.
REACHED = f"{FUZZ}/reached.txt"
# The parsers that the work order names, by how their target's name begins: these need one of their own.
PARSERS = ("request_head", "form", "json", "cookie", "policy_file", "token_text", "audit_")


def registered(root):
    """Target name -> corpus folder, read from the build files; plain foreach loops are unrolled."""
    found = {}
    call = re.compile(r"paravent_fuzz\s*\(\s*(\S+)\s+SOURCE\s+(\S+)\s+CORPUS\s+(\S+)")
    loop = re.compile(r"foreach\s*\(\s*(\w+)\s+(?:IN\s+ITEMS\s+)?([^)]*)\)(.*?)endforeach", re.S)
    for path in tree.files(root, ["tests"], ("CMakeLists.txt",)):
        text = re.sub(r"#[^\n]*", "", tree.read(root, path))

        def unroll(match):
            variable, values, body = match.groups()
            return "\n".join(body.replace("${" + variable + "}", value) for value in values.split())

        for name, source, corpus in call.findall(loop.sub(unroll, text)):
            clean = [part.replace("${PROJECT_SOURCE_DIR}/", "") for part in (source, corpus)]
            found[clean[0]] = (name, clean[1])
    return found


def exceptions(root):
    """Function -> what REACHED says of it."""
    found = {}
    for line in tree.read(root, REACHED).splitlines() if os.path.isfile(os.path.join(root, REACHED)) else []:
        if line and not line.startswith("#"):
            name, _, says = line.partition(":")
            found[name] = says.strip()
    return found


def check_readers(root, targets):
    """Each function that reads foreign bytes is named by a target, or by the laws that targets run."""
    helpers = tree.files(root, [FUZZ], (".h",)) + tree.files(root, ["tests"], ("laws.h", "laws.cc"))
    named = set()
    for path in targets + helpers:
        named.update(re.findall(r"\w+", tree.code(tree.read(root, path))))
    excepted = exceptions(root)
    readers = set()
    for path in tree.files(root, tree.ROOMS, (".h",)):
        for name in READER.findall(tree.code(tree.read(root, path))):
            readers.add(name)
            if name not in named and name not in excepted:
                yield f"{path}: no fuzz target names {name}, nor does {REACHED}"
    for name, says in excepted.items():
        if name not in readers:
            yield f"{REACHED}: {name} is no function that reads foreign bytes"
        elif name in named:
            yield f"{REACHED}: {name} is named by a target, and needs no line"
        elif not re.match(r"none, \w", says) and f"{FUZZ}/{says}" not in targets:
            yield f"{REACHED}: {name} names neither a target nor a reason"


def check(root):
    targets = tree.files(root, [FUZZ], ("_fuzz.cc",))
    known = registered(root)
    for path in targets:
        if path not in known:
            yield f"{path}: no paravent_fuzz(...) registers it"
            continue
        _, corpus = known[path]
        folder = os.path.join(root, corpus)
        if not os.path.isdir(folder) or not any(entry.is_file() for entry in os.scandir(folder)):
            yield f"{path}: its seed corpus {corpus} is empty or missing"
    for path in known:
        if not os.path.isfile(os.path.join(root, path)):
            yield f"{path}: registered, but there is no such file"
    used = {corpus for _, corpus in known.values()}
    corpora = os.path.join(root, FUZZ, "corpus")
    for name in sorted(os.listdir(corpora)) if os.path.isdir(corpora) else []:
        if f"{FUZZ}/corpus/{name}" not in used:
            yield f"{FUZZ}/corpus/{name}: no target reads it"
    for parser in PARSERS:
        if not any(os.path.basename(path).startswith(parser) for path in targets):
            yield f"no fuzz target {parser}*: that parser meets foreign bytes"
    yield from check_readers(root, targets)

"""Each fuzz target is registered and has seeds, and every parser that meets foreign bytes has a target."""

import os
import re

import tree

FUZZ = "tests/fuzz"
# The parsers that the work order names, by how their target's name begins.
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

"""A file is one idea: none is longer than 600 lines, each header is guarded, scripts parse and can be run."""

import os
import py_compile
import subprocess
import tempfile

import tree

MOST_LINES = 600
TOPS = ("crypto", "policies", "proxy", "tests", "bench", "deploy", ".ci")


def scripts(root):
    """Bash scripts: by their name or by their first line."""
    for path in tree.files(root, TOPS, ("",)):
        full = os.path.join(root, path)
        with open(full, "rb") as file:
            first = file.readline(80)
        if path.endswith(".sh") or (first.startswith(b"#!") and b"bash" in first):
            yield path, first


def check(root):
    for path in tree.files(root, TOPS, (".h", ".cc", ".py", ".sh", ".lua", ".js", ".php")):
        text = tree.read(root, path)
        count = text.count("\n")
        if count > MOST_LINES:
            yield f"{path}: {count} lines, more than {MOST_LINES}; split it"
        if path.endswith((".h", ".cc")) and "\r" in text:
            yield f"{path}: has carriage returns"
        if path.endswith(".h") and "#pragma once" not in text:
            yield f"{path}: has no #pragma once"
    for path in tree.files(root, TOPS, (".py",)):
        with tempfile.TemporaryDirectory() as folder:
            try:
                py_compile.compile(os.path.join(root, path), cfile=os.path.join(folder, "c"), doraise=True)
            except py_compile.PyCompileError as error:
                yield f"{path}: is no Python: {error.msg.strip()}"
    for path, first in scripts(root):
        done = subprocess.run(["bash", "-n", os.path.join(root, path)], capture_output=True, check=False)
        if done.returncode != 0:
            yield f"{path}: is no bash: {done.stderr.decode().strip()}"
        if first.startswith(b"#!") and not os.access(os.path.join(root, path), os.X_OK):
            yield f"{path}: begins with #! and cannot be executed"

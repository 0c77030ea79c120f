"""The source tree as the checks see it: which files there are, and code without comments and strings."""

import os
import pathlib
import re

ROOMS = ("crypto", "policies", "proxy")
SKIPPED = {".git", "build", "node_modules", "__pycache__", "corpus"}
# Other people's data; crypto/vectors and its tests are ours.
FOREIGN = "tests/vectors"


def files(root, tops, endings):
    """Paths relative to `root` of the files under `tops` (folders or files), sorted."""
    root = pathlib.Path(root)
    found = []
    for top in tops:
        if (root / top).is_file():
            found.append(str(top))
        for path, folders, names in os.walk(root / top):
            here = pathlib.Path(path).relative_to(root)
            folders[:] = sorted(name for name in folders
                                if name not in SKIPPED and str(here / name) != FOREIGN)
            for name in names:
                if name.endswith(endings):
                    found.append(str((pathlib.Path(path) / name).relative_to(root)))
    return sorted(set(found))


def sources(root, tops=ROOMS):
    return files(root, tops, (".h", ".cc"))


def read(root, path):
    return (pathlib.Path(root) / path).read_bytes().decode("utf-8", "surrogateescape")


_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^()\\ ]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S
)


def code(text):
    """`text` with comments and literals blanked; line numbers stay."""

    def blank(match):
        piece = match.group(0)
        if piece[0] == "'" and match.start() > 0 and text[match.start() - 1].isalnum():
            return piece  # a digit separator
        return re.sub(r"[^\n]", " ", piece)

    return _CODE.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(<[^>\n]+>|"[^"\n]+")', re.M)


def includes(text):
    """(line, name, quoted) of every include."""
    for match in _INCLUDE.finditer(text):
        name = match.group(1)
        yield line_of(text, match.start(1)), name[1:-1], name[0] == '"'

"""Nothing is downloaded to build; one list of Debian packages serves all; the tree stands on its own."""

import pathlib
import re

import tree

DOWNLOADS = re.compile(
    r"\b(FetchContent\w*|ExternalProject\w*|CPMAddPackage|vcpkg|conan\w*|wget|git clone)\b"
    r"|file\s*\(\s*DOWNLOAD",
    re.I,
)
INSTALLS = re.compile(r"\bapt(?:-get)?\b[^\n]*?\binstall\b((?:[ \t]+[^\s\"'&|;<>()`]+)*)")
# Written so that this file does not find itself.
ELSEWHERE = re.compile("|".join([r"\.\./" + "shared", "/wo" + "rk/", "/ro" + "ot/", "/ho" + r"me/\w", "/tm" + "p/b-"]))
LIST = "deploy/packages.txt"


def packages(root):
    lines = tree.read(root, LIST).splitlines()
    return [line for line in lines if line and not line.startswith(("#", "["))]


def sections(root):
    return re.findall(r"^\[(\w+)\]$", tree.read(root, LIST), re.M)


def downloads(root):
    for path in tree.files(root, [".", ], ("CMakeLists.txt", ".cmake", "CMakePresets.json")):
        for match in DOWNLOADS.finditer(tree.read(root, path)):
            yield f"{path}: downloads: {match.group(0)}"


def named_packages(root):
    """(place, package) wherever a package is named outside the list."""
    missing = re.compile(r"paravent_missing\s*\(\s*\"[^\"]*\"\s*\"?([^\")]+)\"?\s*\)")
    for path in tree.files(root, ["cmake"], (".cmake",)):
        for match in missing.finditer(tree.read(root, path)):
            yield from ((path, name) for name in match.group(1).split())
    tops = ["README.md", "docs", "cmake", "deploy", "tests", "bench", ".ci"]
    for path in tree.files(root, tops, (".md", ".cmake", ".sh")):
        for match in INSTALLS.finditer(tree.read(root, path)):
            for word in match.group(1).split():
                if re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", word):
                    yield path, word


def package_list(root):
    known = packages(root)
    for section in re.split(r"^\[", tree.read(root, LIST), flags=re.M)[1:]:
        names = [line for line in section.splitlines()[1:] if line and not line.startswith("#")]
        if names != sorted(set(names)):
            yield f"{LIST}: [{section.split(']')[0]}] is not sorted, or names a package twice"
    for path, name in named_packages(root):
        if name not in known:
            yield f"{path}: names the package {name}, which {LIST} does not list"
    have = sections(root)
    for path in tree.files(root, ["deploy", "tests", "bench", ".ci"], (".sh", "run")):
        text = tree.read(root, path)
        for match in re.finditer(r"^\s*install_packages((?: [a-z]+)+)", text, re.M):
            for name in match.group(1).split():
                if name not in have:
                    yield f"{path}: installs the section {name}, which {LIST} does not have"
        if path != "deploy/packages.sh" and re.search(r"^\s*(sudo )?apt(-get)? .*\binstall\b", text, re.M):
            yield f"{path}: installs packages by itself; only deploy/packages.sh does"


def own_tree(root):
    endings = (".h", ".cc", ".py", ".sh", ".cmake", "CMakeLists.txt", ".yaml", ".json", ".js", ".md", "run")
    tops = ["CMakeLists.txt", "README.md", "cmake", "deploy", "tests", "bench", "docs", ".ci", *tree.ROOMS]
    for path in tree.files(root, tops, endings):
        text = tree.read(root, path)
        for match in ELSEWHERE.finditer(text):
            yield f"{path}:{tree.line_of(text, match.start())}: points outside the tree: {match.group(0)}"


def check(root):
    yield from downloads(root)
    if not (pathlib.Path(root) / LIST).is_file():
        yield f"{LIST} is missing"
        return
    yield from package_list(root)
    yield from own_tree(root)

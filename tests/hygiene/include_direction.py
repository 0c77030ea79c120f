"""Who may include whom (DESIGN 3): proxy -> policies -> crypto, and inside them as the table says.

A room includes its own headers and those of the rooms behind its name, nothing else. The data path is
followed through every header it can reach, so that no detour leads to the inverse.
"""

import os

import tree

_CRYPTO_BELOW = ["crypto/base", "crypto/primitives", "crypto/keys", "crypto/tokens"]
_DATA_PATH_CRYPTO = _CRYPTO_BELOW + ["crypto/vault/api"]


# The rooms of the vault's engine, each of which stands on some of those before it.
_ENGINE_ROOMS = ("base", "keys", "catalogue", "rows", "subjects", "vault", "reverse", "upkeep", "backup")


def _engine(*rooms):
    return ["crypto/vault/engine/" + room for room in rooms]


def _engine_before(room):
    return _engine(*_ENGINE_ROOMS[: _ENGINE_ROOMS.index(room)])


# The way back: nobody has it who does not name it below.
_REVERSE = "crypto/vault/engine/reverse"
_ENGINE = [room for room in _engine(*_ENGINE_ROOMS) if room != _REVERSE]
_CRYPTO = _DATA_PATH_CRYPTO + _ENGINE + ["crypto/vault/unseal", "crypto/audit", "crypto/reveal", "crypto/vectors"]
_POLICIES = ["policies/model", "policies/plan", "policies/access"]

_BELOW_MAIN = (
    ["proxy/admin", "proxy/body", "proxy/config", "proxy/net", "proxy/net/tls", "proxy/pipeline", "proxy/telemetry"] + _POLICIES + _CRYPTO
)

MAY_INCLUDE = {
    "crypto/base": [],
    "crypto/primitives": ["crypto/base"],
    "crypto/keys": ["crypto/base", "crypto/primitives"],
    "crypto/tokens": ["crypto/base", "crypto/primitives", "crypto/keys"],
    # Tokens stand on keys, so a message may carry what both know: an algorithm, an epoch, a protection key.
    "crypto/vault/api": ["crypto/base", "crypto/keys", "crypto/tokens"],
    # What each of them holds: crypto/vault/engine/ROOM/CMakeLists.txt.
    "crypto/vault/engine/base": ["crypto/base", "crypto/primitives"],
    "crypto/vault/engine/keys": _engine("base") + ["crypto/base", "crypto/primitives", "crypto/keys"],
    "crypto/vault/engine/catalogue": _engine("base", "keys") + _DATA_PATH_CRYPTO,
    "crypto/vault/engine/rows": _engine("base") + _CRYPTO_BELOW,
    "crypto/vault/engine/subjects": _engine("base", "keys", "catalogue") + _CRYPTO_BELOW,
    "crypto/vault/engine/vault": _engine_before("vault") + _DATA_PATH_CRYPTO,
    "crypto/vault/engine/reverse": _engine_before("reverse") + _DATA_PATH_CRYPTO,
    # Whose value a token is (subject_admin.cc) is read from its description, which opens nothing.
    "crypto/vault/engine/upkeep": _engine_before("upkeep") + _DATA_PATH_CRYPTO,
    "crypto/vault/engine/backup": _engine("base", "rows") + _CRYPTO_BELOW,
    "crypto/vault/unseal": _engine("base", "keys") + _DATA_PATH_CRYPTO,
    "crypto/audit": _DATA_PATH_CRYPTO,
    "crypto/reveal": _DATA_PATH_CRYPTO + _engine("base", "reverse") + ["crypto/audit"],
    # The runner of published vectors checks Merkle proofs with the verifier of the audit log.
    "crypto/vectors": _CRYPTO_BELOW + ["crypto/audit"],
    "policies/model": ["crypto/base", "crypto/keys", "crypto/tokens"],
    "policies/plan": ["policies/model"] + _DATA_PATH_CRYPTO,
    # Decides on descriptions of tokens and therefore knows the header of the way back; it cannot open
    # anything with it, because an OpeningPermit is the Reidentifier's alone (must_not_compile proves it).
    "policies/access": ["policies/model", _REVERSE] + [room for room in _CRYPTO if room != "crypto/vectors"],
    # A codec names a place in a JSON document by the plan's own plain type (policies/plan/json_path.h).
    "proxy/body": ["crypto/base", "policies/plan"],
    "proxy/telemetry": ["crypto/base", "policies/model", "policies/plan"],
    "proxy/pipeline": ["proxy/body", "proxy/telemetry", "policies/model", "policies/plan"] + _DATA_PATH_CRYPTO,
    # TLS for both doors; its files are the only ones besides crypto/primitives that see OpenSSL.
    "proxy/net/tls": ["crypto/base", "crypto/primitives"],
    "proxy/net": ["proxy/net/tls", "proxy/pipeline", "proxy/body", "proxy/telemetry", "policies/model", "policies/plan"]
    + _DATA_PATH_CRYPTO,
    # crypto/audit: the keys of witnesses are checked where the file is read.
    "proxy/config": ["proxy/pipeline", "policies/model", "crypto/base", "crypto/audit"],
    "proxy/admin": ["proxy/body", "proxy/net/tls", "proxy/telemetry"] + _POLICIES + _CRYPTO,
    # Each stands on those before it (proxy/main/CMakeLists.txt).
    "proxy/main/io": ["proxy/net/tls", "policies/model", "crypto/base"],
    "proxy/main/installation": ["proxy/main/io"] + _BELOW_MAIN,
    "proxy/main/keepers": ["proxy/main/io", "proxy/main/installation"] + _BELOW_MAIN,
    "proxy/main/trial": ["proxy/main/io", "proxy/main/installation"] + _BELOW_MAIN,
    "proxy/main/gateway": ["proxy/main/io", "proxy/main/installation", "proxy/main/keepers", "proxy/main/trial"] + _BELOW_MAIN,
    "proxy/main/commands": ["proxy/main/io", "proxy/main/installation", "proxy/main/keepers", "proxy/main/trial", "proxy/main/gateway"]
    + _BELOW_MAIN,
    "proxy/main": ["proxy/main/commands"] + _BELOW_MAIN,
}

# No line of these rooms can name the inverse, not even through somebody else's header.
DATA_PATH = ("proxy/net", "proxy/net/tls", "proxy/pipeline", "proxy/body", "policies/plan")
NEVER_ON_DATA_PATH = (*_ENGINE, _REVERSE, "crypto/vault/unseal", "policies/access", "crypto/reveal")

# Libraries that only these rooms see.
LIBRARIES = {
    "openssl/": ("crypto/primitives", "proxy/net/tls"),
    "sodium": ("crypto/primitives",),
    "boost/asio": ("proxy/net", "proxy/admin", "proxy/main/io"),
    "boost/beast": ("proxy/net", "proxy/admin", "proxy/main/io"),
    "rocksdb/": ("crypto/vault/engine/rows",),
    "yaml-cpp/": ("policies/model",),
    "prometheus/": ("proxy/telemetry",),
    "CLI/": ("proxy/main", "proxy/main/commands"),
    # One file loads modules; nobody else speaks to a token.
    "p11-kit": ("crypto/vault/unseal",),
    "unicode/": ("crypto/tokens", "policies/model", "proxy/pipeline"),
}


def room_of(path):
    """The longest room that `path` lies in, or None."""
    rooms = [room for room in MAY_INCLUDE if path.startswith(room + "/")]
    return max(rooms, key=len) if rooms else None


def direct(root, graph):
    for path in tree.sources(root):
        mine = room_of(path)
        if mine is None:
            yield f"{path}: lies in no room of DESIGN 3"
            continue
        for line, name, quoted in tree.includes(tree.read(root, path)):
            where = f"{path}:{line}"
            for library, rooms in LIBRARIES.items():
                if not quoted and name.startswith(library) and mine not in rooms:
                    yield f"{where}: <{name}> belongs to {', '.join(rooms)}"
            if not quoted:
                continue
            graph.setdefault(path, []).append((line, name))
            theirs = room_of(name)
            if not os.path.isfile(os.path.join(root, name)):
                yield f"{where}: \"{name}\" is no path from the top of the tree"
            elif theirs is None:
                yield f"{where}: \"{name}\" lies in no room"
            elif theirs != mine and theirs not in MAY_INCLUDE[mine]:
                yield f"{where}: {mine} may not include {theirs} ({name})"


def detours(graph):
    """Data-path files from which a header of a forbidden room can be reached, with the way to it."""
    for start in sorted(graph):
        if room_of(start) not in DATA_PATH:
            continue
        ways = [(start,)]
        seen = {start}
        while ways:
            way = ways.pop()
            for _, name in graph.get(way[-1], []):
                if name in seen:
                    continue
                seen.add(name)
                if room_of(name) in NEVER_ON_DATA_PATH:
                    yield f"{start}: reaches {' -> '.join(way[1:] + (name,))}"
                else:
                    ways.append(way + (name,))


def check(root):
    graph = {}
    yield from direct(root, graph)
    yield from detours(graph)

"""Libraries neither print, nor log, nor exit; the data path does not throw; nobody asserts on input."""

import re

import tree

QUIET = ("crypto", "policies", "proxy/body", "proxy/pipeline", "proxy/net", "proxy/telemetry", "proxy/config")

FORBIDDEN = [
    (r"\bstd::(cout|cerr|clog|wcout|wcerr)\b", "prints"),
    (r"(?<![\w.>])(?:std::)?(?:v?f?printf|puts|fputs|putchar|putc|fputc|perror|syslog)\s*\(", "prints"),
    (r"\bstd::print(ln)?\b", "prints"),
    (r"\bspdlog\b", "logs"),
    (r"(?<![\w.>])(?:std::|::)?(?:exit|_exit|_Exit|quick_exit|terminate)\s*\(", "ends the process"),
    (r"(?<![\w.>])(?:assert)\s*\(", "asserts"),
    (r"\busing\s+namespace\b", "says using namespace"),
    (r"(?<![\w.>])(?:std::)?(?:rand|srand|strcpy|strcat|sprintf|gets|tmpnam|system|popen)\s*\(", "calls a C relic"),
]
# Between reading a request and sending it on, an error is a value.
NO_THROW = (
    "crypto/base", "crypto/primitives", "crypto/keys", "crypto/tokens", "proxy/body", "proxy/pipeline", "proxy/net",
)  # fmt: skip


def check(root):
    for path in tree.sources(root, QUIET):
        text = tree.code(tree.read(root, path))
        rules = list(FORBIDDEN)
        if path.startswith(tuple(room + "/" for room in NO_THROW)):
            # Memory that runs out is the one exception there is (docs/decisions/0072-an-allocation-that-fails.md).
            rules.append((r"\bthrow\b(?! std::bad_alloc\(\);)", "throws"))
        for pattern, what in rules:
            for match in re.finditer(pattern, text):
                yield f"{path}:{tree.line_of(text, match.start())}: {what}: {match.group(0).strip()}"

"""How PHP makes $_POST of names and values: folded names and brackets that make arrays (php_variables.c of PHP 8.2, read and
told again here, so that content.py can say what PHP should have read)."""

MOST_LEVELS = 64  # max_input_nesting_level
BLANKS = b" \t\n\v\f\r"


def array_key(text):
    """A canonical decimal is a number."""
    digits = text[1:] if text.startswith(b"-") else text
    canonical = digits.isdigit() and (digits == b"0" or not digits.startswith(b"0")) and text != b"-0"
    return int(text) if canonical and -(2**63) < int(text) < 2**63 - 1 else text


def append_key(array):
    return max([key for key in array if isinstance(key, int)], default=-1) + 1


def split_name(name):
    """The keys of a name, outermost first, None for one that is appended; [] where PHP drops it."""
    name = name.split(b"\0", 1)[0].lstrip(b" ")
    base, bracket, rest = name.partition(b"[")
    base = base.replace(b" ", b"_").replace(b".", b"_")
    if not base:
        return []
    keys = [base]
    while bracket:
        if len(keys) > MOST_LEVELS:
            return []
        blank = rest[:1] if rest[:1] and rest[:1] in BLANKS else b""
        if rest[len(blank) :].startswith(b"]"):
            keys.append(None)
            rest = rest[len(blank) + 1 :]
        else:
            key, closed, after = rest.partition(b"]") if b"]" in rest[len(blank) :] else (rest, b"", b"")
            if not closed:
                # Behind a name it is part of that; behind another bracket it is nothing.
                if len(keys) == 1:
                    for letter in (b" ", b".", b"["):
                        rest = rest.replace(letter, b"_")
                    keys[0] += b"_" + rest
                return keys
            keys.append(key)
            rest = after
        bracket, rest = rest[:1] == b"[", rest[1:]
    return keys


def posted(fields):
    """$_POST of (name, value), as nested dictionaries."""
    out = {}
    for name, value in fields:
        keys = split_name(name)
        if not keys:
            continue
        array = out
        for key in keys[:-1]:
            key = append_key(array) if key is None else array_key(key)
            if not isinstance(array.get(key), dict):
                array[key] = {}
            array = array[key]
        array[append_key(array) if keys[-1] is None else array_key(keys[-1])] = value
    return out


def is_upload_name(name):
    """Brackets that do not match, or that text follows, make PHP leave a file out, and all behind it (rfc1867.c)."""
    depth = 0
    for at, letter in enumerate(name):
        depth += (letter == ord("[")) - (letter == ord("]"))
        if depth < 0 or (letter == ord("]") and name[at + 1 : at + 2] not in (b"", b"[")):
            return False
    return depth == 0


def uploaded(files):
    """$_FILES of (name, value), with the value alone in place of the properties, which PHP puts between the base and its keys."""
    fields = []
    for name, value in files:
        if not is_upload_name(name):
            break
        base, bracket, rest = name.partition(b"[")
        fields.append((base + b"[value]" + bracket + rest, value))
    return {base: properties[b"value"] for base, properties in posted(fields).items()}


def leaves(array, path=()):
    """{keys: value} of all that are no arrays."""
    out = {}
    for key, value in array.items():
        here = (*path, str(key).encode() if isinstance(key, int) else key)
        out |= leaves(value, here) if isinstance(value, dict) else {here: value}
    return out

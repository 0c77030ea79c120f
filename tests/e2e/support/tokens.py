"""Reads token text by docs/token-format.md, independently of the product: form, checksum, length."""

import base64
import re
import struct

from .case import Failure, shown

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BUCKETS = [16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]
ALGORITHMS = {"pvv": (1,), "pvd": (2,), "pvh": (3,), "pve": (4,)}
# A token inside any text, by section 9.
IN_TEXT = re.compile(r"(?<![A-Za-z0-9_])(pv[vdhi]1[a-z0-9]+)(?![A-Za-z0-9_])|(pv[es]_[A-Za-z0-9_-]+)")


def _polymod(values):
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if (top >> i) & 1 else 0
    return check


def _short_bytes(token):
    hrp, data = token[:3], [ALPHABET.index(c) for c in token[4:]]
    expanded = [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp]
    if _polymod(expanded + data) != 0x2BC830A3:
        raise Failure(f"wrong checksum: {token}")
    bits = 0
    size = 0
    out = bytearray()
    for value in data[:-6]:
        bits = bits << 5 | value
        size += 5
        if size >= 8:
            size -= 8
            out.append(bits >> size & 255)
    if size >= 5 or bits & ((1 << size) - 1):
        raise Failure(f"spare bits: {token}")
    return bytes(out)


def _crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _long_bytes(token):
    text = token[4:]
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).decode().rstrip("=") != text:
        raise Failure(f"spare bits: {token}")
    body, check = data[:-4], data[-4:]
    if struct.pack(">I", _crc32c(body)) != check:
        raise Failure(f"wrong checksum: {token}")
    return body


def read(token, wanted):
    """The key id and payload of a token of the class `wanted` (pvv, pvd, pvh, pve)."""
    marker = wanted + ("_" if wanted == "pve" else "1")
    if not isinstance(token, str) or not token.startswith(marker):
        raise Failure(f"no {wanted} token: {shown(token)}")
    try:
        data = _long_bytes(token) if wanted == "pve" else _short_bytes(token)
    except ValueError as error:
        raise Failure(f"{error}: {token}") from None
    if data[0] != 1 or data[1] not in ALGORITHMS[wanted]:
        raise Failure(f"format {data[0]}, algorithm {data[1]}: {token}")
    payload = data[6:]
    size = len(payload)
    good = {
        "pvv": size == 16,
        "pvh": size == 20,
        "pvd": size - 16 in BUCKETS[:10],
        "pve": size - 40 in BUCKETS or (size - 40) % 1024 == 0 and size > 40,
    }[wanted]
    if not good:
        raise Failure(f"payload of {size} bytes: {token}")
    return struct.unpack(">I", data[2:6])[0], payload


def vault(text):
    read(text, "pvv")
    if len(text) != 46:
        raise Failure(f"{len(text)} characters: {text}")
    return text


def email_shaped(text, domain="paravent.invalid"):
    token, at, rest = text.partition("@")
    if not at or rest != domain:
        raise Failure(f"not TOKEN@{domain}: {shown(text)}")
    return vault(token)


def encrypted(text):
    read(text, "pve")
    return text


def derived(text):
    read(text, "pvd")
    return text


def pseudonym(text):
    read(text, "pvh")
    if len(text) != 52:
        raise Failure(f"{len(text)} characters: {text}")
    return text


def without(text):
    """`text` with an empty place for every token whose checksum is right: four letters of a name turn up by chance
    in the letters of a token, and say nothing there."""

    def place(match):
        token = match.group()
        try:
            _long_bytes(token) if match.group(2) else _short_bytes(token)
        except (Failure, ValueError):
            return token
        return " "

    return IN_TEXT.sub(place, text)


def altered(token):
    """The same token with one character changed, so that its checksum is wrong."""
    last = token[-1]
    pool = ALPHABET if token[3] == "1" else "ABCDEFGH"
    return token[:-1] + next(c for c in pool if c != last)


def write_vault(key_id, row):
    """A well-formed vault token that no vault minted."""
    data = struct.pack(">BBI", 1, 1, key_id) + row
    groups, bits, size = [], 0, 0
    for byte in data:
        bits = bits << 8 | byte
        size += 8
        while size >= 5:
            size -= 5
            groups.append(bits >> size & 31)
    if size:
        groups.append(bits << (5 - size) & 31)
    expanded = [ord(c) >> 5 for c in "pvv"] + [0] + [ord(c) & 31 for c in "pvv"]
    check = _polymod(expanded + groups + [0] * 6) ^ 0x2BC830A3
    groups += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return "pvv1" + "".join(ALPHABET[g] for g in groups)

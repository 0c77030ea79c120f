#!/usr/bin/python3
"""Writes golden_forms.tsv: known answers of addresses, preserved values, sealed values, shapes, bits and scopes.

The rest of docs/token-format.md section 6, on top of golden.py and like it without a line of the product. Run
by hand when a format is added; never to change a line that exists:
tests/crypto/tokens/golden_forms.py > tests/crypto/tokens/golden_forms.tsv
"""
import base64
import hashlib
import hmac
import ipaddress
import struct
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

import golden
from golden import aes, bech32m, lp, use_key, xor

# Section 5: kind numbers and least buckets of what golden.py does not list.
golden.KINDS.update({"card": (9, 32), "siren": (11, 16), "siret": (12, 32)})
ALGS = {"pseudonym": 3, "address": 5, "address-prefix": 6, "address-random": 7, "sealed": 8,
        "sealed-single": 9, "format-preserving": 10}
SHAPES = ["", "email", "phone", "digits", "digits.digits", "hex16", "uuid", "alphanumeric", "ip", "ipv4", "preserve"]


# --- Section 6, shapes -----------------------------------------------------------------------------------------

def symbols(number, bases):
    """The fraction number / 2^256 in mixed bases."""
    out = []
    for base in bases:
        number *= base
        out.append(number >> 256)
        number &= (1 << 256) - 1
    return out


def digits(number, count, first_from=1):
    found = symbols(number, [10 - first_from] + [10] * (count - 1))
    return "".join(str(d + (first_from if i == 0 else 0)) for i, d in enumerate(found))


def shaped(shape, length, random):
    number = int.from_bytes(random, "big")
    if shape == "phone":
        return "+999" + digits(number, 12, 0)
    if shape == "digits":
        return digits(number, length)
    if shape == "digits.digits":
        both = symbols(number, ([9] + [10] * 9) * 2)
        text = "".join(str(d + (i % 10 == 0)) for i, d in enumerate(both))
        return text[:10] + "." + text[10:]
    if shape == "hex16":
        return random[:8].hex()
    if shape == "uuid":
        raw = bytearray(random[:16])
        raw[6], raw[8] = raw[6] & 15 | 64, raw[8] & 63 | 128
        text = raw.hex()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    if shape == "alphanumeric":
        alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
        return "".join(alphabet[s] for s in symbols(number, [26] + [36] * (length - 1)))
    if shape == "ip":
        return str(ipaddress.IPv6Address(b"\xfd" + random[:15]))
    return str(ipaddress.IPv4Address(bytes([random[0] | 240]) + random[1:4]))


def pseudonym(key, header, ctx, value, form):
    shape, length, bits, scope_id = form
    message = lp(ctx) + (lp(scope_id) if scope_id else b"") + lp(value)
    if shape not in ("", "email"):
        message += bytes([SHAPES.index(shape), length])
    if bits:
        message += bytes([bits])
    mac = hmac.new(key, message, hashlib.sha256).digest()
    if shape not in ("", "email"):
        return shaped(shape, length, mac)
    if bits:
        kept = int.from_bytes(mac[:20], "big") >> (160 - bits) << (160 - bits)
        mac = kept.to_bytes(20, "big")
    return bech32m("pvh", header + mac[:20])


# --- Section 6, addresses --------------------------------------------------------------------------------------

def canonical(text):
    address = ipaddress.ip_address(text)
    return address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed


def prefix_cipher(key, address):
    v4 = address[:12] == bytes(10) + b"\xff\xff"
    done = 96 if v4 else 0
    bits = int.from_bytes(address, "big")
    out = bits >> (128 - done) << (128 - done) if v4 else 0
    for at in range(done, 128):
        padded = ((1 << at) | (bits >> (128 - at) if at else 0)).to_bytes(16, "big")
        pad = (aes(key[:16], padded)[15] ^ aes(key[16:], padded)[15]) & 1
        out |= ((bits >> (127 - at) & 1) ^ pad) << (127 - at)
    return out.to_bytes(16, "big")


def address(alg, parent, header, ctx, value, shape, random):
    block = canonical(value.decode())
    if alg == "address":
        payload = aes(use_key(parent, "ip.det", ctx, 16), block)
    elif alg == "address-prefix":
        payload = prefix_cipher(use_key(parent, "ip.pfx", ctx, 32), block)
    else:
        key = use_key(parent, "ip.ndx", ctx, 32)
        mask = aes(key[16:], random[:16])
        payload = random[:16] + xor(aes(key[:16], xor(block, mask)), mask)
    if shape == "ip":
        literal = ipaddress.IPv6Address(payload)
        return str(literal.ipv4_mapped or literal)
    return bech32m("pvi", header + payload)


# --- Section 6, preserved values -------------------------------------------------------------------------------

def ff1(key, tweak, text):
    n, u = len(text), len(text) // 2
    v = n - u
    b = -(-((10 ** v - 1).bit_length()) // 8)
    d = 4 * -(-b // 4) + 4
    fixed = bytes([1, 2, 1, 0, 0, 10, 10, u % 256]) + struct.pack(">II", n, len(tweak))
    a, c = int(text[:u]), int(text[u:])
    for i in range(10):
        rest = tweak + bytes(-(len(tweak) + b + 1) % 16) + bytes([i]) + c.to_bytes(b, "big")
        r = bytes(16)
        for at in range(0, 16 + len(rest), 16):
            r = aes(key, xor(r, (fixed + rest)[at:at + 16]))
        s = r
        for j in range(1, -(-d // 16)):
            s += aes(key, xor(r, j.to_bytes(16, "big")))
        m = u if i % 2 == 0 else v
        a, c = c, (a + int.from_bytes(s[:d], "big")) % 10 ** m
    return "%0*d%0*d" % (u, a, v, c)


def luhn(text):
    total = 0
    for i, digit in enumerate(reversed(text)):
        value = int(digit) * (2 if i % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10


def preserved(key, ctx, kind, value):
    prefix = 0
    if kind == "phone" and value.startswith("+"):
        prefix = {"33": 3, "44": 3, "1": 2}.get(value[1:3], 2 if value[1] in "17" else 4)
    found = "".join(c for c in value[prefix:] if c.isascii() and c.isdigit())
    checked = kind in ("card", "siren", "siret")
    if checked:
        assert luhn(found[:-1]) == int(found[-1])
        found = found[:-1]
    template = value[:prefix] + "".join("0" if c.isascii() and c.isdigit() else c for c in value[prefix:])
    tweak = hashlib.sha256(b"paravent/v1/ff1" + ctx + bytes([prefix]) + template.encode()).digest()[:16]
    new = ff1(key, tweak, found)
    if checked:
        new += str((luhn(new) + 5) % 10)
    rest = iter(new)
    return value[:prefix] + "".join(next(rest) if c.isascii() and c.isdigit() else c for c in value[prefix:])


# --- Section 6, sealed values ----------------------------------------------------------------------------------

def hpke_seal(public, ephemeral, info, aad, plaintext):
    """RFC 9180, base mode: enc | ciphertext | tag."""
    def extract(suite, salt, label, ikm):
        return hmac.new(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, hashlib.sha256).digest()

    def expand(suite, prk, label, more, length):
        message = struct.pack(">H", length) + b"HPKE-v1" + suite + label + more
        return hmac.new(prk, message + b"\x01", hashlib.sha256).digest()[:length]

    raw = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    secret = X25519PrivateKey.from_private_bytes(ephemeral)
    enc = secret.public_key().public_bytes(*raw)
    kem, hpke = b"KEM\0\x20", b"HPKE\0\x20\0\x01\0\x03"
    point = secret.exchange(X25519PublicKey.from_public_bytes(public))
    shared = expand(kem, extract(kem, b"", b"eae_prk", point), b"shared_secret", enc + public, 32)
    schedule = b"\0" + extract(hpke, b"", b"psk_id_hash", b"") + extract(hpke, b"", b"info_hash", info)
    root = extract(hpke, shared, b"secret", b"")
    key, nonce = expand(hpke, root, b"key", schedule, 32), expand(hpke, root, b"base_nonce", schedule, 12)
    return enc + ChaCha20Poly1305(key).encrypt(nonce, plaintext, aad)


def sealed(alg, private, header, ctx, kind, value, random):
    raw = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes(*raw)
    framed = golden.frame(kind, value)
    ephemeral = hashlib.sha256(b"ephemeral" + random).digest()
    if alg == "sealed-single":
        body = header + hpke_seal(public, ephemeral, b"paravent/v1/seal" + ctx, header, framed)
    else:
        recipient = hashlib.sha256(b"paravent/v1/recipient" + public).digest()[:16]
        content = hashlib.sha256(b"content" + random).digest()
        body = header + hpke_seal(public, ephemeral, b"paravent/v1/seal-key" + lp(recipient), b"", content)
        body += random + golden.xaes(content, random, framed, header + ctx)
    body += struct.pack(">I", golden.crc32c(body))
    return "pvs_" + base64.urlsafe_b64encode(body).decode().rstrip("=")


# --- The cases -------------------------------------------------------------------------------------------------

NO_FORM = ("", 0, 0, b"")
SCOPE = bytes(range(100, 116))
CASES = [("pseudonym", "email", "marie@example.com", form) for form in (
    NO_FORM, ("email", 0, 0, b""), ("phone", 0, 0, b""), ("digits", 12, 0, b""), ("digits", 6, 0, b""),
    ("digits", 18, 0, b""), ("digits.digits", 0, 0, b""), ("hex16", 0, 0, b""), ("uuid", 0, 0, b""),
    ("alphanumeric", 16, 0, b""), ("alphanumeric", 8, 0, b""), ("alphanumeric", 32, 0, b""),
    ("ip", 0, 0, b""), ("ipv4", 0, 0, b""), ("", 0, 1, b""), ("", 0, 12, b""), ("", 0, 16, b""), ("", 0, 159, b""),
    ("", 0, 0, SCOPE), ("", 0, 24, SCOPE), ("uuid", 0, 0, SCOPE))]
CASES += [(alg, "ip", value, (shape, 0, 0, b""))
          for alg in ("address", "address-prefix", "address-random")
          for value in ("192.0.2.1", "2001:db8::1", "255.255.255.255", "::")
          for shape in (("", "ip") if alg != "address-random" else ("",))]
CASES += [("format-preserving", kind, value, ("preserve", 0, 0, b"")) for kind, value in (
    ("phone", "+33612345678"), ("phone", "+12025550123"), ("phone", "+377123456"), ("text", "0612345678"),
    ("text", "FR-2024/000123-Zoé"), ("text", "1" * 38), ("text", "123456"), ("card", "4111111111111111"),
    ("card", "4111 1111 1111 1111"), ("siren", "732829320"), ("siret", "73282932000074"))]
CASES += [(alg, kind, value, NO_FORM) for alg in ("sealed", "sealed-single") for kind, value in golden.VALUES]


def main():
    print("# Written by golden_forms.py, independently of the product. Bytes in hex. parent: the epoch key; for sealed values")
    print("# the recipient's private key. random: tweak of address-random; nonce of sealed.")
    print("# algorithm, key_id, parent, scope of the row, kind, shape, length, bits, scope id, value, random, ctx, token")
    for n, (alg, kind, value, form) in enumerate(CASES):
        number = ALGS[alg]
        key_id = 0x01000000 * number + n
        parent = hashlib.sha256(b"parent %d %d" % (number, n)).digest()
        row_scope = b"l" if form[3] else b""
        ids = [part * 16 for part in (b"t", b"d", b"p", b"s")] + [row_scope]
        ctx = golden.context(number, ids, 1, golden.KINDS[kind][0] * 256 + 1)
        header = struct.pack(">BBI", 1, number, key_id)
        random = bytes(range(n, n + 24))
        raw = value.encode()
        if alg == "pseudonym":
            token = pseudonym(use_key(parent, "prf.pseudonym", ctx, 32), header, ctx, raw, form)
        elif alg.startswith("address"):
            token = address(alg, parent, header, ctx, raw, form[0], random)
        elif alg == "format-preserving":
            token = preserved(use_key(parent, "fpe.ff1", ctx, 32), ctx, kind, value)
        else:
            token = sealed(alg, parent, header, ctx, kind, raw, random)
        row = [alg, "%08x" % key_id, parent.hex(), row_scope.hex(), kind, form[0] or "-", str(form[1]), str(form[2]),
               form[3].hex(), raw.hex(), random.hex(), ctx.hex(), token]
        print("\t".join(row))


if __name__ == "__main__":
    sys.exit(main())

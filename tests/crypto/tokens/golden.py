#!/usr/bin/python3
"""Writes golden.tsv: known answers of the three constructions, made without a line of the product.

Follows docs/token-format.md with python3-cryptography 38 (AES-SIV, AES, GCM, HKDF, CMAC) and the standard
library; Bech32m and CRC-32C are written out below. Run by hand when a format is added; never to change a
line that exists:  tests/crypto/tokens/golden.py > tests/crypto/tokens/golden.tsv
"""
import base64
import hashlib
import hmac
import struct
import sys

from cryptography.hazmat.primitives import cmac, hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

DERIVED, PSEUDONYM, ENCRYPTED = 2, 3, 4
NAMES = {DERIVED: "derived", PSEUDONYM: "pseudonym", ENCRYPTED: "encrypted"}
KINDS = {"text": (1, 16), "name": (2, 64), "email": (3, 64), "phone": (4, 32), "ip": (5, 48)}
BUCKETS = [16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]


def lp(part):
    return struct.pack(">H", len(part)) + part


def context(alg, ids, version, normaliser):
    return b"PVT1" + bytes([alg]) + b"".join(lp(i) for i in ids) + struct.pack(">IH", version, normaliser)


def use_key(parent, use, ctx, length):
    info = b"paravent/v1/" + use.encode() + b"\0" + ctx
    return HKDFExpand(algorithm=hashes.SHA256(), length=length, info=info).derive(parent)


def frame(kind, value):
    number, least = KINDS[kind]
    need = max(6 + len(value), least)
    bucket = next((b for b in BUCKETS if b >= need), -(-need // 1024) * 1024)
    head = struct.pack(">BBI", 1, number, len(value)) + value
    return head + bytes(bucket - len(head))


def aes(key, block):
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def doubled(block):
    number = int.from_bytes(block, "big") << 1
    if number >> 128:
        number = (number & ((1 << 128) - 1)) ^ 0x87
    return number.to_bytes(16, "big")


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def xaes(key, nonce, plaintext, ad):
    k1 = doubled(aes(key, bytes(16)))
    sub = b"".join(aes(key, xor(bytes([0, n]) + b"X\0" + nonce[:12], k1)) for n in (1, 2))
    return AESGCM(sub).encrypt(nonce[12:], plaintext, ad)


def bech32m(hrp, data):
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    bits = "".join("{:08b}".format(b) for b in data)
    bits += "0" * (-len(bits) % 5)
    symbols = [int(bits[i:i + 5], 2) for i in range(0, len(bits), 5)]
    state = 1
    expanded = [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp]
    for value in expanded + symbols + [0] * 6:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for i, g in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
            state ^= g if top >> i & 1 else 0
    state ^= 0x2bc830a3
    symbols += [state >> 5 * (5 - i) & 31 for i in range(6)]
    return hrp + "1" + "".join(alphabet[s] for s in symbols)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def protect(alg, key_id, parent, ctx, kind, value, random):
    header = struct.pack(">BBI", 1, alg, key_id)
    if alg == DERIVED:
        sealed = AESSIV(use_key(parent, "enc.det", ctx, 64)).encrypt(frame(kind, value), [header + ctx])
        return bech32m("pvd", header + sealed)
    if alg == PSEUDONYM:
        key = use_key(parent, "prf.pseudonym", ctx, 32)
        return bech32m("pvh", header + hmac.new(key, lp(ctx) + lp(value), hashlib.sha256).digest()[:20])
    mac = cmac.CMAC(algorithms.AES(use_key(parent, "enc.nonce", ctx, 32)))
    mac.update(ctx + frame(kind, value))
    nonce = xor(random[:16], mac.finalize()) + random[16:]
    body = header + nonce + xaes(use_key(parent, "enc.rand", ctx, 32), nonce, frame(kind, value), header + ctx)
    body += struct.pack(">I", crc32c(body))
    return "pve_" + base64.urlsafe_b64encode(body).decode().rstrip("=")


VALUES = [
    ("email", "marie@example.com"), ("email", "a" * 55 + "@b.example"), ("name", "Zoé Lefèvre"),
    ("phone", "+33612345678"), ("ip", "192.0.2.1"), ("ip", "2001:db8::1"), ("text", "x"),
    ("text", "Bonjour, rappelez-moi demain.\r\n"), ("text", "é" * 253), ("text", "long " * 300),
]


def main():
    print("# Written by golden.py, independently of the product. Bytes in hex; random: what the nonce starts from.")
    print("# algorithm, key_id, parent, tenant, domain, purpose, space, key_version, kind, value, random, ctx, token")
    for alg in (DERIVED, PSEUDONYM, ENCRYPTED):
        for n, (kind, value) in enumerate(VALUES):
            value = value.encode()
            if alg == DERIVED and len(value) > 506:
                continue
            key_id = 0x10000000 * alg + n
            parent = hashlib.sha256(b"parent %d %d" % (alg, n)).digest()
            ids = [hashlib.sha256(b"%s %d" % (part, n)).digest()[:16]
                   for part in (b"tenant", b"domain", b"purpose", b"space")]
            ctx = context(alg, ids + [b""], n + 1, KINDS[kind][0] * 256 + 1)
            random = bytes(range(n, n + 24))
            token = protect(alg, key_id, parent, ctx, kind, value, random)
            row = [NAMES[alg], "%08x" % key_id, parent.hex()] + [i.hex() for i in ids]
            row += [str(n + 1), kind, value.hex(), random.hex(), ctx.hex(), token]
            print("\t".join(row))


if __name__ == "__main__":
    sys.exit(main())

"""The keys of a data directory in clear, read by the formats that the headers of the key store state; not by the
gateway's code, so that a test can look for them where they must not be.

key_store_image.h, key_record.h, key_wrap.h, subject_file.h, subject_change.h, subject_wrap.h, shred_secret.h.
"""

import base64
import ctypes
import hashlib
import hmac
import os
import struct
from dataclasses import dataclass

CLASSES = {1: "tenant", 2: "domain", 3: "epoch", 4: "subject", 5: "audit seed", 6: "audit detail", 7: "subject store"}
NO_ID = bytes(16)
SHRED_SECRET = slice(28, 60)
DESTROYED = bytes(112)
SODIUM = ctypes.CDLL("libsodium.so.23")


def hkdf_expand(key, info):
    return hmac.new(key, info + b"\x01", hashlib.sha256).digest()


def read_root_key(path):
    with open(path, "rb") as file:
        return base64.urlsafe_b64decode(file.read().split()[1])[:32]


def read_shred_secret(data):
    with open(os.path.join(data, "keys", "shred-secret"), "rb") as file:
        return file.read()[SHRED_SECRET]


def open_sealed(key, ad, sealed):
    """nonce 24 | XChaCha20-Poly1305 of libsodium."""
    nonce, ciphertext = sealed[:24], sealed[24:]
    out = ctypes.create_string_buffer(len(ciphertext) - 16)
    status = SODIUM.crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, None, None, ciphertext, ctypes.c_ulonglong(len(ciphertext)), ad, ctypes.c_ulonglong(len(ad)), nonce, key
    )
    if status != 0:
        raise ValueError("a wrap does not open")
    return out.raw


@dataclass
class Wrapped:
    """What both wraps bind, and the wrap."""

    id: bytes
    key_class: int
    parent: bytes
    tenant: bytes
    domain: bytes
    purpose: bytes
    epoch: bytes  # length and index
    made: bytes
    versions: bytes  # of the key, and of the shred secret
    check: bytes
    wrapped: bytes
    binding: bytes = b""

    def ad(self, label):
        def lp(part):
            return struct.pack(">H", len(part)) + part

        parts = lp(self.parent) + lp(self.id) + lp(self.purpose) + lp(self.tenant) + self.made
        return label + parts + bytes([self.key_class]) + lp(self.domain) + self.epoch + self.versions + self.binding

    def open(self, shred, outer):
        key = open_sealed(shred, self.ad(b"shred"), open_sealed(outer, self.ad(b"wrap"), self.wrapped))
        if hmac.new(key, b"kcv" + self.id, hashlib.sha256).digest()[:8] != self.check:
            raise ValueError("a key has another check value")
        return key


def tree_keys(data):
    with open(os.path.join(data, "keys", "keystore"), "rb") as file:
        text = file.read()
    at = 8 + 2 + 16 + 8 + 8 + 4
    (count,) = struct.unpack_from(">I", text, at)
    at += 4
    for _ in range(count):
        kind, key_id, size = struct.unpack_from(">B16sI", text, at)
        payload = text[at + 21 : at + 21 + size]
        at += 21 + size
        if kind != 1 or payload[-112:] == DESTROYED:
            continue
        key_class = payload[1]
        parent, tenant, domain, purpose = (payload[2 + 16 * n : 18 + 16 * n] for n in range(4))
        epoch, made, versions = payload[66:71], payload[71:79], payload[79:87]
        yield Wrapped(key_id, key_class, parent, tenant, domain, purpose, epoch, made, versions, payload[-120:-112], payload[-112:])


def subject_keys(data):
    """Of those who are there; a file in which a change is not a subject, a key or a contact is not for this reader."""
    with open(os.path.join(data, "keys", "subjects"), "rb") as file:
        text = file.read()
    at, tenants = 8 + 2 + 16 + 16 + 4 + 16, {}
    while at < len(text):
        (size,) = struct.unpack_from(">I", text, at)
        changes, at = text[at + 8 : at + 8 + size], at + 8 + size + 16
        while changes:
            kind, fields = changes[0], changes[1:]
            if kind == 1:
                tenants[fields[:16]] = fields[16:32]
                changes = fields[69:]
            elif kind == 2:
                handle, subject, purpose, parent = (fields[16 * n : 16 * n + 16] for n in range(4))
                made, day, shred_number = fields[64:72], fields[72:76], fields[76:80]
                yield Wrapped(
                    handle, 4, parent, tenants[subject], NO_ID, purpose, bytes(5), made, struct.pack(">I", 1) + shred_number,
                    fields[80:88], fields[88:200], subject + day,
                )  # fmt: skip
                changes = fields[200:]
            elif kind == 4:
                changes = fields[20:]
            else:
                raise ValueError(f"a change of type {kind}")


def reference_key(tenant_key, tenant):
    """What a tenant's references to people are made with (docs/token-format.md; key_use.cc, context_row.cc)."""
    identifiers = b"".join(struct.pack(">H", len(one)) + one for one in (tenant, b"", b"", b"", b""))
    context = b"PVT1" + bytes([19]) + identifiers + struct.pack(">IH", 1, 0)
    return hkdf_expand(tenant_key, b"paravent/v1/prf.subject\0" + context)


def clear_keys(data, root):
    """(class, key, tenant) of every key of the tree and of every person."""
    shred = hkdf_expand(read_shred_secret(data), b"paravent/v1/shred.wrap")
    outer = {NO_ID: hkdf_expand(root, b"paravent/v1/root.wrap")}
    found, waiting = [], [*tree_keys(data), *subject_keys(data)]
    while waiting:
        ready = [one for one in waiting if one.parent in outer]
        if not ready:
            raise ValueError("a key without a parent")
        for one in ready:
            key = one.open(shred, outer[one.parent])
            found.append((CLASSES[one.key_class], key, one.tenant))
            outer[one.id] = hkdf_expand(key, b"paravent/v1/wrap")
        waiting = [one for one in waiting if one not in ready]
    return found

"""What a keyed HMAC-SHA-256 keeps in memory in place of its key: the state of the hash after the key's pad (RFC 2104,
FIPS 180-4), which signs as well as the key does. hashlib shows no states, so the one compression is written out here."""

import struct


def _fraction(root, prime):
    """The first 32 bits behind the point of a prime's square or cube root."""
    low, high = 0, prime << 40
    while high - low > 1:  # of prime * 2^(32 * root), the largest integer whose power fits
        middle = (low + high) // 2
        low, high = (middle, high) if middle**root <= prime << (32 * root) else (low, middle)
    return low & 0xFFFFFFFF


def _primes(count):
    found = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


START = [_fraction(2, prime) for prime in _primes(8)]
ROUNDS = [_fraction(3, prime) for prime in _primes(64)]


def _turn(word, by):
    return (word >> by | word << (32 - by)) & 0xFFFFFFFF


def compress(state, block):
    words = list(struct.unpack(">16I", block))
    for at in range(16, 64):
        x, y = words[at - 15], words[at - 2]
        small = _turn(x, 7) ^ _turn(x, 18) ^ x >> 3
        large = _turn(y, 17) ^ _turn(y, 19) ^ y >> 10
        words.append((words[at - 16] + small + words[at - 7] + large) & 0xFFFFFFFF)
    a, b, c, d, e, f, g, h = state
    for word, constant in zip(words, ROUNDS):
        choice = (_turn(e, 6) ^ _turn(e, 11) ^ _turn(e, 25)) + (e & f ^ ~e & g)
        first = (h + choice + constant + word) & 0xFFFFFFFF
        second = (_turn(a, 2) ^ _turn(a, 13) ^ _turn(a, 22)) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (first + second) & 0xFFFFFFFF, a, b, c, (d + first) & 0xFFFFFFFF, e, f, g
    return [(x + y) & 0xFFFFFFFF for x, y in zip(state, (a, b, c, d, e, f, g, h))]


def states(key):
    """Inner and outer state, as words in the machine's order, for a key of 64 bytes at most."""
    padded = key.ljust(64, b"\0")
    return [struct.pack("=8I", *compress(START, bytes(byte ^ pad for byte in padded))) for pad in (0x36, 0x5C)]

"""An issuer of JWTs with keys of its own, made and used with the openssl command."""

import base64
import json
import os
import subprocess
import time

from . import settings

NAME, URL, AUDIENCE = "login", "https://login.example", "paravent"
_NEW_KEY = {
    "RS256": ("RSA", "rsa_keygen_bits:2048"),
    "ES256": ("EC", "ec_paramgen_curve:P-256"),
    "EdDSA": ("ED25519", None),
}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60 * settings.PATIENCE).stdout


def _raw_of(der):
    """r and s of 32 bytes each out of an ECDSA signature as openssl writes it."""
    at, numbers = 2, []
    for _ in range(2):
        size = der[at + 1]
        numbers.append(der[at + 2 : at + 2 + size].lstrip(b"\0").rjust(32, b"\0"))
        at += 2 + size
    return b"".join(numbers)


class Key:
    def __init__(self, folder, kid, algorithm="ES256"):
        self.kid, self.algorithm = kid, algorithm
        self._file = os.path.join(folder, f"issuer-{kid}.key")
        kind, option = _NEW_KEY[algorithm]
        options = ("-pkeyopt", option) if option else ()
        _openssl("genpkey", "-algorithm", kind, *options, "-out", self._file)

    def jwk(self):
        public = _openssl("pkey", "-in", self._file, "-pubout", "-outform", "DER")
        members = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if self.algorithm == "EdDSA":
            return members | {"kty": "OKP", "crv": "Ed25519", "x": base64url(public[-32:])}
        if self.algorithm == "ES256":
            x, y = public[-64:-32], public[-32:]
            return members | {"kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y)}
        modulus = _openssl("rsa", "-in", self._file, "-noout", "-modulus").decode().strip().split("=")[1]
        return members | {"kty": "RSA", "n": base64url(bytes.fromhex(modulus)), "e": "AQAB"}

    def sign(self, text):
        message = self._file + ".message"
        with open(message, "wb") as file:
            file.write(text)
        if self.algorithm == "EdDSA":
            return _openssl("pkeyutl", "-sign", "-inkey", self._file, "-rawin", "-in", message)
        signature = _openssl("dgst", "-sha256", "-sign", self._file, message)
        return _raw_of(signature) if self.algorithm == "ES256" else signature


class Issuer:
    """`folder`: for its private keys; its public ones go where configured() says."""

    def __init__(self, folder, algorithms=("ES256",)):
        self._folder = folder
        self.keys = [Key(folder, algorithm.lower(), algorithm) for algorithm in algorithms]

    def rotate(self):
        """New keys under new names instead of the old ones."""
        self.keys = [Key(self._folder, key.kid + "-next", key.algorithm) for key in self.keys]

    def key_set(self):
        return json.dumps({"keys": [key.jwk() for key in self.keys]}).encode()

    def configured(self, folder, more=""):
        """The gateway file's lines, with the keys in a file in `folder`."""
        return self.lines(f"{{ file: {self.publish(folder)} }}", more)

    def publish(self, folder):
        """The public keys of now into their file, all at once: it is read whenever somebody comes."""
        path = os.path.join(folder, "jwks.json")
        with open(path + ".new", "wb") as file:
            file.write(self.key_set())
        os.rename(path + ".new", path)
        return path

    def lines(self, keys, more=""):
        entry = f"name: {NAME}, issuer: {URL}, audience: {AUDIENCE}, keys: {keys}{more}"
        return f"operators: {{ oidc: [{{ {entry} }}] }}"

    def credential(self, subject, key=None, header=None, **claims):
        """A good one, unless `header` or `claims` say otherwise; None takes a member out."""
        key = key or self.keys[0]
        now = int(time.time())
        head = {"alg": key.algorithm, "kid": key.kid, "typ": "JWT"} | (header or {})
        body = {"iss": URL, "sub": subject, "aud": AUDIENCE, "iat": now, "exp": now + 300} | claims
        parts = [
            base64url(json.dumps({name: value for name, value in part.items() if value is not None}).encode())
            for part in (head, body)
        ]
        text = ".".join(parts)
        return text + "." + base64url(key.sign(text.encode()))

"""A certificate authority of one's own, made with the openssl command: keys and certificates for one case."""

import os
import ssl
import subprocess

from . import settings


class Authority:
    """Issues certificates into `folder`. `name` keeps several authorities apart."""

    def __init__(self, folder, name="authority"):
        self.folder = folder
        self.name = name
        self.certificate = self._path(name + ".pem")
        self._key = self._path(name + ".key")
        self._serial = 1
        self._openssl(
            *("req", "-x509", "-new", "-nodes", "-days", "30", "-subj", f"/CN={name}"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
            *("-keyout", self._key, "-out", self.certificate),
        )

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60 * settings.PATIENCE)

    def issue(self, name, alternative=None, days=30, kind="ec", usage="serverAuth", common_name=None):
        """Answers (certificate file, key file)."""
        key, request = self._path(name + ".key"), self._path(name + ".csr")
        certificate, extensions = self._path(name + ".pem"), self._path(name + ".ext")
        new_key = ("-newkey", "rsa:2048") if kind == "rsa" else ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        subject = f"/CN={common_name or name}"
        self._openssl("req", "-new", "-nodes", *new_key, "-subj", subject, "-keyout", key, "-out", request)
        os.chmod(key, 0o600)
        with open(extensions, "w", encoding="ascii") as file:
            file.write(f"extendedKeyUsage={usage}\nsubjectAltName={alternative or 'DNS:' + name}\n")
        self._serial += 1
        if days < 0:
            self._expired(request, certificate, extensions)
            return certificate, key
        self._openssl(
            *("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key),
            *("-set_serial", str(self._serial), "-extfile", extensions, "-out", certificate, "-days", str(days)),
        )
        return certificate, key

    def _expired(self, request, certificate, extensions):
        """`openssl x509` of 3.0 takes no dates in the past; `openssl ca` does, with a folder of its own."""
        state = self._path("ca-state")
        os.makedirs(state, exist_ok=True)
        for name, text in (("index.txt", ""), ("serial", "7A\n")):
            with open(os.path.join(state, name), "w", encoding="ascii") as file:
                file.write(text)
        config = os.path.join(state, "ca.cnf")
        with open(config, "w", encoding="ascii") as file:
            file.write(
                f"[ca]\ndefault_ca=it\n[it]\ndatabase={state}/index.txt\nserial={state}/serial\n"
                f"new_certs_dir={state}\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
            )
        self._openssl(
            *("ca", "-batch", "-config", config, "-cert", self.certificate, "-keyfile", self._key),
            *("-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-notext"),
            *("-extfile", extensions, "-in", request, "-out", certificate),
        )

    def trusting(self, certificate=None, key=None, least=ssl.TLSVersion.TLSv1_2, most=ssl.TLSVersion.TLSv1_3):
        """A client's context that trusts this authority alone."""
        context = ssl.create_default_context(cafile=self.certificate)
        context.minimum_version, context.maximum_version = least, most
        if certificate:
            context.load_cert_chain(certificate, key)
        return context

#!/usr/bin/env python3
"""testssl.sh looks at the public door and at the admin listener: no weakness, no old protocol, no weak cipher.

tls.py --binary PATH

Skipped where testssl is not installed (Debian: testssl.sh). The last line is `N passed, N failed`.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "e2e")]

import run as e2e  # noqa: E402
from support import settings  # noqa: E402
from support.case import CASES, Skip, case, equal, expect  # noqa: E402
from support.certificates import Authority  # noqa: E402
from support.gateway import Scene  # noqa: E402
from support.policies import WIDE  # noqa: E402

# Findings about a throwaway certificate from an authority of ours, and about HTTP headers that are the site's to
# send; everything else that testssl holds to be worse than OK or INFO fails.
NOT_OURS = ("cert_", "DNS_CAArecord", "HSTS", "HPKP", "security_headers", "OCSP_stapling", "overall_grade", "grade_cap")
WORSE = ("LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL")


def findings(folder, authority, port, name):
    report = os.path.join(folder, f"{name}.json")
    command = ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--ip", "127.0.0.1", "--add-ca"]
    command += [authority.certificate, "--jsonfile", report, f"site.example:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=folder, check=False)
    expect(os.path.exists(report), f"testssl wrote no report: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    with open(report, encoding="utf-8") as file:
        return json.load(file)


def one_certificate(authority, name="site.example"):
    certificate, key = authority.issue(name)
    return f"{{ certificate: {certificate}, key: {key} }}"


def several_certificates(authority):
    """The one for site.example is of RSA, and chosen by name; who has a certificate may show it."""
    pairs = [authority.issue("other.example"), authority.issue("site.example", kind="rsa")]
    listed = ", ".join(f"{{ certificate: {certificate}, key: {key} }}" for certificate, key in pairs)
    return f"{{ certificates: [{listed}], client-certificate: requested, client-ca: {authority.certificate} }}"


def look_at(listener, served_by=one_certificate):
    if shutil.which("testssl") is None:
        raise Skip("testssl is not installed (Debian: testssl.sh)")
    folder = tempfile.mkdtemp(prefix="paravent-testssl-")
    try:
        authority = Authority(folder)
        served = served_by(authority)
        admin = served if listener == "admin" else one_certificate(authority, "admin.example")
        with Scene(policy=WIDE, tls=served, admin_tls=f"tls: {admin}") as scene:
            port = scene.port if listener == "public" else scene.admin_port
            found = findings(folder, authority, port, listener)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    expect(len(found) > 60, f"testssl looked at only {len(found)} things: {found}")
    offered = {one["id"]: one["finding"] for one in found}
    for protocol in ("SSLv2", "SSLv3", "TLS1", "TLS1_1"):
        equal(offered[protocol], "not offered", protocol)
    for protocol in ("TLS1_2", "TLS1_3"):
        expect(offered[protocol].startswith("offered"), f"{protocol}: {offered[protocol]}")
    kind = "RSA" if served_by is several_certificates else "EC"
    expect(kind in offered["cert_keySize"], f"another certificate than was meant: {offered['cert_keySize']}")
    bad = [
        f"{one['severity']} {one['id']}: {one['finding']}"
        for one in found
        if one["severity"] in WORSE and not one["id"].startswith(NOT_OURS)
    ]
    equal(bad, [], "what testssl holds against it")


@case("testssl.sh finds no weakness at the public door")
def public_door():
    look_at("public")


@case("testssl.sh finds no weakness at a door with several certificates, one of them RSA, that asks clients for theirs")
def several():
    look_at("public", several_certificates)


@case("testssl.sh finds no weakness at the admin listener")
def admin_listener():
    look_at("admin")


def main():
    binary = sys.argv[sys.argv.index("--binary") + 1] if "--binary" in sys.argv else None
    if binary is None or not os.access(binary, os.X_OK):
        print("tls.py needs --binary PATH")
        return 2
    settings.BINARY = os.path.abspath(binary)
    for one in CASES:
        one.module = "real"
    tally = e2e.run_all(CASES)
    if tally["skip"]:
        print(f"{tally['skip']} skipped, for the reasons given above")
    print(f"{tally['ok']} passed, {tally['FAIL']} failed")
    return 1 if tally["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())

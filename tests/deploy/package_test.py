#!/usr/bin/env python3
"""The Debian package of a release build: made, looked into, unpacked, and its program run from there.

  package_test.py BUILD
"""

import pathlib
import re
import subprocess
import sys
import tempfile

WANTED = {
    "./usr/bin/paravent": "-rwxr-xr-x",
    "./usr/lib/systemd/system/paravent.service": "-rw-r--r--",
    "./usr/lib/sysusers.d/paravent.conf": "-rw-r--r--",
    "./usr/lib/tmpfiles.d/paravent.conf": "-rw-r--r--",
    "./usr/share/doc/paravent/README.md": "-rw-r--r--",
    "./usr/share/doc/paravent/gateway.yaml": "-rw-r--r--",
    "./usr/share/doc/paravent/docs/deployment.md": "-rw-r--r--",
    "./usr/share/doc/paravent/policies/presets/contact-form.yaml": "-rw-r--r--",
}
SECRETS = re.compile(r"\.(key|pem)$|first-credentials")


def run(*command, **more):
    return subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True, **more)


class Report:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, holds, what, why=""):
        if holds:
            self.passed += 1
            print(f"ok    package: {what}")
        else:
            self.failed += 1
            print(f"FAIL  package: {what}  {why}")


def main(build):
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        made = run("cpack", "--config", build / "CPackConfig.cmake", "-B", folder / "out", cwd=build)
        packages = list((folder / "out").glob("*.deb"))
        report.check(made.returncode == 0 and len(packages) == 1, "cpack makes one package", made.stderr[-500:])
        if not packages:
            return report
        listing = run("dpkg-deb", "-c", packages[0]).stdout.splitlines()
        modes = {line.split()[5]: line.split()[0] for line in listing}
        for path, mode in WANTED.items():
            report.check(modes.get(path) == mode, f"{path} is there, {mode}")
        report.check(all("root/root" in line for line in listing), "everything belongs to root")
        report.check(not any(SECRETS.search(path) for path in modes), "no key and no credential is in it")
        depends = run("dpkg-deb", "-f", packages[0], "Depends").stdout
        report.check(all(library in depends for library in ("libssl3", "librocksdb", "libsodium23", "libc6")),
                     "it depends on the libraries that it was linked with")
        root = folder / "root"
        report.check(run("dpkg-deb", "-x", packages[0], root).returncode == 0, "it unpacks")
        version = run("dpkg-deb", "-f", packages[0], "Version").stdout.strip()
        report.check(version in run(root / "usr/bin/paravent", "--version").stdout, "its program says the package's version")
        control = folder / "control"
        run("dpkg-deb", "-e", packages[0], control)
        for script in ("postinst", "prerm"):
            report.check(run("sh", "-n", control / script).returncode == 0, f"{script} is a shell script")
        for name in ("gateway.yaml", "policies/presets/contact-form.yaml"):
            done = run(root / "usr/bin/paravent", "check", root / "usr/share/doc/paravent" / name)
            report.check(done.returncode == 0, f"its {name} passes its own check", done.stdout[-300:])
    return report


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    outcome = main(pathlib.Path(sys.argv[1]).resolve())
    print(f"{outcome.passed} passed, {outcome.failed} failed")
    sys.exit(1 if outcome.failed else 0)

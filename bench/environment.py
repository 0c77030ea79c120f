#!/usr/bin/env python3
"""Writes as JSON what a figure cannot be read without: machine, kernel, versions, commit, settings."""

import argparse
import hashlib
import json
import pathlib
import platform
import subprocess
import time


def output_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return None
    return (done.stdout or done.stderr).strip() or None


def text_of(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def processor():
    facts = {}
    for line in (text_of("/proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
    return facts


def mitigations():
    folder = pathlib.Path("/sys/devices/system/cpu/vulnerabilities")
    if not folder.is_dir():
        return {}
    return {entry.name: text_of(entry) for entry in sorted(folder.iterdir())}


def debian_version(package):
    return output_of("dpkg-query", "-W", "-f=${Version}", package)


def flags_of(binary):
    """What the compiler was told where `binary` lies in its folder of CMake's; None elsewhere."""
    for folder in binary.resolve().parents:
        cache = text_of(folder / "CMakeCache.txt")
        if cache is not None:
            facts = dict(line.split("=", 1) for line in cache.splitlines() if "=" in line and not line.startswith(("#", "//")))
            flags = [facts.get(f"CMAKE_CXX_FLAGS{which}:STRING", "") for which in ("", f"_{facts.get('CMAKE_BUILD_TYPE:STRING', '').upper()}")]
            whole = [facts.get(f"CMAKE_INTERPROCEDURAL_OPTIMIZATION:{kind}") in ("ON", "TRUE", "1") for kind in ("BOOL", "STRING", "UNINITIALIZED")]
            return " ".join([*filter(None, flags), *(["-flto"] if any(whole) else [])])
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("connections", "window", "warm-up", "rounds", "binary", "command"):
        parser.add_argument("--" + name)
    arguments = parser.parse_args()
    top = pathlib.Path(__file__).resolve().parent.parent
    facts = processor()
    binary = None
    if arguments.binary:
        path = pathlib.Path(arguments.binary)
        binary = {"version": output_of(str(path), "--version"),
                  "flags": flags_of(path),
                  "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    git = ("git", "-C", str(top))
    print(json.dumps({
        "kernel": platform.release(),
        "processor": facts.get("model name"),
        "processor_flags": facts.get("flags", "").split(),
        "mitigations": mitigations(),
        "governor": text_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "load_average_before": text_of("/proc/loadavg"),
        "compiler": (output_of("c++", "--version") or "").partition("\n")[0],
        "openssl": output_of("openssl", "version"),
        "packages": {name: debian_version(name) for name in
                     ("nginx-light", "haproxy", "libnginx-mod-http-lua", "lua-resty-core", "lua-luaossl", "libnginx-mod-http-js",
                      "libluajit2-5.1-2", "libluajit-5.1-2", "libssl3", "libsodium23")},
        "commit": output_of(*git, "rev-parse", "HEAD"),
        "uncommitted": bool(output_of(*git, "status", "--porcelain")),
        "gateway": binary,
        "command": arguments.command,
        "started": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        "settings": {key: value for key, value in vars(arguments).items()
                     if key not in ("binary", "command") and value is not None},
    }, indent=2))


if __name__ == "__main__":
    main()

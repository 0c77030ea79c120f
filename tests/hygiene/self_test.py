#!/usr/bin/env python3
"""Each check can fail: on small trees with one mistake each, and on a clean one without a finding.

self_test.py --compiler PATH
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import attack_catalogue  # noqa: E402
import build_files  # noqa: E402
import file_shapes  # noqa: E402
import formatting  # noqa: E402
import fuzz_targets  # noqa: E402
import include_direction  # noqa: E402
import library_manners  # noqa: E402

H = "#pragma once\n"
PACKAGES = "[build]\ncmake\ng++\nlibssl-dev\n\n[test]\nclang\n"
FUZZ_BUILD = """\
foreach(codec form json cookie request_head)
  paravent_fuzz(${codec}_fuzz
    SOURCE ${PROJECT_SOURCE_DIR}/tests/fuzz/${codec}_fuzz.cc
    CORPUS tests/fuzz/corpus/${codec}
    LINK x)
endforeach()
paravent_fuzz(policy_file_fuzz SOURCE tests/fuzz/policy_file_fuzz.cc CORPUS tests/fuzz/corpus/policy_file LINK x)
paravent_fuzz(token_text_fuzz SOURCE tests/fuzz/token_text_fuzz.cc CORPUS tests/fuzz/corpus/token_text LINK x)
paravent_fuzz(audit_entry_fuzz SOURCE tests/fuzz/audit_entry_fuzz.cc CORPUS tests/fuzz/corpus/audit_entry LINK x)
"""
PARSERS = ("form", "json", "cookie", "request_head", "policy_file", "token_text", "audit_entry")

CATALOGUE = "| row | held by |\n" + "".join(f"| {row} | `tests/fuzz/form_fuzz.cc` |\n" for row in attack_catalogue.ROWS)

CLEAN = {
    "docs/attack-catalogue.md": CATALOGUE,
    "crypto/base/a.h": H + "#include <string>\n",
    "crypto/primitives/b.h": H + '#include <openssl/evp.h>\n\n#include "crypto/base/a.h"\n',
    "crypto/vault/engine/reverse/reverse.h": H,
    "crypto/reveal/c.h": H + '#include "crypto/vault/engine/reverse/reverse.h"\n',
    "policies/model/m.h": H + "#include <yaml-cpp/yaml.h>\n",
    "proxy/pipeline/p.cc": '#include "policies/model/m.h"\n\n// exit(1); std::cout\nconst char* kText = "printf(";\n',
    "proxy/main/io/i.h": H + "#include <boost/beast.hpp>\n",
    "proxy/main/gateway/g.h": H + '#include "proxy/main/io/i.h"\n',
    "proxy/main/main.cc": '#include "crypto/reveal/c.h"\n#include "proxy/admin/x.h"\n',
    "proxy/admin/x.h": H,
    "proxy/body/read.h": H + "int scan_form(std::string_view text);\nint parse_name(std::string_view text);\n",
    "tests/fuzz/reached.txt": "# why\n\nparse_name: form_fuzz.cc\n",
    "tests/CMakeLists.txt": FUZZ_BUILD,
    "deploy/packages.txt": PACKAGES,
    "deploy/packages.sh": "apt-get install -y cmake\n",
    "deploy/quick.sh": "#!/usr/bin/env bash\ninstall_packages build test\n",
    "README.md": "apt-get install cmake g++\n",
    "cmake/dependencies.cmake": 'paravent_missing("OpenSSL" libssl-dev)\n',
    ".clang-format": "BasedOnStyle: Google\n",
    **{f"tests/fuzz/{name}_fuzz.cc": "int x;\n" for name in PARSERS},
    "tests/fuzz/form_fuzz.cc": "int x = scan_form(y);\n",
    **{f"tests/fuzz/corpus/{name}/seed": "x" for name in PARSERS},
}

# (check, files that change, words of the finding; a file of None is removed)
MISTAKES = [
    (attack_catalogue, {"docs/attack-catalogue.md": None}, "does not exist"),
    (attack_catalogue, {"docs/attack-catalogue.md": CATALOGUE.replace("| S3 |", "| S33 |")}, "the row S3 is missing"),
    (attack_catalogue, {"docs/attack-catalogue.md": CATALOGUE.replace("`tests", "`tasts", 1)}, "F1 names no test"),
    (attack_catalogue, {"docs/attack-catalogue.md": CATALOGUE.replace("form_fuzz", "gone_fuzz", 1)}, "gone_fuzz.cc does not exist"),
    (attack_catalogue, {"docs/attack-catalogue.md": CATALOGUE.replace(".cc`", ".cc: Gone`", 1)}, "has no test 'Gone'"),
    (attack_catalogue, {"docs/attack-catalogue.md": CATALOGUE.replace("fuzz/form_fuzz.cc", "e2e/cases/*.py: F1", 1),
                        "tests/e2e/cases/a.py": "", "tests/e2e/run.py": "print('a: F10 x')"}, "has no case 'F1'"),
    (attack_catalogue, {"docs/attack-catalogue.md": CATALOGUE.replace("form_fuzz.cc", "a.http", 1),
                        "tests/fuzz/a.http": "# nothing\n"}, "holds no case"),
    (include_direction, {"crypto/base/a.h": H + '#include "policies/model/m.h"\n'}, "crypto/base may not include"),
    (include_direction, {"crypto/base/a.h": H + '  #  include "crypto/reveal/c.h"\n'}, "crypto/base may not include"),
    (include_direction, {"proxy/main/io/i.h": H + '#include "proxy/main/gateway/g.h"\n'}, "proxy/main/io may not include"),
    (include_direction, {"policies/model/m.h": H + '#include "proxy/admin/x.h"\n'}, "policies/model may not include"),
    (include_direction, {"crypto/base/a.h": H + "#include <sodium.h>\n"}, "belongs to crypto/primitives"),
    (include_direction, {"proxy/pipeline/p.cc": "#include <openssl/sha.h>\n"}, "belongs to crypto/primitives"),
    (include_direction, {"proxy/body/f.cc": "#include <boost/asio.hpp>\n"}, "belongs to proxy/net"),
    (include_direction, {"policies/model/m.h": H + "#include <boost/beast/http.hpp>\n"}, "belongs to proxy/net"),
    (include_direction, {"proxy/pipeline/p.cc": '#include "crypto/reveal/c.h"\n'}, "proxy/pipeline may not include"),
    (include_direction, {"proxy/admin/x.h": H + '#include "crypto/vault/engine/reverse/reverse.h"\n'}, "proxy/admin may not include"),
    (include_direction, {"proxy/net/n.cc": '#include "nowhere.h"\n'}, "no path from the top"),
    (include_direction, {"proxy/other/n.cc": "int x;\n"}, "lies in no room"),
    # A detour: the pipeline includes the model, which somebody let include the engine.
    (include_direction, {"policies/model/m.h": H + '#include "crypto/vault/engine/reverse/reverse.h"\n'}, "p.cc: reaches"),
    (library_manners, {"proxy/net/n.cc": 'void f() { std::cout << "x"; }\n'}, "prints"),
    (library_manners, {"crypto/base/n.cc": 'void f() { std::printf("x"); }\n'}, "prints"),
    (library_manners, {"policies/model/n.cc": "void f() { fputs(s, stderr); }\n"}, "prints"),
    (library_manners, {"proxy/body/n.cc": "void f() { exit(1); }\n"}, "ends the process"),
    (library_manners, {"crypto/keys/n.cc": "void f() { ::_exit(1); }\n"}, "ends the process"),
    (library_manners, {"proxy/pipeline/n.cc": "#include <spdlog/spdlog.h>\n"}, "logs"),
    (library_manners, {"proxy/pipeline/n.cc": "void f() { throw 1; }\n"}, "throws"),
    (library_manners, {"proxy/pipeline/n.cc": "void f() { throw std::bad_alloc_of_ours(); }\n"}, "throws"),
    (library_manners, {"proxy/pipeline/n.cc": "void f(int x) { assert(x); }\n"}, "asserts"),
    (library_manners, {"crypto/base/n.cc": "using  namespace std;\n"}, "using namespace"),
    (build_files, {"cmake/dependencies.cmake": "include(FetchContent)\n"}, "downloads"),
    (build_files, {"crypto/CMakeLists.txt": "externalproject_add(x)\n"}, "downloads"),
    (build_files, {"crypto/CMakeLists.txt": "file( DOWNLOAD http://x y)\n"}, "downloads"),
    (build_files, {"README.md": "apt-get install cmake ninja-build\n"}, "names the package ninja-build"),
    (build_files, {"cmake/dependencies.cmake": 'paravent_missing("X" libx-dev)\n'}, "names the package libx-dev"),
    (build_files, {"deploy/quick.sh": "install_packages nothing\n"}, "section nothing"),
    (build_files, {"deploy/quick.sh": "apt-get install -y cmake\n"}, "installs packages by itself"),
    (build_files, {"deploy/packages.txt": "[build]\ng++\ncmake\nlibssl-dev\n[test]\n"}, "not sorted"),
    (build_files, {"deploy/packages.txt": None}, "is missing"),
    (build_files, {"docs/x.md": "see .." + "/shared/DESIGN.md\n"}, "points outside the tree"),
    (build_files, {"tests/x.py": "open('/wo" + "rk/main/x')\n"}, "points outside the tree"),
    (file_shapes, {"crypto/base/a.h": H + "int x;\n" * 600}, "more than 600"),
    (file_shapes, {"crypto/base/a.h": "int x;\n"}, "no #pragma once"),
    (file_shapes, {"crypto/base/a.h": H + "int x;\r\n"}, "carriage returns"),
    (file_shapes, {"tests/x.py": "def f(:\n"}, "is no Python"),
    (file_shapes, {"deploy/quick.sh": "#!/usr/bin/env bash\nif true\n"}, "is no bash"),
    (file_shapes, {".ci/run": "#!/usr/bin/env bash\ntrue\n"}, "cannot be executed"),
    (fuzz_targets, {"tests/fuzz/new_fuzz.cc": "int x;\n"}, "no paravent_fuzz(...) registers it"),
    (fuzz_targets, {"tests/fuzz/corpus/form/seed": None}, "empty or missing"),
    (fuzz_targets, {"tests/fuzz/form_fuzz.cc": None}, "there is no such file"),
    (fuzz_targets, {"tests/fuzz/corpus/stray/x": "x"}, "no target reads it"),
    (fuzz_targets, {"tests/fuzz/cookie_fuzz.cc": None}, "no fuzz target cookie*"),
    (fuzz_targets, {"crypto/base/a.h": H + "int decode_it(const ByteView& bytes);\n"}, "no fuzz target names decode_it"),
    (fuzz_targets, {"tests/fuzz/form_fuzz.cc": "int x;  // scan_form\n"}, "no fuzz target names scan_form"),
    (fuzz_targets, {"tests/fuzz/reached.txt": "parse_name: gone_fuzz.cc\n"}, "neither a target nor a reason"),
    (fuzz_targets, {"tests/fuzz/reached.txt": "parse_name: none\n"}, "neither a target nor a reason"),
    (fuzz_targets, {"tests/fuzz/reached.txt": "parse_name: form_fuzz.cc\nparse_gone: form_fuzz.cc\n"}, "parse_gone is no function"),
    (fuzz_targets, {"tests/fuzz/form_fuzz.cc": "int x = scan_form(y) + parse_name(y);\n"}, "needs no line"),
    (formatting, {"crypto/base/a.h": H + "int   x ;\n"}, "would change it"),
]

DECLARED = "struct Closed { private: Closed() = default; friend struct Maker; };\n"
COMPILE = {
    "good.cc": (
        "// error: (is private within this context|calling a private constructor)\n"
        + DECLARED
        + "#if defined(CORRECT)\nvoid f(Closed&);\n#else\nClosed c = Closed();\n#endif\n",
        None,
    ),
    "compiles.cc": ("// error: private\nint x;\n", "it compiles"),
    "other_reason.cc": (
        "// error: is private\n#if defined(CORRECT)\nint x;\n#else\nint x = nothing;\n#endif\n",
        "for another reason",
    ),
    "twin.cc": ("// error: nothing\nint x = nothing;\n", "correct twin does not compile"),
    "no_line.cc": ("int x = nothing;\n", "first line"),
}


def write(root, files):
    for name, text in files.items():
        if text is None:
            continue
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        if text.startswith("#!") and name != ".ci/run":
            os.chmod(path, 0o755)


def findings(check, files):
    with tempfile.TemporaryDirectory() as folder:
        write(pathlib.Path(folder), files)
        return list(check.check(folder))


def check_samples():
    """(name, complaint or None) of every sample."""
    for check in (attack_catalogue, include_direction, library_manners, build_files, file_shapes, fuzz_targets, formatting):
        try:
            found = findings(check, CLEAN)
        except formatting.Skipped as reason:
            print(f"skip  {check.__name__}: {reason}")
            continue
        yield f"{check.__name__}: a clean tree", f"finds {found}" if found else None
    for check, change, words in MISTAKES:
        try:
            found = findings(check, {**CLEAN, **change})
        except formatting.Skipped:
            continue
        good = any(words in finding for finding in found)
        yield f"{check.__name__}: {words} ({', '.join(change)})", None if good else f"finds {found}"


def check_compiling(compiler):
    for name, (text, words) in COMPILE.items():
        with tempfile.TemporaryDirectory() as folder:
            write(pathlib.Path(folder), {name: text})
            done = subprocess.run(
                [sys.executable, str(HERE / "must_not_compile.py"), "--root", folder, "--compiler", compiler,
                 "--folder", folder],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            good = done.returncode == (words is not None) and (words is None or words in done.stdout)
            yield f"must_not_compile: {name}", None if good else done.stdout + done.stderr


def main():
    parser = argparse.ArgumentParser(description="Shows that every check can fail")
    parser.add_argument("--compiler", required=True)
    options = parser.parse_args()
    passed = failed = 0
    for name, complaint in [*check_samples(), *check_compiling(options.compiler)]:
        print(f"{'FAIL' if complaint else 'ok  '}  {name}")
        if complaint:
            print(f"        {complaint}")
        passed, failed = passed + (not complaint), failed + bool(complaint)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

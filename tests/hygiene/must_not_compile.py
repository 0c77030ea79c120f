#!/usr/bin/env python3
"""What must not compile does not, and for the right reason.

must_not_compile.py --root DIR --compiler PATH [--folder DIR] [FLAG...]

Each file in must_not_compile/ begins with a line `// error: REGEX`. Compiled as it is it must fail, with a
diagnostic that matches; compiled with -DCORRECT, where its twin takes the place of the mistake, it must
pass: so nothing fails for a missing header or a typing error. Only the syntax is checked.
"""

import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def compile_file(options, file, *defines):
    command = [options.compiler, "-std=c++20", "-fsyntax-only", "-I", options.root, *options.flags, *defines, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def findings(options, file):
    first = file.read_text(encoding="utf-8").splitlines()[0]
    match = re.fullmatch(r"// error: (.+)", first)
    if match is None:
        return ["its first line is not // error: REGEX"]
    correct = compile_file(options, file, "-DCORRECT")
    if correct.returncode != 0:
        return ["its correct twin does not compile:", *correct.stderr.splitlines()[:6]]
    wrong = compile_file(options, file)
    if wrong.returncode == 0:
        return ["it compiles"]
    errors = [line for line in wrong.stderr.splitlines() if " error: " in line]
    # The compilers quote differently; the expectation speaks of the words.
    plain = [re.sub(r"[‘’'`\"]", "", line) for line in errors]
    if not any(str(file.name) in line and re.search(match.group(1), line) for line in plain):
        return [f"it fails for another reason than {match.group(1)}:", *errors[:6]]
    return []


def main():
    parser = argparse.ArgumentParser(description="Mistakes that must not compile")
    parser.add_argument("--root", required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--folder", default=str(HERE / "must_not_compile"))
    options, options.flags = parser.parse_known_args()
    files = sorted(pathlib.Path(options.folder).glob("*.cc"))
    failed = 0 if files else 1
    for file in files:
        found = findings(options, file)
        failed += bool(found)
        print(f"{'FAIL' if found else 'ok  '}  {file.stem}")
        for line in found:
            print(f"        {line}")
    print(f"{len(files) - failed if files else 0} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

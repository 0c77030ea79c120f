#!/usr/bin/env python3
"""Uploads of 10 GiB through a built gateway: as they are, and encrypted on their way. Each must arrive, and the
process must not grow. For tests/long.sh; some minutes.

large_upload.py --binary PATH [--gib N]
"""

import argparse
import os
import sys
import time

from cases import uploads
from support import settings
from support.case import Failure


def main():
    parser = argparse.ArgumentParser(description="Large uploads in bounded memory")
    parser.add_argument("--binary", required=True)
    parser.add_argument("--gib", type=int, default=10)
    options = parser.parse_args()
    settings.BINARY = os.path.abspath(options.binary)
    tally = {"ok": 0, "FAIL": 0}
    for name, target, part in (("as it is", "/apply", "cv"), ("encrypted", "/files", "id")):
        begin = time.monotonic()
        verdict, remark = "ok", ""
        try:
            uploads.bounded_memory(options.gib << 30, target, part)
        except Failure as failure:
            verdict, remark = "FAIL", f": {failure}"
        tally[verdict] += 1
        seconds = time.monotonic() - begin
        print(f"{verdict:5} {options.gib} GiB {name}: {options.gib * 1024 / seconds:.0f} MiB/s{remark}", flush=True)
    print(f"{tally['ok']} passed, {tally['FAIL']} failed")
    return 1 if tally["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())

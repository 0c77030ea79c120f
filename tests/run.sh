#!/usr/bin/env bash
# The tests: the end-to-end cases against an optimised binary; unit, golden and fuzz-corpus tests under the address and
# undefined-behaviour sanitizers, and a cross-section of the end-to-end cases against that binary; then hygiene, and
# what only an optimised build can say: locked memory, allocations, instructions, the benchmarks' own tests. All unit
# tests in that build too: tests/long.sh optimised.
#
#   sudo ./tests/run.sh [--no-install]
#
# Works from nothing on Debian 12, as root with or without sudo; meant to take at most 30 minutes on two cores; 30
# were seen in a fresh clone, of which a compiler cache had most of the optimised build. Builds
# in build/asan and build/units; the binary that the quick start and the package have, which link-time optimisation makes
# slower to build, is tests/real.sh's and tests/long.sh's. Full output: build/test-logs.
# The last line is `N passed, N failed` over everything.

set -uo pipefail
cd "$(dirname "$0")/.."
install=yes
for argument in "$@"; do
  case "$argument" in
    --no-install) install=no ;;
    -h | --help) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown option $argument; it takes --no-install." >&2; exit 2 ;;
  esac
done
. tests/support.sh

# Line numbers in a sanitizer's report are worth their disk; the rest of the debug information is not.
build_asan() {
  as_user cmake --preset asan -DCMAKE_CXX_FLAGS_DEBUG=-g1 -DPARAVENT_PRECOMPILE=ON &&
    as_user cmake --build --preset asan --parallel "$(nproc)"
}
build_optimised() {
  configure_units && as_user cmake --build build/units --target "${1:-paravent_optimised}" --parallel "$(nproc)"
}

# End-to-end cases mostly wait, so a build that comes after them goes on beside them, and lets them go first.
#   behind FUNCTION    starts it
#   ended FUNCTION     waits for it and has its exit code
# It is a group of processes of its own, which ends with this script.
behind_pid=""
behind() {
  set -m
  (
    renice -n 10 "$BASHPID" >/dev/null
    "$1"
  ) >"$logs/$1-behind.log" 2>&1 </dev/null &
  behind_pid=$!
  set +m
}
ended() {
  local status=0
  wait "$behind_pid" || status=$?
  behind_pid=""
  [ "$status" -eq 0 ] && return 0
  cat "$logs/$1-behind.log"
  echo "It ended with code $status."
  return 1
}
trap '[ -z "$behind_pid" ] || kill -- "-$behind_pid" 2>/dev/null' EXIT

prepare
if [ "$install" = yes ]; then
  step "Packages"
  must "packages" install_packages build site test || finish
  export PARAVENT_E2E_INSTALLED=1
fi

step "The gateway, optimised"
optimised=no
must "build paravent" build_optimised paravent && optimised=yes
behind build_asan
if [ "$optimised" = yes ]; then
  step "End to end, optimised binary"
  count "end to end, optimised" python3 tests/e2e/run.py --binary build/units/proxy/main/paravent
fi

step "Everything with the address and undefined-behaviour sanitizers"
asan=no
must "build asan" ended build_asan && asan=yes
if [ "$asan" = yes ]; then
  step "Unit, golden and corpus tests, sanitized"
  count "tests, sanitized" run_ctest build/asan -LE 'e2e|hygiene'
fi
behind build_optimised
if [ "$asan" = yes ]; then
  step "End to end, sanitized binary: a cross-section"
  count "end to end, sanitized" python3 tests/e2e/run.py --smoke --binary build/asan/proxy/main/paravent
fi

step "What is built optimised"
if must "build optimised" ended build_optimised; then
  step "Hygiene, and what only an optimised build can say"
  count "tests, optimised" run_ctest build/units -L 'optimised|hygiene'
fi

finish

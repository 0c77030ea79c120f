#!/usr/bin/env bash
# The tests: unit, golden, fuzz-corpus and hygiene tests under the address and undefined-behaviour sanitizers and
# optimised, then the end-to-end cases against the release binary and a cross-section against the sanitized one.
#
#   sudo ./tests/run.sh [--no-install]
#
# Works from nothing on Debian 12, as root with or without sudo; at most 30 minutes on two cores. Builds in
# build/asan, build/units and build/release (the binary that the quick start runs). Full output: build/test-logs.
# The last line is `N passed, N failed` over everything.

set -uo pipefail
cd "$(dirname "$0")/.."
install=yes
for argument in "$@"; do
  case "$argument" in
    --no-install) install=no ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown option $argument; it takes --no-install." >&2; exit 2 ;;
  esac
done
. tests/support.sh

# ctest on the build folder $1 without what runs elsewhere; counts cases, not binaries.
run_ctest() {
  local folder="$1" leave_out="$2" reports
  reports="$PWD/$folder/reports"
  as_user rm -rf "$reports"
  as_user mkdir -p "$reports"
  as_user env GTEST_OUTPUT="json:$reports/" ctest --test-dir "$folder" -LE "$leave_out" -j "$(nproc)" \
    --output-junit "$reports/ctest.xml" --test-output-size-passed 262144 \
    --test-output-size-failed 262144 --timeout 600 | grep -v '   Passed '
  as_user tests/tally.py "$reports/ctest.xml" "$reports"
}

# Line numbers in a sanitizer's report are worth their disk; the rest of the debug information is not.
build_asan() {
  as_user cmake --preset asan -DCMAKE_CXX_FLAGS_DEBUG=-g1 -DPARAVENT_PRECOMPILE=ON &&
    as_user cmake --build --preset asan --parallel "$(nproc)"
}
build_units() {
  as_user cmake -S . -B build/units -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O2 -DNDEBUG" -DCMAKE_COMPILE_WARNING_AS_ERROR=ON \
    -DPARAVENT_BUILD_BENCH=ON &&
    as_user cmake --build build/units --parallel "$(nproc)"
}
build_release() {
  as_user cmake --preset release -DPARAVENT_BUILD_BENCH=OFF -DPARAVENT_BUILD_TESTS=OFF &&
    as_user cmake --build --preset release --target paravent
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
  ) >"$logs/$1.log" 2>&1 </dev/null &
  behind_pid=$!
  set +m
}
ended() {
  local status=0
  wait "$behind_pid" || status=$?
  behind_pid=""
  [ "$status" -eq 0 ] && return 0
  cat "$logs/$1.log"
  echo "It ended with code $status."
  return 1
}
trap '[ -z "$behind_pid" ] || kill -- "-$behind_pid" 2>/dev/null' EXIT

prepare
if [ "$install" = yes ]; then
  step "Packages"
  must "packages" install_packages build site test || finish
fi

step "Release binary"
release=no
must "build release" build_release && release=yes
behind build_asan
if [ "$release" = yes ]; then
  step "End to end, release binary"
  count "end to end, release" python3 tests/e2e/run.py --binary build/release/proxy/main/paravent
fi

step "Everything with the address and undefined-behaviour sanitizers"
asan=no
must "build asan" ended build_asan && asan=yes
if [ "$asan" = yes ]; then
  step "Unit, golden and corpus tests, sanitized"
  count "tests, sanitized" run_ctest build/asan 'e2e|hygiene'
fi
behind build_units
if [ "$asan" = yes ]; then
  step "End to end, sanitized binary: a cross-section"
  count "end to end, sanitized" python3 tests/e2e/run.py --smoke --binary build/asan/proxy/main/paravent
fi

step "Unit tests, optimised"
if must "build units" ended build_units; then
  step "Unit, golden, corpus and hygiene tests, optimised"
  count "tests, optimised" run_ctest build/units 'e2e'
fi

finish

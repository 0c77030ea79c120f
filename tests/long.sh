#!/usr/bin/env bash
# What takes hours and is run by hand; its results are committed.
#
#   sudo ./tests/long.sh [--fuzz-seconds N] [--kills N] [PART...]
#
# Parts, all of them where none is named:
#   fuzz      each fuzz target under libFuzzer for so many seconds (600), from its seed corpus; what it finds
#             stays in build/fuzz/findings
#   kills     the gateway is killed under load so often (500); no acknowledged token may be lost
#   idle      memory of an idle connection, plain and over TLS (at most 20 KiB)
#   threads   every unit test, and the end-to-end cross-section, under the thread sanitizer
#
# The last line is `N passed, N failed`: a fuzz target, a case or a test each.

set -uo pipefail
cd "$(dirname "$0")/.."
fuzz_seconds=600
kills=500
parts=()
while [ "$#" -gt 0 ]; do
  case "$1" in
    --fuzz-seconds) fuzz_seconds="$2"; shift ;;
    --kills) kills="$2"; shift ;;
    fuzz | kills | idle | threads) parts+=("$1") ;;
    -h | --help) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "long.sh: unknown part or option $1; see --help." >&2; exit 2 ;;
  esac
  shift
done
[ "${#parts[@]}" -gt 0 ] || parts=(fuzz kills idle threads)
. tests/support.sh

fuzz_targets() {
  local source
  for source in tests/fuzz/*_fuzz.cc; do basename "$source" .cc; done
}

# One target: its own growing corpus beside the seeds, which stay as they are.
fuzz_one() {
  local target="$1" binary seeds work
  binary="$(find build/fuzz -type f -name "$target" -perm -u+x | head -n 1)"
  [ -n "$binary" ] || { echo "$target was not built"; return 1; }
  seeds="tests/fuzz/corpus/${target%_fuzz}"
  work="build/fuzz/corpus/$target"
  as_user mkdir -p "$work" build/fuzz/findings
  as_user "$binary" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/findings/$target-" "$work" "$seeds"
}

run_fuzz() {
  local target passed=0 failures=0
  for target in $(fuzz_targets); do
    if fuzz_one "$target" >"$logs/$target.log" 2>&1; then
      passed=$((passed + 1))
      echo "ok    $target: $(grep -o 'number_of_executed_units: .*' "$logs/$target.log")"
    else
      failures=$((failures + 1))
      echo "FAIL  $target: see $logs/$target.log"
    fi
  done
  echo "$passed passed, $failures failed"
}

build() { as_user cmake --preset "$1" "${@:2}" && as_user cmake --build --preset "$1"; }
build_release() {
  as_user cmake --preset release -DPARAVENT_BUILD_BENCH=OFF -DPARAVENT_BUILD_TESTS=OFF &&
    as_user cmake --build --preset release --target paravent
}
run_threads() {
  local reports="$PWD/build/tsan/reports"
  as_user rm -rf "$reports"
  as_user mkdir -p "$reports"
  as_user env GTEST_OUTPUT="json:$reports/" ctest --test-dir build/tsan -LE 'e2e|hygiene' -j "$(nproc)" \
    --output-junit "$reports/ctest.xml" --test-output-size-failed 262144 --timeout 1800 | grep -v '   Passed '
  as_user tests/tally.py "$reports/ctest.xml" "$reports"
}

run_idle() {
  local binary=build/release/proxy/main/paravent passed=0 failures=0 kind
  for kind in --plain ""; do
    # shellcheck disable=SC2086 # no argument where it is empty
    if python3 bench/tls_idle.py --binary "$binary" $kind; then passed=$((passed + 1)); else failures=$((failures + 1)); fi
  done
  echo "$passed passed, $failures failed"
}

prepare
step "Packages"
must "packages" install_packages build site test || finish
for part in "${parts[@]}"; do
  case "$part" in
    fuzz)
      step "Fuzzing: $fuzz_seconds s for each target"
      if must "build fuzz" build fuzz; then count "fuzz" run_fuzz; fi
      ;;
    kills)
      step "$kills kills"
      if must "build release" build_release; then
        count "kills" env PARAVENT_E2E_KILLS="$kills" python3 tests/e2e/run.py --only crash \
          --binary build/release/proxy/main/paravent
      fi
      ;;
    idle)
      step "Idle connections"
      if must "build release" build_release; then count "idle" run_idle; fi
      ;;
    threads)
      step "Thread sanitizer"
      if must "build tsan" build tsan; then
        count "tests, threads" run_threads
        count "end to end, threads" python3 tests/e2e/run.py --smoke --binary build/tsan/proxy/main/paravent
      fi
      ;;
  esac
done
finish

#!/usr/bin/env bash
# What takes hours and is run by hand; its results are committed.
#
#   sudo ./tests/long.sh [--fuzz-seconds N] [--fuzz-targets A,B] [--kills N] [--mutations N] [--minutes N] [PART...]
#
# Parts, all of them where none is named:
#   fuzz      each fuzz target under libFuzzer for so many seconds of processor time (1200, 20 minutes), from its
#             committed corpus, to which the inputs that reach something new are added; findings stay in
#             build/fuzz/findings; the figures of all runs so far are added up in tests/results/fuzz.txt
#   kills     the gateway is killed under load so often (500); no acknowledged token may be lost; the
#             result goes to tests/results/kills.txt
#   oracles   the differential tests of tests/oracles over --mutations (100000) requests and as many bodies, two seeds; the
#             result goes to tests/results/oracles.txt
#   crowd     slowhttptest in all its modes for 60 s, and 8 000 idle beside 8 000 slow connections for 300 s, about ten
#             minutes in all; the result goes to tests/results/crowd.txt
#   idle      memory of an idle connection, plain and over TLS (at most 20 KiB)
#   soak      30 minutes (--minutes N) of mixed load while the policy is reloaded and the applications are restarted: no
#             failed request, no growth; the result goes to tests/results/soak.txt
#   upload    10 GiB through the gateway, encrypted and as they are; the process must not grow; the result goes to
#             tests/results/upload.txt
#   tsan      every end-to-end case under the thread sanitizer, then five minutes of reloads of policy, certificates and
#             gateway file under load; the result goes to tests/results/tsan.txt
#   threads   every unit test under the thread sanitizer
#   optimised every unit test in the optimised build, of which tests/run.sh runs those that say more there
#   package   the Debian package from a trained build (deploy/build_package.sh), looked into, and every end-to-end case with its program
#
# The last line is `N passed, N failed`: a fuzz target, a case or a test each.

set -uo pipefail
cd "$(dirname "$0")/.."
export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp second_deadlock_stack=1"
fuzz_seconds=1200
kills=500
mutations=100000
minutes=30
targets=
parts=()
while [ "$#" -gt 0 ]; do
  case "$1" in
    --fuzz-seconds) fuzz_seconds="$2"; shift ;;
    --kills) kills="$2"; shift ;;
    --mutations) mutations="$2"; shift ;;
    --minutes) minutes="$2"; shift ;;
    --fuzz-targets) targets="$2"; shift ;;
    fuzz | kills | oracles | crowd | idle | soak | upload | tsan | threads | optimised | package) parts+=("$1") ;;
    -h | --help) sed -n '2,28s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "long.sh: unknown part or option $1; see --help." >&2; exit 2 ;;
  esac
  shift
done
[ "${#parts[@]}" -gt 0 ] || parts=(fuzz kills oracles crowd idle soak upload tsan threads optimised package)
. tests/support.sh

fuzz_targets() {
  local source
  for source in tests/fuzz/*_fuzz.cc; do
    source="$(basename "$source" .cc)"
    case ",$targets," in ,,|*",$source,"*) echo "$source" ;; esac
  done
}

# One target. Its own growing corpus lies beside the committed one, which afterwards gets the few inputs that together
# reach what the seeds do not.
fuzz_one() {
  local target="$1" binary seeds work
  binary="$(find build/fuzz -type f -name "$target" -perm -u+x | head -n 1)"
  [ -n "$binary" ] || { echo "$target was not built"; return 1; }
  seeds="tests/fuzz/corpus/${target%_fuzz}"
  work="build/fuzz/corpus/$target"
  as_user mkdir -p "$work" "$seeds" build/fuzz/findings
  as_user env UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 tests/fuzz_run.py "$binary" "$fuzz_seconds" \
    "build/fuzz/findings/$target-" "$work" "$seeds" || return 1
  # By what is reached and not by how often, or the committed corpus would have hundreds of inputs.
  as_user "$binary" -set_cover_merge=1 -use_counters=0 -max_len=4096 -timeout=10 -rss_limit_mb=2048 "$seeds" "$work" 2>&1 | tail -n 3
}

# A line for one target, and its line in tests/results/fuzz.txt.
fuzz_and_record() {
  local target="$1" log="$logs/$1.log" seeds="tests/fuzz/corpus/${1%_fuzz}" outcome=ok
  fuzz_one "$target" >"$log" 2>&1 || outcome=FAIL
  as_user flock build/fuzz/table.lock tests/fuzz_record.py tests/results/fuzz.txt "$target" "$log" "$seeds"
  if [ "$outcome" = ok ]; then
    echo "ok    $target: $(grep -o '^fuzzed .*' "$log" | cut -d ' ' -f 3) executions, $(find "$seeds" -type f | wc -l) inputs committed"
  else
    echo "FAIL  $target: see $log"
  fi
}

run_fuzz() {
  local target lines
  as_user mkdir -p tests/results
  lines="$(mktemp)"
  for target in $(fuzz_targets); do
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
    fuzz_and_record "$target" | tee -a "$lines" &
  done
  wait
  echo "$(grep -c '^ok' "$lines") passed, $(grep -c '^FAIL' "$lines") failed"
  rm -f "$lines"
}

build() { as_user cmake --preset "$1" "${@:2}" && as_user cmake --build --preset "$1"; }
# Clang 14 cannot emit coroutines under -fsanitize=function, which the preset leaves out therefore.
build_fuzz() {
  as_user cmake --preset fuzz -DPARAVENT_BUILD_BENCH=OFF && as_user cmake --build --preset fuzz --target paravent_fuzzers
}
build_release() {
  as_user cmake --preset release -DPARAVENT_BUILD_BENCH=OFF -DPARAVENT_BUILD_TESTS=OFF &&
    as_user cmake --build --preset release --target paravent
}
build_bench() {
  as_user cmake --preset release -DPARAVENT_BUILD_BENCH=ON -DPARAVENT_BUILD_TESTS=OFF &&
    as_user cmake --build --preset release --target paravent paravent_bench
}
run_soak() {
  as_user mkdir -p tests/results
  as_user python3 bench/soak.py --binary build/release/proxy/main/paravent --tools build/release/bench --minutes "$minutes" |
    as_user tee tests/results/soak.txt
}
run_kills() {
  as_user mkdir -p tests/results
  {
    echo "$kills kills, $(date -u +%F), $(uname -sr), $(nproc) processors, commit $(as_user git rev-parse --short HEAD), release build"
    PARAVENT_E2E_KILLS="$kills" PARAVENT_E2E_CASE_SECONDS=7200 python3 tests/e2e/run.py --only crash --binary build/release/proxy/main/paravent
  } | as_user tee tests/results/kills.txt
}
# Both seeds over requests and bodies; the counts of all four are added up.
run_oracles() {
  as_user mkdir -p tests/results
  {
    echo "other servers as judges, $(date -u +%F), $(uname -sr), $(nproc) processors, commit $(as_user git rev-parse --short HEAD)"
    for seed in 1 2; do
      echo "$mutations requests, seed $seed:"
      python3 tests/oracles/run.py --requests "$mutations" --seed "$seed" --binary build/release/proxy/main/paravent
      echo "$mutations bodies, seed $seed:"
      python3 tests/oracles/content.py --bodies "$mutations" --seed "$seed" --reader build/units/tests/oracles/body_reader
    done
  } | as_user tee tests/results/oracles.txt
  # All four must have come to their end: one without a count is one failure.
  awk '/^[0-9]+ passed, [0-9]+ failed$/ { n++; p += $1; f += $3 }
    END { f += 4 - n; print p + 0 " passed, " f " failed"; exit f != 0 }' tests/results/oracles.txt
}
run_upload() {
  as_user mkdir -p tests/results
  {
    echo "two uploads, $(date -u +%F), $(uname -sr), $(nproc) processors"
    python3 tests/e2e/large_upload.py --binary build/release/proxy/main/paravent
  } | as_user tee tests/results/upload.txt
}
run_crowd() {
  as_user mkdir -p tests/results
  {
    echo "slow clients and a crowd, $(date -u +%F), $(uname -sr), $(nproc) processors"
    python3 tests/oracles/slow.py --seconds 60 --connections 1000 --crowd 8000 --crowd-seconds 300 \
      --binary build/release/proxy/main/paravent
  } | as_user tee tests/results/crowd.txt
}
# Line numbers in a report are worth their disk; the rest of the debug information is not.
build_tsan() {
  as_user cmake --preset tsan -DCMAKE_CXX_FLAGS_DEBUG=-g1 && as_user cmake --build --preset tsan "$@"
}
# A report makes its case fail (tests/e2e/support/gateway.py). Waiting times are stretched as for the smoke cases.
run_tsan() {
  local binary=build/tsan/proxy/main/paravent
  as_user mkdir -p tests/results
  {
    echo "end to end under the thread sanitizer, $(date -u +%F), $(uname -sr), $(nproc) processors"
    PARAVENT_E2E_SLOWNESS=6 PARAVENT_E2E_KILLS=5 python3 tests/e2e/run.py --sanitized --binary "$binary" |
      grep -v '^ok '
    echo "reloads under load for 300 s:"
    PARAVENT_E2E_SLOWNESS=6 PARAVENT_E2E_STORM_SECONDS=300 python3 tests/e2e/run.py --only reload_storm --binary "$binary"
  } | as_user tee tests/results/tsan.txt
  # Both runs must have come to their end: one without a count is one failure.
  awk '/^[0-9]+ passed, [0-9]+ failed$/ { n++; p += $1; f += $3 }
    END { f += 2 - n; print p + 0 " passed, " f " failed"; exit f != 0 }' tests/results/tsan.txt
}
run_threads() { ctest_timeout=1800 run_ctest build/tsan -LE 'e2e|hygiene'; }
build_units() { configure_units && as_user cmake --build build/units; }

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
export PARAVENT_E2E_INSTALLED=1
for part in "${parts[@]}"; do
  case "$part" in
    fuzz)
      step "Fuzzing: $fuzz_seconds s for each target"
      if must "build fuzz" build_fuzz; then count "fuzz" run_fuzz; fi
      ;;
    kills)
      step "$kills kills"
      if must "build release" build_release; then
        count "kills" run_kills
      fi
      ;;
    oracles)
      step "Other servers as judges, $mutations requests and bodies"
      must "oracle packages" install_oracles || finish
      if must "build release" build_release && must "build body_reader" build_body_reader; then
        count "requests and bodies" run_oracles
      fi
      ;;
    soak)
      step "$minutes minutes of mixed load"
      if must "build bench" build_bench; then
        count "soak" run_soak
      fi
      ;;
    upload)
      step "10 GiB uploads"
      if must "build release" build_release; then
        count "upload" run_upload
      fi
      ;;
    crowd)
      step "Slow clients and a crowd"
      must "oracle packages" install_oracles || finish
      if must "build release" build_release; then
        count "crowd" run_crowd
      fi
      ;;
    idle)
      step "Idle connections"
      if must "build release" build_release; then count "idle" run_idle; fi
      ;;
    tsan)
      step "End to end under the thread sanitizer"
      if must "build tsan" build_tsan --target paravent; then
        count "end to end, tsan" run_tsan
      fi
      ;;
    optimised)
      step "Every unit test, optimised"
      if must "build units" build_units; then
        count "tests, optimised" run_ctest build/units -LE e2e
      fi
      ;;
    threads)
      step "Unit tests under the thread sanitizer"
      if must "build tsan" build_tsan; then
        count "tests, threads" run_threads
      fi
      ;;
    package)
      step "The package from a trained build"
      must "package packages" install_quietly build package || finish
      if must "trained build" deploy/build_package.sh; then
        count "package" as_user python3 tests/deploy/package_test.py build/optimised
        count "end to end, optimised" python3 tests/e2e/run.py --binary build/optimised/proxy/main/paravent
      fi
      ;;
  esac
done
finish

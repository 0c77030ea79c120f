# To be sourced from the top of the tree by run.sh, real.sh and long.sh: running steps, and adding up what they counted.
#
#   step TITLE                  says what comes, and how long everything has taken so far; finish says how long each took
#   count NAME COMMAND...       runs it; its last line `N passed, N failed` goes into the sum. A command that
#                               fails without counting a failure, or counts nothing, is one failure.
#   must NAME COMMAND...        runs it without a count: a failure is one failure; answers the exit code
#   finish                      prints the sum as the last line; ends with 1 if anything failed

. deploy/packages.sh

export PYTHONDONTWRITEBYTECODE=1
total_passed=0
total_failed=0
logs=build/test-logs

# Under sudo everything is built and run as whoever called it, so that no file of root's is left behind; only
# packages and the cases that mount a small disk need root.
user="${SUDO_USER:-$(id -un)}"
as_user() {
  if [ "$(id -u)" -eq 0 ] && [ "$user" != root ]; then runuser -u "$user" -- "$@"; else "$@"; fi
}

# Debian's own, which has the modules that Debian's packages bring; another one may stand first in the path.
python3() { if [ -x /usr/bin/python3 ]; then command /usr/bin/python3 "$@"; else command python3 "$@"; fi; }

prepare() {
  if [ "$(id -u)" -eq 0 ] && [ "$user" != root ] && [ ! -e build ]; then install -d -o "$user" build; fi
  as_user mkdir -p "$logs"
  if command -v ccache >/dev/null; then
    # Paths and folders out of the hash, so that a fresh clone finds what another checkout compiled.
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
  fi
}

# Servers that tests start themselves; none of them is to run because it was installed.
install_quietly() {
  local guard=/usr/sbin/policy-rc.d status
  if [ "$(id -u)" -eq 0 ] && [ ! -e "$guard" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$guard"
    chmod 755 "$guard"
    install_packages "$@"
    status=$?
    rm -f "$guard"
    return "$status"
  fi
  install_packages "$@"
}

# The servers that judge the front door.
install_oracles() { install_quietly oracles; }

# The tests' optimised build, whose instructions bench/instructions counts.
configure_units() {
  as_user cmake -S . -B build/units -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O2 -DNDEBUG" -DCMAKE_COMPILE_WARNING_AS_ERROR=ON \
    -DPARAVENT_BUILD_BENCH=ON
}
# The gateway's codecs as a program, for tests/oracles/content.py.
build_body_reader() { configure_units && as_user cmake --build build/units --target body_reader; }

# ctest on the build folder $1 with the options that follow; counts cases, not binaries.
run_ctest() {
  local folder="$1" reports
  shift
  reports="$PWD/$folder/reports"
  as_user rm -rf "$reports"
  as_user mkdir -p "$reports"
  as_user env GTEST_OUTPUT="json:$reports/" ctest --test-dir "$folder" "$@" -j "$(nproc)" \
    --output-junit "$reports/ctest.xml" --test-output-size-passed 262144 \
    --test-output-size-failed 262144 --timeout "${ctest_timeout:-600}" | grep -v '   Passed '
  as_user tests/tally.py "$reports/ctest.xml" "$reports"
}

step_titles=()
step_begins=()
step() {
  step_titles+=("$*")
  step_begins+=("$SECONDS")
  printf '\n== %s  (%d min %02d s)\n' "$*" $((SECONDS / 60)) $((SECONDS % 60))
}

# How long each step took.
time_table() {
  local at took end=$SECONDS
  printf '\n'
  for ((at = ${#step_titles[@]} - 1; at >= 0; --at)); do
    took=$((end - step_begins[at]))
    end=${step_begins[at]}
    printf '%3d min %02d s  %s\n' $((took / 60)) $((took % 60)) "${step_titles[at]}"
  done | tac
  printf '%3d min %02d s  in all\n' $((SECONDS / 60)) $((SECONDS % 60))
}

failed() {
  echo "FAIL  $*"
  total_failed=$((total_failed + 1))
}

count() {
  local name="$1" log status line
  shift
  log="$logs/${name//[^a-zA-Z0-9-]/_}.log"
  "$@" 2>&1 | tee "$log"
  status="${PIPESTATUS[0]}"
  line="$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)"
  if [ -z "$line" ]; then
    failed "$name: no count (exit code $status)"
    return 0
  fi
  read -r passed _ failures _ <<<"$line"
  total_passed=$((total_passed + passed))
  total_failed=$((total_failed + failures))
  if [ "$status" -ne 0 ] && [ "$failures" -eq 0 ]; then failed "$name: exit code $status"; fi
}

must() {
  local name="$1" log
  shift
  log="$logs/${name//[^a-zA-Z0-9-]/_}.log"
  if "$@" >"$log" 2>&1; then return 0; fi
  tail -n 40 "$log"
  failed "$name; all of it is in $log"
  return 1
}

finish() {
  time_table
  printf '\n== The sum\n'
  echo "$total_passed passed, $total_failed failed"
  [ "$total_failed" -eq 0 ] && [ "$total_passed" -gt 0 ]
  exit
}

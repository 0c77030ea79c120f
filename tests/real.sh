#!/usr/bin/env bash
# Real third-party programs through the gateway: matomo-tracker, plausible-tracker, Segment's and Snowplow's libraries
# and Node's fetch, Chromium in front of a PHP site, and WordPress itself; testssl.sh; then nginx, haproxy, Apache, lighttpd, h2o, PHP, Python and Node as judges of what
# it reads (tests/oracles), and slowhttptest. Looks at the bytes that arrive behind the gateway, never at a status alone.
#
#   sudo ./tests/real.sh [--no-install]
#
# Installs what is missing: Debian's chromium, its driver, PHP, WordPress and MariaDB; nodejs and npm from Debian only where there is
# no npm; the trackers from the npm registry by tests/real/package-lock.json. The last line is `N passed, N failed`.

set -uo pipefail
cd "$(dirname "$0")/.."
install=yes
for argument in "$@"; do
  case "$argument" in
    --no-install) install=no ;;
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "real.sh: unknown option $argument; it takes --no-install." >&2; exit 2 ;;
  esac
done
. tests/support.sh

build_release() {
  [ -e build/release/build.ninja ] || as_user cmake --preset release -DPARAVENT_BUILD_BENCH=OFF \
    -DPARAVENT_BUILD_TESTS=OFF || return 1
  as_user cmake --build --preset release --target paravent
}

prepare
if [ "$install" = yes ]; then
  step "Packages"
  must "packages" install_packages build site browser package tls || finish
  must "oracle packages" install_oracles || finish
  must "WordPress packages" install_quietly wordpress || finish
  if ! command -v npm >/dev/null; then
    must "node packages" install_packages node || finish
  fi
fi

step "The trackers"
must "npm ci" as_user npm ci --prefix tests/real --no-audit --no-fund || finish

step "Release binary"
must "build release" build_release || finish

step "The Debian package"
count "package" as_user python3 tests/deploy/package_test.py build/release

step "Through the gateway"
count "real programs" python3 tests/real/run.py --binary build/release/proxy/main/paravent

step "testssl.sh at both doors"
count "testssl" python3 tests/real/tls.py --binary build/release/proxy/main/paravent
step "Other servers as judges: requests, bodies, slow clients"
count "requests" python3 tests/oracles/run.py --requests 6000 --binary build/release/proxy/main/paravent
if must "build body_reader" build_body_reader; then
  count "bodies" python3 tests/oracles/content.py --bodies 6000 --reader build/units/tests/oracles/body_reader
fi
count "slow clients" python3 tests/oracles/slow.py --seconds 10 --connections 300 \
  --binary build/release/proxy/main/paravent
finish

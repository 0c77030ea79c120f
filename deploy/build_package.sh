#!/usr/bin/env bash
# The Debian package, from a build that was trained: compiled once with counters in it, run under the loads of the
# bench, and compiled again for what they counted. It is what many machines install, and worth the time: half an hour
# on two processors.
#
#   ./deploy/build_package.sh
#
# The package is build/paravent_VERSION_ARCHITECTURE.deb. Nothing is installed but missing packages, for which it has to be
# root's; the build needs no root.

set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/packages.sh

user="${SUDO_USER:-$(id -un)}"
as_user() {
  if [ "$(id -u)" -eq 0 ] && [ "$user" != root ]; then runuser -u "$user" -- "$@"; else "$@"; fi
}
say() { printf '\n== %s\n' "$*"; }
# A cached object would count into the folder of the checkout that it was compiled in.
build() {
  as_user env CCACHE_DISABLE=1 cmake --preset "$1" "${@:3}" >/dev/null
  as_user env CCACHE_DISABLE=1 cmake --build --preset "$1" --target "$2" | tail -n 1
}

say "Packages"
install_packages build bench package

say "The programs that make the load"
build release paravent_bench -DPARAVENT_BUILD_TESTS=OFF

say "The gateway with counters"
[ ! -d build/optimised ] || find build/optimised -name '*.gcda' -delete
build profile paravent

say "Training"
as_user python3 bench/train.py --binary build/optimised/proxy/main/paravent --tools build/release/bench

say "The gateway, compiled for what was counted"
build optimised paravent
as_user cpack --config build/optimised/CPackConfig.cmake -B build

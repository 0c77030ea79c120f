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
log=build/package-build.log
# A cached object would count into the folder of the checkout that it was compiled in.
build() {
  if as_user env CCACHE_DISABLE=1 cmake --preset "$1" "${@:3}" >"$log" 2>&1 &&
    as_user env CCACHE_DISABLE=1 cmake --build --preset "$1" --target "$2" >>"$log" 2>&1; then
    echo "Done."
  else
    tail -n 30 "$log" >&2
    echo "build_package: the build failed; all that was said is in $log." >&2
    exit 1
  fi
}
gateway=build/optimised/proxy/main/paravent
# What still counts must not be taken for the package's program.
trap 'rm -f "$gateway"' EXIT

if [ "$(nproc)" -lt 2 ]; then
  echo "build_package: two processors are needed, one for the gateway and one for what loads it." >&2
  exit 6
fi

say "Packages"
install_packages build package
as_user mkdir -p build

say "The programs that make the load"
build release paravent_bench -DPARAVENT_BUILD_TESTS=OFF

say "The gateway with counters"
[ ! -d build/optimised ] || as_user find build/optimised -name '*.gcda' -delete
build profile paravent

say "Training"
as_user python3 bench/train.py --binary "$gateway" --tools build/release/bench

say "The gateway, compiled for what was counted"
build optimised paravent
trap - EXIT
as_user cpack --config build/optimised/CPackConfig.cmake -B build

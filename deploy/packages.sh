# To be sourced. install_packages SECTION...: installs what is missing of those sections of packages.txt.

package_list() {
  local here section
  here="$(dirname "${BASH_SOURCE[0]}")"
  for section in "$@"; do
    sed -n "/^\[$section\]/,/^\[/p" "$here/packages.txt" | grep -Ev '^\[|^#|^$' || true
  done
}

install_packages() {
  local missing=() package
  while read -r package; do
    if ! dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then
      missing+=("$package")
    fi
  done < <(package_list "$@" | sort -u)
  [ "${#missing[@]}" -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "These packages are missing and only root can install them: ${missing[*]}" >&2
    echo "Run this script with sudo, or: apt-get install ${missing[*]}" >&2
    return 1
  fi
  echo "Installing from Debian: ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    >/dev/null
}

#!/usr/bin/env bash
# The quick start: installs what is needed from Debian, builds, puts the gateway in front of a small contact-
# form site, sends a real submission through it, shows what the site stored, re-identifies it as the DPO and
# verifies the audit log.
#
#   sudo ./deploy/quickstart.sh [--keep | --clean]
#
# --keep leaves site and gateway running; --clean stops them and removes what the quick start made. The state
# lies in build/quickstart. Run again, it takes seconds.

set -euo pipefail
umask 022
cd "$(dirname "$0")/.."
. deploy/packages.sh

state=build/quickstart
keep=no
clean=no
for argument in "$@"; do
  case "$argument" in
    --keep) keep=yes ;;
    --clean) clean=yes ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "quickstart.sh: unknown option $argument; it takes --keep or --clean." >&2; exit 2 ;;
  esac
done

# Builds and runs as whoever called sudo; only the packages need root.
user="${SUDO_USER:-$(id -un)}"
as_user() {
  if [ "$(id -u)" -eq 0 ] && [ "$user" != root ]; then runuser -u "$user" -- "$@"; else "$@"; fi
}

stop_all() {
  local file pid
  for file in "$state"/*.pid; do
    [ -e "$file" ] || continue
    pid="$(cat "$file")"
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    rm -f "$file"
  done
}

if [ "$clean" = yes ]; then
  stop_all
  rm -rf "$state"
  echo "Stopped, and $state removed. (The build in build/release and the packages stay.)"
  exit 0
fi

step() { printf '\n== %s\n' "$*"; }

step "Packages"
install_packages build site
echo "All there."

step "Build (the first time takes a few minutes)"
if [ "$(id -u)" -eq 0 ] && [ "$user" != root ] && [ ! -e build ]; then
  install -d -o "$user" build
fi
[ -e build/release/build.ninja ] || as_user cmake --preset release -DPARAVENT_BUILD_BENCH=OFF \
  -DPARAVENT_BUILD_TESTS=OFF >/dev/null
as_user cmake --build --preset release --target paravent | tail -n 1
paravent="$PWD/build/release/proxy/main/paravent"

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_for() {
  for _ in $(seq 100); do
    curl -fsS -o /dev/null "$1" 2>/dev/null && return 0
    sleep 0.1
  done
  echo "$1 does not answer; see the logs in $state." >&2
  exit 1
}

step "A contact-form site, and the gateway in front of it"
stop_all
as_user mkdir -p "$state"
as_user chmod 700 "$state"
[ "$keep" = yes ] || trap stop_all EXIT
site_port="$(free_port)"
listen_port="$(free_port)"
admin_port="$(free_port)"
database="$PWD/$state/site.sqlite"

start() {
  local name="$1"
  shift
  as_user bash -c 'log="$1"; shift; "$@" >"$log" 2>&1 & echo $!' _ "$PWD/$state/$name.log" "$@" \
    >"$state/$name.pid"
}
start site env SITE_DATABASE="$database" php -S "127.0.0.1:$site_port" -t deploy/site \
  deploy/site/index.php
start gateway "$paravent" serve --preset contact-form --upstream "http://127.0.0.1:$site_port" \
  --listen "127.0.0.1:$listen_port" --admin "127.0.0.1:$admin_port" \
  --data "$PWD/$state/data" --root-key "$PWD/$state/root.key"
wait_for "http://127.0.0.1:$site_port/"
wait_for "http://127.0.0.1:$admin_port/readyz"
echo "site     http://127.0.0.1:$site_port/         (what an attacker of the database would get)"
echo "gateway  http://127.0.0.1:$listen_port/contact  (what visitors use)"
echo "admin    http://127.0.0.1:$admin_port/          (the DPO's door)"

step "A visitor's submission"
fields=(
  "first_name=Élodie" "last_name=Martin" "email=elodie.martin@example.fr"
  "phone=06 12 34 56 78" "company=Atelier Martin" "subject=Devis"
  "message=Bonjour, pouvez-vous me rappeler demain ?"
)
printf '   %s\n' "${fields[@]}"
if command -v chromedriver >/dev/null && command -v chromium >/dev/null; then
  as_user deploy/site/submit_with_browser.py "http://127.0.0.1:$listen_port/contact" \
    "$state/thanks.png" "${fields[@]}"
  echo "sent by Chromium; its last page is $state/thanks.png"
else
  data=()
  for field in "${fields[@]}"; do data+=(--data-urlencode "$field"); done
  curl -fsS -o /dev/null "${data[@]}" "http://127.0.0.1:$listen_port/contact"
  echo "sent by curl (install chromium and chromium-driver to see a real browser do it)"
fi

step "What the site stored"
sqlite3 -line "$database" 'SELECT * FROM submission ORDER BY id DESC LIMIT 1'
if grep -qa -e 'elodie.martin' -e '612345678' -e '12 34 56 78' "$database"; then
  echo "A clear value is in the site's database. That must not happen." >&2
  exit 1
fi

step "The DPO asks for it back, with a purpose and a reason"
credential="$state/dpo.credential"
if [ ! -e "$credential" ]; then
  # The file's only copy goes at its first use: keep the DPO's own.
  as_user python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["credential"])' \
    "$state/data/first-credentials" >"$credential"
  chmod 600 "$credential"
  [ "$user" = "$(id -un)" ] || chown "$user" "$credential"
fi
sqlite3 -line "$database" 'SELECT first_name, last_name, email, phone, message FROM submission
  ORDER BY id DESC LIMIT 1' |
  as_user "$paravent" reidentify --purpose contact --reason "Quick start: answering the visitor" \
    --admin "http://127.0.0.1:$admin_port" --credential-file "$credential" -

step "The audit log, verified offline with its public key"
as_user "$paravent" audit verify "$state/data"

step "What next"
cat <<'NEXT'
  Put it in front of your own form:
    paravent serve --preset contact-form --upstream http://127.0.0.1:9000 --path /contact
  Write your own policy:  policies/examples/*.yaml, docs/policy-reference.md
  Check it, try it:       paravent check FILE;  paravent explain FILE --request REQUEST.http
NEXT
if [ "$keep" = yes ]; then
  echo "  Site and gateway go on running; ./deploy/quickstart.sh --clean stops them."
fi

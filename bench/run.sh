#!/bin/bash
# The side-by-side comparison: the protected five-field form POST through the gateway, the raw relay,
# nginx and nginx with Lua, in rotated rounds on one machine. README.md explains how to read it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")

usage() {
  cat <<'USAGE'
bench/run.sh [--quick | --minutes N] [--results] [--json FILE] [--binary PATH]
bench/run.sh --more --out DIR [--minutes N] [--results]
bench/run.sh --gate [--renew | --accept]
  --gate             count instructions instead, against bench/instructions/expected.json (any machine, busy or not)
  --renew            with --gate: write the numbers of this build there
  --accept           with --gate: count in spite of other libraries, and add their versions if all is within 3 %
  --quick            shorter windows, within two minutes (after the build)
  --minutes N        rounds and windows that fit into so many minutes (the plan is printed; --plan prints it and ends)
  --more             go on with the run in DIR, in another hour: as many rounds again of each workload in which nginx differed from
                     itself or a goal lies within the interval, and again until there is none or N minutes are over (else once); and
                     the others that were disturbed or left nothing. Nothing of before is left out
  --json FILE        write the list of ratios here as well
  --binary PATH      the gateway to measure (default: the one of the release build)
  --build DIR        folder of the release build (default: build/release; built when missing)
  --results          write bench/RESULTS.md from this run; DIR/RESULTS.md is written after every part in any case, and
                     bench/results_page.py DIR writes it again from what an interrupted run left
  --out DIR          folder for raw rounds, configurations and logs (default: bench/results/TIME)
  --workload NAMES   form-post-5-fields, get-1-kib (64 connections), get-1-kib-1, -16, -256, json-batch-20-events, json-batch-gzip,
                     upload-10-mib, form-post-tls, get-tls, tls-handshake, tls-resumption (default: the first with --quick, else all)
  --peers-only       measure the peers without the gateway
  --rounds N --warm-up S --window S --connections N     instead of the defaults
  --ports N          first of seventeen loopback ports (default 19100)
  --no-syscalls      skip the separate strace windows
  --latency          added latency at half load as well, open loop (default without --quick)
  --no-latency       skip it
  --others           also what bench/others.py measures: memory, crowds, two workers, durable tokens, store, audit
                     (default without --quick; with --quick only to see that it works)
  --no-others        skip it
USAGE
}

die() {
  echo "bench: $2" >&2
  exit "$1"
}

quick=no json="" binary="" build="$top/build/release" out="" peers_only=no syscalls=yes
rounds="" warm_up="" window="" minutes="" plan_only=no more=no sitting=0 connections=64 ports=19100 gate=no renew=() workload="" results=no latency="" others=""
# As the page says it: where the raw data went is nobody's matter.
command="bench/run.sh$(printf ' %s' "$@" | sed -E 's/ --out [^ ]+//')"
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=yes ;;
    --plan) plan_only=yes ;;
    --gate) gate=yes ;;
    --results) results=yes ;;
    --more) more=yes ;;
    --renew | --accept) renew=("$1") ;;
    --peers-only) peers_only=yes ;;
    --no-syscalls) syscalls=no ;;
    --latency) latency=yes ;;
    --no-latency) latency=no ;;
    --others) others=yes ;;
    --no-others) others=no ;;
    --help | -h) usage; exit 0 ;;
    --json | --binary | --build | --out | --workload | --rounds | --warm-up | --window | --connections | --ports | --minutes)
      [ $# -ge 2 ] || die 2 "$1 needs a value."
      name=${1#--}
      printf -v "${name//-/_}" %s "$2"
      shift ;;
    *) usage >&2; die 2 "unknown argument: $1" ;;
  esac
  shift
done

# The numbers belong to the build that the optimised tests use, not to the release.
if [ "$gate" = yes ]; then
  mkdir -p "$top/build"
  (cd "$top" && cmake -S . -B build/units -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O2 -DNDEBUG" -DCMAKE_COMPILE_WARNING_AS_ERROR=ON \
    -DPARAVENT_BUILD_BENCH=ON && cmake --build build/units --target paravent_instructions) \
    >"$top/build/bench-build.log" 2>&1 || {
    tail -20 "$top/build/bench-build.log" >&2
    die 1 "the build failed (is valgrind installed?); the whole log is in build/bench-build.log."
  }
  exec python3 "$here/instructions/gate.py" --program "$top/build/units/bench/instructions" "${renew[@]}"
fi

if [ "$quick" = yes ]; then
  : "${rounds:=9}" "${warm_up:=0.2}" "${window:=0.9}" "${workload:=form-post-5-fields}" "${latency:=no}" "${others:=no}"
else
  : "${workload:=form-post-5-fields get-1-kib json-batch-20-events json-batch-gzip upload-10-mib form-post-tls get-tls tls-handshake tls-resumption get-1-kib-1 get-1-kib-16 get-1-kib-256}"
  : "${rounds:=15}" "${warm_up:=1}" "${window:=5}" "${latency:=yes}" "${others:=yes}"
fi
[ "$peers_only" = no ] || latency=no others=no
if [ "$more" = yes ]; then
  [ -n "$out" ] && [ -s "$out/rounds.jsonl" ] || die 2 "--more needs --out with the folder of a run."
  [ "$peers_only$quick" = nono ] || die 2 "--more goes on with a whole run."
  read -r sitting rounds warm_up window connections measured <<<"$(python3 "$here/stats.py" more "$out")"
  latency=no syscalls=no more_minutes=${minutes:-0} minutes=""
fi
read -ra workloads <<<"$workload"
# ------------------------------------------------------------------------------------------- plan
# Who is compared in which workload: nothing is protected in a GET, so Lua has no part in it. The light script is no yardstick and
# has no part in a run of so many minutes.
scripted=() gateway=() light=()
[ "$quick" = yes ] || scripted=(nginx-lua-typical nginx-njs)
[ "$peers_only" = yes ] || gateway=(paravent)
if [ "$more" = yes ]; then
  # The same peers, or the first rounds would miss one.
  ! grep -q '"nginx-lua-light"' "$out/rounds.jsonl" || light=(nginx-lua-light)
elif [ -z "$minutes" ]; then
  light=(nginx-lua-light)
fi
declare -A compared
compared=([form-post-5-fields]="nginx ${gateway[*]} relay-floor haproxy nginx-lua ${light[*]} ${scripted[*]} nginx-null"
  [get-1-kib]="nginx ${gateway[*]} relay-floor haproxy nginx-null"
  [json-batch-20-events]="nginx ${gateway[*]} relay-floor haproxy nginx-lua nginx-null"
  [upload-10-mib]="nginx ${gateway[*]} haproxy nginx-null")
# And the gateway itself without gzip, in the same rounds: also in more of them only where it was in the first.
plain=(${gateway[*]:+paravent-plain})
[ "$more" = no ] || grep -q '"paravent-plain"' "$out/rounds.jsonl" || plain=()
compared[json-batch-gzip]="nginx ${gateway[*]} ${plain[*]} nginx-null"
for name in form-post-tls get-tls tls-handshake tls-resumption get-1-kib-1 get-1-kib-16 get-1-kib-256; do
  compared[$name]="nginx ${gateway[*]} nginx-null"
done
slots=0 renewed=0
for name in "${workloads[@]}"; do
  [ -n "${compared[$name]:-}" ] || die 2 "there is no workload '$name'; there are: ${!compared[*]}."
  read -ra peers <<<"${compared[$name]}"
  slots=$((slots + ${#peers[@]}))
  for peer in "${peers[@]}"; do case $peer in nginx-lua*) renewed=$((renewed + 1)) ;; esac; done
done
count_seconds=1
[ "$quick" = yes ] || [ -n "$minutes" ] || count_seconds=3
counted=$((slots - ${#workloads[@]}))
[ "$syscalls" = yes ] && command -v strace >/dev/null || counted=0
latency_peers=(direct nginx paravent paravent-busy-poll relay-floor haproxy nginx-lua nginx-null)
[ "$peers_only" = no ] || latency_peers=(direct nginx relay-floor haproxy nginx-lua nginx-null)
latency_slots=${#latency_peers[@]}
[ "$latency" = yes ] && [[ " ${workloads[*]} " = *" form-post-5-fields "* ]] || latency=no latency_slots=0

# Also what takes how long: called again once everything is built.
make_plan() {
  local other_seconds=(0 0) asked=(--rounds "$rounds" --warm-up "$warm_up" --window "$window")
  [ "$others" = no ] || read -ra other_seconds <<<"$(python3 "$here/others.py" --binary "${binary:-none}" --tools "$build/bench" --seconds)"
  [ -z "$minutes" ] || asked=(--minutes "$minutes")
  read -r rounds warm_up window pace <<<"$(python3 "$here/plan.py" --slots "$slots" --renewed "$renewed" --latency-slots "$latency_slots" --counted "$counted" \
    --count-seconds "$count_seconds" --others "${other_seconds[@]}" "${asked[@]}")"
  [ -n "$rounds" ] || exit 2
}
if [ "$plan_only" = yes ]; then make_plan; exit 0; fi
out=${out:-$here/results/$(date -u +%Y%m%dT%H%M%SZ)}

modules=/usr/lib/nginx/modules
for program in nginx haproxy python3 curl taskset pgrep; do
  command -v "$program" >/dev/null || die 6 "$program is missing; deploy/packages.txt lists the Debian packages."
done
[ -e $modules/ngx_http_lua_module.so ] ||
  die 6 "nginx's Lua module is missing: apt-get install libnginx-mod-http-lua lua-resty-core"
[ "$quick" = yes ] || { [ -e $modules/ngx_http_js_module.so ] && [ -e /usr/share/lua/5.1/openssl/hmac.lua ]; } ||
  die 6 "two peers are missing: apt-get install libnginx-mod-http-js lua-luaossl"
[ "$(nproc)" -ge 2 ] || die 6 "two processors are needed: one for the proxy, one for load and backend."

# ------------------------------------------------------------------------------------------ build
find_gateway() {
  local place
  for place in "$build/paravent" "$build/proxy/main/paravent"; do
    if [ -x "$place" ]; then echo "$place"; return; fi
  done
}

tools=$build/bench
targets=()
[ "$others" = no ] || [ -e "$tools/count_calls.so" ] || targets+=(paravent_count_calls)
[ -x "$tools/open_load" ] && [ -x "$tools/load" ] && [ -x "$tools/backend" ] && [ -x "$tools/relay_floor" ] || targets+=(paravent_bench)
[ "$others" = no ] || [ -x "$tools/paravent_micro" ] || targets+=(paravent_micro)
if [ "$peers_only" = no ] && [ -z "$binary" ] && [ -z "$(find_gateway)" ]; then targets+=(paravent); fi
if [ ${#targets[@]} -gt 0 ]; then
  echo "bench: building ${targets[*]} (release)" >&2
  mkdir -p "$top/build"
  (cd "$top" && cmake --preset release -B "$build" && cmake --build "$build" --target "${targets[@]}") \
    >"$top/build/bench-build.log" 2>&1 || {
    tail -20 "$top/build/bench-build.log" >&2
    die 1 "the release build failed; the whole log is in build/bench-build.log."
  }
fi
if [ "$peers_only" = no ]; then
  binary=${binary:-$(find_gateway)}
  [ -n "$binary" ] && [ -x "$binary" ] ||
    die 6 "there is no gateway to measure at '${binary:-$build}'; build it, name it with --binary, or use --peers-only."
  binary=$(realpath "$binary")
  [ "$more" = no ] || [ "$(sha256sum <"$binary" | cut -d' ' -f1)" = "$measured" ] ||
    die 2 "that is not the gateway which the run in $out measured; name it with --binary."
fi

[ "$more" = yes ] || make_plan

# ------------------------------------------------------------------------------------- start, stop
mkdir -p "$out"
out=$(realpath "$out")
run=$(mktemp -d "${TMPDIR:-/tmp}/paravent-bench.XXXXXX")
started=()
measuring=no
before=counts-before.json after=counts-after.json
[ "$sitting" -eq 0 ] || before=counts-before-$sitting.json after=counts-after-$sitting.json
cleanup() {
  local pid
  # What was measured until here is kept, and can be read.
  if [ "$measuring" = yes ]; then
    counts >"$out/$after" 2>/dev/null || true
    write_page || true
    echo "bench: interrupted; what was measured is in $out, and its page in $out/RESULTS.md" >&2
  fi
  for pid in "${started[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
  cp "$run"/*.log "$out/" 2>/dev/null || true
  rm -rf "$run"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

declare -A port pid_of
port=([clear]=$ports [changed]=$((ports + 1)) [tokens]=$((ports + 2)) [relay-floor]=$((ports + 3))
  [nginx]=$((ports + 4)) [nginx-null]=$((ports + 5)) [nginx-lua]=$((ports + 6))
  [paravent]=$((ports + 7)) [admin]=$((ports + 8)) [nginx-lua-light]=$((ports + 9))
  [peer-tokens]=$((ports + 10)) [haproxy]=$((ports + 11))
  [nginx-lua-typical]=$((ports + 12)) [nginx-njs]=$((ports + 13))
  [nginx-tls]=$((ports + 14)) [nginx-null-tls]=$((ports + 15)) [paravent-tls]=$((ports + 16))
  [paravent-busy-poll]=$((ports + 17)) [paravent-busy-poll-admin]=$((ports + 18)) [paravent-busy-poll-tls]=$((ports + 19)))

# start CPU NAME COMMAND...: in the background, its output in NAME.log
start() {
  local cpu=$1 name=$2
  shift 2
  taskset -c "$cpu" "$@" >>"$run/$name.log" 2>&1 &
  started+=($!)
  pid_of[$name]=$!
}

# fill FILE LISTEN UPSTREAM FOLDER [ADMIN TLS]: a peer's configuration with its words filled in
fill() {
  sed -e "s#@LISTEN@#$2#g; s#@UPSTREAM@#$3#g; s#@RUN@#$4#g; s#@ADMIN@#${5:-}#g; s#@TLS@#${6:-}#g" \
    -e "s#@USER@#$(id -un)#g; s#@MODULES@#$modules#g; s#@PEERS@#$here/peers#g" "$here/peers/$1"
}

start_nginx() {
  local name=$1 conf=$2 upstream=$3
  mkdir -p "$run/$name"
  fill "$conf" "${port[$name]}" "${port[$upstream]}" "$run/$name" >"$run/$name/nginx.conf"
  cp "$run/$name/nginx.conf" "$out/$name.conf"
  start 0 "$name" nginx -p "$run/$name" -e "$run/$name.log" -c "$run/$name/nginx.conf"
}

start_haproxy() {
  fill haproxy.cfg "${port[haproxy]}" "${port[clear]}" "$run" >"$out/haproxy.cfg"
  start 0 haproxy haproxy -db -f "$out/haproxy.cfg"
}

# renew_script WORKLOAD NAME CONF UPSTREAM: LuaJIT compiles a script once in a worker's life, and one time better than
# another. Each round draws this luck anew, so that a run does not have the luck of one worker in all of its rounds.
renew_script() {
  local workload=$1 name=$2 conf=$3 upstream=$4
  local old=${pid_of[$name]} pid left=()
  kill -TERM "$old" 2>/dev/null || die 6 "$name has ended by itself; its log is in $out."
  wait "$old" 2>/dev/null || true
  for pid in "${started[@]}"; do [ "$pid" = "$old" ] || left+=("$pid"); done
  started=("${left[@]}")
  start_nginx "$name" "$conf" "$upstream"
  wait_for "$name"
  load "$workload" "$name" 0.2 0.3 >/dev/null || die 6 "$name failed under load; its log is in $out."
}

# start_gateway NAME ADMIN-PORT [LINE]: with one line more in its file
start_gateway() {
  local name=$1 folder=$run/$1
  mkdir -p "$folder"
  fill gateway.yaml "${port[$name]}" "${port[tokens]}" "$folder" "$2" "${port[$name-tls]}" >"$folder/gateway.yaml"
  echo "${3:-}" >>"$folder/gateway.yaml"
  fill policy.yaml "${port[$name]}" "${port[tokens]}" "$folder" >"$folder/policy.yaml"
  cp "$folder/gateway.yaml" "$out/$name.yaml"
  cp "$folder/policy.yaml" "$out/"
  # What init prints are credentials: they stay in the folder that is removed at the end.
  "$binary" init --data "$folder/data" --root-key "$folder/root.key" --json \
    >"$folder/credentials" 2>"$run/paravent-init.log" ||
    die 1 "paravent init failed: $(tail -1 "$run/paravent-init.log")"
  start 0 "$name" "$binary" serve --config "$folder/gateway.yaml"
}

# Every process below one, itself included, as a comma list.
family() {
  local child list=$1
  for child in $(pgrep -P "$1"); do list+=,$(family "$child"); done
  echo "$list"
}

form=$("$tools/load" --print-form)
wait_for() {
  local name=$1 answer=""
  for _ in $(seq 100); do
    kill -0 "${pid_of[$name]}" 2>/dev/null || break
    answer=$(curl -s -m 2 -d "$form" "http://127.0.0.1:${port[$name]}/contact" || true)
    if [ "$answer" = received ]; then return; fi
    sleep 0.1
  done
  echo "$answer" | head -c 500 >&2
  tail -5 "$run/$name.log" >&2 || true
  die 6 "$name does not pass the form on; its log is in $out/$name.log."
}

# After every part, so that a run that ends early has the figures of what it did.
write_page() {
  # 5: the witness saw something wrong, which the page says.
  python3 "$here/stats.py" report "$out" >"$out/table.txt" || [ $? -eq 5 ] || return
  if [ -s "$out/latency.jsonl" ]; then python3 "$here/added_latency.py" report "$out" >>"$out/table.txt" || true; fi
  [ "$peers_only" = yes ] || python3 "$here/results_page.py" "$out" >"$out/RESULTS.md"
}

counts() { curl -s -m 5 "http://127.0.0.1:${port[clear]}/__counts"; }

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$run/site.key" -out "$run/site.pem" \
  -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null ||
  die 6 "openssl could not make a certificate."

start 1 backend "$tools/backend" --clear "${port[clear]}" --changed "${port[changed]}" --tokens "${port[tokens]}" \
  --peer-tokens "${port[peer-tokens]}"
for _ in $(seq 50); do counts >/dev/null && break; sleep 0.1; done
counts >/dev/null || die 6 "the backend did not start: $(tail -1 "$run/backend.log")"
start 0 relay-floor "$tools/relay_floor" --listen "${port[relay-floor]}" --upstream "${port[clear]}"
start_nginx nginx nginx_plain.conf clear
start_nginx nginx-null nginx_plain.conf clear
start_nginx nginx-lua nginx_lua.conf peer-tokens
start_nginx nginx-lua-light nginx_lua_light.conf changed
start_nginx nginx-tls nginx_tls.conf clear
start_nginx nginx-null-tls nginx_tls.conf clear
start_haproxy
if [ "$quick" = no ]; then
  start_nginx nginx-lua-typical nginx_lua_typical.conf changed
  start_nginx nginx-njs nginx_njs.conf changed
fi
[ "$peers_only" = yes ] || start_gateway paravent "${port[admin]}"
port[paravent-plain]=${port[paravent]} pid_of[paravent-plain]=${pid_of[paravent]:-}
read -ra peers <<<"${compared[form-post-5-fields]}"
for peer in "${peers[@]}"; do wait_for "$peer"; done
[ "$more" = yes ] || python3 "$here/environment.py" --connections "$connections" --command "$command" --window "$window" --warm-up "$warm_up" \
  --rounds "$rounds" ${binary:+--binary "$binary"} >"$out/environment.json"

# ------------------------------------------------------------------------------------------ rounds
# load WORKLOAD NAME WARM-UP WINDOW [LABEL...]
load() {
  local name=$2 warm=$3 seconds=$4 workload=$1 door=$2 process=$2 connections=$connections how
  shift 4
  case $workload in
    get-1-kib-*) how=(--workload get-1-kib) connections=${workload##*-} ;;
    get-tls) how=(--workload get-1-kib --tls) ;;
    form-post-tls) how=(--workload form-post-5-fields --tls) ;;
    # A few keep both processors busy.
    upload-10-mib) how=(--workload upload-10-mib) connections=$((connections < 4 ? connections : 4)) ;;
    # One after the other: the generator waits for each handshake, so only CPU per request says something.
    tls-handshake) how=(--workload get-1-kib --tls --each-new) ;;
    tls-resumption) how=(--workload get-1-kib --tls --each-new --resume) ;;
    *) how=(--workload "$workload") ;;
  esac
  if [ "$name" = paravent-plain ]; then how=(--workload json-batch-20-events); fi
  if [ "${how[2]:-}" = --tls ]; then
    door=$name-tls
    if [ "$name" != paravent ]; then process=$door; fi
  fi
  taskset -c 1 "$tools/load" "${how[@]}" --name "$workload" --port "${port[$door]}" --connections "$connections" --warm-up "$warm" \
    --window "$seconds" --proxy "$(family "${pid_of[$process]}")" --backend "${pid_of[backend]}" \
    --label "peer=$name" "$@"
}

# measure WORKLOAD FIRST: so many rounds of it, the first with this number
measure() {
  local workload=$1 first=$2 round place step number peers
  read -ra peers <<<"${compared[$workload]}"
  number=${#peers[@]}
  for ((round = first; round < first + rounds; round++)); do
    if [ -t 2 ]; then printf '\rbench: %s, round %d of %d ' "$workload" $((round + 1)) $((first + rounds)) >&2; fi
    for ((place = 0; place < number; place++)); do
      # The order moves on by one each round and every other round runs backwards, so that each peer
      # stands equally often at each place and after each other.
      step=$(((place + round / 2) % number))
      if ((round % 2 == 1)); then step=$((number - 1 - step)); fi
      case ${peers[step]} in
        nginx-lua) renew_script "$workload" nginx-lua nginx_lua.conf peer-tokens ;;
        nginx-lua-light) renew_script "$workload" nginx-lua-light nginx_lua_light.conf changed ;;
        nginx-lua-typical) renew_script "$workload" nginx-lua-typical nginx_lua_typical.conf changed ;;
      esac
      load "$workload" "${peers[step]}" "$warm_up" "$window" --label "round=$round" --label "place=$place" \
        --label "sitting=$sitting" >>"$out/rounds.jsonl" || die 6 "${peers[step]} failed under load; its log is in $out."
    done
  done
  if [ -t 2 ]; then echo >&2; fi
  counts >"$out/$after"
  write_page || true
}

counts >"$out/$before"
measuring=yes
if [ "$more" = yes ]; then
  until=$((SECONDS + 60 * more_minutes))
  while :; do
    mapfile -t wanting < <(python3 "$here/stats.py" open "$out")
    for line in "${wanting[@]}"; do
      measure "${line% *}" "${line##* }"
      [ "$more_minutes" -eq 0 ] || [ "$SECONDS" -lt "$until" ] || break
    done
    [ ${#wanting[@]} -gt 0 ] && [ "$SECONDS" -lt "$until" ] || break
  done
else
  : >"$out/rounds.jsonl"
  : >"$out/latency.jsonl"
  : >"$out/syscalls.jsonl"
  # Of an earlier run into the same folder.
  rm -rf "$out/others" "$out/latency.json" "$out/ratios.json" "$out"/counts-*-[1-9]*.json
  for workload in "${workloads[@]}"; do measure "$workload" 0; done
fi

# ------------------------------------------------------- added latency, open loop, at half the load
if [ "$latency" = yes ]; then
  rate=$(python3 "$here/added_latency.py" rate "$out")
  direct=("${latency_peers[@]}")
  port[direct]=${port[clear]}
  if [ "$peers_only" = no ]; then
    start_gateway paravent-busy-poll "${port[paravent-busy-poll-admin]}" "busy-poll-us: 50"
    wait_for paravent-busy-poll
  fi
  for ((round = 0; round < rounds; round++)); do
    if [ -t 2 ]; then printf '\rbench: latency, round %d of %d ' $((round + 1)) "$rounds" >&2; fi
    for ((place = 0; place < ${#direct[@]}; place++)); do
      step=$(((place + round / 2) % ${#direct[@]}))
      if ((round % 2 == 1)); then step=$((${#direct[@]} - 1 - step)); fi
      peer=${direct[step]}
      taskset -c 1 "$tools/open_load" --port "${port[$peer]}" --rate "$rate" --connections "$connections" \
        --warm-up "$warm_up" --window "$window" --label "peer=$peer" --label "round=$round" \
        >>"$out/latency.jsonl" || die 6 "$peer failed at $rate requests/s; its log is in $out."
    done
  done
  if [ -t 2 ]; then echo >&2; fi
fi

# ---------------------------------------------------------------------- system calls, never timed
# strace hangs on before the first request and lets go after the last, so that every call it counts
# belongs to the requests that the witness counts.
count_syscalls() {
  local workload=$1 peer=$2 seconds=$3 attach=() pid tracer before after
  local process=$peer
  if [[ $workload = *tls* && $peer = nginx ]]; then process=nginx-tls; fi
  for pid in $(family "${pid_of[$process]}" | tr , ' '); do attach+=(-p "$pid"); done
  before=$(counts)
  strace -f -c -o "$out/$workload.$peer.strace" "${attach[@]}" 2>"$run/strace.log" &
  tracer=$!
  for _ in $(seq 50); do if grep -q attached "$run/strace.log"; then break; fi; sleep 0.1; done
  load "$workload" "$peer" 0 "$seconds" >/dev/null || true
  after=$(counts)
  kill -INT "$tracer" 2>/dev/null || true
  wait "$tracer" 2>/dev/null || true
  python3 "$here/stats.py" syscalls "$workload" "$peer" "$out/$workload.$peer.strace" "$before" "$after"
}

# What is under strace is read by nobody as a figure of time, and the witness has its counts already.
if [ "$counted" -gt 0 ]; then
  for workload in "${workloads[@]}"; do
    for peer in ${compared[$workload]}; do
      if [ "$peer" != nginx-null ]; then
        count_syscalls "$workload" "$peer" "$count_seconds" >>"$out/syscalls.jsonl"
      fi
    done
  done
fi

# ------------------------------------------------------------------- what is no comparison with peers
write_page || true
if [ "$others" = yes ]; then
  if [ "$more" = yes ]; then
    how=(--pace 0.5 --again)
  elif [ "$quick" = yes ]; then
    how=(--quick)
  else
    how=(--pace "$pace")
  fi
  python3 "$here/others.py" --binary "$binary" --tools "$tools" --out "$out" "${how[@]}" ||
    echo "bench: some of the others were not measured." >&2
fi

# ------------------------------------------------------------------------------------------ report
status=0
measuring=no
python3 "$here/stats.py" report "$out" || status=$?
if [ -s "$out/latency.jsonl" ]; then python3 "$here/added_latency.py" report "$out" || status=$?; fi
if [ -n "$json" ]; then cp "$out/ratios.json" "$json"; fi
[ "$peers_only" = yes ] || python3 "$here/results_page.py" "$out" >"$out/RESULTS.md"
# A run in which the witness saw something wrong says so in its own page only.
if [ "$results" = yes ] && [ $status -eq 0 ]; then
  cp "$out/RESULTS.md" "$here/RESULTS.md"
  # What the page is made of, without the configurations and logs of the peers.
  kept=()
  for file in environment.json rounds.jsonl ratios.json syscalls.jsonl latency.jsonl latency.json others; do
    [ ! -e "$out/$file" ] || kept+=("$file")
  done
  tar -C "$out" --owner=0 --group=0 --numeric-owner --sort=name -czf "$here/raw-rounds.tar.gz" "${kept[@]}"
fi
echo "bench: raw rounds, configurations and logs are in $out"
exit $status

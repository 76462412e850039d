#!/usr/bin/env bash
# What TLS costs the server: a proxy speaks plain WebSockets with the load program and TLS, or nothing, with statusd. The proxy's own processor
# time is not counted, only the server's; both ways go through it, so that the difference is TLS alone. Prints the medians as a table.
#   bench/load/tls.sh                     memory of 5,000 idle connections, and a flood at 1,000; three runs each
#   RUNS=5 STATUSD=/path/to/statusd.dll bench/load/tls.sh
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
"$here/../../deploy.sh" --peers
# shellcheck source=bench/load/common.sh
. "$here/common.sh"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2>/dev/null
echo 'subscribers: []' >"$folder/directory.yml"

# One run: "plain" or "tls", a scenario, and its size.
run() {
  local kind=$1
  shift
  free_port
  local inner=$port
  free_port
  local outer=$port tls='' ssl=''
  if [[ $kind == tls ]]; then
    tls="tls: { certificate: $folder/certificate.pem, key: $folder/key.pem },"
    ssl='ssl verify none'
  fi
  rm -rf "$folder/state"
  cat >"$folder/settings.yml" <<YML
SERVICE: { port: $inner, $tls limits: { messages: 1000000, connections: 100 } }
AUTH: { mode: trusted-header }
PRIVILEGES: { file: $folder/directory.yml }
STATE: { path: $folder/state }
YML
  cat >"$folder/haproxy.cfg" <<CFG
global
  maxconn 9000
defaults
  mode tcp
  timeout connect 10s
  timeout client 10m
  timeout server 10m
  maxconn 9000
listen statusd
  bind 127.0.0.1:$outer
  server statusd 127.0.0.1:$inner $ssl
CFG
  dotnet "${STATUSD:-$folder/load/statusd.dll}" up --config "$folder/settings.yml" >"$folder/statusd.log" 2>&1 &
  started=($!)
  haproxy -f "$folder/haproxy.cfg" >"$folder/haproxy.log" 2>&1 &
  started+=($!)
  wait_for statusd "$inner"
  wait_for haproxy "$outer"
  load "$@" --url "ws://127.0.0.1:$outer/pubsub" --pid "${started[0]}" --name "$kind" --json >>"$folder/runs.jsonl" ||
    echo "tls.sh: $kind did not do all of $1; the table says what" >&2
  stop
}

for ((r = 1; r <= ${RUNS:-3}; r++)); do
  for kind in plain tls; do
    echo "run $r of ${RUNS:-3}: $kind" >&2
    run "$kind" s1 --connections 5000
    run "$kind" s2 --connections 1000
  done
done
load table "$folder/runs.jsonl"

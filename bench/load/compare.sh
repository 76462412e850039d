#!/usr/bin/env bash
# Loads the floor, statusd, the WebSockets of a stock Kestrel, NATS and mosquitto, all in turn, and prints the medians as a table.
# Installs what it needs from Debian; each server starts for each run, on a free port of loopback, and leaves nothing behind.
#   bench/load/compare.sh                    s1 to s5, three runs each: half an hour
#   bench/load/compare.sh s2 s4              these alone
#   RUNS=5 RESULTS=runs.jsonl bench/load/compare.sh    how often, and where to keep each run (added to what is there)
#   STATUSD=/path/to/statusd.dll bench/load/compare.sh another build of the server
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
scenarios=("$@")
if ((${#scenarios[@]} == 0)); then scenarios=(s1 s2 s3 s4 s5); fi
for scenario in "${scenarios[@]}"; do
  if [[ $scenario != s[1-5] ]]; then
    echo "usage: $0 [s1] [s2] [s3] [s4] [s5]" >&2
    exit 2
  fi
done

"$here/../../deploy.sh" --peers
# shellcheck source=bench/load/common.sh
. "$here/common.sh"
results=${RESULTS:-$folder/runs.jsonl}

# One run against a peer that listens at $port: its name, its dialect, its path, the scenario, and the command that starts it.
against() {
  local name=$1 dialect=$2 path=$3 scenario=$4
  shift 4
  "$@" >"$folder/$name.log" 2>&1 &
  started=($!)
  wait_for "$name" "$port"
  load "$scenario" --url "ws://127.0.0.1:$port$path" --pid "${started[0]}" --dialect "$dialect" --name "$name" --json >>"$results" ||
    echo "compare.sh: $name did not do all of $scenario; the table says what" >&2
  stop
}

nats() {
  free_port
  local websocket=$port
  free_port
  cat >"$folder/nats.conf" <<CONF
listen: 127.0.0.1:$port
websocket { listen: "127.0.0.1:$websocket", no_tls: true }
CONF
  port=$websocket
  against nats nats / "$1" nats-server -c "$folder/nats.conf"
}

# Each publication goes to a watcher once for each subscription that fits it, as with all others here, and mosquitto need not
# remember who has it already. Everything is QoS 0, and nothing is kept on the disk. Debian's 2.0.11 does not start with WebSockets alone.
mosquitto() {
  free_port
  local plain=$port
  free_port
  cat >"$folder/mosquitto.conf" <<CONF
user root
allow_anonymous true
allow_duplicate_messages true
persistence false
log_type error
listener $plain 127.0.0.1
listener $port 127.0.0.1
protocol websockets
CONF
  against mosquitto mqtt /mqtt "$1" /usr/sbin/mosquitto -c "$folder/mosquitto.conf"
}

for ((run = 1; run <= ${RUNS:-3}; run++)); do
  for scenario in "${scenarios[@]}"; do
    echo "run $run of ${RUNS:-3}: $scenario" >&2
    load "$scenario" --floor --start ${STATUSD:+--statusd "$STATUSD"} --kestrel --json >>"$results" ||
      echo "compare.sh: somebody did not do all of $scenario; the table says who" >&2
    nats "$scenario"
    mosquitto "$scenario"
  done
done
load table "$results"

# For compare.sh and tls.sh, which source it: a folder that goes with the script, a copy of the load program in it, ports and waiting.
# Needs "here", the script's folder. Processes in "started" are ended with the script.
ulimit -n "$(ulimit -Hn)"

folder=$(mktemp -d)
started=()
end() {
  if ((${#started[@]} > 0)); then kill "${started[@]}" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap end EXIT

# What is measured is a copy: somebody may build meanwhile.
cp -r "$here/bin/Release/net10.0" "$folder/load"

load() { dotnet "$folder/load/StatusDaemon.Load.dll" "$@"; }

is_open() { (: >"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Sets port to one that nobody listens at. Below the kernel's own, which clients get.
free_port() {
  port=$((20000 + RANDOM % 10000))
  while is_open "$port"; do port=$((20000 + RANDOM % 10000)); done
}

# Waits until a server that was started listens at a port: its name, whose log is in the folder, and the port.
wait_for() {
  for ((tries = 0; tries < 600; tries++)); do
    if is_open "$2"; then return; fi
    sleep 0.05
  done
  echo "${0##*/}: $1 does not listen; it said:" >&2
  cat "$folder/$1.log" >&2
  exit 1
}

# Ends what was started.
stop() {
  kill "${started[@]}"
  wait "${started[@]}" 2>/dev/null || true
  started=()
}

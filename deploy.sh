#!/usr/bin/env bash
# Installs what this machine lacks and builds. Safe to run again: does nothing where all is there and built.
#   ./deploy.sh           what it takes to run
#   ./deploy.sh --tests   what it takes to run and to test
#   ./deploy.sh --peers   what it takes to run and to compare with other servers: bench/load/compare.sh, bench/load/tls.sh
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

# The Kerberos library is all that a server with a keytab needs; the KDC is for the sandbox realm of a first run, the
# certificates are for the build, which fetches its packages over https, and curl is for the health check.
packages=(ca-certificates curl libgssapi-krb5-2 krb5-user krb5-kdc krb5-admin-server)
project=src/StatusDaemon.Cli
case "${1-}" in
  '') ;;
  --tests)
    packages+=(chromium gcc iproute2 libc6-dev nftables python3-aiohttp python3-gssapi python3-kerberos redis-sentinel redis-server)
    project=StatusDaemon.slnx
    ;;
  --peers)
    packages+=(gcc haproxy libc6-dev mosquitto nats-server openssl)
    project=bench/load
    ;;
  *)
    echo "usage: $0 [--tests | --peers]" >&2
    exit 2
    ;;
esac

lacks() { [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" != installed ]]; }

# Runs a command and shows what it said only if it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if ((status != 0)); then
    cat "$log" >&2
    echo "deploy.sh: failed: $*" >&2
  fi
  rm -f "$log"
  return "$status"
}

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "deploy.sh: not a Debian: see to it yourself that this machine has what these packages bring: ${packages[*]}" >&2
    return
  fi
  local missing=() name wants_icu=false
  for name in "${packages[@]}"; do
    if lacks "$name"; then missing+=("$name"); fi
  done
  # The .NET SDK needs libicu, whose package is named after its version; the program runs without.
  if ! dpkg-query -W -f '${Package} ${db:Status-Status}\n' 'libicu[0-9]*' 2>/dev/null | grep -q ' installed$'; then
    wants_icu=true
  fi
  if ((${#missing[@]} == 0)) && ! $wants_icu; then return; fi

  if ((EUID != 0)); then
    echo "deploy.sh: this machine lacks Debian packages; run this once, then try again:" >&2
    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}$($wants_icu && echo " '^libicu[0-9]+\$'")" >&2
    exit 1
  fi

  export DEBIAN_FRONTEND=noninteractive
  quietly apt-get update
  if $wants_icu; then
    missing+=("$(apt-cache pkgnames libicu | grep -E '^libicu[0-9]+$' | sort -V | tail -n 1)")
  fi
  echo "Installing ${missing[*]} …" >&2
  without_services quietly apt-get install -y --no-install-recommends "${missing[@]}"
}

# Debian starts the services of a package as it installs it. Ours are a KDC that nobody configured, and brokers: policy-rc.d (see
# invoke-rc.d(8)) says no, with and without systemd. A machine that has a policy of its own keeps it.
without_services() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [[ -e $policy ]]; then
    "$@"
    return
  fi
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  "$@" || status=$?
  rm -f "$policy"
  trap - EXIT
  return "$status"
}

check_sdk() {
  if ! command -v dotnet >/dev/null; then
    echo "deploy.sh: the .NET 10 SDK is not on the PATH; get it from https://dotnet.microsoft.com/download/dotnet/10.0" >&2
    exit 1
  fi
  if ! dotnet --list-sdks | grep -q '^10\.'; then
    echo "deploy.sh: $(command -v dotnet) has no .NET 10 SDK; get it from https://dotnet.microsoft.com/download/dotnet/10.0" >&2
    exit 1
  fi
}

# ./statusd compares the sources with this file. Its time is that of the start, so that what is edited during a build counts as newer.
build() {
  local stamp=src/StatusDaemon.Cli/bin/built
  mkdir -p src/StatusDaemon.{Core,Server,Cli}/{bin,obj}
  touch "$stamp.next"
  # Without libicu's cultures the build would drop the Russian texts.
  DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=0 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 \
    quietly dotnet build "$project" --configuration Release --verbosity quiet --nologo -nodeReuse:false
  mv "$stamp.next" "$stamp"
}

install_packages
check_sdk
build

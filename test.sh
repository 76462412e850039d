#!/usr/bin/env bash
# The one check: packages, build (warnings are errors), format, all tests. The last line says how many passed and failed.
#   ./test.sh                     everything
#   ./test.sh -class '*Router*'   arguments are the test runner's filters; -? lists them
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Prints the verdict and ends. What broke before a test could run counts as one failure.
verdict() {
  echo "$1 passed, $2 failed"
  (($1 > 0 && $2 == 0)) && exit 0
  exit 1
}

./deploy.sh --tests || verdict 0 1
dotnet format StatusDaemon.slnx --no-restore --verify-no-changes || verdict 0 1

status=0
dotnet tests/StatusDaemon.Tests/bin/Release/net10.0/StatusDaemon.Tests.dll -noLogo -noColor "$@" 2>&1 </dev/null | tee "$log" || status=$?

# The runner's summary: "… Total: 12, Errors: 0, Failed: 1, Skipped: 0, Not Run: 0, Time: …". Errors happen outside of a test
# and are not in the total; a skipped test has not passed.
summary=$(grep -E 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+, Not Run: [0-9]+' "$log" | tail -n 1 || true)
if [[ ! $summary =~ Total:\ ([0-9]+),\ Errors:\ ([0-9]+),\ Failed:\ ([0-9]+),\ Skipped:\ ([0-9]+),\ Not\ Run:\ ([0-9]+) ]]; then
  verdict 0 1
fi
total=${BASH_REMATCH[1]} errors=${BASH_REMATCH[2]} failed=${BASH_REMATCH[3]} skipped=${BASH_REMATCH[4]} not_run=${BASH_REMATCH[5]}
bad=$((errors + failed))
if ((status != 0 && bad == 0)); then bad=1; fi
verdict $((total - failed - skipped - not_run)) "$bad"

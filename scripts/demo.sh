#!/usr/bin/env bash
# The demonstration: a lab with twenty people, a first synchronisation, edits on both sides that cross over,
# and a table. `make demo` leaves the page up until Ctrl-C; `make demo CHECK=1` ends by itself, and fails if
# anything is missing. Everything lives in one folder under the temp folder and is gone afterwards.
#
#   scripts/demo.sh [--check]      PEOPLE=20 SEED=7 KEEP=1 (leave the folder) may be set
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/stage.sh

check=no
[ "${1:-}" != --check ] || check=yes
people=${PEOPLE:-20}
missed=no

# Exit code 1 says that something is not in step; the table judges that.
ends_well() { "$@" || [ $? -eq 1 ]; }

serve() {
    # The program itself and not the function, whose number would be that of a shell around it.
    "$bin/holdfast" --config "$work/holdfast.toml" serve >"$work/serve.out" 2>"$work/serve.log" &
    children+=($!)
    server=$!
    until_ready "the daemon" 60 curl --silent --fail --insecure "$(cat "$work/url")/health/ready"
}

report() {
    ends_well holdfast status --json >"$work/status.json"
    ends_well holdfast failures --json >"$work/failures.json"
    ends_well holdfast completeness --as-it-is --json >"$work/completeness.json"
    "$python" scripts/demo_report.py table "$work" || missed=yes
    echo
    echo "  the page      $(cat "$work/url")/"
    echo "  sign-in code  $(holdfast code)"
}

step "Building Holdfast and the lab (the first time takes some minutes)"
cargo build --workspace --bins --locked
open_python
open_stage

step "Starting an Exchange and a Salesforce with $people people"
start_lab "$people" "${SEED:-7}"

step "Preparing Holdfast: a private PostgreSQL, secrets, $people mailboxes"
introduce
holdfast check

step "First synchronisation"
"$python" scripts/demo_report.py mark "$work" before
ends_well holdfast sync --all
"$python" scripts/demo_report.py mark "$work" after

step "Serving; edits made by exchangelib and simple-salesforce cross over"
serve
"$python" scripts/demo_edits.py "$work/lab.json" || missed=yes

step "What came of it"
report

if [ "$check" = yes ]; then
    [ "$missed" = no ] || fail "not everything came out as promised; see above"
    stop_children
    stop_postgresql
    # Asked of the kernel: a bare machine has no pgrep.
    left=$(printf '%s' "$work" | grep -lFzf - /proc/[0-9]*/cmdline 2>/dev/null || true)
    [ -z "$left" ] || fail "something that was started here is still running: $left"
    echo "demo: everything came out as promised"
else
    echo
    echo "The page stays up until you press Ctrl-C."
    wait "$server"
fi

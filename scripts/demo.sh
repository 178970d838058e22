#!/usr/bin/env bash
# The demonstration: a lab with twenty people, a first synchronisation, edits on both sides that cross over,
# and a table. `make demo` leaves the page up until Ctrl-C; `make demo CHECK=1` ends by itself, and fails if
# anything is missing. Everything lives in one folder under the temp folder and is gone afterwards.
#
#   scripts/demo.sh [--check]      PEOPLE=20 SEED=7 KEEP=1 (leave the folder) may be set
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

check=no
[ "${1:-}" != --check ] || check=yes
people=${PEOPLE:-20}
seed=${SEED:-7}
bin=${CARGO_TARGET_DIR:-target}/debug
children=()

step() { printf '\n== %s\n' "$*"; }
fail() {
    echo "demo: $*" >&2
    exit 1
}

# Stops what was started here, each by its own number, the last one first.
tear_down() {
    local status=$? pid
    for ((i = ${#children[@]} - 1; i >= 0; i--)); do
        pid=${children[i]}
        if kill "$pid" 2>/dev/null; then wait "$pid" 2>/dev/null || true; fi
    done
    # The private PostgreSQL outlives the daemon on purpose; here it must not.
    if [ -n "${work:-}" ]; then
        pid=$(head -1 "$work/data/postgres/data/postmaster.pid" 2>/dev/null || true)
        if [ -n "$pid" ] && kill -INT "$pid" 2>/dev/null; then
            for _ in $(seq 100); do
                kill -0 "$pid" 2>/dev/null || break
                sleep 0.1
            done
        fi
        if [ -n "${KEEP:-}" ]; then echo "demo: kept $work"; else rm -rf "$work"; fi
    fi
    exit "$status"
}

# Waits until a command succeeds: WHAT SECONDS COMMAND…
until_ready() {
    local what=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || fail "$what was not ready in time"
        sleep 0.1
    done
}

free_port() {
    "$python" -c 'import socket
for wanted in (8443, 0):
    with socket.socket() as s:
        try: s.bind(("127.0.0.1", wanted))
        except OSError: continue
        print(s.getsockname()[1]); break'
}

build() {
    step "Building Holdfast and the lab (the first time takes some minutes)"
    cargo build --workspace --bins --locked
    local cache
    cache=$(tests/truth/setup.sh)
    python=$cache/venv/bin/python
    export PYTHONPATH=$PWD/scripts PYTHONDONTWRITEBYTECODE=1
}

start_lab() {
    step "Starting an Exchange and a Salesforce with $people people (seed $seed)"
    "$bin/holdfast-lab" up --people "$people" --seed "$seed" --ca-file "$work/ca.pem" \
        >"$work/lab.json" 2>"$work/lab.log" &
    children+=($!)
    until_ready "the lab" 120 grep -q control_url "$work/lab.json"
    "$python" scripts/demo_settings.py "$work" "$(free_port)"
}

holdfast() { "$bin/holdfast" --config "$work/holdfast.toml" "$@"; }

introduce() {
    step "Preparing Holdfast: a private PostgreSQL, secrets, $people mailboxes"
    holdfast migrate
    holdfast secret set mail_server.lab.password <"$work/secrets/password"
    holdfast secret set crm.lab.private_key <"$work/secrets/private_key"
    rm -rf "$work/secrets"
    holdfast mailbox add --file "$work/mailboxes.csv"
    holdfast check
}

first_synchronisation() {
    step "First synchronisation"
    "$python" scripts/demo_report.py mark "$work" before
    holdfast sync --all
    "$python" scripts/demo_report.py mark "$work" after
}

serve() {
    step "Serving; edits made by exchangelib and simple-salesforce cross over"
    holdfast serve >"$work/serve.out" 2>"$work/serve.log" &
    children+=($!)
    server=$!
    until_ready "the daemon" 60 curl --silent --fail --insecure "$(cat "$work/url")/health/ready"
    "$python" scripts/demo_edits.py "$work/lab.json" || missed=yes
}

report() {
    step "What came of it"
    holdfast status --json >"$work/status.json"
    holdfast failures --json >"$work/failures.json"
    "$python" scripts/demo_report.py table "$work" || missed=yes
    echo
    echo "  the page      $(cat "$work/url")/"
    echo "  sign-in code  $(holdfast code)"
}

missed=no
build
work=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-demo.XXXXXX")
# As root, PostgreSQL runs as another user, who must be able to pass through.
chmod 711 "$work"
trap tear_down EXIT
trap 'exit 130' INT TERM
start_lab
introduce
first_synchronisation
serve
report
if [ "$check" = yes ]; then
    [ "$missed" = no ] || fail "not everything came out as promised; see above"
    echo "demo: everything came out as promised"
else
    echo
    echo "The page stays up until you press Ctrl-C."
    wait "$server"
fi

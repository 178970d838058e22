# A stage for the demonstration and the benchmarks: one folder under the temp folder with a lab and a Holdfast
# that is set up to meet it. Sourced, not run. What is started here is stopped by `tear_down`, each process by its
# own number.
# shellcheck shell=bash

children=()
work=
bin=${CARGO_TARGET_DIR:-target}/debug

step() { printf '\n== %s\n' "$*"; }
fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# The folder, and the promise to clean up.
open_stage() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-stage.XXXXXX")
    # As root, PostgreSQL runs as another user, who must be able to pass through.
    chmod 711 "$work"
    trap tear_down EXIT
    trap 'exit 130' INT TERM
}

tear_down() {
    local status=$?
    stop_children
    stop_postgresql
    if [ -n "${KEEP:-}" ]; then echo "kept $work"; else rm -rf "$work"; fi
    exit "$status"
}

stop_children() {
    local i
    for ((i = ${#children[@]} - 1; i >= 0; i--)); do
        if kill "${children[i]}" 2>/dev/null; then wait "${children[i]}" 2>/dev/null || true; fi
    done
    children=()
}

# The private PostgreSQL outlives the daemon on purpose; here it must not.
stop_postgresql() {
    local pid
    pid=$(postgresql_pid)
    [ -n "$pid" ] || return 0
    kill -INT "$pid" 2>/dev/null || return 0
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
}

postgresql_pid() {
    find "$work/data" -name postmaster.pid -exec head -1 {} \; 2>/dev/null || true
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

# The independent clients' Python, and our scripts for it.
open_python() {
    local cache
    cache=$(tests/truth/setup.sh)
    python=$cache/venv/bin/python
    export PYTHONPATH=$PWD/scripts PYTHONDONTWRITEBYTECODE=1
}

free_port() {
    "$python" -c 'import socket
for wanted in (8443, 0):
    with socket.socket() as s:
        try: s.bind(("127.0.0.1", wanted))
        except OSError: continue
        print(s.getsockname()[1]); break'
}

# Starts a lab: PEOPLE SEED and further arguments of `holdfast-lab up`.
start_lab() {
    local people=$1 seed=$2
    shift 2
    rm -f "$work/lab.json"
    "$bin/holdfast-lab" up --people "$people" --seed "$seed" --ca-file "$work/ca.pem" "$@" \
        >"$work/lab.json" 2>>"$work/lab.log" &
    children+=($!)
    until_ready "the lab" 120 grep -q control_url "$work/lab.json"
}

holdfast() { "$bin/holdfast" --config "$work/holdfast.toml" "$@"; }

# Settings, database, secrets and mailboxes, so that the next command can be `holdfast sync`.
introduce() {
    "$python" scripts/stage_settings.py "$work" "$(free_port)"
    holdfast migrate
    holdfast secret set mail_server.lab.password <"$work/secrets/password"
    holdfast secret set crm.lab.private_key <"$work/secrets/private_key"
    rm -rf "$work/secrets"
    holdfast mailbox add --file "$work/mailboxes.csv"
}

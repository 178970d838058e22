#!/usr/bin/env bash
# The figures, each beside what it is compared with, all in one run on one machine: the first synchronisation by
# Holdfast, by a script of exchangelib and simple-salesforce, and by a replay of the same requests that does nothing
# else. Each meets a fresh lab of the same seed. Prints `bench: NAME VALUE UNIT (ratio R against PEER)` and writes the
# same as JSON lines under target/bench/.
#
#   scripts/bench.sh      PEOPLE=20 SEED=7 ITEMS=200 (items a person) PROFILE=release may be set
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/stage.sh

people=${PEOPLE:-20}
seed=${SEED:-7}
items=${ITEMS:-200}
profile=${PROFILE:-release}
bin=${CARGO_TARGET_DIR:-target}/$profile

fresh_lab() {
    stop_children
    start_lab "$people" "$seed" --items-per-person "$items" "$@"
}

step "Building ($profile; with optimisation the first time takes about a quarter of an hour)"
cargo build --profile "${profile/debug/dev}" --workspace --bins --locked
open_python
open_stage

step "First synchronisation by Holdfast"
fresh_lab --tape "$work/tape.jsonl"
introduce
"$python" scripts/bench.py holdfast "$work" "$(postgresql_pid)" -- \
    "$bin/holdfast" --config "$work/holdfast.toml" sync --all --json

step "The same by a script of exchangelib and simple-salesforce"
fresh_lab
"$python" scripts/bench.py run "$work" peer -- "$python" scripts/bench_peer.py "$work/lab.json"

step "The same requests replayed: no parsing, no plan, no database"
fresh_lab
"$python" scripts/bench.py run "$work" floor -- "$bin/holdfast-lab" replay "$work/tape.jsonl" "$work/lab.json"

step "Figures"
mkdir -p target/bench
"$python" scripts/bench.py figures "$work" target/bench/first_sync.jsonl

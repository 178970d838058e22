#!/usr/bin/env bash
# What things cost as there are more of them: an item of a first synchronisation where ten mailboxes have 1,000, 10,000
# and 100,000 items, and where 10, 100 and 1,000 mailboxes have 100 each; the CRM's calls for 1,000 new mails; the memory
# that a file of 150 MB takes on its way. Prints and writes as scripts/bench.sh, and draws the two curves.
#
#   scripts/bench_costs.sh      SEED=7 PROFILE=release may be set
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/stage.sh

seed=${SEED:-7}
profile=${PROFILE:-release}
bin=${CARGO_TARGET_DIR:-target}/$profile
figures=target/bench/costs.jsonl

# A fresh lab and a fresh Holdfast: PEOPLE ITEMS (items a person)
fresh_stage() {
    stop_children
    stop_postgresql
    rm -rf "$work/data" "$work/kek"
    start_lab "$1" "$seed" --items-per-person "$2"
    introduce >/dev/null
}

first_sync() {
    fresh_stage "$1" "$2"
    "$python" scripts/bench.py holdfast "$work" "$(postgresql_pid)" -- \
        "$bin/holdfast" --config "$work/holdfast.toml" sync --all --json
    "$python" scripts/bench_costs.py point "$work" "$1" "$2"
}

step "Building ($profile)"
cargo build --profile "${profile/debug/dev}" --workspace --bins --locked
open_python
open_stage
"${python%/python}/pip" install --quiet --disable-pip-version-check plotext==5.3.2
mkdir -p target/bench

step "An item's cost: ten mailboxes, ever fuller"
for items in 100 1000 10000; do first_sync 10 "$items"; done
step "An item's cost: ever more mailboxes of 100 items"
for people in 100 1000; do first_sync "$people" 100; done

step "A thousand new mails in one mailbox, and a file of 150 MB in one of them"
fresh_stage 1 20
"$python" scripts/bench_costs.py mails "$work" -- "$bin/holdfast" --config "$work/holdfast.toml"
"$python" scripts/bench_costs.py file "$work" -- "$bin/holdfast" --config "$work/holdfast.toml"

step "Figures"
"$python" scripts/bench_costs.py figures "$work" "$figures"

#!/usr/bin/env bash
# The first synchronisation into a real Odoo, by Holdfast and by a script of exchangelib and Odoo's JSON-2 interface,
# each into a fresh database and from a fresh lab of the same seed; how many calls each made, by Odoo's own log; and how
# many Holdfast makes for a thousand new mails of one mailbox.
# Prints and writes as scripts/bench.sh. Says so and ends well where Odoo cannot be had.
#
#   scripts/bench_odoo.sh      PEOPLE=8 SEED=7 ITEMS=200 (items a person) MAILS=1000 PROFILE=release may be set
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/stage.sh

people=${PEOPLE:-8}
seed=${SEED:-7}
items=${ITEMS:-200}
mails=${MAILS:-1000}
profile=${PROFILE:-release}
bin=${CARGO_TARGET_DIR:-target}/$profile
odoo_root=${HOLDFAST_CACHE:-$HOME/.cache/holdfast}/odoo
database=bench

if ! said=$(scripts/odoo.sh up 2>&1); then
    echo "bench: WITHOUT ODOO, because: $(tail -1 <<<"$said")" >&2
    exit 0
fi

step "Building ($profile)"
cargo build --profile "${profile/debug/dev}" --workspace --bins --locked
open_python
open_stage

# A lab, an empty Odoo that knows its people, and Holdfast between them.
fresh_sides() {
    stop_children
    scripts/odoo.sh drop "$database"
    odoo=$(scripts/odoo.sh fresh "$database")
    start_lab "$people" "$seed" --items-per-person "$items"
    rm -rf "$work/secrets"
    "$python" scripts/odoo/stage.py "$work" "$(free_port)" "$odoo" "$database"
}

step "First synchronisation into Odoo by Holdfast"
fresh_sides
holdfast migrate
for secret in "$work"/secrets/*; do
    holdfast secret set "$(basename "$secret")" <"$secret" >/dev/null
done
holdfast mailbox add --file "$work/mailboxes.csv"
"$python" scripts/odoo/figures.py run "$work" holdfast "$odoo_root/server.log" "$database" -- \
    "$bin/holdfast" --config "$work/holdfast.toml" sync --all --json
holdfast status --json >"$work/status.json" || [ $? -eq 1 ]

step "New mails in one mailbox: $mails"
"$python" scripts/odoo/figures.py mails "$work" "$mails" "$odoo_root/server.log" "$database" -- \
    "$bin/holdfast" --config "$work/holdfast.toml"

step "The first synchronisation by a script of exchangelib and JSON-2"
fresh_sides
"$python" scripts/odoo/figures.py run "$work" peer "$odoo_root/server.log" "$database" -- \
    "$python" scripts/odoo/peer.py "$work/lab.json" "$odoo" "$database"
scripts/odoo.sh drop "$database"

step "Figures"
mkdir -p target/bench
"$python" scripts/odoo/figures.py figures "$work" target/bench/odoo.jsonl

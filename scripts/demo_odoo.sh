#!/usr/bin/env bash
# The demonstration against a real Odoo: the lab's Exchange on one side, the Odoo that `make odoo` keeps on the
# other. `make demo CRM=odoo` leaves the page up until Ctrl-C; with CHECK=1 it ends by itself, and fails if anything
# is missing.
#
#   scripts/demo_odoo.sh [--check]      PEOPLE=8 SEED=7 KEEP=1 (leave the folder) may be set
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/stage.sh

check=no
[ "${1:-}" != --check ] || check=yes
people=${PEOPLE:-8}
missed=no
database=demo

# Exit code 1 says that something is not in step; the table judges that.
ends_well() { "$@" || [ $? -eq 1 ]; }

step "Building Holdfast and the lab (the first time takes some minutes)"
cargo build --workspace --bins --locked
open_python
open_stage

step "Starting an Exchange with $people people, and a real Odoo"
scripts/odoo.sh up >/dev/null
scripts/odoo.sh drop "$database"
odoo=$(scripts/odoo.sh fresh "$database")
start_lab "$people" "${SEED:-7}"

step "Preparing Holdfast: a private PostgreSQL, secrets, $people mailboxes"
PYTHONPATH=scripts "$python" scripts/odoo/stage.py "$work" "$(free_port)" "$odoo" "$database"
holdfast migrate
for secret in "$work"/secrets/*; do
    holdfast secret set "$(basename "$secret")" <"$secret" >/dev/null
done
rm -rf "$work/secrets"
holdfast mailbox add --file "$work/mailboxes.csv"
holdfast check

step "First synchronisation"
begun=$SECONDS
ends_well holdfast sync --all
took=$((SECONDS - begun))

step "Serving; edits cross over"
"$bin/holdfast" --config "$work/holdfast.toml" serve >"$work/serve.out" 2>"$work/serve.log" &
children+=($!)
server=$!
until_ready "the daemon" 60 curl --silent --fail --insecure "$(cat "$work/url")/health/ready"
ends_well holdfast status --json >"$work/status.json"
"$python" scripts/odoo/report.py "$work" "$odoo" "$database" "$took" || missed=yes
echo
echo "  the page      $(cat "$work/url")/"
echo "  sign-in code  $(holdfast code)"

if [ "$check" = yes ]; then
    [ "$missed" = no ] || fail "not everything came out as promised; see above"
    stop_children
    stop_postgresql
    echo "demo: everything came out as promised"
else
    echo
    echo "The page stays up until you press Ctrl-C."
    wait "$server"
fi

#!/usr/bin/env bash
# Runs every test. What the tests need beside the build (the runner, the independent clients) is prepared
# first; what a test starts, it stops.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh test
tests/truth/setup.sh >/dev/null

profile=default
if [ -n "${CI:-}" ]; then
    profile=ci
    # As many as were seen green since the worlds last changed. A night takes more (scripts/sim.sh).
    export HOLDFAST_SIM_WORLDS=${HOLDFAST_SIM_WORLDS:-2000}
fi
# The house's binary and the lab's are started by tests that need them as processes of their own.
cargo build --workspace --bins --locked --quiet

# A real Odoo, where this machine can have one.
only=()
if ! said=$(scripts/odoo.sh up 2>&1); then
    echo "test: WITHOUT ODOO. Its tests are left out, because: $(tail -1 <<<"$said")" >&2
    only=(-E 'not test(/^odoo_/)')
else
    # One of its tests looks at its web page.
    tests/truth/setup.sh --browser >/dev/null
fi
cargo nextest run --workspace --locked --profile "$profile" "${only[@]}" "$@"
[ "${#only[@]}" -eq 0 ] || echo "test: Odoo could not be had here; its tests did not run" >&2

#!/usr/bin/env bash
# Lives through random worlds (tests/it/simulation).
#
#   scripts/sim.sh [WORLDS] [SEED]     so many worlds (2,000), or the one of a seed again
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export HOLDFAST_SIM_WORLDS=${1:-2000}
[ -z "${2:-}" ] || export HOLDFAST_SIM_SEED=$2
scripts/setup.sh test
# Without the runner's limit of time: a hundred thousand worlds take a night.
cargo test --locked --quiet -p holdfast --test it -- --nocapture simulation::run

#!/usr/bin/env bash
# Lives through random worlds (tests/it/simulation).
#
#   scripts/sim.sh [WORLDS] [SEED]     so many worlds (2,000); with a seed the one of it again, or so many from it on
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seed=${2:-}
export HOLDFAST_SIM_WORLDS=${1:-${seed:+1}}
HOLDFAST_SIM_WORLDS=${HOLDFAST_SIM_WORLDS:-2000}
[ -z "$seed" ] || export HOLDFAST_SIM_SEED=$seed
scripts/setup.sh test
# Without the runner's limit of time: a hundred thousand worlds take a night.
cargo test --locked --quiet -p holdfast --test it -- --nocapture simulation::run

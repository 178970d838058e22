#!/usr/bin/env bash
# How long a change takes to the other side while the daemon runs, from mailboxes to the CRM and from the CRM to mailboxes:
# told by notifications and by the watch of the CRM, and polled every five minutes beside it, as is usual. Each meets a
# fresh lab of the same seed. Prints and writes as scripts/bench.sh.
#
#   scripts/bench_lag.sh      LIVE=1000 (mailboxes) SECONDS_OF_WORK=120 SEED=7 PROFILE=release may be set
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/stage.sh

live=${LIVE:-1000}
work_s=${SECONDS_OF_WORK:-120}
seed=${SEED:-7}
profile=${PROFILE:-release}
bin=${CARGO_TARGET_DIR:-target}/$profile

measure() {
    local name=$1
    stop_children
    stop_postgresql
    rm -rf "$work/data" "$work/kek"
    start_lab "$live" "$seed" --items-per-person 6
    introduce
    # `[sync]` comes last in the settings of the stage; its pace there is the demonstration's.
    sed -i '/^poll_interval_s/d' "$work/holdfast.toml"
    [ "$name" = told ] ||
        sed -i 's/^impersonate_by = "smtp"$/&\nnotifications = false/; /^watch_user/d' "$work/holdfast.toml"
    printf 'poll_interval_s = 300\nquiet_poll_interval_s = 300\n' >>"$work/holdfast.toml"
    "$bin/holdfast" --config "$work/holdfast.toml" serve >"$work/serve.out" 2>&1 &
    children+=($!)
    "$python" scripts/bench_lag.py measure "$work" "$name" "$work_s" -- "$bin/holdfast" --config "$work/holdfast.toml"
}

step "Building ($profile)"
cargo build --profile "${profile/debug/dev}" --workspace --bins --locked
open_python
open_stage

step "A change in each of $live mailboxes, then one for each in the CRM, within $work_s seconds each: told"
measure told
step "The same, polled"
measure asked

step "Figures"
mkdir -p target/bench
"$python" scripts/bench_lag.py figures "$work" target/bench/lag.jsonl

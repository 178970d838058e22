#!/usr/bin/env bash
# Licences, bans and sources of everything that is built in, by cargo-deny and deny.toml.
#
# cargo-deny takes about as long to build as the house itself, so that `make check` uses one that is there and
# says so where there is none; `make deny` installs it.
set -euo pipefail

if ! cargo deny --version >/dev/null 2>&1; then
    if [ "${1:-}" != install ]; then
        echo "deny: cargo-deny is not installed, so licences were not checked; \`make deny\` installs it" >&2
        exit 0
    fi
    cargo install --locked --quiet cargo-deny
fi
cargo deny --log-level warn check bans licenses sources

#!/usr/bin/env bash
# Licences, bans and sources of everything that is built in, by cargo-deny and deny.toml.
#
# cargo-deny is installed where it is missing: a check that passes without having looked is worth nothing. It takes
# about as long to build as the house itself, once.
set -euo pipefail

if ! cargo deny --version >/dev/null 2>&1; then
    echo "deny: installing cargo-deny, once" >&2
    cargo install --locked --quiet cargo-deny || {
        echo "deny: cargo-deny could not be installed, so licences, bans and sources are NOT checked" >&2
        exit 1
    }
fi
cargo deny --log-level warn check bans licenses sources

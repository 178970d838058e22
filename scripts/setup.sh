#!/usr/bin/env bash
# Installs what a bare Debian 12 lacks. Safe to repeat: where nothing is missing it asks nothing and is done
# in a moment.
#
#   scripts/setup.sh build     what compiling and running need
#   scripts/setup.sh test      the same, and the test runner
set -euo pipefail

need=${1:-build}

say() { echo "setup: $*" >&2; }
fail() {
    say "$*"
    exit 1
}

# The Debian packages whose program or file is not there yet.
missing_packages() {
    local wanted=()
    command -v cc >/dev/null || wanted+=(gcc libc6-dev)
    command -v pkg-config >/dev/null || wanted+=(pkg-config)
    command -v curl >/dev/null || wanted+=(curl)
    [ -e /etc/ssl/certs/ca-certificates.crt ] || wanted+=(ca-certificates)
    compgen -G '/usr/lib/*/libpq.so' >/dev/null || compgen -G '/usr/lib/libpq.so' >/dev/null ||
        wanted+=(libpq-dev)
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || wanted+=(postgresql-15)
    python3 -c 'import venv, ensurepip' 2>/dev/null || wanted+=(python3-venv)
    echo "${wanted[*]}"
}

# Debian's package makes and starts a cluster of its own; Holdfast makes its own and wants no second one.
no_cluster_of_debian() {
    [ -e /etc/postgresql-common/createcluster.conf ] && return
    "${root[@]}" mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | "${root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
}

install_packages() {
    local wanted
    wanted=$(missing_packages)
    [ -n "$wanted" ] || return 0
    command -v apt-get >/dev/null ||
        fail "this machine has no apt-get. Install by hand what these Debian packages hold, then try again: $wanted"
    root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            fail "these Debian packages are missing, and this is neither root nor is there sudo: $wanted." \
                "Ask somebody who is root to run: apt-get install --no-install-recommends $wanted"
        root=(sudo)
    fi
    say "installing $wanted"
    case " $wanted " in *" postgresql-15 "*) no_cluster_of_debian ;; esac
    local log
    log=$(mktemp)
    # shellcheck disable=SC2086 # a list of package names on purpose
    { "${root[@]}" apt-get update -qq &&
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            -o Dpkg::Options::=--force-confold $wanted; } \
        >"$log" 2>&1 || fail "apt-get could not install $wanted. Its last words: $(tail -3 "$log")"
    rm -f "$log"
    wanted=$(missing_packages)
    [ -z "$wanted" ] || fail "apt-get said it installed them, yet these are still missing: $wanted"
}

toolchain() {
    # rustup puts it there, and a shell that was open before does not know.
    command -v cargo >/dev/null || PATH="$HOME/.cargo/bin:$PATH"
    command -v cargo >/dev/null ||
        fail "there is no Rust toolchain. Install one as https://rustup.rs says; rust-toolchain.toml names the version."
}

runner() {
    cargo nextest --version >/dev/null 2>&1 && return
    say "installing cargo-nextest, the test runner (once, some minutes)"
    cargo install --locked --quiet cargo-nextest ||
        fail "cargo could not install cargo-nextest. Try it by hand: cargo install --locked cargo-nextest"
}

install_packages
toolchain
[ "$need" = test ] && runner
exit 0

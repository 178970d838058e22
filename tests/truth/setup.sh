#!/usr/bin/env bash
# Prepares the independent clients that the scripts beside this file run: a Python
# environment and a node folder with pinned versions, and Debian's DavMail. Safe to
# repeat; a second run only compares a stamp. Everything but the Debian packages goes
# to ${HOLDFAST_CACHE:-$HOME/.cache/holdfast}/truth.
#
#   tests/truth/setup.sh            prepare the clients
#   tests/truth/setup.sh --browser  prepare Debian's Chromium and what drives it, and nothing else
#   tests/truth/setup.sh --print    print the folder and stop
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache="${HOLDFAST_CACHE:-$HOME/.cache/holdfast}/truth"
if [ "${1:-}" = --print ]; then
    echo "$cache"
    exit 0
fi
mkdir -p "$cache"

# Several tests may ask at once: the first prepares, the others wait.
exec 9>"$cache/lock"
flock 9

fail() {
    echo "truth setup: $*" >&2
    exit 1
}

# The Debian packages whose program or file is not there yet.
missing_packages() {
    local wanted=()
    if [ "$need" = browser ]; then
        command -v node >/dev/null || wanted+=(nodejs)
        command -v npm >/dev/null || wanted+=(npm)
        command -v chromium >/dev/null || wanted+=(chromium)
        echo "${wanted[*]}"
        return
    fi
    python3 -c 'import venv, ensurepip' 2>/dev/null || wanted+=(python3-venv)
    command -v node >/dev/null || wanted+=(nodejs)
    command -v npm >/dev/null || wanted+=(npm)
    command -v java >/dev/null || wanted+=(default-jre-headless)
    [ -e /usr/share/davmail/davmail.jar ] || wanted+=(davmail-server)
    echo "${wanted[*]}"
}

install_packages() {
    local wanted root=()
    wanted=$(missing_packages)
    [ -n "$wanted" ] || return 0
    command -v apt-get >/dev/null ||
        fail "this machine has no apt-get; please install by hand: $wanted"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null && sudo -n true 2>/dev/null ||
            fail "these Debian packages are missing and need root to install: $wanted." \
                "Run as root: apt-get install --no-install-recommends $wanted"
        root=(sudo -n)
    fi
    # A developer's machine runs systemd: DavMail's own service must not start there.
    local policy=/usr/sbin/policy-rc.d added=no
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
        "${root[@]}" chmod 755 "$policy"
        added=yes
    fi
    local done_well=yes
    # shellcheck disable=SC2086 # a list of package names on purpose
    { "${root[@]}" apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends $wanted; } \
        >"$cache/apt.log" 2>&1 || done_well=no
    [ "$added" = no ] || "${root[@]}" rm -f "$policy"
    [ "$done_well" = yes ] ||
        fail "apt-get could not install $wanted; its last words: $(tail -3 "$cache/apt.log")"
}

prepare_python() {
    local stamp
    stamp="$(sha256sum <"$here/requirements.txt") $(python3 --version)"
    [ "$(cat "$cache/venv/stamp" 2>/dev/null)" != "$stamp" ] || return 0
    rm -rf "$cache/venv"
    { python3 -m venv "$cache/venv" &&
        "$cache/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"; } \
        >"$cache/pip.log" 2>&1 ||
        fail "pip could not install requirements.txt; its last words: $(tail -3 "$cache/pip.log")"
    echo "$stamp" >"$cache/venv/stamp"
}

# The node folder of one package.json.
prepare_node() {
    local stamp from=$1 into=$2
    stamp="$(sha256sum <"$from/package.json") $(node --version)"
    [ "$(cat "$into/stamp" 2>/dev/null)" != "$stamp" ] || return 0
    rm -rf "$into"
    mkdir -p "$into"
    cp "$from/package.json" "$into/"
    (cd "$into" && npm install --silent --no-audit --no-fund --no-package-lock --ignore-scripts) \
        >"$cache/npm.log" 2>&1 ||
        fail "npm could not install $from/package.json; its last words: $(tail -3 "$cache/npm.log")"
    echo "$stamp" >"$into/stamp"
}

need=clients
[ "${1:-}" != --browser ] || need=browser
install_packages
if [ "$need" = browser ]; then
    prepare_node "$here/browser" "$cache/browser"
else
    prepare_python
    prepare_node "$here" "$cache/node"
fi
echo "$cache"

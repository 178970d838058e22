#!/usr/bin/env bash
# A real Odoo on loopback, for tests and demonstrations: Debian's package, unpacked beside the machine's own
# suites, with a private Python and a private PostgreSQL. Everything is in $HOLDFAST_CACHE/odoo and stays there,
# so that a second start takes seconds. Safe to repeat, and to call from several processes at once.
#
#   scripts/odoo.sh up             prepares what is missing, starts it, prints the file that says where it is
#   scripts/odoo.sh fresh NAME     the same, and a database of that name: a copy of the prepared one
#   scripts/odoo.sh drop NAME      removes that database
#   scripts/odoo.sh status         says whether it runs
#   scripts/odoo.sh down           stops it
#
# Exit code 3: it cannot be had on this machine; the last line says why.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${HOLDFAST_CACHE:-$HOME/.cache/holdfast}/odoo
# What the requirements beside this file belong to. The suite moves: where this version is gone from it, its
# successor is taken, and `status` says which.
package=odoo-19
pinned=19.0.0+dfsg-1
modules=base,contacts,calendar,crm,project,project_todo
begun=$SECONDS

say() { echo "odoo: [$((SECONDS - begun))s] $*" >&2; }
cannot() {
    echo "odoo: $*" >&2
    exit 3
}
fail() {
    echo "odoo: $*" >&2
    exit 1
}

# --- the program ---------------------------------------------------------------------------------------------

# Packages of Debian's with a state of apt's own, so that nothing of the machine's suites changes: into the first
# folder, all the others; a name may have the version behind it that is taken where it is still to be had.
download() {
    local into=$1 name
    shift
    command -v apt-get >/dev/null || cannot "this machine has no apt-get to bring Debian's packages"
    local mirror keys=/usr/share/keyrings/debian-archive-keyring.gpg apt=$root/apt
    mirror=$(sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb +(\[[^]]*\] +)?([^ ]+) .*/\2/p' \
        /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -1 || true)
    if [ -z "$mirror" ] || [ ! -e "$keys" ]; then
        cannot "this is no Debian: it names no mirror, or lacks Debian's keys"
    fi
    mkdir -p "$apt"/lists/partial "$apt"/cache/archives/partial "$into"
    echo "deb [signed-by=$keys] $mirror sid main" >"$apt/sid.list"
    local options=(-o "Dir::Etc::sourcelist=$apt/sid.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" -qq update >"$root/apt.log" 2>&1 || cannot "the suite sid cannot be read; see $root/apt.log"
    for name in "$@"; do
        (cd "$into" &&
            { apt-get "${options[@]}" -qq download "$name" ||
                apt-get "${options[@]}" -qq download "${name%%=*}"; }) >>"$root/apt.log" 2>&1 ||
            cannot "the package ${name%%=*} is not in the suite sid any more; see $root/apt.log"
    done
    rm -rf "$apt"
    say "downloaded ${*%%=*}"
}

# Without translations, tests and the static files of modules that nobody installs here: a fifth of the size.
# Every module's manifest stays, since the base module's data names all categories.
unpack() {
    [ ! -e "$root/program/complete" ] || return 0
    rm -rf "$root/program"
    mkdir -p "$root/program"
    dpkg-deb --fsys-tarfile "$root"/package/"$package"_*.deb | tar x -C "$root/program" \
        --exclude='*/addons/*/i18n' --exclude='*/addons/*/tests' --exclude='*/addons/*/static/tests' \
        --exclude='*/addons/website*/static' --exclude='*/addons/l10n_*/data' \
        --exclude='*/addons/spreadsheet*/static' --exclude='*/addons/point_of_sale/static' ||
        cannot "the package could not be unpacked"
    touch "$root/program/complete"
    say "unpacked"
}

# What Odoo's own pages need of other packages, where its links lead to them; without, it answers no page at all.
pages() {
    [ ! -e "$root/program/pages" ] || return 0
    local package
    compgen -G "$root/pages/libjs-underscore_*.deb" >/dev/null ||
        download "$root/pages" fonts-font-awesome libjs-jquery libjs-jquery-form libjs-underscore
    for package in "$root"/pages/*.deb; do
        dpkg-deb --extract "$package" "$root/program" || cannot "$package could not be unpacked"
    done
    touch "$root/program/pages"
    say "pages"
}

# The libraries that the package depends on; Debian 12's own are too old for it.
python_environment() {
    local stamp
    stamp="$(sha256sum <"$here/odoo/requirements.txt") $(python3 --version)"
    [ "$(cat "$root/venv/stamp" 2>/dev/null)" != "$stamp" ] || return 0
    rm -rf "$root/venv"
    { python3 -m venv "$root/venv" &&
        "$root/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/odoo/requirements.txt"; } \
        >"$root/pip.log" 2>&1 ||
        cannot "pip could not install its libraries: $(tail -1 "$root/pip.log")"
    echo "$stamp" >"$root/venv/stamp"
    say "libraries"
}

odoo() {
    HOME=$root/data PYTHONPATH=$root/program/usr/lib/python3/dist-packages \
        "$root/venv/bin/python" "$root/program/usr/bin/odoo" "$@"
}

# --- its PostgreSQL ------------------------------------------------------------------------------------------

# PostgreSQL refuses to be root; its user may not be able to pass the folders above ours, as /root.
as_postgres() {
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
    elif runuser -u postgres -- test -x "$root/pg" 2>/dev/null; then
        runuser -u postgres -- "$@"
    else
        setpriv --reuid=postgres --regid=postgres --init-groups \
            --inh-caps=+dac_read_search --ambient-caps=+dac_read_search "$@"
    fi
}

sql() { psql -qtAX -v ON_ERROR_STOP=1 -h "$root/pg" -U odoo -d "${DATABASE:-postgres}" "$@"; }

postgresql() {
    local bin
    bin=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -1)
    bin=${bin%/initdb}
    [ -n "$bin" ] || cannot "PostgreSQL's programs are missing; make setup brings them"
    mkdir -p "$root/pg"
    [ "$(id -u)" -ne 0 ] || chown postgres "$root/pg"
    [ "${#root}" -lt 85 ] || cannot "the path $root/pg is too long for a socket; set HOLDFAST_CACHE"
    if [ ! -e "$root/pg/complete" ]; then
        rm -rf "$root/pg/data"
        as_postgres "$bin/initdb" -D "$root/pg/data" -U odoo -A trust -E UTF8 --locale=C.UTF-8 \
            >"$root/initdb.log" 2>&1 || cannot "PostgreSQL could not be prepared; see $root/initdb.log"
        touch "$root/pg/complete"
    fi
    sql -c 'select 1' >/dev/null 2>&1 && return
    # Nothing in it is worth a disk's patience. No TCP: the socket's folder is the door.
    as_postgres "$bin/pg_ctl" -s -w -D "$root/pg/data" -l "$root/pg/log" -o \
        "-c listen_addresses= -c unix_socket_directories=$root/pg -c fsync=off -c max_connections=200" \
        start 9>&- >/dev/null 2>&1 || fail "its PostgreSQL does not start; see $root/pg/log"
    say "PostgreSQL"
}

# --- databases -----------------------------------------------------------------------------------------------

has_database() { [ "$(sql -c "select 1 from pg_database where datname = '$1'")" = 1 ]; }

# Without limits: a server that meets one starts anew, below whoever talks to it.
configuration() {
    mkdir -p "$root/data"
    cat >"$root/odoo.conf" <<CONF
[options]
db_host = $root/pg
db_user = odoo
db_template = template1
list_db = False
data_dir = $root/data
http_interface = 127.0.0.1
http_port = $1
workers = 0
max_cron_threads = 0
db_maxconn = 64
limit_time_real = 0
limit_memory_soft = 0
limit_memory_hard = 0
addons_path = $root/program/usr/lib/python3/dist-packages/odoo/addons
without_demo = True
CONF
}

# The prepared database of this checkout, named for how it was prepared: two checkouts that prepare differently have one
# each. The users beside it are its own, since other copies know other keys.
name_template() {
    local hash
    hash=$(cat "$here/odoo/prepare.py" "$here/odoo/requirements.txt" <(ls "$root/package") <(echo "$modules") | sha256sum)
    template=holdfast_${hash:0:12}
    users=$root/users-${hash:0:12}.json
}

# Modules, users and their keys: half of the whole time, so it is done once and then copied.
prepare_template() {
    name_template
    if [ -s "$users" ] && has_database "$template"; then
        touch "$users"
        return
    fi
    rm -f "$users"
    local old
    # Those that no checkout has asked for in a week.
    while read -r old; do
        drop_template "holdfast_${old:6:12}"
        rm -f "$root/$old"
    done < <(find "$root" -maxdepth 1 -name 'users-*.json' -mtime +7 -printf '%f\n')
    drop_template "$template"
    configuration 1
    odoo -c "$root/odoo.conf" -d "$template" -i "$modules" --stop-after-init --no-http \
        >"$root/init.log" 2>&1 || fail "its modules could not be installed; see $root/init.log"
    say "modules"
    odoo shell -c "$root/odoo.conf" -d "$template" --no-http <"$here/odoo/prepare.py" \
        >"$root/users.out" 2>"$root/shell.log" || fail "users could not be made; see $root/shell.log"
    # Nobody may be connected to what is copied, and Odoo connects to whatever database it sees.
    sql -c "update pg_database set datistemplate = true, datallowconn = false where datname = '$template'" \
        -c "select pg_terminate_backend(pid) from pg_stat_activity where datname = '$template'" >/dev/null
    grep '^{' "$root/users.out" >"$users.new" || fail "users could not be made; see $root/shell.log"
    mv "$users.new" "$users"
    say "users and keys"
}

drop_template() {
    sql -c "update pg_database set datistemplate = false where datname = '$1'" \
        -c "drop database if exists $1 with (force)" 2>/dev/null
    rm -rf "$root/data/filestore/$1"
}

fresh() {
    [[ $1 =~ ^[a-z][a-z0-9_]{0,50}$ ]] || fail "a database's name is lower-case letters, digits and _"
    # Leftovers of runs that were killed. The comment on a database is the time of its making.
    local old
    for old in $(sql -c "select datname from pg_database where datname like 'run\\_%' and
        coalesce(shobj_description(oid, 'pg_database'), '0')::bigint < extract(epoch from now()) - 7200"); do
        sql -c "drop database if exists \"$old\" with (force)"
        rm -rf "${root:?}/data/filestore/$old" "$root/claims/$old" "$root/copies/$old"
    done
    # A copy of another template knows other keys.
    [ "$(cat "$root/copies/$1" 2>/dev/null)" = "$template" ] ||
        sql -c "drop database if exists \"$1\" with (force)"
    has_database "$1" && return
    mkdir -p "$root/copies"
    echo "$template" >"$root/copies/$1"
    sql -c "create database \"$1\" template $template" -c "comment on database \"$1\" is '$(date +%s)'"
    rm -rf "$root/data/filestore/$1" "$root/claims/$1"
    [ ! -d "$root/data/filestore/$template" ] || cp -r "$root/data/filestore/$template" "$root/data/filestore/$1"
}

# --- the server ----------------------------------------------------------------------------------------------

alive() {
    [ -e "$root/server.pid" ] && kill -0 "$(cat "$root/server.pid")" 2>/dev/null &&
        curl --silent --fail --max-time 20 --output /dev/null "$(cat "$root/url")/web/health"
}

serve() {
    alive && return
    stop_server
    local port
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    configuration "$port"
    echo "http://127.0.0.1:$port" >"$root/url"
    HOME=$root/data PYTHONPATH=$root/program/usr/lib/python3/dist-packages \
        setsid "$root/venv/bin/python" "$root/program/usr/bin/odoo" -c "$root/odoo.conf" \
        >"$root/server.log" 2>&1 </dev/null 9>&- &
    echo $! >"$root/server.pid"
    local _
    for _ in $(seq 300); do
        alive && break
        kill -0 "$(cat "$root/server.pid")" 2>/dev/null || fail "it does not start; see $root/server.log"
        sleep 0.2
    done
    alive || fail "it was not ready in time; see $root/server.log"
    say "up at $(cat "$root/url")"
}

stop_server() {
    local pid
    pid=$(cat "$root/server.pid" 2>/dev/null || true)
    rm -f "$root/server.pid"
    [ -n "$pid" ] && kill -TERM "$pid" 2>/dev/null || return 0
    local _
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
}

stop_postgresql() {
    local pid
    pid=$(head -1 "$root/pg/data/postmaster.pid" 2>/dev/null || true)
    [ -z "$pid" ] || kill -INT "$pid" 2>/dev/null || true
}

# Where it is and who may use it: one file of JSON.
describe() {
    local told=$root/odoo-${template#holdfast_}.json
    python3 - "$root/url" "$users" "$told" "$(ls "$root/package")" <<'PY'
import json, pathlib, sys
url, users, told = map(pathlib.Path, sys.argv[1:4])
about = {"url": url.read_text().strip(), "package": sys.argv[4], **json.loads(users.read_text())}
new = told.with_suffix(".new")
new.write_text(json.dumps(about))
new.rename(told)
PY
    echo "$told"
}

up() {
    for tool in python3 curl dpkg-deb tar flock; do
        command -v "$tool" >/dev/null || cannot "this machine lacks $tool"
    done
    compgen -G "$root/package/${package}_*.deb" >/dev/null || download "$root/package" "$package=$pinned"
    unpack
    pages
    python_environment
    postgresql
    prepare_template
    serve
}

mkdir -p "$root"
exec 9>"$root/lock"
flock 9
case ${1:-} in
up)
    up
    describe
    ;;
fresh)
    up
    fresh "${2:?a name for the database}"
    describe
    ;;
drop)
    sql -c "drop database if exists \"${2:?the database}\" with (force)"
    rm -rf "${root:?}/data/filestore/$2" "$root/claims/$2" "$root/copies/$2"
    ;;
status)
    if alive; then
        echo "up: $(cat "$root/url"), $(ls "$root/package"), databases: $(
            sql -c "select datname from pg_database where datname ~ '^(run_|demo)'" | tr '\n' ' ')"
    else
        echo "down"
    fi
    ;;
down)
    stop_server
    stop_postgresql
    ;;
*)
    echo "usage: scripts/odoo.sh up|fresh NAME|drop NAME|status|down" >&2
    exit 2
    ;;
esac

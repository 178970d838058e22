#!/usr/bin/env bash
# Runs one script of this folder with the interpreter and libraries that setup.sh prepared:
#
#   tests/truth/run.sh exchangelib_truth.py LAB_JSON_FILE
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prepared=$("$here/setup.sh" --print)
script="$here/$1"
shift
case "$script" in
*.py) exec env PYTHONDONTWRITEBYTECODE=1 "$prepared/venv/bin/python" "$script" "$@" ;;
*.js) exec env NODE_PATH="$prepared/node/node_modules:$prepared/browser/node_modules" node "$script" "$@" ;;
*)
    echo "truth: there is no way to run $script" >&2
    exit 2
    ;;
esac

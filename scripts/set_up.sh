#!/usr/bin/env bash
# Build the virtual environment from requirements.lock: every package in the version
# and with the contents (hashes) written there, then Holdfast itself, editable.
# Plain Python and pip; where pip looks for packages is its own configuration.
# PYTHON=/path/to/python chooses the interpreter.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=$1

refuse() {
    printf '%s\n' "$@" >&2
    exit 1
}

is_recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# An environment that was moved, or whose Python was removed, is made anew.
is_usable() {
    is_recent "$venv/bin/python" && "$venv/bin/python" -c '
import os, sys, pip
sys.exit(not os.path.samefile(sys.prefix, sys.argv[1]))' "$venv" 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null && is_recent "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    refuse "Holdfast needs Python 3.11 or later, and none was found." \
        "Found: $(python3 --version 2>&1 || echo 'no python3 at all')." \
        "Install one, or name it: make setup PYTHON=/path/to/python3.12"
}

if ! is_usable; then
    python=$(find_python)
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        refuse "$python cannot make virtual environments, because a part of it is missing." \
            "On Debian and Ubuntu: apt-get install python3-venv"
    fi
    "$python" -m venv --clear "$venv"
fi

echo "Installing the packages of requirements.lock into $venv (a minute the first time) ..."
pip=("$venv/bin/python" -m pip --disable-pip-version-check --no-input install --quiet)
"${pip[@]}" --require-hashes --requirement requirements.lock
# The build backend is in the lock as well: nothing unpinned is fetched to build with.
"${pip[@]}" --no-deps --no-build-isolation --editable .
echo "Ready: $venv/bin/holdfast"

#!/usr/bin/env bash
# Write requirements.lock anew: the newest versions that pyproject.toml allows, for
# every Python from 3.11 on, with hashes and without the address of any index.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=$1

uv=$(command -v uv || echo "$venv/bin/uv")
if [[ ! -x $uv ]]; then
    echo "make lock needs uv. Install it: $venv/bin/python -m pip install uv" >&2
    exit 1
fi
compile=("$uv" pip compile
    --universal --python-version 3.11 --upgrade
    --generate-hashes --no-emit-index-url --no-emit-find-links
    --custom-compile-command "make lock" --quiet)
# hatchling and editables build Holdfast itself, without isolation: see set_up.sh.
printf 'hatchling\neditables\n' | "${compile[@]}" pyproject.toml - \
    --extra demo --extra features --group dev --output-file requirements.lock
# What needs a C++ compiler to install is apart, so that nothing else waits on one.
"${compile[@]}" pyproject.toml --extra bench --extra exchange \
    --constraints requirements.lock --output-file requirements-peers.lock

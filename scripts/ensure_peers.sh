#!/usr/bin/env bash
# Have the peers that tests and `holdfast bench` hold Holdfast against, and the library
# of the hash exchanges: packages that need a C++ compiler, CMake and FFmpeg's headers
# to install. Those are installed where that is permitted. If it is not, say so and go
# on: the tests that need a peer are then skipped, each naming this script.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=$1
lock=requirements-peers.lock
stamp=$venv/.peers-are-installed

if [[ $stamp -nt $lock ]]; then
    exit 0
fi

can_build() {
    command -v c++ >/dev/null && command -v cmake >/dev/null &&
        command -v pkg-config >/dev/null && pkg-config --exists libavformat libswscale
}

as_root=()
if [[ $EUID -ne 0 ]]; then
    as_root=(sudo -n)
fi
if ! can_build && command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
    echo "Installing what the peers are built with (apt-get install g++ cmake ...) ..."
    install=(env DEBIAN_FRONTEND=noninteractive apt-get -qq)
    "${as_root[@]}" "${install[@]}" update </dev/null >/dev/null &&
        "${as_root[@]}" "${install[@]}" install -y --no-install-recommends \
            g++ cmake make pkg-config libavcodec-dev libavformat-dev libavdevice-dev \
            libavfilter-dev libavutil-dev libswscale-dev libswresample-dev \
            </dev/null >/dev/null || true
fi
echo "Installing the peers of $lock into $venv (a minute the first time) ..."
if can_build && "$venv/bin/python" -m pip --disable-pip-version-check --no-input install \
    --quiet --require-hashes --requirement "$lock"; then
    touch "$stamp"
    exit 0
fi
echo "The peers (pdqhash, vpdq, FAISS, threatexchange) could not be installed: the tests" \
    "against them will be skipped. They need a C++ compiler, CMake, pkg-config and" \
    "FFmpeg's headers." >&2

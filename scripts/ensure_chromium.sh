#!/usr/bin/env bash
# Have a Chromium for the browser tests: find one, or install the system's package if
# that is permitted. If it is not, say so and go on: the browser tests then fail with
# the same sentence, and are not skipped. HOLDFAST_CHROMIUM=/path names one.
set -euo pipefail

for candidate in ${HOLDFAST_CHROMIUM:+"$HOLDFAST_CHROMIUM"} chromium chromium-browser google-chrome; do
    if command -v "$candidate" >/dev/null; then
        exit 0
    fi
done

as_root=()
if [[ $EUID -ne 0 ]]; then
    as_root=(sudo -n)
fi
# "true" asks whether root can be had at all, without a password and without asking.
if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
    echo "Installing Chromium for the browser tests (apt-get install chromium) ..."
    # In a service without a terminal apt-get must not ask, nor wait for an answer.
    install=(env DEBIAN_FRONTEND=noninteractive apt-get -qq)
    if "${as_root[@]}" "${install[@]}" update </dev/null >/dev/null &&
        "${as_root[@]}" "${install[@]}" install -y --no-install-recommends \
            chromium fonts-dejavu-core </dev/null >/dev/null; then
        exit 0
    fi
fi
echo "There is no Chromium, and it could not be installed: the browser tests will fail." \
    "Install the package chromium, or set HOLDFAST_CHROMIUM to the program." >&2

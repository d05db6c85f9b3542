#!/usr/bin/env bash
# Have a Dovecot for the tests of reports by e-mail: find it, or install the system's
# package if that is permitted. If it is not, say so and go on: those tests are then
# skipped with the same reason, and their fake is tested all the same. It is not started
# as a service; the tests start their own.
set -euo pipefail

if command -v dovecot >/dev/null; then
    exit 0
fi

as_root=()
if [[ $EUID -ne 0 ]]; then
    as_root=(sudo -n)
fi
if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
    echo "Installing Dovecot for the tests of reports by e-mail (apt-get install dovecot-imapd) ..."
    # A server of the system's own is not wanted: "runlevel" keeps it from being started.
    install=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq)
    if "${as_root[@]}" "${install[@]}" update </dev/null >/dev/null &&
        "${as_root[@]}" "${install[@]}" install -y --no-install-recommends \
            dovecot-imapd </dev/null >/dev/null; then
        exit 0
    fi
fi
echo "There is no Dovecot, and it could not be installed: the tests against a real" \
    "mailbox are skipped. Install the package dovecot-imapd." >&2

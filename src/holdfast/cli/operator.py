"""Who acts at the command line: somebody who has the machine, and so its keys."""

from __future__ import annotations

import getpass

from holdfast.base.by import By, Permission

OPERATOR = By(
    "operator",
    getpass.getuser(),
    frozenset(
        {
            Permission.PLATFORM_MANAGE,
            Permission.STAFF_MANAGE,
            Permission.AUTHORITY_GO_LIVE,
            Permission.BANK_MANAGE,
            Permission.COPIES_FIND,
            Permission.REPORTS_FLAG,
            Permission.OVERSIGHT_READ,
        }
    ),
)
"""May set things up, and ask where copies stand. May not read a case or open an
original (promise 8)."""

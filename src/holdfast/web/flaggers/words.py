"""What codes are called on the flaggers' page."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

STATES: Final = {
    "received": _("Received"),
    "being_looked_at": _("Being looked at"),
    "decided": _("Decided"),
}
DECISIONS: Final = {
    "violation": _("It breaks the rules or the law"),
    "no_violation": _("No violation found"),
}
KINDS: Final = {
    "words": _("You wrote"),
    "link": _("You added a place"),
    "not_taken": _("You sent this, and we could not use it"),
    "challenge": _("You said that the decision is wrong"),
    "withdrawal": _("You took the report back"),
}

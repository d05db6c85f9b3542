"""The questions that staff may put to a reporter, word for word.

Weighed once and translated; none asserts anything, asks for a picture, a name of the
reporter or a paper. ``asking.py`` says why they are set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

QUESTIONS: Final[Mapping[str, str | Promise]] = {
    "safe_now": _(
        "Are you safe right now? If not, call the emergency number of your country "
        "first, and then tell us here."
    ),
    "still_writing": _("Is somebody still writing to you about this, or threatening?"),
    "elsewhere": _(
        "Do you know of other places where it is? You do not have to look for them."
    ),
    "which_account": _("Which account did it? Any name that was used there helps."),
    "when": _("About when did it happen?"),
    "trusted_adult": _("Is there a grown-up you trust who knows about it?"),
    "more": _("Is there anything more that you want us to know?"),
}
"""What staff may ask. A code each of ``rules.ASKED``; see ``asking.py``."""

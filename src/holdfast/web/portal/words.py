"""What the portal says that no policy and no decision says: hints, states, thanks.

Plain words for somebody who is thirteen and afraid. Never accuses, promises what is not
so, or tells of anybody else's report (promises 15 and 16).
"""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise

HINTS: Final[dict[str, Words]] = {
    "child_sexual_abuse_material": _(
        "You, or somebody else under 18. A photo, a video or a drawing."
    ),
    "sextortion": _("They want more pictures, or money. You are not in trouble."),
    "grooming": _("They ask for secrets, for pictures, or to meet."),
    "child_trafficking": _("Somebody else gets money or gifts for it."),
    "child_other": _("You need not be sure what it is called."),
    "intimate_image": _("Of you, or of somebody you know."),
    "self_harm": _("Somebody may hurt themselves."),
    "copyright": _("Somebody uses your work without asking."),
}
"""Beside the policy's own label of a category, where there is more to say."""

TOLD: Final[dict[str, Words]] = {
    "challenge": _("I think that the decision is wrong. Please look again."),
    "signature": _("Signed:"),
    "not_taken": _("The site sent this with your report, and we could not use it:"),
}
"""What stands in the thread for what the reporter pressed, or above their words."""

FREQUENCIES: Final[tuple[tuple[str, Words], ...]] = (
    ("decisions_only", _("Only when people have decided")),
    ("every_step", _("Each time something happens")),
    ("never", _("Not now")),
)
"""Answers to "How often?": each is one of ``intake.rules.Frequency``."""

FALLBACK: Final[tuple[Words, str]] = (_("From most mobile phones"), "112")
"""When no entry of ``helplines.yaml`` is verified any more: a telephone sets up a call
to 112 as one for help, wherever it is (3GPP TS 22.101, section 10.1.1)."""

NOT_DONE: Final = "not_done"
SAID: Final[dict[str, Words]] = {
    NOT_DONE: _(
        "Your report is not open here any more, so nothing was done yet. Your words "
        "open it again."
    ),
    "added": _("Thank you. It is now part of your report."),
    "taken_back": _("We have taken your answer back. We do not keep it."),
    "challenged": _("Thank you. Somebody who has not worked on this before will look."),
    "contact_kept": _(
        "We have kept it. If it is new to us, one short message goes there now. Open "
        "it and press the button, so that we know it reaches you."
    ),
    "contact_quiet": _("We have kept it, and we send nothing for now."),
    "held": _("We have told the site to stop the account from writing to you."),
    "not_held": _(
        "You have asked for this as often as one report can. A person looks at it now."
    ),
    "released": _("Your report does not keep them from writing to you any more."),
    "unwatched": _("We do not look out for your picture any more."),
    "erased": _("It is erased from your page."),
    "withdrawn": _("We keep no e-mail address or phone number of yours any more."),
}
"""Said once, at the top of the page that follows."""

WRITTEN_TO: Final = _(
    "We write there to ask if it is right, and do not say what it is about. If you say "
    "yes there, we can write again when there is news."
)
UNSENT: Final = _(
    "This page was open for a long time, so your answer is not sent yet. Do not worry, "
    "nothing you wrote is lost: look at it and press the button again. If this comes "
    "back, allow cookies for this page."
)
CLOSED: Final = _(
    "Your report is not open here any more, so your answer is not sent yet. Nothing "
    "you wrote is lost: it stands below. Write your five words here too, and press the "
    "button again."
)

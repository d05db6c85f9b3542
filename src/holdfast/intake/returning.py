"""What a reporter who came back may do about their own side of it.

Taking words back, and saying that the codename is kept. Nothing here undoes what
followed from a report: what is hidden stays hidden, and the clocks run on.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import NotFound
from holdfast.base.events import Kind, emit
from holdfast.intake import not_taken
from holdfast.intake.models import Addition, Codename

ERASABLE = ("words", "claim", "police_number", "challenge", not_taken.KIND)
"""Of what was added, and of challenges, what the reporter can take back."""


@again_after_deadlock
def erase_addition(report_id: UUID, addition_id: UUID, *, by: By) -> None:
    """The reporter takes back what they told later. The words leave the row for good.

    That something was erased, what kind of thing and when stays, for staff to see. A
    place and a danger that were told have been acted on, and are not erased. Raises
    ``NotFound`` for what is not this report's; twice changes nothing.
    """
    by.require(Permission.REPORT_FOLLOW)
    with transaction.atomic():
        added = (
            Addition.objects.select_for_update(no_key=True)
            .filter(id=addition_id, report=report_id, kind__in=ERASABLE)
            .first()
        )
        if added is None:
            raise NotFound(_("There is no such message."))
        if added.erased_at is not None:
            return
        added.words, added.erased_at = "", clock.now()
        added.save(update_fields=["words", "erased_at"])
        emit(
            Kind.REPORTER_ERASED,
            about={"platform": added.report.platform_id, "report": report_id},
            facts={"what": added.kind},
            by=by,
        )


def confirm_codename(report_id: UUID, *, by: By) -> None:
    """Somebody who came back says that the words are kept. Twice changes nothing."""
    by.require(Permission.REPORT_FOLLOW)
    Codename.objects.filter(report=report_id, confirmed_at=None).update(
        confirmed_at=clock.now()
    )

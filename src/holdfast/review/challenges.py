"""A reporter says that a decision is wrong: somebody new looks at the case (promise 3).

One tap, and one line in the thread however often it is tapped. It changes no decision;
who has touched the case before is barred from the next one (``queries``).
"""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput, NotFound, Refused
from holdfast.base.events import Kind, emit
from holdfast.intake.flagger_people import following, report_of_number
from holdfast.intake.models import Addition, Report
from holdfast.intake.operations import MAX_WORDS
from holdfast.review.queries import family
from holdfast.triage.models import Case, CaseTarget
from holdfast.triage.placing import living

KIND = "challenge"
"""Of the ``Addition`` that stands in the reporter's thread."""


def challenge(report_id: UUID, words: str = "", *, by: By) -> None:
    """ "This is wrong": one tap after a decision, and somebody new looks at the case.

    Again before the next decision changes nothing. Raises ``Refused`` when nothing has
    been decided, and ``InvalidInput`` for words that are too many.
    """
    by.require(Permission.REPORT_FOLLOW)
    if len(words) > MAX_WORDS:
        raise InvalidInput(
            _("The text is longer than %(most)d characters.") % {"most": MAX_WORDS}
        )
    with transaction.atomic():
        # Locked, so that of two taps at once the second sees the first.
        locked = Report.objects.select_for_update(no_key=True)
        report = locked.filter(id=report_id).first()
        if report is None:
            raise NotFound(_("There is no such report."))
        decided_at = _decided_at(report)
        if decided_at is None:
            raise Refused(
                _("Nothing is decided yet that could be looked at again. Please wait.")
            )
        if report.additions.filter(kind=KIND, added_at__gt=decided_at).exists():
            return
        Addition.objects.create(
            report=report, kind=KIND, words=words.strip(), added_at=clock.now()
        )
        emit(
            Kind.REPORT_CHALLENGED,
            about={"platform": report.platform_id, "report": report.id},
            by=by,
        )


def challenge_flagged(number: str, words: str, *, by: By) -> None:
    """The same by a trusted flagger, on one of the organisation's own reports."""
    challenge(report_of_number(number, by=by), words, by=following(by))


def _decided_at(report: Report) -> datetime | None:
    """When people last decided about anything that a report names."""
    places = CaseTarget.objects.filter(target__report=report)
    families = (
        family(living(case).id)
        for case in places.values_list("case", flat=True).distinct()
    )
    cases = Case.objects.filter(id__in=list(chain(*families)))
    newest: datetime | None = cases.aggregate(at=Max("decided_at"))["at"]
    return newest

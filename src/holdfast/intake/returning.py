"""What a reporter who came back may do about their own side of it.

Taking words back, closing the report, and saying that the codename is kept. Nothing
here undoes what followed from a report: what is hidden stays hidden, and the clocks run
on.
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
from holdfast.intake.models import WORDS_NAMED, Addition, Codename, Report, Signature

ERASABLE = ("words", "claim", "police_number", "challenge", not_taken.KIND)
"""Of what was added, and of challenges, what the reporter can take back."""
FIRST_WORDS = "first_words"
"""What the report itself says: its row is the report's."""
SIGNATURE = "signature"


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
        _tell_erased(added.report, added.kind, by)


@again_after_deadlock
def erase_first_words(report_id: UUID, *, by: By) -> None:
    """The reporter takes back what they wrote when they reported.

    The words leave the report, and the place that was made of them where nothing else
    was named. Places that were found have been acted on, and stay. Twice changes
    nothing. Raises ``NotFound`` where nothing was written.
    """
    by.require(Permission.REPORT_FOLLOW)
    with transaction.atomic():
        report = Report.objects.select_for_update(no_key=True).get(id=report_id)
        if report.words_erased_at is not None:
            return
        if not report.words:
            raise NotFound(_("There is no such message."))
        alone = report.targets.filter(named_as=report.words[:WORDS_NAMED])
        alone.filter(item=None, actor=None, conversation=None).update(named_as="")
        report.words, report.words_erased_at = "", clock.now()
        report.save(update_fields=["words", "words_erased_at"])
        _tell_erased(report, FIRST_WORDS, by)


@again_after_deadlock
def erase_signature(report_id: UUID, signature_id: UUID, *, by: By) -> None:
    """Who signed takes their name back. That a statement was signed, and when, stays.

    Raises ``NotFound`` for what is not this report's; twice changes nothing.
    """
    by.require(Permission.REPORT_FOLLOW)
    with transaction.atomic():
        mine = Signature.objects.select_for_update(no_key=True, of=("self",))
        signed = mine.filter(id=signature_id, report=report_id).first()
        if signed is None:
            raise NotFound(_("There is no such message."))
        if signed.erased_at is None:
            signed.name, signed.erased_at = "", clock.now()
            signed.save(update_fields=["name", "erased_at"])
            _tell_erased(signed.report, SIGNATURE, by)


def _tell_erased(report: Report, what: str, by: By) -> None:
    about = {"platform": report.platform_id, "report": report.id}
    emit(Kind.REPORTER_ERASED, about=about, facts={"what": what}, by=by)


def close_visits(report_id: UUID, *, by: By) -> None:
    """Close a report on every screen: what opened it before does so no more.

    A visit is a cookie, and a browser can only be asked to forget it. Whoever copied
    it would have the report open until it was idle. The words open it again.
    """
    by.require(Permission.REPORT_FOLLOW)
    Codename.objects.filter(report=report_id).update(closed_at=clock.now())


def confirm_codename(report_id: UUID, *, by: By) -> None:
    """Somebody who came back says that the words are kept. Twice changes nothing."""
    by.require(Permission.REPORT_FOLLOW)
    Codename.objects.filter(report=report_id, confirmed_at=None).update(
        confirmed_at=clock.now()
    )

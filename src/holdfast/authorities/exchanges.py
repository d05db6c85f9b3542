"""Each request to an authority: written down before, and with its answer after.

What was written is never changed: a request and its reply are two rows. A referral is
changed only under its row's lock, and only while it still stands where the worker that
drives it last saw it. The answer and what follows from it are one transaction, so that
a worker which is killed leaves either both, or a request that is visibly under way.
Nothing here asks anything itself: :func:`call` is handed what asks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

from holdfast.authorities import rules
from holdfast.authorities.connectors.cybertipline.answers import (
    SUCCESS,
    AlreadyFinished,
    Answer,
    CyberTiplineError,
    Reaction,
    Step,
    reaction,
)
from holdfast.authorities.models import Exchange, Referral, ReferralState
from holdfast.base import clock
from holdfast.base.errors import HoldfastError

INTERRUPTED = "interrupted"
"""The failure of a request whose worker died before the answer was written down."""
VALIDATION = "validate"
"""The exchange that is none: what our own check said of the document."""
REFERENCE_CHARACTERS = 200

_NO_ATTEMPT = (Step.SCHEMA.value, VALIDATION)
_ONLY_ONCE = (Step.UPLOAD.value, Step.FILE_INFO.value)


class MovedOn(HoldfastError):
    """Another worker has driven this referral on; this one lets go."""

    code = "referral-moved-on"


def call(
    referral: Referral,
    step: Step,
    ask: Callable[[], Answer],
    then: Callable[[Referral, Answer], None] = lambda referral, answer: None,
) -> None:
    """One request: written down as under way, asked, written down with its answer.

    ``then`` changes the referral's row in the transaction that keeps the answer. Raises
    ``MovedOn`` when the referral does not stand where it did, before or after, and the
    connector's error, after which an unclear report is already to begin anew.
    """
    with transaction.atomic(durable=True):
        standing(referral)
        request = Exchange.objects.create(
            referral=referral, call=step.value, at=clock.now()
        )
    try:
        answer = ask()
    except CyberTiplineError as error:
        with transaction.atomic():
            _reply(request, error.answer, error.code)
            row = _locked(referral)
            if reaction(error) is Reaction.START_OVER and _stands(row, referral):
                begin_anew(row)
        raise
    with transaction.atomic():
        _reply(request, answer)
        row = _locked(referral)
        stands = _stands(row, referral)
        if stands:
            row.blocked = ""
            then(row, answer)
            row.save()
    if not stands:
        raise MovedOn("Another worker drove this referral meanwhile.")


def note(referral: Referral, step: str, answer: str, failure: str = "") -> None:
    """Keep what is no step of the filing: it slows nothing down and blocks nothing.

    ``status`` stays empty, for there is no HTTP answer to speak of.
    """
    Exchange.objects.create(
        referral=referral, call=step, answer=answer, failure=failure, at=clock.now()
    )


def change(referral: Referral, how: Callable[[Referral], None]) -> None:
    """Change the row under its lock. Raises ``MovedOn``."""
    with transaction.atomic():
        row = standing(referral)
        how(row)
        row.save()


def standing(referral: Referral) -> Referral:
    """The row under its lock, if it stands where it did. Raises ``MovedOn``."""
    row = _locked(referral)
    if not _stands(row, referral):
        raise MovedOn("Another worker drives this referral.")
    return row


def begin_anew(row: Referral) -> None:
    """Mark for a report of its own; the number that is left is to be retracted."""
    row.state = ReferralState.OPEN
    row.save(update_fields=["state"])


def forget_report(row: Referral) -> None:
    """The report is gone at the authority: nothing of it counts here either."""
    row.external_id = ""
    row.submitted_at = None
    row.state = ReferralState.OPEN
    row.files.update(
        external_id="", viewed_by_staff=None, details="", described_at=None
    )


def close_interrupted(referral: Referral) -> None:
    """Requests whose worker died: it is not known whether they were done.

    A file or its details may be sent only once, so a lost answer to those begins the
    report anew; the other steps can be asked again.
    """
    with transaction.atomic():
        row = standing(referral)
        lost = list(_unanswered(row))
        for request in lost:
            _reply(request, None, INTERRUPTED)
        calls = {request.call for request in lost}
        if calls.intersection(_ONLY_ONCE) and row.state == ReferralState.SUBMITTED:
            begin_anew(row)


def is_due(referral: Referral, *, blocked: bool) -> bool:
    """Whether the next attempt may be made now."""
    last = referral.exchanges.order_by("-at").values_list("at", flat=True).first()
    return rules.may_try(clock.now(), last, failures(referral), blocked=blocked)


def failures(referral: Referral) -> int:
    """Attempts that failed lately; one under way whose worker died counts."""
    since = clock.now() - timedelta(seconds=rules.FAILURES_COUNT_FOR_S)
    replies = referral.exchanges.filter(at__gte=since, request__isnull=False)
    lost = _unanswered(referral).filter(at__gte=since)
    return replies.exclude(failure="").count() + lost.count()


def receipt(referral: Referral) -> Exchange | None:
    """The answer that says that the report submitted last is finished."""
    opened = referral.exchanges.filter(call=Step.SUBMIT.value, response_code=SUCCESS)
    last = opened.order_by("-at").first()
    if last is None:
        return None
    since = referral.exchanges.filter(at__gte=last.at).order_by("at")
    finished = since.filter(call=Step.FINISH.value, failure="", response_code=SUCCESS)
    before = since.filter(
        call__in=(Step.FINISH.value, Step.RETRACT.value), failure=AlreadyFinished.code
    )
    return finished.first() or before.first()


def _unanswered(referral: Referral) -> QuerySet[Exchange]:
    requests = referral.exchanges.filter(request=None, reply=None)
    return requests.exclude(call__in=_NO_ATTEMPT)


def _reply(request: Exchange, answer: Answer | None, failure: str = "") -> None:
    reply = Exchange(
        referral_id=request.referral_id,
        request=request,
        call=request.call,
        failure=failure,
        at=clock.now(),
    )
    if answer is not None:
        reply.status = answer.http_status
        reply.response_code = answer.code
        reply.reference = answer.request_id[:REFERENCE_CHARACTERS]
        # PostgreSQL's text holds every character but this one.
        reply.answer = answer.raw.decode("utf-8", "replace").replace("\0", "\ufffd")
    reply.save()


def _locked(referral: Referral) -> Referral:
    return Referral.objects.select_for_update(no_key=True).get(id=referral.id)


def _stands(row: Referral, referral: Referral) -> bool:
    return (row.state, row.external_id) == (referral.state, referral.external_id)

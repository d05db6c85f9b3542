"""Reports, from one of the platform's users or from nobody named.

A 201 means: stored for good, what it shows is frozen, and the clocks run. Addresses
are looked up first, outside any transaction, because the platform may be asked; then
the report, everything that follows at once, and the answer for this idempotency key
are stored in one transaction. A crash between leaves neither, and the same request
sent again is the same report.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Body, Path, Query, Router

from holdfast.base.by import Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.intake import answering, statements
from holdfast.intake import operations as intake
from holdfast.intake.archive import published
from holdfast.intake.not_taken import NotTaken
from holdfast.items.keys import Caller
from holdfast.notifications import queries as notifications
from holdfast.policy import queries as policies
from holdfast.web.api.auth import ApiKey, caller_of
from holdfast.web.api.field_types import ReportNumber
from holdfast.web.api.idempotency import Asked, digest_of, once
from holdfast.web.api.limits import admit_report
from holdfast.web.api.problems import pointer
from holdfast.web.api.report_body import read_report
from holdfast.web.api.report_schemas import (
    CategoryOut,
    LegalOut,
    QuestionsIn,
    QuestionsOut,
    ReportIn,
    ReportOut,
    ReportStatusOut,
    SignatureIn,
    TargetIn,
)
from holdfast.web.waiting import hold_up

router = Router(tags=["Reports"])

REPORT_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/ReportIn"}}
    },
}


@router.post(
    "/reports",
    auth=ApiKey(Permission.REPORTS_WRITE, own_rate=True),
    response={201: ReportOut},
    summary="File a report",
    openapi_extra={"requestBody": REPORT_BODY},
)
def post_report(request: HttpRequest) -> HttpResponse:
    """Nothing is asked that the report can do without, and nothing that is wrong in it
    loses it: `not_taken` names what could not be used. What it shows is frozen when
    the answer comes. The codename, when wanted, is here and nowhere else.
    """
    caller = caller_of(request)
    with once(request, digest_of(request.body)) as asked, policies.held():
        if asked.before:
            return asked.again()
        said, left = read_report(request.body)
        wait_s = admit_report(caller, said.category)
        answer = _receive(asked, _given(caller, said, left), caller)
    # The report and its answer are kept, and the key is free: now it can be held up.
    hold_up(wait_s)
    return answer


@again_after_deadlock
def _receive(asked: Asked, given: intake.ReportGiven, caller: Caller) -> HttpResponse:
    with transaction.atomic():
        received = intake.receive_report(given, by=caller.by)
        receipt = notifications.receipt_of(received.report_id)
        language = given.language
        not_taken = [
            {"pointer": pointer(each.place), "detail": each.why}
            for each in received.not_taken
        ]
        answer = {
            **receipt,
            "codename": received.codename,
            "not_taken": not_taken,
            **statements.request(received.told.forms, language),
        }
        return asked.keep(201, answer)


@router.post(
    "/reports/{number}/signature",
    auth=ApiKey(Permission.REPORTS_WRITE),
    response=LegalOut,
    summary="Sign what a law wants signed",
)
def post_signature(
    request: HttpRequest, number: Path[ReportNumber], said: Body[SignatureIn]
) -> HttpResponse:
    """For platforms that show `to_sign` in their own app: a name that the reporter
    typed under it, and meant as a signature, is one (15 U.S.C. 7006(5)). Never fill
    in a name for somebody. A report about a child needs none.
    """
    caller = caller_of(request)
    with once(request, digest_of(request.body)) as asked:
        if asked.before:
            return asked.again()
        report_id = notifications.report_of_platform(
            number, caller.platform_id, by=caller.by
        )
        with transaction.atomic():
            answering.sign_as_read(report_id, said.name, said.statement, by=caller.by)
            return asked.keep(200, notifications.legal_of(report_id))


@router.get(
    "/reports/{number}",
    auth=ApiKey(Permission.REPORTS_WRITE),
    response=ReportStatusOut,
    summary="Where a report stands",
)
def get_report(request: HttpRequest, number: Path[ReportNumber]) -> dict[str, Any]:
    """Of this platform's own reports: the messages to the reporter, and the clocks."""
    caller = caller_of(request)
    return notifications.report_status(number, caller.platform_id, by=caller.by)


@router.get(
    "/categories",
    auth=ApiKey(),
    response=list[CategoryOut],
    summary="The reasons to report, in the order to show them",
)
def get_categories(request: HttpRequest) -> list[dict[str, Any]]:
    """Child safety comes first. Show it at the top level of the report menu."""
    return [
        {
            "code": each.code,
            "label": each.label,
            "child_safety": each.child_safety,
        }
        for each in policies.current().categories
    ]


@router.get(
    "/questions",
    auth=ApiKey(),
    response=QuestionsOut,
    summary="The questions that can be asked with a report",
)
def get_questions(request: HttpRequest, said: Query[QuestionsIn]) -> dict[str, Any]:
    """For platforms that ask in their own app: one a page, "I don't know" everywhere,
    and send the report as soon as what it is about is known. Answers go with it.
    """
    return published(said.language)


def _given(
    caller: Caller, said: ReportIn, left: tuple[NotTaken, ...]
) -> intake.ReportGiven:
    given = intake.ReportGiven(
        platform_id=caller.platform_id,
        channel=intake.Channel.API,
        category=said.category,
        targets=[_look_up(caller.platform_id, each) for each in said.targets],
        words=said.words or "",
        language=said.language or "en",
        reporter_actor=said.reporter or "",
        contact=said.contact or "",
        claims=tuple(said.claims or ()),
        police_number=said.police_number or "",
        police_agency=said.police_agency or "",
        answers=said.answers or {},
        questions=said.questions or "",
        in_danger_now=bool(said.in_danger_now),
        wants_contact_hold=bool(said.hold_contact),
        wants_codename=bool(said.wants_codename),
        not_taken=left,
    )
    return intake.read_words(given)


def _look_up(platform_id: UUID, said: TargetIn) -> intake.TargetGiven:
    target = intake.TargetGiven(
        item=said.item or "",
        url=said.url or "",
        actor=said.actor or "",
        conversation=said.conversation or "",
        description=said.description or "",
        fingerprint=_fingerprint(said),
    )
    return target.look_up(platform_id)


def _fingerprint(said: TargetIn) -> intake.FingerprintGiven | None:
    given = said.fingerprint
    if given is None:
        return None
    return intake.FingerprintGiven.from_hex(given.pdq, given.quality, watch=given.watch)

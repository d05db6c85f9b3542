"""Reports of trusted flaggers and hotlines: a file in one request, a receipt a line.

The key is a flagger's own. Each line has the organisation's reference: the same line
again is the same report, so a file that broke off is sent again from its beginning.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Path, Router

from holdfast.base.by import Permission
from holdfast.base.errors import NotFound
from holdfast.intake import flaggers
from holdfast.intake.flag_files import WESTERN, csv_lines
from holdfast.intake.flaggers import FAULTS
from holdfast.items.keys import Caller
from holdfast.notifications import queries as notifications
from holdfast.triage.flaggers import flagged
from holdfast.web.api.auth import ApiKey, caller_of
from holdfast.web.api.batches import Done, answer_lines, body_of
from holdfast.web.api.field_types import FlagReference
from holdfast.web.api.flag_addresses import taken
from holdfast.web.api.limits import MAX_BODY_BYTES, admit_slowly
from holdfast.web.api.ndjson import Batch
from holdfast.web.api.problems import ApiError, BadLine, pointer
from holdfast.web.api.report_schemas import FlagLine, ReportStatusOut

CSV = "text/csv"
router = Router(tags=["Trusted flaggers"])


class CsvBatch(Batch):
    """A body of CSV, whose records are read as the lines of NDJSON are."""

    media_types = (CSV,)

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        try:
            next(self.lines(), None)
        except ValueError as error:
            self.close()
            raise ApiError(str(error)) from None

    def lines(self) -> Iterator[bytes | ApiError]:
        """Each record as a line of JSON, or what is wrong with it."""
        self._file.seek(0)
        text = io.TextIOWrapper(self._file, "utf-8", errors=WESTERN, newline="")
        try:
            for line in csv_lines(text):
                self.at = line.number
                if line.fault:
                    named = (line.record or {}).get("reference")
                    yield BadLine(str(FAULTS[line.fault]), named)
                else:
                    yield json.dumps(line.record).encode()
        finally:
            # Else closing the wrapper would close the file, which is the batch's own.
            text.detach()


@router.post(
    "/flags:batch",
    auth=ApiKey(
        Permission.REPORTS_FLAG, max_bytes=MAX_BODY_BYTES, chunked=True, own_rate=True
    ),
    summary="Report many things at once",
    openapi_extra=body_of(FlagLine, CSV),
)
def many(request: HttpRequest) -> HttpResponseBase:
    """For trusted flaggers and hotlines, with their own key. What a line shows is
    frozen when its answer comes. An address that cannot be used is named in `not_taken`
    and takes no other along: correct it and send the line again, with the same
    reference, and it is added to the same report. A line that was refused may come
    again under its reference, however it was changed; one that was taken may not.

    As CSV: a heading `reference,category,urls,words,language`, several addresses with
    spaces between them.
    """

    def take(caller: Caller, line: FlagLine) -> Done:
        given = given_of(line)
        told = flaggers.flag(
            flaggers.flagger_of_key(caller.key_id), given, by=caller.by
        )
        receipt = notifications.receipt_of(told.report_id)
        not_taken = [
            {"pointer": pointer(each.place), "detail": each.why}
            for each in given.not_taken
        ]
        state = {
            **receipt,
            "has_priority": told.has_priority,
            "not_taken": not_taken,
        }
        return (201 if told.is_new else 200), state

    kind = CsvBatch if (request.content_type or "").lower() == CSV else Batch
    return answer_lines(request, FlagLine, take, kind, admit_slowly)


def given_of(line: FlagLine) -> flaggers.FlagGiven:
    """A line of a file as the operation takes it."""
    urls, not_taken = taken(line.urls or ())
    return flaggers.FlagGiven(
        reference=line.reference,
        category=line.category,
        urls=urls,
        words=line.words or "",
        language=line.language or "en",
        not_taken=not_taken,
    )


@router.get(
    "/flags/{path:reference}",
    auth=ApiKey(Permission.REPORTS_FLAG),
    response=ReportStatusOut,
    summary="Where a flagger's report stands",
)
def status(request: HttpRequest, reference: Path[FlagReference]) -> dict[str, Any]:
    """By the organisation's own reference: the messages to it, and the clocks."""
    caller = caller_of(request)
    number = flagged(flaggers.flagger_of_key(caller.key_id), reference)
    if number is None:
        raise NotFound("You have sent no report of this reference.")
    return notifications.report_status(number, caller.platform_id, by=caller.by)

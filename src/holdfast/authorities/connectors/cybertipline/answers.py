"""What the CyberTipline answered, kept raw, and what is to be done about it.

Every answer is evidence: the receipt of ``finish`` is the legal notification of 18 USC
2258A(h)(1), so the bytes are kept as they came. Reading never trusts them: no document
type, no entity, no more than a fixed size. The codes are those of NCMEC's
documentation; the reactions are our reading of it. Nothing here sends anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from lxml import etree

from holdfast.authorities.connectors.cybertipline.schema import UnreadableXml, parse
from holdfast.base.errors import HoldfastError

# The documentation's answers are a few hundred bytes and its schema is 150 kB; ten
# times the schema leaves room and still bounds what a hostile server can make us hold.
MAX_ANSWER_BYTES = 1_500_000

SUCCESS = 0
_REPORT_OR_DONE = ("reportResponse", "reportDoneResponse")
_FILE_ID = re.compile(r"[0-9a-fA-F]{32}")
# HTTP statuses that ask for patience: request timeout, too early, too many requests.
_TRY_LATER = (408, 425, 429)


class Step(Enum):
    """A request of the protocol, by its path."""

    STATUS = "status"
    SCHEMA = "xsd"
    SUBMIT = "submit"
    UPLOAD = "upload"
    FILE_INFO = "fileinfo"
    FINISH = "finish"
    RETRACT = "retract"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer: what came, and what could be read in it.

    ``raw`` is the body byte for byte. ``request_id`` is the header NCMEC asks for in
    support. ``code`` is ``None`` when the body is no answer of the protocol, as with
    the empty body of a 401 or the schema itself.
    """

    step: Step
    http_status: int
    request_id: str
    raw: bytes
    code: int | None = None
    description: str = ""
    report_id: int | None = None
    file_id: str = ""
    md5: str = ""
    file_ids: tuple[str, ...] = ()


class CyberTiplineError(HoldfastError):
    """A step did not succeed. ``answer`` is what came back, if anything did."""

    code = "cybertipline"

    def __init__(
        self, message: str, *, step: Step, answer: Answer | None = None
    ) -> None:
        super().__init__(
            message,
            step=step.value,
            http_status=answer.http_status if answer else None,
            response_code=answer.code if answer else None,
            request_id=answer.request_id if answer else "",
        )
        self.step = step
        self.answer = answer


class Retry(CyberTiplineError):
    """The service said that it failed and did nothing (1000 to 1300): try again."""

    code = "cybertipline-retry"


class OutcomeUnknown(Retry):
    """No usable answer came: the step may have been done, or not.

    A timeout, a dropped connection, a 5xx without a code, or bytes that are no answer.
    """

    code = "cybertipline-outcome-unknown"


class NeedsOperator(CyberTiplineError):
    """A person must put the access right (2000, 3000s, 401). Never drop the report."""

    code = "cybertipline-needs-operator"


class Permanent(CyberTiplineError):
    """The document itself is refused (4000s, 5002); the same again will fail again."""

    code = "cybertipline-permanent"


class ReportGone(CyberTiplineError):
    """The report does not exist (5001): unfinished too long, it was deleted."""

    code = "cybertipline-report-gone"


class AlreadyFinished(CyberTiplineError):
    """The report was finished before (5102)."""

    code = "cybertipline-already-finished"


class AlreadyRetracted(CyberTiplineError):
    """The report was retracted before (5101)."""

    code = "cybertipline-already-retracted"


class FileDamaged(CyberTiplineError):
    """The MD5 of what arrived is not that of what was sent."""

    code = "cybertipline-file-damaged"


class Reaction(Enum):
    """What the sender does next."""

    AGAIN = "the same step again, later"
    START_OVER = "retract the report if it is open, then begin with submit"
    DONE = "nothing: what the step was for is so"
    PAGE_OPERATOR = "keep the referral where it is and page a person"


def reaction(error: CyberTiplineError) -> Reaction:
    """The documented reaction to ``error``; README.md gives the reasons.

    Asked to start over, the sender may meet :class:`AlreadyFinished` when it retracts:
    then the report was filed after all, and it is done.
    """
    if isinstance(error, AlreadyFinished):
        done = error.step in (Step.FINISH, Step.RETRACT)
        return Reaction.DONE if done else Reaction.PAGE_OPERATOR
    if isinstance(error, AlreadyRetracted | ReportGone):
        gone = error.step is Step.RETRACT
        return Reaction.DONE if gone else Reaction.START_OVER
    if isinstance(error, FileDamaged):
        return Reaction.START_OVER
    if isinstance(error, OutcomeUnknown):
        # A file or its details may be there already, and each is sent only once: the
        # clean way to a report that holds every file once is a fresh report.
        unclear = error.step in (Step.UPLOAD, Step.FILE_INFO)
        return Reaction.START_OVER if unclear else Reaction.AGAIN
    if isinstance(error, Retry):
        return Reaction.AGAIN
    return Reaction.PAGE_OPERATOR


def read(step: Step, http_status: int, request_id: str, raw: bytes) -> Answer:
    """The answer of a step that succeeded. Raises a :class:`CyberTiplineError` else."""
    bare = Answer(step=step, http_status=http_status, request_id=request_id, raw=raw)
    if http_status == 401:
        raise NeedsOperator(
            "The CyberTipline refuses our user name or password.",
            step=step,
            answer=bare,
        )
    try:
        answer = _read_body(bare)
    except UnreadableXml as error:
        raise _unread(bare) from error
    if answer.code != SUCCESS:
        raise _refusal(answer)
    if not 200 <= http_status < 300:
        raise OutcomeUnknown(
            "The CyberTipline says success and failure at once.",
            step=step,
            answer=answer,
        )
    return answer


def _read_body(bare: Answer) -> Answer:
    """``bare`` with what its body says. Elements we do not know are passed over."""
    root = parse(bare.raw)
    if root.tag not in _REPORT_OR_DONE:
        raise UnreadableXml("This is no answer of the CyberTipline.")
    code = _number(root, "responseCode")
    if code is None:
        raise UnreadableXml("The answer has no response code.")
    return Answer(
        step=bare.step,
        http_status=bare.http_status,
        request_id=bare.request_id,
        raw=bare.raw,
        code=code,
        description=_text(root, "responseDescription"),
        report_id=_number(root, "reportId"),
        file_id=_text(root, "fileId"),
        md5=_text(root, "hash").lower(),
        file_ids=tuple(_own_text(one) for one in root.findall("files/fileId")),
    )


def _own_text(element: etree._Element) -> str:
    return (element.text or "").strip()


def _text(root: etree._Element, name: str) -> str:
    child = root.find(name)
    return "" if child is None else _own_text(child)


def _number(root: etree._Element, name: str) -> int | None:
    text = _text(root, name)
    # Twenty digits hold every xs:long; int() of an endless text would take its time.
    return int(text) if re.fullmatch(r"-?[0-9]{1,20}", text, re.ASCII) else None


def _unread(bare: Answer) -> CyberTiplineError:
    """What to make of an answer that is no XML of the protocol, by its HTTP status."""
    status = bare.http_status
    if 300 <= status < 500 and status not in _TRY_LATER:
        return NeedsOperator(
            f"The CyberTipline's address answers HTTP {status}: it may be wrong.",
            step=bare.step,
            answer=bare,
        )
    if status in _TRY_LATER:
        return Retry("The CyberTipline asks us to wait.", step=bare.step, answer=bare)
    return OutcomeUnknown(
        "What came back is no answer of the CyberTipline.", step=bare.step, answer=bare
    )


# The codes with a meaning of their own; all others go by their thousands.
_BY_CODE: dict[int, tuple[type[CyberTiplineError], str]] = {
    5001: (ReportGone, "The CyberTipline no longer has the report."),
    5002: (Permanent, "The CyberTipline does not have the file."),
    5101: (AlreadyRetracted, "The report was already retracted."),
    5102: (AlreadyFinished, "The report was already finished."),
}
_BY_THOUSANDS: dict[int, tuple[type[CyberTiplineError], str]] = {
    1: (Retry, "The CyberTipline could not do it now."),
    2: (NeedsOperator, "The CyberTipline asks who we are."),
    3: (NeedsOperator, "The CyberTipline does not allow us this."),
    4: (Permanent, "The CyberTipline refuses the document."),
}


def _refusal(answer: Answer) -> CyberTiplineError:
    """The error for a code. NCMEC's list is open: an unknown one needs a person."""
    code = answer.code or SUCCESS
    unknown = (NeedsOperator, "The CyberTipline answers a code that we do not know.")
    kind, message = _BY_CODE.get(code) or _BY_THOUSANDS.get(code // 1000, unknown)
    return kind(message, step=answer.step, answer=answer)


def check_submitted(answer: Answer) -> Answer:
    """``answer`` if it names the report it opened, else :class:`OutcomeUnknown`."""
    if answer.report_id is None or answer.report_id < 1:
        raise OutcomeUnknown(
            "The CyberTipline took the report and gave no number.",
            step=answer.step,
            answer=answer,
        )
    return answer


def check_uploaded(answer: Answer, report_id: int, md5: str) -> Answer:
    """``answer`` if it names this report, a file and the MD5 that we sent."""
    if answer.report_id != report_id or not _FILE_ID.fullmatch(answer.file_id):
        raise OutcomeUnknown(
            "The answer to the upload names no file of this report.",
            step=answer.step,
            answer=answer,
        )
    if answer.md5 != md5.lower():
        raise FileDamaged(
            "The file did not arrive as it was sent.", step=answer.step, answer=answer
        )
    return answer


def check_finished(answer: Answer, report_id: int) -> Answer:
    """``answer`` if it is the receipt of this report, else :class:`OutcomeUnknown`."""
    if answer.report_id != report_id:
        raise OutcomeUnknown(
            "The receipt is not that of this report.", step=answer.step, answer=answer
        )
    return answer

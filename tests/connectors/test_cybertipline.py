"""Filing with the CyberTipline surely and once, and the double that proves it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from holdfast.authorities.connectors.cybertipline import convert
from holdfast.authorities.connectors.cybertipline.answers import (
    AlreadyFinished,
    AlreadyRetracted,
    CyberTiplineError,
    OutcomeUnknown,
    Permanent,
    Reaction,
    ReportGone,
    Retry,
    Step,
    reaction,
)
from holdfast.authorities.connectors.cybertipline.client import CyberTipline
from holdfast.authorities.connectors.cybertipline.fake import FakeServer, running
from holdfast.authorities.connectors.cybertipline.fake_state import Failure, State
from holdfast.authorities.connectors.cybertipline.incidents import (
    WebPageIncident,
)
from holdfast.authorities.connectors.cybertipline.parts import (
    Person,
)
from holdfast.authorities.connectors.cybertipline.schema import (
    own_schema,
    validate,
)

from .cybertips import (
    CONTENTS,
    DETAILS,
    MINIMAL,
    REFERENCE,
    facts,
)
from .suite import PASSWORD, USERNAME, ConnectorSuite, Double


@pytest.fixture(scope="module")
def reference() -> bytes:
    """NCMEC's schema, which is not part of this repository."""
    if not REFERENCE.exists():
        pytest.skip("no copy of NCMEC's schema beside the repository")
    return REFERENCE.read_bytes()


# --- filing ------------------------------------------------------------------------

# Short enough that a double that hangs costs a test little, in seconds.
IMPATIENT = httpx.Timeout(0.5)
PATIENT = httpx.Timeout(60)
MOST_TRIES = 30


@dataclass
class Filing:
    """A referral on its way: what a caller of the client has to remember."""

    client: CyberTipline
    report_id: int | None = None
    uploaded: int = 0
    detailed: int = 0
    file_id: str = ""
    receipt: bytes = b""

    def step(self) -> None:
        """The next request."""
        if self.report_id is None:
            document = convert.report(facts(), datetime.now(UTC)).to_xml()
            self.report_id = self.client.submit(document).report_id
        elif self.detailed < self.uploaded:
            file = facts().files[self.detailed]
            details = convert.file_details(
                file, self.report_id, self.file_id, datetime.now(UTC)
            )
            self.client.file_info(details.to_xml())
            self.detailed += 1
        elif self.uploaded < len(CONTENTS):
            file = facts().files[self.uploaded]
            content = io.BytesIO(CONTENTS[file.name])
            answer = self.client.upload(self.report_id, file.name, content, file.md5)
            self.file_id = answer.file_id
            self.uploaded += 1
        else:
            self.receipt = self.client.finish(self.report_id).raw

    def ready_to_finish(self) -> bool:
        return self.uploaded == self.detailed == len(CONTENTS)

    def react(self, error: CyberTiplineError) -> None:
        """What the reaction asks. Raises ``error`` where a person is to be paged."""
        now = reaction(error)
        if now is Reaction.PAGE_OPERATOR:
            raise error
        if now is Reaction.DONE:
            self.take_receipt(error)
        elif now is Reaction.START_OVER:
            self.start_over()

    def take_receipt(self, error: CyberTiplineError) -> None:
        assert error.answer is not None
        self.receipt = error.answer.raw

    def start_over(self) -> None:
        if self.report_id is not None:
            try:
                self.client.retract(self.report_id)
            except AlreadyFinished as error:
                self.take_receipt(error)
                return
            except (AlreadyRetracted, ReportGone):
                pass
        self.report_id, self.uploaded, self.detailed = None, 0, 0

    def run(self, until: Callable[[Filing], bool]) -> None:
        for _ in range(MOST_TRIES):
            if until(self):
                return
            try:
                self.step()
            except CyberTiplineError as error:
                self.react(error)
        raise AssertionError("the filing does not come to an end")


def client(
    url: str, password: str = PASSWORD, timeout: httpx.Timeout = PATIENT
) -> CyberTipline:
    return CyberTipline(url, USERNAME, password, timeout=timeout)


def listing(url: str) -> list[dict[str, object]]:
    """What the double has."""
    address = url.rsplit("/", 1)[0] + "/_fake/reports"
    answer = httpx.get(address, auth=(USERNAME, PASSWORD), trust_env=False)
    found: list[dict[str, object]] = json.loads(answer.content)
    return found


def files_of(report: dict[str, object]) -> list[dict[str, object]]:
    files = report["files"]
    assert isinstance(files, list)
    return files


_STEPS = (Step.SUBMIT, Step.UPLOAD, Step.FILE_INFO, Step.FINISH)
FAILURES = [
    f"{step.value}:{kind}"
    for step in _STEPS
    for kind in Failure
    if kind is not Failure.DAMAGED or step is Step.UPLOAD
]


class TestFiling(ConnectorSuite):
    """Whatever fails, exactly one report is finished, with each file once."""

    program = "holdfast.authorities.connectors.cybertipline.fake"
    password_variable = "CYBERTIPLINE_DOUBLE_PASSWORD"
    files = len(CONTENTS)

    @pytest.fixture(params=FAILURES)
    def failure(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def running(self, state: Path) -> Iterator[Double]:
        # Where it is there, the double holds our documents to NCMEC's own schema.
        xsd = REFERENCE.read_bytes() if REFERENCE.exists() else own_schema()
        server = FakeServer(State(state, xsd), USERNAME, PASSWORD, hang_s=1.0)
        with running(server):
            yield server

    def fail_next(self, double: Double, failure: str) -> None:
        step, kind = failure.split(":")
        assert isinstance(double, FakeServer)
        double.state.fail_next(step, Failure(kind))

    def file(self, url: str, password: str = PASSWORD) -> bytes:
        with client(url, password, IMPATIENT) as connection:
            filing = Filing(connection)
            filing.run(until=lambda it: bool(it.receipt))
            return filing.receipt

    def begin(self, url: str) -> Filing:
        with client(url) as connection:
            filing = Filing(connection)
            filing.run(until=lambda it: it.ready_to_finish())
            return filing

    def end(self, url: str, begun: object) -> bytes:
        assert isinstance(begun, Filing)
        with client(url) as connection:
            filing = replace(begun, client=connection)
            filing.run(until=lambda it: bool(it.receipt))
            return filing.receipt

    def finished_files(self, url: str) -> list[int]:
        return [
            sum(1 for file in files_of(report) if file["details"])
            if all(file["details"] for file in files_of(report))
            else -1
            for report in listing(url)
            if report["status"] == "finished"
        ]

    def connect(self, url: str) -> object:
        return CyberTipline(url, USERNAME, PASSWORD)


# --- the double --------------------------------------------------------------------


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state.sqlite", own_schema())


@pytest.fixture
def double(state: State) -> Iterator[FakeServer]:
    with running(FakeServer(state, USERNAME, PASSWORD)) as server:
        yield server


@pytest.fixture
def line(double: FakeServer) -> Iterator[CyberTipline]:
    with client(double.url) as connection:
        yield connection


def submitted(line: CyberTipline) -> int:
    report_id = line.submit(convert.report(facts(), datetime.now(UTC)).to_xml())
    assert report_id.report_id is not None
    return report_id.report_id


def upload(line: CyberTipline, report_id: int, content: bytes = b"x") -> str:
    md5 = hashlib.md5(content).hexdigest()
    return line.upload(report_id, "x.jpg", io.BytesIO(content), md5).file_id


def test_the_documented_exchange(line: CyberTipline) -> None:
    status = line.status()
    assert status.code == 0
    assert status.report_id is None
    assert status.description == f"Remote User : {USERNAME}, Remote Ip : 127.0.0.1"
    assert line.schema().raw == own_schema()
    report_id = submitted(line)
    file_id = upload(line, report_id)
    assert len(file_id) == 32
    details = replace(DETAILS, report_id=report_id, file_id=file_id)
    assert line.file_info(details.to_xml()).report_id == report_id
    receipt = line.finish(report_id)
    assert receipt.file_ids == (file_id,)
    assert receipt.request_id
    assert b"<reportDoneResponse>" in receipt.raw
    with pytest.raises(AlreadyFinished):
        line.finish(report_id)
    with pytest.raises(AlreadyFinished):
        upload(line, report_id)
    with pytest.raises(AlreadyFinished):
        line.retract(report_id)


def test_every_answer_of_the_double_is_valid_by_both_schemas(
    line: CyberTipline, reference: bytes
) -> None:
    report_id = submitted(line)
    file_id = upload(line, report_id)
    answered = [line.status().raw, line.finish(report_id).raw]
    requests: tuple[Callable[[], object], ...] = (
        lambda: line.finish(report_id),
        lambda: line.submit(b"<report/>"),
        lambda: line.submit(b"<report"),
        lambda: line.finish(1),
    )
    for refused in requests:
        with pytest.raises(CyberTiplineError) as caught:
            refused()
        assert caught.value.answer is not None
        answered.append(caught.value.answer.raw)
    assert file_id
    for raw in answered:
        assert validate(raw, own_schema()) == []
        assert validate(raw, reference) == []


def test_a_report_without_a_file_can_be_finished(line: CyberTipline) -> None:
    assert line.finish(submitted(line)).file_ids == ()


def test_a_retracted_report_stays_so(line: CyberTipline) -> None:
    report_id = submitted(line)
    line.retract(report_id)
    for step in (line.finish, line.retract):
        with pytest.raises(AlreadyRetracted):
            step(report_id)


@pytest.mark.parametrize(
    ("waits", "gone"),
    [
        # (hours before an upload or None, hours before the finish)
        ((None, 23.9), False),
        ((None, 24.1), True),
        ((23.5, 0.9), False),
        ((23.5, 1.1), True),
        ((1.0, 22.0), False),
        ((1.0, 23.1), True),
    ],
)
def test_an_unfinished_report_is_deleted(
    line: CyberTipline, state: State, waits: tuple[float | None, float], gone: bool
) -> None:
    before_upload, before_finish = waits
    report_id = submitted(line)
    if before_upload is not None:
        state.advance(before_upload * 3600)
        upload(line, report_id)
    state.advance(before_finish * 3600)
    if gone:
        with pytest.raises(ReportGone):
            line.finish(report_id)
    else:
        assert line.finish(report_id).report_id == report_id


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
def test_a_file_arrives_byte_for_byte(
    line: CyberTipline, state: State, size: int
) -> None:
    content = (bytes(range(256)) * (size // 256 + 1))[:size]
    report_id = submitted(line)
    file_id = upload(line, report_id, content)
    files = files_of(state.reports()[0])
    assert [(f["id"], f["bytes"], f["sha256"]) for f in files] == [
        (file_id, size, hashlib.sha256(content).hexdigest())
    ]


def test_details_are_taken_once_and_only_for_a_file_of_the_report(
    line: CyberTipline,
) -> None:
    report_id = submitted(line)
    details = replace(DETAILS, report_id=report_id)
    with pytest.raises(Permanent):
        line.file_info(details.to_xml())
    known = replace(details, file_id=upload(line, report_id))
    line.file_info(known.to_xml())
    with pytest.raises(Permanent):
        line.file_info(known.to_xml())
    other = replace(known, report_id=submitted(line))
    with pytest.raises(Permanent):
        line.file_info(other.to_xml())


def test_the_double_refuses_what_only_the_service_refuses(line: CyberTipline) -> None:
    no_email = replace(MINIMAL.reporter, person=Person(first_name="A"))
    no_zone = replace(MINIMAL.summary, incident_at=datetime(2020, 1, 1))
    future = replace(
        MINIMAL.summary, incident_at=datetime.now(UTC) + timedelta(hours=1)
    )
    for wrong in (
        replace(MINIMAL, reporter=no_email),
        replace(MINIMAL, summary=no_zone),
        replace(MINIMAL, summary=future),
        replace(MINIMAL, incidents=(WebPageIncident(urls=("https://x.example/a b",)),)),
    ):
        assert wrong.problems(datetime.now(UTC))
        assert validate(wrong.to_xml(), own_schema()) == []
        with pytest.raises(Permanent) as caught:
            line.submit(wrong.to_xml())
        assert caught.value.answer is not None
        assert caught.value.answer.code == 4100
    with pytest.raises(Permanent) as caught:
        line.submit(b"\xff not xml")
    assert caught.value.answer is not None
    assert caught.value.answer.code == 4110


def test_the_controls_of_the_double(double: FakeServer, line: CyberTipline) -> None:
    controls = double.url.replace("/ispws", "/_fake/")
    with httpx.Client(auth=(USERNAME, PASSWORD), trust_env=False) as http:
        http.post(controls + "fail", data={"step": "submit", "kind": "busy"})
        with pytest.raises(Retry):
            submitted(line)
        report_id = submitted(line)
        http.post(controls + "clock", data={"advance_s": "90000"})
        shown = http.get(controls + "reports").json()
        assert [(r["id"], r["status"]) for r in shown] == [(report_id, "expired")]
        assert shown[0]["document"].startswith("<?xml")
        wrong = {"step": "submit", "kind": "nonsense"}
        assert http.post(controls + "fail", data=wrong).status_code == 400
        assert http.get(controls + "nothing").status_code == 404
    assert httpx.get(controls + "reports", trust_env=False).status_code == 401


def test_the_double_is_reached_from_this_machine_alone(double: FakeServer) -> None:
    assert double.server_address[0] == "127.0.0.1"


def test_no_answer_is_read_beyond_its_cap(line: CyberTipline, state: State) -> None:
    state.fail_next("status", Failure.OVERSIZED)
    with pytest.raises(OutcomeUnknown) as caught:
        line.status()
    assert caught.value.answer is None
    assert line.status().code == 0


def test_a_service_that_is_not_there_asks_for_patience(tmp_path: Path) -> None:
    server = FakeServer(State(tmp_path / "s", own_schema()), USERNAME, PASSWORD)
    server.server_close()
    with client(server.url) as connection, pytest.raises(Retry) as caught:
        connection.status()
    assert type(caught.value) is Retry

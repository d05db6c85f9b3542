"""One referral is filed, whatever goes wrong on the way: against a real server."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from lxml import etree

from holdfast.authorities import exchanges, outbox
from holdfast.authorities.connectors.cybertipline.client import CyberTipline
from holdfast.authorities.connectors.cybertipline.fake import FakeServer
from holdfast.authorities.connectors.cybertipline.fake_state import Failure
from holdfast.authorities.connectors.cybertipline.schema import own_schema, validate
from holdfast.authorities.models import Exchange, Referral, ReferralFile
from holdfast.base import clock
from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.intake import questions
from holdfast.intake.models import Answer, Questionnaire, Report
from holdfast.vault.operations import seal
from holdfast.vault.queries import open_blob, sealed_for
from tests.stages.authorities.scene import (
    Scene,
    alarms,
    double,
    drawn,
    drive,
    statuses,
    the_referral,
)

pytestmark = pytest.mark.django_db(transaction=True)

REFERENCE = Path(__file__).parents[4] / "shared" / "reference" / "cybertipline.xsd"
FILES = 2


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FakeServer]:
    with double(tmp_path) as server:
        yield server


@pytest.fixture
def scene(server: FakeServer) -> Scene:
    """A decided case with two pictures, and an account with the double."""
    scene = Scene()
    scene.account(server.url)
    item = scene.item(drawn(1), drawn(2), text="Look at this.")
    scene.report(item, police_number="PD-77", police_agency="Springfield PD")
    scene.decide(parts={scene.actor(): "offender"})
    return scene


def finished(server: FakeServer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.state.reports()
    return [each for each in found if each["status"] == "finished"]


def assert_filed_once(server: FakeServer) -> None:
    """One report was finished, with each file and its details exactly once."""
    (report,) = finished(server)
    assert len(report["files"]) == FILES
    assert all(file["details"] for file in report["files"])
    assert len({file["sha256"] for file in report["files"]}) == FILES
    assert "open" not in statuses(server)[-1:]
    referral = the_referral()
    assert referral.state == "finished"
    assert referral.external_id == str(report["id"])
    sent = set(referral.files.values_list("external_id", flat=True))
    assert sent == {file["id"] for file in report["files"]}
    assert Event.objects.filter(kind=Kind.REFERRAL_FINISHED).count() == 1


def test_a_referral_is_filed_whole(scene: Scene, server: FakeServer) -> None:
    drive()
    assert_filed_once(server)
    assert statuses(server) == ["finished"]
    referral = the_referral()
    document = referral.document.encode()
    assert referral.document_valid is True
    assert validate(document, own_schema()) == []
    (receipt,) = sealed_for(referral.id, "receipt")
    assert f"<reportId>{referral.external_id}".encode() in open_blob(receipt.id)
    root = etree.fromstring(document)
    assert root.findtext("lawEnforcement/caseNumber") == "PD-77"
    assert root.findtext("personOrUserReported/espIdentifier") == "poster"
    assert "Look at this." in (root.findtext("additionalInfo") or "")


def test_what_a_reporter_answered_later_is_told_and_nobody_says_it_is_checked(
    scene: Scene, server: FakeServer
) -> None:
    report = Report.objects.get()
    Report.objects.update(police_number="", police_agency="")
    document = questions.document("en")
    asked = Questionnaire.objects.create(
        digest=questions.digest(document),
        language="en",
        document=document,
        archived_at=clock.now(),
    )
    answers = {"age_then": "13_15", "police": "PD-78", "danger": "hurt"}
    for question, value in answers.items():
        Answer.objects.create(
            report=report,
            questionnaire=asked,
            question=question,
            value=value,
            answered_at=clock.now(),
        )
    drive()
    root = etree.fromstring(the_referral().document.encode())
    assert root.findtext("lawEnforcement/caseNumber") == "PD-78"
    told = root.findtext("additionalInfo") or ""
    assert "Age in the picture, as reporters said: 13 to 15." in told
    assert "said that a child is in danger now" in told


def test_words_in_place_of_a_police_number_are_no_number_to_an_authority(
    scene: Scene, server: FakeServer
) -> None:
    Report.objects.update(police_number="I don't know", police_agency="")
    drive()
    document = the_referral().document
    assert "lawEnforcement" not in document
    assert "I don't know" not in document


def test_every_document_is_valid_by_the_authoritys_own_schema(
    scene: Scene, server: FakeServer
) -> None:
    if not REFERENCE.exists():
        pytest.skip("no copy of NCMEC's schema beside the repository")
    drive()
    xsd = REFERENCE.read_bytes()
    assert validate(the_referral().document.encode(), xsd) == []
    for file in ReferralFile.objects.all():
        assert validate(file.details.encode(), xsd) == []


@pytest.mark.parametrize("step", ["xsd", "submit", "upload", "fileinfo", "finish"])
@pytest.mark.parametrize("kind", [k for k in Failure if k is not Failure.DAMAGED])
def test_one_report_in_the_end_whatever_fails(
    scene: Scene, server: FakeServer, step: str, kind: Failure
) -> None:
    server.state.fail_next(step, kind)
    drive()
    assert_filed_once(server)
    assert not server.state.take_failure(step), "the failure was never met"


@pytest.mark.parametrize("kind", [k for k in Failure if k is not Failure.DAMAGED])
def test_a_failing_retraction_keeps_nothing_from_being_filed(
    scene: Scene, server: FakeServer, kind: Failure
) -> None:
    server.state.fail_next("upload", Failure.DAMAGED)
    server.state.fail_next("retract", kind)
    drive()
    assert_filed_once(server)
    assert not server.state.take_failure("retract")
    assert statuses(server)[0] == "retracted"


def test_a_damaged_upload_begins_the_report_anew(
    scene: Scene, server: FakeServer
) -> None:
    server.state.fail_next("upload", Failure.DAMAGED, times=3)
    drive()
    assert_filed_once(server)
    assert statuses(server) == ["retracted"] * 3 + ["finished"]


def test_a_report_that_timed_out_is_filed_as_a_new_one(
    scene: Scene, server: FakeServer
) -> None:
    server.state.fail_next("finish", Failure.BUSY)
    outbox.advance(the_referral().id)
    assert the_referral().state == "uploaded"
    server.state.advance(3 * 24 * 3600)
    drive()
    assert_filed_once(server)
    assert statuses(server) == ["expired", "finished"]


class Killed(BaseException):
    """The worker dies here: no handler of ours may catch it."""


@contextmanager
def killed_after(
    monkeypatch: pytest.MonkeyPatch, method: str, nth: int
) -> Iterator[None]:
    """The authority does its part of the nth call, and the worker dies before it
    learns of it."""
    real = getattr(CyberTipline, method)
    calls = 0

    def dies(self: CyberTipline, *given: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        answer = real(self, *given, **more)
        if calls == nth:
            raise Killed
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(CyberTipline, method, dies)
        with pytest.raises(Killed):
            outbox.advance(the_referral().id)
        yield


@pytest.mark.parametrize(
    ("method", "nth"),
    [
        ("schema", 1),
        ("submit", 1),
        ("upload", 1),
        ("upload", 2),
        ("file_info", 1),
        ("file_info", 2),
        ("finish", 1),
    ],
)
def test_a_worker_killed_after_any_call_loses_and_doubles_nothing(
    scene: Scene,
    server: FakeServer,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    nth: int,
) -> None:
    with killed_after(monkeypatch, method, nth):
        pass
    assert the_referral().state != "finished"
    drive(step=timedelta(seconds=3))
    assert_filed_once(server)


def test_a_worker_killed_while_writing_down_the_receipt_files_no_second_report(
    scene: Scene, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "seal", dies)
        with pytest.raises(Killed):
            outbox.advance(the_referral().id)
    assert the_referral().state == "uploaded"
    assert statuses(server) == ["finished"]
    drive(step=timedelta(seconds=3))
    assert_filed_once(server)
    # The receipt was there already: the authority was not asked to finish twice.
    asked = Exchange.objects.filter(call="finish", request=None)
    assert asked.count() == 1


def _in_thread(referral_id: UUID, barrier: threading.Barrier) -> threading.Thread:
    def work() -> None:
        try:
            barrier.wait()
            outbox.advance(referral_id)
        finally:
            connection.close()

    return threading.Thread(target=work)


def test_two_workers_at_once_file_one_report(scene: Scene, server: FakeServer) -> None:
    barrier = threading.Barrier(2)
    threads = [_in_thread(the_referral().id, barrier) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drive()
    assert_filed_once(server)
    assert statuses(server) == ["finished"]


def test_two_workers_file_one_report_even_when_the_lease_is_lost(
    scene: Scene, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def no_lease(referral_id: UUID) -> Iterator[bool]:
        yield True

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "_lease", no_lease)
        for _ in range(3):
            barrier = threading.Barrier(2)
            threads = [_in_thread(the_referral().id, barrier) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    drive()
    assert len(finished(server)) == 1
    assert the_referral().external_id == str(finished(server)[0]["id"])


def test_failures_are_tried_again_with_growing_pauses(
    scene: Scene, server: FakeServer
) -> None:
    server.state.fail_next("submit", Failure.BUSY, times=5)
    outbox.advance(the_referral().id)
    outbox.advance(the_referral().id)
    assert Exchange.objects.filter(call="submit", request=None).count() == 1
    for seconds in (3, 6, 12, 30, 60):
        with clock.shifted(timedelta(seconds=seconds)):
            outbox.advance(the_referral().id)
    assert alarms("referral.delayed") == 1
    drive()
    assert_filed_once(server)


def test_a_wrong_password_blocks_visibly_and_pages_once(
    scene: Scene, server: FakeServer
) -> None:
    server.authorization = b"Basic another"
    for _ in range(3):
        outbox.advance(the_referral().id)
    referral = the_referral()
    assert "password" in referral.blocked
    assert alarms("referral.blocked") == 1
    server.authorization = b"Basic " + b64encode(b"platform:new-secret")
    scene.account(server.url, password="new-secret")
    drive(step=timedelta(seconds=5))
    assert_filed_once(server)
    assert the_referral().blocked == ""


def test_every_answer_is_kept_and_nothing_is_left_under_way(
    scene: Scene, server: FakeServer
) -> None:
    server.state.fail_next("upload", Failure.BUSY)
    drive()
    rows = Exchange.objects.filter(referral=the_referral())
    requests = rows.filter(request=None).exclude(call=exchanges.VALIDATION)
    assert requests.count() == rows.exclude(request=None).count()
    answers = rows.exclude(request=None).exclude(failure="cybertipline-retry")
    assert all(row.answer and row.reference and row.status for row in answers)
    assert rows.filter(call="finish", response_code=0).count() == 1


def test_each_attempt_waits_for_the_originals(server: FakeServer) -> None:
    scene = Scene()
    scene.account(server.url)
    item = scene.item(drawn(1), drawn(2), sealed=False)
    scene.decide()
    outbox.advance(the_referral().id)
    assert statuses(server) == []
    for media in item.media.all():
        seal(media.id, "original", drawn(1 + media.position), "image/png")
    outbox.advance(the_referral().id)
    assert_filed_once(server)


def test_after_a_day_it_goes_without_what_the_platform_lost(
    server: FakeServer,
) -> None:
    scene = Scene()
    scene.account(server.url)
    item = scene.item(drawn(1))
    scene.media(item, drawn(2), 1, sealed=False)
    scene.decide()
    with clock.shifted(timedelta(hours=2)):
        outbox.advance(the_referral().id)
    assert alarms("referral.waits_for_originals") == 1
    assert statuses(server) == []
    with clock.shifted(timedelta(hours=25)):
        outbox.advance(the_referral().id)
    (report,) = finished(server)
    assert len(report["files"]) == 1
    assert "could no longer serve: 1" in report["document"]


def test_words_alone_are_filed(server: FakeServer) -> None:
    scene = Scene(category="grooming")
    scene.account(server.url)
    scene.item(kind="message", text="Send me your address.")
    scene.decide(parts={scene.actor(): "offender"})
    drive()
    (report,) = finished(server)
    content = etree.fromstring(report["document"].encode()).findtext(
        "internetDetails/chatImIncident/content"
    )
    assert content is not None
    assert "poster: Send me your address." in content
    assert report["files"] == []


def viewed(server: FakeServer) -> set[str]:
    (report,) = finished(server)
    return {
        etree.fromstring(file["details"].encode()).findtext("fileViewedByEsp") or ""
        for file in report["files"]
    }


def test_nobody_looked(scene: Scene, server: FakeServer) -> None:
    drive()
    assert viewed(server) == {"false"}
    assert set(ReferralFile.objects.values_list("viewed_by_staff", flat=True)) == {
        False
    }


def test_part_of_it_was_looked_at(scene: Scene, server: FakeServer) -> None:
    for file in ReferralFile.objects.all():
        scene.reveal(file.media, entire=False)
    drive()
    assert viewed(server) == {"false"}


def test_one_file_was_looked_at_whole(scene: Scene, server: FakeServer) -> None:
    one = ReferralFile.objects.order_by("id")[0]
    scene.reveal(one.media, entire=True)
    drive()
    assert viewed(server) == {"true", "false"}
    one.refresh_from_db()
    assert one.viewed_by_staff is True


def test_a_view_after_the_decision_counts_at_the_moment_of_telling(
    scene: Scene, server: FakeServer
) -> None:
    server.state.fail_next("submit", Failure.BUSY)
    outbox.advance(the_referral().id)
    for file in ReferralFile.objects.all():
        scene.reveal(file.media, entire=True)
    drive()
    assert viewed(server) == {"true"}


def test_a_view_of_other_bytes_is_no_view(server: FakeServer) -> None:
    scene = Scene()
    scene.account(server.url)
    item = scene.item(drawn(1), sealed=False)
    media = item.media.get()
    scene.reveal(media, entire=True)
    seal(media.id, "original", drawn(99), "image/png")
    scene.decide()
    drive()
    assert viewed(server) == {"false"}
    (report,) = finished(server)
    assert "served this one later" in report["files"][0]["details"]


def test_two_offenders_are_two_reports_of_the_same_files(server: FakeServer) -> None:
    scene = Scene()
    scene.account(server.url)
    scene.item(drawn(1))
    scene.decide(
        parts={
            scene.actor("one"): "offender",
            scene.actor("two"): "offender",
            scene.actor("child", age=13): "person_shown",
            scene.actor("friend"): "peer",
        }
    )
    drive()
    roots = [etree.fromstring(each["document"].encode()) for each in finished(server)]
    suspects = [root.findall("personOrUserReported/espIdentifier") for root in roots]
    assert sorted(each[0].text or "" for each in suspects) == ["one", "two"]
    assert all(len(each) == 1 for each in suspects)
    for root in roots:
        assert root.findtext("victim/espIdentifier") == "child"
        assert root.findtext("victim/victimPerson/age") == "13"
        assert "friend" not in etree.tostring(root).decode()


def test_prior_reports_of_the_same_account_are_named(
    scene: Scene, server: FakeServer
) -> None:
    drive()
    first = the_referral().external_id
    scene.case.round = 2
    scene.case.save()
    scene.decide(parts={scene.actor(): "offender"})
    drive()
    second = Referral.objects.order_by("-opened_at")[0]
    root = etree.fromstring(second.document.encode())
    assert root.findtext("personOrUserReported/priorCTReports") == first

"""A decision leaves a referral or a reason why there is none; accounts and what staff
see of it all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.authorities import operations, outbox, queries, rules
from holdfast.authorities.connectors.cybertipline.answers import NeedsOperator
from holdfast.authorities.connectors.cybertipline.fake_state import Failure
from holdfast.authorities.models import AuthorityAccount, Referral
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import InvalidInput, NotAllowed, Refused
from holdfast.base.events import Kind
from holdfast.base.models import Event
from tests.stages.authorities.scene import (
    PASSWORD,
    USERNAME,
    Scene,
    alarms,
    double,
    drawn,
    drive,
    statuses,
    the_referral,
)

READER = By("staff", "one", frozenset({Permission.CASE_READ}))
ADMINISTRATOR = By(
    "staff",
    "two",
    frozenset({Permission.PLATFORM_MANAGE, Permission.AUTHORITY_GO_LIVE}),
)
READINGS = st.lists(
    st.builds(rules.ReadingFacts, st.booleans(), st.text()), min_size=1, max_size=2
)


@given(
    st.sampled_from(["violation", "no_violation"]),
    st.lists(st.sampled_from(["cybertipline", "other"]), max_size=2),
    READINGS,
)
def test_a_decision_tells_somebody_or_says_why_not(
    outcome: str, refer_to: list[str], readings: list[rules.ReadingFacts]
) -> None:
    telling = rules.whom_to_tell(outcome, "grooming", "1", refer_to, readings)
    assert bool(telling.authorities) != bool(telling.why_not.strip())
    wanted = outcome == "violation" and any(each.refer for each in readings)
    assert telling.authorities == (tuple(refer_to) if wanted else ())


@given(st.integers(0, 10_000))
def test_pauses_grow_to_a_limit(failures: int) -> None:
    assert rules.pause_s(failures) <= rules.pause_s(failures + 1)
    assert rules.pause_s(failures) <= rules.LONGEST_PAUSE_S


@pytest.mark.django_db
def test_without_an_account_it_is_not_filed_and_alarms() -> None:
    scene = Scene()
    scene.item(drawn(1))
    scene.decide()
    referral = the_referral()
    assert referral.environment == "test"
    assert alarms("referral.not_filed") == 1
    outbox.advance(referral.id)
    outbox.advance(referral.id)
    assert the_referral().blocked == outbox.NO_ACCOUNT
    assert alarms("referral.blocked") == 1
    (line,) = queries.referrals(scene.case.id, by=READER)
    assert line.not_filed
    assert line.words == f"NOT FILED. {outbox.NO_ACCOUNT}"
    assert queries.not_filed(by=READER) == (referral.id,)


@pytest.mark.django_db(transaction=True)
def test_it_goes_on_once_an_account_is_set_up(tmp_path: Path) -> None:
    scene = Scene()
    scene.item(drawn(1))
    scene.decide()
    outbox.advance(the_referral().id)
    with double(tmp_path) as server:
        scene.account(server.url)
        operations.advance_due()
        assert statuses(server) == ["finished"]
    (line,) = queries.referrals(scene.case.id, by=READER)
    assert line.state == "finished"
    assert line.words == "NOT FILED. It was sent to a test environment."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("category", "outcome", "why_not", "authority", "because"),
    [
        (
            "child_sexual_abuse_material",
            "no_violation",
            "A swimming lesson.",
            "cybertipline",
            "no_violation",
        ),
        (
            "child_sexual_abuse_material",
            "violation",
            "The police asked us to.",
            "cybertipline",
            "people",
        ),
        ("child_other", "violation", "", "none", "policy"),
    ],
)
def test_the_reason_why_nobody_is_told_is_recorded(
    category: str, outcome: str, why_not: str, authority: str, because: str
) -> None:
    scene = Scene(category=category)
    scene.item(drawn(1))
    scene.decide(outcome, why_not=why_not)
    (line,) = queries.referrals(scene.case.id, by=READER)
    assert (line.state, line.authority) == ("declined", authority)
    assert why_not in line.why_not
    assert line.why_not
    assert not line.not_filed
    event = Event.objects.get(kind=Kind.REFERRAL_DECLINED)
    assert event.facts == {"authority": authority, "because": because}


def test_one_reader_who_would_tell_is_enough() -> None:
    told = [rules.ReadingFacts(False, "No."), rules.ReadingFacts(True, "")]
    telling = rules.whom_to_tell("violation", "grooming", "1", ["cybertipline"], told)
    assert telling.authorities == ("cybertipline",)


@pytest.mark.django_db
def test_the_step_may_run_twice() -> None:
    scene = Scene()
    scene.item(drawn(1))
    scene.decide()
    operations.open_referral(Event.objects.get(kind=Kind.CASE_DECIDED))
    assert Referral.objects.count() == 1


@pytest.mark.django_db
def test_byte_identical_files_go_once_and_the_reported_one_first() -> None:
    scene = Scene()
    copy_of = scene.item(drawn(1), drawn(1))
    scene.item(drawn(1), against=copy_of)
    scene.item(drawn(2), against=copy_of)
    scene.decide()
    files = the_referral().files.all()
    assert files.count() == 2
    assert files.filter(item=copy_of).count() == 1
    assert Event.objects.get(kind=Kind.REFERRAL_OPENED).facts["files_left_out"] == 0


@pytest.mark.django_db
def test_more_files_than_fit_are_told_by_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rules, "MAX_FILES", 2)
    scene = Scene()
    scene.item(drawn(1), drawn(2), drawn(3))
    scene.decide()
    assert the_referral().files.count() == 2
    assert Event.objects.get(kind=Kind.REFERRAL_OPENED).facts["files_left_out"] == 1


@pytest.mark.django_db(transaction=True)
def test_a_password_is_kept_encrypted_and_never_shown(tmp_path: Path) -> None:
    scene = Scene()
    with double(tmp_path) as server:
        scene.account(server.url)
        assert queries.outbound_hosts() == (f"127.0.0.1:{server.server_address[1]}",)
    row = AuthorityAccount.objects.get()
    assert PASSWORD not in row.password
    (line,) = queries.accounts(by=ADMINISTRATOR)
    assert PASSWORD not in repr(line)
    with pytest.raises(NotAllowed):
        queries.accounts(by=READER)


def go_live(scene: Scene, url: str, by: By, password: str = PASSWORD) -> None:
    operations.go_live(
        platform_id=scene.platform.id,
        authority="cybertipline",
        base_url=url,
        username=USERNAME,
        password=password,
        reporting_email="trust@plaza.example",
        reporting_person="Casey Example",
        by=by,
    )


@pytest.mark.django_db(transaction=True)
def test_going_live_takes_a_permission_and_the_authoritys_word(tmp_path: Path) -> None:
    scene = Scene()
    with double(tmp_path) as server:
        with pytest.raises(NotAllowed):
            go_live(scene, server.url, READER)
        with pytest.raises(NeedsOperator):
            go_live(scene, server.url, ADMINISTRATOR, password="wrong")
        assert not AuthorityAccount.objects.exists()
        scene.item(drawn(1))
        scene.decide()
        go_live(scene, server.url, ADMINISTRATOR)
        drive()
        assert statuses(server) == ["finished"]
    (line,) = queries.referrals(scene.case.id, by=READER)
    assert line.environment == "production"
    assert not line.not_filed
    assert line.words == "Filed with the authority."
    (account,) = queries.accounts(by=ADMINISTRATOR)
    assert account.live_by == str(ADMINISTRATOR)
    assert Event.objects.filter(kind=Kind.AUTHORITY_WENT_LIVE).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_report_begun_in_test_is_filed_in_production(tmp_path: Path) -> None:
    scene = Scene()
    for name in ("test", "production"):
        (tmp_path / name).mkdir()
    with double(tmp_path / "test") as test, double(tmp_path / "production") as real:
        scene.account(test.url)
        scene.item(drawn(1))
        scene.decide()
        test.state.fail_next("finish", Failure.BUSY)
        outbox.advance(the_referral().id)
        go_live(scene, real.url, ADMINISTRATOR)
        drive()
        assert statuses(test) == ["open"]
        assert statuses(real) == ["finished"]
        with pytest.raises(Refused):
            scene.account(test.url)


@pytest.mark.django_db
def test_an_account_that_cannot_work_is_refused() -> None:
    scene = Scene()
    with pytest.raises(InvalidInput, match="https"):
        scene.account("http://authority.example/ispws")
    with pytest.raises(Refused, match="Going live"):
        operations.add_account(
            platform_id=scene.platform.id,
            authority="cybertipline",
            environment="production",
            base_url="https://authority.example/ispws",
            username=USERNAME,
            password=PASSWORD,
            reporting_email="trust@plaza.example",
            by=SYSTEM,
        )


@pytest.mark.django_db(transaction=True)
def test_an_authority_nobody_speaks_to_blocks_visibly(tmp_path: Path) -> None:
    scene = Scene()
    with double(tmp_path) as server:
        scene.account(server.url)
        scene.item(drawn(1))
        scene.decide()
        AuthorityAccount.objects.update(authority="somebody")
        Referral.objects.update(authority="somebody")
        outbox.advance(the_referral().id)
        assert statuses(server) == []
    assert the_referral().blocked == outbox.NO_CONNECTOR
    assert alarms("referral.blocked") == 1


@pytest.mark.django_db(transaction=True)
def test_a_document_that_is_not_valid_is_not_sent(tmp_path: Path) -> None:
    scene = Scene()
    with double(tmp_path) as server:
        scene.account(server.url)
        AuthorityAccount.objects.update(reporting_email="@")
        scene.item(drawn(1))
        scene.decide()
        outbox.advance(the_referral().id)
        assert statuses(server) == []
    assert the_referral().document_valid is False
    assert the_referral().blocked == outbox.INVALID
    assert alarms("referral.blocked") == 1

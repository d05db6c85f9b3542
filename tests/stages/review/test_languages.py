"""Languages at the desk: what one reads comes first among equals, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput, NotAllowed
from holdfast.intake.operations import Channel, ReportGiven, TargetGiven, receive_report
from holdfast.notifications.models import Alarm
from holdfast.review.claims import claim_next
from holdfast.review.lines import QueueFilters
from holdfast.review.queue import DUE_TOGETHER, queue
from holdfast.staff import operations as staff
from holdfast.staff.queries import languages_read
from holdfast.staff.rules import is_language_tag, reads, spellings
from holdfast.triage.languages import languages_of, unread_languages, watch_languages
from tests.stages.console.desk import CSAM, Colleague, colleague, words_of
from tests.world import World

pytestmark = pytest.mark.django_db
FRONT = By("public", "portal", frozenset({Permission.REPORT_FILE}))


def reported(
    world: World, name: str, language: str, *, category: str = CSAM, ago_s: float = 0
) -> None:
    """A report in a language, received so many seconds ago."""
    receive_report(
        ReportGiven(
            platform_id=world.platform_id,
            channel=Channel.PORTAL,
            category=category,
            targets=[TargetGiven(url=f"https://plaza.example/p/{name}")],
            language=language,
            received_at=clock.now() - timedelta(seconds=ago_s),
        ),
        by=FRONT,
    )


def reader(name: str, *languages: str, role: str = "reviewer") -> Colleague:
    """A colleague who reads these."""
    made = colleague(name, role, signed_in=False)
    staff.read_languages(languages=languages, by=made.by)
    return made


def shown(who: Colleague, language: str = "") -> list[str]:
    """The languages of the cases in the queue, in its order."""
    return [
        "+".join(line.languages)
        for line in queue(who.by, QueueFilters(language=language))
    ]


def in_the_middle(world: World, *given: tuple[str, str]) -> None:
    """Reports that are due within the same span, a second after each other."""
    span_s = DUE_TOGETHER.total_seconds()
    into_s = clock.now().timestamp() % span_s
    with clock.shifted(timedelta(seconds=span_s / 2 - into_s)):
        for place, (name, language) in enumerate(given):
            reported(world, name, language, ago_s=10.0 - place)


def test_among_equals_the_languages_one_reads_come_first(world: World) -> None:
    in_the_middle(world, ("1", "de"), ("2", "nb"), ("3", "en-GB"), ("4", "de"))
    assert shown(reader("Ada")) == ["de", "nb", "en-GB", "de"]
    assert shown(reader("Bo", "no", "en")) == ["nb", "en-GB", "de", "de"]
    assert shown(reader("Cy", "de-AT")) == ["de", "de", "nb", "en-GB"]


def test_urgency_and_deadline_are_the_first_rule(world: World) -> None:
    late_s = 2 * DUE_TOGETHER.total_seconds()
    reported(world, "1", "nb", category="copyright", ago_s=late_s)
    reported(world, "2", "nb")
    reported(world, "3", "de", ago_s=late_s)
    who = reader("Ada", "nb")
    # The German one is due earlier, and both before what is less urgent.
    assert shown(who) == ["de", "nb", "nb"]
    assert [line.category for line in queue(who.by)][-1] == "copyright"


def test_language_never_delays_by_more_than_the_span(world: World) -> None:
    for place in range(12):
        language = ("de", "nb")[place % 2]
        reported(world, str(place), language, ago_s=place * 97.0)
    due = [line.due_at for line in queue(reader("Ada", "nb").by)]
    assert all(each is not None for each in due)
    for at, mine in enumerate(due):
        for later in due[at + 1 :]:
            assert mine is not None
            assert later is not None
            assert mine - later < DUE_TOGETHER


def test_the_next_case_is_one_that_the_reviewer_reads(world: World) -> None:
    in_the_middle(world, ("1", "de"), ("2", "nb"))
    ada, bo = reader("Ada", "nb", role="specialist"), reader("Bo", "fr")
    for who, language in ((ada, ("nb",)), (bo, ("de",))):
        taken = claim_next(by=who.by)
        assert taken is not None
        assert languages_of([taken.case_id])[taken.case_id] == language


def test_a_case_of_several_languages_is_for_whoever_reads_one(world: World) -> None:
    world.post("2", text="One post, reported by two people.")
    in_the_middle(world, ("1", "fr"), ("2", "de"), ("2", "nb"))
    assert shown(reader("Ada", "nb")) == ["de+nb", "fr"]


def test_the_filter_never_hides_what_nobody_reads(world: World) -> None:
    in_the_middle(world, ("1", "de"), ("2", "nb"), ("3", "fi"))
    ada, bo = reader("Ada", "nb"), reader("Bo", "de")
    assert shown(ada, language="mine") == ["nb", "fi"]
    assert shown(bo, language="mine") == ["de", "fi"]
    assert shown(ada, language="de") == ["de"]
    assert shown(ada) == ["nb", "de", "fi"]
    # Whoever has said nothing sees everything.
    assert len(shown(reader("Cy"), language="mine")) == 3
    [finnish] = [line for line in queue(ada.by) if line.languages == ("fi",)]
    assert finnish.unread
    assert sum(line.unread for line in queue(ada.by)) == 1


def test_a_language_that_nobody_reads_is_an_alarm_once_a_day(world: World) -> None:
    reported(world, "1", "fi")
    reader("Ada", role="specialist")
    watch_languages()
    # Nobody has said what they read, so nothing is known.
    assert not Alarm.objects.exists()
    bo = reader("Bo", "nb")
    # An auditor reads cases and decides none.
    reader("Cy", "fi", role="auditor")
    assert unread_languages() == ["fi"]
    watch_languages()
    watch_languages()
    [alarm] = Alarm.objects.all()
    assert (alarm.code, alarm.about["language"]) == ("language.unread", "fi")
    staff.read_languages(languages=["nb", "fi"], by=bo.by)
    assert unread_languages() == []
    assert "fi" in languages_read()
    staff.deactivate(person_id=bo.person_id, by=colleague("Di", "administrator").by)
    assert languages_read() == frozenset()


def test_the_queue_shows_languages_and_takes_the_choice(world: World) -> None:
    in_the_middle(world, ("1", "nb"), ("2", "fi"))
    ada = colleague("Ada", "reviewer")
    page = words_of(ada.get("/console/"))
    assert "Norwegian Bokmål" in page
    assert "nobody here reads this language" not in page
    assert ada.post("/console/me/languages", languages="English!").status_code == 422
    ada.post("/console/me/languages", languages="nb, en")
    assert "Norwegian Bokmål" in words_of(ada.get("/console/me"))
    page = words_of(ada.get("/console/"))
    assert "nobody here reads this language" in page
    page = words_of(ada.get("/console/", language="nb"))
    assert "Finnish" not in page.split("Claimed by")[-1]
    assert "No case fits" in words_of(
        ada.get("/console/", language="nb", claimed="mine")
    )


def test_only_staff_say_what_they_read() -> None:
    with pytest.raises(NotAllowed):
        staff.read_languages(languages=["nb"], by=FRONT)
    who = colleague("Ada", "reviewer", signed_in=False)
    for wrong in ("norsk bokmål", "e", "en'; drop", "x" * 36, "nb)|("):
        with pytest.raises(InvalidInput):
            staff.read_languages(languages=[wrong], by=who.by)


def test_a_region_is_no_other_language() -> None:
    assert reads(["pt"], ["pt-BR"])
    assert reads(["nb"], ["nn"])
    assert reads(["nn"], ["no-NO"])
    assert not reads(["en"], ["nb"])
    assert not reads([], ["en"])
    assert spellings(["nb"]) == {"nb", "nn", "no"}


@given(st.from_regex(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,2}", fullmatch=True))
def test_every_tag_is_read_by_who_reads_it(tag: str) -> None:
    assert is_language_tag(tag)
    assert reads([tag], [tag])
    assert any(tag.partition("-")[0] == each for each in spellings([tag]))

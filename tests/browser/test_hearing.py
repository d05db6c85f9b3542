"""The portal as a screen reader gives it: in an order that makes sense, no alarms."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from holdfast.intake.models import Report
from holdfast.web.components.aloud import by_letters
from tests.browser.browser import Visitor, follow
from tests.browser.hearing import assert_can_be_heard, heard
from tests.world import World, encoded, photograph

WHOLE = """<html lang="en"><title>A page</title><header></header><main><h1>A page</h1>
{}</main></html>"""


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("<button></button>", "button without a name"),
        ("<h1>Another</h1>", "2 headings of the first level"),
        ("<label><input type=radio>Yes</label>", "belongs to no question"),
        (
            "<label>Age <input aria-invalid=true></label>",
            "nothing is said of the fault",
        ),
        ("<main></main>", "2 of the landmark main"),
    ],
)
def test_what_a_reader_cannot_say_is_found(
    chromium: Browser, part: str, fault: str
) -> None:
    page = chromium.new_page()
    page.set_content(WHOLE.format(""))
    assert_can_be_heard(page)
    page.set_content(WHOLE.format(part))
    with pytest.raises(AssertionError, match=fault):
        assert_can_be_heard(page)
    page.close()


@pytest.mark.django_db(transaction=True)
def test_the_first_page_is_heard_in_the_order_of_its_thought(
    world: World, visitor: Visitor
) -> None:
    page = visitor.open("/")
    said = [each for each in heard(page) if each.role not in ("StaticText", "group")]
    names = [each.name for each in said]
    # To what is meant, and away from here, before anything else.
    assert [each.role for each in said if each.role == "link"][:2] == ["link", "link"]
    assert names.index("Go to the main part") < names.index("Leave this page")
    first = next(place for place, each in enumerate(said) if each.level == 1)
    question = next(
        place for place, each in enumerate(said) if each.role == "radiogroup"
    )
    answers = [place for place, each in enumerate(said) if each.role == "radio"]
    go_on = names.index("Continue")
    assert first < question < answers[0] < answers[-1] < go_on
    # A hint is heard with its answer, and what is about children comes first.
    assert "under 18" in said[answers[0]].name


@pytest.mark.django_db(transaction=True)
def test_nothing_is_said_to_be_wrong_before_anything_was_sent(
    world: World, visitor: Visitor
) -> None:
    page = visitor.open("/")
    for path in ("/", "/follow", "/police", "/report/more/about"):
        page.goto(path)
        assert not [str(each) for each in heard(page) if each.invalid], path


@pytest.mark.django_db(transaction=True)
def test_numbers_and_foreign_words_are_said_as_they_are(
    world: World, visitor: Visitor
) -> None:
    world.post("1", encoded(photograph()))
    page = visitor.open("/")
    page.set_extra_http_headers({"Accept-Language": "nb"})
    page.goto("/")
    page.locator("input[name=category]").first.check(force=True)
    follow(page.locator("main form button").first)
    page.locator("textarea[name=address]").fill("https://plaza.example/p/1")
    follow(page.locator("main form button").last)
    number = Report.objects.get().number
    spelled = by_letters(number)
    for path in ("/report/received", "/follow/status"):
        page.goto(path)
        said = [each.name for each in heard(page)]
        # Seen and copied whole, and heard letter by letter, and that once.
        assert number in page.locator("main").inner_text()
        assert spelled in said, path
        assert number not in said, path
        phones = [each.name for each in heard(page) if each.role == "link"]
        phones = [each for each in phones if each[:1].isdigit()]
        assert phones
        assert not [each for each in phones if re.search(r"\d\d", each)]
        assert page.locator("html").get_attribute("lang") == "nb"
    shown = page.locator(".deadlines .hint").first.inner_text()
    assert re.fullmatch(r"\d+ timer \d+ minutt(er)? igjen", shown)
    assert "klokken" in page.locator(".deadlines time").first.inner_text()
    page.goto("/report/received")
    # The words are English ones, also where the page is Norwegian.
    assert page.locator(".codename").get_attribute("lang") == "en"
    page.goto("/help")
    names = dict(
        page.locator(".helplines strong, main strong").evaluate_all(
            "all => all.map(each => [each.textContent, each.lang])"
        )
    )
    assert names["Child Helpline International"] == "en"
    assert names["BørneTelefonen"] == "da"

"""The portal as a screen reader gives it: in an order that makes sense, no alarms."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.browser import Visitor
from tests.browser.hearing import assert_can_be_heard, heard
from tests.world import World

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

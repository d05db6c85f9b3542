"""``docs/reference/helplines.md`` shows the data as it is.

``HOLDFAST_REDRAW=1 pytest tests/repo/test_helplines.py`` makes the table anew.
"""

from __future__ import annotations

import gettext
import os
import re
from datetime import date
from pathlib import Path

import yaml

from holdfast.intake.helplines import OURS, Book, read_book
from holdfast.languages.catalogues import compile_all
from holdfast.languages.extraction import everything

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "helplines.md"
BEGIN, END = "<!-- made from helplines.yaml -->", "<!-- end of table -->"
ASKED_FOR = ("NO", "SE", "DK", "FI", "IS", "GB", "US", "DE")


def ours() -> Book:
    return read_book(OURS.read_text(encoding="utf-8"))


def made() -> str:
    rows = [
        "| entry | phone | hours | source | how old the source says it is "
        "| verified | expires |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, line in ours().entries():
        where = f"[page]({line.source})"
        number = line.phone or line.text or "none"
        rows.append(
            f"| {name} | {number} | {line.hours or 'none'} | {where} "
            f"| {line.source_of} | {line.verified_on} | {line.expires_on} |"
        )
    rows += ["", "Looked for and left out:", ""]
    for each in yaml.safe_load(OURS.read_text(encoding="utf-8"))["left_out"]:
        rows.append(f"- {each['what']} ({each['where']}): {each['why']}")
    return "\n".join(rows)


def test_the_page_shows_the_data_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _old, after = rest.split(END)
    new = f"{before}{BEGIN}\n{made()}\n{END}{after}"
    if os.environ.get("HOLDFAST_REDRAW"):
        PAGE.write_text(new, encoding="utf-8")
    assert page == new, "Make it anew: HOLDFAST_REDRAW=1 pytest " + __file__


def test_every_entry_has_a_source_and_expires_within_a_year_of_being_verified() -> None:
    for name, line in ours().entries():
        assert line.source.startswith(("https://", "http://")), name
        assert line.source_of, name
        assert 0 < (line.expires_on - line.verified_on).days <= 366, name
        assert line.phone or line.text or line.url, name


def test_every_country_that_was_asked_for_has_a_line_and_an_emergency_number() -> None:
    book = ours().on(date(2026, 11, 23))
    found = {each.code: each for each in book.countries}
    assert set(ASKED_FOR) <= set(found)
    for code in ASKED_FOR:
        assert found[code].lines, code
        assert found[code].emergency, code
    assert book.everywhere
    assert {each.phone for each in book.emergency} >= {
        each.emergency.phone for each in book.countries if each.emergency
    }


def test_an_adult_who_thinks_of_suicide_finds_a_line_where_there_is_one() -> None:
    countries = {each.code: each for each in ours().countries}
    for code in ("NO", "GB", "US"):
        assert any("suicide" in each.who for each in countries[code].lines) or any(
            each.name == "Samaritans" for each in countries[code].lines
        ), code


def test_what_the_guide_shows_is_read(tmp_path: Path) -> None:
    guide = (PAGE.parents[1] / "guides" / "front-door.md").read_text(encoding="utf-8")
    (helplines,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    assert read_book(helplines).countries[0].code == "NL"
    (own,) = re.findall(r"```po\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "en.po").write_text(own, encoding="utf-8")
    found = compile_all((tmp_path,), tmp_path / "cache")
    said = gettext.translation("django", found.folder, ["en"])
    assert said.gettext("Tell us what is wrong") == "Tell Plaza what is wrong"
    assert "Tell us what is wrong" in everything()

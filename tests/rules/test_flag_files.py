"""Files of reports: what each line is, whatever spreadsheets make of them."""

from __future__ import annotations

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.intake.flag_files import COLUMNS, Fault, FileLine, csv_lines, ndjson_lines

HEAD = "reference,category,urls,words\n"
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8)
TAKES_AT_MOST_S = 8.0
"""For two million characters; what grows with their square takes minutes."""


def lines_of(text: str) -> list[FileLine]:
    return list(csv_lines(io.StringIO(text, newline="")))


def test_the_line_is_that_of_the_file() -> None:
    text = HEAD + '\nA,c,,"one\ntwo\n"\n,,,\nB,c,,x\n'
    assert [(each.number, each.fault) for each in lines_of(text)] == [
        (3, None),
        (7, None),
    ]
    lines = ["", "{}", "\ufeff{}", "[]", "x"]
    assert [(each.number, each.fault) for each in ndjson_lines(lines)] == [
        (2, None),
        (3, None),
        (4, Fault.NO_OBJECT),
        (5, Fault.NO_OBJECT),
    ]


def test_a_mark_that_is_never_closed_costs_its_own_line() -> None:
    broken = 'A,c,,"open\n'
    good = 'B,c,,"closed"\nC,c,,5" wide\n'
    for text in (broken + good, good + broken, good + broken + good):
        found = lines_of(HEAD + text)
        assert [each.fault for each in found].count(Fault.QUOTE) == 1
        kept = [each.record for each in found if each.record]
        assert [each["reference"] for each in kept] == ["B", "C"] * text.count("B")
        assert kept[1]["words"] == '5" wide'


@pytest.mark.parametrize(
    ("urls", "found"),
    [
        ("http://a.b/1 http://a.b/2", ["http://a.b/1", "http://a.b/2"]),
        (
            "http://a.b/1,http://a.b/2;HTTP://c",
            ["http://a.b/1", "http://a.b/2", "HTTP://c"],
        ),
        ("http://a.b/1, a.b/2; @sunny", ["http://a.b/1", "a.b/2", "@sunny"]),
        ("sunny", ["sunny"]),
        ("http://a.b/x?a=1,2", ["http://a.b/x?a=1,2"]),
        # One that broke apart at a space takes no other along.
        ("http://a.b/1 2", [["http://a.b/1", "2"]]),
        ("x y http://a.b/1", [["x", "y"], "http://a.b/1"]),
        (
            "http://a.b/1 http://a.b/my two pictures.jpg http://a.b/3",
            ["http://a.b/1", ["http://a.b/my", "two", "pictures.jpg"], "http://a.b/3"],
        ),
    ],
)
def test_several_addresses_and_one_with_a_space(
    urls: str, found: list[str | list[str]]
) -> None:
    [line] = lines_of(HEAD + f'A,c,"{urls}",\n')
    assert line.record
    assert line.record["urls"] == found
    assert line.fault is None


@given(
    st.lists(st.lists(TEXT, min_size=4, max_size=4), max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_a_program_writes_is_read_as_it_was(
    rows: list[list[str]], ending: str, quoting: int
) -> None:
    target = io.StringIO(newline="")
    table = csv.writer(target, lineterminator=ending, quoting=quoting)  # type: ignore[arg-type]  # One of two.
    table.writerow(COLUMNS[:4])
    table.writerows(rows)
    wanted = [row[3] for row in rows if any(each.strip() for each in row)]
    found = lines_of(target.getvalue())
    assert [(each.record or {}).get("words", "") for each in found] == wanted


@pytest.mark.parametrize("piece", ['"', '""', '"a\n', '"""\n', "a,", 'a,"\n', "\n"])
def test_no_file_is_so_broken_that_reading_it_takes_long(piece: str) -> None:
    began = time.process_time()
    found = lines_of(HEAD + piece * (2_000_000 // len(piece)) + "\nZ,c,,x\n")
    assert time.process_time() - began < TAKES_AT_MOST_S
    last = found[-1].record
    assert piece == '"a\n' or (last and last["reference"] == "Z")

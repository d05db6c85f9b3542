"""What is an address, and what of one may be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.intake.rules import (
    MAX_ADDRESS,
    Way,
    masked,
    read_address,
    read_email,
    read_phone,
)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (" me@Example.ORG ", (Way.EMAIL, "me@example.org")),
        ("Jo.Doe+x@post.example.org", (Way.EMAIL, "Jo.Doe+x@post.example.org")),
        ("+47 900 00 000", (Way.PHONE, "+4790000000")),
        ("0047 (900) 00-000", (Way.PHONE, "+4790000000")),
        ("90000000", (Way.OTHER, "90000000")),
        ("me@localhost", (Way.OTHER, "me@localhost")),
        ("me@a.example, you@b.example", (Way.OTHER, "me@a.example, you@b.example")),
        ("me@example.org\nBcc: you@b.example", None),
        ("+0 900 00 000", None),
        ("+٤٧٩٠٠٠٠٠٠٠", None),
        ("+1234567", None),
        ("", (Way.OTHER, "")),
        (f"{'x' * MAX_ADDRESS}@example.org", None),
    ],
)
def test_what_an_address_is_read_as(said: str, read: tuple[Way, str] | None) -> None:
    assert read_address(said) == (read or (Way.OTHER, said.strip()))


@given(st.text(max_size=60))
def test_what_is_read_is_one_line_and_reads_as_itself(text: str) -> None:
    for read in (read_email(text), read_phone(text)):
        if read is not None:
            assert len(read.split()) == 1
            assert read_address(read)[1] == read


def test_a_mask_shows_ones_own_address_to_oneself_alone() -> None:
    assert masked(Way.EMAIL, "jo.doe@example.org") == "j…@example.org"
    assert masked(Way.PHONE, "+4790000012") == "…12"

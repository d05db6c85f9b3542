"""Whether a sender is who they say: what our own mail server wrote, and nothing else.

The headers are of the shapes that Gmail, Fastmail, rspamd and OpenDMARC write.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.intake.connectors.mailbox.authentication import MAX_READ, is_proven

OURS = "mx.plaza.example"
SENDER = "kim@people.example"
GMAIL = (
    f"{OURS};\r\n       dkim=pass header.i=@people.example header.s=2023"
    " header.b=ab/+=;\r\n       spf=pass (plaza: domain of kim@people.example"
    " designates 192.0.2.1 as permitted sender) smtp.mailfrom=kim@people.example;"
    "\r\n       dmarc=pass (p=NONE sp=QUARANTINE dis=NONE) header.from=people.example"
)


def proven(*results: str) -> bool:
    """With these headers from the top down, then a sender."""
    fields = [("Return-Path", "<x@elsewhere.example>"), ("Received", "by mx")]
    fields += [("authentication-RESULTS", each) for each in results]
    return is_proven([*fields, ("From", f"Kim <{SENDER}>")], SENDER, [OURS, "mx2.x"])


@pytest.mark.parametrize(
    "said",
    [
        GMAIL,
        f"{OURS} 1; dmarc=pass header.from=People.Example",
        f'"{OURS}"; dmarc=pass (é (within)) header.from="people.example"',
        f"{OURS.upper()}; x=y; dmarc=pass (p=none) header.from=people.example;",
        f"{OURS}; dmarc=none; dkim=fail header.d=x.example;"
        " dkim=pass header.d=people.example header.s=a",
        f"{OURS}; spf=pass smtp.mailfrom=people.example",
        "mx2.x; dmarc=pass policy.policy-from=p header.from=people.example",
    ],
)
def test_what_our_server_found_to_be_so_is_so(said: str) -> None:
    assert proven(said)
    assert proven("elsewhere.example; dmarc=fail", said), "Others may say anything."


@pytest.mark.parametrize(
    "said",
    [
        f"{OURS}; none",
        f"{OURS}; dmarc=fail header.from=people.example;"
        " spf=pass smtp.mailfrom=people.example",
        f"{OURS}; dmarc=pass header.from=elsewhere.example",
        f"{OURS}; dmarc=pass",
        f"{OURS}; dmarc=fail (dmarc=pass header.from=people.example)",
        f"{OURS}; spf=pass (; dmarc=pass header.from=people.example) smtp.mailfrom=x",
        f'{OURS}; spf=pass smtp.mailfrom="a; dmarc=pass header.from=people.example"@x',
        f'{OURS}; spf=fail smtp.mailfrom="a\\"; dmarc=pass header.from=people.example',
        f"{OURS}; dmarc=pass header.from=people.example; dmarc=fail",
        f"{OURS}; dkim=pass header.d=example",
        f"{OURS}; dkim=pass header.d=sub.people.example",
        f"{OURS}; spf=pass smtp.helo=people.example",
        f"{OURS}; spf=softfail smtp.mailfrom=people.example",
        f"{OURS} 2; dmarc=pass header.from=people.example",
        f"{OURS}; dmarc=pass header.from=people.example (open",
        f"{OURS}; dmarc=pass) header.from=people.example",
        f"{OURS}; dmarc=pass header.from=people.example; {'x' * MAX_READ}",
        f"not-{OURS}; dmarc=pass header.from=people.example",
        f"dmarc=pass header.from=people.example; {OURS}",
        "",
    ],
)
def test_anything_else_proves_nothing(said: str) -> None:
    assert not proven(said)


def test_only_the_first_of_our_server_counts_and_what_came_along_does_not() -> None:
    forged = f"{OURS}; dmarc=pass header.from=people.example"
    assert proven(forged)
    for first in (f"{OURS}; dmarc=fail", f"{OURS}; none", f"{OURS}; spf=pass (broken"):
        assert not proven(first, forged)
    assert not is_proven([("From", SENDER), ("X", forged)], SENDER, [OURS])
    fields = [("Authentication-Results", forged), ("From", SENDER)]
    assert is_proven(fields, SENDER, [OURS])
    assert not is_proven(fields, SENDER, [])
    assert not is_proven(fields, "", [OURS])


def test_of_two_senders_neither_is_proven() -> None:
    said = ("Authentication-Results", f"{OURS}; dmarc=pass header.from=people.example")
    for senders in ([SENDER, "x@people.example"], [f"{SENDER}, x@people.example"], []):
        fields = [said, *(("From", each) for each in senders)]
        assert not is_proven(fields, SENDER, [OURS])


@given(st.text(alphabet='mx.plaza;()"\\= pasdmrcheof', max_size=80))
def test_any_text_at_all_gives_an_answer(text: str) -> None:
    assert not proven(f"{OURS}; spf=fail ({text}")
    proven(f"{OURS};{text}")

"""An exported log: whatever is done to it offline is found, and named."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from holdfast.vault.log import (
    Verification,
    VerifierKey,
    canonical,
    export_line,
    leaf_hash,
    root,
    sign_checkpoint,
    verify_export,
)

# A stall of a busy machine is no finding.

ORIGIN = "holdfast.example/log"
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey(ORIGIN, SIGNER.public_key().public_bytes_raw())
EVENTS = [
    {"type": "report.received", "case": f"case-{n // 3}", "at": f"2020-01-{n + 1:02}"}
    for n in range(20)
]
LINES = [export_line(index, event) for index, event in enumerate(EVENTS)]
LEAVES = [leaf_hash(canonical(event)) for event in EVENTS]


def checkpoint(size: int) -> str:
    return sign_checkpoint(ORIGIN, size, root(LEAVES[:size]), SIGNER)


CHECKPOINTS = [checkpoint(20), checkpoint(0), checkpoint(7), checkpoint(12)]


def verify(lines: list[bytes], checkpoints: list[str] = CHECKPOINTS) -> Verification:
    return verify_export(lines, checkpoints, KEY)


def found(result: Verification) -> list[tuple[str, int | None]]:
    return [(problem.code, problem.index) for problem in result.problems]


def test_an_untouched_export_is_proved_whole() -> None:
    result = verify(LINES)
    assert result.ok
    assert (result.events, result.proved_size) == (20, 20)
    assert result.root == root(LEAVES)


def test_events_after_the_last_checkpoint_are_not_called_proved() -> None:
    result = verify(LINES, [checkpoint(12)])
    assert result.ok
    assert (result.events, result.proved_size) == (20, 12)


@given(st.integers(0, 19), st.data())
def test_one_changed_byte_anywhere_in_a_line_is_found_and_named(
    index: int, data: st.DataObject
) -> None:
    line = LINES[index]
    place = data.draw(st.integers(0, len(line) - 2))  # The newline is not content.
    changed = bytearray(line)
    changed[place] ^= data.draw(st.integers(1, 255))
    result = verify([*LINES[:index], bytes(changed), *LINES[index + 1 :]])
    assert not result.ok
    assert result.problems[0].index == index


def test_every_byte_of_one_event_is_guarded() -> None:
    line = LINES[9]
    start, end = line.index(b'"event":') + 8, line.index(b',"index"')
    for place in range(start, end):
        changed = bytearray(line)
        changed[place] ^= 1
        result = verify([*LINES[:9], bytes(changed), *LINES[10:]])
        assert result.problems[0].index == 9
        assert result.problems[0].code in {"event-differs", "unreadable"}


def test_a_rewritten_event_with_its_leaf_recomputed_is_found_by_the_checkpoint() -> (
    None
):
    result = verify([*LINES[:9], export_line(9, {"type": "no"}), *LINES[10:]])
    assert found(result) == [("root-differs", 7)]
    assert result.proved_size == 7
    assert "from index 7 to 11" in result.problems[0].message


@pytest.mark.parametrize("kept", [0, 1, 7, 13, 19])
def test_truncation_is_found(kept: int) -> None:
    assert found(verify(LINES[:kept])) == [("truncated", kept)]


@pytest.mark.parametrize("gone", [0, 5, 18])
def test_a_missing_line_is_a_gap(gone: int) -> None:
    result = verify(LINES[:gone] + LINES[gone + 1 :])
    assert found(result) == [("gap", gone)]


def test_a_removed_event_with_the_rest_renumbered_is_found() -> None:
    rest = [*EVENTS[:8], *EVENTS[9:]]
    result = verify([export_line(index, event) for index, event in enumerate(rest)])
    assert found(result) == [("root-differs", 7), ("truncated", 19)]


def test_reordering_and_repeating_are_found() -> None:
    swapped = [*LINES[:5], LINES[6], LINES[5], *LINES[7:]]
    assert found(verify(swapped)) == [("gap", 5), ("out-of-order", 7)]
    repeated = [*LINES[:6], LINES[5], *LINES[6:]]
    assert found(verify(repeated)) == [("out-of-order", 6)]
    exchanged = [*EVENTS[:3], EVENTS[4], EVENTS[3], *EVENTS[5:]]
    renumbered = [export_line(index, event) for index, event in enumerate(exchanged)]
    assert found(verify(renumbered)) == [("root-differs", 0)]


def test_a_checkpoint_of_another_history_does_not_match() -> None:
    other = sign_checkpoint(ORIGIN, 10, leaf_hash(b"another history"), SIGNER)
    result = verify(LINES, [other, checkpoint(7)])
    assert found(result) == [("root-differs", 7)]
    assert result.proved_size == 7


def test_a_forged_checkpoint_proves_nothing() -> None:
    forged = sign_checkpoint(ORIGIN, 20, root(LEAVES), Ed25519PrivateKey.generate())
    result = verify(LINES, [forged])
    assert found(result) == [("checkpoint-refused", None), ("no-checkpoint", None)]
    assert result.proved_size == 0


def test_two_signed_versions_of_one_size_are_exposed() -> None:
    other = sign_checkpoint(ORIGIN, 12, leaf_hash(b"another history"), SIGNER)
    assert ("split-view", None) in found(verify(LINES, [*CHECKPOINTS, other]))


def test_without_checkpoints_nothing_is_proved() -> None:
    assert found(verify(LINES, [])) == [("no-checkpoint", None)]
    assert found(verify([], [checkpoint(0)])) == []


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"index":0}',
        b'{"event":{},"index":true,"leaf":""}',
        b'{"event":{},"index":-1,"leaf":""}',
        b'{"event":{"x":1.5},"index":0,"leaf":""}',
        b'{"event":{"x":NaN},"index":0,"leaf":""}',
        b'{"event":{},"index":0,"leaf":7}',
        b"[" * 100_000,
        b'{"index":' + b"9" * 5000 + b"}",
    ],
)
def test_a_hostile_line_is_unreadable_and_nothing_worse(line: bytes) -> None:
    result = verify([line, *LINES[1:]])
    assert result.problems[0].code == "unreadable"
    assert result.problems[0].index == 0


def test_a_line_that_two_readers_would_read_differently_is_found() -> None:
    entry = json.loads(LINES[4])
    twice = LINES[4].replace(b'{"at":', b'{"at":"2019-12-25","at":')
    spaced = json.dumps(entry, sort_keys=True).encode() + b"\n"
    extra = canonical({**entry, "note": "not covered by the leaf"}) + b"\n"
    for line in (twice, spaced, extra):
        assert found(verify([*LINES[:4], line, *LINES[5:]])) == [("line-differs", 4)]


def test_problems_never_repeat_content() -> None:
    secret = "a name that must not reach a terminal"
    lines = [*LINES[:3], LINES[3].replace(b"case-1", secret.encode()), *LINES[4:]]
    result = verify(lines)
    assert found(result) == [("event-differs", 3)]
    assert all(secret not in problem.message for problem in result.problems)


def test_the_export_may_be_a_stream() -> None:
    assert verify_export(iter(LINES), iter(CHECKPOINTS), KEY).ok

"""Where a request comes from: no header is believed but what a proxy of ours says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.errors import InvalidInput
from holdfast.base.proxies import Proxies

OURS = Proxies.of(["10.0.0.0/8", "203.0.113.7", "2001:db8:1::/48"])
PERSON, OTHER = "81.2.69.160", "198.51.100.4"


@pytest.mark.parametrize(
    ("peer", "forwarded", "from_where"),
    [
        (PERSON, "", PERSON),
        # Nobody but a proxy of ours is believed.
        (PERSON, OTHER, PERSON),
        (PERSON, "10.0.0.1", PERSON),
        ("10.0.0.1", PERSON, PERSON),
        ("10.0.0.1", f"{PERSON}, 10.0.0.2,203.0.113.7", PERSON),
        # What the person wrote themself stands on the left.
        ("10.0.0.1", f"{OTHER}, {PERSON}", PERSON),
        ("10.0.0.1", f"nonsense, {OTHER}, {PERSON}, 10.0.0.2", PERSON),
        # Nor can they hide behind what cannot be read, or behind ours.
        ("10.0.0.1", f"{OTHER}, unknown", ""),
        ("10.0.0.1", f"{OTHER},", ""),
        ("10.0.0.1", "10.0.0.2", ""),
        ("10.0.0.1", "", ""),
        ("10.0.0.1", "<script>", ""),
        ("", PERSON, ""),
        ("nonsense", PERSON, ""),
        # As proxies write it, with a port or without.
        ("10.0.0.1", f"{PERSON}:4711", PERSON),
        ("10.0.0.1", "[2a02:1:2:3::5]:4711", "2a02:1:2:3::5"),
        ("10.0.0.1", "[2a02:1:2:3::5]", "2a02:1:2:3::5"),
        ("10.0.0.1", "2a02:1:2:3::5", "2a02:1:2:3::5"),
        ("2001:db8:1::1", "2a02:1:2:3::5, 2001:db8:1::2", "2a02:1:2:3::5"),
        ("2001:db8:2::1", PERSON, "2001:db8:2::1"),
        # A socket that speaks both kinds.
        ("::ffff:10.0.0.1", f"{OTHER}, ::ffff:{PERSON}", PERSON),
        ("::ffff:81.2.69.160", OTHER, PERSON),
    ],
)
def test_where_a_request_comes_from(peer: str, forwarded: str, from_where: str) -> None:
    assert OURS.address(peer, forwarded) == from_where


def test_by_default_no_header_is_believed() -> None:
    assert Proxies().address("10.0.0.1", PERSON) == "10.0.0.1"
    assert Proxies().address("", PERSON) == ""


def test_a_proxy_by_a_socket_is_believed_when_it_is_named() -> None:
    assert Proxies.of(["unix"]).address("", f"{OTHER}, {PERSON}") == PERSON
    assert Proxies.of(["unix"]).address("10.0.0.1", PERSON) == "10.0.0.1"


@given(st.text(), st.lists(st.sampled_from(["10.1.2.3", "2001:db8:1::9"])))
def test_nothing_that_somebody_writes_moves_where_they_are(
    written: str, proxies: list[str]
) -> None:
    row = ",".join([written, PERSON, *proxies])
    assert OURS.address("10.0.0.1", row) == PERSON


@given(st.text(), st.text())
def test_anything_can_be_said_and_nothing_breaks(peer: str, forwarded: str) -> None:
    OURS.address(peer, forwarded)


@pytest.mark.parametrize("named", ["10.0.0.1/8", "proxy.internal", "", "0.0.0.0/0"])
def test_what_is_no_network_is_refused(named: str) -> None:
    with pytest.raises(InvalidInput):
        Proxies.of([named])


def test_what_is_trusted_can_be_read() -> None:
    named = ["unix", "10.0.0.0/8", "203.0.113.7/32"]
    assert str(Proxies.of(named)) == "unix, 10.0.0.0/8, 203.0.113.7/32"

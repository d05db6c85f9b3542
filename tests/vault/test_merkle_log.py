"""The tree and its proofs: published vectors, and the kernel against its reference."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.errors import InvalidInput
from holdfast.vault.log import (
    Frontier,
    canonical,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

# A stall of a busy machine is no finding.

# The Certificate Transparency test tree: google/certificate-transparency,
# merkle_tree_test.cc, also used by transparency-dev/merkle for RFC 6962 and RFC 9162.
LEAVES = [
    leaf_hash(bytes.fromhex(data))
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
N01 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
N45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
N67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
N47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
L1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
L4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"

INCLUSION = [
    (0, 1, []),
    (0, 8, [L1, N01, N47]),
    (5, 8, [L4, N67, ROOTS[4]]),
    (2, 3, [ROOTS[2]]),
    (1, 5, [ROOTS[1], N01, L4]),
]
CONSISTENCY = [
    (1, 1, []),
    (1, 8, [L1, N01, N47]),
    (6, 8, [N45, N67, ROOTS[4]]),
    (2, 5, [N01, L4]),
]

leaf_lists = st.lists(
    st.binary(min_size=32, max_size=32), min_size=1, max_size=70, unique=True
)


@pytest.mark.parametrize("size", range(9))
def test_root_and_frontier_give_the_published_roots(size: int) -> None:
    frontier = Frontier()
    for leaf in LEAVES[:size]:
        frontier.append(leaf)
    assert root(LEAVES[:size]).hex() == ROOTS[size]
    assert frontier.root().hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_inclusion_proofs_are_the_published_ones(
    index: int, size: int, path: list[str]
) -> None:
    proof = inclusion_proof(LEAVES[:size], index)
    assert [step.hex() for step in proof] == path
    head = bytes.fromhex(ROOTS[size])
    assert verify_inclusion(LEAVES[index], index, size, proof, head)


@pytest.mark.parametrize(("old", "size", "path"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(
    old: int, size: int, path: list[str]
) -> None:
    proof = consistency_proof(LEAVES[:size], old)
    assert [step.hex() for step in proof] == path
    heads = bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[size])
    assert verify_consistency(old, size, proof, *heads)


@given(leaf_lists, st.data())
def test_the_frontier_equals_the_reference_at_every_size(
    leaves: list[bytes], data: st.DataObject
) -> None:
    stop_at = data.draw(st.integers(0, len(leaves)))
    frontier = Frontier()
    for index, leaf in enumerate(leaves):
        if index == stop_at:  # Storing and reading it back changes nothing.
            frontier = Frontier.from_bytes(frontier.to_bytes())
        assert frontier.append(leaf) == index
        assert frontier.root() == root(leaves[: index + 1])
        assert len(frontier.peaks) == frontier.size.bit_count()


@given(leaf_lists, st.data())
def test_inclusion_holds_for_the_leaf_and_for_nothing_else(
    leaves: list[bytes], data: st.DataObject
) -> None:
    size = len(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof, head = inclusion_proof(leaves, index), root(leaves)
    assert verify_inclusion(leaves[index], index, size, proof, head)
    for other in range(size):
        if other != index:
            assert not verify_inclusion(leaves[other], index, size, proof, head)
            assert not verify_inclusion(leaves[index], other, size, proof, head)
    assert not verify_inclusion(leaves[index], index, size, [*proof, head], head)
    assert not verify_inclusion(leaves[index], index, size, proof, leaf_hash(head))
    assert not verify_inclusion(leaves[index], size, size, proof, head)
    if proof:
        assert not verify_inclusion(leaves[index], index, size, proof[:-1], head)
        assert not verify_inclusion(leaves[index], index, size, proof[::-1], head) or (
            proof == proof[::-1]
        )


@given(leaf_lists, st.data())
def test_consistency_holds_for_a_beginning_and_not_for_a_rewritten_one(
    leaves: list[bytes], data: st.DataObject
) -> None:
    size = len(leaves)
    old = data.draw(st.integers(1, size))
    proof, head = consistency_proof(leaves, old), root(leaves)
    assert verify_consistency(old, size, proof, root(leaves[:old]), head)
    changed = data.draw(st.integers(0, old - 1))
    rewritten = [*leaves[:changed], leaf_hash(leaves[changed]), *leaves[changed + 1 :]]
    assert not verify_consistency(old, size, proof, root(rewritten[:old]), head)
    assert not verify_consistency(
        old,
        size,
        consistency_proof(rewritten, old),
        root(leaves[:old]),
        root(rewritten),
    )
    assert not verify_consistency(old, size, [*proof, head], root(leaves[:old]), head)
    if proof:
        short = proof[:-1]
        assert not verify_consistency(old, size, short, root(leaves[:old]), head)


def test_proofs_outside_the_tree_are_refused() -> None:
    for index in (-1, 8):
        with pytest.raises(InvalidInput):
            inclusion_proof(LEAVES, index)
    for old in (0, 9):
        with pytest.raises(InvalidInput):
            consistency_proof(LEAVES, old)
    head = bytes.fromhex(ROOTS[8])
    assert not verify_consistency(0, 8, [], bytes.fromhex(ROOTS[0]), head)
    assert not verify_consistency(9, 8, [], head, head)


def test_a_damaged_frontier_is_refused() -> None:
    frontier = Frontier()
    for leaf in LEAVES[:7]:
        frontier.append(leaf)
    stored = frontier.to_bytes()
    for damaged in (b"", stored[:-1], stored + b"\0", stored[:8], stored[8:]):
        with pytest.raises(InvalidInput):
            Frontier.from_bytes(damaged)
    with pytest.raises(InvalidInput):
        frontier.append(b"not a hash")
    assert Frontier.from_bytes(Frontier().to_bytes()) == Frontier()


def test_appending_to_a_large_log_does_not_read_it() -> None:
    # Ten million leaves in peaks alone: were any of them read, this could not work.
    size = 10_000_000
    frontier = Frontier(size, [leaf_hash(b"%d" % n) for n in range(size.bit_count())])
    began = time.process_time()
    for number in range(1000):
        assert frontier.append(leaf_hash(b"%d" % number)) == size + number
    assert time.process_time() - began < 1
    assert len(frontier.peaks) == (size + 1000).bit_count()


def test_canonical_bytes_are_sorted_compact_utf8() -> None:
    event = {"b": [1, True, None, ("x", -5)], "a": {"é": "\n", "Z": ""}}
    expected = '{"a":{"Z":"","é":"\\n"},"b":[1,true,null,["x",-5]]}'
    assert canonical(event) == expected.encode()


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.booleans()))
def test_canonical_bytes_do_not_depend_on_order(event: dict[str, object]) -> None:
    turned = dict(reversed(list(event.items())))
    assert canonical(turned) == canonical(event)


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), float("inf"), b"bytes", {1: "x"}, {None: 1}, {1, 2}, "\ud800"],
)
def test_what_has_two_spellings_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput):
        canonical({"nested": [{"value": value}]})

"""The Merkle log: proof that no event was changed, moved or taken away.

Pure functions over bytes. This module hashes, proves and verifies; it never reads
a database, a file, a key or the network, so that anybody can run it offline against
an export. ``root`` is the definition of RFC 9162 written down plainly; ``Frontier``
is the fast kernel beside it, and tests hold the two equal.

Hashing and proofs follow RFC 9162 section 2.1. Signed tree heads are made and read
in ``checkpoints``; what is needed to verify an export can be imported from here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from holdfast.base.errors import HoldfastError, InvalidInput
from holdfast.vault.checkpoints import (
    HASH_SIZE_BYTES,
    Checkpoint,
    VerifierKey,
    parse_and_verify_checkpoint,
    sign_checkpoint,
)

__all__ = [
    "Checkpoint",
    "Frontier",
    "Problem",
    "Verification",
    "VerifierKey",
    "canonical",
    "consistency_proof",
    "export_line",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "parse_and_verify_checkpoint",
    "root",
    "sign_checkpoint",
    "verify_consistency",
    "verify_export",
    "verify_inclusion",
]

_LEAF_PREFIX = b"\x00"
"""Sets leaves apart from nodes, against second pre-images (RFC 9162, 2.1.1)."""

_NODE_PREFIX = b"\x01"
"""See ``_LEAF_PREFIX``."""

_SIZE_BYTES = 8
"""A tree size is stored as an unsigned 64-bit number (RFC 9162, section 4.10)."""

_UNREADABLE = (HoldfastError, ValueError, TypeError, LookupError, RecursionError)
"""All that a hostile line can make reading it raise."""


def leaf_hash(data: bytes) -> bytes:
    """The 32-byte hash of one leaf, e.g. of ``canonical(event)``."""
    return sha256(_LEAF_PREFIX + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The 32-byte hash of a node over its two children."""
    return sha256(_NODE_PREFIX + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The 32-byte tree head over all leaf hashes, as RFC 9162 defines it (2.1.1).

    This is the plain reference: it reads every leaf. ``Frontier`` does not.
    """
    if not leaf_hashes:
        return sha256(b"").digest()
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    k = _split(len(leaf_hashes))
    return node_hash(root(leaf_hashes[:k]), root(leaf_hashes[k:]))


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``, which is 2 or more."""
    return 1 << ((size - 1).bit_length() - 1)


@dataclass
class Frontier:
    """All that is needed to append to a log and to know its root.

    ``peaks`` are the roots of the complete subtrees that make up the tree, largest
    first: one for each bit set in ``size``. There are never more than 64, so that
    appending costs the same whether the log holds ten events or ten million.
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> int:
        """Add one leaf hash (32 bytes) and return its index, counted from 0."""
        if len(leaf) != HASH_SIZE_BYTES:
            raise InvalidInput("A leaf hash has 32 bytes.", size_bytes=len(leaf))
        index = self.size
        # Each trailing one bit of the size is a complete subtree of the size ours
        # has reached by then, exactly as a binary counter carries.
        carry = index
        while carry & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            carry >>= 1
        self.peaks.append(leaf)
        self.size += 1
        return index

    def root(self) -> bytes:
        """The 32-byte root of everything appended so far; equals ``root(leaves)``."""
        if not self.peaks:
            return sha256(b"").digest()
        head = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            head = node_hash(peak, head)
        return head

    def to_bytes(self) -> bytes:
        """The size (8 bytes, big-endian), then the peaks (32 bytes each)."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """Read what ``to_bytes`` wrote; ``InvalidInput`` when the lengths disagree."""
        size = int.from_bytes(data[:_SIZE_BYTES], "big")
        if len(data) != _SIZE_BYTES + size.bit_count() * HASH_SIZE_BYTES:
            raise InvalidInput(
                "The stored log frontier is damaged; rebuild it from the leaves.",
                size=size,
                size_bytes=len(data),
            )
        starts = range(_SIZE_BYTES, len(data), HASH_SIZE_BYTES)
        return cls(size, [data[start : start + HASH_SIZE_BYTES] for start in starts])


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The path that proves leaf ``index`` is in this tree (RFC 9162, 2.1.3.1)."""
    if not 0 <= index < len(leaf_hashes):
        raise InvalidInput(
            "There is no such leaf in this tree.", index=index, size=len(leaf_hashes)
        )
    if len(leaf_hashes) == 1:
        return []
    k = _split(len(leaf_hashes))
    left, right = leaf_hashes[:k], leaf_hashes[k:]
    if index < k:
        return [*inclusion_proof(left, index), root(right)]
    return [*inclusion_proof(right, index - k), root(left)]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether ``proof`` shows ``leaf`` at ``index`` under ``root`` (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, head = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            head = node_hash(sibling, head)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            head = node_hash(head, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and head == root


def consistency_proof(leaf_hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """The path that proves this tree only added to its first ``old_size`` leaves.

    ``old_size`` is from 1 to the number of leaves (RFC 9162, 2.1.4.1).
    """
    if not 0 < old_size <= len(leaf_hashes):
        raise InvalidInput(
            "A consistency proof starts from an earlier size of the same tree.",
            old_size=old_size,
            size=len(leaf_hashes),
        )
    return _subproof(leaf_hashes, old_size, complete=True)


def _subproof(
    leaf_hashes: Sequence[bytes], old_size: int, *, complete: bool
) -> list[bytes]:
    """SUBPROOF of RFC 9162; ``complete`` while the old tree is this very subtree."""
    if old_size == len(leaf_hashes):
        return [] if complete else [root(leaf_hashes)]
    k = _split(len(leaf_hashes))
    left, right = leaf_hashes[:k], leaf_hashes[k:]
    if old_size <= k:
        return [*_subproof(left, old_size, complete=complete), root(right)]
    return [*_subproof(right, old_size - k, complete=False), root(left)]


def verify_consistency(
    old_size: int,
    size: int,
    proof: Sequence[bytes],
    old_root: bytes,
    root: bytes,
) -> bool:
    """Whether ``proof`` shows the tree at ``old_size`` is its beginning (2.1.4.2)."""
    if not 0 < old_size <= size:
        return False
    if old_size == size:
        return not proof and old_root == root
    path = list(proof)
    if old_size.bit_count() == 1:
        # The old tree is a complete subtree, so its root is where the path starts.
        path.insert(0, old_root)
    if not path:
        return False
    node, last = old_size - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_head = head = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old_head = node_hash(sibling, old_head)
            head = node_hash(sibling, head)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            head = node_hash(head, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old_head == old_root and head == root


def canonical(event: Mapping[str, object]) -> bytes:
    """The one byte form of an event: sorted keys, no white space, UTF-8 JSON.

    Values are strings, integers, booleans, None, and lists and mappings of these.
    Floats are refused, because two programs may write one float differently;
    so are keys that are not strings. Raises ``InvalidInput``.
    """
    text = json.dumps(
        _plain(event), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("An event's text is not valid Unicode.") from error


def _plain(value: object) -> object:
    """The value with every mapping a dict; what has two spellings is refused."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise InvalidInput("The keys of an event are text.")
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    raise InvalidInput(
        "An event holds text, whole numbers, yes or no, lists and mappings only.",
        type=type(value).__name__,
    )


def export_line(index: int, event: Mapping[str, object]) -> bytes:
    """One line of an exported log, with its newline: what ``verify_export`` reads."""
    leaf = leaf_hash(canonical(event)).hex()
    return canonical({"index": index, "event": event, "leaf": leaf}) + b"\n"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an export.

    ``index`` is the first event concerned (None when a checkpoint itself is at
    fault); ``code`` is stable; ``message`` is for the person and holds no content.
    """

    index: int | None
    code: str
    message: str


@dataclass(frozen=True)
class Verification:
    """What an export proves.

    ``events`` is the number of lines read; ``root`` the 32-byte root of the unbroken
    beginning; ``proved_size`` how many of the first events a signed checkpoint
    vouches for. Events after that are only consistent with themselves.
    """

    events: int
    root: bytes
    proved_size: int
    problems: list[Problem]

    @property
    def ok(self) -> bool:
        """True when nothing at all was found wrong."""
        return not self.problems


def verify_export(
    lines: Iterable[bytes], checkpoints: Iterable[str], public_key: VerifierKey
) -> Verification:
    """Compare an exported log with the checkpoints that were signed over it.

    ``lines`` are those of ``export_line`` in order, read as a stream; ``checkpoints``
    are signed notes in any order. Nothing is raised for what the input holds: every
    finding is a ``Problem``, and the first names the first index that differs.
    """
    signed, faults = _signed_heads(checkpoints, public_key)
    findings: list[Problem] = []
    frontier = Frontier()
    heads = {0: frontier.root()}
    events = expected = 0
    unbroken = True
    for line in lines:
        events += 1
        index, leaf, found = _read_line(line, expected)
        findings += found
        unbroken = unbroken and leaf is not None and index == expected
        if unbroken and leaf is not None:
            frontier.append(leaf)
            if frontier.size in signed:
                heads[frontier.size] = frontier.root()
        expected = max(expected, index + 1)
    proved_size, mismatches = _compare_heads(signed, heads, read_to=expected)
    # What a line itself shows is exact, and so stands before what only a root shows.
    problems = findings + mismatches + faults
    return Verification(events, frontier.root(), proved_size, problems)


def _signed_heads(
    checkpoints: Iterable[str], public_key: VerifierKey
) -> tuple[dict[int, bytes], list[Problem]]:
    """Root by tree size, and the checkpoints that cannot be believed."""
    heads: dict[int, bytes] = {}
    faults: list[Problem] = []
    for number, note in enumerate(checkpoints, start=1):
        try:
            seen = parse_and_verify_checkpoint(note, public_key)
        except HoldfastError as error:
            text = f"Checkpoint {number} is refused: {error.message}"
            faults.append(Problem(None, "checkpoint-refused", text))
            continue
        if heads.setdefault(seen.size, seen.root) != seen.root:
            text = (
                f"Two checkpoints signed for {seen.size} events disagree: "
                "the log was shown in two versions."
            )
            faults.append(Problem(None, "split-view", text))
    if not heads:
        text = "No checkpoint vouches for this export, so that it proves nothing."
        faults.append(Problem(None, "no-checkpoint", text))
    return heads, faults


def _read_line(line: bytes, expected: int) -> tuple[int, bytes | None, list[Problem]]:
    """The line's index and stated leaf hash (None when unreadable), and problems.

    The stated leaf, not the event, goes into the tree: when the tree then matches a
    signed checkpoint, the leaf is proved, and a differing event is the altered one.
    """
    try:
        entry = json.loads(line)
        index, event, leaf = entry["index"], entry["event"], entry["leaf"]
        stated, actual = bytes.fromhex(leaf), leaf_hash(canonical(event))
        if type(index) is not int or index < 0 or len(stated) != HASH_SIZE_BYTES:
            raise ValueError
    except _UNREADABLE:
        text = f"The line where index {expected} should stand cannot be read."
        return expected, None, [Problem(expected, "unreadable", text)]
    problems = _place_problems(index, expected)
    if stated != actual:
        text = f"The event at index {index} differs from the leaf it was logged under."
        problems.append(Problem(index, "event-differs", text))
    elif line.removesuffix(b"\n") != export_line(index, event).removesuffix(b"\n"):
        # The event is proved but not every byte of the line is: a second key of the
        # same name, say, would show another reader something else.
        text = f"The line of index {index} is not as it was exported."
        problems.append(Problem(index, "line-differs", text))
    return index, stated, problems


def _place_problems(index: int, expected: int) -> list[Problem]:
    """What is wrong with an index standing where ``expected`` should."""
    if index > expected:
        text = f"Index {expected} should follow, and {index} stands there."
        return [Problem(expected, "gap", text)]
    if index < expected:
        text = f"Index {index} stands where {expected} should: moved or repeated."
        return [Problem(expected, "out-of-order", text)]
    return []


def _compare_heads(
    signed: Mapping[int, bytes], heads: Mapping[int, bytes], *, read_to: int
) -> tuple[int, list[Problem]]:
    """How many events are proved, and where the export leaves what was signed.

    Only the first checkpoint that fails is named: every later one fails with it.
    ``read_to`` is one more than the highest index read.
    """
    proved_size = 0
    problems: list[Problem] = []
    for size in sorted(signed.keys() & heads.keys()):
        if heads[size] != signed[size]:
            text = (
                f"The events from index {proved_size} to {size - 1} are not "
                f"those the checkpoint over {size} events was signed for."
            )
            problems.append(Problem(proved_size, "root-differs", text))
            break
        proved_size = size
    longest = max(signed, default=0)
    if read_to < longest:
        text = f"The export ends before index {read_to}; {longest} events were signed."
        problems.append(Problem(read_to, "truncated", text))
    return proved_size, problems

"""Which pictures of many share local features with one: an index that may miss a few.

A copy shares dozens of points with its original, so it need not find each of them:
every descriptor is filed in a few tables under some of its bits, and a query looks
where those bits, or all but one, are equal. What is found is compared whole, and votes
for its picture together with all that would turn and scale the picture alike. The
pictures with most votes are candidates for :mod:`holdfast.signals.alignment`: nothing
is decided here. Rules: Indyk and Motwani, "Approximate nearest neighbors" (1998), with
the neighbouring keys of Lv and others, "Multi-probe LSH" (2007); the geometry of the
vote is that of Jegou and others, "Weak geometric consistency" (2008).

Blocks are immutable; adding makes a new one, and small ones are put together. Memory:
54 bytes a descriptor, so 128 descriptors a picture are 7 GB per million pictures; the
arrays may as well be mapped files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.features import DESCRIPTOR_BYTES, Features, Query
from holdfast.signals.hamming import distance, read_only
from holdfast.signals.kernels import kernel

RADIUS_BITS = 40
"""Descriptors at most so far apart may be the same point. Further ones are more often
of another picture than of a copy, in a collection of a million."""
TABLES = 4
"""Six find no more of whole copies, and take 1.4 kB more a picture."""
MIN_KEY_BITS, MAX_KEY_BITS = 8, 24
ROWS_PER_KEY_BITS = 3
"""Keys are shorter by this many bits than the number of rows has: lists of about
eight."""
KEY_SEED = 256
"""Which bits make the keys is drawn once and for all: order must not matter, and the
neighbours among ORB's bits are alike."""
TURN_BINS = 16
"""Bins of 22.5 degrees; each vote goes into two, so that no edge splits a copy's."""
SIZE_BINS_PER_OCTAVE = 1.5
SIZE_REACH = 16
"""Bins on either side of the same size."""
MIN_VOTES = 3
"""A candidate has at least so many: two points lie on each other in any pictures."""
MERGE_FACTOR = 2
"""A block is put together with the one before it unless that is so many times
longer: there are never more than about log2 of the size."""


class Candidate(NamedTuple):
    """A picture worth aligning: ``votes`` of one mind, on the plain query or not."""

    picture_id: int
    votes: int
    mirrored: bool


class Block(NamedTuple):
    """Descriptors of some pictures and their tables; never changed.

    n descriptors, p pictures, keys of b bits. Rows whose key in table ``t`` is ``v``
    are ``lists[t, heads[t, v]:heads[t, v + 1]]``.
    """

    words: NDArray[np.uint64]
    """(n, 4) descriptors."""
    owner: NDArray[np.uint32]
    """(n,) which picture has it, an index into ``pictures``."""
    shape: NDArray[np.uint8]
    """(n, 2) angle in 1/256 turn, size in 1/16 octave above a quarter pixel."""
    pictures: NDArray[np.int64]
    """(p,) identifiers."""
    heads: NDArray[np.uint32]
    """(TABLES, 2**b + 1)."""
    lists: NDArray[np.uint32]
    """(TABLES, n)."""

    @property
    def key_bits(self) -> int:
        return int(self.heads.shape[1] - 1).bit_length() - 1

    @property
    def size_bytes(self) -> int:
        return sum(int(each.nbytes) for each in self)


class FeatureIndex:
    """The features of many pictures, in memory.

    Not for several threads at once while something is added; any number may search.
    """

    def __init__(self) -> None:
        self.blocks: tuple[Block, ...] = ()

    def __len__(self) -> int:
        return sum(len(block.pictures) for block in self.blocks)

    @property
    def size_bytes(self) -> int:
        """Memory of all arrays."""
        return sum(block.size_bytes for block in self.blocks)

    def add(self, pictures: Sequence[tuple[int, Features]]) -> None:
        """Add pictures by identifier; the first INDEXED_POINTS of each are searched.

        Each is found at once when this returns. Adding many together is quicker.
        """
        if not pictures:
            return
        block = _block_of(pictures)
        blocks = list(self.blocks)
        while blocks and len(blocks[-1].words) < MERGE_FACTOR * len(block.words):
            block = _joined(blocks.pop(), block)
        self.blocks = (*blocks, block)

    def candidates(self, query: Query, most: int) -> list[Candidate]:
        """At most ``most`` pictures that share features with the query, best first.

        Some that share few may be missed; none is certain.
        """
        found: dict[int, Candidate] = {}
        for mirrored, features in ((False, query.plain), (True, query.mirrored)):
            for block in self.blocks:
                for picture, votes in _votes(block, features, most):
                    known = found.get(picture)
                    if known is None or known.votes < votes:
                        found[picture] = Candidate(picture, votes, mirrored)
        best = sorted(found.values(), key=lambda each: (-each.votes, each.picture_id))
        return best[:most]


# Building ------------------------------------------------------------------------


def _block_of(pictures: Sequence[tuple[int, Features]]) -> Block:
    few = [features.indexed for _, features in pictures]
    words = np.concatenate([_words(each) for each in few])
    shape = np.concatenate([_shape(each) for each in few])
    counts = [len(each) for each in few]
    owner = np.repeat(np.arange(len(few), dtype=np.uint32), counts)
    ids = np.array([picture_id for picture_id, _ in pictures], np.int64)
    return _filed(words, owner, shape, ids)


def _joined(one: Block, other: Block) -> Block:
    later = other.owner + np.uint32(len(one.pictures))
    return _filed(
        np.concatenate((one.words, other.words)),
        np.concatenate((one.owner, later)),
        np.concatenate((one.shape, other.shape)),
        np.concatenate((one.pictures, other.pictures)),
    )


def _filed(
    words: NDArray[np.uint64],
    owner: NDArray[np.uint32],
    shape: NDArray[np.uint8],
    pictures: NDArray[np.int64],
) -> Block:
    bits = len(words).bit_length() - ROWS_PER_KEY_BITS
    bits = min(MAX_KEY_BITS, max(MIN_KEY_BITS, bits))
    heads = np.zeros((TABLES, (1 << bits) + 1), np.uint32)
    lists = np.empty((TABLES, len(words)), np.uint32)
    for table in range(TABLES):
        keys = _keys(read_only(words), _KEY_PLACES[table, :bits])
        _file(keys, heads[table], lists[table])
    return Block(words, owner, shape, pictures, heads, lists)


def _words(features: Features) -> NDArray[np.uint64]:
    descriptors = np.ascontiguousarray(features.descriptors)
    return descriptors.view(np.uint64).reshape(-1, DESCRIPTOR_BYTES // 8)


def _shape(features: Features) -> NDArray[np.uint8]:
    turn = np.rint(features.points[:, 3] * (256 / 360)) % 256
    size = np.rint(16 * np.log2(np.maximum(features.points[:, 2], 0.25) / 0.25))
    return np.stack((turn, size.clip(0, 255)), axis=1).astype(np.uint8)


_KEY_PLACES = (
    np.random.default_rng(KEY_SEED)
    .permutation(256)[: TABLES * MAX_KEY_BITS]
    .reshape(TABLES, MAX_KEY_BITS)
)


@kernel
def _key(words: NDArray[np.uint64], row: int, places: NDArray[np.int64]) -> np.uint32:
    key = np.uint64(0)
    for place in places:
        bit = (words[row, place >> 6] >> np.uint64(place & 63)) & np.uint64(1)
        key = (key << np.uint64(1)) | bit
    return np.uint32(key)


@kernel
def _keys(words: NDArray[np.uint64], places: NDArray[np.int64]) -> NDArray[np.uint32]:
    keys = np.empty(len(words), np.uint32)
    for row in range(len(words)):
        keys[row] = _key(words, row, places)
    return keys


@kernel
def _file(
    keys: NDArray[np.uint32], heads: NDArray[np.uint32], rows: NDArray[np.uint32]
) -> None:
    """Counting sort of the rows by their keys; ``heads`` comes as zeros."""
    for key in keys:
        heads[key + 1] += np.uint32(1)
    for key in range(1, len(heads)):
        heads[key] += heads[key - 1]
    place = heads.copy()
    for row in range(len(keys)):
        rows[place[keys[row]]] = np.uint32(row)
        place[keys[row]] += np.uint32(1)


# Searching -----------------------------------------------------------------------


def _votes(block: Block, query: Features, most: int) -> list[tuple[int, int]]:
    """(picture, votes) of the ``most`` pictures with most votes of one mind."""
    if not len(query) or not len(block.words):
        return []
    words = read_only(_words(query))
    found = _near(
        words,
        read_only(block.words),
        read_only(block.heads),
        read_only(block.lists),
        _KEY_PLACES[: len(block.heads), : block.key_bits],
        RADIUS_BITS,
    )
    if not len(found):
        return []
    row, asked = found[:, 0], found[:, 1]
    own, theirs = _shape(query)[asked].astype(np.int64), block.shape[row].astype(int)
    # A descriptor votes once for a picture and a mind, however often it is found.
    ballots = np.unique(
        np.concatenate(
            [
                _ballot(block.owner[row], asked, own - theirs, half_turn, half_size)
                for half_turn in (0, 1)
                for half_size in (0, 1)
            ]
        )
    )
    mind, votes = np.unique(ballots >> _ASKED_BITS, return_counts=True)
    picture = mind >> _MIND_BITS
    first = np.flatnonzero(np.diff(picture, prepend=-1))
    votes = np.maximum.reduceat(votes, first)
    picture = picture[first]
    order = np.lexsort((picture, -votes))[:most]
    return [
        (int(block.pictures[picture[each]]), int(votes[each]))
        for each in order
        if votes[each] >= MIN_VOTES
    ]


_ASKED_BITS, _MIND_BITS = 12, 12
"""Room in a ballot for the query's point, and for turn and size with their halves."""


def _ballot(
    owner: NDArray[np.uint32],
    asked: NDArray[np.int64],
    apart: NDArray[np.int64],
    half_turn: int,
    half_size: int,
) -> NDArray[np.int64]:
    """Picture, mind and point of the query in one number. ``apart``: 1/256 turn and
    1/16 octave between the two points."""
    turn_width = 256 // TURN_BINS
    turn = (apart[:, 0] + half_turn * turn_width // 2) % 256 // turn_width
    in_bins = apart[:, 1] * (SIZE_BINS_PER_OCTAVE / 16) + half_size / 2
    size = np.floor(in_bins).astype(np.int64).clip(-SIZE_REACH, SIZE_REACH - 1)
    mind = ((turn * 2 + half_turn) * 2 + half_size) * 2 * SIZE_REACH + size + SIZE_REACH
    picture = owner.astype(np.int64) << (_MIND_BITS + _ASKED_BITS)
    return np.asarray(picture | (mind << _ASKED_BITS) | asked)


@kernel
def _near(
    queries: NDArray[np.uint64],
    rows: NDArray[np.uint64],
    heads: NDArray[np.uint32],
    lists: NDArray[np.uint32],
    places: NDArray[np.int64],
    radius_bits: int,
) -> NDArray[np.int64]:
    """(m, 2): rows near a query, and the query, some of them more than once."""
    found = np.empty((1024, 2), np.int64)
    count = 0
    bits = places.shape[1]
    for query in range(len(queries)):
        for table in range(len(places)):
            key = _key(queries, query, places[table])
            for turned in range(bits + 1):
                probe = key
                if turned:
                    probe = key ^ np.uint32(1 << (turned - 1))
                for at in range(heads[table, probe], heads[table, probe + 1]):
                    row = lists[table, at]
                    if distance(queries[query], rows, row) > radius_bits:
                        continue
                    if count == len(found):
                        larger = np.empty((2 * count, 2), np.int64)
                        larger[:count] = found
                        found = larger
                    found[count, 0] = row
                    found[count, 1] = query
                    count += 1
    return found[:count]

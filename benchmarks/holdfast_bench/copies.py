"""Finding copies among n fingerprints, beside FAISS and python-threatexchange.

All run in this process on the same rows, with one thread unless said, in rounds that
take turns; medians. Each round has queries of its own, which nobody has in the cache.
FAISS's flat search is given the same batch as ours. PDQ's index of
python-threatexchange is asked through its own API, one query after the other, from
hexadecimal text to matches, and so are we. Rows are uniform: see the facts about real
pictures in the reference. Nothing is read from PostgreSQL here: ``freeze`` does that.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from holdfast.base.errors import Unavailable
from holdfast.matching.segment_folder import SegmentFolder
from holdfast.matching.segments import Segment, new_segment
from holdfast.matching.table_rows import Rows, Witness
from holdfast.signals.hamming import search, to_fingerprints, to_words
from holdfast.signals.tables import shuffled
from holdfast_bench.machine import processor

_missing: str | None = None
try:
    import faiss
    from threatexchange.signal_type.pdq.pdq_index import PDQIndex
    from threatexchange.signal_type.pdq.pdq_index2 import PDQIndex2
except ImportError as error:
    _missing = error.name

RADIUS_BITS = 31
"""What python-threatexchange's index is made for, and Meta's recommendation."""
DEFAULT_ROWS = 1_000_000
FIRST_SIZE = 100_000
"""Growth is shown from here on, each size ten times the one before."""
BATCH = 64
"""Queries of a batch: the first half are copies of rows, at each distance from 0 to 31
bits; the others are of no row."""
ROUNDS = 5
SINGLES = 2_000
"""Single queries whose p50 and p99 are told."""
ADD_ROWS = 500_000
"""Rows are given to python-threatexchange in parts, for it makes lists of them."""
FLOAT_INDEX_ROWS = 100_000
"""Its second index holds every bit as a float, 1 KB a row, and is measured to here."""
THREATEXCHANGE_ROW_BYTES = 650
"""What a row takes in its index, a little more than was measured at 10 million. Where
that is not there, the sizes beyond it are measured without it, and say so."""
IDENTITY = {"of": "a benchmark"}

Found = set[tuple[int, int, int]]
"""Query, row and distance."""


class Engine(Protocol):
    """Something that finds copies."""

    name: str
    size_bytes: int

    def ask(self, queries: NDArray[np.uint64], texts: list[str]) -> Found:
        """Answer every query; the same ones as words and as hexadecimal text."""


@dataclass
class Holdfast:
    """Our segment on the disk, asked in one batch."""

    segment: Segment
    size_bytes: int
    name: str = "holdfast"

    def ask(self, queries: NDArray[np.uint64], texts: list[str]) -> Found:
        """As the index does it, without PostgreSQL."""
        found = self.segment.near(shuffled(queries), RADIUS_BITS)
        rows = self.segment.ids[found.row_index]
        return set(
            zip(
                found.query_index.tolist(),
                rows.tolist(),
                found.distance_bits.tolist(),
                strict=True,
            )
        )


@dataclass
class HoldfastSingly(Holdfast):
    """The same, from text and one query after the other."""

    name: str = "holdfast_singly"

    def ask(self, queries: NDArray[np.uint64], texts: list[str]) -> Found:
        """From text to matches, as an API of one query at a time."""
        found: Found = set()
        for number, text in enumerate(texts):
            one = super().ask(to_words([bytes.fromhex(text)]), [text])
            found.update((number, row, distance) for _zero, row, distance in one)
        return found


class FaissFlat:
    """FAISS ``IndexBinaryFlat``: every row is compared with every query."""

    name = "faiss_flat"

    def __init__(self, rows: NDArray[np.uint64]) -> None:
        self._index = faiss.IndexBinaryFlat(256)
        self._index.add(as_bytes(rows))
        self.size_bytes = self._index.ntotal * self._index.code_size

    def ask(self, queries: NDArray[np.uint64], texts: list[str]) -> Found:
        """One call for the batch."""
        # FAISS finds what is nearer than the radius.
        limits, distances, rows = self._index.range_search(
            as_bytes(queries), RADIUS_BITS + 1
        )
        owner = np.repeat(np.arange(len(queries)), np.diff(limits.astype(np.int64)))
        return set(
            zip(
                owner.tolist(),
                rows.tolist(),
                distances.astype(np.int64).tolist(),
                strict=True,
            )
        )


class ThreatExchange:
    """python-threatexchange's index for PDQ, by its own API."""

    def __init__(self, name: str, index: Any, rows: NDArray[np.uint64]) -> None:
        self.name = name
        before = resident_bytes()
        self._index = index
        for start in range(0, len(rows), ADD_ROWS):
            part = to_fingerprints(rows[start : start + ADD_ROWS])
            self._index.add_all(
                [(each.hex(), start + place) for place, each in enumerate(part)]
            )
        self.size_bytes = resident_bytes() - before

    def ask(self, queries: NDArray[np.uint64], texts: list[str]) -> Found:
        """One call a query: it takes no batches."""
        return {
            (number, match.metadata, round(match.similarity_info.distance))
            for number, text in enumerate(texts)
            for match in self._index.query(text)
        }


@dataclass
class Queries:
    """A batch, and the row and distance that each of its first half was made from."""

    words: NDArray[np.uint64]
    planted: Found
    texts: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.texts = [each.hex() for each in to_fingerprints(self.words)]

    @classmethod
    def among(
        cls, rows: NDArray[np.uint64], count: int, chance: np.random.Generator
    ) -> Queries:
        """``count`` queries, half of them copies of rows."""
        words = random_rows(count, chance)
        planted: Found = set()
        for query in range(count // 2):
            row, distance = int(chance.integers(len(rows))), query % (RADIUS_BITS + 1)
            words[query] = rows[row]
            for bit in chance.choice(256, distance, replace=False):
                words[query, bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
            planted.add((query, row, distance))
        return cls(words, planted)


def run(
    *,
    n: int | None = None,
    media: Path | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Measure at ``n`` rows (default :data:`DEFAULT_ROWS`) and at sizes below it.

    Memory: about 850 bytes a row with the peers; python-threatexchange's index is left
    out (its ratio is None) at sizes where it does not fit, and these are not at the
    head of the result, see :func:`assembled`. ``media`` is not used.
    Raises :class:`Unavailable` where a peer is not installed.
    """
    if _missing is not None:
        raise Unavailable(
            "This benchmark measures beside python-threatexchange and FAISS. Install "
            "them: pip install 'holdfast[bench]'.",
            missing=_missing,
        )
    count = DEFAULT_ROWS if n is None else n
    faiss.omp_set_num_threads(1)
    growth = [measure(size, progress) for size in sizes_to(count)]
    load = os.getloadavg()[0]
    about = {
        "machine": {
            "cores": os.cpu_count(),
            "processor": processor(),
            "python": platform.python_version(),
            "load": round(load, 2),
        },
        "versions": {
            name: version(name)
            for name in ("numpy", "numba", "faiss-cpu", "threatexchange")
        },
        "rounds": ROUNDS,
        "batch": BATCH,
    }
    return assembled(growth, about)


def assembled(growth: list[dict[str, Any]], about: Mapping[str, Any]) -> dict[str, Any]:
    """The result: what was measured at each size, and which of them is at its head.

    The head is the largest size at which python-threatexchange ran beside us, so that
    every ratio there is of one run; ``largest_n`` is how far ours and FAISS went on.
    """
    beside = [one for one in growth if one["ratio_vs_threatexchange"] is not None]
    head = (beside or growth)[-1]
    return {**head, "largest_n": growth[-1]["n"], "growth": growth, **about}


def measure(size: int, progress: Callable[[str], None]) -> dict[str, Any]:
    """Everything at one size."""
    chance = np.random.default_rng(size)
    rows = random_rows(size, chance)
    queries = Queries.among(rows, BATCH, chance)
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        progress(f"{size:,} rows: building ours")
        started = time.perf_counter()
        segment = built(Path(folder), rows)
        build_s = time.perf_counter() - started
        ours = Holdfast(segment, segment.size_bytes)
        singly = HoldfastSingly(segment, segment.size_bytes)
        progress(f"{size:,} rows: building the peers'")
        engines: list[Engine] = [ours, singly, FaissFlat(rows)]
        if size * THREATEXCHANGE_ROW_BYTES < available_bytes():
            engines.append(ThreatExchange("threatexchange", PDQIndex(), rows))
        if size <= FLOAT_INDEX_ROWS:
            engines.append(ThreatExchange("threatexchange_2", PDQIndex2(), rows))
        progress(f"{size:,} rows: searching")
        ms, cpu_ms, recall, agree = in_turns(engines, rows, chance)
        return {
            "n": size,
            "recall": recall["holdfast"],
            "ratio_vs_threatexchange": (
                ms["threatexchange"] / ms["holdfast_singly"]
                if "threatexchange" in ms
                else None
            ),
            "ratio_vs_faiss_flat": ms["faiss_flat"] / ms["holdfast"],
            "bytes_per_fingerprint": segment.size_bytes / size,
            "single_ms": singles(ours, rows, chance),
            **start(Path(folder), queries.texts[0]),
            "flat_scan_bound_ms": 1e3 * read_once_s(rows),
            "flat_scan_ms": 1e3 * scan_s(rows, queries.words[-1:]),
            "build_s": build_s,
            "words": segment.tables.words if segment.tables else 0,
            "query_ms": ms,
            "query_cpu_ms": cpu_ms,
            "recalls": recall,
            "all_agree": agree,
            "peer_bytes_per_fingerprint": {
                engine.name: engine.size_bytes / size
                for engine in engines
                if not isinstance(engine, Holdfast)
            },
            "two_threads": two_threads(ours, engines[2], queries),
        }


def in_turns(
    engines: list[Engine], rows: NDArray[np.uint64], chance: np.random.Generator
) -> tuple[dict[str, float], dict[str, float], dict[str, float], bool]:
    """Milliseconds a query, and of the processor; recall; whether all say the same.

    Each engine answers one batch before, which is not counted. No two rounds have the
    same queries, and in every other one the engines come in the opposite order: what
    one has read into the cache helps none of them more than another. Where other
    programs run, the processor's time is the steadier of the two.
    """
    names = [engine.name for engine in engines]
    taken: dict[str, list[float]] = {name: [] for name in names}
    worked: dict[str, list[float]] = {name: [] for name in names}
    planted, recalled, agree = 0, dict.fromkeys(names, 0), True
    for number in range(1 + ROUNDS):
        queries = Queries.among(rows, BATCH, chance)
        answers: dict[str, Found] = {}
        for engine in engines if number % 2 else reversed(engines):
            cpu, started = time.process_time(), time.perf_counter()
            answers[engine.name] = engine.ask(queries.words, queries.texts)
            if number:
                taken[engine.name].append(time.perf_counter() - started)
                worked[engine.name].append(time.process_time() - cpu)
        planted += len(queries.planted)
        for name, found in answers.items():
            recalled[name] += len(queries.planted & found)
            agree = agree and found == answers["holdfast"]
    recall = {name: count / planted for name, count in recalled.items()}
    return per_query_ms(taken), per_query_ms(worked), recall, agree


def per_query_ms(taken: dict[str, list[float]]) -> dict[str, float]:
    """Medians, for one query of a batch."""
    return {name: 1e3 * median(each) / BATCH for name, each in taken.items()}


def singles(
    ours: Holdfast, rows: NDArray[np.uint64], chance: np.random.Generator
) -> dict[str, float]:
    """p50 and p99 of single queries, none asked before, in milliseconds."""
    queries = Queries.among(rows, SINGLES, chance)
    taken = []
    for query in range(SINGLES):
        started = time.perf_counter()
        ours.ask(queries.words[query : query + 1], [])
        taken.append(1e3 * (time.perf_counter() - started))
    p50, p99 = np.percentile(taken, [50, 99])
    return {"p50": float(p50), "p99": float(p99)}


def two_threads(ours: Holdfast, flat: Engine, queries: Queries) -> dict[str, float]:
    """How much faster two threads answer the batch than one, ours and FAISS's."""
    halves = [queries.words[::2], queries.words[1::2]]
    one, two, flat_one, flat_two = [], [], [], []
    with ThreadPoolExecutor(2) as pool:
        for _round in range(ROUNDS):
            one.append(timed(lambda: [ours.ask(half, []) for half in halves * 8]))
            two.append(
                timed(lambda: list(pool.map(lambda h: ours.ask(h, []), halves * 8)))
            )
            flat_one.append(timed(lambda: flat.ask(queries.words, [])))
            faiss.omp_set_num_threads(2)
            flat_two.append(timed(lambda: flat.ask(queries.words, [])))
            faiss.omp_set_num_threads(1)
    return {
        "holdfast_speedup": median(one) / median(two),
        "faiss_flat_speedup": median(flat_one) / median(flat_two),
    }


CHILD = """
import json, sys, time
from pathlib import Path
from holdfast.matching.segment_folder import SegmentFolder
from holdfast.signals.hamming import to_words
from holdfast.signals.multi_index import load_kernels
from holdfast.signals.tables import shuffled
folder, identity, text, radius = json.loads(sys.argv[1])
load_kernels()
started = time.perf_counter()
segment = SegmentFolder(Path(folder)).open(identity).segments[0]
found = segment.near(shuffled(to_words([bytes.fromhex(text)])), radius)
print(json.dumps([time.perf_counter() - started, len(found.row_index)]))
"""


def start(folder: Path, text: str) -> dict[str, float]:
    """A new process, with compiled kernels kept by an earlier one.

    ``start_s``: from opening the files to the first answer. ``process_s``: with the
    start of the interpreter, all imports and the loading of kernels before that,
    which take the same time whatever the number of rows.
    """
    given = json.dumps([str(folder), IDENTITY, text, RADIUS_BITS])
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, given], check=True, capture_output=True, text=True
    )
    process_s = time.perf_counter() - started
    start_s, found = json.loads(done.stdout)
    if not found:
        raise Unavailable("A new process did not find what was planted.")
    return {"start_s": start_s, "process_s": process_s}


def built(folder: Path, rows: NDArray[np.uint64]) -> Segment:
    """The rows as one published segment; a row's id is its number."""
    ids = np.arange(len(rows), dtype=np.int64)
    with new_segment(folder, len(rows)) as writer:
        for part in parts(len(rows)):
            writer.add(Rows(ids[part], rows[part], ids[part]))
        witness = Witness(0, 0, to_fingerprints(rows[:1])[0])
        segment = writer.publish(IDENTITY, 0, [witness])
    SegmentFolder(folder).publish(IDENTITY, [segment])
    segment.warm()
    return segment


def parts(count: int) -> Iterator[slice]:
    """Slices that together are everything."""
    return (slice(at, min(at + ADD_ROWS, count)) for at in range(0, count, ADD_ROWS))


def sizes_to(count: int) -> list[int]:
    """From :data:`FIRST_SIZE` in steps of ten, and ``count`` at the end."""
    sizes, size = [], FIRST_SIZE
    while size < count:
        sizes.append(size)
        size *= 10
    return [*sizes, count]


def random_rows(count: int, chance: np.random.Generator) -> NDArray[np.uint64]:
    """Uniform fingerprints as words."""
    return chance.integers(0, 2**64, (count, 4), dtype=np.uint64)


def as_bytes(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """(N, 32) bytes; their order within a word changes no distance."""
    return np.ascontiguousarray(words).view(np.uint8).reshape(-1, 32)


def timed(act: Callable[[], object]) -> float:
    """Seconds it takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def read_once_s(rows: NDArray[np.uint64]) -> float:
    """Reading every row once and doing as good as nothing: no scan is quicker."""
    return min(timed(rows.max) for _round in range(ROUNDS))


def scan_s(rows: NDArray[np.uint64], query: NDArray[np.uint64]) -> float:
    """Our scan of every row for one query."""
    return median(
        timed(lambda: search(query, rows, RADIUS_BITS)) for _round in range(ROUNDS)
    )


def resident_bytes() -> int:
    """Memory of this process, in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def available_bytes() -> int:
    """Memory that can be had without swapping."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def assembled_anew(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result that was kept, assembled as one is now from the same measurements."""
    growth: list[dict[str, Any]] = result["growth"]
    about = {name: result[name] for name in ("machine", "versions", "rounds", "batch")}
    return assembled(growth, about)


if __name__ == "__main__":
    kept = Path(sys.argv[1])
    anew = assembled_anew(json.loads(kept.read_text()))
    kept.write_text(json.dumps(anew, indent=2) + "\n")

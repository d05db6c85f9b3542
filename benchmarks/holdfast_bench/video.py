"""Videos beside ``vpdq``: time on a 720p clip, and the copies each finds.

Time: from a file to its fingerprints, each as it comes, rounds interleaved, medians.
``vpdq`` decodes on all cores whatever its ``thread_count`` says (that is of hashing),
but only frames that were coded in several slices. So beside each ratio stands the one
of processor time, and how many cores each was busy on; and Holdfast on one thread.

The clip is a minute at x264's own settings, which put a keyframe at each cut and one
every 250 frames at least, in two slices a frame, as PyAV has x264 write them where a
machine has two cores: ``vpdq``'s best case. Most files have one; a second clip has. How
fast keyframes alone are depends on how many there are, so that pass is timed once more
on a clip that has one every two seconds, as sites cut films for streaming.

Decoding is the limit, so decoding alone stands beside it, with the threads and the
settings that Holdfast decodes with. Copies: every edit of :data:`.films.EDITS` on
several films, re-encoded from their decoded frames; each copy is held against its
original and against every other film.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module, metadata
from itertools import chain
from math import inf
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import av

from holdfast.base.errors import HoldfastError, InvalidInput
from holdfast.signals.digest import digest_bytes
from holdfast.signals.pdq import PDQ
from holdfast.signals.sign import Part, Signals, View
from holdfast.signals.video import ALL_CORES, sign_video
from holdfast.signals.video_frames import Depth, VideoReader
from holdfast.signals.video_match import Relation, compare
from holdfast_bench.films import EDITS, FPS, film, photographs, write
from holdfast_bench.machine import processor

FILMS = 3
"""How many films are edited, unless ``n`` says."""
PHOTOS_A_FILM = 3
CLIP: dict[str, Any] = {"size": (1280, 720), "seconds": 60}
OFTEN: dict[str, Any] = {"size": (1280, 720), "seconds": 20}
ONE_SLICE = {"x264-params": "sliced-threads=0:slices=1"}
EDITED: dict[str, Any] = {"size": (640, 360), "seconds": 30}
TINY: dict[str, Any] = {"size": (480, 272), "seconds": 10}
"""What is timed; what is timed besides, with a keyframe every OFTEN_S seconds and with
one slice a frame; what is edited; and all of them where ``n`` is 1: for the tests."""
OFTEN_S = 2
ROUNDS = 5


def run(
    *,
    n: int | None = None,
    media: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """The measurement as one JSON object. ``n``: films edited (2 or more; 1 is tiny).

    ``media``: a folder of photographs the films are made from; scikit-image's without
    it. Raises HoldfastError naming what to install where ``vpdq`` is missing.
    """
    vpdq = _peer()
    tiny = n == 1
    films = max(2, n or FILMS)
    photos = photographs(media)
    if len(photos) < films * PHOTOS_A_FILM:
        raise InvalidInput(
            f"{films} films need {films * PHOTOS_A_FILM} photographs.", n=len(photos)
        )
    shots = [photos[i * PHOTOS_A_FILM : (i + 1) * PHOTOS_A_FILM] for i in range(films)]
    with TemporaryDirectory() as name:
        folder = Path(name)
        progress("Making clips of 720p")
        clip = folder / "clip.mp4"
        write(clip, film(shots[0], **(TINY if tiny else CLIP)), options={})
        rounds = 1 if tiny else ROUNDS
        speed = _speed(clip, vpdq, rounds, progress)
        for name, options in (
            ("keyframes_often", {"g": str(OFTEN_S * FPS)}),
            ("one_slice", ONE_SLICE),
        ):
            made = film(shots[0], **(TINY if tiny else OFTEN))
            other = write(folder / f"{name}.mp4", made, options=options)
            speed[name] = _speed_besides(other, vpdq, rounds, progress)
        speed["keyframes_often"]["every_s"] = OFTEN_S
        copies = _copies(folder, shots, TINY if tiny else EDITED, vpdq, progress)
    return {
        **speed,
        **copies,
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "versions": {
            "vpdq": metadata.version("vpdq"),
            "av": av.__version__,
            "ffmpeg": str(av.ffmpeg_version_info),
        },
    }


def _peer() -> Any:
    try:
        return import_module("vpdq")
    except ImportError as error:
        raise HoldfastError(
            "This bench measures beside vpdq: install holdfast[bench].", missing="vpdq"
        ) from error


# Time -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Took:
    """Medians in seconds: on the clock, and of processors, of all threads together."""

    wall_s: float
    cpu_s: float


def _speed(
    clip: Path, vpdq: Any, rounds: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    took = _timed(_passes(clip, vpdq) | _bounds(clip), rounds, progress)
    ratios = {name: took["vpdq"].wall_s / each.wall_s for name, each in took.items()}
    cpu = {name: took["vpdq"].cpu_s / each.cpu_s for name, each in took.items()}
    about = _about(clip)
    return {
        "ratio_vs_vpdq": round(ratios["holdfast"], 2),
        "keyframes_ratio_vs_vpdq": round(ratios["keyframes"], 1),
        "ratio_vs_vpdq_per_cpu_second": round(cpu["holdfast"], 2),
        "keyframes_ratio_vs_vpdq_per_cpu_second": round(cpu["keyframes"], 1),
        "one_thread_ratio_vs_vpdq": round(ratios["holdfast_one_thread"], 2),
        "keyframes_one_thread_ratio_vs_vpdq": round(ratios["keyframes_one_thread"], 1),
        "bound_ratio_vs_vpdq": {
            name.removeprefix("decoding_"): round(ratio, 2)
            for name, ratio in ratios.items()
            if name.startswith("decoding_")
        },
        # How much of its processor time decoding alone takes, with as many threads.
        "share_of_bound": {
            name: round(took[bound].cpu_s / took[name].cpu_s, 2)
            for name, bound in (
                ("holdfast", "decoding_referenced"),
                ("holdfast_one_thread", "decoding_referenced_one_thread"),
                ("keyframes", "decoding_keyframes"),
                ("keyframes_one_thread", "decoding_keyframes_one_thread"),
            )
        },
        "median_ms": {name: round(each.wall_s * 1e3, 1) for name, each in took.items()},
        "cpu_ms": {name: round(each.cpu_s * 1e3, 1) for name, each in took.items()},
        "cores_busy": {
            name: round(each.cpu_s / each.wall_s, 2) for name, each in took.items()
        },
        "times_real_time": {
            name: round(about["duration_ms"] / 1000 / each.wall_s, 1)
            for name, each in took.items()
        },
        "clip": about,
        "rounds": rounds,
    }


def _speed_besides(
    clip: Path, vpdq: Any, rounds: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    took = _timed(_passes(clip, vpdq), rounds, progress)
    theirs, whole, keyframes = (
        took[name] for name in ("vpdq", "holdfast", "keyframes")
    )
    return _about(clip) | {
        "ratio_vs_vpdq": round(theirs.wall_s / whole.wall_s, 2),
        "ratio_vs_vpdq_per_cpu_second": round(theirs.cpu_s / whole.cpu_s, 2),
        "keyframes_ratio_vs_vpdq": round(theirs.wall_s / keyframes.wall_s, 1),
        "vpdq_cores_busy": round(theirs.cpu_s / theirs.wall_s, 2),
    }


Passes = dict[str, Callable[[], object]]


def _passes(clip: Path, vpdq: Any) -> Passes:
    # vpdq makes no digest of the file, so ours are timed without one too.
    digests = digest_bytes(clip.read_bytes())

    def sign(threads: int, *, keyframes_only: bool) -> Callable[[], object]:
        return lambda: sign_video(
            clip, keyframes_only=keyframes_only, threads=threads, digests=digests
        )

    return {
        "vpdq": lambda: vpdq.computeHash(str(clip), seconds_per_hash=1),
        "holdfast": sign(ALL_CORES, keyframes_only=False),
        "holdfast_one_thread": sign(1, keyframes_only=False),
        "keyframes": sign(ALL_CORES, keyframes_only=True),
        "keyframes_one_thread": sign(1, keyframes_only=True),
    }


def _bounds(clip: Path) -> Passes:
    """Nothing but decoding, as Holdfast decodes; all of it, as ``vpdq`` must."""
    cores = len(os.sched_getaffinity(0))
    depths = {
        "all": Depth.EVERYTHING,
        "referenced": Depth.REFERENCES,
        "keyframes": Depth.KEYFRAMES,
    }

    def decode(depth: Depth, threads: int) -> Callable[[], object]:
        return lambda: _decode(clip, depth, threads)

    return {
        f"decoding_{name}{suffix}": decode(depth, threads)
        for name, depth in depths.items()
        for suffix, threads in (("", cores), ("_one_thread", 1))
    }


def _timed(
    passes: Passes, rounds: int, progress: Callable[[str], None]
) -> dict[str, _Took]:
    """What each takes, in the middle; round by round in turns."""
    wall: dict[str, list[float]] = {name: [] for name in passes}
    cpu: dict[str, list[float]] = {name: [] for name in passes}
    for number in range(rounds + 1):
        progress(f"Timing, round {number} of {rounds}")
        for name, do in passes.items():
            start, busy = time.perf_counter(), time.process_time()
            do()
            # The first round compiles, and reads the file into memory.
            if number:
                wall[name].append(time.perf_counter() - start)
                cpu[name].append(time.process_time() - busy)
    return {name: _Took(median(wall[name]), median(cpu[name])) for name in passes}


def _about(clip: Path) -> dict[str, int]:
    """How large and how long it is, and how many keyframes its encoder made."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        packets = container.demux(stream)
        keyframes = sum(1 for each in packets if each.is_keyframe and each.size)
        duration_ms = (container.duration or 0) * 1000 // av.time_base
    size = clip.stat().st_size
    return {"bytes": size, "duration_ms": duration_ms, "keyframes": keyframes}


def _decode(clip: Path, depth: Depth, threads: int) -> int:
    """How many frames there are, decoded by the reader's settings and not looked at."""
    with (
        clip.open("rb") as source,
        VideoReader(
            source, every_s=1.0, depth=depth, threads=threads, deadline=inf
        ) as reader,
    ):
        return sum(1 for _ in reader.decoded())


# Copies -----------------------------------------------------------------------

Signer = Callable[[Path], Signals]


def _copies(
    folder: Path,
    shots: list[list[Any]],
    settings: dict[str, Any],
    vpdq: Any,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    originals = []
    for number, photos in enumerate(shots):
        progress(f"Making film {number + 1} of {len(shots)}")
        made = film(photos, seed=number + 1, **settings)
        originals.append(write(folder / f"film-{number}.mp4", made))
    copies: list[tuple[str, int, Path]] = []
    for number, original in enumerate(originals):
        other = originals[(number + 1) % len(originals)]
        for edit, do in EDITS.items():
            progress(f"Film {number + 1}: {edit}")
            copies.append((edit, number, do(original, other, _new(folder))))
    ways: dict[str, tuple[Signer, Signer]] = {
        "holdfast": (sign_video, sign_video),
        "keyframes": (_sign_keyframes, sign_video),
        "vpdq": (lambda path: _sign_vpdq(vpdq, path),) * 2,
    }
    found = {
        name: _find(originals, copies, *signers, by_share=name == "vpdq")
        for name, signers in ways.items()
    }
    ours = found["holdfast"]
    return {
        "copies_planted": len(copies),
        "copies_found": sum(ours["edits"].values()),
        "wrongly_found": ours["wrong"],
        "pairs_unrelated": ours["unrelated"],
        "copies_doubtful": ours["doubtful"],
        "keyframes_copies_found": sum(found["keyframes"]["edits"].values()),
        "keyframes_copies_doubtful": found["keyframes"]["doubtful"],
        "vpdq_copies_found": sum(found["vpdq"]["edits"].values()),
        "copies_only_vpdq_found": len(found["vpdq"]["found"] - ours["found"]),
        "vpdq_wrongly_found": found["vpdq"]["wrong"],
        "edits": {
            edit: {"planted": len(originals)}
            | {name: each["edits"][edit] for name, each in found.items()}
            for edit in EDITS
        },
        "views_a_minute": ours["views_a_minute"],
    }


def _find(
    originals: list[Path],
    copies: list[tuple[str, int, Path]],
    sign_copy: Signer,
    sign_original: Signer,
    *,
    by_share: bool,
) -> dict[str, Any]:
    """What is found by our rule, or by vPDQ's share in either direction alone.

    ``found`` holds those too that our rule leaves to people.
    """
    stored = [sign_original(path) for path in originals]
    edits = dict.fromkeys(EDITS, 0)
    found: set[Path] = set()
    wrong = unrelated = doubtful = 0
    for edit, number, path in copies:
        query = sign_copy(path)
        for index, each in enumerate(stored):
            overlap = compare(query, each)
            is_found = (
                overlap.relation is not Relation.NEITHER
                if by_share
                else overlap.is_copy
            )
            if index == number:
                edits[edit] += is_found
                if overlap.relation is not Relation.NEITHER:
                    found.add(path)
                doubtful += overlap.is_doubtful
            elif edit != "contained":
                # What holds the film holds much of another one, too.
                unrelated += 1
                wrong += is_found
    views = len(list(chain.from_iterable(each.views for each in stored)))
    minutes = sum(each.duration_ms or 0 for each in stored) / 60_000
    return {
        "edits": edits,
        "found": found,
        "wrong": wrong,
        "unrelated": unrelated,
        "doubtful": doubtful,
        "views_a_minute": round(views / max(minutes, 1e-9), 1),
    }


def _sign_keyframes(path: Path) -> Signals:
    return sign_video(path, keyframes_only=True)


def _sign_vpdq(vpdq: Any, path: Path) -> Signals:
    """What ``vpdq`` makes of a file, in our types so that one rule serves both."""
    features = vpdq.computeHash(str(path), seconds_per_hash=1, thread_count=1)
    views = tuple(
        View(
            Part.WHOLE,
            (PDQ(bytes.fromhex(each.hex), each.quality),),
            round(each.timestamp * 1000),
        )
        for each in features
    )
    return Signals(bytes(32), bytes(16), views, 0, 0, "")


def _new(folder: Path) -> Path:
    return folder / f"copy-{len(list(folder.iterdir()))}.mp4"

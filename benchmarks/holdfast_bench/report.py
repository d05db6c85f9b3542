"""docs/reference/speed.md, made from the last measurements and from nothing else.

``holdfast bench NAME --json benchmarks/results/NAME.json`` measures; then
``python -m holdfast_bench.report`` writes the page. A test holds the two equal, so no
figure on it was typed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "reference" / "speed.md"

Found = Mapping[str, Any]

HEAD = """# Speed, and what it finds

Made by `python -m holdfast_bench.report` from `benchmarks/results/`, which
`holdfast bench` measured; no figure here was typed. Each measurement runs Holdfast and
the named peer in one process, in turns, and takes medians. Yours will differ: run it
(`make peers`, then `holdfast bench --help`).
"""


def page(results: Path = RESULTS) -> str:
    """The whole page, as text."""
    parts = [HEAD]
    for name, section in SECTIONS.items():
        file = results / f"{name}.json"
        if file.exists():
            parts.append(section(json.loads(file.read_text())))
    return "\n".join(parts)


def _table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _machine(found: Found) -> str:
    machine = found.get("machine", "")
    said = (
        ", ".join(f"{name} {value}" for name, value in machine.items() if value)
        if isinstance(machine, Mapping)
        else str(machine)
    )
    versions = ", ".join(f"{k} {v}" for k, v in found.get("versions", {}).items())
    return f"Machine: {said}. {versions}\n"


def _fingerprints(found: Found) -> str:
    rows = [
        (
            size,
            f"{one['holdfast_ms']:g} ms",
            f"{one['pdqhash_ms']:g} ms",
            f"{one['ratio_vs_pdqhash']:g} times",
            f"{one['libjpeg_turbo_alone_ms']:g} ms",
            f"{one['drift_mean_bits']:g} / {one['drift_max_bits']}",
        )
        for size, one in found["sizes"].items()
    ]
    head = (
        "JPEG",
        "Holdfast",
        found["peer"],
        "ratio",
        "libjpeg-turbo alone",
        "drift, mean / most bits",
    )
    return (
        "## From a JPEG's bytes to its PDQ\n\n"
        + _table(head, rows)
        + f"\nOne thread, {found['rounds']} rounds. {_machine(found)}"
    )


def _copies(found: Found) -> str:
    rows = [
        (
            f"{one['n']:,}",
            f"{one['recall']:g}",
            f"{one['single_ms']['p50']:.2f} / {one['single_ms']['p99']:.2f} ms",
            _times(one["ratio_vs_threatexchange"]),
            f"{one['ratio_vs_faiss_flat']:.0f} times",
            f"{one['bytes_per_fingerprint']:.0f}",
            f"{one['flat_scan_bound_ms']:.2f} ms",
        )
        for one in found["growth"]
    ]
    head = (
        "fingerprints",
        "recall",
        "one query, p50 / p99",
        "python-threatexchange",
        "FAISS flat",
        "bytes each",
        "reading memory once",
    )
    return (
        "## Exact search, 31 of 256 bits\n\n"
        + _table(head, rows)
        + f"\nOpening the largest takes {1000 * found['growth'][-1]['start_s']:.1f} ms."
        + f" python-threatexchange ran beside the others up to {found['n']:,}, which is"
        + " the size at the head of the result."
        + f" {found['rounds']} rounds, batches of {found['batch']}, equal threads."
        + f" {_machine(found)}"
    )


def _times(ratio: float | None) -> str:
    return "does not fit in memory" if ratio is None else f"{ratio:.0f} times"


def _edits(found: Found) -> str:
    rows = [
        (name.replace("_", " "), f"{one['pdq']:.0%}", f"{one['holdfast']:.0%}")
        for name, one in found["families"].items()
    ]
    near, each = found["near_duplicates"], found["bytes_a_picture"]
    people = found.get("wrongly_for_people")
    also = "" if people is None else f", {people} shown to people,"
    return (
        "## What is found of each edit\n\n"
        + _table(("edit", "PDQ alone", "Holdfast"), rows)
        + f"\n{found['photographs']} photographs with enough texture"
        + f" ({len(found['smooth'])} smooth ones left out), against"
        + f" {found['unrelated']:,} unrelated pictures: {found['wrongly_frozen']}"
        + f" wrongly frozen{also} in {found['compared_with_unrelated']:,} comparisons."
        + f" Of {near['made']} near-duplicates (another edition, a step"
        + f" aside, the next moment) {near['by_pdq']} are within PDQ's 31 bits."
        + f" Holdfast froze {near['frozen']} and gave {near['for_people']} to people"
        + " ([why](../decisions/0009-what-freezes-before-people-look.md)); a look at"
        + f" the pixels of one takes {found['ms']['look']:g} ms of processor time."
        + " For a million pictures the index takes"
        + f" {each['index'] / 1000:.1f} GB of memory, and the database keeps"
        + f" {each['stored'] / 1000:.1f} GB. {_machine(found)}"
    )


def _video(found: Found) -> str:
    busy, planted = found["cores_busy"], found["copies_planted"]
    rows = [
        (
            what,
            f"{found[f'{key}ratio_vs_vpdq']:g} times",
            f"{found[f'{key}ratio_vs_vpdq_per_cpu_second']:g} times",
            f"{found[f'{key}one_thread_ratio_vs_vpdq']:g} times",
            f"{busy[name]:g}",
            found[f"{key}copies_found"],
        )
        for what, key, name in (
            ("whole pass", "", "holdfast"),
            ("keyframes alone", "keyframes_", "keyframes"),
        )
    ]
    rows.append(
        (
            "vpdq",
            "1 times",
            "1 times",
            "",
            f"{busy['vpdq']:g}",
            found["vpdq_copies_found"],
        )
    )
    head = (
        "",
        "speed, each as it comes",
        "per second of processor time",
        "on one thread, vpdq as it comes",
        "cores busy",
        f"copies found of {planted}",
    )
    return (
        "## Video, one frame a second, 720p H.264\n\n"
        + _table(head, rows)
        + f"\n{_clips(found)} Wrongly found: {found['wrongly_found']} of"
        + f" {found['pairs_unrelated']} unrelated pairs. {_bound(found)}"
        + f" {_machine(found)}"
    )


def _clips(found: Found) -> str:
    clip, often, one = (
        found[name] for name in ("clip", "keyframes_often", "one_slice")
    )
    return (
        f"The clip: {clip['duration_ms'] / 1000:g} s with {clip['keyframes']}"
        + " keyframes, coded in slices. vpdq decodes with as many threads as there are"
        + " cores, whatever it is told, and they help where a frame has several slices."
        + " Most files have one a frame: there vpdq keeps"
        + f" {one['vpdq_cores_busy']:g} cores busy, and the whole pass is"
        + f" {one['ratio_vs_vpdq']:g} times as fast, keyframes alone"
        + f" {one['keyframes_ratio_vs_vpdq']:g} times. Where there is a keyframe every"
        + f" {often['every_s']} seconds, keyframes alone are"
        + f" {often['keyframes_ratio_vs_vpdq']:g} times as fast as vpdq."
    )


def _bound(found: Found) -> str:
    bound, share = found["bound_ratio_vs_vpdq"], found["share_of_bound"]
    alone = ", ".join(
        f"{name.replace('_one_thread', ' on one thread')} {each:g} times"
        for name, each in bound.items()
    )
    return (
        f"Nothing but decoding, beside vpdq: {alone}. Of the whole pass's processor"
        + f" time {share['holdfast']:.0%} is what decoding alone takes with as many"
        + f" threads ({share['holdfast_one_thread']:.0%} on one), of that of keyframes"
        + f" {share['keyframes']:.0%} ({share['keyframes_one_thread']:.0%})."
    )


def _freeze(found: Found) -> str:
    rows = [
        (what, f"{one['p50']:g} ms", f"{one['p99']:g} ms")
        for what, one in (
            ("a report every so often", found["ms"]),
            ("whose copies are looked at", found.get("ms_looked_at")),
            ("one after the other", found["ms_in_a_row"]),
            ("with a codename", found["ms_with_codename"]),
        )
        if one is not None
    ]
    return (
        f"## From a report to 201, {found['copies']} copies frozen and committed\n\n"
        + _table(("", "p50", "p99"), rows)
        + f"\n{found['n']:,} registered pictures, {found['reports']} reports over"
        + " HTTP. Registered pictures are fingerprints with nothing behind them;"
        + " where copies are looked at, thumbnails are kept of each, and what is some"
        + " bits away is laid over the picture before it is frozen."
        + f" {_machine(found)}"
    )


def _brigade(found: Found) -> str:
    rows = [
        (
            name,
            f"{one['wrongful_freeze_hours']:,.0f} hours",
            f"{one['true_report_delay_s'] / 3600:,.1f} hours",
            f"{one['reviews']:,}",
        )
        for name, one in (
            ("with the defences", found["with"]),
            ("without", found["without"]),
        )
    ]
    head = ("", "harmless posts hidden", "a true report waits", "times somebody looked")
    defences = found["defences"]
    off, on = (
        "\n".join(f"- `{name}`: {words}." for name, words in defences[which].items())
        for which in ("switched_off", "on_in_both_runs")
    )
    rush = found["assumptions"]
    return (
        "## A brigade at the door\n\n"
        + _table(head, rows)
        + "\nOne simulated day passes twice at Holdfast itself:"
        + f" {found['brigade_reports']:,} false reports against"
        + f" {found['harmless_posts']} harmless posts, {rush['rush_share']:.0%} of them"
        + f" within {rush['rush_s']} seconds, and {found['true_reports']} true ones, by"
        + f" the portal and the API; {found['reviewers']} people who take"
        + f" {found['review_s'] // 60} minutes for a look. What it assumes is in the"
        + f" JSON.\n\n{_seen(found['seen']['with'])}"
        + "\n\nSwitched off without the defences:\n\n"
        + f"{off}\n\nOn in both runs, since it cannot be switched off:\n\n{on}\n"
    )


def _seen(seen: Found) -> str:
    """What the defences did that move nothing by themselves."""
    return (
        f"With the defences {sum(seen['alarms'].values())} alarms of a wave were raised"
        + f" and {seen['marked_reports']} reports marked, {seen['warnings']} accounts"
        + f" warned and {seen['suspensions']} suspended; {seen['set_aside']} reports"
        + f" were set aside for that, and receipts held up by {seen['held_up_s']:g} s"
        + " in all."
    )


SECTIONS: Mapping[str, Callable[[Found], str]] = {
    "fingerprints": _fingerprints,
    "copies": _copies,
    "edits": _edits,
    "video": _video,
    "freeze": _freeze,
    "brigade": _brigade,
}

if __name__ == "__main__":
    PAGE.write_text(page())

"""The JSON object: what was measured, by whom, in one piece.

Times and numbers of Holdfast come from inside (``measure.py``), the exposure from the
network itself, the moment of the answer from the one who reported. What could not be
measured is null; nothing is typed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.demo.display import MICROS, PHASES
from holdfast.demo.pictures import Album
from holdfast.demo.stage import Stage
from holdfast.demo.story import Told


def result_of(
    stage: Stage, album: Album, told: Told
) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The object, and the network's own ledger that its exposure was taken from."""
    inside = stage.inside(
        "holdfast.demo.measure",
        {
            "number": told.number,
            "pressed_at": told.pressed_at,
            "related": sorted(album.related),
            "planted": [each.sha256 for each in album.planted],
        },
    )
    ledger = stage.plaza.exposure(inside["frozen_items"], told.pressed_at)
    result = {
        "seconds": {"report_to_frozen": told.report_to_frozen, **inside["seconds"]},
        "copies": inside["copies"],
        "exposure": {
            "views": _phases(ledger["views"]),
            "reposts": _phases(ledger["reposts"]),
            "advert_earnings": {
                phase: micros / MICROS
                for phase, micros in _phases(ledger["advert_earnings_micros"]).items()
            },
        },
        **{
            name: inside[name]
            for name in ("reports", "reveals", "messages_sent", "referral", "log")
        },
    }
    return result, ledger


def _phases(counts: Mapping[str, int]) -> dict[str, int]:
    return {phase: counts[phase] for phase, _ in PHASES}

"""Features for some registered pictures, as if they were one photograph and its copies.

Runs inside the installation that is measured, see ``demo.inside``: what is kept of a
picture is sealed with the installation's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from holdfast.fingerprints.features import keep_features, of_picture
from holdfast.fingerprints.models import Fingerprint
from holdfast_bench.edited import EDITS, as_jpeg
from holdfast_bench.gallery import sources

COPY = "resize_33"
"""What was done to the copies: re-uploads are often smaller."""
ORIGINAL_QUALITY, COPY_QUALITY = 90, 70


def run(given: Mapping[str, Any]) -> dict[str, Any]:
    """``groups``: the platform's ids of each picture and of its copies, it first."""
    photographs = [each for source in sources(None)[0] if (each := source.picture())]
    kept = 0
    for number, names in enumerate(given["groups"]):
        picture = photographs[number % len(photographs)]
        copy = EDITS[COPY](picture, Random(number), picture)
        features = [
            of_picture(as_jpeg(picture, ORIGINAL_QUALITY), moves=False),
            of_picture(as_jpeg(copy, COPY_QUALITY), moves=False),
        ]
        rows = Fingerprint.objects.filter(item__external_id__in=names)
        for row in rows.select_related("item"):
            found = features[row.item.external_id != names[0]]
            if found is not None:
                keep_features(row, found)
                kept += 1
    return {"kept": kept}

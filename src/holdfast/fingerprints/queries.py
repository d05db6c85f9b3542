"""Reading signals back as they were made."""

from __future__ import annotations

from holdfast.fingerprints.models import Fingerprint, View
from holdfast.signals.hamming import FINGERPRINT_BYTES
from holdfast.signals.pdq import PDQ
from holdfast.signals.sign import Part, Signals
from holdfast.signals.sign import View as SignedView


def signals_of(fingerprint: int) -> tuple[list[View], Signals]:
    """The views of a fingerprint and, one for each in the same order, its signals."""
    print_ = Fingerprint.objects.select_related("media").get(id=fingerprint)
    views = list(print_.views.order_by("id"))
    return views, Signals(
        sha256=bytes(print_.sha256),
        md5=bytes(print_.md5),
        views=tuple(_view(each) for each in views),
        width=print_.width,
        height=print_.height,
        media_type=print_.media.media_type,
        duration_ms=print_.duration_ms,
    )


def forms_of(view: View) -> list[bytes]:
    """A view's fingerprints: as it is, then turned and mirrored where that is kept."""
    if view.pdq is None:
        return []
    forms = bytes(view.pdq) + bytes(view.variants or b"")
    return [
        forms[start : start + FINGERPRINT_BYTES]
        for start in range(0, len(forms), FINGERPRINT_BYTES)
    ]


def _view(row: View) -> SignedView:
    # What is too poor to be compared was not kept; its quality says so here, too.
    forms = forms_of(row) or [bytes(FINGERPRINT_BYTES)]
    variants = tuple(PDQ(bits, row.quality) for bits in forms)
    return SignedView(Part(row.part), variants, row.at_ms)

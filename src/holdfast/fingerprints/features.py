"""A picture's local features, kept when it arrives and given out for a closer look.

What is stored holds a small grey copy of the picture, so it is encrypted as a whole
with the installation's key and opened in memory only. Without OpenCV (the extra
``holdfast[features]``) nothing is kept and nothing can be asked for; what was kept
before can still be read. Pictures are decoded as ``holdfast bench edits`` does, so
that what is measured there holds here; of an animation the frame is described that is
seen for the longest.
"""

from __future__ import annotations

from holdfast.base.errors import Refused, Unavailable
from holdfast.fingerprints.models import Fingerprint, PictureFeatures
from holdfast.fingerprints.sources import media_bytes
from holdfast.signals.digest import digest_bytes
from holdfast.signals.features import (
    Features,
    Pixels,
    Query,
    available,
    decoded,
    extract,
    extract_query,
    query_from_stored,
)
from holdfast.signals.sign import Signals, sign_picture
from holdfast.vault.installation import keys


def described(data: bytes, signals: Signals) -> Features | None:
    """The features to keep of a picture file that could be decoded, if it has any.

    None for what is tiny or flat, and without OpenCV.
    """
    if not available():
        return None
    return _if_any(extract(decoded(data, signals.longest_at_ms)))


def of_picture(data: bytes, *, moves: bool) -> Features | None:
    """The same where only the file is at hand; ``moves``: whether it is an animation.

    Raises ``MediaRefused``, and ImportError without OpenCV.
    """
    return _if_any(extract(_looked_at(data, moves=moves)))


def _looked_at(data: bytes, *, moves: bool) -> Pixels:
    return decoded(data, sign_picture(data).longest_at_ms if moves else None)


def _if_any(features: Features) -> Features | None:
    return features if len(features) else None


def keep_features(print_: Fingerprint, features: Features) -> None:
    """Store them, once; in the transaction that stores the fingerprint."""
    PictureFeatures.objects.get_or_create(
        fingerprint=print_,
        defaults={
            "media_id": print_.media_id,
            "item_id": print_.item_id,
            "platform_id": print_.platform_id,
            "sealed": keys().encrypt_bytes(
                features.to_bytes(), bound_to=_place(print_.id)
            ),
        },
    )


def opened(fingerprint: int, sealed: bytes) -> Features:
    """What :func:`keep_features` stored. Raises ``SecretDamaged``."""
    plain = keys().decrypt_bytes(sealed, bound_to=_place(fingerprint))
    return Features.from_bytes(plain)


def query_of(row: PictureFeatures, *, fetch: bool) -> Query:
    """A query for what resembles this picture.

    Made from the file where it can be had: what was uploaded always, what is on its
    platform with ``fetch``, which takes network time. Else from what is stored, which
    finds a little less.
    """
    media = row.fingerprint.media
    if fetch or media.upload is not None:
        try:
            data = media_bytes(media)
            if digest_bytes(data).sha256 == bytes(row.fingerprint.sha256):
                moves = row.fingerprint.duration_ms is not None
                return extract_query(_looked_at(data, moves=moves))
        except (Refused, Unavailable):
            # Its platform does not serve it any more, or not now.
            pass
    return query_from_stored(opened(row.fingerprint_id, bytes(row.sealed)))


def _place(fingerprint: int) -> str:
    return f"features:{fingerprint}"

"""Reading what is sealed, and whether it is."""

from __future__ import annotations

from uuid import UUID

from holdfast.vault.installation import blobs
from holdfast.vault.models import SealedBlob


def sealed_for(subject_id: UUID, kind: str) -> list[SealedBlob]:
    """What has been sealed for a subject, oldest first."""
    return list(
        SealedBlob.objects.filter(subject_id=subject_id, kind=kind).order_by(
            "sealed_at"
        )
    )


def open_blob(blob_id: UUID) -> bytes:
    """The bytes of a sealed blob, checked against their digest.

    The caller has asked whether this may be opened and has written down why.
    """
    return blobs().get(SealedBlob.objects.get(id=blob_id).sha256)

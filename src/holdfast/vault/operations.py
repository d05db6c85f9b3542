"""Sealing: bytes go into the sealed store, and a row says that they are there."""

from __future__ import annotations

import hashlib
from uuid import UUID

from django.db import IntegrityError, transaction

from holdfast.base import clock
from holdfast.vault.installation import blobs
from holdfast.vault.models import SealedBlob


def seal(subject_id: UUID, kind: str, data: bytes, media_type: str) -> SealedBlob:
    """Seal ``data`` for ``subject_id``; sealing the same again changes nothing.

    The bytes are durable before the row is written, so a row is a promise kept.
    """
    known = SealedBlob.objects.filter(
        subject_id=subject_id, kind=kind, sha256=hashlib.sha256(data).hexdigest()
    ).first()
    if known is not None:
        return known
    receipt = blobs().put(data)
    try:
        with transaction.atomic():
            return SealedBlob.objects.create(
                subject_id=subject_id,
                kind=kind,
                sha256=receipt.sha256,
                md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
                size_bytes=receipt.size_bytes,
                media_type=media_type,
                location=receipt.location,
                sealed_at=clock.now(),
            )
    except IntegrityError:
        return SealedBlob.objects.get(
            subject_id=subject_id, kind=kind, sha256=receipt.sha256
        )

"""Where sealed blobs lie, and the log into which every event goes."""

from __future__ import annotations

from django.db import models

from holdfast.base.fields import XidField
from holdfast.base.models import Event, Row
from holdfast.base.privacy import classes


class SealedBlob(Row):
    """A blob that is safely in the sealed store.

    ``subject_id`` is the id of what it was sealed for (an item, a referral); the vault
    does not know what that is. The row is written after the bytes are durable.
    """

    subject_id = models.UUIDField()
    kind = models.CharField(max_length=32)
    """``original``, ``snapshot`` (words and facts), ``upload``."""
    sha256 = models.CharField(max_length=64)
    md5 = models.CharField(max_length=32)
    size_bytes = models.BigIntegerField()
    media_type = models.CharField(max_length=100)
    location = models.CharField(max_length=400)
    sealed_at = models.DateTimeField()

    privacy = classes(
        operational="id subject_id kind md5 size_bytes media_type sealed_at",
        content="sha256",
        secret="location",
    )

    class Meta:
        db_table = "hf_sealed_blob"
        constraints = [
            models.UniqueConstraint(
                fields=["subject_id", "kind", "sha256"], name="sealed_once"
            )
        ]


class LogLeaf(models.Model):
    """One event's place in the Merkle log: leaf ``index`` is the hash of ``event``."""

    index = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="leaf")
    leaf_hash = models.BinaryField(max_length=32)

    privacy = classes(operational="index event leaf_hash")

    class Meta:
        db_table = "hf_log_leaf"


class Checkpoint(models.Model):
    """A signed tree head; ``frontier`` lets the next leaf be added without the others.

    ``horizon`` is the transaction number below which every event is in the log.
    """

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    frontier = models.BinaryField()
    horizon = XidField()
    at = models.DateTimeField()

    privacy = classes(operational="size root note frontier horizon at")

    class Meta:
        db_table = "hf_checkpoint"

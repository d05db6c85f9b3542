"""The signals of each piece of media."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from holdfast.base.fields import CurrentTransaction, XidField
from holdfast.base.privacy import classes
from holdfast.items.models import Item, Media, Platform


class Fingerprint(models.Model):
    """SHA-256 and PDQ of one piece of media.

    ``xid`` is the transaction that wrote the row: the search reads by it, because rows
    become visible in the order of their commits and not of their numbers.
    """

    id = models.BigAutoField(primary_key=True)
    media = models.OneToOneField(
        Media, on_delete=models.CASCADE, related_name="fingerprint"
    )
    item = models.ForeignKey(
        Item, on_delete=models.CASCADE, related_name="fingerprints"
    )
    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    sha256 = models.BinaryField(max_length=32)
    pdq = models.BinaryField(max_length=32, null=True)
    """None where the media is no picture or its quality is too low to compare."""
    quality = models.PositiveSmallIntegerField(default=0)
    """PDQ's quality figure, 0 to 100."""
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField()
    xid = XidField(db_default=CurrentTransaction())

    privacy = classes(
        operational="id media item platform quality width height made_at xid",
        content="sha256 pdq",
    )

    class Meta:
        db_table = "hf_fingerprint"
        indexes = [
            models.Index(fields=["sha256"], name="fingerprint_sha256"),
            models.Index(fields=["xid"], name="fingerprint_xid"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(quality__lte=100), name="pdq_quality")
        ]

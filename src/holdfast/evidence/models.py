"""What is preserved, for whom, and until when."""

from __future__ import annotations

from django.db import models

from holdfast.base.models import Row
from holdfast.base.privacy import classes
from holdfast.items.models import Item, Media
from holdfast.triage.models import Case
from holdfast.vault.models import SealedBlob


class Preservation(Row):
    """The sealed original (or the sealed words) of an item of a case."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="preserved")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="preserved")
    media = models.ForeignKey(
        Media, null=True, on_delete=models.PROTECT, related_name="+"
    )
    """None for the item's words and facts."""
    sealed_blob = models.ForeignKey(
        SealedBlob, on_delete=models.PROTECT, related_name="+"
    )
    preserved_at = models.DateTimeField()
    keep_until = models.DateTimeField(null=True)
    """Not to be disposed of before; None until a decision sets it."""

    privacy = classes(
        operational="id case item media sealed_blob preserved_at keep_until"
    )

    class Meta:
        db_table = "hf_preservation"
        constraints = [
            models.UniqueConstraint(
                fields=["item", "sealed_blob"], name="preserved_once"
            )
        ]

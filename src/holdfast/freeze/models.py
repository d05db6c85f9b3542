"""Freezes: reversible hiding before a decision."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from holdfast.base.models import Row
from holdfast.base.privacy import classes
from holdfast.items.models import Item
from holdfast.triage.models import Case


class Freeze(Row):
    """One freeze of one item, until it is thawed. At most one is in force."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="freezes")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="freezes")
    because = models.CharField(max_length=32)
    """``report``, ``repost``, ``copy``, ``upload``, ``decision``."""
    frozen_at = models.DateTimeField()
    frozen_by = models.CharField(max_length=120)
    thawed_at = models.DateTimeField(null=True)
    thawed_by = models.CharField(max_length=120, blank=True)
    thaw_reason = models.TextField(blank=True)

    privacy = classes(
        operational="id item case because frozen_at frozen_by thawed_at thawed_by",
        content="thaw_reason",
    )

    class Meta:
        db_table = "hf_freeze"
        constraints = [
            models.UniqueConstraint(
                fields=["item"], condition=Q(thawed_at__isnull=True), name="frozen_once"
            ),
            models.CheckConstraint(
                condition=Q(thawed_at__isnull=True, thawed_by="", thaw_reason="")
                | Q(thawed_at__isnull=False, thawed_by__gt="", thaw_reason__gt=""),
                name="thaw_has_reason",
            ),
        ]

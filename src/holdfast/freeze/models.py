"""Freezes: reversible hiding before a decision."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from holdfast.base.models import Row
from holdfast.base.privacy import classes
from holdfast.intake.models import Report
from holdfast.items.models import Actor, Item
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


class ContactHold(Row):
    """Until it is released, ``actor`` cannot write to ``toward``, who reported them.

    Each report has its own, so that nobody releases what somebody else asked for.
    """

    report = models.ForeignKey(
        Report, on_delete=models.PROTECT, related_name="contact_holds"
    )
    actor = models.ForeignKey(Actor, on_delete=models.PROTECT, related_name="+")
    toward = models.ForeignKey(Actor, on_delete=models.PROTECT, related_name="+")
    vouched = models.BooleanField()
    """Whether the platform itself said that ``toward`` reported: they are signed in."""
    held_at = models.DateTimeField()
    held_by = models.CharField(max_length=120)
    ends_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    released_by = models.CharField(max_length=120, blank=True)
    because = models.CharField(max_length=16, blank=True)
    """Why it was released: ``asked``, ``staff``, ``expired`` or ``decision``."""

    privacy = classes(
        operational="id report actor toward vouched held_at held_by ends_at released_at"
        " released_by because"
    )

    class Meta:
        db_table = "hf_contact_hold"
        constraints = [
            models.UniqueConstraint(
                fields=["report", "actor", "toward"],
                condition=Q(released_at=None),
                name="contact_held_once",
            ),
            models.CheckConstraint(
                condition=~Q(actor=F("toward")), name="contact_of_two"
            ),
            models.CheckConstraint(
                condition=Q(released_at=None, released_by="", because="")
                | Q(released_at__isnull=False, released_by__gt="", because__gt=""),
                name="contact_released_by_somebody",
            ),
        ]

"""What was found to be a copy of what, and the bank of signals people decided on."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from holdfast.base.fields import CurrentTransaction, XidField
from holdfast.base.models import Row
from holdfast.base.privacy import classes
from holdfast.items.models import Item


class Basis(models.TextChoices):
    """On what a match rests."""

    DIGEST = "digest"
    """The same bytes (SHA-256)."""
    PDQ = "pdq"
    """A small PDQ distance."""
    REPOST = "repost"
    """The platform says that it is a repost."""


class Match(Row):
    """``item`` shows the same as ``against``, which was reported or decided.

    Never measured against another match, so that resemblance does not chain.
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="matches")
    against = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    basis = models.CharField(max_length=16, choices=Basis.choices)
    distance_bits = models.PositiveSmallIntegerField()
    found_at = models.DateTimeField()

    privacy = classes(operational="id item against basis distance_bits found_at")

    class Meta:
        db_table = "hf_match"
        constraints = [
            models.UniqueConstraint(
                fields=["item", "against", "basis"], name="match_once"
            ),
            models.CheckConstraint(
                condition=Q(distance_bits__lte=256), name="match_distance"
            ),
            models.CheckConstraint(
                condition=~Q(item=models.F("against")), name="match_two_items"
            ),
        ]


class BankState(models.TextChoices):
    """Whether a signal may freeze anything."""

    QUARANTINED = "quarantined"
    """Reported, not yet decided: freezes by way of its own case only."""
    ACTIVE = "active"
    """People decided that it violates."""
    CLEARED = "cleared"
    """People decided that it does not; byte-identical copies are left alone."""


class BankEntry(Row):
    """One signal that Holdfast looks for, and where it came from."""

    sha256 = models.BinaryField(max_length=32)
    pdq = models.BinaryField(max_length=32, null=True)
    quality = models.PositiveSmallIntegerField(default=0)
    category = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=BankState.choices)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    case_id = models.UUIDField()
    decision_id = models.UUIDField(null=True)
    entered_at = models.DateTimeField()
    entered_by = models.CharField(max_length=120)
    xid = XidField(db_default=CurrentTransaction())

    privacy = classes(
        operational="id quality category state item case_id decision_id entered_at"
        " entered_by xid",
        content="sha256 pdq",
    )

    class Meta:
        db_table = "hf_bank_entry"
        constraints = [
            models.UniqueConstraint(fields=["item", "sha256"], name="banked_once"),
            models.CheckConstraint(
                condition=Q(state="quarantined") | Q(decision_id__isnull=False),
                name="bank_needs_decision",
            ),
        ]
        indexes = [
            models.Index(fields=["sha256", "state"], name="bank_sha256"),
            models.Index(fields=["xid"], name="bank_xid"),
        ]

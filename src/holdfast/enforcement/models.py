"""What is done after a decision, and every word to the platform, in order."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from holdfast.base.fields import CurrentTransaction, XidField
from holdfast.base.models import Row
from holdfast.base.privacy import classes
from holdfast.decisions.models import ActorPart, Decision
from holdfast.items.models import Actor, Item, Platform
from holdfast.vault.models import SealedBlob


class Verb(models.TextChoices):
    """What a platform is told to do."""

    FREEZE = "freeze"
    THAW = "thaw"
    REMOVE = "remove"
    RESTORE = "restore"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    HOLD_CONTACT = "hold_contact"
    """Stop an account from writing to the one that reported it."""
    RELEASE_CONTACT = "release_contact"
    """Let it write to them again."""
    STATEMENT = "statement"
    """Hand a statement of reasons to an account's owner."""


class EnforcementState(models.TextChoices):
    """How far an enforcement has come."""

    PLANNED = "planned"
    ORDERED = "ordered"
    CONFIRMED = "confirmed"
    UNDONE = "undone"


class Enforcement(Row):
    """One consequence of one decision for one item or one actor.

    A removal cannot be ordered before the original is sealed (promise 5), and a
    suspension names the part that a decision found (promise 15): both are constraints.
    """

    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, related_name="enforcements"
    )
    verb = models.CharField(max_length=16, choices=Verb.choices)
    item = models.ForeignKey(
        Item, null=True, on_delete=models.PROTECT, related_name="enforcements"
    )
    actor = models.ForeignKey(
        Actor, null=True, on_delete=models.PROTECT, related_name="enforcements"
    )
    sealed_blob = models.ForeignKey(
        SealedBlob, null=True, on_delete=models.PROTECT, related_name="+"
    )
    offender = models.ForeignKey(
        ActorPart, null=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(
        max_length=16,
        choices=EnforcementState.choices,
        default=EnforcementState.PLANNED,
    )
    planned_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    privacy = classes(
        operational="id decision verb item actor sealed_blob offender state planned_at"
        " confirmed_at"
    )

    class Meta:
        db_table = "hf_enforcement"
        constraints = [
            models.CheckConstraint(
                # A removal that was withdrawn before it was ordered needs no original.
                condition=~Q(verb="remove")
                | Q(state__in=["planned", "undone"])
                | Q(sealed_blob__isnull=False),
                name="preserved_before_removed",
            ),
            models.CheckConstraint(
                condition=~Q(verb="suspend") | Q(offender__isnull=False),
                name="suspended_as_offender",
            ),
            models.CheckConstraint(
                condition=Q(item__isnull=False, actor__isnull=True)
                | Q(item__isnull=True, actor__isnull=False),
                name="enforced_on_one_thing",
            ),
            models.UniqueConstraint(
                fields=["decision", "verb", "item"], name="enforced_once_item"
            ),
            models.UniqueConstraint(
                fields=["decision", "verb", "actor"], name="enforced_once_actor"
            ),
        ]


class DeliveryState(models.TextChoices):
    """How far a word to the platform has come."""

    PENDING = "pending"
    CONFIRMED = "confirmed"


class Delivery(Row):
    """One instruction to a platform about one item or actor.

    ``number`` counts per item (or actor) and is given out under that row's lock; the
    deliveries of one item are handed over in this order, each until it is confirmed.
    The change feed reads the same rows by ``xid``.
    """

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey(
        Item, null=True, on_delete=models.PROTECT, related_name="instructions"
    )
    actor = models.ForeignKey(
        Actor, null=True, on_delete=models.PROTECT, related_name="instructions"
    )
    number = models.PositiveIntegerField()
    verb = models.CharField(max_length=16, choices=Verb.choices)
    body = models.JSONField(default=dict)
    """What the platform needs beside the ids: ``advertising_hold`` …"""
    enforcement = models.ForeignKey(
        Enforcement, null=True, on_delete=models.PROTECT, related_name="deliveries"
    )
    state = models.CharField(
        max_length=16, choices=DeliveryState.choices, default=DeliveryState.PENDING
    )
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)
    next_attempt_at = models.DateTimeField()
    ordered_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    alarmed_at = models.DateTimeField(null=True)
    xid = XidField(db_default=CurrentTransaction())

    privacy = classes(
        operational="id platform item actor number verb enforcement state attempts"
        " last_error next_attempt_at ordered_at confirmed_at alarmed_at xid",
        content="body",
    )

    class Meta:
        db_table = "hf_delivery"
        constraints = [
            models.UniqueConstraint(
                fields=["item", "number"], name="item_delivery_order"
            ),
            models.UniqueConstraint(
                fields=["actor", "number"], name="actor_delivery_order"
            ),
            models.CheckConstraint(
                condition=Q(item__isnull=False, actor__isnull=True)
                | Q(item__isnull=True, actor__isnull=False),
                name="delivery_about_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", confirmed_at__isnull=True)
                | Q(state="confirmed", confirmed_at__isnull=False),
                name="delivery_confirmed_when",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state="pending"),
                name="delivery_due",
            ),
            models.Index(fields=["platform", "xid"], name="delivery_feed"),
        ]


PENDING = models.Q(state=DeliveryState.PENDING)
"""The deliveries that the platform has not confirmed."""

"""Reports: what somebody told us, kept as it was said."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from holdfast.base.models import Row
from holdfast.base.privacy import classes
from holdfast.items.models import Actor, Conversation, Item, Platform


class Channel(models.TextChoices):
    """Through which door a report came. Every door calls the same operation."""

    PORTAL = "portal"
    API = "api"
    STAFF = "staff"


class Report(Row):
    """One report. It is never changed; what is learned later is an addition."""

    number = models.CharField(max_length=16, unique=True)
    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=16, choices=Channel.choices)
    category = models.CharField(max_length=64)
    """A category code of the policy in force."""
    language = models.CharField(max_length=35)
    words = models.TextField(blank=True)
    """What the reporter wrote."""
    reporter_actor = models.ForeignKey(
        Actor, null=True, on_delete=models.PROTECT, related_name="+"
    )
    reporter_contact = models.CharField(max_length=400, blank=True)
    claims = ArrayField(models.CharField(max_length=40), default=list)
    """What the reporter says of themself: ``shown``, ``parent`` and so on."""
    police_number = models.CharField(max_length=100, blank=True)
    police_agency = models.CharField(max_length=255, blank=True)
    in_danger_now = models.BooleanField(default=False)
    received_at = models.DateTimeField()
    received_by = models.CharField(max_length=120)

    privacy = classes(
        operational="id number platform channel category language received_at"
        " received_by",
        personal="reporter_actor reporter_contact claims police_number police_agency"
        " in_danger_now",
        content="words",
    )

    class Meta:
        db_table = "hf_report"
        indexes = [models.Index(fields=["platform", "received_at"], name="report_time")]


class Addition(Row):
    """What the reporter added later: words, a link, a police number, a challenge."""

    report = models.ForeignKey(
        Report, on_delete=models.PROTECT, related_name="additions"
    )
    kind = models.CharField(max_length=32)
    """``words``, ``link``, ``police_number``, ``claim``, ``challenge``."""
    words = models.TextField(blank=True)
    added_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    privacy = classes(operational="id report kind added_at erased_at", content="words")

    class Meta:
        db_table = "hf_addition"


class Target(Row):
    """One thing that a report is about: an item, an actor, a conversation, or words.

    ``located`` is true when it was found among what the platform registered.
    """

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="targets")
    position = models.PositiveSmallIntegerField()
    named_as = models.TextField(blank=True)
    """The URL, id or description as the reporter gave it."""
    item = models.ForeignKey(
        Item, null=True, on_delete=models.PROTECT, related_name="+"
    )
    actor = models.ForeignKey(
        Actor, null=True, on_delete=models.PROTECT, related_name="+"
    )
    conversation = models.ForeignKey(
        Conversation, null=True, on_delete=models.PROTECT, related_name="+"
    )

    privacy = classes(
        operational="id report position item actor conversation", content="named_as"
    )

    class Meta:
        db_table = "hf_target"
        constraints = [
            models.UniqueConstraint(fields=["report", "position"], name="target_order"),
        ]

    @property
    def located(self) -> bool:
        """Whether this names something that is registered here."""
        return bool(self.item_id or self.actor_id or self.conversation_id)


class Codename(Row):
    """How a reporter comes back: two derived values of words that are not kept.

    ``lookup`` (a keyed hash) finds the row, ``verifier`` (Argon2) proves the words.
    """

    report = models.OneToOneField(
        Report, on_delete=models.PROTECT, related_name="codename"
    )
    lookup = models.CharField(max_length=64, unique=True)
    verifier = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    privacy = classes(
        operational="id report made_at last_used_at", secret="lookup verifier"
    )

    class Meta:
        db_table = "hf_codename"
        constraints = [
            models.CheckConstraint(condition=Q(lookup__gt=""), name="codename_derived")
        ]

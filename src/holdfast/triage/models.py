"""Cases: all reports and matches about one item and its copies, and their clocks."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from holdfast.base.models import Row
from holdfast.base.privacy import classes
from holdfast.intake.models import Target
from holdfast.items.models import Item, Platform
from holdfast.matching.models import (
    LIKENESS,
    BankEntry,
    LikenessFields,
    likeness_constraints,
)


class Urgency(models.TextChoices):
    """How fast people must look. Ruled by policy, never by the number of reports."""

    IMMEDIATE = "immediate"
    URGENT = "urgent"
    STANDARD = "standard"


class CaseState(models.TextChoices):
    """Open until people decide it. A merged case lives on in another."""

    OPEN = "open"
    DECIDED = "decided"
    MERGED = "merged"


class Case(Row):
    """What people decide as one."""

    number = models.CharField(max_length=16, unique=True)
    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    category = models.CharField(max_length=64)
    child_safety = models.BooleanField()
    urgency = models.CharField(max_length=16, choices=Urgency.choices)
    policy_version = models.CharField(max_length=64)
    state = models.CharField(
        max_length=16, choices=CaseState.choices, default=CaseState.OPEN
    )
    merged_into = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="merged"
    )
    clock_from = models.DateTimeField()
    """When the first report about this was received. Every clock runs from here."""
    opened_at = models.DateTimeField()
    outcome = models.CharField(max_length=16, blank=True)
    """What the last decision found; blank before the first."""
    decided_at = models.DateTimeField(null=True)
    """When the last decision was made."""
    round = models.PositiveSmallIntegerField(default=1)
    """Raised each time the case is opened again."""

    privacy = classes(
        operational="id number platform category child_safety urgency policy_version"
        " state merged_into clock_from opened_at outcome decided_at round"
    )

    class Meta:
        db_table = "hf_case"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="merged", merged_into__isnull=False)
                | (~Q(state="merged") & Q(merged_into__isnull=True)),
                name="case_merged_somewhere",
            ),
            models.CheckConstraint(
                condition=Q(clock_from__lte=F("opened_at")), name="case_clock_first"
            ),
        ]
        indexes = [models.Index(fields=["state", "urgency"], name="case_queue")]


class CaseTarget(Row):
    """A reported thing stands in exactly one case."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="targets")
    target = models.OneToOneField(
        Target, on_delete=models.PROTECT, related_name="place"
    )
    placed_at = models.DateTimeField()

    privacy = classes(operational="id case target placed_at")

    class Meta:
        db_table = "hf_case_target"


class ItemRole(models.TextChoices):
    """Why an item stands in a case."""

    REPORTED = "reported"
    KNOWN = "known"
    """Nobody reported it: a bank knows it."""
    REPOST = "repost"
    COPY = "copy"


FOUND_FIRST = (ItemRole.REPORTED, ItemRole.KNOWN)
"""What a case is about; all else in it is a copy or a repost of one of these."""


class CaseItem(LikenessFields, Row):
    """An item stands in at most one case.

    What is only possibly a copy (``certain`` false) waits here for people to say so:
    no freeze, no decision and no enforcement of the case touches it before.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="items")
    item = models.OneToOneField(Item, on_delete=models.PROTECT, related_name="place")
    role = models.CharField(max_length=16, choices=ItemRole.choices)
    against = models.ForeignKey(
        Item, null=True, on_delete=models.PROTECT, related_name="+"
    )
    """The reported item that this is a repost or a copy of."""
    entry = models.ForeignKey(
        BankEntry, null=True, on_delete=models.PROTECT, related_name="+"
    )
    """The entry of a bank that knows this, or what this is a repost of."""
    placed_at = models.DateTimeField()

    privacy = classes(
        operational=f"id case item role against entry placed_at {LIKENESS}"
    )

    class Meta:
        db_table = "hf_case_item"
        constraints = [
            models.CheckConstraint(
                condition=Q(role="reported")
                | Q(against__isnull=False)
                | Q(role__in=["known", "repost"], entry__isnull=False),
                name="copy_of_something",
            ),
            models.CheckConstraint(
                condition=Q(role="reported", certain=True)
                | (~Q(role="reported") & Q(basis__gt="")),
                name="copy_like_something",
            ),
            *likeness_constraints("case_item"),
        ]


class Deadline(Row):
    """One clock of a case, computed when the report landed."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="deadlines")
    report_id = models.UUIDField(null=True)
    """The report that started it; None for a clock that a late copy started."""
    round = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=64)
    """``decision``, ``take_it_down_48h`` … as the policy names it."""
    shown_to_reporter = models.BooleanField()
    runs_from = models.DateTimeField()
    due_at = models.DateTimeField()
    warned_at = models.DateTimeField(null=True)
    met_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)
    """Set once, kept for ever, also when it is met afterwards."""

    privacy = classes(
        operational="id case report_id round code shown_to_reporter runs_from due_at"
        " warned_at met_at breached_at"
    )

    class Meta:
        db_table = "hf_deadline"
        constraints = [
            models.UniqueConstraint(
                fields=["case", "report_id", "round", "code"],
                nulls_distinct=False,
                name="deadline_once",
            ),
            models.CheckConstraint(
                condition=Q(due_at__gte=F("runs_from")), name="deadline_after_start"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(met_at__isnull=True),
                name="deadline_running",
            )
        ]

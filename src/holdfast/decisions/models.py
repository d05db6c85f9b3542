"""Decisions: what people decided, under which policy, on which ground."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from holdfast.base.models import Row
from holdfast.base.privacy import classes
from holdfast.items.models import Actor
from holdfast.review.models import Outcome, Reading
from holdfast.staff.models import Person
from holdfast.triage.models import Case


class Decision(Row):
    """One decision on one round of a case. Append-only; the newest round counts.

    A "no violation" on a child-safety case names two different readers, one of them a
    specialist: the database refuses it otherwise (promise 3).
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    round = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    child_safety = models.BooleanField()
    category = models.CharField(max_length=64)
    ground = models.CharField(max_length=120)
    policy_version = models.CharField(max_length=64)
    reading = models.OneToOneField(
        Reading, on_delete=models.PROTECT, related_name="decision"
    )
    second_reading = models.OneToOneField(
        Reading, null=True, on_delete=models.PROTECT, related_name="second_in"
    )
    first_reader = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    second_reader = models.ForeignKey(
        Person, null=True, on_delete=models.PROTECT, related_name="+"
    )
    by_specialist = models.BooleanField()
    """Whether at least one of the readers is a specialist."""
    decided_at = models.DateTimeField()

    privacy = classes(
        operational="id case round outcome child_safety category ground policy_version"
        " reading second_reading first_reader second_reader by_specialist decided_at"
    )

    class Meta:
        db_table = "hf_decision"
        constraints = [
            models.UniqueConstraint(fields=["case", "round"], name="decided_once"),
            models.CheckConstraint(
                condition=Q(outcome="violation")
                | Q(child_safety=False)
                | (Q(second_reader__isnull=False) & Q(by_specialist=True)),
                name="no_violation_takes_two",
            ),
            models.CheckConstraint(
                condition=Q(second_reader__isnull=True)
                | ~Q(first_reader=F("second_reader")),
                name="two_different_readers",
            ),
            models.CheckConstraint(
                condition=Q(second_reader__isnull=True, second_reading__isnull=True)
                | Q(second_reader__isnull=False, second_reading__isnull=False),
                name="second_reader_wrote",
            ),
        ]


class Part(models.TextChoices):
    """What part an actor had. Decided by people (promise 15)."""

    OFFENDER = "offender"
    PERSON_SHOWN = "person_shown"
    PEER = "peer"
    UNKNOWN = "unknown"


class ActorPart(Row):
    """One actor's part, as a decision found it."""

    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, related_name="actor_parts"
    )
    actor = models.ForeignKey(Actor, on_delete=models.PROTECT, related_name="+")
    part = models.CharField(max_length=16, choices=Part.choices)

    privacy = classes(operational="id decision actor", personal="part")

    class Meta:
        db_table = "hf_actor_part"
        constraints = [
            models.UniqueConstraint(fields=["decision", "actor"], name="one_part")
        ]


class StatementKind(models.TextChoices):
    """When a statement of reasons is due: at the freeze (neutral), at the decision."""

    FREEZE = "freeze"
    DECISION = "decision"
    THAW = "thaw"


class StatementOfReasons(Row):
    """What the poster is told, or why that waits.

    A statement is either due now or withheld with a recorded ground and an end date.
    """

    actor = models.ForeignKey(Actor, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="statements")
    decision = models.ForeignKey(
        Decision, null=True, on_delete=models.PROTECT, related_name="statements"
    )
    kind = models.CharField(max_length=16, choices=StatementKind.choices)
    item_id = models.UUIDField(null=True)
    words = models.TextField()
    withheld_ground = models.CharField(max_length=200, blank=True)
    withheld_until = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    privacy = classes(
        operational="id actor case decision kind item_id withheld_ground withheld_until"
        " made_at sent_at",
        content="words",
    )

    class Meta:
        db_table = "hf_statement_of_reasons"
        constraints = [
            models.CheckConstraint(
                condition=Q(withheld_ground="", withheld_until__isnull=True)
                | Q(withheld_ground__gt="", withheld_until__isnull=False),
                name="withheld_with_end",
            ),
            models.CheckConstraint(
                condition=~Q(kind="decision") | Q(decision__isnull=False),
                name="reasons_need_decision",
            ),
        ]
        indexes = [models.Index(fields=["item_id"], name="statement_item")]

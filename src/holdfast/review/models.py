"""The desk: who holds a case, what was opened and why, what each reader found."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from holdfast.base.models import Row
from holdfast.base.privacy import classes
from holdfast.items.models import Item, Media
from holdfast.staff.models import Person
from holdfast.triage.models import Case


class Claim(Row):
    """Somebody works on a case. At most one person holds it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="claims")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    claimed_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    privacy = classes(operational="id case person claimed_at released_at")

    class Meta:
        db_table = "hf_claim"
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(released_at__isnull=True),
                name="claimed_once",
            )
        ]


class Reveal(Row):
    """Somebody opened an original (or read an item's words), and said why.

    ``entire`` is true when the whole of it was shown, which is what "viewed by staff"
    in a referral means.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reveals")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="reveals")
    media = models.ForeignKey(
        Media, null=True, on_delete=models.PROTECT, related_name="+"
    )
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    second_person = models.ForeignKey(
        Person, null=True, on_delete=models.PROTECT, related_name="+"
    )
    """Who agreed, where the case was not claimed by the one who looked."""
    reason = models.TextField()
    entire = models.BooleanField()
    revealed_at = models.DateTimeField()

    privacy = classes(
        operational="id case item media person second_person entire revealed_at",
        content="reason",
    )

    class Meta:
        db_table = "hf_reveal"
        constraints = [
            models.CheckConstraint(condition=Q(reason__gt=""), name="reveal_reason"),
            models.CheckConstraint(
                condition=~Q(person=models.F("second_person")), name="reveal_two_people"
            ),
        ]


class Note(Row):
    """A remark on a case, for those who work on it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    words = models.TextField()
    noted_at = models.DateTimeField()

    privacy = classes(operational="id case person noted_at", content="words")

    class Meta:
        db_table = "hf_note"


class Outcome(models.TextChoices):
    """What a reader, and then a decision, finds."""

    VIOLATION = "violation"
    NO_VIOLATION = "no_violation"


class Reading(Row):
    """One person's finding in one round of a case. A person reads a round once."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="readings")
    round = models.PositiveSmallIntegerField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    as_specialist = models.BooleanField()
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    category = models.CharField(max_length=64)
    ground = models.CharField(max_length=120)
    """A ground code of the policy in force."""
    reason = models.TextField()
    parts = models.JSONField(default=dict)
    """What part each actor had: ``{actor id: part}``."""
    refer = models.BooleanField()
    """Whether the reader would tell the authority."""
    why_not_refer = models.TextField(blank=True)
    read_at = models.DateTimeField()

    privacy = classes(
        operational="id case round person as_specialist outcome category ground parts"
        " refer read_at",
        content="reason why_not_refer",
    )

    class Meta:
        db_table = "hf_reading"
        constraints = [
            models.UniqueConstraint(
                fields=["case", "round", "person"], name="read_once"
            ),
            models.CheckConstraint(condition=Q(reason__gt=""), name="reading_reason"),
            models.CheckConstraint(
                condition=Q(refer=True) | Q(why_not_refer__gt=""),
                name="reading_refers_or_says_why",
            ),
        ]

"""What goes out to people: receipts, messages, alarms."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from holdfast.authorities.models import Referral
from holdfast.base.models import Row
from holdfast.base.privacy import classes
from holdfast.decisions.models import Decision
from holdfast.intake.models import Report
from holdfast.review.models import Reveal
from holdfast.triage.models import Case


class Receipt(Row):
    """What a reporter was told at the moment of the report."""

    report = models.OneToOneField(
        Report, on_delete=models.PROTECT, related_name="receipt"
    )
    body = models.JSONField()
    made_at = models.DateTimeField()

    privacy = classes(operational="id report made_at", content="body")

    class Meta:
        db_table = "hf_receipt"


class Notification(Row):
    """One message to the person behind one report, from a cell of ``matrix.py``.

    A message that asserts a review names a reveal and a referral (or its recorded
    why-not): the database refuses it otherwise (promise 4).
    """

    report = models.ForeignKey(
        Report, on_delete=models.PROTECT, related_name="notifications"
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    decision = models.ForeignKey(
        Decision, null=True, on_delete=models.PROTECT, related_name="+"
    )
    template = models.CharField(max_length=64)
    language = models.CharField(max_length=35)
    words = models.TextField()
    asserts_review = models.BooleanField()
    reveal = models.ForeignKey(
        Reveal, null=True, on_delete=models.PROTECT, related_name="+"
    )
    referral = models.ForeignKey(
        Referral, null=True, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    privacy = classes(
        operational="id report case decision template language asserts_review reveal"
        " referral made_at read_at",
        content="words",
    )

    class Meta:
        db_table = "hf_notification"
        constraints = [
            models.UniqueConstraint(
                fields=["report", "template", "decision", "case"],
                nulls_distinct=False,
                name="told_once",
            ),
            models.CheckConstraint(
                condition=Q(asserts_review=False)
                | Q(
                    reveal__isnull=False,
                    referral__isnull=False,
                    decision__isnull=False,
                ),
                name="reviewed_means_viewed",
            ),
        ]


class Alarm(Row):
    """Something that people must see to; open until somebody acknowledges it."""

    code = models.CharField(max_length=64)
    subject = models.CharField(max_length=200)
    """What it is about, as ids; the same alarm on the same subject is one."""
    about = models.JSONField()
    facts = models.JSONField()
    raised_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    level = models.PositiveSmallIntegerField(default=0)
    """How often it has been escalated."""
    paged_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=120, blank=True)

    privacy = classes(
        operational="id code subject about facts raised_at times level paged_at"
        " acknowledged_at acknowledged_by"
    )

    class Meta:
        db_table = "hf_alarm"
        constraints = [
            models.UniqueConstraint(
                fields=["code", "subject"],
                condition=Q(acknowledged_at__isnull=True),
                name="alarm_open_once",
            )
        ]


class Page(Row):
    """One attempt to reach somebody about an alarm."""

    alarm = models.ForeignKey(Alarm, on_delete=models.PROTECT, related_name="pages")
    way = models.CharField(max_length=16)
    """``email`` or ``webhook``."""
    level = models.PositiveSmallIntegerField()
    sent_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=200, blank=True)

    privacy = classes(operational="id alarm way level sent_at failure")

    class Meta:
        db_table = "hf_page"

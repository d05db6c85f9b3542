"""What goes out to people: receipts, messages, alarms."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from holdfast.authorities.models import Referral
from holdfast.base.models import Row
from holdfast.base.privacy import classes
from holdfast.decisions.models import Decision
from holdfast.intake.models import Contact, Report
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
    kind = models.CharField(max_length=64)
    """The event that it tells of; with ``template`` it names the cell."""
    template = models.CharField(max_length=64)
    language = models.CharField(max_length=35)
    words = models.TextField()
    facts = models.JSONField(encoder=DjangoJSONEncoder)
    """What was so when it was made, and what its words were made from."""
    asserts_review = models.BooleanField()
    reveal = models.ForeignKey(
        Reveal, null=True, on_delete=models.PROTECT, related_name="+"
    )
    referral = models.ForeignKey(
        Referral, null=True, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    put_away_at = models.DateTimeField(null=True)
    """When the reporter took it off their own page. The row stays as what was said."""

    privacy = classes(
        operational="id report case decision kind template language facts"
        " asserts_review reveal referral made_at read_at put_away_at",
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


class Letter(Row):
    """One e-mail or phone message to a reporter. It says that there is news, no more.

    Its words are made when it goes out and are not kept: there is nothing in them.
    """

    contact = models.ForeignKey(
        Contact, on_delete=models.PROTECT, related_name="letters"
    )
    notification = models.OneToOneField(
        Notification, null=True, on_delete=models.PROTECT, related_name="letter"
    )
    """What it points at; None when it asks whether the address is right."""
    template = models.CharField(max_length=16)
    made_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)
    """It is not sent any more: withdrawn, read meanwhile, refused, or too old."""
    failure = models.CharField(max_length=200, blank=True)

    privacy = classes(
        operational="id contact notification template made_at attempts tried_at sent_at"
        " dropped_at failure"
    )

    class Meta:
        db_table = "hf_letter"
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "template"],
                condition=Q(sent_at__isnull=True, dropped_at__isnull=True),
                name="letter_waits_once",
            ),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True) | Q(dropped_at__isnull=True),
                name="letter_sent_or_dropped",
            ),
            models.CheckConstraint(
                condition=Q(template="confirm", notification__isnull=True)
                | Q(template="news", notification__isnull=False),
                name="letter_points_at_news",
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

"""Referrals: what was told to which authority, and what it answered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from holdfast.base.models import Row
from holdfast.base.privacy import classes
from holdfast.decisions.models import ActorPart, Decision
from holdfast.items.models import Item, Media, Platform
from holdfast.triage.models import Case
from holdfast.vault.models import SealedBlob


class Environment(models.TextChoices):
    """A test environment is the default. What is filed there is NOT FILED."""

    TEST = "test"
    PRODUCTION = "production"


class AuthorityAccount(Row):
    """A platform's access to an authority's service."""

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    authority = models.CharField(max_length=32)
    environment = models.CharField(max_length=16, choices=Environment.choices)
    base_url = models.URLField(max_length=400)
    username = models.CharField(max_length=200)
    password = models.TextField()
    """Encrypted with the installation's key."""
    reporting_email = models.EmailField()
    reporting_person = models.CharField(max_length=200, blank=True)
    active = models.BooleanField(default=True)
    live_at = models.DateTimeField(null=True)
    live_by = models.CharField(max_length=120, blank=True)
    added_at = models.DateTimeField()

    privacy = classes(
        operational="id platform authority environment base_url active live_at live_by"
        " added_at",
        personal="username reporting_email reporting_person",
        secret="password",
    )

    class Meta:
        db_table = "hf_authority_account"
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "authority"],
                condition=Q(active=True),
                name="one_account_per_authority",
            ),
            models.CheckConstraint(
                condition=Q(environment="test") | Q(live_at__isnull=False),
                name="live_only_by_somebody",
            ),
        ]


class ReferralState(models.TextChoices):
    """The steps of the outbox."""

    OPEN = "open"
    SUBMITTED = "submitted"
    UPLOADED = "uploaded"
    FINISHED = "finished"
    DECLINED = "declined"
    """A recorded why-not: people decided not to refer."""


class Referral(Row):
    """One referral to one authority, or the recorded reason why there is none."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="referrals")
    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, related_name="referrals"
    )
    authority = models.CharField(max_length=32)
    offender = models.ForeignKey(
        ActorPart, null=True, on_delete=models.PROTECT, related_name="+"
    )
    """Whom it names as the suspect, which is one account at most; None for nobody."""
    environment = models.CharField(max_length=16, choices=Environment.choices)
    state = models.CharField(
        max_length=16, choices=ReferralState.choices, default=ReferralState.OPEN
    )
    why_not = models.TextField(blank=True)
    external_id = models.CharField(max_length=64, blank=True)
    """The authority's number of the report now open or finished."""
    document = models.TextField(blank=True)
    """What was submitted, to the letter."""
    document_valid = models.BooleanField(null=True)
    """Whether it was valid against the authority's schema; None before it was made."""
    blocked = models.CharField(max_length=200, blank=True)
    """Why it cannot go on without a person; blank while it can."""
    opened_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    privacy = classes(
        operational="id case decision authority offender environment state external_id"
        " document_valid blocked opened_at submitted_at finished_at",
        content="why_not document",
    )

    class Meta:
        db_table = "hf_referral"
        constraints = [
            models.UniqueConstraint(
                fields=["decision", "authority", "offender"],
                nulls_distinct=False,
                name="referred_once",
            ),
            models.CheckConstraint(
                condition=Q(state="declined", why_not__gt="")
                | (~Q(state="declined") & Q(why_not="")),
                name="declined_with_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state="finished")
                | Q(finished_at__isnull=False, external_id__gt=""),
                name="finished_with_receipt",
            ),
        ]


class ReferralFile(Row):
    """One file of a referral, and whether it is with the authority."""

    referral = models.ForeignKey(
        Referral, on_delete=models.PROTECT, related_name="files"
    )
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    media = models.ForeignKey(Media, on_delete=models.PROTECT, related_name="+")
    sealed_blob = models.ForeignKey(
        SealedBlob, null=True, on_delete=models.PROTECT, related_name="+"
    )
    """The sealed original; None until it is sealed."""
    viewed_by_staff = models.BooleanField(null=True)
    """As the reveal log said when the file was described; None before."""
    external_id = models.CharField(max_length=64, blank=True)
    details = models.TextField(blank=True)
    described_at = models.DateTimeField(null=True)

    privacy = classes(
        operational="id referral item media sealed_blob viewed_by_staff external_id"
        " described_at",
        content="details",
    )

    class Meta:
        db_table = "hf_referral_file"
        constraints = [
            models.UniqueConstraint(fields=["referral", "media"], name="filed_once")
        ]


class Exchange(Row):
    """A request to an authority, or what came of it; kept as evidence, never changed.

    One row before the request says that it is under way; one after it, its reply, holds
    the answer as it came. A request without a reply was cut short: it may have been
    done or not.
    """

    referral = models.ForeignKey(
        Referral, on_delete=models.PROTECT, related_name="exchanges"
    )
    request = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="reply"
    )
    """The row to which this is the reply; None in a request itself."""
    call = models.CharField(max_length=32)
    status = models.PositiveSmallIntegerField(null=True)
    response_code = models.IntegerField(null=True)
    reference = models.CharField(max_length=200, blank=True)
    """The authority's own number of the exchange, which its support asks for."""
    answer = models.TextField(blank=True)
    failure = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    privacy = classes(
        operational="id referral request call status response_code reference failure"
        " at",
        content="answer",
    )

    class Meta:
        db_table = "hf_exchange"

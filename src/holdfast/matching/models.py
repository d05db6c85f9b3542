"""What was found to be a copy of what, and the banks of signals that are looked for."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from holdfast.base.fields import CurrentTransaction, XidField
from holdfast.base.models import Row
from holdfast.base.privacy import classes
from holdfast.intake.models import Target
from holdfast.items.models import Item, Media
from holdfast.matching.rules import Basis, Likeness, Variant
from holdfast.signals.sign import Part

LIKENESS = "basis exact certain variant trimmed distance_bits share_percent at_ms"
"""The fields of a likeness, for the privacy classes of the tables that have them."""


class LikenessFields(models.Model):
    """A :class:`~holdfast.matching.rules.Likeness` as columns."""

    basis = models.CharField(
        max_length=16, blank=True, choices=[(each.value, each.value) for each in Basis]
    )
    exact = models.BooleanField(default=False)
    certain = models.BooleanField(default=True)
    variant = models.CharField(
        max_length=16,
        default=Variant.AS_IS,
        choices=[(each.value, each.value) for each in Variant],
    )
    trimmed = models.BooleanField(default=False)
    distance_bits = models.PositiveSmallIntegerField(null=True)
    share_percent = models.PositiveSmallIntegerField(null=True)
    at_ms = models.PositiveBigIntegerField(null=True)

    class Meta:
        abstract = True

    @property
    def likeness(self) -> Likeness:
        """These columns as one value. Not for a row whose ``basis`` is blank."""
        return Likeness(
            basis=Basis(self.basis),
            exact=self.exact,
            certain=self.certain,
            variant=Variant(self.variant),
            trimmed=self.trimmed,
            distance_bits=self.distance_bits,
            share_percent=self.share_percent,
            at_ms=self.at_ms,
        )


def likeness_columns(found: Likeness) -> dict[str, object]:
    """A likeness as the values of its columns."""
    return {name: getattr(found, name) for name in LIKENESS.split()}


def likeness_constraints(table: str) -> list[models.BaseConstraint]:
    """What must agree in a likeness; a repost has what it reposts has."""
    holds = {
        "exact_certain": Q(exact=False)
        | Q(basis__in=["digest", "repost"], certain=True, distance_bits=None),
        "pdq_distance": ~Q(basis="pdq") | Q(distance_bits__isnull=False),
        "distance": Q(distance_bits=None)
        | Q(basis__in=["pdq", "video", "repost"], distance_bits__lte=256),
        "video_share": ~Q(basis="video") | Q(share_percent__isnull=False),
        "share": Q(share_percent=None)
        | Q(
            basis__in=["video", "features", "repost"],
            share_percent__gte=1,
            share_percent__lte=100,
        ),
    }
    return [
        models.CheckConstraint(condition=condition, name=f"{table}_{name}")
        for name, condition in holds.items()
    ]


class BankKind(models.TextChoices):
    """Where the signals of a bank come from."""

    REPORTED = "reported"
    """What was reported here and is not decided yet."""
    WATCHED = "watched"
    """Fingerprints that reporters of one platform gave; nobody saw the pictures."""
    DECIDED = "decided"
    """What people decided here."""
    IMPORTED = "imported"
    """A file that somebody imported."""
    EXCHANGE = "exchange"
    """A hash exchange, synchronised."""


class Bank(Row):
    """Signals from one source."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=BankKind.choices)
    source = models.CharField(max_length=400, blank=True)
    """Where they come from, in words or as an address."""
    category = models.CharField(max_length=64, blank=True)
    """What its entries are, where they do not say it themselves."""
    added_by = models.CharField(max_length=120)
    added_at = models.DateTimeField()

    privacy = classes(operational="id slug name kind source category added_by added_at")

    class Meta:
        db_table = "hf_bank"


class SignalKind(models.TextChoices):
    """What kind of signal an entry is."""

    SHA256 = "sha256"
    MD5 = "md5"
    PDQ = "pdq"


class BankState(models.TextChoices):
    """Whether a signal may freeze anything; none does once it has expired."""

    QUARANTINED = "quarantined"
    """Reported, not yet decided: freezes by way of its own case only."""
    ACTIVE = "active"
    """People decided that it violates, or its source says so."""
    CLEARED = "cleared"
    """People decided that it does not; byte-identical copies are left alone."""
    REVOKED = "revoked"
    """It should not have been here; it matches nothing any more."""


class BankEntry(models.Model):
    """One signal that Holdfast looks for, and where it came from.

    Exact and perceptual signals are kept apart: ``digest`` holds a SHA-256 or an MD5,
    ``pdq`` a fingerprint, and never both. An entry of something on this platform names
    its ``item``, ``media`` and ``case_id``; one from elsewhere has none of them.
    """

    id = models.BigAutoField(primary_key=True)
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=8, choices=SignalKind.choices)
    digest = models.BinaryField(max_length=32, null=True)
    pdq = models.BinaryField(max_length=32, null=True)
    quality = models.PositiveSmallIntegerField(null=True)
    """PDQ's quality figure, where it is known."""
    category = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=BankState.choices)
    item = models.ForeignKey(
        Item, null=True, on_delete=models.PROTECT, related_name="+"
    )
    media = models.ForeignKey(
        Media, null=True, on_delete=models.PROTECT, related_name="+"
    )
    target = models.OneToOneField(
        Target, null=True, on_delete=models.PROTECT, related_name="entry"
    )
    """What a reporter named by this fingerprint alone. It holds for their platform."""
    part = models.CharField(
        max_length=8,
        default=Part.WHOLE,
        choices=[(each.value, each.value) for each in Part],
    )
    at_ms = models.PositiveBigIntegerField(null=True)
    """When it is seen in a video; None for a still."""
    case_id = models.UUIDField(null=True)
    decision_id = models.UUIDField(null=True)
    batch = models.UUIDField(null=True)
    """With what it was last entered together, from elsewhere."""
    entered_at = models.DateTimeField()
    entered_by = models.CharField(max_length=120)
    renewed_at = models.DateTimeField(null=True)
    """When its source brought it again, after it had taken it back or let it expire:
    what it found before that, it finds anew."""
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=120, blank=True)
    revoke_reason = models.TextField(blank=True)
    xid = XidField(db_default=CurrentTransaction())

    privacy = classes(
        operational="id bank kind quality category state item media target part at_ms"
        " case_id decision_id batch entered_at entered_by renewed_at expires_at"
        " revoked_at revoked_by xid",
        content="digest pdq revoke_reason",
    )

    class Meta:
        db_table = "hf_bank_entry"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="pdq", pdq__isnull=False, digest=None)
                | Q(kind__in=["sha256", "md5"], digest__isnull=False, pdq=None),
                name="bank_exact_or_perceptual",
            ),
            models.CheckConstraint(
                condition=Q(item=None, media=None, case_id=None, decision_id=None)
                | Q(item__isnull=False, media__isnull=False, case_id__isnull=False),
                name="bank_from_here_or_elsewhere",
            ),
            models.CheckConstraint(
                condition=Q(item=None)
                | Q(state__in=["quarantined", "revoked"])
                | Q(decision_id__isnull=False),
                name="bank_needs_decision",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="revoked",
                    revoked_at__isnull=False,
                    revoked_by__gt="",
                    revoke_reason__gt="",
                )
                | (
                    ~Q(state="revoked")
                    & Q(revoked_at=None, revoked_by="", revoke_reason="")
                ),
                name="bank_revoked_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(quality=None) | Q(quality__lte=100), name="bank_quality"
            ),
            models.UniqueConstraint(
                fields=["item", "digest"],
                condition=Q(item__isnull=False, digest__isnull=False),
                name="banked_bytes_once",
            ),
            models.UniqueConstraint(
                fields=["item", "pdq"],
                condition=Q(item__isnull=False, pdq__isnull=False),
                name="banked_picture_once",
            ),
            models.CheckConstraint(
                condition=Q(target=None)
                | Q(
                    kind="pdq",
                    item=None,
                    state__in=["quarantined", "revoked"],
                    expires_at__isnull=False,
                ),
                name="bank_watch_is_no_decision",
            ),
            models.UniqueConstraint(
                fields=["bank", "digest"],
                condition=Q(item=None, digest__isnull=False),
                name="bank_bytes_once",
            ),
            models.UniqueConstraint(
                fields=["bank", "pdq"],
                condition=Q(item=None, target=None, pdq__isnull=False),
                name="bank_picture_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["digest"], condition=Q(digest__isnull=False), name="bank_digest"
            ),
            models.Index(
                fields=["batch"], condition=Q(batch__isnull=False), name="bank_batch"
            ),
            models.Index(fields=["xid"], name="bank_xid"),
        ]


class BankBlock(Row):
    """People said: never again. Its source does not bring this back by itself.

    Of one ``entry``, or without it of a whole bank, into which nothing more comes. It
    is in force until a person lifts it; neither row changes any more.
    """

    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="blocks")
    entry = models.ForeignKey(
        BankEntry, null=True, on_delete=models.PROTECT, related_name="blocks"
    )
    reason = models.TextField()
    blocked_at = models.DateTimeField()
    blocked_by = models.CharField(max_length=120)

    privacy = classes(
        operational="id bank entry blocked_at blocked_by", content="reason"
    )

    class Meta:
        db_table = "hf_bank_block"
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__gt="", blocked_by__gt=""),
                name="blocked_with_a_reason",
            ),
        ]


class BankLift(Row):
    """A person said that a block is over."""

    block = models.OneToOneField(
        BankBlock, on_delete=models.PROTECT, related_name="lift"
    )
    reason = models.TextField()
    lifted_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=120)

    privacy = classes(operational="id block lifted_at lifted_by", content="reason")

    class Meta:
        db_table = "hf_bank_lift"
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__gt="", lifted_by__gt=""),
                name="lifted_with_a_reason",
            ),
        ]


class HashExchange(Row):
    """A hash exchange: how it is reached, and how far it has been pulled."""

    bank = models.OneToOneField(Bank, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=32)
    url = models.CharField(max_length=400, blank=True)
    settings = models.JSONField(default=dict)
    credentials = models.TextField(blank=True)
    """Encrypted with the installation's key."""
    cursor = models.JSONField(null=True)
    """Where the next pull goes on; None: from the beginning."""
    round = models.PositiveIntegerField(default=0)
    """How often everything has been pulled from the beginning."""
    is_full = models.BooleanField(default=False)
    """Such a round is under way: what it does not bring has gone."""
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=120)
    tried_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)
    """When nothing was left to pull."""
    failures = models.PositiveIntegerField(default=0)
    """How often in a row it has failed."""

    privacy = classes(
        operational="id bank kind url settings cursor round is_full added_at added_by"
        " tried_at synced_at failures",
        secret="credentials",
    )

    class Meta:
        db_table = "hf_hash_exchange"


class ExchangeRecord(models.Model):
    """A record of an exchange and one signal that it has, as long as it has it."""

    id = models.BigAutoField(primary_key=True)
    exchange = models.ForeignKey(
        HashExchange, on_delete=models.PROTECT, related_name="records"
    )
    key = models.CharField(max_length=200)
    """Its name there."""
    entry = models.ForeignKey(
        BankEntry, on_delete=models.PROTECT, related_name="records"
    )
    labels = models.CharField(max_length=400, blank=True)
    """What the exchange says of it, in its own words."""
    round = models.PositiveIntegerField()
    """In which round it was last seen."""

    privacy = classes(operational="id exchange entry round", content="key labels")

    class Meta:
        db_table = "hf_exchange_record"
        constraints = [
            models.UniqueConstraint(
                fields=["exchange", "key", "entry"], name="exchange_record_once"
            ),
        ]
        indexes = [
            models.Index(fields=["exchange", "round"], name="exchange_record_round"),
        ]


class Match(LikenessFields, Row):
    """``item`` shows the same as something that was reported or decided, or is banked.

    Measured ``against`` another item, or against the ``entry`` of a bank that stands
    for no item here; never against another match, so that resemblance does not chain.
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="matches")
    against = models.ForeignKey(
        Item, null=True, on_delete=models.PROTECT, related_name="+"
    )
    entry = models.ForeignKey(
        BankEntry, null=True, on_delete=models.PROTECT, related_name="matches"
    )
    found_at = models.DateTimeField()
    """When it was found last by an entry that was renewed, else when it was found."""
    rejected_at = models.DateTimeField(null=True)
    """When somebody said that it is no copy; only of what was not certain."""
    rejected_by = models.CharField(max_length=120, blank=True)

    privacy = classes(
        operational=f"id item against entry found_at rejected_at rejected_by {LIKENESS}"
    )

    class Meta:
        db_table = "hf_match"
        constraints = [
            models.UniqueConstraint(
                fields=["item", "against", "basis"],
                condition=Q(against__isnull=False),
                name="match_once",
            ),
            models.UniqueConstraint(
                fields=["item", "entry"],
                condition=Q(entry__isnull=False),
                name="match_entry_once",
            ),
            models.CheckConstraint(
                condition=Q(against__isnull=False, entry=None)
                | Q(against=None, entry__isnull=False),
                name="match_item_or_entry",
            ),
            models.CheckConstraint(
                condition=~Q(item=F("against")), name="match_two_items"
            ),
            models.CheckConstraint(
                condition=Q(basis__in=[each.value for each in Basis]),
                name="match_basis",
            ),
            models.CheckConstraint(
                condition=Q(rejected_at=None, rejected_by="")
                | Q(rejected_at__isnull=False, rejected_by__gt="", certain=False),
                name="match_rejected_by_somebody",
            ),
            *likeness_constraints("match"),
        ]

"""Reports: what somebody told us, kept as it was said."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from holdfast.base.models import Row
from holdfast.base.privacy import classes
from holdfast.intake.rules import Frequency, Way
from holdfast.items.models import Actor, ApiKey, Conversation, Item, Platform
from holdfast.staff.models import Person

WORDS_NAMED = 200
"""Characters of a report's words that name what it is about where nothing else does."""


class Channel(models.TextChoices):
    """Through which door a report came. Every door calls the same operation."""

    PORTAL = "portal"
    API = "api"
    EMAIL = "email"
    PHONE = "phone"
    LETTER = "letter"
    FLAGGER = "flagger"
    POLICE = "police"


class Report(Row):
    """One report. It is never changed; what is learned later is an addition.

    Only its reporter can take their own words out of it.
    """

    number = models.CharField(max_length=16, unique=True)
    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=16, choices=Channel.choices)
    category = models.CharField(max_length=64)
    """A category code of the policy in force."""
    language = models.CharField(max_length=35)
    words = models.TextField(blank=True)
    """What the reporter wrote."""
    words_erased_at = models.DateTimeField(null=True)
    reporter_actor = models.ForeignKey(
        Actor, null=True, on_delete=models.PROTECT, related_name="+"
    )
    claims = ArrayField(models.CharField(max_length=40), default=list)
    """What the reporter says of themself: ``shown``, ``parent`` and so on."""
    police_number = models.CharField(max_length=100, blank=True)
    police_agency = models.CharField(max_length=255, blank=True)
    police_contact = models.CharField(max_length=400, blank=True)
    """Who to call back, as an officer wrote it; verified by people, and not here."""
    in_danger_now = models.BooleanField(default=False)
    wants_contact_hold = models.BooleanField(default=False)
    """Whether what it reports is to be kept from writing to ``reporter_actor``."""
    asked = models.ForeignKey(
        "Questionnaire", null=True, on_delete=models.PROTECT, related_name="+"
    )
    """The first pages as they were shown, whose answers this row and its targets are;
    None where no page of ours was shown."""
    received_at = models.DateTimeField()
    received_by = models.CharField(max_length=120)

    privacy = classes(
        operational="id number platform channel category language received_at"
        " received_by wants_contact_hold words_erased_at asked",
        personal="reporter_actor claims police_number police_agency police_contact"
        " in_danger_now",
        content="words",
    )

    class Meta:
        db_table = "hf_report"
        indexes = [models.Index(fields=["platform", "received_at"], name="report_time")]
        constraints = [
            models.CheckConstraint(
                condition=Q(words_erased_at=None) | Q(words=""),
                name="first_words_are_gone",
            )
        ]


class Addition(Row):
    """What the reporter added later: words, a link, a challenge."""

    report = models.ForeignKey(
        Report, on_delete=models.PROTECT, related_name="additions"
    )
    kind = models.CharField(max_length=32)
    """``words``, ``link``, ``challenge`` or ``withdrawal``."""
    words = models.TextField(blank=True)
    added_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    privacy = classes(operational="id report kind added_at erased_at", content="words")

    class Meta:
        db_table = "hf_addition"
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at=None) | Q(words=""), name="erased_is_gone"
            )
        ]


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
    pdq = models.BinaryField(max_length=8 * 32, null=True)
    """The fingerprint of a picture that the reporter has: one form, or all eight."""
    quality = models.PositiveSmallIntegerField(null=True)
    """PDQ's quality figure of that picture."""
    watched = models.BooleanField(default=False)
    """Whether later uploads that show it are to be hidden, too."""
    tells = models.BooleanField(default=True)
    """Whether its reporter may be told what a fingerprint found where everybody can
    see it; not once too many have asked, for a report is a look, too."""

    privacy = classes(
        operational="id report position item actor conversation quality watched tells",
        content="named_as pdq",
    )

    class Meta:
        db_table = "hf_target"
        constraints = [
            models.UniqueConstraint(fields=["report", "position"], name="target_order"),
            models.CheckConstraint(
                condition=Q(pdq=None, quality=None, watched=False, tells=True)
                | Q(
                    pdq__isnull=False,
                    quality__isnull=False,
                    item=None,
                    actor=None,
                    conversation=None,
                ),
                name="target_fingerprint_alone",
            ),
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
    confirmed_at = models.DateTimeField(null=True)
    """When somebody came back with the words, saw them once more, and said that they
    are kept."""
    closed_at = models.DateTimeField(null=True)
    """When its holder last closed the report: no visit from before then opens it."""

    privacy = classes(
        operational="id report made_at last_used_at confirmed_at closed_at",
        secret="lookup verifier",
    )

    class Meta:
        db_table = "hf_codename"
        constraints = [
            models.CheckConstraint(condition=Q(lookup__gt=""), name="codename_derived")
        ]


class Contact(Row):
    """How somebody who reported wants to hear from us outside the portal.

    The address is encrypted with this installation's keys, and gone once it is
    withdrawn. Nothing but the question whether it is right is sent to it before that
    has been answered with yes.
    """

    report = models.ForeignKey(
        Report, on_delete=models.PROTECT, related_name="contacts"
    )
    way = models.CharField(
        max_length=16, choices=[(each.value, each.value) for each in Way]
    )
    address = models.TextField(blank=True)
    """Encrypted; blank once it is withdrawn."""
    address_key = models.CharField(max_length=64, blank=True)
    """A keyed hash of the address: whether it has been asked too often, or has asked
    to be left alone. It does not give the address back."""
    frequency = models.CharField(
        max_length=16, choices=[(each.value, each.value) for each in Frequency]
    )
    link = models.CharField(max_length=64, unique=True)
    """What a link in a letter names; it opens nothing of the report."""
    given_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    refused = models.BooleanField(default=False)
    """Whoever reads this address has asked to be left alone, for good."""

    privacy = classes(
        operational="id report way frequency given_at confirmed_at withdrawn_at"
        " refused",
        secret="address address_key link",
    )

    class Meta:
        db_table = "hf_contact"
        constraints = [
            models.UniqueConstraint(
                fields=["report"],
                condition=Q(withdrawn_at__isnull=True),
                name="one_contact",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, address__gt="")
                | Q(withdrawn_at__isnull=False, address=""),
                name="contact_withdrawn_is_gone",
            ),
            models.CheckConstraint(
                condition=Q(refused=False) | Q(withdrawn_at__isnull=False),
                name="contact_refused_is_withdrawn",
            ),
        ]
        indexes = [models.Index(fields=["address_key"], name="contact_address")]


# Against abuse of the door: what marks a report, and what never discards one.


class DoorKey(Row):
    """The key of one day's address tokens. Without it they say nothing any more."""

    secret = models.BinaryField()
    made_at = models.DateTimeField()

    privacy = classes(operational="id made_at", secret="secret")

    class Meta:
        db_table = "hf_door_key"


class Arrival(Row):
    """How a report came to the door: for people who look at a wave, never for a rule.

    ``address_token`` is a keyed hash of the network address, and blank after a day;
    the address itself is not stored anywhere.
    """

    report = models.OneToOneField(
        Report, on_delete=models.PROTECT, related_name="arrival"
    )
    address_token = models.CharField(max_length=64, blank=True)
    marks = ArrayField(models.CharField(max_length=20), default=list)
    """``honeypot`` and ``too_fast``: how a program fills in a form."""
    arrived_at = models.DateTimeField()

    privacy = classes(
        operational="id report marks arrived_at", personal="address_token"
    )

    class Meta:
        db_table = "hf_arrival"
        indexes = [
            models.Index(fields=["address_token", "arrived_at"], name="arrival_token")
        ]


class MisuseWarning(Row):
    """A person told one of a platform's actors that their reports are unfounded."""

    reporter_actor = models.ForeignKey(
        Actor, on_delete=models.PROTECT, related_name="misuse_warnings"
    )
    factors = models.JSONField()
    """The four factors as they stood: see ``misuse.Factors``."""
    reason = models.TextField()
    warned_by = models.CharField(max_length=120)
    warned_at = models.DateTimeField()

    privacy = classes(
        operational="id reporter_actor factors warned_by warned_at", content="reason"
    )

    class Meta:
        db_table = "hf_misuse_warning"


class ReportingSuspension(Row):
    """Reports of one actor are kept and not processed, until a date. After a warning.

    The account itself loses nothing, and what is about a child is processed always.
    """

    warning = models.ForeignKey(
        MisuseWarning, on_delete=models.PROTECT, related_name="suspensions"
    )
    factors = models.JSONField()
    reason = models.TextField()
    suspended_by = models.CharField(max_length=120)
    suspended_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=120, blank=True)

    privacy = classes(
        operational="id warning factors suspended_by suspended_at ends_at lifted_at"
        " lifted_by",
        content="reason",
    )

    class Meta:
        db_table = "hf_reporting_suspension"
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("suspended_at")),
                name="suspension_ends",
            )
        ]


# The doors beside the portal and the platform's own.


class Mail(Row):
    """One e-mail that became a report, or part of one; kept after it was expunged.

    ``mail_id`` is a keyed hash of the mail's bytes: the same mail read twice, because
    the mailbox could not be reached after the commit, is one. What was attached is
    sealed under it, unopened. Neither the mail nor its headers are kept.
    """

    mail_id = models.UUIDField()
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="mails")
    is_first = models.BooleanField()
    """Whether it made the report; else it was added to it."""
    attachments = models.PositiveIntegerField()
    """How many files came with it, each sealed unopened."""
    arrived_at = models.DateTimeField()
    """When the mailbox took it, as its server says."""
    answered_at = models.DateTimeField(null=True)
    sender = models.TextField(blank=True)
    """Its address, encrypted; blank where nobody is to be answered, or has been."""
    sender_key = models.CharField(max_length=64, blank=True)
    """A keyed hash of it, by which another mail is known to be of the same sender."""

    privacy = classes(
        operational="id mail_id report is_first attachments arrived_at answered_at",
        secret="sender sender_key",
    )

    class Meta:
        db_table = "hf_mail"
        constraints = [
            models.UniqueConstraint(fields=["mail_id", "report"], name="mail_once")
        ]


class Flagger(Row):
    """An organisation that reports with an account: a trusted flagger or a hotline."""

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    contact = models.CharField(max_length=400)
    scope = ArrayField(models.CharField(max_length=64), default=list)
    """The categories in which it has priority."""
    listed_as = models.CharField(max_length=400, blank=True)
    """Where a public list names it; blank for a hotline without that status."""
    key = models.OneToOneField(ApiKey, on_delete=models.PROTECT, related_name="flagger")
    added_at = models.DateTimeField()
    listed_until = models.DateTimeField(null=True)
    """When its listing has to be looked up again: from then on it has no priority."""
    suspended_at = models.DateTimeField(null=True)
    suspended_why = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True)
    """When the account was closed: its key and its people open nothing since."""
    ended_why = models.TextField(blank=True)

    privacy = classes(
        operational="id platform name scope listed_as key added_at listed_until"
        " suspended_at ended_at",
        personal="contact",
        content="suspended_why ended_why",
    )

    class Meta:
        db_table = "hf_flagger"
        constraints = [
            models.CheckConstraint(
                condition=Q(scope=[]) | Q(listed_as__gt="", listed_until__isnull=False),
                name="scope_is_listed",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_why="")
                | Q(ended_at__isnull=False, ended_why__gt=""),
                name="ended_with_a_reason",
            ),
        ]


class FlaggerPerson(Row):
    """Somebody of such an organisation, who signs in to its page."""

    flagger = models.ForeignKey(
        Flagger, on_delete=models.PROTECT, related_name="people"
    )
    person = models.OneToOneField(
        Person, on_delete=models.PROTECT, related_name="flagger"
    )

    privacy = classes(operational="id flagger person")

    class Meta:
        db_table = "hf_flagger_person"


class Flag(Row):
    """One report of an organisation, by the reference that it gave it."""

    flagger = models.ForeignKey(Flagger, on_delete=models.PROTECT, related_name="flags")
    reference = models.CharField(max_length=200)
    report = models.OneToOneField(Report, on_delete=models.PROTECT, related_name="flag")
    said_hash = models.CharField(max_length=64)
    """Of the line but for its addresses, so that another under this reference is
    refused."""
    taken = ArrayField(models.CharField(max_length=64), default=list)
    """SHA-256 of each address that was taken."""
    left_out = ArrayField(models.CharField(max_length=64), default=list)
    """Of each that could not be used when the line last brought something: these may
    differ when it comes again."""
    had_priority = models.BooleanField()
    sent_by = models.CharField(max_length=120)
    """Who sent it: one of its people, its key, or the operator with a file."""
    withdrawn_at = models.DateTimeField(null=True)
    """When it said that the report was wrong. People decide all the same."""

    privacy = classes(
        operational="id flagger reference report said_hash taken left_out had_priority"
        " sent_by withdrawn_at"
    )

    class Meta:
        db_table = "hf_flag"
        constraints = [
            models.UniqueConstraint(fields=["flagger", "reference"], name="flag_once")
        ]


# What was asked, what was answered, and what was signed -----------------------------


class Questionnaire(Row):
    """The questions as somebody read them, kept once and for good by their hash."""

    digest = models.CharField(max_length=64, unique=True)
    """SHA-256 of the document as canonical JSON."""
    language = models.CharField(max_length=35)
    document = models.JSONField()
    archived_at = models.DateTimeField()

    privacy = classes(operational="id digest language document archived_at")

    class Meta:
        db_table = "hf_questionnaire"


class Answer(Row):
    """One answer to one question. A changed answer is a new row.

    The one that is neither replaced nor erased is what counts. Erasing takes the value
    out of the row; that something was taken back stays.
    """

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="answers")
    questionnaire = models.ForeignKey(
        Questionnaire, on_delete=models.PROTECT, related_name="+"
    )
    question = models.CharField(max_length=40)
    """The question's code."""
    value = models.CharField(max_length=400)
    """The code of a choice, or what was written."""
    answered_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    privacy = classes(
        operational="id report questionnaire question answered_at replaced_at"
        " erased_at",
        personal="value",
    )

    class Meta:
        db_table = "hf_answer"
        constraints = [
            models.UniqueConstraint(
                fields=["report", "question"],
                condition=Q(replaced_at=None, erased_at=None),
                name="one_answer_counts",
            ),
            models.CheckConstraint(
                condition=Q(erased_at=None, value__gt="")
                | Q(erased_at__isnull=False, value=""),
                name="answer_said_or_erased",
            ),
        ]


class Signature(Row):
    """A name typed under a statement, where a statute wants a signature.

    Who signed can take the name out of the row. That it was signed, and what, stays.
    """

    report = models.ForeignKey(
        Report, on_delete=models.PROTECT, related_name="signatures"
    )
    forms = ArrayField(models.CharField(max_length=40))
    """The legal forms that the statement is for."""
    name = models.CharField(max_length=200)
    statement = models.TextField()
    """Word for word as it stood above the name."""
    language = models.CharField(max_length=35)
    signed_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    privacy = classes(
        operational="id report forms statement language signed_at erased_at",
        personal="name",
    )

    class Meta:
        db_table = "hf_signature"
        constraints = [
            models.CheckConstraint(
                condition=Q(statement__gt="")
                & (
                    Q(erased_at=None, name__gt="") | Q(erased_at__isnull=False, name="")
                ),
                name="signature_signed",
            )
        ]

"""What stands on the host platform: actors, items, media, reach, money."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Left, Lower

from holdfast.base.models import Row
from holdfast.base.privacy import classes

PROFILE_INDEXED = 500
"""Characters of a profile's address that its index holds; a page of the index has
room for about 2,700 bytes (PostgreSQL, "Index row size")."""


class ItemKind(models.TextChoices):
    """What an item is on its platform."""

    POST = "post"
    IMAGE = "image"
    VIDEO = "video"
    MESSAGE = "message"
    PROFILE = "profile"
    COMMENT = "comment"


class ItemState(models.TextChoices):
    """What the platform has been told about an item. Frozen is reversible."""

    VISIBLE = "visible"
    FROZEN = "frozen"
    REMOVED = "removed"


class ActorState(models.TextChoices):
    """What the platform has been told about an account."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class MediaState(models.TextChoices):
    """How far a piece of media has come."""

    WAITING = "waiting"
    SIGNED = "signed"
    REFUSED = "refused"


class Platform(Row):
    """One host network. Every row about content belongs to one."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    url = models.URLField(max_length=400)
    hosts = ArrayField(models.CharField(max_length=253), default=list)
    """Hosts whose URLs are this platform's: web, mobile, short, share."""
    aliases = models.JSONField(default=list)
    """``[{"pattern": regex, "url": template}]``: other forms of an item's URL."""
    lookup_url = models.URLField(max_length=400, blank=True)
    """Asked with ``?url=`` when a URL is not known; answers ``{"item": id}``,
    ``{"actor": id}`` or ``{"conversation": id}``."""
    media_hosts = ArrayField(models.CharField(max_length=253), default=list)
    """Hosts from which media may be fetched; no other is ever asked."""
    webhook_url = models.URLField(max_length=400, blank=True)
    webhook_secret = models.TextField(blank=True)
    """Encrypted with the installation's key."""
    last_heard_at = models.DateTimeField(null=True)
    registered_at = models.DateTimeField()

    privacy = classes(
        operational="id slug name url hosts aliases lookup_url media_hosts webhook_url"
        " last_heard_at registered_at",
        secret="webhook_secret",
    )

    class Meta:
        db_table = "hf_platform"


class ApiKey(Row):
    """A platform's key: shown once, kept as a hash, allowed what its scopes say."""

    platform = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="keys"
    )
    label = models.CharField(max_length=120)
    prefix = models.CharField(max_length=16)
    key_hash = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=40))
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    privacy = classes(
        operational="id platform label prefix scopes created_at revoked_at",
        secret="key_hash",
    )

    class Meta:
        db_table = "hf_api_key"


class RememberedAnswer(Row):
    """The answer given to an ``Idempotency-Key``, to be given again."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+")
    idempotency_key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    at = models.DateTimeField()

    privacy = classes(
        operational="id key idempotency_key request_hash status at", content="body"
    )

    class Meta:
        db_table = "hf_remembered_answer"
        constraints = [
            models.UniqueConstraint(
                fields=["key", "idempotency_key"], name="answer_once"
            )
        ]


class RateBucket(models.Model):
    """A token bucket: how much a caller has asked for lately."""

    name = models.CharField(max_length=200, primary_key=True)
    tokens = models.FloatField()
    updated_at = models.DateTimeField()

    privacy = classes(operational="name tokens updated_at")

    class Meta:
        db_table = "hf_rate_bucket"


class Actor(Row):
    """An account on a platform."""

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    external_id = models.CharField(max_length=200)
    screen_name = models.CharField(max_length=256, blank=True)
    display_name = models.CharField(max_length=256, blank=True)
    profile_url = models.URLField(max_length=2083, blank=True)
    normal_profile_url = models.CharField(max_length=2083, blank=True)
    """The profile's address as ``items.rules.normal_url`` writes it."""
    email = models.CharField(max_length=255, blank=True)
    age_years = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField(null=True)
    """When the account was made on the platform, as the platform says."""
    closed_at = models.DateTimeField(null=True)
    """When its owner closed it; it stays here as long as a case needs it."""
    state = models.CharField(
        max_length=16, choices=ActorState.choices, default=ActorState.ACTIVE
    )
    deliveries = models.PositiveIntegerField(default=0)
    """The number of the last delivery about this actor; raised under the row's lock."""
    registered_at = models.DateTimeField()

    privacy = classes(
        operational="id platform external_id created_at closed_at state deliveries"
        " registered_at",
        personal="screen_name display_name profile_url normal_profile_url email"
        " age_years",
    )

    class Meta:
        db_table = "hf_actor"
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "external_id"], name="actor_once"
            )
        ]
        indexes = [
            # Reporters name accounts by what they see of them.
            models.Index("platform", Lower("screen_name"), name="actor_handle"),
            models.Index(
                "platform",
                Left("normal_profile_url", PROFILE_INDEXED),
                name="actor_profile",
            ),
        ]


class Conversation(Row):
    """A conversation that somebody in it reported, or that messages belong to."""

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    external_id = models.CharField(max_length=200)
    registered_at = models.DateTimeField()

    privacy = classes(operational="id platform external_id registered_at")

    class Meta:
        db_table = "hf_conversation"
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "external_id"], name="conversation_once"
            )
        ]


class Item(Row):
    """A piece of content on a platform."""

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    external_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=ItemKind.choices)
    actor = models.ForeignKey(
        Actor, null=True, on_delete=models.PROTECT, related_name="items"
    )
    conversation = models.ForeignKey(
        Conversation, null=True, on_delete=models.PROTECT, related_name="items"
    )
    parent = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="replies"
    )
    repost_of = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="reposts"
    )
    url = models.URLField(max_length=2083, blank=True)
    text = models.TextField(blank=True)
    language = models.CharField(max_length=35, blank=True)
    posted_at = models.DateTimeField()
    """When it was posted, as the platform says."""
    deleted_at = models.DateTimeField(null=True)
    """When its poster deleted it; the platform keeps it while a freeze is on."""
    state = models.CharField(
        max_length=16, choices=ItemState.choices, default=ItemState.VISIBLE
    )
    confirmed_state = models.CharField(
        max_length=16, choices=ItemState.choices, default=ItemState.VISIBLE
    )
    """The state that the platform has last confirmed."""
    deliveries = models.PositiveIntegerField(default=0)
    """The number of the last delivery about this item; raised under the row's lock."""
    registered_at = models.DateTimeField()

    privacy = classes(
        operational="id platform external_id kind actor conversation parent repost_of"
        " language posted_at deleted_at state confirmed_state deliveries registered_at",
        content="url text",
    )

    class Meta:
        db_table = "hf_item"
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "external_id"], name="item_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ItemState.values), name="item_state_known"
            ),
        ]
        indexes = [models.Index(fields=["platform", "actor"], name="item_by_actor")]


class ItemUrl(Row):
    """A URL under which an item is known, in its normal form."""

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="urls")
    normal_url = models.CharField(max_length=2083)

    privacy = classes(operational="id platform item", content="normal_url")

    class Meta:
        db_table = "hf_item_url"
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "normal_url"], name="item_url_once"
            )
        ]


class ItemVersion(Row):
    """What an item said before its poster changed it."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="versions")
    text = models.TextField(blank=True)
    url = models.URLField(max_length=2083, blank=True)
    replaced_at = models.DateTimeField()

    privacy = classes(operational="id item replaced_at", content="text url")

    class Meta:
        db_table = "hf_item_version"


class Media(Row):
    """A picture or a clip of an item.

    Its bytes are uploaded (and then kept sealed, ``upload``) or fetched from
    ``fetch_url``. A change by the poster adds a row and marks the old one replaced.
    """

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="media")
    position = models.PositiveSmallIntegerField()
    fetch_url = models.URLField(max_length=2083, blank=True)
    upload = models.UUIDField(null=True)
    """The sealed blob that holds the uploaded bytes."""
    media_type = models.CharField(max_length=100, blank=True)
    original_name = models.CharField(max_length=400, blank=True)
    state = models.CharField(
        max_length=16, choices=MediaState.choices, default=MediaState.WAITING
    )
    refusal = models.CharField(max_length=64, blank=True)
    """Why no fingerprint could be made; blank unless refused."""
    added_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True)

    privacy = classes(
        operational="id item position upload media_type state refusal added_at"
        " replaced_at",
        content="fetch_url original_name",
    )

    class Meta:
        db_table = "hf_media"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="refused", refusal__gt="")
                | (~Q(state="refused") & Q(refusal="")),
                name="media_refused_with_reason",
            ),
        ]
        indexes = [models.Index(fields=["item", "position"], name="media_by_item")]


class Share(Row):
    """Somebody passed an item on without making a new one."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="shares")
    external_id = models.CharField(max_length=200)
    actor = models.ForeignKey(
        Actor, null=True, on_delete=models.PROTECT, related_name="+"
    )
    shared_at = models.DateTimeField()

    privacy = classes(operational="id item external_id actor shared_at")

    class Meta:
        db_table = "hf_share"
        constraints = [
            models.UniqueConstraint(fields=["item", "external_id"], name="share_once")
        ]


class ViewCount(Row):
    """How often an item had been seen by a moment: the platform's total."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="view_counts")
    views_total = models.BigIntegerField()
    counted_at = models.DateTimeField()

    privacy = classes(operational="id item views_total counted_at")

    class Meta:
        db_table = "hf_view_count"
        constraints = [
            models.UniqueConstraint(fields=["item", "counted_at"], name="views_once"),
            models.CheckConstraint(
                condition=Q(views_total__gte=0), name="views_positive"
            ),
        ]


class Placement(Row):
    """An advert that stood beside an item, and what it earned."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="placements")
    external_id = models.CharField(max_length=200)
    shown_at = models.DateTimeField()
    earned_micros = models.BigIntegerField()
    """Millionths of the currency's unit."""
    currency = models.CharField(max_length=3)

    privacy = classes(operational="id item external_id shown_at earned_micros currency")

    class Meta:
        db_table = "hf_placement"
        constraints = [
            models.UniqueConstraint(
                fields=["item", "external_id"], name="placement_once"
            )
        ]

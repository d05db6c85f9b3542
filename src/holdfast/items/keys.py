"""Platforms and their API keys. A key is shown once and kept as a hash."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput, NotAllowed, NotFound
from holdfast.base.events import Kind, emit
from holdfast.base.rows import read
from holdfast.items.connectors.host.client import Host
from holdfast.items.models import ApiKey, Platform
from holdfast.vault.installation import keys

SCOPES = (
    Permission.ITEMS_WRITE,
    Permission.ITEMS_READ,
    Permission.REPORTS_WRITE,
    Permission.CHANGES_READ,
)
"""What a platform's key may do."""
OF_FLAGGERS = (Permission.REPORTS_FLAG,)
"""What the key of a trusted flagger or a hotline may do."""
SECRET_BYTES = 32
PREFIX_LENGTH = 8


@dataclass(frozen=True)
class PlatformGiven:
    """What is said of a platform when it is registered or changed."""

    slug: str
    name: str
    url: str
    hosts: Sequence[str] = ()
    aliases: Sequence[dict[str, str]] = ()
    lookup_url: str = ""
    media_hosts: Sequence[str] = ()
    webhook_url: str = ""
    webhook_secret: str = ""
    """``whsec_…`` as Standard Webhooks writes it; blank keeps the one there is."""


def put_platform(given: PlatformGiven, *, by: By) -> UUID:
    """Register a platform or change it; returns its id."""
    by.require(Permission.PLATFORM_MANAGE)
    if given.webhook_secret and not given.webhook_secret.startswith("whsec_"):
        raise InvalidInput("A webhook secret begins with whsec_ (Standard Webhooks).")
    for alias in given.aliases:
        try:
            re.compile(alias["pattern"])
        except (re.error, KeyError) as error:
            raise InvalidInput("An alias needs a pattern and a url.") from error
    facts: dict[str, object] = {
        "name": given.name,
        "url": given.url,
        "hosts": [host.lower() for host in given.hosts],
        "aliases": list(given.aliases),
        "lookup_url": given.lookup_url,
        "media_hosts": [host.lower() for host in given.media_hosts],
        "webhook_url": given.webhook_url,
    }
    if given.webhook_secret:
        facts["webhook_secret"] = keys().encrypt_secret(
            given.webhook_secret, bound_to=f"webhook:{given.slug}"
        )
    with transaction.atomic():
        platform, created = Platform.objects.update_or_create(
            slug=given.slug,
            defaults=facts,
            create_defaults={**facts, "registered_at": clock.now()},
        )
        emit(
            Kind.PLATFORM_REGISTERED,
            about={"platform": platform.id},
            facts={"new": created},
            by=by,
        )
    return platform.id


def create_key(
    platform_id: UUID, label: str, scopes: Sequence[Permission] = SCOPES, *, by: By
) -> str:
    """A new API key, returned this once. Raises ``InvalidInput`` for unknown scopes."""
    by.require(Permission.PLATFORM_MANAGE)
    if not scopes or any(scope not in (*SCOPES, *OF_FLAGGERS) for scope in scopes):
        raise InvalidInput(f"A key's scopes are among: {', '.join(SCOPES)}.")
    prefix = secrets.token_hex(PREFIX_LENGTH // 2)
    token = f"hf_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    with transaction.atomic():
        key = ApiKey.objects.create(
            platform_id=platform_id,
            label=label,
            prefix=prefix,
            key_hash=_hash(token),
            scopes=[str(scope) for scope in scopes],
            created_at=clock.now(),
        )
        emit(Kind.KEY_CREATED, about={"platform": platform_id, "key": key.id}, by=by)
    return token


def revoke_key(key_id: UUID, *, by: By) -> None:
    """End a key. Twice changes nothing."""
    by.require(Permission.PLATFORM_MANAGE)
    with transaction.atomic():
        key = ApiKey.objects.select_for_update().filter(id=key_id).first()
        if key is None:
            raise NotFound("There is no such key.")
        if key.revoked_at is None:
            key.revoked_at = clock.now()
            key.save(update_fields=["revoked_at"])
            emit(Kind.KEY_REVOKED, about={"key": key.id}, by=by)


@dataclass(frozen=True)
class Caller:
    """Who calls the platform API: a key of a platform."""

    platform_id: UUID
    key_id: UUID
    by: By


def authenticate(token: str) -> Caller:
    """Whose key this is. Raises ``NotAllowed``."""
    known = read(
        "SELECT id, platform_id, scopes FROM hf_api_key"
        " WHERE key_hash = %s AND revoked_at IS NULL",
        _hash(token),
    )
    if not known:
        raise NotAllowed("This key is not known, or has been revoked.")
    [(key_id, platform_id, scopes)] = known
    permissions = frozenset(Permission(each) for each in scopes)
    return Caller(platform_id, key_id, By("platform", str(key_id), permissions))


def host(platform: Platform) -> Host:
    """How to ask this platform."""
    return Host(
        media_hosts=tuple(platform.media_hosts),
        lookup_url=platform.lookup_url,
        secret=webhook_secret(platform),
    )


def webhook_secret(platform: Platform) -> str:
    """The secret that signs what goes to this platform; blank if it has none."""
    if not platform.webhook_secret:
        return ""
    return keys().decrypt_secret(
        platform.webhook_secret, bound_to=f"webhook:{platform.slug}"
    )


def _hash(token: str) -> str:
    # A key has 256 random bits, so a plain hash cannot be guessed backwards.
    return hashlib.sha256(token.encode()).hexdigest()

"""How reports come to the door, so that a wave can be seen.

Nothing here refuses, delays or weighs a report: a mark is for people who look at a
wave. No network address is stored. What is kept for a day is a keyed hash of it, whose
key is made anew each day and destroyed with the hashes; addresses of one household or
one machine (the first 64 bits of IPv6) give one token.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from holdfast.base import clock
from holdfast.intake.models import Arrival, DoorKey, Report
from holdfast.vault.installation import keys

TOKEN_LIVES = timedelta(hours=24)
"""A wave is seen within hours; nobody has to know longer who came from where."""
IPV6_HOUSEHOLD_BITS = 64
"""The part of an IPv6 address that a household keeps (RFC 6177, RFC 8981)."""
SECRET_BYTES = 32


class Mark(StrEnum):
    """What a program does and a person does not."""

    HONEYPOT = "honeypot"
    """A field that people do not see was filled in."""
    TOO_FAST = "too_fast"
    """The form came back sooner than it can be read."""


def note_arrival(report_id: UUID, address: str, marks: Collection[Mark]) -> None:
    """Keep how a report came, for a day. ``address`` may be blank or unreadable.

    Twice for one report changes nothing.
    """
    Arrival.objects.get_or_create(
        report_id=report_id,
        defaults={
            "address_token": token(address),
            "marks": sorted(marks),
            "arrived_at": clock.now(),
        },
    )


def token(address: str) -> str:
    """The keyed hash of a network address: 64 hexadecimal digits.

    Blank for what is no address of a person: none, or one of a private network, which
    is that of a proxy that nobody named as ours and would make all people one.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if not found.is_global:
        return ""
    kept = found.packed
    if found.version == 6:
        kept = kept[: IPV6_HOUSEHOLD_BITS // 8]
    return hmac.new(_secret(), kept, hashlib.sha256).hexdigest()


def forget_tokens() -> None:
    """Tick: a day later no token is left, nor the key that made it."""
    old = clock.now() - TOKEN_LIVES
    Arrival.objects.filter(arrived_at__lt=old).exclude(address_token="").update(
        address_token=""
    )
    # A key makes tokens for a day, and the last of them lives a day longer.
    DoorKey.objects.filter(made_at__lt=old - TOKEN_LIVES).delete()


def _secret() -> bytes:
    """Today's key. It is sealed with the installation's own, and derived from none."""
    young = DoorKey.objects.filter(made_at__gte=clock.now() - TOKEN_LIVES)
    found = young.order_by("made_at").first()
    if found is None:
        with transaction.atomic():
            # Whoever makes it first makes it for all: two keys would be two clusters.
            list(DoorKey.objects.select_for_update().order_by("made_at"))
            found = young.order_by("made_at").first() or DoorKey.objects.create(
                secret=secrets.token_bytes(SECRET_BYTES), made_at=clock.now()
            )
    sealed = bytes(found.secret)
    return hmac.new(keys().hmac_key("address-token"), sealed, hashlib.sha256).digest()


def arrived_like(report_id: UUID) -> Collection[UUID]:
    """The reports of the last day from where this one came, itself included."""
    mine = Arrival.objects.filter(report=report_id).exclude(address_token="").first()
    if mine is None:
        return []
    same = Arrival.objects.filter(address_token=mine.address_token)
    return list(Report.objects.filter(arrival__in=same).values_list("id", flat=True))

"""This installation's keys and sealed store, as the settings say."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from holdfast.vault.blobs import BlobStore
from holdfast.vault.keys import KeyRing


def keys() -> KeyRing:
    """The key ring of this installation."""
    ring = settings.HOLDFAST_KEYS
    assert isinstance(ring, KeyRing)
    return ring


@cache
def blobs() -> BlobStore:
    """The sealed store. Recovery recipients can open what is sealed here, too."""
    ring = keys()
    return BlobStore(
        settings.HOLDFAST_BLOBS,
        [ring.sealing_recipient, *settings.HOLDFAST_RECOVERY],
        ring.opening_identities,
        naming_key=ring.hmac_key("blob-names"),
    )

"""A key of its own for an import into a platform of this installation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from holdfast.base.by import Permission
from holdfast.base.errors import NotAllowed, NotFound
from holdfast.cli import running_at
from holdfast.cli.importing.journal import Journal
from holdfast.cli.operator import OPERATOR
from holdfast.items.keys import authenticate, create_key, revoke_key
from holdfast.items.queries import platforms

_NAME = "own_key"


@contextmanager
def own_key(slug: str, kept: Journal) -> Iterator[tuple[str, str]]:
    """This installation's address, and a key that may register items.

    The address is HOLDFAST_URL where that is given, else where ``holdfast up`` listens.
    The key is revoked when everything is done. Until then it stays in the journal:
    a repeated write is known by its key, also after a crash. Raises ``NotFound``.
    """
    token = kept.recall(_NAME) or _new_key(slug, kept)
    try:
        caller = authenticate(token)
    except NotAllowed:
        token = _new_key(slug, kept)
        caller = authenticate(token)
    given = "HOLDFAST_URL" in os.environ
    address = "" if given else running_at()
    yield address or settings.HOLDFAST_URL, token
    if not kept.counts()["waiting"]:
        kept.remember(_NAME, "")
        revoke_key(caller.key_id, by=OPERATOR)


def _new_key(slug: str, kept: Journal) -> str:
    for line in platforms():
        if line.slug == slug:
            scopes = (Permission.ITEMS_WRITE, Permission.ITEMS_READ)
            token = create_key(line.id, "import", scopes, by=OPERATOR)
            kept.remember(_NAME, token)
            return token
    raise NotFound(f"There is no platform {slug!r}. See: holdfast platform list")

"""Which exchanges there are, and a connection to one by its kind.

A connector is loaded when it is used: those that speak to a service need Meta's
library, which is an extra.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from holdfast.base.errors import InvalidInput, Unavailable
from holdfast.matching.connectors.exchange import Exchange

EXTRA = "threatexchange"
"""The package of the extra ``holdfast[exchange]``."""


@dataclass(frozen=True)
class Spoken:
    """One kind of exchange: where its connector is, and what it is set up with."""

    module: str
    connector: str
    words: str
    settings: tuple[str, ...] = ()
    is_remote: bool = True


KINDS: Mapping[str, Spoken] = MappingProxyType(
    {
        "ncmec": Spoken(
            "ncmec", "NCMEC", "NCMEC's hash sharing: USER:PASSWORD", ("members",)
        ),
        "stopncii": Spoken(
            "stopncii", "StopNCII", "StopNCII.org: FUNCTION_KEY,SUBSCRIPTION_KEY"
        ),
        "threatexchange": Spoken(
            "fb_threatexchange",
            "ThreatExchange",
            "Meta's ThreatExchange: APP_NUMBER|APP_SECRET",
            ("privacy_group", "tags"),
        ),
        "folder": Spoken(
            "folder", "Folder", "a folder of bank files", ("path",), is_remote=False
        ),
    }
)


def connect(
    kind: str,
    url: str,
    credentials: str,
    settings: Mapping[str, Any],
    patience: object = None,
) -> Exchange:
    """A connection; nothing is sent yet.

    Raises ``InvalidInput`` for what cannot be meant, and ``Unavailable`` where the
    extra is not installed. ``patience`` is a ``one_host.Patience``, for tests.
    """
    spoken = KINDS.get(kind)
    if spoken is None:
        raise InvalidInput(f"An exchange is one of: {', '.join(KINDS)}.")
    unknown = sorted(set(settings) - set(spoken.settings))
    if unknown:
        raise InvalidInput(f"This exchange has no setting {unknown[0]!r}.")
    module = "holdfast.matching.connectors." + spoken.module + ".client"
    try:
        client = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in (EXTRA, "requests", "dacite"):
            raise
        raise Unavailable(
            "This exchange needs Meta's library: pip install 'holdfast[exchange]'."
        ) from error
    if spoken.is_remote and patience is None:
        patience = client.Patience()
    connector: Exchange = getattr(client, spoken.connector)(
        url, credentials, settings, patience
    )
    return connector

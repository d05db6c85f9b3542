"""Meta's ThreatExchange (``/threat_updates`` of the Graph API), through its library.

The library's ``FBThreatExchangeSignalExchangeAPI`` tails one privacy group. Changed by
subclassing its client: the session (the library's own requests have no time limit, and
follow a page's link wherever it leads), pages without an update (which the library
fails on, 1.2.17), and updates that cannot be read, which are left out one by one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from threatexchange.exchanges.clients.fb_threatexchange.api import (
    ThreatExchangeAPI,
    is_valid_app_token,
)
from threatexchange.exchanges.clients.fb_threatexchange.threat_updates import (
    ThreatUpdateJSON,
)
from threatexchange.exchanges.fetch_state import AggregateSignalOpinionCategory
from threatexchange.exchanges.impl import fb_threatexchange_api as library

from holdfast.base.errors import InvalidInput, Unavailable
from holdfast.matching import formats
from holdfast.matching.connectors.exchange import (
    MAX_KEY,
    Cursor,
    Malformed,
    Record,
    Update,
)
from holdfast.matching.connectors.one_host import OneHost, Patience
from holdfast.matching.connectors.remote import (
    LeftOut,
    Pages,
    Remote,
    is_ahead,
)
from holdfast.matching.formats import KINDS

TOKEN_REFUSED = frozenset({102, 190})
"""Codes of the Graph API for a token that does not count; they come with HTTP 400."""
STALE_AFTER_S = 85 * 24 * 60 * 60
"""ThreatExchange tells of deletions for 90 days; the library's figure."""


class ThreatExchange(Remote):
    """A connection; ``credentials`` are an app's access token, ``number|secret``.

    ``settings``: ``privacy_group``, its number; ``tags``, a list: only what has one of
    these tags is taken, or everything if it is absent.
    """

    def __init__(
        self,
        url: str,
        credentials: str,
        settings: Mapping[str, Any],
        patience: Patience,
    ) -> None:
        token = credentials.strip()
        if not is_valid_app_token(token):
            raise InvalidInput(
                "ThreatExchange hands out an app's token: NUMBER|SECRET."
            )
        try:
            group = int(settings["privacy_group"])
        except (KeyError, ValueError) as error:
            raise InvalidInput("Say which privacy group, by its number.") from error
        super().__init__(url)
        self._tags = frozenset(settings.get("tags", ()))
        self._client = _Client(self.url, token, patience)
        self._api = library.FBThreatExchangeSignalExchangeAPI(
            self._client,
            library.FBThreatExchangeCollabConfig(name="", privacy_group=group),
        )

    def is_stale(self, cursor: Cursor) -> bool:
        """After 85 days without a pull, deletions may no longer be told."""
        return time.time() - float(cursor["at"]) > STALE_AFTER_S

    def _pull(self, cursor: Cursor | None) -> Iterator[Update]:
        self._client.pages = Pages()
        checkpoint = None
        if cursor is not None:
            checkpoint = library.FBThreatExchangeCheckpoint(
                int(cursor["from"]), int(cursor["at"])
            )
        here = cursor or {"from": 0, "at": int(time.time())}
        for delta in self._api.fetch_iter([], checkpoint):
            update = self._update(delta)
            here = update.cursor
            yield update
        # Of pages on which nothing could be read.
        if malformed := self._client.left_out.take():
            yield Update((), (), tuple(malformed), here)

    def _update(self, delta: library.ThreatExchangeDelta) -> Update:
        malformed = self._client.left_out.take()
        changed, removed = [], []
        for (kind_name, indicator), said in delta.updates.items():
            kind = KINDS.get(kind_name.lower())
            if kind is None:
                continue
            key = f"{kind_name} {indicator.strip().lower()}"[:MAX_KEY]
            labels = _labels(said) if said is not None else ()
            if said is None or not self._is_wanted(said, labels):
                removed.append(key)
                continue
            try:
                signal = formats.parse(kind, indicator)
            except formats.Malformed as error:
                malformed.append(Malformed(key, str(error)))
            else:
                changed.append(Record(key, (signal,), labels))
        checkpoint = delta.checkpoint
        return Update(
            tuple(changed),
            tuple(removed),
            tuple(malformed),
            {"from": checkpoint.update_time, "at": checkpoint.last_fetch_time},
        )

    def _is_wanted(
        self, said: library.FBThreatExchangeIndicatorRecord, labels: tuple[str, ...]
    ) -> bool:
        """Not what everybody calls harmless. What is disputed is for people to see."""
        opinion = said.get_as_aggregate_opinion().category
        if opinion is AggregateSignalOpinionCategory.NEGATIVE_CLASS:
            return False
        return not self._tags or not self._tags.isdisjoint(labels)


class _Client(ThreatExchangeAPI):
    """The library's client with our session, given only updates that it can read."""

    def __init__(self, url: str, token: str, patience: Patience) -> None:
        super().__init__(token, endpoint_override=url)
        self._patience = patience
        self.left_out = LeftOut()
        self.pages = Pages()

    def get_json_from_url(
        self,
        url: str,
        params: Mapping[str, Any] | None = None,
        *,
        json_obj_hook: Callable[..., Any] | None = None,
    ) -> Any:
        """One page. Its link to the next holds the token, and stays on this host."""
        self.pages.turn(f"{url} {sorted((params or {}).items())}")
        with OneHost(self._base_url, self._patience) as session:
            answer = session.get(url, params=dict(params or {}))
        if answer.status_code == 400 and _token_is_refused(answer):
            answer.status_code = 401
        answer.raise_for_status()
        page = answer.json(object_hook=json_obj_hook)
        if not isinstance(page.get("data"), list):
            raise Unavailable("The exchange's answer is no page of updates.")
        return {**page, "data": [each for each in page["data"] if self._readable(each)]}

    def get_threat_updates(self, *group: Any, **query: Any) -> Any:
        """The pages that hold something."""
        return (page for page in super().get_threat_updates(*group, **query) if page)

    def _readable(self, raw: Any) -> bool:
        try:
            update = ThreatUpdateJSON(raw)
            said = library.FBThreatExchangeIndicatorRecord.from_threatexchange_json(
                self.app_id, update
            )
            update.threat_type.lower()
            update.indicator.lower()
            if update.time < 0 or (said is None and not update.should_delete):
                # Meta's own "visibility bug": it comes and goes, and means nothing.
                raise ValueError("nobody's opinion of it can be seen")
            if is_ahead(update.time):
                raise ValueError("it is of a time that has not come")
        except Exception as error:
            # Whatever parsing meets: the update is no update.
            self.left_out.add(_unreadable(raw, error))
            return False
        return True


def _token_is_refused(answer: Any) -> bool:
    try:
        return answer.json()["error"]["code"] in TOKEN_REFUSED
    except (ValueError, KeyError, TypeError):
        return False


def _unreadable(raw: Any, error: Exception) -> Malformed:
    key = ""
    if isinstance(raw, dict):
        kind, indicator = raw.get("type"), raw.get("indicator")
        if isinstance(kind, str) and isinstance(indicator, str):
            key = f"{kind} {indicator.strip().lower()}"
    return Malformed(
        key[:MAX_KEY], f"the update cannot be read: {type(error).__name__}"
    )


def _labels(said: library.FBThreatExchangeIndicatorRecord) -> tuple[str, ...]:
    return tuple(sorted({tag for each in said.opinions for tag in each.tags}))

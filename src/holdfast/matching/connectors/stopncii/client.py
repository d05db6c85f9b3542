"""StopNCII.org's API for platforms, through python-threatexchange's client for it.

The client alone, and not the library's ``StopNCIISignalExchangeAPI``: that one looks
for the word ``Withdrawn`` among the hashes instead of among their states, so nothing
that a person takes back would ever be (1.2.17), and its cursor can run ahead of pages
not read yet. Records are made whole before the client reads them: it would drop those
with a kind of feedback that it does not know.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import dacite
from threatexchange.exchanges.clients.stopncii import api

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
from holdfast.matching.formats import Kind

KINDS: Mapping[api.StopNCIISignalType, Kind] = {
    api.StopNCIISignalType.ImagePDQ: Kind.PDQ,
    api.StopNCIISignalType.VideoMD5: Kind.MD5,
}
GONE = frozenset({api.StopNCIICaseStatus.Withdrawn, api.StopNCIICaseStatus.Deleted})
"""States of a hash in which StopNCII asks platforms to delete it."""
PAGE_TOKEN_S = 60 * 60
"""How long a page's token is used; the library calls it "not valid over long periods
of time"."""
STALE_AFTER_S = 30 * 24 * 60 * 60
"""After so long without a pull everything is pulled anew: the library's figure."""
START_S = api.StopNCIIAPI.DEFAULT_START_TIME
_FEEDBACK = {each.value for each in api.StopNCIICSPFeedbackValue}


class StopNCII(Remote):
    """A connection; ``credentials`` are ``function key,subscription key``.

    That is how the library has them. There are no settings.
    """

    def __init__(
        self,
        url: str,
        credentials: str,
        settings: Mapping[str, Any],
        patience: Patience,
    ) -> None:
        function_key, _, subscription_key = credentials.strip().partition(",")
        if not function_key or not subscription_key:
            raise InvalidInput(
                "StopNCII hands out two keys: FUNCTION_KEY,SUBSCRIPTION_KEY."
            )
        super().__init__(url)
        self._client = _Client(self.url, function_key, subscription_key, patience)

    def is_stale(self, cursor: Cursor) -> bool:
        """After 30 days without a pull, what was withdrawn may no longer be told."""
        return time.time() - float(cursor["at"]) > STALE_AFTER_S

    def _pull(self, cursor: Cursor | None) -> Iterator[Update]:
        begun = int(cursor["from"]) if cursor else START_S
        page = str(cursor.get("page", "")) if cursor else ""
        if cursor and time.time() - float(cursor["at"]) > PAGE_TOKEN_S:
            page = ""
        pages = Pages()
        while True:
            pages.turn(page)
            answer = self._client.fetch_hashes(start_timestamp=begun, next_page=page)
            page = answer.nextPageToken or ""
            more = answer.hasMoreRecords
            if more and not page:
                raise Unavailable("The exchange has more, and does not say where.")
            here: dict[str, Any] = {"from": begun, "page": page}
            if not more:
                end = answer.nextSetTimestamp
                here = {"from": begun if is_ahead(end) else max(begun, end)}
            yield self._update(answer, {**here, "at": int(time.time())})
            if not more and is_ahead(end):
                raise Unavailable("The exchange says to go on at a time yet to come.")
            if not more:
                return

    def _update(self, answer: api.FetchHashesResponse, cursor: Cursor) -> Update:
        malformed = self._client.left_out.take()
        changed: dict[str, Record] = {}
        removed: dict[str, None] = {}
        for each in answer.hashRecords:
            kind = KINDS.get(each.signalType)
            if kind is None:
                continue
            key = f"{each.signalType.value} {each.hashValue.strip().lower()}"[:MAX_KEY]
            # A page can hold a record twice; what comes later counts.
            changed.pop(key, None)
            removed.pop(key, None)
            if each.hashStatus in GONE:
                removed[key] = None
                continue
            try:
                signal = formats.parse(kind, each.hashValue)
            except formats.Malformed as error:
                malformed.append(Malformed(key, str(error)))
            else:
                changed[key] = Record(key, (signal,), _labels(each))
        return Update(tuple(changed.values()), tuple(removed), tuple(malformed), cursor)


class _Client(api.StopNCIIAPI):
    """The library's client with our session, given only records that it can read."""

    def __init__(
        self, url: str, function_key: str, subscription_key: str, patience: Patience
    ) -> None:
        super().__init__(subscription_key, function_key, base_url_override=url)
        self._patience = patience
        self.left_out = LeftOut()

    def _get_session(self, endpoint: api.StopNCIIEndpoint) -> OneHost:
        session = OneHost(self._base_url, self._patience)
        session.headers["x-functions-key"] = self._function_keys[endpoint]
        session.headers["Ocp-Apim-Subscription-Key"] = self._subscription_key
        return session

    def _get(self, endpoint: api.StopNCIIEndpoint, **params: Any) -> Any:
        answer = super()._get(endpoint, **params)
        readable = []
        for record in answer.get("hashRecords", ()):
            try:
                whole = _made_whole(record)
                dacite.from_dict(api.StopNCIIHashRecord, whole, _CONFIG)
            except Exception as error:
                # Whatever parsing meets: the record is no record.
                self.left_out.add(_unreadable(record, error))
            else:
                readable.append(whole)
        return {**answer, "hashRecords": readable}


_CONFIG = dacite.Config(cast=[Enum, set])


def _made_whole(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record as the client reads it.

    What platforms said of a hash is no reason to lose it: an unknown word becomes
    ``Unknown``. The same for the states of single cases; the hash's own state counts.
    """
    feedback = [
        each
        if each.get("feedbackValue") in _FEEDBACK
        else {**each, "feedbackValue": "Unknown"}
        for each in record.get("CSPFeedbacks") or ()
    ]
    return {**record, "caseNumbers": {}, "CSPFeedbacks": feedback}


def _unreadable(record: Any, error: Exception) -> Malformed:
    key = ""
    if isinstance(record, dict):
        kind, value = record.get("signalType"), record.get("hashValue")
        if isinstance(kind, str) and isinstance(value, str):
            key = f"{kind} {value.strip().lower()}"
    return Malformed(
        key[:MAX_KEY], f"the record cannot be read: {type(error).__name__}"
    )


def _labels(record: api.StopNCIIHashRecord) -> tuple[str, ...]:
    """What platforms said of it: ``Blocked by Name``, sorted."""
    return tuple(
        sorted(
            f"{each.feedbackValue.value} by {each.source}"
            for each in record.CSPFeedbacks
            if each.source
        )
    )

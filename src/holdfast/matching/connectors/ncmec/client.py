"""NCMEC's hash sharing API, version 2, through python-threatexchange.

The library's ``NCMECSignalExchangeAPI`` asks for ranges of time and pages through them;
its rule that a range counts only once it has been read to its end is kept. Changed by
subclassing: the address (the library knows a fixed list), the session, times in UTC
(the library writes local time and calls it UTC), and entries that cannot be read are
left out one by one instead of failing the page. Pictures' MD5s are taken as well.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from xml.etree.ElementTree import Element

from threatexchange.exchanges.clients.ncmec import hash_api
from threatexchange.exchanges.impl import ncmec_api

from holdfast.base.errors import InvalidInput
from holdfast.matching import formats
from holdfast.matching.connectors.exchange import (
    MAX_KEY,
    Cursor,
    Malformed,
    Record,
    Update,
)
from holdfast.matching.connectors.one_host import OneHost, Patience
from holdfast.matching.connectors.remote import LeftOut, Pages, Remote
from holdfast.matching.formats import Kind

TAKEN: Mapping[str, frozenset[str]] = MappingProxyType(
    {"image": frozenset({"pdq", "md5"}), "video": frozenset({"md5"})}
)
"""Which fingerprints of which entries are looked for; NCMEC also hands out SHA-1 and
PhotoDNA, which Holdfast does not compute."""
SETTLING_S = 5
"""The library asks for nothing younger than this."""
_GROUPS = ("images", "videos")


class NCMEC(Remote):
    """A connection; ``credentials`` are ``user:password``, as the library has them.

    ``settings``: ``members``, a list of numbers; only what these members of NCMEC's
    service shared is taken, or everybody's if it is absent.
    """

    def __init__(
        self,
        url: str,
        credentials: str,
        settings: Mapping[str, Any],
        patience: Patience,
    ) -> None:
        user, _, password = credentials.strip().partition(":")
        if not user or not password:
            raise InvalidInput("NCMEC hands out a user name and a password: USER:PASS.")
        super().__init__(url)
        self._members = frozenset(int(each) for each in settings.get("members", ()))
        self._client = _Client(self.url, user, password, patience)

    def is_stale(self, cursor: Cursor) -> bool:
        """Never: NCMEC keeps what was deleted in its lists."""
        return False

    def _pull(self, cursor: Cursor | None) -> Iterator[Update]:
        self._client.pages = Pages()
        api = _Ranges(self._client)
        for delta in api.fetch_iter([], _checkpoint(cursor)):
            malformed = self._client.left_out.take()
            changed, removed = [], []
            for key, entry in delta.updates.items():
                if entry is None or entry.deleted:
                    removed.append(key)
                elif not self._members or entry.member_id in self._members:
                    record, problems = _record(key, entry)
                    changed.append(record)
                    malformed += problems
            yield Update(
                tuple(changed),
                tuple(removed),
                tuple(malformed),
                _cursor(delta.checkpoint),
            )


class _Ranges(ncmec_api.NCMECSignalExchangeAPI):
    """The library's walk through ranges of time, with our client."""

    def __init__(self, client: _Client) -> None:
        config = ncmec_api.NCMECCollabConfig(name="", environment=client.environment)
        super().__init__(config, "-", "-")
        self._ours = client

    def get_client(self, environment: Any) -> _Client:
        return self._ours


class _Client(hash_api.NCMECHashAPI):
    """The library's client for another address, which leaves out what is malformed."""

    environment = hash_api.NCMECEnvironment.test_Industry
    """The library asks for one of its own; its address is replaced at once."""

    def __init__(
        self, url: str, username: str, password: str, patience: Patience
    ) -> None:
        super().__init__(username, password, self.environment)
        self._base_url = url
        self._patience = patience
        self.left_out = LeftOut()
        self.pages = Pages()

    def _get_session(self) -> OneHost:
        session = OneHost(self._base_url, self._patience)
        session.auth = (self.username, self.password)
        return session

    def get_entries(
        self, *, start_timestamp: int = 0, end_timestamp: int = 0, next_: str = ""
    ) -> hash_api.GetEntriesResponse:
        """One page; see the library's own."""
        span = {
            "from": _in_utc(start_timestamp),
            "to": _in_utc(end_timestamp or int(time.time())),
        }
        if next_:
            self.pages.turn(next_)
        root = self._get(hash_api.NCMECEndpoint.entries, next_=next_, **span)
        if root.tag != "queryResult":
            raise ValueError("this is no list of entries")
        self._leave_out_malformed(root)
        return hash_api.GetEntriesResponse.from_xml(
            hash_api._XMLWrapper(root), int(time.time())
        )

    def _leave_out_malformed(self, root: Element) -> None:
        for group in _GROUPS:
            for entries in root.findall(group):
                for entry in list(entries):
                    try:
                        read = hash_api.NCMECEntryUpdate.from_xml(
                            hash_api._XMLWrapper(entry)
                        )
                        if not 0 < len(read.id) <= MAX_KEY // 2:
                            raise ValueError("an entry without a usable name")
                    except Exception as error:
                        # The library raises whatever its parsing meets.
                        self.left_out.add(_unreadable(entry, error))
                        entries.remove(entry)


def _unreadable(entry: Element, error: Exception) -> Malformed:
    name = (entry.findtext("id") or "").strip()
    member = entry.find("member")
    number = member.get("id", "") if member is not None else ""
    key = f"{number}-{name}" if name and number else name
    return Malformed(key[:MAX_KEY], f"the entry cannot be read: {type(error).__name__}")


def _record(
    key: str, entry: hash_api.NCMECEntryUpdate
) -> tuple[Record, list[Malformed]]:
    signals, problems = [], []
    for name in sorted(TAKEN[entry.entry_type.value]):
        # NCMEC writes them in lower case; a change of case must not cost every hash.
        texts = [
            text for tag, text in entry.fingerprints.items() if tag.lower() == name
        ]
        for text in texts:
            try:
                signals.append(formats.parse(Kind(name), text))
            except formats.Malformed as error:
                problems.append(Malformed(key, f"{name}: {error}"))
    labels = (entry.classification,) if entry.classification else ()
    return Record(key, tuple(signals), labels), problems


def _cursor(checkpoint: ncmec_api.NCMECCheckpoint) -> Cursor:
    page = checkpoint.paging_info
    if page is None:
        return {"from": checkpoint.get_entries_max_ts}
    return {
        "from": checkpoint.get_entries_max_ts,
        "to": page.paging_end_ts,
        "next": page.paging_url,
        "next_at": page.paging_url_ts,
    }


def _checkpoint(cursor: Cursor | None) -> ncmec_api.NCMECCheckpoint | None:
    if cursor is None:
        return None
    now = int(time.time())
    begun = ncmec_api.NCMECCheckpoint(int(cursor["from"]))
    # Within a range only if it has been over for a while: the library refuses one that
    # ends where it would itself end now. It uses no link that is older than 12 hours.
    if "next" in cursor and int(cursor["to"]) < now - SETTLING_S:
        begun.paging_info = ncmec_api._NCMECPagingInfo(
            paging_url=str(cursor["next"]),
            paging_end_ts=int(cursor["to"]),
            paging_url_ts=int(cursor["next_at"]),
        )
    return begun


def _in_utc(timestamp_s: int) -> str:
    return datetime.fromtimestamp(timestamp_s, UTC).strftime(hash_api._DATE_FORMAT_STR)

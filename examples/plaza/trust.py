"""Everything Plaza does with Holdfast, in one file.

Five things are said (accounts, posts, counts, changes by the poster, reports), five
are done when Holdfast asks (freeze and thaw, remove and restore, suspend and reinstate,
hold and release contact, show a statement of reasons), and two questions are answered
(which item is at this URL, may I have this picture). Nothing here decides anything
about content.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from holdfast.client import (
    Actor,
    Category,
    Change,
    Claim,
    ClientError,
    File,
    Holdfast,
    Item,
    ItemState,
    Placement,
    Receipt,
    Receiver,
    Refused,
    Share,
    Spooled,
    Target,
    Unreachable,
    Views,
    replay,
)
from plaza.store import Row, Store, happened

TELL_EVERY_S = 0.5
"""How often counts and reposts are told."""

ASK_EVERY_S = 30.0
"""How often the change feed and the categories are read, beside the webhooks."""

CURRENCY = "EUR"

FIRST_CATEGORIES = [
    Category("child_other", "Something that harms a child", True),
    Category("copyright", "Copyright", False),
    Category("other", "Something else", False),
]
"""The menu of a Plaza that has never yet reached its Holdfast."""

log = logging.getLogger("plaza")


class Trust:
    """Plaza's side of the agreement with Holdfast."""

    def __init__(
        self, store: Store, url: str, holdfast: str, key: str, secret: str, spool: Path
    ) -> None:
        self.store = store
        self.url = url
        self.client = Holdfast(holdfast, key, spool=spool)
        self.receiver = Receiver(secret, self)
        self.categories = FIRST_CATEGORIES
        self._stop = threading.Event()
        self._teller = threading.Thread(target=self._keep_telling, daemon=True)

    def start(self) -> None:
        """Finish what a crash left half done, then tell and catch up for ever."""
        for row in self.store.all("select id from item where state = 'held'"):
            self.post(row["id"])
        for row in self.store.all("select id from item where state = 'removed'"):
            self.store.drop_bytes(row["id"])
        self._teller.start()

    def close(self) -> None:
        """Stop. What Holdfast has not accepted waits in the spool."""
        self._stop.set()
        self._teller.join(2)
        self.client.close()

    # What we say.

    def account(self, account: str) -> None:
        """Say that an account is new, changed or closed; wait for nothing."""
        row = self.store.one("select * from account where id = ?", account)
        actor = Actor(
            id=row["id"],
            screen_name=row["name"],
            profile_url=f"{self.url}/u/{row['name']}",
            created_at=_time(row["created_at"]),
            closed_at=_time(row["closed_at"]) if row["closed_at"] else None,
        )
        self.client.put_actor(actor, patience_s=0)

    def post(self, item: str) -> str:
        """Show a held post to Holdfast, then to people; returns its state.

        At most ``PATIENCE_S`` passes here. Raises ``Refused`` for a post that Holdfast
        cannot take at all; it stays down.
        """
        try:
            answer = self._put(item)
        except Refused:
            self.store.delete(item)
            raise
        if isinstance(answer, Spooled) or answer.state == "visible":
            self.store.publish(item)
        else:
            with self.store.change() as db:
                _set_state(db, item, answer.state)
        return str(self.store.one("select state from item where id = ?", item)[0])

    def changed(self, item: str) -> None:
        """Say that the poster edited or deleted an item that Holdfast knows."""
        row = self.store.item(item)
        if row is not None and row["told"]:
            self.client.put_item(self._item(row), patience_s=0)

    def report(
        self,
        kind: str,
        named: str,
        category: str,
        *,
        key: str,
        words: str | None = None,
        reporter: str | None = None,
        claims: tuple[Claim, ...] = (),
        police_number: str | None = None,
        hold_contact: bool = False,
    ) -> Receipt | Spooled:
        """File a report about an item or an account (``kind``), for ``reporter``.

        ``reporter`` is None for somebody who is not signed in or does not want to be
        named. The same ``key`` is the same report, however often it is sent.
        """
        return self.client.report(
            self._target(kind, named),
            category,
            words=words,
            reporter=reporter,
            claims=claims,
            police_number=police_number,
            hold_contact=hold_contact and reporter is not None,
            key=key,
        )

    def _target(self, kind: str, named: str) -> Target:
        if kind == "account":
            return Target(actor=named)
        row = self.store.item(named)
        if row is not None and row["kind"] == "message" and not row["told"]:
            # A private message reaches Holdfast only now that somebody in the
            # conversation reports it. The spool keeps it in front of the report.
            try:
                self._put(named)
            except Refused:
                log.warning("message %s was refused; its report goes on", named)
        return Target(item=named)

    def tell_counts(self) -> None:
        """Say what happened since the last time: reposts, views, shares, adverts."""
        if not self.client.reachable:
            return  # The totals are kept here, and told when somebody listens.
        self._tell_reposts()
        rows = self.store.all(
            "select id, views from item where told and views > views_told limit 1000"
        )
        now = datetime.now(UTC)
        self.client.views([Views(row["id"], row["views"], now) for row in rows])
        with self.store.change() as db:
            db.executemany(
                "update item set views_told = ? where id = ?",
                [(row["views"], row["id"]) for row in rows],
            )
        self._tell_events()

    def _tell_reposts(self) -> None:
        rows = self.store.all(
            "select * from item where repost_of is not null and not told limit 1000"
        )
        if rows:
            self.client.put_items([self._item(row) for row in rows], patience_s=0)
        self._told(*[row["id"] for row in rows])

    def _tell_events(self) -> None:
        told = int(self.store.fact("events_told") or 0)
        rows = self.store.all(
            "select * from event where seq > ? order by seq limit 5000", told
        )
        if not rows:
            return
        self.client.shares(
            [
                Share(f"e{row['seq']}", row["item"], _time(row["at"]), row["account"])
                for row in rows
                if row["kind"] == "share"
            ]
        )
        self.client.placements(
            [
                Placement(
                    f"e{row['seq']}",
                    row["item"],
                    _time(row["at"]),
                    row["micros"],
                    CURRENCY,
                )
                for row in rows
                if row["kind"] == "advert"
            ]
        )
        self.store.keep_fact("events_told", rows[-1]["seq"])

    # What we do when Holdfast asks. The receiver calls these four.

    def last_number(self, subject: str) -> int:
        """How far we are with this item or account."""
        row = self.store.maybe("select number from number where subject = ?", subject)
        return 0 if row is None else int(row["number"])

    def apply(self, change: Change) -> None:
        """Obey, in one transaction with the number that says so."""
        with self.store.change() as db:
            if change.verb == "statement":
                owner = change.actor or _owner(db, change.item)
                db.execute(
                    "insert into statement values (?, ?, ?, ?, ?)",
                    (owner, change.body.get("item", change.item),
                     change.body["kind"], change.body["words"], time.time()),
                )  # fmt: skip
            elif change.verb in ("suspend", "reinstate"):
                state = "suspended" if change.verb == "suspend" else "active"
                db.execute(
                    "update account set state = ? where id = ?", (state, change.actor)
                )
            elif change.verb in ("hold_contact", "release_contact"):
                two = (change.actor, change.body["toward"])
                if change.verb == "hold_contact":
                    db.execute("insert or ignore into contact_hold values (?, ?)", two)
                else:
                    db.execute(
                        "delete from contact_hold where account = ? and toward = ?", two
                    )
            else:
                assert change.item is not None
                _owner(db, change.item)
                _set_state(db, change.item, _STATES[change.verb], change.body)
            db.execute(
                "insert or replace into number values (?, ?)",
                (change.subject, change.number),
            )
        if change.item is not None:
            self._drop_what_may_go(change.item)

    def _drop_what_may_go(self, item: str) -> None:
        row = self.store.item(item)
        if row is None or row["forbid_delete"]:
            return
        if row["state"] == "removed" or row["deleted_at"] is not None:
            self.store.drop_bytes(item)

    def cursor(self) -> str | None:
        """Where we are in the change feed."""
        return self.store.fact("cursor")

    def keep_cursor(self, cursor: str) -> None:
        """Remember where we are in the change feed."""
        self.store.keep_fact("cursor", cursor)

    # What we answer.

    def is_holdfast(self, headers: Mapping[str, str]) -> bool:
        """Whether Holdfast itself asks; nobody else gets a frozen picture."""
        return self.receiver.sign_check(headers)

    def item_at(self, url: str) -> str | None:
        """The item behind any of our URLs: full, mobile, short, shared, picture."""
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("m.")
        if host != urlsplit(self.url).hostname:
            return None
        path = parts.path.rstrip("/").split("/")[1:]
        if path[:1] == ["m"]:
            path = path[1:]
        if len(path) != 2:
            return None
        column = {
            "p": "select id from item where id = ?",
            "share": "select id from item where id = ?",
            "s": "select id from item where short = ?",
            "media": "select item from picture where id = ?",
        }.get(path[0])
        row = None if column is None else self.store.maybe(column, path[1])
        return None if row is None else str(row[0])

    def statements(self, account: str) -> list[Row]:
        """The statements of reasons that the account's owner may read, latest first."""
        return self.store.all(
            "select * from statement where account = ? order by at desc", account
        )

    # How it is done.

    def _put(self, item: str) -> ItemState | Spooled:
        row = self.store.one("select * from item where id = ?", item)
        files = [
            File(data, picture["media_type"], picture["name"])
            for picture in self.store.pictures(item)
            if (data := self.store.bytes_of(picture["id"])) is not None
        ]
        answer = self.client.put_item(self._item(row), files)
        self._told(item)
        return answer

    def _item(self, row: Row) -> Item:
        return Item(
            id=row["id"],
            kind="message" if row["kind"] == "message" else "post",
            actor=row["account"],
            conversation=row["conversation"],
            repost_of=row["repost_of"],
            url=f"{self.url}/p/{row['id']}",
            text=row["text"],
            posted_at=_time(row["posted_at"]),
            deleted_at=_time(row["deleted_at"]) if row["deleted_at"] else None,
        )

    def _told(self, *items: str) -> None:
        with self.store.change() as db:
            db.executemany(
                "update item set told = 1 where id = ?", [(item,) for item in items]
            )

    def _keep_telling(self) -> None:
        ask_at = 0.0
        while not self._stop.wait(TELL_EVERY_S):
            try:
                self.tell_counts()
                if time.monotonic() >= ask_at:
                    ask_at = time.monotonic() + ASK_EVERY_S
                    self.categories = self.client.categories()
                    replay(self.client, self.receiver)
            except Unreachable:
                log.info("holdfast cannot be asked now; everything is kept")
            except (ClientError, LookupError) as failure:
                log.warning("holdfast: %s", failure)


_STATES = {
    "freeze": "frozen",
    "thaw": "visible",
    "remove": "removed",
    "restore": "visible",
}


_NOTHING: Mapping[str, object] = {}


def _set_state(
    db: sqlite3.Connection, item: str, state: str, body: Mapping[str, object] = _NOTHING
) -> None:
    hidden = state != "visible"
    db.execute(
        "update item set state = ?, advertising_hold = ?, forbid_delete = ?"
        " where id = ?",
        (state, bool(body.get("advertising_hold", hidden)),
         bool(body.get("forbid_delete", hidden)), item),
    )  # fmt: skip
    happened(db, state, item)


def _owner(db: sqlite3.Connection, item: str | None) -> str:
    """Whose item it is; what is not ours is not confirmed."""
    row = db.execute("select account from item where id = ?", (item,)).fetchone()
    if row is None:
        raise LookupError(f"no item {item} here")
    return str(row["account"])


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)

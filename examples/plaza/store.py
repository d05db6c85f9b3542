"""Plaza's own storage: SQLite for what happened, a folder for the pictures.

What may be seen is decided here, in one place (``_SHOWN``), and every view, repost and
advert is counted in the transaction that looked whether it may be seen. The events are
append-only and carry the time at which they were written under SQLite's one write
lock, so a freeze and a view have an order that can be trusted.

It knows nothing of Holdfast beyond the states that an item and an account can have.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ADVERT_EVERY = 5
"""An advert stands beside every fifth view of a post."""

ADVERT_EARNS_MICROS = 1_200
"""What one advert earns, in millionths of a euro (1.20 EUR for a thousand)."""

_TABLES = """
create table if not exists account (
  id text primary key, name text not null unique collate nocase, about text not null,
  password text not null, token text not null unique,
  state text not null default 'active', created_at real not null, closed_at real
);
create table if not exists item (
  seq integer primary key autoincrement, id text not null unique,
  kind text not null, account text not null references account (id),
  repost_of text references item (id), conversation text, text text not null,
  short text not null unique, posted_at real not null, deleted_at real,
  state text not null, advertising_hold integer not null default 0,
  forbid_delete integer not null default 0, views integer not null default 0,
  views_told integer not null default 0, told integer not null default 0
);
create index if not exists item_by_account on item (account);
create index if not exists item_by_original on item (repost_of);
create index if not exists item_by_conversation on item (conversation);
create table if not exists picture (
  id text primary key, item text not null references item (id),
  media_type text not null, name text not null
);
create index if not exists picture_by_item on picture (item);
create table if not exists statement (
  account text not null, item text, kind text not null, words text not null,
  at real not null
);
create table if not exists event (
  seq integer primary key autoincrement, kind text not null, item text not null,
  account text, micros integer not null default 0, at real not null
);
create index if not exists event_by_item on event (item, kind, at);
create trigger if not exists events_stay before update on event
  begin select raise(abort, 'events are append-only'); end;
create trigger if not exists events_remain before delete on event
  begin select raise(abort, 'events are append-only'); end;
create table if not exists contact_hold (
  account text not null, toward text not null, primary key (account, toward)
);
create table if not exists number (subject text primary key, number integer not null);
create table if not exists fact (name text primary key, value text not null);
"""

_SHOWN = """
  i.state = 'visible' and i.deleted_at is null and a.state = 'active'
  and a.closed_at is null
  and (i.repost_of is null or exists (
    select 1 from item o join account oa on oa.id = o.account
    where o.id = i.repost_of and o.state = 'visible' and o.deleted_at is null
      and oa.state = 'active' and oa.closed_at is null))
"""
"""What people may see: neither the item nor what it reposts is frozen, removed or
deleted, and neither account is suspended or closed."""

_ITEM = """
select i.*, a.name, o.text as original_text, oa.name as original_name,
  (select count(*) from item r where r.repost_of = i.id) as reposts
from item i join account a on a.id = i.account
left join item o on o.id = i.repost_of left join account oa on oa.id = o.account
"""

Row = sqlite3.Row


class NotShown(Exception):
    """People may not see this at the moment."""


class Store:
    """One file and one folder. Each thread has a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self._pictures = folder / "pictures"
        self._pictures.mkdir(parents=True, exist_ok=True)
        self._path = folder / "plaza.sqlite3"
        with self.read() as db:
            db.execute("pragma journal_mode = wal")
            db.executescript(_TABLES)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection to look with."""
        db = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        db.row_factory = sqlite3.Row
        db.execute("pragma synchronous = normal")
        try:
            yield db
        finally:
            db.close()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """A transaction that alone may write, from here to its end."""
        with self.read() as db:
            db.execute("begin immediate")
            try:
                yield db
            except BaseException:
                db.execute("rollback")
                raise
            db.execute("commit")

    # Accounts.

    def add_account(self, name: str, about: str, password: str) -> Row:
        """Raises ``sqlite3.IntegrityError`` when the name is taken."""
        new = (_id(), name, about, password, secrets.token_urlsafe(24), time.time())
        with self.change() as db:
            db.execute(
                "insert into account (id, name, about, password, token, created_at)"
                " values (?, ?, ?, ?, ?, ?)",
                new,
            )
        return self.one("select * from account where id = ?", new[0])

    def account(self, column: str, value: str) -> Row | None:
        """By ``id``, ``name`` or ``token``, unless its owner closed it."""
        sql = {
            "id": "select * from account where id = ? and closed_at is null",
            "name": "select * from account where name = ? and closed_at is null",
            "token": "select * from account where token = ? and closed_at is null",
        }
        return self.maybe(sql[column], value)

    def may_write(self, account: str, to: str) -> bool:
        """Whether ``account`` may write to ``to``: not while their contact is held."""
        held = "select 1 from contact_hold where account = ? and toward = ?"
        return self.maybe(held, account, to) is None

    def close_account(self, account: str) -> None:
        """Its owner leaves: name and words may go, what is frozen stays."""
        with self.change() as db:
            db.execute(
                "update account set closed_at = ? where id = ?", (time.time(), account)
            )

    # Items.

    def add_item(
        self,
        kind: str,
        account: str,
        text: str,
        *,
        state: str = "visible",
        repost_of: str | None = None,
        conversation: str | None = None,
        pictures: Sequence[tuple[bytes, str, str]] = (),
    ) -> Row:
        """A post, repost or message; ``pictures`` are (bytes, media type, name).

        Raises :class:`NotShown` when what is to be reposted may not be seen.
        """
        new = _id()
        with self.change() as db:
            if repost_of is not None and not _is_shown(db, repost_of):
                raise NotShown(repost_of)
            db.execute(
                "insert into item (id, kind, account, repost_of, conversation, text,"
                " short, posted_at, state) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (new, kind, account, repost_of, conversation, text,
                 secrets.token_urlsafe(6), time.time(), state),
            )  # fmt: skip
            for data, media_type, name in pictures:
                picture = _id()
                (self._pictures / picture).write_bytes(data)
                db.execute(
                    "insert into picture values (?, ?, ?, ?)",
                    (picture, new, media_type, name),
                )
            if repost_of is not None:
                happened(db, "repost", repost_of, account)
        return self.one(_ITEM + "where i.id = ?", new)

    def publish(self, item: str) -> None:
        """Let a held item go up, unless a freeze came first."""
        with self.change() as db:
            db.execute(
                "update item set state = 'visible' where id = ? and state = 'held'",
                (item,),
            )

    def item(self, item: str) -> Row | None:
        """An item in whatever state it is."""
        return self.maybe(_ITEM + "where i.id = ?", item)

    def shown(self, item: str) -> Row | None:
        """An item if people may see it."""
        return self.maybe(f"{_ITEM} where i.id = ? and {_SHOWN}", item)

    def feed(self, before: int | None, limit: int) -> list[Row]:
        """The newest posts and reposts that people may see, before ``seq``."""
        return self.all(
            f"{_ITEM} where i.kind = 'post' and i.seq < ? and {_SHOWN}"
            " order by i.seq desc limit ?",
            before if before is not None else 2**62,
            limit,
        )

    def posts_of(self, account: str, *, also_hidden: bool = False) -> list[Row]:
        """An account's posts, newest first; hidden ones only for its owner."""
        which = "i.deleted_at is null" if also_hidden else _SHOWN
        return self.all(
            f"{_ITEM} where i.kind = 'post' and i.account = ? and {which}"
            " order by i.seq desc limit 100",
            account,
        )

    def messages(self, conversation: str) -> list[Row]:
        """A conversation's messages that its two people may see, oldest first.

        Those of a suspended account stay, so that they can still be reported.
        """
        return self.all(
            f"{_ITEM} where i.conversation = ? and i.state = 'visible'"
            " and i.deleted_at is null order by i.seq",
            conversation,
        )

    def conversations(self, account: str) -> list[str]:
        """The conversations of an account, latest first."""
        rows = self.all(
            "select conversation from item where conversation like ? or"
            " conversation like ? group by conversation order by max(seq) desc",
            f"{account}-%",
            f"%-{account}",
        )
        return [row["conversation"] for row in rows]

    def edit(self, item: str, text: str) -> None:
        """Change an item's words."""
        with self.change() as db:
            db.execute("update item set text = ? where id = ?", (text, item))

    def delete(self, item: str) -> bool:
        """Take an item down for its poster; True when its bytes could go too.

        While deleting is forbidden the item is hidden and everything is kept.
        """
        with self.change() as db:
            db.execute(
                "update item set deleted_at = coalesce(deleted_at, ?) where id = ?",
                (time.time(), item),
            )
            row = db.execute(
                "select forbid_delete from item where id = ?", (item,)
            ).fetchone()
        if row["forbid_delete"]:
            return False
        self.drop_bytes(item)
        return True

    # Pictures.

    def pictures(self, item: str) -> list[Row]:
        """The pictures of an item, or of what it reposts, in order."""
        return self.all(
            "select p.* from picture p join item i on p.item = coalesce(i.repost_of,"
            " i.id) where i.id = ? order by p.rowid",
            item,
        )

    def picture(self, picture: str) -> Row | None:
        """One picture and its item's id."""
        return self.maybe("select * from picture where id = ?", picture)

    def bytes_of(self, picture: str) -> bytes | None:
        """A picture's bytes; None when they are gone."""
        try:
            return (self._pictures / picture).read_bytes()
        except FileNotFoundError:
            return None

    def drop_bytes(self, item: str) -> None:
        """Delete the bytes of an item's own pictures for good."""
        for row in self.all("select id from picture where item = ?", item):
            (self._pictures / row["id"]).unlink(missing_ok=True)

    # Counting.

    def count_views(self, items: Sequence[str]) -> dict[str, bool]:
        """Count one view of each item that may be seen at this moment.

        Returns those items, and for each whether an advert stands beside it. What is
        not in the answer must not be shown.
        """
        seen: dict[str, bool] = {}
        with self.change() as db:
            for item in items:
                row = db.execute(f"{_ITEM} where i.id = ? and {_SHOWN}", (item,))
                found = row.fetchone()
                if found is None:
                    continue
                happened(db, "view", item)
                db.execute("update item set views = views + 1 where id = ?", (item,))
                advert = (found["views"] + 1) % ADVERT_EVERY == 0
                seen[item] = advert and not _on_hold(db, found)
                if seen[item]:
                    happened(db, "advert", item, micros=ADVERT_EARNS_MICROS)
        return seen

    def shared(self, item: str, account: str) -> None:
        """Somebody passed an item on in a message."""
        with self.change() as db:
            happened(db, "share", item, account)

    # Small things.

    def fact(self, name: str) -> str | None:
        """A fact that was kept under a name."""
        row = self.maybe("select value from fact where name = ?", name)
        return None if row is None else str(row["value"])

    def keep_fact(self, name: str, value: object) -> None:
        """Keep a fact under a name."""
        with self.change() as db:
            db.execute("insert or replace into fact values (?, ?)", (name, str(value)))

    def all(self, sql: str, *values: object) -> list[Row]:
        """Every row of a query."""
        with self.read() as db:
            return db.execute(sql, values).fetchall()

    def maybe(self, sql: str, *values: object) -> Row | None:
        """The first row of a query, if any."""
        rows = self.all(sql, *values)
        return rows[0] if rows else None

    def one(self, sql: str, *values: object) -> Row:
        """The first row of a query that has one."""
        return self.all(sql, *values)[0]


def conversation_id(one: str, other: str) -> str:
    """The id of the conversation of two accounts, whoever writes first."""
    return "-".join(sorted((one, other)))


def happened(
    db: sqlite3.Connection,
    kind: str,
    item: str,
    account: str | None = None,
    micros: int = 0,
) -> None:
    """Append an event, inside the transaction ``db``."""
    db.execute(
        "insert into event (kind, item, account, micros, at) values (?, ?, ?, ?, ?)",
        (kind, item, account, micros, time.time()),
    )


def _is_shown(db: sqlite3.Connection, item: str) -> bool:
    return (
        db.execute(f"{_ITEM} where i.id = ? and {_SHOWN}", (item,)).fetchone()
        is not None
    )


def _on_hold(db: sqlite3.Connection, item: Row) -> bool:
    original: Any = item["repost_of"] or item["id"]
    held = db.execute(
        "select max(advertising_hold) from item where id in (?, ?)",
        (item["id"], original),
    ).fetchone()
    return bool(held[0])


def _id() -> str:
    return secrets.token_hex(8)

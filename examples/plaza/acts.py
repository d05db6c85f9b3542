"""What people do on Plaza: each act once, for the pages and for programs alike.

An act looks who is asking, refuses with words for that person, and leaves storage to
``store.py`` and Holdfast to ``trust.py``.
"""

from __future__ import annotations

import secrets
import sqlite3
from typing import cast

from flask import Flask, abort, current_app, request, session
from werkzeug.security import generate_password_hash

from holdfast.client import Refused
from plaza.store import NotShown, Row, Store, conversation_id
from plaza.trust import Trust

MAX_UPLOAD_BYTES = 20 * 1024 * 1024
"""The largest post, pictures included."""

PICTURE_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})

PAGE = 20
"""Posts on one page of the feed."""

LOOKED_AT = "This is not available while it is looked at."


NOT_SENT = "This message could not be sent."


class Plaza(Flask):
    """The program: Flask with its storage and its line to Holdfast."""

    store: Store
    trust: Trust
    admin_token: str


def plaza() -> Plaza:
    """The running program."""
    return cast(Plaza, current_app)


def me() -> Row | None:
    """Whoever is signed in, by cookie or by token, unless suspended."""
    store = plaza().store
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind == "Bearer":
        account = store.account("token", token)
    elif "account" in session:
        account = store.account("id", session["account"])
    else:
        account = None
    return account if account is not None and account["state"] == "active" else None


def somebody() -> Row:
    """Whoever is signed in; otherwise 401."""
    account = me()
    if account is None:
        abort(401, "Sign in first.")
    return account


def visible(item: str) -> tuple[Row, bool]:
    """A post, counted as seen, and whether an advert stands beside it.

    410 while it is looked at, 404 when it never was.
    """
    store = plaza().store
    found = store.item(item)
    if found is None or found["kind"] != "post":
        abort(404, "There is no such post.")
    seen = store.count_views([item])
    if item not in seen:
        gone = found["deleted_at"] or found["state"] == "removed"
        abort(410, "This is no longer here." if gone else LOOKED_AT)
    return found, seen[item]


def own(item: str) -> Row:
    """A post or message of whoever is signed in; otherwise 404."""
    found = plaza().store.item(item)
    if found is None or found["account"] != somebody()["id"] or found["deleted_at"]:
        abort(404, "There is no such post of yours.")
    return found


def uploads() -> list[tuple[bytes, str, str]]:
    """The pictures of the form, as (bytes, media type, name)."""
    files = request.files.getlist("picture")
    found = [(file.read(), file.mimetype, file.filename or "") for file in files]
    found = [each for each in found if each[0]]
    if any(media_type not in PICTURE_TYPES for _, media_type, _ in found):
        abort(415, "Pictures may be JPEG, PNG, WebP or GIF.")
    return found


def new_post(account: Row) -> Row:
    """Take a post in, show it to Holdfast, and let it go up unless it is frozen."""
    text, pictures = request.form.get("text", "").strip()[:2000], uploads()
    if not text and not pictures:
        abort(400, "A post needs words or a picture.")
    store, trust = plaza().store, plaza().trust
    item = store.add_item("post", account["id"], text, state="held", pictures=pictures)
    try:
        trust.post(item["id"])
    except Refused as refusal:
        abort(422, f"This cannot be posted: {refusal}")
    return cast(Row, store.item(item["id"]))


def new_message(account: Row, to: str, passed_on: str = "") -> str:
    """Send a message to ``to``, perhaps with a post; returns the conversation."""
    other = plaza().store.account("name", to)
    if other is None:
        abort(404, "There is nobody of that name.")
    text, pictures = request.form.get("text", "").strip()[:2000], uploads()
    if passed_on:
        if plaza().store.shown(passed_on) is None:
            abort(410, LOOKED_AT)
        plaza().store.shared(passed_on, account["id"])
        text = f"{text} {plaza().trust.url}/p/{passed_on}".strip()
    if not text and not pictures:
        abort(400, "A message needs words or a picture.")
    if not plaza().store.may_write(account["id"], other["id"]):
        # Nothing says why: it must not be told who reported.
        abort(403, NOT_SENT)
    conversation = conversation_id(account["id"], other["id"])
    plaza().store.add_item(
        "message", account["id"], text, conversation=conversation, pictures=pictures
    )
    return conversation


def new_account(name: str, about: str = "", password: str = "") -> Row:
    """Make an account and tell Holdfast; 400 when the name will not do."""
    if not (1 <= len(name) <= 40 and name.replace("_", "").isalnum()):
        abort(400, "A name has 1 to 40 letters, digits or underscores.")
    hashed = generate_password_hash(password or secrets.token_hex())
    try:
        account = plaza().store.add_account(name, about[:500], hashed)
    except sqlite3.IntegrityError:
        abort(400, "This name is taken.")
    plaza().trust.account(account["id"])
    return account


def new_repost(account: Row, item: str) -> Row:
    """Repost the original of ``item``."""
    found = plaza().store.shown(item)
    try:
        if found is None:
            raise NotShown(item)
        original = found["repost_of"] or item
        return plaza().store.add_item("post", account["id"], "", repost_of=original)
    except NotShown:
        abort(410, LOOKED_AT)


def may_report(kind: str, named: str) -> bool:
    """Whether there is such a thing, and for a message: whether one is in it."""
    if kind == "account":
        return plaza().store.account("id", named) is not None
    item = plaza().store.item(named)
    return kind == "item" and item is not None and may_read(item)


def may_read(item: Row) -> bool:
    """Messages are for the two people in the conversation, posts for everybody."""
    person = me()
    return item["kind"] != "message" or (
        person is not None and person["id"] in item["conversation"].split("-")
    )

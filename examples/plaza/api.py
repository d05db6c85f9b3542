"""Plaza for programs: the same acts as the pages, as JSON, with a token.

``POST /api/accounts`` gives the token; it goes into ``Authorization: Bearer``. The
counts under ``/_counts`` are for the operator alone.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import asdict
from typing import Any

from flask import Blueprint, abort, request

from holdfast.client import Spooled
from plaza import acts, counts
from plaza.store import Row, conversation_id

routes = Blueprint("api", __name__)


@routes.post("/api/accounts")
def add_account() -> tuple[dict[str, str], int]:
    """``{name, about?, password?}`` → ``{id, name, token}``."""
    said = request.get_json()
    account = acts.new_account(
        str(said["name"]), said.get("about", ""), said.get("password", "")
    )
    return {
        "id": account["id"],
        "name": account["name"],
        "token": account["token"],
    }, 201


@routes.get("/api/feed")
def feed() -> dict[str, Any]:
    """The newest posts (``?before=&limit=``), each counted as seen."""
    store = acts.plaza().store
    limit = min(request.args.get("limit", acts.PAGE, type=int), 200)
    posts = store.feed(request.args.get("before", type=int), limit)
    adverts = store.count_views([post["id"] for post in posts])
    shown = [post for post in posts if post["id"] in adverts]
    return {
        "posts": [_post(post, adverts[post["id"]]) for post in shown],
        "before": posts[-1]["seq"] if posts else None,
    }


@routes.post("/api/posts")
def add_post() -> tuple[dict[str, Any], int]:
    """Multipart ``text``, ``picture`` (any number) → the post; see its ``state``."""
    item = acts.new_post(acts.somebody())
    return _post(item), 201


@routes.get("/api/posts/<item>")
def one_post(item: str) -> dict[str, Any]:
    """One post, counted as seen; 410 while it is looked at."""
    return _post(*acts.visible(item))


@routes.post("/api/posts/<item>/repost")
def repost(item: str) -> tuple[dict[str, Any], int]:
    """Repost → the new post; 410 while the original is looked at."""
    made = acts.new_repost(acts.somebody(), item)
    return _post(made), 201


@routes.delete("/api/posts/<item>")
def delete(item: str) -> dict[str, Any]:
    """Take down one's own post or message."""
    acts.own(item)
    erased = acts.plaza().store.delete(item)
    acts.plaza().trust.changed(item)
    return {"id": item, "deleted": True, "erased": erased}


@routes.get("/api/messages/<name>")
def conversation(name: str) -> dict[str, Any]:
    """The messages exchanged with ``name``, oldest first."""
    store, person = acts.plaza().store, acts.somebody()
    other = store.account("name", name)
    if other is None:
        abort(404, "There is nobody of that name.")
    shared = conversation_id(person["id"], other["id"])
    return {"messages": [_post(row) for row in store.messages(shared)]}


@routes.post("/api/messages/<name>")
def send(name: str) -> tuple[dict[str, Any], int]:
    """Multipart or form ``text``, ``picture``, ``post`` → the message."""
    shared = acts.new_message(acts.somebody(), name, request.form.get("post", ""))
    return _post(acts.plaza().store.messages(shared)[-1]), 201


@routes.post("/api/reports")
def report() -> tuple[dict[str, Any], int]:
    """``{item | account, category, words?, named?, claims?, police_number?,
    hold_contact?, key?}``.

    Answers 201 with the receipt, or 202 with ``{waiting: key}`` while Holdfast cannot
    be reached: the report is kept, and ``/api/receipts/<key>`` has the receipt later.
    """
    said = request.get_json()
    kind = "account" if "account" in said else "item"
    named, person = str(said.get(kind, "")), acts.me()
    if not acts.may_report(kind, named):
        abort(404, "There is nothing of that kind to report.")
    answer = acts.plaza().trust.report(
        kind,
        named,
        said["category"],
        key=said.get("key") or secrets.token_hex(16),
        words=said.get("words"),
        reporter=person["id"] if person is not None and said.get("named") else None,
        claims=tuple(said.get("claims", ())),
        police_number=said.get("police_number"),
        hold_contact=bool(said.get("hold_contact")),
    )
    if isinstance(answer, Spooled):
        return {"waiting": answer.key}, 202
    return asdict(answer), 201


@routes.get("/api/receipts/<key>")
def receipt(key: str) -> tuple[dict[str, Any], int]:
    """The receipt of a report that had to wait; 202 while it waits."""
    found = acts.plaza().trust.client.receipt(key)
    return ({"waiting": key}, 202) if found is None else (asdict(found), 200)


@routes.get("/_counts")
def all_counts() -> dict[str, Any]:
    """Every item with its totals."""
    _only_the_operator()
    return counts.everything(acts.plaza().store)


@routes.post("/_counts/exposure")
def exposure() -> dict[str, Any]:
    """``{items: [...], reported_at: unix seconds}`` → what happened in each phase."""
    _only_the_operator()
    said = request.get_json()
    items = [str(each) for each in said["items"]]
    return counts.exposure(acts.plaza().store, items, float(said["reported_at"]))


@routes.get("/_counts/events/<item>")
def events(item: str) -> dict[str, Any]:
    """The raw events of one item."""
    _only_the_operator()
    return {"events": counts.events(acts.plaza().store, item)}


def _only_the_operator() -> None:
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given, f"Bearer {acts.plaza().admin_token}"):
        abort(403, "These counts are for the operator.")


def _post(row: Row, advert: bool = False) -> dict[str, Any]:
    plaza = acts.plaza()
    return {
        "id": row["id"],
        "state": row["state"],
        "account": row["account"],
        "name": row["name"],
        "text": row["text"],
        "repost_of": row["repost_of"],
        "reposts": row["reposts"],
        "posted_at": row["posted_at"],
        "advert": advert,
        "pictures": [
            f"{plaza.trust.url}/media/{each['id']}"
            for each in plaza.store.pictures(row["id"])
        ],
        "url": f"{plaza.trust.url}/p/{row['id']}",
        "mobile_url": f"{plaza.trust.url}/m/p/{row['id']}",
        "short_url": f"{plaza.trust.url}/s/{row['short']}",
        "share_url": f"{plaza.trust.url}/share/{row['id']}",
    }

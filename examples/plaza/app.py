"""Plaza's pages, and the three addresses that Holdfast calls.

Every page that shows a post asks the store to count the view first and shows what the
store says may be seen. Programs use the JSON of ``api.py`` in the same manner.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

from flask import (
    abort,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.exceptions import HTTPException
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response

from holdfast.client import BadSignature, Claim, Spooled
from plaza import acts, api
from plaza.store import Store, conversation_id
from plaza.trust import Trust


def make_app(
    store: Store, trust: Trust, *, admin_token: str, secret: str
) -> acts.Plaza:
    """Put the parts together; ``secret`` signs the session cookies."""
    app = acts.Plaza(__name__)
    app.store, app.trust, app.admin_token = store, trust, admin_token
    app.secret_key = secret
    app.config.update(
        MAX_CONTENT_LENGTH=acts.MAX_UPLOAD_BYTES,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
    )
    app.before_request(_only_our_own_forms)
    app.context_processor(
        lambda: {
            "me": acts.me(),
            "categories": trust.categories,
            "pictures": store.pictures,
        }
    )
    app.jinja_env.filters["when"] = _when
    app.jinja_env.filters["due"] = lambda at: _when(datetime.fromisoformat(at))
    for rule, view, methods in _PAGES:
        app.add_url_rule(rule, view_func=view, methods=methods.split())
    app.register_blueprint(api.routes)
    app.register_error_handler(HTTPException, _problem)
    return app


def feed() -> str:
    """The newest posts, each counted as seen."""
    store = acts.plaza().store
    posts = store.feed(request.args.get("before", type=int), acts.PAGE)
    adverts = store.count_views([post["id"] for post in posts])
    shown = [post for post in posts if post["id"] in adverts]
    return render_template("feed.html", posts=shown, adverts=adverts, page=acts.PAGE)


def post_page(item: str) -> str:
    """One post; ``/m/p/…`` is the same page under its mobile address."""
    post, advert = acts.visible(item)
    return render_template("post.html", post=post, adverts={item: advert})


def by_short(short: str) -> Response:
    """``/s/<code>``: the address that fits into a message."""
    row = acts.plaza().store.maybe("select id from item where short = ?", short)
    if row is None:
        abort(404, "There is no such post.")
    return redirect(url_for("post_page", item=row["id"]))


def by_share(item: str) -> Response:
    """``/share/<id>?from=…``: the address behind the share button."""
    return redirect(url_for("post_page", item=item))


def add_post() -> Response:
    """Post from the form."""
    item = acts.new_post(acts.somebody())
    if item["state"] != "visible":
        abort(410, acts.LOOKED_AT)
    return redirect(url_for("post_page", item=item["id"]))


def repost(item: str) -> Response:
    """Repost; what may not be seen cannot be passed on."""
    return redirect(
        url_for("post_page", item=acts.new_repost(acts.somebody(), item)["id"])
    )


def send(item: str) -> Response:
    """Pass a post on in a message."""
    name = request.form["to"].strip()
    acts.new_message(acts.somebody(), name, item)
    return redirect(url_for("conversation", name=name))


def edit(item: str) -> Response | str:
    """Change the words of one's own post."""
    post = acts.own(item)
    if post["state"] != "visible":
        abort(409, "This cannot be changed while it is looked at.")
    if request.method == "GET":
        return render_template("edit.html", post=post)
    acts.plaza().store.edit(item, request.form["text"].strip()[:2000])
    acts.plaza().trust.changed(item)
    return redirect(url_for("post_page", item=item))


def delete(item: str) -> Response:
    """Take down one's own post or message. While it is looked at it is kept."""
    acts.own(item)
    acts.plaza().store.delete(item)
    acts.plaza().trust.changed(item)
    return redirect(url_for("account"))


def profile(name: str) -> str:
    """Somebody's page."""
    store = acts.plaza().store
    person = store.account("name", name)
    if person is None or person["state"] != "active":
        abort(404, "There is nobody of that name.")
    posts = store.posts_of(person["id"])
    adverts = store.count_views([post["id"] for post in posts])
    shown = [post for post in posts if post["id"] in adverts]
    return render_template("profile.html", person=person, posts=shown, adverts=adverts)


def join() -> Response | str | tuple[str, int]:
    """Make an account."""
    if request.method == "GET":
        return render_template("join.html")
    name, password = request.form["name"].strip(), request.form["password"]
    try:
        account = acts.new_account(name, request.form.get("about", ""), password)
    except HTTPException as refusal:
        return render_template("join.html", problem=refusal.description), 400
    session["account"] = account["id"]
    return redirect(url_for("feed"))


def sign_in() -> Response | str | tuple[str, int]:
    """Sign in; a suspended account learns here why, and comes no further."""
    if request.method == "GET":
        return render_template("sign_in.html")
    account = acts.plaza().store.account("name", request.form["name"].strip())
    hashed = account["password"] if account is not None else _NOBODY
    if not check_password_hash(hashed, request.form["password"]) or account is None:
        problem = "The name or the password is not right."
        return render_template("sign_in.html", problem=problem), 401
    if account["state"] == "suspended":
        reasons = acts.plaza().trust.statements(account["id"])
        return render_template("suspended.html", statements=reasons), 403
    session["account"] = account["id"]
    return redirect(url_for("feed"))


def sign_out() -> Response:
    """Sign out."""
    session.clear()
    return redirect(url_for("feed"))


def account() -> str:
    """One's own page: posts in every state, and what was decided about them."""
    person = acts.somebody()
    posts = acts.plaza().store.posts_of(person["id"], also_hidden=True)
    reasons = acts.plaza().trust.statements(person["id"])
    return render_template("account.html", posts=posts, statements=reasons)


def close_account() -> Response:
    """Leave. Holdfast is told; what is frozen is kept, and hidden, until decided."""
    person = acts.somebody()
    for post in acts.plaza().store.posts_of(person["id"], also_hidden=True):
        acts.plaza().store.delete(post["id"])
        acts.plaza().trust.changed(post["id"])
    acts.plaza().store.close_account(person["id"])
    acts.plaza().trust.account(person["id"])
    return sign_out()


def messages() -> str:
    """One's conversations."""
    person, store = acts.somebody(), acts.plaza().store
    people = []
    for conversation in store.conversations(person["id"]):
        one, other = conversation.split("-")
        row = store.account("id", other if one == person["id"] else one)
        if row is not None:
            people.append(row["name"])
    return render_template("messages.html", people=people)


def conversation(name: str) -> Response | str:
    """The conversation with ``name``."""
    person, store = acts.somebody(), acts.plaza().store
    if request.method == "POST":
        acts.new_message(person, name, request.form.get("post", ""))
        return redirect(url_for("conversation", name=name))
    other = store.account("name", name)
    if other is None:
        abort(404, "There is nobody of that name.")
    found = store.messages(conversation_id(person["id"], other["id"]))
    return render_template("conversation.html", other=other, messages=found)


def report(kind: str, named: str, category: str) -> str | tuple[str, int]:
    """Report an item or an account, signed in or not, named or not."""
    known = {each.code: each for each in acts.plaza().trust.categories}
    if category not in known or not acts.may_report(kind, named):
        abort(404, "There is nothing of that kind to report.")
    if request.method == "GET":
        key = secrets.token_hex(16)
        return render_template("report.html", category=known[category], key=key)
    form, person = request.form, acts.me()
    is_named = "named" in form or "hold_contact" in form
    answer = acts.plaza().trust.report(
        kind,
        named,
        category,
        key=form["key"],
        words=form.get("words") or None,
        reporter=person["id"] if person is not None and is_named else None,
        claims=cast(tuple[Claim, ...], tuple(form.getlist("claim"))),
        police_number=form.get("police_number") or None,
        hold_contact="hold_contact" in form,
    )
    waiting = answer.key if isinstance(answer, Spooled) else None
    return render_template("receipt.html", receipt=answer, waiting=waiting), 201


def receipt(key: str) -> str:
    """A receipt that had to wait for Holdfast. The key in the address is secret."""
    found = acts.plaza().trust.client.receipt(key)
    waiting = key if found is None else None
    return render_template("receipt.html", receipt=found, waiting=waiting)


def media(picture: str) -> Response:
    """A picture, if its post may be seen; to Holdfast itself also when frozen."""
    store = acts.plaza().store
    row = store.picture(picture)
    item = None if row is None else store.item(row["item"])
    if row is None or item is None:
        abort(404, "There is no such picture.")
    if not acts.plaza().trust.is_holdfast(dict(request.headers)):
        shown = item["state"] == "visible" and not item["deleted_at"]
        if item["kind"] == "post":
            shown = store.shown(item["id"]) is not None
        if not (shown and acts.may_read(item)):
            abort(410, acts.LOOKED_AT)
    data = store.bytes_of(picture)
    if data is None:
        abort(410, "This picture is gone.")
    answer = Response(data, mimetype=row["media_type"])
    # A cache that does not ask again would go on showing what was frozen.
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def webhook() -> dict[str, Any] | tuple[dict[str, Any], int]:
    """Holdfast says what to do; the answer names what was done."""
    try:
        return acts.plaza().trust.receiver.receive(
            request.get_data(), dict(request.headers)
        )
    except BadSignature as failure:
        return {"error": str(failure)}, 401


def lookup() -> dict[str, str | None] | tuple[dict[str, str], int]:
    """Holdfast asks which item is at an address."""
    if not acts.plaza().trust.is_holdfast(dict(request.headers)):
        return {"error": "This is not signed by Holdfast."}, 401
    return {"item": acts.plaza().trust.item_at(request.args.get("url", ""))}


_NOBODY = generate_password_hash(secrets.token_hex())
"""Checked when nobody has the name, so that the time taken does not tell."""

_PAGES = (
    ("/", feed, "GET"),
    ("/p/<item>", post_page, "GET"),
    ("/m/p/<item>", post_page, "GET"),
    ("/s/<short>", by_short, "GET"),
    ("/share/<item>", by_share, "GET"),
    ("/u/<name>", profile, "GET"),
    ("/media/<picture>", media, "GET"),
    ("/post", add_post, "POST"),
    ("/p/<item>/repost", repost, "POST"),
    ("/p/<item>/send", send, "POST"),
    ("/p/<item>/edit", edit, "GET POST"),
    ("/p/<item>/delete", delete, "POST"),
    ("/join", join, "GET POST"),
    ("/sign-in", sign_in, "GET POST"),
    ("/sign-out", sign_out, "POST"),
    ("/account", account, "GET"),
    ("/account/close", close_account, "POST"),
    ("/messages", messages, "GET"),
    ("/messages/<name>", conversation, "GET POST"),
    ("/report/<kind>/<named>/<category>", report, "GET POST"),
    ("/receipt/<key>", receipt, "GET"),
    ("/_holdfast/webhook", webhook, "POST"),
    ("/_holdfast/lookup", lookup, "GET"),
)


def _when(at: float | datetime) -> str:
    known = at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
    return known.astimezone(UTC).strftime("%d %b %Y, %H:%M UTC")


def _only_our_own_forms() -> None:
    """A form sent by another site with our visitor's cookie is refused."""
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin and urlsplit(origin).netloc != request.host:
        abort(403, "This form was not sent from Plaza.")


def _problem(failure: HTTPException) -> Any:
    if request.path.startswith(("/api/", "/_")):
        return {"error": failure.description}, failure.code
    if failure.code == 401:
        return redirect(url_for("sign_in"))
    return render_template("problem.html", words=failure.description), failure.code

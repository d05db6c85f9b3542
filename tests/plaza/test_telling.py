"""What Plaza tells Holdfast: posts, counts, changes, and reports by anybody."""

from __future__ import annotations

import time
from threading import Event
from typing import Any

import httpx

from holdfast.client import PATIENCE_S
from plaza.crowd import Crowd, Habits
from tests.client.conftest import BUSY_S, until
from tests.client.contract import Answer, Request
from tests.plaza.conftest import Network, admin, picture


def test_posts_and_accounts_are_told_with_their_pictures(network: Network) -> None:
    post = network.post("ann", "Look", picture(), picture("red"))
    said = network.contract.items[post["id"]]
    assert (said["kind"], said["text"], said["url"]) == ("post", "Look", post["url"])
    assert len(network.contract.media[post["id"]]) == 2
    actor = network.contract.actors[said["actor"]]
    assert actor["screen_name"] == "ann"


def test_reposts_views_shares_and_adverts_follow_in_batches(
    network: Network,
) -> None:
    post = network.post("ann", "Look", picture())
    again = network.ask("POST", f"/api/posts/{post['id']}/repost", "ben").json()
    for _ in range(5):
        network.ask("GET", f"/p/{post['id']}")
    network.ask("POST", "/api/messages/ann", "ben", data={"post": post["id"]})
    network.known(again["id"])
    assert network.contract.items[again["id"]]["repost_of"] == post["id"]

    def told(what: str) -> list[dict[str, Any]]:
        """Every line of these batches so far: they may come in several."""
        return [line for each in network.contract.seen(what) for line in each.lines]

    until(lambda: all(told(f"{each}:batch") for each in ("placements", "shares")))
    until(lambda: told("views:batch")[-1]["views_total"] == 5)
    assert {each["item"] for each in told("views:batch")} == {post["id"]}
    [placed] = told("placements:batch")
    assert (placed["item"], placed["earned_micros"]) == (post["id"], 1200)
    [shared] = told("shares:batch")
    assert (shared["item"], shared["id"][0]) == (post["id"], "e")


def test_edits_deletions_and_closed_accounts_are_told(network: Network) -> None:
    post, other = network.post("ann", "Look"), network.post("ann", "Two")
    item = network.contract.items
    network.ask("POST", f"/p/{post['id']}/edit", "ann", data={"text": "Looked"})
    until(lambda: item[post["id"]]["text"] == "Looked")
    network.ask("DELETE", f"/api/posts/{post['id']}", "ann")
    until(lambda: item[post["id"]].get("deleted_at"))
    network.ask("POST", "/account/close", "ann")
    until(lambda: item[other["id"]].get("deleted_at"))
    actor = item[post["id"]]["actor"]
    until(lambda: network.contract.actors[actor].get("closed_at"))
    assert network.ask("GET", "/u/ann").status_code == 404


def test_a_private_message_is_told_only_when_somebody_in_it_reports(
    network: Network,
) -> None:
    network.post("ann", "so that ann is there")
    files = {"picture": ("p.png", picture(), "image/png")}
    sent = network.ask("POST", "/api/messages/ann", "ben", files=files).json()
    network.known(network.post("ben", "a post")["id"])
    assert sent["id"] not in network.contract.items
    assert httpx.get(sent["pictures"][0]).status_code == 410
    outsider = network.report(item=sent["id"], by="cy")
    assert "number" not in outsider
    receipt = network.report(item=sent["id"], by="ann")
    assert receipt["frozen"] == [sent["id"]]
    said = network.contract.items[sent["id"]]
    assert said["kind"] == "message"
    assert len(network.contract.media[sent["id"]]) == 1
    network.freeze(sent["id"])
    assert network.ask("GET", "/api/messages/ben", "ann").json() == {"messages": []}


def test_anybody_reports_named_or_not_and_gets_a_receipt(network: Network) -> None:
    post = network.post("ann", "Look")
    receipt = network.report(item=post["id"], words="help", claims=["shown"])
    assert receipt["number"] == "R-1"
    assert receipt["codename"]
    network.report(item=post["id"], by="ben", named=True, category="copyright")
    network.report(account=network.contract.items[post["id"]]["actor"], by="ben")
    first, second, third = network.contract.reports
    assert "reporter" not in first
    assert first["claims"] == ["shown"]
    assert second["reporter"]
    assert "reporter" not in third
    assert third["targets"] == [{"actor": network.contract.items[post["id"]]["actor"]}]


def test_a_repeated_click_is_one_report(network: Network) -> None:
    post = network.post("ann", "Look")
    page = f"/report/item/{post['id']}/child_other"
    for _ in range(2):
        answer = network.ask("POST", page, data={"key": "a" * 32, "words": "help"})
        assert answer.status_code == 201
        assert "amber river seven" in answer.text
    assert len(network.contract.reports) == 1


def test_holdfast_down_or_slow_delays_no_post_beyond_its_patience(
    network: Network,
) -> None:
    network.post("ann", "so that ann is there")

    answers = Event()

    def slow(request: Request) -> Answer | None:
        answers.wait()
        return None

    network.contract.fail = slow
    started = time.monotonic()
    assert network.post("ann", "Look", picture())["state"] == "visible"
    assert time.monotonic() - started < PATIENCE_S + BUSY_S
    network.contract.fail = lambda request: None
    answers.set()
    network.contract.down()
    assert network.post("ann", "two", picture())["state"] == "visible"
    started = time.monotonic()
    assert network.post("ann", "three", picture())["state"] == "visible"
    assert time.monotonic() - started < PATIENCE_S


def test_a_post_that_holdfast_cannot_take_stays_down(network: Network) -> None:
    made = network.ask("POST", "/api/posts", "ann", data={"text": "refuse me"})
    assert made.status_code == 422
    assert network.ask("GET", "/api/feed").json()["posts"] == []


def test_the_counts_are_for_the_operator_and_append_only(network: Network) -> None:
    post = network.post("ann", "Look")
    network.ask("GET", f"/p/{post['id']}")
    assert network.ask("GET", "/_counts", "ann").status_code == 403
    told = network.ask("GET", "/_counts", headers=admin()).json()
    assert [each["views"] for each in told["items"]] == [1]
    assert told["events"] == {"view": 1}
    path = f"/_counts/events/{post['id']}"
    [event] = network.ask("GET", path, headers=admin()).json()["events"]
    assert event["kind"] == "view"


def test_a_form_from_another_site_is_refused(network: Network) -> None:
    answer = network.ask(
        "POST", "/account/close", "ann", headers={"Origin": "https://other.example"}
    )
    assert answer.status_code == 403


def test_the_crowd_looks_reposts_uploads_again_and_goes_home(
    network: Network,
) -> None:
    post = network.post("ann", "Look", picture())
    habits = Habits(people=4, acts_per_s=80, reupload_share=0.1)
    crowd = Crowd(network.url, habits, focus=post["id"])
    crowd.start()
    until(lambda: crowd.counts().reuploads >= 2 and crowd.counts().reposts >= 2)
    reported_at = time.time()
    network.report(item=post["id"])
    network.freeze(post["id"])
    until(lambda: crowd.counts().refused >= 10)
    done = crowd.leave()
    assert done.errors == 0
    assert done.looks > 10
    counted = network.exposure(post["id"], reported_at=reported_at)
    for kind in ("views", "reposts", "advert_earnings_micros"):
        assert counted[kind]["after_freeze"] == 0
    assert counted["views"]["before_report"] > 0

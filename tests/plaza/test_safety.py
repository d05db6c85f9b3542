"""What Plaza does when Holdfast asks: at once, everywhere, and to be undone."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.client.conftest import until
from tests.client.contract import signed
from tests.plaza.conftest import Network, picture

_THAWED = {"advertising_hold": False, "forbid_delete": False}


def test_a_frozen_post_is_gone_everywhere_and_comes_back_whole(
    network: Network,
) -> None:
    post = network.post("ann", "Look", picture())
    again = network.ask("POST", f"/api/posts/{post['id']}/repost", "ben").json()
    network.freeze(post["id"])
    for one in (post, again):
        for path in (f"/p/{one['id']}", f"/m/p/{one['id']}", f"/api/posts/{one['id']}"):
            answer = network.ask("GET", path)
            assert answer.status_code == 410
            assert "not available while it is looked at" in answer.text
        assert network.ask("GET", f"/api/posts/{one['id']}", "ann").status_code == 410
    assert network.ask("GET", "/api/feed").json()["posts"] == []
    assert post["id"] not in network.ask("GET", "/").text
    assert post["id"] not in network.ask("GET", "/u/ann").text
    assert network.ask("POST", f"/api/posts/{post['id']}/repost", "ben").is_error
    assert network.ask("POST", f"/api/posts/{again['id']}/repost", "cy").is_error

    network.order("thaw", f"item:{post['id']}", **_THAWED)
    assert network.ask("GET", f"/p/{again['id']}").status_code == 200
    assert httpx.get(post["pictures"][0]).content == picture()


def test_a_frozen_picture_is_served_to_holdfast_alone(network: Network) -> None:
    post = network.post("ann", "", picture("navy"))
    [url] = post["pictures"]
    shown = httpx.get(url)
    assert (shown.status_code, shown.content) == (200, picture("navy"))
    assert "no-store" in shown.headers["Cache-Control"]
    network.freeze(post["id"])
    assert httpx.get(url).status_code == 410
    assert network.ask("GET", url.removeprefix(network.url), "ann").status_code == 410
    assert httpx.get(url, headers=signed(b"", "f1")).content == picture("navy")
    assert httpx.get(url, headers=signed(b"other", "f1")).status_code == 410


def test_a_copy_is_born_frozen_and_never_seen(network: Network) -> None:
    post = network.post("ann", "", picture())
    network.freeze(post["id"])
    copy = network.post("ben", "mine", picture())
    assert copy["state"] == "frozen"
    assert network.ask("GET", f"/p/{copy['id']}").status_code == 410
    counted = network.exposure(copy["id"], reported_at=0)
    assert sum(counted["views"].values()) == 0
    assert counted["never_frozen"] == []


def test_after_the_freeze_nothing_is_seen_passed_on_or_earned(
    network: Network,
) -> None:
    post = network.post("ann", "", picture())
    other = network.post("ann", "another")
    for _ in range(10):
        network.ask("GET", f"/p/{post['id']}")
    again = network.ask("POST", f"/api/posts/{post['id']}/repost", "ben").json()
    reported_at = time.time()
    for _ in range(5):
        network.ask("GET", f"/p/{again['id']}")
    network.freeze(post["id"])
    for _ in range(10):
        network.ask("GET", f"/p/{post['id']}")
        network.ask("GET", f"/p/{again['id']}")
        network.ask("POST", f"/api/posts/{post['id']}/repost", "cy")
        network.ask("GET", "/api/feed")

    counted = network.exposure(post["id"], reported_at=reported_at)
    zero = {"after_freeze": 0, "after_thaw": 0}
    assert counted["views"] == {"before_report": 10, "report_to_freeze": 5, **zero}
    assert counted["reposts"] == {"before_report": 1, "report_to_freeze": 0, **zero}
    assert counted["advert_earnings_micros"] == {
        "before_report": 2400,
        "report_to_freeze": 1200,
        **zero,
    }
    assert {each["id"] for each in counted["items"]} == {post["id"], again["id"]}
    assert counted["never_frozen"] == []
    assert network.exposure(other["id"], reported_at=0)["never_frozen"] == [other["id"]]

    network.order("thaw", f"item:{post['id']}", **_THAWED)
    network.ask("GET", f"/p/{post['id']}")
    later = network.exposure(post["id"], reported_at=reported_at)
    assert later["views"]["after_thaw"] == 1


def test_what_the_poster_deletes_meanwhile_is_kept_and_goes_when_it_may(
    network: Network,
) -> None:
    post = network.post("ann", "", picture())
    network.freeze(post["id"])
    gone = network.ask("DELETE", f"/api/posts/{post['id']}", "ann").json()
    assert gone == {"id": post["id"], "deleted": True, "erased": False}
    asked = httpx.get(post["pictures"][0], headers=signed(b"", "f1"))
    assert asked.content == picture()
    until(lambda: network.contract.items[post["id"]].get("deleted_at"))

    network.order("thaw", f"item:{post['id']}", **_THAWED)
    assert network.ask("GET", f"/p/{post['id']}").status_code == 410
    assert httpx.get(post["pictures"][0], headers=signed(b"", "f2")).is_error

    free = network.post("ann", "", picture("red"))
    assert network.ask("DELETE", f"/api/posts/{free['id']}", "ann").json()["erased"]
    assert network.ask("DELETE", f"/api/posts/{free['id']}", "ben").status_code == 404


def test_removed_means_gone_and_only_then_the_bytes_are(network: Network) -> None:
    post = network.post("ann", "", picture())
    network.freeze(post["id"])
    [file] = (network.data / "pictures").iterdir()
    body = {"advertising_hold": True, "forbid_delete": False}
    network.order("remove", f"item:{post['id']}", **body)
    assert not file.exists()
    page = network.ask("GET", f"/p/{post['id']}")
    assert page.status_code == 410
    assert "no longer here" in page.text


def test_a_suspended_account_reads_why_and_does_nothing_else(network: Network) -> None:
    post = network.post("ann", "", picture())
    account = network.contract.items[post["id"]]["actor"]
    network.order("suspend", f"actor:{account}")
    network.order(
        "statement", f"actor:{account}", kind="decision", words="We decided: because."
    )
    files = {"picture": ("p.png", picture("red"), "image/png")}
    assert network.ask("POST", "/api/posts", "ann", files=files).status_code == 401
    form = {"name": "ann", "password": "password of ann"}
    with httpx.Client(base_url=network.url) as browser:
        refused = browser.post("/sign-in", data=form)
        assert refused.status_code == 403
        assert "We decided: because." in refused.text
        assert browser.get("/account").status_code == 302
        wrong = browser.post("/sign-in", data={**form, "password": "x"})
        assert "We decided" not in wrong.text

        network.order("reinstate", f"actor:{account}")
        assert browser.post("/sign-in", data=form).status_code == 302
        assert "We decided: because." in browser.get("/account").text


def test_a_statement_about_a_post_is_for_its_owner(network: Network) -> None:
    post = network.post("ann", "Look")
    network.order(
        "statement", f"item:{post['id']}", kind="freeze", words="It is looked at."
    )
    assert "It is looked at." in network.ask("GET", "/account", "ann").text
    assert "It is looked at." not in network.ask("GET", "/account", "ben").text


def test_a_webhook_must_be_signed_and_about_something_of_ours(
    network: Network,
) -> None:
    post = network.post("ann", "Look")
    unsigned = httpx.post(f"{network.url}/_holdfast/webhook", content=b"{}")
    assert unsigned.status_code == 401
    with pytest.raises(httpx.HTTPStatusError, match="500"):
        network.freeze("not-ours")
    thaw = network.contract.order("thaw", f"item:{post['id']}", **_THAWED)
    freeze = network.contract.freeze(post["id"])
    network.deliver(freeze)
    network.deliver(thaw)  # Late, and passed over.
    network.deliver(freeze)
    assert network.ask("GET", f"/p/{post['id']}").status_code == 410


def test_every_address_of_a_post_leads_to_it(network: Network) -> None:
    post = network.post("ann", "Look", picture())

    def look_up(url: str) -> object:
        answer = httpx.get(
            f"{network.url}/_holdfast/lookup",
            params={"url": url},
            headers=signed(b"", "l1"),
        )
        return answer.raise_for_status().json()["item"]

    for kind in ("url", "mobile_url", "short_url", "share_url"):
        assert httpx.get(post[kind], follow_redirects=True).status_code == 200
        assert look_up(post[kind]) == post["id"]
    assert look_up(post["url"] + "?from=mail#here") == post["id"]
    assert look_up(post["url"].replace("//", "//m.")) == post["id"]
    assert look_up(post["pictures"][0]) == post["id"]
    assert look_up(f"https://other.example/p/{post['id']}") is None
    assert look_up(f"{network.url}/p/nothing") is None
    assert httpx.get(f"{network.url}/_holdfast/lookup?url=x").status_code == 401


def test_plaza_catches_up_with_what_it_missed(network: Network) -> None:
    post = network.post("ann", "Look")
    network.stop()
    change = network.contract.freeze(post["id"])
    network.start()
    until(lambda: change["id"] in network.contract.confirmed)
    assert network.ask("GET", f"/p/{post['id']}").status_code == 410


def test_a_killed_plaza_forgets_nothing(network: Network) -> None:
    network.contract.down()
    post = network.post("ann", "Look", picture())
    assert post["state"] == "visible"
    waiting = network.report(item=post["id"])["waiting"]
    network.stop(kill=True)
    network.contract.up()
    network.start()
    until(lambda: network.contract.reports)
    until(lambda: network.ask("GET", f"/api/receipts/{waiting}").status_code == 200)
    receipt = network.ask("GET", f"/api/receipts/{waiting}").json()
    assert receipt["frozen"] == [post["id"]]


def test_a_held_contact_cannot_write_and_is_not_told_why(network: Network) -> None:
    ids = {name: network.post(name, "Hi")["account"] for name in ("ann", "ben", "cy")}
    first = network.ask("POST", "/api/messages/ann", "ben", data={"text": "Pay."})
    assert first.status_code == 201
    said = {"item": first.json()["id"], "hold_contact": True, "named": True}
    network.report(by="ann", category="child_other", **said)
    [told] = network.contract.reports
    assert (told["reporter"], told["hold_contact"]) == (ids["ann"], True)

    subject = f"actor:{ids['ben']}"
    network.order("hold_contact", subject, hold="h1", toward=ids["ann"])
    refused = network.ask("POST", "/api/messages/ann", "ben", data={"text": "Well?"})
    assert refused.status_code == 403
    assert refused.json()["error"] == "This message could not be sent."
    post = network.post("ben", "Look")
    passed = {"post": post["id"], "text": "for ann"}
    assert network.ask("POST", "/api/messages/ann", "ben", data=passed).is_error
    # It is towards one person, in one direction, and of nothing else.
    for name, to in (("ann", "ben"), ("ben", "cy")):
        sent = network.ask("POST", f"/api/messages/{to}", name, data={"text": "Hi"})
        assert sent.status_code == 201

    network.order("release_contact", subject, hold="h1", toward=ids["ann"])
    again = network.ask("POST", "/api/messages/ann", "ben", data={"text": "Hello"})
    assert again.status_code == 201


def test_nobody_is_held_for_somebody_who_is_not_named(network: Network) -> None:
    post = network.post("ben", "words")
    network.report(item=post["id"], category="child_other", hold_contact=True)
    assert "hold_contact" not in network.contract.reports[0]

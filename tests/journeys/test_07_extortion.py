"""Extortion in progress: the contact is held, and the picture is watched for.

Nothing has been posted yet. Somebody who is pressed for money reports a message, and is
written to no more; and the picture that they are threatened with is hidden when it
comes, though it was never sent to anybody.
"""

from __future__ import annotations

import secrets

import httpx
import pytest

from holdfast.demo.browser import Browser
from holdfast.demo.network import Account
from holdfast.signals.sign import sign_picture
from tests.journeys.town import Town


@pytest.mark.timeout(200)
def test_a_contact_is_held_and_released_by_who_is_pressed(town: Town) -> None:
    plaza = town.stage.plaza
    mark = secrets.token_hex(4)
    presser, pressed = plaza.join(f"presser_{mark}"), plaza.join(f"pressed_{mark}")
    message = _write(town, presser, pressed)
    assert message.status_code == 201
    said = {"item": message.json()["id"], "category": "sextortion",
            "named": True, "hold_contact": True}  # fmt: skip
    told = _ask(town, "POST", "/api/reports", pressed, json=said).json()
    town.until(
        lambda: _write(town, presser, pressed).status_code == 403,
        "the network holds the contact",
    )
    assert _write(town, presser, pressed).json() == {
        "error": "This message could not be sent."
    }
    assert _write(town, presser, town.poster).status_code == 201

    browser = Browser(town.stage.holdfast_url)
    browser.open("/follow")
    browser.submit(browser.form("codename"), {"codename": told["codename"]})
    town.until(lambda: _says(browser, "The site has confirmed it"), "it is confirmed")
    assert presser.name not in browser.words()
    browser.submit(browser.form(action="/follow/release"))
    town.until(
        lambda: _write(town, presser, pressed).status_code == 201,
        "the contact is released",
    )


@pytest.mark.timeout(200)
def test_a_picture_that_is_watched_for_is_never_seen(town: Town) -> None:
    picture = town.pictures.pop()
    pdq = sign_picture(picture.data).views[0]
    browser = Browser(town.stage.holdfast_url)
    browser.open("/report/picture")
    browser.submit(
        browser.form("pdq", "quality"),
        {
            "pdq": "".join(each.bits.hex() for each in pdq.variants),
            "quality": str(pdq.quality),
        },
    )
    assert "We did not find it where everybody can see it" in browser.words()
    form = browser.form("category", "watch")
    browser.submit(form, {"category": "sextortion"})
    assert "We have your report" in browser.words()

    made = town.stage.plaza.post_whole(town.poster, picture)
    assert made["state"] == "frozen"
    assert not town.shown(made["id"])
    assert town.happened(made["id"], "view") == 0
    town.until(lambda: town.confirmed(made["id"], "frozen"), "the network confirms it")
    case = town.value(
        "select c.state from hf_case c join hf_case_item p on p.case_id = c.id"
        " join hf_item i on i.id = p.item_id where i.external_id = %s",
        made["id"],
    )
    assert case == "open"
    account = _ask(town, "GET", f"/u/{town.poster.name}", town.poster)
    assert account.is_success, "A fingerprint never costs an account anything."


def _write(town: Town, sender: Account, to: Account) -> httpx.Response:
    text = {"text": "Pay, or everybody sees it."}
    return _ask(town, "POST", f"/api/messages/{to.name}", sender, data=text)


def _ask(
    town: Town, method: str, path: str, account: Account, **given: object
) -> httpx.Response:
    return httpx.request(
        method,
        f"{town.stage.plaza.url}{path}",
        headers={"Authorization": f"Bearer {account.token}"},
        trust_env=False,
        timeout=30,
        **given,  # type: ignore[arg-type]  # What httpx takes as a body.
    )


def _says(browser: Browser, words: str) -> bool:
    browser.open("/follow/status")
    return words in browser.words()

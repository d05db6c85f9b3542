"""Who gets in, for how long, and what nobody gets: as somebody would try it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern

from holdfast.base import clock
from holdfast.base.by import Permission
from holdfast.staff import operations as staff
from holdfast.web.console.urls import urlpatterns
from holdfast.web.signed_in import IDLE_S
from tests.stages.console.desk import (
    ADMIN,
    PASSWORD,
    Colleague,
    colleague,
    reported,
    words_of,
)

pytestmark = pytest.mark.django_db

NOBODY = "0192f0c0-0000-7000-8000-000000000000"


def addresses(item: Any, case: Any) -> list[str]:
    """Every address of the console, filled with what there is."""
    media = item.media.get().id
    filled = {
        "<str:number>": case.number,
        "<uuid:item>": str(item.id),
        "<uuid:media>": str(media),
    }
    found = []
    for each in urlpatterns:
        assert isinstance(each, URLPattern)
        route = str(each.pattern)
        for name, value in filled.items():
            route = route.replace(name, value)
        route = re.sub(r"<uuid:\w+>", NOBODY, route)
        found.append(f"/console/{route}")
    return found


def test_every_page_asks_who_is_there(world: Any) -> None:
    item, case = reported(world)
    visitor = Client()
    for path in addresses(item, case):
        if path in ("/console/sign-in", "/console/sign-out"):
            continue
        answer = visitor.get(path)
        assert answer.status_code in (302, 403), path
        if answer.status_code == 302:
            assert answer["Location"].startswith("/console/sign-in"), path
        assert "no-store" in answer["Cache-Control"], path


def test_nothing_is_changed_by_a_get_and_no_post_passes_without_a_token(
    world: Any,
) -> None:
    item, case = reported(world)
    ada = colleague("Ada", "reviewer", "specialist", "lead", "administrator")
    before = _rows()
    for path in addresses(item, case):
        ada.client.get(path)
        assert ada.client.post(path, {"reason": "x"}).status_code in (403, 405), path
    assert _rows() == before


def _rows() -> dict[str, int]:
    from django.apps import apps  # noqa: PLC0415  # Ready only once Django is.

    return {
        model.__name__: model._default_manager.count()
        for model in apps.get_app_config("holdfast").get_models()
    }


def test_each_page_is_refused_to_who_may_not(world: Any) -> None:
    _, case = reported(world)
    auditor = colleague("Aud", "auditor")
    admin = colleague("Root", "administrator")
    page = f"/console/case/{case.number}"
    assert auditor.get(page).status_code == 200
    assert admin.get(page).status_code == 403
    assert "not allowed" in words_of(admin.get(page))
    for path in ("people", "platforms", "banks", "authorities", "authorities/live"):
        assert admin.get(f"/console/{path}").status_code == 200, path
        assert auditor.get(f"/console/{path}").status_code == 403, path
    for act in ("claim", "note", "read", "thaw"):
        assert auditor.post(f"{page}/{act}").status_code == 403, act
    # What one may not do is not offered.
    offered = auditor.get(page)
    shown = words_of(offered)
    for word in ("Claim", "Open its words", "Keep the note", "Record the decision"):
        assert word not in shown.replace("claim the case", ""), word
    assert b"/console/people" not in offered.content


def test_an_administrator_without_cases_lands_on_a_page(world: Any) -> None:
    admin = colleague("Root", "administrator")
    answer = admin.client.get("/console/", follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain == [("/console/me", 302)]


def test_refusals_read_the_same(world: Any) -> None:
    ada = colleague("Ada", "reviewer", signed_in=False)
    wrong_password = ada.sign_in(password="something else 1234")
    wrong_code = ada.sign_in(code="000000")
    unknown = ada.sign_in(email="nobody@example.org")
    said = {words_of(each).split("Please check")[1] for each in (wrong_password,)}
    for each in (wrong_code, unknown):
        assert each.status_code == 422
        assert words_of(each).split("Please check")[1] in said


def test_a_session_ends_after_half_an_hour_without_a_click(world: Any) -> None:
    ada = colleague("Ada", "reviewer")
    with clock.shifted(timedelta(seconds=IDLE_S - 5)):
        assert ada.get("/console/").status_code == 200
    with clock.shifted(timedelta(seconds=2 * IDLE_S - 15)):
        assert ada.get("/console/").status_code == 200
    with clock.shifted(timedelta(seconds=3 * IDLE_S)):
        answer = ada.get("/console/alarms")
        assert answer["Location"] == "/console/sign-in?next=%2Fconsole%2Falarms"
        assert "You were signed out" in words_of(ada.get(answer["Location"]))
        assert ada.get("/console/").status_code == 302


def test_a_session_ends_after_a_working_day_however_busy(world: Any) -> None:
    ada = colleague("Ada", "reviewer")
    for quarters in range(1, 32):
        with clock.shifted(timedelta(minutes=15 * quarters)):
            assert ada.get("/console/me").status_code == 200, quarters
    with clock.shifted(timedelta(hours=8, minutes=1)):
        assert ada.get("/console/me").status_code == 302


def test_a_session_ends_with_its_person(world: Any) -> None:
    ada, root = colleague("Ada", "reviewer"), colleague("Root", "administrator")
    assert ada.get("/console/").status_code == 200
    answer = root.post(f"/console/people/{ada.person_id}/deactivate")
    assert answer.status_code == 302
    assert ada.get("/console/").status_code == 302
    assert ada.sign_in().status_code == 422


def test_a_new_password_ends_the_other_sessions(world: Any) -> None:
    ada = colleague("Ada", "reviewer")
    elsewhere = Colleague(
        ada.person_id, ada.name, ada.email, ada.secret, ada.recovery_codes
    )
    assert elsewhere.sign_in().status_code == 302
    changed = ada.post(
        "/console/me", old_password=PASSWORD, new_password="eight quiet herons 42"
    )
    assert changed.status_code == 302, words_of(changed)
    assert ada.get("/console/me").status_code == 200
    assert elsewhere.get("/console/me").status_code == 302


def test_a_sign_in_gets_a_session_that_nobody_knew_before(world: Any) -> None:
    ada = colleague("Ada", "reviewer", signed_in=False)
    ada.client.cookies["session"] = "chosenbysomebodyelse0000"
    assert ada.sign_in().status_code == 302
    assert ada.client.cookies["session"].value != "chosenbysomebodyelse0000"
    cookie = ada.client.cookies["session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example/console/", "/r/1", "javascript:"],
)
def test_a_sign_in_leads_nowhere_else(world: Any, wanted: str) -> None:
    ada = colleague("Ada", "reviewer", signed_in=False)
    assert ada.sign_in(next=wanted)["Location"] == "/console/"
    assert ada.sign_in(next="/console/alarms")["Location"] == "/console/alarms"


def test_before_the_second_factor_nothing_is_open(world: Any) -> None:
    item, case = reported(world)
    added = staff.add_person(
        email="new@example.org", name="New", roles=["reviewer"], by=ADMIN
    )
    new = Colleague(added.person_id, "New", "new@example.org", "", [])
    answer = new.sign_in_first(added.one_time_password)
    assert answer.status_code == 302
    for path in addresses(item, case):
        if path.endswith(("sign-in", "sign-out", "enrol")):
            continue
        assert new.get(path).status_code in (302, 403), path
    assert new.get("/console/")["Location"] == "/console/enrol"
    assert not new.by.permissions & set(Permission)


def test_a_first_password_and_a_key_are_shown_once(world: Any) -> None:
    root = colleague("Root", "administrator")
    added = root.post(
        "/console/people", name="Cem", email="cem@example.org", roles=["legal"]
    )
    password = added.context["password"]
    assert password in words_of(added)
    assert password not in words_of(root.get("/console/people"))
    made = root.post("/console/platforms", platform=str(world.platform_id), label="web")
    assert made.context["key"].startswith("hf_")
    listed = root.get("/console/platforms")
    assert made.context["key"] not in words_of(listed)
    key = listed.context["platforms"][0]["keys"][0]
    assert root.post(f"/console/keys/{key.id}/revoke").status_code == 302
    assert root.get("/console/platforms").context["platforms"][0]["keys"][0].revoked_at


def test_case_numbers_lead_to_the_living_case(world: Any) -> None:
    ada = colleague("Ada", "reviewer")
    _, merged = reported(world, "m1", photo="coffee")
    _, living = reported(world, "m2", photo="rocket")
    merged.state, merged.merged_into = "merged", living
    merged.save()
    answer = ada.get(f"/console/case/{merged.number}")
    assert answer["Location"] == f"/console/case/{living.number}"
    assert merged.number in words_of(ada.get(answer["Location"]))
    typed = living.number.lower().replace("-", " ")
    found = ada.client.get("/console/", {"number": typed}, follow=True)
    assert found.context["page"].number == living.number
    assert ada.get("/console/", number="R-1").status_code == 404

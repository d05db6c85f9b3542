"""Legal forms on the portal: told what is missing, signed, clocked, never refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.intake.contacts import of_report
from holdfast.intake.models import Report, Signature
from holdfast.intake.queries import told_by
from holdfast.triage.models import Deadline
from tests.stages.portal import walk
from tests.stages.portal.walk import Browser as Client
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return Client()


def law(client: Client) -> str:
    return client.get("/report/law").content.decode()


def full(report: Report) -> dict[str, bool]:
    report.refresh_from_db()
    return {str(each.form): not each.missing for each in told_by(report).forms}


def test_the_answers_make_one_report_all_three_forms(
    world: World, client: Client
) -> None:
    report = walk.report(client, "intimate_image")
    assert full(report) == {
        "dsa_notice": False,
        "take_it_down": False,
        "uk_intimate_image": False,
    }
    page = law(client)
    assert "It is full when you add:" in page
    assert "Whether the person in the picture agreed" in page
    asked = walk.further_questions(
        client,
        {
            "about": "relative",
            "age_now": "adult",
            "age_then": "adult",
            "consent": "no",
            "may_act": "yes",
            "words": "He put it there after we broke up.",
            "email": "me@example.org",
            "signature": "Kari Nordmann",
        },
    )
    assert asked[-4:] == ["link", "words", "email", "signature"]
    assert full(report) == dict.fromkeys(full(report), True)
    assert law(client).count("This is full. Nothing is missing.") == 3
    assert of_report(Report.objects.get().id) is not None


def test_a_signature_is_kept_with_the_very_words_above_it(
    world: World, client: Client
) -> None:
    walk.report(client, "intimate_image")
    page = client.get("/report/more/signature").content.decode()
    client.post("/report/more/signature", {"answer": " Kari Nordmann "})
    signed = Signature.objects.get()
    assert signed.name == "Kari Nordmann"
    assert signed.forms == ["dsa_notice", "take_it_down", "uk_intimate_image"]
    lines = signed.statement.splitlines()
    assert len(lines) == len(set(lines)) == 5
    for line in lines:
        assert f"<li>{line}</li>" in page


def test_a_statement_signed_for_one_form_is_none_for_another(
    world: World, client: Client
) -> None:
    report = walk.report(client, "threats_violence")
    client.post("/report/more/signature", {"answer": "Kari Nordmann"})
    assert Signature.objects.get().forms == ["dsa_notice"]
    client.post("/report/change", {"category": "intimate_image"})
    lacks = {str(each.form): each.missing for each in told_by(report).forms}
    assert "signature" not in lacks["dsa_notice"]
    assert "signature" in lacks["take_it_down"]


def test_each_form_has_its_own_clock_from_receipt_also_while_it_lacks_something(
    world: World, client: Client
) -> None:
    report = walk.report(client, "intimate_image")
    spans = {
        each.code: each.due_at - report.received_at
        for each in Deadline.objects.filter(report_id=report.id)
    }
    assert spans["take_it_down_48h"] == timedelta(hours=48)
    assert spans["uk_intimate_image_48h"] == timedelta(hours=48)
    assert spans["dsa_notice"] == timedelta(hours=72)
    assert law(client).count("Our time for this ends:") == 3


def test_an_answer_that_makes_it_a_form_starts_the_clock_from_receipt(
    world: World, client: Client
) -> None:
    report = walk.report(client, "sextortion")
    codes = Deadline.objects.values_list("code", flat=True)
    assert "take_it_down_48h" not in codes
    client.post("/report/more/pictured", {"answer": "posted"})
    started = Deadline.objects.get(code="take_it_down_48h")
    assert started.runs_from == report.received_at
    assert started.due_at == report.received_at + timedelta(hours=48)


def test_an_incomplete_report_about_a_child_counts_as_full(
    world: World, client: Client
) -> None:
    report = walk.report(client)
    assert all(each.complete for each in told_by(report).forms)
    page = law(client)
    assert "your report counts as full. You need not add anything" in page
    assert "It is full when you add" not in page
    asked = walk.further_questions(client, {})
    assert not {"email", "signature", "consent", "may_act"} & set(asked)


def test_a_witness_makes_a_notice_and_no_request_of_the_person_shown(
    world: World, client: Client
) -> None:
    report = walk.report(client, "intimate_image")
    client.post("/report/more/about", {"answer": "witness"})
    assert list(full(report)) == ["dsa_notice"]


@pytest.mark.parametrize("category", ["scam", "harassment", "other"])
def test_any_report_is_a_notice_when_the_person_says_that_it_is_against_the_law(
    world: World, client: Client, category: str
) -> None:
    report = walk.report(client, category)
    assert full(report) == {"dsa_notice": False}
    due = Deadline.objects.get(code="dsa_notice")
    assert due.runs_from == report.received_at
    page = law(client)
    assert "Whether you think that it is against the law" in page
    assert 'href="/report/change/unlawful"' in page
    asked = walk.further_questions(
        client,
        {
            "unlawful": "yes",
            "words": "They sold what was not theirs.",
            "email": "me@example.org",
            "signature": "Kari Nordmann",
        },
    )
    assert asked[-3:] == ["unlawful", "email", "signature"]
    assert full(report) == {"dsa_notice": True}
    assert "This is full. Nothing is missing." in law(client)


def test_something_else_that_harms_a_child_is_a_notice_and_counts_as_full(
    world: World, client: Client
) -> None:
    report = walk.report(client, "child_other")
    assert [str(each.form) for each in told_by(report).forms] == ["dsa_notice"]
    assert all(each.complete for each in told_by(report).forms)
    assert not {"unlawful", "email"} & set(walk.further_questions(client, {}))


def test_who_may_not_want_to_live_is_not_asked_about_laws(
    world: World, client: Client
) -> None:
    walk.report(client, "self_harm")
    asked = walk.further_questions(client, {})
    assert not {"unlawful", "email", "signature"} & set(asked)


def test_where_no_law_speaks_the_page_says_so_and_nothing_is_asked(
    world: World, client: Client
) -> None:
    walk.report(client, "scam")
    client.post("/report/more/unlawful", {"answer": "no"})
    assert "No law sets a special time" in law(client)
    asked = walk.further_questions(client, {})
    assert "signature" not in asked
    sent = client.post("/report/more/signature", {"answer": "Kari"})
    assert sent.status_code == 422
    assert not Signature.objects.exists()


@pytest.mark.parametrize("address", ["me", "me@", "a b@example.org"])
def test_what_is_no_address_is_said_calmly(
    world: World, client: Client, address: str
) -> None:
    walk.report(client, "copyright")
    sent = client.post("/report/more/email", {"answer": address})
    assert sent.status_code == 422
    assert "name@example.org" in sent.content.decode()
    assert of_report(Report.objects.get().id) is None

"""Hearing from us: optional, confirmed by a button, and never done by a link alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from holdfast.base import clock
from holdfast.intake import contacts
from holdfast.intake.models import Contact, Report
from holdfast.intake.rules import CONTACTS_A_DAY, Frequency, Way
from holdfast.notifications.letter_words import REVEALING
from holdfast.web.portal.page import BY
from tests.stages.portal import walk
from tests.stages.portal.walk import Browser as Client
from tests.world import World

pytestmark = pytest.mark.django_db
ME = "me@example.org"


@pytest.fixture
def client(world: World, settings: Settings) -> Client:
    """Somebody who has reported, where e-mail can be sent."""
    settings.EMAIL_HOST = "127.0.0.1"
    client = Client()
    walk.report(client)
    return client


def leave(client: Client, address: str = ME, often: str = "every_step") -> Contact:
    given = {"address": address, "frequency": often}
    answer = client.post("/follow/contact", given)
    assert answer.status_code == 302, walk.errors(answer)
    return Contact.objects.get(withdrawn_at=None)


def test_the_page_shows_all_that_would_be_sent(client: Client) -> None:
    assert "/follow/contact" in client.get("/follow/status").content.decode()
    page = client.get("/follow/contact").content.decode()
    assert "There is something new for you" in page
    assert "/m/…" in page
    assert "You do not have to." in page


def test_an_address_is_kept_shown_in_part_and_changed(client: Client) -> None:
    kept = leave(client)
    assert kept.report == Report.objects.get()
    assert (
        "one short message goes there" in client.get("/follow/status").content.decode()
    )
    page = client.get("/follow/contact").content.decode()
    assert "m…@example.org" in page
    assert ME not in page
    assert "We have not sent anything there yet." in page
    leave(client, often="never")
    assert Contact.objects.count() == 1
    assert "we send nothing for now" in client.get("/follow/status").content.decode()
    leave(client, "other@example.org")
    assert Contact.objects.filter(withdrawn_at=None).count() == 1


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "Write it here"),
        ("nobody", "something is missing"),
        ("+47 900 00 000", "only write to e-mail"),
        ("90000000", "something is missing"),
    ],
)
def test_a_mistake_keeps_what_was_written(
    client: Client, address: str, said: str
) -> None:
    answer = client.post(
        "/follow/contact", {"address": address, "frequency": "every_step"}
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in page
    assert f'value="{address}"' in page or not address
    assert not Contact.objects.exists()


def test_a_phone_is_offered_where_phones_are_written_to(
    client: Client, settings: Settings
) -> None:
    assert "phone number" not in client.get("/follow/contact").content.decode()
    settings.HOLDFAST_TEXT_WEBHOOK = "http://127.0.0.1:1/"
    assert "or phone number" in client.get("/follow/contact").content.decode()
    assert leave(client, "0047 900 00 000").way == "phone"
    settings.EMAIL_HOST = ""
    answer = client.post("/follow/contact", {"address": ME, "frequency": "every_step"})
    assert "only write to phones" in answer.content.decode()


def test_where_nothing_can_be_sent_nothing_is_asked(
    client: Client, settings: Settings
) -> None:
    settings.EMAIL_HOST = ""
    assert client.get("/follow/contact")["Location"] == "/follow/status"
    assert "/follow/contact" not in client.get("/follow/status").content.decode()


def test_without_a_report_there_is_nothing_to_hear_of(client: Client) -> None:
    stranger = Client()
    assert stranger.get("/follow/contact")["Location"] == "/follow"
    given = {"address": ME, "frequency": "every_step"}
    assert stranger.post("/follow/contact", given).status_code == 403
    with clock.shifted(timedelta(minutes=20)):
        late = client.post("/follow/contact", given)
    assert late.status_code == 403
    assert f'value="{ME}"' in late.content.decode(), "Nothing written is lost."
    assert not Contact.objects.exists()


def test_a_link_opens_a_page_that_says_nothing_and_does_nothing(
    client: Client,
) -> None:
    contact = leave(client)
    reader = Client()
    answer = reader.get(f"/m/{contact.link}")
    page = answer.content.decode()
    contact.refresh_from_db()
    assert contact.confirmed_at is None
    assert answer["Cache-Control"] == "no-store"
    words = page[page.index("<main") : page.index("</main")]
    for revealing in (REVEALING.search(words), "Plaza" in page, "Holdfast" in page):
        assert not revealing
    assert contact.report.number not in page
    assert reader.cookies["portal"].value == "", "It opens no report."
    assert reader.get("/follow/status")["Location"] == "/follow"
    assert reader.get("/m/nonsense").status_code == 404


def test_a_button_confirms_and_another_refuses(client: Client) -> None:
    link = leave(client).link
    reader = Client()
    said = reader.post(f"/m/{link}", {"confirm": "yes"}).content.decode()
    assert "Short messages can come here now." in said
    assert "Yes, you may write" not in said
    known = contacts.of_report(Report.objects.get().id)
    assert known is not None
    assert known.confirmed_at is not None
    assert "it is right" in client.get("/follow/contact").content.decode()
    said = reader.post(f"/m/{link}", {"refuse": "yes"}).content.decode()
    assert "We do not write here any more." in said
    assert Contact.objects.get().address == ""
    # A link that was kept cannot bring it back.
    reader.post(f"/m/{link}", {"confirm": "yes"})
    assert Contact.objects.get().withdrawn_at is not None


def test_a_button_needs_its_mark(client: Client) -> None:
    link = leave(client).link
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/m/{link}", {"confirm": "yes"}).status_code == 403
    assert Contact.objects.get().confirmed_at is None


def test_an_address_that_the_law_asks_for_changes_nothing_that_was_chosen(
    client: Client,
) -> None:
    report, path = Report.objects.get(), "/report/change/email"
    says = "We write there to ask if it is right"
    assert says in client.get(path).content.decode()
    client.post(path, {"answer": ME})
    kept = contacts.of_report(report.id)
    assert kept is not None
    assert kept.frequency == Frequency.DECISIONS_ONLY
    contacts.keep(report.id, ME, Frequency.NEVER, by=BY)
    assert says not in client.get(path).content.decode()
    for address in (ME, "other@example.org"):
        assert client.post(path, {"answer": address}).status_code == 302
        kept = contacts.of_report(report.id)
        assert kept is not None
        assert kept.frequency == Frequency.NEVER
    assert kept.masked == "o…@example.org"
    contacts.keep(report.id, "+4790000000", Frequency.EVERY_STEP, by=BY)
    refused = client.post(path, {"answer": ME})
    assert refused.status_code == 422
    assert "You gave us a phone number" in refused.content.decode()
    kept = contacts.of_report(report.id)
    assert kept is not None
    assert (kept.way, kept.frequency) == (Way.PHONE, Frequency.EVERY_STEP)


def test_where_no_mail_goes_out_none_is_spoken_of(
    client: Client, settings: Settings
) -> None:
    settings.EMAIL_HOST = ""
    page = client.get("/report/change/email").content.decode()
    assert "The law of some places" in page
    assert "We write there to ask" not in page


def test_too_many_changes_are_refused_with_the_answer_kept(client: Client) -> None:
    given = {"frequency": "every_step"}
    for number in range(CONTACTS_A_DAY):
        sent = {**given, "address": f"me{number}@mail.example"}
        assert client.post("/follow/contact", sent).status_code == 302
    answer = client.post(
        "/follow/contact",
        {**given, "address": "last@mail.example"},
        headers={"accept-language": "nb"},
    )
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Du har endret dette noen ganger i dag" in page
    assert 'value="last@mail.example"' in page

"""What a reporter asked for, as staff see it and end it."""

from __future__ import annotations

import pytest

from holdfast.base.by import By, Permission
from holdfast.enforcement.models import Delivery
from holdfast.freeze.contact_holds import hold_contact
from holdfast.freeze.models import ContactHold
from holdfast.intake.fingerprint import FingerprintGiven
from holdfast.intake.operations import add_fingerprint
from holdfast.matching.watches import watched
from holdfast.signals.sign import sign_picture
from holdfast.triage.models import Case
from tests.stages.console.desk import colleague
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db

REPORTER = By("public", "portal", frozenset({Permission.REPORT_FOLLOW}))


def test_staff_see_a_hold_and_a_watch_and_end_them(world: World) -> None:
    ada = colleague("Ada", "reviewer")
    world.actor("sam")
    world.post("1", encoded(photograph()), actor="nightowl")
    received = world.report("https://plaza.example/p/1", category="sextortion")
    hold_contact(received.report_id, "sam", by=REPORTER)
    pdq = sign_picture(encoded(photograph("coffee"))).views[0].pdq
    given = FingerprintGiven(pdq.bits, pdq.quality, watch=True)
    add_fingerprint(received.report_id, given, by=REPORTER)
    case = Case.objects.filter(state="open").first()
    assert case is not None
    number = f"/console/case/{case.number}"
    page = ada.get(number).content.decode()
    assert "cannot write to the reporter" in page
    assert "nobody vouches" in page
    assert "End the watch" in page
    hold = ContactHold.objects.get()
    ada.post(f"{number}/contact/{hold.id}")
    ada.post(f"{number}/watch/{received.report_id}")
    hold.refresh_from_db()
    assert hold.because == "staff"
    assert watched(received.report_id) is None
    assert Delivery.objects.filter(verb="release_contact").count() == 1
    page = ada.get(number).content.decode()
    assert "End the watch" not in page
    assert "Release the contact" not in page
    # What is of another case is not ended from here.
    other = world.report(category="other", words="something else")
    assert ada.post(f"{number}/watch/{other.report_id}").status_code == 404

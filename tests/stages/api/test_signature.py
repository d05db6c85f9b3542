"""What a law wants of a report, and signing it in a platform's own app."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.base.by import SYSTEM, Permission
from holdfast.base.models import Event
from holdfast.intake.models import Report, Signature
from holdfast.intake.queries import told_by
from holdfast.items.keys import PlatformGiven, put_platform
from tests.stages.api.calls import Api, json_of
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db

SHOWN = {"about": "shown", "age_now": "adult", "consent": "no"}


@pytest.fixture
def api(world: World) -> Api:
    world.post("1", encoded(photograph()))
    return Api(world)


def report(api: Api, category: str = "intimate_image", **more: Any) -> Any:
    said = {"category": category, "targets": [{"item": "1"}], "words": "Me.", **more}
    answer = api.post("/reports", said)
    assert answer.status_code == 201, json_of(answer)
    return json_of(answer)


def sign(api: Api, number: str, status: int = 200, **said: Any) -> Any:
    answer = api.post(f"/reports/{number}/signature", said)
    assert answer.status_code == status, json_of(answer)
    return json_of(answer)


def test_the_answer_tells_what_is_missing_and_a_signature_completes_it(
    api: Api,
) -> None:
    said = report(api, answers=SHOWN, contact="kari@example.org")
    missing = {
        each["code"]: [lack["code"] for lack in each["missing"]]
        for each in said["legal_forms"]
    }
    assert missing == {
        "dsa_notice": ["signature"],
        "take_it_down": ["signature"],
        "uk_intimate_image": ["signature"],
    }
    assert not any(each["complete"] for each in said["legal_forms"])
    assert "in good faith" in said["to_sign"]
    after = sign(api, said["number"], name=" Kari N. ", statement=said["to_sign"])
    assert after["to_sign"] is None
    assert all(each["complete"] for each in after["legal_forms"])
    assert {k: after[k] for k in after} == {
        name: json_of(api.get(f"/reports/{said['number']}"))[name] for name in after
    }
    kept = Signature.objects.get()
    assert (kept.name, kept.statement) == ("Kari N.", said["to_sign"])
    assert sorted(kept.forms) == sorted(missing)
    last = Event.objects.filter(kind="report.extended").latest("at")
    assert last.facts["what"] == "signature"
    assert last.by.startswith("platform:")


def test_it_is_signed_in_the_language_in_which_it_was_read(api: Api) -> None:
    said = report(api, answers=SHOWN, language="nb-NO")
    assert said["to_sign"].startswith("Det jeg har fortalt")
    sign(api, said["number"], name="Kari", statement=said["to_sign"])
    assert Signature.objects.get().language == "nb"


def test_a_form_whose_words_were_not_shown_is_not_signed(api: Api) -> None:
    copyright_ = report(api, "copyright")
    [form] = copyright_["legal_forms"]
    assert form["code"] == "dsa_notice"
    said = report(api, answers=SHOWN)
    sign(api, said["number"], 422, name="Kari", statement="I agree.")
    sign(api, said["number"], 422, name=" ", statement=said["to_sign"])
    assert not Signature.objects.exists()
    after = sign(api, said["number"], name="K", statement=copyright_["to_sign"])
    assert Signature.objects.get().forms == ["dsa_notice"]
    lacking = {each["code"] for each in after["legal_forms"] if not each["complete"]}
    assert {"take_it_down", "uk_intimate_image"} <= lacking


def test_nobody_asks_a_child_for_a_name(api: Api) -> None:
    said = report(api, "child_sexual_abuse_material")
    assert said["legal_forms"]
    assert all(each["complete"] for each in said["legal_forms"])
    assert said["to_sign"] is None


def test_a_contact_counts_at_once_as_the_law_counts_it(api: Api) -> None:
    for contact, lacks in (("kari@example.org", False), (None, True)):
        said = report(api, answers=SHOWN, contact=contact)
        stored = told_by(Report.objects.get(number=said["number"])).forms
        codes = [lack["code"] for lack in said["legal_forms"][0]["missing"]]
        assert ("email" in codes) is lacks
        assert codes == [str(each) for each in stored[0].missing]


def test_a_key_signs_no_report_of_another_platform(api: Api) -> None:
    said = report(api, answers=SHOWN)
    there = PlatformGiven(slug="agora", name="Agora", url="https://agora.example")
    other = Api(World(put_platform(there, by=SYSTEM)))
    sign(other, said["number"], 404, name="Kari", statement=said["to_sign"])
    reader = Api(api.world, (Permission.ITEMS_READ,))
    sign(reader, said["number"], 403, name="Kari", statement=said["to_sign"])
    assert not Signature.objects.exists()

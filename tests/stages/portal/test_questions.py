"""Questions are data: asked when they fit, archived as read, changed, taken back."""

from __future__ import annotations

import html
import random

import pytest

from holdfast.base.by import By, Permission
from holdfast.base.models import Event
from holdfast.base.privacy import Privacy
from holdfast.intake import archive, questions
from holdfast.intake.legal_forms import to_ask
from holdfast.intake.models import Answer, Contact, Questionnaire, Report
from holdfast.intake.queries import told_by
from holdfast.items.models import Item, ItemState
from holdfast.notifications.alarms import acknowledge
from holdfast.notifications.models import Alarm
from holdfast.policy.queries import current
from holdfast.policy.rules import read_policy
from holdfast.triage.models import Case, Deadline
from tests.stages.portal import walk
from tests.stages.portal.walk import Browser as Client
from tests.world import POLICY, World, encoded, photograph

pytestmark = pytest.mark.django_db
ON_CALL = By("person", "desk", frozenset({Permission.ALARM_ACKNOWLEDGE}))
POLICY_READ = read_policy(POLICY.read_text())


def asked_after() -> Questionnaire:
    """The one that holds what was asked once the report was in."""
    first = Report.objects.exclude(asked=None).values("asked")
    return Questionnaire.objects.exclude(id__in=first).get()


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.mark.parametrize("category", [each.code for each in POLICY_READ.categories])
def test_every_condition_can_be_read_for_every_category(category: str) -> None:
    found = POLICY_READ.category(category)
    for answers in ({}, {"about": "shown", "age_now": "adult", "danger": "hurt"}):
        asked = [each.code for each in questions.asked(found, answers, ())]
        assert "words" in asked
        assert len(asked) <= 10, "A frightened person has to get through them."


@pytest.mark.parametrize("category", [each.code for each in POLICY_READ.categories])
def test_the_number_of_questions_to_come_shrinks_and_never_grows(
    world: World, client: Client, category: str
) -> None:
    chance = random.Random(category)
    for _time in range(2):
        walk.report(client, category)
        path = client.post("/report/received")["Location"]
        told: list[int] = []
        while path.startswith("/report/more/"):
            page = client.get(path)
            step, to_come = page.context["step"], page.context["to_come"]
            assert step == len(told) + 1
            words = f"At most {to_come} more." if to_come else "This is the last one."
            assert f"Question {step}. {words}" in page.content.decode()
            told.append(to_come)
            path = _answered_by_chance(client, path, chance)
        for place, to_come in enumerate(told):
            assert to_come >= len(told) - place - 1, (category, told)
        assert told == sorted(set(told), reverse=True), (category, told)


def _answered_by_chance(client: Client, path: str, chance: random.Random) -> str:
    question = questions.question(path.rsplit("/", 1)[1])
    assert question
    said = [choice.code for choice in question.choices] or ["", "a@people.example"]
    sent = client.post(path, {"answer": chance.choice(said)})
    if sent.status_code == 302 and sent["Location"] != "/report/danger":
        return str(sent["Location"])
    return str(client.get(path).context["skip_url"])


def test_no_question_asks_for_a_picture_a_screenshot_or_a_paper() -> None:
    for each in questions.QUESTIONS:
        assert each.kind not in ("file", "image")
        said = f"{each.words} {each.hint}".lower()
        for word in ("upload", "attach", "screenshot", "passport", "identity"):
            assert word not in said
        if each.kind == "choice":
            assert "unknown" in [choice.code for choice in each.choices]


def test_each_page_is_saved_by_itself_and_leaving_loses_nothing(
    world: World, client: Client
) -> None:
    report = walk.report(client)
    client.post("/report/more/danger", {"answer": "no"})
    client.post("/report/more/about", {"answer": "shown"})
    client.post("/report/more/age_now", {"answer": "13_15"})
    # Here the reporter closes the browser, on the fifth page.
    assert told_by(report).answers == {
        "danger": "no",
        "about": "shown",
        "age_now": "13_15",
    }


def test_what_was_asked_is_archived_word_for_word_by_its_hash(
    world: World, client: Client
) -> None:
    walk.report(client)
    client.post("/report/more/danger", {"answer": "no"})
    client.post("/report/more/about", {"answer": "shown"})
    archived = asked_after()
    assert archived.digest == questions.digest(archived.document)
    assert {each.questionnaire_id for each in Answer.objects.all()} == {archived.id}
    words = {each["code"]: each["words"] for each in archived.document["questions"]}
    page = client.get("/report/more/danger").content.decode()
    assert words["danger"] in page
    # Other words are another document.
    changed = {**archived.document, "language": "nb"}
    assert questions.digest(changed) != archived.digest


def test_the_first_two_pages_are_archived_as_they_were_shown(
    world: World, client: Client
) -> None:
    # The first page is answered in English and the second in Norwegian.
    seen = client.get("/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    client.post("/", {"category": "sextortion"}, HTTP_ACCEPT_LANGUAGE="en")
    client.post("/language", {"language": "nb", "next": "/report/where"})
    seen += client.get("/report/where").content.decode()
    client.post("/report/where", {"category": "sextortion", "account": "@nightowl"})
    archived = Report.objects.get().asked
    assert archived is not None
    assert archived.digest == questions.digest(archived.document)
    first, *second = archived.document["questions"]
    assert (first["language"], archived.language) == ("en", "nb")
    offered = [each["code"] for each in first["choices"]]
    assert offered == [each.code for each in current().categories]
    assert [each["code"] for each in second] == [
        *("account", "address", "words", "unknown"),
    ]
    words = html.unescape(seen)
    for each in (first, *second):
        texts = [each["page"], each["words"], each["hint"]]
        for choice in each["choices"]:
            texts += [choice["words"], choice["hint"], choice.get("under", "")]
        for text in texts:
            assert text in words, text
    assert "nightowl" not in str(archived.document), "No answer is in what was asked."
    before = Questionnaire.objects.count()
    walk.report(Client(HTTP_ACCEPT_LANGUAGE="en"), "sextortion")
    walk.report(Client(HTTP_ACCEPT_LANGUAGE="en"), "sextortion")
    assert Questionnaire.objects.count() == before + 1
    # Named by a platform, it takes none of its questions for an answer.
    held = archive.hold({"category": "scam"}, archived.digest, "en")
    assert not held.taken


def test_all_answers_are_looked_over_and_each_can_be_changed(
    world: World, client: Client
) -> None:
    world.post("1", encoded(photograph()))
    report = walk.report(client)
    asked = walk.further_questions(client, {"about": "parent", "age_now": "10_12"})
    page = client.get("/report/review").content.decode()
    for code in asked:
        question = questions.question(code)
        assert question
        assert str(question.short) in page
        assert f'href="/report/change/{code}"' in page
    assert "My child" in page
    assert "Not answered" in page
    assert walk.POST in page
    before = client.get("/report/change/about").content.decode()
    assert 'value="parent" id="id_answer_1" checked' in before
    changed = client.post("/report/change/about", {"answer": "shown"})
    assert changed["Location"] == "/report/review"
    assert told_by(report).claims == ("shown",)
    kept = Answer.objects.filter(question="about").order_by("answered_at")
    assert [(each.value, bool(each.replaced_at)) for each in kept] == [
        ("parent", True),
        ("shown", False),
    ]


def test_the_same_answer_again_changes_nothing(world: World, client: Client) -> None:
    walk.report(client)
    for _time in range(2):
        client.post("/report/more/about", {"answer": "shown"})
    assert Answer.objects.count() == 1
    assert Event.objects.filter(kind="report.extended").count() == 1


def test_an_answer_that_is_taken_back_leaves_its_row(
    world: World, client: Client
) -> None:
    report = walk.report(client)
    for number in ("2020-881", "2020-882"):
        client.post("/report/change/police", {"answer": number})
    client.post("/report/change/police", {"take_back": "yes"})
    assert "taken your answer back" in client.get("/report/review").content.decode()
    assert set(Answer.objects.values_list("value", flat=True)) == {""}
    assert told_by(report).police_number == ""
    client.post("/report/change/police", {"answer": "2020-883"})
    assert told_by(report).police_number == "2020-883"


def test_an_event_says_which_question_was_answered_and_never_how(
    world: World, client: Client
) -> None:
    walk.report(client)
    client.post("/report/more/police", {"answer": "2020-881"})
    extended = Event.objects.get(kind="report.extended")
    assert extended.facts == {"what": "police"}
    assert Answer.privacy["value"] == Privacy.PERSONAL


def test_danger_shows_the_numbers_first_and_pages_the_people_on_call_once(
    world: World, client: Client
) -> None:
    walk.report(client, "harassment")
    answer = client.post("/report/more/danger", {"answer": "suicide"})
    assert answer["Location"] == "/report/danger"
    page = client.get("/report/danger").content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    assert main.index("tel:112") < main.index("When will we read this")
    assert "Please call somebody now" in main
    assert "We cannot promise" in main, "Nobody is on call in this installation."
    assert "We cannot say when somebody opens your report." in main, "No such clock."
    assert Alarm.objects.get().code == "report.danger"
    client.post("/report/more/danger", {"answer": "hurt"})
    assert Alarm.objects.get().times == 1
    assert Case.objects.get().urgency == "immediate"


@pytest.mark.parametrize("category", ["harassment", "threats_violence"])
def test_a_child_who_is_bullied_or_threatened_is_a_matter_of_children(
    world: World, client: Client, category: str
) -> None:
    item = world.post("1", encoded(photograph()))
    report = walk.report(client, category)
    item.refresh_from_db()
    assert item.state == ItemState.VISIBLE
    asked = walk.further_questions(client, {"about": "parent", "age_now": "10_12"})
    assert [each for each in asked if each.startswith("age")] == ["age_now", "age_then"]
    item.refresh_from_db()
    assert item.state == ItemState.FROZEN
    case = Case.objects.get()
    assert case.child_safety
    report.refresh_from_db()
    assert report.category == category, "What was reported stays as it was."
    grown = Client()
    world.post("2", encoded(photograph("coffee")))
    walk.report(grown, category, address="https://plaza.example/p/2")
    walk.further_questions(grown, {"about": "shown", "age_now": "adult"})
    assert Item.objects.get(external_id="2").state == ItemState.VISIBLE


@pytest.mark.parametrize("second", questions.DANGERS)
def test_a_second_call_for_help_pages_again_once_somebody_has_answered_the_first(
    world: World, client: Client, second: str
) -> None:
    walk.report(client, "harassment")
    client.post("/report/more/danger", {"answer": "hurt"})
    first = Alarm.objects.get()
    acknowledge(first.id, by=ON_CALL)
    for _press in range(3):
        client.post("/report/more/danger", {"answer": second})
    again = Alarm.objects.get(acknowledged_at=None)
    assert (again.code, again.times) == ("report.danger", 1), "No flood."
    assert again.subject == first.subject
    assert Event.objects.filter(kind="alarm.raised").count() == 2


def test_somebody_on_call_is_told_of_only_where_there_is_one(
    world: World, client: Client, settings: object
) -> None:
    settings.HOLDFAST_ON_CALL = ["desk@example.org"]  # type: ignore[attr-defined]  # pytest-django's settings.
    settings.EMAIL_HOST = "127.0.0.1"  # type: ignore[attr-defined]  # pytest-django's settings.
    walk.report(client)
    client.post("/report/more/danger", {"answer": "hurt"})
    page = client.get("/report/danger").content.decode()
    assert "We are sending a message to the people on duty now." in page
    assert "Somebody should open your report by" in page
    assert "We cannot say when" not in page


def test_nobody_is_said_to_be_called_where_nobody_told_of_danger(
    world: World, client: Client, settings: object
) -> None:
    settings.HOLDFAST_ON_CALL = ["desk@example.org"]  # type: ignore[attr-defined]  # pytest-django's settings.
    settings.EMAIL_HOST = "127.0.0.1"  # type: ignore[attr-defined]  # pytest-django's settings.
    walk.report(client)
    client.post("/report/more/danger", {"answer": "no"})
    page = client.get("/report/danger").content.decode()
    assert not Alarm.objects.exists()
    assert "We are sending a message" not in page
    assert "We cannot promise that somebody sees it at night." in page


def test_a_picture_of_an_adult_that_shows_a_child_is_a_matter_of_child_safety(
    world: World, client: Client
) -> None:
    report = walk.report(client, "intimate_image")
    assert not Case.objects.get().child_safety
    client.post("/report/more/age_now", {"answer": "adult"})
    client.post("/report/more/age_then", {"answer": "13_15"})
    case = Case.objects.get()
    assert case.child_safety
    assert case.category == "child_sexual_abuse_material"
    assert told_by(report).category == "child_sexual_abuse_material"
    assert Report.objects.get().category == "intimate_image", "Kept as it was said."
    codes = set(Deadline.objects.values_list("code", flat=True))
    assert "first_look" in codes
    first_look = Deadline.objects.get(code="first_look")
    assert first_look.runs_from == report.received_at


def test_the_first_answer_can_be_changed_and_then_freezes(
    world: World, client: Client
) -> None:
    world.post("1", encoded(photograph()))
    report = walk.report(client, "other")
    assert Item.objects.get().state == ItemState.VISIBLE
    due_at = Deadline.objects.get(code="decision").due_at
    assert client.get("/report/change").status_code == 200
    answer = client.post("/report/change", {"category": walk.CHILD})
    assert answer["Location"] == "/report/review"
    assert Item.objects.get().state == ItemState.FROZEN
    sooner = Deadline.objects.get(code="decision").due_at
    assert sooner < due_at, "A clock becomes shorter, never longer."
    client.post("/report/change", {"category": "other"})
    assert Item.objects.get().state == ItemState.FROZEN
    assert Case.objects.get().child_safety
    assert Deadline.objects.get(code="decision").due_at == sooner
    assert current().category(told_by(report).category).code == "other"


def test_several_things_are_one_report_and_more_can_be_added(
    world: World, client: Client
) -> None:
    for name in ("coffee", "chelsea", "astronaut"):
        world.post(name, encoded(photograph(name)))
    at = "https://plaza.example/p"
    report = walk.report(client, address=f"{at}/coffee\n{at}/chelsea")
    client.post("/report/more/link", {"answer": f"{at}/astronaut\n@somebody"})
    assert report.targets.count() == 4
    assert set(Item.objects.values_list("state", flat=True)) == {ItemState.FROZEN}
    client.post("/report/more/link", {"answer": f"{at}/astronaut"})
    assert report.targets.count() == 4, "The same again is no other place."
    other = client.post("/report/more/link", {"answer": "https://other.example/1"})
    assert other.status_code == 302, "A place that nobody knows is kept all the same."


@pytest.mark.parametrize(
    ("about", "told"), [("professional", True), ("parent", True), ("shown", False)]
)
def test_adults_are_told_never_to_look_save_or_send_on(
    world: World, client: Client, about: str, told: bool
) -> None:
    walk.report(client)
    following = client.post("/report/more/about", {"answer": about})["Location"]
    for path in (following, "/report/review"):
        page = client.get(path).content.decode()
        assert ("Do not look at it, do not save it" in page) is told


def test_nobody_answers_for_a_report_that_is_not_theirs(world: World) -> None:
    walk.report(Client())
    stranger = Client()
    for path in ("/report/review", "/report/law", "/report/danger", "/report/change"):
        assert stranger.get(path)["Location"] == "/follow"
    sent = stranger.post("/report/change", {"category": "other"})
    assert sent.status_code == 403
    assert stranger.post("/report/more/about", {"answer": "shown"}).status_code == 403
    taking = stranger.post("/report/change/about", {"take_back": "yes"})
    assert taking.status_code == 403
    assert not Answer.objects.exists()


def test_who_is_shown_is_asked_about_themselves(world: World, client: Client) -> None:
    walk.report(client)
    asked = "/report/more/age_now"
    assert "How old is the person" in client.get(asked).content.decode()
    client.post("/report/more/about", {"answer": "shown"})
    page = client.get(asked).content.decode()
    assert "How old are you?" in page
    assert "How old is the person" not in page
    document = asked_after().document
    archived = {each["code"]: each for each in document["questions"]}
    assert archived["age_now"]["words_to_shown"] == "How old are you?"


def test_what_was_answered_can_be_changed_although_nothing_lacks_it_any_more(
    world: World, client: Client
) -> None:
    """Some questions are asked because a legal form lacks them; an answer ends that."""
    report = walk.report(client, "intimate_image")
    client.post("/report/more/about", {"answer": "shown"})
    given = {"consent": "no", "email": "kim@example.org", "signature": "Kim Sample"}
    for code, answer in given.items():
        client.post(f"/report/more/{code}", {"answer": answer})
    assert not {"consent", "email", "signature"} & set(to_ask(told_by(report).forms))
    page = client.get("/report/review").content.decode()
    for code in given:
        assert f'href="/report/change/{code}"' in page, code
    assert "k…@example.org" in page
    assert "Kim Sample" in page
    # What is shown of an address stands in no box, to be sent again as if it were one.
    page = client.get("/report/change/email").content.decode()
    assert "k…@example.org" in page
    assert 'value="k' not in page
    client.post("/report/change/email", {"take_back": "yes"})
    assert not Contact.objects.filter(withdrawn_at=None).exists()
    assert "We keep no e-mail address" in client.get("/report/review").content.decode()


@pytest.mark.parametrize(
    ("category", "answers", "offered"),
    [
        ("sextortion", {"about": "shown"}, {"hold", "picture"}),
        ("sextortion", {"about": "shown", "contact_again": "no"}, {"picture"}),
        ("sextortion", {"about": "shown", "pictured": "no"}, {"hold"}),
        # Who does not say that they are shown is never led to the picture.
        ("sextortion", {}, {"hold"}),
        (walk.CHILD, {}, set()),
        ("sextortion", {"about": "professional", "contact_again": "yes"}, set()),
        (walk.CHILD, {"about": "shown", "contact_again": "yes"}, {"hold", "picture"}),
        ("copyright", {}, set()),
    ],
)
def test_what_helps_now_is_offered_where_it_fits(
    world: World,
    client: Client,
    category: str,
    answers: dict[str, str],
    offered: set[str],
) -> None:
    walk.report(client, category)
    for code, answer in answers.items():
        client.post(f"/report/more/{code}", {"answer": answer})
    page = client.get("/report/review").content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    links = {"hold": "/follow/hold", "picture": "/report/picture"}
    assert {each for each, link in links.items() if f'"{link}"' in main} == offered

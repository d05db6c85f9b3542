"""What we tell whom, with the facts of one real case: the table as staff can read it.

Every text is made by the functions that make the real ones, from the same rows; a text
whose facts do not hold for the case is not shown, and what is missing is said instead.
Sends nothing, marks nothing, and shows no name, no media and no words of a report.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings

from holdfast.authorities.models import Referral
from holdfast.base.by import By, Permission
from holdfast.base.errors import NotFound
from holdfast.base.events import Kind
from holdfast.decisions.previews import statement_preview, withholdings
from holdfast.enforcement.queries import deliveries_about
from holdfast.intake.models import Report
from holdfast.intake.rules import Way
from holdfast.intake.suspension import is_worked_on
from holdfast.items.models import Item
from holdfast.notifications import facts as so
from holdfast.notifications.alarms import mail_of
from holdfast.notifications.letter_words import letter_words
from holdfast.notifications.mail_answers import mail_answer
from holdfast.notifications.matrix import MATRIX, Audience, Cell, Channel, Silence
from holdfast.notifications.models import Alarm, Receipt
from holdfast.notifications.rules import Facts, unmet
from holdfast.notifications.words import compose
from holdfast.triage.models import Case, CaseState

LINK_SHOWN = "/m/…"
"""Instead of a link that would work."""
WORDS_SHOWN = "…"
"""Instead of words that would open a report."""


@dataclass(frozen=True)
class Text:
    """One text. ``language`` is empty for what is in none."""

    language: str
    label: str
    subject: str
    words: str


@dataclass(frozen=True)
class Telling:
    """One cell, for everybody who gets the same."""

    audiences: tuple[str, ...]
    template: str
    channel: str
    when: str
    tongue: str
    claims: tuple[str, ...]
    """What has to be so for it."""
    missing: tuple[str, ...]
    """What of that is not so in this case; then there is no text."""
    texts: tuple[Text, ...]
    note: str = ""


@dataclass(frozen=True)
class Quiet:
    """Who is not told, and why."""

    audiences: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class EventLine:
    """One kind of event."""

    kind: str
    tellings: tuple[Telling, ...]
    quiet: tuple[Quiet, ...]


def preview(number: str = "", *, by: By) -> tuple[str, tuple[EventLine, ...]]:
    """The number of a case, and every event in the order of a report's life.

    Without a number it is the case that was decided last, or else opened last; without
    any case nothing has a text. Raises ``NotFound`` for a number that is none.
    """
    by.require(Permission.CASE_READ)
    case = _case(number)
    scene = _Scene(case, by) if case is not None else None
    lines = tuple(_line(kind, scene) for kind in Kind)
    return (case.number if case else ""), lines


class _Scene:
    """One case, and whatever the texts about it are made from; read once."""

    def __init__(self, case: Case, by: By) -> None:
        self.case = case
        self.by = by
        reports = Report.objects.filter(targets__place__case=case).order_by(
            "received_at", "id"
        )
        self.report = reports.select_related("platform", "codename").first()
        facts = so.of_case(case)
        self.facts = so.for_report(facts, case, self.report) if self.report else facts
        self.waiting = withholdings(case.id, by=by)

    def receipt_facts(self) -> Facts | None:
        """What the receipt of the case's first report was made from."""
        receipt = Receipt.objects.filter(report=self.report).first()
        if self.report is None or receipt is None:
            return None
        coded = hasattr(self.report, "codename")
        name = self.case.platform.name
        made = so.of_receipt(name, receipt.body, has_codename=coded)
        return replace(
            made,
            kept_aside=not is_worked_on(self.report.id),
            set_aside_until=self.facts.set_aside_until,
            warned_of=self.facts.warned_of,
        )


def _case(number: str) -> Case | None:
    cases = Case.objects.exclude(state=CaseState.MERGED).select_related("platform")
    if number:
        found = cases.filter(number=number.strip()).first()
        if found is None:
            raise NotFound("There is no open or decided case of that number.")
        return found
    decided = cases.exclude(decided_at=None).order_by("-decided_at").first()
    return decided or cases.order_by("-opened_at").first()


def _line(kind: Kind, scene: _Scene | None) -> EventLine:
    by_cell: dict[Cell, list[str]] = {}
    by_why: dict[str, list[str]] = {}
    for audience in Audience:
        said = MATRIX[kind][audience]
        name = audience.value.replace("_", " ")
        if isinstance(said, Silence):
            by_why.setdefault(said.why, []).append(name)
        else:
            for cell in said:
                by_cell.setdefault(cell, []).append(name)
    return EventLine(
        kind.value,
        tuple(_telling(cell, names, scene) for cell, names in by_cell.items()),
        tuple(Quiet(tuple(names), why) for why, names in by_why.items()),
    )


def _telling(cell: Cell, audiences: Sequence[str], scene: _Scene | None) -> Telling:
    missing: tuple[str, ...] = ("there is no case to show it with",)
    texts: tuple[Text, ...] = ()
    note = ""
    if scene is not None:
        missing = tuple(need.value for need in unmet(cell.needs, scene.facts))
        texts = () if missing else _MAKERS[cell.channel](cell, scene)
        if not missing and not texts:
            missing = (_NOTHING[cell.channel],)
        note = scene.waiting.get(cell.template.removeprefix("statement_"), "")
    return Telling(
        audiences=tuple(audiences),
        template=cell.template,
        channel=cell.channel.value,
        when=cell.when.value,
        tongue=cell.tongue.value,
        claims=tuple(need.value for need in cell.needs),
        missing=missing,
        texts=texts,
        note=note,
    )


def _in_each(make: Callable[[str], str]) -> tuple[Text, ...]:
    texts = [Text(code, str(name), "", make(code)) for code, name in settings.LANGUAGES]
    return tuple(text for text in texts if text.words)


def _thread(cell: Cell, scene: _Scene) -> tuple[Text, ...]:
    if scene.report is None:
        return ()
    return _in_each(lambda code: compose(cell, code, scene.facts))


def _receipt(cell: Cell, scene: _Scene) -> tuple[Text, ...]:
    facts = scene.receipt_facts()
    return _in_each(lambda code: compose(cell, code, facts)) if facts else ()


def _mail_answer(scene: _Scene) -> Iterator[Text]:
    """To a first mail without and with files, and to a later one with files."""
    number = scene.report.number if scene.report else ""
    for code, name in settings.LANGUAGES:
        for label, words, files in (
            ("to a first mail", WORDS_SHOWN, False),
            ("to a first mail with a file", WORDS_SHOWN, True),
            ("to a later mail with a file", "", True),
        ):
            sheet = mail_answer(code, number, words, files=files)
            yield Text(code, f"{name}, {label}", sheet.subject, sheet.body)


def _letter(cell: Cell, scene: _Scene) -> tuple[Text, ...]:
    if cell.template == "mail_answer":
        return tuple(_mail_answer(scene))
    made = []
    for code, name in settings.LANGUAGES:
        for way, by_what in ((Way.EMAIL, "e-mail"), (Way.PHONE, "phone")):
            sheet = letter_words(
                cell.template,
                way,
                code,
                link=f"{settings.HOLDFAST_URL}{LINK_SHOWN}",
                has_codename=scene.facts.has_codename,
            )
            made.append(Text(code, f"{name}, {by_what}", sheet.subject, sheet.body))
    return tuple(made)


def _statement(cell: Cell, scene: _Scene) -> tuple[Text, ...]:
    kind = cell.template.removeprefix("statement_")
    return _in_each(
        lambda code: statement_preview(scene.case.id, kind, code, by=scene.by)
    )


def _order(cell: Cell, scene: _Scene) -> tuple[Text, ...]:
    placed = Item.objects.filter(place__case=scene.case)
    ids: list[UUID] = list(placed.values_list("id", flat=True))
    actors = {each for each in placed.values_list("actor", flat=True) if each}
    told = deliveries_about(ids, actors, by=scene.by)
    first = next((each for each in told if each.verb == cell.template), None)
    if first is None:
        return ()
    body = {name: value for name, value in first.body.items() if name != "words"}
    words = json.dumps({"verb": first.verb, "number": first.number, "body": body})
    return (Text("", "JSON, beside the item's or account's id", "", words),)


def _referral(cell: Cell, scene: _Scene) -> tuple[Text, ...]:
    made = Referral.objects.filter(case=scene.case).order_by("opened_at")
    return tuple(
        Text("", each.authority, "", f"{each.state}, {each.environment} environment")
        for each in made
    )


def _page(cell: Cell, scene: _Scene) -> tuple[Text, ...]:
    about = Alarm.objects.filter(about__case=str(scene.case.id)).order_by("raised_at")
    return tuple(Text("en", "English", *mail_of(alarm)) for alarm in about)


_MAKERS: Mapping[Channel, Callable[[Cell, _Scene], tuple[Text, ...]]] = {
    Channel.RECEIPT: _receipt,
    Channel.THREAD: _thread,
    Channel.LETTER: _letter,
    Channel.STATEMENT: _statement,
    Channel.ORDER: _order,
    Channel.REFERRAL: _referral,
    Channel.PAGE: _page,
}
_NOTHING: Mapping[Channel, str] = {
    Channel.RECEIPT: "nobody reported anything of this case",
    Channel.THREAD: "nobody reported anything of this case",
    Channel.LETTER: "there is no language to write in",
    Channel.STATEMENT: "nothing in this case has an account behind it",
    Channel.ORDER: "it has not been ordered in this case",
    Channel.REFERRAL: "there is no referral in this case",
    Channel.PAGE: "no alarm has rung about this case",
}

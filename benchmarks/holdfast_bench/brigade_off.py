"""What of Holdfast's defences is switched off in the run *without* them, and how.

In the process of that run alone, by the names below. None of it can be switched off in
an installation: there is no setting for it, except for the policy's number of a wave.
What cannot be switched off here either, since the program is made of it, is named too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from holdfast.base.by import By, Permission
from holdfast.freeze import operations as freeze
from holdfast.policy import queries as policies
from holdfast.policy.operations import adopt_policy
from holdfast.review import queue
from holdfast.triage.models import Case, CaseTarget
from holdfast.web import waiting
from holdfast.web.api import limits
from holdfast.web.portal import door
from holdfast_bench.brigade import POLICY

NEVER: Final = 10**9
"""Reports an hour before people are alarmed, where no number of them shall."""


def _counts_move_the_queue() -> None:
    """What most people reported comes first, and urgency and clocks count nothing."""
    in_order = queue._filtered

    def most_reported_first(*given: Any) -> QuerySet[Case]:
        reports = (
            CaseTarget.objects.filter(case=OuterRef("id"))
            .values("case")
            .annotate(reports=Count("target__report", distinct=True))
            .values("reports")
        )
        most = Coalesce(Subquery(reports), 0)
        rows = in_order(*given).annotate(most=most)
        return rows.order_by("-most", "clock_from", "id")

    _replace(queue, "_filtered", most_reported_first)


def _each_report_freezes() -> None:
    """What people have cleared is frozen again by whatever reports it."""
    _replace(freeze, "cleared_among", lambda _items: set())
    _replace(freeze, "_decided_clear", lambda _case, _places: set())


def _no_wave_alarm() -> None:
    """By the policy: no number of reports is a wave."""
    written = POLICY.read_text()
    number = f"wave_reports_per_hour: {policies.current().wave_reports_per_hour}\n"
    version = f'version: "{policies.current().version}"'
    if written.count(number) != 1 or written.count(version) != 1:
        raise RuntimeError("the policy is written otherwise than this switch knows")
    document = written.replace(number, f"wave_reports_per_hour: {NEVER}\n")
    document = document.replace(version, 'version: "without-waves"')
    may = frozenset({Permission.STAFF_MANAGE})
    adopt_policy(document, by=By("operator", "bench", may))


def _no_marks() -> None:
    """What a program does and a person does not is not noticed."""
    _replace(door, "marks_of", lambda _request, _memory: [])
    _replace(door, "address_of", lambda _request: "")


def _no_slowing() -> None:
    """Receipts and answers come at once, however many reports there are."""
    _replace(waiting, "take_a_turn", lambda *_, **__: 0.0)
    _replace(limits, "take", lambda *_, **__: 0.0)


def _replace(module: ModuleType, name: str, instead: Callable[..., Any]) -> None:
    """What it stands for from now on; it has to be there, or the switch is broken."""
    if not callable(getattr(module, name, None)):
        raise RuntimeError(f"{module.__name__} has no {name} any more")
    setattr(module, name, instead)


SWITCHES: Final[Mapping[str, tuple[str, Callable[[], None]]]] = {
    "queue_by_clock": (
        "urgency and then the clock; off: what most people reported first",
        _counts_move_the_queue,
    ),
    "clearance_stands": (
        "what people cleared is not frozen again by reports alone; off: by each report",
        _each_report_freezes,
    ),
    "wave_alarm": (
        "many reports of one account or from one place alarm people; off: by a policy"
        " in which no number of reports is a wave",
        _no_wave_alarm,
    ),
    "marks": (
        "honeypot, least time and address token, for people to see; off: not noted",
        _no_marks,
    ),
    "slowing": (
        "receipts are held up under load, and a platform's key has a rate; off: neither"
        " is so",
        _no_slowing,
    ),
}
"""Each defence that is switched off: its name, what it does, and the switch."""
BY_PEOPLE: Final = {
    "misuse": "a lead warns accounts and suspends them (DSA Article 23); off: nobody"
    " does"
}
STAYS_ON: Final = {
    "one_case": "reports of one item are one case with one decision: a constraint of"
    " the database (an item stands in one case)",
    "two_people": "'no violation' about a child takes two people: a promise of the"
    " program in both runs, and not a defence against a brigade",
    "reversible": "a freeze thaws by itself once people have cleared the case",
}
"""What cannot be switched off, and is on in both runs."""


def switch_off() -> None:
    """Switch all of :data:`SWITCHES` off, in this process."""
    for _words, switch in SWITCHES.values():
        switch()


def described() -> dict[str, Any]:
    """The defences by name, for whoever reads the figures."""
    off = {name: words for name, (words, _switch) in SWITCHES.items()}
    return {"switched_off": {**off, **BY_PEOPLE}, "on_in_both_runs": STAYS_ON}

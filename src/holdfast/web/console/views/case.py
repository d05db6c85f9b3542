"""The page of one case, and what people do on it.

Each act is one POST that calls one operation and leads back to the page; one that is
refused shows the page again with the reason beside the form, and nothing typed is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from holdfast.authorities.queries import referrals
from holdfast.base.by import Permission
from holdfast.base.errors import InvalidInput, NotFound, Refused
from holdfast.decisions.queries import decisions_of
from holdfast.enforcement.queries import DeliveryLine, deliveries_about
from holdfast.freeze.operations import thaw
from holdfast.items.queries import views_over_time
from holdfast.items.shares import shares_of
from holdfast.notifications.asking import ask_reporter
from holdfast.policy.queries import current
from holdfast.policy.rules import Policy
from holdfast.review import claims, readings
from holdfast.review import operations as desk
from holdfast.review.case_page import case_page
from holdfast.review.lines import CasePage, TimelineLine
from holdfast.review.queries import case_number_of, hindrance
from holdfast.review.rules import Need
from holdfast.staff.queries import myself, person_name, person_of
from holdfast.triage.doubts import confirm_copy, reject_copy
from holdfast.web.console import about, case_view, cluster, spread, words
from holdfast.web.console.forms import Decide, Note, Thaw, actor_words
from holdfast.web.console.page import Page, attempt
from holdfast.web.console.views.queue import category_words


class CaseView(Page):
    """One case, whole."""

    needs = Permission.CASE_READ

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        """Show it. A merged number, or one typed loosely, leads to the living case."""
        page = case_page(number, self.by)
        if number != page.number or request.path != _address(page):
            return HttpResponseRedirect(_address(page))
        return self.page(page)

    def page(
        self,
        page: CasePage,
        status: HTTPStatus = HTTPStatus.OK,
        **bound: forms.Form,
    ) -> HttpResponse:
        """The page, with forms that were not taken as they were sent."""
        policy = current()
        told = deliveries_about(
            [each.item_id for each in page.items],
            [each.actor_id for each in page.actors],
            by=self.by,
        )
        context = {
            "page": page,
            "policy": policy,
            "frozen_at": case_view.hidden_at(told),
            **self._head(page, policy),
            **self._middle(page, policy, told),
            **self._told(page, told),
            **self._acts(page, policy, bound),
        }
        return self.show("console/case.html", context, status)

    def _head(self, page: CasePage, policy: Policy) -> dict[str, Any]:
        category = category_words(policy, page.category)
        mine = page.claimed_by == person_of(self.by)
        may_claim = self.may(Permission.CASE_CLAIM) and page.state == "open"
        at = {"number": page.number}
        return {
            "category": category,
            "clocks": case_view.clocks(page, policy),
            "facts": case_view.facts(page, category),
            "mine": mine,
            "claim_url": reverse("console:claim", kwargs=at)
            if may_claim and not mine
            else "",
            "release_url": reverse("console:release", kwargs=at) if mine else "",
        }

    def _middle(
        self, page: CasePage, policy: Policy, told: Sequence[DeliveryLine]
    ) -> dict[str, Any]:
        labels = {each.code: each.label for each in policy.categories}
        doubts = cluster.doubts(page, self.by)
        return {
            "reports": case_view.reports(page, self.by),
            "reports_more": len(page.reports) - case_view.REPORTS_SHOWN,
            "items": case_view.blocks(page, about.reported(page), told, self.by),
            "known": case_view.blocks(page, about.known(page), told, self.by),
            "reasons": words.REASONS,
            "cluster": cluster.cluster(
                page, self.by, self.request.GET.get("copies", "")
            ),
            "doubts": doubts[: cluster.COPIES_SHOWN],
            "doubts_total": len(doubts),
            "doubts_more": len(doubts) - cluster.COPIES_SHOWN,
            **self._spread(page),
            "actors": [
                case_view.actor_block(each, labels)
                for each in case_view.actors_asked(page)[: case_view.ACTORS_SHOWN]
            ],
            "actors_more": len(page.actors) - case_view.ACTORS_SHOWN,
            "outcomes": words.OUTCOMES,
            "grounds": {each.code: each.words for each in policy.grounds},
        }

    def _spread(self, page: CasePage) -> dict[str, Any]:
        ids = [each.item_id for each in spread.spreading(page)]
        steps = spread.steps(page, shares_of(ids, by=self.by))
        return {
            "reported_at": page.clock_from if page.reports else None,
            "found_at": None if page.reports else page.clock_from,
            "points": spread.points(views_over_time(ids, by=self.by)),
            "steps": steps,
            "steps_listed": steps[: spread.STEPS_LISTED],
            "steps_more": len(steps) - spread.STEPS_LISTED,
        }

    def _told(self, page: CasePage, told: list[DeliveryLine]) -> dict[str, Any]:
        me = myself(self.by)
        named = case_view.names(page, (me.id, me.name))
        actors = {each.actor_id: each for each in page.actors}
        return {
            "decisions": [
                {
                    "record": each,
                    "parts": [
                        (actor_words(actors[actor]), words.PARTS[part])
                        for actor, part in each.parts.items()
                        if actor in actors
                    ],
                }
                for each in reversed(decisions_of(page.case_id, self.by))
            ],
            "referrals": referrals(page.case_id, by=self.by),
            "deliveries": case_view.deliveries(told, page),
            "deliveries_total": len(told),
            "deliveries_more": len(told) - case_view.DELIVERIES_SHOWN,
            "unconfirmed": sum(each.confirmed_at is None for each in told),
            "events": case_view.timeline(page, named),
        }

    def _acts(
        self, page: CasePage, policy: Policy, bound: Mapping[str, forms.Form]
    ) -> dict[str, Any]:
        decides = self.may(Permission.CASE_DECIDE) and page.state == "open"
        frozen = _may_thaw(page) if self.may(Permission.ITEM_THAW) else []
        return {
            "hindrance": hindrance(page.case_id, self.by) if decides else "",
            "decide": bound.get("decide") or _decide(page, policy),
            "decides": decides,
            "note": bound.get("note") or Note(),
            "may_note": self.may(Permission.CASE_CLAIM),
            "thaw": (bound.get("thaw") or Thaw(items=frozen)) if frozen else None,
            **_banners(page, person_of(self.by)),
        }


class Claim(CaseView):
    """Take a case."""

    http_method_names = ["post"]
    needs = Permission.CASE_CLAIM

    def post(self, request: HttpRequest, number: str) -> HttpResponse:
        """Take it, from the queue or from its page, and go to its page."""
        page = case_page(number, self.by)
        try:
            claims.claim(case_id=page.case_id, by=self.by)
        except Refused as refusal:
            messages.warning(request, refusal.message)
        return self.go("case", number=page.number)


class ClaimNext(Page):
    """Take the next case of the queue that one may work on."""

    http_method_names = ["post"]
    needs = Permission.CASE_CLAIM

    def post(self, request: HttpRequest) -> HttpResponse:
        """Take it and show it."""
        taken = claims.claim_next(by=self.by)
        if taken is None:
            return self.go("start", said="There is no case that you can take now.")
        return self.go("case", number=case_number_of(taken.case_id, self.by))


class Release(CaseView):
    """Give a case back."""

    http_method_names = ["post"]
    needs = Permission.CASE_CLAIM

    def post(self, request: HttpRequest, number: str) -> HttpResponse:
        """Give it back and go to the queue."""
        page = case_page(number, self.by)
        claims.release(case_id=page.case_id, by=self.by)
        return self.go("start", said=f"{page.number} is back in the queue.")


class AddNote(CaseView):
    """Write a note."""

    needs = Permission.CASE_CLAIM

    def post(self, request: HttpRequest, number: str) -> HttpResponse:
        """Keep it."""
        page = case_page(number, self.by)
        form = Note(request.POST)

        def keep(form: forms.Form) -> HttpResponse:
            given = form.cleaned_data["words"]
            desk.add_note(case_id=page.case_id, words=given, by=self.by)
            return self.go("case", number=page.number, said="The note is kept.")

        return attempt(form, keep) or self.page(page, _WRONG, note=form)


class AskReporter(CaseView):
    """Ask somebody who reported one of the set questions."""

    http_method_names = ["post"]
    needs = Permission.REPORTER_ANSWER

    def post(self, request: HttpRequest, number: str, report: UUID) -> HttpResponse:
        """Put it on their page."""
        page = case_page(number, self.by)
        question = request.POST.get("question", "")
        ask_reporter(page.case_id, report, question, by=self.by)
        said = "The question is on the reporter's page."
        return self.go("case", number=page.number, said=said)


class ReadCase(CaseView):
    """Write down what one finds."""

    needs = Permission.CASE_DECIDE

    def post(self, request: HttpRequest, number: str) -> HttpResponse:
        """Record it, and say what it led to."""
        page = case_page(number, self.by)
        form = _decide(page, current(), request.POST)
        return attempt(form, lambda _: self._record(page, form)) or self.page(
            page, _WRONG, decide=form
        )

    def _record(self, page: CasePage, form: Decide) -> HttpResponse:
        given = form.cleaned_data
        result = readings.record_reading(
            case_id=page.case_id,
            outcome=given["outcome"],
            category=given["category"],
            ground=given["ground"],
            reason=given["reason"],
            parts=form.parts(),
            refer=given["refer"] == "yes",
            # What was typed before "yes" was chosen is no reason of the decision.
            why_not_refer=given["why_not_refer"] if given["refer"] == "no" else "",
            by=self.by,
        )
        said = (
            "The case is decided. What follows from it has begun."
            if result.decided
            else words.WHAT_NEXT.get(result.needs, result.needs)
        )
        return self.go("case", number=page.number, said=said)


class SettleCopy(CaseView):
    """Say whether something that is perhaps a copy is one."""

    http_method_names = ["post"]
    needs = Permission.CASE_DECIDE

    def post(self, request: HttpRequest, number: str, item: UUID) -> HttpResponse:
        """Take somebody's word for it; once."""
        page = case_page(number, self.by)
        same = request.POST.get("same", "")
        if same not in _SETTLED:
            raise InvalidInput("Say whether it is a copy or not.")
        settle, said = _SETTLED[same]
        try:
            settle(page.case_id, item, by=self.by)
        except NotFound:
            # Somebody was faster, most likely: what they said is what counts.
            earlier = cluster.settled(case_page(page.case_id, self.by), item)
            if earlier is None:
                raise
            messages.warning(request, self._said_before(earlier))
            said = ""
        return self.go("case", number=page.number, said=said)

    def _said_before(self, earlier: TimelineLine) -> str:
        kind, _, person = earlier.by.partition(":")
        name = person_name(UUID(person), self.by) if kind == "staff" else "Somebody"
        return f"{name} has said already: {words.SETTLED[earlier.kind]}"


class ThawItem(CaseView):
    """Show an item again before a decision."""

    needs = Permission.ITEM_THAW

    def post(self, request: HttpRequest, number: str) -> HttpResponse:
        """Thaw it."""
        page = case_page(number, self.by)
        form = Thaw(request.POST, items=_may_thaw(page))

        def show_again(form: forms.Form) -> HttpResponse:
            thaw(
                UUID(form.cleaned_data["item"]),
                form.cleaned_data["reason"],
                by=self.by,
            )
            said = "We are telling the site to show it again."
            return self.go("case", number=page.number, said=said)

        answer = attempt(form, show_again)
        if answer is None and not _may_thaw(page):
            raise Refused(
                "Nothing of this case can be thawed without a decision by people."
            )
        return answer or self.page(page, _WRONG, thaw=form)


_SETTLED: Final = {
    "yes": (confirm_copy, words.SETTLED["copy.confirmed"]),
    "no": (reject_copy, words.SETTLED["copy.rejected"]),
}
_WRONG = HTTPStatus.UNPROCESSABLE_ENTITY


def _address(page: CasePage) -> str:
    return reverse("console:case", kwargs={"number": page.number})


def _decide(page: CasePage, policy: Policy, data: Any = None) -> Decide:
    return Decide(
        data,
        policy=policy,
        category=page.category,
        actors=case_view.actors_asked(page),
    )


def _may_thaw(page: CasePage) -> list[tuple[str, str]]:
    """The frozen items that one person may thaw: none of a child-safety case."""
    if page.child_safety or page.state != "open":
        return []
    return [
        (str(each.item_id), f"{each.kind} {each.external_id}")
        for each in page.items
        if each.state == "frozen"
    ]


def _banners(page: CasePage, me: UUID) -> dict[str, Any]:
    """What is said above the form when somebody has read before."""
    so_far = [each for each in page.readings if each.round == page.round]
    waits = page.state == "open" and bool(so_far)
    return {
        "so_far": so_far if waits else [],
        "disagree": waits and page.needs == Need.SETTLING_SPECIALIST,
        "second": waits and page.needs != Need.SETTLING_SPECIALIST,
        "mine_so_far": any(each.person_id == me for each in so_far),
    }

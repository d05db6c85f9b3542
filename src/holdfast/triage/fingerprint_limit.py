"""How much a reporter's fingerprint hides before anybody has looked.

Whoever gives a fingerprint shows nothing of where they saw the picture, and it could be
of any: somebody's portrait, a logo on ten thousand posts. So policy says how many items
are hidden for one picture, whoever and however many report it. What is beyond stands in
the case as possible copies, still shown, and people are paged (promise 7).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from django.db.models import Q

from holdfast.base.events import alarm
from holdfast.items.models import Item, ItemState
from holdfast.matching.queries import Copy
from holdfast.policy import queries as policies
from holdfast.triage.models import Case, CaseItem


def within_limit(copies: Sequence[Copy], cases: Collection[Case]) -> list[Copy]:
    """The copies that a fingerprint found, certain only as far as policy lets it hide.

    ``cases`` are those of the same picture so far, locked. What stands in a case for
    certain is no more hidden by this than before, and is not counted anew.
    """
    found = [copy.item for copy in copies]
    so_far = CaseItem.objects.filter(
        Q(case__in=cases) | Q(item__in=found), entry__target__isnull=False, certain=True
    )
    left = policies.current().fingerprint_freezes_at_most - so_far.count()
    standing = CaseItem.objects.filter(item__in=found, certain=True)
    shown = Item.objects.filter(id__in=found, state=ItemState.VISIBLE)
    would_hide = set(shown.values_list("id", flat=True)) - set(
        standing.values_list("item", flat=True)
    )
    limited = []
    for copy in copies:
        if copy.item in would_hide:
            left -= 1
            if left < 0:
                like = replace(copy.like, certain=False, exact=False)
                copy = replace(copy, like=like)
        limited.append(copy)
    return limited


def page_beyond_limit(case: Case, new: Sequence[CaseItem]) -> None:
    """A person is paged about what a fingerprint found and did not hide."""
    beyond = sum(not row.certain for row in new)
    if beyond:
        alarm(
            "report.fingerprint_limit",
            about={"platform": case.platform_id, "case": case.id},
            facts={"not_hidden": beyond},
        )

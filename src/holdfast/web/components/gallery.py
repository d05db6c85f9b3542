"""The gallery: every component and layout on a page of its own, with sample data.

For what: looking at the parts while making pages, and the pages that the browser tests
look at. Never does: read the database or do anything when a button is pressed. The
sample pictures are drawings of a landscape. Wire :func:`gallery` at one address; the
pages are told apart by ``?page=``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static

from holdfast.base.clock import now
from holdfast.web.components import gallery_forms, shapes
from holdfast.web.components.charts import SpreadPoint
from holdfast.web.components.lanes import REPOST, SHARE, UPLOAD, SpreadStep
from holdfast.web.console.words import BINDS

Context = dict[str, Any]

_LINES: Final = (
    shapes.Helpline(
        "A helpline for children", "0800 000 0000", "Day and night, free", "#helpline"
    ),
)
HELP_NEAR: Final = shapes.HelpNear("Sampleland", "112", _LINES)
NAV: Final = (
    shapes.NavItem("Queue", "?page=console", current=True, count=14),
    shapes.NavItem("My cases", "#mine", count=2),
    shapes.NavItem("Second reading", "#second", count=1),
    shapes.NavItem("Referrals", "#referrals"),
    shapes.NavItem("Oversight", "#oversight"),
)
REASONS: Final = (
    ("decide", "To decide this case"),
    ("second_reading", "To read it as the second reader"),
    ("compare", "To compare it with a copy"),
)
FACTS: Final = (
    shapes.Fact("Item", "post 88213"),
    shapes.Fact("Posted by", "@sunny"),
    shapes.Fact("Address", "https://plaza.example/p/88213?from=share-sheet-mobile"),
    shapes.Fact("Views", "167,000"),
)


def gallery(request: HttpRequest) -> HttpResponse:
    """Show the index, or the sample page that ``?page=`` names (404 if none is)."""
    name = request.GET.get("page", "")
    if not name:
        return render(request, "gallery.html", {"pages": PAGES, **_desk()})
    if name not in PAGES:
        raise Http404("There is no such page in the gallery.")
    template, context = PAGES[name]
    return render(request, template, context())


def _public() -> Context:
    return {"site_name": "Plaza", "help_near": HELP_NEAR}


def _desk() -> Context:
    return {
        "nav": NAV,
        "me": shapes.Me("Ada Sample", "Specialist"),
        "alarms_count": 2,
        "alarms_url": "#alarms",
        "sign_out_url": "#sign-out",
    }


def _portal() -> Context:
    start_at = now() - timedelta(hours=3)
    receipt = shapes.Receipt(
        number="R-2025-004817",
        codename="amber lantern quiet river",
        frozen=(
            shapes.FrozenThing("The post you told us about", start_at),
            shapes.FrozenThing("3 copies of it"),
        ),
        deadlines=(
            shapes.Deadline("A person looks at it", start_at + timedelta(hours=4)),
            shapes.Deadline(
                "We tell you what we decided", start_at + timedelta(days=1)
            ),
        ),
        status_url="#status",
    )
    steps = (
        shapes.Step("We got your report", "done", start_at),
        shapes.Step("The post is hidden", "done", start_at + timedelta(seconds=9)),
        shapes.Step(
            "A person looks at it",
            "now",
            start_at + timedelta(hours=4),
            "Two people are working on reports like yours right now.",
        ),
        shapes.Step("We tell you what we decided", "later"),
    )
    messages = (
        shapes.Message("Can I still get at my account?", start_at, from_us=False),
        shapes.Message("Yes. Nothing changes for you.", now(), from_us=True),
    )
    return _public() | {
        "receipt": receipt,
        "steps": steps,
        "messages": messages,
        "form": gallery_forms.EveryQuestion(),
    }


def _question() -> Context:
    return _public() | {
        "form": gallery_forms.Category(),
        "hints": gallery_forms.CATEGORY_HINTS,
        "back_url": "?page=portal",
        "step": 1,
        "to_come": 3,
    }


def _question_error() -> Context:
    return _question() | {"form": gallery_forms.EveryQuestion({"where": "x"})}


def _refusal() -> Context:
    problem = shapes.Problem(
        "We could not open this page",
        "Something on our side did not work. Nothing you wrote is lost.",
        "Try again in a minute.",
        "error-7f3a",
        (shapes.NavItem("Try again", "#again"), shapes.NavItem("Start", "#start")),
    )
    return _public() | _desk() | {"problem": problem}


def _rows() -> tuple[shapes.QueueRow, ...]:
    """Four cases: overdue, near its end, calm, and far off."""
    facts = (
        ("immediate", "Child safety", -5, -1, 3, 41, "", "Plaza"),
        ("urgent", "Child safety: peer", -4, 1, 1, 2, "Ada Sample", "Plaza"),
        ("soon", "Intimate image, adult", -3, 21, 2, 0, "", "Harbour"),
        ("routine", "Harassment", -1, 71, 10_482, 7, "", "Plaza"),
    )
    return tuple(
        shapes.QueueRow(
            number=f"C-{1204 + place}",
            url="?page=case",
            urgency=urgency,
            category=category,
            started_at=now() + timedelta(hours=since_h),
            due_at=now() + timedelta(hours=due_h),
            reports=reports,
            copies=copies,
            claimed_by=claimed_by,
            claim_url="#claim",
            platform=platform,
        )
        for place, (
            urgency,
            category,
            since_h,
            due_h,
            reports,
            copies,
            claimed_by,
            platform,
        ) in enumerate(facts)
    )


def _alarms() -> tuple[shapes.AlarmRow, ...]:
    hour = timedelta(hours=1)
    return (
        shapes.AlarmRow(
            "A-31",
            "The freeze of case C-1204 is not confirmed by Plaza",
            now() - hour,
            "#a",
            acknowledge_url="#take",
        ),
        shapes.AlarmRow(
            "A-30", "The clock of case C-1198 ran out", now() - 5 * hour, "#b", "Ben S."
        ),
    )


def _console() -> Context:
    return _desk() | {
        "rows": _rows(),
        "no_rows": (),
        "alarms": _alarms(),
        "trend": [4, 6, 5, 9, 12, 11, 8, 6, 3],
        "tones": ("plain", "info", "good", "warn", "alarm"),
        "form": gallery_forms.Decision({}),
    }


def _media() -> tuple[shapes.Media, ...]:
    blurred = static("holdfast/gallery/sample-blurred.svg")
    original = static("holdfast/gallery/sample.svg")
    return (
        shapes.Media(
            "1",
            "Picture 1",
            "image",
            blurred,
            "#reveal",
            labels=("reported by 3", "known copy"),
        ),
        shapes.Media("2", "Picture 2", "image", blurred, "", original, "#hide"),
    )


def _points() -> list[SpreadPoint]:
    """Views that grow hour by hour for nine days and stop at the freeze."""
    start_at = now() - timedelta(days=9)
    grown = [
        SpreadPoint(start_at + timedelta(hours=hour), int(hour**2.1))
        for hour in range(0, 189)
    ]
    return [*grown, SpreadPoint(now(), grown[-1].views_total)]


def _cluster() -> shapes.Cluster:
    """One group of each kind that looks different, and a page after this one."""
    blurred = static("holdfast/gallery/sample-blurred.svg")

    def group(code: str, *facts: tuple[str, str, tuple[str, ...], int]) -> shapes.Group:
        copies = tuple(
            shapes.Copy(
                id=f"{code}-{place}",
                preview_url=blurred,
                where=where,
                what=f"post {88_214 + place}",
                near=near,
                how=how,
                state="Hidden",
                views=views,
                url="#copy",
            )
            for place, (where, near, how, views) in enumerate(facts)
        )
        title, hint = BINDS[code]
        total = len(copies) if code != "repost" else 118
        return shapes.Group(code, title, total, f"#copies-{code}", copies, hint)

    groups = (
        group("digest", ("@sunny", "same bytes", (), 9_411)),
        group("pdq", ("@lime", "2 bits", (), 31), ("@harbour9", "14 bits", (), 812)),
        group(
            "turned",
            (
                "@fern_with_a_long_name",
                "4 bits",
                ("mirrored", "a border added or cut"),
                12,
            ),
        ),
        group("video", ("@lime", "6 bits, 40 % of it", ("at 1:07 of the video",), 1)),
        group("features", ("@quay", "38 % of it", (), 77)),
        group("repost", ("@sunny", "of post 88213", (), 0)),
    )
    total = sum(each.total for each in groups)
    shown = sum(len(each.copies) for each in groups)
    return shapes.Cluster(total, groups, 1, shown, next_url="#more")


def _doubts() -> tuple[shapes.Doubt, ...]:
    blurred = static("holdfast/gallery/sample-blurred.svg")
    return (
        shapes.Doubt(
            "1",
            blurred,
            "@quay",
            "post 90117, perhaps a copy of post 88213",
            "video, 22 % of it, at 0:12 of the video",
            340,
            "#open",
            "#settle",
        ),
    )


def _steps() -> list[SpreadStep]:
    """An upload a day, a repost now and then, and ever more shares."""
    start_at = now() - timedelta(days=9)
    uploads = [(day * 24, UPLOAD) for day in range(8)]
    reposts = [(hour, REPOST) for hour in (30, 50, 51, 52, 120)]
    shares = [(int(place**1.5), SHARE) for place in range(33)]
    return [
        SpreadStep(
            start_at + timedelta(hours=hour),
            kind,
            f"{kind} of post 88213",
            f"@member{hour % 7}",
            str(hour % 7),
            None if kind == SHARE else hour,
        )
        for hour, kind in sorted([*uploads, *reposts, *shares])
    ]


def _clocks(row: shapes.QueueRow) -> tuple[dict[str, object], ...]:
    """One clock that runs and one whose promise was kept after nine seconds."""
    span = {"started_at": row.started_at, "due_at": row.due_at}
    kept_at = row.started_at + timedelta(seconds=9)
    return (
        {"label": "Decide", **span},
        {"label": "Freeze", **span, "stopped_at": kept_at},
    )


def _case() -> Context:
    row = _rows()[1]
    points, steps = _points(), _steps()
    # The last hour that grew; the same count stands again now: no view after it.
    frozen_at = points[-2].at
    return _desk() | {
        "row": row,
        "clocks": _clocks(row),
        "facts": FACTS,
        "events": (
            shapes.Event(now(), "Claimed", "Ada Sample"),
            shapes.Event(
                row.started_at,
                "Frozen",
                "",
                "copy",
                ("post 4711", "post 4712", "picture 90"),
            ),
            shapes.Event(row.started_at, "Report received", "portal"),
        ),
        "media_list": _media(),
        "reasons": REASONS,
        "cluster": _cluster(),
        "doubts": _doubts(),
        "points": points,
        "steps": steps,
        "steps_listed": steps[:20],
        "steps_more": len(steps) - 20,
        "reported_at": frozen_at - timedelta(hours=2),
        "frozen_at": frozen_at,
        "form": gallery_forms.Decision(),
        "proposed_at": now() - timedelta(hours=1),
    }


def _enrolment() -> Context:
    return {"form": gallery_forms.Code()}


def _sign_in() -> Context:
    return {"form": gallery_forms.SignIn()}


PAGES: Final[dict[str, tuple[str, Callable[[], Context]]]] = {
    "portal": ("gallery/portal.html", _portal),
    "question": ("portal/question.html", _question),
    "question-error": ("portal/question.html", _question_error),
    "portal-problem": ("portal/problem.html", _refusal),
    "console": ("gallery/console.html", _console),
    "case": ("gallery/case.html", _case),
    "sign-in": ("console/sign_in.html", _sign_in),
    "totp": ("console/totp.html", _enrolment),
    "console-problem": ("console/problem.html", _refusal),
}

"""Alarms: what people must see to, and how they are reached.

An alarm raised anywhere becomes one open row for its code and subject; the people on
call are paged by e-mail and signed webhook, again and louder until somebody
acknowledges (promise 10). What goes out holds codes, ids and numbers, never content,
names or addresses. Nothing here closes an alarm by itself, and a page that fails
raises no alarm of its own, which could not be sent either: it is noted and tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import F
from standardwebhooks.webhooks import Webhook

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import HoldfastError, NotFound
from holdfast.base.events import Kind, emit
from holdfast.base.models import Event
from holdfast.notifications.alarm_codes import (
    alarm_words,
    level_after,
    retry_pause_s,
    subject_of,
)
from holdfast.notifications.connectors.smtp import client as smtp
from holdfast.notifications.connectors.webhook import client as webhook
from holdfast.notifications.models import Alarm, Page
from holdfast.staff.models import Person

log = logging.getLogger(__name__)

__all__ = [
    "AlarmLine", "acknowledge", "alarm_words", "escalate", "on_call_problems",
    "open_alarm", "open_alarms", "page_on_call",
]  # fmt: skip


def open_alarm(event: Event) -> None:
    """Step: keep the alarm as an open row, or count it if it is open already."""
    code = event.facts["code"]
    same = Alarm.objects.filter(code=code, subject=subject_of(code, event.about))
    # The event is remembered, so that it counts once when the step runs twice.
    facts = {**event.facts, "event": event.id}
    while not same.filter(facts__event=event.id).exists():
        if same.filter(acknowledged_at=None).update(times=F("times") + 1, facts=facts):
            return
        try:
            with transaction.atomic():
                Alarm.objects.create(
                    code=code,
                    subject=subject_of(code, event.about),
                    about=event.about,
                    facts=facts,
                    raised_at=event.at,
                )
        except IntegrityError:
            # Somebody raised the same alarm at this moment and committed first.
            continue


def page_on_call(event: Event) -> None:
    """Step: page the people on call about a new alarm, once."""
    code = event.facts["code"]
    alarm = Alarm.objects.filter(
        code=code,
        subject=subject_of(code, event.about),
        acknowledged_at=None,
        paged_at=None,
    ).first()
    if alarm is not None:
        _page(alarm)


def escalate() -> None:
    """Tick: page again, louder, what nobody acknowledged; retry pages that failed."""
    now = clock.now()
    failed: set[str] = set()
    for alarm in Alarm.objects.filter(acknowledged_at=None).order_by("raised_at"):
        level = level_after((now - alarm.raised_at).total_seconds())
        if (level > alarm.level and _raise_to(alarm, level)) or _retry_due(alarm, now):
            # A way that has just failed would keep the other alarms waiting, too.
            failed |= _page(alarm, without=failed)


def _raise_to(alarm: Alarm, level: int) -> bool:
    """Raise an alarm's level; False when somebody else did, or acknowledged it."""
    with transaction.atomic():
        risen = Alarm.objects.filter(
            id=alarm.id, level=alarm.level, acknowledged_at=None
        ).update(level=level)
        if not risen:
            return False
        emit(
            Kind.ALARM_ESCALATED,
            about={**alarm.about, "alarm": alarm.id},
            facts={"code": alarm.code, "level": level},
            by=SYSTEM,
        )
    alarm.level = level
    return True


def _retry_due(alarm: Alarm, now: datetime) -> bool:
    """Whether somebody is still to be reached at this level, and the pause is over."""
    if not _unreached(alarm):
        return False
    failures = alarm.pages.filter(level=alarm.level, sent_at=None).count()
    last = alarm.paged_at or alarm.raised_at
    return now - last >= timedelta(seconds=retry_pause_s(failures))


def _page(alarm: Alarm, without: Collection[str] = ()) -> set[str]:
    """Try every way by which this level has not been sent; returns those that failed.

    The row is marked first, against the time it was read with, so that of two workers
    one pages. Whatever goes wrong is kept as a failed page, because the other ways and
    the other alarms have to be tried all the same.
    """
    now = clock.now()
    mine = Alarm.objects.filter(
        id=alarm.id, paged_at=alarm.paged_at, acknowledged_at=None
    ).update(paged_at=now)
    if not mine:
        return set()
    failed = set()
    for way in _unreached(alarm):
        if way in without:
            continue
        page = Page(alarm=alarm, way=way, level=alarm.level)
        try:
            page.failure = _WAYS[way](alarm)
            page.sent_at = clock.now()
        except Exception as error:
            page.failure = _why(error)[:200]
            failed.add(way)
            log.warning("page failed alarm=%s way=%s", alarm.id, way)
        page.save()
    return failed


def _why(error: Exception) -> str:
    # The text of an error from elsewhere may hold an address; its type does not.
    if isinstance(error, HoldfastError):
        return error.diagnostics()
    return type(error).__name__


def _unreached(alarm: Alarm) -> list[str]:
    sent = set(
        alarm.pages.filter(level=alarm.level)
        .exclude(sent_at=None)
        .values_list("way", flat=True)
    )
    return [way for way in _ways_set_up() if way not in sent]


def _ways_set_up() -> list[str]:
    ways = []
    if settings.EMAIL_HOST and _addresses():
        ways.append("email")
    if settings.HOLDFAST_ON_CALL_WEBHOOK:
        ways.append("webhook")
    return ways


def _addresses() -> list[str]:
    """The addresses of the settings and of the staff who are marked as on call."""
    staff = Person.objects.filter(on_call=True, is_active=True).order_by("id")
    listed = [*settings.HOLDFAST_ON_CALL, *staff.values_list("email", flat=True)]
    return list(dict.fromkeys(listed))


def _by_email(alarm: Alarm) -> str:
    """Send it by e-mail; returns what went wrong for some of the addresses."""
    refused = smtp.send(_addresses(), *mail_of(alarm))
    return f"{refused} addresses refused" if refused else ""


def _by_webhook(alarm: Alarm) -> str:
    """Post it to the on-call webhook; the message's id names alarm and level."""
    raised_at = alarm.raised_at.isoformat()
    body = {
        "type": Kind.ALARM_ESCALATED if alarm.level else Kind.ALARM_RAISED,
        "timestamp": raised_at,
        "data": {
            "id": str(alarm.id),
            "code": alarm.code,
            "words": _loud_words(alarm),
            "level": alarm.level,
            "times": alarm.times,
            "raised_at": raised_at,
            "about": alarm.about,
        },
    }
    webhook.send(
        settings.HOLDFAST_ON_CALL_WEBHOOK,
        settings.HOLDFAST_ON_CALL_WEBHOOK_SECRET,
        f"{alarm.id}-{alarm.level}",
        body,
    )
    return ""


_WAYS: Mapping[str, Callable[[Alarm], str]] = {
    "email": _by_email,
    "webhook": _by_webhook,
}


def _loud_words(alarm: Alarm) -> str:
    return ("ESCALATED. " if alarm.level else "") + alarm_words(alarm.code)


def mail_of(alarm: Alarm) -> tuple[str, str]:
    """The subject and the text of the e-mail about an alarm."""
    escalated = "ESCALATED " if alarm.level else ""
    ids = "\n".join(f"{name}: {value}" for name, value in sorted(alarm.about.items()))
    text = (
        f"{_loud_words(alarm)}\n\n"
        f"code: {alarm.code}\nalarm: {alarm.id}\n{ids}\n\n"
        f"Raised at {alarm.raised_at.isoformat(timespec='seconds')}, "
        f"{alarm.times} times so far, escalated {alarm.level} times.\n"
        f"Acknowledge it in the console of {settings.HOLDFAST_URL}\n"
    )
    return f"{escalated}Holdfast alarm: {alarm.code}", text


@dataclass(frozen=True)
class AlarmLine:
    """One alarm as the console shows it."""

    id: UUID
    code: str
    words: str
    about: Mapping[str, Any]
    facts: Mapping[str, Any]
    times: int
    level: int
    raised_at: datetime
    reached: bool
    """Whether a page about it has gone out, at any level."""
    failure: str
    """Why the last page that failed did; blank if none did."""


def open_alarms(*, by: By) -> list[AlarmLine]:
    """Every alarm that nobody has acknowledged, the loudest and oldest first."""
    if Permission.ALARM_ACKNOWLEDGE not in by.permissions:
        by.require(Permission.CASE_READ)
    rows = Alarm.objects.filter(acknowledged_at=None).prefetch_related("pages")
    return [_line(each) for each in rows.order_by("-level", "raised_at")]


def acknowledge(alarm_id: UUID, *, by: By) -> None:
    """Somebody takes an alarm on. Twice changes nothing. Raises :class:`NotFound`."""
    by.require(Permission.ALARM_ACKNOWLEDGE)
    with transaction.atomic():
        alarm = Alarm.objects.select_for_update(no_key=True).filter(id=alarm_id).first()
        if alarm is None:
            raise NotFound("There is no such alarm.", alarm=alarm_id)
        if alarm.acknowledged_at is not None:
            return
        alarm.acknowledged_at = clock.now()
        alarm.acknowledged_by = str(by)
        alarm.save(update_fields=["acknowledged_at", "acknowledged_by"])
        emit(
            Kind.ALARM_ACKNOWLEDGED,
            about={**alarm.about, "alarm": alarm.id},
            facts={"code": alarm.code, "level": alarm.level},
            by=by,
        )


def on_call_problems() -> list[str]:
    """What keeps alarms from reaching people, in plain words; empty when nothing."""
    problems = []
    addresses = _addresses()
    if addresses and not settings.EMAIL_HOST:
        problems.append("E-mail addresses are on call, but HOLDFAST_SMTP is not set.")
    if settings.HOLDFAST_ON_CALL_WEBHOOK:
        problems += _webhook_problems()
    broken = sum(not _is_address(address) for address in addresses)
    if broken:
        problems.append(f"{broken} of the addresses on call are no e-mail addresses.")
    if not _ways_set_up():
        problems.append(
            "Nobody is on call: alarms are shown in the console and reach nobody who "
            "is not looking. Set HOLDFAST_ON_CALL and HOLDFAST_SMTP, or "
            "HOLDFAST_ON_CALL_WEBHOOK."
        )
    return problems


def _webhook_problems() -> list[str]:
    problems = []
    if not settings.HOLDFAST_ON_CALL_WEBHOOK.startswith(("http://", "https://")):
        problems.append("HOLDFAST_ON_CALL_WEBHOOK is no http or https address.")
    try:
        Webhook(settings.HOLDFAST_ON_CALL_WEBHOOK_SECRET)
    except (
        Exception
    ):  # The library raises a different type for each way of being wrong.
        problems.append("HOLDFAST_ON_CALL_WEBHOOK_SECRET is missing or is no secret.")
    return problems


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _line(alarm: Alarm) -> AlarmLine:
    pages = sorted(alarm.pages.all(), key=lambda page: page.id)
    failures = [page.failure for page in pages if page.failure]
    return AlarmLine(
        id=alarm.id,
        code=alarm.code,
        words=alarm_words(alarm.code),
        about=alarm.about,
        facts=alarm.facts,
        times=alarm.times,
        level=alarm.level,
        raised_at=alarm.raised_at,
        reached=any(page.sent_at for page in pages),
        failure=failures[-1] if failures else "",
    )

"""Referrals: opened with the decision, driven until the authority has them.

Each decision leaves at least one record, in its own transaction: a referral to be
filed, or the reason why there is none (promise 4). What drives a referral is
``outbox``. Going live is a step of its own that somebody takes by name: until then
everything goes to a test environment, is shown as NOT FILED, and alarms (promises 13
and 16).
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from holdfast.authorities import outbox, record, rules
from holdfast.authorities.connectors.cybertipline.client import CyberTipline
from holdfast.authorities.models import (
    AuthorityAccount,
    Environment,
    Referral,
    ReferralFile,
    ReferralState,
)
from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import InvalidInput, NotFound, Refused
from holdfast.base.events import Kind, alarm, emit
from holdfast.base.ids import uuid7
from holdfast.base.models import Event
from holdfast.decisions.models import ActorPart, Decision, Part
from holdfast.items.models import Platform
from holdfast.policy import queries as policies
from holdfast.triage.models import Case
from holdfast.vault.installation import keys

TICK_S = 10
"""A tick starts no further referral after this long; the rest is the next one's."""


@dataclass(frozen=True)
class _Access:
    """What an authority hands out, and who speaks for the platform."""

    base_url: str
    username: str
    password: str
    reporting_email: str
    reporting_person: str


def open_referral(event: Event) -> None:
    """Step: record for this decision who will be told, or why nobody is."""
    decision = Decision.objects.select_related("case", "reading", "second_reading").get(
        id=event.about["decision"]
    )
    if decision.referrals.exists():
        return
    policy = policies.version(decision.policy_version)
    readings = [decision.reading, decision.second_reading]
    telling = rules.whom_to_tell(
        decision.outcome,
        decision.category,
        decision.policy_version,
        policy.category(decision.category).refer_to,
        [
            rules.ReadingFacts(each.refer, each.why_not_refer)
            for each in readings
            if each
        ],
    )
    if not telling.authorities:
        _decline(decision, telling)
    offenders = decision.actor_parts.filter(part=Part.OFFENDER).order_by("id")
    # An authority takes one suspect a report; a case without one is one report.
    suspects: list[ActorPart | None] = [*offenders] or [None]
    for authority in telling.authorities:
        for suspect in suspects:
            _open(decision, authority, suspect)


def advance_referral(event: Event) -> None:
    """Step: drive the referrals that an event is about, as far as they go now.

    A failure is written down and tried again by :func:`advance_due` when it is due, so
    the job itself is done.
    """
    about = event.about
    waiting = Referral.objects.exclude(state__in=outbox.SETTLED)
    if "referral" in about:
        waiting = waiting.filter(id=about["referral"])
    elif "decision" in about:
        waiting = waiting.filter(decision=about["decision"])
    else:
        waiting = waiting.filter(case=about["case"])
    for referral_id in _ids(waiting):
        outbox.advance(referral_id)


def advance_due() -> None:
    """Tick: drive every referral that is not settled and whose next attempt is due."""
    began = monotonic()
    for referral_id in _ids(Referral.objects.exclude(state__in=outbox.SETTLED)):
        if monotonic() - began > TICK_S:
            return
        outbox.advance(referral_id)


def add_account(
    *,
    platform_id: UUID,
    authority: str,
    environment: str,
    base_url: str,
    username: str,
    password: str,
    reporting_email: str,
    reporting_person: str = "",
    by: By,
) -> UUID:
    """Set up a platform's access to an authority's test environment; returns its id.

    It takes the place of an earlier test account. Raises ``Refused`` for production,
    which is :func:`go_live`'s, and where production is live already.
    """
    by.require(Permission.PLATFORM_MANAGE)
    if environment != Environment.TEST:
        raise Refused(
            "Going live is a step of its own, which asks the authority first."
        )
    access = _Access(base_url, username, password, reporting_email, reporting_person)
    _check(platform_id, authority, access)
    with transaction.atomic():
        old = _old_account(platform_id, authority)
        if old is not None and old.environment == Environment.PRODUCTION:
            raise Refused(
                "This platform files in production. A test account would stop that.",
                platform=platform_id,
            )
        account = _put_account(
            platform_id, authority, Environment.TEST, access, by, old
        )
    return account.id


def go_live(
    *,
    platform_id: UUID,
    authority: str,
    base_url: str,
    username: str,
    password: str,
    reporting_email: str,
    reporting_person: str = "",
    by: By,
) -> UUID:
    """File in production from now on, with these credentials; returns the account's id.

    Asks the authority first whether it knows us there. Referrals that are still open
    go to production; those that were finished in a test environment stay NOT FILED.
    Raises ``NotAllowed``, and the connector's error when the authority refuses.
    """
    by.require(Permission.AUTHORITY_GO_LIVE)
    access = _Access(base_url, username, password, reporting_email, reporting_person)
    _check(platform_id, authority, access)
    with CyberTipline(access.base_url, access.username, access.password) as client:
        client.status()
    with transaction.atomic():
        account = _put_account(
            platform_id,
            authority,
            Environment.PRODUCTION,
            access,
            by,
            _old_account(platform_id, authority),
        )
        emit(
            Kind.AUTHORITY_WENT_LIVE,
            about={"platform": platform_id, "account": account.id},
            facts={"authority": authority},
            by=by,
        )
    return account.id


def _open(decision: Decision, authority: str, offender: ActorPart | None) -> None:
    case = decision.case
    referral = Referral(
        case=case,
        decision=decision,
        authority=authority,
        offender=offender,
        environment=_environment(case, authority),
        opened_at=clock.now(),
    )
    referral.save()
    media, left_out = record.media_of(case)
    ReferralFile.objects.bulk_create(
        ReferralFile(referral=referral, item_id=each.item_id, media=each)
        for each in media
    )
    outbox.attach_originals(referral)
    facts = {
        "authority": authority,
        "environment": referral.environment,
        "files": len(media),
        "files_left_out": left_out,
    }
    about = outbox.about(referral)
    emit(Kind.REFERRAL_OPENED, about=about, facts=facts, by=SYSTEM)
    if referral.environment == Environment.TEST:
        alarm("referral.not_filed", about=about)


def _decline(decision: Decision, telling: rules.Telling) -> None:
    referral = Referral.objects.create(
        case=decision.case,
        decision=decision,
        authority=telling.declined,
        environment=_environment(decision.case, telling.declined),
        state=ReferralState.DECLINED,
        why_not=telling.why_not,
        opened_at=clock.now(),
    )
    emit(
        Kind.REFERRAL_DECLINED,
        about=outbox.about(referral),
        facts={"authority": telling.declined, "because": telling.because},
        by=SYSTEM,
    )


def _environment(case: Case, authority: str) -> str:
    account = AuthorityAccount.objects.filter(
        platform=case.platform_id, authority=authority, active=True
    ).first()
    return account.environment if account else Environment.TEST


def _check(platform_id: UUID, authority: str, access: _Access) -> None:
    if not Platform.objects.filter(id=platform_id).exists():
        raise NotFound("There is no such platform.", platform=platform_id)
    if authority != outbox.CYBERTIPLINE:
        raise InvalidInput(
            f"Holdfast speaks to one authority as yet: {outbox.CYBERTIPLINE}."
        )
    if not access.username or not access.password:
        raise InvalidInput("The authority hands out a user name and a password.")
    if "@" not in access.reporting_email:
        raise InvalidInput("The authority asks for an e-mail address of a contact.")
    # The client refuses an address that is neither https nor this machine's own.
    CyberTipline(access.base_url, access.username, access.password).close()


def _old_account(platform_id: UUID, authority: str) -> AuthorityAccount | None:
    # The platform's row makes two who set up an account at once take turns.
    Platform.objects.select_for_update(no_key=True).get(id=platform_id)
    return AuthorityAccount.objects.filter(
        platform=platform_id, authority=authority, active=True
    ).first()


def _put_account(
    platform_id: UUID,
    authority: str,
    environment: Environment,
    access: _Access,
    by: By,
    old: AuthorityAccount | None,
) -> AuthorityAccount:
    if old is not None:
        old.active = False
        old.save(update_fields=["active"])
    now = clock.now()
    account_id = uuid7()
    live = environment == Environment.PRODUCTION
    account = AuthorityAccount.objects.create(
        id=account_id,
        platform_id=platform_id,
        authority=authority,
        environment=environment,
        base_url=access.base_url,
        username=access.username,
        password=keys().encrypt_secret(
            access.password, bound_to=f"authority-account:{account_id}"
        ),
        reporting_email=access.reporting_email,
        reporting_person=access.reporting_person,
        live_at=now if live else None,
        live_by=str(by) if live else "",
        added_at=now,
    )
    # What was stopped for want of a good account goes on with the next tick.
    Referral.objects.filter(case__platform=platform_id, authority=authority).exclude(
        state__in=outbox.SETTLED
    ).update(blocked="")
    return account


def _ids(referrals: QuerySet[Referral]) -> list[UUID]:
    return list(referrals.order_by("opened_at", "id").values_list("id", flat=True))

"""Reading referrals and accounts. Passwords are never handed out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from holdfast.authorities import rules
from holdfast.authorities.models import (
    AuthorityAccount,
    Referral,
    ReferralFile,
    ReferralState,
)
from holdfast.base.by import By, Permission
from holdfast.base.errors import NotAllowed


@dataclass(frozen=True)
class FileLine:
    """One file of a referral; ``viewed_by_staff`` is None before it was described."""

    item_id: UUID
    media_id: UUID
    sealed: bool
    sent: bool
    described: bool
    viewed_by_staff: bool | None


@dataclass(frozen=True)
class ReferralLine:
    """One referral as staff see it. ``words`` is what is true at this moment."""

    id: UUID
    decision_id: UUID
    authority: str
    environment: str
    state: str
    words: str
    not_filed: bool
    number: str
    why_not: str
    blocked: str
    document_valid: bool | None
    opened_at: datetime
    submitted_at: datetime | None
    finished_at: datetime | None
    offender_actor_id: UUID | None
    files: tuple[FileLine, ...]


@dataclass(frozen=True)
class AccountLine:
    """A platform's access to an authority."""

    id: UUID
    platform_id: UUID
    platform: str
    authority: str
    environment: str
    base_url: str
    username: str
    reporting_email: str
    reporting_person: str
    live_at: datetime | None
    live_by: str


def referrals(case_id: UUID, *, by: By) -> tuple[ReferralLine, ...]:
    """A case's referrals and recorded why-nots, the first opened first."""
    by.require(Permission.CASE_READ)
    rows = Referral.objects.filter(case=case_id).select_related("offender")
    ordered = rows.prefetch_related("files").order_by("opened_at", "id")
    return tuple(_line(row) for row in ordered)


def not_filed(*, by: By) -> tuple[UUID, ...]:
    """The referrals that no authority has: gone, or going, to a test environment."""
    by.require(Permission.CASE_READ)
    rows = Referral.objects.order_by("opened_at", "id")
    return tuple(
        row.id for row in rows if rules.is_not_filed(row.environment, row.state)
    )


def accounts(*, by: By) -> tuple[AccountLine, ...]:
    """The accounts in use, by platform."""
    allowed = {Permission.PLATFORM_MANAGE, Permission.AUTHORITY_GO_LIVE}
    if by.kind != "system" and not allowed & by.permissions:
        raise NotAllowed("Only an administrator can see this.", by=str(by))
    rows = AuthorityAccount.objects.filter(active=True).select_related("platform")
    return tuple(
        AccountLine(
            id=row.id,
            platform_id=row.platform_id,
            platform=row.platform.name,
            authority=row.authority,
            environment=row.environment,
            base_url=row.base_url,
            username=row.username,
            reporting_email=row.reporting_email,
            reporting_person=row.reporting_person,
            live_at=row.live_at,
            live_by=row.live_by,
        )
        for row in rows.order_by("platform__name", "authority")
    )


def outbound_hosts() -> tuple[str, ...]:
    """Every host that a referral can go to: those of the active accounts."""
    urls = AuthorityAccount.objects.filter(active=True).values_list(
        "base_url", flat=True
    )
    return tuple(sorted({urlsplit(url).netloc for url in urls}))


def _line(row: Referral) -> ReferralLine:
    files = tuple(_file_line(each) for each in row.files.all())
    return ReferralLine(
        id=row.id,
        decision_id=row.decision_id,
        authority=row.authority,
        environment=row.environment,
        state=row.state,
        words=rules.words_of(
            row.state,
            row.environment,
            row.blocked,
            sealed=row.state != ReferralState.OPEN or all(f.sealed for f in files),
        ),
        not_filed=rules.is_not_filed(row.environment, row.state),
        number=row.external_id,
        why_not=row.why_not,
        blocked=row.blocked,
        document_valid=row.document_valid,
        opened_at=row.opened_at,
        submitted_at=row.submitted_at,
        finished_at=row.finished_at,
        offender_actor_id=row.offender.actor_id if row.offender else None,
        files=files,
    )


def _file_line(row: ReferralFile) -> FileLine:
    return FileLine(
        item_id=row.item_id,
        media_id=row.media_id,
        sealed=row.sealed_blob_id is not None,
        sent=bool(row.external_id),
        described=row.described_at is not None,
        viewed_by_staff=row.viewed_by_staff,
    )

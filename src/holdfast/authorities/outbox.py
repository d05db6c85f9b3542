"""The outbox: one referral, step by step, filed surely and once.

A referral can be dropped anywhere (killed worker, lost connection, a service that is
down) and be taken up again. Before each request a row says that it is under way, and in
one transaction after it stand the raw answer and what follows from it; so whoever comes
back knows which step may or may not have been done. The reactions are those of the
connector (``answers.reaction``, with reasons in its README).

No network inside a transaction. One worker at a time drives a referral: it holds a lock
of its database session, and because a session can be lost without the worker noticing,
each change and the request to finish also ask under the row's lock whether the referral
still stands where this worker left it.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from django.db import connection, transaction

from holdfast.authorities import exchanges, record, rules
from holdfast.authorities.connectors.cybertipline import convert, schema
from holdfast.authorities.connectors.cybertipline.answers import (
    AlreadyFinished,
    Answer,
    CyberTiplineError,
    Reaction,
    Step,
    reaction,
)
from holdfast.authorities.connectors.cybertipline.client import CyberTipline
from holdfast.authorities.exchanges import MovedOn
from holdfast.authorities.models import (
    AuthorityAccount,
    Environment,
    Referral,
    ReferralFile,
    ReferralState,
)
from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.errors import HoldfastError, Unavailable
from holdfast.base.events import Kind, alarm, emit
from holdfast.base.models import Event
from holdfast.vault.installation import keys
from holdfast.vault.operations import seal
from holdfast.vault.queries import open_blob, sealed_for

log = logging.getLogger(__name__)

CYBERTIPLINE = "cybertipline"
NO_ACCOUNT = "No account with the authority is set up"
NO_CONNECTOR = "Holdfast does not speak to this authority"
WRONG_ACCOUNT = "It was begun in production and the account in use is a test account"
INVALID = "The document is not valid by the authority's schema and rules"

SETTLED = (ReferralState.FINISHED, ReferralState.DECLINED)
BLOCKED_CHARACTERS = 200


def advance(referral_id: UUID) -> None:
    """Drive a referral as far as it goes now. Safe to call at any time, by anybody.

    Expected failures are written down and tried again when they are due; raises only
    what nobody foresaw.
    """
    with _lease(referral_id) as held:
        if not held:
            return
        try:
            _drive(referral_id)
        except MovedOn:
            log.info("referral moved on referral=%s", referral_id)


def active_account(referral: Referral) -> AuthorityAccount | None:
    """The platform's account with the referral's authority, if there is one."""
    return AuthorityAccount.objects.filter(
        platform=referral.case.platform_id, authority=referral.authority, active=True
    ).first()


def attach_originals(referral: Referral) -> bool:
    """Note which originals the vault holds by now; True when it holds all of them."""
    for file in referral.files.filter(sealed_blob=None):
        blobs = sealed_for(file.media_id, "original")
        if blobs:
            file.sealed_blob = blobs[0]
            file.save(update_fields=["sealed_blob"])
    return not referral.files.filter(sealed_blob=None).exists()


def open_client(account: AuthorityAccount) -> CyberTipline:
    """A connection with the account's own address and credentials."""
    password = keys().decrypt_secret(
        account.password, bound_to=f"authority-account:{account.id}"
    )
    return CyberTipline(account.base_url, account.username, password)


@contextmanager
def _lease(referral_id: UUID) -> Iterator[bool]:
    """Whether this session alone may drive the referral, until the block ends."""
    key = f"holdfast.referral.{referral_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key]
                )


def _drive(referral_id: UUID) -> None:
    referral = _fresh(referral_id)
    blocked = referral.blocked not in ("", NO_ACCOUNT)
    if referral.state in SETTLED or not exchanges.is_due(referral, blocked=blocked):
        return
    account = active_account(referral)
    why = _hindrance(referral, account)
    if account is None or why:
        _block(referral, why)
        return
    if not attach_originals(referral) and _waits_for_originals(referral):
        return
    try:
        _take_over(referral, account)
        exchanges.close_interrupted(_fresh(referral_id))
        with open_client(account) as client:
            while _Filing(_fresh(referral_id), account, client).go_on():
                pass
    except (MovedOn, Unavailable):
        raise
    except HoldfastError as error:
        _block(_fresh(referral_id), f"{error.message} ({error.code})")


def _hindrance(referral: Referral, account: AuthorityAccount | None) -> str:
    """Why nothing can be asked at all; blank when it can."""
    if account is None:
        return NO_ACCOUNT
    if referral.authority != CYBERTIPLINE:
        return NO_CONNECTOR
    begun = referral.external_id and referral.environment == Environment.PRODUCTION
    if begun and account.environment != Environment.PRODUCTION:
        return WRONG_ACCOUNT
    return ""


class _Filing:
    """One referral as it now stands, its account and the open connection."""

    def __init__(
        self, referral: Referral, account: AuthorityAccount, client: CyberTipline
    ) -> None:
        self.referral = referral
        self.account = account
        self.client = client

    def go_on(self) -> bool:
        """Do the next step, or react to its failure; False when it must rest."""
        try:
            return self._step()
        except CyberTiplineError as error:
            return self._react(error)

    def _step(self) -> bool:
        if self.referral.state == ReferralState.OPEN:
            return self._retract() if self.referral.external_id else self._submit()
        if self.referral.state == ReferralState.SUBMITTED:
            return self._next_file()
        if self.referral.state == ReferralState.UPLOADED:
            return self._finish()
        return False

    def _retract(self) -> bool:
        number = int(self.referral.external_id)

        def gone(row: Referral, answer: Answer) -> None:
            exchanges.forget_report(row)

        exchanges.call(
            self.referral, Step.RETRACT, lambda: self.client.retract(number), gone
        )
        return True

    def _submit(self) -> bool:
        now = clock.now()
        written = convert.report(record.facts_of(self.referral, self.account), now)
        document = written.to_xml()
        problems = [*written.problems(now), *self._schema_problems(document)]

        def written_down(row: Referral) -> None:
            row.document = document.decode()
            row.document_valid = not problems

        exchanges.change(self.referral, written_down)
        if problems:
            # The lines name places and rules and repeat no value of the document.
            log.error("referral invalid referral=%s %s", self.referral.id, problems)
            _block(self.referral, INVALID)
            return False

        def opened(referral: Referral, answer: Answer) -> None:
            referral.state = ReferralState.SUBMITTED
            referral.external_id = str(answer.report_id)
            referral.environment = self.account.environment
            referral.submitted_at = clock.now()

        exchanges.call(
            self.referral, Step.SUBMIT, lambda: self.client.submit(document), opened
        )
        return True

    def _schema_problems(self, document: bytes) -> list[str]:
        """What the schema in force says; ours where the service hands out none."""
        try:
            xsd = self.client.schema().raw
            problems = schema.validate(document, xsd)
            source = "service"
        except (CyberTiplineError, schema.UnreadableXml) as error:
            exchanges.note(self.referral, Step.SCHEMA.value, "", error.code)
            xsd, source = schema.own_schema(), "own"
            problems = schema.validate(document, xsd)
        told = f"{source} schema, SHA-256 {sha256(xsd).hexdigest()}"
        said = "\n".join([told, *problems])
        failure = "invalid" if problems else ""
        exchanges.note(self.referral, exchanges.VALIDATION, said, failure)
        return problems

    def _next_file(self) -> bool:
        files = self.referral.files.exclude(sealed_blob=None).select_related(
            "item", "media__item", "sealed_blob"
        )
        file = files.filter(described_at=None).order_by("id").first()
        if file is None:
            exchanges.change(self.referral, _all_uploaded)
        elif not file.external_id:
            self._upload(file)
        else:
            self._describe(file)
        return True

    def _upload(self, file: ReferralFile) -> None:
        blob = file.sealed_blob
        assert blob is not None
        data = io.BytesIO(open_blob(blob.id))
        name = file.media.original_name or str(file.media_id)
        number = int(self.referral.external_id)

        def uploaded(_: Referral, answer: Answer) -> None:
            file.external_id = answer.file_id
            file.save(update_fields=["external_id"])

        exchanges.call(
            self.referral,
            Step.UPLOAD,
            lambda: self.client.upload(number, name, data, blob.md5),
            uploaded,
        )

    def _describe(self, file: ReferralFile) -> None:
        now = clock.now()
        facts = record.file_facts(file)
        number = int(self.referral.external_id)
        details = convert.file_details(facts, number, file.external_id, now).to_xml()

        def described(_: Referral, answer: Answer) -> None:
            file.viewed_by_staff = facts.viewed_entire
            file.details = details.decode()
            file.described_at = now
            file.save(update_fields=["viewed_by_staff", "details", "described_at"])

        exchanges.call(
            self.referral,
            Step.FILE_INFO,
            lambda: self.client.file_info(details),
            described,
        )

    def _finish(self) -> bool:
        if exchanges.receipt(self.referral) is None:
            number = int(self.referral.external_id)
            exchanges.call(
                self.referral, Step.FINISH, lambda: self.client.finish(number)
            )
        _settle(self.referral)
        return False

    def _react(self, error: CyberTiplineError) -> bool:
        """What the connector says is to be done; True when it can go on at once."""
        referral = self.referral
        log.warning("referral held up referral=%s %s", referral.id, error.diagnostics())
        todo = reaction(error)
        if todo is Reaction.DONE:
            if isinstance(error, AlreadyFinished):
                _settle(referral)
                return False
            exchanges.change(referral, exchanges.forget_report)
            return True
        if todo is Reaction.PAGE_OPERATOR:
            _block(referral, f"{error.message} ({error.code})")
        if exchanges.failures(referral) >= rules.DELAYED_AFTER_FAILURES:
            _alarm_once(referral, "referral.delayed")
        return False


def _all_uploaded(row: Referral) -> None:
    row.state = ReferralState.UPLOADED


def _take_over(referral: Referral, account: AuthorityAccount) -> None:
    """Carry on in the account's environment, leaving a test report behind."""
    if referral.environment == account.environment:
        return

    def move(row: Referral) -> None:
        exchanges.forget_report(row)
        row.environment = account.environment

    exchanges.change(referral, move)
    if account.environment == Environment.TEST:
        alarm("referral.not_filed", about=about(referral))


def _waits_for_originals(referral: Referral) -> bool:
    """Whether to wait for what is not sealed yet; somebody is told when it is long."""
    waited = clock.now() - referral.opened_at
    if waited >= timedelta(seconds=rules.ORIGINALS_ALARM_S):
        _alarm_once(referral, "referral.waits_for_originals")
    return waited < timedelta(seconds=rules.ORIGINALS_WAIT_S)


def _settle(referral: Referral) -> None:
    """Seal the receipt, then say that it is finished."""
    receipt = exchanges.receipt(referral)
    if receipt is None:
        raise AssertionError("A referral is finished by an answer of the authority.")
    seal(referral.id, "receipt", receipt.answer.encode(), "text/xml")

    def finish(row: Referral) -> None:
        row.state = ReferralState.FINISHED
        row.finished_at = receipt.at
        row.blocked = ""
        row.save()
        emit(
            Kind.REFERRAL_FINISHED,
            about=about(row),
            facts={
                "authority": row.authority,
                "environment": row.environment,
                "files": row.files.exclude(external_id="").count(),
            },
            by=SYSTEM,
        )

    exchanges.change(referral, finish)


def _block(referral: Referral, why: str) -> None:
    """It needs a person: say so on its page, and page somebody once for each reason."""
    why = why[:BLOCKED_CHARACTERS]
    with transaction.atomic():
        row = Referral.objects.select_for_update(no_key=True).get(id=referral.id)
        if row.state in SETTLED or row.blocked == why:
            return
        row.blocked = why
        row.save(update_fields=["blocked"])
        alarm("referral.blocked", about=about(referral))


def _alarm_once(referral: Referral, code: str) -> None:
    raised = Event.objects.filter(
        kind=Kind.ALARM_RAISED,
        about__contains={"referral": str(referral.id)},
        facts__code=code,
    )
    if not raised.exists():
        alarm(code, about=about(referral))


def about(referral: Referral) -> dict[str, UUID | int | str | None]:
    """What an event of a referral is about."""
    return {
        "referral": referral.id,
        "case": referral.case_id,
        "decision": referral.decision_id,
        "platform": referral.case.platform_id,
    }


def _fresh(referral_id: UUID) -> Referral:
    return Referral.objects.select_related("case__platform", "decision").get(
        id=referral_id
    )

"""What the API keeps of its callers: answers to repeat, and how much they asked.

An answer to an ``Idempotency-Key`` may hold a codename, which is a secret, so it is
encrypted with this installation's key and forgotten after :data:`KEEP_DAYS`. Nothing
here decides what an answer says. The header's rules are those of the IETF's draft
"The Idempotency-Key HTTP Header Field"; the bucket is the usual token bucket.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, connection

from holdfast.base import clock
from holdfast.base.errors import InvalidInput, Refused
from holdfast.base.rows import read
from holdfast.items.models import RateBucket, RememberedAnswer
from holdfast.vault.installation import keys

KEEP_DAYS = 7
"""How long an answer can be asked for again. A caller that was cut off over a long
weekend still gets it; after that a repeated key is a new request."""


class KeyUsedOtherwise(InvalidInput):
    """An idempotency key came back with another request."""

    code = "key-used-otherwise"


class StillRunning(Refused):
    """The first request with this idempotency key has not been answered yet."""

    code = "still-running"


@dataclass(frozen=True)
class Answer:
    """What was answered: the status, and the body as text."""

    status: int
    body: str


@contextmanager
def one_at_a_time(key_id: UUID, idempotency_key: str) -> Iterator[None]:
    """Hold an idempotency key; raises :class:`StillRunning` if somebody holds it.

    The lock belongs to the database session and not to a row: when a process is
    killed half-way the key is free at once and nothing has to be cleaned up.
    """
    number = _lock_number(key_id, idempotency_key)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise StillRunning(
                "A request with this Idempotency-Key is being carried out. "
                "Ask again in a second: you will get its answer."
            )
    try:
        yield
    finally:
        # A session that is gone has given its locks back already.
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def recall(key_id: UUID, idempotency_key: str, request_hash: str) -> Answer | None:
    """The answer given before. Raises :class:`KeyUsedOtherwise`."""
    kept = read(
        "SELECT request_hash, status, body FROM hf_remembered_answer"
        " WHERE key_id = %s AND idempotency_key = %s AND at > %s",
        key_id,
        idempotency_key,
        _oldest(),
    )
    if not kept:
        return None
    [(hash_before, status, body)] = kept
    if hash_before != request_hash:
        raise KeyUsedOtherwise(
            "This Idempotency-Key was used for another request. Take a new key for "
            "each new request, and the same one only to repeat it unchanged."
        )
    packed = keys().decrypt_secret(body, bound_to=_place(key_id, idempotency_key))
    return Answer(status, zlib.decompress(base64.b64decode(packed)).decode())


def remember(
    key_id: UUID, idempotency_key: str, request_hash: str, answer: Answer
) -> None:
    """Keep an answer. Inside a transaction it stands and falls with the work."""
    packed = base64.b64encode(zlib.compress(answer.body.encode())).decode()
    kept = RememberedAnswer(
        key_id=key_id,
        idempotency_key=idempotency_key,
        request_hash=request_hash,
        status=answer.status,
        body=keys().encrypt_secret(packed, bound_to=_place(key_id, idempotency_key)),
        at=clock.now(),
    )
    # One statement, where a look before the write would take six.
    RememberedAnswer.objects.bulk_create(
        [kept],
        update_conflicts=True,
        unique_fields=["key", "idempotency_key"],
        update_fields=["request_hash", "status", "body", "at"],
    )


def forget_old() -> None:
    """Tick: delete answers that are too old to be asked for, and idle buckets."""
    RememberedAnswer.objects.filter(at__lte=_oldest()).delete()
    RateBucket.objects.filter(updated_at__lte=_oldest()).delete()


def take(name: str, cost: float, *, per_s: float, burst: float) -> float:
    """Take ``cost`` tokens from a bucket; 0.0, or for how many seconds it lacks them.

    The bucket holds up to ``burst`` tokens and gains ``per_s`` each second. A request
    that finds too few takes none. Two callers never share a token. The commit does not
    wait for the disk: a bucket that is a moment old after a crash harms nobody.
    """
    asked: dict[str, str | float | datetime] = {
        "name": name,
        "cost": min(cost, burst),
        "per_s": per_s,
        "burst": burst,
        "now": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, asked)
        if cursor.fetchone() is not None:
            return 0.0
    tokens, updated_at = RateBucket.objects.values_list("tokens", "updated_at").get(
        name=name
    )
    since_s = max(0.0, (clock.now() - updated_at).total_seconds())
    return max(0.0, (min(cost, burst) - tokens) / per_s - since_s)


def take_a_turn(
    name: str, cost: float = 1.0, *, per_s: float, burst: float, longest_s: float
) -> float:
    """Take tokens of a bucket that lends; for how many seconds one has to wait for it.

    Nobody is refused: who comes when it is empty stands behind those before them, each
    ``cost / per_s`` later than the last, and nobody waits for more than ``longest_s``.
    """
    asked: dict[str, str | float | datetime] = {
        "name": name,
        "cost": min(cost, burst),
        "per_s": per_s,
        "burst": burst,
        "least": -longest_s * per_s,
        "now": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_A_TURN, asked)
        [tokens] = cursor.fetchone()
    return max(0.0, -float(tokens) / per_s)


_REFILLED = """LEAST(%(burst)s, hf_rate_bucket.tokens + %(per_s)s * GREATEST(
    0, EXTRACT(EPOCH FROM %(now)s - hf_rate_bucket.updated_at)))"""
_TAKE = f"""
WITH quick AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true) AS mode
)
INSERT INTO hf_rate_bucket (name, tokens, updated_at)
SELECT %(name)s, %(burst)s - %(cost)s, %(now)s FROM quick WHERE mode IS NOT NULL
ON CONFLICT (name) DO UPDATE SET tokens = {_REFILLED} - %(cost)s,
    updated_at = GREATEST(%(now)s, hf_rate_bucket.updated_at)
WHERE {_REFILLED} >= %(cost)s
RETURNING tokens
"""
_TAKE_A_TURN = f"""
WITH quick AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true) AS mode
)
INSERT INTO hf_rate_bucket (name, tokens, updated_at)
SELECT %(name)s, %(burst)s - %(cost)s, %(now)s FROM quick WHERE mode IS NOT NULL
ON CONFLICT (name) DO UPDATE SET
    tokens = GREATEST(%(least)s, {_REFILLED} - %(cost)s),
    updated_at = GREATEST(%(now)s, hf_rate_bucket.updated_at)
RETURNING tokens
"""


def _oldest() -> datetime:
    return clock.now() - timedelta(days=KEEP_DAYS)


def _place(key_id: UUID, idempotency_key: str) -> str:
    return f"answer:{key_id}:{idempotency_key}"


def _lock_number(key_id: UUID, idempotency_key: str) -> int:
    digest = hashlib.sha256(_place(key_id, idempotency_key).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)

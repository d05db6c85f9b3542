"""The platform API as Python: one method for each thing a platform tells Holdfast.

With a spool (give one in production) a write is durable on this disk before it is sent
and is sent until Holdfast accepts it, so these promises hold:

* **Latency.** :meth:`Holdfast.put_item` returns within :data:`PATIENCE_S` and a disk
  write, whatever Holdfast does; at once when Holdfast is known to be down.
  :meth:`Holdfast.report` returns within :data:`REPORT_PATIENCE_S`.
* **Holdfast down, slow, restarting, or rate limiting** (no connection, no answer, 5xx,
  429, ``Retry-After``; also 401 and 403, which are about the key and not about the
  write): the method returns :class:`Spooled`. Nothing is lost when this process is
  killed.
* **A write that is wrong in itself** (any other 4xx problem): :class:`Refused` is
  raised with the reason if you are still waiting, and the write is listed by
  ``spool.problems()`` in any case. It blocks nothing.

Without a spool the same calls raise :class:`Unreachable` instead of keeping anything.
Reading never uses the spool. Nothing here imports the rest of Holdfast.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from holdfast.client import wire
from holdfast.client.courier import Accepted, Courier, Later, Outcome, Refusal
from holdfast.client.spool import UNREACHABLE, Problem, Spool, Write
from holdfast.client.types import (
    Actor,
    ActorState,
    Category,
    Change,
    Claim,
    File,
    Item,
    ItemState,
    Legal,
    Page,
    Placement,
    Questions,
    Receipt,
    Refused,
    Share,
    Spooled,
    Target,
    Unreachable,
    Views,
)

PATIENCE_S = 1.0
"""How long a new post may be held up: longer than a healthy Holdfast needs to
fingerprint a picture and compare it, shorter than a poster notices."""

REPORT_PATIENCE_S = 5.0
"""How long a reporter may wait before being told that the receipt will follow."""


class Holdfast:
    """A platform's line to Holdfast. Threads may share it; after a fork make a new one.

    ``spool`` is a file that this process alone uses. ``timeout_s`` bounds one try.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        spool: Path | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        self._http = httpx.Client(
            base_url=base_url.rstrip("/") + "/api/v1/",
            headers={"Authorization": f"Bearer {key}"},
            timeout=timeout_s,
            trust_env=False,  # No proxy from the environment: no hidden traffic.
        )
        self.spool = None if spool is None else Spool(spool)
        self._courier = None if self.spool is None else Courier(self.spool, self._send)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        failure: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the threads. What waits in the spool goes out after the next start."""
        if self._courier is not None:
            self._courier.close()
        self._http.close()
        if self.spool is not None:
            self.spool.close()

    @property
    def reachable(self) -> bool:
        """False from a connection that could not be made until one that could."""
        return self._courier is None or self._courier.reachable

    # What you tell Holdfast.

    def put_actor(
        self, actor: Actor, *, patience_s: float = PATIENCE_S
    ) -> ActorState | Spooled:
        """Register an account, or say what changed about it."""
        body = json.dumps(wire.plain(actor, leave_out="id")).encode()
        path = f"actors/{quote(actor.id, safe='')}"
        answer = self._write(
            Write(wire.new_key(), "PUT", path, wire.JSON, body, (f"actor:{actor.id}",)),
            patience_s,
        )
        return (
            answer if isinstance(answer, Spooled) else ActorState.of(json.loads(answer))
        )

    def put_item(
        self,
        item: Item,
        files: Sequence[File] = (),
        *,
        key: str | None = None,
        patience_s: float = PATIENCE_S,
    ) -> ItemState | Spooled:
        """Register a piece of content with its pictures, before people see it.

        The answer comes after the pictures were compared: when its ``state`` is
        ``frozen``, this is a copy of something reported, and must not go up. On
        ``Spooled`` let it go up: if it is a copy, a freeze follows by webhook.
        Call it again with the whole item after an edit, and with ``deleted_at`` after
        a deletion. Give ``key`` to make a repeat of the same call the same write.
        """
        said = json.dumps(wire.plain(item, leave_out="id")).encode()
        path = f"items/{quote(item.id, safe='')}"
        content_type, body = (
            (wire.JSON, said) if not files else wire.multipart(said, files)
        )
        answer = self._write(
            Write(
                key or wire.new_key(),
                "PUT",
                path,
                content_type,
                body,
                wire.subjects(item),
            ),
            patience_s,
        )
        return (
            answer if isinstance(answer, Spooled) else ItemState.of(json.loads(answer))
        )

    def put_items(
        self, items: Sequence[Item], *, patience_s: float = PATIENCE_S
    ) -> list[ItemState | Refused] | Spooled:
        """Register many items, media by URL only. One refused line spoils no other.

        The answers stand in the order of ``items``; a line that met a passing error
        is sent again by itself and answered here as ``Refused``.
        """
        answer = self._batch(
            "items:batch",
            [wire.plain(each) for each in items],
            subjects=dict.fromkeys(
                name for each in items for name in wire.subjects(each)
            ),
            patience_s=patience_s,
        )
        if isinstance(answer, Spooled):
            return answer
        return [
            Refused(line["problem"])
            if line.get("problem")
            else ItemState.of(line["state"])
            for line in wire.lines(answer)
        ]

    def shares(self, shares: Sequence[Share]) -> None:
        """Say who passed what on. Counts never wait for an answer."""
        self._count("shares:batch", shares)

    def views(self, views: Sequence[Views]) -> None:
        """Say how often items were seen so far."""
        self._count("views:batch", views)

    def placements(self, placements: Sequence[Placement]) -> None:
        """Say which adverts stood beside which items, and what they earned."""
        self._count("placements:batch", placements)

    def report(
        self,
        targets: Target | Sequence[Target],
        category: str,
        *,
        words: str | None = None,
        language: str | None = None,
        reporter: str | None = None,
        claims: Iterable[Claim] = (),
        police_number: str | None = None,
        police_agency: str | None = None,
        answers: Mapping[str, str] | None = None,
        questions: str | None = None,
        in_danger_now: bool = False,
        hold_contact: bool = False,
        contact: str | None = None,
        wants_codename: bool = True,
        key: str | None = None,
        patience_s: float = REPORT_PATIENCE_S,
    ) -> Receipt | Spooled:
        """File a report, for one of your users (``reporter``) or for nobody named.

        What it shows is frozen when the :class:`Receipt` comes back, and the freeze is
        on its way to your webhook. On :class:`Spooled` the report is safe here; say so
        to the reporter, and that the number follows (:meth:`receipt`). With
        ``hold_contact`` you are told to keep whoever is reported from writing to
        ``reporter`` (``hold_contact``). ``answers`` are to :meth:`questions`, whose
        ``digest`` is ``questions``; one that is wrong is named in the receipt's
        ``not_taken``, and loses nothing else. Give ``key`` (16 or more random
        characters) to make a repeated click the same report.
        """
        named = [targets] if isinstance(targets, Target) else list(targets)
        said = {
            "targets": [wire.plain(each) for each in named],
            "category": category,
            "words": words,
            "language": language,
            "reporter": reporter,
            "claims": list(claims) or None,
            "police_number": police_number,
            "police_agency": police_agency,
            "answers": dict(answers) if answers else None,
            "questions": questions if answers else None,
            "in_danger_now": in_danger_now or None,
            "hold_contact": hold_contact or None,
            "contact": contact,
            "wants_codename": wants_codename,
        }
        body = json.dumps(wire.without_none(said)).encode()
        about = tuple(
            f"{kind}:{value}"
            for each in named
            for kind in ("item", "actor")
            if (value := getattr(each, kind)) is not None
        )
        answer = self._write(
            Write(
                key or wire.new_key(), "POST", "reports", wire.JSON, body, about, True
            ),
            patience_s,
        )
        return answer if isinstance(answer, Spooled) else Receipt.of(json.loads(answer))

    def receipt(self, key: str) -> Receipt | None:
        """The receipt of a report that was ``Spooled``; None until it is accepted.

        It is kept for seven days after that.
        """
        answer = None if self.spool is None else self.spool.answer(key)
        return None if answer is None else Receipt.of(answer)

    def sign(
        self,
        number: str,
        name: str,
        statement: str,
        *,
        key: str | None = None,
        patience_s: float = REPORT_PATIENCE_S,
    ) -> Legal | Spooled:
        """Sign a report: ``name`` as the reporter typed it under ``statement``.

        ``statement`` is the ``to_sign`` that you showed, word for word. Never fill in
        a name yourself. Returns what the law still wants after it.
        """
        body = json.dumps({"name": name, "statement": statement}).encode()
        path = f"reports/{quote(number, safe='')}/signature"
        answer = self._write(
            Write(
                key or wire.new_key(), "POST", path, wire.JSON, body,
                (f"report:{number}",),
            ),
            patience_s,
        )  # fmt: skip
        return answer if isinstance(answer, Spooled) else Legal.of(json.loads(answer))

    def confirm(self, deliveries: Sequence[str]) -> None:
        """Say that changes read by :meth:`changes` are done; raises when unheard."""
        body = json.dumps({"confirmed": list(deliveries)}).encode()
        self._direct(Write(wire.new_key(), "POST", "changes:confirm", wire.JSON, body))

    def retry(self, problem: Problem) -> None:
        """Send a write that was put aside once more: its cause has been mended."""
        if self.spool is not None and self._courier is not None:
            self.spool.retry(problem.seq)
            self._courier.look_again()

    # What you ask Holdfast. These raise Unreachable or Refused.

    def item_state(self, item: str) -> ItemState:
        """What Holdfast holds about one item."""
        return ItemState.of(self._get(f"items/{quote(item, safe='')}"))

    def actor_state(self, actor: str) -> ActorState:
        """What Holdfast holds about one account."""
        return ActorState.of(self._get(f"actors/{quote(actor, safe='')}"))

    def changes(self, cursor: str | None = None) -> Page:
        """One page of the change feed after ``cursor``, in the order of commits."""
        raw = self._get("changes", {} if cursor is None else {"cursor": cursor})
        return Page([Change.of(each) for each in raw["data"]], raw["next_cursor"])

    def categories(self) -> list[Category]:
        """The reasons to report, in the order to show them: child safety first.

        With a spool the last answer serves while Holdfast cannot be asked.
        """
        raw = self._get_or_recall("categories", "categories")
        return [Category.of(each) for each in raw]

    def questions(self, language: str = "en") -> Questions:
        """What can be asked with a report, word for word in the nearest language.

        With a spool the last answer serves while Holdfast cannot be asked.
        """
        wanted = {"language": language}
        raw = self._get_or_recall("questions", f"questions:{language}", wanted)
        return Questions.of(raw)

    # How it travels.

    def _write(self, write: Write, patience_s: float) -> bytes | Spooled:
        if self._courier is None:
            return self._direct(write)
        outcome = self._courier.hand_over(write, patience_s)
        if isinstance(outcome, Accepted):
            return outcome.body
        if isinstance(outcome, Refusal):
            raise Refused(outcome.problem)
        return Spooled(write.key)

    def _direct(self, write: Write) -> bytes:
        outcome = self._send(write)
        if isinstance(outcome, Refusal):
            raise Refused(outcome.problem)
        if isinstance(outcome, Later):
            raise Unreachable(f"Holdfast did not accept it: {outcome.reason}.")
        return outcome.body

    def _count(
        self, path: str, counts: Sequence[Share] | Sequence[Views] | Sequence[Placement]
    ) -> None:
        if counts:
            about = dict.fromkeys(f"item:{each.item}" for each in counts)
            self._batch(path, [wire.plain(each) for each in counts], about, 0.0, True)

    def _batch(
        self,
        path: str,
        lines: Sequence[Mapping[str, Any]],
        subjects: Iterable[str],
        patience_s: float,
        is_count: bool = False,
    ) -> bytes | Spooled:
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        return self._write(
            Write(wire.new_key(), "POST", path, wire.NDJSON, body, tuple(subjects),
                  is_count=is_count),
            patience_s,
        )  # fmt: skip

    def _get_or_recall(
        self, path: str, name: str, query: Mapping[str, str] | None = None
    ) -> Any:
        try:
            raw = self._get(path, query)
        except Unreachable:
            kept = None if self.spool is None else self.spool.recall(name)
            if kept is None:
                raise
            return json.loads(kept)
        if self.spool is not None:
            self.spool.remember(name, json.dumps(raw))
        return raw

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        outcome = self._try("GET", path, params=query)
        if isinstance(outcome, Refusal):
            raise Refused(outcome.problem)
        if isinstance(outcome, Later):
            raise Unreachable(f"Holdfast gave no answer: {outcome.reason}.")
        return json.loads(outcome.body)

    def _send(self, write: Write) -> Outcome:
        headers = {"Idempotency-Key": write.key, "Content-Type": write.content_type}
        outcome = self._try(
            write.method, write.path, content=write.body, headers=headers
        )
        if isinstance(outcome, Accepted) and write.content_type == wire.NDJSON:
            return wire.judge_lines(write, outcome.body)
        return outcome

    def _try(self, method: str, path: str, **request: Any) -> Outcome:
        def ask() -> Outcome:
            # The slash keeps "items:batch" from being read as a scheme.
            return wire.judge(self._http.request(method, f"/{path}", **request))

        try:
            try:
                return ask()
            except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
                # Most often a kept connection that the other side had closed: a new
                # one tells. The key makes it safe to ask twice.
                return ask()
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return Later(UNREACHABLE)
        except Exception as failure:
            # Whatever went wrong, the write is kept and the thread lives on.
            return Later(f"no answer ({type(failure).__name__})")

"""One family of errors.

Every refusal in Holdfast is a :class:`HoldfastError`: its text is written for the
person who meets it and says what to do; ``diagnostics()`` adds what an operator
needs. Neither ever holds content, a name, an address or a codename: only ids.
"""

from __future__ import annotations

from collections.abc import Mapping


class HoldfastError(Exception):
    """A refusal with a reason.

    ``message`` is for the person; ``details`` (ids and numbers only) for the
    operator. ``code`` is stable and machine-readable.
    """

    code = "error"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def diagnostics(self) -> str:
        """One line for the operator: code, message and the ids concerned."""
        facts = " ".join(f"{name}={value}" for name, value in self.details.items())
        return f"[{self.code}] {self.message}" + (f" ({facts})" if facts else "")


class InvalidInput(HoldfastError):
    """What was handed in cannot be used as it is."""

    code = "invalid-input"


class InvalidFields(InvalidInput):
    """Several of the fields handed in cannot be used: each with what is wrong of it.

    ``faults``: the way to the field, as its keys, and the words.
    """

    def __init__(self, message: str, faults: Mapping[tuple[str, ...], str]) -> None:
        super().__init__(message)
        self.faults = dict(faults)


class NotFound(HoldfastError):
    """There is no such thing, or not for this caller."""

    code = "not-found"


class NotAllowed(HoldfastError):
    """The caller may not do this."""

    code = "not-allowed"


class Refused(HoldfastError):
    """A rule of the product forbids this step in the present state."""

    code = "refused"


class Unavailable(HoldfastError):
    """Something outside did not answer; the step is kept and tried again."""

    code = "unavailable"

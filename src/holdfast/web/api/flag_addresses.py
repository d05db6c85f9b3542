"""The addresses of one line of a hotline's file: each is taken or named by itself.

One that cannot be used takes no other along: it is kept as it was said, for people to
read, and named to whoever sent it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from holdfast.intake.flag_files import Fault
from holdfast.intake.flaggers import FAULTS
from holdfast.intake.not_taken import NotTaken, storable
from holdfast.web.api.field_types import MAX_TARGETS, Url


class UnfitAddress(str):
    """An address that cannot be used, as it was said."""

    broke_apart = False
    """Whether it has a space in it, so that its line of CSV was read as two."""


def _or_unfit(value: Any, handler: ValidatorFunctionWrapHandler) -> str:
    try:
        fit: str = handler(value)
    except ValidationError:
        # The parts of one that broke apart, as ``flag_files`` gives them.
        broke = isinstance(value, list) and all(isinstance(part, str) for part in value)
        said = " ".join(value) if broke else value
        unfit = UnfitAddress(said if isinstance(said, str) else json.dumps(said))
        unfit.broke_apart = broke
        return unfit
    return fit


FlaggedUrl = Annotated[Url, WrapValidator(_or_unfit)]


def taken(urls: Sequence[str]) -> tuple[tuple[str, ...], tuple[NotTaken, ...]]:
    """The addresses that one report holds; those that it does not, each with why."""
    good: list[str] = []
    left: list[NotTaken] = []
    for place, url in enumerate(urls):
        if not isinstance(url, UnfitAddress) and len(good) < MAX_TARGETS:
            good.append(url)
        else:
            left.append(NotTaken(("urls", str(place)), _why(url), storable(url)))
    return tuple(good), tuple(left)


def _why(url: str) -> str:
    if not isinstance(url, UnfitAddress):
        return str(FAULTS[Fault.MANY])
    return str(FAULTS[Fault.SPACE if url.broke_apart else Fault.UNFIT])

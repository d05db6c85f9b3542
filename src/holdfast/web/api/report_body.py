"""The body of a report, read for what can be used of it.

A report is not lost for one field that is wrong: each such field, answer, claim or
target is left out, named with what is wrong of it, and kept as it was said. Refused is
only what is no report: no JSON, no object, or neither words nor anything that they
could be about. A category that no policy knew becomes the one of a report that does not
say what it is about, for one about a child must not wait until somebody corrects it.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError as Unfit

from holdfast.base.errors import InvalidFields, InvalidInput
from holdfast.intake.not_taken import NotTaken, storable
from holdfast.policy import queries as policies
from holdfast.web.api.bodies import fit, json_of
from holdfast.web.api.field_types import MAX_TARGETS, MAX_WORDS
from holdfast.web.api.problems import plain_words
from holdfast.web.api.report_schemas import ReportIn, TargetIn

IN_PARTS = ("answers", "claims", "targets")
"""Fields of which each part is used or left out by itself."""
CUT = "Text has up to {most} characters, without NUL. What fits was taken."
NAMES_NOTHING = "It names nothing: give an item, a url, an actor or another field."
TOO_MANY = "One report holds up to {most} things. Report these in another one."


def read_report(body: bytes) -> tuple[ReportIn, tuple[NotTaken, ...]]:
    """A report, and what of it could not be used; raises a 400 or a 422 problem."""
    value = json_of(body)
    if not isinstance(value, dict):
        return fit(value, ReportIn), ()
    left = [*_mend_category(value), *_mend_words(value), *_mend_targets(value)]
    while True:
        try:
            said = ReportIn.model_validate(value)
        except Unfit as unfit:
            left += _take_out(value, unfit)
        else:
            break
    if left and not (said.words or any(each.names_something for each in said.targets)):
        raise InvalidFields(
            "Nothing is left of it that could be a report.",
            {each.place: each.why for each in left},
        )
    return said, tuple(left)


def _mend_category(value: dict[str, Any]) -> list[NotTaken]:
    code = value.get("category")
    try:
        policies.category_of(code if isinstance(code, str) else "")
    except InvalidInput as refusal:
        fallback = policies.current().mail_category
        why = f"{refusal.message} It was taken as {fallback}, which people look at."
        value["category"] = fallback
        return [NotTaken(("category",), why, _said(code))]
    return []


def _mend_words(value: dict[str, Any]) -> list[NotTaken]:
    words = value.get("words")
    if not isinstance(words, str):
        return []
    value["words"] = storable(words)[:MAX_WORDS]
    if value["words"] == words:
        return []
    return [NotTaken(("words",), CUT.format(most=MAX_WORDS), _said(words))]


def _mend_targets(value: dict[str, Any]) -> list[NotTaken]:
    targets = value.get("targets")
    if not isinstance(targets, list):
        return []
    value["targets"], more = targets[:MAX_TARGETS], targets[MAX_TARGETS:]
    empty = [place for place, each in enumerate(targets) if not _names(each)]
    left = [
        NotTaken(("targets", str(place)), NAMES_NOTHING, _said(targets[place]))
        for place in empty
        if place < MAX_TARGETS
    ]
    for part in left:
        value["targets"][int(part.place[1])] = {}
    if more:
        why = TOO_MANY.format(most=MAX_TARGETS)
        left.append(NotTaken(("targets", str(MAX_TARGETS)), why, _said(more)))
    return left


def _names(target: Any) -> bool:
    return isinstance(target, dict) and any(
        target.get(name) for name in TargetIn.model_fields
    )


def _take_out(value: dict[str, Any], unfit: Unfit) -> list[NotTaken]:
    """Take what does not fit out of ``value``, the last of a list first."""
    faults: dict[tuple[Any, ...], str] = {}
    for fault in unfit.errors(include_url=False, include_input=False):
        way = fault["loc"]
        inside = len(way) > 1 and way[0] in IN_PARTS
        faults.setdefault(way[:2] if inside else way[:1], plain_words(fault["msg"]))
    found = []
    for way in sorted(faults, key=lambda each: (str(each[0]), *each[1:]), reverse=True):
        part: Any = value
        for key in way[:-1]:
            part = part[key]
        place = tuple(storable(str(key)) for key in way)
        found.append(NotTaken(place, faults[way], _said(part.pop(way[-1]))))
        if place[0] == "targets" and len(place) > 1:
            # The others stay where they are, so that they are named by their places.
            part.insert(way[-1], {})
    return found[::-1]


def _said(value: Any) -> str:
    if value is None:
        return ""
    return storable(value) if isinstance(value, str) else json.dumps(value)

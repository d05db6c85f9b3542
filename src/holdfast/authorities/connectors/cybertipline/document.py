"""How a typed record becomes XML, and how its fields are checked.

A record is a frozen dataclass whose fields stand in the order of the schema, each
annotated with the place it takes in the document. Two walks read those annotations:
one writes, one checks. Neither knows anything of the CyberTipline; what is sent is
said in ``model.py`` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from typing import Any, ClassVar, get_type_hints

from lxml import etree

from holdfast.authorities.connectors.cybertipline.checks import Check, carried_by_xml


class Place(Enum):
    """Where in its parent's XML a field stands."""

    ELEMENT = "a child element, or one for each of several values"
    ATTRIBUTE = "an attribute"
    BODY = "the text of the parent itself"
    MARKS = "a child that holds one empty element for each mark"
    CHOICE = "a child for each value, holding one element named by the value's TAG"


@dataclass(frozen=True, slots=True)
class Slot:
    """The place and name of a field, and what its value must satisfy."""

    place: Place
    name: str
    checks: tuple[Check, ...]


def element(name: str, *checks: Check) -> Slot:
    """A child element called ``name``."""
    return Slot(Place.ELEMENT, name, checks)


def attribute(name: str, *checks: Check) -> Slot:
    """An attribute called ``name``."""
    return Slot(Place.ATTRIBUTE, name, checks)


def body(*checks: Check) -> Slot:
    """The text of the element itself."""
    return Slot(Place.BODY, "", checks)


def marks(name: str) -> Slot:
    """A child called ``name`` with an empty element for each member of a set."""
    return Slot(Place.MARKS, name, ())


def choice(name: str) -> Slot:
    """Children called ``name``, each holding one record under its own ``TAG``."""
    return Slot(Place.CHOICE, name, ())


class Record:
    """A part of a document: subclasses are frozen dataclasses with slots."""

    TAG: ClassVar[str] = ""

    def to_xml(self) -> bytes:
        """The document with this record as its root, called ``TAG``, in UTF-8.

        Raises ``ValueError`` for text that XML cannot carry; ``problems`` names the
        field.
        """
        root = etree.Element(self.TAG)
        _fill(root, self)
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True)

    def problems(self, now: datetime) -> list[str]:
        """What is wrong by the rules outside the schema, in document order.

        ``now`` has a time zone. Each line is ``path: reason`` and repeats no value.
        """
        return list(_problems(self, self.TAG, now))

    def own_problems(self, now: datetime) -> Iterator[str]:
        """Rules between several fields of this record. None by default."""
        return iter(())


def _slots(record: Record) -> tuple[tuple[str, Slot], ...]:
    """The fields of a record with their slots, in the order they are written."""
    kind: type = type(record)
    return _slots_of(kind)


@cache
def _slots_of(kind: type) -> tuple[tuple[str, Slot], ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple(
        (name, mark)
        for name, hint in hints.items()
        for mark in getattr(hint, "__metadata__", ())
        if isinstance(mark, Slot)
    )


def _literal(value: object) -> str:
    """``value`` in the lexical form of XML Schema."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime) and value.utcoffset() is not None:
        # Zones with seconds in their offset exist and XML Schema has no form for them.
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _several(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _fill(parent: etree._Element, record: Record) -> None:
    for field, slot in _slots(record):
        value = getattr(record, field)
        if value is not None:
            _write(parent, slot, value)


def _write(parent: etree._Element, slot: Slot, value: Any) -> None:
    if slot.place is Place.ATTRIBUTE:
        parent.set(slot.name, _literal(value))
    elif slot.place is Place.BODY:
        parent.text = _literal(value)
    elif slot.place is Place.MARKS:
        if value:
            box = etree.SubElement(parent, slot.name)
            for mark in sorted(value):
                etree.SubElement(box, mark)
    elif slot.place is Place.CHOICE:
        for one in value:
            box = etree.SubElement(parent, slot.name)
            _fill(etree.SubElement(box, one.TAG), one)
    else:
        for one in _several(value):
            child = etree.SubElement(parent, slot.name)
            if isinstance(one, Record):
                _fill(child, one)
            else:
                child.text = _literal(one)


def _problems(record: Record, path: str, now: datetime) -> Iterator[str]:
    for reason in record.own_problems(now):
        yield f"{path}: {reason}"
    for field, slot in _slots(record):
        value = getattr(record, field)
        if value is None or slot.place is Place.MARKS:
            continue
        step = slot.name if slot.place is not Place.ATTRIBUTE else f"@{slot.name}"
        place = f"{path}/{step}" if step else path
        for one in _several(value):
            yield from _problems_of_value(one, slot, place, now)


def _problems_of_value(
    value: object, slot: Slot, path: str, now: datetime
) -> Iterator[str]:
    if isinstance(value, Record):
        path = f"{path}/{value.TAG}" if slot.place is Place.CHOICE else path
        yield from _problems(value, path, now)
        return
    if isinstance(value, str) and (reason := carried_by_xml(value, now)):
        yield f"{path}: {reason}"
    for check in slot.checks:
        reason = check(value, now)
        if reason:
            yield f"{path}: {reason}"

"""Whether a document is valid against a schema: ours, or the one NCMEC serves.

``cybertip.xsd`` beside this module is our own description of the protocol, so that a
document can be checked without a network. Before anything is filed in earnest the
operator's copy of NCMEC's current schema (``GET /xsd``) is the one to validate with.
Nothing here fetches anything, expands an entity or reads a second file.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from lxml import etree

from holdfast.base.errors import InvalidInput

_OWN_SCHEMA = Path(__file__).with_name("cybertip.xsd")
_XS = "{http://www.w3.org/2001/XMLSchema}"
# What would make the schema compiler read another document.
_REACHING_OUT = ("import", "include", "redefine", "override")
# The one kind of finding whose text holds element names alone, never a value.
_ABOUT_ELEMENTS = "SCHEMAV_ELEMENT_CONTENT"

# A compiled schema keeps its findings on itself, so threads take turns.
_turn = Lock()


class UnreadableXml(InvalidInput):
    """Not well-formed, or with a document type, which this protocol never has."""

    code = "unreadable-xml"


def parse(document: bytes) -> etree._Element:
    """The root of ``document``, read without entities, DTD or network.

    Raises :class:`UnreadableXml`.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableXml("This is not well-formed XML.") from error
    # A document type is the carrier of every entity attack, whatever its encoding.
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise UnreadableXml("XML with a document type is refused.")
    return root


def own_schema() -> bytes:
    """Our schema of reports, file details and answers, written from the facts."""
    return _OWN_SCHEMA.read_bytes()


@lru_cache(maxsize=4)
def _compiled(xsd: bytes) -> etree.XMLSchema:
    root = parse(xsd)
    if any(root.find(f"{_XS}{name}") is not None for name in _REACHING_OUT):
        raise UnreadableXml("A schema that reads other documents is refused.")
    try:
        return etree.XMLSchema(root)
    except etree.XMLSchemaParseError as error:
        raise UnreadableXml("This is not an XML schema.") from error


def validate(document: bytes, xsd: bytes) -> list[str]:
    """What is wrong with ``document`` by the schema ``xsd``; empty when valid.

    Each line is ``path: reason`` and repeats no value of the document. Raises
    :class:`UnreadableXml` when ``xsd`` itself is not a usable schema.
    """
    try:
        root = parse(document)
    except UnreadableXml as error:
        return [f"document: {error.message}"]
    with _turn:
        schema = _compiled(xsd)
        schema.validate(root.getroottree())
        findings: Any = schema.error_log
        return [_described(entry) for entry in findings]


def _described(entry: Any) -> str:
    if entry.type_name == _ABOUT_ELEMENTS:
        return f"{entry.path}: {entry.message}"
    return f"{entry.path}: {entry.type_name}"

"""CyberTips with one thing wrong: every thing, in every place."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

from lxml import etree

from .cybertips import ANSWERS, DETAILS, MAXIMAL, MINIMAL

_Change = Callable[[etree._Element], None]

# What public clients set on the wrong element, and what belongs elsewhere.
_ATTRIBUTES = {
    "type": "Other",
    "accountType": "Billing",
    "fleaCountry": "NO",
    "thirdPartyUser": "true",
    "thirdPartyHostedContent": "1",
    "verified": "yes",
    "timestamp": "2020-01-01T00:00:00Z",
    "disabledDate": "2020-01-01",
    "reason": "VIRAL_POTENTIAL_MEME",
}
_TEXTS = ("", " ", "x", "true", "0", "-1", "1.5", "US", "2020-01-01", "Upload")
_STRANGERS = (
    "informational",
    "ageAssertionDiscrepancy",
    "fileName",
    "potentialMeme",
    "batchedReport",
    "additionalInfo",
    "thirdPartyHostedContent",
    "email",
)


def roots() -> list[etree._Element]:
    """The documents that the spoilt ones are made from, each valid."""
    documents = [one.to_xml() for one in (MINIMAL, MAXIMAL, DETAILS)]
    batched = etree.fromstring(MINIMAL.to_xml())
    batched.insert(0, etree.Element("batchedReport", reason="VIRAL_POTENTIAL_MEME"))
    named = etree.fromstring(DETAILS.to_xml())
    name = etree.Element("fileName")
    named.insert(2, name)
    old_mark = copy.deepcopy(named)
    marks = old_mark.find("fileAnnotations")
    assert marks is not None
    for mark in list(marks):
        marks.remove(mark)
    marks.tag = "potentialMeme"
    marks.text = "true"
    parsed = [etree.fromstring(one) for one in (*documents, *ANSWERS)]
    return [*parsed, batched, named, old_mark]


def spoilt(root: etree._Element) -> Iterator[bytes]:
    """``root`` with one thing changed, in every place and in many ways."""
    for at in range(sum(1 for _ in root.iter())):
        changes: tuple[_Change, ...] = (_moved, _doubled, _removed, *_edits())
        for change in changes:
            copied = copy.deepcopy(root)
            element = list(copied.iter())[at]
            change(element)
            yield etree.tostring(copied)


def _edits() -> Iterator[_Edit]:
    for text in _TEXTS:
        yield _Edit("text", text)
    for name in _ATTRIBUTES:
        yield _Edit("attribute", name)
    for name in _STRANGERS:
        yield _Edit("stranger", name)
    yield _Edit("name", "unknown")
    yield _Edit("bare", "")


class _Edit:
    """One change of one element."""

    def __init__(self, what: str, value: str) -> None:
        self.what = what
        self.value = value

    def __call__(self, element: etree._Element) -> None:
        if self.what == "text":
            if not len(element):
                element.text = self.value
        elif self.what == "attribute":
            element.set(self.value, _ATTRIBUTES[self.value])
        elif self.what == "stranger":
            element.addnext(etree.Element(self.value)) if (
                element.getparent() is not None
            ) else element.append(etree.Element(self.value))
        elif self.what == "name":
            element.tag = self.value
        else:
            element.attrib.clear()


def _moved(element: etree._Element) -> None:
    following = element.getnext()
    if following is not None:
        following.addnext(element)


def _doubled(element: etree._Element) -> None:
    if element.getparent() is not None:
        element.addnext(copy.deepcopy(element))


def _removed(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)

"""A double of NCMEC's hash sharing API, version 2: ``/v2/entries`` and its pages.

The shape of a page is that of NCMEC's documentation
(report.cybertip.org/hashsharing/v2), as the tests of python-threatexchange quote it.
Entries are not in the order of time.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from holdfast.matching.connectors.fake_server import Answer, Double, Request

NAMESPACE = "https://hashsharing.ncmec.org/hashsharing/v2"
_DATE = "%Y-%m-%dT%H:%M:%SZ"
_DATE_OF_LINK = "%Y-%m-%dT%H:%M:%S.000Z"


@dataclass(frozen=True)
class Entry:
    """One entry as it now stands; ``at`` is when it last changed, in seconds."""

    name: str
    member: int
    kind: str
    at: int
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    classification: str = "A1"
    deleted: bool = False


class FakeNCMEC(Double):
    """The double; ``page_size`` stands for NCMEC's thousand."""

    base_path = "/hashsharing"

    def __init__(self, username: str, password: str, page_size: int = 1000) -> None:
        super().__init__()
        self.page_size = page_size
        self.entries: dict[tuple[int, str], Entry] = {}
        self.unreadable = 0
        self.next_elsewhere = ""
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._authorization = f"Basic {pair}"

    def put(self, entry: Entry) -> None:
        """Add an entry, or put it in the place of the one of its name."""
        self.entries.pop((entry.member, entry.name), None)
        self.entries[entry.member, entry.name] = entry

    def answer(self, request: Request) -> Answer:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given, self._authorization):
            return Answer(b"", "text/plain", 401)
        if request.path != f"{self.base_path}/v2/entries":
            return Answer(b"", "text/plain", 404)
        begin, end = (_seconds(request.query[name]) for name in ("from", "to"))
        found = [each for each in self.entries.values() if begin <= each.at < end]
        start = int(request.query.get("start", "1")) - 1
        page = found[start : start + self.page_size]
        root = self._page(page)
        if start + self.page_size < len(found):
            self._link(root, begin, end, start + self.page_size, len(found))
        return Answer(ET.tostring(root, "utf-8", xml_declaration=True), "text/xml")

    def _page(self, page: list[Entry]) -> ET.Element:
        root = ET.Element("queryResult", xmlns=NAMESPACE)
        for kind in ("image", "video"):
            some = [each for each in page if each.kind == kind]
            if not some:
                continue
            latest = datetime.fromtimestamp(max(each.at for each in some), UTC)
            group = ET.SubElement(root, f"{kind}s", count=str(len(some)))
            group.set("maxTimestamp", latest.strftime(_DATE))
            for each in some:
                _write(group, each)
            for _ in range(self.unreadable):
                ET.SubElement(ET.SubElement(group, kind), "id").text = "nobodys"
        return root

    def _link(self, root: ET.Element, begin: int, end: int, at: int, most: int) -> None:
        span = {
            "from": datetime.fromtimestamp(begin, UTC).strftime(_DATE_OF_LINK),
            "to": datetime.fromtimestamp(end, UTC).strftime(_DATE_OF_LINK),
            "start": at + 1,
            "size": self.page_size,
            "max": most,
        }
        link = ET.SubElement(ET.SubElement(root, "paging"), "next")
        link.text = self.next_elsewhere or f"/v2/entries?{urlencode(span)}"


def _write(group: ET.Element, entry: Entry) -> None:
    name = f"deleted{entry.kind.title()}" if entry.deleted else entry.kind
    node = ET.SubElement(group, name)
    member = ET.SubElement(node, "member", id=str(entry.member))
    member.text = f"Member {entry.member}"
    ET.SubElement(node, "id").text = entry.name
    at = datetime.fromtimestamp(entry.at, UTC)
    ET.SubElement(node, "timestamp").text = at.strftime(_DATE)
    if entry.deleted:
        return
    ET.SubElement(node, "classification").text = entry.classification
    prints = ET.SubElement(node, "fingerprints")
    for kind, text in entry.fingerprints.items():
        ET.SubElement(prints, kind).text = text
    ET.SubElement(prints, "videntifier", rel="self", href="/v2/entries/1/fingerprints")


def _seconds(text: str) -> int:
    form = _DATE_OF_LINK if "." in text else _DATE
    return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())

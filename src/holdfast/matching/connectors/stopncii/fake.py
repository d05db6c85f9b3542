"""A double of StopNCII's ``FetchHashes``, as Meta's client for it expects it.

Its pages say all along how far the whole set goes (``nextSetTimestamp``), as those do
that the client's tests quote: whoever went on from there after the first page would
miss the others.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from typing import Any

from holdfast.matching.connectors.fake_server import Answer, Double, Request


@dataclass(frozen=True)
class Hash:
    """One hash as it now stands; ``at`` is when it last changed, in seconds."""

    value: str
    at: int
    kind: str = "ImagePDQ"
    status: str = "Active"
    feedback: tuple[tuple[str, str], ...] = ()
    """Who said what: (``Some network``, ``Blocked``)."""


class FakeStopNCII(Double):
    """The double."""

    base_path = "/v1"

    def __init__(
        self, function_key: str, subscription_key: str, page_size: int = 800
    ) -> None:
        super().__init__()
        self.page_size = page_size
        self.hashes: dict[tuple[str, str], Hash] = {}
        self.unreadable: list[Any] = []
        self._keys = {
            "x-functions-key": function_key,
            "ocp-apim-subscription-key": subscription_key,
        }

    def put(self, one: Hash) -> None:
        """Add a hash, or put it in the place of the same."""
        self.hashes.pop((one.kind, one.value), None)
        self.hashes[one.kind, one.value] = one

    def answer(self, request: Request) -> Answer:
        for name, key in self._keys.items():
            if not hmac.compare_digest(request.headers.get(name, ""), key):
                return Answer(b'{"statusCode": 401}', "application/json", 401)
        if request.path != f"{self.base_path}/FetchHashes":
            return Answer(b"", "text/plain", 404)
        since = int(request.query["startTimestamp"])
        size = min(self.page_size, int(request.query["pageSize"]))
        found = sorted(
            (each for each in self.hashes.values() if each.at >= since),
            key=lambda each: each.at,
        )
        token = request.query.get("nextPageToken", "")
        start = int(token.removeprefix("page:")) if token else 0
        page = found[start : start + size]
        more = start + size < len(found)
        document = {
            "count": len(page),
            "nextSetTimestamp": found[-1].at if found else since,
            "nextPageToken": f"page:{start + size}" if more else None,
            "hasMoreRecords": more,
            "hashRecords": [_record(each) for each in page] + self.unreadable,
        }
        return Answer(json.dumps(document).encode(), "application/json")


def _record(one: Hash) -> dict[str, Any]:
    record: dict[str, Any] = {
        "lastModtimestamp": one.at,
        "hashValue": one.value,
        "hashStatus": one.status,
        # An empty object is written as a list by the service.
        "caseNumbers": [],
        "signalType": one.kind,
        "hashRegions": ["UK"],
    }
    if one.feedback:
        record["CSPFeedbacks"] = [
            {"source": source, "feedbackValue": said, "tags": ["Nude"]}
            for source, said in one.feedback
        ]
    return record

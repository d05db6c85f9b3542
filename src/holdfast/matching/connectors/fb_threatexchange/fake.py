"""A double of ThreatExchange's ``/threat_updates``, by Meta's documentation.

developers.facebook.com/docs/threat-exchange/reference/apis/threat-updates, and what the
library expects of it. A page's link to the next is a whole address that holds the
token, as the Graph API's are; a token that does not count is HTTP 400 with code 190.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from holdfast.matching.connectors.fake_server import Answer, Double, Request


@dataclass(frozen=True)
class Indicator:
    """One indicator as it now stands; ``at`` is when it last changed, in seconds."""

    value: str
    at: int
    kind: str = "HASH_PDQ"
    status: str = "MALICIOUS"
    tags: tuple[str, ...] = ()
    deleted: bool = False
    owner: str | None = "42"
    """None: the descriptor can be seen and its owner cannot, a fault of Meta's."""


class FakeThreatExchange(Double):
    """The double, with one privacy group."""

    base_path = "/v26.0"

    def __init__(self, token: str, group: int, page_size: int = 100) -> None:
        super().__init__()
        self.page_size = page_size
        self.indicators: dict[tuple[str, str], Indicator] = {}
        self.unreadable: list[Any] = []
        self.next_elsewhere = ""
        self._token = token
        self._group = group

    def put(self, one: Indicator) -> None:
        """Add an indicator, or put it in the place of the same."""
        self.indicators.pop((one.kind, one.value), None)
        self.indicators[one.kind, one.value] = one

    def answer(self, request: Request) -> Answer:
        given = request.query.get("access_token", "")
        if not hmac.compare_digest(given, self._token):
            return _error(400, 190, "Invalid OAuth access token.")
        if request.path != f"{self.base_path}/{self._group}/threat_updates/":
            return _error(404, 100, "Unsupported get request.")
        since = int(request.query.get("start_time", "0"))
        size = min(self.page_size, int(request.query["limit"]))
        found = sorted(
            (each for each in self.indicators.values() if each.at >= since),
            key=lambda each: each.at,
        )
        start = int(request.query.get("after", "0"))
        document: dict[str, Any] = {
            "data": [_update(each) for each in found[start : start + size]]
            + self.unreadable
        }
        if start + size < len(found):
            query = urlencode({**request.query, "after": start + size})
            origin = self.url.removesuffix(self.base_path)
            document["paging"] = {
                "next": self.next_elsewhere or f"{origin}{request.path}?{query}"
            }
        return Answer(json.dumps(document).encode(), "application/json")


def _update(one: Indicator) -> dict[str, Any]:
    update: dict[str, Any] = {
        "id": str(abs(hash((one.kind, one.value)))),
        "indicator": one.value,
        "type": one.kind,
        "last_updated": one.at,
        "should_delete": one.deleted,
    }
    if not one.deleted:
        descriptor: dict[str, Any] = {
            "id": "7",
            "status": one.status,
            "tags": {"data": [{"id": "1", "text": tag} for tag in one.tags]},
        }
        if one.owner is not None:
            descriptor["owner"] = {"id": one.owner}
        update["descriptors"] = {"data": [descriptor]}
    return update


def _error(status: int, code: int, message: str) -> Answer:
    document = {"error": {"message": message, "type": "OAuthException", "code": code}}
    return Answer(json.dumps(document).encode(), "application/json", status)

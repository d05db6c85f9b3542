"""What every request passes first: the key, its scope, the size, the rate.

Nothing of the body is read before this. Who calls is handed to the views as a
:class:`~holdfast.items.keys.Caller` and never kept anywhere else.
"""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest
from ninja.security import HttpBearer

from holdfast.base.by import By, Permission
from holdfast.base.errors import NotAllowed
from holdfast.items.keys import Caller, authenticate
from holdfast.web.api import limits


class ApiKey(HttpBearer):
    """A platform's key: ``Authorization: Bearer hf_<prefix>_<secret>``.

    ``scope``: what the key must be allowed; None: any key. ``max_bytes``: the largest
    body. ``chunked``: whether the body may come without its length. ``own_rate``: the
    view asks for its own allowance, because only it knows what is asked.
    """

    openapi_description = "A key of one platform, shown once when it is made."

    def __init__(
        self,
        scope: Permission | None = None,
        *,
        max_bytes: int = limits.MAX_JSON_BYTES,
        chunked: bool = False,
        own_rate: bool = False,
    ) -> None:
        super().__init__()
        self.scope = scope
        self.max_bytes = max_bytes
        self.chunked = chunked
        self.own_rate = own_rate

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """The caller; None for a key that is not known, which is a 401."""
        try:
            caller = authenticate(token)
        except NotAllowed:
            return None
        if self.scope is not None and self.scope not in caller.by.permissions:
            raise NotAllowed(
                f"This key lacks the scope {self.scope.value}. An administrator can "
                "make a key that has it."
            )
        limits.check_length(request, self.max_bytes, chunked=self.chunked)
        if not self.own_rate:
            limits.admit(caller)
        return caller


def caller_of(request: HttpRequest) -> Caller:
    """Who calls, as :class:`ApiKey` found out."""
    return cast(Caller, request.auth)  # type: ignore[attr-defined]  # Set by Ninja.


def reading(caller: Caller) -> By:
    """The same caller, reading the state of what it has just written."""
    by = caller.by
    return By(by.kind, by.id, by.permissions | {Permission.ITEMS_READ})

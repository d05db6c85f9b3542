"""The on-call webhook: the same signed request as to a platform, any 2xx is enough.

The address and the secret come from the settings; none is written here. The receiver
(a pager service, a chat) is not asked for a confirmation: people confirm, by
acknowledging the alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.base.errors import Unavailable
from holdfast.enforcement.connectors.webhook.client import post_signed


def send(url: str, secret: str, message_id: str, body: Mapping[str, Any]) -> None:
    """Post an alarm. Raises :class:`Unavailable` unless the answer is a 2xx."""
    answer = post_signed(url, secret, message_id, body)
    if not 200 <= answer.status < 300:
        raise Unavailable("The on-call webhook refused it.", status=answer.status)

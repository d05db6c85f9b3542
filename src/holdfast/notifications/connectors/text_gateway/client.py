"""Text messages to phones, through a gateway of the operator's own.

There is no telephone here: a short program of the operator takes a signed request, the
same as a platform gets, and hands the words to whatever company sends them. The address
and the secret come from the settings; none is written here.

The body is ``{"type": "text.send", "timestamp": …, "data": {"id", "to", "words"}}``,
with ``to`` as ``+`` and digits. Any 2xx: it is taken. 410 or 422: this number takes
nothing, do not try again. All else is tried again, with the same id.
"""

from __future__ import annotations

from datetime import datetime

from holdfast.base.errors import Unavailable
from holdfast.enforcement.connectors.webhook.client import post_signed
from holdfast.notifications.connectors.smtp.client import NoSuchAddress

NEVER_AGAIN = (410, 422)
"""HTTP statuses (RFC 9110, sections 15.5.11 and 15.5.21) for a number that takes
nothing."""


def send_text(
    url: str, secret: str, message_id: str, to: str, words: str, made_at: datetime
) -> None:
    """Hand one message on. Raises ``NoSuchAddress`` or ``Unavailable``."""
    body = {
        "type": "text.send",
        "timestamp": made_at.isoformat(),
        "data": {"id": message_id, "to": to, "words": words},
    }
    answer = post_signed(url, secret, message_id, body)
    if answer.status in NEVER_AGAIN:
        raise NoSuchAddress("The number takes nothing.", status=answer.status)
    if not 200 <= answer.status < 300:
        raise Unavailable("The text gateway refused it.", status=answer.status)

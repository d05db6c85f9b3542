"""E-mail by SMTP to the people on call, one message for each address.

The server and the sender come from the settings; none is written here. A message holds
what its caller gives it, which is codes and ids. Addresses are never logged and never
part of an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from smtplib import SMTPException

from django.core.mail import EmailMessage, get_connection

from holdfast.base.errors import Unavailable


def send(addresses: Sequence[str], subject: str, body: str) -> int:
    """Send to each address; returns how many did not get it.

    Raises :class:`Unavailable` when nobody did. A server that cannot be reached is
    asked once and not for every address.
    """
    sent, why = 0, "no-addresses"
    for address in addresses:
        message = EmailMessage(subject, body, to=[address], connection=get_connection())
        try:
            sent += message.send()
        except (SMTPException, ValueError) as error:
            # Refused for this address, or the address is none; the others go on.
            why = type(error).__name__
        except OSError as error:
            why = type(error).__name__
            break
    if not sent:
        raise Unavailable("No e-mail could be sent.", why=why)
    return len(addresses) - sent

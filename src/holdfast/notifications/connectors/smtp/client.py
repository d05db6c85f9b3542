"""E-mail by SMTP: to the people on call, and one letter to one reporter.

The server comes from the settings; none is written here. A message holds what its
caller gives it: codes and ids for the people on call, neutral words for a reporter.
Addresses are never logged and never part of an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.utils import make_msgid, parseaddr
from smtplib import SMTPException, SMTPRecipientsRefused

from django.core.mail import EmailMessage, get_connection

from holdfast.base.errors import Refused, Unavailable

PERMANENT = 500
"""From here on an SMTP reply means "never" and not "later" (RFC 5321, 4.2.1)."""
NO_ANSWERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
"""Asks other machines to answer nothing (RFC 3834, section 5, and Exchange's own)."""


class NoSuchAddress(Refused):
    """The address takes nothing, now or later."""

    code = "no-such-address"


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


def send_letter(address: str, sender: str, subject: str, body: str) -> None:
    """Send one message to one address, from a sender that says nothing.

    Raises as :func:`write`.
    """
    # Without one of ours Django names this machine in it.
    host = parseaddr(sender)[1].rpartition("@")[2]
    named = {"Message-ID": make_msgid(domain=host or "localhost")}
    write(address, subject, body, sender=sender, headers={**NO_ANSWERS, **named})


def write(
    address: str,
    subject: str,
    body: str,
    *,
    sender: str,
    headers: Mapping[str, str],
) -> None:
    """One message to one person; headers that are blank are left out.

    Raises :class:`NoSuchAddress` when trying again is of no use, and
    :class:`Unavailable` when it may be.
    """
    message = EmailMessage(
        subject,
        body,
        from_email=sender,
        to=[address],
        headers={name: value for name, value in headers.items() if value},
        connection=get_connection(),
    )
    try:
        message.send()
    except SMTPRecipientsRefused as error:
        codes = [code for code, _said in error.recipients.values()]
        if codes and min(codes) >= PERMANENT:
            raise NoSuchAddress("The address takes nothing.", status=codes[0]) from None
        raise Unavailable("It was not taken.", why=type(error).__name__) from None
    except ValueError as error:
        raise NoSuchAddress("It is no address.", why=type(error).__name__) from None
    except (SMTPException, OSError) as error:
        raise Unavailable("No e-mail can be sent.", why=type(error).__name__) from None

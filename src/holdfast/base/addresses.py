"""The addresses of services that Holdfast calls: what may be configured as one."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from holdfast.base.errors import InvalidInput


def checked_address(url: str, whose: str) -> str:
    """``url`` without a slash at its end. Raises ``InvalidInput``, in the words that
    the address is ``whose``.

    It is https, or on this machine itself, where a double stands.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidInput(f"{whose} address is no URL.") from error
    clear = parts.scheme == "http" and is_this_machine(host)
    if not host or not (parts.scheme == "https" or clear):
        raise InvalidInput(f"{whose} address must begin with https://.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidInput(f"{whose} address is a host and a path only.")
    return url.rstrip("/")


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine, so that nobody else can listen."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

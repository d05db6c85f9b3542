"""Where a request comes from when proxies stand in front of this server. Pure.

``X-Forwarded-For`` is a list to which each proxy adds, on the right, who spoke to it;
all that stands left of that was said by whoever asked, and anybody can say anything. So
nothing is believed but what a proxy says that was named as ours: the right-most address
that is none of theirs is where the request comes from. What cannot be read is nowhere.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from holdfast.base.errors import InvalidInput

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SOCKET: Final = "unix"
"""How a proxy is named that reaches this server by a socket of the same machine."""
_WITH_PORT = re.compile(r"\[(?P<six>[^\[\]]+)\](?::\d+)?|(?P<four>[\d.]+):\d+")
"""Some proxies write the port, too; an IPv6 address then stands in brackets."""


@dataclass(frozen=True)
class Proxies:
    """The proxies that this installation trusts; by default none."""

    networks: tuple[Network, ...] = ()
    by_socket: bool = False

    @classmethod
    def of(cls, named: Iterable[str]) -> Proxies:
        """From networks or addresses, and :data:`SOCKET`. Raises ``InvalidInput``."""
        networks = []
        by_socket = False
        for each in named:
            if each == SOCKET:
                by_socket = True
                continue
            try:
                network = ipaddress.ip_network(each)
            except ValueError as error:
                raise InvalidInput(f"A trusted proxy is a network: {error}.") from error
            if not network.prefixlen:
                raise InvalidInput(f"To trust {each} is to believe everybody.")
            networks.append(network)
        return cls(tuple(networks), by_socket)

    def address(self, peer: str, forwarded: str) -> str:
        """The address that a request comes from; blank when it cannot be known.

        ``peer`` speaks to this server (blank by a socket); ``forwarded`` is the header.
        """
        if peer:
            here = _read(peer)
            if here is None or not self._trusts(here):
                return str(here or "")
        elif not self.by_socket:
            return ""
        for said in reversed(forwarded.split(",")):
            there = _read(said)
            if there is None or not self._trusts(there):
                return str(there or "")
        return ""

    def __str__(self) -> str:
        named = [SOCKET] * self.by_socket + [str(each) for each in self.networks]
        return ", ".join(named)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


def _read(text: str) -> Address | None:
    text = text.strip()
    if found := _WITH_PORT.fullmatch(text):
        text = found["six"] or found["four"]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # By a socket that speaks both, an IPv4 address comes in the clothes of IPv6.
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address

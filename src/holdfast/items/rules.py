"""URLs: one item has one normal form, however it was written down. Pure.

Mobile, short and share addresses lead to the same item. What is only an address form
is folded here; what only the platform knows (short codes) is asked of the platform.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

MAX_URL_LENGTH = 2083
"""Characters; the longest that the CyberTipline takes (its documentation, 2.1)."""
TRACKING = re.compile(r"^(utm_.*|fbclid|gclid|igsh(id)?)$")
"""Query arguments that say who shared an address and not what it shows."""
SHARING = re.compile(r"^(si|s|t|ref|share(_id)?|src)$")
"""Query arguments that say this on some sites, and on others what is shown: ``t`` is a
topic in many forums. An item keeps those that its platform registered it with."""
MOBILE = re.compile(r"^(www|m|mobile|amp|touch)\.")


def normal_urls(url: str, aliases: Iterable[Mapping[str, str]] = ()) -> tuple[str, ...]:
    """Under which normal forms to look for an address, the most exact first."""
    rules = list(aliases)
    exact = normal_url(url, rules, keep_sharing=True)
    return tuple(dict.fromkeys(filter(None, (exact, normal_url(url, rules)))))


def normal_url(
    url: str,
    aliases: Iterable[Mapping[str, str]] = (),
    *,
    keep_sharing: bool = False,
) -> str:
    """The normal form of an address, or ``""`` if it is none.

    Scheme, ``www.`` and ``m.``, default port, tracking arguments, fragment, trailing
    slash and letter case of the host do not matter. ``aliases`` are the platform's own
    ``{"pattern", "url"}`` rules: the first whose pattern matches the whole folded
    address rewrites it (``\\1`` stands for a group). ``keep_sharing`` keeps the
    arguments that may say what is shown (``SHARING``).
    """
    text = url.strip()
    if not re.match(r"^[a-zA-Z][a-zA-Z0-9+.-]*://", text):
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        return ""
    host = MOBILE.sub("", parts.hostname.lower().rstrip("."))
    if port and port not in (80, 443):
        host = f"{host}:{port}"
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query)
        if not TRACKING.match(name.lower())
        and (keep_sharing or not SHARING.match(name.lower()))
    ]
    path = unquote(parts.path).rstrip("/")
    if not path.isprintable() or not host.isprintable():
        # No address has control characters; a NUL would break the database's text.
        return ""
    folded = urlunsplit(("", host, path, urlencode(sorted(query)), ""))[2:]
    for alias in aliases:
        match = re.fullmatch(alias["pattern"], folded)
        if match:
            folded = match.expand(alias["url"])
            break
    return folded[:MAX_URL_LENGTH]


def handle(named: str) -> str:
    """The name of an account in lower case, of ``@sunny``; ``""`` if it is none."""
    found = re.fullmatch(r"@([^\s@/]{1,256})", named.strip())
    return found[1].lower() if found else ""


def host_of(url: str) -> str:
    """The host of an address with its port, in lower case; ``""`` if it has none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def host_allowed(url: str, hosts: Iterable[str]) -> bool:
    """Whether an address is on one of the hosts (``host`` or ``host:port``)."""
    netloc = host_of(url)
    return bool(netloc) and any(
        netloc == host or netloc.partition(":")[0] == host for host in hosts
    )

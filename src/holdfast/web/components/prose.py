"""A few words of Markdown as HTML: paragraphs, lists, ``code`` and **strong**.

For what: the texts of the API's document, which other programs read as Markdown, on a
page of ours. Never does: pass markup through; everything is escaped first. What it
does not know of Markdown stays as it was written.
"""

from __future__ import annotations

import re

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_CODE = re.compile(r"(`+)(.+?)\1")
_STRONG = re.compile(r"\*\*(.+?)\*\*")
_POINT = re.compile(r"^\* ", re.MULTILINE)


def inline(text: str) -> SafeString:
    """One run of words."""
    marked = _CODE.sub(r"<code>\2</code>", escape(text.strip()))
    return mark_safe(_STRONG.sub(r"<strong>\1</strong>", marked))


def prose(text: str) -> SafeString:
    """Paragraphs and lists, with an empty line between them."""
    blocks = re.split(r"\n\s*\n", text.strip())
    return mark_safe("\n".join(_block(each) for each in blocks if each))


def _block(text: str) -> str:
    if not text.startswith("* "):
        return f"<p>{inline(text)}</p>"
    points = _POINT.split(text)[1:]
    return "<ul>" + "".join(f"<li>{inline(each)}</li>" for each in points) + "</ul>"

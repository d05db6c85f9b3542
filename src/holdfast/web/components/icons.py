"""Icons as inline SVG, drawn in the colour of the text beside them.

For what: a shape next to a word, so that colour is never the only sign. Never does:
stand alone (every icon is hidden from assistive technology, and the word beside it
says the same), load a file or name a colour. Rule: design section 7.
"""

from __future__ import annotations

from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

# Each value is one SVG path in a 24 by 24 box, filled by the even-odd rule: an inner
# outline is a hole.
PATHS: Final[dict[str, str]] = {
    "info": (
        "M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20z"
        "M10.8 10.5h2.4v7h-2.4zM10.8 6.3h2.4v2.5h-2.4z"
    ),
    "warning": "M12 2.5L23 21.5H1zM10.9 9h2.2v6.5h-2.2zM10.9 17h2.2v2.2h-2.2z",
    "success": (
        "M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20z"
        "M10.6 16.6L6 12l1.6-1.6 3 3 6-6L18.2 9z"
    ),
    "octagon": (
        "M8 2h8l6 6v8l-6 6H8l-6-6V8zM10.8 6h2.4v8h-2.4zM10.8 15.8h2.4v2.4h-2.4z"
    ),
    "triangle": "M12 3L22.5 21H1.5z",
    "diamond": "M12 2l10 10-10 10L2 12z",
    "circle": (
        "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18z"
        "M12 6.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11z"
    ),
    "eye": (
        "M12 5C6.5 5 2.6 9 1 12c1.6 3 5.5 7 11 7s9.4-4 11-7c-1.6-3-5.5-7-11-7z"
        "M12 8a4 4 0 1 1 0 8a4 4 0 1 1 0-8z"
    ),
    "leave": "M4 4h9v2H6v12h7v2H4zM15 7l5 5-5 5-1.4-1.4 2.6-2.6H9v-2h7.2l-2.6-2.6z",
    "back": "M15.5 4L7.5 12l8 8 1.7-1.7L10.9 12l6.3-6.3z",
    "bell": "M12 2a7 7 0 0 0-7 7v6l-2 3h18l-2-3V9a7 7 0 0 0-7-7zM9.5 19.5h5L12 22z",
    "phone": (
        "M6 2h4l2 6-3 2c1 2.5 2.5 4 5 5l2-3 6 2v4"
        "c0 2-1 4-4 4C9 22 2 13 2 6c0-3 2-4 4-4z"
    ),
}


def icon(name: str) -> SafeString:
    """Return the icon ``name`` (a key of :data:`PATHS`) as safe SVG markup.

    Raises ``KeyError`` for a name that is not drawn: a missing sign must not pass.
    """
    return format_html(
        '<svg class="icon icon-{}" viewBox="0 0 24 24" aria-hidden="true" '
        'focusable="false"><path fill-rule="evenodd" d="{}"/></svg>',
        name,
        PATHS[name],
    )

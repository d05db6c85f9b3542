"""Why a picture could not be decoded.

One error with a named reason, so that whoever stores the item can say which it was.
A refusal is about the decoder, never about the report: the item still has its bytes
and its digest, and is still frozen and read by people.
"""

from __future__ import annotations

from enum import StrEnum

from holdfast.base.errors import InvalidInput


class RefusalReason(StrEnum):
    """What stood in the way; the values are stored, so they never change."""

    NOT_A_PICTURE = "not_a_picture"
    NOT_A_VIDEO = "not_a_video"
    TRUNCATED = "truncated"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_LARGE_FILE = "too_large_file"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TOO_LONG = "too_long"
    BROKEN = "broken"


MESSAGES = {
    RefusalReason.NOT_A_PICTURE: "This file is not a picture.",
    RefusalReason.NOT_A_VIDEO: "This file has no moving picture in it.",
    RefusalReason.TRUNCATED: "This file ends before it should; send it again.",
    RefusalReason.TOO_MANY_PIXELS: "This file has too many pixels to open safely.",
    RefusalReason.TOO_LARGE_FILE: "This file is too large to open.",
    RefusalReason.UNSUPPORTED_FORMAT: "Files of this kind cannot be opened here.",
    RefusalReason.TOO_LONG: "This video takes too long to read.",
    RefusalReason.BROKEN: "This file is damaged and cannot be opened.",
}


class MediaRefused(InvalidInput):
    """The bytes cannot be decoded; ``reason`` says why, ``details`` hold numbers."""

    code = "media-refused"

    def __init__(self, reason: RefusalReason, **details: object) -> None:
        super().__init__(MESSAGES[reason], reason=reason.value, **details)
        self.reason = reason

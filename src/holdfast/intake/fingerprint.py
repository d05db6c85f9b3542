"""A picture that a reporter has and does not send: its fingerprint alone. Pure.

It was computed where the picture is, so nothing here has seen what it shows, and
whoever sends it proves nothing by it. What a report by fingerprint may do is therefore
limited by policy. The fingerprint is PDQ; see ``holdfast.signals.pdq``.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from holdfast.base.errors import InvalidInput
from holdfast.signals.hamming import FINGERPRINT_BYTES
from holdfast.signals.pdq import MAX_QUALITY
from holdfast.signals.sign import MIN_QUALITY

FORMS = (1, 8)
"""As it is; or that and how it would be turned and mirrored, in Meta's order."""


@dataclass(frozen=True)
class FingerprintGiven:
    """``forms``: 32 bytes, or 256 of eight forms. ``quality``: 50 to 100, PDQ's.

    ``watch``: whether later uploads that show it are to be hidden, too. Raises
    ``InvalidInput`` for what is no fingerprint or says too little to be compared.
    """

    forms: bytes
    quality: int
    watch: bool = False

    def __post_init__(self) -> None:
        if len(self.forms) not in [FINGERPRINT_BYTES * each for each in FORMS]:
            raise InvalidInput(_("A fingerprint has 32 bytes, or 256 with its turns."))
        if not 0 <= self.quality <= MAX_QUALITY:
            raise InvalidInput(
                _("The quality is a number up to %(most)d.") % {"most": MAX_QUALITY}
            )
        if self.quality < MIN_QUALITY:
            raise InvalidInput(
                _("This picture is too plain to be found again by its fingerprint.")
            )

    @classmethod
    def from_hex(
        cls, text: str, quality: int, *, watch: bool = False
    ) -> FingerprintGiven:
        """From hexadecimal digits, one form after the other."""
        try:
            return cls(bytes.fromhex(text), quality, watch)
        except ValueError as error:
            raise InvalidInput(_("A fingerprint is written in hexadecimal.")) from error

    @property
    def named_as(self) -> str:
        """How the report names it."""
        return f"pdq:{self.forms[:FINGERPRINT_BYTES].hex()}"


def each_form(forms: bytes) -> tuple[bytes, ...]:
    """The fingerprints of 32 bytes that stand one after the other."""
    return tuple(
        forms[start : start + FINGERPRINT_BYTES]
        for start in range(0, len(forms), FINGERPRINT_BYTES)
    )

"""When the frames of a video are shown, and which of them are due.

Time comes from the file, so from a stranger: it may stand still, jump, or run back.
Nothing here believes it further than players do.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

MAX_STEP_S = 600.0
"""A longer step from frame to frame, or one back of over a second, is a clock that was
set anew: time goes on from where it was, so that a file's clock cannot hide frames."""
MAX_FRAMES_UNTAKEN = 60
"""After so many frames one is taken whatever the clock says: a clock that stands still
hides nothing either."""
CLOSE_MS = 30
"""Frames nearer to each other than this are not told apart, however closely is looked:
of films with 60 and more frames a second so many are taken as of those with 30."""
DEFAULT_FRAME_S = 0.04
"""How long a frame is shown where the file says nothing."""


class Clock:
    """Presentation times in milliseconds from the start; they never run back."""

    def __init__(self, start: int | None, time_base: Any, rate: Any) -> None:
        self.now_ms = 0
        self._start, self._scale = start or 0, float(time_base)
        frame_s = 1 / float(rate) if rate else DEFAULT_FRAME_S
        self._frame_s = min(max(frame_s, 0.001), 10.0)
        self._shift_s = 0.0
        self._last_s: float | None = None

    def stated_ms(self, stamp: int) -> float:
        """What the file says, unbelieved: a packet's or frame's time stamp in ms."""
        return (stamp - self._start) * self._scale * 1000

    def at(self, frame: Any) -> int:
        """When a frame is shown, asked for in order of presentation."""
        last_s = self._last_s
        expected_s = 0.0 if last_s is None else last_s + self._frame_s
        stamp = frame.pts if frame.pts is not None else frame.dts
        if stamp is None:
            at_s = expected_s
        else:
            at_s = self.stated_ms(stamp) / 1000 + self._shift_s
            if not -1.0 <= at_s - expected_s <= MAX_STEP_S:
                self._shift_s += expected_s - at_s
                at_s = expected_s
        self._last_s = max(at_s, last_s or 0.0)
        self.now_ms = round(self._last_s * 1000)
        return self.now_ms


class Slots:
    """Time cut into slots of ``every_ms``: the first frame of each is taken.

    What the packets say is noted beside what was taken. Where frames were skipped, a
    slot that has packets and no taken frame near its first one is a slot unseen.
    """

    def __init__(self, every_ms: float) -> None:
        self._every_ms = every_ms
        self._next = 0
        self._untaken = 0
        self._stated: dict[int, float] = {}
        self._taken: list[float] = []

    def note_packet(self, at_ms: float) -> None:
        """A frame is stated to be shown at ``at_ms``."""
        slot = self._slot(at_ms)
        self._stated[slot] = min(at_ms, self._stated.get(slot, at_ms))

    def takes(self, at_ms: int, *, closely: bool = False) -> bool:
        """Whether a frame that was decoded is taken; asked for in order of time.

        ``closely``: also within a slot, if it is CLOSE_MS from the last one.
        """
        self._untaken += 1
        slot = self._slot(at_ms)
        is_taken = slot >= self._next or self._untaken >= MAX_FRAMES_UNTAKEN
        if closely and self._taken:
            is_taken = is_taken or at_ms - self._taken[-1] >= CLOSE_MS
        if is_taken:
            self._taken.append(at_ms)
            self._next, self._untaken = slot + 1, 0
        return is_taken

    def all_seen(self, within_ms: float) -> bool:
        """Whether for each slot a frame was taken near its first packet's time."""
        for at_ms in self._stated.values():
            after = bisect_left(self._taken, at_ms)
            near = self._taken[max(0, after - 1) : after + 1]
            if all(abs(each - at_ms) > within_ms for each in near):
                return False
        return True

    def _slot(self, at_ms: float) -> int:
        # Times are rounded to milliseconds, the edges of slots are not.
        return int((at_ms + 1) // self._every_ms)

"""Hostile video to sampled frames: the only door through which a video is decoded.

Whoever uploads wants the decoder to fail, to run for ever, to open another file or
address, or to show us another film than it shows people. So:

- the container is told from the bytes (:mod:`.video_kind`) and no other demuxer is
  opened; no decoder outside DECODERS either. The file is read through our own reader
  and FFmpeg may open nothing else: no protocol is allowed to it at all, so playlists
  and references inside a file (HLS, concat, ``dref``) lead nowhere;
- bytes, frame size, length and time are bounded, and what is decoded is what people
  see: turned and mirrored as the file says, grey levels stretched to full range;
- time is cut into slots, and the first frame of each is taken, or every one for as long
  as the reader is told to look closely. Frames that no other
  refers to are not decoded (``skip_frame=noref``). That nothing is hidden in them is
  checked, not assumed: if no taken frame is within MAX_UNSEEN_MS of a slot's first, as
  in a file made so that only skipped frames show anything, :meth:`VideoReader.is_sound`
  is false and everything must be decoded.

With several threads FFmpeg decodes frames side by side, and the next ones while the
last is in use. Where a stream is damaged it then guesses at what is missing from frames
that are not finished, each time another way; few damaged bytes would hide a film. So
with several threads it is told to say what is damaged instead
(``err_detect=explode``); the first damage ends that reading, and one thread reads anew.

Interlaced frames are taken as they are stored, both fields woven: PDQ's filter averages
over many lines. Pixels that are not square only change the stated size, since PDQ maps
any shape to a square. A video's transparency, which players disagree about, is ignored.
A file with several video streams is read by the one its flags call the default, else
the first, as players do.

FFmpeg is C code fed by strangers: run this in a worker process that may die.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, BinaryIO

import av
import numpy as np
from av.error import FFmpegError
from av.stream import Disposition
from numpy.typing import NDArray

from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.signals.video_clock import Clock, Slots
from holdfast.signals.video_kind import PREFIX_BYTES, VideoKind, sniff_video
from holdfast.signals.video_luma import luma_as_seen

MAX_FILE_BYTES = 8 * 1024**3
"""Larger files are refused unread. Two hours of 1080p as telephones write them."""
MAX_FRAME_PIXELS = 36_000_000
"""Most pixels of one frame: 8K (7680 x 4320) is 33 million."""
MAX_DURATION_S = 6 * 3600
"""What comes later in a longer video is not read, and that is said."""
MAX_READ_S = 900.0
"""Wall time for one reading; at its end what was read stands, and that is said. One
call into FFmpeg, which no clock interrupts, is bounded by MAX_FRAME_PIXELS."""
MAX_WAIT_S = 60.0
"""Wall time in which FFmpeg must open the file or find its next packet."""
MAX_UNSEEN_MS = 500
"""How far from the frame that was due the taken one may be when others are skipped."""
MAX_THREADS = 8
"""Frames that FFmpeg decodes at a time, at most, where it may use several cores; it
holds a frame more for each."""
FRAMES_AHEAD = 4
"""Decoded frames that then wait for whoever iterates. With both, up to 12 frames more
are in memory than with one thread: 17 MB at 720p, 37 MB at 1080p, 600 MB at 8K. H.264
lets a file refer to 16 in any case."""
READ_BYTES = 256 * 1024
"""How much is read from the file at once."""
DECODERS = (
    "h264,hevc,vp8,vp9,libdav1d,av1,mpeg4,msmpeg4v1,msmpeg4v2,msmpeg4,mpeg1video,"
    "mpeg2video,h263,flv,mjpeg,theora,wmv1,wmv2,wmv3,vc1,prores,dnxhd,ffv1,dvvideo"
)
"""FFmpeg's names of the video decoders that may run. No audio decoder may."""


_TELL_ALL = ("mov", "matroska")
"""Demuxers of containers that state each frame's time and the decoder's settings.
FFmpeg decodes the beginning of a file to learn how far frames are out of order; for
keyframes that means nothing, and it takes as long as one of them. Other containers
state less."""


class Depth(StrEnum):
    """Which frames are decoded."""

    EVERYTHING = "everything"
    REFERENCES = "references"
    """Those that others refer to; about half of what telephones and sites write."""
    KEYFRAMES = "keyframes"
    """Those that stand alone, wherever the encoder put them."""


_SKIP_FRAME = {
    Depth.EVERYTHING: "DEFAULT",
    Depth.REFERENCES: "NONREF",
    Depth.KEYFRAMES: "NONKEY",
}
_SKIP_SMOOTHING = {
    Depth.EVERYTHING: "default",
    # Few frames depend on a B frame, and those close by: measured, 2 bits at most.
    Depth.REFERENCES: "bidir",
    # Nothing depends on what is not smoothed here, and PDQ averages over blocks.
    Depth.KEYFRAMES: "all",
}
"""Where the edges of coded blocks are left as they are, which takes a fifth of the
time. Left so in all frames the error grows from frame to frame (20 bits measured)."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """``luma``: (H, W) uint8 as people see it, 0..255. ``at_ms``: from the start."""

    luma: NDArray[np.uint8]
    at_ms: int


class VideoReader(AbstractContextManager["VideoReader"]):
    """One reading of one video; iterate :meth:`frames` once, then ask what was lost.

    ``source`` is a seekable binary file, read from its beginning. Opening raises
    :class:`MediaRefused`: not_a_video (no container known here, or none with a moving
    picture), too_large_file, too_many_pixels, unsupported_format, broken.
    """

    def __init__(
        self,
        source: BinaryIO,
        *,
        every_s: float,
        depth: Depth,
        threads: int,
        deadline: float,
    ) -> None:
        self.depth = depth
        self.incomplete: RefusalReason | None = None
        """Why this is not the whole video; None if it is. Set by :meth:`frames`."""
        self.width = self.height = 0
        """Of the first frame, in pixels as people see it."""
        self.close_until_ms = -1.0
        """Up to then every decoded frame is taken; whoever iterates may set it."""
        self.is_damaged = False
        """With several threads: the frames are not to be used, one thread must read."""
        self._deadline = deadline
        self._slots = Slots(every_s * 1000)
        self._asked = Slots(every_s * 1000)
        self._packets_ms = 0
        self.kind = _check_file(source)
        self._container = _open(source, self.kind, depth)
        try:
            self._stream = _video_stream(self._container)
            self._prepare(threads)
        except BaseException:
            self._container.close()
            raise
        self._packets = self._container.demux(self._stream)
        self._ahead = ThreadPoolExecutor(1, "decoding") if threads > 1 else None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._ahead is not None:
            # FFmpeg may still be at work on what nobody will ask for.
            self._ahead.shutdown(cancel_futures=True)
        self._packets.close()
        self._container.close()

    @property
    def duration_ms(self) -> int:
        """What the file states, else when the last decoded frame is shown."""
        return max(self._stated_ms, self.read_ms)

    @property
    def read_ms(self) -> int:
        """When the last frame that was read is shown."""
        at_ms = max(self._packets_ms, self._clock.now_ms)
        return min(at_ms, MAX_DURATION_S * 1000)

    def is_sound(self) -> bool:
        """Whether nothing that was due was skipped unseen."""
        if self.is_damaged:
            return False
        return self.depth is not Depth.REFERENCES or self._slots.all_seen(MAX_UNSEEN_MS)

    def frames(self) -> Iterator[Sampled]:
        """The taken frames in order of presentation.

        Raises :class:`MediaRefused` where nothing at all decodes. A stream that breaks
        off or is damaged gives what decodes: that can be shown to people.
        """
        for frame in self.decoded():
            at_ms = self._clock.at(frame)
            if at_ms > MAX_DURATION_S * 1000:
                self.incomplete = RefusalReason.TOO_LONG
                break
            if not self._slots.takes(at_ms, closely=at_ms <= self.close_until_ms):
                continue
            luma = luma_as_seen(frame)
            if not self.width:
                self.height, self.width = _shown_size(luma, self._stream)
            yield Sampled(luma, at_ms)
        if not self.width:
            raise MediaRefused(self.incomplete or RefusalReason.BROKEN, decoded=0)
        is_short = self._stated_ms * 0.9 - 1000 > self.read_ms
        if is_short and self.incomplete in (None, RefusalReason.BROKEN):
            # It states over a second and a tenth more than it has, and its last packet
            # may be cut in two.
            self.incomplete = RefusalReason.TRUNCATED

    def decoded(self) -> Iterator[Any]:
        """PyAV's frames; with several threads decoded while the one before is in use.

        Which frames are decoded does not hang on which of them are taken, so they are
        the same.
        """
        frames = self._decoded()
        if self._ahead is None:
            yield from frames
            return
        coming = deque(
            self._ahead.submit(next, frames, None) for _ in range(FRAMES_AHEAD)
        )
        while (frame := coming.popleft().result()) is not None:
            coming.append(self._ahead.submit(next, frames, None))
            yield frame

    def _decoded(self) -> Iterator[Any]:
        """Every frame the decoder gives, whatever happens between them.

        With several threads up to the first damage.
        """
        asked = given = 0
        for packet in self._needed_packets():
            if time.monotonic() > self._deadline:
                self.incomplete = RefusalReason.TOO_LONG
                return
            asked += packet.size > 0
            try:
                frames = packet.decode()
            except FFmpegError:
                if self._ahead is not None:
                    self.is_damaged = True
                    return
                # Players step over a damaged packet; so must whoever looks for copies.
                self.incomplete = RefusalReason.BROKEN
                continue
            given += len(frames)
            for frame in frames:
                if self._ahead is not None and frame.is_corrupt:
                    self.is_damaged = True
                    return
                if frame.width * frame.height > MAX_FRAME_PIXELS:
                    self.incomplete = RefusalReason.TOO_MANY_PIXELS
                    continue
                yield frame
        if self._ahead is not None and self.depth is Depth.KEYFRAMES:
            # PyAV leaves out what comes after damage among a stream's last frames.
            self.is_damaged = given < asked

    def _needed_packets(self) -> Iterator[Any]:
        for packet in self._demuxed():
            at_ms = None
            if packet.pts is not None:
                at_ms = self._clock.stated_ms(packet.pts)
                self._slots.note_packet(at_ms)
                self._packets_ms = max(self._packets_ms, round(at_ms))
            if self.depth is not Depth.KEYFRAMES or self._is_due(packet, at_ms):
                yield packet

    def _is_due(self, packet: Any, at_ms: float | None) -> bool:
        """Whether a pass over keyframes decodes this one: the first of each slot.

        So what has nothing but keyframes, as what cameras write for editing, is not
        decoded whole.
        """
        if packet.size == 0:
            # The last packet is empty and asks for what is still inside.
            return True
        if not packet.is_keyframe:
            return False
        return at_ms is None or self._asked.takes(round(at_ms))

    def _demuxed(self) -> Iterator[Any]:
        """Packets to the end of the file, or to where it breaks."""
        try:
            yield from self._packets
        except FFmpegError:
            self.incomplete = RefusalReason.TRUNCATED
        except IndexError:
            # At the end PyAV asks for the rest of every stream, and stumbles over one
            # that began in the middle of the file; of ours it has asked before.
            return

    def _prepare(self, threads: int) -> None:
        context = self._stream.codec_context
        if context is None or context.name not in DECODERS.split(","):
            raise MediaRefused(RefusalReason.UNSUPPORTED_FORMAT)
        size = context.width * context.height
        if size > MAX_FRAME_PIXELS:
            raise MediaRefused(RefusalReason.TOO_MANY_PIXELS, pixels=size)
        context.options = {
            "max_pixels": str(MAX_FRAME_PIXELS),
            "skip_loop_filter": _SKIP_SMOOTHING[self.depth],
        }
        context.skip_frame = _SKIP_FRAME[self.depth]
        context.thread_type = "NONE"
        context.thread_count = 1
        if threads > 1:
            # Packets that are skipped pass through FFmpeg's threads too, so that about
            # half of them have nothing to do.
            context.thread_type = "FRAME"
            context.thread_count = min(2 * threads, MAX_THREADS)
            context.options |= {"err_detect": "explode"}
        self._stated_ms = _stated_ms(self._container, self._stream)
        stream = self._stream
        self._clock = Clock(stream.start_time, stream.time_base, stream.average_rate)


def _check_file(source: BinaryIO) -> VideoKind:
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    if size > MAX_FILE_BYTES:
        raise MediaRefused(RefusalReason.TOO_LARGE_FILE, size_bytes=size)
    kind = sniff_video(source.read(PREFIX_BYTES))
    source.seek(0)
    if kind is None:
        raise MediaRefused(RefusalReason.NOT_A_VIDEO)
    return kind


def _open(source: BinaryIO, kind: VideoKind, depth: Depth) -> Any:
    rules = {
        # "none" is no protocol's name: whatever a file refers to stays closed.
        "protocol_whitelist": "none",
        "format_whitelist": kind.demuxer,
        "codec_whitelist": DECODERS,
        "max_streams": "64",
    }
    probing = {"max_pixels": str(MAX_FRAME_PIXELS)}
    if depth is Depth.KEYFRAMES and kind.demuxer in _TELL_ALL:
        probing["skip_frame"] = "all"
    try:
        return av.open(
            source,
            format=kind.demuxer,
            container_options=rules,
            options=probing,
            metadata_errors="replace",
            buffer_size=READ_BYTES,
            timeout=MAX_WAIT_S,
            io_open=_open_nothing,
        )
    except (FFmpegError, ValueError) as error:
        raise MediaRefused(RefusalReason.BROKEN) from error


def _open_nothing(url: str, flags: int, options: dict[str, str]) -> BinaryIO:
    """What FFmpeg gets when a file names another: always a refusal."""
    raise MediaRefused(RefusalReason.UNSUPPORTED_FORMAT, refers_to_files=1)


def _video_stream(container: Any) -> Any:
    """The moving picture people are shown; covers and subtitles are none."""
    streams = container.streams.video
    moving = [s for s in streams if not s.disposition & Disposition.attached_pic]
    if not moving:
        raise MediaRefused(RefusalReason.NOT_A_VIDEO, video_streams=0)
    return next((s for s in moving if s.disposition & Disposition.default), moving[0])


def _stated_ms(container: Any, stream: Any) -> int:
    """How long the file says it is; 0 where it says nothing."""
    if stream.duration is not None:
        stated = int(stream.duration * stream.time_base * 1000)
    else:
        stated = (container.duration or 0) * 1000 // av.time_base
    return max(0, min(stated, MAX_DURATION_S * 1000))


def _shown_size(luma: NDArray[np.uint8], stream: Any) -> tuple[int, int]:
    """(height, width) with square pixels; an absurd pixel shape is not believed."""
    height, width = luma.shape
    shape = stream.sample_aspect_ratio
    if shape and 0.1 <= shape <= 10:
        width = round(width * float(shape))
    return height, width

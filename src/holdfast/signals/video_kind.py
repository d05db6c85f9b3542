"""What kind of video a file is, told from its first bytes and never from its name.

FFmpeg knows some three hundred formats, and among them are playlists that name other
files and addresses. So it is never asked to guess: a file is one of the containers
here, that demuxer alone is opened, and everything else is refused. Whether there is
a moving picture inside is only known once it is opened: :mod:`.video_frames`.
"""

from __future__ import annotations

from enum import Enum

PREFIX_BYTES = 4096
"""How many of a file's first bytes :func:`sniff_video` needs to see."""
_TS_PACKET_BYTES = 188
_M2TS_PACKET_BYTES = 192
"""A transport stream's packet, and the same after a 4-byte time stamp (Blu-ray)."""
_TS_SYNC = 0x47
_EBML = b"\x1a\x45\xdf\xa3"
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_MOV_ATOMS = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""What an old QuickTime file, which has no file type box, may begin with."""
_PICTURE_BRANDS = frozenset(
    {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
    | {b"mif1", b"msf1"}
)
"""Major brands of pictures in the same container; :mod:`.media` has those."""


class VideoKind(Enum):
    """A container: FFmpeg's name of its demuxer, and the media type."""

    MP4 = "mov", "video/mp4"
    QUICKTIME = "mov", "video/quicktime"
    THREE_GP = "mov", "video/3gpp"
    WEBM = "matroska", "video/webm"
    MATROSKA = "matroska", "video/x-matroska"
    AVI = "avi", "video/vnd.avi"
    MPEG_TS = "mpegts", "video/mp2t"
    MPEG_PS = "mpeg", "video/mpeg"
    FLASH = "flv", "video/x-flv"
    ASF = "asf", "video/x-ms-asf"
    OGG = "ogg", "video/ogg"

    def __init__(self, demuxer: str, media_type: str) -> None:
        self.demuxer = demuxer
        self.media_type = media_type


_BEGINNINGS = (
    (b"\0\0\x01\xba", VideoKind.MPEG_PS),
    (b"FLV\x01", VideoKind.FLASH),
    (_ASF, VideoKind.ASF),
    (b"OggS", VideoKind.OGG),
)


def is_video(prefix: bytes) -> bool:
    """Whether a file that begins so is opened as a video; see :func:`sniff_video`."""
    return sniff_video(prefix) is not None


def sniff_video(prefix: bytes) -> VideoKind | None:
    """The container, from the first PREFIX_BYTES of a file, or None.

    A GIF, an animated WebP or AVIF is a picture: None here.
    """
    for beginning, kind in _BEGINNINGS:
        if prefix.startswith(beginning):
            return kind
    if prefix[4:8] == b"ftyp":
        return _by_brand(prefix[8:12])
    if prefix[4:8] in _MOV_ATOMS:
        return VideoKind.QUICKTIME
    if prefix.startswith(_EBML):
        # The document type stands in the EBML header, which is some 40 bytes long.
        return VideoKind.WEBM if b"webm" in prefix[:64] else VideoKind.MATROSKA
    if prefix[:4] == b"RIFF" and prefix[8:12] in (b"AVI ", b"AVIX"):
        return VideoKind.AVI
    if _is_transport_stream(prefix):
        return VideoKind.MPEG_TS
    return None


def _by_brand(major: bytes) -> VideoKind | None:
    if major in _PICTURE_BRANDS:
        return None
    if major == b"qt  ":
        return VideoKind.QUICKTIME
    if major.startswith((b"3gp", b"3g2")):
        return VideoKind.THREE_GP
    return VideoKind.MP4


def _is_transport_stream(prefix: bytes) -> bool:
    """Three packets in a row that begin with the sync byte (ISO 13818-1, 2.4.3.2)."""
    for length, offset in ((_TS_PACKET_BYTES, 0), (_M2TS_PACKET_BYTES, 4)):
        starts = prefix[offset : offset + 3 * length : length]
        if len(starts) == 3 and set(starts) == {_TS_SYNC}:
            return True
    return False

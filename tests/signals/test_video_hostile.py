"""Files made to break, to run for ever, or to reach out; and files that broke."""

from __future__ import annotations

import io
import random
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from holdfast.signals import video_frames
from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.signals.video import sign_video
from holdfast.signals.video_kind import VideoKind, is_video, sniff_video
from holdfast_bench.films import read, write
from tests.signals import films


def refusal(data: bytes) -> RefusalReason:
    with pytest.raises(MediaRefused) as refused:
        sign_video(io.BytesIO(data))
    assert refused.value.reason in refused.value.diagnostics()
    return refused.value.reason


def in_container(name: str, folder: Path, **options: str) -> bytes:
    """The first film in another container: its packets, where that takes H.264."""
    path = folder / name
    if older := {".avi": "mpeg4", ".vob": "mpeg2video"}.get(path.suffix):
        frames = read(films.first())
        write(path, frames, codec=older, fps=25, options={"q": "4"})
        return path.read_bytes()
    with (
        av.open(str(films.first())) as source,
        av.open(str(path), "w", options=options) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("film.mp4", VideoKind.MP4),
        ("film.mov", VideoKind.QUICKTIME),
        ("film.3gp", VideoKind.THREE_GP),
        ("film.mkv", VideoKind.MATROSKA),
        ("film.ts", VideoKind.MPEG_TS),
        ("film.m2ts", VideoKind.MPEG_TS),
        ("film.avi", VideoKind.AVI),
        ("film.flv", VideoKind.FLASH),
        ("film.vob", VideoKind.MPEG_PS),
        ("film.asf", VideoKind.ASF),
    ],
)
def test_containers_are_told_from_their_bytes(
    tmp_path: Path, name: str, kind: VideoKind
) -> None:
    data = in_container(name, tmp_path)
    assert sniff_video(data[:4096]) is kind
    signals = sign_video(io.BytesIO(data))
    assert signals.media_type == kind.media_type
    assert len(signals.views) > 10


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"GIF89a" + bytes(100),
        b"\xff\xd8\xff\xe0" + bytes(100),
        b"\0\0\0\x20ftypavif\0\0\0\0avifmif1",
        b"\0\0\0\x20ftypheic\0\0\0\0heicmif1",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'/>",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
        b"This is a text called holiday.mp4",
    ],
)
def test_what_is_no_video_is_never_opened(data: bytes) -> None:
    assert not is_video(data)
    assert refusal(data) is RefusalReason.NOT_A_VIDEO


@pytest.mark.parametrize("demuxer", ["hls", "concat", "dash", "sdp"])
def test_even_a_playlist_that_is_opened_reaches_nothing(
    tmp_path: Path, demuxer: str
) -> None:
    """Were one ever taken for a video: what it names stays closed."""
    target = tmp_path / "target.ts"
    in_container("target.ts", tmp_path)
    texts = {
        "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:12\n#EXTINF:12,\n"
        f"{target}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile {target}\n",
        "dash": "<MPD/>",
        "sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\n"
        "t=0 0\r\nm=video 5004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n",
    }
    source = io.BytesIO(texts[demuxer].encode())
    if demuxer == "concat":
        # The demuxer does open it where nothing forbids it, so the test can fail.
        path = tmp_path / "list.txt"
        path.write_bytes(source.getvalue())
        with av.open(str(path), format="concat", options={"safe": "0"}) as container:
            assert container.streams.video
    kind: Any = SimpleNamespace(demuxer=demuxer)
    with pytest.raises(MediaRefused):
        video_frames._open(source, kind, video_frames.Depth.EVERYTHING)


def test_a_reference_to_another_file_leads_nowhere(tmp_path: Path) -> None:
    """A QuickTime data reference (dref) that says the film is in another file."""
    data = in_container("film.mov", tmp_path)
    at = data.find(b"dref")
    entry = data.find(b"url ", at)
    entry = entry if entry > 0 else data.find(b"alis", at)
    # The flag that says "in this file" is cleared.
    assert data[entry + 4 : entry + 8] == b"\0\0\0\1"
    outside = data[: entry + 4] + bytes(4) + data[entry + 8 :]
    try:
        signals = sign_video(io.BytesIO(outside))
    except MediaRefused:
        return
    # The name is empty, so the demuxer falls back on this file; nothing else is read.
    assert signals.views


def test_a_file_without_a_moving_picture(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("aac", rate=44_100)
        stream.layout = "mono"
        tone = np.zeros((1, 44_100), np.float32)
        frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        frame.sample_rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert is_video(path.read_bytes()[:4096])
    assert refusal(path.read_bytes()) is RefusalReason.NOT_A_VIDEO


def test_a_cover_is_no_moving_picture(tmp_path: Path) -> None:
    path = tmp_path / "cover.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mjpeg", rate=1)
        stream.pix_fmt, (stream.width, stream.height) = "yuvj420p", (64, 64)
        stream.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))
        container.mux(stream.encode(frame.reformat(format="yuvj420p")))
        container.mux(stream.encode())
    assert refusal(path.read_bytes()) is RefusalReason.NOT_A_VIDEO


@pytest.mark.parametrize("name", ["film.mkv", "film.ts", "fast.mp4"])
def test_a_video_that_breaks_off_gives_what_it_has(tmp_path: Path, name: str) -> None:
    options = {"movflags": "faststart"} if name == "fast.mp4" else {}
    data = in_container(name, tmp_path, **options)
    signals = sign_video(io.BytesIO(data[: len(data) // 2]))
    whole = sign_video(io.BytesIO(data))
    assert whole.incomplete is None
    assert 3 < len(signals.views) < len(whole.views)
    assert signals.views[:3] == whole.views[:3]
    if name != "film.ts":
        # A transport stream states no length: nobody can say that more was to come.
        assert signals.incomplete is RefusalReason.TRUNCATED
        assert signals.signed_ms < 9000


def test_a_video_without_its_index_is_refused(tmp_path: Path) -> None:
    data = in_container("film.mp4", tmp_path)
    assert data.find(b"moov") > len(data) // 2
    assert refusal(data[: len(data) // 2]) is RefusalReason.BROKEN


def test_damage_in_the_middle_is_stepped_over(tmp_path: Path) -> None:
    data = bytearray(in_container("film.mkv", tmp_path))
    chance = random.Random(1)
    for at in range(len(data) // 3, len(data) // 2):
        data[at] = chance.randrange(256)
    signals = sign_video(io.BytesIO(bytes(data)))
    assert signals.views[0].is_comparable
    assert signals.signed_ms > 0


def test_a_stream_that_begins_in_the_middle_is_left_alone(tmp_path: Path) -> None:
    """One byte changed: PyAV stumbles over a stream it did not know of at first."""
    data = bytearray(in_container("film.ts", tmp_path))
    for start in range(len(data) // 376 * 188, len(data), 188):
        if data[start + 1 : start + 3] == b"\x41\x00":
            data[start + 2] = 0x33
            break
    else:
        pytest.fail("the film's packets have another number")
    signals = sign_video(io.BytesIO(bytes(data)))
    assert signals.signed_ms > 11_000


def test_a_stream_of_noise_is_refused(tmp_path: Path) -> None:
    data = bytearray(in_container("film.ts", tmp_path))
    chance = random.Random(2)
    for start in range(0, len(data), 188):
        data[start + 4 : start + 188] = chance.randbytes(184)
    assert refusal(bytes(data)) in (RefusalReason.NOT_A_VIDEO, RefusalReason.BROKEN)


def test_random_damage_never_does_worse_than_refuse(tmp_path: Path) -> None:
    kinds = [in_container(n, tmp_path) for n in ("a.mp4", "a.mkv", "a.ts", "a.avi")]
    chance = random.Random(3)
    for number in range(24):
        data = bytearray(kinds[number % len(kinds)])
        for _ in range(30):
            # Half of the damage goes into the header, where the sizes are.
            end = 2000 if chance.random() < 0.5 else len(data)
            data[chance.randrange(16, end)] = chance.randrange(256)
        with suppress(MediaRefused):
            signals = sign_video(io.BytesIO(bytes(data)))
            assert signals.views
            assert all(0 <= (v.at_ms or 0) <= 6 * 3600_000 for v in signals.views)


def test_a_huge_frame_is_refused_by_its_header(tmp_path: Path) -> None:
    path = write(
        tmp_path / "film.avi",
        [np.zeros((64, 64, 3), np.uint8)] * 3,
        codec="ffv1",
        options={},
    )
    data = bytearray(path.read_bytes())
    header = data.find(b"strf") + 8
    assert int.from_bytes(data[header + 4 : header + 8], "little") == 64
    data[header + 4 : header + 12] = (20_000).to_bytes(4, "little") * 2
    assert refusal(bytes(data)) in (
        RefusalReason.TOO_MANY_PIXELS,
        RefusalReason.BROKEN,
    )


def test_a_frame_above_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_frames, "MAX_FRAME_PIXELS", 320 * 180 - 1)
    assert refusal(films.first().read_bytes()) in (
        RefusalReason.TOO_MANY_PIXELS,
        RefusalReason.BROKEN,
    )


def test_too_large_a_file_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_frames, "MAX_FILE_BYTES", 1000)
    assert refusal(films.first().read_bytes()) is RefusalReason.TOO_LARGE_FILE


def test_a_long_video_is_read_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_frames, "MAX_DURATION_S", 4)
    signals = sign_video(films.first())
    assert signals.incomplete is RefusalReason.TOO_LONG
    assert max(view.at_ms or 0 for view in signals.views) <= 4000


def test_time_that_runs_out_leaves_what_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("holdfast.signals.video.MAX_READ_S", -1.0)
    assert refusal(films.first().read_bytes()) is RefusalReason.TOO_LONG
    with films.first().open("rb") as source:
        reader = video_frames.VideoReader(
            source,
            every_s=0.2,
            depth=video_frames.Depth.EVERYTHING,
            threads=1,
            deadline=time.monotonic() + 3600,
        )
        with reader:
            frames = reader.frames()
            next(frames)
            reader._deadline = 0.0
            assert len(list(frames)) < 10
            assert reader.incomplete is RefusalReason.TOO_LONG


def test_a_decoder_that_is_not_listed_is_not_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(video_frames, "DECODERS", "vp9")
    assert refusal(films.first().read_bytes()) in (
        RefusalReason.UNSUPPORTED_FORMAT,
        RefusalReason.BROKEN,
    )

"""The bytes of a piece of media, as uploaded or fetched from its platform.

A picture passes through memory. A video can be larger than that: what is fetched goes
over into a file without a name once it is large, which no other user can open and which
is gone when it is closed, whatever happens to the process.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from holdfast.items import keys
from holdfast.items.connectors.host.client import fetch_into, fetch_media
from holdfast.items.models import Media
from holdfast.signals.video_frames import MAX_FILE_BYTES
from holdfast.vault.queries import open_blob

IN_MEMORY_BYTES = 16 * 1024 * 1024
"""What is fetched is held in memory up to this size: nearly every picture."""


def media_bytes(media: Media) -> bytes:
    """The bytes of a piece of media: as uploaded, or fetched from the platform.

    Raises ``Refused`` for what is larger than the vault takes in, and ``Unavailable``.
    """
    if media.upload is not None:
        return open_blob(media.upload)
    return fetch_media(keys.host(media.item.platform), media.fetch_url).data


@contextmanager
def open_media(media: Media) -> Iterator[BinaryIO]:
    """The same as a file to read and to seek in, whatever its size."""
    if media.upload is not None:
        yield io.BytesIO(open_blob(media.upload))
        return
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        host = keys.host(media.item.platform)
        fetch_into(host, media.fetch_url, cast(BinaryIO, file), MAX_FILE_BYTES)
        file.seek(0)
        yield cast(BinaryIO, file)

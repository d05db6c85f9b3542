"""A folder with files over which whoever reads them dies. It needs no Django."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from holdfast.cli.importing.collection import Folder


class Deadly(Folder):
    """Files whose names begin with ``deadly``."""

    @contextmanager
    def open(self, path: bytes) -> Iterator[BinaryIO]:
        if path.startswith(b"deadly"):
            os._exit(9)
        with super().open(path) as file:
            yield file

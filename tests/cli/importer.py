"""``holdfast import media`` as people start it, upon the tests' database."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from tests import server

IMPORT_S = 180.0
"""How long an import of a few pictures may take on a machine with other work."""


@dataclass
class Said:
    """What an import said: its exit code, its counts, and its words."""

    code: int
    counts: dict[str, Any]
    words: str


@dataclass
class Importer:
    """``holdfast import media``, with a home of its own."""

    home: Path
    url: str
    key: str
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, source: object, *options: str) -> subprocess.Popen[str]:
        """Begin an import."""
        program = "from holdfast.cli import main; main()"
        command = [sys.executable, "-c", program, "import", "media", str(source)]
        return subprocess.Popen(
            [*command, "--json", "--workers", "2", *options],
            env={
                **os.environ,
                "DATABASE_URL": server.database(),
                "HOLDFAST_HOME": str(self.home),
                **self.environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __call__(self, source: object, *options: str) -> Said:
        """Import by address and key, to the end."""
        return self.finish(self.start(source, *self.target, *options))

    @property
    def target(self) -> tuple[str, ...]:
        return ("--url", self.url, "--key", self.key)

    def finish(self, started: subprocess.Popen[str]) -> Said:
        """Wait for its end."""
        out, words = started.communicate(timeout=IMPORT_S)
        return Said(started.returncode, json.loads(out or "{}"), words)


def small(number: int) -> bytes:
    """A picture like no other."""
    shade = Image.effect_noise((96 + number % 7, 96), 40 + number)
    file = io.BytesIO()
    shade.convert("RGB").save(file, "JPEG")
    return file.getvalue()


def folder_of(root: Path, **files: bytes) -> Path:
    """Files in a folder: ``year__a_jpg`` is ``year/a.jpg``."""
    root.mkdir(exist_ok=True)
    for name, data in files.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return root

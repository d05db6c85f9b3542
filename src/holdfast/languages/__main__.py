"""``python -m holdfast.languages``: what is not translated yet.

``--update FILE.po`` brings a file up to date: new texts come in empty, texts that are
gone go, and what is translated stays. The file is made if there is none, so that a new
language starts with ``--update sv.po``. ``--policy FILE`` takes in the labels of a
platform's own policy. Exit code 1 while anything is missing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from holdfast.languages.catalogues import also_for, first, read, texts
from holdfast.languages.extraction import PACKAGE, POLICY, everything

OURS = PACKAGE / "languages"
TOP = "# The English text is the key. See docs/guides/front-door.md.\n"


def untranslated(path: Path, wanted: Catalog) -> list[str]:
    """The English texts that a file lacks, in the order in which they are met."""
    have = read(path)
    missing = []
    for message in wanted:
        if not message.id:
            continue
        found = have.get(message.id, message.context)
        if found is None or found.fuzzy or not all(texts(found.string)):
            missing.append(first(message))
    return missing


def update(path: Path, wanted: Catalog) -> None:
    """Bring a file up to date with the code, or make it."""
    if path.exists():
        catalogue, also = read(path), also_for(path)
    else:
        catalogue, also = Catalog(locale=path.stem), ()
    # A guessed translation is worse than none: it could say what is not so.
    catalogue.update(wanted, no_fuzzy_matching=True)
    # Babel's own header has dates that change with every run, and loses ours.
    lines = [
        f"Language: {path.stem}",
        f"Plural-Forms: {catalogue.plural_forms}",
        "Content-Type: text/plain; charset=utf-8",
        *([f"X-Also-For: {' '.join(also)}"] if also else []),
    ]
    with path.open("wb") as file:
        header = "".join(f'"{line}\\n"\n' for line in lines)
        file.write(TOP.encode())
        file.write(f'msgid ""\nmsgstr ""\n{header}\n'.encode())
        write_po(
            file,
            catalogue,
            width=88,
            omit_header=True,
            ignore_obsolete=True,
            include_lineno=False,
        )


def main(given: Sequence[str] | None = None) -> int:
    """Run it; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.languages")
    parser.add_argument(
        "files", nargs="*", type=Path, default=sorted(OURS.glob("*.po"))
    )
    parser.add_argument("--update", metavar="FILE.po", type=Path)
    parser.add_argument("--policy", metavar="FILE", type=Path, default=POLICY)
    chosen = parser.parse_args(given)
    wanted = everything(chosen.policy)
    if chosen.update:
        update(chosen.update, wanted)
    files = [chosen.update] if chosen.update else chosen.files
    lacking = 0
    for path in files:
        missing = untranslated(path, wanted)
        lacking += len(missing)
        print(f"{path.name}: {len(missing)} of {len(wanted)} not translated")
        for text in missing:
            print(f"  {text}")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())

"""Finding the languages, checking them, and compiling them when the program starts.

The settings call :func:`compile_all`; what it writes is a cache, named by the content
it was made from, so that any number of processes may start at once. A file that would
break a page (a lost or unknown placeholder, a wrong number of plural forms) is refused
at the start, before anybody meets that page. Never downloads anything, and never
changes a ``.po`` file. The format is GNU gettext's; Babel reads and writes it.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import babel
from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from holdfast.base.errors import InvalidInput

SOURCE = "en"
"""The language of the code itself; it needs no file."""
ALSO_FOR = re.compile(r'^"X-Also-For: ([\w -]*)', re.MULTILINE)
"""A header of a ``.po`` file: other codes that this language serves, where they have no
file of their own. ``nb.po`` serves ``no`` (older telephones) and ``nn``."""
MAX_FILE_BYTES = 2_000_000
"""A whole language is about 100 kB; more is a mistake."""
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
_CODE = re.compile(r"[a-z]{2,3}(_[A-Za-z0-9]{2,8})*")


class LanguageBroken(InvalidInput):
    """A ``.po`` file that cannot be used, with what is wrong in it."""

    code = "language-broken"


@dataclass(frozen=True)
class Languages:
    """What was found."""

    named: tuple[tuple[str, str], ...]
    """Code and its own name, English first: ``("nb", "Norsk bokmål")``."""
    also: Mapping[str, str]
    """Other codes, and the language that serves them."""
    folder: Path
    """The compiled catalogues, as Django's ``LOCALE_PATHS`` wants them."""


def compile_all(folders: Iterable[Path], cache: Path) -> Languages:
    """Compile every language in ``folders``; a later folder changes an earlier one's.

    Raises ``LanguageBroken`` naming the file and the text.
    """
    files = [path for folder in folders for path in sorted(folder.glob("*.po"))]
    catalogues = _merged(files)
    also = {
        other: _code(path.stem)
        for path in files
        for other in also_for(path)
        if other not in catalogues
    }
    return Languages(
        named=(
            (SOURCE, _name_of(SOURCE)),
            *((_code(name), _name_of(name)) for name in catalogues if name != SOURCE),
        ),
        also=also,
        folder=_compiled(catalogues, also, cache / _key(files)),
    )


def read(path: Path) -> Catalog:
    """One checked ``.po`` file. Raises ``LanguageBroken``."""
    if not _CODE.fullmatch(path.stem):
        raise LanguageBroken(f"{path.name} is not named by a language, such as sv.po.")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise LanguageBroken(f"{path.name} is larger than {MAX_FILE_BYTES} bytes.")
    try:
        with path.open("rb") as file:
            catalogue = read_po(file, locale=_locale(path.stem), abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise LanguageBroken(f"{path.name} cannot be read: {error}") from error
    for message in catalogue:
        wrong = problem_of(message, catalogue)
        if wrong:
            raise LanguageBroken(f"{path.name}: {wrong} in {first(message)!r}")
    return catalogue


def also_for(path: Path) -> tuple[str, ...]:
    """Which other codes a ``.po`` file says that it serves."""
    found = ALSO_FOR.search(path.read_text(encoding="utf-8"))
    return tuple(found.group(1).split()) if found else ()


def problem_of(message: Message, catalogue: Catalog) -> str:
    """What is wrong with a translation that would be used; blank when nothing is."""
    said = [each for each in texts(message.string) if each]
    if not message.id or message.fuzzy or not said:
        return ""
    if message.pluralizable and len(said) != catalogue.num_plurals:
        return f"{len(said)} of {catalogue.num_plurals} plural forms"
    asked = set(_PLACEHOLDER.findall(" ".join(texts(message.id))))
    for each in said:
        given = set(_PLACEHOLDER.findall(each))
        # A singular may do without its number ("one post"); a plain text may not.
        lost = set() if message.pluralizable else asked - given
        if given - asked or lost:
            names = ", ".join(sorted((given - asked) | lost))
            return f"unknown or missing placeholder {names}"
        if re.search(r"%(?!\(\w+\)[sd]|%)", each) and asked:
            return "a % that is no placeholder"
    return ""


def texts(part: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """The texts of a message's id or translation: one, or one for each plural form."""
    if part is None:
        return ()
    return (part,) if isinstance(part, str) else tuple(part)


def first(message: Message) -> str:
    """The English text by which a message is known."""
    return texts(message.id)[0]


def _merged(files: Iterable[Path]) -> dict[str, Catalog]:
    found: dict[str, Catalog] = {}
    for path in files:
        catalogue = read(path)
        if path.stem not in found:
            found[path.stem] = catalogue
            continue
        for message in catalogue:
            # An untranslated line of a later file is no wish to lose our text.
            if message.id and any(texts(message.string)) and not message.fuzzy:
                found[path.stem].delete(message.id, message.context)
                found[path.stem][message.id] = message
    return found


def _compiled(
    catalogues: Mapping[str, Catalog], also: Mapping[str, str], folder: Path
) -> Path:
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(dir=folder.parent))
    # Other accounts may run other parts of this installation.
    making.chmod(0o755)
    serving = {_code(name): [name] for name in catalogues}
    for code, by in also.items():
        serving[by].append(code)
    for name, catalogue in catalogues.items():
        for each in serving[_code(name)]:
            target = making / each / "LC_MESSAGES"
            target.mkdir(parents=True)
            with (target / "django.mo").open("wb") as file:
                write_mo(file, catalogue)
    try:
        os.rename(making, folder)
    except OSError:
        # Another process was first, and made the same.
        shutil.rmtree(making)
    return folder


def _key(files: Iterable[Path]) -> str:
    digest = sha256(babel.__version__.encode())
    for path in files:
        digest.update(path.stem.encode() + b"\0" + sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:24]


def _locale(name: str) -> Locale | None:
    try:
        return Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        # Babel does not know every language that people write in.
        return None


def _code(name: str) -> str:
    return name.replace("_", "-").lower()


def _name_of(name: str) -> str:
    locale = _locale(name)
    own = locale.get_display_name() if locale else None
    return own[0].upper() + own[1:] if own else name

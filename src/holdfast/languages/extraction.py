"""Every text that people outside may read, gathered from the code and the policy.

Python is read by Babel. Django's templates are first turned into something like Python
by Django itself. The labels of a policy go through gettext when they are shown, so they
are gathered from its YAML. Never imports what it reads.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from django.utils.translation.template import templatize

PACKAGE = Path(__file__).resolve().parents[1]
HELPLINES = PACKAGE / "intake" / "helplines.yaml"
POLICY = PACKAGE / "policy" / "default.yaml"
STAFF_ONLY = (
    "cli",
    "demo",
    "web/api",
    "web/console",
    "web/components/charts.py",
    "web/components/gallery.py",
    "web/components/gallery_forms.py",
    "web/components/lanes.py",
    "web/templates/api",
    "web/templates/console",
    "web/templates/gallery",
    "web/templates/gallery.html",
)
"""What only staff and developers see; it is in English."""


def everything(policy: Path = POLICY) -> Catalog:
    """All texts, each with the places where it stands, in the order of the files."""
    catalogue = Catalog(project="Holdfast", charset="utf-8")
    for path in sorted(PACKAGE.rglob("*")):
        name = path.relative_to(PACKAGE).as_posix()
        if path.suffix in (".py", ".html") and not _staff_only(name):
            for line, text, notes, context in _of_file(path):
                catalogue.add(
                    text, locations=[(name, line)], auto_comments=notes, context=context
                )
    book = yaml.safe_load(HELPLINES.read_text(encoding="utf-8"))
    for text in words_of_helplines(book):
        catalogue.add(text, locations=[("intake/helplines.yaml", 0)])
    for text in labels_of(yaml.safe_load(policy.read_text(encoding="utf-8"))):
        catalogue.add(text, locations=[(f"policy/{policy.name}", 0)])
    return catalogue


def words_of_helplines(book: dict[str, Any]) -> Iterator[str]:
    """What is said of helplines: for whom they are, and when."""
    yield from (each["where"] for each in book["emergency"])
    countries = [each["lines"] for each in book["countries"].values()]
    for lines in (*countries, book["everywhere"]):
        for line in lines:
            yield from filter(None, (line["who"], line.get("hours")))


def labels_of(policy: dict[str, Any]) -> Iterator[str]:
    """What a policy says to people outside: labels, grounds, why a word is withheld."""
    for each in policy["categories"]:
        yield each["label"]
    for each in policy["grounds"]:
        yield each["words"]
    for each in policy["deadlines"]:
        if each["shown"]:
            yield each["label"]


def _of_file(path: Path) -> Iterator[tuple[int, Any, list[str], str | None]]:
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        # In brackets Python minds neither indentation nor line ends.
        source = f"({templatize(source, origin=path.name)}\n)"
    yield from extract(
        "python",
        io.BytesIO(source.encode()),
        keywords=DEFAULT_KEYWORDS
        | {"gettext_lazy": None, "ngettext_lazy": (1, 2), "gettext_noop": None},
        comment_tags=("Translators:",),
    )


def _staff_only(name: str) -> bool:
    return any(name == each or name.startswith(f"{each}/") for each in STAFF_ONLY)

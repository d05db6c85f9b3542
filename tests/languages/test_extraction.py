"""Every text that people outside read is gathered; the tool says what is missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.languages.__main__ import main
from holdfast.languages.catalogues import texts
from holdfast.languages.extraction import PACKAGE, STAFF_ONLY, everything

CALLS = {"_", "gettext", "gettext_lazy", "ngettext"}


def spoken_in_python() -> Iterator[tuple[str, str]]:
    """Each constant text that is handed to gettext, by Python's own grammar."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(STAFF_ONLY):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    first = node.args[0] if node.args else None
                    if node.func.id in CALLS and isinstance(first, ast.Constant):
                        yield name, str(first.value)


def test_no_text_of_the_code_is_overlooked() -> None:
    wanted = {each for message in everything() for each in texts(message.id)}
    found = list(spoken_in_python())
    assert len(found) > 100
    # Babel does not look into f-strings, for one.
    assert [each for each in found if each[1] not in wanted] == []


def test_templates_and_the_policy_are_gathered_and_the_console_is_not() -> None:
    catalogue = everything()
    assert "Somebody threatens to spread pictures of a child" in catalogue
    assert "Question %(step)s. At most %(to_come)s more." in catalogue
    for message in catalogue:
        for name, _line in message.locations:
            assert not name.startswith(("web/console", "web/templates/console"))


def test_a_new_language_starts_with_one_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sv.po"
    assert main(["--update", str(path)]) == 1
    assert "not translated" in capsys.readouterr().out
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('msgid "Yes"\nmsgstr ""', 'msgid "Yes"\nmsgstr "Ja"'))
    main(["--update", str(path)])
    assert 'msgid "Yes"\nmsgstr "Ja"' in path.read_text(encoding="utf-8")
    missing = capsys.readouterr().out.splitlines()
    assert "  No" in missing
    assert "  Yes" not in missing

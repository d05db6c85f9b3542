"""A language is one file: found, checked, compiled, and laid over ours."""

from __future__ import annotations

import gettext
from pathlib import Path

import pytest

from holdfast.languages.catalogues import LanguageBroken, compile_all
from holdfast.languages.extraction import PACKAGE

OURS = PACKAGE / "languages"
HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'


def written(folder: Path, name: str, *pairs: tuple[str, str], head: str = "") -> Path:
    """A language file with these texts."""
    folder.mkdir(exist_ok=True)
    lines = [f'msgid "{text}"\nmsgstr "{said}"\n' for text, said in pairs]
    path = folder / name
    path.write_text("\n".join([HEAD + head, *lines]), encoding="utf-8")
    return path


def said(folder: Path, language: str, text: str) -> str:
    return gettext.translation("django", folder, [language]).gettext(text)


def test_a_third_language_is_one_file(tmp_path: Path) -> None:
    written(tmp_path / "own", "ar.po", ("Back", "رجوع"), ("Yes", "نعم"))
    found = compile_all((OURS, tmp_path / "own"), tmp_path / "cache")
    assert dict(found.named) == {
        "en": "English",
        "nb": "Norsk bokmål",
        "ar": "العربية",
    }
    assert found.named[0][0] == "en"
    assert said(found.folder, "ar", "Yes") == "نعم"


def test_a_file_of_the_same_name_changes_single_texts_only(tmp_path: Path) -> None:
    ours, own = tmp_path / "ours", tmp_path / "own"
    written(ours, "nb.po", ("Back", "Tilbake"), ("Yes", "Ja"))
    written(own, "nb.po", ("Back", "Attende"), ("Yes", ""))
    written(own, "en.po", ("Back", "Go back"))
    found = compile_all((ours, own), tmp_path / "cache")
    assert said(found.folder, "nb", "Back") == "Attende"
    assert said(found.folder, "nb", "Yes") == "Ja"
    assert said(found.folder, "en", "Back") == "Go back"
    assert [code for code, _name in found.named] == ["en", "nb"]


def test_a_language_serves_others_that_have_no_file(tmp_path: Path) -> None:
    head = '"X-Also-For: no nn\\n"\n'
    written(tmp_path / "own", "nb.po", ("Yes", "Ja"), head=head)
    found = compile_all((tmp_path / "own",), tmp_path / "cache")
    assert found.also == {"no": "nb", "nn": "nb"}
    assert said(found.folder, "no", "Yes") == "Ja"
    written(tmp_path / "own", "nn.po", ("Yes", "Jau"))
    found = compile_all((tmp_path / "own",), tmp_path / "cache")
    assert found.also == {"no": "nb"}
    assert said(found.folder, "nn", "Yes") == "Jau"


def test_what_is_compiled_is_kept_until_a_file_changes(tmp_path: Path) -> None:
    written(tmp_path / "own", "nb.po", ("Yes", "Ja"))
    first = compile_all((tmp_path / "own",), tmp_path / "cache").folder
    made = (first / "nb" / "LC_MESSAGES" / "django.mo").stat().st_mtime_ns
    again = compile_all((tmp_path / "own",), tmp_path / "cache").folder
    assert again == first
    assert (again / "nb/LC_MESSAGES/django.mo").stat().st_mtime_ns == made
    written(tmp_path / "own", "nb.po", ("Yes", "Jo"))
    changed = compile_all((tmp_path / "own",), tmp_path / "cache").folder
    assert changed != first
    assert said(changed, "nb", "Yes") == "Jo"
    assert {each.name for each in (tmp_path / "cache").iterdir()} == {
        first.name,
        changed.name,
    }, "Nothing half made is left behind."


@pytest.mark.parametrize(
    ("text", "translation", "why"),
    [
        ("Told %(platform)s", "Sagt fra", "missing placeholder platform"),
        ("Told %(platform)s", "Sagt til %(plattform)s", "plattform"),
        ("Told %(platform)s", "Sagt til %(platform)s, 5 % ", "no placeholder"),
    ],
)
def test_a_translation_that_would_break_a_page_is_refused_at_the_start(
    tmp_path: Path, text: str, translation: str, why: str
) -> None:
    path = written(tmp_path / "own", "nb.po", (text, translation))
    with pytest.raises(LanguageBroken, match=why) as refused:
        compile_all((tmp_path / "own",), tmp_path / "cache")
    assert path.name in refused.value.message


def test_a_file_that_is_no_language_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nb.po").write_text("What is this?\n", encoding="utf-8")
    with pytest.raises(LanguageBroken, match=r"nb\.po"):
        compile_all((tmp_path,), tmp_path / "cache")
    (tmp_path / "nb.po").rename(tmp_path / "My texts.po")
    with pytest.raises(LanguageBroken, match="not named by a language"):
        compile_all((tmp_path,), tmp_path / "cache")

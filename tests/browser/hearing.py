"""What a screen reader is given of a page: Chromium's accessibility tree, in order.

A reader says the name of a thing, what it is, and what belongs to it (a hint, an
error). So a page is read here from top to bottom, and what would be said without a
name, or left unsaid, is a fault. axe looks at the markup; this looks at what comes of
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

OPERATED = {"button", "checkbox", "combobox", "link", "listbox", "menuitem", "option"}
OPERATED |= {"radio", "searchbox", "slider", "spinbutton", "switch", "tab", "textbox"}
"""Roles of what people operate: each needs a name."""
READ = {
    "alert",
    "dialog",
    "group",
    "heading",
    "img",
    "radiogroup",
    "StaticText",
    "status",
}
LANDMARKS = {"banner", "contentinfo", "main", "navigation", "region", "search"}
SAID = OPERATED | READ | LANDMARKS | {"alertdialog", "RootWebArea"}


@dataclass(frozen=True)
class Heard:
    """One thing as a reader says it."""

    role: str
    name: str
    description: str
    invalid: bool
    level: int
    within: tuple[str, ...]
    """The roles and names of what it stands in, the outermost first."""

    def __str__(self) -> str:
        return ", ".join(filter(None, [self.name, self.role, self.description]))


def heard(page: Page) -> list[Heard]:
    """Everything that is said of a page, in the order in which it is said."""
    session = page.context.new_cdp_session(page)
    try:
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    finally:
        session.detach()
    by_id = {node["nodeId"]: node for node in nodes}
    return list(_below(by_id, nodes[0], ()))


def _below(
    by_id: dict[str, Any], node: dict[str, Any], within: tuple[str, ...]
) -> Iterator[Heard]:
    role, name = _value(node, "role"), _value(node, "name")
    if not node.get("ignored"):
        facts = {
            each["name"]: each["value"].get("value") for each in node["properties"]
        }
        if role in SAID:
            yield Heard(
                role,
                name,
                _value(node, "description"),
                facts.get("invalid", "false") != "false",
                int(facts.get("level", 0)),
                within,
            )
        within = (*within, f"{role} {name}".strip())
    for child in node.get("childIds", ()):
        if child in by_id:
            yield from _below(by_id, by_id[child], within)


def _value(node: dict[str, Any], part: str) -> str:
    return str(node.get(part, {}).get("value", "")).strip()


def assert_can_be_heard(page: Page) -> None:
    """A reader says what the page is, where one is in it, and what went wrong."""
    said = heard(page)
    at = page.url
    assert said[0].name, f"{at} has no title to say"
    # Behind an open dialog nothing is there to be heard.
    if not any(each.role == "dialog" for each in said):
        first = [each for each in said if each.role == "heading" and each.level == 1]
        assert len(first) == 1, f"{at} has {len(first)} headings of the first level"
        counts = {role: sum(each.role == role for each in said) for role in LANDMARKS}
        for role, least in (("main", 1), ("banner", 0)):
            # A page for signing in has nothing above it.
            found = f"{at} has {counts[role]} of the landmark {role}"
            assert least <= counts[role] <= 1, found
    places = [each.name for each in said if each.role == "navigation"]
    assert len(set(places)) == len(places), (
        f"{at} has navigations of one name: {places}"
    )
    for each in said:
        if each.role in OPERATED:
            assert each.name, f"{at}: {each.role} without a name in {each.within}"
        if each.role == "radio":
            asked = [
                group
                for group in each.within
                if group.startswith(("radiogroup ", "group "))
            ]
            assert asked, f"{at}: the answer {each.name!r} belongs to no question"
    # By the markup: what is required and empty a browser calls invalid by itself.
    faults, unsaid = page.evaluate(_FAULTS)
    assert not unsaid, f"{at}: nothing is said of the fault in {unsaid}"
    if faults:
        alerts = [each for each in said if each.role == "alert"]
        assert alerts, f"{at}: nobody is told at once that something is wrong"


_FAULTS = """() => {
  const all = [...document.querySelectorAll("[aria-invalid=true]")];
  const words = (id) => document.getElementById(id)?.textContent.trim();
  const said = (each) =>
    (each.getAttribute("aria-describedby") || "").split(" ").some(words);
  return [all.length, all.filter((each) => !said(each)).map((each) => each.outerHTML)];
}"""
"""How many things are said to be wrong, and those of which nothing more is said."""

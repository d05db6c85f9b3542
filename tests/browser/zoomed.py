"""A page at 400 % zoom, and with its text spaced out: nothing is covered or cut off.

WCAG 2.2: 1.4.10 (a window of 1280 by 1024 pixels is 320 by 256 at 400 %), 2.4.11 (what
has the focus is not hidden by what sticks to the window), 1.4.12 (text spacing).
"""

from __future__ import annotations

from playwright.sync_api import Page

WIDTH, HEIGHT = 320, 256
"""CSS pixels of 1280 by 1024 at 400 %."""
MOST_STICKING = 0.34
"""Of the height: what sticks to the window leaves most of it to be read in."""

SPACING = """
* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
    word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }
"""
"""The values of 1.4.12."""


def assert_holds_at_400_percent(page: Page) -> None:
    """Everything can be reached and read; the page is left as it was, but its size."""
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    sticking = page.evaluate(_STICKING)
    assert sticking <= HEIGHT * MOST_STICKING, f"{page.url}: {sticking} px stick"
    hidden = page.evaluate(_HIDDEN_IN_FOCUS)
    assert not hidden, f"{page.url}: in focus and covered: {hidden}"
    # A sheet of its own kind, for the page's policy allows no style from elsewhere.
    page.evaluate(
        """css => {
          window.spacing = new CSSStyleSheet();
          window.spacing.replaceSync(css);
          document.adoptedStyleSheets = [window.spacing];
        }""",
        SPACING,
    )
    cut, needed = page.evaluate(_CUT_OFF)
    page.evaluate("document.adoptedStyleSheets = []")
    assert not cut, f"{page.url}: cut off when spaced out: {cut}"
    assert needed <= WIDTH, f"{page.url} needs {needed} px of {WIDTH} when spaced out"


_STICKING = """() => [...document.querySelectorAll("body *")]
  .filter((each) => ["sticky", "fixed"].includes(getComputedStyle(each).position))
  .reduce((sum, each) => sum + each.getBoundingClientRect().height, 0)
"""

_HIDDEN_IN_FOCUS = """() => {
  const all = "a[href], button, input, textarea, select, summary, [tabindex='0']";
  const hidden = [];
  const before = document.activeElement;
  for (const each of document.querySelectorAll(all)) {
    if (!each.checkVisibility({visibilityProperty: true})) continue;
    if (each.closest("[hidden], [aria-hidden=true], dialog:not([open])")) continue;
    if (each.type === "hidden") continue;
    // Where it is behind what sticks, if something does: a browser scrolls no more.
    window.scrollBy(0, each.getBoundingClientRect().top);
    each.focus();
    const shown = each.matches("input[type=radio], input[type=checkbox]")
      ? each.nextElementSibling || each : each;
    const box = shown.getBoundingClientRect();
    const x = Math.min(Math.max(box.left + 4, 1), innerWidth - 1);
    const points = [box.top + 2, box.top + box.height / 2, box.bottom - 2]
      .filter((y) => y > 0 && y < innerHeight);
    const seen = points.some((y) => {
      const top = document.elementFromPoint(x, y);
      return top && (shown.contains(top) || top.contains(shown));
    });
    if (!seen) hidden.push(each.outerHTML.slice(0, 120));
  }
  if (before) before.focus({preventScroll: true});
  window.scrollTo(0, 0);
  return hidden;
}
"""
"""What gets the focus at the upper edge of the window, and is seen nowhere."""

_CUT_OFF = """() => {
  const cut = [];
  for (const each of document.querySelectorAll("body *")) {
    const style = getComputedStyle(each);
    if (each.closest(".hidden-words, .skip, [hidden], svg, dialog")) continue;
    if (each.matches("input, textarea, select, progress")) continue;
    if (style.display === "inline" || !each.textContent.trim()) continue;
    const hides = style.overflow !== "visible";
    const wide = each.scrollWidth > each.clientWidth + 1;
    const high = each.scrollHeight > each.clientHeight + 1;
    const isButton = each.matches("button, .button");
    if ((hides || isButton) && (wide || high) && each.clientHeight)
      cut.push(each.outerHTML.slice(0, 120));
  }
  return [cut, document.documentElement.scrollWidth];
}
"""

"""axe-core in the page that is open: what it finds against WCAG 2.2 AA, as one line for each kind of defect.

Its script is given to the page over the debugging protocol, past the Content-Security-Policy that would refuse it.
"""

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

_SCRIPT = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """async ([tags, rules]) => {
  const asked = rules.length ? { type: "rule", values: rules } : { type: "tag", values: tags };
  const found = await axe.run(document, { runOnly: asked, resultTypes: ["violations"] });
  return found.violations.map((one) => [one.id, one.impact, one.nodes.map((node) => node.html.slice(0, 160))]);
}"""


def defects(page: Page, *rules: str) -> list[str]:
    """`rule (impact): the first elements`; of these rules alone, where some are named."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(_SCRIPT)
    found: list[Any] = page.evaluate(_RUN, [_TAGS, list(rules)])
    return [f"{rule} ({impact}): {' | '.join(nodes[:3])}" for rule, impact, nodes in found]

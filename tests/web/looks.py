"""What every page must be: without a fault that axe finds, and never wider than the screen. Pictures of it are kept."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
AXE = ROOT / "build" / "clients" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = ROOT / "build" / "screenshots"
NARROW, WIDE = {"width": 320, "height": 640}, {"width": 1440, "height": 900}
# What our Content-Security-Policy keeps a page from doing, a test may do: the checker is no part of the page.
_RUN = """
async () => {
    const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const found = await axe.run(document, {runOnly});
    return found.violations.map(each => `${each.id}: ${each.nodes.map(node => node.target.join(" ")).join(", ")}`);
}
"""


def need_axe() -> None:
    """Have the checker, or say how to get it."""
    if not AXE.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("axe-core is missing: run make clients")
        pytest.skip("axe-core is not installed: make clients, with npm")


def faults(page: Page) -> list[str]:
    """Return what axe finds in a page, and whether it is wider than the screen."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(_RUN)
    width, needed = page.evaluate("() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]")
    if needed > width:
        found.append(f"{needed} px wide on a screen of {width} px")
    return found


def picture(page: Page, name: str) -> None:
    """Keep a picture of a page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

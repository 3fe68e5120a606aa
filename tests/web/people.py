"""Several people, each before a browser of their own."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.region import Region

PATIENCE_MS = 15_000


class Town:
    """A served region, and browsers in it. Whatever goes wrong in a page is a failure."""

    def __init__(self, region: Region, base: str, browser: Browser) -> None:
        """Take them."""
        self.region = region
        self.base = base
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    def visitor(self, **how: Any) -> Page:
        """Return a page of somebody who has not signed in."""
        context = self._browser.new_context(base_url=self.base, **how)
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"{error}"))
        page.on("console", lambda said: self.faults.append(said.text) if "Content Security" in said.text else None)
        return page

    def person(self, name: str, **how: Any) -> Page:
        """Return a page of somebody who signed in, at their inbox."""
        page = self.visitor(**how)
        page.goto("/sign-in")
        page.get_by_role("button", name=name, exact=True).click()
        page.wait_for_url("**/inbox")
        return page

    def close(self) -> None:
        """Close the browsers; nothing went wrong in any page."""
        for each in self._contexts:
            each.close()
        assert self.faults == []

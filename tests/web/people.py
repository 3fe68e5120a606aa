"""Several people, each before a browser of their own."""

import re
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from carethread.writes import end_session
from tests.region import Region

PATIENCE_MS = 15_000


class Town:
    """A served region, and browsers in it. Whatever goes wrong in a page is a failure."""

    def __init__(self, region: Region | None, base: str, browser: Browser) -> None:
        """Take them."""
        self._region = region
        self.base = base
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    @property
    def region(self) -> Region:
        """Return the region of the tests, where that is what is served."""
        assert self._region is not None
        return self._region

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

    def expire(self, page: Page) -> None:
        """End the session of a page's browser, as time does."""
        secret = next(each["value"] for each in page.context.cookies() if each["name"] == "carethread")
        end_session(self.region.service, secret, client="tests", request_id="expired")

    def close(self) -> None:
        """Close the browsers; nothing went wrong in any page."""
        for each in self._contexts:
            each.close()
        assert not self.faults, self.faults


def field(page: Page) -> Locator:
    """Return where the message is written."""
    return page.get_by_label("Message", exact=True)


def write(page: Page, text: str) -> None:
    """Write a message, and wait until it is kept as a draft."""
    with page.expect_response(lambda answer: answer.url.endswith("/draft") and answer.ok):
        field(page).fill(text)
    expect(page.get_by_text("Draft kept at")).to_be_visible()


def send(page: Page) -> None:
    """Send it, and wait until it is stored."""
    page.get_by_role("button", name="Send to the record").click()
    expect(page.get_by_text("Stored at")).to_be_visible()


class Visitor:
    """Somebody who asks without a browser, and sends forms as their page has them."""

    def __init__(self, client: httpx.Client) -> None:
        """Take what asks."""
        self.client = client

    def get(self, path: str, status: int = 200, **more: Any) -> httpx.Response:
        """Return a page that answers with this status."""
        answer = self.client.get(path, **more)
        assert answer.status_code == status, (answer.status_code, answer.text[:2_000])
        return answer

    def fields(self, path: str, action: str) -> dict[str, str]:
        """Return what the form of a page that is sent to `action` has filled in, as far as it is hidden."""
        page = self.get(path).text
        form = next(each for each in page.split("<form ")[1:] if f'action="{action}"' in each.split(">")[0])
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form.split("</form>")[0])
        return dict(hidden)

    def send(self, path: str, action: str, status: int = 303, /, **typed: Any) -> httpx.Response:
        """Fill in the form of a page, and send it."""
        files = typed.pop("files", None)
        fields = self.fields(path, action) | typed
        if files is not None:
            answer = self.client.post(action, data=fields, files=files)
        else:
            answer = self.client.post(action, data=fields)
        assert answer.status_code == status, (answer.status_code, answer.text[:2_000])
        return answer


def hidden(answer: httpx.Response, action: str) -> dict[str, str]:
    """Return what the last form of a page that is sent to `action` has filled in, as far as it is hidden."""
    forms = [each for each in answer.text.split("<form ")[1:] if f'action="{action}"' in each.split(">")[0]]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', forms[-1].split("</form>")[0]))


class Visitors:
    """A served region, and those who ask it."""

    def __init__(self, region: Region, base: str) -> None:
        """Take them."""
        self.region = region
        self.base = base
        self._clients: list[httpx.Client] = []

    def visitor(self, **how: Any) -> Visitor:
        """Return somebody who has not signed in."""
        client = httpx.Client(base_url=self.base, timeout=30, **how)
        self._clients.append(client)
        return Visitor(client)

    def person(self, name: str, **how: Any) -> Visitor:
        """Return somebody who has."""
        visitor = self.visitor(**how)
        picked = visitor.client.post("/sign-in", data={"person": self.region.id(name), "to": "/inbox"})
        assert picked.status_code == 303
        return visitor

    def close(self) -> None:
        """Let go of them."""
        for each in self._clients:
            each.close()

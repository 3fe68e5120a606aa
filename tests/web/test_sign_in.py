"""People sign in to the pages, and out again, at a real provider; whoever the directory does not know stays outside."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from carethread.app import NO_PAGES, bind
from carethread.settings import Settings
from tests.region import Region
from tests.sign_in.people import SECRET, RealProvider
from tests.web.people import Town
from tests.web.sites import site

_SIGN_IN = Path(__file__).parents[1] / "sign_in"
_INSTALLED = Path(__file__).parents[2] / "build" / "clients" / "node_modules"


@pytest.fixture
def town(region: Region, tmp_path: Path, browser: Browser) -> Iterator[Town]:
    if not (_INSTALLED / "oidc-provider").is_dir() or shutil.which("node") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("the provider is not installed: make clients")
        pytest.skip("the provider is not installed: install Node.js and npm, then make clients")
    folder = tmp_path / "provider"
    folder.mkdir()
    (folder / "node_modules").symlink_to(_INSTALLED)
    shutil.copy(_SIGN_IN / "provider.mjs", folder)
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    listening = bind("127.0.0.1", 0)
    provider = RealProvider(folder, f"http://127.0.0.1:{listening.getsockname()[1]}")
    settings = Settings(sign_in_issuer=provider.issuer, sign_in_client_id="basic", sign_in_client_secret=secret)
    with site(region.service, region, (), settings, listening) as base:
        made = Town(region, base, browser)
        yield made
        made.close()
    provider.close()


def test_signing_in_at_the_organisation_and_out_again(town: Town) -> None:
    thread = town.region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", body="Which dose?")
    page = town.visitor()
    page.goto(f"/threads/{thread}")
    page.get_by_role("button", name="Go on").or_(page.get_by_role("link", name="Go on")).click()
    page.locator("input[name=login]").fill("B1")
    page.locator("input[name=password]").fill("made up")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Which dose?")).to_be_visible()
    assert page.url == f"{town.base}/threads/{thread}"
    names = {each["name"] for each in page.context.cookies() if each.get("path") == "/sign-in/return"}
    assert names == set()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page.get_by_role("heading", name="You have signed out")).to_be_visible()
    page.goto(f"/threads/{thread}")
    assert page.url.startswith(f"{town.base}/sign-in?to=")


def test_whoever_the_directory_does_not_know(town: Town) -> None:
    page = town.visitor()
    page.goto("/")
    page.get_by_role("link", name="Go on").click()
    page.locator("input[name=login]").fill("nobody")
    page.locator("input[name=password]").fill("made up")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="You cannot sign in here")).to_be_visible()
    assert "carethread" not in {each["name"] for each in page.context.cookies(town.base)}


@pytest.mark.parametrize("query", ["", "?state=x&code=y", "?error=access_denied&state=z", "?" + "a=b&" * 60])
def test_coming_back_without_having_begun(town: Town, query: str) -> None:
    answer = httpx.get(f"{town.base}/sign-in/return{query}")
    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers or "carethread=" not in answer.headers["set-cookie"]


def test_a_provider_that_does_not_answer(region: Region, tmp_path: Path) -> None:
    closed = bind("127.0.0.1", 0)
    address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    closed.close()
    with site(region.service, region, (), Settings(sign_in_issuer=address, sign_in_client_id="x")) as base:
        answer = httpx.get(f"{base}/sign-in/begin?to=/inbox")
        assert answer.status_code == 503
        assert "Signing in is not possible now" in answer.text


def test_without_settings_there_are_no_pages(region: Region) -> None:
    with site(region.service, region, ()) as base:
        answer = httpx.get(f"{base}/")
        assert (answer.status_code, answer.text) == (404, f"{NO_PAGES}\n")

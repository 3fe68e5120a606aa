"""A region that is served to real browsers."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from carethread import CoordinationService
from tests.region import Region
from tests.web.people import Town, Visitors
from tests.web.sites import site

_PICKED = ("A1", "A2", "B1", "B2", "C1", "N1", "P1", "R1")

_CROWD = ("A1", "A2", "A9", "B1", "B2", "B9", "C1", "D1", "N1", "P1", "X1")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is missing: run tools/system_packages.sh")
        pytest.skip("chromium is not installed: tools/system_packages.sh says how")
    with sync_playwright() as playwright:
        # As root, as in a container, Chromium starts without its sandbox only.
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield opened
        opened.close()


@pytest.fixture
def region(tmp_path: Path) -> Region:
    return Region(CoordinationService.open(tmp_path / "data", name="De Linde", domain="care.example"))


@pytest.fixture
def visitors(region: Region) -> Iterator[Visitors]:
    """Serve the region to those who ask without a browser."""
    with site(region.service, region, _PICKED) as base:
        made = Visitors(region, base)
        yield made
        made.close()


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitors]:
    """Serve a region to many, once for all tests that each open threads of their own."""
    region = Region(CoordinationService.open(tmp_path_factory.mktemp("crowd") / "data", name="De Linde"))
    with site(region.service, region, _CROWD) as base:
        made = Visitors(region, base)
        yield made
        made.close()


@pytest.fixture
def busy_town(crowd: Visitors, browser: Browser) -> Iterator[Town]:
    """The region that is served once for all, before real browsers: each test opens threads of its own."""
    made = Town(crowd.region, crowd.base, browser)
    yield made
    made.close()


@pytest.fixture
def town(region: Region, browser: Browser) -> Iterator[Town]:
    with site(region.service, region, _PICKED) as base:
        made = Town(region, base, browser)
        yield made
        made.close()

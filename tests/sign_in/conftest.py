"""The provider of others, started once, and browsers."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sign_in.people import Browser, RealProvider

_HERE = Path(__file__).resolve().parent
_INSTALLED = _HERE.parents[1] / "build" / "clients" / "node_modules"


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProvider]:
    if not (_INSTALLED / "oidc-provider").is_dir() or shutil.which("node") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("the provider is not installed: make clients")
        pytest.skip("the provider is not installed: install Node.js and npm, then make clients")
    folder = tmp_path_factory.mktemp("provider")
    # Packages are found beside a script, whatever the working directory is.
    (folder / "node_modules").symlink_to(_INSTALLED)
    shutil.copy(_HERE / "provider.mjs", folder)
    made = RealProvider(folder)
    yield made
    made.close()


@pytest.fixture
def browser() -> Iterator[Browser]:
    made = Browser()
    yield made
    made.close()

"""Programs of others that run on Node.js, started once each; what every step of theirs came to."""

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.installation import Installation

_HERE = Path(__file__).resolve().parent
_INSTALLED = _HERE.parents[1] / "build" / "clients" / "node_modules"
_TIMEOUT_S = 120

Results = dict[str, str]


@pytest.fixture(scope="session")
def scripted(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Results]:
    """Return what runs a script of this folder and tells how each of its steps went: empty, or what was wrong.

    What was wrong with the script itself stands under an empty name.
    """
    if not _INSTALLED.is_dir() or shutil.which("node") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("the clients are not installed: make clients")
        pytest.skip("the clients are not installed: install Node.js and npm, then make clients")
    known: dict[str, Results] = {}

    def run(name: str) -> Results:
        if name not in known:
            folder = tmp_path_factory.mktemp("node")
            # Packages are found beside a script, whatever the working directory is.
            (folder / "node_modules").symlink_to(_INSTALLED)
            for each in ("scenario.mjs", name):
                shutil.copy(_HERE / each, folder)
            told = {
                "base": installation.base,
                "origin": installation.origin,
                "tokens": dict(installation.tokens),
                "run": uuid.uuid4().hex,
            }
            done = subprocess.run(
                ["node", folder / name],
                input=json.dumps(told),
                capture_output=True,
                text=True,
                check=False,
                timeout=_TIMEOUT_S,
            )
            known[name] = json.loads(done.stdout) if done.returncode == 0 else {"": done.stderr}
        return known[name]

    return run

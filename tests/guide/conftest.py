"""The implementation guide, compiled once."""

import os
import shutil
from typing import Any

import pytest

from tools.fhir_guide import SUSHI, compile_guide

Json = dict[str, Any]


@pytest.fixture(scope="session")
def guide(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    """The resources of the guide, by `Type/id`."""
    if not SUSHI.exists() or shutil.which("node") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("SUSHI is not installed: make definitions")
        pytest.skip("SUSHI is not installed: install Node.js and npm, then make definitions")
    compiled = compile_guide(tmp_path_factory.mktemp("guide") / "ig")
    return {f"{each['resourceType']}/{each['id']}": each for each in compiled}

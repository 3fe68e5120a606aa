"""Clients of others that run on Node.js, as they come from npm, do what they are made for with what is served."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

_SCRIPTS = ("fhir_kit_client.mjs", "medplum.mjs")


def _steps(script: str) -> list[str]:
    text = Path(__file__).with_name(script).read_text(encoding="utf-8")
    return re.findall(r"^  async (\w+)\(\) \{$", text, re.MULTILINE)


@pytest.mark.parametrize("script, step", [(each, step) for each in _SCRIPTS for step in _steps(each)])
def test_it_gets_what_it_asks_for(scripted: Callable[[str], dict[str, str]], script: str, step: str) -> None:
    results = scripted(script)
    assert "" not in results
    assert list(results) == _steps(script)
    assert results[step] == ""

"""The records for other implementations are what the index says, and stay as they are."""

import json
from pathlib import Path
from typing import Any

import pytest

from carethread.verify import verify_record
from tests.verify.histories import build
from tests.verify.make_vectors import RECORDS, streams
from tests.verify.stock_git import git

INDEX: list[dict[str, Any]] = json.loads((RECORDS / "index.json").read_text(encoding="utf-8"))["records"]


@pytest.mark.parametrize("row", INDEX, ids=lambda row: row["name"])
def test_a_record_is_what_the_index_says(row: dict[str, Any], tmp_path: Path) -> None:
    repository = build((RECORDS / row["stream"]).read_bytes(), tmp_path / row["coordination_id"])
    assert git(repository, "rev-parse", "HEAD") == row["head"]
    findings = sorted(verify_record(repository))
    assert [{"code": each.code, "commit": each.commit, "path": each.path} for each in findings] == row["findings"]


def test_forging_anew_gives_the_same_bytes() -> None:
    made = {f"{name}.fast-export": stream for name, stream in streams().items()}
    assert made == {path.name: path.read_bytes() for path in RECORDS.glob("*.fast-export")}
    assert set(made) == {row["stream"] for row in INDEX}

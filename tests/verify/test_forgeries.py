"""Every kind of tampering that Git itself takes without a word is found, and found once."""

from pathlib import Path

import pytest

from carethread.verify import verify_record
from tests.verify.forger import Forger
from tests.verify.forgeries import FORGERIES, Forgery
from tests.verify.histories import Step, build, dump
from tests.verify.stock_git import git


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_a_forgery_is_found(forgery: Forgery, steps: list[Step], small: Path, tmp_path: Path) -> None:
    forger = Forger(steps)
    forgery.tamper(forger)
    forged = build(dump(forger.steps), tmp_path / small.name)
    git(forged, "fsck", "--full", "--strict")
    findings = list(verify_record(forged))
    assert tuple(sorted(finding.code for finding in findings)) == forgery.codes, findings

"""What the page tells people to do by hand works: it says nothing of a good record, and something of a forged one."""

import subprocess
from pathlib import Path

import pytest

from carethread.verify import MEANINGS, Code
from tests.docs.pages import DOCS, Page
from tests.verify.forger import Forger
from tests.verify.forgeries import FORGERIES
from tests.verify.histories import Step, build, dump
from tests.verify.stock_git import git
from tests.verify.test_storage import copy

PAGE = Page(DOCS / "verify.md")


def pieces() -> list[str]:
    """Return the pieces of shell under "By hand"."""
    return PAGE.section("By hand").blocks("sh")


def by_hand(piece: str, record: Path) -> str:
    """Run a piece in a record's directory."""
    done = subprocess.run(["sh", "-c", piece], cwd=record, check=False, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout


# Which piece finds which forgery, by the first words that only it has.
FOUND_BY_HAND = {
    "an-older-commit-is-merged": "rev-list --min-parents",
    "a-status-is-changed-in-the-past": "rev-list --min-parents",
    "author-and-committer-have-different-times": "rev-list --min-parents",
    "a-thread-is-deleted": "--diff-filter",
    "an-attachment-is-renamed": "--diff-filter",
    "a-file-becomes-executable": "--diff-filter",
    "a-file-becomes-a-link": "--diff-filter",
    "a-file-is-added": "--diff-filter",
    "a-byte-is-changed-in-the-middle-of-the-history": "rewritten",
    "a-message-is-cut-off-the-end": "rewritten",
    "two-messages-are-swapped": "rewritten",
    "a-commit-is-dropped-and-its-message-shows-up-with-the-next": "rewritten",
    "the-author-of-a-commit-is-forged": "another author",
    "the-display-name-of-a-commit-is-forged": "another author",
    "the-time-of-a-commit-is-off": "another author",
    "the-committer-is-somebody-else": "another author",
    "a-message-id-of-another-thread-is-used-again": "uniq -d",
    "two-threads-have-one-uuid": "uniq -d",
    "an-attachment-never-was-what-its-name-says": "sha256sum",
    "a-ledger-is-changed-without-an-entry": "a ledger alone",
}


@pytest.mark.parametrize("piece", pieces(), ids=lambda piece: piece.split()[1])
def test_a_good_record_makes_no_piece_speak(piece: str, everything: Path) -> None:
    assert by_hand(piece, everything) == ""


@pytest.mark.parametrize("name", FOUND_BY_HAND)
def test_a_forgery_is_found_by_hand(name: str, steps: list[Step], small: Path, tmp_path: Path) -> None:
    forger = Forger(steps)
    next(forgery for forgery in FORGERIES if forgery.name == name).tamper(forger)
    forged = build(dump(forger.steps), tmp_path / small.name)
    (piece,) = (piece for piece in pieces() if FOUND_BY_HAND[name] in piece)
    assert by_hand(piece, forged) != ""


def test_the_first_piece_sees_what_lies_beside_the_history(small: Path, tmp_path: Path) -> None:
    first, *_, last = pieces()
    for number, arguments in enumerate((("branch", "draft"), ("tag", "v1"), ("config", "core.worktree", "."))):
        record = copy(small, tmp_path / str(number))
        git(record, *arguments)
        assert by_hand(first, record) != ""
    record = copy(small, tmp_path / "open")
    (record / "notes.txt").write_text("?")
    assert "notes.txt" in by_hand(last, record)


def test_the_page_lists_the_codes_as_the_program_does() -> None:
    rows = [row[:2] for row in PAGE.section("Codes").table("code")]
    assert rows == [[code.value, MEANINGS[code]] for code in Code]

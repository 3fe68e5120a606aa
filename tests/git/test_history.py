"""Reading a history back."""

from pathlib import Path

import pytest

from carethread.errors import RepositoryError
from carethread.git import history
from carethread.git.history import commits, open_repository
from carethread.git.objects import decode_commit, parse_tree
from tests.git.histories import conversation, flush, git


def test_commits_come_oldest_first_with_their_files(tmp_path: Path) -> None:
    journal = conversation(80)
    for at in range(0, len(journal.steps), 20):
        flush(tmp_path / "record", journal.steps[at : at + 20])
    with open_repository(tmp_path / "record") as repository:
        found = list(commits(repository))
        assert found == [(step.commit_id, decode_commit(step.commit)) for step in journal.steps]
        assert list(commits(repository, journal.steps[9].commit_id)) == found[:10]
        tree = parse_tree(repository.raw_tree(repository.tree_of(repository.head)))
        assert repository.blob(tree[b".gitattributes"].id) == b"* -text\n"


def test_a_history_too_long_to_be_kept_is_read_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_KEPT", 2000)
    journal = conversation(20)
    flush(tmp_path / "record", journal.steps)
    with open_repository(tmp_path / "record", check_ids=False) as repository:
        assert [identifier for identifier, _ in commits(repository)] == [step.commit_id for step in journal.steps]


def test_of_a_merge_the_first_parent_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "repository"
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "--initial-branch=main", str(path))
    for name in ("one", "two"):
        git(path, "commit", "--quiet", "--allow-empty", "--message", name)
    git(path, "checkout", "--quiet", "-b", "side", "HEAD~1")
    git(path, "commit", "--quiet", "--allow-empty", "--message", "side")
    git(path, "checkout", "--quiet", "main")
    git(path, "merge", "--quiet", "--no-ff", "--message", "merge", "side")
    with open_repository(path) as repository:
        found = [(commit.message, len(commit.parents)) for _, commit in commits(repository)]
    assert found == [(b"one\n", 0), (b"two\n", 1), (b"merge\n", 2)]


def test_what_is_not_there_or_in_another_form_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="not a repository with a commit"), open_repository(tmp_path):
        pass
    journal = conversation(1)
    path = tmp_path / "record"
    flush(path, journal.steps)
    with open_repository(path) as repository, pytest.raises(RepositoryError, match="missing"):
        list(commits(repository, bytes(32)))
    git(path, "commit", "--quiet", "--allow-empty", "--message", "x", "--date", "2026-01-01T00:00:00+0200")
    with open_repository(path) as repository, pytest.raises(RepositoryError, match="not in the form"):
        list(commits(repository))

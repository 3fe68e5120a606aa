"""What lies in `.git` beside the objects."""

import os
from pathlib import Path

import pytest

from carethread.errors import RepositoryError
from carethread.git.inspection import deceiving_files, head_target, list_refs
from tests.git.histories import Journal, conversation, flush, git


@pytest.fixture
def journal() -> Journal:
    return conversation(2)


@pytest.fixture
def path(tmp_path: Path, journal: Journal) -> Path:
    flush(tmp_path / "record", journal.steps)
    return tmp_path / "record"


def test_a_record_has_one_branch_and_nothing_else(path: Path, journal: Journal) -> None:
    assert head_target(path) == "ref: refs/heads/main"
    assert list_refs(path) == {"refs/heads/main": journal.head}
    assert deceiving_files(path) == []


def test_a_clone_has_nothing_that_deceives(path: Path, tmp_path: Path, journal: Journal) -> None:
    git(tmp_path, "clone", "--quiet", str(path), "clone")
    assert deceiving_files(tmp_path / "clone") == []
    refs = list_refs(tmp_path / "clone")
    assert refs["refs/heads/main"] == refs.get("refs/remotes/origin/main", journal.head) == journal.head
    assert refs["refs/remotes/origin/HEAD"] is None


def test_all_references_are_listed(path: Path, journal: Journal) -> None:
    git(path, "tag", "packed", "HEAD~1")
    git(path, "pack-refs", "--all")
    git(path, "branch", "loose/branch", "HEAD~2")
    git(path, "update-ref", "refs/heads/main", "HEAD~1")
    (path / ".git/refs/heads/broken").write_text("nonsense")
    (path / ".git/refs/heads/main.lock").write_text("being written")
    (path / ".git/refs/heads/linked").symlink_to(path / ".git/refs/heads/main")
    (path / ".git/refs/elsewhere").symlink_to(path.parent)
    git(path, "symbolic-ref", "HEAD", "refs/heads/loose/branch")
    assert head_target(path) == "ref: refs/heads/loose/branch"
    assert list_refs(path) == {
        "refs/tags/packed": journal.steps[-2].commit_id,
        "refs/heads/loose/branch": journal.steps[-3].commit_id,
        "refs/heads/main": journal.steps[-2].commit_id,
        "refs/heads/broken": None,
        "refs/heads/linked": None,
        "refs/elsewhere": None,
    }


def test_files_by_which_git_shows_something_else_are_named(path: Path) -> None:
    git_path = path / ".git"
    for name in ("info", "hooks", "objects/info", "refs/replace"):
        (git_path / name).mkdir()
    for name in (
        "shallow",
        "info/grafts",
        "info/exclude",
        "objects/info/alternates",
        "objects/info/packs",
        "hooks/post-checkout",
        "hooks/pre-commit.sample",
        "description",
    ):
        (git_path / name).touch()
    (git_path / "worktrees").symlink_to("missing")
    (git_path / "config.worktree").write_text("[core]\n\tworktree = /elsewhere\n")
    assert deceiving_files(path) == [
        "config.worktree",
        "hooks/post-checkout",
        "info/grafts",
        "objects/info/alternates",
        "refs/replace",
        "shallow",
        "worktrees",
    ]


@pytest.mark.parametrize(
    "setting",
    [
        "[include]\n\tpath = elsewhere\n",
        '[includeIf "gitdir:/"]\n\tpath = elsewhere\n',
        "[core]\n\tworkTree = /elsewhere\n",
        "[core]\n\thooksPath=/elsewhere\n",
        "[core]\n\tfsmonitor\n",
        '[filter "x"]\n\tsmudge = program\n',
    ],
)
def test_settings_by_which_git_shows_something_else_are_found(path: Path, setting: str) -> None:
    config = path / ".git/config"
    config.write_text(config.read_text() + setting)
    assert deceiving_files(path) == ["config"]
    config.write_text(config.read_text().replace(setting, ""))
    assert deceiving_files(path) == []
    config.write_text(config.read_text().replace("sha256", "sha1"))
    assert deceiving_files(path) == ["config"]
    config.unlink()
    assert deceiving_files(path) == ["config"]


def test_settings_people_make_are_no_deceit(path: Path) -> None:
    git(path, "config", "user.name", "Somebody")
    git(path, "config", "remote.backup.url", "https://example.org/command")
    git(path, "config", "receive.denyCurrentBranch", "refuse")
    assert deceiving_files(path) == []


def test_without_a_repository_there_is_nothing_to_inspect(tmp_path: Path) -> None:
    for ask in (head_target, list_refs, deceiving_files):
        with pytest.raises(RepositoryError):
            ask(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/packed-refs").write_text("nonsense\n")
    with pytest.raises(RepositoryError, match="line 1"):
        list_refs(tmp_path)
    os.truncate(tmp_path / ".git/packed-refs", 0)
    with pytest.raises(RepositoryError):
        list_refs(tmp_path)

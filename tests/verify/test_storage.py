"""What is done to a repository behind Git's back, or with its plumbing, is found and never raised."""

import shutil
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from carethread.verify import verify_record
from tests.verify.stock_git import git, run

Tamper = Callable[[Path], None]

TAMPERINGS: dict[str, tuple[Tamper, tuple[str, ...]]] = {}


def tampering(*codes: str) -> Callable[[Tamper], Tamper]:
    """Add a row: the function's name says what is done."""

    def add(tamper: Tamper) -> Tamper:
        TAMPERINGS[tamper.__name__.replace("_", "-")] = (tamper, tuple(sorted(codes)))
        return tamper

    return add


def copy(record: Path, place: Path) -> Path:
    """Copy a record, under its own name."""
    return Path(shutil.copytree(record, place / record.name, symlinks=True))


def commit_object(repository: Path, content: bytes) -> None:
    """Put a commit at the end that Git would not have written."""
    literal = ("hash-object", "-t", "commit", "--literally", "-w", "--stdin")
    (repository / ".git/refs/heads/main").write_text(git(repository, *literal, stdin=content) + "\n")


def commit_tree(repository: Path, tree: str, *parents: str) -> str:
    """Put a commit with a tree at the end, as the last one was made."""
    head = run(repository, "cat-file", "commit", "HEAD").decode()
    first, rest = head.split("\nauthor ", 1)
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents or [git(repository, "rev-parse", "HEAD")])]
    assert first
    commit_object(repository, "\n".join([*lines, f"author {rest}"]).encode())
    return git(repository, "rev-parse", "HEAD")


def pack_of(repository: Path, suffix: str = "pack") -> Path:
    """Return the file of the only pack."""
    (pack,) = (repository / ".git/objects/pack").glob(f"*.{suffix}")
    return pack


def unpack(repository: Path) -> None:
    """Turn the pack into loose objects."""
    content = pack_of(repository).read_bytes()
    shutil.rmtree(repository / ".git/objects/pack")
    run(repository, "unpack-objects", "-q", stdin=content)


def loose(repository: Path, name: str) -> Path:
    """Return the file of a loose object."""
    identifier = git(repository, "rev-parse", name)
    path = repository / ".git/objects" / identifier[:2] / identifier[2:]
    path.chmod(0o644)
    return path


def thread_of(repository: Path) -> str:
    """Return the name of the last thread's conversation."""
    return git(repository, "ls-files", "communications/*/thread.md").split("\n")[-1]


# ── Packs and objects ─────────────────────────────────────────────────────────────────────────────────────────────────


@tampering("git-pack")
def the_checksum_of_a_pack_is_damaged(repository: Path) -> None:
    path, index = pack_of(repository), pack_of(repository, "idx")
    path.write_bytes(path.read_bytes()[:-32] + bytes(32))
    content = index.read_bytes()[:-64] + bytes(32)
    index.write_bytes(content + sha256(content).digest())


@tampering("git-object-missing", "git-pack")
def a_pack_is_truncated(repository: Path) -> None:
    path = pack_of(repository)
    path.write_bytes(path.read_bytes()[:-100])


@tampering("git-object-missing", "git-pack")
def an_index_is_damaged(repository: Path) -> None:
    path = pack_of(repository, "idx")
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


@tampering("git-object-missing", "git-pack")
def a_pack_is_gone(repository: Path) -> None:
    pack_of(repository).unlink()


@tampering("git-object-missing")
def a_pack_has_lost_its_index(repository: Path) -> None:
    pack_of(repository, "idx").unlink()


@tampering("git-unreadable")
def all_objects_are_gone(repository: Path) -> None:
    shutil.rmtree(repository / ".git/objects")


@tampering()
def all_objects_are_loose_and_nothing_is_wrong(repository: Path) -> None:
    unpack(repository)


@tampering("git-object-missing")
def a_version_of_a_thread_is_missing(repository: Path) -> None:
    unpack(repository)
    loose(repository, f"HEAD~4:{thread_of(repository)}").unlink()


@tampering("git-object-missing")
def a_version_of_a_ledger_is_missing(repository: Path) -> None:
    unpack(repository)
    loose(repository, f"HEAD:{thread_of(repository).replace('thread.md', 'ledger.yaml')}").unlink()


@tampering("git-object-missing")
def an_attachment_is_missing(repository: Path) -> None:
    unpack(repository)
    loose(repository, "HEAD:" + git(repository, "ls-files", "*.pdf")).unlink()


@tampering("git-object-missing")
def a_version_of_the_status_is_missing(repository: Path) -> None:
    unpack(repository)
    loose(repository, "HEAD~3:COORDINATION_STATUS.yaml").unlink()


@tampering("git-object-missing")
def a_directory_is_missing(repository: Path) -> None:
    unpack(repository)
    loose(repository, "HEAD~6:communications").unlink()


@tampering("git-object-missing")
def a_thread_s_directory_is_missing(repository: Path) -> None:
    unpack(repository)
    loose(repository, f"HEAD~1:{thread_of(repository).removesuffix('/thread.md')}").unlink()


@tampering("git-object-missing")
def the_directory_of_attachments_is_missing(repository: Path) -> None:
    unpack(repository)
    loose(repository, "HEAD:" + git(repository, "ls-files", "*.pdf").rpartition("/")[0]).unlink()


@tampering("git-object-missing")
def the_root_of_a_commit_is_missing(repository: Path) -> None:
    unpack(repository)
    loose(repository, "HEAD~6^{tree}").unlink()


@tampering("git-object-missing")
def a_commit_is_missing(repository: Path) -> None:
    unpack(repository)
    loose(repository, "HEAD~6").unlink()


@tampering("git-object-damaged")
def a_loose_object_holds_something_else(repository: Path) -> None:
    unpack(repository)
    loose(repository, f"HEAD~4:{thread_of(repository)}").write_bytes(zlib.compress(b"blob 11\0# Messages\n"))


@tampering("git-object-damaged")
def a_loose_object_is_damaged(repository: Path) -> None:
    unpack(repository)
    loose(repository, f"HEAD~4:{thread_of(repository)}").write_bytes(b"damaged")


@tampering("git-object-damaged")
def a_loose_object_is_a_link(repository: Path) -> None:
    unpack(repository)
    path = loose(repository, f"HEAD~4:{thread_of(repository)}")
    path.rename(repository / ".git/elsewhere")
    path.symlink_to("../../elsewhere")


@tampering("git-object-damaged")
def a_directory_is_no_directory(repository: Path) -> None:
    blob = git(repository, "rev-parse", "HEAD:COORDINATION_STATUS.yaml")
    rows = git(repository, "ls-tree", "HEAD").split("\n")
    content = b""
    for row in rows:
        mode, kind, identifier = row.split("\t")[0].split()
        name = row.split("\t")[1].encode()
        chosen = blob if kind == "tree" else identifier
        content += mode.removeprefix("0").encode() + b" " + name + b"\0" + bytes.fromhex(chosen)
    tree = git(repository, "hash-object", "-t", "tree", "--literally", "-w", "--stdin", stdin=content)
    commit_tree(repository, tree)


@tampering("tree-malformed")
def a_directory_is_empty(repository: Path) -> None:
    rows = run(repository, "ls-tree", "HEAD")
    empty = git(repository, "mktree")
    lines = [line.partition(b"\t") for line in rows.splitlines()]
    made = b"".join(
        (b"040000 tree " + empty.encode() if name == b"communications" else head) + b"\t" + name + b"\n"
        for head, _, name in lines
    )
    commit_tree(repository, git(repository, "mktree", stdin=made))


@tampering("tree-malformed")
def a_directory_has_a_name_twice_in_two_commits(repository: Path) -> None:
    entry = b"100644 notes.txt\0" + bytes(32)
    for count in (2, 3):
        literal = ("hash-object", "-t", "tree", "--literally", "-w", "--stdin")
        commit_tree(repository, git(repository, *literal, stdin=entry * count))


# ── Commits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@tampering("commit-malformed", "commit-scope")
def a_commit_has_another_header(repository: Path) -> None:
    raw = run(repository, "cat-file", "commit", "HEAD")
    head = git(repository, "rev-parse", "HEAD")
    parent = raw.split(b"\n")[1]
    raw = raw.replace(parent, b"parent " + head.encode()).replace(b"\n\n", b"\nencoding latin-1\n\n", 1)
    commit_object(repository, raw)


@tampering("commit-message", "commit-scope")
def a_message_is_not_text(repository: Path) -> None:
    raw = run(repository, "cat-file", "commit", "HEAD")
    head = git(repository, "rev-parse", "HEAD")
    parent = raw.split(b"\n")[1]
    commit_object(repository, raw.replace(parent, b"parent " + head.encode()).replace(b"Oxford", b"\xffxford"))


@tampering("commit-malformed")
def a_commit_has_no_tree(repository: Path) -> None:
    commit_object(repository, b"author nobody\n\nnothing\n")


@tampering("commit-scope", "history-merge")
def a_second_root_is_merged(repository: Path) -> None:
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    head = git(repository, "rev-parse", "HEAD")
    orphan = git(repository, "commit-tree", tree, "-m", "Another beginning")
    commit_tree(repository, tree, head, orphan)


@tampering("commit-scope", "thread-entries", "thread-entries", "thread-entries")
def all_history_is_squashed_into_one_commit(repository: Path) -> None:
    raw = run(repository, "cat-file", "commit", "HEAD").decode()
    tree, _, rest = raw.split("\n", 2)
    commit_object(repository, f"{tree}\n{rest}".encode())


# ── Refs and what leads elsewhere ─────────────────────────────────────────────────────────────────────────────────────


@tampering("git-ref")
def there_is_another_branch(repository: Path) -> None:
    git(repository, "branch", "draft")


@tampering("git-ref")
def there_is_a_tag(repository: Path) -> None:
    git(repository, "tag", "-a", "v1", "-m", "Version 1")


@tampering("git-ref")
def there_is_a_packed_branch(repository: Path) -> None:
    git(repository, "branch", "draft")
    git(repository, "pack-refs", "--all")


@tampering()
def the_branch_is_packed_and_nothing_is_wrong(repository: Path) -> None:
    git(repository, "pack-refs", "--all")


@tampering("git-ref")
def there_is_a_link_among_the_branches(repository: Path) -> None:
    (repository / ".git/refs/heads/old").symlink_to("main")


@tampering("git-ref")
def the_branch_names_nothing(repository: Path) -> None:
    (repository / ".git/refs/heads/main").write_text("ref: refs/heads/draft\n")


@tampering("history-empty")
def the_branch_is_gone(repository: Path) -> None:
    (repository / ".git/refs/heads/main").unlink()


@tampering("git-ref")
def a_remote_branch_holds_something_else(repository: Path) -> None:
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    other = git(repository, "commit-tree", tree, "-m", "Another history")
    git(repository, "update-ref", "refs/remotes/origin/main", other)


@tampering("git-ref")
def a_remote_branch_names_nothing(repository: Path) -> None:
    place = repository / ".git/refs/remotes/origin"
    place.mkdir(parents=True)
    (place / "main").write_text("nothing\n")


@tampering()
def a_remote_branch_is_behind_and_nothing_is_wrong(repository: Path) -> None:
    git(repository, "update-ref", "refs/remotes/origin/main", "HEAD~2")
    git(repository, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")


@tampering("git-head", "git-ref")
def the_head_is_another_branch(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "-b", "draft")


@tampering("git-head")
def the_head_is_a_commit(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--detach")


@tampering("git-unreadable")
def there_is_no_head(repository: Path) -> None:
    (repository / ".git/HEAD").unlink()


@tampering("git-detour")
def objects_are_looked_for_elsewhere(repository: Path) -> None:
    info = repository / ".git/objects/info"
    info.mkdir(exist_ok=True)
    (info / "alternates").write_text("/srv/objects\n")


@tampering("git-detour")
def a_commit_is_replaced(repository: Path) -> None:
    git(repository, "replace", "HEAD", "HEAD~1")


@tampering("git-detour")
def a_packed_ref_replaces_a_commit(repository: Path) -> None:
    git(repository, "replace", "HEAD", "HEAD~1")
    git(repository, "pack-refs", "--all")
    shutil.rmtree(repository / ".git/refs/replace", ignore_errors=True)


@tampering("git-detour")
def a_graft_hides_history(repository: Path) -> None:
    (repository / ".git/info").mkdir(exist_ok=True)
    (repository / ".git/info/grafts").write_text(git(repository, "rev-parse", "HEAD") + "\n")


@tampering("git-detour")
def the_history_is_shallow(repository: Path) -> None:
    (repository / ".git/shallow").write_text(git(repository, "rev-parse", "HEAD") + "\n")


@tampering("git-config")
def the_configuration_names_another_worktree(repository: Path) -> None:
    git(repository, "config", "core.worktree", "/srv/elsewhere")


@tampering("git-config")
def the_configuration_does_not_say_sha_256(repository: Path) -> None:
    path = repository / ".git/config"
    path.write_text(path.read_text().replace("sha256", "sha1"))


@tampering("git-config")
def the_configuration_includes_another(repository: Path) -> None:
    git(repository, "config", "include.path", "/srv/config")


# ── No repository at all ──────────────────────────────────────────────────────────────────────────────────────────────


@tampering("git-unreadable")
def there_is_nothing(repository: Path) -> None:
    shutil.rmtree(repository)


@tampering("git-unreadable")
def there_is_a_file(repository: Path) -> None:
    shutil.rmtree(repository)
    repository.write_text("no record")


@tampering("git-unreadable")
def the_repository_is_a_link(repository: Path) -> None:
    (repository / ".git").rename(repository.with_name("elsewhere"))
    (repository / ".git").symlink_to(repository.with_name("elsewhere"))


@tampering("git-unreadable")
def packed_refs_are_not_what_they_should_be(repository: Path) -> None:
    (repository / ".git/packed-refs").write_text("damaged\n")


@pytest.mark.parametrize("name", TAMPERINGS)
def test_it_is_found(name: str, small: Path, tmp_path: Path) -> None:
    tamper, codes = TAMPERINGS[name]
    repository = copy(small, tmp_path)
    tamper(repository)
    if repository.is_dir():
        for path in repository.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    findings = list(verify_record(repository))
    assert tuple(sorted(finding.code for finding in findings)) == codes, findings


@pytest.mark.parametrize("start", range(7))
def test_a_damaged_file_of_git_is_found_wherever_it_is(start: int, small: Path, tmp_path: Path) -> None:
    repository = copy(small, tmp_path)
    for suffix in ("pack", "idx"):
        path = pack_of(repository, suffix)
        content = path.read_bytes()
        for position in range(start, len(content), 7 * 37):
            damaged = bytearray(content)
            damaged[position] ^= 1 << position % 8
            path.write_bytes(damaged)
            codes = {finding.code for finding in verify_record(repository)}
            assert "git-pack" in codes, (suffix, position)
            assert len(codes) < 5, (suffix, position, codes)
        path.write_bytes(content)
    assert list(verify_record(repository)) == []

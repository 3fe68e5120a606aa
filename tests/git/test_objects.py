"""Object codecs, held to stock Git."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.errors import InvalidValueError, RepositoryError
from carethread.git.objects import (
    MODE_DIRECTORY,
    MODE_FILE,
    Commit,
    Person,
    TreeEntry,
    commit_links,
    decode_commit,
    encode_commit,
    encode_tree,
    find_in_tree,
    object_id,
    parse_tree,
    patch_tree,
    split_signature,
    with_signature,
)
from tests.git.histories import AUTHOR, git

_ID = bytes(range(32))
_HEX = _ID.hex().encode()
_FILE = TreeEntry(MODE_FILE, _ID)

names = st.binary(min_size=1, max_size=12).filter(
    lambda name: not {0, 47} & set(name) and name not in {b".", b".."} and name.lower() != b".git"
)
modes = st.sampled_from([MODE_FILE, MODE_DIRECTORY, 0o100755, 0o120000, 0o160000])
ids = st.binary(min_size=32, max_size=32)
trees = st.dictionaries(names, st.builds(TreeEntry, modes, ids), max_size=8)
person_text = st.text(st.characters(exclude_characters="<>\n\0", exclude_categories=["Cs"]), max_size=20)
persons = st.builds(
    Person,
    person_text.map(str.strip).filter(bool),
    person_text,
    st.integers(0, 253_402_300_799),
)
armors = st.binary(min_size=1, max_size=60).filter(lambda text: 0 not in text).map(lambda text: text + b"\n")
commits = st.builds(
    Commit,
    ids,
    st.lists(ids, max_size=3).map(tuple),
    persons,
    persons,
    st.binary(max_size=60).filter(lambda message: 0 not in message),
    st.none() | armors,
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("objects")
    git(path, "init", "--quiet", "--object-format=sha256")
    return path


@given(content=st.binary(max_size=100), cut=st.integers(0, 100))
def test_an_id_does_not_depend_on_how_content_is_cut(content: bytes, cut: int) -> None:
    assert object_id(b"blob", content[:cut], memoryview(content)[cut:]) == object_id(b"blob", content)


def test_ids_are_those_of_stock_git(repository: Path) -> None:
    for content in (b"", b"# Messages\n", bytes(range(256)) * 50):
        found = git(repository, "hash-object", "--stdin", "-t", "blob", stdin=content)
        assert found.decode().strip() == object_id(b"blob", content).hex()


@given(tree=trees)
def test_trees_come_back(tree: dict[bytes, TreeEntry]) -> None:
    assert parse_tree(encode_tree(tree)) == tree


def test_trees_are_sorted_as_stock_git_sorts_them(repository: Path) -> None:
    blob = TreeEntry(MODE_FILE, bytes.fromhex(git(repository, "hash-object", "-w", "--stdin").decode()))
    folder = TreeEntry(MODE_DIRECTORY, bytes.fromhex(git(repository, "mktree").decode()))
    tree = {b"a": folder, b"a.b": blob, b"a0": blob, b"b": blob, b"a-": folder, "ä".encode(): blob}
    lines = b"".join(
        b"%06o %b %b\t%b\0" % (entry.mode, b"tree" if entry.is_directory else b"blob", entry.id.hex().encode(), name)
        for name, entry in tree.items()
    )
    assert git(repository, "mktree", "-z", stdin=lines).decode().strip() == object_id(b"tree", encode_tree(tree)).hex()


@pytest.mark.parametrize(
    "raw",
    [
        b"100644 a\0" + _ID[:-1],
        b"100644 a",
        b"0100644 a\0" + _ID,
        b"100649 a\0" + _ID,
        b"100644 \0" + _ID,
        b"100644 a/b\0" + _ID,
        b"100644 .\0" + _ID,
        b"40000 ..\0" + _ID,
        b"40000 .GIT\0" + _ID,
        b"100644 b\0" + _ID + b"100644 a\0" + _ID,
        b"100644 a\0" + _ID + b"100644 a\0" + _ID,
        b"100644 a\0" + _ID + b"40000 a\0" + _ID,
        b"40000 a\0" + _ID + b"100644 a.b\0" + _ID,
        b"100644 a\0" + _ID + b"x",
        b"x100644 a\0" + _ID,
    ],
)
def test_trees_that_git_would_not_write_are_refused(raw: bytes) -> None:
    with pytest.raises(RepositoryError, match="tree"):
        parse_tree(raw)


@given(tree=trees, name=names, entry=st.builds(TreeEntry, modes, ids))
def test_patching_a_tree_is_setting_a_name(tree: dict[bytes, TreeEntry], name: bytes, entry: TreeEntry) -> None:
    if b" %b\0" % name not in encode_tree({other: found for other, found in tree.items() if other != name}):
        assert parse_tree(patch_tree(encode_tree(tree), name, entry)) == {**tree, name: entry}


@given(tree=trees, name=names)
def test_finding_in_a_tree_is_looking_a_name_up(tree: dict[bytes, TreeEntry], name: bytes) -> None:
    for known in (*tree, name):
        # Names this short may stand within a made-up id, or after another mode.
        if encode_tree(tree).count(b" %b\0" % known) <= 1 and len(known) > 1:
            assert find_in_tree(encode_tree(tree), known) == tree.get(known)


@given(commit=commits)
def test_commits_come_back(commit: Commit) -> None:
    raw = encode_commit(commit)
    assert decode_commit(raw) == commit
    assert commit_links(memoryview(raw)) == (commit.tree, commit.parents)


@given(commit=commits, armor=armors)
def test_signatures_go_in_and_come_out(commit: Commit, armor: bytes) -> None:
    unsigned = encode_commit(Commit(commit.tree, commit.parents, commit.author, commit.committer, commit.message))
    assert split_signature(unsigned) == (unsigned, None)
    assert split_signature(with_signature(unsigned, armor)) == (unsigned, armor)


def test_stock_git_accepts_and_shows_a_commit(repository: Path) -> None:
    tree = bytes.fromhex(git(repository, "mktree").decode())
    committer = Person("Carethread", "carethread@records.example", AUTHOR.seconds + 1)
    raw = encode_commit(
        Commit(tree, (), AUTHOR, committer, b"coordination:create: Initialised\n\nCare-Location: Oxford\n")
    )
    found = git(repository, "hash-object", "-w", "-t", "commit", "--stdin", stdin=raw).decode().strip()
    assert found == object_id(b"commit", raw).hex()
    shown = git(repository, "show", "--no-patch", "--format=%an|%ae|%at|%cn|%ct|%s|%(trailers)", found).decode()
    assert shown == (
        f"Dr Jane Smith|{AUTHOR.email}|{AUTHOR.seconds}|Carethread|{AUTHOR.seconds + 1}"
        "|coordination:create: Initialised|Care-Location: Oxford\n\n"
    )


@pytest.mark.parametrize(
    "person",
    [
        Person("", "a@b", 0),
        Person("A<B", "a@b", 0),
        Person("A\nB", "a@b", 0),
        Person(" A", "a@b", 0),
        Person("A\u00a0", "a@b", 0),
        Person("A", "a>b", 0),
        Person("A", "a@b", -1),
        Person("A", "a@b", 10**12),
    ],
)
def test_what_does_not_fit_a_commits_line_is_refused(person: Person) -> None:
    for author, committer, field in ((person, AUTHOR, "author"), (AUTHOR, person, "committer")):
        with pytest.raises(InvalidValueError, match=field):
            encode_commit(Commit(_ID, (), author, committer, b""))


def test_a_message_with_a_nul_and_a_bad_armor_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="message"):
        encode_commit(Commit(_ID, (), AUTHOR, AUTHOR, b"a\0b"))
    raw = encode_commit(Commit(_ID, (), AUTHOR, AUTHOR, b"message\n"))
    for armor in (b"", b"no end", b"nul\0\n"):
        with pytest.raises(InvalidValueError, match="armored"):
            with_signature(raw, armor)
    with pytest.raises(InvalidValueError, match="already"):
        with_signature(with_signature(raw, b"armor\n"), b"armor\n")


_TREE = b"tree " + _HEX + b"\n"
_PARENT = b"parent " + _HEX + b"\n"
_AUTHOR = b"author A <a@b> 1 +0000\n"
_COMMITTER = b"committer C <c@d> 1 +0000\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        _TREE,
        _TREE + _AUTHOR + _COMMITTER,
        _TREE.upper() + _AUTHOR + _COMMITTER + b"\n",
        _AUTHOR + _COMMITTER + b"\n",
        _TREE + _COMMITTER + b"\n",
        _TREE + _AUTHOR + b"\n",
        _TREE + _AUTHOR + _PARENT + _COMMITTER + b"\n",
        _TREE + _AUTHOR.replace(b"+0000", b"+0100") + _COMMITTER + b"\n",
        _TREE + _AUTHOR.replace(b" 1 ", b" 01 ") + _COMMITTER + b"\n",
        _TREE + _AUTHOR.replace(b"A <", b" A <") + _COMMITTER + b"\n",
        _TREE + _AUTHOR + _COMMITTER.replace(b"C <", b"C  <") + b"\n",
        _TREE + _AUTHOR.replace(b"A", b"\xff") + _COMMITTER + b"\n",
        _TREE + _AUTHOR + _COMMITTER + b"encoding latin-1\n\n",
        _TREE + _AUTHOR + _COMMITTER + b"gpgsig sha-1\n\n",
        _TREE + _AUTHOR + _COMMITTER + b"\nnul\0",
        _TREE + b"gpgsig-sha256 misplaced\n" + _AUTHOR + _COMMITTER + b"\n",
        _TREE + _AUTHOR + _COMMITTER + b"gpgsig-sha256 one\ngpgsig-sha256 two\n\n",
        _TREE + _AUTHOR + _COMMITTER + b"gpgsig-sha256 nul\0\n\n",
    ],
)
def test_commits_in_another_form_are_refused(raw: bytes) -> None:
    with pytest.raises(RepositoryError, match="commit"):
        decode_commit(raw)


@pytest.mark.parametrize("raw", [b"", _PARENT, b"tree 12\n", _TREE + b"parent 12\n"])
def test_links_that_cannot_be_told_are_refused(raw: bytes) -> None:
    with pytest.raises(RepositoryError, match="commit"):
        commit_links(raw)


def test_links_of_a_strangers_commit_are_read() -> None:
    raw = _TREE + _PARENT + b"author A <a@b> 1 +0100\n" + _COMMITTER + b"encoding latin-1\n\n\xff"
    assert commit_links(raw) == (_ID, (_ID,))

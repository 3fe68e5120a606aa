"""The trees of a record against the general tree codec."""

from hypothesis import given
from hypothesis import strategies as st

from carethread.git.objects import MODE_DIRECTORY, TreeEntry, encode_tree, object_id
from carethread.store.trees import ATTRIBUTES_BLOB, Communications, file_names, root_tree, thread_tree, with_files

IDS = st.binary(min_size=32, max_size=32)
FILE = 0o100644


def folder(identifier: bytes) -> TreeEntry:
    return TreeEntry(MODE_DIRECTORY, identifier)


@given(IDS, st.none() | IDS)
def test_root(status: bytes, communications: bytes | None) -> None:
    tree = {b".gitattributes": TreeEntry(FILE, ATTRIBUTES_BLOB), b"COORDINATION_STATUS.yaml": TreeEntry(FILE, status)}
    if communications is not None:
        tree[b"communications"] = folder(communications)
    assert root_tree(status, communications) == object_id(b"tree", encode_tree(tree))


@given(IDS, IDS, st.dictionaries(st.binary(min_size=3, max_size=3).map(bytes.hex).map(str.encode), IDS, max_size=4))
def test_thread(ledger: bytes, thread: bytes, files: dict[bytes, bytes]) -> None:
    tree = {b"ledger.yaml": TreeEntry(FILE, ledger), b"thread.md": TreeEntry(FILE, thread)}
    attachments = b""
    for name, identifier in files.items():
        attachments = with_files(attachments, {name: identifier})
    assert file_names(attachments) == files
    assert attachments == encode_tree({name: TreeEntry(FILE, each) for name, each in files.items()})
    if files:
        tree[b"attachments"] = folder(object_id(b"tree", attachments))
    assert thread_tree(attachments, ledger, thread) == object_id(b"tree", encode_tree(tree))


@given(st.lists(st.tuples(st.integers(0, 20).map("thread-{:04}".format), IDS), max_size=30), st.integers(0, 30))
def test_communications(writes: list[tuple[str, bytes]], loaded: int) -> None:
    expected: dict[str, bytes] = dict(writes[:loaded])
    tree = Communications(sorted(expected.items()))
    for name, identifier in writes[loaded:]:
        expected[name] = identifier
        want = object_id(b"tree", encode_tree({each.encode(): folder(expected[each]) for each in expected}))
        assert tree.id_with(name, identifier) == want
    assert len(tree) == len(expected)
    assert (tree.id() is None) == (not expected)

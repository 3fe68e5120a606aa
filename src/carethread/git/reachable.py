"""Everything a commit leads to."""

from collections.abc import Iterator

from carethread.errors import RepositoryError
from carethread.git.object_reader import ObjectReader
from carethread.git.objects import MODE_SUBMODULE, commit_links, parse_tree


def reachable(objects: ObjectReader, tip: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Return the id and kind of every object that a commit leads to, each once: parents, trees, files.

    Commits and trees are read; files are only named, and a submodule's commit, which lies elsewhere, is not.

    Raises:
        RepositoryError: a commit or a tree is missing or damaged.
    """
    seen = {tip}
    waiting = [(tip, b"commit")]
    while waiting:
        identifier, kind = waiting.pop()
        yield identifier, kind
        if kind == b"commit":
            tree, parents = commit_links(objects.read_kind(identifier, b"commit"))
            found = [(parent, b"commit") for parent in parents] + [(tree, b"tree")]
        elif kind == b"tree":
            found = [
                (entry.id, b"tree" if entry.is_directory else b"blob")
                for entry in parse_tree(objects.read_kind(identifier, b"tree")).values()
                if entry.mode != MODE_SUBMODULE
            ]
        else:
            continue
        for row in found:
            if row[0] not in seen:
                seen.add(row[0])
                waiting.append(row)


def is_complete(objects: ObjectReader, tip: bytes) -> bool:
    """Say whether everything that a commit leads to is there."""
    try:
        return all(kind != b"blob" or identifier in objects for identifier, kind in reachable(objects, tip))
    except RepositoryError:
        return False

"""What an interrupted attempt may have left among the packs, told apart from what the record needs.

A pack is written before anything refers to it, and packs it takes in are deleted only after the branch that needs it
is durable. So a crash may leave a pack nobody uses, perhaps damaged, or packs whose content another one holds too.
Neither may cost the record anything, and nothing is deleted that is not elsewhere.
"""

import os
import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from carethread.errors import RepositoryError
from carethread.git.disk import names_in, remove_file
from carethread.git.object_reader import ObjectReader
from carethread.git.objects import commit_links, parse_tree
from carethread.git.pack_reader import Pack

TEMPORARY = "tmp_carethread_"
"""What our unfinished files are called; stock Git knows `tmp_` as rubbish too."""

# Stock Git moves a new pack into place before its index. Only a pack that has stood alone for longer is rubbish.
_GRACE_S = 600
# Files beside a pack that say it is somebody's business.
_CLAIMS = (".keep", ".promisor", ".mtimes", ".bitmap")


def remove_fragments(packs: int) -> list[str]:
    """Remove unfinished files and packs without an index; return the names that are left.

    Raises:
        OSError: the machine refused.
    """
    names = names_in(packs)
    known = set(names)
    for name in names:
        stem, _, extension = name.rpartition(".")
        lone = extension == "pack" and f"{stem}.idx" not in known and _age(name, packs) > _GRACE_S
        if lone or name.startswith(TEMPORARY):
            remove_file(name, packs)
            known.discard(name)
    return sorted(known)


def _age(name: str, packs: int) -> float:
    return time.time() - os.stat(name, dir_fd=packs, follow_symlinks=False).st_mtime


def unclaimed(packs: list[Pack], names: list[str]) -> list[Pack]:
    """Return the packs that nobody marked to be kept as they are; `names` are all files beside them."""
    known = set(names)
    return [pack for pack in packs if not any(pack.name + claim in known for claim in _CLAIMS)]


def remove_pack(name: str, packs: int) -> None:
    """Delete a pack: its index first, without which it does not count.

    Raises:
        OSError: the machine refused.
    """
    # It may name the pack, and Git trusts it.
    remove_file("multi-pack-index", packs)
    for extension in (".idx", ".rev", ".pack"):
        remove_file(name + extension, packs)


def remove_damaged(reader: ObjectReader, head: bytes | None, packs: int) -> None:
    """Delete the damaged packs that a tolerant reader passed over, if the record is complete without them.

    Raises:
        RepositoryError: it is not; nothing is deleted.
        OSError: the machine refused.
    """
    if reader.damaged and head is not None and not _is_complete(reader, head):
        raise next(iter(reader.damaged.values()))
    for name in reader.damaged:
        remove_pack(name, packs)


def _is_complete(reader: ObjectReader, head: bytes) -> bool:
    """Say whether everything that a commit leads to is there: all commits, all directories, all files."""
    commits, trees, blobs = [head], set[bytes](), set[bytes]()
    try:
        while commits:
            tree, parents = commit_links(reader.read_kind(commits.pop(), b"commit"))
            commits += parents
            trees.add(tree)
        waiting = list(trees)
        while waiting:
            for entry in parse_tree(reader.read_kind(waiting.pop(), b"tree")).values():
                if not entry.is_directory:
                    blobs.add(entry.id)
                elif entry.id not in trees:
                    trees.add(entry.id)
                    waiting.append(entry.id)
    except RepositoryError:
        return False
    return all(blob in reader for blob in blobs)


def unpublished(reader: ObjectReader, commit_id: bytes) -> list[Pack]:
    """Return the packs that hold a commit which is still to be put in."""
    return [pack for pack in reader.packs if pack.index.offset_of(commit_id) is not None]


def are_spare(suspects: Sequence[Pack], reader: ObjectReader, planned: AbstractSet[bytes]) -> bool:
    """Say whether all these packs hold is in the reader's other packs, or about to be written."""
    elsewhere = set(planned)
    for pack in reader.packs:
        if pack not in suspects:
            elsewhere.update(pack.index.ids())
    return all(identifier in elsewhere for pack in suspects for identifier in pack.index.ids())


def superseded(packs: list[Pack]) -> list[Pack]:
    """Return packs whose every object another of these packs holds too, which is then sound.

    Raises:
        RepositoryError: a pack that would be relied on is damaged.
    """
    ordered = sorted(packs, key=lambda pack: (pack.index.count, pack.name))
    found = []
    for position, pack in enumerate(ordered):
        ids = pack.index.ids()
        for larger in ordered[position + 1 :]:
            if all(larger.index.offset_of(identifier) is not None for identifier in ids):
                larger.check()
                found.append(pack)
                break
    return found

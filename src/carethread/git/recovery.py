"""What an interrupted attempt may have left among the packs, told apart from what the record needs.

A new pack has a name of ours, which Git passes over, until the branch is about to need it. So a crash leaves at
worst files that nobody uses, and packs whose content a newer one holds too. Nothing is deleted that is not elsewhere.
"""

import os
import time

from carethread.git.disk import names_in, remove_file
from carethread.git.pack_reader import Pack

STAGED = "tmp_carethread_"
"""How the names of unpublished files begin; stock Git knows `tmp_` as rubbish among packs too."""

# Stock Git moves a new pack into place before its index. Only a pack that has stood alone for longer is rubbish.
_GRACE_S = 600
# Files beside a pack that say it is somebody's business.
_CLAIMS = (".keep", ".promisor", ".mtimes", ".bitmap")


def remove_fragments(packs: int) -> list[str]:
    """Remove unpublished files and packs without an index; return the names that are left.

    Raises:
        OSError: the machine refused.
    """
    names = names_in(packs)
    known = set(names)
    for name in names:
        stem, _, extension = name.rpartition(".")
        lone = extension == "pack" and f"{stem}.idx" not in known and _age(name, packs) > _GRACE_S
        if lone or name.startswith(STAGED):
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

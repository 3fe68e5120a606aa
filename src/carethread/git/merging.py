"""Taking the entries of existing packs into a new one, most of them as they are.

Packs of similar size are merged when a new one is written, so that their number grows with the logarithm of what is
recorded. A pack's bytes are compared with its checksum before they are copied: damage does not spread.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from carethread.errors import RepositoryError
from carethread.git.delta import prefix_delta, rebase_delta
from carethread.git.objects import ID_SIZE
from carethread.git.pack_entry import BLOB, OFS_DELTA, REF_DELTA, EntryHeader, inflate, parse_header
from carethread.git.pack_reader import Pack
from carethread.git.pack_writer import PackWriter

# Packs below this are taken in always: copying them costs less than having them.
_ALWAYS = 32 << 10
_RATIO = 2
# So much is held in memory while packs are merged; larger ones stay as they are.
_LARGEST = 128 << 20


class Newer(Struct, frozen=True):
    """The version by which an older one is expressed, which is its beginning."""

    id: bytes
    size: int


class Taken(Struct, frozen=True):
    """A pack that is taken in; the lists run parallel, in the order of the pack, and `starts` has the end too."""

    pack: Pack
    data: bytes
    ids: list[bytes]
    crcs: list[int]
    starts: list[int]
    kinds: bytearray
    bases: list[bytes | None]

    def entry(self, number: int) -> tuple[EntryHeader, bytes]:
        """Return an entry's header, and its bytes."""
        raw = self.data[self.starts[number] : self.starts[number + 1]]
        return parse_header(raw, 0), raw

    def full_blobs(self) -> Iterator[int]:
        """Return the positions of blobs that stand in full."""
        at = self.kinds.find(BLOB)
        while at >= 0:
            yield at
            at = self.kinds.find(BLOB, at + 1)


def choose_packs(packs: Sequence[Pack], gathered: int) -> list[Pack]:
    """Return the packs to merge with a new one of about `gathered` bytes, the smallest first."""
    chosen = []
    for pack in sorted(packs, key=lambda pack: (pack.size, pack.name)):
        if pack.size > max(_ALWAYS, _RATIO * gathered) or pack.size + gathered > _LARGEST:
            break
        chosen.append(pack)
        gathered += pack.size
    return chosen


def read_pack(pack: Pack) -> Taken | None:
    """Read a pack to be taken in; None if entries say where their base is by distance, as stock Git's do.

    Raises:
        RepositoryError: the pack is damaged.
    """
    data = pack.whole()
    pack.check()
    ids, crcs, starts = pack.entries()
    kinds = bytearray()
    bases: list[bytes | None] = []
    try:
        for start in starts[:-1]:
            at, byte = start, data[start]
            kind = byte >> 4 & 7
            kinds.append(kind)
            if kind == REF_DELTA:
                while byte & 0x80:
                    at += 1
                    byte = data[at]
                bases.append(data[at + 1 : at + 1 + ID_SIZE])
            elif kind == OFS_DELTA:
                return None
            else:
                bases.append(None)
    except IndexError:
        raise RepositoryError(f"{pack.place}.pack: is truncated") from None
    return Taken(pack, data, ids, crcs, starts, kinds, bases)


def take_in(writer: PackWriter, taken: Taken, newer: Mapping[bytes, Newer]) -> None:
    """Copy a pack's entries; versions that have a newer one now, and what was expressed by them, get that as base."""
    kept = 0
    for number, (identifier, base) in enumerate(zip(taken.ids, taken.bases, strict=True)):
        if base not in newer and identifier not in newer and identifier not in writer:
            continue
        _copy(writer, taken, kept, number)
        kept = number + 1
        if identifier in writer:
            continue
        header, raw = taken.entry(number)
        if identifier in newer and base is None:
            version = newer[identifier]
            writer.add_delta(identifier, version.id, prefix_delta(version.size, header.size))
        elif base is not None and base in newer:
            version = newer[base]
            delta, _ = inflate(raw, header.start, header.size)
            writer.add_delta(identifier, version.id, rebase_delta(bytes(delta), version.size))
        else:
            # A newer version of something else expresses it already.
            _copy(writer, taken, number, number + 1)
    _copy(writer, taken, kept, len(taken.ids))


def _copy(writer: PackWriter, taken: Taken, first: int, last: int) -> None:
    if first < last:
        starts = taken.starts[first : last + 1]
        entries = taken.data[starts[0] : starts[-1]]
        writer.add_entries(taken.ids[first:last], taken.bases[first:last], taken.crcs[first:last], starts, entries)

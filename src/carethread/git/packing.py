"""Which packs a new one takes in, and how versions of one file become small.

Of a file that grows, the newest version stands in full and every older one is its first so many bytes: a delta of
one copy, never deeper than one. Of everything else, a version is a delta of the one before it where that one is in
the same pack and the chain is short. Each pack stands alone. Packs of similar size are merged when a new one is
written, so that their number grows with the logarithm of what is recorded; their entries are copied as they are,
after comparing their CRC.
"""

import zlib
from collections.abc import Mapping, Sequence

from msgspec import Struct

from carethread.errors import RepositoryError
from carethread.git.delta import difference, prefix_delta, rebase_delta
from carethread.git.object_reader import ObjectReader
from carethread.git.pack_entry import (
    BLOB,
    COMMIT,
    OFS_DELTA,
    TREE,
    EntryHeader,
    encode_header,
    inflate,
    parse_header,
)
from carethread.git.pack_reader import Pack
from carethread.git.pack_writer import PackWriter
from carethread.git.plan import Plan, Version
from carethread.git.stream import begin_stream, continue_stream, is_growing, stream_body

# Packs below this are taken in always: copying them costs less than having them.
_ALWAYS = 32 << 10
_RATIO = 2
# Roughly what an object takes that is no thread; it decides only how much is merged.
_TYPICAL_ENTRY = 200
# A delta of a larger file would take time and memory for nothing: only ledgers and the like are written anew.
LARGEST_DIFFERENCE = 1 << 16


class Content(Struct, frozen=True):
    """The newest content of a growth: what was there before, and what is added."""

    old: bytes
    added: bytes
    repair: bool = False
    """Whether the worktree does not hold `old`."""


class _Entry(Struct, frozen=True):
    """An entry of a pack that is taken in: its bytes, with what its header says."""

    id: bytes
    crc: int
    raw: bytes
    header: EntryHeader


class _Taken(Struct, frozen=True):
    """A pack that is taken in."""

    pack: Pack
    entries: list[_Entry]


def _scan(pack: Pack) -> _Taken | None:
    """Read a pack; None if its entries say where their base is by distance, as stock Git's do."""
    pack.index.check()
    data = pack.whole()
    entries = []
    for found in pack.entries():
        place = f"{pack.place}.pack at {found.start}"
        raw = data[found.start : found.end]
        if zlib.crc32(raw) != found.crc:
            raise RepositoryError(f"{place}: CRC does not match")
        header = parse_header(raw, 0)
        if header.type == OFS_DELTA:
            return None
        entries.append(_Entry(found.id, found.crc, raw, header))
    return _Taken(pack, entries)


def choose_packs(packs: Sequence[Pack], gathered: int) -> list[Pack]:
    """Return the packs to merge with a new one of about `gathered` bytes, the smallest first."""
    chosen = []
    for pack in sorted(packs, key=lambda pack: (pack.size, pack.name)):
        if pack.size > max(_ALWAYS, _RATIO * gathered):
            break
        chosen.append(pack)
        gathered += pack.size
    return chosen


class _Grown(Struct, frozen=True):
    """The newest version of a growth, by which older ones are expressed."""

    id: bytes
    size: int


def _take_in(writer: PackWriter, taken: _Taken, grown: Mapping[bytes, _Grown]) -> None:
    """Copy a pack's entries; what was the newest version of a growth is expressed by its newer one."""
    for entry in taken.entries:
        header = entry.header
        if entry.id in writer:
            continue
        base = header.base_id
        if header.type == BLOB and (newer := grown.get(entry.id)) is not None:
            writer.add_delta(entry.id, newer.id, prefix_delta(newer.size, header.size))
        elif base is not None and (newer := grown.get(base)) is not None:
            delta, _ = inflate(entry.raw, header.start, header.size)
            writer.add_delta(entry.id, newer.id, rebase_delta(bytes(delta), newer.size))
        else:
            writer.add(entry.id, entry.raw, base, entry.crc)


def _add_version(writer: PackWriter, kind: int, version: Version) -> None:
    """Add an object, as a delta of its previous version where that is in the pack and it pays."""
    if version.id in writer:
        return
    if version.previous is not None and writer.may_extend(version.previous, len(version.content)):
        delta = difference(version.previous_content, version.content)
        if 4 * (len(delta) + 34) < 3 * len(version.content):
            writer.add_delta(version.id, version.previous, delta)
            return
    writer.add_object(version.id, kind, version.content)


def _add_files(
    writer: PackWriter, plan: Plan, contents: Sequence[Content], fulls: Mapping[bytes, bytes], reader: ObjectReader
) -> None:
    before: dict[str, bytes] = {}
    for growth, content in zip(plan.growths, contents, strict=True):
        newest, size = growth.versions[-1]
        if newest in fulls:
            if newest not in writer:
                writer.add(newest, encode_header(BLOB, size) + fulls[newest], None)
            for identifier, older in growth.versions[:-1]:
                writer.add_delta(identifier, newest, prefix_delta(size, older))
            continue
        previous = before.get(growth.path, b"")
        if growth.replaces is not None and not previous and writer.may_extend(growth.replaces, size):
            previous = reader.read_kind(growth.replaces, b"blob")
        small = 0 < len(previous) <= LARGEST_DIFFERENCE and len(content.added) <= LARGEST_DIFFERENCE
        version = Version(newest, content.added, growth.replaces if small else None, previous)
        _add_version(writer, BLOB, version)
        before[growth.path] = content.added


def _full_entries(
    plan: Plan, contents: Sequence[Content], entries: Mapping[bytes, _Entry], reader: ObjectReader
) -> dict[bytes, bytes]:
    """Return the deflated newest version of every file that grows, by id."""
    fulls = {}
    for growth, content in zip(plan.growths, contents, strict=True):
        if growth.old is None and len(growth.versions) == 1 and not growth.path.endswith("/thread.md"):
            continue
        stream = None
        if growth.old is not None:
            entry = entries.get(growth.old)
            if entry is None:
                stream = reader.raw_stream(growth.old)
            elif entry.header.type == BLOB:
                stream = entry.raw[entry.header.start :]
        packed = None if stream is None else continue_stream(stream, content.old, content.added)
        if packed is None:
            packed = begin_stream(b"".join((content.old, content.added)))
        fulls[growth.versions[-1][0]] = packed
    return fulls


def _newer_versions(plan: Plan, entries: Mapping[bytes, _Entry], fulls: Mapping[bytes, bytes]) -> dict[bytes, _Grown]:
    """Return by which newer version each object that stands in full is to be expressed.

    Besides what the plan says, any two packs may hold a version of the same file: then the deflated form of one
    begins with that of the other.
    """
    sizes = {growth.versions[-1][0]: growth.versions[-1][1] for growth in plan.growths}
    bodies = [(stream_body(packed), identifier, sizes[identifier]) for identifier, packed in fulls.items()]
    for entry in entries.values():
        header = entry.header
        if header.type == BLOB and is_growing(packed := entry.raw[header.start :]):
            bodies.append((stream_body(packed), entry.id, header.size))
    # Sorted, what continues a stream follows it at once; the last one of such a run is the newest.
    bodies.sort()
    newer = {}
    newest: tuple[bytes, bytes, int] = (b"", b"", 0)
    for body in reversed(bodies):
        if newest[0].startswith(body[0]) and newest[2] > body[2]:
            newer[body[1]] = _Grown(newest[1], newest[2])
        else:
            newest = body
    for growth in plan.growths:
        identifier, size = growth.versions[-1]
        if growth.old is not None and growth.old != identifier and identifier not in entries:
            newer[growth.old] = _Grown(identifier, size)
    return newer


def build_pack(
    plan: Plan, contents: Sequence[Content], packs: Sequence[Pack], reader: ObjectReader
) -> tuple[PackWriter, list[Pack]]:
    """Return a pack of everything planned, and the packs it took in, which are then no longer needed.

    `contents` runs parallel to the plan's growths; `packs` are those of the reader that may be taken in.

    Raises:
        RepositoryError: a pack that would be taken in is damaged.
    """
    estimate = (len(plan.commits) + len(plan.trees) + len(plan.growths)) * _TYPICAL_ENTRY
    estimate += sum(len(content.old) // 3 + len(content.added) // 3 for content in contents)
    taken = [found for pack in choose_packs(packs, estimate) if (found := _scan(pack)) is not None]
    entries = {entry.id: entry for found in reversed(taken) for entry in found.entries}
    fulls = _full_entries(plan, contents, entries, reader)
    grown = _newer_versions(plan, entries, fulls)
    writer = PackWriter()
    for found in taken:
        _take_in(writer, found, grown)
    for version in plan.commits:
        _add_version(writer, COMMIT, version)
    for version in plan.trees:
        _add_version(writer, TREE, version)
    _add_files(writer, plan, contents, fulls, reader)
    return writer, [found.pack for found in taken]

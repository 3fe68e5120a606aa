"""How versions of one file become small in a new pack, and which packs it takes in.

Of a file that grows, the newest version stands in full and every older one is its first so many bytes: a delta of
one copy, never deeper than one. Of everything else, a version is a delta of the one before it where that one is in
the same pack and the chain is short. Each pack stands alone.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from carethread.git.delta import difference, prefix_delta
from carethread.git.merging import Newer, Taken, choose_packs, read_pack, take_in
from carethread.git.object_reader import ObjectReader
from carethread.git.pack_entry import BLOB, COMMIT, TREE, encode_header
from carethread.git.pack_reader import Pack
from carethread.git.pack_writer import PackWriter
from carethread.git.plan import Plan, Version
from carethread.git.stream import begin_stream, continue_stream, is_growing, stream_body

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
        small = size <= LARGEST_DIFFERENCE
        if newest in fulls:
            if newest not in writer:
                writer.add(newest, encode_header(BLOB, size) + fulls[newest], None)
            for identifier, older in growth.versions[:-1]:
                writer.add_delta(identifier, newest, prefix_delta(size, older))
        else:
            previous = before.get(growth.path)
            if previous is None and growth.replaces is not None and writer.may_extend(growth.replaces, size):
                previous = reader.read_kind(growth.replaces, b"blob")
            if not small or not previous or len(previous) > LARGEST_DIFFERENCE:
                version = Version(newest, content.added)
            else:
                version = Version(newest, content.added, growth.replaces, previous)
            _add_version(writer, BLOB, version)
        before[growth.path] = b"".join((content.old, content.added)) if small else b""


def _full_versions(
    plan: Plan, contents: Sequence[Content], blobs: Mapping[bytes, tuple[Taken, int]], reader: ObjectReader
) -> dict[bytes, bytes]:
    """Return the deflated newest version of every file that grows, by id."""
    fulls = {}
    for growth, content in zip(plan.growths, contents, strict=True):
        if growth.old is None and len(growth.versions) == 1 and not growth.path.endswith("/thread.md"):
            continue
        packed = None
        if growth.old is not None:
            stream = _stream(*blobs[growth.old]) if growth.old in blobs else reader.raw_stream(growth.old)
            packed = None if stream is None else continue_stream(stream, content.old, content.added)
        fulls[growth.versions[-1][0]] = packed or begin_stream(b"".join((content.old, content.added)))
    return fulls


def _full_entry(newest: Newer, blobs: Mapping[bytes, tuple[Taken, int]], fulls: Mapping[bytes, bytes]) -> bytes:
    if newest.id in fulls:
        return encode_header(BLOB, newest.size) + fulls[newest.id]
    found, number = blobs[newest.id]
    return found.entry(number)[1]


def _stream(taken: Taken, number: int) -> bytes:
    header, raw = taken.entry(number)
    return raw[header.start :]


def _newer_versions(
    plan: Plan, blobs: Mapping[bytes, tuple[Taken, int]], fulls: Mapping[bytes, bytes]
) -> dict[bytes, Newer]:
    """Return by which newer version each blob that stands in full is to be expressed.

    Besides what the plan says, any two packs may hold a version of the same file: then the deflated form of one
    begins with that of the other.
    """
    sizes = {growth.versions[-1][0]: growth.versions[-1][1] for growth in plan.growths}
    bodies = [(stream_body(packed), identifier, sizes[identifier]) for identifier, packed in fulls.items()]
    for identifier, (found, number) in blobs.items():
        header, raw = found.entry(number)
        if is_growing(packed := raw[header.start :]):
            bodies.append((stream_body(packed), identifier, header.size))
    # Sorted, what continues a stream follows it at once; the last one of such a run is the newest.
    bodies.sort()
    newer = {}
    newest: tuple[bytes, bytes, int] = (b"", b"", 0)
    for body in reversed(bodies):
        if newest[0].startswith(body[0]) and newest[2] > body[2]:
            newer[body[1]] = Newer(newest[1], newest[2])
        else:
            newest = body
    for growth in plan.growths:
        identifier, size = growth.versions[-1]
        if growth.old is not None and growth.old in blobs and growth.old_size < size:
            newer[growth.old] = Newer(identifier, size)
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
    taken = [found for pack in choose_packs(packs, estimate) if (found := read_pack(pack)) is not None]
    # Of an object that is in several packs the first counts, here as when they are taken in.
    blobs = {found.ids[number]: (found, number) for found in reversed(taken) for number in found.full_blobs()}
    fulls = _full_versions(plan, contents, blobs, reader)
    newer = _newer_versions(plan, blobs, fulls)
    writer = PackWriter()
    # First what others are expressed by, in full: then no chain of deltas can lead back to where it began.
    for newest in {each.id: each for each in newer.values()}.values():
        writer.add(newest.id, _full_entry(newest, blobs, fulls), None)
    for found in taken:
        take_in(writer, found, newer)
    for version in plan.commits:
        _add_version(writer, COMMIT, version)
    for version in plan.trees:
        _add_version(writer, TREE, version)
    _add_files(writer, plan, contents, fulls, reader)
    return writer, [found.pack for found in taken]

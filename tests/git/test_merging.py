"""Packs of any making are merged into one that holds together."""

import os
from pathlib import Path

import pytest

from carethread.errors import RepositoryError
from carethread.git import merging
from carethread.git.delta import difference, prefix_delta
from carethread.git.layout import open_objects
from carethread.git.merging import choose_packs, read_pack
from carethread.git.objects import object_id
from carethread.git.pack_entry import BLOB, encode_full, encode_header, encode_reference
from carethread.git.pack_reader import Pack
from carethread.git.stream import begin_stream, continue_stream
from tests.git.histories import Journal, flush, git, pack_names
from tests.git.packs import write_pack


def _versions(count: int) -> list[bytes]:
    made = [b"# Messages\n"]
    for number in range(count):
        made.append(made[-1] + b"\n## Message %d\n\n" % number + b"All is well, and this is more than a delta. " * 3)
    return made


def _growing(content: bytes, *, old: bytes = b"") -> tuple[bytes, bytes]:
    """Return id and full entry of a version, deflated as a continuation of an older one."""
    stream = begin_stream(old or content)
    if old:
        stream = continue_stream(stream, old, content[len(old) :]) or b""
    return object_id(b"blob", content), encode_header(BLOB, len(content)) + stream


def _delta(content: bytes, base: bytes) -> tuple[bytes, bytes]:
    return object_id(b"blob", content), encode_reference(object_id(b"blob", base), difference(base, content))


def _merge(tmp_path: Path, *packs: list[tuple[bytes, bytes]], thread: bytes) -> Path:
    """Make a record with a thread, add packs, and flush another message of the thread."""
    journal = Journal()
    journal.initialise()
    folder = journal.thread()
    journal.step((f"{folder}thread.md", False, thread))
    path = tmp_path / "record"
    flush(path, journal.steps)
    for entries in packs:
        write_pack(path / ".git/objects/pack", entries)
    journal.message(folder)
    flush(path, journal.steps[-1:])
    assert sum(name.endswith(".pack") for name in pack_names(path)) == 1
    # What was added belongs to no commit.
    assert git(path, "fsck", "--full", "--strict", "--no-dangling") == b""
    assert git(path, "status", "--porcelain") == b""
    with open_objects(path) as reader:
        for identifier in reader.packs[0].index.ids():
            reader.read(identifier)
        for entries in packs:
            assert {identifier for identifier, _ in entries} <= set(reader.packs[0].index.ids())
    return path


@pytest.mark.parametrize("forward_first", [False, True])
def test_a_chain_of_deltas_does_not_become_a_circle(tmp_path: Path, forward_first: bool) -> None:
    old, new, newest = _versions(5)[3:6]
    # Elsewhere the newer version is a delta of the older one, as stock Git may have it.
    forward = [_growing(old), _delta(new, old)]
    backward = [_growing(new, old=old), _delta(old, new)]
    # The smaller pack is read first.
    noise = os.urandom(2000)
    (backward if forward_first else forward).append((object_id(b"blob", noise), encode_full(BLOB, noise)))
    _merge(tmp_path, forward, backward, thread=newest)


def test_what_is_in_full_in_one_pack_may_be_a_delta_in_another(tmp_path: Path) -> None:
    old, new, newest = _versions(5)[3:6]
    other = b"something else entirely, of some length, that nothing else is like " * 4
    stranger = [(object_id(b"blob", other), encode_full(BLOB, other)), _delta(old, other)]
    _merge(tmp_path, stranger, [_growing(old), _delta(_versions(2)[2], old)], [_growing(new, old=old)], thread=newest)


@pytest.mark.parametrize("turned", [False, True])
def test_versions_in_several_packs_become_beginnings_of_the_newest(tmp_path: Path, turned: bool) -> None:
    versions = _versions(6)
    packs = [
        [_growing(versions[2]), (object_id(b"blob", versions[1]), _prefix(versions[1], versions[2]))],
        [_growing(versions[4], old=versions[2]), (object_id(b"blob", versions[3]), _prefix(versions[3], versions[4]))],
    ]
    path = _merge(tmp_path, *(packs[::-1] if turned else packs), thread=b"# Messages\n\nanother\n")
    with open_objects(path) as reader:
        (pack,) = reader.packs
        for version in versions[1:4]:
            offset = pack.index.offset_of(object_id(b"blob", version))
            assert offset is not None
            assert pack.header_at(offset)[0].base_id == object_id(b"blob", versions[4])


def _prefix(content: bytes, base: bytes) -> bytes:
    return encode_reference(object_id(b"blob", base), prefix_delta(len(base), len(content)))


def test_small_packs_are_taken_in_always_and_large_ones_with_enough_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []
    for size in (10, 20_000, 60_000, 90_000, 500_000):
        content = bytes(hash((size, at)) & 0xFF for at in range(size))
        names.append(write_pack(tmp_path, [(object_id(b"blob", content), encode_header(BLOB, size) + content)]))
    descriptor = os.open(tmp_path, os.O_RDONLY)
    packs = [Pack(name, descriptor, "place") for name in names]
    os.close(descriptor)
    assert choose_packs(packs, 100) == packs[:2]
    assert choose_packs(packs, 10_000) == packs[:4]
    assert choose_packs(packs, 100_000) == packs
    monkeypatch.setattr(merging, "_LARGEST", 400_000)
    assert choose_packs(packs, 200_000) == packs[:4]
    for pack in packs:
        pack.close()


def test_entries_beyond_the_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal()
    journal.initialise()
    flush(tmp_path / "record", journal.steps)
    with open_objects(tmp_path / "record") as reader:
        monkeypatch.setattr(Pack, "entries", lambda pack: ([bytes(32)], [0], [pack.size, pack.size]))
        with pytest.raises(RepositoryError, match="truncated"):
            read_pack(reader.packs[0])

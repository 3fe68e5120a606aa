"""Reading objects from packs and loose files that stock Git wrote, and refusing what nobody should have written."""

import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from dulwich.object_format import SHA256
from dulwich.pack import Pack as DulwichPack

from carethread.errors import RepositoryError, StorageError
from carethread.git import object_reader, pack_reader
from carethread.git.delta import difference, prefix_delta
from carethread.git.layout import open_objects
from carethread.git.object_reader import ObjectReader
from carethread.git.objects import object_id
from carethread.git.pack_entry import BLOB, OFS_DELTA, encode_full, encode_header, encode_reference, store
from carethread.git.pack_index import encode_index
from carethread.git.pack_reader import Pack
from tests.git.histories import conversation, flush, git, pack_names
from tests.git.packs import write_pack


def _stock(path: Path, *, versions: int = 12) -> None:
    """Make a repository with stock Git: a file that grows, one that changes, one that does not."""
    git(path.parent, "init", "--quiet", "--object-format=sha256", "--initial-branch=main", str(path))
    (path / "same").write_bytes(os.urandom(5000))
    growing, changing = b"", bytes(range(256)) * 8
    for number in range(versions):
        growing += b"## Message %d\n\n" % number + b"All is well, and more follows. " * 50
        changing = changing[:900] + b"%05d" % number + changing[905:]
        (path / "growing").write_bytes(growing)
        (path / "changing").write_bytes(changing)
        git(path, "add", "--all")
        git(path, "commit", "--quiet", "--message", f"version {number}")


@pytest.fixture(params=[pack_reader._SMALL, 0], ids=["at-once", "in-pieces"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read packs as small ones are, at once, and as large ones are, entry by entry."""
    monkeypatch.setattr(pack_reader, "_SMALL", request.param)


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stock") / "repository"
    _stock(path)
    return path


def _all_objects(path: Path) -> dict[bytes, tuple[bytes, bytes]]:
    listed = git(path, "cat-file", "--batch-all-objects", "--batch")
    found = {}
    while listed:
        line, _, listed = listed.partition(b"\n")
        name, kind, size = line.split()
        found[bytes.fromhex(name.decode())] = (kind, listed[: int(size)])
        listed = listed[int(size) + 1 :]
    return found


def _check_against_git(path: Path) -> None:
    expected = _all_objects(path)
    with open_objects(path) as reader:
        for identifier, (kind, content) in expected.items():
            found = reader.read(identifier)
            assert (found.kind, bytes(found.content)) == (kind, content)
            assert reader.size_of(identifier) == len(content)
            assert identifier in reader
        packed = {identifier for pack in reader.packs for identifier in pack.index.ids()}
        assert packed | set(reader.loose_ids()) == set(expected)
        for pack in reader.packs:
            pack.check()
            assert sorted(pack.entries()[0]) == pack.index.ids()


def test_whatever_stock_git_leaves_behind_is_read(stock: Path) -> None:
    _check_against_git(stock)
    git(stock, "repack", "-d", "--quiet")
    (stock / "growing").write_bytes(b"new")
    git(stock, "commit", "--all", "--quiet", "--message", "loose on top of packed")
    _check_against_git(stock)
    git(stock, "repack", "-d", "--quiet")
    assert sum(name.endswith(".pack") for name in pack_names(stock)) == 2
    _check_against_git(stock)
    git(stock, "gc", "--quiet")
    _check_against_git(stock)
    git(stock, "-c", "repack.useDeltaBaseOffset=false", "repack", "-adf", "--quiet", "--depth=4")
    _check_against_git(stock)


def test_a_clone_of_what_we_wrote_is_read(tmp_path: Path) -> None:
    journal = conversation(30)
    flush(tmp_path / "record", journal.steps)
    git(tmp_path, "clone", "--quiet", "--no-local", str(tmp_path / "record"), "clone")
    _check_against_git(tmp_path / "record")
    _check_against_git(tmp_path / "clone")


def test_another_implementation_reads_what_we_wrote(tmp_path: Path) -> None:
    journal = conversation(40)
    flush(tmp_path / "record", journal.steps[:20])
    flush(tmp_path / "record", journal.steps[20:])
    expected = _all_objects(tmp_path / "record")
    folder = tmp_path / "record/.git/objects/pack"
    seen = set()
    for name in {name.rpartition(".")[0] for name in pack_names(tmp_path / "record")}:
        with DulwichPack(str(folder / name), object_format=SHA256) as pack:
            for entry in pack.iter_unpacked():
                seen.add(entry.offset)
            for identifier in pack:
                raw = bytes.fromhex(identifier.decode())
                number, content = pack.get_raw(identifier)
                assert ((b"", b"commit", b"tree", b"blob")[number], content) == expected[raw]
    assert seen


_MEASURE = """
import sys, tracemalloc
from pathlib import Path
from carethread.git.layout import open_objects

with open_objects(Path(sys.argv[1]), check_ids=False) as reader:
    ids = [identifier for pack in reader.packs for identifier in pack.index.ids()]
    tracemalloc.start()
    total = sum(len(reader.read(identifier).content) for identifier in ids)
    print(total, tracemalloc.get_traced_memory()[1])
"""


def test_a_repacked_growing_file_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "repository"
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "--initial-branch=main", str(path))
    stream, content = bytearray(), b""
    for number in range(120):
        content += os.urandom(2500).hex().encode()
        stream += b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata 0\n" % number
        stream += b"M 100644 inline thread.md\ndata %d\n%b\n" % (len(content), content)
    git(path, "fast-import", "--quiet", "--force", stdin=bytes(stream))
    git(path, "repack", "-adf", "--quiet")
    # In a process of its own: what other tests of this one still do is not the reader's memory.
    measured = subprocess.run([sys.executable, "-c", _MEASURE, path], check=True, capture_output=True, text=True)
    total, peak = map(int, measured.stdout.split())
    assert total > 35_000_000
    # The newest version, the pack itself, and little more: every other version is a view.
    assert peak < 4_000_000


def test_the_cache_forgets_what_was_used_longest_ago(stock: Path) -> None:
    expected = _all_objects(stock)
    with _opened(stock / ".git/objects") as objects, ObjectReader(objects, "objects", cache_size=20_000) as reader:
        for _ in range(2):
            for identifier, (_, content) in expected.items():
                assert reader.read(identifier).content == content


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


# ── Packs nobody should have written ──────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _reading(tmp_path: Path, *entries: tuple[bytes, bytes]) -> Iterator[ObjectReader]:
    write_pack(tmp_path / "pack", list(entries))
    with _opened(tmp_path) as objects, ObjectReader(objects, "objects") as reader:
        yield reader


_BASE = b"# Messages\n" * 20
_BASE_ID = object_id(b"blob", _BASE)
_FULL = (_BASE_ID, encode_full(BLOB, _BASE))
_A, _B, _C = (bytes((number,)) * 32 for number in (1, 2, 3))


def _distance_entry(distance: int, delta: bytes) -> bytes:
    return encode_header(OFS_DELTA, len(delta)) + bytes((distance,)) + store(delta)


@pytest.mark.usefixtures("both_ways")
def test_deltas_by_id_and_by_distance_are_resolved(tmp_path: Path) -> None:
    one, two = _BASE[:60], b"# Messages\n-\n" * 3
    entry = encode_reference(_BASE_ID, prefix_delta(len(_BASE), len(one)))
    further = _distance_entry(len(entry), difference(one, two))
    with _reading(tmp_path, _FULL, (object_id(b"blob", one), entry), (object_id(b"blob", two), further)) as reader:
        assert reader.read(object_id(b"blob", two)).content == two
        assert reader.size_of(object_id(b"blob", two)) == len(two)
        assert reader.raw_stream(object_id(b"blob", two)) is None
        assert reader.raw_stream(_A) is None
        assert zlib.decompress(reader.raw_stream(_BASE_ID) or b"") == _BASE


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ([(_A, encode_full(BLOB, b"other"))], "other content than its id"),
        ([(_A, encode_reference(_A, prefix_delta(5, 5)))], "no end"),
        ([(_A, encode_reference(_B, prefix_delta(5, 5))), (_B, encode_reference(_A, prefix_delta(5, 5)))], "no end"),
        ([(_A, encode_reference(_C, prefix_delta(5, 5)))], "not in the pack"),
        ([(_A, _distance_entry(100, prefix_delta(5, 5)))], "unknown entry type"),
        ([(_A, _distance_entry(0, prefix_delta(5, 5)))], "no end"),
        ([_FULL, (_A, encode_reference(_BASE_ID, prefix_delta(5, 5)))], "for a base of 5 bytes"),
        ([(_A, encode_header(BLOB, 1 << 40) + zlib.compress(b"x"))], "too large"),
        ([(_A, encode_header(BLOB, 10) + zlib.compress(bytes(10_000_000), 9))], "not the 10 bytes"),
        ([(_A, encode_header(BLOB, 10_000_000) + zlib.compress(b"x"))], "not the 10000000 bytes"),
        ([(_A, encode_header(BLOB, 700) + b"x" * 800)], "damaged"),
        ([_FULL, (_A, encode_reference(_BASE_ID, b"\xdc\1" + b"\xff\xff\xff\xff\1" + b"\1a"))], "limit"),
    ],
)
def test_hostile_packs_are_refused_with_the_place(
    tmp_path: Path, entries: list[tuple[bytes, bytes]], fault: str
) -> None:
    with _reading(tmp_path, *entries) as reader, pytest.raises(RepositoryError, match=f"objects.*{fault}"):
        reader.read(_A)


def test_many_large_deltas_in_a_row_are_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_reader, "LARGEST_OBJECT", 100)
    ids = [bytes((number,)) * 32 for number in range(10)]
    large = prefix_delta(5, 5) + b"\1x" * 40
    entries = [(one, encode_reference(two, large)) for one, two in pairwise(ids)]
    with _reading(tmp_path, *entries) as reader, pytest.raises(RepositoryError, match="too large"):
        reader.read(ids[0])


@pytest.mark.parametrize("number", [BLOB, 7])
def test_sizes_are_limited_where_nothing_is_resolved(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_reader, "LARGEST_OBJECT", 10)
    entry = encode_full(BLOB, bytes(50)) if number == BLOB else encode_reference(_B, bytes(50))
    with _reading(tmp_path, (_A, entry)) as reader, pytest.raises(RepositoryError, match="limit"):
        reader.raw_stream(_A) if number == BLOB else reader.size_of(_A)


@pytest.mark.usefixtures("both_ways")
def test_content_that_grew_by_deflating_is_found(tmp_path: Path) -> None:
    # Flushing after every byte makes a stream much longer than its content.
    content = os.urandom(3000)
    compressor = zlib.compressobj()
    packed = b"".join(
        compressor.compress(content[at : at + 1]) + compressor.flush(zlib.Z_FULL_FLUSH) for at in range(3000)
    )
    packed += compressor.flush()
    identifier = object_id(b"blob", content)
    with _reading(tmp_path, (identifier, encode_header(BLOB, len(content)) + packed), _FULL) as reader:
        assert reader.read(identifier).content == content
        assert reader.raw_stream(identifier) == packed


def test_packs_that_do_not_fit_their_index_are_refused(tmp_path: Path) -> None:
    name = write_pack(tmp_path / "pack", [_FULL], count=2)
    pack = tmp_path / "pack" / f"{name}.pack"
    for content, fault in (
        (pack.read_bytes(), "does not belong"),
        (pack.read_bytes()[:-1] + b"x", "does not belong"),
        (b"PACK", "is not a pack"),
        (b"KCAP" + bytes(100), "is not a pack"),
    ):
        pack.write_bytes(content)
        with _opened(tmp_path) as objects:
            with pytest.raises(RepositoryError, match=f"objects/pack/{name}.pack: {fault}"):
                ObjectReader(objects, "objects")
            with ObjectReader(objects, "objects", tolerant=True) as reader:
                assert list(reader.damaged) == [name]
                assert reader.packs == []


def test_a_tolerant_reader_passes_over_an_index_with_a_wrong_checksum(tmp_path: Path) -> None:
    name = write_pack(tmp_path / "pack", [_FULL])
    index = tmp_path / "pack" / f"{name}.idx"
    index.write_bytes(index.read_bytes()[:-1] + b"x")
    with _opened(tmp_path) as objects:
        with ObjectReader(objects, "objects", tolerant=True) as reader:
            assert "checksum" in str(reader.damaged[name])
        with ObjectReader(objects, "objects") as reader:
            assert reader.read(_BASE_ID).content == _BASE


def test_a_damaged_pack_fails_its_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kept in (pack_reader._LARGEST_KEPT, 10):
        monkeypatch.setattr(pack_reader, "_LARGEST_KEPT", kept)
        for size, fault in ((None, "checksum"), (30, "truncated")):
            with _reading(tmp_path, _FULL) as reader:
                (pack,) = reader.packs
                path = tmp_path / "pack" / f"{pack.name}.pack"
                content = path.read_bytes()
                path.write_bytes((content[:20] + b"x" + content[21:])[:size])
                with pytest.raises(RepositoryError, match=fault):
                    pack.check()


def test_a_pack_too_large_to_be_read_at_once_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_reader, "_LARGEST_AT_ONCE", 10)
    with _reading(tmp_path, _FULL) as reader, pytest.raises(RepositoryError, match="too large to be read at once"):
        reader.packs[0].whole()


def test_an_index_with_impossible_offsets_is_refused(tmp_path: Path) -> None:
    name = write_pack(tmp_path / "pack", [_FULL])
    raw = (tmp_path / "pack" / f"{name}.pack").read_bytes()
    (tmp_path / "pack" / f"{name}.idx").write_bytes(encode_index([_BASE_ID], [0], [13], raw[-32:]))
    with (
        _opened(tmp_path) as objects,
        ObjectReader(objects, "objects") as reader,
        pytest.raises(RepositoryError, match="offsets do not fit"),
    ):
        reader.packs[0].entries()


@pytest.mark.usefixtures("both_ways")
def test_random_damage_is_refused_or_harmless(tmp_path: Path) -> None:
    entries = [_FULL, (object_id(b"blob", _BASE[:60]), encode_reference(_BASE_ID, prefix_delta(len(_BASE), 60)))]
    name = write_pack(tmp_path / "pack", entries)
    for extension in ("pack", "idx"):
        path = tmp_path / "pack" / f"{name}.{extension}"
        sound = path.read_bytes()
        for at in range(0, len(sound), 1 if extension == "pack" else 7):
            path.write_bytes(sound[:at] + bytes((sound[at] ^ 0x55,)) + sound[at + 1 :])
            try:
                with _opened(tmp_path) as objects, ObjectReader(objects, "objects") as reader:
                    for identifier, _ in entries:
                        found = reader.read(identifier)
                        assert object_id(b"blob", found.content) == identifier
            except RepositoryError:
                pass
        path.write_bytes(sound)


# ── Loose objects, links, alternates ──────────────────────────────────────────────────────────────────────────────────


def _write_loose(folder: Path, identifier: bytes, content: bytes) -> Path:
    name = identifier.hex()
    (folder / name[:2]).mkdir(parents=True, exist_ok=True)
    path = folder / name[:2] / name[2:]
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"no zlib", "damaged"),
        (zlib.compress(b"blub 3\0abc"), "not an object"),
        (zlib.compress(b"blob 03\0abc"), "not an object"),
        (zlib.compress(b"blob 999999999999\0abc"), "limit"),
        (zlib.compress(b"blob 2\0abc"), "not the 2 bytes"),
        (zlib.compress(b"blob 4\0abc"), "not the 4 bytes"),
        (zlib.compress(b"blob 3\0abc") + b"x", "not the 3 bytes"),
        (zlib.compress(b"blob 100\0" + bytes(5_000_000), 9), "not the 100 bytes"),
        (zlib.compress(b"blob 3\0abc")[:-1], "not the 3 bytes"),
        (zlib.compress(b"blob 3\0abc"), "other content"),
    ],
)
def test_hostile_loose_objects_are_refused(tmp_path: Path, content: bytes, fault: str) -> None:
    _write_loose(tmp_path, _A, content)
    with _opened(tmp_path) as objects, ObjectReader(objects, "objects") as reader:
        assert _A in reader
        with pytest.raises(RepositoryError, match=f"objects.*{fault}"):
            reader.read(_A)


def test_large_loose_objects_are_read(tmp_path: Path) -> None:
    for content in (b"", b"x" * 56, b"x" * 57, b"x" * 58, os.urandom(100_000)):
        identifier = object_id(b"blob", content)
        _write_loose(tmp_path, identifier, zlib.compress(b"blob %d\0%b" % (len(content), content)))
        (tmp_path / identifier.hex()[:2] / "tmp_obj_x").touch()
        with _opened(tmp_path) as objects, ObjectReader(objects, "objects") as reader:
            assert reader.read(identifier).content == content
            assert reader.size_of(identifier) == len(content)
            assert identifier in set(reader.loose_ids())


def test_what_is_missing_or_of_another_kind_is_named(tmp_path: Path) -> None:
    with _reading(tmp_path, _FULL) as reader:
        assert _A not in reader
        with pytest.raises(RepositoryError, match=f"{_A.hex()} is missing"):
            reader.read(_A)
        with pytest.raises(RepositoryError, match="is a blob, not a tree"):
            reader.read_kind(_BASE_ID, b"tree")


def test_links_and_alternates_are_not_followed(tmp_path: Path) -> None:
    objects_path, other = tmp_path / "objects", tmp_path / "other"
    loose = _write_loose(other, _A, zlib.compress(b"blob 3\0abc"))
    objects_path.mkdir()
    with _opened(objects_path) as objects:
        (objects_path / "01").symlink_to(loose.parent)
        with ObjectReader(objects, "objects") as reader, pytest.raises(RepositoryError, match="Not a directory"):
            reader.read(_A)
        (objects_path / "01").unlink()
        (objects_path / "01").mkdir()
        (objects_path / "01" / loose.name).symlink_to(loose)
        with ObjectReader(objects, "objects") as reader, pytest.raises(RepositoryError, match="symbolic links"):
            reader.read(_A)
        (objects_path / "pack").mkdir()
        name = write_pack(other / "pack", [_FULL])
        for extension in ("pack", "idx"):
            (objects_path / "pack" / f"{name}.{extension}").symlink_to(other / "pack" / f"{name}.{extension}")
        with pytest.raises(RepositoryError, match="symbolic links"):
            ObjectReader(objects, "objects")
        (objects_path / "info").mkdir()
        (objects_path / "info" / "packs").touch()
        with ObjectReader(objects, "objects", tolerant=True) as reader:
            assert list(reader.damaged) == [name]
        (objects_path / "info" / "alternates").write_text(str(other))
        with pytest.raises(RepositoryError, match="other places"):
            ObjectReader(objects, "objects", tolerant=True)


def test_a_pack_replaced_while_packs_are_opened_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = encode_full(BLOB, b"other")
    old = write_pack(tmp_path / "pack", [_FULL])
    write_pack(tmp_path / "pack", [(object_id(b"blob", b"other"), other)])
    opened: list[str] = []

    def replace(name: str, folder: int, place: str) -> Pack:
        if not opened:
            write_pack(tmp_path / "pack", [_FULL, (object_id(b"blob", b"other"), other)])
            for extension in ("idx", "pack"):
                (tmp_path / "pack" / f"{old}.{extension}").unlink()
        opened.append(name)
        return Pack(name, folder, place)

    monkeypatch.setattr(object_reader, "Pack", replace)
    with _opened(tmp_path) as objects, ObjectReader(objects, "objects") as reader:
        assert reader.read(_BASE_ID).content == _BASE
    assert len(opened) == 3
    (tmp_path / "pack" / f"{opened[-1]}.pack").unlink()
    with _opened(tmp_path) as objects, pytest.raises(RepositoryError, match="No such file"):
        ObjectReader(objects, "objects")


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "01").mkdir()
    os.mkfifo(tmp_path / "01" / _A.hex()[2:])
    with _opened(tmp_path) as objects, ObjectReader(objects, "objects") as reader, pytest.raises(RepositoryError):
        reader.read(_A)


def test_a_disk_that_fails_is_no_fault_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    with _reading(tmp_path, _FULL) as reader:
        monkeypatch.setattr(os, "pread", fail)
        for read in (reader.read, reader.size_of, reader.raw_stream):
            with pytest.raises(StorageError, match="Input/output error"):
                read(_BASE_ID)


@pytest.mark.usefixtures("both_ways")
def test_reading_much_of_a_pack_reads_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = [struct.pack(">I", number) * 300 for number in range(200)]
    entries = [(object_id(b"blob", content), encode_full(BLOB, content)) for content in contents]
    with _reading(tmp_path, *entries) as reader:
        for identifier, _ in entries[:100]:
            reader.read(identifier)
        monkeypatch.delattr(os, "pread")
        for (identifier, _), content in zip(entries[100:], contents[100:], strict=True):
            assert reader.read(identifier).content == content

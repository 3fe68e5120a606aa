"""Any object of a repository by its id, from packs or loose files, whoever wrote them.

Memory stays bounded: what was resolved is kept in a cache of limited size, and a version of a file that is a
prefix of another one is a view of it. Everything served was hashed and compared with its id, unless that was
turned off by a caller who compares for himself.
"""

import os
import re
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Self

from msgspec import Struct

from carethread.errors import RepositoryError
from carethread.git.delta import apply_delta, decode_size
from carethread.git.disk import directory, faults_of, names_in, open_directory, read_file
from carethread.git.objects import TYPE_NAMES, Octets, object_id
from carethread.git.pack_entry import OFS_DELTA, REF_DELTA, EntryHeader
from carethread.git.pack_reader import Pack

LARGEST_OBJECT = 256 << 20
"""No object may say it is larger: far beyond any thread or attachment, and it fits into memory."""

_CACHE_SIZE = 64 << 20
# Git's own longest chain; a longer one is a cycle or an attack.
_LONGEST_CHAIN = 4096
_LOOSE_HEADER = re.compile(rb"(commit|tree|blob|tag) (0|[1-9][0-9]{0,11})\0")
_PACK_NAME = re.compile(r"pack-[0-9a-f]{64}", re.ASCII)
_FANOUT_NAME = re.compile(r"[0-9a-f]{2}", re.ASCII)
_LOOSE_NAME = re.compile(r"[0-9a-f]{62}", re.ASCII)


class StoredObject(Struct, frozen=True, gc=False):
    """An object's kind, such as `b"commit"`, and its content."""

    kind: bytes
    content: Octets


class ObjectReader:
    """The objects of one repository; close it after use."""

    def __init__(
        self, objects: int, place: str, *, check_ids: bool = True, tolerant: bool = False,
        cache_size: int = _CACHE_SIZE,
    ) -> None:  # fmt: skip
        """Open all packs under the open directory `objects`.

        `tolerant` passes over packs that are damaged, checksum of the index included, and names them in `damaged`:
        they may be what a crash left of a pack that was never used.

        Raises:
            RepositoryError: alternates, or a pack that is damaged.
            StorageError: the machine refused to read.
        """
        self.place = place
        self._check_ids = check_ids
        self._cache: OrderedDict[tuple[Pack, int], StoredObject] = OrderedDict()
        self._cache_left = cache_size
        self._closing = ExitStack()
        self.packs: list[Pack] = []
        self._tolerant = tolerant
        self.damaged: dict[str, RepositoryError] = {}
        try:
            with faults_of(place):
                self._objects = open_directory(".", objects)
                self._closing.callback(os.close, self._objects)
                names = names_in(self._objects)
                if "info" in names:
                    self._refuse_alternates()
                if "pack" in names:
                    self._open_packs()
        except BaseException:
            self.close()
            raise

    def _refuse_alternates(self) -> None:
        with directory("info", self._objects) as info:
            if {"alternates", "http-alternates"} & set(names_in(info)):
                raise RepositoryError(f"{self.place}/info/alternates: objects of other places are not read")

    def _open_packs(self) -> None:
        seen: set[str] = set()
        with directory("pack", self._objects) as packs:
            # A pack that was there a moment ago and is not any more was replaced by one to be looked for.
            while waiting := sorted(_pack_names(packs) - seen):
                seen.update(waiting)
                if all([self._open_pack(name, packs) for name in waiting]):  # noqa: C419 - each is to be opened
                    break

    def _open_pack(self, name: str, packs: int) -> bool:
        """Open a pack; say whether it was still there."""
        try:
            with faults_of(f"{self.place}/pack/{name}"):
                try:
                    pack = Pack(name, packs, f"{self.place}/pack")
                except FileNotFoundError:
                    if name not in _pack_names(packs):
                        return False
                    raise
            self._closing.callback(pack.close)
            if self._tolerant:
                pack.index.check()
        except RepositoryError as error:
            if not self._tolerant:
                raise
            self.damaged[name] = error
        else:
            self.packs.append(pack)
        return True

    def __enter__(self) -> Self:
        """Use the reader for the length of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the reader."""
        self.close()

    def close(self) -> None:
        """Close all files."""
        self._closing.close()

    # ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, identifier: bytes) -> StoredObject:
        """Return an object.

        Raises:
            RepositoryError: it is not there, damaged, too large, or has another id.
        """
        for pack in self.packs:
            offset = pack.index.offset_of(identifier)
            if offset is not None:
                found = self._resolve(pack, offset)
                break
        else:
            found = self._read_loose(identifier)
        if self._check_ids and object_id(found.kind, found.content) != identifier:
            raise RepositoryError(f"{self.place}: object {identifier.hex()} has other content than its id says")
        return found

    def read_kind(self, identifier: bytes, kind: bytes) -> bytes:
        """Return the content of an object that must be of a kind, as bytes.

        Raises:
            RepositoryError: as `read`, or it is of another kind.
        """
        found = self.read(identifier)
        if found.kind != kind:
            raise RepositoryError(
                f"{self.place}: object {identifier.hex()} is a {found.kind.decode()}, not a {kind.decode()}"
            )
        return bytes(found.content)

    def size_of(self, identifier: bytes) -> int:
        """Return the size of an object's content, without resolving it where that can be avoided.

        Raises:
            RepositoryError: as `read`.
        """
        for pack in self.packs:
            offset = pack.index.offset_of(identifier)
            if offset is not None:
                with faults_of(pack.place):
                    header, window = pack.header_at(offset)
                    if header.type not in {OFS_DELTA, REF_DELTA}:
                        return header.size
                    self._limit(header.size, pack.place)
                    delta = pack.inflate_at(offset, header, window)
                    return decode_size(delta, decode_size(delta, 0)[1])[0]
        return len(self._read_loose(identifier).content)

    def raw_stream(self, identifier: bytes) -> bytes | None:
        """Return the deflated bytes of an object that stands in full in a pack, as they are there; else None.

        Raises:
            RepositoryError: they are damaged.
        """
        for pack in self.packs:
            offset = pack.index.offset_of(identifier)
            if offset is not None:
                with faults_of(pack.place):
                    header, window = pack.header_at(offset)
                    if header.type < OFS_DELTA:
                        self._limit(header.size, pack.place)
                        return pack.stream_at(offset, header, window)
        return None

    def __contains__(self, identifier: bytes) -> bool:
        """Say whether an object is there."""
        if any(pack.index.offset_of(identifier) is not None for pack in self.packs):
            return True
        return self._loose_file(identifier) is not None

    def _limit(self, size: int, place: str) -> None:
        if size > LARGEST_OBJECT:
            raise RepositoryError(f"{place}: object of {size} bytes is larger than the limit of {LARGEST_OBJECT}")

    def _remember(self, key: tuple[Pack, int], found: StoredObject) -> None:
        # A view counts in full: the bytes behind it live as long as it does.
        self._cache[key] = found
        self._cache_left -= len(found.content) + 256
        while self._cache_left < 0:
            _, dropped = self._cache.popitem(last=False)
            self._cache_left += len(dropped.content) + 256

    def _resolve(self, pack: Pack, offset: int) -> StoredObject:
        deltas: list[tuple[int, Octets]] = []
        budget = 2 * LARGEST_OBJECT
        try:
            while (found := self._cache.get((pack, offset))) is None:
                header, window = pack.header_at(offset)
                budget -= header.size
                if header.size > LARGEST_OBJECT or budget < 0 or len(deltas) > _LONGEST_CHAIN:
                    raise RepositoryError("object is too large, or its chain of deltas has no end")  # noqa: TRY301
                content = pack.inflate_at(offset, header, window)
                if header.type < OFS_DELTA:
                    found = StoredObject(TYPE_NAMES[header.type], content)
                    self._remember((pack, offset), found)
                    break
                deltas.append((offset, content))
                offset = _base_of(pack, offset, header)
            else:
                self._cache.move_to_end((pack, offset))
            while deltas:
                offset, delta = deltas.pop()
                found = StoredObject(found.kind, apply_delta(found.content, delta, LARGEST_OBJECT))
                self._remember((pack, offset), found)
        except RepositoryError as error:
            raise RepositoryError(f"{pack.place}.pack at {offset}: {error}") from None
        except OSError:
            with faults_of(pack.place):
                raise
        return found

    # ── Loose objects ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _loose_file(self, identifier: bytes) -> bytes | None:
        name = identifier.hex()
        with (
            faults_of(f"{self.place}/{name[:2]}/{name[2:]}"),
            suppress(FileNotFoundError),
            directory(name[:2], self._objects) as fanout,
        ):
            return read_file(name[2:], fanout, 2 * LARGEST_OBJECT)
        return None

    def _read_loose(self, identifier: bytes) -> StoredObject:
        name = identifier.hex()
        place = f"{self.place}/{name[:2]}/{name[2:]}"
        raw = self._loose_file(identifier)
        if raw is None:
            raise RepositoryError(f"{self.place}: object {name} is missing")
        stream = zlib.decompressobj()
        try:
            start = stream.decompress(raw, 64)
            match = _LOOSE_HEADER.match(start)
            if match is None:
                raise RepositoryError(f"{place}: is not an object")
            size = int(match[2])
            self._limit(size, place)
            content = start[match.end() :]
            missing = size - len(content)
            if missing >= 0:
                content += stream.decompress(stream.unconsumed_tail, missing + 1)
                if not stream.eof and len(content) == size:
                    content += stream.decompress(stream.unconsumed_tail, 1)
        except zlib.error as error:
            raise RepositoryError(f"{place}: damaged ({error})") from None
        if len(content) != size or not stream.eof or stream.unused_data:
            raise RepositoryError(f"{place}: is not the {size} bytes it says")
        return StoredObject(match[1], content)

    def loose_ids(self) -> Iterator[bytes]:
        """Return the ids of all loose objects, in order."""
        with faults_of(self.place):
            for first in names_in(self._objects):
                if _FANOUT_NAME.fullmatch(first):
                    with directory(first, self._objects) as fanout:
                        for rest in names_in(fanout):
                            if _LOOSE_NAME.fullmatch(rest):
                                yield bytes.fromhex(first + rest)


def _pack_names(packs: int) -> set[str]:
    """Return the names, without extension, of all packs that have an index."""
    return {name[:-4] for name in names_in(packs) if name.endswith(".idx") and _PACK_NAME.fullmatch(name[:-4])}


def _base_of(pack: Pack, offset: int, header: EntryHeader) -> int:
    """Return where the base of a delta stands, always in the same pack."""
    if header.base_id is None:
        # Before the first entry stands the pack's header, which is no entry.
        return max(0, offset - header.base_distance)
    base = pack.index.offset_of(header.base_id)
    if base is None:
        raise RepositoryError("base of the delta is not in the pack")
    return base

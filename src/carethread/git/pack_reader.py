"""One pack file and its index, read on demand: by position, or from front to back."""

import os
from hashlib import sha256
from operator import ge

from carethread.errors import RepositoryError
from carethread.git.disk import open_file, read_file, read_range
from carethread.git.objects import ID_SIZE
from carethread.git.pack_entry import EntryHeader, inflate, likely_length, parse_header
from carethread.git.pack_index import PackIndex

PACK_HEADER_SIZE = 12
# Ten million objects: beyond what one record holds in a lifetime, below what fills the memory.
_LARGEST_INDEX = 10_000_000 * 40
# A pack is at most 2 GiB here; one that fits this is read at once when all of it is asked for.
_LARGEST_AT_ONCE = 256 << 20
_FIRST_READ = 512
# Reading so little takes no longer than finding it; whoever reads so often will read most of the pack.
_SMALL = 64 << 10
_READS_BEFORE_WHOLE = 64
_LARGEST_KEPT = 64 << 20
_CHUNK = 1 << 20


class Pack:
    """An open pack; `name` is the file's name without its extension."""

    def __init__(self, name: str, directory: int, place: str) -> None:
        """Open pack and index and compare their headers.

        Raises:
            RepositoryError: they are malformed or do not belong together.
            OSError: they cannot be opened or read.
        """
        self.name = name
        self.place = f"{place}/{name}"
        self.index = PackIndex(read_file(f"{name}.idx", directory, _LARGEST_INDEX), f"{self.place}.idx")
        self._descriptor = open_file(f"{name}.pack", directory)
        self._whole: bytes | None = None
        self._reads = 0
        try:
            self.size = os.fstat(self._descriptor).st_size
            self._check_frame()
        except BaseException:
            self.close()
            raise

    def _check_frame(self) -> None:
        header = read_range(self._descriptor, 0, PACK_HEADER_SIZE)
        if header[:8] not in {b"PACK\0\0\0\2", b"PACK\0\0\0\3"} or self.size < PACK_HEADER_SIZE + ID_SIZE:
            raise RepositoryError(f"{self.place}.pack: is not a pack")
        trailer = read_range(self._descriptor, self.size - ID_SIZE, ID_SIZE)
        if trailer != self.index.pack_checksum or int.from_bytes(header[8:], "big") != self.index.count:
            raise RepositoryError(f"{self.place}.pack: does not belong to its index")

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def whole(self) -> bytes:
        """Return the whole file up to its trailer, read once.

        Raises:
            RepositoryError: it is too large to be held.
        """
        if self._whole is None:
            if self.size > _LARGEST_AT_ONCE:
                raise RepositoryError(f"{self.place}.pack: is too large to be read at once")
            self._whole = read_range(self._descriptor, 0, self.size - ID_SIZE)
        return self._whole

    def _window(self, start: int, size: int) -> bytes:
        return read_range(self._descriptor, start, max(0, min(size, self.size - ID_SIZE - start)))

    def header_at(self, offset: int) -> tuple[EntryHeader, bytes]:
        """Read an entry's header, and what follows: a little, or all there is.

        The header's `start` counts from the beginning of the returned bytes.
        """
        if self._whole is None:
            self._reads += 1
            if self.size > (_SMALL if self._reads < _READS_BEFORE_WHOLE else _LARGEST_KEPT):
                window = self._window(offset, _FIRST_READ)
                return parse_header(window, 0), window
        whole = self.whole()
        return parse_header(whole, offset), whole

    def inflate_at(self, offset: int, header: EntryHeader, window: bytes) -> bytes:
        """Return the inflated content of an entry whose header was read."""
        return self._inflate(offset, header, window)[0]

    def stream_at(self, offset: int, header: EntryHeader, window: bytes) -> bytes:
        """Return an entry's deflated content as it stands in the pack, after inflating it for a check."""
        _, window, end = self._inflate(offset, header, window)
        return window[header.start : end]

    def _inflate(self, offset: int, header: EntryHeader, window: bytes) -> tuple[bytes, bytes, int]:
        if window is self._whole:
            content, end = inflate(window, header.start, header.size)
            return content, window, end
        expected = header.start + likely_length(header.size)
        if expected > len(window) == _FIRST_READ:
            window = self._window(offset, expected)
        try:
            content, end = inflate(window, header.start, header.size)
        except RepositoryError:
            # Longer than that, perhaps: then everything that follows is tried.
            rest = self._window(offset, _LARGEST_AT_ONCE)
            if len(rest) <= len(window):
                raise
            window = rest
            content, end = inflate(window, header.start, header.size)
        return content, window, end

    def entries(self) -> tuple[list[bytes], list[int], list[int]]:
        """Return ids, CRCs and starts of all entries in the order of the file; after the last start, its end.

        Raises:
            RepositoryError: the index does not describe entries that follow one another.
        """
        ids, crcs, offsets = self.index.ids(), self.index.crcs(), self.index.offsets()
        order = sorted(range(self.index.count), key=offsets.__getitem__)
        starts = [offsets[at] for at in order]
        starts.append(self.size - ID_SIZE)
        if starts[0] != PACK_HEADER_SIZE or any(map(ge, starts, starts[1:])):
            raise RepositoryError(f"{self.place}.idx: offsets do not fit the pack")
        return [ids[at] for at in order], [crcs[at] for at in order], starts

    def check(self) -> None:
        """Compare pack and index with their checksums.

        Raises:
            RepositoryError: they do not agree.
            OSError: the pack cannot be read.
        """
        self.index.check()
        digest = sha256()
        position, end = 0, self.size - ID_SIZE
        if self.size <= _LARGEST_KEPT:
            # Whoever checks it will read it.
            self.whole()
        while position < end:
            chunk = self._window(position, _CHUNK) if self._whole is None else memoryview(self._whole)[position:]
            if not chunk:
                raise RepositoryError(f"{self.place}.pack: is truncated")
            digest.update(chunk)
            position += len(chunk)
        if digest.digest() != self.index.pack_checksum:
            raise RepositoryError(f"{self.place}.pack: checksum does not match")

"""Pack indexes, version 2: which object stands where in a pack (gitformat-pack, "pack-*.idx files")."""

import struct
from bisect import bisect_left
from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate
from operator import itemgetter

from carethread.errors import RepositoryError
from carethread.git.objects import ID_SIZE

_MAGIC = b"\xfftOc\0\0\0\2"
_FANOUT = struct.Struct(">256I")
_ID = struct.Struct(f"{ID_SIZE}s")
_HEADER = len(_MAGIC) + _FANOUT.size
_ASKED_OFTEN = 32
_LARGEST_OFFSET = 0x7FFFFFFF


def encode_index(ids: Sequence[bytes], crcs: Sequence[int], offsets: Sequence[int], pack_checksum: bytes) -> bytes:
    """Write the index of a pack; the three sequences run in parallel, in any order.

    Raises:
        RepositoryError: the pack has 2 GiB or more, which needs offsets this project does not write.
    """
    count = len(ids)
    if offsets and max(offsets) > _LARGEST_OFFSET:
        raise RepositoryError("pack would have 2 GiB or more")
    rows = sorted(zip(ids, crcs, offsets, strict=True), key=itemgetter(0))
    numbers = [0] * 256
    for identifier in ids:
        numbers[identifier[0]] += 1
    body = b"".join(
        (
            _MAGIC,
            _FANOUT.pack(*accumulate(numbers)),
            b"".join([row[0] for row in rows]),
            struct.pack(f">{count}I", *[row[1] for row in rows]),
            struct.pack(f">{count}I", *[row[2] for row in rows]),
            pack_checksum,
        )
    )
    return body + sha256(body).digest()


class PackIndex:
    """A pack's index in memory, found by id or by position."""

    def __init__(self, raw: bytes, place: str) -> None:
        """Check the shape of an index.

        Raises:
            RepositoryError: not version 2 with SHA-256, wrong length, fan-out not rising, 64-bit offsets.
        """
        self.place = place
        self._raw = raw
        if len(raw) < _HEADER + 2 * ID_SIZE or not raw.startswith(_MAGIC):
            raise RepositoryError(f"{place}: is not a pack index of version 2")
        self._fanout = _FANOUT.unpack_from(raw, len(_MAGIC))
        if list(self._fanout) != sorted(self._fanout):
            raise RepositoryError(f"{place}: fan-out is not rising")
        self.count: int = self._fanout[255]
        self._crc_at = _HEADER + self.count * ID_SIZE
        self._offset_at = self._crc_at + 4 * self.count
        if len(raw) != self._offset_at + 4 * self.count + 2 * ID_SIZE:
            raise RepositoryError(f"{place}: has the wrong length, or offsets beyond 2 GiB")
        # Made when a search for each id would have cost about as much.
        self._table: dict[bytes, int] | None = None
        self._asked = 0
        self.pack_checksum = raw[-2 * ID_SIZE : -ID_SIZE]

    def check(self) -> None:
        """Compare the index with its own checksum.

        Raises:
            RepositoryError: they do not agree.
        """
        if sha256(memoryview(self._raw)[:-ID_SIZE]).digest() != self._raw[-ID_SIZE:]:
            raise RepositoryError(f"{self.place}: checksum does not match")

    def offset_of(self, identifier: bytes) -> int | None:
        """Return where the object stands in the pack, or None."""
        if self._table is not None:
            return self._table.get(identifier)
        self._asked += 1
        if self._asked * _ASKED_OFTEN > self.count:
            self._table = dict(zip(self.ids(), self.offsets(), strict=True))
            return self._table.get(identifier)
        first = identifier[0]
        low = self._fanout[first - 1] if first else 0
        high = self._fanout[first]
        at = low + bisect_left(range(low, high), identifier, key=self._id_at)
        if at == high or self._id_at(at) != identifier:
            return None
        (offset,) = struct.unpack_from(">I", self._raw, self._offset_at + 4 * at)
        return self._checked(int(offset))

    def _id_at(self, at: int) -> bytes:
        start = _HEADER + at * ID_SIZE
        return self._raw[start : start + ID_SIZE]

    def _checked(self, offset: int) -> int:
        if offset > _LARGEST_OFFSET:
            raise RepositoryError(f"{self.place}: has an offset beyond 2 GiB")
        return offset

    def ids(self) -> list[bytes]:
        """Return all ids in order."""
        raw = self._raw
        return [row[0] for row in _ID.iter_unpack(memoryview(raw)[_HEADER : self._crc_at])]

    def offsets(self) -> tuple[int, ...]:
        """Return all offsets, in the order of the ids."""
        offsets = struct.unpack_from(f">{self.count}I", self._raw, self._offset_at)
        if offsets:
            self._checked(max(offsets))
        return offsets

    def crcs(self) -> tuple[int, ...]:
        """Return the CRC-32 of every entry's bytes in the pack, in the order of the ids."""
        return struct.unpack_from(f">{self.count}I", self._raw, self._crc_at)

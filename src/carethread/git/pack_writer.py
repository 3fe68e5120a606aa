"""Building a pack in memory: entries in, pack and index out."""

import zlib
from collections.abc import Sequence
from hashlib import sha256

from carethread.git.objects import Octets
from carethread.git.pack_entry import encode_full, encode_reference
from carethread.git.pack_index import encode_index
from carethread.git.pack_reader import PACK_HEADER_SIZE

SHORT_CHAIN = 33
LONG_CHAIN = 129
"""Chains of deltas have fewer links than this; then an object stands in full, so that reading any one is quick."""
_BYTES_A_LINK = 128


class PackWriter:
    """A pack that grows entry by entry; each object stands once, and every delta's base is in the same pack."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._ids: list[bytes] = []
        self._crcs: list[int] = []
        self._offsets: list[int] = []
        self._bases: dict[bytes, bytes | None] = {}
        self.size = PACK_HEADER_SIZE

    def __contains__(self, identifier: bytes) -> bool:
        """Say whether the object is in the pack already."""
        return identifier in self._bases

    def add(self, identifier: bytes, entry: bytes, base: bytes | None) -> None:
        """Add an encoded entry, which the pack must not have yet."""
        self._ids.append(identifier)
        self._crcs.append(zlib.crc32(entry))
        self._offsets.append(self.size)
        self._parts.append(entry)
        self._bases[identifier] = base
        self.size += len(entry)

    def add_entries(
        self,
        ids: Sequence[bytes],
        bases: Sequence[bytes | None],
        crcs: Sequence[int],
        starts: Sequence[int],
        entries: bytes,
    ) -> None:
        """Add encoded entries as they follow one another elsewhere, none of which the pack may have yet.

        `starts` says where they start there, and where the last one ends.
        """
        self._ids += ids
        self._crcs += crcs
        shift = self.size - starts[0]
        self._offsets += [start + shift for start in starts[:-1]]
        self._parts.append(entries)
        self._bases.update(zip(ids, bases, strict=True))
        self.size += len(entries)

    def add_object(self, identifier: bytes, kind: int, content: Octets) -> None:
        """Add an object in full, which the pack must not have yet."""
        self.add(identifier, encode_full(kind, content), None)

    def add_delta(self, identifier: bytes, base: bytes, delta: bytes) -> None:
        """Add an object as a delta of another one in the pack, unless it is there."""
        if identifier not in self._bases:
            self.add(identifier, encode_reference(base, delta), base)

    def may_extend(self, base: bytes, size: int) -> bool:
        """Say whether an object is in the pack and may be the base of one of `size` bytes.

        The chain of deltas it ends may become the longer the more an object in full would take.
        """
        step: bytes | None = base
        for _ in range(min(max(SHORT_CHAIN, size // _BYTES_A_LINK), LONG_CHAIN)):
            if step is None:
                return True
            if step not in self._bases:
                return False
            step = self._bases[step]
        return False

    def finish(self) -> tuple[str, list[Octets], bytes]:
        """Return the pack's name, its bytes in parts, and its index."""
        header = b"PACK\0\0\0\2" + len(self._ids).to_bytes(4, "big")
        body = b"".join([header, *self._parts])
        checksum = sha256(body).digest()
        index = encode_index(self._ids, self._crcs, self._offsets, checksum)
        return f"pack-{checksum.hex()}", [body, checksum], index

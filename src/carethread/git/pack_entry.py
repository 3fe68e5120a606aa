"""One object's entry in a pack: header, reference to a base, deflated content (gitformat-pack, "pack-*.pack")."""

import struct
import zlib

from msgspec import Struct

from carethread.errors import RepositoryError
from carethread.git.objects import ID_SIZE, Octets

COMMIT, TREE, BLOB, TAG, OFS_DELTA, REF_DELTA = 1, 2, 3, 4, 6, 7
KIND_NUMBERS = {b"commit": COMMIT, b"tree": TREE, b"blob": BLOB, b"tag": TAG}

_STORED_HEADER = struct.Struct("<3sHH")
_STORED_MAGIC = b"\x78\x01\x01"
_STORED_OVERHEAD = 11
_LARGEST_STORED = 0xFFFF
_SMALL = 1 << 12
_LARGE = 1 << 18
_SAMPLE = 1 << 14


class EntryHeader(Struct, frozen=True, gc=False):
    """The start of an entry: its type, its inflated size, its base, and where the deflated content begins."""

    type: int
    size: int
    base_id: bytes | None
    base_distance: int
    start: int


def encode_header(number: int, size: int) -> bytes:
    """Write type and size: four bits of it in the first byte, then seven a byte."""
    first = number << 4 | size & 0x0F
    size >>= 4
    if not size:
        return bytes((first,))
    encoded = bytearray((first | 0x80,))
    while size >= 0x80:
        encoded.append(0x80 | size & 0x7F)
        size >>= 7
    encoded.append(size)
    return bytes(encoded)


def deflate(content: Octets) -> bytes:
    """Compress content: what is small quickly, what is large lightly, what is compressed already not at all."""
    size = len(content)
    if size > _LARGE:
        sample = content[:_SAMPLE]
        return zlib.compress(content, 0 if len(zlib.compress(sample, 1)) > _SAMPLE * 15 // 16 else 1)
    if size > _SMALL:
        return zlib.compress(content, 6)
    # A small window spares zlib from clearing memory that would not be used.
    compressor = zlib.compressobj(6, zlib.DEFLATED, 12, 5)
    return compressor.compress(content) + compressor.flush()


def store(content: bytes) -> bytes:
    """Write small content as one stored block: eleven bytes more, no time."""
    size = len(content)
    return b"".join(
        (_STORED_HEADER.pack(_STORED_MAGIC, size, size ^ 0xFFFF), content, zlib.adler32(content).to_bytes(4, "big"))
    )


def encode_full(number: int, content: Octets) -> bytes:
    """Write an entry that holds the whole object."""
    return encode_header(number, len(content)) + deflate(content)


def encode_reference(base_id: bytes, delta: bytes) -> bytes:
    """Write an entry that holds a delta against an object named by id, compressed only if that pays."""
    packed = store(delta) if len(delta) < 64 else min(deflate(delta), store(delta), key=len)
    return encode_header(REF_DELTA, len(delta)) + base_id + packed


def parse_header(data: Octets, start: int) -> EntryHeader:
    """Read an entry's header at a position of a buffer.

    Raises:
        RepositoryError: it is malformed or the buffer ends within it.
    """
    try:
        byte = data[start]
        start += 1
        number, size, shift = byte >> 4 & 7, byte & 0x0F, 4
        while byte & 0x80:
            byte = data[start]
            start += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if shift > 60:
                raise RepositoryError("size is absurd")
        base_id, distance = None, 0
        if number == REF_DELTA:
            base_id = bytes(data[start : start + ID_SIZE])
            start += ID_SIZE
            if len(base_id) != ID_SIZE:
                raise RepositoryError("entry is truncated")
        elif number == OFS_DELTA:
            byte = data[start]
            start += 1
            distance = byte & 0x7F
            while byte & 0x80:
                byte = data[start]
                start += 1
                distance = (distance + 1) << 7 | byte & 0x7F
                if distance > 1 << 60:
                    raise RepositoryError("distance to the base is absurd")
        elif number in {0, 5}:
            raise RepositoryError(f"unknown entry type {number}")
    except IndexError:
        raise RepositoryError("entry is truncated") from None
    return EntryHeader(number, size, base_id, distance, start)


def likely_length(size: int) -> int:
    """Return how long content of this size is at most when it is deflated, but for contrived streams."""
    return size + (size >> 3) + 64


def inflate(data: bytes, start: int, size: int) -> tuple[bytes, int]:
    """Return the content of a stream of known size at a position of a buffer, and where the stream ends.

    Never makes more than `size` bytes, whatever the stream says.

    Raises:
        RepositoryError: the stream is damaged, truncated, or of another size.
    """
    if data[start : start + 3] == _STORED_MAGIC and size <= _LARGEST_STORED:
        end = start + 7 + size
        if data[start + 3 : start + 7] == struct.pack("<HH", size, size ^ 0xFFFF):
            content = data[start + 7 : end]
            if data[end : end + 4] == zlib.adler32(content).to_bytes(4, "big"):
                return content, end + 4
    stream = zlib.decompressobj()
    end = min(len(data), start + likely_length(size))
    try:
        made = stream.decompress(data[start:end], size + 1)
        if not stream.eof and len(made) <= size:
            rest = stream.unconsumed_tail + memoryview(data)[end:]
            made += stream.decompress(rest, size + 1 - len(made))
            end = len(data)
    except zlib.error as error:
        raise RepositoryError(f"damaged ({error})") from None
    if len(made) != size or not stream.eof:
        raise RepositoryError(f"not the {size} bytes it says")
    return made, end - len(stream.unused_data)

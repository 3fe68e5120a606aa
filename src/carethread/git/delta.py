"""Git's binary deltas: an object as copies from another one, and insertions.

A delta is the base's size, the result's size, then instructions: a byte with the top bit set copies a range of the
base, any other byte but zero inserts that many bytes (gitformat-pack, "Deltified representation").
"""

import re

from carethread.errors import RepositoryError
from carethread.git.objects import Octets

_LONGEST_COPY = 0xFFFFFF
_LONGEST_INSERT = 0x7F
_LONGEST_SIZE = 9
# What bytes follow a copy's command, by its low seven bits: the shifts of those of the offset, and of the size.
_COPY_FORMS = [
    (
        tuple(8 * number for number in range(4) if command >> number & 1),
        tuple(8 * number for number in range(3) if command >> 4 + number & 1),
    )
    for command in range(0x80)
]
_SMALL = 1 << 12
# A copy costs 3 to 8 bytes and breaks an insertion in two: shorter equal runs are not worth one.
_EQUAL_RUN = re.compile(rb"\0{12,}")
# Only a run that cannot be chance may say that two texts of different length are aligned.
_ALIGNED_RUN = re.compile(rb"\0{16,}")


def encode_size(size: int) -> bytes:
    """Write a size as a delta does: seven bits a byte, the lowest first."""
    if size < 0x80:
        return bytes((size,))
    encoded = bytearray()
    while size >= 0x80:
        encoded.append(0x80 | size & 0x7F)
        size >>= 7
    encoded.append(size)
    return bytes(encoded)


def decode_size(delta: Octets, position: int) -> tuple[int, int]:
    """Read such a size; return it and the position after it.

    Raises:
        RepositoryError: the delta ends within the size, or it is absurd.
    """
    size = shift = 0
    for byte in delta[position : position + _LONGEST_SIZE]:
        position += 1
        if byte < 0x80:
            return size | byte << shift, position
        size |= (byte & 0x7F) << shift
        shift += 7
    raise RepositoryError("delta has no well-formed size")


def encode_copy(offset: int, size: int) -> bytes:
    """Write the instructions that copy a range of the base; a very long one takes several."""
    encoded = bytearray()
    while size > 0:
        part = min(size, _LONGEST_COPY)
        command, at = 0x80, len(encoded)
        encoded.append(0)
        for bit, number in ((0x01, offset), (0x02, offset >> 8), (0x04, offset >> 16), (0x08, offset >> 24)):
            if number & 0xFF:
                command |= bit
                encoded.append(number & 0xFF)
        # A size without any byte means 0x10000.
        if part != 0x10000:
            for bit, number in ((0x10, part), (0x20, part >> 8), (0x40, part >> 16)):
                if number & 0xFF:
                    command |= bit
                    encoded.append(number & 0xFF)
        encoded[at] = command
        offset += part
        size -= part
    return bytes(encoded)


def encode_insert(content: bytes) -> bytes:
    """Write the instructions that insert bytes."""
    if len(content) <= _LONGEST_INSERT:
        return bytes((len(content),)) + content if content else b""
    parts = (content[at : at + _LONGEST_INSERT] for at in range(0, len(content), _LONGEST_INSERT))
    return b"".join(bytes((len(part),)) + part for part in parts)


def prefix_delta(base_size: int, size: int) -> bytes:
    """Write the delta of an object that is the first `size` bytes of its base: one copy."""
    return encode_size(base_size) + encode_size(size) + encode_copy(0, size)


def _equal_bytes(left: bytes, right: bytes) -> bytes:
    # Both have the same length; the result is zero where they are equal. Three passes in C.
    number = int.from_bytes(left, "big") ^ int.from_bytes(right, "big")
    return number.to_bytes(len(left), "big")


def _equal_runs(base: bytes, content: bytes) -> list[tuple[int, int, int]]:
    """Return (base offset, content offset, size) of equal runs, aligned at the front and then at the back."""
    shared = min(len(base), len(content))
    if len(base) == len(content):
        return [(m.start(), m.start(), m.end() - m.start()) for m in _EQUAL_RUN.finditer(_equal_bytes(base, content))]
    front = _equal_bytes(base[:shared], content[:shared])
    runs = [(m.start(), m.start(), m.end() - m.start()) for m in _ALIGNED_RUN.finditer(front)]
    back_size = shared - (runs[-1][0] + runs[-1][2] if runs else 0)
    base_at, content_at = len(base) - back_size, len(content) - back_size
    back = _equal_bytes(base[base_at:], content[content_at:])
    for match in _EQUAL_RUN.finditer(back):
        start, size = match.start(), match.end() - match.start()
        runs.append((base_at + start, content_at + start, size))
    return runs


def difference(base: bytes, content: bytes) -> bytes:
    """Write a delta between two versions of a small object.

    It finds what stays in place and what shifts once: a changed time stamp, an id in a tree, a name of another
    length in a commit. It does not search; at worst it is one insertion of everything.
    """
    instructions = [encode_size(len(base)), encode_size(len(content))]
    done = 0
    for base_at, content_at, size in _equal_runs(base, content):
        instructions += (encode_insert(content[done:content_at]), encode_copy(base_at, size))
        done = content_at + size
    instructions.append(encode_insert(content[done:]))
    return b"".join(instructions)


def rebase_delta(delta: bytes, base_size: int) -> bytes:
    """Return the same delta for a base that begins with the old base and has `base_size` bytes."""
    _, position = decode_size(delta, 0)
    return encode_size(base_size) + delta[position:]


def apply_delta(base: Octets, delta: Octets, limit: int) -> Octets:
    """Return what the delta makes of its base.

    A delta that copies the first bytes of its base and nothing else gives a `memoryview` of the base: no copy.

    Raises:
        RepositoryError: sizes that do not fit or exceed `limit`, a copy beyond the base, an unknown instruction.
    """
    base_size, position = decode_size(delta, 0)
    size, position = decode_size(delta, position)
    if base_size != len(base):
        raise RepositoryError(f"delta is for a base of {base_size} bytes, not {len(base)}")
    if size > limit:
        raise RepositoryError(f"delta makes {size} bytes, more than the limit of {limit}")
    # A slice of bytes is a copy, one of a view is not; for little content the copy is cheaper.
    source = base if base_size < _SMALL else memoryview(base)
    parts: list[Octets] = []
    start = end = made = 0
    while position < len(delta):
        command = delta[position]
        position += 1
        if command > _LONGEST_INSERT:
            offset = length = 0
            offset_shifts, length_shifts = _COPY_FORMS[command & 0x7F]
            try:
                for shift in offset_shifts:
                    offset |= delta[position] << shift
                    position += 1
                for shift in length_shifts:
                    length |= delta[position] << shift
                    position += 1
            except IndexError:
                raise RepositoryError("delta ends within an instruction") from None
            length = length or 0x10000
            if offset + length > base_size:
                raise RepositoryError("delta copies from beyond its base")
            if offset == end > start:
                # Git splits long copies; joined again, a prefix stays one slice.
                parts[-1] = source[start : end + length]
            else:
                start = offset
                parts.append(source[offset : offset + length])
            end = offset + length
            made += length
        else:
            part = delta[position : position + command]
            if not command or len(part) != command:
                raise RepositoryError("delta has an unknown or incomplete instruction")
            parts.append(part)
            position += command
            made += command
            start = end = 0
        if made > size:
            break
    if made != size:
        raise RepositoryError(f"delta makes another size than the {size} bytes it states")
    return parts[0] if len(parts) == 1 else b"".join(parts)

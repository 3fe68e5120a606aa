"""Just enough DER (ITU-T X.690) to take a CMS signature apart: nested tag, length, value.

Only definite lengths in their shortest form and tags below 31, which is all that signatures use. Whatever else comes
is a `ValueError`; nothing is interpreted here.
"""

from collections.abc import Iterator

from msgspec import Struct

INTEGER, OCTET_STRING, OID, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x30, 0x31


class Element(Struct, frozen=True):
    """A DER element: its tag, its content, and all of it as it was encoded."""

    tag: int
    content: bytes
    encoded: bytes

    def children(self) -> list["Element"]:
        """Return the elements within this one."""
        return list(_elements(self.content))

    def as_tag(self, tag: int) -> bytes:
        """Return the encoded element with another tag, as implicit tagging asks for."""
        return bytes((tag,)) + self.encoded[1:]


def _elements(data: bytes) -> Iterator[Element]:
    position = 0
    while position < len(data):
        start = position
        if position + 2 > len(data):
            raise ValueError("DER is truncated")
        tag, size = data[position], data[position + 1]
        position += 2
        if tag & 0x1F == 0x1F:
            raise ValueError("DER has a long tag")
        if size & 0x80:
            count = size & 0x7F
            number = data[position : position + count]
            size = int.from_bytes(number, "big")
            if not 0 < count <= 4 or len(number) != count or number[0] == 0 or size < 0x80:
                raise ValueError("DER has a malformed length")
            position += count
        content = data[position : position + size]
        if len(content) != size:
            raise ValueError("DER is truncated")
        position += size
        yield Element(tag, content, data[start:position])


def parse(data: bytes) -> Element:
    """Return the one element that the data is."""
    found = list(_elements(data))
    if len(found) != 1:
        raise ValueError("DER is not one element")
    return found[0]


def encode_oid(text: str) -> bytes:
    """Return the content of an object identifier written with dots."""
    first, second, *rest = (int(part) for part in text.split("."))
    encoded = bytearray()
    for number in (40 * first + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7F)
        encoded.extend(reversed(groups))
    return bytes(encoded)

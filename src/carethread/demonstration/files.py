"""The files that go with messages, made from what the script says of them. The same script gives the same bytes."""

import struct
import zlib

from carethread.demonstration.script import File
from carethread.record.model import AttachmentContent

_MEDIA_TYPES = {"pdf": "application/pdf", "png": "image/png", "txt": "text/plain", "csv": "text/csv"}

# A picture's width, height and edge, in pixels, and its colours: paper, grid, curve.
_WIDTH, _HEIGHT, _EDGE = 480, 240, 24
_PALETTE = bytes((255, 255, 255, 222, 228, 233, 0, 94, 138))
_PAPER, _GRID, _CURVE = range(3)
_GRID_LINES = 4


def make_file(file: File) -> AttachmentContent:
    """Return a file as it is attached."""
    if file.kind == "pdf":
        content = pdf(file.lines)
    elif file.kind == "png":
        content = curve(file.points)
    else:
        content = "".join(f"{line}\n" for line in file.lines).encode()
    return AttachmentContent(content, _MEDIA_TYPES[file.kind], file.name)


# ── PDF ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def pdf(lines: tuple[str, ...]) -> bytes:
    """Return one A4 page; the first line is its title. Characters are those of Windows-1252."""
    said = [f"BT /F2 15 Tf 60 770 Td ({_escaped(lines[0])}) Tj /F1 11 Tf 17 TL T*"]
    said += [f"({_escaped(line)}) ' " for line in lines[1:]]
    page = "\n".join([*said, "ET"]).encode("cp1252")
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 7 0 R >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(page), page),
        font.format("Helvetica").encode(),
        font.format("Helvetica-Bold").encode(),
        b"<< /Font << /F1 5 0 R /F2 6 0 R >> >>",
    )
    written = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % each for each in places)
    written += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(written)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


# ── PNG ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def curve(points: tuple[int, ...]) -> bytes:
    """Return a picture of two or more values over time: a curve from left to right, on a grid."""
    rows = [bytearray([_PAPER]) * _WIDTH for _ in range(_HEIGHT)]
    for number in range(_GRID_LINES + 1):
        y = _EDGE + number * (_HEIGHT - 2 * _EDGE) // _GRID_LINES
        rows[y][_EDGE : _WIDTH - _EDGE] = bytearray([_GRID]) * (_WIDTH - 2 * _EDGE)
    low, high = min(points), max(points)
    span = max(high - low, 1)
    heights = [_HEIGHT - _EDGE - (each - low) * (_HEIGHT - 2 * _EDGE) // span for each in points]
    steps = len(points) - 1
    wide = _WIDTH - 2 * _EDGE - 1
    before = heights[0]
    for x in range(wide + 1):
        place, part = divmod(x * steps, wide)
        here = heights[place]
        y = here + (heights[min(place + 1, len(heights) - 1)] - here) * part // wide
        for each in range(min(before, y), max(before, y) + 3):
            rows[each][_EDGE + x] = _CURVE
        before = y
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 3, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows), 9)
    parts = ((b"IHDR", header), (b"PLTE", _PALETTE), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

"""Packs made by hand."""

import zlib
from hashlib import sha256
from pathlib import Path

from carethread.git.pack_index import encode_index


def write_pack(folder: Path, entries: list[tuple[bytes, bytes]], *, count: int | None = None) -> str:
    """Write a pack of ids and raw entries, with an index that fits it."""
    body = b"PACK\0\0\0\2" + (len(entries) if count is None else count).to_bytes(4, "big")
    offsets = []
    for _, raw in entries:
        offsets.append(len(body))
        body += raw
    checksum = sha256(body).digest()
    name = f"pack-{checksum.hex()}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.pack").write_bytes(body + checksum)
    crcs = [zlib.crc32(raw) for _, raw in entries]
    (folder / f"{name}.idx").write_bytes(encode_index([each for each, _ in entries], crcs, offsets, checksum))
    return name

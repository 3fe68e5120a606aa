"""Deflated content that can be continued: a file that grew need not be compressed again from its beginning.

The stream is an ordinary zlib stream (RFC 1950) of a particular form: every part that was added ends at a byte
boundary (a sync flush), and an empty last block closes it. To continue, that block and the checksum are cut off, the
new part is deflated with the 32 KiB before it as its dictionary, and the checksum is carried on.
"""

import zlib

from carethread.git.objects import Octets

_START = b"\x78\x01"
_FLUSHED = b"\x00\x00\xff\xff"
_END = b"\x03\x00"
_TAIL = len(_FLUSHED) + len(_END) + 4
_WINDOW = 1 << 15


def begin_stream(content: Octets) -> bytes:
    """Deflate the first content of a file that will grow."""
    return _close(_START + _deflate(content, b""), zlib.adler32(content))


def continue_stream(stream: bytes, old: Octets, added: Octets) -> bytes | None:
    """Return the stream of `old` and `added` in a row, given the stream of `old`.

    None if the stream has another form, or is not that of `old` by its checksum: then deflate everything.
    """
    checksum = zlib.adler32(old)
    if not is_growing(stream) or stream[-4:] != checksum.to_bytes(4, "big"):
        return None
    return _close(stream_body(stream) + _deflate(added, bytes(old[-_WINDOW:])), zlib.adler32(added, checksum))


def is_growing(stream: bytes) -> bool:
    """Say whether a stream has the form that can be continued."""
    return stream.startswith(_START) and stream[-_TAIL:-4] == _FLUSHED + _END


def stream_body(stream: bytes) -> bytes:
    """Return what stays when such a stream is continued."""
    return stream[: -_TAIL + len(_FLUSHED)]


def _deflate(content: Octets, dictionary: bytes) -> bytes:
    size = len(content) + len(dictionary)
    # As in `deflate`: a small window for what is small.
    bits, memory = (15, 8) if size > 1 << 12 else (12, 5)
    if dictionary:
        compressor = zlib.compressobj(6, zlib.DEFLATED, -bits, memory, zlib.Z_DEFAULT_STRATEGY, dictionary)
    else:
        compressor = zlib.compressobj(6, zlib.DEFLATED, -bits, memory)
    return compressor.compress(content) + compressor.flush(zlib.Z_SYNC_FLUSH)


def _close(stream: bytes, checksum: int) -> bytes:
    return b"".join((stream, _END, checksum.to_bytes(4, "big")))

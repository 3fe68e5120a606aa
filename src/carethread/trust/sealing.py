"""What this installation gives away and wants back as it was: sealed, so that nobody makes one up, or reads it."""

import base64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV


class SealError(ValueError):
    """What was to be opened is not what was sealed here, or was sealed for something else."""


class Seal:
    """Seals with the installation's key (AES-SIV, RFC 5297). The same is sealed the same."""

    def __init__(self, key: bytes) -> None:
        """Seal with a key that nobody else knows: 32 bytes."""
        self._cipher = AESSIV(key)

    def seal(self, content: bytes, *about: bytes) -> str:
        """Return content as base64url, to be opened only by whoever names what it is about, in the same order."""
        return base64.urlsafe_b64encode(self._cipher.encrypt(content, list(about))).rstrip(b"=").decode()

    def open(self, text: str, *about: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            SealError: it was not sealed here, or is about something else.
        """
        try:
            sealed = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
            return self._cipher.decrypt(sealed, list(about))
        except (ValueError, InvalidTag):
            raise SealError("was not sealed here") from None

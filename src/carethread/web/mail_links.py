"""Links in letters, sealed, so that nobody makes one up or learns who is meant."""

from enum import Enum

from msgspec import Struct

from carethread.ids import ParticipantId
from carethread.trust.sealing import Seal, SealError

_UUID_BYTES = 16


class Purpose(Enum):
    """What a link does, and where it leads."""

    CONFIRM = "/e-mail/confirm"
    END = "/e-mail/end"


class Meant(Struct, frozen=True):
    """Whose address a link is about, and which of theirs."""

    person: ParticipantId
    mailing: str


class MailLinks:
    """Makes links, and reads them back."""

    def __init__(self, key: bytes, base: str) -> None:
        """Take the installation's key, and the address of its pages."""
        self._seal = Seal(key)
        self._base = base

    @property
    def inbox(self) -> str:
        """Return where everything is read."""
        return f"{self._base}/inbox"

    def url(self, purpose: Purpose, meant: Meant) -> str:
        """Return a link."""
        content = bytes.fromhex(f"{meant.person}{meant.mailing}".replace("-", ""))
        return f"{self._base}{purpose.value}?code={self._seal.seal(content, b'e-mail', purpose.name.encode())}"

    def read(self, purpose: Purpose, code: str) -> Meant | None:
        """Return whom a code is about; nobody, if it was not given out for this."""
        try:
            content = self._seal.open(code, b"e-mail", purpose.name.encode())
        except SealError:
            return None
        return Meant(ParticipantId(_uuid(content[:_UUID_BYTES])), _uuid(content[_UUID_BYTES:]))


def _uuid(content: bytes) -> str:
    digits = content.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

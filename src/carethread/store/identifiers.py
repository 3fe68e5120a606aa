"""What clients call what they ask for, so that asking again records nothing twice."""

from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from carethread.errors import IdentifierConflictError
from carethread.record.commit_message import CLIENT, CLIENT_DIGEST, CLIENT_IDENTIFIER, encode_identifier
from carethread.record.intake import Prepared
from carethread.record.model import ClientIdentifier


class NewIdentifier(Struct, frozen=True):
    """A client's identifier for what it asks for. `digest` is of what that is, `result` the id it made."""

    client: str
    value: str
    digest: bytes
    result: str = ""

    @property
    def trailers(self) -> tuple[tuple[str, str], ...]:
        """The trailers by which a repository keeps it."""
        return ((CLIENT, self.client), (CLIENT_IDENTIFIER, self.value), (CLIENT_DIGEST, self.digest.hex()))


class KnownIdentifier(Struct, frozen=True):
    """What a client's identifier stands for already."""

    digest: bytes
    result: str


def new_identifier(given: ClientIdentifier, asked: object) -> NewIdentifier:
    """Return an identifier for a request. Two requests are the same if their JSON is.

    Raises:
        InvalidValueError: a part is empty or too long.
    """
    encode_identifier(given.client, "client_identifier.client")
    encode_identifier(given.value, "client_identifier.value")
    return NewIdentifier(given.client, given.value, sha256(msgspec.json.encode(asked)).digest())


def check_same(request: NewIdentifier, known: KnownIdentifier) -> None:
    """Whoever asks again asks for the same.

    Raises:
        IdentifierConflictError: the identifier stands for something else.
    """
    if known.digest != request.digest:
        sentence = f"client identifier {request.value!r} stands for {known.result}, with other content"
        raise IdentifierConflictError(sentence)


def comparable(prepared: Prepared | None) -> object:
    """Return what makes two requests the same: files count by their digest."""
    if prepared is None:
        return None
    return replace(prepared.content, attachments=()), prepared.attachments

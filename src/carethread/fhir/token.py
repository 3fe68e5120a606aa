"""What a checked token says, and what its claims must look like."""

from msgspec import Struct

from carethread.clock import Instant
from carethread.fhir.scopes import Scopes


class Token(Struct, frozen=True):
    """A token that was checked: whose word it is, and what it grants. It is not revoked as far as was known.

    Attributes:
        issuer: who made it.
        id: what it is revoked by: its `jti`, or where it has none `sha256-` and the hash of what is signed.
        subject: whom the issuer means by it; empty if that was not said.
        client: the program it was given to; empty if that was not said.
        scopes: what it grants, of what can be held to.
        person: the individual who is signed in, as type and FHIR id here; none in a system's own token.
        patient: the FHIR id of the one patient that `patient/` scopes are bound to.
        expires: when it ends.
    """

    issuer: str
    id: str
    subject: str
    client: str
    scopes: Scopes
    person: tuple[str, str] | None
    patient: str | None
    expires: Instant

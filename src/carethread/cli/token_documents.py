"""What `carethread token` answers to `--json`: as in `documents`."""

from msgspec import Struct


class TokenDocument(Struct, frozen=True):
    """A bearer token, what it is revoked by, and when it ends."""

    token: str
    id: str
    expires_at: str


class PublicKeyDocument(Struct, frozen=True):
    """A public key, as a JSON Web Key."""

    kty: str
    crv: str
    x: str
    y: str
    kid: str
    use: str
    alg: str


class TokenKeyDocument(Struct, frozen=True):
    """The key that signs the installation's own tokens: what stands in them as `iss` and `aud`, and the key set."""

    issuer: str
    id: str
    keys: tuple[PublicKeyDocument, ...]


class RevokedTokenDocument(Struct, frozen=True):
    """A token that counts no more; `changed` says whether it did before."""

    id: str
    changed: bool

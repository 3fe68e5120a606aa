"""How this installation shows the sign-in provider that it is the client it says (OpenID Connect Core 1.0, 9)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from authlib.oauth2.auth import encode_client_secret_basic
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import ECKey, OKPKey, RSAKey
from msgspec import Struct

from carethread.errors import ConfigurationError

_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_LEAST_BITS = 2_048
_Private = RSAKey | ECKey | OKPKey


class Method(StrEnum):
    """What it shows, in the standard's words."""

    SECRET_BASIC = "client_secret_basic"  # noqa: S105 - the name of a way, no secret
    SECRET_POST = "client_secret_post"  # noqa: S105 - likewise
    PRIVATE_KEY = "private_key_jwt"
    NONE = "none"


OF_SECRETS = (Method.SECRET_BASIC, Method.SECRET_POST)


class _Encoded(Struct, frozen=True):
    client_id: str
    client_secret: str


class Authentication:
    """What this installation has to show: a secret, a private key or nothing. It is never put into words."""

    def __init__(self, secret: str = "", private: bytes = b"", method: Method | None = None) -> None:
        """Take what there is, and for a secret, how it is shown; left out, as the provider takes it.

        Raises:
            ConfigurationError: what is given is no private key, or none that can be used.
        """
        self._method = method
        self._secret = secret
        self._key: _Private | None = None
        self._algorithm = ""
        if private:
            self._key, self._algorithm = _read_private(private)

    def public_key(self) -> dict[str, Any]:
        """Return the public part of the private key, as the provider is given it: a JSON Web Key."""
        if self._key is None:
            return {}
        said = {"kid": self._key.thumbprint(), "use": "sig", "alg": self._algorithm}
        return {**self._key.as_dict(private=False), **said}

    def method(self, supported: Sequence[str]) -> Method:
        """Return what is shown to a provider that supports these methods."""
        if self._key is not None:
            return Method.PRIVATE_KEY
        if not self._secret:
            return Method.NONE
        if self._method is not None:
            return self._method
        return next((each for each in OF_SECRETS if each in supported), Method.SECRET_BASIC)

    def client(self, session: Any, client_id: str, supported: Sequence[str]) -> OAuth2Client:
        """Return the client that shows it, and asks through a session."""
        made = OAuth2Client(
            session,
            client_id,
            self._secret or self._key,
            token_endpoint_auth_method=self.method(supported).value,
            code_challenge_method="S256",
        )
        made.register_client_auth_method((Method.SECRET_BASIC.value, _encode_basic))
        if self._key is not None:
            made.register_client_auth_method(
                PrivateKeyJWT(alg=self._algorithm, headers={"kid": self._key.thumbprint()})
            )  # fmt: skip
        return made


def _encode_basic(auth: Any, method: str, uri: str, headers: Any, body: str) -> Any:
    """Show the secret as RFC 6749, 2.3.1 has it: both parts are form-encoded first, which Authlib leaves out."""
    encoded = _Encoded(quote(auth.client_id, safe=""), quote(auth.client_secret, safe=""))
    return encode_client_secret_basic(encoded, method, uri, headers, body)


def _read_private(content: bytes) -> tuple[_Private, str]:
    try:
        found = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError(
            "sign_in_client_key holds no private key: name a PEM file without a password"
        ) from None
    if isinstance(found, rsa.RSAPrivateKey) and found.key_size >= _LEAST_BITS:
        return RSAKey.import_key(found), "RS256"
    if isinstance(found, ec.EllipticCurvePrivateKey) and found.curve.name in _CURVES:
        return ECKey.import_key(found), _CURVES[found.curve.name]
    if isinstance(found, ed25519.Ed25519PrivateKey):
        return OKPKey.import_key(found), "Ed25519"
    raise ConfigurationError(
        "sign_in_client_key holds a key of another kind: name one of RSA with 2,048 bits or more, of the curves P-256, "
        "P-384 or P-521, or Ed25519"
    )

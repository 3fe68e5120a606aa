"""The keys that issuers sign with: read from a JSON Web Key Set (RFC 7517), and what checks a signature with one.

Only public keys for signatures count, and only sound ones: RSA of 2,048 to 4,096 bits, the curves P-256, P-384, P-521
and Ed25519. A key set may hold others; they are as if they were not there. A key without an id cannot be named by a
token, and two of one kind and one id cannot be told apart: neither counts.
"""

import warnings
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import base64_to_int
from msgspec import DecodeError, Struct, json

MAX_KEY_SET = 256 * 1024  # bytes
_MAX_KEYS = 100
_RSA_BITS = range(2_048, 4_096 + 1)
# Only a small one is used; a large one makes each check slow.
_MAX_EXPONENT = 2**32
_VALUES = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_CURVES = {"EC": frozenset({"P-256", "P-384", "P-521"}), "OKP": frozenset({"Ed25519"})}
_IMPORTS: Mapping[str, Any] = {"RSA": RSAKey.import_key, "EC": ECKey.import_key, "OKP": OKPKey.import_key}


class _Algorithm(Struct, frozen=True):
    kind: str
    curve: str | None
    model: Any


def _algorithm(name: str, kind: str, curve: str | None = None) -> _Algorithm:
    return _Algorithm(kind, curve, JWSRegistry.algorithms[name])


# Nothing symmetric, and not `none`. EdDSA is the older name of what RFC 9864 calls Ed25519.
ALGORITHMS: Mapping[str, _Algorithm] = {
    "ES256": _algorithm("ES256", "EC", "P-256"),
    "ES384": _algorithm("ES384", "EC", "P-384"),
    "ES512": _algorithm("ES512", "EC", "P-521"),
    "EdDSA": _algorithm("Ed25519", "OKP", "Ed25519"),
    "Ed25519": _algorithm("Ed25519", "OKP", "Ed25519"),
    "PS256": _algorithm("PS256", "RSA"),
    "PS384": _algorithm("PS384", "RSA"),
    "PS512": _algorithm("PS512", "RSA"),
    "RS256": _algorithm("RS256", "RSA"),
    "RS384": _algorithm("RS384", "RSA"),
    "RS512": _algorithm("RS512", "RSA"),
}


class Key(Struct, frozen=True):
    """A public key.

    Attributes:
        kind: `RSA`, `EC` or `OKP`.
        curve: of the last two.
        algorithm: the one algorithm it is for, if its issuer said so.
        value: the key itself.
    """

    kind: str
    curve: str | None
    algorithm: str | None
    value: Any

    def signed(self, algorithm: str, content: bytes, signature: bytes) -> bool:
        """Return whether this key made the signature, by this algorithm. A key for another makes none."""
        wanted = ALGORITHMS[algorithm]
        if (self.kind, self.curve) != (wanted.kind, wanted.curve):
            return False
        if self.algorithm is not None and ALGORITHMS.get(self.algorithm) != wanted:
            return False
        return bool(wanted.model.verify(content, signature, self.value))


# By id and kind.
Keys = Mapping[tuple[str, str], Key]


class KeySetError(ValueError):
    """What should be a key set is none."""


def read_key_set(content: bytes) -> Keys:
    """Return the keys of a key set that can be used.

    Raises:
        KeySetError: it is no key set, or too large.
    """
    if len(content) > MAX_KEY_SET:
        raise KeySetError("is too large")
    try:
        listed = json.decode(content, type=dict[str, Any]).get("keys")
    except (DecodeError, RecursionError):
        listed = None
    if not isinstance(listed, list) or len(listed) > _MAX_KEYS:
        raise KeySetError("is no JSON Web Key Set")
    found: dict[tuple[str, str], list[Key]] = {}
    for each in listed:
        key = _read_key(each) if isinstance(each, dict) else None
        if key is not None:
            found.setdefault((each["kid"], key.kind), []).append(key)
    return {name: keys[0] for name, keys in found.items() if len(keys) == 1}


def _read_key(given: Mapping[str, Any]) -> Key | None:
    kind, operations, algorithm = given.get("kty"), given.get("key_ops", ["verify"]), given.get("alg")
    if not isinstance(kind, str) or kind not in _VALUES or not isinstance(given.get("kid"), str):
        return None
    if given.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    values = {name: given.get(name) for name in _VALUES[kind]}
    if "d" in given or not all(isinstance(each, str) for each in values.values()):
        return None
    curve = values.get("crv")
    try:
        if kind == "RSA" and not _sound(str(values["n"]), str(values["e"])):
            return None
        if kind != "RSA" and curve not in _CURVES[kind]:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            value = _IMPORTS[kind]({"kty": kind, **values})
            # Some faults of a key show only when it is first used.
            _ = value.public_key
    except (JoseError, ValueError, TypeError, UnsupportedAlgorithm, Warning):
        return None
    return Key(kind, curve, algorithm if isinstance(algorithm, str) else None, value)


def _sound(modulus: str, exponent: str) -> bool:
    product = base64_to_int(modulus)
    return product.bit_length() in _RSA_BITS and product % 2 == 1 and base64_to_int(exponent) < _MAX_EXPONENT

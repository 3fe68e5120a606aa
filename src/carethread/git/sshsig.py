"""SSH signatures over commits, as `ssh-keygen -Y sign -n git` makes them (OpenSSH, PROTOCOL.sshsig).

Who may sign stands in a file of allowed signers, in the form of ssh-keygen(1): principals, options, key.
"""

import hashlib
import re
import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key
from msgspec import Struct

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_MAGIC = b"SSHSIG"
_NAMESPACE = b"git"
_HASH = b"sha512"
_RSA_ALGORITHM = b"rsa-sha2-512"
_CURVE_HASHES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
_SMALLEST_RSA = 2048
_LINE = re.compile(
    r"(?P<principals>\S+)[ \t]+(?:(?P<options>(?:[a-z-]+(?:=\"[^\"]*\")?,?)+)[ \t]+)?"
    r"(?P<type>ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521))[ \t]+(?P<key>[A-Za-z0-9+/=]+)(?:[ \t].*)?"
)
_OPTION = re.compile(r'([a-z-]+)(?:="([^"]*)")?')
_TIME = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2})?)?Z?")


class AllowedSigner(Struct, frozen=True):
    """A key that may sign, whose it is, and when: seconds since 1970, from inclusive, until exclusive."""

    principals: str
    key: bytes
    valid_from: int | None = None
    valid_until: int | None = None


def _string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _integer(number: int) -> bytes:
    return _string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


class _Fields:
    """Reads the fields of an SSH message in turn; what is missing is a `ValueError`."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def take(self, size: int) -> bytes:
        taken, self._content = self._content[:size], self._content[size:]
        if len(taken) != size:
            raise ValueError("signature is truncated")
        return taken

    def string(self) -> bytes:
        return self.take(int.from_bytes(self.take(4), "big"))

    def end(self) -> None:
        if self._content:
            raise ValueError("signature has something after its end")


def _signed(payload: bytes, hash_name: bytes) -> bytes:
    digest = hashlib.new(hash_name.decode(), payload).digest()
    return _MAGIC + _string(_NAMESPACE) + _string(b"") + _string(hash_name) + _string(digest)


def public_blob(key: PrivateKey) -> bytes:
    """Return a key's public half as SSH writes it."""
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return b64decode(line.split()[1])


def fingerprint(blob: bytes) -> str:
    """Return a public key's fingerprint as `ssh-keygen -l` shows it."""
    return "SHA256:" + b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def sign(payload: bytes, key: PrivateKey) -> bytes:
    """Return the signature of a payload, binary."""
    blob = public_blob(key)
    signed = _signed(payload, _HASH)
    algorithm = blob[4 : 4 + int.from_bytes(blob[:4], "big")]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        raw = key.sign(signed)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(_CURVE_HASHES[key.curve.name])))
        raw = _integer(r) + _integer(s)
    else:
        algorithm = _RSA_ALGORITHM
        raw = key.sign(signed, padding.PKCS1v15(), hashes.SHA512())
    parts = (blob, _NAMESPACE, b"", _HASH, _string(algorithm) + _string(raw))
    return _MAGIC + struct.pack(">I", 1) + b"".join(map(_string, parts))


def verify(payload: bytes, signature: bytes, allowed: Sequence[AllowedSigner], at: int) -> AllowedSigner:
    """Return whose signature of the payload it is.

    Raises:
        ValueError: the signature is malformed, is not one of this payload, or by no key that may sign at that time.
    """
    fields = _Fields(signature)
    if fields.take(len(_MAGIC)) != _MAGIC or fields.take(4) != struct.pack(">I", 1):
        raise ValueError("not an SSH signature of version 1")
    blob, namespace, reserved, hash_name, inner = (fields.string() for _ in range(5))
    fields.end()
    if namespace != _NAMESPACE or reserved or hash_name not in {b"sha256", b"sha512"}:
        raise ValueError("not a signature for Git")
    signer = next((each for each in allowed if each.key == blob and _valid(each, at)), None)
    if signer is None:
        raise ValueError(f"key {fingerprint(blob)} may not sign, or not at the time of the commit")
    _check(blob, inner, _signed(payload, hash_name))
    return signer


def _valid(signer: AllowedSigner, at: int) -> bool:
    return (signer.valid_from is None or at >= signer.valid_from) and (
        signer.valid_until is None or at < signer.valid_until
    )


def _check(blob: bytes, inner: bytes, signed: bytes) -> None:
    fields = _Fields(inner)
    algorithm, raw = fields.string(), fields.string()
    fields.end()
    key_type = _Fields(blob).string()
    try:
        key = load_ssh_public_key(key_type + b" " + b64encode(blob))
        if isinstance(key, ed25519.Ed25519PublicKey) and algorithm == b"ssh-ed25519":
            key.verify(raw, signed)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm == key_type:
            numbers = _Fields(raw)
            r, s = (int.from_bytes(numbers.string(), "big", signed=True) for _ in range(2))
            numbers.end()
            key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(_CURVE_HASHES[key.curve.name]))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm in {b"rsa-sha2-512", b"rsa-sha2-256"}:
            if key.key_size < _SMALLEST_RSA:
                raise ValueError(f"RSA key has fewer than {_SMALLEST_RSA} bits")
            digest = hashes.SHA512() if algorithm.endswith(b"512") else hashes.SHA256()
            key.verify(raw, signed, padding.PKCS1v15(), digest)
        else:
            raise ValueError("key and algorithm do not fit")
    except InvalidSignature:
        raise ValueError("signature does not fit") from None
    except UnsupportedAlgorithm:
        raise ValueError("key is of an unknown type") from None


def parse_allowed_signers(text: str) -> list[AllowedSigner]:
    """Read a file of allowed signers.

    Raises:
        ValueError: a line that is malformed or uses what is not supported (certificate authorities); it says which.
    """
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            signer = _parse_line(stripped, number)
            if signer is not None:
                found.append(signer)
    return found


def _parse_line(line: str, number: int) -> AllowedSigner | None:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"line {number} is not principals, options and a key")
    options = dict(_OPTION.findall(match["options"] or ""))
    namespaces = options.pop("namespaces", "git").split(",")
    times = [_parse_time(options.pop(name, ""), number) for name in ("valid-after", "valid-before")]
    if options:
        raise ValueError(f"line {number} has the option {min(options)}, which is not supported")
    if not any(fnmatchcase("git", pattern) for pattern in namespaces):
        return None
    return AllowedSigner(match["principals"], b64decode(match["key"], validate=True), *times)


def _parse_time(text: str, number: int) -> int | None:
    if not text:
        return None
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"line {number} has a malformed time")
    return int(datetime(*(int(part or 0) for part in match.groups()), tzinfo=UTC).timestamp())  # type: ignore[misc, arg-type]

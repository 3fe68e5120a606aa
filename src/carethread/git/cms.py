"""CMS signatures over commits (RFC 5652), as `gpgsm` makes and verifies them for Git.

Cryptography makes them; it does not verify them, so this takes them apart and checks each piece: the digest in the
signed attributes, the signature over those, the certificates from the signer's up to one that is trusted, and that
all of them were valid when the commit says it was made. Revocation is not looked up.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from msgspec import Struct

from carethread.git import der
from carethread.git.der import Element

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_SIGNED_DATA = der.encode_oid("1.2.840.113549.1.7.2")
_DATA = der.encode_oid("1.2.840.113549.1.7.1")
_CONTENT_TYPE = der.encode_oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = der.encode_oid("1.2.840.113549.1.9.4")
_DIGESTS: dict[bytes, hashes.HashAlgorithm] = {
    der.encode_oid("2.16.840.1.101.3.4.2.1"): hashes.SHA256(),
    der.encode_oid("2.16.840.1.101.3.4.2.2"): hashes.SHA384(),
    der.encode_oid("2.16.840.1.101.3.4.2.3"): hashes.SHA512(),
}
_RSA = {der.encode_oid(f"1.2.840.113549.1.1.{number}") for number in (1, 11, 12, 13)}
_ECDSA = {der.encode_oid("1.2.840.10045.2.1")} | {der.encode_oid(f"1.2.840.10045.4.3.{number}") for number in (2, 3, 4)}
# What the library raises for certificates it does not understand, beside `ValueError`.
_MALFORMED = (
    IndexError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
# Longer than any chain in use; a loop of certificates ends here.
_LONGEST_CHAIN = 8


class _SignerInfo(Struct, frozen=True):
    """The parts of a SignerInfo (RFC 5652, section 5.3) that count."""

    issuer_and_serial: Element
    digest: hashes.HashAlgorithm
    attributes: Element
    algorithm: bytes
    signature: bytes


def sign(payload: bytes, key: PrivateKey, certificates: Sequence[x509.Certificate]) -> bytes:
    """Return a detached signature in DER; the first certificate is the signer's, the others lead to its authority."""
    builder = pkcs7.PKCS7SignatureBuilder().set_data(payload).add_signer(certificates[0], key, hashes.SHA256())
    for certificate in certificates[1:]:
        builder = builder.add_certificate(certificate)
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoCapabilities]
    return builder.sign(Encoding.DER, options)


def verify(payload: bytes, signature: bytes, trusted: Sequence[x509.Certificate], at: datetime) -> x509.Certificate:
    """Return the certificate of whoever signed the payload.

    Raises:
        ValueError: the signature is malformed, is not one of this payload, or does not lead to a trusted certificate.
    """
    try:
        certificates, signer_info = _parse(signature)
        signer = _find_signer(certificates, signer_info.issuer_and_serial)
        _check_attributes(signer_info, payload)
        _check_signature(signer_info, signer)
        _check_usage(signer)
        _check_chain(signer, certificates, trusted, at)
    except _MALFORMED as error:
        raise ValueError(f"not a signature this can verify: {error}") from error
    return signer


def _parse(signature: bytes) -> tuple[list[x509.Certificate], _SignerInfo]:
    content_type, content = _expect(der.parse(signature), der.SEQUENCE, 2)
    if content_type.content != _SIGNED_DATA:
        raise ValueError("not signed data")
    fields = der.parse(content.content).children()
    # version, digestAlgorithms, encapContentInfo, [0] certificates, [1] crls, signerInfos
    encapsulated = fields[2].children()
    if len(encapsulated) != 1 or encapsulated[0].content != _DATA:
        raise ValueError("not a detached signature of plain data")
    certificates = [_load_certificate(each) for field in fields[3:-1] if field.tag == 0xA0 for each in field.children()]
    (signer_info,) = _expect(fields[-1], der.SET, 1)
    return certificates, _parse_signer_info(signer_info)


def _load_certificate(element: Element) -> x509.Certificate:
    # tbsCertificate begins with [0] version, left out for version 1, and the serial number, which must be positive.
    fields = element.children()[0].children()
    serial = fields[1] if fields[0].tag == 0xA0 else fields[0]
    if int.from_bytes(serial.content, "big", signed=True) <= 0:
        raise ValueError("a certificate has no proper number")
    return x509.load_der_x509_certificate(element.encoded)


def _expect(element: Element, tag: int, count: int) -> list[Element]:
    children = element.children()
    if element.tag != tag or len(children) != count:
        raise ValueError("not in the form of a signature by one signer")
    return children


def _parse_signer_info(element: Element) -> _SignerInfo:
    # version, sid, digestAlgorithm, [0] signedAttrs, signatureAlgorithm, signature, [1] unsignedAttrs
    fields = element.children()
    if len(fields) < 6 or fields[1].tag != der.SEQUENCE or fields[3].tag != 0xA0:
        raise ValueError("signer is not named by certificate, or nothing is attributed")
    digest = _DIGESTS.get(fields[2].children()[0].content)
    if digest is None:
        raise ValueError("digest is none of SHA-256, SHA-384 and SHA-512")
    return _SignerInfo(fields[1], digest, fields[3], fields[4].children()[0].content, fields[5].content)


def _find_signer(certificates: list[x509.Certificate], issuer_and_serial: Element) -> x509.Certificate:
    issuer, serial = _expect(issuer_and_serial, der.SEQUENCE, 2)
    number = int.from_bytes(serial.content, "big", signed=True)
    for certificate in certificates:
        if certificate.serial_number == number and certificate.issuer.public_bytes() == issuer.encoded:
            return certificate
    raise ValueError("certificate of the signer is missing")


def _check_attributes(signer_info: _SignerInfo, payload: bytes) -> None:
    attributes: dict[bytes, list[Element]] = {}
    for attribute in signer_info.attributes.children():
        kind, values = _expect(attribute, der.SEQUENCE, 2)
        if kind.content in attributes:
            raise ValueError("an attribute is repeated")
        attributes[kind.content] = values.children()
    expected = hashlib.new(signer_info.digest.name, payload).digest()
    for required, content in ((_CONTENT_TYPE, _DATA), (_MESSAGE_DIGEST, expected)):
        if [value.content for value in attributes.get(required, [])] != [content]:
            raise ValueError("what was signed is not this commit")


def _check_signature(signer_info: _SignerInfo, signer: x509.Certificate) -> None:
    key = signer.public_key()
    # The attributes are signed as a set, but stand there with a tag of their own (RFC 5652, section 5.4).
    signed = signer_info.attributes.as_tag(der.SET)
    try:
        if isinstance(key, rsa.RSAPublicKey) and signer_info.algorithm in _RSA:
            key.verify(signer_info.signature, signed, padding.PKCS1v15(), signer_info.digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and signer_info.algorithm in _ECDSA:
            key.verify(signer_info.signature, signed, ec.ECDSA(signer_info.digest))
        else:
            raise ValueError("key and algorithm are not RSA (PKCS #1 v1.5) or ECDSA")
    except InvalidSignature:
        raise ValueError("signature does not fit") from None


def _check_usage(signer: x509.Certificate) -> None:
    usages = [each.value for each in signer.extensions if isinstance(each.value, x509.KeyUsage)]
    if any(not (usage.digital_signature or usage.content_commitment) for usage in usages):
        raise ValueError("certificate of the signer is not for signatures")


def _check_chain(
    signer: x509.Certificate, certificates: list[x509.Certificate], trusted: Sequence[x509.Certificate], at: datetime
) -> None:
    step = signer
    for depth in range(_LONGEST_CHAIN):
        if not step.not_valid_before_utc <= at <= step.not_valid_after_utc:
            raise ValueError(f"certificate {step.serial_number:x} was not valid at the time of the commit")
        if step in trusted:
            return
        issuers = [each for each in (*trusted, *certificates) if _issued(each, step, depth)]
        if not issuers:
            break
        step = issuers[0]
    raise ValueError("certificate of the signer does not lead to a trusted one")


def _issued(issuer: x509.Certificate, subject: x509.Certificate, below: int) -> bool:
    """Say whether one certificate issued another one and may have: an authority, for chains of this length."""
    try:
        subject.verify_directly_issued_by(issuer)
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    usages = [each.value for each in issuer.extensions if isinstance(each.value, x509.KeyUsage)]
    if any(not usage.key_cert_sign for usage in usages):
        return False
    return constraints.ca and (constraints.path_length is None or constraints.path_length >= below)

"""Handing letters over: encrypted, to the server that it should be, with its password."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from carethread.web import Encryption
from carethread.web.mail_server import AddressRefusedError, LetterRefusedError, MailError, connected
from tests.mailing.servers import PostOffice, context_of, free_port, open_at, server_at

TO = "b1@care.example"
Opened = tuple[int, Encryption, PostOffice]


def letter() -> EmailMessage:
    made = EmailMessage()
    made["Subject"] = "Hello"
    made["To"] = TO
    made.set_content("Hello")
    return made


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Return a certificate of `localhost`, which this machine trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    return str(files[0]), str(files[1])


@pytest.fixture(params=Encryption)
def opened(request: pytest.FixtureRequest, certificate: tuple[str, str]) -> Iterator[Opened]:
    encryption, port, office = request.param, free_port(), PostOffice()
    how: dict[str, Any] = {"authenticator": office.authenticate, "auth_require_tls": False}
    if encryption is Encryption.FROM_THE_START:
        how["ssl_context"] = context_of(*certificate)
    elif encryption is Encryption.STARTTLS:
        how |= {"tls_context": context_of(*certificate), "require_starttls": True}
    with open_at(port, office, **how):
        yield port, encryption, office


def test_letters_are_handed_over(opened: Opened) -> None:
    port, encryption, office = opened
    with connected(server_at(port, encryption, user="carethread", password="s3cret")) as connection:
        connection.send(letter(), TO)
        connection.send(letter(), TO)
    assert office.addresses() == [TO, TO]
    assert office.users == [(b"carethread", b"s3cret")]


def test_a_wrong_password() -> None:
    port, office = free_port(), PostOffice()
    with (
        open_at(port, office, authenticator=office.authenticate, auth_require_tls=False),
        pytest.raises(MailError, match="the server does not take the password") as raised,
        connected(server_at(port, user="carethread", password="wr0ng")),
    ):
        raise AssertionError("it was not open")
    assert "wr0ng" not in str(raised.value)


def test_nothing_goes_in_the_clear_where_it_should_not() -> None:
    port, office = free_port(), PostOffice()
    for encryption, said in ((Encryption.STARTTLS, "SMTPNotSupportedError"), (Encryption.FROM_THE_START, "SSLError")):
        with (
            open_at(port, office),
            pytest.raises(MailError, match=said),
            connected(server_at(port, encryption)),
        ):
            raise AssertionError("it was not open")
    assert office.letters == []


def test_another_server_is_not_believed(certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    port, office = free_port(), PostOffice()
    with (
        open_at(port, office, ssl_context=context_of(*certificate)),
        pytest.raises(MailError, match="SSLCertVerificationError"),
        connected(server_at(port, Encryption.FROM_THE_START)),
    ):
        raise AssertionError("it was not open")


def test_what_a_server_refuses() -> None:
    port, office = free_port(), PostOffice()
    with open_at(port, office), connected(server_at(port)) as connection:
        office.refuses[TO] = "550 No b1@care.example here"
        with pytest.raises(AddressRefusedError) as raised:
            connection.send(letter(), TO)
        assert TO not in str(raised.value)
        for said in ("451 Later", "550 5.7.1 You may not send there"):
            office.refuses[TO] = said
            with pytest.raises(LetterRefusedError):
                connection.send(letter(), TO)
        office.refuses.clear()
        office.refuses_all = "554 Spam"
        with pytest.raises(LetterRefusedError, match="SMTPDataError, 554"):
            connection.send(letter(), TO)
        office.refuses_all = ""
        connection.send(letter(), TO)
    assert office.addresses() == [TO]


def test_a_server_that_goes_away() -> None:
    port, office = free_port(), PostOffice()
    opened = open_at(port, office)
    opened.__enter__()
    with connected(server_at(port)) as connection:
        opened.__exit__(None, None, None)
        with pytest.raises(MailError) as raised:
            connection.send(letter(), TO)
    assert type(raised.value) is MailError
    with pytest.raises(MailError, match="ConnectionRefusedError"), connected(server_at(port)):
        raise AssertionError("it was not open")

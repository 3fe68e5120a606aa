"""The mail server of an installation: letters are handed to it, encrypted on the way, and it does the rest."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from enum import Enum, auto

from msgspec import Struct

_TIMEOUT_S = 10.0
# What a server says of the mailbox itself, RFC 5321, 4.2.3: not there, not allowed to be named so, elsewhere. 550 may
# also be about what this server lets us do (RFC 3463, 3.8), which is no fault of the address.
_ABOUT_THE_MAILBOX = frozenset({550, 551, 553})
_NOT_ALLOWED = b"5.7."


class MailError(Exception):
    """The server does not answer, or not as it should. Trying again later is right, and until then nothing else."""


class LetterRefusedError(MailError):
    """The server does not take this letter now, and may take others."""


class AddressRefusedError(MailError):
    """The server takes nothing for this address, and will not."""


class Encryption(Enum):
    """How the way to a server is encrypted."""

    FROM_THE_START = auto()
    STARTTLS = auto()
    NONE = auto()  # to this machine alone


class MailServer(Struct, frozen=True):
    """Where letters are handed over, and from whom they are. `user` is empty where it asks for none."""

    host: str
    port: int
    encryption: Encryption
    sender: str
    user: str = ""
    password: str = ""


class Connection:
    """An open connection, for one letter after the other."""

    def __init__(self, opened: smtplib.SMTP, sender: str) -> None:
        """Take it."""
        self._opened = opened
        self._sender = sender

    def send(self, letter: EmailMessage, address: str) -> None:
        """Hand a letter over. The connection is good for more afterwards, also where this one was refused.

        Raises:
            AddressRefusedError: the server takes nothing for this address.
            LetterRefusedError: it does not take this letter now.
            MailError: it does not answer any more.
        """
        try:
            self._opened.send_message(letter, self._sender, [address])
        except smtplib.SMTPRecipientsRefused as error:
            code, said = error.recipients[address]
            if code in _ABOUT_THE_MAILBOX and not said.startswith(_NOT_ALLOWED):
                raise AddressRefusedError(f"the server refused an address: {code}") from None
            raise LetterRefusedError(f"the server did not take a letter: {code}") from None
        except smtplib.SMTPDataError as error:
            raise LetterRefusedError(_said(error)) from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailError(_said(error)) from None


@contextmanager
def connected(server: MailServer) -> Iterator[Connection]:
    """Open a connection for the length of a block.

    Raises:
        MailError: the server does not answer, is not who it should be, or does not take the password.
    """
    try:
        opened = _open(server)
    except (smtplib.SMTPException, OSError) as error:
        raise MailError(_said(error)) from None
    try:
        yield Connection(opened, server.sender)
    finally:
        with suppress(smtplib.SMTPException, OSError):
            opened.quit()
        opened.close()


def _open(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    opened: smtplib.SMTP
    if server.encryption is Encryption.FROM_THE_START:
        opened = smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT_S, context=context)
    else:
        opened = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_S)
    try:
        if server.encryption is Encryption.STARTTLS:
            # Refused or not offered, it raises: nothing goes on in the clear.
            opened.starttls(context=context)
        if server.user:
            _log_in(opened, server)
    except BaseException:
        opened.close()
        raise
    return opened


def _log_in(opened: smtplib.SMTP, server: MailServer) -> None:
    try:
        opened.login(server.user, server.password)
    except smtplib.SMTPException as error:
        # Some servers end the connection when they have had enough wrong ones.
        raise MailError(f"the server does not take the password: {_said(error)}") from None


def _said(error: Exception) -> str:
    """Return what went wrong without what a server said, which may repeat the address."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__}, {error.smtp_code}"
    if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException):
        return f"{type(error).__name__}, {error.strerror or 'no answer'}"
    return type(error).__name__

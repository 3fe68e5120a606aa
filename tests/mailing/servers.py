"""A mail server on this machine that takes letters, refuses some, or is away, as a test wants it."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from carethread.web import Encryption, MailServer

SENDER = "no-reply@care.example"
PATIENCE_S = 60


class PostOffice:
    """What the server does with letters: it keeps them, or answers what a test has it answer."""

    def __init__(self) -> None:
        """Begin with none."""
        self.letters: list[tuple[str, EmailMessage]] = []
        self.tried = 0
        # What it says to an address, or to a letter, instead of taking it.
        self.refuses: dict[str, str] = {}
        self.refuses_all = ""
        self.users: list[tuple[bytes, bytes]] = []

    async def handle_RCPT(  # noqa: N802 - as aiosmtpd calls it
        self, _1: SMTP, _2: Session, envelope: Envelope, address: str, _3: list[str]
    ) -> str:
        self.tried += 1
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _1: SMTP, _2: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuses_all:
            return self.refuses_all
        content = cast("bytes", envelope.content)
        parsed = BytesParser(policy=policy.default).parsebytes(content)
        assert isinstance(parsed, EmailMessage)
        self.letters.append((envelope.rcpt_tos[0], parsed))
        return "250 Taken"

    def authenticate(self, _1: SMTP, _2: Session, _3: Envelope, _4: str, data: Any) -> AuthResult:
        self.users.append((data.login, data.password))
        return AuthResult(success=data.password == b"s3cret")

    def addresses(self) -> list[str]:
        """Return who got letters, in order."""
        return [address for address, _ in self.letters]

    def until_taken(self, count: int) -> None:
        """Wait until it has taken so many letters."""
        until(lambda: len(self.letters) >= count)


def until(so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE_S
    while not so():
        assert time.monotonic() < end
        time.sleep(0.01)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def server_at(port: int, encryption: Encryption = Encryption.NONE, **more: str) -> MailServer:
    """Return how a server on this machine is reached."""
    return MailServer("localhost", port, encryption, SENDER, **more)


@contextmanager
def open_at(port: int, office: PostOffice, **how: Any) -> Iterator[None]:
    """Have a server take letters for the length of a block."""
    controller = Controller(office, hostname="127.0.0.1", port=port, **how)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


def text_of(letter: EmailMessage) -> str:
    """Return what a letter says."""
    return cast("str", letter.get_content())


def context_of(certificate: str, key: str) -> ssl.SSLContext:
    """Return how a server shows who it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context

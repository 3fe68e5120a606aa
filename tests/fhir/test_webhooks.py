"""Where a notification may go, and what a receiver can do about it."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from carethread.errors import InvalidValueError
from carethread.fhir.webhooks import (
    EndpointError,
    Notification,
    Reach,
    Sender,
    check_endpoint,
    check_headers,
)

NOWHERE: frozenset[Reach] = frozenset()
HERE = frozenset({Reach.LOOPBACK})
AROUND = frozenset({Reach.PRIVATE})
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


# ── What may be named ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "url",
    [
        "https://receiver.example/hook",
        "https://receiver.example:8443/hook?for=pharmacy",
        "https://xn--bcher-kva.example/",
        "https://8.8.8.8/hook",
        "https://[2606:4700::1111]/hook",
    ],
)
def test_an_endpoint_is_https_in_the_public_network(url: str) -> None:
    assert check_endpoint(url, NOWHERE) == url


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://receiver.example/hook", "is no https URL"),
        ("http://localhost/hook", "is no https URL"),
        ("http://127.0.0.1/hook", "is not in the public network"),
        ("ftp://receiver.example/", "is no https URL"),
        ("file:///etc/passwd", "is no https URL"),
        ("javascript:alert(1)", "is no https URL"),
        ("receiver.example/hook", "is no https URL"),
        ("https://", "has no host name"),
        ("https:///hook", "has no host name"),
        ("https://user:secret@receiver.example/", "has a user, a password or a fragment"),
        ("https://receiver.example@127.0.0.1/", "has a user, a password or a fragment"),
        ("https://receiver.example/#there", "has a user, a password or a fragment"),
        ("https://receiver.example:0/", "has no port"),
        ("https://receiver.example:99999/", "is no URL"),
        ("https://receiver.example:port/", "is no URL"),
        ("https://receiver.example/a b", "is no URL"),
        ("https://receiver.example/\r\nX: y", "is no URL"),
        ("https://receiver.example\\@evil.example/", "is no URL"),
        ("https://réceiver.example/", "is no URL"),
        ("https://[::1/", "is no URL"),
        ("https://10.0.0.7/", "is not in the public network"),
        ("https://192.168.1.1/", "is not in the public network"),
        ("https://172.16.0.1/", "is not in the public network"),
        ("https://169.254.169.254/latest/meta-data", "is not in the public network"),
        ("https://100.64.0.1/", "is not in the public network"),
        ("https://0.0.0.0/", "is not in the public network"),
        ("https://255.255.255.255/", "is not in the public network"),
        ("https://224.0.0.1/", "is not in the public network"),
        ("https://[::1]/", "is not in the public network"),
        ("https://[::]/", "is not in the public network"),
        ("https://[fe80::1%25eth0]/", "is not in the public network"),
        ("https://[fc00::1]/", "is not in the public network"),
        ("https://[::ffff:10.0.0.1]/", "is not in the public network"),
        ("https://[::ffff:127.0.0.1]/", "is not in the public network"),
        ("https://[2002:7f00:1::]/", "is not in the public network"),
        ("https://[64:ff9b::a00:1]/", "is not in the public network"),
        ("https://127.1/", "has no host name"),
        ("https://2130706433/", "has no host name"),
        ("https://0x7f000001/", "has no host name"),
        ("https://0x7f.1/", "has no host name"),
        ("https://a..example/", "has no host name"),
        ("https://receiver.example/" + "a" * 2_000, "is longer than"),
    ],
)
def test_an_endpoint_that_is_none(url: str, fault: str) -> None:
    with pytest.raises(InvalidValueError, match=fault):
        check_endpoint(url, NOWHERE)


@pytest.mark.parametrize(
    ("url", "allowed", "fits"),
    [
        ("http://127.0.0.1:8000/hook", HERE, True),
        ("http://localhost:8000/hook", HERE, True),
        ("http://[::1]:8000/hook", HERE, True),
        ("http://10.0.0.7/hook", HERE | AROUND, False),
        ("http://receiver.example/hook", HERE | AROUND, False),
        ("https://10.0.0.7/hook", AROUND, True),
        ("https://10.0.0.7/hook", HERE, False),
        ("https://127.0.0.1/hook", AROUND, False),
        ("https://169.254.169.254/", HERE | AROUND, False),
    ],
)
def test_an_installation_may_allow_more(url: str, allowed: frozenset[Reach], fits: bool) -> None:
    if fits:
        assert check_endpoint(url, allowed) == url
    else:
        with pytest.raises(InvalidValueError):
            check_endpoint(url, allowed)


@given(st.text(max_size=60))
def test_any_text_is_an_endpoint_or_refused(text: str) -> None:
    for url in (text, f"https://{text}"):
        try:
            assert check_endpoint(url, HERE).isascii()
        except InvalidValueError as error:
            assert error.field == "channel.endpoint"  # noqa: PT017


def test_headers_are_read() -> None:
    assert check_headers(["Authorization: Bearer abc", "X-Empty:"]) == (
        ("Authorization", "Bearer abc"),
        ("X-Empty", ""),
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "no colon",
        ": nothing",
        "X: a\r\nY: b",
        "X: a\nY: b",
        "X\r: a",
        "X Y: a",
        "X: \x00",
        "X: \u2028",
        "Host: evil.example",
        "content-length: 5",
        "Transfer-Encoding: chunked",
        "Content-Type: text/plain",
        "X: " + "a" * 8_000,
    ],
)
def test_a_header_that_is_none(line: str) -> None:
    with pytest.raises(InvalidValueError, match=r"channel\.header\[1\]"):
        check_headers(["X-First: 1", line])


def test_too_many_headers() -> None:
    with pytest.raises(InvalidValueError, match="are more than 16"):
        check_headers([f"X-{number}: a" for number in range(17)])


# ── How it is sent ────────────────────────────────────────────────────────────────────────────────────────────────────


class Receiver:
    """A receiver on this machine: what it was sent, and where it is."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.port = 0

    def url(self, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}/hook"


@asynccontextmanager
async def receiver(
    answer: bytes, *, then: Serve | None = None, trust: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    found = Receiver()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                found.requests.append(request)
                writer.write(answer)
                await writer.drain()
                if then is not None:
                    await then(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=trust)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()


def names(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    """Return a resolver that knows one answer for every name."""

    async def resolve(_host: str, _port: int) -> list[str]:
        return list(addresses)

    return resolve


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def fault_of(sender: Sender, url: str) -> str:
    with pytest.raises(EndpointError) as caught:
        await sender.send(Notification(url))
    await sender.close()
    return str(caught.value)


def test_a_notification_is_a_post_without_body() -> None:
    async def run() -> None:
        async with receiver(OK) as there:
            sender = Sender(HERE)
            for _ in range(3):
                await sender.send(Notification(there.url(), (("Authorization", "Bearer abc"),)))
            await sender.close()
            assert len(there.requests) == 3
            lines = there.requests[0].split(b"\r\n")
            assert lines[0] == b"POST /hook HTTP/1.1"
            assert b"Content-Length: 0" in lines
            assert b"Authorization: Bearer abc" in lines

    asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answered with status 404"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\nsecret", "answered with status 500"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "status 302"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "does not answer as HTTP has it"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "does not answer as HTTP has it"),
    ],
)
def test_what_is_no_success_is_a_failure(answer: bytes, fault: str) -> None:
    async def run() -> str:
        async with receiver(answer) as there:
            return await fault_of(Sender(HERE), there.url())

    said = asyncio.run(run())
    assert fault in said
    assert "secret" not in said


def test_a_redirect_is_not_followed() -> None:
    async def run() -> None:
        async with receiver(OK) as inside:
            answer = f"HTTP/1.1 307 Go\r\nLocation: {inside.url()}\r\nContent-Length: 0\r\n\r\n".encode()
            async with receiver(answer) as there:
                assert "status 307" in await fault_of(Sender(HERE), there.url())
            assert inside.requests == []

    asyncio.run(run())


@pytest.mark.parametrize(
    "addresses", [("127.0.0.1",), ("10.1.2.3",), ("8.8.8.8", "127.0.0.1"), ("::1",), ("fe80::1%eth0",), (), ("what",)]
)
def test_a_name_that_leads_inside_is_not_called(addresses: tuple[str, ...]) -> None:
    async def run() -> None:
        async with receiver(OK) as there:
            sender = Sender(resolve=names(*addresses))
            url = f"https://receiver.example:{there.port}/hook"
            assert "does not lie in the public network" in await fault_of(sender, url)
            assert there.requests == []

    asyncio.run(run())


def test_a_name_is_looked_up_with_every_connection_and_once() -> None:
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    async def run() -> None:
        closing = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        async with receiver(closing) as there:
            sender = Sender(HERE, resolve=resolve)
            url = there.url("localhost")
            await sender.send(Notification(url))
            assert "does not lie in the public network" in await fault_of(sender, url)
            assert asked == ["localhost", "localhost"]
            assert len(there.requests) == 1

    asyncio.run(run())


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def run() -> None:
        async with receiver(OK) as there:
            sender = Sender(HERE)
            await sender.send(Notification(there.url()))
            await sender.close()
            assert len(there.requests) == 1

    asyncio.run(run())


def test_nobody_answers() -> None:
    async def run() -> str:
        async with receiver(OK) as there:
            port = there.port
        return await fault_of(Sender(HERE), f"http://127.0.0.1:{port}/hook")

    assert asyncio.run(run()) == "the endpoint cannot be reached"


def test_a_name_that_nobody_knows() -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    assert asyncio.run(fault_of(Sender(resolve=resolve), "https://nobody.example/")) == "the endpoint cannot be reached"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
def test_a_slow_answer_is_a_failure(answer: bytes) -> None:
    async def run() -> str:
        async with receiver(answer) as there:
            return await fault_of(Sender(HERE, timeout_s=0.2), there.url())

    assert asyncio.run(run()) == "the endpoint did not answer within 0.2 s"


def test_an_endless_answer_is_not_read_to_the_end() -> None:
    async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(bytes(65_536))
            await writer.drain()

    async def run() -> None:
        async with receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", then=pour) as there:
            sender = Sender(HERE, timeout_s=20)
            await sender.send(Notification(there.url()))
            await sender.close()

    asyncio.run(asyncio.wait_for(run(), 15))


def test_the_certificate_must_be_of_the_name(tmp_path: Path) -> None:
    server, trust = _certificate(tmp_path, "receiver.example")

    async def run() -> None:
        async with receiver(OK, trust=server) as there:
            sender = Sender(HERE, resolve=names("127.0.0.1"), trust=trust)
            await sender.send(Notification(there.url("receiver.example", "https")))
            assert await fault_of(sender, there.url("other.example", "https")) == "the endpoint cannot be reached"
            untrusting = Sender(HERE, resolve=names("127.0.0.1"))
            fault = await fault_of(untrusting, there.url("receiver.example", "https"))
            assert fault == "the endpoint cannot be reached"
            assert len(there.requests) == 1

    asyncio.run(run())


def _certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "receiver.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))

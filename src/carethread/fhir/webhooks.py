"""Notifications to an endpoint that somebody named: where one may point, and how it is sent without being led astray.

An endpoint is a URL that a client chose and this server calls, from inside its own network. So the addresses behind
its name are looked at when a connection is made, not before, and the connection goes to the very address that was
looked at; a redirect is not followed, no proxy of the environment is used, and of the answer only the status counts.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from enum import Enum, auto
from typing import Any
from urllib.parse import urlsplit

import httpcore
from msgspec import Struct

from carethread.errors import CarethreadError, InvalidValueError

MAX_ENDPOINT = 2_000  # characters
MAX_HEADERS = 16
MAX_HEADER = 8_000  # characters
_TIMEOUT_S = 10.0
_MAX_ANSWER = 64 * 1024  # bytes: more than any receiver has to say
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?", re.ASCII | re.IGNORECASE)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*", re.ASCII)
# What says how the request itself is made is not for a client to say.
_RESERVED = frozenset(
    {
        "connection", "content-length", "content-type", "expect", "host", "keep-alive", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
# IPv6 addresses that stand for an IPv4 one, which then counts.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Iterable[str]]]


class Reach(Enum):
    """Where an endpoint may lie, beside the public network. Each is allowed by itself."""

    LOOPBACK = auto()  # this machine
    PRIVATE = auto()  # the networks around it


class EndpointError(CarethreadError):
    """An endpoint did not take a notification, or may not be called. The words never hold what it answered."""

    code = "endpoint"


class Notification(Struct, frozen=True):
    """A POST without a body: to where, and with which headers."""

    endpoint: str
    headers: tuple[tuple[str, str], ...] = ()


# ── What a client may name ────────────────────────────────────────────────────────────────────────────────────────────


def check_endpoint(url: str, allowed: frozenset[Reach]) -> str:
    """Return an endpoint if it can be one: https, or http on this machine where that is allowed.

    What its name leads to is looked at with each connection; an address written out is looked at here too.

    Raises:
        InvalidValueError: it cannot.
    """
    if len(url) > MAX_ENDPOINT:
        raise InvalidValueError("channel.endpoint", f"is longer than {MAX_ENDPOINT} characters")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise InvalidValueError("channel.endpoint", "is no URL")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidValueError("channel.endpoint", "is no URL") from None
    if parts.scheme not in ("https", "http"):
        raise InvalidValueError("channel.endpoint", "is no https URL")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidValueError("channel.endpoint", "has a user, a password or a fragment; say who asks in a header")
    if port == 0:
        raise InvalidValueError("channel.endpoint", "has no port that can be called")
    address = _address(host)
    if address is not None:
        if not _may_call(address, allowed):
            raise InvalidValueError("channel.endpoint", "is not in the public network")
    elif _HOST.fullmatch(host) is None or _looks_like_an_address(host):
        raise InvalidValueError("channel.endpoint", "has no host name")
    here = host == "localhost" if address is None else _embedded(address).is_loopback
    if parts.scheme == "http" and not (here and Reach.LOOPBACK in allowed):
        raise InvalidValueError("channel.endpoint", "is no https URL")
    return url


def check_headers(lines: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return the headers of a channel, given as `Name: value`.

    Raises:
        InvalidValueError: a line is none, is too long, or says what is not a client's to say.
    """
    given = tuple(lines)
    if len(given) > MAX_HEADERS:
        raise InvalidValueError("channel.header", f"are more than {MAX_HEADERS}")
    found = []
    for number, line in enumerate(given):
        field = f"channel.header[{number}]"
        name, colon, value = line.partition(":")
        if len(line) > MAX_HEADER:
            raise InvalidValueError(field, f"is longer than {MAX_HEADER} characters")
        if not colon or _HEADER_NAME.fullmatch(name) is None or _HEADER_VALUE.fullmatch(value) is None:
            raise InvalidValueError(field, "is no header, such as Authorization: Bearer ...")
        if name.lower() in _RESERVED:
            raise InvalidValueError(field, "says how the request is made, which is not for a channel to say")
        found.append((name, value.strip()))
    return tuple(found)


# ── Addresses ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _address(host: str) -> _Address | None:
    """Return the address that a host is written as, if it is one."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _looks_like_an_address(host: str) -> bool:
    """Say whether a resolver may take a host for an address that `ipaddress` does not know, such as 127.1 or 0x7f."""
    last = host.rstrip(".").rpartition(".")[2].lower()
    return last.isdigit() or last.startswith("0x")


def _embedded(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 one stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _may_call(address: _Address, allowed: frozenset[Reach]) -> bool:
    found = _embedded(address)
    if found.is_loopback:
        return Reach.LOOPBACK in allowed
    if found.is_multicast or found.is_unspecified or found.is_link_local or found.is_reserved:
        return False
    return found.is_global or (found.is_private and Reach.PRIVATE in allowed)


async def _resolved(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to what a name leads to at that moment, if all of it may be called."""

    def __init__(self, allowed: frozenset[Reach], resolve: Resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        async with asyncio.timeout(timeout):
            addresses = [_address(each) for each in await self._resolve(host, port)]
        if not addresses or not all(each is not None and _may_call(each, self._allowed) for each in addresses):
            raise EndpointError("the endpoint does not lie in the public network")
        # Only what was looked at is called: the name is not looked up a second time.
        return await self._inner.connect_tcp(str(addresses[0]), port, timeout, local_address, socket_options)


class Sender:
    """Sends notifications, to a few receivers at once, over connections that are kept for a while."""

    def __init__(
        self,
        allowed: frozenset[Reach] = frozenset(),
        *,
        resolve: Resolve = _resolved,
        trust: ssl.SSLContext | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        """Say where endpoints may lie, how names are looked up, and which certificates are trusted."""
        self._timeout_s = timeout_s
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust or ssl.create_default_context(),
            max_connections=64,
            keepalive_expiry=30.0,
            network_backend=_Guarded(allowed, resolve),
        )

    async def send(self, notification: Notification) -> None:
        """Send one; return once the receiver has taken it: a status from 200 to 299.

        Raises:
            EndpointError: it was not taken; the message says why in words that give nothing away.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                status = await self._post(notification)
        except EndpointError:
            raise
        except TimeoutError:
            raise EndpointError(f"the endpoint did not answer within {self._timeout_s:g} s") from None
        except (httpcore.ConnectError, httpcore.ConnectTimeout, OSError):
            raise EndpointError("the endpoint cannot be reached") from None
        except Exception:  # noqa: BLE001 - whatever a receiver does wrong is its failure, and never ours
            raise EndpointError("the endpoint does not answer as HTTP has it") from None
        if not 200 <= status <= 299:  # noqa: PLR2004 - HTTP's own
            raise EndpointError(f"the endpoint answered with status {status}")

    async def _post(self, notification: Notification) -> int:
        async with self._pool.stream(
            "POST", notification.endpoint, headers=[*notification.headers, ("Content-Length", "0")]
        ) as answer:
            taken = 0
            async for part in answer.aiter_stream():
                taken += len(part)
                if taken > _MAX_ANSWER:
                    await answer.aclose()
                    break
            return int(answer.status)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._pool.aclose()

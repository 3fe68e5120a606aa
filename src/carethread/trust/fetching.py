"""Asking another server, without being led astray, held up or swamped.

No redirect is followed, no proxy of the environment used, and no more read than one may have, within a few seconds for
all of it.
"""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

PATIENCE_S = 5.0
_OK = 200
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class Answer(Struct, frozen=True):
    """What a server answered."""

    status: int
    content: bytes


def is_safe(url: str) -> bool:
    """Say whether a URL is https, or on this machine."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)


def fetch_document(url: str, largest: int) -> bytes:
    """Get what is published at a URL, of so many bytes at most.

    Raises:
        OSError: it cannot be had, or is larger.
    """
    answer = fetch(url, largest)
    if answer.status != _OK:
        raise OSError("it is not there")
    return answer.content


def fetch(
    url: str, largest: int, *, form: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:  # fmt: skip
    """Ask a server: with GET or, where there is a form to send, with POST.

    Raises:
        OSError: it does not answer, or with more than so many bytes.
    """
    # Compressed, a little could become a lot before it is counted.
    said = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
    return asyncio.run(_fetch(url, largest, form, said))


async def _fetch(url: str, largest: int, form: bytes | None, headers: Mapping[str, str]) -> Answer:
    content = b""
    try:
        # The limit is for all of it: a server that sends byte after byte keeps within any limit for each.
        async with (
            asyncio.timeout(PATIENCE_S),
            httpx.AsyncClient(trust_env=False, follow_redirects=False) as client,
            client.stream("GET" if form is None else "POST", url, content=form, headers=headers) as answer,
        ):
            async for part in answer.aiter_raw():
                content += part
                if len(content) > largest:
                    raise OSError("it is too long")
            return Answer(answer.status_code, content)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError("it cannot be fetched") from error

"""The gateway as an ASGI application: reads a request within limits, has it worked on in a thread, sends the answer.

Nothing here waits for a database: the event loop reads and writes sockets, a bounded pool of threads does the rest.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from carethread.errors import CarethreadError
from carethread.fhir.answers import Answer, finished, of_refusal
from carethread.fhir.asked import Asked, read_headers, read_path, read_request_id
from carethread.fhir.outcome import RETRY_AFTER_S, Issue, RefusedError, failed, refused
from carethread.ids import random_uuid

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Work = Callable[[Asked], Answer]
Check = Callable[[Asked], None]

MOST_HEADERS = 100
LARGEST_HEADERS = 32 * 1024
LARGEST_QUERY = 8 * 1024
# Larger bodies are only read for somebody whose token is good.
TRUSTED_BODY = 256 * 1024
_BODY_TIMEOUT_S = 60.0
_CHUNK = 256 * 1024

_log = logging.getLogger("carethread.fhir")


class Gateway:
    """Serves everything below one path."""

    def __init__(
        self, work: Work, check: Check, *, prefix: str, largest_body: int, threads: int, most_waiting: int
    ) -> None:
        """Serve.

        Args:
            work: answers a request, in a thread.
            check: raises if whoever asks is not recognised, in a thread; asked before a large body is read.
            prefix: the path of the base, such as `/fhir`.
            largest_body: in bytes.
            threads: how many requests are worked on at once.
            most_waiting: how many more may wait.
        """
        self._work = work
        self._check = check
        self._prefix = prefix.encode()
        self._largest_body = largest_body
        self._pool = ThreadPoolExecutor(threads, "carethread-fhir")
        self._most = threads + most_waiting
        self._running = 0

    def close(self) -> None:
        """Finish what was begun."""
        self._pool.shutdown()

    async def in_thread(self, work: Callable[[Asked], Any], asked: Asked) -> Any:
        """Do something that waits, unless too much waits already.

        Raises:
            RefusedError: 429.
        """
        if self._running >= self._most:
            raise RefusedError(
                429,
                Issue(code="throttled", text="too many requests wait already; nothing was done. Try again in a while"),
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )
        self._running += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, asked)
        finally:
            self._running -= 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = read_headers(scope["headers"])
        request_id = read_request_id(headers.get("x-request-id", "")) or random_uuid().hex
        try:
            asked = self._asked(scope, headers, request_id)
            answer = await self._answer(asked, receive)
        except CarethreadError as error:
            answer = of_refusal(refused(error, request_id))
            if answer.status >= 500:  # noqa: PLR2004 - a fault of ours
                _log.exception("request %s failed", request_id)
        except _GoneError:
            return
        except Exception:  # noqa: BLE001 - whatever it is, it is logged, and nobody is told more than its id
            _log.exception("request %s failed", request_id)
            answer = of_refusal(failed(request_id))
        await _send(send, answer, headers.get("accept-encoding", ""), request_id, scope["method"])

    def _asked(self, scope: Scope, headers: dict[str, str], request_id: str) -> Asked:
        if len(scope["headers"]) > MOST_HEADERS or sum(len(n) + len(v) for n, v in scope["headers"]) > LARGEST_HEADERS:
            raise RefusedError(431, Issue(code="too-long", text="the headers are too many or too large"))
        if headers.get("transfer-encoding", "chunked").lower() != "chunked":
            # A proxy might see another end of the body, and take its rest for the next request.
            raise RefusedError(
                501,
                Issue(code="not-supported", text="the body is encoded in a way that is not taken here"),
                headers={"Connection": "close"},
            )
        query = scope["query_string"]
        if len(query) > LARGEST_QUERY:
            raise RefusedError(
                414, Issue(code="too-long", text="the address is too long", instead="Search by POST to _search.")
            )
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        path = read_path(raw[len(self._prefix) :].removeprefix(b"/"))
        if path is None:
            raise RefusedError(404, Issue(code="not-found", text="there is nothing at this address"))
        return Asked(method=scope["method"], path=path, query=query, headers=headers, request_id=request_id)

    async def _answer(self, asked: Asked, receive: Receive) -> Answer:
        if asked.method in {"POST", "PUT"}:
            length = asked.header("content-length")
            if length and (not length.isdigit() or int(length) > self._largest_body):
                raise _too_large(self._largest_body)
            if not length or int(length) > TRUSTED_BODY:
                await self.in_thread(self._check, asked)
            body = await self._body(receive)
            asked = Asked(
                method=asked.method,
                path=asked.path,
                query=asked.query,
                headers=asked.headers,
                body=body,
                request_id=asked.request_id,
            )
        answer: Answer = await self.in_thread(self._work, asked)
        return answer

    async def _body(self, receive: Receive) -> bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        if not message.get("more_body"):
            return message.get("body", b"")  # type: ignore[no-any-return]
        parts = [message.get("body", b"")]
        size = len(parts[0])
        try:
            async with asyncio.timeout(_BODY_TIMEOUT_S):
                while message.get("more_body"):
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _GoneError
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > self._largest_body:
                        raise _too_large(self._largest_body)
        except TimeoutError:
            raise RefusedError(408, Issue(code="timeout", text="the body did not arrive in time")) from None
        return b"".join(parts)


class _GoneError(Exception):
    """Whoever asked went away."""


def _too_large(most: int) -> RefusedError:
    return RefusedError(
        413,
        Issue(code="too-long", text=f"the body is larger than {most} bytes, or its length is not said in digits"),
        headers={"Connection": "close"},
    )


async def _send(send: Send, answer: Answer, accept_encoding: str, request_id: str, method: str) -> None:
    headers, body = finished(answer, accept_encoding, request_id)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if method == "HEAD":
        body = b""
    # Whoever asked may be gone; then there is nobody to tell.
    with suppress(OSError):
        for start in range(0, len(body) - _CHUNK, _CHUNK):
            await send({"type": "http.response.body", "body": body[start : start + _CHUNK], "more_body": True})
        rest = (len(body) - 1) // _CHUNK * _CHUNK if body else 0
        await send({"type": "http.response.body", "body": body[rest:]})

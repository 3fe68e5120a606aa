"""Pages that are open hear that something happened: nothing of what. They then ask, as anybody asks, for what is new.

A stream tells of a thread, or of any, as far as its reader may read it at that moment; whoever lost it begins again
where it ended.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from carethread.coordination import CoordinationService
from carethread.errors import CarethreadError
from carethread.ids import CommunicationId, parse_communication_id
from carethread.policy.sessions import Session
from carethread.reads import Following, Happening, happened_since, may_see
from carethread.web.visit import Visit

# Often enough for what stands between to see that the line is in use, and to notice that somebody has gone.
_BEAT_S = 20.0
_MOST_STREAMS = 2_000
_MOST_OF_A_SESSION = 20
_RETRY_MS = 1_000


@dataclass(eq=False)
class _Stream:
    """One open page."""

    session: str
    thread: CommunicationId | None
    happened: asyncio.Event = field(default_factory=asyncio.Event)
    threads: set[CommunicationId] = field(default_factory=set)
    cursor: str = ""


class Live:
    """The streams of a process."""

    def __init__(self, service: CoordinationService) -> None:
        """Take the installation; `start` begins."""
        self._service = service
        self._following = Following(service)
        self._streams: set[_Stream] = set()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to follow, in the event loop's thread.

        Raises:
            StorageError: the disk or the database cannot be used.
        """
        self._loop = asyncio.get_running_loop()
        self._leave = self._following.register(self._tell)
        self._following.start()

    def end_streams(self) -> None:
        """End all streams, from any thread: a server that stops waits for nobody who only listens."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._stopping.set()
        for each in self._streams:
            each.happened.set()

    def stop(self) -> None:
        """End."""
        if self._leave is not None:
            self._leave()
        self._following.stop()

    # ── In the following thread ───────────────────────────────────────────────────────────────────────────────────────

    def _tell(self, happenings: tuple[Happening, ...]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._spread, happenings)

    # ── In the event loop ─────────────────────────────────────────────────────────────────────────────────────────────

    def _spread(self, happenings: tuple[Happening, ...]) -> None:
        for stream in self._streams:
            for each in happenings:
                if stream.thread in (None, each.thread):
                    stream.threads.add(each.thread)
                    stream.happened.set()
            stream.cursor = happenings[-1].cursor

    async def answer(self, visit: Visit, check: Callable[[], Session | None]) -> Response:
        """Answer with a stream. `check` says whether the session still holds, without counting as a use of it.

        Raises:
            InvalidValueError: the thread or the cursor is none.
        """
        session = visit.signed_in
        thread = visit.query.get("thread", "")
        wanted = parse_communication_id(thread, "thread") if thread else None
        cursor = visit.request.headers.get("last-event-id") or visit.query.get("after", "")
        of_session = sum(1 for each in self._streams if each.session == session.id)
        if len(self._streams) >= _MOST_STREAMS or of_session >= _MOST_OF_A_SESSION or self._stopping.is_set():
            return PlainTextResponse("too many", 503, {"retry-after": "5"})
        since = await run_in_threadpool(happened_since, self._service, cursor)
        stream = _Stream(session.id, wanted, cursor=since.cursor)
        stream.threads.update(each.thread for each in since.happenings if wanted in (None, each.thread))
        return StreamingResponse(
            self._events(stream, visit, check, anything=since.is_too_far),
            headers={"content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no"},
        )

    @contextmanager
    def _listening(self, stream: _Stream) -> Iterator[None]:
        self._streams.add(stream)
        try:
            yield
        finally:
            self._streams.discard(stream)

    async def _events(
        self, stream: _Stream, visit: Visit, check: Callable[[], Session | None], *, anything: bool
    ) -> AsyncIterator[str]:
        """Yield events until the session is over, the reader goes, or the server stops."""
        with self._listening(stream):
            yield f"retry: {_RETRY_MS}\nid: {stream.cursor}\n\n"
            if anything:
                yield _event(stream.cursor)
            if stream.threads:
                stream.happened.set()
            while not self._stopping.is_set():
                try:
                    await asyncio.wait_for(stream.happened.wait(), _BEAT_S)
                except TimeoutError:
                    if await run_in_threadpool(_or_none, check) is None:
                        return
                    yield ": still here\n\n"
                    continue
                stream.happened.clear()
                threads, cursor = frozenset(stream.threads), stream.cursor
                stream.threads.clear()
                if threads and await self._concerns(visit, check, threads):
                    yield _event(cursor)

    async def _concerns(
        self, visit: Visit, check: Callable[[], Session | None], threads: frozenset[CommunicationId]
    ) -> bool:
        """Say whether somebody may read one of these threads now. A session that is over reads nothing."""

        def ask() -> bool:
            if _or_none(check) is None:
                return False
            try:
                return bool(may_see(self._service, visit.caller, threads))
            except CarethreadError:
                return False

        return await run_in_threadpool(ask)


def _event(cursor: str) -> str:
    return f"event: happened\nid: {cursor}\ndata:\n\n"


def _or_none(check: Callable[[], Session | None]) -> Session | None:
    try:
        return check()
    except CarethreadError:
        return None

"""Telling those who subscribed that something happened: in order, at least once, as soon as it is recorded.

One process of an installation does it at a time. What is to be told is not queued a second time: every subscription
holds a cursor into the feed of what was recorded, which is written in the transaction that records; so nothing is told
that was rolled back, and nothing is lost that was acknowledged. A notification is one POST without content for each
thing that matches. The cursor moves once the receiver has taken it; a receiver that fails is tried again, ever more
slowly, for a day, and holds up nobody but itself. Before each attempt, but for those of the same second, it is asked
anew what there is to tell: who may read it may have changed.
"""

import asyncio
import logging
import random
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Protocol

from msgspec import Struct

from carethread.clock import Clock, Instant, system_clock
from carethread.errors import CarethreadError
from carethread.fhir.webhooks import EndpointError, Notification

log = logging.getLogger(__name__)

# From here on a receiver that fails is given up, until somebody asks to go on.
GIVE_UP_MS = 24 * 60 * 60 * 1000
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 15 * 60.0
# How long to wait where our own database fails.
_TROUBLE_PAUSE_S = 5.0
# How long stopping may take.
_STOP_S = 0.25
# So long after it was woken, it is not woken again: whatever was recorded meanwhile is told of together.
_GATHER_S = 0.02
# So long what is due is told of without asking again who may read it.
_FRESH_S = 1.0
# What cannot be looked at before another transaction ends is looked for again after these.
_HELD_BACK_S = 0.005
_HELD_BACK_LONGEST_S = 1.0
# So many changes that were nothing to tell are looked at before that is kept; then a restart begins after them.
_KEPT_AFTER = 1_000


class Standing(Struct, frozen=True):
    """An active subscription, as far as it takes to serve it.

    Attributes:
        id: its id.
        version: which version of it this is; another one is served anew.
        notification: what is sent for each thing that matches.
        failing_since: since when its receiver has failed, if it does.
        until: when it ends by itself, if it does.
    """

    id: str
    version: int
    notification: Notification
    failing_since: Instant | None = None
    until: Instant | None = None


class Due(Struct, frozen=True):
    """What a subscription has before it: the places after each thing to be told of, in order.

    `place` is how far was looked, at `looked_at` changes; `is_end` that nothing more is there for now, and
    `is_held_back` that something is, which cannot be looked at before a transaction ends: nobody tells when that is.
    """

    places: tuple[str, ...]
    place: str
    is_end: bool
    looked_at: int = 0
    is_held_back: bool = False


class Post(Protocol):
    """What the subscriptions of an installation are, and how far each was told. Called from threads; may wait.

    What is said of a version that is over counts for nothing.
    """

    def active(self) -> Sequence[Standing]:
        """Return the subscriptions that are to be served."""

    def due(self, standing: Standing, place: str | None) -> Due:
        """Return what comes after a place; `None` is where the subscription stands. Looks at a bounded number."""

    def told(self, standing: Standing, place: str) -> None:
        """Keep that its receiver has taken everything up to a place, and does not fail."""

    def failed(self, standing: Standing, at: Instant) -> None:
        """Keep that its receiver fails, since that instant if it did not before."""

    def give_up(self, standing: Standing, reason: str) -> None:
        """End a subscription with status `error`."""

    def end(self, standing: Standing) -> None:
        """End a subscription whose time is over."""


class Waits(Protocol):
    """Is woken when something was recorded: see `store.waking`."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait; say whether something may have been recorded."""

    def close(self) -> None:
        """Wait no more."""


class Sends(Protocol):
    """Sends a notification: see `webhooks.Sender`."""

    async def send(self, notification: Notification) -> None:
        """Send one.

        Raises:
            EndpointError: it was not taken.
        """

    async def close(self) -> None:
        """Let go of everything."""


class Notifier:
    """Serves the subscriptions of an installation from a thread of its own."""

    def __init__(
        self,
        post: Post,
        listen: Callable[[], Waits],
        sender: Callable[[], Sends],
        *,
        clock: Clock = system_clock,
        pause: Callable[[int], float] | None = None,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        """Take what it needs; `start` begins.

        Args:
            post: what is to be told.
            listen: begins to wait for what is recorded.
            sender: makes what sends, within the thread that will use it.
            clock: what time it is.
            pause: how many seconds to wait after so many failures in a row.
            on_end: called in its thread at its very end.
        """
        self._post = post
        self._listen = listen
        self._sender = sender
        self._clock = clock
        self._pause = pause or _pause
        self._on_end = on_end
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="carethread-notifier", daemon=True)

    def start(self) -> None:
        """Begin. Returns once whatever is recorded from now on will be told of."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Let what is being sent end, then stop."""
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None:
            with suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(stopping.set)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            log.exception("notifications have stopped")
        finally:
            self._ready.set()
            if self._on_end is not None:
                self._on_end()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        news = News()
        waiter = await asyncio.to_thread(self._listen)
        over = threading.Event()
        listening = threading.Thread(
            target=_listen, args=(waiter, news, self._loop, over), name="carethread-notifier-waits", daemon=True
        )
        listening.start()
        sender = self._sender()
        self._ready.set()
        serving: dict[tuple[str, int], asyncio.Task[None]] = {}
        try:
            while not self._stopping.is_set():
                seen = news.count
                kept_up = await self._keep_up(serving, sender, news)
                await _first(self._stopping.wait(), news.after(seen, None if kept_up else _TROUBLE_PAUSE_S))
        finally:
            over.set()
            for each in serving.values():
                each.cancel()
            await asyncio.gather(*serving.values(), return_exceptions=True)
            await sender.close()
            await asyncio.to_thread(listening.join)
            waiter.close()

    async def _keep_up(self, serving: dict[tuple[str, int], asyncio.Task[None]], sender: Sends, news: "News") -> bool:
        """Serve what is active now, each in its newest version, and nothing else; say whether that is known."""
        try:
            active = {(each.id, each.version): each for each in await asyncio.to_thread(self._post.active)}
        except Exception as error:  # noqa: BLE001 - it is said, and tried again
            report("the subscriptions cannot be read", error)
            return False
        for key in serving.keys() - active.keys():
            serving.pop(key).cancel()
        for key, standing in active.items():
            if key not in serving:
                follower = _Follower(standing, self._post, sender, news, self._clock, self._pause)
                serving[key] = asyncio.create_task(follower.follow())
        return True


class _Follower:
    """Tells one receiver of one thing after the other."""

    def __init__(
        self,
        standing: Standing,
        post: Post,
        sender: Sends,
        news: "News",
        clock: Clock,
        pause: Callable[[int], float],
    ) -> None:
        self._standing = standing
        self._post = post
        self._sender = sender
        self._news = news
        self._clock = clock
        self._pause = pause
        self._place: str | None = None
        self._looked_at = 0
        self._failures = 0
        self._failing_since = standing.failing_since
        self._held_back_s = _HELD_BACK_S
        self._is_over = False

    async def follow(self) -> None:
        """Go on until the subscription ends, or this is cancelled."""
        while not self._is_over:
            try:
                await self._round()
            except Exception as error:  # noqa: BLE001 - it is said, and tried again: nobody else would
                report(f"subscription {self._standing.id} waits", error)
                await asyncio.sleep(_TROUBLE_PAUSE_S)

    async def _round(self) -> None:
        seen, until = self._news.count, self._standing.until
        left_s = None if until is None else (until - self._clock()) / 1000
        if left_s is not None and left_s <= 0:
            await asyncio.to_thread(self._post.end, self._standing)
            self._is_over = True
            return
        due = await asyncio.to_thread(self._post.due, self._standing, self._place)
        if not await self._tell_all(due):
            return
        await self._pass_over(due)
        if due.is_held_back:
            await self._news.after(seen, self._held_back_s)
            self._held_back_s = min(2 * self._held_back_s, _HELD_BACK_LONGEST_S)
            return
        self._held_back_s = _HELD_BACK_S
        if due.is_end:
            await self._news.after(seen, left_s)

    async def _tell_all(self, due: Due) -> bool:
        """Tell of what is due, as long as that is fresh; say whether the receiver has it all."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        for each in due.places:
            if loop.time() - asked >= _FRESH_S or not await self._tell(each):
                return False
        return True

    async def _tell(self, place: str) -> bool:
        try:
            await self._sender.send(self._standing.notification)
        except EndpointError as error:
            await self._fail(str(error))
            return False
        await self._keep(place)
        return True

    async def _fail(self, reason: str) -> None:
        self._failures += 1
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        if now - self._failing_since >= GIVE_UP_MS:
            await asyncio.to_thread(self._post.give_up, self._standing, reason)
            self._is_over = True
            return
        await asyncio.to_thread(self._post.failed, self._standing, now)
        await asyncio.sleep(self._pause(self._failures))

    async def _pass_over(self, due: Due) -> None:
        """Go on after what was nothing to tell. That is kept where much of it was, or a failure before is over."""
        self._place = due.place
        self._looked_at += due.looked_at
        if self._failing_since is not None or self._looked_at >= _KEPT_AFTER:
            await self._keep(due.place)

    async def _keep(self, place: str) -> None:
        await asyncio.to_thread(self._post.told, self._standing, place)
        self._place = place
        self._looked_at, self._failures, self._failing_since = 0, 0, None


class News:
    """Counts what happened; any number may wait for more."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.count = 0
        self._more = asyncio.Event()

    def add(self) -> None:
        """Say that something happened, on the loop's thread."""
        self.count += 1
        self._more.set()
        self._more = asyncio.Event()

    async def after(self, seen: int, seconds: float | None = None) -> None:
        """Wait until there is more than was seen, or for so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.count == seen:
                    await self._more.wait()


def _listen(waiter: Waits, news: News, loop: asyncio.AbstractEventLoop, over: threading.Event) -> None:
    """Pass on that something was recorded, until it is over. The timeout only bounds how long stopping takes."""
    while not over.is_set():
        try:
            woken = waiter.wait(_STOP_S)
        except Exception as error:  # noqa: BLE001 - it is said, and tried again
            report("waiting for what is recorded failed", error)
            over.wait(_TROUBLE_PAUSE_S)
            woken = True
        if woken:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(news.add)
            over.wait(_GATHER_S)


def report(what: str, error: Exception) -> None:
    """Say what went wrong; of what nobody expected, all that is known."""
    log.warning("%s: %s", what, error, exc_info=None if isinstance(error, CarethreadError) else error)


async def _first(*waiting: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.ensure_future(each) for each in waiting]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in tasks:
            each.cancel()


def _pause(failures: int) -> float:
    """Return how long to wait after so many failures in a row: twice as long each time, and not all at once."""
    longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(failures - 1, 20))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads, and keeps nothing secret

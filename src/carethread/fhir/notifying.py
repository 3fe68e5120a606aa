"""Telling those who subscribed that something happened: in order, at least once, as soon as it is recorded.

One process of an installation does it at a time. What is to be told is not queued a second time: every subscription
holds a cursor into the feed of what was recorded, which is written in the transaction that records; so nothing is told
that was rolled back, and nothing is lost that was acknowledged. A notification is one POST without content for each
thing that matches. The cursor moves once the receiver has taken it; a receiver that fails is tried again, ever more
slowly, for a day, and holds up nobody but itself.
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

    `place` is how far was looked; `is_end` that nothing more is there for now.
    """

    places: tuple[str, ...]
    place: str
    is_end: bool


class Post(Protocol):
    """What the subscriptions of an installation are, and how far each was told. Called from threads; may wait."""

    def active(self) -> Sequence[Standing]:
        """Return the subscriptions that are to be served."""

    def due(self, subscription_id: str, place: str | None) -> Due:
        """Return what comes after a place; `None` is where the subscription stands. Looks at a bounded number."""

    def told(self, subscription_id: str, place: str) -> None:
        """Keep that its receiver has taken everything up to a place."""

    def failed(self, subscription_id: str, at: Instant, reason: str) -> None:
        """Keep that its receiver fails, since that instant if it did not before."""

    def give_up(self, subscription_id: str, reason: str) -> None:
        """End a subscription with status `error`."""

    def end(self, subscription_id: str) -> None:
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
    ) -> None:
        """Take what it needs; `start` begins.

        Args:
            post: what is to be told.
            listen: begins to wait for what is recorded.
            sender: makes what sends, within the thread that will use it.
            clock: what time it is.
            pause: how many seconds to wait after so many failures in a row.
        """
        self._post = post
        self._listen = listen
        self._sender = sender
        self._clock = clock
        self._pause = pause or _pause
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
                await self._keep_up(serving, sender, news)
                await _first(self._stopping.wait(), news.after(seen))
        finally:
            over.set()
            for each in serving.values():
                each.cancel()
            await asyncio.gather(*serving.values(), return_exceptions=True)
            await sender.close()
            await asyncio.to_thread(listening.join)
            waiter.close()

    async def _keep_up(self, serving: dict[tuple[str, int], asyncio.Task[None]], sender: Sends, news: "News") -> None:
        """Serve what is active now, each in its newest version, and nothing else."""
        try:
            active = {(each.id, each.version): each for each in await asyncio.to_thread(self._post.active)}
        except CarethreadError as error:
            log.warning("the subscriptions cannot be read: %s", error)
            return
        for key in serving.keys() - active.keys():
            serving.pop(key).cancel()
        for key, standing in active.items():
            if key not in serving:
                serving[key] = asyncio.create_task(self._follow(standing, sender, news))

    async def _follow(self, standing: Standing, sender: Sends, news: "News") -> None:
        """Tell one receiver of one thing after the other."""
        place: str | None = None
        while True:
            seen = news.count
            try:
                if standing.until is not None and self._clock() >= standing.until:
                    await asyncio.to_thread(self._post.end, standing.id)
                    return
                due = await asyncio.to_thread(self._post.due, standing.id, place)
                for each in due.places:
                    if not await self._tell(standing, sender, each):
                        return
                place = due.place
            except CarethreadError as error:
                log.warning("subscription %s waits: %s", standing.id, error)
                await asyncio.sleep(_TROUBLE_PAUSE_S)
                continue
            if due.is_end:
                await news.after(seen)

    async def _tell(self, standing: Standing, sender: Sends, place: str) -> bool:
        """Tell of one thing, however often it takes; say whether the receiver has it."""
        failures, since = 0, standing.failing_since
        while True:
            try:
                await sender.send(standing.notification)
            except EndpointError as error:
                failures += 1
                now = self._clock()
                since = now if since is None else since
                if now - since >= GIVE_UP_MS:
                    await asyncio.to_thread(self._post.give_up, standing.id, str(error))
                    return False
                await asyncio.to_thread(self._post.failed, standing.id, now, str(error))
                await asyncio.sleep(self._pause(failures))
            else:
                await asyncio.to_thread(self._post.told, standing.id, place)
                return True


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

    async def after(self, seen: int) -> None:
        """Wait until there is more than was seen."""
        while self.count == seen:
            await self._more.wait()


def _listen(waiter: Waits, news: News, loop: asyncio.AbstractEventLoop, over: threading.Event) -> None:
    """Pass on that something was recorded, until it is over. The timeout only bounds how long stopping takes."""
    while not over.is_set():
        try:
            woken = waiter.wait(_STOP_S)
        except CarethreadError as error:
            log.warning("waiting for what is recorded failed: %s", error)
            over.wait(_TROUBLE_PAUSE_S)
            woken = True
        if woken:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(news.add)


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

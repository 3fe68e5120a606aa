"""What happens to threads, told as it happens: for pages that are open.

A happening names a thread and says of what kind it is, and nothing of what is in it. Whom it reaches asks `may_see`
before anybody is told even that; what a page then fetches goes through the other reads, and is logged there.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from msgspec import Struct

from carethread.coordination import CoordinationService
from carethread.errors import CarethreadError, InvalidValueError, NotFoundError, PolicyError
from carethread.ids import CommunicationId, MessageId
from carethread.policy.actor import Caller
from carethread.record.model import MessageType
from carethread.store import changes as feed
from carethread.store.asking import actor_for
from carethread.store.changes import Change, changes_after, is_held_back
from carethread.store.database import Connection
from carethread.store.held import Held, Reading
from carethread.store.threads import Judge
from carethread.store.waking import Listener

log = logging.getLogger(__name__)

# Commits that are looked at together.
_BATCH = 200
MOST_SINCE = 10_000
# How long stopping takes at most.
_STOP_S = 0.25
# What comes close together is told together.
_GATHER_S = 0.02
# Whatever a transaction holds back wakes nobody when that ends: until then, look again.
_HELD_BACK_S = 0.005
_HELD_BACK_LONGEST_S = 1.0
_TROUBLE_PAUSE_S = 5.0


class HappeningKind(StrEnum):
    """What happened to a thread."""

    OPENED = "opened"  # with a first message or without
    MESSAGE = "message"
    CORRECTION = "correction"
    LEDGER = "ledger"  # who takes part, status, visibility, policies, addressing
    CORRECTED_ELSEWHERE = "corrected_elsewhere"  # a message of it, in another thread
    CONTINUED = "continued"  # another thread takes it up


class Happening(Struct, frozen=True):
    """That something happened to a thread: nothing of what, and for nobody to see before `may_see` was asked.

    `cursor` is where to go on. Of one commit that concerns several threads there are several, with one cursor.
    `message` is the entry that was added to this thread, if one was.
    """

    cursor: str
    thread: CommunicationId
    kind: HappeningKind
    message: MessageId | None = None


class Since(Struct, frozen=True):
    """What happened since a cursor, and where to go on.

    With `is_too_far` more happened than is told at once: nothing is told, and a page is loaded anew. `cursor` is then
    where the feed ends.
    """

    happenings: tuple[Happening, ...]
    cursor: str
    is_too_far: bool = False


Told = Callable[[tuple[Happening, ...]], None]


class Following:
    """Follows an installation from one thread of this process, and tells whoever registered.

    It is woken by what is recorded, in any process, and asks for nothing meanwhile.
    """

    def __init__(self, service: CoordinationService) -> None:
        """Take the installation; `start` begins."""
        self._archive = service.archive
        self._cursor = feed.START
        self._told: dict[object, Told] = {}
        self._guard = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Begin; return the cursor after which everything is told. To be called once.

        Raises:
            StorageError: the disk or the database cannot be used.
        """
        # First the ear, then the place: what comes in between is heard and told.
        listener = self._archive.waking.listen()
        try:
            with self._archive.database.read() as connection:
                self._cursor = feed.last_cursor(connection)
        except BaseException:
            listener.close()
            raise
        self._thread = threading.Thread(
            target=self._follow, args=(listener,), name="carethread-following", daemon=True
        )  # fmt: skip
        begun = self._cursor
        self._thread.start()
        return begun

    def stop(self) -> None:
        """End; return when nothing is told any more. It may be called again, and without `start`."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def register(self, told: Told) -> Callable[[], None]:
        """Tell somebody of what happens from now on; return what ends that.

        `told` is called from the following thread with one or more happenings in their order, never with none, and must
        not wait: hand over, and return. What it raises is reported, and keeps nobody else from being told.
        """
        key = object()
        with self._guard:
            self._told[key] = told

        def end() -> None:
            with self._guard:
                self._told.pop(key, None)

        return end

    def _follow(self, listener: Listener) -> None:
        # What was recorded before, and held back, wakes nobody either.
        must_look, wait_s = True, 0.0
        while not self._over.is_set():
            try:
                must_look = listener.wait(wait_s if must_look else _STOP_S) or must_look
                if must_look:
                    self._over.wait(_GATHER_S)
                    must_look = self._tell_all()
                    wait_s = _longer(wait_s) if must_look else 0.0
            except Exception as error:  # noqa: BLE001 - it is said, and tried again: nobody else would
                _report("what happened cannot be looked at", error)
                must_look = True
                self._over.wait(_TROUBLE_PAUSE_S)
        listener.close()

    def _tell_all(self) -> bool:
        """Tell of everything that is new; say whether there is more, which cannot be looked at yet."""
        is_end = held_back = False
        while not (is_end or self._over.is_set()):
            with self._archive.database.snapshot() as connection:
                changes, cursor = changes_after(connection, self._cursor, _BATCH)
                happenings = tuple(_happenings(connection, changes))
                is_end = len(changes) < _BATCH
                held_back = is_held_back(connection, cursor)
            self._tell(happenings)
            self._cursor = cursor
        return held_back

    def _tell(self, happenings: tuple[Happening, ...]) -> None:
        if not happenings:
            return
        with self._guard:
            everybody = tuple(self._told.values())
        for told in everybody:
            try:
                told(happenings)
            except Exception as error:  # noqa: BLE001 - the others are told
                _report("somebody could not be told of what happened", error)


def _longer(held_back_s: float) -> float:
    return min(2 * held_back_s, _HELD_BACK_LONGEST_S) if held_back_s else _HELD_BACK_S


def _report(what: str, error: Exception) -> None:
    """Say what went wrong; of what nobody expected, all that is known."""
    log.warning("%s: %s", what, error, exc_info=None if isinstance(error, CarethreadError) else error)


def _happenings(connection: Connection, changes: list[Change]) -> Iterator[Happening]:
    """Yield what changes are to the threads they concern. What a restored backup does not have is passed over."""
    reading = Reading(connection)
    messages = {each for change in changes for each in (change.message, change.corrects) if each is not None}
    held = reading.messages_by_own_id(messages)
    opened = reading.threads_by_own_id({each.thread for each in changes if each.thread_version == 1})
    for change in changes:
        begun = opened.get(change.thread) if change.thread_version == 1 else None
        added = None if change.message is None else held.get(change.message)
        if begun is not None:
            yield Happening(change.cursor, change.thread, HappeningKind.OPENED, change.message)
            if begun.stored.ledger.continues is not None:
                yield Happening(change.cursor, begun.stored.ledger.continues, HappeningKind.CONTINUED)
        elif added is not None:
            yield Happening(change.cursor, change.thread, _kind(change, added), change.message)
        original = None if change.corrects is None else held.get(change.corrects)
        if original is not None and original.thread.stored.ledger.communication_id != change.thread:
            elsewhere = original.thread.stored.ledger.communication_id
            yield Happening(change.cursor, elsewhere, HappeningKind.CORRECTED_ELSEWHERE)


def _kind(change: Change, added: Held) -> HappeningKind:
    if added.message.type is MessageType.SYSTEM:
        return HappeningKind.LEDGER
    return HappeningKind.MESSAGE if change.corrects is None else HappeningKind.CORRECTION


def last_cursor(service: CoordinationService) -> str:
    """Return where the feed of changes ends now: begin there, and then look at what a page shows."""
    with service.archive.database.read() as connection:
        return feed.last_cursor(connection)


def happened_since(service: CoordinationService, cursor: str, most: int = 500) -> Since:
    """Return what happened after a cursor, whoever may read it. Nothing of it is served, so nothing is logged.

    `most` is in commits.

    Raises:
        InvalidValueError: no such cursor was given out, or `most` is not in order.
    """
    if not 0 < most <= MOST_SINCE:
        raise InvalidValueError("most", f"is not from 1 to {MOST_SINCE:,}")
    with service.archive.database.snapshot() as connection:
        changes, place = changes_after(connection, cursor, most + 1)
        if len(changes) > most:
            return Since((), feed.last_cursor(connection), is_too_far=True)
        return Since(tuple(_happenings(connection, changes)), place)


def may_see(
    service: CoordinationService, caller: Caller, thread_ids: Iterable[CommunicationId]
) -> frozenset[CommunicationId]:
    """Return which of these threads somebody may read at this moment. Whoever is not there any more, none.

    Nothing of a thread is served by this, not even that it is there: a page is told only that it may ask, and what it
    then asks for is logged. So nothing is logged here.
    """
    wanted = frozenset(thread_ids)
    if not wanted:
        return wanted
    archive = service.archive
    at = archive.clock()
    with archive.database.snapshot() as connection:
        try:
            judge = Judge(connection, actor_for(connection, caller, at), at)
        except (NotFoundError, PolicyError):
            return frozenset()
        found = Reading(connection).threads_by_own_id(wanted)
        return frozenset(thread for thread, held in found.items() if judge.may_read(held.stored))

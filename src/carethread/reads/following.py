"""What happens to threads, told as it happens: for pages that are open."""

from collections.abc import Callable, Iterable
from enum import StrEnum

from msgspec import Struct

from carethread.coordination import CoordinationService
from carethread.ids import CommunicationId, MessageId
from carethread.policy.actor import Caller


class HappeningKind(StrEnum):
    """What happened to a thread."""

    OPENED = "opened"
    MESSAGE = "message"
    CORRECTION = "correction"
    LEDGER = "ledger"
    CORRECTED_ELSEWHERE = "corrected_elsewhere"  # a message of it, in a thread that takes it up


class Happening(Struct, frozen=True):
    """That something happened to a thread: nothing of what, and for nobody to see before `may_see` was asked.

    `cursor` is where to go on. Of one commit that concerns two threads there are two, with one cursor. `message` is
    the entry that was added, to this thread or, where it is corrected elsewhere, to that other one.
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
        raise NotImplementedError

    def start(self) -> str:
        """Begin; return the cursor after which everything is told. To be called once.

        Raises:
            StorageError: the disk or the database cannot be used.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """End; return when nothing is told any more. It may be called again, and without `start`."""
        raise NotImplementedError

    def register(self, told: Told) -> Callable[[], None]:
        """Tell somebody of what happens from now on; return what ends that.

        `told` is called from the following thread with one or more happenings in their order, never with none, and must
        not wait: hand over, and return. What it raises is reported, and keeps nobody else from being told.
        """
        raise NotImplementedError


def last_cursor(service: CoordinationService) -> str:
    """Return where the feed of changes ends now: begin there, and then look at what a page shows."""
    raise NotImplementedError


def happened_since(service: CoordinationService, cursor: str, most: int = 500) -> Since:
    """Return what happened after a cursor, whoever may read it. Nothing of it is served, so nothing is logged.

    Raises:
        InvalidValueError: no such cursor was given out, or `most` is not in order.
    """
    raise NotImplementedError


def may_see(
    service: CoordinationService, caller: Caller, thread_ids: Iterable[CommunicationId]
) -> frozenset[CommunicationId]:
    """Return which of these threads somebody may read at this moment. Whoever is not there any more, none.

    Nothing of a thread is served by this, not even that it is there: a page is told only that it may ask, and what it
    then asks for is logged. So nothing is logged here.
    """
    raise NotImplementedError

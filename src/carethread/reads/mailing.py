"""Who wants an e-mail that says there is something new; and for whom something is."""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import Action
from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.errors import NotFoundError
from carethread.ids import CommunicationId, ParticipantId
from carethread.policy.actor import Caller
from carethread.policy.mailing import Mailing
from carethread.policy.preferences import choosing
from carethread.record.model import MessageType
from carethread.store import mailings
from carethread.store.asking import Asking, Shown, actor_for, answer, line
from carethread.store.changes import changes_after, is_held_back, order
from carethread.store.database import Connection
from carethread.store.held import Held, Reading
from carethread.store.inbox import is_unread
from carethread.store.threads import Judge

# Changes that one look takes in.
MOST_LOOKED_AT = 200


class New(Struct, frozen=True):
    """That somebody else wrote in a thread, and when."""

    thread: CommunicationId
    at: Instant


class News(Struct, frozen=True):
    """What happened after a place that persons may read: nothing of what.

    Attributes:
        of: whom it reaches, and for each the threads, in order.
        places: up to where was looked for each, or where they stood if that is further.
        looked_at: how many changes that were.
        is_end: there was nothing more.
        is_held_back: something more is there, and cannot be looked at before a transaction ends.
    """

    of: Mapping[ParticipantId, tuple[New, ...]]
    places: Mapping[ParticipantId, str]
    looked_at: int
    is_end: bool
    is_held_back: bool


def mail_wish(service: CoordinationService, caller: Caller) -> Mailing:
    """Return where and how often somebody wants to be told that there is something new.

    Raises:
        NotAllowedError: a system asks.
    """
    asked = replace(line(caller, Action.SERVED), detail="e-mail")

    def work(asking: Asking) -> tuple[Mailing, Shown]:
        return mailings.of_person(asking.connection, choosing(caller)), Shown(asked)

    return answer(service.archive, asked, caller, work)


# ── For whoever sends ─────────────────────────────────────────────────────────────────────────────────────────────────


def mail_wishes(service: CoordinationService) -> tuple[Mailing, ...]:
    """Return all for which something is sent, whosever they are. For nobody to see."""
    with service.archive.database.read() as connection:
        return mailings.in_use(connection)


def news(service: CoordinationService, places: Mapping[ParticipantId, str]) -> News:
    """Return for whom somebody else wrote something, each after a place of their own; from the earliest of these on.

    Whoever is not there any more, or not active, may read nothing. Nothing is served by this, so nothing is logged.
    `places` has somebody.

    Raises:
        InvalidValueError: a place is none in the feed.
    """
    archive = service.archive
    at = archive.clock()
    after = min(places.values(), key=order)
    with archive.database.snapshot() as connection:
        changes, place = changes_after(connection, after, MOST_LOOKED_AT)
        is_end = len(changes) < MOST_LOOKED_AT
        held_back = is_end and is_held_back(connection, place)
        added = {each.message: order(each.cursor) for each in changes if each.message is not None}
        # What a restored backup does not have is passed over.
        found = Reading(connection).messages_by_own_id(added)
        told = [
            (where, found[message])
            for message, where in added.items()
            if message in found and found[message].message.type is not MessageType.SYSTEM
        ]
        of = {person: _of_person(connection, person, order(since), told, at) for person, since in places.items()}
    return News(
        {person: new for person, new in of.items() if new},
        {person: max(since, place, key=order) for person, since in places.items()},
        len(changes),
        is_end,
        held_back,
    )


def _of_person(
    connection: Connection,
    person: ParticipantId,
    since: tuple[int, int],
    told: list[tuple[tuple[int, int], Held]],
    at: Instant,
) -> tuple[New, ...]:
    by_others = [held for where, held in told if where > since and held.message.author_id != person]
    judge = _judge(connection, person, at) if by_others else None
    if judge is None:
        return ()
    return tuple(
        New(each.thread.stored.ledger.communication_id, each.message.timestamp)
        for each in by_others
        if judge.may_read(each.thread.stored)
    )


def is_still_new(service: CoordinationService, person: ParticipantId, threads: Iterable[CommunicationId]) -> bool:
    """Say whether a person may read one of these threads at this moment, and has something unread in it.

    Nothing is served by this, so nothing is logged.
    """
    archive = service.archive
    at = archive.clock()
    with archive.database.snapshot() as connection:
        judge = _judge(connection, person, at)
        if judge is None:
            return False
        return any(
            judge.may_read(held.stored) and is_unread(connection, person, thread, *held.place)
            for thread, held in Reading(connection).threads_by_own_id(threads).items()
        )


def _judge(connection: Connection, person: ParticipantId, at: Instant) -> Judge | None:
    try:
        return Judge(connection, actor_for(connection, Caller(person), at), at)
    except NotFoundError:
        return None

"""Who asks, looked up in the directory; and every answer, put into the access log before it is given.

A read whose line cannot be stored is not answered. A refusal is logged as well: what may not be read leaves the same
kind of line as what does not exist.
"""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action, Outcome
from carethread.clock import Instant
from carethread.errors import (
    CarethreadError,
    ConfigurationError,
    IntegrityError,
    NotFoundError,
    PurposeError,
    StorageError,
)
from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, ActorKind, Caller, Thread
from carethread.policy.exceptional import check_may_assert
from carethread.record.model import Ledger, Message, Naming
from carethread.record.text import check_name
from carethread.store.access import logged
from carethread.store.archive import Archive
from carethread.store.database import Connection
from carethread.store.journal import Effect
from carethread.store.people import actor_of, client_actor
from carethread.store.threads import Stored
from carethread.store.writer import Job

Answer = TypeVar("Answer")
# What went wrong with the machine was no answer, and is not the actor's doing.
_FAILURES = (StorageError, IntegrityError, ConfigurationError)


class Shown(Struct, frozen=True):
    """What an answer put before somebody: a line of the log, and rows that go with it, such as a mark."""

    entry: AccessEntry
    effects: tuple[Effect, ...] = ()


class Asking(Struct, frozen=True):
    """Who asks, when, and the snapshot from which they are answered."""

    connection: Connection
    actor: Actor
    at: Instant


class Seen(Struct, frozen=True):
    """A thread that somebody may read, as it was a moment ago: who asked, and the thread with all its patients.

    Whoever writes to it next begins with this, and is asked again under the record's lock.
    """

    actor: Actor
    stored: Stored
    about: Thread


class Posted(Struct, frozen=True):
    """A message that was recorded just now, what its client calls it, and the ledger of its thread with it."""

    message: Message
    naming: Naming | None
    ledger: Ledger


Work = Callable[[Asking], tuple[Answer, Shown]]


def actor_for(connection: Connection, caller: Caller, at: Instant) -> Actor:
    """Return who asks, as the directory knows them now.

    Raises:
        UnknownPersonError: the directory has no such person, or organisation of a system client.
        NotAllowedError: they are not appointed to what they act as, or a client may not ask for them.
        PurposeError: an auditor states no purpose.
    """
    if caller.kind is ActorKind.AUDITOR and not caller.purpose:
        raise PurposeError("an auditor states a purpose")
    if caller.system is None:
        if caller.person is None:
            raise PurposeError("nobody asks: name a person or a system client")
        return actor_of(connection, caller.person, at, kind=caller.kind, purpose=caller.purpose)
    client = client_actor(connection, caller.system.id, caller.system.name, caller.system.organizations, at)
    if caller.person is None:
        return client
    person = actor_of(connection, caller.person, at, kind=caller.kind, purpose=caller.purpose)
    check_may_assert(client, person, caller.system.organizations)
    return person


def line(caller: Caller, action: Action) -> AccessEntry:
    """Return the line of a call, with what is known before anything is looked up.

    Raises:
        InvalidValueError: what the caller says of itself is no line of text, and cannot be kept.
    """
    for name, said in (("client", caller.client), ("request_id", caller.request_id), ("purpose", caller.purpose)):
        if said:
            check_name(said, name)
    nobody = ParticipantId("00000000-0000-0000-0000-000000000000")
    of_system = nobody if caller.system is None else caller.system.id
    if caller.kind is not None:
        kind = caller.kind.value
    else:
        kind = ActorKind.CLIENT.value if caller.person is None else "person"
    return AccessEntry(
        actor=caller.person or of_system,
        actor_kind=kind,
        action=action,
        purpose=caller.purpose,
        client=caller.client if caller.system is None else f"{caller.system.id} {caller.client}".strip(),
        request_id=caller.request_id,
    )


def answer(archive: Archive, asked: AccessEntry, caller: Caller, work: Work[Answer]) -> Answer:
    """Do the work, in one snapshot; log what it shows; and only then return the answer.

    `asked` is the line of a refusal: it holds what was asked for, and nothing that was found.

    Raises:
        CarethreadError: what the work raises, after that has been logged.
        StorageError: the line cannot be stored.
    """
    at = archive.clock()
    try:
        with archive.database.snapshot() as connection:
            actor = actor_for(connection, caller, at)
            found, shown = work(Asking(connection, actor, at))
    except CarethreadError as error:
        log_refusal(archive, asked, error)
        raise
    log(archive, replace(shown.entry, actor_kind=actor.kind.value), shown.effects)
    return found


def log(archive: Archive, entry: AccessEntry, effects: tuple[Effect, ...] = ()) -> None:
    """Store a line, and rows that go with it, durably.

    Raises:
        StorageError: it could not be stored.
    """
    archive.submit(Job(None, apart=lambda _: (logged(entry, archive.clock()), *effects)))


def log_refusal(archive: Archive, asked: AccessEntry, error: CarethreadError) -> None:
    """Store a line that says what was not answered, unless the machine failed: then there is nothing to tell."""
    if isinstance(error, _FAILURES):
        return
    outcome = Outcome.UNKNOWN if isinstance(error, NotFoundError) else Outcome.REFUSED
    refusal = replace(asked, outcome=outcome, detail=error.code)
    archive.submit_refusal(Job(None, apart=lambda _: (logged(refusal, archive.clock()),)))
    error.is_logged = True


def was_logged(error: BaseException) -> bool:
    """Say whether the log tells of a refusal already, or of the one that it stands for."""
    following: BaseException | None = error
    while following is not None:
        if isinstance(following, CarethreadError) and following.is_logged:
            return True
        following = following.__context__
    return False

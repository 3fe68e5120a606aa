"""What every write begins and ends with: the thread found and readable, the line of the log, the refusal."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from msgspec.structs import replace

from carethread.access_log import AccessEntry, Outcome
from carethread.coordination import CoordinationService
from carethread.errors import CarethreadError, UnknownPersonError
from carethread.ids import CommunicationId, CoordinationId, MessageId, ParticipantId
from carethread.policy.actor import PATIENT_SIDE, Actor, Caller, Known, Thread
from carethread.policy.reading import check_may_read, unknown_thread
from carethread.record.model import Author, ClientIdentifier, Message, Participant, Party, Role
from carethread.record.transitions import Found
from carethread.store.access import logged
from carethread.store.archive import Archive
from carethread.store.asking import Seen, actor_for, log_refusal
from carethread.store.journal import Effect
from carethread.store.people import patients_of_record
from carethread.store.threads import asked_about, find_thread, with_patients
from carethread.store.writer import View

Result = TypeVar("Result")


def performed(archive: Archive, asked: AccessEntry, work: Callable[[], Result]) -> Result:
    """Do the work; log what it refuses.

    Raises:
        CarethreadError: what the work raises.
    """
    try:
        return work()
    except CarethreadError as error:
        log_refusal(archive, asked, error)
        raise


class WriteLog:
    """The line of the log for one write: begun with what was asked, completed under the lock, stored with the commit.

    A batch may be done twice; what is said under the lock then replaces what was said before.
    """

    def __init__(self, archive: Archive, asked: AccessEntry, detail: str) -> None:
        """Begin with what was asked; `detail` says in a word what is written."""
        self._archive = archive
        self._entry = replace(asked, detail=detail)

    def acting(
        self, actor: Actor, record: CoordinationId, thread: CommunicationId | None, group: ParticipantId | None
    ) -> None:
        """Say who acts, where, and for whom, as decided under the lock."""
        self._entry = replace(
            self._entry, actor_kind=actor.kind.value, record=record, thread=thread, acting_for=group
        )  # fmt: skip

    def effects(
        self, commit: str, *, thread: CommunicationId | None = None, message: MessageId | None = None
    ) -> tuple[Effect, ...]:
        """Return the row that goes with what was recorded."""
        entry = replace(
            self._entry,
            outcome=Outcome.DONE,
            version=commit,
            message=message,
            thread=self._entry.thread if thread is None else thread,
        )
        return (logged(entry, self._archive.clock()),)


def readable(service: CoordinationService, caller: Caller, thread_id: CommunicationId) -> Seen:
    """Return who acts, and the thread, if they may read it: as it was a moment ago. The write asks again.

    Raises:
        UnknownThreadError: there is none, or they may not: the same was looked up for both.
    """
    archive = service.archive
    at = archive.clock()
    with archive.database.snapshot() as connection:
        actor = actor_for(connection, caller, at)
        stored = find_thread(connection, thread_id)
        about = asked_about(connection, stored, actor, at)
        if stored is None or about is None:
            raise unknown_thread(thread_id)
        check_may_read(actor, about)
        return Seen(actor, stored, with_patients(connection, stored, about))


def patients_in(view: View) -> frozenset[ParticipantId]:
    """Return the patients of the record that is being written to."""
    return patients_of_record(view.connection, view.state.status.clinical_id)


def original_of(patients: frozenset[ParticipantId], found: Found | None) -> tuple[Thread, Message] | None:
    """Return a message that is to be corrected, with its thread as the policy wants it."""
    return None if found is None else (Thread(found.ledger, patients), found.message)


def provisional(actor: Actor) -> Author:
    """Return an actor as an author before the thread has said in which role. The permission says that."""
    role = Role.PATIENT if actor.kind in PATIENT_SIDE else Role.CLINICIAN
    return Author(actor.id, actor.name, role)


def participants(company: Mapping[ParticipantId, Known], ids: Iterable[ParticipantId]) -> tuple[Participant, ...]:
    """Return people and groups of the directory as participants.

    Raises:
        UnknownPersonError: the directory does not know one.
    """
    found = []
    for each in ids:
        if each not in company:
            raise UnknownPersonError(f"the directory has no person, organisation or team {each}")
        found.append(Participant(each, company[each].role, company[each].name))
    return tuple(found)


def own_identifier(caller: Caller, given: ClientIdentifier | None) -> ClientIdentifier | None:
    """Return a client's identifier as the record keeps it: within what this person asked for.

    Else whoever uses one a second time would be told that something is there which they may not read.
    """
    if given is None or not given.client:
        return given
    return ClientIdentifier(f"{given.client}/{caller.person}", given.value)


def via(caller: Caller) -> Party | None:
    """Return the system through which a person writes, where it names them."""
    return None if caller.system is None else Party(caller.system.id, caller.system.name)

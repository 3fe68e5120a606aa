"""A thread found by its own id, wherever it is: for readers, who are not told in which record.

The same statements run whether there is no such thread or somebody may not read it: what is looked up until that is
decided depends on who asks, and not on the thread. Of a steward alone, whose right hangs on who else is there, more is
looked up where there is one.
"""

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import bindparam, select

from carethread.clock import Instant
from carethread.directory.memberships import merged
from carethread.directory.model import Patient
from carethread.ids import ClinicalId, CommunicationId, CoordinationId, MessageId, ParticipantId
from carethread.policy.actor import Actor, ActorKind, Thread
from carethread.policy.home import is_deserted
from carethread.policy.reading import may_read
from carethread.record.model import BusinessIdentifier, CoordinationStatus, Ledger, Message
from carethread.record.status_yaml import parse_status
from carethread.record.thread_md import parse_entry
from carethread.store import statements
from carethread.store.database import Connection, Row
from carethread.store.directory_entries import Look, entries_around
from carethread.store.keys import key_of, text_of
from carethread.store.ledgers import stored_ledger
from carethread.store.names import read_identifiers
from carethread.store.people import known, patients_of_record
from carethread.store.schema import message, record, thread

STORED_COLUMNS = (
    record.c.record_key,
    record.c.coordination_id,
    record.c.head_commit,
    record.c.clinical_id,
    thread.c.thread_no,
    thread.c.ledger,
    thread.c.entries,
    thread.c.last_message,
    thread.c.attachments,
    thread.c.versions,
    thread.c.resource_id,
    thread.c.identifiers,
)
STORED_WIDTH = len(STORED_COLUMNS)
_joined = select(*STORED_COLUMNS).join_from(thread, record, thread.c.record_key == record.c.record_key)
_find = _joined.where(thread.c.communication_id == bindparam("communication_id"))
_of_message = (
    _joined.add_columns(message.c.position)
    .join(message, (message.c.record_key == thread.c.record_key) & (message.c.thread_no == thread.c.thread_no))
    .where(message.c.message_id == bindparam("message_id"))
)
_at = _joined.where(thread.c.record_key == bindparam("key"), thread.c.thread_no == bindparam("no"))
_of_record = (
    _joined.where(record.c.clinical_id == bindparam("clinical_id"), record.c.custodian_id == bindparam("custodian_id"))
    .order_by(thread.c.last_updated_at.desc(), thread.c.communication_id.desc())
)  # fmt: skip
_entry = select(message.c.entry).where(
    message.c.record_key == bindparam("key"),
    message.c.thread_no == bindparam("no"),
    message.c.position == bindparam("position"),
)
_entries_after = (
    select(message.c.entry)
    .where(
        message.c.record_key == bindparam("key"),
        message.c.thread_no == bindparam("no"),
        message.c.position > bindparam("after"),
    )
    .order_by(message.c.position)
)
_status = select(record.c.status).where(record.c.record_key == bindparam("key"))
_original = message.alias("original")
_corrected_elsewhere = (
    select(_original.c.message_id, message.c.message_id, thread.c.communication_id)
    .join_from(
        _original,
        message,
        (message.c.record_key == _original.c.record_key) & (message.c.corrects == _original.c.message_id),
    )
    .join(thread, (thread.c.record_key == message.c.record_key) & (thread.c.thread_no == message.c.thread_no))
    .where(
        _original.c.record_key == bindparam("key"),
        _original.c.thread_no == bindparam("no"),
        message.c.thread_no != _original.c.thread_no,
    )
    .order_by(message.c.seq)
)


_continued_by = (
    select(thread.c.communication_id)
    .where(thread.c.continues == bindparam("communication_id"))
    .order_by(thread.c.communication_id)
)


class Stored(Struct, frozen=True):
    """A thread in the index: where it is, and its ledger. `version` is the commit of its record it was read at."""

    key: int
    number: int
    record: CoordinationId
    clinical_id: ClinicalId
    version: str
    ledger: Ledger
    entries: int
    last_message: int
    attachments: bytes
    versions: int
    resource_id: str | None
    identifiers: tuple[BusinessIdentifier, ...]


def find_thread(connection: Connection, thread_id: CommunicationId) -> Stored | None:
    """Return a thread, whatever record it is in."""
    row = connection.one(_find, communication_id=thread_id)
    return None if row is None else stored_of(row)


def find_thread_of(connection: Connection, message_id: MessageId) -> tuple[Stored, int] | None:
    """Return the thread that a message stands in, and its position there."""
    row = connection.one(_of_message, message_id=key_of(message_id))
    return None if row is None else (stored_of(row), row[-1])


def thread_at(connection: Connection, key: int, number: int) -> Stored:
    """Return a thread by its keys, which the index just gave."""
    return stored_of(connection.all(_at, key=key, no=number)[0])


def threads_of(connection: Connection, clinical_id: ClinicalId, custodian: ParticipantId) -> list[Stored]:
    """Return the threads of the record that belongs to a clinical record, newest activity first."""
    rows = connection.all(_of_record, clinical_id=key_of(clinical_id), custodian_id=key_of(custodian))
    return [stored_of(row) for row in rows]


def stored_of(row: Row) -> Stored:
    """Return what the columns of a thread say, with which a row begins."""
    (
        key,
        record_id,
        head,
        clinical_id,
        number,
        ledger,
        entries,
        last,
        attachments,
        versions,
        resource_id,
        identifiers,
    ) = row[:STORED_WIDTH]
    return Stored(
        key=key,
        number=number,
        record=CoordinationId(bytes(record_id).hex()),
        clinical_id=ClinicalId(text_of(clinical_id)),
        version=bytes(head).hex(),
        ledger=stored_ledger(bytes(ledger)),
        entries=entries,
        last_message=last,
        attachments=bytes(attachments),
        versions=versions,
        resource_id=resource_id,
        identifiers=() if identifiers is None else read_identifiers(identifiers),
    )


def entries_of(connection: Connection, stored: Stored, after: int = 0) -> tuple[Message, ...]:
    """Return a thread's messages, those after a position alone."""
    if after:
        rows = connection.all(_entries_after, key=stored.key, no=stored.number, after=after)
    else:
        rows = connection.all(statements.read_entries, key=stored.key, no=stored.number)
    return tuple(parse_entry(bytes(row[0])) for row in rows)


def status_of(connection: Connection, stored: Stored) -> CoordinationStatus:
    """Return the status of the record that a thread is in."""
    return parse_status(bytes(connection.all(_status, key=stored.key)[0][0]))


def entry_at(connection: Connection, stored: Stored, position: int) -> Message:
    """Return the message at a position of a thread, counted from 1."""
    return parse_entry(bytes(connection.all(_entry, key=stored.key, no=stored.number, position=position)[0][0]))


def corrected_elsewhere(
    connection: Connection, stored: Stored
) -> tuple[tuple[MessageId, CommunicationId, MessageId], ...]:
    """Return what of a thread is corrected in another one: the original, and the thread and id of the correction."""
    return tuple(
        (
            MessageId(text_of(original)),
            CommunicationId(thread_id),
            MessageId(text_of(correction)),
        )
        for original, correction, thread_id in connection.all(_corrected_elsewhere, key=stored.key, no=stored.number)
    )


def continued_by(connection: Connection, thread_id: CommunicationId) -> tuple[CommunicationId, ...]:
    """Return the threads that take up a closed one, oldest first."""
    return tuple(CommunicationId(row[0]) for row in connection.all(_continued_by, communication_id=thread_id))


def asked_about(connection: Connection, stored: Stored | None, actor: Actor, at: Instant) -> Thread | None:
    """Return a thread as the policy wants it to decide whether an actor may read it.

    Its patients are there as far as something of the actor is bound to them: `with_patients` gives them all. Where
    there is no thread the same is looked up, and nothing returned.
    """
    patients = Judge(connection, actor, at).patients(None if stored is None else stored.clinical_id)
    deserted = False
    if actor.kind is ActorKind.STEWARD:
        listed = () if stored is None else (each.id for each in stored.ledger.participants)
        company = known(connection, listed, at)
        deserted = stored is not None and is_deserted(stored.ledger, company)
    return None if stored is None else Thread(stored.ledger, patients, deserted)


def with_patients(connection: Connection, stored: Stored, about: Thread) -> Thread:
    """Return a thread that somebody may read with all patients of its record."""
    return replace(about, patients=patients_of_record(connection, stored.clinical_id))


class Judge:
    """Says which threads an actor may read. What bears on that is looked up once, and but for stewards never again."""

    def __init__(self, connection: Connection, actor: Actor, at: Instant) -> None:
        """Look up whom an actor's rights are bound to."""
        self._connection, self._actor, self._at = connection, actor, at
        bound = actor.patients | {each.patient for each in actor.memberships if each.patient is not None}
        self._entries = entries_around(connection, bound, look=Look.MERGED)
        self._patients: dict[ClinicalId, frozenset[ParticipantId]] = {}
        self._answers: dict[tuple[int, int], bool] = {}

    def about(self, stored: Stored) -> Thread:
        """Return a thread as the policy wants it: with its patients, if rights are bound to one of them."""
        deserted = False
        if self._actor.kind is ActorKind.STEWARD:
            company = known(self._connection, (each.id for each in stored.ledger.participants), self._at)
            deserted = is_deserted(stored.ledger, company)
        return Thread(stored.ledger, self.patients(stored.clinical_id), deserted)

    def may_read(self, stored: Stored) -> bool:
        """Say whether the actor may read a thread."""
        place = stored.key, stored.number
        if place not in self._answers:
            self._answers[place] = may_read(self._actor, self.about(stored))
        return self._answers[place]

    def patients(self, clinical_id: ClinicalId | None) -> frozenset[ParticipantId]:
        """Return the patients of a record if an actor's rights are bound to one of them: asked from their side."""
        if clinical_id is None:
            return frozenset()
        if clinical_id not in self._patients:
            patients = (each for each in self._entries.values() if isinstance(each, Patient))
            found = next((each for each in patients if each.clinical_id == clinical_id), None)
            self._patients[clinical_id] = frozenset() if found is None else merged(found.id, self._entries)
        return self._patients[clinical_id]

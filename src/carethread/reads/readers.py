"""Who can read a thread, as data: each face has words of its own for it."""

from msgspec import Struct

from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.directory.model import Patient, RelatedPerson
from carethread.ids import ParticipantId
from carethread.policy.actor import Thread
from carethread.policy.reading import Reach, may_read, reaches
from carethread.record.model import GROUP_ROLES, Ledger, Participant
from carethread.store.database import Connection
from carethread.store.people import actor_of, around_patients


class GroupReader(Struct, frozen=True):
    """A group that takes part, and who of it reads the thread."""

    group: Participant
    reach: Reach


class Readers(Struct, frozen=True):
    """Who can read a thread, in the order of its ledger.

    Attributes:
        individuals: who reads it by name. Whoever opened it for a group is not among them.
        groups: whose members read it, and which of them.
        patient: whether the patient can, in whatever way.
        related_persons: whether somebody related to the patient can.
    """

    individuals: tuple[Participant, ...]
    groups: tuple[GroupReader, ...]
    patient: bool
    related_persons: bool


def readers_of(service: CoordinationService, ledger: Ledger, patients: frozenset[ParticipantId]) -> Readers:
    """Return who can read a thread that was served already, as the directory stands; nothing is logged for that."""
    archive = service.archive
    with archive.database.snapshot() as connection:
        return readers_in(connection, Thread(ledger, patients), archive.clock())


def readers_in(connection: Connection, about: Thread, at: Instant) -> Readers:
    """Return who can read a thread, as the directory stands; `about` has all patients of its record."""
    reach = reaches(about.ledger)
    listed = about.ledger.participants
    around = around_patients(connection, about.patients)
    return Readers(
        tuple(each for each in listed if reach[each.id] is Reach.NAMED),
        tuple(GroupReader(each, reach[each.id]) for each in listed if each.role in GROUP_ROLES),
        any(may_read(actor_of(connection, each.id, at), about) for each in around if isinstance(each, Patient)),
        any(may_read(actor_of(connection, each.id, at), about) for each in around if isinstance(each, RelatedPerson)),
    )

"""Who can read a thread, as data: each face has words of its own for it."""

from msgspec import Struct

from carethread.coordination import CoordinationService
from carethread.ids import ParticipantId
from carethread.policy.reading import Reach
from carethread.record.model import Ledger, Participant


class GroupReader(Struct, frozen=True):
    """A group that takes part, and who of it reads the thread."""

    group: Participant
    reach: Reach


class Readers(Struct, frozen=True):
    """Who can read a thread, in the order of its ledger.

    Attributes:
        individuals: who reads it by name. Whoever opened it for a group is not among them.
        groups: who reads it as a member.
        patient: whether the patient can, in whatever way.
        related_persons: whether somebody related to the patient can.
    """

    individuals: tuple[Participant, ...]
    groups: tuple[GroupReader, ...]
    patient: bool
    related_persons: bool


def readers_of(service: CoordinationService, ledger: Ledger, patients: frozenset[ParticipantId]) -> Readers:
    """Return who can read a thread that was served already, as the directory stands; nothing is logged for that."""
    raise NotImplementedError

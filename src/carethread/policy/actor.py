"""Who asks, and what is asked about: the two arguments of every check."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from carethread.directory.model import Membership, Standing
from carethread.ids import ParticipantId
from carethread.record.model import Ledger, Role


class ActorKind(StrEnum):
    """What an actor is."""

    PRACTITIONER = "practitioner"
    RELATED_PERSON = "related_person"
    PATIENT = "patient"
    CLIENT = "client"  # a system without a named individual
    AUDITOR = "auditor"  # a person acting as an auditor, not as what else they are
    STEWARD = "steward"  # likewise


PATIENT_SIDE = frozenset({ActorKind.PATIENT, ActorKind.RELATED_PERSON})


class Actor(Struct, frozen=True):
    """Who asks, as the directory knows them at that instant.

    Attributes:
        id: the person, or the client where no person is named.
        kind: as what they ask.
        name: the person's name now.
        active: an inactive person does nothing.
        memberships: the groups of which they are an active member, at most one for each group and standing.
        patients: for a patient or related person, the patients (merged ones included) in whose records they count.
        standings: for a practitioner, what they are in the roles they hold now, wherever; their role in a thread
            in which they take part by name.
        purpose: why an auditor asks.
    """

    id: ParticipantId
    kind: ActorKind
    name: str
    active: bool = True
    memberships: tuple[Membership, ...] = ()
    patients: frozenset[ParticipantId] = frozenset()
    standings: frozenset[Standing] = frozenset()
    purpose: str = ""

    def standing_in(self, group: ParticipantId, patients: frozenset[ParticipantId]) -> frozenset[Standing]:
        """Return what they are in a group, as far as it counts for these patients; nothing if no member."""
        return frozenset(
            each.standing
            for each in self.memberships
            if each.group == group and (each.patient is None or each.patient in patients)
        )


class Known(Struct, frozen=True):
    """What the directory knows now of somebody, or of a group, who takes part or is to take part.

    Attributes:
        id: whom this is about.
        role: the role they have, or would have, as a participant.
        name: as they are called now.
        active: inactive ones are not addressed and read nothing.
        patient: of a patient: themselves; of a related person and of a patient's care team: the patient.
        memberships: of an individual: the groups of which they are an active member.
        members: of a group: how its active members stand in it; empty if it has none.
    """

    id: ParticipantId
    role: Role
    name: str
    active: bool = True
    patient: ParticipantId | None = None
    memberships: tuple[Membership, ...] = ()
    members: frozenset[Standing] = frozenset()


Company = Mapping[ParticipantId, Known]


class SystemClient(Struct, frozen=True):
    """A program that asks in its own name, bound to the organisations it serves."""

    id: ParticipantId
    name: str
    organizations: frozenset[ParticipantId]


class Caller(Struct, frozen=True):
    """Who asks, before the directory is looked into: what every use case is given.

    Attributes:
        person: the individual. A system client may name one, and without one reads as a non-clinical member.
        kind: auditor or steward, if they act as one.
        purpose: why an auditor asks.
        system: the system client, if one asks.
        client: the program in between, for the log, such as `carethread-cli`.
        request_id: what ties lines of the log to those of other logs.
    """

    person: ParticipantId | None
    kind: ActorKind | None = None
    purpose: str = ""
    system: SystemClient | None = None
    client: str = ""
    request_id: str = ""


class Thread(Struct, frozen=True):
    """A thread that is asked about: its ledger, and the patients (merged ones included) of its record.

    `deserted` says that its home side has no active member left; only stewards are asked about it.
    """

    ledger: Ledger
    patients: frozenset[ParticipantId]
    deserted: bool = False

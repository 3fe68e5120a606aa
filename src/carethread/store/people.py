"""The people behind an id: who asks, who takes part, whose record it is, who is appointed to what.

Everything is answered from the directory as it stands, or, with `as_of`, as it stood at that instant. Periods are
looked at at `at`.
"""

from collections.abc import Iterable

from carethread.clock import Instant
from carethread.directory.model import Duty
from carethread.ids import ClinicalId, ParticipantId
from carethread.policy.actor import Actor, ActorKind, Known
from carethread.store.database import Connection


def actor_of(
    connection: Connection,
    person_id: ParticipantId,
    at: Instant,
    *,
    kind: ActorKind | None = None,
    purpose: str = "",
    as_of: Instant | None = None,
) -> Actor:
    """Return a person of the directory as somebody who asks. Inactive ones are returned too, as inactive.

    Args:
        connection: where the directory is.
        person_id: a practitioner, related person or patient.
        at: when they ask.
        kind: auditor or steward, if they act as one. They have no memberships then.
        purpose: why an auditor asks.
        as_of: ask the directory as it stood then.

    Raises:
        UnknownPersonError: the directory has no such person.
        NotAllowedError: they are not appointed to what `kind` says, or are not what it says.
    """
    raise NotImplementedError


def client_actor(
    connection: Connection,
    client_id: ParticipantId,
    name: str,
    organizations: Iterable[ParticipantId],
    at: Instant,
    *,
    as_of: Instant | None = None,
) -> Actor:
    """Return a system client as somebody who asks: a care administrator of each active organisation it is bound to.

    Raises:
        UnknownPersonError: the directory has no such organisation.
    """
    raise NotImplementedError


def known(
    connection: Connection, ids: Iterable[ParticipantId], at: Instant, *, as_of: Instant | None = None
) -> dict[ParticipantId, Known]:
    """Return what the directory knows of people and groups. Whom it does not know is left out."""
    raise NotImplementedError


def patients_of_record(
    connection: Connection, clinical_id: ClinicalId, *, as_of: Instant | None = None
) -> frozenset[ParticipantId]:
    """Return the patient with this clinical id and all merged with them; nobody if the directory has none."""
    raise NotImplementedError


def records_of_patient(
    connection: Connection, patient_id: ParticipantId, *, as_of: Instant | None = None
) -> tuple[ClinicalId, ...]:
    """Return the clinical ids of a patient, their own first, then those of the patients merged with them, ordered.

    Raises:
        UnknownPersonError: the directory has no such patient.
    """
    raise NotImplementedError


def has_duty(connection: Connection, person_id: ParticipantId, duty: Duty, at: Instant) -> bool:
    """Say whether somebody is appointed to a duty at an instant."""
    raise NotImplementedError


def appoint(connection: Connection, person_id: ParticipantId, duty: Duty, at: Instant, *, by: str) -> bool:
    """Appoint a practitioner to a duty, in a write transaction. Return whether that is new.

    Raises:
        UnknownPersonError: the directory has no such practitioner.
        InactiveError: they are not active.
    """
    raise NotImplementedError


def dismiss(connection: Connection, person_id: ParticipantId, duty: Duty, at: Instant) -> bool:
    """End somebody's appointment, in a write transaction. Return whether there was one."""
    raise NotImplementedError

"""The people behind an id: who asks, who takes part, whose record it is, who is appointed to what.

Everything is answered from the directory as it stands, or, with `as_of`, as it stood at that instant. Periods are
looked at at `at`.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from carethread.clock import Instant
from carethread.directory.memberships import (
    Entries,
    in_force,
    members_of,
    memberships,
    memberships_of,
    merged,
    patients_counted,
    person_standings,
    standings_of,
)
from carethread.directory.model import (
    CareTeam,
    Duty,
    Entry,
    Group,
    Organization,
    Patient,
    Person,
    Practitioner,
    PractitionerRole,
    RelatedPerson,
    Standing,
)
from carethread.directory.versions import Appointment
from carethread.errors import InactiveError, NotAllowedError, UnknownPersonError
from carethread.ids import ClinicalId, ParticipantId
from carethread.policy.actor import Actor, ActorKind, Known
from carethread.record.model import Role
from carethread.store import directory_statements as statements
from carethread.store.database import Connection
from carethread.store.directory_entries import Look, concluded, decode, entries_around
from carethread.store.keys import id_of, key_of

_DUTIES = {ActorKind.AUDITOR: Duty.AUDITOR, ActorKind.STEWARD: Duty.STEWARD}
_KINDS: dict[type[Entry], ActorKind] = {
    Practitioner: ActorKind.PRACTITIONER,
    RelatedPerson: ActorKind.RELATED_PERSON,
    Patient: ActorKind.PATIENT,
}


# ── Who asks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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
    if as_of is None:
        actor = concluded(
            connection, (person_id,), Look.ASKED, at, "actor", lambda found: _themselves(found, person_id, at)
        )  # fmt: skip
    else:
        actor = _themselves(entries_around(connection, (person_id,), as_of), person_id, at)
    if kind in _DUTIES:
        duty = _DUTIES[kind]
        if not has_duty(connection, person_id, duty, at):
            raise NotAllowedError(f"{person_id} is not appointed as {duty.value}")
        return Actor(person_id, kind, actor.name, actor.active, purpose=purpose)
    if kind not in (None, actor.kind):
        raise NotAllowedError(f"{person_id} is a {actor.kind.value}, not a {kind.value}")
    return replace(actor, purpose=purpose) if purpose else actor


def _themselves(entries: Entries, person_id: ParticipantId, at: Instant) -> Actor:
    entry = _person(entries, person_id)
    return Actor(
        person_id,
        _KINDS[type(entry)],
        entry.name,
        in_force(entry, at),
        memberships=memberships(person_id, entries, at),
        patients=patients_counted(person_id, entries),
        standings=person_standings(person_id, entries, at),
    )


def client_actor(
    connection: Connection,
    client_id: ParticipantId,
    name: str,
    organizations: Iterable[ParticipantId],
    at: Instant,
    *,
    as_of: Instant | None = None,
) -> Actor:
    """Return a system client as somebody who asks: a care administrator of each organisation it is bound to.

    It is in the teams those organisations are in, as their members are. Inactive organisations count for nothing.

    Raises:
        UnknownPersonError: the directory has no such organisation.
    """
    bound = frozenset(organizations)
    entries = dict(entries_around(connection, bound, as_of, Look.UPWARD))
    for each in bound:
        if not isinstance(entries.get(each), Organization):
            raise UnknownPersonError(f"the directory has no organisation {each}")
        # As if it held a role there.
        role = ParticipantId(f"{client_id} in {each}")
        entries[role] = PractitionerRole(role, role, client_id, each, Standing.CARE_ADMINISTRATOR)
    entries[client_id] = Practitioner(client_id, client_id, name)
    return Actor(
        client_id,
        ActorKind.CLIENT,
        name,
        memberships=memberships(client_id, entries, at),
        standings=person_standings(client_id, entries, at),
    )


def _person(entries: Entries, person_id: ParticipantId) -> Person:
    entry = entries.get(person_id)
    if not isinstance(entry, Person):
        raise UnknownPersonError(f"the directory has no person {person_id}")
    return entry


# ── Who takes part ────────────────────────────────────────────────────────────────────────────────────────────────────


def known(
    connection: Connection, ids: Iterable[ParticipantId], at: Instant, *, as_of: Instant | None = None
) -> dict[ParticipantId, Known]:
    """Return what the directory knows of people and groups. Whom it does not know is left out."""
    wanted = tuple(ids)
    if as_of is None:
        return concluded(connection, wanted, Look.ASKED, at, "known", lambda found: _known(found, wanted, at))
    return _known(entries_around(connection, wanted, as_of), wanted, at)


def _known(entries: Entries, wanted: Iterable[ParticipantId], at: Instant) -> dict[ParticipantId, Known]:
    asked = {each: entries[each] for each in wanted if each in entries}
    standings = standings_of(entries, at)
    found = memberships_of((each for each, entry in asked.items() if isinstance(entry, Person)), entries, at)
    inside = members_of((each for each, entry in asked.items() if isinstance(entry, Group)), entries, at)
    return {
        each: Known(
            each,
            _role(entry, standings.get(each, frozenset())),
            entry.name,
            in_force(entry, at),
            _patient(entry),
            found.get(each, ()),
            frozenset(member.standing for _, member in inside.get(each, ())),
        )
        for each, entry in asked.items()
        if not isinstance(entry, PractitionerRole)
    }


def _role(entry: Entry, standings: frozenset[Standing]) -> Role:
    match entry:
        case Organization():
            return Role.ORGANISATION
        case CareTeam():
            return Role.CARE_TEAM
        case Patient():
            return Role.PATIENT
        case RelatedPerson():
            return Role.PATIENT_ASSOCIATE
        case _:
            return Role.CLINICIAN if Standing.CLINICIAN in standings else Role.CARE_ADMINISTRATOR


def _patient(entry: Entry) -> ParticipantId | None:
    if isinstance(entry, Patient):
        return entry.id
    return entry.patient if isinstance(entry, RelatedPerson | CareTeam) else None


# ── Whose record it is ────────────────────────────────────────────────────────────────────────────────────────────────


def patients_of_record(
    connection: Connection, clinical_id: ClinicalId, *, as_of: Instant | None = None
) -> frozenset[ParticipantId]:
    """Return the patient with this clinical id and all merged with them; nobody if the directory has none."""
    row = connection.one(statements.find_patient, clinical_id=key_of(clinical_id))
    if row is None:
        return frozenset()
    patient = id_of(row[0])
    entries = entries_around(connection, (patient,), as_of, Look.MERGED)
    return merged(patient, entries) if patient in entries else frozenset()


def records_of_patient(
    connection: Connection, patient_id: ParticipantId, *, as_of: Instant | None = None
) -> tuple[ClinicalId, ...]:
    """Return the clinical ids of a patient: their own, then those of the patients merged with them, ordered.

    Raises:
        UnknownPersonError: the directory has no such patient.
    """
    entries = entries_around(connection, (patient_id,), as_of, Look.MERGED)
    entry = entries.get(patient_id)
    if not isinstance(entry, Patient):
        raise UnknownPersonError(f"the directory has no patient {patient_id}")
    everyone = (entries[each] for each in merged(patient_id, entries))
    others = {each.clinical_id for each in everyone if isinstance(each, Patient)} - {entry.clinical_id}
    return (entry.clinical_id, *sorted(others))


def merged_patients(connection: Connection, patient_id: ParticipantId) -> frozenset[ParticipantId]:
    """Return a patient and all who were merged with them."""
    return merged(patient_id, entries_around(connection, (patient_id,), look=Look.MERGED))


def around_patients(connection: Connection, patients: frozenset[ParticipantId]) -> list[Entry]:
    """Return patients, and all related persons and teams that are theirs, in no order."""
    rows = statements.sources_of.rows(connection, map(key_of, patients), relation="patient")
    keys = {key_of(each) for each in patients} | {bytes(source) for (source,) in rows}
    entries = (decode(content) for (content,) in statements.entries_by_id.rows(connection, keys))
    # An older version may have been about another patient than the one of now.
    return [each for each in entries if _patient(each) in patients]


def surviving_patient(connection: Connection, patient_id: ParticipantId) -> Patient:
    """Return the patient that stands for somebody now: themselves, or the one they were merged into, however far.

    Raises:
        UnknownPersonError: the directory has no such patient.
    """
    entries = entries_around(connection, (patient_id,), look=Look.MERGED)
    entry = entries.get(patient_id)
    if not isinstance(entry, Patient):
        raise UnknownPersonError(f"the directory has no patient {patient_id}")
    # A load refuses circles.
    while entry.replaced_by is not None and isinstance(following := entries.get(entry.replaced_by), Patient):
        entry = following
    return entry


# ── Who is appointed to what ──────────────────────────────────────────────────────────────────────────────────────────


def appointments(connection: Connection, person_id: ParticipantId) -> tuple[Appointment, ...]:
    """Return somebody's appointments, those that ended too: by duty, then oldest first."""
    return tuple(each for duty in Duty for each in _appointments(connection, person_id, duty))


def has_duty(connection: Connection, person_id: ParticipantId, duty: Duty, at: Instant) -> bool:
    """Say whether somebody is appointed to a duty at an instant."""
    return any(
        each.appointed_at <= at and (each.ended_at is None or at < each.ended_at)
        for each in _appointments(connection, person_id, duty)
    )


def appoint(connection: Connection, person_id: ParticipantId, duty: Duty, at: Instant, *, by: str) -> bool:
    """Appoint a practitioner to a duty, in a write transaction. Return whether that is new.

    Raises:
        UnknownPersonError: the directory has no such practitioner.
        InactiveError: they are not active.
    """
    # One after the other: what is decided here depends on what is there.
    connection.one(statements.lock_generation, one=1)
    entry = entries_around(connection, (person_id,)).get(person_id)
    if not isinstance(entry, Practitioner):
        raise UnknownPersonError(f"the directory has no practitioner {person_id}")
    if not entry.active:
        raise InactiveError(f"practitioner {person_id} is not active")
    before = _appointments(connection, person_id, duty)
    if any(each.ended_at is None for each in before):
        return False
    row = {
        "person_id": key_of(person_id),
        "duty": duty.value,
        # The clock may have gone back; the next appointment begins when or after the last one ended.
        "appointed_at": max([at, *(each.ended_at for each in before if each.ended_at is not None)]),
        "ended_at": None,
        "appointed_by": by,
        "ended_by": None,
    }
    connection.run(statements.insert_appointment, **row)
    return True


def dismiss(connection: Connection, person_id: ParticipantId, duty: Duty, at: Instant, *, by: str) -> bool:
    """End somebody's appointment, in a write transaction. Return whether there was one."""
    connection.one(statements.lock_generation, one=1)
    running = [each for each in _appointments(connection, person_id, duty) if each.ended_at is None]
    for each in running:
        connection.run(
            statements.end_appointment,
            key=key_of(person_id),
            of_duty=duty.value,
            new_ended_at=max(at, each.appointed_at + 1),
            new_ended_by=by,
        )
    return bool(running)


def _appointments(connection: Connection, person_id: ParticipantId, duty: Duty) -> tuple[Appointment, ...]:
    rows = connection.all(statements.read_appointments, person_id=key_of(person_id), duty=duty.value)
    return tuple(Appointment(id_of(row[0]), Duty(row[1]), *row[2:]) for row in rows)

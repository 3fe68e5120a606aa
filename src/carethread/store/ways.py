"""The ways in which an actor finds threads and messages: their grants, with the records each is bound to."""

from sqlalchemy import bindparam, select

from carethread.errors import UnknownPersonError
from carethread.ids import CoordinationId, ParticipantId
from carethread.policy.actor import Actor
from carethread.policy.reading import grants
from carethread.store.database import Connection
from carethread.store.directory_statements import find_patient
from carethread.store.inbox import Shelf, within_reach
from carethread.store.keys import key_of
from carethread.store.people import records_of_patient
from carethread.store.schema import record
from carethread.store.words import Bound, access_token

_find_record = select(record.c.record_key, record.c.coordination_id).where(
    record.c.clinical_id == bindparam("clinical_id"), record.c.custodian_id == bindparam("custodian_id")
)


def records_of(connection: Connection, patient: ParticipantId, custodian: ParticipantId) -> dict[int, CoordinationId]:
    """Return the records of a patient and of those merged with them, by their keys; none for somebody unknown."""
    try:
        clinical_ids = records_of_patient(connection, patient)
    except UnknownPersonError:
        return {}
    found = {}
    for clinical_id in clinical_ids:
        row = connection.one(
            _find_record, clinical_id=key_of(clinical_id), custodian_id=key_of(custodian)
        )  # fmt: skip
        if row is not None:
            found[row[0]] = CoordinationId(bytes(row[1]).hex())
    return found


def record_of_nobody(
    connection: Connection, clinical_id: ParticipantId, custodian: ParticipantId
) -> dict[int, CoordinationId]:
    """Return the record of a clinical id that no patient in the directory has, if there is one."""
    if connection.one(find_patient, clinical_id=key_of(clinical_id)) is not None:
        return {}
    row = connection.one(_find_record, clinical_id=key_of(clinical_id), custodian_id=key_of(custodian))
    return {} if row is None else {row[0]: CoordinationId(bytes(row[1]).hex())}


def shelves(connection: Connection, actor: Actor, custodian: ParticipantId) -> list[Shelf]:
    """Return what an actor's lists are made of."""
    found = []
    for each in grants(actor):
        if each.patients is None:
            found.append(Shelf(each))
        else:
            found.append(Shelf(each, frozenset(_bound_to(connection, each.patients, custodian))))
    return found


def bounds(connection: Connection, actor: Actor, custodian: ParticipantId) -> tuple[Bound, ...]:
    """Return by which tokens an actor finds messages."""
    found: list[Bound] = []
    for each in grants(actor):
        within: tuple[CoordinationId, ...] = ()
        if each.patients is not None:
            within = tuple(sorted(_bound_to(connection, each.patients, custodian).values()))
            if not within:
                continue
        found.extend(Bound(access_token(each.participant, reach), within) for reach in within_reach(each))
    return tuple(found)


def _bound_to(
    connection: Connection, patients: frozenset[ParticipantId], custodian: ParticipantId
) -> dict[int, CoordinationId]:
    found: dict[int, CoordinationId] = {}
    for patient in sorted(patients):
        found |= records_of(connection, patient, custodian)
    return found

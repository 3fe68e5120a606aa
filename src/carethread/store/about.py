"""What a line of the access log is about: what was asked for alone, written, or part of what was listed."""

from collections.abc import Callable

from carethread.access_log import AccessEntry, Action
from carethread.errors import UnknownPersonError
from carethread.ids import CoordinationId, MessageId, ParticipantId
from carethread.store.access import Entity
from carethread.store.database import Connection
from carethread.store.people import patients_of_record, records_of_patient
from carethread.store.threads import find_thread_of, threads_of

About = Callable[[AccessEntry], bool]


def about_entity(connection: Connection, entity: Entity) -> About:
    """Return what says whether a line is about a thread, a message or an entry of the directory.

    A message is also part of its thread, where that was served as far as it.
    """
    if entity.message is not None:
        return _about_message(connection, entity.message)
    if entity.thread is not None:
        thread = entity.thread
        return lambda line: line.thread == thread or any(each.thread == thread for each in line.served)
    return lambda line: any(each.entry == entity.entry for each in line.entries)


def _about_message(connection: Connection, message: MessageId) -> About:
    found = find_thread_of(connection, message)
    if found is None:
        return lambda line: line.message == message
    thread, position = found[0].ledger.communication_id, found[1]

    def about(line: AccessEntry) -> bool:
        whole = line.message is None and line.action in (Action.SERVED, Action.EMERGENCY, Action.EXPORTED)
        return line.message == message or (
            whole and any(each.thread == thread and each.entries >= position for each in line.served)
        )

    return about


def about_patient(connection: Connection, patient: ParticipantId, custodian: ParticipantId) -> About:
    """Return what says whether a line is about a patient or one merged with them: their records, or their entries."""
    try:
        clinical_ids = records_of_patient(connection, patient)
    except UnknownPersonError:
        return lambda _: False
    threads = {}
    people: set[ParticipantId] = set()
    for clinical_id in clinical_ids:
        people |= patients_of_record(connection, clinical_id)
        for stored in threads_of(connection, clinical_id, custodian):
            threads[stored.ledger.communication_id] = stored.record
    records: set[CoordinationId] = set(threads.values())

    def about(line: AccessEntry) -> bool:
        return (
            line.record in records
            or any(each.thread in threads for each in line.served)
            or any(each.entry in people for each in line.entries)
        )

    return about

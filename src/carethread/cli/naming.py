"""Which record, thread, message or participant is meant by the beginning of an id."""

import re
from collections.abc import Iterable

from carethread import CoordinationRecord, CoordinationService, Participant
from carethread.errors import (
    CarethreadError,
    InvalidValueError,
    NotParticipantError,
    UnknownMessageError,
    UnknownRecordError,
    UnknownThreadError,
)
from carethread.ids import CommunicationId, MessageId, ParticipantId, parse_communication_id

# As few as Git takes.
_SHORTEST = 4
_SHOWN = 5
_FULL_RECORD = re.compile(r"[0-9a-f]{32}", re.ASCII)
_FULL_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def find_record(service: CoordinationService, named: str) -> CoordinationRecord:
    """Return the record with this id, or the one whose id begins like this.

    Raises:
        UnknownRecordError: there is none.
        InvalidValueError: too short, or there are several.
    """
    wanted = named.lower().replace("-", "")
    if _FULL_RECORD.fullmatch(wanted):
        return service.record(wanted)
    _long_enough("record", wanted)
    found = _only(
        "record",
        (each.coordination_id for each in service.records() if each.coordination_id.startswith(wanted)),
        UnknownRecordError(f"no record's id begins with {named!r}"),
    )
    return service.record(found)


def find_thread(record: CoordinationRecord, named: str) -> CommunicationId:
    """Return the thread with this id, or the one whose id, or the UUID at the end of it, begins like this.

    Raises:
        UnknownThreadError: there is none.
        InvalidValueError: too short, or there are several.
    """
    try:
        return parse_communication_id(named)
    except InvalidValueError:
        wanted = _long_enough("thread", named)
    known = (each.communication_id for each in record.communications())
    found = _only(
        "thread",
        (each for each in known if each.lower().startswith(wanted) or _uuid(each).startswith(wanted)),
        UnknownThreadError(f"no thread of record {record.coordination_id} has an id that begins with {named!r}"),
    )
    return CommunicationId(found)


def find_message(record: CoordinationRecord, named: str, field: str = "message") -> MessageId:
    """Return the message of the record with this id, or the one whose id begins like this.

    Raises:
        UnknownMessageError: there is none.
        InvalidValueError: too short, or there are several.
    """
    wanted = named.lower()
    if _FULL_ID.fullmatch(wanted):
        return MessageId(wanted)
    _long_enough(field, wanted)
    threads = (record.read_communication(each.communication_id) for each in record.communications())
    found = _only(
        field,
        (each.id for thread in threads for each in thread.messages if each.id.startswith(wanted)),
        UnknownMessageError(f"no message of record {record.coordination_id} has an id that begins with {named!r}"),
    )
    return MessageId(found)


def find_participant(participants: Iterable[Participant], named: str, field: str) -> ParticipantId:
    """Return who of these has this id or name, or an id that begins like this.

    Raises:
        NotParticipantError: nobody has.
        InvalidValueError: too short, or there are several.
    """
    wanted = named.lower()
    if _FULL_ID.fullmatch(wanted):
        return ParticipantId(wanted)
    everyone = tuple(participants)
    # A name is not repeated in the error: it may be a patient's.
    missing = NotParticipantError(f"{field}: nobody who takes part has this name, or an id that begins like this")
    by_name = [each.id for each in everyone if each.name == named]
    if by_name:
        return ParticipantId(_only(field, by_name, missing))
    _long_enough(field, wanted)
    return ParticipantId(_only(field, (each.id for each in everyone if each.id.startswith(wanted)), missing))


def find_participants(
    record: CoordinationRecord, thread_id: CommunicationId, named: Iterable[str], field: str
) -> tuple[ParticipantId, ...]:
    """Return who of a thread's participants has these ids or names. The thread is only read if that must be.

    Raises:
        UnknownThreadError: the record has no such thread.
        NotParticipantError: somebody named does not take part.
        InvalidValueError: too short, or there are several.
    """
    wanted = tuple(named)
    if all(_FULL_ID.fullmatch(each.lower()) for each in wanted):
        return tuple(ParticipantId(each.lower()) for each in wanted)
    ledger = next((each for each in record.communications() if each.communication_id == thread_id), None)
    if ledger is None:
        raise UnknownThreadError(f"record {record.coordination_id} has no thread {thread_id}")
    return tuple(find_participant(ledger.participants, each, field) for each in wanted)


def _uuid(thread: CommunicationId) -> str:
    return thread.partition("-")[2]


def _long_enough(field: str, named: str) -> str:
    if len(named) < _SHORTEST:
        raise InvalidValueError(field, f"give at least {_SHORTEST} characters of an id")
    return named.lower()


def _only(field: str, matching: Iterable[str], missing: CarethreadError) -> str:
    found = list(dict.fromkeys(matching))
    if not found:
        raise missing
    if len(found) > 1:
        listed = ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
        raise InvalidValueError(field, f"may be any of {len(found)}: {listed}")
    return found[0]

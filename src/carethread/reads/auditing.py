"""The access log read by auditors, and what somebody could see at an instant."""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action, Served
from carethread.clock import Instant, format_instant
from carethread.coordination import CoordinationService
from carethread.errors import InvalidValueError, NotAllowedError
from carethread.ids import CommunicationId, CoordinationId, MessageId, ParticipantId
from carethread.policy.actor import Caller, Thread
from carethread.policy.reading import may_read, reads_everything
from carethread.reads.found import Names
from carethread.record.model import Ledger, Progress
from carethread.store.about import About, about_entity, about_patient
from carethread.store.access import Entity, Filter, lines, newest
from carethread.store.asking import Asking, Shown, answer, line
from carethread.store.called import called_of, kind_of, newest_entries
from carethread.store.held import Reading
from carethread.store.past import PastRecord, record_at
from carethread.store.people import actor_of, patients_of_record

MOST_LINES = 1_000
_NEWEST = 1 << 62


class Visible(Struct, frozen=True):
    """A thread that somebody could read at an instant: at which commit, how many entries it had, about whom."""

    record: CoordinationId
    ledger: Ledger
    version: str
    entries: int
    patients: frozenset[ParticipantId] = frozenset()


class Reconstruction(Struct, frozen=True):
    """What somebody could see at an instant, and what they had been served until then, oldest first."""

    person: ParticipantId
    at: Instant
    visible: tuple[Visible, ...]
    served: tuple[AccessEntry, ...]


def access_log(service: CoordinationService, caller: Caller, wanted: Filter) -> Iterator[AccessEntry]:
    """Return lines of the access log, oldest first, to an auditor. That they are asked for is logged first.

    Raises:
        NotAllowedError: whoever asks does not act as an auditor.
        PurposeError: they state no purpose.
    """
    query = msgspec.json.encode({name: getattr(wanted, name) for name in wanted.__struct_fields__}).decode()
    asked = replace(line(caller, Action.EXPORTED), detail="access log", query=query)

    def work(asking: Asking) -> tuple[Filter, Shown]:
        _check_auditor(asking)
        return wanted, Shown(asked)

    return _lines(service, answer(service.archive, asked, caller, work))


class AccessPage(Struct, frozen=True):
    """Part of the log. `after` asks for the next part; 0 at the end. A part may be short and not the last.

    The rest says what the lines' ids are called as resources, as far as there is such: people and groups, threads,
    messages; and whom a record is about.
    """

    lines: tuple[AccessEntry, ...]
    after: int = 0
    names: Names = {}
    threads: Mapping[CommunicationId, str] = {}
    messages: Mapping[MessageId, str] = {}
    patients: Mapping[CoordinationId, ParticipantId] = {}


def access_page(
    service: CoordinationService,
    caller: Caller,
    wanted: Filter,
    *,
    entity: Entity | None = None,
    patient: ParticipantId | None = None,
    keep: About | None = None,
    after: int = 0,
    count: int = 50,
    query: str = "",
) -> AccessPage:
    """Return lines of the access log, newest first, to an auditor. That they are asked for is logged first.

    Args:
        service: the installation.
        caller: an auditor, with a purpose.
        wanted: which lines.
        entity: only lines about this.
        patient: only lines about this patient, or one merged with them: their records, their entry.
        keep: only lines of which it says so.
        after: where the part before ended.
        count: how many at most.
        query: what was asked, as the log is to keep it; left out, what was given here.

    Raises:
        NotAllowedError: whoever asks does not act as an auditor.
        PurposeError: they state no purpose.
        InvalidValueError: `count` is not in order.
    """
    said = query or _described(wanted, entity, patient)
    asked = replace(line(caller, Action.EXPORTED), detail="access log", query=said)
    custodian = service.archive.installation.custodian.id

    def work(asking: Asking) -> tuple[AccessPage, Shown]:
        _check_auditor(asking)
        if not 0 < count <= MOST_LINES:
            raise InvalidValueError("count", f"is not between 1 and {MOST_LINES:,}")
        checks: list[About] = [] if keep is None else [keep]
        if entity is not None:
            checks.append(about_entity(asking.connection, entity))
        if patient is not None:
            checks.append(about_patient(asking.connection, patient, custodian))
        found, more = newest(
            asking.connection, wanted, lambda entry: all(each(entry) for each in checks), after or _NEWEST, count
        )
        return _page(asking, found, more), Shown(asked)

    return answer(service.archive, asked, caller, work)


def _page(asking: Asking, found: list[AccessEntry], more: int) -> AccessPage:
    """Return lines with what their ids are called."""
    reading, called = Reading(asking.connection), called_of(asking.connection)
    threads = {each.thread for each in found} | {one.thread for each in found for one in each.served}
    held = reading.threads_by_own_id(each for each in threads if each is not None)
    stored = {each.stored.record: each.stored for each in held.values()}
    patients = {record: called.patient(asking.connection, each.clinical_id) for record, each in stored.items()}
    people = {each.actor for each in found} | {one.entry for each in found for one in each.entries}
    people |= {each.acting_for for each in found if each.acting_for is not None} | set(patients.values())
    entries = newest_entries(asking.connection, people)
    return AccessPage(
        tuple(found),
        more,
        {each.id: f"{kind_of(each).value}/{each.fhir_id}" for each, _, _ in entries},
        {thread: each.id for thread, each in held.items()},
        reading.ids_of(each.message for each in found if each.message is not None),
        patients,
    )


def _described(wanted: Filter, entity: Entity | None, patient: ParticipantId | None) -> str:
    given = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
    about = {} if entity is None else {name: getattr(entity, name) for name in entity.__struct_fields__}
    said = {**given, **about, "patient": patient}
    return msgspec.json.encode({name: value for name, value in said.items() if value is not None}).decode()


def _lines(service: CoordinationService, wanted: Filter) -> Iterator[AccessEntry]:
    with service.archive.database.snapshot() as connection:
        yield from lines(connection, wanted)


def _check_auditor(asking: Asking) -> None:
    if not reads_everything(asking.actor):
        raise NotAllowedError(f"{asking.actor.id} does not act as an auditor, or is not active")


def reconstruct(
    service: CoordinationService,
    caller: Caller,
    person: ParticipantId,
    at: Instant,
    *,
    record: CoordinationId | None = None,
    progress: Progress | None = None,
) -> Reconstruction:
    """Return what somebody could see at an instant, from the repositories and the directory as they stood then.

    Args:
        service: the installation.
        caller: an auditor, with a purpose.
        person: whose eyes are meant.
        at: when.
        record: only this record; left out, all of them, which takes as long as reading their histories.
        progress: told how many records are done, of how many.

    Raises:
        NotAllowedError, PurposeError: whoever asks is no auditor, or states no purpose.
        UnknownPersonError: the directory had no such person then.
        UnknownRecordError: there is no such record.
    """
    query = f'{{"person":"{person}","at":"{format_instant(at)}"}}'
    asked = replace(line(caller, Action.EXPORTED), detail="reconstruction", query=query, record=record)
    archive = service.archive

    def work(asking: Asking) -> tuple[Reconstruction, Shown]:
        _check_auditor(asking)
        actor = actor_of(asking.connection, person, at, as_of=at)
        wanted = [record] if record is not None else [each.coordination_id for each in archive.records()]
        visible: list[Visible] = []
        for done, each in enumerate(wanted):
            if progress is not None:
                progress(done, len(wanted))
            past = record_at(archive, each, at)
            if past is None:
                continue
            patients = patients_of_record(asking.connection, past.clinical_id, as_of=at)
            visible.extend(
                _seen(past, number, patients)
                for number, thread in enumerate(past.threads)
                if may_read(actor, Thread(thread.ledger, patients))
            )
        if progress is not None:
            progress(len(wanted), len(wanted))
        before = Filter(actor=person, record=record, until=Instant(at + 1))
        served = tuple(lines(asking.connection, before))
        shown = tuple(Served(each.ledger.communication_id, each.version, each.entries) for each in visible)
        return Reconstruction(person, at, tuple(visible), served), Shown(replace(asked, served=shown))

    return answer(archive, asked, caller, work)


def _seen(past: PastRecord, number: int, patients: frozenset[ParticipantId]) -> Visible:
    thread = past.threads[number]
    return Visible(past.record, thread.ledger, past.version, thread.entries, patients)

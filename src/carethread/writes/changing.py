"""Changing who takes part, under which rules, and the status of a thread; setting a thread aside."""

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action
from carethread.coordination import CoordinationRecord, CoordinationService
from carethread.coordination.record import Permission
from carethread.errors import AmbiguousSideError, VersionConflictError
from carethread.ids import CommunicationId, MessageId, ParticipantId, parse_communication_id, parse_participant_id
from carethread.policy.actor import Actor, ActorKind, Caller, Thread
from carethread.policy.changing import check_may_change
from carethread.policy.home import is_deserted
from carethread.policy.reading import unknown_thread
from carethread.policy.speaking import author_in, default_group
from carethread.policy.writing import check_may_set_aside
from carethread.record.model import Addressing, Author, Ledger, LedgerUpdate, Policies, ThreadStatus, Visibility
from carethread.store.access import logged
from carethread.store.asking import actor_for, line
from carethread.store.database import Connection
from carethread.store.inbox import put_aside
from carethread.store.journal import Effect
from carethread.store.people import known
from carethread.store.threads import asked_about, find_thread
from carethread.store.writer import Job, View
from carethread.writes.acting import WriteLog, participants, patients_in, performed, provisional, readable


class ThreadChange(Struct, frozen=True):
    """What is to change; what is left out stays. Whoever is added sees the whole thread, from its beginning."""

    status: ThreadStatus | None = None
    add: tuple[ParticipantId, ...] = ()
    remove: tuple[ParticipantId, ...] = ()
    visibility: Visibility | None = None
    policies: Policies | None = None
    addressing: Addressing | None = None


def change_thread(
    service: CoordinationService,
    caller: Caller,
    thread_id: CommunicationId | str,
    change: ThreadChange,
    *,
    on_behalf_of: ParticipantId | None = None,
    care_location: str | None = None,
    expected_version: int | None = None,
) -> MessageId:
    """Change a thread's ledger; return the id of the system entry that tells of it.

    With `expected_version`, only that version of the thread is changed: of several who change one, one does.

    Raises:
        VersionConflictError: it is at another version.
        UnknownThreadError: there is no such thread, or they may not read it.
        UnknownPersonError: the directory does not know somebody to be added.
        PolicyError: they may not change that; the class says why.
        RuleError, InvalidValueError: as in `CoordinationRecord.update_communication_ledger`.
    """
    wanted = parse_communication_id(thread_id, "thread_id")
    asked = replace(line(caller, Action.WRITTEN), thread=wanted, acting_for=on_behalf_of)
    return performed(
        service.archive,
        asked,
        lambda: _change(service, caller, wanted, change, on_behalf_of, care_location, expected_version, asked),
    )


def _change(
    service: CoordinationService,
    caller: Caller,
    thread_id: CommunicationId,
    change: ThreadChange,
    on_behalf_of: ParticipantId | None,
    care_location: str | None,
    expected_version: int | None,
    asked: AccessEntry,
) -> MessageId:
    archive = service.archive
    seen = readable(service, caller, thread_id)
    actor, stored, about = seen.actor, seen.stored, seen.about
    with archive.database.snapshot() as connection:
        added = participants(known(connection, change.add, archive.clock()), change.add)
    update = LedgerUpdate(change.status, added, change.remove, change.visibility, change.policies, change.addressing)
    names = {each.id: each.name for each in about.ledger.participants}
    group = on_behalf_of or _group(actor, about)
    log = WriteLog(archive, asked, _described(change))

    def ask(view: View, ledger: Ledger) -> tuple[Author, ParticipantId | None]:
        now = archive.clock()
        versions = view.state.thread(view.connection, thread_id).versions
        if expected_version not in {None, versions}:
            raise VersionConflictError(f"thread {thread_id}", expected_version or 0, versions)
        acting = actor_for(view.connection, caller, now)
        everybody = [*(each.id for each in ledger.participants), *change.add]
        company = known(view.connection, everybody, now)
        deserted = acting.kind is ActorKind.STEWARD and is_deserted(ledger, company)
        thread = Thread(ledger, patients_in(view), deserted)
        check_may_change(acting, thread, update, company)
        speaks_for = on_behalf_of or _group(acting, thread)
        log.acting(acting, stored.record, thread_id, speaks_for)
        return author_in(acting, thread, speaks_for), speaks_for

    return CoordinationRecord(archive, stored.record).update_communication_ledger(
        provisional(actor),
        care_location or names.get(group or actor.id) or archive.installation.custodian.name,
        thread_id,
        update,
        permission=Permission(ask, lambda commit, made, _: log.effects(commit, message=MessageId(made))),
    )


def _group(actor: Actor, thread: Thread) -> ParticipantId | None:
    """Return the group somebody changes a thread for, as far as that is clear. The entry names them in any case."""
    try:
        return default_group(actor, thread)
    except AmbiguousSideError:
        return None


def _described(change: ThreadChange) -> str:
    names = [name for name in change.__struct_fields__ if getattr(change, name) not in (None, ())]
    return " ".join(names) or "nothing"


def set_aside(
    service: CoordinationService,
    caller: Caller,
    thread_id: CommunicationId | str,
    group: ParticipantId,
    *,
    expected_version: int | None = None,
) -> None:
    """Take a thread off what waits on a group, until its next message. Outside the record, with the name of who did.

    With `expected_version`, only that version of the thread is set aside: no message that came since.

    Raises:
        VersionConflictError: it is at another version.
        UnknownThreadError: there is no such thread, or they may not read it.
        NotMemberError: they are no active member of the group.
        ThreadNotOpenError: nothing waits in it.
    """
    wanted = parse_communication_id(thread_id, "thread_id")
    parse_participant_id(group, "group")
    asked = replace(line(caller, Action.WRITTEN), thread=wanted, acting_for=group)

    archive = service.archive

    def effects(connection: Connection) -> tuple[Effect, ...]:
        # As it stands when it is recorded: a membership may have ended since they asked.
        now = archive.clock()
        actor = actor_for(connection, caller, now)
        stored = find_thread(connection, wanted)
        about = asked_about(connection, stored, actor, now)
        if stored is None or about is None:
            raise unknown_thread(wanted)
        check_may_set_aside(actor, about, group)
        if expected_version not in {None, stored.versions}:
            raise VersionConflictError(f"thread {wanted}", expected_version or 0, stored.versions)
        entry = replace(
            asked, detail="set aside", record=stored.record, version=stored.version, actor_kind=actor.kind.value
        )  # fmt: skip
        return logged(entry, now), put_aside(group, wanted, stored.entries, actor.id, now)

    def work() -> None:
        archive.submit(Job(None, apart=effects))

    performed(service.archive, asked, work)

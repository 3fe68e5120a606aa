"""Naming a message that is recorded already: what the client of its author calls it."""

from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action
from carethread.coordination import CoordinationService
from carethread.coordination.record import Permission
from carethread.ids import MessageId, parse_message_id
from carethread.policy.actor import Caller, Thread
from carethread.policy.reading import may_read, unknown_message
from carethread.policy.speaking import author_in
from carethread.policy.standing import check_may_write
from carethread.policy.writing import check_may_name
from carethread.record.model import Author, Naming
from carethread.record.transitions import Found
from carethread.store.asking import actor_for, line
from carethread.store.threads import asked_about, entry_at, find_thread_of
from carethread.store.writer import View
from carethread.writes.acting import WriteLog, patients_in, performed, provisional


def name_message(
    service: CoordinationService,
    caller: Caller,
    message_id: MessageId | str,
    naming: Naming,
    *,
    care_location: str | None = None,
) -> None:
    """Write down what a client calls a message that this person wrote.

    The message keeps the resource id it has, if it has one, and is found by the new one as well. Said again, it is
    recorded once. `care_location` is the group's name that the message was written for, else the installation's.

    Raises:
        UnknownMessageError: there is no such message, or they may not read it.
        NotAllowedError: they did not write it.
        PolicyError: they are no person who writes; the class says why.
        RuleError, InvalidValueError, ResourceIdTakenError: as in `CoordinationRecord.name_message`.
    """
    wanted = parse_message_id(message_id)
    asked = replace(line(caller, Action.WRITTEN), message=wanted)
    performed(service.archive, asked, lambda: _name(service, caller, wanted, naming, care_location, asked))


def _name(
    service: CoordinationService,
    caller: Caller,
    message_id: MessageId,
    naming: Naming,
    care_location: str | None,
    asked: AccessEntry,
) -> None:
    archive = service.archive
    at = archive.clock()
    with archive.database.snapshot() as connection:
        actor = actor_for(connection, caller, at)
        located = find_thread_of(connection, message_id)
        stored = None if located is None else located[0]
        about = asked_about(connection, stored, actor, at)
        if located is None or stored is None or about is None or not may_read(actor, about):
            raise unknown_message(message_id)
        message = entry_at(connection, stored, located[1])
    check_may_write(actor, about)
    thread_id, group = about.ledger.communication_id, message.on_behalf_of
    log = WriteLog(archive, asked, "name")

    def ask(view: View, found: Found) -> Author:
        acting = actor_for(view.connection, caller, archive.clock())
        thread = Thread(found.ledger, patients_in(view))
        check_may_name(acting, thread, found.message)
        for_group = None if group is None else group.id
        log.acting(acting, stored.record, thread_id, for_group)
        return author_in(acting, thread, for_group)

    service.record(stored.record).name_message(
        provisional(actor),
        care_location or (archive.installation.custodian.name if group is None else group.name),
        message_id,
        naming,
        permission=Permission(ask, lambda commit, *_: log.effects(commit, message=message_id)),
    )

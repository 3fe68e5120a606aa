"""Posting a message, or a correction."""

from msgspec.structs import replace

from carethread.access_log import Action
from carethread.coordination import CoordinationRecord, CoordinationService
from carethread.coordination.record import Permission
from carethread.ids import CommunicationId, MessageId, parse_communication_id
from carethread.policy.actor import Actor, Caller, Thread
from carethread.policy.drafts import DraftPlace
from carethread.policy.sides import recipients_for
from carethread.policy.speaking import author_in, default_group
from carethread.policy.standing import check_may_write
from carethread.policy.writing import check_may_correct, check_may_post
from carethread.record.model import Author, ClientIdentifier, Ledger, MessageContent, Naming
from carethread.record.text import check_body
from carethread.record.transitions import Found
from carethread.store.asking import Seen, actor_for, line
from carethread.store.drafts import finished
from carethread.store.inbox import wrote
from carethread.store.journal import Effect
from carethread.store.writer import View
from carethread.writes.acting import (
    WriteLog,
    original_of,
    own_identifier,
    patients_in,
    performed,
    provisional,
    readable,
    via,
)


def post_message(
    service: CoordinationService,
    caller: Caller,
    thread_id: CommunicationId | str,
    content: MessageContent,
    *,
    care_location: str | None = None,
    client_identifier: ClientIdentifier | None = None,
    naming: Naming | None = None,
    seen: Seen | None = None,
    draft: DraftPlace | None = None,
) -> MessageId:
    """Append a message, or with `content.corrects` a correction.

    Left out, `content.on_behalf_of` is the group somebody speaks for who is not there by name, and
    `content.recipients` follow from the side they are on. `care_location` is the group's name, else the
    installation's. `client_identifier` is within what this person asks for through that client; `naming` is what the
    message is called in the whole installation. `seen` is what `reads.before_writing` found of this thread for this
    caller just now. `draft` is the place of what its author had begun to write: it goes with the commit that records
    the message, and stays if none does. Asked again under its identifier, nothing is removed.

    Raises:
        UnknownThreadError: there is no such thread, or they may not read it.
        PolicyError: they may not post, or not correct that message.
        AmbiguousSideError: several groups, or both sides: say on whose behalf, or to whom.
        RuleError, InvalidValueError, ConflictError: as in `CoordinationRecord.add_message`.
    """
    wanted = parse_communication_id(thread_id, "thread_id")
    word = "message" if content.corrects is None else "correction"
    asked = replace(line(caller, Action.WRITTEN), thread=wanted, acting_for=content.on_behalf_of)
    return performed(
        service.archive,
        asked,
        lambda: _post(
            service,
            caller,
            readable(service, caller, wanted) if seen is None else seen,
            content,
            care_location,
            (client_identifier, naming),
            WriteLog(service.archive, asked, word),
            draft,
        ),
    )


def _post(
    service: CoordinationService,
    caller: Caller,
    seen: Seen,
    content: MessageContent,
    care_location: str | None,
    names: tuple[ClientIdentifier | None, Naming | None],
    log: WriteLog,
    draft: DraftPlace | None,
) -> MessageId:
    archive = service.archive
    actor, stored, about = seen.actor, seen.stored, seen.about
    thread_id = stored.ledger.communication_id
    # Of a deserted thread this is known here alone; a steward reads it, and writes nothing.
    check_may_write(actor, about)
    group = content.on_behalf_of or default_group(actor, about, content.recipients)
    listed = {each.id: each.name for each in about.ledger.participants}
    # As it will be recorded: what is said under the lock goes into the record as it is.
    typed = replace(content, body=check_body(content.body, has_attachment=bool(content.attachments)))
    place = care_location or (None if group is None else listed.get(group))
    marks: list[Effect] = []

    def ask(view: View, ledger: Ledger, corrected: Found | None) -> tuple[Author, MessageContent]:
        marks.clear()
        now = archive.clock()
        acting = actor_for(view.connection, caller, now)
        thread = Thread(ledger, patients_in(view))
        said = speech(acting, thread, replace(typed, via=via(caller)))
        if content.corrects is None:
            check_may_post(acting, thread, said.on_behalf_of)
            said = replace(
                said, recipients=recipients_for(acting, thread, said.on_behalf_of, content.recipients)
            )  # fmt: skip
        else:
            original = original_of(thread.patients, corrected)
            check_may_correct(acting, thread, said.on_behalf_of, content.corrects, original)
        log.acting(acting, stored.record, thread_id, said.on_behalf_of)
        state = view.state.thread(view.connection, thread_id)
        marks.append(wrote(acting.id, thread_id, state.last_message, state.entries + 1, now))
        if draft is not None:
            marks.append(finished(acting.id, draft))
        return author_in(acting, thread, said.on_behalf_of), said

    return CoordinationRecord(archive, stored.record).add_message(
        provisional(actor),
        place or archive.installation.custodian.name,
        thread_id,
        content,
        client_identifier=own_identifier(caller, names[0]),
        naming=names[1],
        permission=Permission(ask, lambda commit, made: (*log.effects(commit, message=MessageId(made)), *marks)),
    )


def speech(actor: Actor, thread: Thread, content: MessageContent) -> MessageContent:
    """Return a message with the group it is written for, said or derived."""
    if content.on_behalf_of is not None:
        return content
    return replace(content, on_behalf_of=default_group(actor, thread, content.recipients))

"""Posting a message, or a correction."""

from collections.abc import Iterable

from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action
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
from carethread.record.transitions import Found, Transition
from carethread.store.asking import Posted, Seen, actor_for, line
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
    draft: DraftPlace | None = None,
) -> MessageId:
    """Append a message, or with `content.corrects` a correction.

    Left out, `content.on_behalf_of` is the group somebody speaks for who is not there by name, and
    `content.recipients` follow from the side they are on. `care_location` is the group's name, else the
    installation's. `client_identifier` is within what this person asks for through that client; `naming` is what the
    message is called in the whole installation. `draft` is the place of what its author had begun to write: it goes
    with the commit that records the message, and stays if none does. Asked again under its identifier, nothing is
    removed.

    Raises:
        UnknownThreadError: there is no such thread, or they may not read it.
        PolicyError: they may not post, or not correct that message.
        AmbiguousSideError: several groups, or both sides: say on whose behalf, or to whom.
        RuleError, InvalidValueError, ConflictError: as in `CoordinationRecord.add_message`.
    """
    wanted = parse_communication_id(thread_id, "thread_id")
    asked = replace(line(caller, Action.WRITTEN), thread=wanted, acting_for=content.on_behalf_of)

    def post() -> MessageId:
        seen = readable(service, caller, wanted)
        return _post(service, caller, seen, content, care_location, (client_identifier, naming), asked, draft)[0]

    return performed(service.archive, asked, post)


def post_to(
    service: CoordinationService,
    caller: Caller,
    seen: Seen,
    content: MessageContent,
    *,
    naming: Naming | None = None,
) -> Posted:
    """Append a message to a thread that was found for this caller just now; return it as it was recorded.

    `seen` is of `reads.before_writing`. The rest, and what is refused, is as in `post_message`.
    """
    thread = seen.stored.ledger.communication_id
    asked = replace(line(caller, Action.WRITTEN), thread=thread, acting_for=content.on_behalf_of)

    def post() -> Posted:
        _, recorded = _post(service, caller, seen, content, None, (None, naming), asked)
        return recorded[0]

    return performed(service.archive, asked, post)


def _post(
    service: CoordinationService,
    caller: Caller,
    seen: Seen,
    content: MessageContent,
    care_location: str | None,
    names: tuple[ClientIdentifier | None, Naming | None],
    asked: AccessEntry,
    draft: DraftPlace | None = None,
) -> tuple[MessageId, list[Posted]]:
    """Return the message's id, and the message if it was recorded now: its client's identifier may be known."""
    archive = service.archive
    log = WriteLog(archive, asked, "message" if content.corrects is None else "correction")
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
    recorded: list[Posted] = []

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

    def following(commit: str, made: str, transition: Transition | None) -> Iterable[Effect]:
        if transition is not None and transition.ledger is not None:
            recorded[:] = [Posted(transition.entries[-1].message, names[1], transition.ledger)]
        return (*log.effects(commit, message=MessageId(made)), *marks)

    made = CoordinationRecord(archive, stored.record).add_message(
        provisional(actor),
        place or archive.installation.custodian.name,
        thread_id,
        content,
        client_identifier=own_identifier(caller, names[0]),
        naming=names[1],
        permission=Permission(ask, following),
    )
    return made, recorded


def speech(actor: Actor, thread: Thread, content: MessageContent) -> MessageContent:
    """Return a message with the group it is written for, said or derived."""
    if content.on_behalf_of is not None:
        return content
    return replace(content, on_behalf_of=default_group(actor, thread, content.recipients))

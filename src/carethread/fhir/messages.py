"""Communications: read, written once, found again."""

from msgspec.structs import replace

from carethread.errors import NotFoundError, ResourceIdTakenError, UnknownMessageError, UnknownThreadError
from carethread.fhir.answers import Answer
from carethread.fhir.asked import check_is_json
from carethread.fhir.bounds import bound_to, check_within, patient_of_token
from carethread.fhir.call import Call
from carethread.fhir.conditions import message_unless
from carethread.fhir.drafting import (
    Meant,
    check_no_version,
    files,
    gathered,
    look_up,
    nothing_there,
    people,
    thread_of,
    writer,
)
from carethread.fhir.mapping.communication import check_visibility, read_communication
from carethread.fhir.mapping.drafts import MessageDraft, Named
from carethread.fhir.mapping.parts import Names
from carethread.fhir.mapping.same import same_message, same_opening
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.queries import bad
from carethread.fhir.routing import not_allowed
from carethread.fhir.showing import served, written
from carethread.fhir.types import Communication
from carethread.fhir.validation import parse
from carethread.ids import MessageId, ParticipantId
from carethread.policy.actor import Caller
from carethread.reads import (
    BeforeWriting,
    before_writing,
    message_resource,
    message_resource_version,
    message_written_to,
    written_message,
)
from carethread.record.model import MessageContent, Naming
from carethread.record.projection import MessageProjection
from carethread.writes import name_message, post_to

_TYPES = frozenset({"Communication"})


def read(call: Call) -> Answer:
    """Answer a message."""
    bound = bound_to(call, "read")
    projection, names = message_resource(call.service, call.caller, call.route.id)
    check_within(call, bound, projection.patient, call.route.id)
    return served(call, call.encoded.message(projection, names), projection.version, projection.message.timestamp)


def vread(call: Call) -> Answer:
    """Answer a version of a message."""
    bound = bound_to(call, "vread")
    projection, names = message_resource_version(
        call.service, call.caller, call.route.id, version_of(call.route.version)
    )
    check_within(call, bound, projection.patient, call.route.id)
    return served(call, call.encoded.message(projection, names), projection.version, projection.message.timestamp)


def version_of(text: str) -> int:
    """Return the number of a version as an address has it; 0, which there never is, for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0  # noqa: PLR2004 - never so many


def create(call: Call) -> Answer:
    """Record a message; with `If-None-Exist`, unless it is there."""
    bound_to(call, "create")
    draft = _draft(call)

    def make(call: Call) -> Answer:
        return _made(call, draft)

    condition = call.asked.header("if-none-exist")
    if not condition:
        return _made(call, draft)
    found = _looked_up(call, draft)
    caller = writer(call, draft.sender, found)
    try:
        patient = before_writing(call.service, caller, thread_of(found, draft.thread)).thread.patient
    except NotFoundError as error:
        raise _unknown(draft, error) from None
    return message_unless(call, condition, patient, lambda inside: _made(inside, draft), _found)


def update(call: Call) -> Answer:
    """Record a message under an id that is not in use; the same again finds it; nothing ever changes one."""
    bound_to(call, "update")
    draft = _draft(call)
    if draft.id != call.route.id:
        raise bad("value", "is not the id of the address", "Communication.id")
    found = _looked_up(call, draft, ("Communication", call.route.id))
    caller = writer(call, draft.sender, found)
    there = _there(call, caller) if ("Communication", call.route.id) in found else None
    if there is None:
        bound_to(call, "update-create")
        check_no_version(call)
        try:
            return _recorded(call, draft, found)
        except ResourceIdTakenError:
            # Somebody else just did; or it is there, and hidden: then all was asked that is asked of a new one.
            there = _there(call, caller)
            if there is None:
                raise
    return _again(call, draft, found, *there)


def _there(call: Call, caller: Caller) -> tuple[MessageProjection, Names] | None:
    try:
        return message_resource(call.service, caller, call.route.id)
    except UnknownMessageError:
        return None


def _found(call: Call, projection: MessageProjection) -> Answer:
    shown, names = written_message(call.service, call.caller, projection.message.id)
    return _answer(call, shown, names, made=False)


def _draft(call: Call) -> MessageDraft:
    check_is_json(call.asked)
    resource = parse(call.asked.body, types=_TYPES)
    assert isinstance(resource, Communication)  # noqa: S101 - the only type that was asked for
    return read_communication(resource, base=call.base)


def _made(call: Call, draft: MessageDraft) -> Answer:
    # R4: the id of what is created by POST is the server's to give.
    own = replace(draft, id=None)
    return _recorded(call, own, _looked_up(call, own))


def _looked_up(call: Call, draft: MessageDraft, *besides: tuple[str, str]) -> Meant:
    return look_up(call, draft.references(), *besides, author=draft.sender)


def _recorded(call: Call, draft: MessageDraft, found: Meant) -> Answer:
    caller = writer(call, draft.sender, found)
    try:
        before = before_writing(call.service, caller, thread_of(found, draft.thread), draft.text)
        _check_thread(call, draft, found, before)
        if any(each.pair not in found for each in _messages(draft)):
            raise nothing_there(*(each.expression for each in _messages(draft)))
        if before.thread.opening is not None and not before.wrote_before and _is_opening(call, draft, found, before):
            return _named(call, caller, draft, before.thread.opening.id)
        content = _content(call, draft, found)
        made = post_to(call.service, caller, before.seen, content, naming=_naming(draft))
    except NotFoundError as error:
        raise _unknown(draft, error) from None
    projection, names = message_written_to(call.service, caller, made, before)
    return _answer(call, projection, names, made=True)


def _unknown(draft: MessageDraft, error: NotFoundError) -> RefusedError:
    """Return the refusal of what may not be read, in the words for what is not there."""
    if isinstance(error, UnknownMessageError):
        return nothing_there(*(each.expression for each in _messages(draft) or (draft.thread,)))
    return nothing_there((draft.thread if isinstance(error, UnknownThreadError) else draft.sender).expression)


def _messages(draft: MessageDraft) -> tuple[Named, ...]:
    """Return the messages it names: it is not said which of two is not there, or only hidden."""
    return tuple(each for each in (draft.in_response_to, draft.corrects) if each is not None)


def _check_thread(call: Call, draft: MessageDraft, found: Meant, before: BeforeWriting) -> None:
    """What a message says of its thread is so; a token bound to a patient writes about that patient alone."""
    patient = before.thread.patient
    bound = bound_to(call, "create" if call.asked.method == "POST" else "update")
    if bound is not None and patient_of_token(call, bound) != patient:
        raise nothing_there(draft.thread.expression)
    if draft.subject is not None and found[draft.subject.pair] != patient:
        raise RefusedError(
            422,
            Issue(
                code="business-rule",
                text="the thread is about another patient",
                expression=(draft.subject.expression,),
                instead="Leave it out, or name the thread's patient.",
            ),
        )
    check_visibility(draft, before.thread.ledger.visibility)


def _is_opening(call: Call, draft: MessageDraft, found: Meant, before: BeforeWriting) -> bool:
    opening = before.thread.opening
    if opening is None or draft.text != opening.body:
        return False
    whole = replace(draft, attachments=gathered(call, draft.attachments))
    return same_opening(whole, before.thread, people(found), wrote_before=before.wrote_before)


def _named(call: Call, caller: Caller, draft: MessageDraft, message_id: MessageId) -> Answer:
    """Answer the message a thread was opened with to who posts it as well; under their name, if they give it one."""
    naming = _naming(draft)
    if naming is not None:
        name_message(call.service, caller, message_id, naming)
    projection, names = written_message(call.service, caller, message_id)
    if draft.id is not None:
        projection = replace(projection, id=draft.id)
    return _answer(call, projection, names, made=False)


def _content(call: Call, draft: MessageDraft, found: Meant) -> MessageContent:
    attachments = files(gathered(call, draft.attachments))

    def meant(named: Named | None) -> str | None:
        return None if named is None else found[named.pair]

    corrects, answers, group = meant(draft.corrects), meant(draft.in_response_to), meant(draft.on_behalf_of)
    return MessageContent(
        draft.text,
        None if corrects is None else MessageId(corrects),
        None if answers is None else MessageId(answers),
        None if group is None else ParticipantId(group),
        tuple(ParticipantId(found[each.pair]) for each in draft.recipients),
        attachments,
        draft.sent,
    )


def _naming(draft: MessageDraft) -> Naming | None:
    return Naming(draft.id, draft.identifiers) if draft.id is not None or draft.identifiers else None


def _again(call: Call, draft: MessageDraft, found: Meant, projection: MessageProjection, names: Names) -> Answer:
    """Answer a message that is there already, if it is sent again as it is."""
    check_within(call, bound_to(call, "update"), projection.patient, call.route.id)
    whole = replace(draft, attachments=gathered(call, draft.attachments))
    if same_message(whole, projection, people(found)):
        return _answer(call, projection, names, made=False)
    raise not_allowed(("GET",), call.support)


def _answer(call: Call, projection: MessageProjection, names: Names, *, made: bool) -> Answer:
    encoded = call.encoded.message(projection, names)
    return written(call, encoded, projection.id, projection.version, projection.message.timestamp, made=made)

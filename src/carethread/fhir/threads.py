"""CommunicationRequests: read, opened, changed in what may change."""

from msgspec.structs import replace

from carethread.errors import (
    NotFoundError,
    ResourceIdTakenError,
    UnknownThreadError,
    VersionConflictError,
    VersionNotNamedError,
)
from carethread.fhir.answers import Answer
from carethread.fhir.asked import check_is_json, read_if_match
from carethread.fhir.bounds import bound_to, check_within, patient_of_token
from carethread.fhir.call import Call
from carethread.fhir.conditions import thread_unless
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
from carethread.fhir.mapping.drafts import Named, ThreadDraft, ThreadEdit
from carethread.fhir.mapping.editing import addressing_of, read_request_change
from carethread.fhir.mapping.parts import Names
from carethread.fhir.mapping.request import read_request
from carethread.fhir.messages import version_of
from carethread.fhir.queries import bad
from carethread.fhir.showing import served, written
from carethread.fhir.types import CommunicationRequest
from carethread.fhir.validation import parse
from carethread.ids import CommunicationId, ParticipantId
from carethread.policy.actor import Caller
from carethread.reads import before_writing, thread_resource, thread_resource_version, written_thread
from carethread.record.model import MessageContent, Naming
from carethread.record.projection import ThreadProjection
from carethread.writes import Opening, ThreadChange, change_thread, open_thread

_TYPES = frozenset({"CommunicationRequest"})
_GROUPS = frozenset({"Organization", "CareTeam"})


def read(call: Call) -> Answer:
    """Answer a thread."""
    bound = bound_to(call, "read")
    projection, names = thread_resource(call.service, call.caller, call.route.id)
    check_within(call, bound, projection.patient, call.route.id)
    return served(call, call.encoded.thread(projection, names), projection.version, projection.updated)


def vread(call: Call) -> Answer:
    """Answer a version of a thread."""
    bound = bound_to(call, "vread")
    projection, names = thread_resource_version(
        call.service, call.caller, call.route.id, version_of(call.route.version)
    )
    check_within(call, bound, projection.patient, call.route.id)
    return served(call, call.encoded.thread(projection, names), projection.version, projection.updated)


def create(call: Call) -> Answer:
    """Open a thread; with `If-None-Exist`, unless it is there."""
    bound_to(call, "create")
    draft = replace(_draft(call, _resource(call)), id=None)
    condition = call.asked.header("if-none-exist")
    if not condition:
        return _opened(call, draft, _looked_up(call, draft))
    found = _looked_up(call, draft)
    patient = ParticipantId(found[draft.subject.pair])
    return thread_unless(call, condition, patient, lambda inside: _opened(inside, draft, found), _found)


def update(call: Call) -> Answer:
    """Open a thread under an id that is not in use, or change one that is there."""
    bound_to(call, "update")
    resource = _resource(call)
    if resource.id != call.route.id:
        raise bad("value", "is not the id of the address", "CommunicationRequest.id")
    place = ("CommunicationRequest", call.route.id)
    there = _there(call) if place in look_up(call, (), place) else None
    if there is None:
        bound_to(call, "update-create")
        check_no_version(call)
        draft = _draft(call, resource)
        try:
            return _opened(call, draft, _looked_up(call, draft))
        except ResourceIdTakenError:
            # Somebody else just did; or it is there, and hidden: then all was asked that is asked of a new one.
            there = _there(call)
            if there is None:
                raise
    return _edited(call, resource, *there)


def _there(call: Call) -> tuple[ThreadProjection, Names] | None:
    try:
        return thread_resource(call.service, call.caller, call.route.id)
    except UnknownThreadError:
        return None


def _found(call: Call, projection: ThreadProjection) -> Answer:
    return _answer(call, *written_thread(call.service, call.caller, projection.ledger.communication_id), made=False)


def _resource(call: Call) -> CommunicationRequest:
    check_is_json(call.asked)
    resource = parse(call.asked.body, types=_TYPES)
    assert isinstance(resource, CommunicationRequest)  # noqa: S101 - the only type that was asked for
    return resource


def _draft(call: Call, resource: CommunicationRequest) -> ThreadDraft:
    return read_request(resource, base=call.base, draft_opens=call.options.accepts_drafts)


def _looked_up(call: Call, draft: ThreadDraft) -> Meant:
    return look_up(call, draft.references(), author=draft.requester)


# ── Opening ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _opened(call: Call, draft: ThreadDraft, found: Meant) -> Answer:
    caller = writer(call, draft.requester, found)
    if draft.continues is not None:
        _check_continues(call, caller, draft.continues, found)
    bound = bound_to(call, "create" if call.asked.method == "POST" else "update")
    if bound is not None and patient_of_token(call, bound) != found[draft.subject.pair]:
        raise nothing_there(draft.subject.expression)
    try:
        made = open_thread(
            call.service,
            caller,
            _opening(call, draft, found),
            naming=_naming(draft),
            patient_side_opens=call.options.patients_open_threads,
        )
    except UnknownThreadError:
        raise nothing_there((draft.continues or draft.subject).expression) from None
    except NotFoundError:
        raise nothing_there(draft.requester.expression) from None
    return _answer(call, *written_thread(call.service, caller, made), made=True)


def _check_continues(call: Call, caller: Caller, continues: Named, found: Meant) -> None:
    try:
        before_writing(call.service, caller, thread_of(found, continues))
    except NotFoundError:
        raise nothing_there(continues.expression) from None


def _opening(call: Call, draft: ThreadDraft, found: Meant) -> Opening:
    reply_to = None if draft.reply_to is None else ParticipantId(found[draft.reply_to.pair])
    is_group = draft.reply_to is not None and draft.reply_to.type in _GROUPS
    message = None
    if draft.has_message:
        message = MessageContent(draft.text, attachments=files(gathered(call, draft.attachments)))
    return Opening(
        patient=ParticipantId(found[draft.subject.pair]),
        recipients=_ids(found, draft.recipients),
        on_behalf_of=reply_to if is_group else None,
        reply_to=None if is_group else reply_to,
        others=_ids(found, draft.others),
        message=message,
        visibility=draft.visibility,
        policies=draft.policies,
        continues=None if draft.continues is None else CommunicationId(found[draft.continues.pair]),
    )


def _ids(found: Meant, named: tuple[Named, ...]) -> tuple[ParticipantId, ...]:
    return tuple(ParticipantId(found[each.pair]) for each in named)


def _naming(draft: ThreadDraft) -> Naming | None:
    return Naming(draft.id, draft.identifiers) if draft.id is not None or draft.identifiers else None


# ── Changing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _edited(call: Call, resource: CommunicationRequest, current: ThreadProjection, names: Names) -> Answer:
    caller = call.caller
    check_within(call, bound_to(call, "update"), current.patient, call.route.id)
    edit = read_request_change(
        resource, current, names, base=call.base, draft_opens=call.options.accepts_drafts
    )  # fmt: skip
    expected = _expected(call, edit)
    if edit.is_empty:
        if expected not in {None, current.version}:
            raise VersionConflictError(f"thread {call.route.id}", expected or 0, current.version)
        return _answer(call, current, names, made=False)
    if expected is None:
        raise VersionNotNamedError(f"thread {call.route.id} is there: which version of it was changed is not said")
    found = look_up(call, edit.add)
    change = ThreadChange(
        status=edit.status,
        add=_ids(found, edit.add),
        remove=edit.remove,
        visibility=edit.visibility,
        policies=edit.policies,
        addressing=addressing_of(edit, current, people(found)),
    )
    thread = current.ledger.communication_id
    change_thread(call.service, caller, thread, change, expected_version=expected)
    return _answer(call, *written_thread(call.service, caller, thread), made=False)


def _expected(call: Call, edit: ThreadEdit) -> int | None:
    named = read_if_match(call.asked.header("if-match"))
    if named is not None:
        return named
    return None if edit.version is None else version_of(edit.version)


def _answer(call: Call, projection: ThreadProjection, names: Names, *, made: bool) -> Answer:
    encoded = call.encoded.thread(projection, names)
    return written(call, encoded, projection.id, projection.version, projection.updated, made=made)

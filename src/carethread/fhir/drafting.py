"""From drafts to what the library takes: references looked up, files gathered, who writes."""

from collections.abc import Iterable

from msgspec.structs import replace

from carethread.errors import NotFoundError
from carethread.fhir.call import Call
from carethread.fhir.mapping.drafts import AttachmentDraft, Named
from carethread.fhir.mapping.payload import default_name, parse_binary_id
from carethread.fhir.outcome import Issue, RefusedError
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.actor import Caller
from carethread.reads import own_upload, read_attachment, resolve
from carethread.record.model import AttachmentContent

Meant = dict[tuple[str, str], ParticipantId | CommunicationId | MessageId]


def look_up(call: Call, references: Iterable[Named], *besides: tuple[str, str], author: Named | None = None) -> Meant:
    """Return whom and what references mean.

    Only people and groups are missed here. Whether a thread or a message is there is nobody's business who may not
    read it: `before_writing` asks. `besides` may mean nothing.

    Args:
        call: the request.
        references: what is named.
        besides: what else to look for, as (type, id).
        author: in whose name it is written. Whoever forges that learns nothing else.

    Raises:
        RefusedError: one names nobody who is here, or the author is not who asks.
    """
    named = list(references)
    found: Meant = {}
    new = []
    for pair in (*(each.pair for each in named), *besides):
        meant = call.meanings.find(pair)
        if meant is None:
            new.append(pair)
        else:
            found[pair] = meant
    if new:
        looked_up = resolve(call.service, new)
        found.update(looked_up)
        if not call.is_inside:
            call.meanings.keep(looked_up)
    if author is not None and author.pair in found:
        writer(call, author, found)
    unknown = [each for each in named if each.type not in _NO_PEOPLE and each.pair not in found]
    if unknown:
        raise nothing_there(*(each.expression for each in unknown))
    return found


def thread_of(found: Meant, named: Named) -> CommunicationId | None:
    """Return the thread that is named, if there is one of that name."""
    meant = found.get(named.pair)
    return None if meant is None else CommunicationId(meant)


def nothing_there(*expressions: str) -> RefusedError:
    """Return the refusal of references to what is not here, or not for whoever asks."""
    return RefusedError(
        422,
        *(Issue(code="not-found", text="this names nothing that is here", expression=(each,)) for each in expressions),
    )


def check_no_version(call: Call) -> None:
    """What is not there yet has no version that could have been changed: https://www.rfc-editor.org/rfc/rfc9110#13.1.1.

    Raises:
        RefusedError: `If-Match` names one.
    """
    if call.asked.header("if-match"):
        raise RefusedError(
            412, Issue(code="conflict", text="there is no such version to be changed", expression=("If-Match",))
        )


def people(found: Meant) -> dict[tuple[str, str], ParticipantId]:
    """Return of what was looked up the people and groups."""
    return {pair: ParticipantId(each) for pair, each in found.items() if pair[0] not in _NO_PEOPLE}


_NO_PEOPLE = frozenset({"Communication", "CommunicationRequest"})


def writer(call: Call, said: Named, found: Meant) -> Caller:
    """Return who writes: the individual a resource names, if it is who asks, or whom a system may ask for.

    Raises:
        RefusedError: it names somebody else.
    """
    person = ParticipantId(found[said.pair])
    if call.caller.person == person:
        return call.caller
    if call.caller.person is None and call.caller.system is not None:
        return replace(call.caller, person=person)
    raise RefusedError(
        403,
        Issue(
            code="forbidden",
            text="whoever asks writes in their own name alone",
            expression=(said.expression,),
            instead="Name the person of the token.",
        ),
    )


def gathered(call: Call, drafts: tuple[AttachmentDraft, ...]) -> tuple[AttachmentDraft, ...]:
    """Return files with their content: those uploaded before, and those of messages that are sent on.

    Raises:
        RefusedError: one is not there.
    """
    return tuple(
        each if each.data is not None else _fetched(call, each, number) for number, each in enumerate(drafts, 1)
    )


def _fetched(call: Call, draft: AttachmentDraft, number: int) -> AttachmentDraft:
    recorded = parse_binary_id(draft.binary)
    try:
        if recorded is None:
            file = own_upload(call.service, call.caller, draft.binary)
        else:
            attachment, data = read_attachment(call.service, call.caller, *recorded)
            file = AttachmentContent(data, attachment.media_type, attachment.file_name)
    except NotFoundError:
        raise nothing_there(f"{draft.expression}.url") from None
    media_type = draft.media_type or file.media_type
    return replace(
        draft,
        data=file.data,
        media_type=media_type,
        file_name=draft.file_name or file.file_name or default_name(media_type, number),
    )


def files(drafts: tuple[AttachmentDraft, ...]) -> tuple[AttachmentContent, ...]:
    """Return files as a message takes them."""
    return tuple(AttachmentContent(each.data or b"", each.media_type or "", each.file_name or "") for each in drafts)

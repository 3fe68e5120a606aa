"""The form of a reply, as it is filled in."""

from msgspec import Struct

from carethread.ids import ParticipantId, parse_participant_id
from carethread.policy.drafts import DraftContent, ReplyIn
from carethread.policy.possible import Way
from carethread.reads import Conversation, read_draft
from carethread.record.model import ThreadStatus
from carethread.record.text import MAX_BODY
from carethread.web import showing
from carethread.web.drafting import Drafting, Typed, as_kept
from carethread.web.forms import Form
from carethread.web.kept_files import KeptFile
from carethread.web.visit import Visit

OWN_NAME = "me"


class ShownWay(Struct, frozen=True):
    """A way of speaking, as the form offers it."""

    value: str
    name: str
    goes_to: str
    is_chosen: bool


class Choice(Struct, frozen=True):
    """Somebody to whom a message can go."""

    id: ParticipantId
    name: str
    is_chosen: bool


class Composer(Struct, frozen=True):
    """The form of a reply, as it is filled in. `path` is where it is kept as a draft."""

    ways: list[ShownWay]
    recipients: list[Choice]
    must_choose: bool
    body: str
    files: list[KeptFile]
    drafting: Drafting
    path: str
    longest: str
    largest: str


class LeftOver(Struct, frozen=True):
    """What somebody wrote in a thread that takes no reply any more."""

    body: str
    discard: str


def composer(visit: Visit, found: Conversation, typed: Typed | None) -> Composer | None:
    """Return the form, with what was typed or with what was kept; nothing where nobody may reply."""
    if not found.possible.post or not found.speaking:
        return None
    thread = found.view.ledger.communication_id
    draft = read_draft(visit.service, visit.caller, ReplyIn(thread)) if typed is None else None
    said = typed.content if typed is not None else None if draft is None else draft.content
    content = said or DraftContent()
    chosen = chosen_way(found.speaking, said)
    return Composer(
        ways=[_shown(visit, found, each, is_chosen=each == chosen) for each in found.speaking],
        recipients=[
            Choice(each.id, each.name, each.id in content.recipients)
            for each in found.view.ledger.participants
            if each.id != visit.signed_in.person
        ],
        must_choose=bool(content.recipients) or (chosen is not None and chosen.to is None),
        body=content.body,
        files=[] if typed is None else typed.files,
        drafting=as_kept(draft) if typed is None else typed.drafting,
        path=f"/threads/{thread}/draft",
        longest=str(MAX_BODY),
        largest=showing.size(visit.options.largest_upload, visit.words),
    )


def left_over(visit: Visit, found: Conversation, typed: Typed | None) -> LeftOver | None:
    """Return what somebody had written when the thread was closed to it: they may want it elsewhere."""
    ledger = found.view.ledger
    if (found.possible.post and found.speaking) or visit.signed_in.acting.kind is not None:
        return None
    body = "" if typed is None else typed.content.body
    if not body and ledger.status is not ThreadStatus.OPEN:
        draft = read_draft(visit.service, visit.caller, ReplyIn(ledger.communication_id))
        body = "" if draft is None else draft.content.body
    return LeftOver(body, f"/threads/{ledger.communication_id}/draft/discard") if body else None


def chosen_way(ways: tuple[Way, ...], said: DraftContent | None) -> Way | None:
    """Return for whom somebody writes: as they said, else as is usual. Where nothing is usual, none is no choice."""
    default = next((each for each in ways if each.is_default), None) or (ways[0] if len(ways) == 1 else None)
    if said is None or (default is None and said.on_behalf_of is None):
        return default
    return next((each for each in ways if each.on_behalf_of == said.on_behalf_of), None)


def speaker(visit: Visit, found: Conversation, way: Way) -> str:
    """Say as whom somebody writes in a way of speaking."""
    own = visit.known_me.name
    if way.on_behalf_of is None:
        return own
    group = _known(visit, found).get(way.on_behalf_of, "")
    return visit.words.gettext("%(name)s on behalf of %(group)s") % {"name": own, "group": group}


def _known(visit: Visit, found: Conversation) -> dict[ParticipantId, str]:
    known = {each.id: each.name for each in found.view.ledger.participants}
    return known | {each.id: each.name for each in visit.known_me.groups}


def _shown(visit: Visit, found: Conversation, way: Way, *, is_chosen: bool) -> ShownWay:
    _ = visit.words.gettext
    if way.to is None:
        goes_to = _("Choose below to whom it goes.")
    elif way.to:
        goes_to = _("It goes to %(names)s.") % {"names": showing.names(way.to, _known(visit, found))}
    else:
        goes_to = _("It goes to everyone who takes part.")
    return ShownWay(way.on_behalf_of or OWN_NAME, speaker(visit, found, way), goes_to, is_chosen)


def content_of(form: Form) -> DraftContent:
    """Return what the form of a message holds.

    Raises:
        InvalidValueError: an id is none.
    """
    speaking = form.line("for")
    return DraftContent(
        form.text("body"),
        parse_participant_id(speaking, "for") if speaking and speaking != OWN_NAME else None,
        tuple(parse_participant_id(each, "to") for each in form.every("to")),
    )

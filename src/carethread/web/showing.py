"""Messages, participants and readers, as pages show them."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from carethread.clock import Instant
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.reading import Reach
from carethread.reads import Conversation, GroupReader, Readers, ThreadView
from carethread.record.model import Ledger, Message, MessageType, Role, Sensitivity
from carethread.web.words import Words

_KIB = 1024


class ShownFile(Struct, frozen=True):
    """A file of a message: its name, and its size in words."""

    name: str
    size: str
    sha256: str


class Corrected(Struct, frozen=True):
    """What a correction corrects. The text is missing where that message is not on the same page."""

    id: MessageId
    author: str = ""
    at: Instant | None = None
    text: str | None = None


class CorrectedBy(Struct, frozen=True):
    """Where a message is corrected, and how, as far as that stands on the same page."""

    path: str
    thread: CommunicationId
    author: str = ""
    at: Instant | None = None
    text: str | None = None


class Entry(Struct, frozen=True, kw_only=True):
    """A message or system entry of a page."""

    id: MessageId
    author: str
    at: Instant
    body: str
    is_system: bool = False
    is_own: bool = False
    on_behalf_of: str = ""
    to: str = ""
    corrects: Corrected | None = None
    corrected_by: tuple[CorrectedBy, ...] = ()
    in_response_to: MessageId | None = None
    files: tuple[ShownFile, ...] = ()
    may_correct: bool = False
    may_refile: bool = False


class Taking(Struct, frozen=True):
    """Somebody who takes part, and what they are in the thread."""

    id: ParticipantId
    name: str
    note: str


def entries(found: Conversation, reader: ParticipantId, words: Words) -> list[Entry]:
    """Return the messages of a conversation, with corrections beside what they correct."""
    view = found.view
    here = {each.id: each for each in view.messages}
    corrections = corrected_by(view)
    return [
        Entry(
            id=each.id,
            author=each.author_name,
            at=each.timestamp,
            body=each.body,
            is_system=each.type is MessageType.SYSTEM,
            is_own=each.author_id == reader,
            on_behalf_of="" if each.on_behalf_of is None else each.on_behalf_of.name,
            to=", ".join(party.name for party in each.to),
            corrects=None if each.corrects is None else _corrected(here, each.corrects),
            corrected_by=corrections.get(each.id, ()),
            in_response_to=each.in_response_to,
            files=tuple(ShownFile(file.file_name, size(file.size, words), file.sha256) for file in each.attachments),
            may_correct=each.id in found.possible.correct | found.possible.correct_later,
            may_refile=each.id in found.possible.refile,
        )
        for each in view.messages
    ]


def _corrected(here: Mapping[MessageId, Message], wanted: MessageId) -> Corrected:
    original = here.get(wanted)
    if original is None:
        return Corrected(wanted)
    return Corrected(wanted, original.author_name, original.timestamp, original.body)


def corrected_by(view: ThreadView) -> dict[MessageId, tuple[CorrectedBy, ...]]:
    """Return where each message is corrected: here, or in a thread that takes this one up."""
    made: dict[MessageId, list[CorrectedBy]] = {}
    here = view.ledger.communication_id
    for each in view.messages:
        if each.corrects is not None:
            made.setdefault(each.corrects, []).append(
                CorrectedBy(f"#m-{each.id}", here, each.author_name, each.timestamp, each.body)
            )
    for other in view.corrected_elsewhere:
        made.setdefault(other.corrects, []).append(
            CorrectedBy(f"/threads/{other.thread}#m-{other.message}", other.thread)
        )
    return {message: tuple(paths) for message, paths in made.items()}


def size(count: int, words: Words) -> str:
    """Return a number of bytes for people."""
    if count < _KIB:
        return words.ngettext("%(num)s byte", "%(num)s bytes", count) % {"num": count}
    if count < _KIB * _KIB:
        return f"{count / _KIB:.0f} kB"
    return f"{count / _KIB / _KIB:.1f} MB"


def participants(ledger: Ledger, words: Words) -> list[Taking]:
    """Return who takes part, and what the thread says of them."""
    _ = words.gettext
    addressing = ledger.addressing
    made = []
    for each in ledger.participants:
        notes = []
        if addressing is not None:
            if each.id == addressing.requester:
                notes.append(_("opened it"))
            if each.id == addressing.reply_to:
                notes.append(_("receives the replies"))
            if each.id in addressing.recipients:
                notes.append(_("was asked"))
        if each.role is Role.PATIENT:
            notes.append(_("the patient"))
        made.append(Taking(each.id, each.name, ", ".join(notes)))
    return made


def readers(found: Readers, words: Words) -> list[str]:
    """Say who can read a thread, beginning with whether the patient can."""
    _ = words.gettext
    told = [_("The patient can see this.") if found.patient else _("The patient cannot see this.")]
    if found.related_persons:
        told.append(_("Relatives or carers of the patient can see this."))
    told += [sentence for each in found.groups if (sentence := of_group(each, words))]
    named = ", ".join(each.name for each in found.individuals)
    if named:
        told.append(named)
    return told


def of_group(reader: GroupReader, words: Words) -> str:
    """Say who of a group reads a thread; nothing where nobody does."""
    _ = words.gettext
    sentences = {
        Reach.CLINICIANS: _("Clinicians of %(group)s"),
        Reach.PROFESSIONALS: _("Everyone who works for %(group)s"),
        Reach.EVERY_MEMBER: _("Every member of %(group)s"),
    }
    return sentences.get(reader.reach, "") % {"group": reader.group.name}


def rules(ledger: Ledger, words: Words) -> list[str]:
    """Say under which rules a thread stands."""
    _ = words.gettext
    visibility = ledger.visibility
    if visibility.restricted or visibility.sensitivity is Sensitivity.RESTRICTED:
        told = [_("Restricted: only people who take part by name can read it.")]
    elif visibility.sensitivity is Sensitivity.CONFIDENTIAL:
        told = [_("Confidential: of organisations and teams, only clinicians can read it.")]
    else:
        told = [_("Standard: members of the organisations and teams that take part can read it.")]
    if not ledger.policies.allow_patient_participation:
        told.append(_("The patient and relatives cannot take part."))
    if not ledger.policies.allow_external_organisations:
        told.append(_("Other organisations cannot take part."))
    return told


def one_line(text: str, longest: int = 140) -> str:
    """Return the beginning of a text in one line."""
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1].rstrip() + "…"


def names(ids: Iterable[ParticipantId], known: Mapping[ParticipantId, str]) -> str:
    """Return names beside each other; each once."""
    return ", ".join(dict.fromkeys(known[each] for each in ids if each in known))

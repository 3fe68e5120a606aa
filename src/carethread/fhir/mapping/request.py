"""Threads are CommunicationRequests."""

from msgspec import Struct

from carethread.clock import format_instant
from carethread.fhir import types
from carethread.fhir.mapping import parts, terms
from carethread.fhir.mapping.communication import read_priority, refuse_nobody
from carethread.fhir.mapping.drafts import AttachmentDraft, Named, ThreadDraft
from carethread.fhir.mapping.parts import Names
from carethread.fhir.mapping.payload import read_payload, write_attachments
from carethread.fhir.mapping.reading import ANYBODY, INDIVIDUALS, Reading, Reasons
from carethread.ids import ParticipantId
from carethread.record.model import INDIVIDUAL_ROLES, BusinessIdentifier, Policies, ThreadStatus, Visibility
from carethread.record.projection import ThreadProjection

_TEXT = "Write it in the text of a message."
_KEPT = frozenset(
    {
        "id",
        "meta",
        "text",
        "extension",
        "identifier",
        "replaces",
        "status",
        "priority",
        "do_not_perform",
        "subject",
        "payload",
        "authored_on",
        "requester",
        "recipient",
        "sender",
    }
)
_OCCURRENCE = ("the record does not plan, and reminds nobody", "Say in the text by when an answer is needed.")
REASONS: Reasons = {
    "based_on": ("a thread carries out no order", _TEXT),
    "group_identifier": ("threads are not grouped but by patient", "Leave it out, or use identifier."),
    "status_reason": ("the record does not keep why a thread was closed", "Post a message that says so, then close."),
    "category": ("threads have no category", _TEXT),
    "medium": ("the record does not keep by which channel messages come", "Leave it out."),
    "about": ("a thread is about its patient, and names nothing else", _TEXT),
    "encounter": ("the record does not file threads by encounter", _TEXT),
    "occurrence_date_time": _OCCURRENCE,
    "occurrence_period": _OCCURRENCE,
    "reason_code": ("a thread has no coded reason", _TEXT),
    "reason_reference": ("a thread has no coded reason", _TEXT),
    "note": ("nothing is noted on a thread", "Post a message in it."),
}
STATUSES: Reasons = {
    "draft": ("a draft is not recorded", "Send it when it is finished, with status active."),
    "on-hold": ("a thread is open, closed or archived, and does not pause", "Say in a message that it has to wait."),
    "entered-in-error": ("what was recorded stays", "Post a message that says so, then close or archive the thread."),
    "unknown": ("a thread is open, closed or archived", "Use active, completed or revoked."),
}
_EXTENSIONS = frozenset({terms.SENDER_CARE_TEAM, terms.OZO_SENDER_CARE_TEAM, terms.PARTICIPANT, terms.POLICIES})
_ALLOWANCES = {
    terms.ALLOW_PATIENT_PARTICIPATION: "allow_patient_participation",
    terms.ALLOW_EXTERNAL_ORGANISATIONS: "allow_external_organisations",
}


# ── Out ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def communication_request(projection: ThreadProjection, names: Names) -> types.CommunicationRequest:
    """Return a thread, with the message it was opened with, as a resource. `names` has everybody it names."""
    ledger, people = projection.ledger, {each.id: each.name for each in projection.ledger.participants}
    requester = requester_of(projection)
    recipients, reply_to = recipients_of(projection), reply_to_of(projection)

    def named(each: ParticipantId) -> types.Reference:
        return parts.reference(names[each], people.get(each))

    extensions: list[types.Extension] = []
    team = reply_to is not None and names[reply_to].startswith("CareTeam/")
    if reply_to is not None and team:
        both = (terms.SENDER_CARE_TEAM, terms.OZO_SENDER_CARE_TEAM)
        extensions.extend(parts.reference_extension(url, names[reply_to], people[reply_to]) for url in both)
    asked = {requester, reply_to, *recipients}
    extensions.extend(
        parts.reference_extension(terms.PARTICIPANT, names[each.id], each.name)
        for each in ledger.participants
        if each.id not in asked
    )
    extensions.append(_policies(ledger.policies))
    archived = ledger.status is ThreadStatus.ARCHIVED
    opening: list[types.CommunicationRequestPayload] = []
    if projection.opening is not None:
        if projection.opening.body:
            opening.append(types.CommunicationRequestPayload(content_string=projection.opening.body))
        opening.extend(
            types.CommunicationRequestPayload(content_attachment=each) for each in write_attachments(projection.opening)
        )
    return types.CommunicationRequest(
        id=projection.id,
        meta=parts.meta(
            projection.version, projection.updated, ledger.visibility, terms.ARCHIVED if archived else None
        ),
        extension=tuple(extensions),
        identifier=parts.identifiers(projection.identifiers),
        replaces=()
        if projection.continues is None
        else (parts.reference(f"CommunicationRequest/{projection.continues}"),),
        status="active" if ledger.status is ThreadStatus.OPEN else "completed",
        subject=parts.reference(names[projection.patient]),
        payload=tuple(opening),
        authored_on=format_instant(ledger.created_at),
        requester=None if requester is None else _opener(projection, requester, names, people),
        recipient=tuple(named(each) for each in recipients),
        sender=None if reply_to is None or team else named(reply_to),
    )


def requester_of(projection: ThreadProjection) -> ParticipantId | None:
    """Return who opened a thread. In a plain one that is the author of its first message, else the first individual.

    `None` where a plain thread has neither any more.
    """
    if projection.ledger.addressing is not None:
        return projection.ledger.addressing.requester
    if projection.opening is not None:
        return projection.opening.author_id
    return next((each.id for each in projection.ledger.participants if each.role in INDIVIDUAL_ROLES), None)


def reply_to_of(projection: ThreadProjection) -> ParticipantId | None:
    """Return where replies go, if the thread says so."""
    addressing = projection.ledger.addressing
    return None if addressing is None else addressing.reply_to


def recipients_of(projection: ThreadProjection) -> tuple[ParticipantId, ...]:
    """Return whom a thread is addressed to; a plain one is addressed to everyone but who opened it."""
    if projection.ledger.addressing is not None:
        return projection.ledger.addressing.recipients
    requester = requester_of(projection)
    return tuple(each.id for each in projection.ledger.participants if each.id != requester)


def _opener(
    projection: ThreadProjection, requester: ParticipantId, names: Names, people: dict[ParticipantId, str]
) -> types.Reference:
    name = people.get(requester)
    if name is None and projection.opening is not None:
        # They wrote the first message of a plain thread, and have left it since.
        name = projection.opening.author_name
    return parts.reference(names[requester], name)


def _policies(policies: Policies) -> types.Extension:
    allowed = (
        types.Extension(url=url, value_boolean=getattr(policies, field)) for url, field in _ALLOWANCES.items()
    )  # fmt: skip
    return types.Extension(url=terms.POLICIES, extension=tuple(allowed))


# ── In ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Request(Struct, frozen=True):
    """What a CommunicationRequest says, whatever it is for. What is wrong with it, the reading knows.

    `team` is the reply-to that an extension names, `sender` the one that the element names; `policies` is `None`
    where it says none.
    """

    subject: Named | None
    requester: Named | None
    sender: Named | None
    team: Named | None
    recipients: tuple[Named, ...]
    others: tuple[Named, ...]
    identifiers: tuple[BusinessIdentifier, ...]
    policies: Policies | None
    visibility: Visibility | None
    continues: Named | None
    text: str
    attachments: tuple[AttachmentDraft, ...]

    @property
    def reply_to(self) -> Named | None:
        """Where replies go, if not to the requester."""
        if self.team is not None:
            return self.team
        same = self.sender is not None and self.requester is not None and self.sender.pair == self.requester.pair
        return None if same else self.sender


def read_elements(reading: Reading, resource: types.CommunicationRequest) -> Request:
    """Read everything but the status."""
    at = "CommunicationRequest"
    reading.only(resource, at, _KEPT, REASONS)
    read_priority(reading, resource.priority, at)
    if resource.do_not_perform:
        reading.refuse(
            "business-rule",
            f"{at}.doNotPerform",
            "a thread asks for something to be said; the record does not forbid it",
            "Leave it out, and write in the text what is not to be done.",
        )
    extensions = reading.extensions(resource.extension, at, _EXTENSIONS)
    teams = [*extensions[terms.SENDER_CARE_TEAM], *extensions[terms.OZO_SENDER_CARE_TEAM]]
    team = reading.agreed(reading.extension_references(teams, ("CareTeam",)))
    requester = reading.reference(resource.requester, f"{at}.requester", INDIVIDUALS)
    sender = reading.reference(resource.sender, f"{at}.sender", (*INDIVIDUALS, "Organization"))
    text, attachments = read_payload(reading, resource.payload, f"{at}.payload")
    return Request(
        subject=reading.reference(resource.subject, f"{at}.subject", ("Patient",)),
        requester=requester,
        sender=sender,
        team=team,
        recipients=reading.references(resource.recipient, f"{at}.recipient", ANYBODY),
        others=reading.extension_references(extensions[terms.PARTICIPANT], ANYBODY),
        identifiers=reading.identifiers(resource.identifier, f"{at}.identifier"),
        policies=_read_policies(reading, extensions[terms.POLICIES]),
        visibility=reading.visibility(resource.meta, f"{at}.meta"),
        continues=reading.one(
            resource.replaces, f"{at}.replaces", ("CommunicationRequest",), "Name the one it continues."
        ),
        text=text,
        attachments=attachments,
    )


def refuse_other_sender(reading: Reading, at: str) -> None:
    """Refuse a sender beside a team: replies go to one place."""
    reading.refuse(
        "business-rule",
        at,
        "replies go to the care team, and this names another place",
        "Leave sender out, or name the requester in it.",
    )


def read_request(
    resource: types.CommunicationRequest, *, base: str = "", draft_opens: bool = False
) -> ThreadDraft:  # fmt: skip
    """Return what a CommunicationRequest asks to have opened.

    Args:
        resource: the resource, valid as R4.
        base: the address of this server; references below it are its own.
        draft_opens: whether a thread with status `draft` is opened as well.

    Raises:
        ResourceRefusedError: it says what the record will not hear; all of that is told.
    """
    reading, at = Reading(base), "CommunicationRequest"
    if resource.status in ("completed", "revoked"):
        reading.refuse(
            "business-rule", f"{at}.status", "a thread begins open", "Create it with status active; close it later."
        )
    elif resource.status in STATUSES and not (draft_opens and resource.status == "draft"):
        reading.refuse("business-rule", f"{at}.status", *STATUSES[resource.status])
    _check_complete(reading, resource, at)
    read = read_elements(reading, resource)
    same = read.sender is None or (read.requester is not None and read.sender.pair == read.requester.pair)
    if read.team is not None and not same:
        refuse_other_sender(reading, f"{at}.sender")
    draft = None
    if read.subject is not None and read.requester is not None:
        draft = ThreadDraft(
            subject=read.subject,
            requester=read.requester,
            recipients=read.recipients,
            reply_to=read.reply_to,
            others=read.others,
            id=resource.id,
            identifiers=read.identifiers,
            policies=read.policies or Policies(),
            visibility=read.visibility or Visibility(),
            continues=read.continues,
            text=read.text,
            attachments=read.attachments,
        )
    return reading.finished(draft)


def _check_complete(reading: Reading, resource: types.CommunicationRequest, at: str) -> None:
    if resource.subject is None:
        reading.refuse("required", f"{at}.subject", "a thread is about one patient", "Name the Patient.")
    if resource.requester is None:
        refuse_nobody(reading, f"{at}.requester")
    if not resource.recipient:
        reading.refuse(
            "required", f"{at}.recipient", "a thread is addressed to somebody", "Name at least one recipient."
        )


def _read_policies(reading: Reading, found: list[tuple[str, types.Extension]]) -> Policies | None:
    if not found:
        return None
    for place, _ in found[1:]:
        reading.refuse("business-rule", place, "a thread has its policies once", "Say them in one extension.")
    at, extension = found[0]
    reading.only(extension, at, ("url", "extension"))
    said: dict[str, bool] = {}
    for number, part in enumerate(extension.extension):
        place = f"{at}.extension[{number}]"
        reading.only(part, place, ("url", "value_boolean"))
        field = _ALLOWANCES.get(part.url)
        if field is None or field in said or part.value_boolean is None:
            reading.refuse(
                "extension",
                place,
                "it is no policy, says nothing, or was said before",
                f"Say each of {' and '.join(_ALLOWANCES)} once, as valueBoolean.",
            )
        else:
            said[field] = part.value_boolean
    return Policies(**said)

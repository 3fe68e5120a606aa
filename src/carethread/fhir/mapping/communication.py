"""Messages are Communications."""

from carethread.clock import format_instant
from carethread.fhir import types
from carethread.fhir.mapping import parts, terms
from carethread.fhir.mapping.drafts import MessageDraft, Named, ResourceRefusedError, RuleIssue
from carethread.fhir.mapping.parts import Names
from carethread.fhir.mapping.payload import read_payload, write_attachments
from carethread.fhir.mapping.reading import ANYBODY, GROUPS, INDIVIDUALS, Reading, Reasons
from carethread.record.model import MessageType, Visibility
from carethread.record.projection import MessageProjection
from carethread.record.rules import sent_time

_TEXT = "Write it in the text of the message."
_KEPT = frozenset(
    {
        "id",
        "meta",
        "text",
        "extension",
        "identifier",
        "based_on",
        "part_of",
        "in_response_to",
        "status",
        "category",
        "priority",
        "subject",
        "sent",
        "recipient",
        "sender",
        "payload",
    }
)
REASONS: Reasons = {
    "status_reason": ("a message that was sent needs no reason for its status", "Leave it out."),
    "medium": ("the record does not keep by which channel a message came", "Leave it out."),
    "topic": ("a message has no topic apart from its text", _TEXT),
    "about": ("a message is about the patient of its thread, and names nothing else", _TEXT),
    "encounter": ("the record does not file messages by encounter", _TEXT),
    "received": (
        "the record does not know when, or whether, somebody took notice of a message",
        "Leave it out. Whoever has taken notice can say so in a reply.",
    ),
    "reason_code": ("a message has no coded reason", _TEXT),
    "reason_reference": ("a message has no coded reason", _TEXT),
    "note": ("nothing is noted on a message: what was sent stays as it is", "Post another message in the thread."),
    "instantiates_canonical": ("messages follow no protocol that the record would keep", _TEXT),
    "instantiates_uri": ("messages follow no protocol that the record would keep", _TEXT),
}
STATUSES: Reasons = {
    "preparation": ("a draft is not recorded", "Send it when it is finished, with status completed."),
    "not-done": ("what was not sent is not recorded", "Leave it."),
    "on-hold": ("what was not sent is not recorded", "Send it when it is to be sent, with status completed."),
    "stopped": ("what was not sent is not recorded", "Leave it."),
    "entered-in-error": (
        "what was recorded stays, and is corrected by another message",
        "Post a Communication with the extension corrects that names this one.",
    ),
    "unknown": ("a message is recorded when it is sent", "Send it with status completed."),
}
_EXTENSIONS = frozenset({terms.ON_BEHALF_OF, terms.OZO_SENDER_CARE_TEAM, terms.CORRECTS, terms.CORRECTED_BY})
_CATEGORIES = {each.value: each for each in MessageType}


# ── Out ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def communication(projection: MessageProjection, names: Names) -> types.Communication:
    """Return a message, or a system entry, as a resource.

    Args:
        projection: the message.
        names: everybody it names, and the patient.
    """
    message = projection.message
    thread = parts.reference(f"CommunicationRequest/{projection.thread_id}")
    content: list[types.CommunicationPayload] = []
    if message.body:
        content.append(types.CommunicationPayload(content_string=message.body))
    content.extend(types.CommunicationPayload(content_attachment=each) for each in write_attachments(message))
    tag = terms.CORRECTED if projection.corrected_by else None
    return types.Communication(
        id=projection.id,
        meta=parts.meta(projection.version, message.timestamp, projection.visibility, tag),
        extension=_extensions(projection, names),
        identifier=parts.identifiers(projection.identifiers),
        based_on=(thread,),
        part_of=(thread,),
        in_response_to=() if projection.answers is None else (_message(projection.answers),),
        status="completed",
        category=(_category(message.type),),
        subject=parts.reference(names[projection.patient]),
        sent=format_instant(sent_time(message)),
        recipient=tuple(parts.reference(names[each.id], each.name) for each in message.to),
        sender=parts.reference(names[message.author_id], message.author_name),
        payload=tuple(content),
    )


def _extensions(projection: MessageProjection, names: Names) -> tuple[types.Extension, ...]:
    found = []
    group = projection.message.on_behalf_of
    if group is not None:
        named = names[group.id]
        found.append(parts.reference_extension(terms.ON_BEHALF_OF, named, group.name))
        if named.startswith("CareTeam/"):
            found.append(parts.reference_extension(terms.OZO_SENDER_CARE_TEAM, named, group.name))
    if projection.corrects is not None:
        found.append(types.Extension(url=terms.CORRECTS, value_reference=_message(projection.corrects)))
    found.extend(
        types.Extension(url=terms.CORRECTED_BY, value_reference=_message(each)) for each in projection.corrected_by
    )
    return tuple(found)


def _message(resource_id: str) -> types.Reference:
    return parts.reference(f"Communication/{resource_id}")


def _category(kind: MessageType) -> types.CodeableConcept:
    coding = types.Coding(system=terms.MESSAGE_CATEGORY, code=kind.value, display=terms.MESSAGE_CATEGORIES[kind])
    return types.CodeableConcept(coding=(coding,))


# ── In ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_communication(resource: types.Communication, *, base: str = "") -> MessageDraft:
    """Return what a Communication asks to have recorded.

    Args:
        resource: the resource, valid as R4.
        base: the address of this server; references below it are its own.

    Raises:
        ResourceRefusedError: it says what the record will not hear; all of that is told.
    """
    reading, at = Reading(base), "Communication"
    reading.only(resource, at, _KEPT, REASONS)
    if resource.status in STATUSES:
        reading.refuse("business-rule", f"{at}.status", *STATUSES[resource.status])
    read_priority(reading, resource.priority, at)
    extensions = reading.extensions(resource.extension, at, _EXTENSIONS)
    thread = _thread(reading, resource, at)
    sender = reading.reference(resource.sender, f"{at}.sender", INDIVIDUALS)
    if resource.sender is None:
        refuse_nobody(reading, f"{at}.sender")
    ours = reading.extension_references(extensions[terms.ON_BEHALF_OF], GROUPS)
    theirs = reading.extension_references(extensions[terms.OZO_SENDER_CARE_TEAM], ("CareTeam",))
    corrects = reading.agreed(reading.extension_references(extensions[terms.CORRECTS], ("Communication",)))
    # What corrects it is the server's to say; sent back, it is taken and replaced.
    reading.extension_references(extensions[terms.CORRECTED_BY], ("Communication",))
    _read_category(reading, resource, at, corrects, sender)
    instead = "Answer one message, and name the others in the text."
    answers = reading.one(resource.in_response_to, f"{at}.inResponseTo", ("Communication",), instead)
    text, attachments = read_payload(reading, resource.payload, f"{at}.payload")
    if not resource.payload:
        reading.refuse("required", f"{at}.payload", "there is nothing in it", "Give a contentString or a file.")
    draft = None
    if thread is not None and sender is not None:
        draft = MessageDraft(
            thread=thread,
            sender=sender,
            id=resource.id,
            identifiers=reading.identifiers(resource.identifier, f"{at}.identifier"),
            subject=reading.reference(resource.subject, f"{at}.subject", ("Patient",)),
            recipients=reading.references(resource.recipient, f"{at}.recipient", ANYBODY),
            on_behalf_of=reading.agreed((*ours, *theirs)),
            in_response_to=answers,
            corrects=corrects,
            sent=reading.instant(resource.sent, f"{at}.sent"),
            text=text,
            attachments=attachments,
            visibility=reading.visibility(resource.meta, f"{at}.meta"),
        )
    return reading.finished(draft)


def read_priority(reading: Reading, priority: str | None, at: str) -> None:
    """Refuse every priority but routine."""
    if priority not in (None, "routine"):
        reading.refuse(
            "business-rule",
            f"{at}.priority",
            "the record does not sort by urgency, and promises nobody that it is seen in time",
            "Send it as routine and say in the text how urgent it is; what cannot wait needs a telephone call.",
        )


def refuse_nobody(reading: Reading, at: str) -> None:
    """Refuse what names no individual."""
    reading.refuse(
        "required",
        at,
        "somebody answers for what is recorded, by name",
        "Name the Practitioner, RelatedPerson or Patient who writes.",
    )


def _thread(reading: Reading, resource: types.Communication, at: str) -> Named | None:
    instead = "Post one message to each thread."
    kinds = ("CommunicationRequest",)
    based_on = reading.one(resource.based_on, f"{at}.basedOn", kinds, instead)
    part_of = reading.one(resource.part_of, f"{at}.partOf", kinds, instead)
    if not resource.based_on and not resource.part_of:
        reading.refuse(
            "required",
            f"{at}.basedOn",
            "a message belongs to a thread",
            "Name its CommunicationRequest in basedOn, in partOf, or in both; create one first if there is none.",
        )
    return reading.agreed((based_on, part_of))


def _read_category(
    reading: Reading, resource: types.Communication, at: str, corrects: Named | None, sender: Named | None
) -> None:
    """Refuse a category that is not what the message will have: its category is not the client's to choose."""
    for number, concept in enumerate(resource.category):
        place = f"{at}.category[{number}]"
        reading.only(concept, place, ("coding",))
        for index, coding in enumerate(concept.coding):
            here = f"{place}.coding[{index}]"
            reading.only(coding, here, ("system", "code", "display"))
            kind = _CATEGORIES.get(coding.code or "") if coding.system == terms.MESSAGE_CATEGORY else None
            if kind is None:
                reading.refuse(
                    "code-invalid",
                    here,
                    "the record keeps no categories but its own",
                    "Leave it out, or say it in the text.",
                )
            elif kind is not _expected(corrects, sender):
                reading.refuse(
                    "business-rule",
                    here,
                    "it is not what this message is: that follows from its sender, and from what it corrects",
                    "Leave it out.",
                )


def _expected(corrects: Named | None, sender: Named | None) -> MessageType:
    if corrects is not None:
        return MessageType.CORRECTION
    professional = sender is None or sender.type == "Practitioner"
    return MessageType.CLINICIAN if professional else MessageType.PATIENT


def check_visibility(draft: MessageDraft, visibility: Visibility) -> None:
    """A message's own label, if it has one, is that of its thread: nothing else would be enforced.

    Raises:
        ResourceRefusedError: it is another.
    """
    if draft.visibility is not None and parts.security_code(draft.visibility) != parts.security_code(visibility):
        issue = RuleIssue(
            "business-rule",
            "Communication.meta.security",
            "a message is as visible as its thread, and this label says otherwise",
            "Leave the label out, or change the visibility of the thread first.",
        )
        raise ResourceRefusedError((issue,))

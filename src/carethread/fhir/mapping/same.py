"""Whether what a client sends is what is recorded already."""

import hashlib
from collections.abc import Mapping

from carethread.fhir.mapping.drafts import AttachmentDraft, MessageDraft, Named
from carethread.fhir.mapping.payload import binary_id
from carethread.ids import ParticipantId
from carethread.record.model import Message
from carethread.record.projection import MessageProjection, ThreadProjection
from carethread.record.rules import sent_time

# Whom references mean, by type and id (`Named.pair`).
Who = Mapping[tuple[str, str], ParticipantId]


def same_opening(draft: MessageDraft, thread: ThreadProjection, who: Who, *, wrote_before: bool) -> bool:
    """Say whether a message that is posted is the one its thread was opened with, which some clients post as well.

    It is if the same person sends the same text and files, answers and corrects nothing, and has not written in the
    thread since. Recipients and the group it is written for, where they are said, must be those recorded; when it
    was sent, and what it is called, may differ.

    Args:
        draft: the message that is posted; files that were uploaded before count only with their data filled in.
        thread: its thread.
        who: whom the draft's references mean.
        wrote_before: whether its sender has posted a message in the thread besides the one it was opened with.
    """
    opening = thread.opening
    if opening is None or wrote_before or draft.in_response_to is not None or draft.corrects is not None:
        return False
    return _same_subject(draft, thread.patient, who) and _same_words(draft, opening, who)


def same_message(draft: MessageDraft, projection: MessageProjection, who: Who) -> bool:
    """Say whether what is sent is a recorded message again. What a client may leave out is compared where it is said.

    Args:
        draft: what is sent; files that were uploaded before count only with their data filled in.
        projection: the recorded message.
        who: whom the draft's references mean.
    """
    message = projection.message
    return (
        draft.thread.id in (projection.thread_id, projection.thread)
        and _same_subject(draft, projection.patient, who)
        and _named(draft.in_response_to) in _ids(message.in_response_to, projection.answers)
        and _named(draft.corrects) in _ids(message.corrects, projection.corrects)
        and draft.sent in (None, sent_time(message))
        and set(draft.identifiers) == set(projection.identifiers)
        and _same_words(draft, message, who)
    )


def _named(named: Named | None) -> str | None:
    return None if named is None else named.id


def _ids(own: str | None, resource: str | None) -> tuple[str | None, ...]:
    """Return what a message may be called; one that whoever asks may not read is not shown, and so not sent back."""
    return (None,) if resource is None else (own, resource)


def _same_subject(draft: MessageDraft, patient: ParticipantId, who: Who) -> bool:
    return draft.subject is None or who.get(draft.subject.pair) == patient


def _same_words(draft: MessageDraft, message: Message, who: Who) -> bool:
    group = None if message.on_behalf_of is None else message.on_behalf_of.id
    return (
        who.get(draft.sender.pair) == message.author_id
        and draft.text == message.body
        and same_files(draft.attachments, message)
        and (draft.on_behalf_of is None or who.get(draft.on_behalf_of.pair) == group)
        and (
            not draft.recipients
            or {who.get(each.pair) for each in draft.recipients} == {each.id for each in message.to}
        )
    )


def same_files(drafts: tuple[AttachmentDraft, ...], message: Message) -> bool:
    """Say whether these are the files of a message, in their order, sent again or referred to."""
    if len(drafts) != len(message.attachments):
        return False
    for number, (draft, recorded) in enumerate(zip(drafts, message.attachments, strict=True), 1):
        said = (
            (draft.media_type, recorded.media_type),
            (draft.file_name, recorded.file_name),
            (draft.size, recorded.size),
        )
        if any(given not in (None, kept) for given, kept in said):
            return False
        if draft.data is not None:
            if hashlib.sha256(draft.data).hexdigest() != recorded.sha256:
                return False
        elif draft.binary != binary_id(message.id, number):
            return False
    return True

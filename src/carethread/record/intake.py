"""What callers give, checked and normalised before a record is asked anything.

These checks need no record: ids, names, texts, words of closed lists, sizes. The others are in `rules`.
"""

import hashlib
from collections.abc import Iterable
from typing import NewType

from msgspec import Struct
from msgspec.structs import replace

from carethread.errors import InvalidValueError, RoleMismatchError
from carethread.ids import parse_message_id, parse_participant_id
from carethread.record.commit_message import check_resource_id, encode_identifiers, naming_trailers
from carethread.record.media_types import check_media_type
from carethread.record.model import (
    INDIVIDUAL_ROLES,
    Attachment,
    AttachmentContent,
    Author,
    LedgerUpdate,
    LifecycleState,
    MessageContent,
    Naming,
    Participant,
    Role,
    Sensitivity,
    StatusUpdate,
    ThreadStatus,
    Visibility,
)
from carethread.record.text import check_body, check_name
from carethread.record.words import read_word

MAX_ATTACHMENTS = 20
# Of one message, together.
MAX_ATTACHMENT_BYTES = 25 * 1024 * 1024

CareLocation = NewType("CareLocation", str)


def check_care_location(text: str) -> CareLocation:
    """One line, never empty."""
    return CareLocation(check_name(text, "care_location"))


def check_author_value(author: Author) -> Author:
    """Return an individual with a proper id, name and role.

    Raises:
        InvalidValueError: the id or the name is not in order, or there is no such role.
        RoleMismatchError: the role is a group's.
    """
    parse_participant_id(author.id, "author.id")
    check_name(author.name, "author.name")
    role = read_word(Role, author.role, "author.role")
    if role not in INDIVIDUAL_ROLES:
        raise RoleMismatchError(f"author {author.id}: {role} is not the role of an individual")
    return author if author.role is role else replace(author, role=role)


def check_participant_values(participants: Iterable[Participant], field: str) -> tuple[Participant, ...]:
    """Return participants with proper ids, names and roles.

    Raises:
        InvalidValueError: naming the field and its fault.
    """
    checked = []
    for index, each in enumerate(participants):
        parse_participant_id(each.id, f"{field}[{index}].id")
        check_name(each.name, f"{field}[{index}].name")
        checked.append(replace(each, role=read_word(Role, each.role, f"{field}[{index}].role")))
    return tuple(checked)


def check_visibility_value(visibility: Visibility) -> Visibility:
    """Return a visibility with a proper sensitivity.

    Raises:
        InvalidValueError: there is no such sensitivity.
    """
    return replace(visibility, sensitivity=read_word(Sensitivity, visibility.sensitivity, "visibility.sensitivity"))


def check_update_value(update: LedgerUpdate) -> LedgerUpdate:
    """Return an update whose own values are in order.

    Raises:
        InvalidValueError: naming the field and its fault.
    """
    for index, removed in enumerate(update.remove_participants):
        parse_participant_id(removed, f"remove_participants[{index}]")
    return replace(
        update,
        status=None if update.status is None else read_word(ThreadStatus, update.status, "status"),
        add_participants=check_participant_values(update.add_participants, "add_participants"),
        visibility=None if update.visibility is None else check_visibility_value(update.visibility),
    )


def check_status_value(update: StatusUpdate) -> StatusUpdate:
    """Return a status update with a proper lifecycle state.

    Raises:
        InvalidValueError: there is no such state.
    """
    if update.lifecycle_state is None:
        return update
    return replace(update, lifecycle_state=read_word(LifecycleState, update.lifecycle_state, "lifecycle_state"))


def check_naming_value(naming: Naming | None) -> Naming | None:
    """Return what a client calls something, in order; nothing where it says nothing.

    Raises:
        InvalidValueError: the resource id is not one, or an identifier is not in order.
    """
    if naming is None:
        return None
    if naming.resource_id is not None:
        check_resource_id(naming.resource_id, "naming.resource_id")
    if naming.identifiers:
        encode_identifiers(naming.identifiers, "naming.identifiers")
    return naming if naming_trailers(naming) else None


class Prepared(Struct, frozen=True):
    """Content whose own values are in order; what depends on the thread is still to be decided."""

    content: MessageContent
    attachments: tuple[Attachment, ...]


def prepare(content: MessageContent) -> Prepared:
    """Check and normalise what an author typed.

    Raises:
        InvalidValueError: naming the field and its fault.
    """
    if len(content.attachments) > MAX_ATTACHMENTS:
        raise InvalidValueError("attachments", f"are more than {MAX_ATTACHMENTS}")
    attachments = tuple(_describe(each, f"attachments[{index}]") for index, each in enumerate(content.attachments))
    if sum(each.size for each in attachments) > MAX_ATTACHMENT_BYTES:
        raise InvalidValueError("attachments", f"are larger than {MAX_ATTACHMENT_BYTES} bytes together")
    if len({each.sha256 for each in attachments}) != len(attachments):
        raise InvalidValueError("attachments", "hold the same file twice")
    for field, value in (("corrects", content.corrects), ("in_response_to", content.in_response_to)):
        if value is not None:
            parse_message_id(value, field)
    if content.on_behalf_of is not None:
        parse_participant_id(content.on_behalf_of, "on_behalf_of")
    for index, recipient in enumerate(content.recipients):
        parse_participant_id(recipient, f"recipients[{index}]")
    if content.via is not None:
        parse_participant_id(content.via.id, "via.id")
        check_name(content.via.name, "via.name")
    body = check_body(content.body, has_attachment=bool(attachments))
    return Prepared(content if body == content.body else replace(content, body=body), attachments)


def _describe(file: AttachmentContent, field: str) -> Attachment:
    check_media_type(file.media_type, f"{field}.media_type")
    check_name(file.file_name, f"{field}.file_name")
    if not file.data:
        raise InvalidValueError(f"{field}.data", "is empty")
    return Attachment(hashlib.sha256(file.data).hexdigest(), file.media_type, len(file.data), file.file_name)

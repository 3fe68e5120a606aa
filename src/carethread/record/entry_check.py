"""What one entry must say for itself, whatever else its thread holds."""

from carethread.errors import InvalidValueError
from carethread.record.media_types import check_attachment
from carethread.record.model import INDIVIDUAL_ROLES, Attachment, Message, MessageType, Role

# The roles an entry of each type writes down. None: the type says it all.
AUTHOR_ROLES: dict[MessageType, frozenset[Role | None]] = {
    MessageType.CLINICIAN: frozenset({None, Role.CARE_ADMINISTRATOR}),
    MessageType.PATIENT: frozenset({None, Role.PATIENT_ASSOCIATE}),
    MessageType.SYSTEM: frozenset(INDIVIDUAL_ROLES),
    MessageType.CORRECTION: frozenset(INDIVIDUAL_ROLES),
}


def author_role(message_type: MessageType, role: Role) -> Role | None:
    """Return what an entry of this type writes down about an author of this role.

    Raises:
        InvalidValueError: an author of this role does not write entries of this type.
    """
    written = None if message_type.value == role.value else role
    if written not in AUTHOR_ROLES[message_type]:
        raise InvalidValueError("author_role", f"is {role}, who does not write {message_type} entries")
    return written


def check_message(message: Message) -> None:
    """Check what the parts of an entry say of each other. Identifiers, texts and names are taken as checked.

    Raises:
        InvalidValueError: the role does not fit the type, a correction corrects nothing or something else does,
            an entry refers to itself, `sent` equals or follows the timestamp, a recipient or a file is there twice, a
            system entry carries what only messages carry, an attachment is malformed, or there is nothing in it.
    """
    if message.author_role not in AUTHOR_ROLES[message.type]:
        raise InvalidValueError("author_role", f"does not fit an entry of type {message.type}")
    if (message.corrects is not None) is not (message.type is MessageType.CORRECTION):
        raise InvalidValueError("corrects", "is there if and only if the entry is a correction")
    if message.corrects == message.id:
        raise InvalidValueError("corrects", "is the entry itself")
    if message.in_response_to == message.id:
        raise InvalidValueError("in_response_to", "is the entry itself")
    if message.sent is not None and message.sent >= message.timestamp:
        raise InvalidValueError("sent", "is not earlier than the timestamp")
    if message.type is MessageType.SYSTEM and (
        message.sent is not None
        or message.in_response_to is not None
        or message.attachments
        or message.to
        or message.via is not None
    ):
        raise InvalidValueError("type", "is system, which goes to all, answers nothing and carries nothing")
    if len(message.to) > 1 and len({party.id for party in message.to}) != len(message.to):
        raise InvalidValueError("to", "names somebody twice")
    if message.attachments:
        _check_attachments(message.attachments)
    if not message.body and not message.attachments:
        raise InvalidValueError("body", "is empty")


def _check_attachments(attachments: tuple[Attachment, ...]) -> None:
    for attachment in attachments:
        check_attachment(attachment)
    if len({attachment.sha256 for attachment in attachments}) != len(attachments):
        raise InvalidValueError("attachments", "hold the same file twice")

"""Who may post, correct, name, and set aside."""

from carethread.errors import CorrectionError, NotAllowedError, UnknownMessageError
from carethread.ids import MessageId, ParticipantId
from carethread.policy.actor import Actor, Thread
from carethread.policy.reading import may_read
from carethread.policy.speaking import check_may_speak, check_member
from carethread.policy.standing import check_may_write, is_clinician_in
from carethread.record.model import Message, MessageType
from carethread.record.rules import check_thread_open


def check_may_post(actor: Actor, thread: Thread, on_behalf_of: ParticipantId | None) -> None:
    """An open thread takes messages of whoever may speak in it. That the record is open, the record's rules check.

    `on_behalf_of` is as it will be recorded, as in `check_may_speak`.

    Raises:
        UnknownThreadError, NotAllowedError, NotParticipantError, RoleMismatchError, NotMemberError: as
            `check_may_speak`.
        ThreadNotOpenError: it takes no message.
    """
    check_may_speak(actor, thread, on_behalf_of)
    check_thread_open(thread.ledger)


def check_may_correct(
    actor: Actor,
    thread: Thread,
    on_behalf_of: ParticipantId | None,
    corrects: MessageId,
    found: tuple[Thread, Message] | None,
) -> None:
    """As posting in `thread`; and the original is theirs to correct, as `check_is_theirs` says.

    Raises:
        UnknownThreadError, NotAllowedError, NotParticipantError, RoleMismatchError, NotMemberError,
            ThreadNotOpenError: as `check_may_post`.
        UnknownMessageError, CorrectionError, NotAllowedError: as `check_is_theirs`.
    """
    check_may_post(actor, thread, on_behalf_of)
    check_is_theirs(actor, corrects, found)


def check_is_theirs(actor: Actor, corrects: MessageId, found: tuple[Thread, Message] | None) -> None:
    """A message is corrected by its author, or, if it was written for a group, by a clinician of that group.

    `found` is the original with the thread it stands in, if the record has it. By itself this is for a correction
    that opens a thread, beside `check_may_open`.

    Raises:
        UnknownMessageError: there is no such message, or they may not read its thread: the answer is the same.
        CorrectionError: it is a system entry.
        NotAllowedError: it is not theirs.
    """
    # The words are those of the record's rules, so that one cannot tell which of the two it is.
    if found is None or not may_read(actor, found[0]):
        raise UnknownMessageError(f"corrects {corrects}: no such message in this record")
    thread, original = found
    if original.type is MessageType.SYSTEM:
        raise CorrectionError(f"corrects {corrects}: a system entry cannot be corrected")
    group = original.on_behalf_of
    if original.author_id != actor.id and (group is None or not is_clinician_in(actor, thread, group.id)):
        raise NotAllowedError(
            f"corrects {corrects}: its author corrects it, or a clinician of the group it was written for"
        )


def check_may_name(actor: Actor, thread: Thread, message: Message) -> None:
    """A message is given another name by who wrote it, or through them, as long as they may read it and write.

    Raises:
        UnknownThreadError, NotAllowedError: as `check_may_write`.
        NotAllowedError: they did not write it.
    """
    check_may_write(actor, thread)
    if message.author_id != actor.id:
        raise NotAllowedError(f"message {message.id}: its author says what it is called")


def check_may_set_aside(actor: Actor, thread: Thread, group: ParticipantId) -> None:
    """A member sets an open thread aside for their group, until the next message.

    Raises:
        UnknownThreadError, NotAllowedError, NotParticipantError, RoleMismatchError: as `check_may_speak`.
        NotMemberError: they are no active member of the group.
        ThreadNotOpenError: nothing waits in it.
    """
    check_may_write(actor, thread)
    check_member(actor, thread, group)
    check_thread_open(thread.ledger)

"""Who may post, correct, and set aside."""

from carethread.ids import MessageId, ParticipantId
from carethread.policy.actor import Actor, Thread
from carethread.record.model import Message


def check_may_post(actor: Actor, thread: Thread, on_behalf_of: ParticipantId | None) -> None:
    """An open thread takes messages of whoever may speak in it. That the record is open, the record's rules check.

    `on_behalf_of` is as it will be recorded, as in `check_may_speak`.

    Raises:
        UnknownThreadError, NotAllowedError, NotParticipantError, RoleMismatchError, NotMemberError: as
            `check_may_speak`.
        ThreadNotOpenError: it takes no message.
    """
    raise NotImplementedError


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
    raise NotImplementedError


def check_is_theirs(actor: Actor, corrects: MessageId, found: tuple[Thread, Message] | None) -> None:
    """A message is corrected by its author, or, if it was written for a group, by a clinician of that group.

    `found` is the original with the thread it stands in, if the record has it. By itself this is for a correction
    that opens a thread, beside `check_may_open`.

    Raises:
        UnknownMessageError: there is no such message, or they may not read its thread: the answer is the same.
        CorrectionError: it is a system entry.
        NotAllowedError: it is not theirs.
    """
    raise NotImplementedError


def check_may_set_aside(actor: Actor, thread: Thread, group: ParticipantId) -> None:
    """A member sets an open thread aside for their group, until the next message.

    Raises:
        UnknownThreadError, NotAllowedError, NotParticipantError, RoleMismatchError: as `check_may_speak`.
        NotMemberError: they are no active member of the group.
        ThreadNotOpenError: nothing waits in it.
    """
    raise NotImplementedError

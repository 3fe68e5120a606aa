"""What is read and written at the command line without naming a person: it is in the access log too."""

from carethread.access_log import AccessEntry, Action, Served
from carethread.coordination import CoordinationService
from carethread.ids import CommunicationId, CoordinationId, MessageId, ParticipantId
from carethread.store.asking import log

OPERATOR = "operator"
_NOBODY = ParticipantId("00000000-0000-0000-0000-000000000000")


def log_operator(
    service: CoordinationService,
    action: Action,
    *,
    client: str,
    detail: str,
    actor: ParticipantId = _NOBODY,
    record: CoordinationId,
    message: MessageId | None = None,
    served: tuple[Served, ...] = (),
) -> None:
    """Log what an operator is shown, before it is shown, or has written; nobody asked the policy.

    Args:
        service: the installation.
        action: what is done.
        client: the program through which.
        detail: what of, in a word.
        actor: the author of what was written. Of what is read, it is not known who reads: then it is left out.
        record: the record it is about.
        message: the one message it is about.
        served: the threads it is about; of one alone, the line says so in its own columns.

    Raises:
        StorageError: the line cannot be stored; then nothing may be shown.
    """
    only = served[0] if len(served) == 1 else None
    entry = AccessEntry(
        actor=actor,
        actor_kind=OPERATOR,
        action=action,
        detail=detail,
        record=record,
        thread=None if only is None else only.thread,
        message=message,
        version="" if only is None else only.version,
        served=() if action is Action.WRITTEN else served,
        client=client,
    )
    log(service.archive, entry)


def served_thread(thread: CommunicationId, version: str = "", entries: int = 0) -> tuple[Served, ...]:
    """Return one thread as it was shown."""
    return (Served(thread, version, entries),)

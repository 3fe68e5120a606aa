"""What one ledger, or one record's status, must say for itself."""

from carethread.errors import InvalidValueError
from carethread.record.model import INDIVIDUAL_ROLES, Addressing, CoordinationStatus, Ledger, Participant
from carethread.record.text import check_name

# A change of all of them at once must still fit the body of one system entry.
MAX_PARTICIPANTS = 100


def check_ledger(ledger: Ledger) -> None:
    """Check a ledger's names and what its parts say of each other. Identifiers are taken as checked.

    Raises:
        InvalidValueError: no participants, too many, or one twice; a name the record refuses; the addressing names
            somebody who takes no part, a requester who is no individual, no recipient, or one twice; last updated
            before it was created; a thread that continues itself.
    """
    if ledger.last_updated_at < ledger.created_at:
        raise InvalidValueError("last_updated_at", "is before created_at")
    if not ledger.participants:
        raise InvalidValueError("participants", "is empty")
    if len(ledger.participants) > MAX_PARTICIPANTS:
        raise InvalidValueError("participants", f"are more than {MAX_PARTICIPANTS}")
    participants: dict[str, Participant] = {}
    for index, participant in enumerate(ledger.participants):
        if participant.id in participants:
            raise InvalidValueError(f"participants[{index}].participant_id", "is there twice")
        check_name(participant.name, f"participants[{index}].display_name")
        participants[participant.id] = participant
    if ledger.addressing is not None:
        _check_addressing(ledger.addressing, participants)
    if ledger.continues == ledger.communication_id:
        raise InvalidValueError("continues", "is the thread itself")


def _check_addressing(addressing: Addressing, participants: dict[str, Participant]) -> None:
    requester = participants.get(addressing.requester)
    if requester is None:
        raise InvalidValueError("addressing.requester", "takes no part in the thread")
    if requester.role not in INDIVIDUAL_ROLES:
        raise InvalidValueError("addressing.requester", "is not an individual")
    if addressing.reply_to is not None and addressing.reply_to not in participants:
        raise InvalidValueError("addressing.reply_to", "takes no part in the thread")
    if not addressing.recipients:
        raise InvalidValueError("addressing.recipients", "is empty")
    seen: set[str] = set()
    for index, recipient in enumerate(addressing.recipients):
        if recipient not in participants:
            raise InvalidValueError(f"addressing.recipients[{index}]", "takes no part in the thread")
        if recipient in seen:
            raise InvalidValueError(f"addressing.recipients[{index}]", "is there twice")
        seen.add(recipient)


def check_status(status: CoordinationStatus) -> None:
    """Check a record's status. Identifiers are taken as checked.

    Raises:
        InvalidValueError: the custodian's name is one the record refuses.
    """
    check_name(status.custodian.name, "custodian.name")

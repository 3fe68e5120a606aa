"""Who may open a thread, and with whom."""

from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, Company, Thread
from carethread.record.transitions import NewThread


def as_opened(new: NewThread, patients: frozenset[ParticipantId]) -> Thread:
    """Return a thread as it will be: what the other functions ask for, with an empty id and no times."""
    raise NotImplementedError


def check_may_open(
    actor: Actor,
    new: NewThread,
    on_behalf_of: ParticipantId | None,
    patients: frozenset[ParticipantId],
    company: Company,
    *,
    patient_side_opens: bool,
    continued: Thread | None = None,
) -> None:
    """A clinician, a care administrator, or as far as the installation allows it the patient's side opens a thread.

    `patients` are those of the record (merged ones included), `company` what the directory knows of every
    participant; the requester is listed as `author_opening` says. `continued` is the thread that `new.continues`
    names, if the record has it.

    Raises:
        InactiveError: the actor, or a participant, is not active.
        NotAllowedError: whoever asks may open none.
        WrongPatientError: the actor or a participant belongs to another patient.
        NotMemberError: the actor is no active member of the group it is opened for.
        UnknownPersonError: the directory does not know a participant.
        RoleMismatchError: a participant has another role than the directory says.
        ExternalParticipantError, PolicyContradictionError: the policies exclude a participant.
        NoReaderError: an addressed group has no active member who could read it.
        InvalidValueError: there is no thread to continue, or they may not read it: the answer is the same.
    """
    raise NotImplementedError

"""Who may change the ledger of a thread, and to what."""

from carethread.policy.actor import Actor, Company, Thread
from carethread.record.model import LedgerUpdate


def check_may_change(actor: Actor, thread: Thread, update: LedgerUpdate, company: Company) -> None:
    """The home side changes the ledger; the recipient side's clinicians add colleagues and close.

    `company` is what the directory knows of every participant, and of everyone to be added.

    Raises:
        UnknownThreadError: they may not read the thread.
        NotAllowedError: their part in the thread does not allow it.
        NothingToChangeError: everything is as asked.
        IllegalTransitionError, ThreadNotOpenError: its status does not allow it.
        NotParticipantError, AddressedParticipantError, DuplicateParticipantError: of whom to remove or add.
        UnknownPersonError, InactiveError, RoleMismatchError, WrongPatientError: of whom to add.
        ExternalParticipantError: the thread admits the home side alone, and somebody to be added does not belong.
        PolicyContradictionError: a policy is turned off while participants contradict it.
        NoReaderError: a side would be left without anybody who reads it, or a group newly addressed has nobody.
    """
    raise NotImplementedError

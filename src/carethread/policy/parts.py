"""What somebody's part in a thread lets them change, who does not hold the home side's rights."""

from msgspec.structs import replace

from carethread.directory.model import Standing
from carethread.errors import NotAllowedError
from carethread.ids import ParticipantId
from carethread.policy.actor import PATIENT_SIDE, Actor, Company, Thread
from carethread.policy.admission import is_member
from carethread.policy.home import is_clinician_of_any
from carethread.policy.standing import PROFESSIONAL_ROLES, is_clinician_in
from carethread.record.model import Ledger, LedgerUpdate, ThreadStatus


def check_part(actor: Actor, thread: Thread, after: Ledger, update: LedgerUpdate, company: Company) -> None:
    """The recipient side's clinicians add colleagues and close; a patient or related person closes what they opened.

    `after` is the ledger that `update` makes.

    Raises:
        NotAllowedError: anything else changes.
    """
    before = thread.ledger
    addressing = before.addressing
    asked = () if addressing is None else addressing.recipients
    is_asked = is_clinician_of_any(actor, thread, asked)
    opened_it = addressing is not None and addressing.requester == actor.id and actor.kind in PATIENT_SIDE
    allowed = before
    if (is_asked or opened_it) and after.status is ThreadStatus.CLOSED:
        allowed = replace(allowed, status=after.status)
    if is_asked:
        groups = _own_groups(actor, thread, asked)
        added = tuple(each.id for each in update.add_participants)
        if all(_is_colleague(each, groups, thread, company) for each in added):
            allowed = replace(allowed, participants=before.participants + update.add_participants)
    refused = [name for name in before.__struct_fields__ if getattr(allowed, name) != getattr(after, name)]
    if refused:
        raise NotAllowedError(
            f"{actor.id} may not change {' and '.join(refused)} of thread {before.communication_id} so: "
            "ask the side that opened it"
        )


def _own_groups(actor: Actor, thread: Thread, asked: tuple[ParticipantId, ...]) -> tuple[ParticipantId, ...]:
    """Return the groups whose members are colleagues.

    Those through which the actor is asked; for whom is asked by name alone, the organisations and teams, other than
    a patient's, of which they are a clinician.
    """
    through = tuple(each for each in asked if is_clinician_in(actor, thread, each))
    return through or tuple(
        each.group for each in actor.memberships if each.standing is Standing.CLINICIAN and each.patient is None
    )


def _is_colleague(added: ParticipantId, groups: tuple[ParticipantId, ...], thread: Thread, company: Company) -> bool:
    known = company.get(added)
    if known is None or known.role not in PROFESSIONAL_ROLES:
        return False
    return any(is_member(known, each, thread.patients) for each in groups)

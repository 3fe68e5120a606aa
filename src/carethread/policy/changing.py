"""Who may change the ledger of a thread, and to what."""

from msgspec.structs import replace

from carethread.errors import (
    AddressedParticipantError,
    DuplicateParticipantError,
    NoReaderError,
    NotAllowedError,
    NothingToChangeError,
    ThreadNotOpenError,
)
from carethread.ids import ParticipantId
from carethread.policy.actor import Actor, ActorKind, Company, Thread
from carethread.policy.admission import (
    check_addressed,
    check_admitted,
    check_none_external,
    has_reader,
    narrows,
)
from carethread.policy.home import holds_home_rights
from carethread.policy.parts import check_part
from carethread.policy.reading import check_may_read, opened_for
from carethread.policy.sides import Side, addresses_of
from carethread.policy.standing import check_may_write
from carethread.record import rules
from carethread.record.model import Ledger, LedgerUpdate, ThreadStatus


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
    if actor.kind is ActorKind.STEWARD:
        check_may_read(actor, thread)
    else:
        check_may_write(actor, thread)
    before = thread.ledger
    after = _changed(before, update)
    if after == before and not update.remove_participants:
        raise NothingToChangeError(f"thread {before.communication_id} already is as asked")
    if not holds_home_rights(actor, thread):
        check_part(actor, thread, after, update, company)
    _check_status(before, after)
    for removed in update.remove_participants:
        rules.check_removal(before, removed)
    for added in update.add_participants:
        if rules.find_participant(before.participants, added.id) is not None:
            raise DuplicateParticipantError(f"participant {added.id} takes part already")
    rules.check_participants(after.participants)
    changed = replace(thread, ledger=after)
    _check_addressing(before, after)
    check_admitted(update.add_participants, changed, company)
    if after.addressing != before.addressing:
        newly = frozenset().union(*_sides(after)).difference(*_sides(before))
        check_addressed(newly, changed, company)
    if before.policies.allow_external_organisations:
        check_none_external(changed, company)
    rules.check_policies(after.policies, after.addressing, after.participants)
    _check_readers(thread, changed, company)


def _changed(before: Ledger, update: LedgerUpdate) -> Ledger:
    stay = tuple(each for each in before.participants if each.id not in update.remove_participants)
    return replace(
        before,
        status=before.status if update.status is None else ThreadStatus(update.status),
        participants=stay + update.add_participants,
        visibility=update.visibility or before.visibility,
        policies=update.policies or before.policies,
        addressing=update.addressing or before.addressing,
    )


# ── To what ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_status(before: Ledger, after: Ledger) -> None:
    if after.status is not before.status:
        rules.check_thread_transition(before.status, after.status)
    stays = before.policies == after.policies and before.addressing == after.addressing
    if before.status is not ThreadStatus.OPEN and not stays:
        raise ThreadNotOpenError(f"thread {before.communication_id} is {before.status}: policies and addressing stay")


def _check_addressing(before: Ledger, after: Ledger) -> None:
    """The home side stays what it is, and whoever is asked stays asked."""
    if after.addressing is None:
        return
    if before.addressing is None:
        raise NotAllowedError(
            f"thread {before.communication_id} is plain and stays so: open another that says who is asked"
        )
    rules.check_addressing(after.addressing, after.participants)
    if before.addressing.requester != after.addressing.requester or opened_for(before) != opened_for(after):
        raise NotAllowedError(
            f"the requester of thread {before.communication_id}, and the group it was opened for, stay: open another"
        )
    for each in before.addressing.recipients:
        if each not in after.addressing.recipients:
            raise AddressedParticipantError(f"recipient {each} is addressed by the thread and stays")


def _check_readers(thread: Thread, changed: Thread, company: Company) -> None:
    """Each side keeps somebody who reads the thread, whatever is narrowed and whoever is removed.

    In a restricted thread that is a named individual, since nobody else reads it. A side that has nobody already
    refuses only what narrows the thread.
    """
    before, after = thread.ledger, changed.ledger
    narrowed = narrows(before, after)
    without = tuple(
        was
        for was, now in zip(_sides(before), _sides(after), strict=True)
        if not has_reader(now, changed, company) and (narrowed or has_reader(was, thread, company))
    )
    if without:
        named = ", and nobody of ".join(" and ".join(sorted(each)) for each in without)
        raise NoReaderError(
            f"nobody of {named} could read thread {before.communication_id} any more: add one of them by name first",
            without,
        )


def _sides(ledger: Ledger) -> tuple[frozenset[ParticipantId], ...]:
    """Return the addresses of each side. A plain thread has one side: everyone."""
    if ledger.addressing is None:
        return (frozenset(each.id for each in ledger.participants),)
    return tuple(addresses_of(ledger.addressing, side) for side in Side)

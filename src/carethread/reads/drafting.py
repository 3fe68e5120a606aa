"""What somebody has begun to write: their own, and only where they may read."""

from msgspec.structs import replace

from carethread.access_log import Action
from carethread.coordination import CoordinationService
from carethread.policy.actor import Caller
from carethread.policy.drafts import Draft, DraftPlace, Unfinished, check_drafts, check_place, drafting
from carethread.store import drafts as store
from carethread.store.asking import Asking, Shown, answer, line


def read_draft(service: CoordinationService, caller: Caller, place: DraftPlace) -> Draft | None:
    """Return what somebody has begun to write at a place; nothing where they have not, or not for 90 days.

    Raises:
        UnknownThreadError, UnknownMessageError, UnknownPersonError: there is no such place, or they may not read there.
        NotAllowedError: a system asks, or somebody as auditor or steward.
    """
    check_place(place)
    asked = store.asked_about(caller, Action.SERVED, place)

    def work(asking: Asking) -> tuple[Draft | None, Shown]:
        person = drafting(caller)
        check_drafts(asking.actor)
        store.Places(asking.connection, asking.actor, asking.at).check(place)
        return store.find(asking.connection, person, place, asking.at), Shown(asked)

    return answer(service.archive, asked, caller, work)


def drafts(service: CoordinationService, caller: Caller) -> tuple[Unfinished, ...]:
    """Return where somebody has begun to write and not posted it, newest first, as far as they may read there now.

    Raises:
        NotAllowedError: a system asks, or somebody as auditor or steward.
    """
    asked = replace(line(caller, Action.LISTED), detail="drafts")

    def work(asking: Asking) -> tuple[tuple[Unfinished, ...], Shown]:
        return drafts_in(asking, caller), Shown(asked)

    return answer(service.archive, asked, caller, work)


def drafts_in(asking: Asking, caller: Caller) -> tuple[Unfinished, ...]:
    """Return where somebody has begun to write, as `drafts` does."""
    person = drafting(caller)
    check_drafts(asking.actor)
    places = store.Places(asking.connection, asking.actor, asking.at)
    kept = store.of_person(asking.connection, person, asking.at)
    return tuple(each for each in kept if places.are_open(each.place))

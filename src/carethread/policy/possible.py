"""What somebody may do in a thread now: each answer is that of the check which is asked again when they do it.

Where that check is about somebody who is to be added, whom nobody has named yet, an invented colleague stands for them,
who is a member of every group that takes part and of every group of the actor's; or an invented stranger, who is a
member of nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from carethread.directory.model import Membership, Standing
from carethread.errors import AmbiguousSideError, CarethreadError, NoReaderError
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.actor import Actor, Company, Known, Thread
from carethread.policy.allowing import allows
from carethread.policy.changing import check_may_change
from carethread.policy.opening import check_may_open
from carethread.policy.sides import recipients_for
from carethread.policy.speaking import author_opening, check_may_speak, default_group
from carethread.policy.standing import groups_of
from carethread.policy.writing import check_is_theirs, check_may_correct, check_may_post, check_may_set_aside
from carethread.record import rules
from carethread.record.model import (
    GROUP_ROLES,
    CoordinationStatus,
    LedgerUpdate,
    Message,
    MessageType,
    Participant,
    Party,
    Policies,
    Role,
    Sensitivity,
    ThreadStatus,
    Visibility,
)
from carethread.record.transitions import NewThread

_INVENTED = ParticipantId("00000000-0000-0000-0000-000000000000")
_SOMEBODY = Participant(_INVENTED, Role.CLINICIAN, "Somebody")
_ADDED = LedgerUpdate(add_participants=(_SOMEBODY,))
VISIBILITIES = tuple(Visibility(*each) for each in product(Sensitivity, (False, True)))
POLICIES = tuple(Policies(*each) for each in product((False, True), repeat=2))
# Ids of participants, one set for each side of a thread.
Sides: TypeAlias = tuple[frozenset[str], ...]


class Possible(Struct, frozen=True, kw_only=True):
    """What is possible now. What is said of messages is said of those that were asked about.

    Attributes:
        post: write a message, in at least one of the ways of speaking.
        correct: which messages they may correct.
        correct_later: of a closed thread, which they may correct in one that takes it up.
        add: add a colleague.
        add_others: add somebody who is no colleague of theirs.
        remove: which participants they may remove.
        visibilities: to which visibilities they may change it; the one it has is not among them.
        without_reader: to which they could but for these sides, of which nobody would read it.
        policies: to which policies they may change it; likewise.
        close: close it.
        archive: archive it.
        continues: open a thread that takes this one up.
        set_aside: for which of their groups they may set it aside.
        refile: which messages they may file again in the record of another patient.
    """

    post: bool = False
    correct: frozenset[MessageId] = frozenset()
    correct_later: frozenset[MessageId] = frozenset()
    add: bool = False
    add_others: bool = False
    remove: frozenset[ParticipantId] = frozenset()
    visibilities: frozenset[Visibility] = frozenset()
    without_reader: Mapping[Visibility, Sides] = {}
    policies: frozenset[Policies] = frozenset()
    close: bool = False
    archive: bool = False
    continues: bool = False
    set_aside: frozenset[ParticipantId] = frozenset()
    refile: frozenset[MessageId] = frozenset()


class Way(Struct, frozen=True):
    """A way in which somebody can speak in a thread.

    Attributes:
        on_behalf_of: the group they write for; `None` for themselves.
        to: whom a message goes to that names nobody: empty in a plain thread, where it goes to everyone; `None` if
            nothing tells, so that it must be said.
        is_default: this is for whom they write who do not say. Of several ways, none may be.
    """

    on_behalf_of: ParticipantId | None
    to: tuple[ParticipantId, ...] | None
    is_default: bool


def ways_of(actor: Actor, thread: Thread) -> tuple[Way, ...]:
    """Return the ways in which an actor speaks in a thread: themselves first, then groups in the ledger's order.

    Whether it takes messages is another question.
    """
    candidates = (None, *groups_of(actor, thread))
    found = tuple(each for each in candidates if allows(check_may_speak, actor, thread, each))
    defaults = _default(actor, thread)
    return tuple(Way(each, _goes_to(actor, thread, each), each in defaults) for each in found)


def _default(actor: Actor, thread: Thread) -> tuple[ParticipantId | None, ...]:
    try:
        return (default_group(actor, thread),)
    except AmbiguousSideError:
        return ()


def _goes_to(
    actor: Actor, thread: Thread, on_behalf_of: ParticipantId | None
) -> tuple[ParticipantId, ...] | None:  # fmt: skip
    try:
        return recipients_for(actor, thread, on_behalf_of, ())
    except AmbiguousSideError:
        return None


class Around(Struct, frozen=True, kw_only=True):
    """What else bears on what is possible.

    Attributes:
        status: of the record.
        installation: who asks is asked here: only its custodian writes a record.
        company: what the directory knows of every participant.
        patient_side_opens: whether this installation lets patients and related persons open threads.
    """

    status: CoordinationStatus
    installation: ParticipantId
    company: Company
    patient_side_opens: bool = True


def possible(actor: Actor, thread: Thread, around: Around, messages: Iterable[Message]) -> Possible:
    """Return what an actor may do in a thread that they may read."""
    status = around.status
    if not (allows(rules.check_custodian, status, around.installation) and allows(rules.check_modifiable, status)):
        return Possible(set_aside=_set_aside(actor, thread))
    changes = _Changes(actor, thread, around.company)
    ledger = thread.ledger
    found = Possible(
        add=changes.allow(_ADDED, changes.colleague),
        add_others=changes.allow(_ADDED, Known(_INVENTED, Role.CLINICIAN, _SOMEBODY.name)),
        remove=frozenset(each.id for each in ledger.participants if changes.allow(_removing(each.id))),
        visibilities=frozenset(each for each in VISIBILITIES if changes.allow(LedgerUpdate(visibility=each))),
        without_reader={each: sides for each in VISIBILITIES if (sides := changes.without_reader(each))},
        policies=frozenset(each for each in POLICIES if changes.allow(LedgerUpdate(policies=each))),
        close=changes.allow(LedgerUpdate(ThreadStatus.CLOSED)),
        archive=changes.allow(LedgerUpdate(ThreadStatus.ARCHIVED)),
        set_aside=_set_aside(actor, thread),
    )
    if not allows(rules.check_accepts_entries, status):
        return found
    # For whom somebody corrects decides whether they may write at all, and not which message is theirs.
    ways = [each for each in ways_of(actor, thread) if allows(check_may_post, actor, thread, each.on_behalf_of)]
    entries = tuple(messages)
    correct = frozenset(_correctable(actor, thread, ways[0].on_behalf_of, entries)) if ways else frozenset()
    # Whoever files again is not asked for whom they correct.
    refiles = any(each.is_default for each in ways) and _refiles(actor, thread, around, changes)
    continues = _opens(actor, thread.patients, around, thread)
    return replace(
        found,
        post=bool(ways),
        correct=correct,
        correct_later=frozenset(_theirs(actor, thread, entries)) if continues else frozenset(),
        continues=continues,
        refile=correct if refiles else frozenset(),
    )


def _removing(participant: ParticipantId) -> LedgerUpdate:
    return LedgerUpdate(remove_participants=(participant,))


def _set_aside(actor: Actor, thread: Thread) -> frozenset[ParticipantId]:
    groups = groups_of(actor, thread)
    return frozenset(each for each in groups if allows(check_may_set_aside, actor, thread, each))


class _Changes:
    """Asks whether a ledger may be changed, with somebody invented where somebody is to be added."""

    def __init__(self, actor: Actor, thread: Thread, company: Company) -> None:
        self._actor, self._thread, self._company = actor, thread, company
        taking_part = (each.id for each in thread.ledger.participants if each.role in GROUP_ROLES)
        groups = dict.fromkeys((*taking_part, *(each.group for each in actor.memberships)))
        memberships = tuple(Membership(each, Standing.CLINICIAN) for each in groups)
        self.colleague = Known(_INVENTED, Role.CLINICIAN, _SOMEBODY.name, memberships=memberships)

    def allow(self, update: LedgerUpdate, invented: Known | None = None) -> bool:
        company = self._company if invented is None else {**self._company, _INVENTED: invented}
        return allows(check_may_change, self._actor, self._thread, update, company)

    def without_reader(self, visibility: Visibility) -> Sides:
        """Return the sides of which nobody would read the thread, where that is all that stands in the way."""
        try:
            check_may_change(self._actor, self._thread, LedgerUpdate(visibility=visibility), self._company)
        except NoReaderError as error:
            return error.sides
        except CarethreadError:
            pass
        return ()


# ── Messages ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _correctable(
    actor: Actor, thread: Thread, on_behalf_of: ParticipantId | None, messages: tuple[Message, ...]
) -> Iterator[MessageId]:
    return _allowed(
        messages, lambda each: allows(check_may_correct, actor, thread, on_behalf_of, each.id, (thread, each))
    )


def _theirs(actor: Actor, thread: Thread, messages: tuple[Message, ...]) -> Iterator[MessageId]:
    return _allowed(messages, lambda each: allows(check_is_theirs, actor, each.id, (thread, each)))


def _allowed(messages: tuple[Message, ...], is_allowed: Callable[[Message], bool]) -> Iterator[MessageId]:
    """Yield which messages are allowed. Those that one author wrote for one group are alike, and asked about once."""
    answers: dict[tuple[bool, ParticipantId, Party | None], bool] = {}
    for each in messages:
        kind = (each.type is MessageType.SYSTEM, each.author_id, each.on_behalf_of)
        if kind not in answers:
            answers[kind] = is_allowed(each)
        if answers[kind]:
            yield each.id


def _refiles(actor: Actor, thread: Thread, around: Around, changes: _Changes) -> bool:
    """Say whether the way of refiling is open, whichever message it is about.

    Then the thread is archived, and read by those alone who are named: somebody of each side may have to be added.
    """
    restricted = Visibility(thread.ledger.visibility.sensitivity, restricted=True)
    update = LedgerUpdate(ThreadStatus.ARCHIVED, visibility=restricted)
    shuts = changes.allow(update) or changes.allow(_with_somebody(update), changes.colleague)
    return shuts and _opens(actor, frozenset(), around, None)


def _with_somebody(update: LedgerUpdate) -> LedgerUpdate:
    return replace(update, add_participants=_ADDED.add_participants)


def _opens(actor: Actor, patients: frozenset[ParticipantId], around: Around, continued: Thread | None) -> bool:
    """Say whether somebody opens threads about these patients at all, for themselves or for a group of theirs."""
    continues: CommunicationId | None = None if continued is None else continued.ledger.communication_id
    groups = dict.fromkeys(each.group for each in actor.memberships)
    for group in (None, *groups):
        author = author_opening(actor, patients, group)
        new = NewThread((Participant(author.id, author.role, author.name),), continues=continues)
        opens = around.patient_side_opens
        if allows(check_may_open, actor, new, group, patients, {}, patient_side_opens=opens, continued=continued):
            return True
    return False

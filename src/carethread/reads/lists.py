"""Inboxes: mine, my organisations' and teams', what waits on us, unread, archived; a patient's threads."""

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import Action, Served
from carethread.coordination import CoordinationService
from carethread.errors import InvalidValueError, NotAllowedError, NotMemberError, UnknownPersonError
from carethread.ids import ClinicalId, CoordinationId, ParticipantId
from carethread.policy.actor import PATIENT_SIDE, ActorKind, Caller, Known
from carethread.policy.reading import Grant, Reach, may_read
from carethread.record.model import GROUP_ROLES, Ledger, Message, ThreadStatus
from carethread.store.asking import Asking, Shown, answer, line
from carethread.store.database import Connection
from carethread.store.inbox import (
    FIRST,
    MOST_UNREAD,
    Shelf,
    Wanted,
    decode_cursor,
    encode_cursor,
    groups_with_threads,
    is_unread,
    listed,
)
from carethread.store.people import known, patients_of_record, records_of_patient
from carethread.store.threads import Stored, asked_about, entry_at, thread_at, threads_of
from carethread.store.ways import records_of, shelves

MOST_LINES = 200
_LONGEST_NUMBER = 18


class InboxLine(Struct, frozen=True):
    """One thread of a list. `last` is its last message, system entries aside; `patients` are those of its record."""

    record: CoordinationId
    patients: frozenset[ParticipantId]
    ledger: Ledger
    last: Message | None
    is_unread: bool


class Page(Struct, frozen=True):
    """Part of a list. `after` asks for the next part; empty at the end."""

    lines: tuple[InboxLine, ...]
    after: str = ""


def inbox(
    service: CoordinationService,
    caller: Caller,
    *,
    of: ParticipantId | None = None,
    wanted: Wanted | None = None,
    patient: ParticipantId | None = None,
    after: str = "",
    count: int = 50,
) -> Page:
    """Return threads, newest activity first.

    Args:
        service: the installation.
        caller: who asks.
        of: their own id for the threads they take part in by name; a group's for those they read as its member;
            left out, all of both.
        wanted: archived ones, those that wait on us, or unread ones; left out, all that are not archived.
        patient: only threads about this patient, or one merged with them; of somebody unknown there are none.
        after: where the page before ended.
        count: how many at most.

    Raises:
        NotMemberError: `of` is a group of which they are no active member.
        InvalidValueError: `after` or `count` is not in order.
    """
    choice = wanted or Wanted()
    asked = replace(line(caller, Action.LISTED), acting_for=of, detail=described(choice), query=about(patient))
    archive = service.archive

    def work(asking: Asking) -> tuple[Page, Shown]:
        page, served = page_in(asking, archive.installation.custodian.id, of, choice, patient, after, count)
        return page, Shown(replace(asked, served=served))

    return answer(archive, asked, caller, work)


def page_in(
    asking: Asking,
    custodian: ParticipantId,
    of: ParticipantId | None,
    wanted: Wanted,
    patient: ParticipantId | None,
    after: str,
    count: int,
) -> tuple[Page, tuple[Served, ...]]:
    """Return part of a list, as `inbox` does, and what the log has to say of that."""
    _check_count(count)
    place = decode_cursor(after) if after else FIRST
    found = _chosen(asking, custodian, of)
    if patient is not None:
        found = _about_patient(asking, found, patient, custodian)
    rows = listed(asking.connection, found, wanted, asking.actor.id, place, count + 1)
    lines = []
    shown = []
    made = _Lines(asking.connection)
    for each in rows[:count]:
        stored = thread_at(asking.connection, each.key, each.number)
        lines.append(made.line(stored, is_unread=each.is_unread))
        shown.append(Served(stored.ledger.communication_id, stored.version))
    more = encode_cursor(rows[count - 1].place) if len(rows) > count else ""
    return Page(tuple(lines), more), tuple(shown)


def _about_patient(asking: Asking, found: list[Shelf], patient: ParticipantId, custodian: ParticipantId) -> list[Shelf]:
    """Return shelves without what is not about a patient: what is bound to others stays bound."""
    records = frozenset(records_of(asking.connection, patient, custodian))
    return [Shelf(each.grant, records if each.records is None else each.records & records) for each in found]


def unread_count(service: CoordinationService, caller: Caller, *, of: ParticipantId | None = None) -> int:
    """Return how many threads have a message after what they last had before them; counted up to `MOST_UNREAD`.

    Raises:
        NotMemberError: `of` is a group of which they are no active member.
    """
    asked = replace(line(caller, Action.LISTED), acting_for=of, detail="unread count")
    archive = service.archive

    def work(asking: Asking) -> tuple[int, Shown]:
        return count_unread(asking, archive.installation.custodian.id, of), Shown(asked)

    return answer(archive, asked, caller, work)


def count_unread(asking: Asking, custodian: ParticipantId, of: ParticipantId | None) -> int:
    """Return how many threads of a list are unread, as `unread_count` counts."""
    found = _chosen(asking, custodian, of)
    return len(listed(asking.connection, found, Wanted(unread=True), asking.actor.id, FIRST, MOST_UNREAD))


def patient_threads(
    service: CoordinationService,
    caller: Caller,
    patient: ParticipantId,
    *,
    archived: bool = False,
    before: str = "",
    count: int | None = None,
) -> tuple[InboxLine, ...]:
    """Return a patient's threads that they may read, those of merged patients too, newest activity first.

    Args:
        service: the installation.
        caller: who asks.
        patient: whose.
        archived: archived ones too.
        before: only those that stand after this place, which `place_of` gives of a line.
        count: how many at most; left out, all.

    Raises:
        InvalidValueError: `before` is no place, or `count` not in order.
        UnknownPersonError: the directory has no such patient, or whoever asks is on another patient's side.
    """
    asked = replace(line(caller, Action.LISTED), detail="patient", query=f'{{"patient":"{patient}"}}')
    archive = service.archive

    def work(asking: Asking) -> tuple[tuple[InboxLine, ...], Shown]:
        if count is not None:
            _check_count(count)
        place = _place(before) if before else None
        found: list[Stored] = []
        actor = asking.actor
        if actor.kind in PATIENT_SIDE and patient not in actor.patients:
            # They see nobody else in the directory, and so are not told whether there is such a patient.
            raise UnknownPersonError(f"the directory has no patient {patient}")
        for clinical_id in records_of_patient(asking.connection, patient):
            for stored in threads_of(asking.connection, clinical_id, archive.installation.custodian.id):
                about = asked_about(asking.connection, stored, asking.actor, asking.at)
                hidden = stored.ledger.status is ThreadStatus.ARCHIVED and not archived
                if about is None or hidden or not may_read(asking.actor, about):
                    continue
                if place is None or _order(stored.ledger) < place:
                    found.append(stored)
        found.sort(key=lambda each: _order(each.ledger), reverse=True)
        made, part = _Lines(asking.connection), found[:count]
        lines = tuple(made.line(each, is_unread=_is_unread(asking, each)) for each in part)
        served = tuple(Served(each.ledger.communication_id, each.version) for each in part)
        return lines, Shown(replace(asked, served=served))

    return answer(archive, asked, caller, work)


def place_of(each: InboxLine) -> str:
    """Return where a thread stands among a patient's, as `patient_threads` takes it."""
    at, thread = _order(each.ledger)
    return f"{at}.{thread}"


def _place(given: str) -> tuple[int, str]:
    at, _, thread = given.partition(".")
    if not (at.isascii() and at.isdigit() and len(at) < _LONGEST_NUMBER):
        raise InvalidValueError("before", "is no place in this list: leave it out to begin")
    return int(at), thread


def _order(ledger: Ledger) -> tuple[int, str]:
    return ledger.last_updated_at, ledger.communication_id


def _is_unread(asking: Asking, stored: Stored) -> bool:
    thread_id = stored.ledger.communication_id
    return is_unread(asking.connection, asking.actor.id, thread_id, stored.key, stored.number)


def deserted_threads(
    service: CoordinationService, caller: Caller, group: ParticipantId, *, after: str = "", count: int = 50
) -> Page:
    """Return threads of a group for which a steward acts: nobody of their home side is left. Newest activity first.

    A part may be short, or empty, and not the last. Archived threads are not among them.

    Raises:
        NotAllowedError: whoever asks does not act as a steward.
        InvalidValueError: `after` or `count` is not in order.
    """
    asked = replace(line(caller, Action.LISTED), acting_for=group, detail="deserted threads")

    def work(asking: Asking) -> tuple[Page, Shown]:
        _check_count(count)
        if asking.actor.kind is not ActorKind.STEWARD or not asking.actor.active:
            raise NotAllowedError("threads of which nobody is left are listed for stewards")
        place = decode_cursor(after) if after else FIRST
        shelf = Shelf(Grant(group, Reach.NOBODY))
        rows = listed(asking.connection, [shelf], Wanted(), asking.actor.id, place, count + 1)
        made, lines, served = _Lines(asking.connection), [], []
        for each in rows[:count]:
            stored = thread_at(asking.connection, each.key, each.number)
            about = asked_about(asking.connection, stored, asking.actor, asking.at)
            if about is not None and may_read(asking.actor, about):
                # Nothing is unread for a steward: whether a thread waits for anybody is not theirs to say.
                lines.append(made.line(stored, is_unread=False))
                served.append(Served(stored.ledger.communication_id, stored.version))
        more = encode_cursor(rows[count - 1].place) if len(rows) > count else ""
        return Page(tuple(lines), more), Shown(replace(asked, served=tuple(served)))

    return answer(service.archive, asked, caller, work)


def unattended_groups(
    service: CoordinationService, caller: Caller, *, after: ParticipantId | None = None, count: int = 100
) -> tuple[tuple[ParticipantId, ...], ParticipantId | None]:
    """Return groups with threads that no active member reads any more, for a steward; and where to go on.

    Raises:
        NotAllowedError: whoever asks does not act as a steward or an auditor.
    """
    asked = replace(line(caller, Action.LISTED), detail="unattended groups")

    def work(asking: Asking) -> tuple[tuple[tuple[ParticipantId, ...], ParticipantId | None], Shown]:
        _check_count(count)
        if asking.actor.kind not in (ActorKind.STEWARD, ActorKind.AUDITOR) or not asking.actor.active:
            raise NotAllowedError("groups that nobody reads are listed for stewards and auditors")
        groups = groups_with_threads(asking.connection, after, count)
        company = known(asking.connection, groups, asking.at)
        alone = tuple(each for each in groups if _is_unattended(company.get(each)))
        return (alone, groups[-1] if len(groups) == count else None), Shown(asked)

    return answer(service.archive, asked, caller, work)


def _is_unattended(group: Known | None) -> bool:
    # Whoever opened a thread for a group is listed beside the groups: they do not read it by name either.
    return group is None or (group.role in GROUP_ROLES and not (group.active and group.members))


def _chosen(asking: Asking, custodian: ParticipantId, of: ParticipantId | None) -> list[Shelf]:
    """Return the shelves of a list: all, those of a group, or those on which somebody stands by name."""
    actor = asking.actor
    found = shelves(asking.connection, actor, custodian)
    if of is None:
        return found
    if of == actor.id:
        return [each for each in found if each.grant.need is Reach.NAMED]
    found = [each for each in found if each.grant.participant == of and each.grant.need is not Reach.NAMED]
    if not found:
        raise NotMemberError(f"{actor.id} is no active member of {of}")
    return found


class _Lines:
    """Makes lines; threads of one record, which often come together, share the look at its patients."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._patients: dict[ClinicalId, frozenset[ParticipantId]] = {}

    def line(self, stored: Stored, *, is_unread: bool) -> InboxLine:
        last = entry_at(self._connection, stored, stored.last_message) if stored.last_message else None
        if stored.clinical_id not in self._patients:
            self._patients[stored.clinical_id] = patients_of_record(self._connection, stored.clinical_id)
        return InboxLine(stored.record, self._patients[stored.clinical_id], stored.ledger, last, is_unread)


def about(patient: ParticipantId | None) -> str:
    """Return what the log keeps of the patient whose threads alone are listed."""
    return "" if patient is None else f'{{"patient":"{patient}"}}'


def described(wanted: Wanted) -> str:
    """Return what the log says of a list."""
    words = [name for name in ("archived", "waiting", "unread") if getattr(wanted, name)]
    return " ".join(["inbox", *words])


def _check_count(count: int) -> None:
    if not 0 < count <= MOST_LINES:
        raise InvalidValueError("count", f"is not from 1 to {MOST_LINES}")

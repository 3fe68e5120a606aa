"""Inboxes: mine, my organisations' and teams', what waits on us, unread, archived; a patient's threads."""

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import Action, Served
from carethread.coordination import CoordinationService
from carethread.errors import InvalidValueError, NotAllowedError, NotMemberError, UnknownPersonError
from carethread.ids import ClinicalId, CoordinationId, ParticipantId
from carethread.policy.actor import PATIENT_SIDE, ActorKind, Caller, Known
from carethread.policy.reading import Reach, may_read
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
from carethread.store.ways import shelves

MOST_LINES = 200


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
        after: where the page before ended.
        count: how many at most.

    Raises:
        NotMemberError: `of` is a group of which they are no active member.
        InvalidValueError: `after` or `count` is not in order.
    """
    choice = wanted or Wanted()
    asked = replace(line(caller, Action.LISTED), acting_for=of, detail=described(choice))
    archive = service.archive

    def work(asking: Asking) -> tuple[Page, Shown]:
        page, served = page_in(asking, archive.installation.custodian.id, of, choice, after, count)
        return page, Shown(replace(asked, served=served))

    return answer(archive, asked, caller, work)


def page_in(
    asking: Asking, custodian: ParticipantId, of: ParticipantId | None, wanted: Wanted, after: str, count: int
) -> tuple[Page, tuple[Served, ...]]:
    """Return part of a list, as `inbox` does, and what the log has to say of that."""
    _check_count(count)
    place = decode_cursor(after) if after else FIRST
    rows = listed(asking.connection, _chosen(asking, custodian, of), wanted, asking.actor.id, place, count + 1)
    lines = []
    shown = []
    made = _Lines(asking.connection)
    for each in rows[:count]:
        stored = thread_at(asking.connection, each.key, each.number)
        lines.append(made.line(stored, is_unread=each.is_unread))
        shown.append(Served(stored.ledger.communication_id, stored.version))
    more = encode_cursor(rows[count - 1].place) if len(rows) > count else ""
    return Page(tuple(lines), more), tuple(shown)


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
    service: CoordinationService, caller: Caller, patient: ParticipantId, *, archived: bool = False
) -> tuple[InboxLine, ...]:
    """Return a patient's threads that they may read, those of merged patients too, newest activity first.

    Raises:
        UnknownPersonError: the directory has no such patient, or whoever asks is on another patient's side.
    """
    asked = replace(line(caller, Action.LISTED), detail="patient", query=f'{{"patient":"{patient}"}}')
    archive = service.archive

    def work(asking: Asking) -> tuple[tuple[InboxLine, ...], Shown]:
        lines = []
        shown = []
        made = _Lines(asking.connection)
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
                thread_id = stored.ledger.communication_id
                unread = is_unread(asking.connection, asking.actor.id, thread_id, stored.key, stored.number)
                lines.append(made.line(stored, is_unread=unread))
                shown.append(Served(thread_id, stored.version))
        lines.sort(key=lambda each: (each.ledger.last_updated_at, each.ledger.communication_id), reverse=True)
        return tuple(lines), Shown(replace(asked, served=tuple(shown)))

    return answer(archive, asked, caller, work)


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


def described(wanted: Wanted) -> str:
    """Return what the log says of a list."""
    words = [name for name in ("archived", "waiting", "unread") if getattr(wanted, name)]
    return " ".join(["inbox", *words])


def _check_count(count: int) -> None:
    if not 0 < count <= MOST_LINES:
        raise InvalidValueError("count", f"is not from 1 to {MOST_LINES}")

"""Whom a thread can be addressed to, found by words: people with where they work, groups with who would read."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import Action, ServedEntry
from carethread.coordination import CoordinationService
from carethread.directory.criteria import EntryClause, EntryField, Text
from carethread.directory.matching import plain_words
from carethread.directory.memberships import in_force, members_of
from carethread.directory.model import CareTeam, Entry, EntryKind, Group, Organization, Patient, RelatedPerson, Standing
from carethread.errors import InvalidValueError
from carethread.ids import ParticipantId, parse_participant_id
from carethread.policy.actor import Caller, Known
from carethread.reads.patients import patient_known
from carethread.record.model import Party, Role
from carethread.store.asking import Asking, Shown, answer, line
from carethread.store.called import newest_entries
from carethread.store.directory_entries import entries_around
from carethread.store.directory_finding import check_texts
from carethread.store.directory_own import Acquaintance, acquaintance
from carethread.store.directory_search import name_of, search
from carethread.store.keys import is_uuid
from carethread.store.people import around_patients, known, merged_patients

MOST_ADDRESSEES = 50
# Of a thread: more than take part in any.
MOST_CHOSEN = 200
# How many entries a call looks at before it answers with what it has.
_BUDGET = 1_000
_BATCH = 200
_KINDS = (EntryKind.PRACTITIONER, EntryKind.ORGANIZATION, EntryKind.CARE_TEAM)


class Place(Struct, frozen=True):
    """Where a practitioner works now, as what."""

    organization: Party
    standings: frozenset[Standing]


class Addressee(Struct, frozen=True):
    """Somebody, or a group, that can be addressed.

    Attributes:
        id: whom.
        role: what they are as a participant.
        name: what they are called.
        places: of a practitioner, where they work now.
        members: of a group, how many active members it has of each standing; who of them reads hangs on visibility.
        of: whose: of a team, its organisation or patient; of an organisation, what it is part of; of a related
            person, the patient.
    """

    id: ParticipantId
    role: Role
    name: str
    places: tuple[Place, ...] = ()
    members: Mapping[Standing, int] = {}
    of: Party | None = None


class AddresseePage(Struct, frozen=True):
    """Part of what was found, by name. `after` asks for the next part; empty at the end.

    A part may be short, or empty, and not the last: what a call looks at is bounded.
    """

    addressees: tuple[Addressee, ...]
    after: str = ""


def patient_of(entry: Entry) -> ParticipantId | None:
    """Return the patient that an entry is about, or bound to."""
    if isinstance(entry, Patient):
        return entry.id
    return entry.patient if isinstance(entry, RelatedPerson | CareTeam) else None


def find_addressees(
    service: CoordinationService,
    caller: Caller,
    words: str = "",
    *,
    patient: ParticipantId | None = None,
    after: str = "",
    count: int = 20,
) -> AddresseePage:
    """Return active people, organisations and teams, by name.

    Args:
        service: the installation.
        caller: who asks. The patient's side finds the people and groups of its own.
        words: each is the beginning of a word of the name; without any, only those around the patient, and for the
            patient's side all of its own.
        patient: whom a thread is about: then they, their related persons and their teams are found too. Of other
            patients nobody is.
        after: where the part before ended.
        count: how many at most.

    Raises:
        UnknownPersonError: there is no such patient, or whoever asks may not know of them.
        InvalidValueError: `after`, `count` or the words are not in order.
    """
    check_texts((EntryClause(EntryField.NAME, (Text(words),)),), "")
    about = None if patient is None else parse_participant_id(patient, "patient")
    said = {"addressees": words, "patient": about}
    query = msgspec.json.encode({name: each for name, each in said.items() if each}).decode()
    asked = replace(line(caller, Action.SEARCHED), query=query)
    custodian = service.archive.installation.custodian.id

    def work(asking: Asking) -> tuple[AddresseePage, Shown]:
        if not 0 < count <= MOST_ADDRESSEES:
            raise InvalidValueError("count", f"is not from 1 to {MOST_ADDRESSEES}")
        connection = asking.connection
        around = frozenset() if about is None else merged_patients(connection, patient_known(asking, about).id)
        looking = _Looking(asking, acquaintance(asking, custodian), tuple(plain_words(words)), around)
        found, more = looking.page(after, count)
        described = tuple(_described(asking, looking.knowing, found))
        versions = {each.id: version for each, version, _ in newest_entries(connection, [one.id for one in found])}
        shown = tuple(ServedEntry(each.id, versions[each.id]) for each in described)
        return AddresseePage(described, more), Shown(replace(asked, entries=shown))

    return answer(service.archive, asked, caller, work)


def chosen_addressees(
    service: CoordinationService,
    caller: Caller,
    ids: Iterable[ParticipantId],
    *,
    patient: ParticipantId | None = None,
) -> tuple[Addressee, ...]:
    """Return people and groups that were chosen, in that order, as `find_addressees` would find them now.

    Whom it would not find is not there: they are not active, or of another patient, or not to be known of.

    Raises:
        UnknownPersonError: there is no such patient, or whoever asks may not know of them.
        InvalidValueError: something is no id, or they are too many.
    """
    wanted = [parse_participant_id(each, "ids") for each in dict.fromkeys(ids)]
    if len(wanted) > MOST_CHOSEN:
        raise InvalidValueError("ids", f"are more than {MOST_CHOSEN}")
    about = None if patient is None else parse_participant_id(patient, "patient")
    asked = replace(line(caller, Action.SERVED), detail="addressees")
    custodian = service.archive.installation.custodian.id

    def work(asking: Asking) -> tuple[tuple[Addressee, ...], Shown]:
        connection = asking.connection
        around = frozenset() if about is None else merged_patients(connection, patient_known(asking, about).id)
        looking = _Looking(asking, acquaintance(asking, custodian), (), around)
        rows = newest_entries(connection, wanted)
        found = [entry for each, _, _ in rows if (entry := looking.shown(each)) is not None]
        found.sort(key=lambda each: wanted.index(each.id))
        described = tuple(_described(asking, looking.knowing, found))
        versions = {each.id: version for each, version, _ in rows}
        shown = tuple(ServedEntry(each.id, versions[each.id]) for each in described)
        return described, Shown(replace(asked, entries=shown))

    return answer(service.archive, asked, caller, work)


# ── Who is found ──────────────────────────────────────────────────────────────────────────────────────────────────────


class _Looking:
    """Walks the directory by name."""

    def __init__(
        self, asking: Asking, knowing: Acquaintance, words: tuple[str, ...], about: frozenset[ParticipantId]
    ) -> None:
        self.knowing = knowing
        self._asking, self._words, self._about = asking, words, about

    def page(self, after: str, count: int) -> tuple[list[Entry], str]:
        """Return so many of whom is found after a place, and the next place."""
        found: list[Entry] = []
        last = ""
        for looked_at, entry in enumerate(self._walk(after)):
            if looked_at == _BUDGET:
                return found, last
            if self._counts(entry):
                if len(found) == count:
                    return found, found[-1].id
                found.append(entry)
            last = entry.id
        return found, ""

    def _counts(self, entry: Entry) -> bool:
        has = plain_words(name_of(entry))
        return in_force(entry, self._asking.at) and all(
            any(each.startswith(beginning) for each in has) for beginning in self._words
        )

    def _walk(self, after: str) -> Iterator[Entry]:
        start = self._read_place(after) if after else None
        people = self.knowing.people
        connection = self._asking.connection
        if people is not None:
            theirs = (self.knowing.shown(each) for each, _, _ in newest_entries(connection, sorted(people)))
            yield from _ordered((each for each in theirs if each is not None and self._is_open(each)), start)
            return
        around = _ordered(around_patients(connection, self._about), start)
        others = self._everybody(start) if self._words else iter(())
        yield from merge(around, others, key=_place)

    def shown(self, entry: Entry) -> Entry | None:
        """Return an entry that was chosen, as it is shown; nothing if it would not be found."""
        known_of = self.knowing.shown(entry)
        return known_of if known_of is not None and self._is_open(known_of) and self._counts(known_of) else None

    def _is_open(self, entry: Entry) -> bool:
        """Say whether an entry is of nobody's side, or around the patient that the thread is about."""
        patient = patient_of(entry)
        return bool(name_of(entry)) and (patient is None or patient in self._about)

    def _everybody(self, start: Entry | None) -> Iterator[Entry]:
        after = None if start is None else start.id
        while True:
            batch = search(
                self._asking.connection,
                " ".join(self._words),
                kinds=_KINDS,
                after=after,
                count=_BATCH,
                active_only=True,
            )
            yield from (each for each in batch if patient_of(each) is None)
            if len(batch) < _BATCH:
                return
            after = batch[-1].id

    def _read_place(self, after: str) -> Entry:
        found = newest_entries(self._asking.connection, (ParticipantId(after),)) if is_uuid(after) else []
        known_of = [shown for entry, _, _ in found if (shown := self.knowing.shown(entry)) is not None]
        if not known_of:
            raise InvalidValueError("after", "is no place in this list: leave it out to begin")
        return known_of[0]


def _place(entry: Entry) -> tuple[str, ParticipantId]:
    return name_of(entry), entry.id


def _ordered(entries: Iterable[Entry], start: Entry | None) -> list[Entry]:
    return sorted((each for each in entries if start is None or _place(each) > _place(start)), key=_place)


# ── What is said of them ──────────────────────────────────────────────────────────────────────────────────────────────


def _described(asking: Asking, knowing: Acquaintance, found: Sequence[Entry]) -> Iterator[Addressee]:
    connection, at = asking.connection, asking.at
    company = known(connection, [each.id for each in found], at)
    groups = [each.id for each in found if isinstance(each, Group)]
    members = members_of(groups, entries_around(connection, groups), at)
    named = {each.group for one in company.values() for each in one.memberships}
    named |= {target for each in found if (target := _whose(each)) is not None}
    names = {
        each.id: each for each, _, _ in newest_entries(connection, sorted(named)) if knowing.shown(each) is not None
    }  # fmt: skip
    for each in found:
        target = _whose(each)
        whose = None if target is None else names.get(target)
        yield Addressee(
            each.id,
            company[each.id].role,
            name_of(each),
            tuple(_places(company[each.id], names)),
            Counter(standing for _, standing in {(who, one.standing) for who, one in members.get(each.id, ())}),
            None if whose is None else Party(whose.id, name_of(whose)),
        )


def _whose(entry: Entry) -> ParticipantId | None:
    match entry:
        case CareTeam():
            return entry.managing_organization or entry.patient
        case Organization():
            return entry.part_of
        case RelatedPerson():
            return entry.patient
        case _:
            return None


def _places(person: Known, names: Mapping[ParticipantId, Entry]) -> Iterator[Place]:
    standings: defaultdict[ParticipantId, set[Standing]] = defaultdict(set)
    for each in person.memberships:
        if isinstance(names.get(each.group), Organization):
            standings[each.group].add(each.standing)
    for group in sorted(standings, key=lambda each: _place(names[each])):
        yield Place(Party(group, name_of(names[group])), frozenset(standings[group]))

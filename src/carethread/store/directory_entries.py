"""Entries of the directory by id, with all that bears on what they are members of."""

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from enum import Enum, auto
from functools import lru_cache
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import msgspec

from carethread.clock import Instant
from carethread.directory.memberships import Entries, steady
from carethread.directory.model import (
    CareTeam,
    Entry,
    Group,
    Organization,
    Patient,
    Period,
    Practitioner,
    PractitionerRole,
    RelatedPerson,
)
from carethread.ids import ParticipantId
from carethread.store import directory_statements as statements
from carethread.store.database import Connection
from carethread.store.keys import id_of, key_of

# What a process keeps in memory: entries decoded, and answers of each connection, counted by the entries in them.
_DECODED = 50_000
_REMEMBERED = 20_000
_CONCLUDED = 4_000
_GENERATION = "generation"

Result = TypeVar("Result")
# Made before there are threads: of a type that it is just getting to know, msgspec decodes what crashes the process.
_entry: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


@lru_cache(_DECODED)
def _decode(content: bytes) -> Entry:
    return _entry.decode(content)


def decode(content: bytes) -> Entry:
    """Return an entry from its content in a table."""
    return _decode(bytes(content))


def generation(connection: Connection) -> int:
    """Return how often the directory was changed."""
    noted = connection.noted
    known = None if noted is None else noted.get(_GENERATION)
    if known is None:
        row = connection.one(statements.read_generation, one=1)
        known = int(row[0]) if row is not None else 0  # pragma: no branch - the migration made the row
        if noted is not None:
            noted[_GENERATION] = known
    return known


def next_generation(connection: Connection) -> None:
    """Say that the directory was changed: what was concluded from it holds no more."""
    now = generation(connection) + 1
    connection.run(statements.set_generation, key=1, new_generation=now)
    if connection.noted is not None:
        connection.noted[_GENERATION] = now


class Look(Enum):
    """From where an entry is looked at, which says what else is needed."""

    ASKED = auto()  # it was asked for
    UPWARD = auto()  # for the groups it is in
    DOWNWARD = auto()  # for its members
    ALONE = auto()  # for itself
    MERGED = auto()  # a patient, for all merged with it


def entries_around(
    connection: Connection, ids: Iterable[ParticipantId], as_of: Instant | None = None, look: Look = Look.ASKED
) -> Entries:
    """Return entries and whatever bears on their memberships; those the directory does not have are left out.

    Of a person: their roles, the groups they are in, directly or through other groups, and the patients merged. Of a
    group: its members, down through nested groups. With `as_of`, as the directory stood then.
    """
    asked = frozenset(ids)
    if as_of is not None:
        return _closure(connection, asked, as_of, look)
    return _answers_of(connection).entries(connection, asked, look)


def concluded(
    connection: Connection,
    ids: Iterable[ParticipantId],
    look: Look,
    at: Instant,
    question: str,
    conclude: Callable[[Entries], Result],
) -> Result:
    """Return what follows at an instant from the entries around some, as `entries_around` gives them.

    Under the name of the question, what `conclude` returned is remembered until the directory is changed, or a period
    of these entries begins or ends.
    """
    return _answers_of(connection).concluded(connection, (frozenset(ids), look, question), at, conclude)


_Question = tuple[frozenset[ParticipantId], Look, str]


class _Answers:
    """What a connection was answered since the directory was last changed. A connection serves one thread at a time."""

    def __init__(self) -> None:
        self._generation = -1
        self._kept: OrderedDict[tuple[frozenset[ParticipantId], Look], Entries] = OrderedDict()
        self._size = 0
        self._conclusions: dict[_Question, tuple[Period, Any]] = {}

    def concluded(
        self, connection: Connection, question: _Question, at: Instant, conclude: Callable[[Entries], Result]
    ) -> Result:
        self._forget_unless(generation(connection))
        known = self._conclusions.get(question)
        if known is not None and known[0].includes(at):
            found: Result = known[1]
            return found
        entries = self.entries(connection, question[0], question[1])
        found = conclude(entries)
        if len(self._conclusions) >= _CONCLUDED:
            self._conclusions.clear()
        self._conclusions[question] = steady(entries, at), found
        return found

    def entries(self, connection: Connection, asked: frozenset[ParticipantId], look: Look) -> Entries:
        self._forget_unless(generation(connection))
        found = self._kept.pop((asked, look), None)
        while found is None:
            before = self._generation
            found = _closure(connection, asked, None, look)
            self._forget_unless(generation(connection))
            if self._generation != before:
                # Half of it is from before a change and half from after: nothing ever stood like that.
                found = None
            else:
                self._size += len(found) + 1
        self._kept[asked, look] = found
        while self._size > _REMEMBERED:
            _, oldest = self._kept.popitem(last=False)
            self._size -= len(oldest) + 1
        return found

    def _forget_unless(self, now: int) -> None:
        if now != self._generation:
            self._kept.clear()
            self._conclusions.clear()
            self._generation, self._size = now, 0


_answers: WeakKeyDictionary[Connection, _Answers] = WeakKeyDictionary()
_guard = threading.Lock()


def _answers_of(connection: Connection) -> _Answers:
    with _guard:
        return _answers.setdefault(connection, _Answers())


# ── What bears on what ────────────────────────────────────────────────────────────────────────────────────────────────

# What to look at next: an entry by its id, or all entries that name one in a relation.
_Next = tuple[str | None, ParticipantId, Look]


def _closure(
    connection: Connection, asked: frozenset[ParticipantId], as_of: Instant | None, look: Look
) -> dict[ParticipantId, Entry]:
    found: dict[ParticipantId, Entry] = {}
    fetched: set[ParticipantId] = set()
    done: set[tuple[ParticipantId, Look]] = set()
    waiting = {(each, look) for each in asked}
    while waiting:
        done |= waiting
        new = {each for each, _ in waiting} - fetched
        fetched |= new
        for entry in _fetch(connection, new, as_of):
            found[entry.id] = entry
        following: set[tuple[ParticipantId, Look]] = set()
        named: defaultdict[tuple[str, Look], set[ParticipantId]] = defaultdict(set)
        for each, from_where in waiting:
            for relation, other, then in _needs(found.get(each), from_where):
                if relation is None:
                    following.add((other, then))
                else:
                    named[relation, then].add(other)
        for (relation, then), targets in named.items():
            rows = statements.sources_of.rows(connection, map(key_of, targets), relation=relation)
            following |= {(id_of(source), then) for (source,) in rows}
        waiting = following - done
    return found


def _fetch(connection: Connection, ids: Iterable[ParticipantId], as_of: Instant | None) -> Iterator[Entry]:
    keys = map(key_of, ids)
    rows = (
        statements.entries_by_id.rows(connection, keys)
        if as_of is None
        else statements.versions_until.rows(connection, keys, as_of=as_of)
    )
    return (decode(content) for (content,) in rows)


def _needs(entry: Entry | None, look: Look) -> Iterator[_Next]:
    """Yield what else bears on memberships, of an entry looked at like this."""
    if entry is None:
        return
    if look is Look.ASKED:
        yield None, entry.id, Look.DOWNWARD if isinstance(entry, Group) else Look.UPWARD
        return
    if look is Look.UPWARD:
        yield "member", entry.id, Look.UPWARD
    match entry:
        case Practitioner() if look is not Look.ALONE:
            yield "practitioner", entry.id, Look.UPWARD if look is Look.UPWARD else Look.ALONE
        case PractitionerRole():
            yield None, entry.practitioner, Look.ALONE
            yield None, entry.organization, Look.UPWARD if look is Look.UPWARD else Look.ALONE
        case Organization() if look is Look.DOWNWARD:
            yield "organization", entry.id, Look.ALONE
        case CareTeam():
            if entry.patient is not None:
                yield None, entry.patient, Look.MERGED
            if look is Look.DOWNWARD:
                yield from ((None, each.member, Look.DOWNWARD) for each in entry.members)
        case RelatedPerson():
            yield None, entry.patient, Look.MERGED
        case Patient():
            if entry.replaced_by is not None:
                yield None, entry.replaced_by, Look.MERGED
            yield "replaced_by", entry.id, Look.MERGED
        case _:
            pass

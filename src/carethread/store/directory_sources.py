"""What a search of the directory walks, and which entries its names mean.

A search walks the narrowest of these that it offers, and asks each entry there for the rest:

| where it walks | in which order |
|---|---|
| ids that were named, or belong to an identifier that was; all that somebody may know of | by id |
| what names an entry that was named, such as the roles in an organisation | by id |
| dates of birth that may lie in a span | by date, then id |
| names with a word that begins so | by word, then id; an entry counts at the first of its words only |
| the whole kind | by FHIR id |
"""

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import LargeBinary, Select, Text, bindparam, literal_column, select, tuple_

from carethread.directory.criteria import EntryClause, EntryField, Matching, Named, Span, Token
from carethread.directory.criteria import Text as NamePart
from carethread.directory.fhir_codes import CLINICAL_ID_SYSTEM
from carethread.directory.fhir_periods import write_start
from carethread.directory.matching import RELATIONS, Meant, plain_words
from carethread.directory.model import Entry, EntryKind
from carethread.ids import ParticipantId
from carethread.store import directory_statements as statements
from carethread.store.database import Connection, Row
from carethread.store.directory_search import name_of
from carethread.store.directory_stored import COLUMNS, STANDS, StoredEntry, stored, stored_entry
from carethread.store.directory_words import words_of
from carethread.store.keys import id_of, is_uuid, key_of
from carethread.store.schema import (
    directory_born,
    directory_edge,
    directory_entry,
    directory_identifier,
    directory_version,
    directory_word,
)
from carethread.store.statements import ZERO

# After every text that begins with what stands before it.
_LAST = "\U0010ffff"
# So many characters of a date are a day, a month, a year.
_DAY, _MONTH, _YEAR = 10, 7, 4
# Written out: a plain "" would become a parameter of its own.
_EMPTY = literal_column("''", Text)
p = bindparam


def _page(query: Select[Any], *order: Any) -> Select[Any]:
    # Joined to nothing, it looks like no column of an index: else a database may walk the kind, and sort all it found.
    of_kind = query.where(directory_entry.c.kind.concat(_EMPTY) == p("kind"))
    return of_kind.order_by(*order).limit(p("count")).offset(ZERO)


_rows = select(*COLUMNS).join_from(directory_entry, directory_version, STANDS)
_by_key = statements.Listing(_rows.where(directory_entry.c.kind == p("kind")), directory_entry.c.entry_id)
_walk = (
    _rows.where(directory_entry.c.kind == p("kind"), directory_entry.c.fhir_id > p("after"))
    .order_by(directory_entry.c.fhir_id)
    .limit(p("count"))
    .offset(ZERO)
)
_edges = _page(
    select(*COLUMNS)
    .join_from(directory_edge, directory_entry, directory_entry.c.entry_id == directory_edge.c.source_id)
    .join(directory_version, STANDS)
    .where(
        directory_edge.c.target_id == p("target"),
        directory_edge.c.source_id > p("after"),
        directory_edge.c.relation == p("relation"),
    ),
    directory_edge.c.source_id,
)
_words = _page(
    select(*COLUMNS, directory_word.c.word)
    .join_from(directory_word, directory_entry, directory_entry.c.entry_id == directory_word.c.entry_id)
    .join(directory_version, STANDS)
    .where(
        directory_word.c.word < p("until"),
        tuple_(directory_word.c.word, directory_word.c.entry_id)
        > tuple_(p("word", type_=Text), p("after", type_=LargeBinary)),
    ),
    directory_word.c.word,
    directory_word.c.entry_id,
)
_born = _page(
    select(*COLUMNS, directory_born.c.born)
    .join_from(directory_born, directory_entry, directory_entry.c.entry_id == directory_born.c.entry_id)
    .join(directory_version, STANDS)
    .where(
        directory_born.c.born <= p("last"),
        tuple_(directory_born.c.born, directory_born.c.entry_id)
        > tuple_(p("written", type_=Text), p("after", type_=LargeBinary)),
    ),
    directory_born.c.born,
    directory_born.c.entry_id,
)
_owner = select(directory_identifier.c.entry_id).where(
    directory_identifier.c.kind == p("kind"), directory_identifier.c.value == p("value")
)
_owner_of_system = _owner.where(directory_identifier.c.system == p("system"))


# ── What a name means ─────────────────────────────────────────────────────────────────────────────────────────────────


def meant_by(connection: Connection, clauses: Iterable[EntryClause]) -> Meant:
    """Return which entries the names in a search mean; none for what is not there."""
    found = {}
    for clause in clauses:
        for value in clause.values:
            if isinstance(value, Named):
                _, kinds = RELATIONS[clause.field]
                ids = (_ids(connection, each, value) for each in kinds if value.kind in (None, each))
                found[clause.field, value] = frozenset[ParticipantId]().union(*ids)
    return found


def _ids(connection: Connection, kind: EntryKind, named: Named) -> frozenset[ParticipantId]:
    if named.identifier is not None:
        return _owners(connection, kind, named.identifier)
    stored = stored_entry(connection, kind, named.id)
    return frozenset() if stored is None else frozenset({stored.entry.id})


def _owners(connection: Connection, kind: EntryKind, wanted: Token) -> frozenset[ParticipantId]:
    """Return whose an identifier is. Without a value it says nothing."""
    value = wanted.value or ""
    rows: list[Row] = []
    if wanted.system is None:
        rows += connection.all(_owner, kind=kind.value, value=value)
    else:
        rows += connection.all(_owner_of_system, kind=kind.value, value=value, system=wanted.system)
    if kind is EntryKind.PATIENT and wanted.system in (None, CLINICAL_ID_SYSTEM) and is_uuid(value):
        row = connection.one(statements.find_patient, clinical_id=key_of(value))
        rows += [] if row is None else [row]
    return frozenset(id_of(row[0]) for row in rows)


# ── Where a search walks ──────────────────────────────────────────────────────────────────────────────────────────────

# Where something stands in the order of a source: texts, keys in hexadecimal digits.
Place = tuple[str, ...]
Batch = Sequence[tuple[Place, StoredEntry | None]]


class Source(ABC):
    """What a search walks, in an order of its own. `None` in a batch is something that does not count there."""

    name = ""
    first: Place = ("",)
    # Whether the last part of a place is a key.
    has_keys = True

    def __init__(self, connection: Connection, kind: EntryKind) -> None:
        self._connection = connection
        self._kind = kind.value

    @abstractmethod
    def batch(self, after: Place, count: int) -> Batch:
        """Return as many as there are after a place, at most `count`; fewer only at the end."""


class _Ids(Source):
    """Ids that are known."""

    name = "i"

    def __init__(self, connection: Connection, kind: EntryKind, ids: Iterable[ParticipantId]) -> None:
        super().__init__(connection, kind)
        self._keys = sorted({key_of(each) for each in ids})

    def batch(self, after: Place, count: int) -> Batch:
        start = bisect_right(self._keys, bytes.fromhex(after[0]))
        keys = self._keys[start : start + count]
        rows = _by_key.rows(self._connection, keys, kind=self._kind)
        there = {key_of(each.entry.id): each for each in map(stored, rows)}
        return [((key.hex(),), there.get(key)) for key in keys]


class _Naming(Source):
    """What names any of some entries in a relation."""

    name = "n"

    def __init__(self, connection: Connection, kind: EntryKind, relation: str, ids: Iterable[ParticipantId]) -> None:
        super().__init__(connection, kind)
        self._relation = relation
        self._targets = sorted(key_of(each) for each in ids)

    def batch(self, after: Place, count: int) -> Batch:
        found: dict[Place, StoredEntry] = {}
        for target in self._targets:
            rows = self._connection.all(
                _edges,
                target=target,
                relation=self._relation,
                after=bytes.fromhex(after[0]),
                kind=self._kind,
                count=count,
            )
            found |= {(key_of(each.entry.id).hex(),): each for each in map(stored, rows)}
        return [(place, found[place]) for place in sorted(found)][:count]


class _Words(Source):
    """Names with a word that begins in one of some ways."""

    name = "w"
    first: Place = ("", "")

    def __init__(self, connection: Connection, kind: EntryKind, beginnings: Iterable[str]) -> None:
        super().__init__(connection, kind)
        self._beginnings = tuple(sorted(set(beginnings)))

    def batch(self, after: Place, count: int) -> Batch:
        found: dict[Place, StoredEntry | None] = {}
        word, key = after
        for beginning in self._beginnings:
            rows = self._connection.all(
                _words,
                until=beginning + _LAST,
                word=max(word, beginning),
                after=bytes.fromhex(key) if word >= beginning else b"",
                kind=self._kind,
                count=count,
            )
            for row in rows:
                read = stored(row)
                counts = row[3] == self._first_word(read.entry)
                found[row[3], key_of(read.entry.id).hex()] = read if counts else None
        return [(place, found[place]) for place in sorted(found)][:count]

    def _first_word(self, entry: Entry) -> str:
        return min(each for each in words_of(name_of(entry)) if each.startswith(self._beginnings))


class _Born(Source):
    """Patients whose date of birth, as it is written, may lie within one of some spans."""

    name = "b"
    first: Place = ("", "")

    def __init__(self, connection: Connection, kind: EntryKind, spans: Iterable[Span]) -> None:
        super().__init__(connection, kind)
        self._ranges = sorted({each for span in spans for each in _written_in(span)})

    def batch(self, after: Place, count: int) -> Batch:
        found: dict[Place, StoredEntry | None] = {}
        written, key = after
        for first, last in self._ranges:
            rows = self._connection.all(
                _born,
                last=last,
                written=max(written, first),
                after=bytes.fromhex(key) if written >= first else b"",
                kind=self._kind,
                count=count,
            )
            for row in rows:
                read = stored(row)
                found[row[3], key_of(read.entry.id).hex()] = read
        return [(place, found[place]) for place in sorted(found)][:count]


def _written_in(span: Span) -> Iterator[tuple[str, str]]:
    """Yield from which date as it is written to which: in days, and the month and the year in which a span begins."""
    since = "" if span.since is None else write_start(span.since)[:_DAY]
    last = _LAST if span.until is None else write_start(span.until)[:_DAY]
    yield since, last
    if since:
        yield since[:_MONTH], since[:_MONTH]
        yield since[:_YEAR], since[:_YEAR]


class _Kind(Source):
    """All entries of a kind."""

    name = "k"
    has_keys = False

    def batch(self, after: Place, count: int) -> Batch:
        rows = self._connection.all(_walk, kind=self._kind, after=after[0], count=count)
        return [((each.entry.fhir_id,), each) for each in map(stored, rows)]


# From the narrowest to the widest.
_DRIVING = (
    EntryField.ID,
    EntryField.IDENTIFIER,
    EntryField.PRACTITIONER,
    EntryField.PATIENT,
    EntryField.LINK,
    EntryField.PARTICIPANT,
    EntryField.BIRTH_DATE,
    EntryField.NAME,
    EntryField.PART_OF,
    EntryField.ORGANIZATION,
)


def source_of(
    connection: Connection,
    kind: EntryKind,
    clauses: Sequence[EntryClause],
    meant: Meant,
    among: Collection[ParticipantId] | None,
) -> Source:
    """Return what is walked, where all of these clauses must hold, among some entries or all."""
    if among is not None:
        return _Ids(connection, kind, among)
    driving = [each for each in clauses if each.field in _DRIVING and not each.negated]
    for clause in sorted(driving, key=lambda each: _DRIVING.index(each.field)):
        found = _driven_by(connection, kind, clause, meant)
        if found is not None:
            return found
    return _Kind(connection, kind)


def _driven_by(connection: Connection, kind: EntryKind, clause: EntryClause, meant: Meant) -> Source | None:
    """Return what a clause alone leaves to walk; nothing where that is the whole kind."""
    tokens = [each for each in clause.values if isinstance(each, Token) and each.value]
    if clause.field is EntryField.ID:
        named = (stored_entry(connection, kind, each.value or "") for each in tokens)
        return _Ids(connection, kind, (each.entry.id for each in named if each is not None))
    if clause.field is EntryField.IDENTIFIER:
        if len(tokens) < len(clause.values):
            return None
        return _Ids(connection, kind, frozenset().union(*(_owners(connection, kind, each) for each in tokens)))
    if clause.field is EntryField.BIRTH_DATE:
        return _Born(connection, kind, (each for each in clause.values if isinstance(each, Span)))
    if clause.field is EntryField.NAME:
        texts = [each for each in clause.values if isinstance(each, NamePart)]
        words = [plain_words(each.text) for each in texts]
        if not all(words) or any(each.matching is Matching.CONTAINS for each in texts):
            return None
        return _Words(connection, kind, (each[0] for each in words))
    relation, _ = RELATIONS[clause.field]
    ids = frozenset().union(*(meant[clause.field, each] for each in clause.values if isinstance(each, Named)))
    return _Naming(connection, kind, relation, ids)

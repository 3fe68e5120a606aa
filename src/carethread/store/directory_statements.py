"""The statements of the directory and of appointments; see `statements` for how they run.

Lists of values come in a few lengths, so that each statement is compiled once; a list is filled up with its last value.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    delete,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from carethread.store.database import Connection, Row
from carethread.store.schema import (
    appointment,
    directory_born,
    directory_edge,
    directory_entry,
    directory_identifier,
    directory_patient,
    directory_state,
    directory_version,
    directory_word,
)

p = bindparam
# Written out: a plain 0 would become a parameter of its own.
_ZERO = literal_column("0", Integer)
_LENGTHS = (1, 16, 64, 256)


class Listing:
    """A query about a list of values of one column."""

    def __init__(self, query: Select[Any], column: Column[Any]) -> None:
        """Prepare the query for each length."""
        self._queries = {
            length: query.where(column.in_([bindparam(f"v{number}") for number in range(length)]))
            for length in _LENGTHS
        }

    def rows(self, connection: Connection, values: Iterable[object], **parameters: object) -> Iterator[Row]:
        """Yield the rows of all values, in no order."""
        waiting = list(values)
        for start in range(0, len(waiting), _LENGTHS[-1]):
            chunk = waiting[start : start + _LENGTHS[-1]]
            length = next(each for each in _LENGTHS if each >= len(chunk))
            chunk += chunk[-1:] * (length - len(chunk))
            named = {f"v{number}": value for number, value in enumerate(chunk)}
            yield from connection.all(self._queries[length], **named, **parameters)


# ── Entries ───────────────────────────────────────────────────────────────────────────────────────────────────────────

read_generation = select(directory_state.c.generation).where(directory_state.c.one == p("one"))
lock_generation = read_generation.with_for_update()
set_generation = update(directory_state).where(directory_state.c.one == p("key")).values(generation=p("new_generation"))

entries_by_id = Listing(select(directory_entry.c.content), directory_entry.c.entry_id)
ENTRY_COLUMNS = (directory_entry.c.entry_id, directory_entry.c.fhir_id, directory_entry.c.content)
entries_by_fhir_id = Listing(
    select(*ENTRY_COLUMNS).where(directory_entry.c.kind == p("kind")), directory_entry.c.fhir_id
)
find_by_fhir_id = select(directory_entry.c.content).where(directory_entry.c.fhir_id == p("fhir_id"))
find_of_kind = find_by_fhir_id.where(directory_entry.c.kind == p("kind"))
all_entries = select(directory_entry.c.content).order_by(directory_entry.c.kind, directory_entry.c.entry_id)
find_by_value = select(directory_identifier.c.entry_id).where(
    directory_identifier.c.kind == p("kind"), directory_identifier.c.value == p("value")
)
find_by_identifier = find_by_value.where(directory_identifier.c.system == p("system"))
insert_entry = insert(directory_entry)
update_entry = (
    update(directory_entry)
    .where(directory_entry.c.entry_id == p("key"))
    .values(version=p("new_version"), active=p("new_active"), name=p("new_name"), content=p("new_content"))
)

# Oldest first: of several versions of an entry, the last row is the one that stood.
versions_until = Listing(
    select(directory_version.c.content)
    .where(directory_version.c.recorded_at <= p("as_of", type_=BigInteger))
    .order_by(directory_version.c.entry_id, directory_version.c.version),
    directory_version.c.entry_id,
)
versions_of = (
    select(
        directory_version.c.version,
        directory_version.c.recorded_at,
        directory_version.c.recorded_by,
        directory_version.c.content,
    )
    .where(directory_version.c.entry_id == p("key"))
    .order_by(directory_version.c.version)
)
version_marks = Listing(
    select(directory_version.c.entry_id, directory_version.c.version, directory_version.c.recorded_at),
    directory_version.c.entry_id,
)
insert_version = insert(directory_version)

sources_of = Listing(
    select(directory_edge.c.source_id).where(directory_edge.c.relation == p("relation")), directory_edge.c.target_id
)
edges_from = Listing(
    select(directory_edge.c.target_id, directory_edge.c.source_id, directory_edge.c.relation),
    directory_edge.c.source_id,
)
insert_edge = insert(directory_edge)

identifiers_by_value = Listing(
    select(directory_identifier.c.system, directory_identifier.c.value, directory_identifier.c.entry_id).where(
        directory_identifier.c.kind == p("kind")
    ),
    directory_identifier.c.value,
)
delete_identifiers = delete(directory_identifier).where(directory_identifier.c.entry_id == p("key"))
insert_identifier = insert(directory_identifier)

patients_by_clinical_id = Listing(
    select(directory_patient.c.clinical_id, directory_patient.c.entry_id), directory_patient.c.clinical_id
)
find_patient = select(directory_patient.c.entry_id).where(directory_patient.c.clinical_id == p("clinical_id"))
insert_patient = insert(directory_patient)
delete_born = delete(directory_born).where(directory_born.c.entry_id == p("key"))
insert_born = insert(directory_born)

# ── Names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

delete_words = delete(directory_word).where(directory_word.c.entry_id == p("key"))
insert_word = insert(directory_word)
# More words than this are not looked at; and there are no more kinds.
MAX_WORDS = 8
MAX_KINDS = 6


def _matching(words: int) -> Select[Any]:
    entry = directory_entry.c
    query = (
        select(entry.content)
        .where(entry.name != p("no_name"))
        .where(or_(p("any_kind") == p("one"), entry.kind.in_([p(f"kind{each}") for each in range(MAX_KINDS)])))
        .where(or_(p("any_state") == p("one"), entry.active == p("one")))
        .where(or_(entry.name > p("name"), and_(entry.name == p("name"), entry.entry_id > p("after"))))
    )
    for number in range(words):
        query = query.where(entry.entry_id.in_(select(directory_word.c.entry_id).where(_begins(number))))
    return query.order_by(entry.name, entry.entry_id).limit(p("count")).offset(_ZERO)


def _begins(number: int) -> ColumnElement[bool]:
    word = directory_word.c.word
    return and_(word >= p(f"from{number}"), word < p(f"until{number}"))


matching: Sequence[Select[Any]] = tuple(_matching(words) for words in range(MAX_WORDS + 1))

# ── Appointments ──────────────────────────────────────────────────────────────────────────────────────────────────────

read_appointments = (
    select(
        appointment.c.person_id,
        appointment.c.duty,
        appointment.c.appointed_at,
        appointment.c.ended_at,
        appointment.c.appointed_by,
        appointment.c.ended_by,
    )
    .where(appointment.c.person_id == p("person_id"), appointment.c.duty == p("duty"))
    .order_by(appointment.c.appointed_at)
)
insert_appointment = insert(appointment)
end_appointment = (
    update(appointment)
    .where(
        appointment.c.person_id == p("key"),
        appointment.c.duty == p("of_duty"),
        appointment.c.ended_at.is_(None),
    )
    .values(ended_at=p("new_ended_at"), ended_by=p("new_ended_by"))
)

"""Patients who could be taken for another one: looked for by name and by date of birth, as far as is affordable."""

from collections.abc import Iterator
from itertools import combinations

from sqlalchemy import select

from carethread.directory.likeness import similar_dates
from carethread.directory.matching import plain_words
from carethread.directory.model import EntryKind, Patient
from carethread.store import directory_statements as statements
from carethread.store.database import Connection
from carethread.store.directory_entries import decode
from carethread.store.directory_search import search
from carethread.store.schema import directory_born, directory_entry
from carethread.store.statements import ZERO

# Of each way to look: what a name has in common with very many says little.
MOST_OF_ONE_WAY = 200
# The first letters of a name are seldom wrong.
_SURE = 2
# Names of whom one looks: those after these are seldom given twice.
_MOST_WORDS = 4
_born_on = statements.Listing(
    select(directory_entry.c.content)
    .join_from(directory_born, directory_entry, directory_entry.c.entry_id == directory_born.c.entry_id)
    .where(directory_entry.c.active == statements.p("active"))
    .order_by(directory_born.c.born, directory_born.c.entry_id)
    .limit(statements.p("count"))
    .offset(ZERO),
    directory_born.c.born,
)


def perhaps_alike(connection: Connection, patient: Patient) -> dict[str, Patient]:
    """Return active patients who may be like one, by id; whether they are is for `directory.likeness` to say."""
    found: dict[str, Patient] = {}
    if patient.birth_date is not None:
        for dates in ((patient.birth_date,), sorted(similar_dates(patient.birth_date))):
            rows = _born_on.rows(connection, dates, active=1, count=MOST_OF_ONE_WAY)
            found |= {each.id: each for each in (decode(row[0]) for row in rows) if isinstance(each, Patient)}
    for words in dict.fromkeys(_ways(plain_words(patient.name)[:_MOST_WORDS])):
        entries = search(
            connection, " ".join(words), kinds=(EntryKind.PATIENT,), count=MOST_OF_ONE_WAY, active_only=True
        )  # fmt: skip
        found |= {each.id: each for each in entries if isinstance(each, Patient)}
    found.pop(patient.id, None)
    return found


def _ways(words: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield with which beginnings of names to look: all; all but one, or two, of which the first letters are sure."""
    yield tuple(words)
    for several in (1, 2):
        for wrong in combinations(range(len(words)), several):
            yield tuple(word[:_SURE] if number in wrong else word for number, word in enumerate(words))
    # Or one whose first letters are wrong, or that only one of them has.
    for wrong_one in range(len(words) if len(words) > 1 else 0):
        yield tuple(word for number, word in enumerate(words) if number != wrong_one)

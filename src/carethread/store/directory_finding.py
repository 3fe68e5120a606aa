"""Entries of a kind by what holds of them, in pages by key. What a call looks at is bounded."""

import base64
import binascii
import re
from collections.abc import Callable, Collection, Sequence

import msgspec
from msgspec import Struct

from carethread.directory.criteria import EVERY_KIND, FIELDS, VALUES, EntryClause, Named, Text, Token
from carethread.directory.matching import holds
from carethread.directory.model import Entry, EntryKind
from carethread.errors import InvalidValueError
from carethread.ids import ParticipantId
from carethread.store.database import Connection
from carethread.store.directory_sources import Place, Source, meant_by, source_of
from carethread.store.directory_stored import StoredEntry

MOST = 1_000
MOST_CLAUSES = 32
MOST_VALUES = 50
MOST_CHARACTERS = 4_000
# How many entries a call looks at before it answers with what it has: some tens of milliseconds.
BUDGET = 2_000
_BATCH = 250
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


class Found(Struct, frozen=True):
    """Part of what was found. `after` is where to go on, empty at the end; `all_of_it` that this part is everything."""

    entries: tuple[StoredEntry, ...]
    after: str
    all_of_it: bool


def check_clauses(kind: EntryKind, clauses: Sequence[EntryClause]) -> None:
    """A search asks a kind for what it has, and for no more than can be answered.

    Raises:
        InvalidValueError: it does not.
    """
    if len(clauses) > MOST_CLAUSES:
        raise InvalidValueError("clauses", f"are more than {MOST_CLAUSES}")
    for each in clauses:
        if each.field not in FIELDS[kind] | EVERY_KIND:
            raise InvalidValueError(each.field.value, f"is nothing that is asked of {kind.value}")
        if len(each.values) > MOST_VALUES:
            raise InvalidValueError(each.field.value, f"has more than {MOST_VALUES} values")
        if any(not isinstance(value, VALUES[each.field]) for value in each.values):
            raise InvalidValueError(each.field.value, f"is compared with {VALUES[each.field].__name__} alone")


def check_texts(clauses: Sequence[EntryClause], query: str) -> None:
    """What is asked can be kept in the log, and handed to a database.

    Raises:
        InvalidValueError: it is too long, or no text.
    """
    said = [query]
    for clause in clauses:
        for value in clause.values:
            match value:
                case Text():
                    said.append(value.text)
                case Token():
                    said += [value.value or "", value.system or ""]
                case Named():
                    token = value.identifier or Token("")
                    said += [value.id, token.value or "", token.system or ""]
                case _:
                    pass
    for text in said:
        if len(text) > MOST_CHARACTERS or _NO_TEXT.search(text):
            raise InvalidValueError("query", "is too long, or holds what is no text")


def find_entries(
    connection: Connection,
    kind: EntryKind,
    clauses: Sequence[EntryClause],
    *,
    among: Collection[ParticipantId] | None,
    shown: Callable[[Entry], Entry | None],
    after: str,
    count: int,
) -> Found:
    """Return entries of a kind of which all clauses hold.

    Args:
        connection: a snapshot.
        kind: of what.
        clauses: what must hold; `check_clauses` has passed.
        among: whom somebody may know of; left out, everybody.
        shown: what of an entry is compared and answered; nothing leaves it out.
        after: where the part before ended.
        count: how many at most.

    Raises:
        InvalidValueError: `after` or `count` is not in order.
    """
    if not 0 < count <= MOST:
        raise InvalidValueError("count", f"is not between 1 and {MOST:,}")
    meant = meant_by(connection, clauses)
    source = source_of(connection, kind, clauses, meant, among)
    place = source.first if not after else _read_place(after, source)
    found: list[tuple[Place, StoredEntry]] = []
    looked_at = 0
    is_over = False
    while not is_over and len(found) <= count and looked_at < BUDGET:
        batch = source.batch(place, _BATCH)
        is_over = len(batch) < _BATCH
        looked_at += len(batch)
        for place, stored in batch:
            entry = shown(stored.entry) if stored is not None else None
            if stored is None or entry is None:
                continue
            if all(holds(each, entry, stored.recorded_at, meant) for each in clauses):
                found.append((place, StoredEntry(entry, stored.version, stored.recorded_at)))
    page = found[:count]
    last = page[-1][0] if len(found) > count else place
    more = "" if is_over and len(found) <= count else _write_place(source, last)
    return Found(tuple(each for _, each in page), more, all_of_it=not after and not more)


# ── Places, written down ──────────────────────────────────────────────────────────────────────────────────────────────


def _write_place(source: Source, place: Place) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((source.name, *place))).decode().rstrip("=")


def _read_place(after: str, source: Source) -> Place:
    try:
        read = msgspec.json.decode(base64.b64decode(after + "=" * (-len(after) % 4), b"-_", validate=True), type=Place)
        name, *place = read
        if source.has_keys:
            bytes.fromhex(place[-1])
    except (ValueError, IndexError, binascii.Error):
        name, place = "", []
    if name != source.name or len(place) != len(source.first):
        raise InvalidValueError("after", "is no place in this list: leave it out to begin")
    return tuple(place)

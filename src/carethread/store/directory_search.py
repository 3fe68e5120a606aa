"""One entry of the directory by a reference to it, many by the words of their names, one in all its versions."""

import re
from collections.abc import Collection

from carethread.directory.model import Entry, EntryKind
from carethread.directory.versions import Version
from carethread.errors import InvalidValueError, UnknownPersonError
from carethread.ids import ParticipantId
from carethread.store import directory_statements as statements
from carethread.store.database import Connection
from carethread.store.directory_entries import decode
from carethread.store.directory_words import words_of
from carethread.store.keys import key_of

PAGE = 50
MAX_PAGE = 1_000

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_KINDS = {each.value.lower(): each for each in EntryKind}
# After every text that begins with what stands before it.
_LAST = "\U0010ffff"


def find(connection: Connection, reference: str) -> Entry:
    """Return the one entry that is meant by a UUID, `Type/fhir-id`, `Type:fhir-id` or a FHIR id that only one has.

    Raises:
        UnknownPersonError: there is none, or more than one.
    """
    if _UUID.fullmatch(reference.lower()):
        for (content,) in statements.entries_by_id.rows(connection, [key_of(ParticipantId(reference.lower()))]):
            return decode(content)
    kind, fhir_id = _read(reference)
    rows = (
        connection.all(statements.find_by_fhir_id, fhir_id=fhir_id)
        if kind is None
        else connection.all(statements.find_of_kind, fhir_id=fhir_id, kind=kind.value)
    )
    if len(rows) > 1:
        raise UnknownPersonError(f"{fhir_id} may be any of {len(rows)} entries of the directory: say which as Type/id")
    if not rows:
        raise UnknownPersonError(f"the directory has no {reference}")
    return decode(rows[0][0])


def _read(reference: str) -> tuple[EntryKind | None, str]:
    for separator in ("/", ":"):
        before, found, after = reference.partition(separator)
        if found and before.lower() in _KINDS:
            return _KINDS[before.lower()], after
    return None, reference


def search(
    connection: Connection,
    words: str,
    *,
    kinds: Collection[EntryKind] = (),
    after: ParticipantId | None = None,
    count: int = PAGE,
    active_only: bool = False,
) -> tuple[Entry, ...]:
    """Return entries in whose names each of these words begins a word, whatever the case and accents, by name.

    The next page is `after` the last entry of this one. Without words, everybody and every group of the kinds, or of
    any; roles have no name and are not found.

    Raises:
        InvalidValueError: `count` is not between 1 and 1,000.
        UnknownPersonError: there is no entry `after`.
    """
    if not 0 < count <= MAX_PAGE:
        raise InvalidValueError("count", f"is not between 1 and {MAX_PAGE:,}")
    wanted = words_of(words)[: statements.MAX_WORDS]
    name, key = "", b""
    if after is not None:
        last = find(connection, after)
        name, key = name_of(last), key_of(last.id)
    ranges = {f"from{number}": word for number, word in enumerate(wanted)}
    ranges |= {f"until{number}": word + _LAST for number, word in enumerate(wanted)}
    of_kinds = [each.value for each in kinds] or [""]
    ranges |= {f"kind{number}": of_kinds[min(number, len(of_kinds) - 1)] for number in range(statements.MAX_KINDS)}
    rows = connection.all(
        statements.matching[len(wanted)],
        one=1,
        no_name="",
        any_kind=int(not kinds),
        any_state=int(not active_only),
        name=name,
        after=key,
        count=count,
        **ranges,
    )
    return tuple(decode(content) for (content,) in rows)


def name_of(entry: Entry) -> str:
    """Return an entry's name; empty for a role, which has none."""
    return getattr(entry, "name", "")


def versions(connection: Connection, entry_id: ParticipantId) -> tuple[Version, ...]:
    """Return all versions of an entry, oldest first; none if there is no such entry."""
    rows = connection.all(statements.versions_of, key=key_of(entry_id))
    return tuple(Version(number, at, by, decode(content)) for number, at, by, content in rows)


def every_entry(connection: Connection) -> tuple[Entry, ...]:
    """Return all entries: by kind, then by id."""
    return tuple(decode(content) for (content,) in connection.all(statements.all_entries))

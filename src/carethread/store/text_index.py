"""Full text on both databases: the same words, the same tokens, the same order (newest first).

SQLite: the FTS5 table `message_text` (words, tokens) keeps no copy of the text, so what leaves it must be named again.
PostgreSQL: one `tsvector` a message; words have no weight, tokens weight A, so that no word can pass for a token.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct, json
from sqlalchemy import Executable, text

from carethread.ids import CoordinationId
from carethread.store.database import Connection, Parameters
from carethread.store.words import Bound, Search, Term, record_token

# PostgreSQL counts positions up to here.
_LAST_POSITION = 16_383
# ... keeps as many of them for each word,
_MOST_POSITIONS = 255
# ... and takes no more bytes of words and positions together than 2 ** 20. Beyond this, words are not found there.
_MOST_BYTES = 900_000
# What begins a token: no word does, and so none can be taken for one, nor merged with it.
_MARK = "+"


class Document(Struct, frozen=True):
    """What is indexed of one message."""

    search_key: int
    words: tuple[str, ...]
    tokens: tuple[str, ...]


_fts_insert = text("INSERT INTO message_text (rowid, words, tokens) VALUES (:search_key, :words, :tokens)")
_fts_delete = text(
    "INSERT INTO message_text (message_text, rowid, words, tokens) VALUES ('delete', :search_key, :words, :tokens)"
)
_fts_clear = text("INSERT INTO message_text (message_text) VALUES ('delete-all')")
_fts_optimise = text("INSERT INTO message_text (message_text) VALUES ('optimize')")
_fts_find = text(
    "SELECT rowid FROM message_text WHERE message_text MATCH :query AND rowid < :before AND rowid >= :since "
    "ORDER BY rowid DESC LIMIT :count"
)
_fts_find_oldest = text(
    "SELECT rowid FROM message_text WHERE message_text MATCH :query AND rowid < :before AND rowid >= :since "
    "ORDER BY rowid LIMIT :count"
)
_ts_insert = text("INSERT INTO message_text (search_key, document) VALUES (:search_key, CAST(:document AS tsvector))")
_ts_delete = text("DELETE FROM message_text WHERE search_key = :search_key")
_ts_clear = text("DELETE FROM message_text")
_ts_find = text(
    "SELECT search_key FROM message_text WHERE document @@ CAST(:query AS tsquery) "
    "AND search_key < :before AND search_key >= :since ORDER BY search_key DESC LIMIT :count"
)
_ts_find_oldest = text(
    "SELECT search_key FROM message_text WHERE document @@ CAST(:query AS tsquery) "
    "AND search_key < :before AND search_key >= :since ORDER BY search_key LIMIT :count"
)
_fts_among = text(
    "SELECT rowid FROM message_text WHERE message_text MATCH :query AND rowid IN (SELECT value FROM json_each(:keys))"
)
_ts_among = text(
    "SELECT search_key FROM message_text WHERE search_key = ANY(:keys) AND document @@ CAST(:query AS tsquery)"
)
_fts_count = text(
    "SELECT count(*) FROM (SELECT rowid FROM message_text WHERE message_text MATCH :query AND rowid < :before "
    "AND rowid >= :since LIMIT :count)"
)
_ts_count = text(
    "SELECT count(*) FROM (SELECT search_key FROM message_text WHERE document @@ CAST(:query AS tsquery) "
    "AND search_key < :before AND search_key >= :since LIMIT :count) AS counted"
)


def add(connection: Connection, documents: Iterable[Document]) -> None:
    """Index messages."""
    if connection.is_sqlite:
        connection.many(_fts_insert, [_fts_row(each) for each in documents])
    else:
        connection.many(_ts_insert, [_ts_row(each) for each in documents])


def remove(connection: Connection, documents: Iterable[Document]) -> None:
    """Take messages out, exactly as they were put in."""
    if connection.is_sqlite:
        connection.many(_fts_delete, [_fts_row(each) for each in documents])
    else:
        connection.many(_ts_delete, [{"search_key": each.search_key} for each in documents])


def clear(connection: Connection) -> None:
    """Empty the index."""
    connection.run(_fts_clear if connection.is_sqlite else _ts_clear)


def optimise(connection: Connection) -> None:
    """Bring what was added piece by piece into one piece, where the database has pieces."""
    if connection.is_sqlite:
        connection.run(_fts_optimise)


def find(
    connection: Connection, search: Search, before: int, since: int, count: int, *, oldest_first: bool = False
) -> list[int]:
    """Return the search keys of what is found, newest first, below `before` and from `since` on."""
    if search.access == ():
        return []
    newest: Executable = _fts_find if connection.is_sqlite else _ts_find
    oldest: Executable = _fts_find_oldest if connection.is_sqlite else _ts_find_oldest
    rows = connection.planned(
        oldest if oldest_first else newest, query=_query(connection, search), before=before, since=since, count=count
    )
    return [row[0] for row in rows]


def among(connection: Connection, search: Search, keys: list[int]) -> set[int]:
    """Return those of some search keys that are found."""
    query = _query(connection, search)
    if connection.is_sqlite:
        rows = connection.all(_fts_among, query=query, keys=json.encode(keys).decode())
    else:
        rows = connection.planned(_ts_among, query=query, keys=keys)
    return {row[0] for row in rows}


def count_found(connection: Connection, search: Search, before: int, since: int, most: int) -> int:
    """Return how much is found, counted up to `most`."""
    statement: Executable = _fts_count if connection.is_sqlite else _ts_count
    query = _query(connection, search)
    return int(connection.planned(statement, query=query, before=before, since=since, count=most)[0][0])


def _query(connection: Connection, search: Search) -> str:
    return _fts_query(search) if connection.is_sqlite else _ts_query(search)


def of_record(connection: Connection, record: CoordinationId, *tokens: str) -> set[int]:
    """Return the search keys of everything a record has in the index that has these tokens too."""
    return set(find(connection, Search(access=None, every=(record_token(record), *tokens)), 1 << 62, 0, 1 << 40))


# ── SQLite ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _fts_row(document: Document) -> Parameters:
    return {
        "search_key": document.search_key,
        "words": " ".join(document.words),
        "tokens": " ".join(document.tokens),
    }


def _fts_query(search: Search) -> str:
    parts = [f"words : {_fts_term(each)}" for each in search.terms]
    parts.extend(f"tokens : {each}" for each in search.every)
    if search.records:
        parts.append(_any(f"tokens : {record_token(each)}" for each in search.records))
    parts.extend(_any(_fts_part(each) for each in choice) for choice in search.choices)
    if search.access is not None:
        parts.append(_any(_fts_bound(each) for each in search.access))
    never = "".join(f" NOT tokens : {each}" for each in search.never)
    return f"({' AND '.join(parts)}){never}"


def _fts_part(part: str | tuple[Term, ...]) -> str:
    if isinstance(part, str):
        return f"tokens : {part}"
    return f"({' AND '.join(f'words : {_fts_term(each)}' for each in part)})"


def _fts_term(term: Term) -> str:
    # Words are letters and digits alone, so nothing in them needs quoting but FTS5's own AND, OR, NOT and NEAR.
    return f'"{" ".join(term.words)}"' + ("*" if term.prefix else "")


def _fts_bound(bound: Bound) -> str:
    if not bound.records:
        return f"tokens : {bound.token}"
    within = _any(f"tokens : {record_token(each)}" for each in bound.records)
    return f"(tokens : {bound.token} AND {within})"


def _any(parts: Iterable[str]) -> str:
    return f"({' OR '.join(parts)})"


# ── PostgreSQL ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _ts_row(document: Document) -> Parameters:
    places: dict[str, list[int]] = {}
    for position, word in enumerate(document.words, 1):
        if position > _LAST_POSITION:
            places.setdefault(word, [_LAST_POSITION])
        else:
            places.setdefault(word, []).append(position)
    words = (f"'{word}':{','.join(map(str, at))}" for word, at in _fitting(places))
    tokens = (f"'{_MARK}{token}':1A" for token in document.tokens)
    return {"search_key": document.search_key, "document": " ".join((*words, *tokens))}


def _fitting(places: dict[str, list[int]]) -> Iterator[tuple[str, list[int]]]:
    size = 0
    for word, at in places.items():
        size += len(word.encode()) + 4 + 2 * min(len(at), _MOST_POSITIONS)
        if size > _MOST_BYTES:
            return
        yield word, at[:_MOST_POSITIONS]


def _ts_query(search: Search) -> str:
    parts = [_ts_term(each) for each in search.terms]
    parts.extend(_ts_token(each) for each in search.every)
    if search.records:
        parts.append(_either(_ts_token(record_token(each)) for each in search.records))
    parts.extend(_either(_ts_part(each) for each in choice) for choice in search.choices)
    if search.access is not None:
        parts.append(_either(_ts_bound(each) for each in search.access))
    parts.extend(f"!{_ts_token(each)}" for each in search.never)
    return " & ".join(parts)


def _ts_part(part: str | tuple[Term, ...]) -> str:
    if isinstance(part, str):
        return _ts_token(part)
    return f"({' & '.join(map(_ts_term, part))})"


def _ts_term(term: Term) -> str:
    weights = ["D"] * len(term.words)
    if term.prefix:
        weights[-1] = "*D"
    phrase = " <-> ".join(f"'{word}':{weight}" for word, weight in zip(term.words, weights, strict=True))
    return f"({phrase})"


def _ts_bound(bound: Bound) -> str:
    if not bound.records:
        return _ts_token(bound.token)
    within = _either(_ts_token(record_token(each)) for each in bound.records)
    return f"({_ts_token(bound.token)} & {within})"


def _ts_token(token: str) -> str:
    return f"'{_MARK}{token}':A"


def _either(parts: Iterable[str]) -> str:
    return f"({' | '.join(parts)})"

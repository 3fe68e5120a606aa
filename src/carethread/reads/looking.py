"""Searching the messages that somebody may read."""

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import Action, Served
from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.errors import InvalidValueError
from carethread.ids import CoordinationId, ParticipantId, parse_participant_id
from carethread.policy.actor import Actor, Caller
from carethread.policy.reading import reads_everything
from carethread.record.model import MessageType
from carethread.store import search as store_search
from carethread.store.asking import Asking, Shown, answer, line
from carethread.store.database import Connection
from carethread.store.search import Hit, encode_place
from carethread.store.ways import bounds, records_of
from carethread.store.words import Search, author_token, check_query, kind_token, participant_token, read_terms

MOST_HITS = 200
# The last instant that has a place among messages, in 2109. Nothing was recorded later.
_LAST = Instant((1 << 42) - 1)


class Looking(Struct, frozen=True, omit_defaults=True):
    """What is looked for; what is left out does not matter. `since` counts, `until` does not.

    `organisation` is an organisation, team or person who takes part in the thread.
    """

    words: str = ""
    patient: ParticipantId | None = None
    organisation: ParticipantId | None = None
    author: ParticipantId | None = None
    since: Instant | None = None
    until: Instant | None = None


class Hits(Struct, frozen=True):
    """Part of what was found, newest first. `after` asks for the next part; empty at the end."""

    hits: tuple[Hit, ...]
    after: str = ""


def search(
    service: CoordinationService, caller: Caller, looking: Looking, *, after: str = "", count: int = 50
) -> Hits:  # fmt: skip
    """Return messages they may read, newest first. Archived threads are searched too; system entries are not.

    Raises:
        InvalidValueError: nothing is looked for, the words are not in order, or `after` or `count` is not.
    """
    for name in ("patient", "organisation", "author"):
        given = getattr(looking, name)
        if given is not None:
            # They become part of a query: nothing but an id may.
            parse_participant_id(given, name)
    query = msgspec.json.encode(replace(looking, words=check_query(looking.words))).decode()
    asked = replace(line(caller, Action.SEARCHED), query=query)
    archive = service.archive

    def work(asking: Asking) -> tuple[Hits, Shown]:
        if looking == Looking():
            raise InvalidValueError("query", "says nothing to look for")
        if not 0 < count <= MOST_HITS:
            raise InvalidValueError("count", f"is not from 1 to {MOST_HITS}")
        wanted = _search(asking.connection, asking.actor, looking, archive.installation.custodian.id)
        found = []
        if wanted is not None:
            since, until = _within(looking.since), _within(looking.until)
            found = store_search.found(asking.connection, wanted, since, until, after, count + 1)
        page = found[:count]
        more = encode_place(page[-1].place) if len(found) > count else ""
        shown = tuple(dict.fromkeys(Served(each.thread, each.version, 1) for each in page))
        return Hits(tuple(page), more), Shown(replace(asked, served=shown))

    return answer(archive, asked, caller, work)


def _within(instant: Instant | None) -> Instant | None:
    return None if instant is None else min(instant, _LAST)


def _search(connection: Connection, actor: Actor, looking: Looking, custodian: ParticipantId) -> Search | None:
    """Return what is asked of the full text; nothing where nothing can be found."""
    every = []
    if looking.organisation is not None:
        every.append(participant_token(looking.organisation))
    if looking.author is not None:
        every.append(author_token(looking.author))
    terms = read_terms(looking.words) if looking.words else ()
    records: tuple[CoordinationId, ...] = ()
    if looking.patient is not None:
        records = tuple(sorted(records_of(connection, looking.patient, custodian).values()))
        if not records:
            return None
    never = (kind_token(MessageType.SYSTEM),)
    if reads_everything(actor):
        if not (terms or every or records):
            raise InvalidValueError("query", "says only when: add words, a patient, an organisation or an author")
        return Search(terms, None, tuple(every), records, never=never)
    return Search(terms, bounds(connection, actor, custodian), tuple(every), records, never=never)

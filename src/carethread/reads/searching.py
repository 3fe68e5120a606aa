"""Searching threads and messages by FHIR's terms, in pages by key, each with what comes with it.

One answer looks at so much and no more. What the index gives already fulfils most criteria; the rest are looked at
here, and where they pass over too much, a page is short and says where to go on.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

from msgspec.structs import replace

from carethread.access_log import AccessEntry, Action, ServedEntry
from carethread.coordination import CoordinationService
from carethread.directory.versions import EntryProjection
from carethread.errors import InvalidValueError
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller
from carethread.policy.reading import reads_everything
from carethread.reads.criteria import Criteria, Include, MessageOrder, ThreadOrder, Total
from carethread.reads.found import MessagePage, ThreadPage
from carethread.reads.meaning import Meaning, MessageMeaning, ThreadMeaning
from carethread.reads.projecting import Projecting, recipients_of, requester_of
from carethread.record.projection import MessageProjection, ThreadProjection
from carethread.store import text_index
from carethread.store.asking import Asking, Shown, answer, line
from carethread.store.begun import Stand, Way, decode_stand, encode_stand, everywhere, of_records, on_shelves
from carethread.store.called import newest_entries
from carethread.store.directory_own import acquaintance
from carethread.store.directory_stored import StoredEntry, projected
from carethread.store.held import Held, HeldThread, Recorded
from carethread.store.search import decode_place, encode_place
from carethread.store.ways import shelves

MOST_ON_A_PAGE = 1_000
# As much as one answer looks at, beyond what it shows.
MOST_LOOKED_AT = 2_000
MOST_COUNTED = 10_000
# Messages that come with a page of threads: of each, and together.
MOST_OF_A_THREAD = 100
MOST_INCLUDED = 1_000
_PEOPLE = frozenset({Include.SENDER, Include.RECIPIENT, Include.SUBJECT})
_CHUNK = 250
_END = 1 << 62
_RECORDED = re.compile(r"(\d{1,18})\.(\d{1,18})\.(\d{1,18})\.(\d{1,18})", re.ASCII)
_FIRST: Recorded = (-1, 0, 0, 0)
_LAST: Recorded = (_END, 0, 0, 0)


def search_messages(
    service: CoordinationService,
    caller: Caller,
    criteria: Criteria,
    *,
    order: MessageOrder = MessageOrder.NEWEST_SENT,
    after: str = "",
    count: int = 50,
    total: Total = Total.NONE,
    includes: frozenset[Include] = frozenset(),
    query: str = "",
) -> MessagePage:
    """Return messages they may read that fulfil all criteria; system entries and archived threads as well.

    Args:
        service: the installation.
        caller: who asks.
        criteria: what is looked for.
        order: of what is found.
        after: where the page before ended.
        count: how many at most; 0 only counts.
        total: whether all that is found is counted.
        includes: what comes with the page.
        query: what was asked, as the log keeps it.

    Raises:
        InvalidValueError: `after`, `count` or a value is not in order.
    """
    asked = replace(line(caller, Action.SEARCHED), query=query)
    archive = service.archive
    custodian = archive.installation.custodian.id

    def work(asking: Asking) -> tuple[MessagePage, Shown]:
        _check_count(count)
        projecting = Projecting(asking)
        meaning = Meaning(asking, projecting, custodian).of_messages(criteria)
        finder = _Messages(asking, projecting, meaning, order)
        page, more = finder.page(after, count) if count else ([], "")
        counted = finder.count() if total is Total.ACCURATE else None
        messages = projecting.messages(page)
        threads: tuple[ThreadProjection, ...] = ()
        if Include.THREAD in includes:
            threads = projecting.threads({each.thread.place: each.thread for each in page}.values())
        corrections: tuple[MessageProjection, ...] = ()
        if Include.CORRECTIONS in includes:
            corrections = _corrections(projecting, page)
        entries = _entries(asking, list(_around_messages(messages, includes)), custodian)
        found = MessagePage(messages, threads, corrections, entries, projecting.names(), counted, more)
        return found, _logged(asked, projecting, entries)

    return answer(archive, asked, caller, work)


def search_threads(
    service: CoordinationService,
    caller: Caller,
    criteria: Criteria,
    *,
    order: ThreadOrder = ThreadOrder.NEWEST_AUTHORED,
    after: str = "",
    count: int = 50,
    total: Total = Total.NONE,
    includes: frozenset[Include] = frozenset(),
    query: str = "",
) -> ThreadPage:
    """Return threads they may read, likewise. Who reads everything lists them by when they began, or of a patient.

    Raises:
        InvalidValueError: `after`, `count`, `order` or a value is not in order.
    """
    asked = replace(line(caller, Action.SEARCHED), query=query)
    archive = service.archive
    custodian = archive.installation.custodian.id

    def work(asking: Asking) -> tuple[ThreadPage, Shown]:
        _check_count(count)
        projecting = Projecting(asking)
        meaning = Meaning(asking, projecting, custodian).of_threads(criteria)
        finder = _Threads(asking, projecting, meaning, order, custodian)
        page, more = finder.page(after, count) if count else ([], "")
        counted = finder.count() if total is Total.ACCURATE else None
        threads = projecting.threads(page)
        messages: tuple[MessageProjection, ...] = ()
        if Include.MESSAGES in includes:
            messages = projecting.messages(_first_messages(projecting, page))
        entries = _entries(asking, list(_around_threads(threads, includes)), custodian)
        found = ThreadPage(threads, messages, entries, projecting.names(), counted, more)
        return found, _logged(asked, projecting, entries)

    return answer(archive, asked, caller, work)


def _check_count(count: int) -> None:
    if not 0 <= count <= MOST_ON_A_PAGE:
        raise InvalidValueError("count", f"is not from 0 to {MOST_ON_A_PAGE}")


# ── Messages ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Messages:
    """Walks what a search finds, in its order."""

    def __init__(
        self, asking: Asking, projecting: Projecting, meaning: MessageMeaning, order: MessageOrder
    ) -> None:  # fmt: skip
        self._connection = asking.connection
        self._reading = projecting.reading
        self._meaning = meaning
        self._oldest_first = order in (MessageOrder.SENT, MessageOrder.LAST_UPDATED)
        self._by_sent = order in (MessageOrder.SENT, MessageOrder.NEWEST_SENT)

    def page(self, after: str, count: int) -> tuple[list[Held], str]:
        """Return messages after a place, and where to go on."""
        place = _read_place(after, by_sent=self._by_sent)
        found: list[Held] = []
        looked_at = 0
        last: Held | None = None
        for chunk in self._chunks(place, count):
            for each, fulfils in self._looked_at(chunk):
                if fulfils:
                    if len(found) == count:
                        return found, self._write_place(found[-1])
                    found.append(each)
                last = each
            looked_at += len(chunk)
            if looked_at >= MOST_LOOKED_AT + count and last is not None:
                return found, self._write_place(last)
        return found, self._beyond

    def count(self) -> int | None:
        """Return how much is found in all, unless that takes too long to say."""
        meaning = self._meaning
        if meaning.is_nothing:
            return 0
        if meaning.straight is not None:
            return len(self._straight(meaning.straight, None))
        if not meaning.must_check:
            found = text_index.count_found(
                self._connection, meaning.search, meaning.before, meaning.since, MOST_COUNTED + 1
            )
            return found if found <= MOST_COUNTED else None
        keys = text_index.find(self._connection, meaning.search, meaning.before, meaning.since, MOST_LOOKED_AT + 1)
        if len(keys) > MOST_LOOKED_AT:
            return None
        return sum(fulfils for _, fulfils in self._looked_at(list(self._reading.messages(keys).values())))

    def _looked_at(self, chunk: list[Held]) -> Iterator[tuple[Held, bool]]:
        """Yield with what the index gives whether it fulfils the criteria that the index does not know."""
        # What was asked for by its own id went through no index, and was looked at already.
        checks = self._meaning.checks if self._meaning.must_check else []
        if self._meaning.asks_corrections:
            # Of all at once, so that it does not show how many there are, nor whose.
            self._reading.corrections(each.message.id for each in chunk)
        return ((each, not checks or all(check(each) for check in checks)) for each in chunk)

    # ── What the index gives, piece by piece ──────────────────────────────────────────────────────────────────────────

    def _chunks(self, place: Recorded | None, count: int) -> Iterator[list[Held]]:
        """Yield what may be found, in order, piece by piece. `_beyond` says then where it stopped, if too early."""
        self._beyond = ""
        meaning = self._meaning
        if meaning.is_nothing:
            return
        if meaning.straight is not None:
            yield self._straight(meaning.straight, place)
        elif self._by_sent:
            yield from self._by_search_key(None if place is None else place[0], count)
        else:
            yield from self._by_recording(place)

    def _straight(self, found: Collection[Held], place: Recorded | None) -> list[Held]:
        if self._meaning.asks_corrections:
            self._reading.corrections(each.message.id for each in found)
        held = [each for each in found if all(check(each) for check in self._meaning.checks)]
        held.sort(key=self._standing, reverse=not self._oldest_first)
        if place is None:
            return held
        return [each for each in held if self._is_after(self._standing(each), place)]

    def _standing(self, held: Held) -> Recorded:
        return (held.search_key, 0, 0, 0) if self._by_sent else held.recorded

    def _is_after(self, standing: Recorded, place: Recorded) -> bool:
        return standing > place if self._oldest_first else standing < place

    def _by_search_key(self, place: int | None, count: int) -> Iterator[list[Held]]:
        meaning = self._meaning
        since, before = meaning.since, meaning.before
        if place is not None:
            since, before = (max(since, place + 1), before) if self._oldest_first else (since, min(before, place))
        size = max(_CHUNK, count + 1) if meaning.must_check else count + 1
        while True:
            keys = text_index.find(
                self._connection, meaning.search, before, since, size, oldest_first=self._oldest_first
            )
            held = self._reading.messages(keys)
            yield [held[key] for key in keys]
            if len(keys) < size:
                return
            since, before = (keys[-1] + 1, before) if self._oldest_first else (since, keys[-1])

    def _by_recording(self, place: Recorded | None) -> Iterator[list[Held]]:
        meaning = self._meaning
        keys = text_index.find(self._connection, meaning.search, meaning.before, meaning.since, MOST_LOOKED_AT + 1)
        if len(keys) <= MOST_LOOKED_AT:
            # So few that they are put in order here. Nothing is asked then of what others have.
            yield self._straight(self._reading.messages(keys).values(), place)
            return
        start = place or (_FIRST if self._oldest_first else _LAST)
        for _ in range(MOST_LOOKED_AT // _CHUNK):
            rows = self._reading.recorded_from(start, _CHUNK, oldest_first=self._oldest_first)
            there = text_index.among(self._connection, meaning.search, [key for _, key in rows])
            there = {key for key in there if meaning.since <= key < meaning.before}
            held = self._reading.messages(key for _, key in rows if key in there)
            yield [held[key] for _, key in rows if key in there]
            if len(rows) < _CHUNK:
                return
            start = rows[-1][0]
        self._beyond = ".".join(map(str, start))

    def _write_place(self, held: Held) -> str:
        return encode_place(held.search_key) if self._by_sent else ".".join(map(str, held.recorded))


def _read_place(given: str, *, by_sent: bool) -> Recorded | None:
    if not given:
        return None
    if by_sent:
        return decode_place(given), 0, 0, 0
    found = _RECORDED.fullmatch(given)
    if found is None:
        raise InvalidValueError("after", "is no place in this list: leave it out to begin")
    at, key, seq, position = map(int, found.groups())
    return at, key, seq, position


# ── Threads ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Threads:
    """Walks the threads that a search finds, in its order."""

    def __init__(
        self,
        asking: Asking,
        projecting: Projecting,
        meaning: ThreadMeaning,
        order: ThreadOrder,
        custodian: ParticipantId,
    ) -> None:
        self._asking = asking
        self._reading, self._judge = projecting.reading, projecting.judge
        self._meaning = meaning
        self._custodian = custodian
        self._way = Way(
            order in (ThreadOrder.AUTHORED, ThreadOrder.LAST_UPDATED),
            order in (ThreadOrder.LAST_UPDATED, ThreadOrder.NEWEST_UPDATED),
        )

    def page(self, after: str, count: int) -> tuple[list[HeldThread], str]:
        """Return threads after a place, and where to go on."""
        start = decode_stand(after) if after else self._way.start
        found: list[HeldThread] = []
        last = start
        for number, (stand, held) in enumerate(self._walk(start)):
            if number >= MOST_LOOKED_AT + count:
                return found, encode_stand(last)
            if self._fulfils(held):
                if len(found) == count:
                    return found, encode_stand(last)
                found.append(held)
            last = stand
        return found, ""

    def count(self) -> int | None:
        """Return how many are found in all, unless that takes too long to say."""
        found = list(islice(self._walk(self._way.start), MOST_LOOKED_AT + 1))
        return None if len(found) > MOST_LOOKED_AT else sum(self._fulfils(held) for _, held in found)

    def _fulfils(self, held: HeldThread) -> bool:
        return self._judge.may_read(held.stored) and all(check(held) for check in self._meaning.checks)

    def _walk(self, after: Stand) -> Iterator[tuple[Stand, HeldThread]]:
        meaning, connection, way = self._meaning, self._asking.connection, self._way
        if meaning.straight is not None:
            found = sorted(((self._stand(each), each) for each in meaning.straight), key=lambda each: each[0])
            ordered = found if way.oldest_first else reversed(found)
            yield from (each for each in ordered if way.is_after(each[0], after))
            return
        everything = reads_everything(self._asking.actor)
        ways = None if everything else shelves(connection, self._asking.actor, self._custodian)
        if meaning.records is not None:
            places = of_records(connection, sorted(meaning.records), ways, way, after)
        elif ways is not None:
            places = on_shelves(connection, ways, way, after)
        elif way.by_activity:
            raise InvalidValueError("order", "is by their beginning for whoever reads everything, unless of a patient")
        else:
            places = everywhere(connection, way, after)
        for each in places:
            yield each.stand, self._reading.thread_there((each.key, each.number))

    def _stand(self, held: HeldThread) -> Stand:
        ledger = held.stored.ledger
        at = ledger.last_updated_at if self._way.by_activity else ledger.created_at
        return Stand(at, ledger.communication_id.encode())


# ── What comes with a page ────────────────────────────────────────────────────────────────────────────────────────────


def _corrections(projecting: Projecting, page: list[Held]) -> tuple[MessageProjection, ...]:
    on_page = dict.fromkeys(each.message.id for each in page)
    found = projecting.reading.corrections(on_page)
    corrections = (each for several in found.values() for each in several if each.message.id not in on_page)
    readable = (each for each in corrections if projecting.judge.may_read(each.thread.stored))
    return projecting.messages(islice(readable, MOST_INCLUDED))


def _first_messages(projecting: Projecting, page: list[HeldThread]) -> list[Held]:
    found: list[Held] = []
    for each in page:
        room = min(MOST_OF_A_THREAD, MOST_INCLUDED - len(found))
        if room <= 0:
            break
        found.extend(projecting.reading.first_messages(each, room))
    return found


def _around_messages(found: Iterable[MessageProjection], includes: frozenset[Include]) -> Iterator[ParticipantId]:
    if includes.isdisjoint(_PEOPLE):
        return
    for each in found:
        if Include.SENDER in includes:
            yield each.message.author_id
        if Include.RECIPIENT in includes:
            yield from (party.id for party in each.message.to)
        if Include.SUBJECT in includes:
            yield each.patient


def _around_threads(found: Iterable[ThreadProjection], includes: frozenset[Include]) -> Iterator[ParticipantId]:
    for each in found:
        addressing = each.ledger.addressing
        if Include.REQUESTER in includes and (requester := requester_of(each.ledger, each.opening)) is not None:
            yield requester
        if Include.SENDER in includes and addressing is not None and addressing.reply_to is not None:
            yield addressing.reply_to
        if Include.RECIPIENT in includes:
            yield from recipients_of(each.ledger, each.opening)
        if Include.SUBJECT in includes:
            yield each.patient


def _entries(
    asking: Asking, people: Collection[ParticipantId], custodian: ParticipantId
) -> tuple[EntryProjection, ...]:
    """Return the entries of those who come along, as each would be read by itself.

    Whoever is named in what somebody reads is known to them. Whom the entry of such a one names need not be.
    """
    if not people:
        return ()
    knowing = acquaintance(asking, custodian).with_also(*people)
    newest = (StoredEntry(*each) for each in newest_entries(asking.connection, people))
    shown = ((each, knowing.shown(each.entry)) for each in newest)
    return projected(asking.connection, [(stored, entry) for stored, entry in shown if entry is not None])


def _logged(asked: AccessEntry, projecting: Projecting, entries: Sequence[EntryProjection]) -> Shown:
    came_along = tuple(ServedEntry(each.entry.id, each.version) for each in entries)
    return Shown(replace(asked, served=projecting.served(), entries=came_along))

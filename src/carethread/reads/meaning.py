"""From criteria to what the index is asked, and what is looked at again in what it gives.

References are looked up first, and a thread or message that whoever asks may not read is dropped like one that is
not there: the same statements run, and the same is found.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct, field

from carethread.clock import Instant
from carethread.directory.model import EntryKind
from carethread.errors import InvalidValueError
from carethread.ids import CommunicationId, CoordinationId, MessageId, ParticipantId
from carethread.policy.reading import reads_everything
from carethread.reads.criteria import Between, Clause, Criteria, Field, Ref, Token
from carethread.reads.meant import People, people_meant
from carethread.reads.projecting import Projecting, recipients_of, requester_of
from carethread.record.model import BusinessIdentifier, Ledger, MessageType, Role, Sensitivity, ThreadStatus
from carethread.record.rules import sent_time
from carethread.store import text_index
from carethread.store.asking import Asking
from carethread.store.called import called_of
from carethread.store.finding import search_key_at
from carethread.store.held import Held, HeldThread
from carethread.store.names import Kind, find_named
from carethread.store.ways import bounds, record_of_nobody, records_of
from carethread.store.words import (
    Search,
    Term,
    answer_token,
    author_token,
    correction_token,
    kind_token,
    message_words,
    participant_token,
    read_terms,
    recipient_token,
    record_token,
    thread_token,
)

# The last instant that has a place among messages, in 2109. Nothing was recorded later.
_LAST = (1 << 42) - 1
_END = 1 << 62
MOST_CLAUSES = 32
MOST_VALUES = 100

MessageCheck = Callable[[Held], bool]
ThreadCheck = Callable[[HeldThread], bool]
_THREAD_FIELDS = {
    Field.THREAD_RECIPIENT: Field.RECIPIENT,
    Field.THREAD_REQUESTER: Field.REQUESTER,
    Field.THREAD_SENDER: Field.SENDER,
    Field.THREAD_STATUS: Field.STATUS,
    Field.SECURITY: Field.SECURITY,
}
# Their tokens are short, or say only that somebody takes part.
_MAY_COLLIDE = frozenset({Field.IN_RESPONSE_TO, Field.CORRECTS, Field.THREAD_RECIPIENT, Field.THREAD_SENDER})


class MessageMeaning(Struct):
    """What a search for messages comes to. `since` and `before` are search keys; `records` are keys of records.

    `is_nothing`: nothing can be found. `must_check`: what the index gives is looked at again. `asks_corrections`: what
    is looked at is asked whether it is corrected.
    """

    search: Search
    checks: list[MessageCheck] = field(default_factory=list)
    since: int = 0
    before: int = _END
    straight: tuple[Held, ...] | None = None
    is_nothing: bool = False
    must_check: bool = False
    asks_corrections: bool = False


class ThreadMeaning(Struct):
    """What a search for threads comes to."""

    checks: list[ThreadCheck] = field(default_factory=list)
    records: frozenset[int] | None = None
    straight: tuple[HeldThread, ...] | None = None


class Meaning:
    """Reads the criteria of one search."""

    def __init__(self, asking: Asking, projecting: Projecting, custodian: ParticipantId) -> None:
        """Read for whoever asks."""
        self._asking = asking
        self._connection = asking.connection
        self._reading, self._judge = projecting.reading, projecting.judge
        self._called = called_of(asking.connection)
        self._custodian = custodian

    # ── Messages ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def of_messages(self, criteria: Criteria) -> MessageMeaning:
        """Return what a search for messages comes to.

        Raises:
            InvalidValueError: there is more in it than anybody needs, or the words are not in order.
        """
        _check_size(criteria)
        found = MessageMeaning(Search())
        every: list[str] = []
        choices: list[tuple[str | tuple[Term, ...], ...]] = []
        opened: list[frozenset[CommunicationId]] = []
        for clause in criteria.clauses:
            self._add(found, clause, every, choices, opened)
        access = None
        if not reads_everything(self._asking.actor) and not opened:
            access = bounds(self._connection, self._asking.actor, self._custodian)
            found.is_nothing = found.is_nothing or not access
        if access is None and not (every or choices):
            # A query says at least one thing: everything is of some kind.
            choices.append(tuple(kind_token(each) for each in MessageType))
        found.search = Search(access=access, every=tuple(every), choices=tuple(choices))
        return found

    def message_checks(self, criteria: Criteria) -> list[MessageCheck]:
        """Return what a message fulfils that a search would find, beside the right to read it.

        Raises:
            InvalidValueError: likewise.
        """
        _check_size(criteria)
        found = MessageMeaning(Search())
        for clause in criteria.clauses:
            self._add(found, clause, [], [], [])
        return found.checks

    def _add(
        self,
        found: MessageMeaning,
        clause: Clause,
        every: list[str],
        choices: list[tuple[str | tuple[Term, ...], ...]],
        opened: list[frozenset[CommunicationId]],
    ) -> None:
        """Add what one clause comes to."""
        tokens, check = self._by_tokens(found, clause, opened)
        if check is None:
            check = self._by_looking(found, clause)
            found.must_check = found.must_check or clause.field is not Field.STATUS
        # Clauses about the thread have turned themselves around.
        is_turned = clause.negated and clause.field not in _THREAD_FIELDS
        found.checks.append(_turned(check) if is_turned else check)
        if clause.field in _MAY_COLLIDE or clause.negated:
            found.must_check = True
        if tokens is None or clause.negated:
            return
        found.is_nothing = found.is_nothing or not tokens
        if len(tokens) == 1 and isinstance(tokens[0], str):
            every.append(tokens[0])
        else:
            choices.append(tuple(tokens))

    def _by_tokens(
        self, found: MessageMeaning, clause: Clause, opened: list[frozenset[CommunicationId]]
    ) -> tuple[list[str | tuple[Term, ...]] | None, MessageCheck | None]:
        """Return the tokens by which the index knows what is asked for, and the same as a check."""
        match clause.field:
            case Field.SUBJECT:
                records = frozenset(self._records(clause).values())
                return (
                    [record_token(each) for each in sorted(records)],
                    lambda held: held.thread.stored.record in records,
                )
            case Field.SENDER:
                people = self._people(clause)
                found.must_check = found.must_check or people.must_check
                return [author_token(each) for each in people.ids], lambda held: _is_by(held, people)
            case Field.RECIPIENT:
                people = self._people(clause)
                found.must_check = found.must_check or people.must_check
                return [recipient_token(each) for each in people.ids], lambda held: _is_to(held, people)
            case Field.CATEGORY:
                kinds = [each for each in MessageType if each.value in clause.values]
                return [kind_token(each) for each in kinds], lambda held: held.message.type in kinds
            case Field.THREAD:
                threads = self._threads(clause)
                if not clause.negated:
                    # Whoever asks may read them: nothing else needs to say so.
                    opened.append(threads)
                return (
                    [thread_token(each) for each in sorted(threads)],
                    lambda held: held.thread.stored.ledger.communication_id in threads,
                )
            case Field.IN_RESPONSE_TO:
                messages = self._messages(clause)
                return (
                    [answer_token(each) for each in sorted(messages)],
                    lambda held: held.message.in_response_to in messages,
                )
            case Field.CORRECTS:
                messages = self._messages(clause)
                return (
                    [correction_token(each) for each in sorted(messages)],
                    lambda held: held.message.corrects in messages,
                )
            case Field.CONTENT:
                terms = [read_terms(str(each)) for each in clause.values]
                return list(terms), lambda held: any(_says(message_words(held.message), each) for each in terms)
            case Field.THREAD_RECIPIENT | Field.THREAD_SENDER:
                # Whoever a thread names so takes part in it.
                ids = self._people(clause).ids
                return [participant_token(each) for each in ids], self._of_thread(clause)
        return None, None

    def _by_looking(self, found: MessageMeaning, clause: Clause) -> MessageCheck:
        """Return what is looked at in each message, and narrow down where it can be."""
        match clause.field:
            case Field.ID:
                return self._by_id(found, clause)
            case Field.IDENTIFIER:
                return self._by_identifier(found, clause)
            case Field.STATUS:
                # All messages are completed.
                is_any = "completed" in clause.values
                found.is_nothing = found.is_nothing or is_any is clause.negated
                return lambda _: is_any
            case Field.SENT:
                if not clause.negated:
                    self._narrow(found, _ranges(clause), only_until=False)
                return lambda held: _within(sent_time(held.message), clause)
            case Field.LAST_UPDATED:
                if not clause.negated:
                    # Nothing is sent after it was recorded.
                    self._narrow(found, _ranges(clause), only_until=True)
                return lambda held: _within(held.message.timestamp, clause)
            case Field.TAG:
                is_wanted = "corrected" in clause.values
                found.asks_corrections = found.asks_corrections or is_wanted
                return lambda held: is_wanted and self._is_corrected(held)
            case _:
                return self._of_thread(clause)

    def _of_thread(self, clause: Clause) -> MessageCheck:
        check = self._thread_check(Clause(_THREAD_FIELDS[clause.field], clause.values, clause.negated))
        return lambda held: check(held.thread)

    def _narrow(self, found: MessageMeaning, ranges: list[Between], *, only_until: bool) -> None:
        if not ranges:
            found.is_nothing = True
            return
        untils = [each.until for each in ranges]
        if None not in untils:
            found.before = min(found.before, _key(max(each for each in untils if each is not None)))
        sinces = [each.since for each in ranges]
        if None not in sinces and not only_until:
            found.since = max(found.since, _key(min(each for each in sinces if each is not None)))

    def _by_id(self, found: MessageMeaning, clause: Clause) -> MessageCheck:
        held = []
        for each in clause.values:
            one = self._reading.message_at(self._place(Kind.MESSAGE, str(each)))
            if one is not None and self._judge.may_read(one.thread.stored):
                held.append(one)
        if not clause.negated:
            _keep_straight(found, held)
        ids = {each.search_key for each in held}
        return lambda held: held.search_key in ids

    def _by_identifier(self, found: MessageMeaning, clause: Clause) -> MessageCheck:
        tokens = [each for each in clause.values if isinstance(each, Token)]
        values = _values_of(tokens)
        if values is not None and not clause.negated:
            called = (one for system, value in values for one in self._reading.messages_called(system, value))
            _keep_straight(found, [one for one in called if self._judge.may_read(one.thread.stored)])
        return lambda held: _is_called(held.identifiers, tokens)

    def _is_corrected(self, held: Held) -> bool:
        corrections = self._reading.corrections((held.message.id,)).get(held.message.id, [])
        return any(self._judge.may_read(each.thread.stored) for each in corrections)

    # ── Threads ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def of_threads(self, criteria: Criteria) -> ThreadMeaning:
        """Return what a search for threads comes to.

        Raises:
            InvalidValueError: there is more in it than anybody needs.
        """
        _check_size(criteria)
        found = ThreadMeaning()
        for clause in criteria.clauses:
            found.checks.append(self._thread_check(clause, found))
        return found

    def _thread_check(self, clause: Clause, found: ThreadMeaning | None = None) -> ThreadCheck:
        positive = self._thread_match(clause, found)
        return (lambda held: not positive(held)) if clause.negated else positive

    def _thread_match(self, clause: Clause, found: ThreadMeaning | None) -> ThreadCheck:
        match clause.field:
            case Field.ID:
                held = [self._reading.thread_at(self._place(Kind.THREAD, str(each))) for each in clause.values]
                kept = [each for each in held if each is not None and self._judge.may_read(each.stored)]
                _keep_threads(found, clause, kept)
                places = {each.place for each in kept}
                return lambda held: held.place in places
            case Field.IDENTIFIER:
                tokens = [each for each in clause.values if isinstance(each, Token)]
                values = _values_of(tokens)
                if values is not None:
                    called = [one for system, value in values for one in self._reading.threads_called(system, value)]
                    _keep_threads(found, clause, [each for each in called if self._judge.may_read(each.stored)])
                return lambda held: _is_called(held.stored.identifiers, tokens)
            case Field.SUBJECT:
                records = frozenset(self._records(clause))
                if found is not None and not clause.negated:
                    found.records = records if found.records is None else found.records & records
                return lambda held: held.stored.key in records
            case Field.STATUS:
                return lambda held: _status(held.stored.ledger) in clause.values
            case Field.TAG:
                is_wanted = "archived" in clause.values
                return lambda held: is_wanted and held.stored.ledger.status is ThreadStatus.ARCHIVED
            case Field.SECURITY:
                return lambda held: security_of(held.stored.ledger) in clause.values
            case Field.AUTHORED:
                return lambda held: _within(held.stored.ledger.created_at, clause)
            case Field.LAST_UPDATED:
                return lambda held: _within(held.stored.ledger.last_updated_at, clause)
            case Field.MESSAGE_SENDER:
                authors = self._people(clause)
                return lambda held: self._wrote(held, authors)
            case _:
                people = self._people(clause)
                return lambda held: any(
                    people.has(each, held.stored.ledger, held.opening) for each in _addressed(clause.field, held)
                )

    def _wrote(self, held: HeldThread, people: People) -> bool:
        ids = people.ids
        if not ids:
            return False
        token = thread_token(held.stored.ledger.communication_id)
        search = Search(access=None, every=(token,), choices=(tuple(map(author_token, ids)),))
        # Somebody has one role in a thread: one message of each tells it.
        keys = text_index.find(self._connection, search, _END, 0, len(ids) if people.must_check else 1)
        return any(_is_by(each, people) for each in self._reading.messages(keys).values())

    # ── References ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _people(self, clause: Clause) -> People:
        return people_meant(self._connection, self._called, clause.values)

    def _records(self, clause: Clause) -> dict[int, CoordinationId]:
        people = self._people(clause)
        found: dict[int, CoordinationId] = {}
        for each in sorted(people.known):
            found |= records_of(self._connection, each, self._custodian)
        for each, kind in sorted(people.by_role):
            # A record of which the directory has no patient is called by its own number.
            if kind == EntryKind.PATIENT:
                found |= record_of_nobody(self._connection, each, self._custodian)
        return found

    def _place(self, kind: Kind, resource_id: str) -> tuple[int, int, int] | None:
        return find_named(self._connection, kind, resource_id)

    def _threads(self, clause: Clause) -> frozenset[CommunicationId]:
        found = []
        for each in _refs(clause, "CommunicationRequest"):
            held = self._reading.thread_at(self._place(Kind.THREAD, each.id))
            if held is not None and self._judge.may_read(held.stored):
                found.append(held.stored.ledger.communication_id)
        return frozenset(found)

    def _messages(self, clause: Clause) -> frozenset[MessageId]:
        found = []
        for each in _refs(clause, "Communication"):
            held = self._reading.message_at(self._place(Kind.MESSAGE, each.id))
            if held is not None and self._judge.may_read(held.thread.stored):
                found.append(held.message.id)
        return frozenset(found)


def check_criteria(criteria: Criteria) -> None:
    """A search could be for this.

    Raises:
        InvalidValueError: there is more in it than anybody needs, or the words are not in order.
    """
    _check_size(criteria)
    for clause in criteria.clauses:
        if clause.field is Field.CONTENT:
            for each in clause.values:
                read_terms(str(each))


def security_of(ledger: Ledger) -> str:
    """Return a thread's code of confidentiality, as HL7 has them."""
    if ledger.visibility.restricted or ledger.visibility.sensitivity is Sensitivity.RESTRICTED:
        return "V"
    return "R" if ledger.visibility.sensitivity is Sensitivity.CONFIDENTIAL else "N"


def _turned(check: MessageCheck) -> MessageCheck:
    return lambda held: not check(held)


def _check_size(criteria: Criteria) -> None:
    if len(criteria.clauses) > MOST_CLAUSES:
        raise InvalidValueError("criteria", f"are more than {MOST_CLAUSES}")
    for each in criteria.clauses:
        if len(each.values) > MOST_VALUES:
            raise InvalidValueError(each.field.value, f"has more than {MOST_VALUES} values")


def _refs(clause: Clause, kind: str) -> Iterable[Ref]:
    return (each for each in clause.values if isinstance(each, Ref) and each.type in (None, kind))


def _ranges(clause: Clause) -> list[Between]:
    return [each for each in clause.values if isinstance(each, Between)]


def _within(at: Instant, clause: Clause) -> bool:
    return any(
        (each.since is None or each.since <= at) and (each.until is None or at < each.until) for each in _ranges(clause)
    )


def _key(instant: int) -> int:
    return search_key_at(Instant(min(max(0, instant), _LAST)))


def _keep_straight(found: MessageMeaning, held: list[Held]) -> None:
    kept = {each.search_key: each for each in held}
    if found.straight is not None:
        kept = {each.search_key: each for each in found.straight if each.search_key in kept}
    found.straight = tuple(kept.values())


def _keep_threads(found: ThreadMeaning | None, clause: Clause, held: list[HeldThread]) -> None:
    if found is None or clause.negated:
        return
    kept = {each.place: each for each in held}
    if found.straight is not None:
        kept = {each.place: each for each in found.straight if each.place in kept}
    found.straight = tuple(kept.values())


def _is_called(identifiers: tuple[BusinessIdentifier, ...], tokens: list[Token]) -> bool:
    return any(
        token.value in (None, each.value) and token.system in (None, each.system)
        for each in identifiers
        for token in tokens
    )


def _values_of(tokens: list[Token]) -> list[tuple[str | None, str]] | None:
    """Return what can be looked up by its value; `None` if one is without, so that all must be looked at."""
    found = [(each.system, each.value) for each in tokens if each.value is not None]
    return found if len(found) == len(tokens) else None


def _says(words: list[str], terms: tuple[Term, ...]) -> bool:
    return all(_says_term(words, each) for each in terms)


def _says_term(words: list[str], term: Term) -> bool:
    *first, last = term.words
    for at in range(len(words) - len(first)):
        said = words[at + len(first)]
        if words[at : at + len(first)] == first and (said == last or (term.prefix and said.startswith(last))):
            return True
    return False


def _is_by(held: Held, people: People) -> bool:
    return people.has(held.message.author_id, held.thread.stored.ledger, held.message)


def _is_to(held: Held, people: People) -> bool:
    return any(people.has(each.id, held.thread.stored.ledger) for each in held.message.to)


def _status(ledger: Ledger) -> str:
    return "active" if ledger.status is ThreadStatus.OPEN else "completed"


def _addressed(wanted: Field, held: HeldThread) -> tuple[ParticipantId, ...]:
    """Return whom a thread names as its requester, recipients, or where replies go."""
    ledger = held.stored.ledger
    if wanted is Field.RECIPIENT:
        return recipients_of(ledger, held.opening)
    if wanted is Field.REQUESTER:
        requester = requester_of(ledger, held.opening)
        return () if requester is None else (requester,)
    reply_to = None if ledger.addressing is None else ledger.addressing.reply_to
    is_team = any(each.id == reply_to and each.role is Role.CARE_TEAM for each in ledger.participants)
    return (reply_to,) if reply_to is not None and is_team is (wanted is Field.SENDER_CARE_TEAM) else ()

"""One record, opened: its threads and messages."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from carethread.errors import UnknownMessageError
from carethread.ids import (
    ClinicalId,
    CommunicationId,
    CoordinationId,
    MessageId,
    ParticipantId,
    mint_message_id,
    parse_communication_id,
    parse_message_id,
)
from carethread.record import intake, rules, transitions
from carethread.record.intake import check_care_location
from carethread.record.model import (
    Addressing,
    Author,
    ClientIdentifier,
    Communication,
    CoordinationStatus,
    HistoryEntry,
    Ledger,
    LedgerUpdate,
    Message,
    MessageContent,
    Naming,
    Participant,
    Policies,
    StatusUpdate,
    Visibility,
)
from carethread.record.transitions import Found, NewThread, Occasion, Transition, made_message, made_thread
from carethread.store.archive import Archive
from carethread.store.identifiers import check_same, comparable, new_identifier
from carethread.store.journal import Effect
from carethread.store.names import Kind, check_not_taken, taken
from carethread.store.state import rules_view
from carethread.store.writer import Decision, Job, View

# What stands above the record's rules is asked under the record's lock, in the transaction that records. It refuses by
# raising, and says as whom the author acts (of a message: for whom and to whom as well).
ThreadGuard = Callable[[View, NewThread, Ledger | None, Found | None], Author]
MessageGuard = Callable[[View, Ledger, Found | None], tuple[Author, MessageContent]]
UpdateGuard = Callable[[View, Ledger], tuple[Author, ParticipantId | None]]
NameGuard = Callable[[View, Found], Author]
# Rows that go with what is recorded, from the commit, the id of what it made, and what was done unless it was there.
Effects = Callable[[str, str, Transition | None], Iterable[Effect]]

Guard = TypeVar("Guard")

_NO_RECORD = CoordinationId("0" * 32)
_NO_CLINICAL_RECORD = ClinicalId("00000000-0000-0000-0000-000000000000")


class Permission(Struct, Generic[Guard], frozen=True):
    """What a policy adds to a write: whom to ask, and the rows that go with what is recorded."""

    ask: Guard
    effects: Effects


def check_first_thread(
    archive: Archive,
    author: Author,
    care_location: str,
    given: NewThread,
    initial_message: MessageContent | None,
    client_identifier: ClientIdentifier | None,
    naming: Naming | None = None,
) -> None:
    """A thread can be the first one of a record. Asked before that is begun, so that no refusal leaves an empty record.

    Raises:
        InvalidValueError, RuleError, UnknownMessageError, ResourceIdTakenError: as
            `CoordinationRecord.communication_create`.
    """
    new = _check_new_thread(given)
    prepared = None if initial_message is None else intake.prepare(initial_message)
    opening = None if prepared is None else (mint_message_id(archive.mint), prepared, None)
    if client_identifier is not None:
        new_identifier(client_identifier, None)
    checked = intake.check_naming_value(naming)
    with archive.database.read() as connection:
        check_not_taken(connection, Kind.THREAD, checked)
    now = archive.clock()
    occasion = Occasion(intake.check_author_value(author), check_care_location(care_location), now, now)
    status = CoordinationStatus(_NO_RECORD, _NO_CLINICAL_RECORD, archive.installation.custodian)
    transitions.create_thread(occasion, status, archive.mint(), new, opening, None)


def _check_new_thread(given: NewThread) -> NewThread:
    if given.continues is not None:
        parse_communication_id(given.continues, "continues")
    return replace(
        given,
        participants=intake.check_participant_values(given.participants, "participants"),
        visibility=intake.check_visibility_value(given.visibility),
    )


def _named(naming: Naming | None) -> tuple[Naming, ...]:
    """Return what a naming adds to what was asked: nothing where nothing was named."""
    return () if naming is None else (naming,)


def _check_free(view: View, kind: Kind, naming: Naming | None) -> None:
    wanted = None if naming is None else naming.resource_id
    if wanted is not None and view.named(kind, wanted) is not None:
        raise taken(kind, wanted)


def _unknown_so_far(view: View, message: MessageId, naming: Naming | None) -> Naming | None:
    """Return what a naming says of a message that the record does not say yet, if anything.

    Raises:
        ResourceIdTakenError: another message has the resource id.
    """
    if naming is None:
        return None
    known = view.state.names(view.connection, message)
    wanted = None if naming.resource_id == message else naming.resource_id
    if wanted is not None and (place := view.named(Kind.MESSAGE, wanted)) is not None:
        if place != (view.state.key, known.thread_no, known.position):
            raise taken(Kind.MESSAGE, wanted)
        wanted = None
    identifiers = tuple(each for each in naming.identifiers if each not in known.identifiers)
    return Naming(wanted, identifiers) if wanted is not None or identifiers else None


class CoordinationRecord:
    """The coordination record of one patient."""

    def __init__(self, archive: Archive, coordination_id: CoordinationId) -> None:
        """Use `CoordinationService.initialise` or `CoordinationService.record`."""
        self._archive = archive
        self.coordination_id = coordination_id

    @property
    def path(self) -> Path:
        """The repository of this record. `flush` first: it may be behind what was acknowledged."""
        return self._archive.path(self.coordination_id)

    def flush(self) -> None:
        """Bring the repository up to date with what was acknowledged."""
        self._archive.materialiser.flush(self.coordination_id)

    # ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def communication_create(  # noqa: PLR0913 - whatever a thread may begin with, by name
        self,
        author: Author,
        care_location: str,
        participants: tuple[Participant, ...] | list[Participant],
        initial_message: MessageContent | None = None,
        *,
        addressing: Addressing | None = None,
        continues: CommunicationId | None = None,
        visibility: Visibility | None = None,
        policies: Policies | None = None,
        client_identifier: ClientIdentifier | None = None,
        naming: Naming | None = None,
        permission: Permission[ThreadGuard] | None = None,
    ) -> CommunicationId:
        """Open a thread, with or without a first message.

        Args:
            author: the individual who opens it, one of the participants.
            care_location: where that happens, in one line.
            participants: who takes part.
            initial_message: the first message.
            addressing: who asks, where replies go, and who is asked; left out, everyone writes to everyone.
            continues: the closed thread of this record that this one takes up.
            visibility: who among the members of participating groups may read.
            policies: who may become a participant.
            client_identifier: what the client calls this request, so that asking again opens nothing twice.
            naming: what the client calls this thread.
            permission: asked under the record's lock whether, and as whom, the author may.

        Raises:
            InvalidValueError: a value is not in order; the error names field and fault.
            RuleError: the record's rules refuse it.
            IdentifierConflictError: the client identifier stands for something else.
            ResourceIdTakenError: another thread has the resource id, in this record or elsewhere.
        """
        archive = self._archive
        given = NewThread(
            tuple(participants), addressing, continues, visibility or Visibility(), policies or Policies()
        )  # fmt: skip
        new = _check_new_thread(given)
        prepared = None if initial_message is None else intake.prepare(initial_message)
        called = intake.check_naming_value(naming)
        unique = archive.mint()
        message_id = mint_message_id(archive.mint)

        def compose(view: View, occasion: Occasion) -> Transition:
            connection, state = view.connection, view.state
            _check_free(view, Kind.THREAD, called)
            opening = corrected = None
            if prepared is not None:
                corrected = state.message(connection, prepared.content.corrects)
                opening = (message_id, prepared, corrected)
            continued = None if continues is None else state.ledger(connection, continues)
            if permission is not None:
                occasion = replace(occasion, author=permission.ask(view, new, continued, corrected))
            return transitions.create_thread(occasion, state.status, unique, new, opening, continued, called)

        asked = ("communication_create", author.id, new, comparable(prepared), *_named(called))
        made = self._record(author, care_location, compose, made_thread, client_identifier, asked, permission)
        return CommunicationId(made)

    def add_message(
        self,
        author: Author,
        care_location: str,
        thread_id: CommunicationId | str,
        content: MessageContent,
        *,
        client_identifier: ClientIdentifier | None = None,
        naming: Naming | None = None,
        permission: Permission[MessageGuard] | None = None,
    ) -> MessageId:
        """Append a message, or a correction, to an open thread.

        `naming` is what the client calls the message. `permission` is asked under the record's lock; it says as whom,
        for whom and to whom the author writes.

        Raises:
            InvalidValueError: a value is not in order; the error names field and fault.
            UnknownThreadError: the record has no such thread.
            UnknownMessageError: what the content corrects or answers is not there.
            RuleError: the record's rules refuse it.
            IdentifierConflictError: the client identifier stands for something else.
            ResourceIdTakenError: another message has the resource id, in this record or elsewhere.
        """
        thread = parse_communication_id(thread_id, "thread_id")
        prepared = intake.prepare(content)
        called = intake.check_naming_value(naming)
        message_id = mint_message_id(self._archive.mint)

        def compose(view: View, occasion: Occasion) -> Transition:
            connection, state = view.connection, view.state
            found = rules_view(state.thread(connection, thread))
            corrected = state.message(connection, content.corrects)
            _check_free(view, Kind.MESSAGE, called)
            said = prepared
            if permission is not None:
                acting, spoken = permission.ask(view, found.ledger, corrected)
                # The body stays as it was checked and normalised, whatever the permission was given or gives back.
                spoken = replace(spoken, body=prepared.content.body)
                occasion, said = replace(occasion, author=acting), replace(prepared, content=spoken)
            answered = state.message(connection, content.in_response_to)
            return transitions.add_message(
                occasion, state.status, found, message_id, said, corrected, answered, called
            )  # fmt: skip

        asked = ("add_message", author.id, thread, comparable(prepared), *_named(called))
        made = self._record(author, care_location, compose, made_message, client_identifier, asked, permission)
        return MessageId(made)

    def name_message(
        self,
        author: Author,
        care_location: str,
        message_id: MessageId | str,
        naming: Naming,
        *,
        permission: Permission[NameGuard] | None = None,
    ) -> None:
        """Write down what a client calls a message that is recorded already. What is known of that stays as it is.

        The message keeps the resource id it has, if it has one, and is found by the new one as well. Where nothing is
        new, nothing is recorded. `permission` is asked under the record's lock; it says as whom the author acts.

        Raises:
            InvalidValueError: a value is not in order, or the message is a system entry.
            UnknownMessageError: the record has no such message.
            RuleError: the record's rules refuse it.
            ResourceIdTakenError: another message has the resource id, in this record or elsewhere.
        """
        message = parse_message_id(message_id)
        called = intake.check_naming_value(naming)

        def compose(view: View, occasion: Occasion) -> Transition | None:
            found = view.state.message(view.connection, message)
            if found is None:
                raise UnknownMessageError(f"record {self.coordination_id} has no message {message}")
            if permission is not None:
                occasion = replace(occasion, author=permission.ask(view, found))
            new = _unknown_so_far(view, message, called)
            return None if new is None else transitions.name_message(occasion, view.state.status, found, new)

        self._record(author, care_location, compose, lambda _: message, permission=permission)

    def update_communication_ledger(
        self,
        author: Author,
        care_location: str,
        thread_id: CommunicationId | str,
        update: LedgerUpdate,
        *,
        on_behalf_of: ParticipantId | None = None,
        permission: Permission[UpdateGuard] | None = None,
    ) -> MessageId:
        """Change a thread's ledger; return the id of the system entry that tells of it.

        `permission` is asked under the record's lock; it says as whom the author acts, and for whom.

        Raises:
            InvalidValueError: a value is not in order; the error names field and fault.
            UnknownThreadError: the record has no such thread.
            RuleError: the record's rules refuse it.
        """
        thread = parse_communication_id(thread_id, "thread_id")
        checked = intake.check_update_value(update)
        message_id = mint_message_id(self._archive.mint)

        def compose(view: View, occasion: Occasion) -> Transition:
            current = rules_view(view.state.thread(view.connection, thread))
            group = on_behalf_of
            if permission is not None:
                acting, group = permission.ask(view, current.ledger)
                occasion = replace(occasion, author=acting)
            return transitions.update_ledger(occasion, view.state.status, current, message_id, checked, group)

        return MessageId(self._record(author, care_location, compose, made_message, permission=permission))

    def update_coordination_status(self, author: Author, care_location: str, update: StatusUpdate) -> None:
        """Suspend, resume or close the record, or change what it accepts.

        Raises:
            RuleError: the record's rules refuse it.
        """
        checked = intake.check_status_value(update)

        def compose(view: View, occasion: Occasion) -> Transition:
            return transitions.update_status(occasion, view.state.status, checked)

        self._record(author, care_location, compose, lambda _: "")

    def _record(
        self,
        author: Author,
        care_location: str,
        compose: Callable[[View, Occasion], Transition | None],
        result_of: Callable[[Transition], str],
        client_identifier: ClientIdentifier | None = None,
        asked: object = None,
        permission: Permission[Any] | None = None,
    ) -> str:
        """Have a transition composed under the record's lock and made durable; return the id of what it made.

        Where there is nothing to record, nothing is. Where the client's identifier is known, nothing is recorded
        either, and the id is of what it made before.
        """
        archive = self._archive
        person = intake.check_author_value(author)
        location = check_care_location(care_location)
        request = None if client_identifier is None else new_identifier(client_identifier, asked)

        def decide(view: View) -> Decision:
            state = view.state
            rules.check_custodian(state.status, archive.installation.custodian.id)
            if request is not None:
                known = state.identifier(view.connection, request.client, request.value)
                if known is not None:
                    check_same(request, known)
                    return Decision(known.result, effects=following(known.result, None))
            trailers = () if request is None else request.trailers
            transition = compose(view, Occasion(person, location, archive.clock(), state.last, trailers))
            result = "" if transition is None else result_of(transition)
            identifier = None if request is None else replace(request, result=result)
            return Decision(result, transition, identifier, following(result, transition))

        def following(result: str, made: Transition | None) -> Callable[[str], Iterable[Effect]] | None:
            return None if permission is None else lambda commit: permission.effects(commit, result, made)

        return archive.submit(Job(self.coordination_id, decide))

    # ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def status(self) -> CoordinationStatus:
        """Return the record's status."""
        return self._archive.status(self.coordination_id)

    def communications(self) -> tuple[Ledger, ...]:
        """Return the ledgers of all threads, oldest first, archived ones too."""
        return self._archive.ledgers(self.coordination_id)

    def read_communication(self, thread_id: CommunicationId | str) -> Communication:
        """Return a thread with its messages, as acknowledged.

        Raises:
            UnknownThreadError: the record has no such thread.
        """
        found = self._archive.thread(self.coordination_id, parse_communication_id(thread_id, "thread_id"))
        return Communication(found.version, found.ledger, found.messages)

    def read_message(self, message_id: MessageId | str) -> tuple[Ledger, Message]:
        """Return a message, and the ledger of the thread it stands in.

        Raises:
            UnknownMessageError: the record has no such message.
        """
        return self._archive.message(self.coordination_id, parse_message_id(message_id))

    def history(self) -> Iterator[HistoryEntry]:
        """Return the record's commits, oldest first, as its repository has them."""
        return self._archive.history(self.coordination_id)

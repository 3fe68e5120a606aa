"""The whole library against a naive model in memory, with flushes, rebuilds and restarts as steps."""

import shutil
import tempfile
from functools import partial
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from carethread import (
    AttachmentContent,
    Author,
    ClientIdentifier,
    CoordinationRecord,
    CoordinationService,
    LedgerUpdate,
    MessageContent,
    errors,
)
from carethread.ids import CommunicationId, CoordinationId, MessageId
from tests.people import CLINICAL_ID, JANE, JOHN, MARY, PLACE, PLAIN, TOM, Ticking, listed, mint_from, seeded_ids

BODIES = st.one_of(
    st.sampled_from(["Yes", "2*500*3 mg", "# Not a heading", "1. one\n3. three", "---", "    code", "<b>", "[a]: b"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=40),
)
AUTHORS = st.sampled_from([JANE, TOM, JOHN])


class Expected:
    """What the model remembers of a thread."""

    def __init__(self) -> None:
        self.status = "open"
        self.bodies: list[tuple[str, str, MessageId | None]] = []
        self.participants = {each.id for each in PLAIN}


class Conversation(RuleBasedStateMachine):
    """Everything that may happen to one record, and what must be there afterwards."""

    threads = Bundle("threads")
    messages = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="carethread-model-"))
        self.clock = Ticking()
        self.source = seeded_ids(7)
        self.model: dict[CommunicationId, Expected] = {}
        self.identifiers: dict[str, tuple[CommunicationId, Author, str, MessageId]] = {}
        self.service = self.open()

    def open(self) -> CoordinationService:
        mint = partial(mint_from, self.source)
        return CoordinationService.open(self.folder / "home", clock=self.clock, mint=mint, flushes=False)

    @property
    def record(self) -> CoordinationRecord:
        return self.service.record(self.coordination_id)

    @initialize()
    def begin(self) -> None:
        self.coordination_id: CoordinationId = self.service.initialise(JANE, PLACE, CLINICAL_ID).coordination_id

    @rule(target=threads, body=st.none() | BODIES)
    def create(self, body: str | None) -> CommunicationId:
        content = None if body is None else MessageContent(body)
        thread = self.record.communication_create(JANE, PLACE, PLAIN, content)
        expected = self.model[thread] = Expected()
        if body is not None:
            expected.bodies.append((JANE.name, body, None))
        return thread

    @rule(target=messages, thread=threads, author=AUTHORS, body=BODIES, attach=st.booleans())
    def add(self, thread: CommunicationId, author: Author, body: str, *, attach: bool) -> object:
        expected = self.model[thread]
        files = (AttachmentContent(body.encode(), "text/plain", "note.txt"),) if attach else ()
        if expected.status != "open" or author.id not in expected.participants:
            self.refused(thread, author, MessageContent(body))
            return multiple()
        message = self.record.add_message(author, PLACE, thread, MessageContent(body, attachments=files))
        expected.bodies.append((author.name, body, None))
        return thread, message

    @rule(message=messages, body=BODIES)
    def correct(self, message: tuple[CommunicationId, MessageId], body: str) -> None:
        thread, corrected = message
        expected = self.model[thread]
        content = MessageContent(body, corrects=corrected)
        if expected.status != "open":
            self.refused(thread, JANE, content)
        else:
            self.record.add_message(JANE, PLACE, thread, content)
            expected.bodies.append((JANE.name, body, corrected))

    def refused(self, thread: CommunicationId, author: Author, content: MessageContent) -> None:
        try:
            self.record.add_message(author, PLACE, thread, content)
        except errors.RuleError:
            return
        raise AssertionError("this should have been refused")

    @rule(thread=threads, author=st.sampled_from([JANE, TOM]), body=BODIES, name=st.sampled_from(["a", "b", "c"]))
    def retry(self, thread: CommunicationId, author: Author, body: str, name: str) -> None:
        identifier = ClientIdentifier("client", name)
        expected = self.model[thread]
        known = self.identifiers.get(name)
        asked = (thread, author, body)
        try:
            message = self.record.add_message(author, PLACE, thread, MessageContent(body), client_identifier=identifier)
        except errors.IdentifierConflictError:
            assert known is not None
            assert known[:3] != asked
        except errors.RuleError:
            assert known is None
            assert expected.status != "open" or author.id not in expected.participants
        else:
            if known is None:
                expected.bodies.append((author.name, body, None))
                self.identifiers[name] = (*asked, message)
            else:
                assert known == (*asked, message)

    @rule(thread=threads, who=st.sampled_from([TOM, JOHN, MARY]))
    def change_participants(self, thread: CommunicationId, who: Author) -> None:
        expected = self.model[thread]
        if who.id in expected.participants:
            update, sentence = LedgerUpdate(remove_participants=(who.id,)), "removed from"
            expected.participants.remove(who.id)
        else:
            update, sentence = LedgerUpdate(add_participants=listed(who)), "added to"
            expected.participants.add(who.id)
        self.record.update_communication_ledger(JANE, PLACE, thread, update)
        role = who.role.value.replace("_", " ")
        expected.bodies.append((JANE.name, f"{who.name} ({role}) was {sentence} the thread.", None))

    @rule(thread=threads, status=st.sampled_from(["closed", "archived"]))
    def end(self, thread: CommunicationId, status: str) -> None:
        expected = self.model[thread]
        update = LedgerUpdate(status=status)  # type: ignore[arg-type]
        try:
            self.record.update_communication_ledger(JANE, PLACE, thread, update)
        except (errors.IllegalTransitionError, errors.NothingToChangeError):
            assert expected.status in {status, "archived"}
        else:
            assert (expected.status, status) in {("open", "closed"), ("open", "archived"), ("closed", "archived")}
            expected.status = status
            expected.bodies.append((JANE.name, f"The thread was {status}.", None))

    @rule()
    def flush(self) -> None:
        self.record.flush()

    @rule()
    def restart(self) -> None:
        self.service.close()
        self.service = self.open()

    @rule()
    def rebuild(self) -> None:
        self.service.rebuild()

    @rule()
    def lose_the_index(self) -> None:
        self.service.flush()
        self.service.close()
        for file in (self.folder / "home").glob("carethread.sqlite*"):
            file.unlink()
        self.service = self.open()
        self.service.rebuild()

    @invariant()
    def what_is_read_is_what_was_written(self) -> None:
        assert [each.communication_id for each in self.record.communications()] == sorted(self.model)
        for thread, expected in self.model.items():
            found = self.record.read_communication(thread)
            assert found.ledger.status == expected.status
            assert {each.id for each in found.ledger.participants} == expected.participants
            assert [(each.author_name, each.body, each.corrects) for each in found.messages] == expected.bodies

    def teardown(self) -> None:
        assert list(self.service.verify()) == []
        self.service.close()
        shutil.rmtree(self.folder)


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=settings().max_examples // 4, stateful_step_count=25, deadline=None)

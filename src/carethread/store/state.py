"""What the writer knows of a record: as it stands, with what the running batch adds.

A `RecordState` is loaded from the index and then follows along; the writer throws it away when a transaction fails
or when another process has moved the record's head. It belongs to the writer's thread.
"""

from msgspec import Struct, field
from msgspec.structs import replace

from carethread.clock import Instant
from carethread.errors import UnknownThreadError
from carethread.git.objects import object_id
from carethread.ids import CommunicationId, CoordinationId, MessageId
from carethread.record.model import CoordinationStatus, Ledger, Message, MessageType
from carethread.record.status_yaml import parse_status
from carethread.record.thread_md import FILE_HEADER, appendix, parse_entry, parse_thread
from carethread.record.transitions import STATUS_PATH, Found, Thread, Transition
from carethread.store import statements
from carethread.store.database import Connection, Row
from carethread.store.identifiers import KnownIdentifier
from carethread.store.keys import id_of, key_of
from carethread.store.ledgers import stored_ledger
from carethread.store.names import Names, names_of_message
from carethread.store.trees import Communications, file_names, root_tree, thread_tree, with_files
from carethread.store.turns import Turn, Turns, take, turns_of
from carethread.store.words import thread_tokens


class ThreadState(Struct):
    """A thread as it stands: its ledger, the bytes of `thread.md`, and what the index derives from both.

    `tokens` are those that its messages have in the full text. `is_new` and `is_changed` hold for the running batch:
    the index lacks the thread, or its ledger has changed in more than the time. `new_keys` are the search keys of
    what the batch has added, by position; `names` is what a thread is called that it added.
    """

    number: int
    ledger: Ledger
    ledger_bytes: bytes
    entries: int
    content: bytearray
    tree: bytes
    attachments: bytes
    last_message: int
    turns: Turns
    tokens: tuple[str, ...]
    versions: int = 0
    names: Names | None = None
    is_new: bool = False
    is_changed: bool = False
    new_keys: dict[int, int] = field(default_factory=dict)

    def messages(self) -> tuple[Message, ...]:
        """Return all entries, parsed."""
        return parse_thread(bytes(self.content))


class RecordState:
    """A record as it stands, and what it would be asked about."""

    def __init__(self, connection: Connection, row: Row) -> None:
        """Load a record from its row; threads follow when they are needed."""
        self.key: int = row[0]
        self.coordination_id = CoordinationId(bytes(row[1]).hex())
        self.head_seq: int = row[2]
        self.head_commit = bytes(row[3])
        self.last = Instant(row[4])
        self.status_bytes = bytes(row[5])
        self.status: CoordinationStatus = parse_status(self.status_bytes)
        self.status_blob = object_id(b"blob", self.status_bytes)
        self.communications = Communications(connection.all(statements.list_trees, key=self.key))
        self.threads: dict[CommunicationId, ThreadState] = {}
        # What the running batch has added and the index does not show yet.
        self.new_messages: dict[MessageId, Found] = {}
        self.new_identifiers: dict[tuple[str, str], KnownIdentifier] = {}
        self.new_names: dict[MessageId, Names] = {}
        self.touched: list[ThreadState] = []

    @property
    def weight(self) -> int:
        """Return about how many bytes of memory this takes."""
        return 4096 + 256 * len(self.communications) + sum(len(each.content) + 4096 for each in self.threads.values())

    # ── What may be asked ─────────────────────────────────────────────────────────────────────────────────────────────

    def thread(self, connection: Connection, thread_id: CommunicationId) -> ThreadState:
        """Return a thread.

        Raises:
            UnknownThreadError: the record has no such thread.
        """
        known = self.threads.get(thread_id)
        if known is None:
            known = self.threads[thread_id] = self._load_thread(connection, thread_id)
        return known

    def _load_thread(self, connection: Connection, thread_id: CommunicationId) -> ThreadState:
        row = connection.one(statements.find_thread, key=self.key, communication_id=thread_id)
        if row is None:
            raise UnknownThreadError(f"record {self.coordination_id} has no thread {thread_id}")
        entries = connection.all(statements.read_entries, key=self.key, no=row[0])
        content = bytearray(FILE_HEADER)
        for position, (entry,) in enumerate(entries):
            content += appendix(position, entry)
        ledger_bytes = bytes(row[3])
        turns = {
            id_of(each[0]): Turn(each[1], each[2])
            for each in connection.all(statements.read_turns, key=self.key, no=row[0])
        }
        ledger = stored_ledger(ledger_bytes)
        return ThreadState(
            number=row[0],
            ledger=ledger,
            ledger_bytes=ledger_bytes,
            entries=row[2],
            content=content,
            tree=bytes(row[4]),
            attachments=bytes(row[5]),
            last_message=row[6],
            turns=turns,
            tokens=thread_tokens(ledger),
            versions=row[7],
        )

    def ledger(self, connection: Connection, thread_id: CommunicationId) -> Ledger | None:
        """Return a thread's ledger, if the record has that thread."""
        known = self.threads.get(thread_id)
        if known is not None:
            return known.ledger
        row = connection.one(statements.find_thread, key=self.key, communication_id=thread_id)
        return None if row is None else stored_ledger(bytes(row[3]))

    def message(self, connection: Connection, message_id: MessageId | None) -> Found | None:
        """Return a message of this record, with its thread's ledger as it stands."""
        if message_id is None:
            return None
        found = self.new_messages.get(message_id)
        if found is None:
            row = connection.one(statements.find_message, key=self.key, message_id=key_of(message_id))
            if row is None:
                return None
            found = Found(stored_ledger(bytes(row[1])), parse_entry(bytes(row[0])))
        known = self.threads.get(found.ledger.communication_id)
        return found if known is None else Found(known.ledger, found.message)

    def identifier(self, connection: Connection, client: str, value: str) -> KnownIdentifier | None:
        """Return what a client's identifier stands for, if it was used."""
        known = self.new_identifiers.get((client, value))
        if known is not None:
            return known
        row = connection.one(statements.find_identifier, key=self.key, client=client, value=value)
        return None if row is None else KnownIdentifier(bytes(row[0]), row[1])

    def names(self, connection: Connection, message_id: MessageId) -> Names:
        """Return what a message that this record has is called so far."""
        return self.new_names.get(message_id) or names_of_message(connection, self.key, message_id)

    def settle(self) -> None:
        """Forget what the batch added: the index shows it now."""
        self.new_messages.clear()
        self.new_identifiers.clear()
        self.new_names.clear()
        for each in self.touched:
            each.is_new = each.is_changed = False
            each.new_keys.clear()
        self.touched.clear()

    # ── What a transition does to it ──────────────────────────────────────────────────────────────────────────────────

    def blob_ids(self, transition: Transition) -> tuple[bytes, ...]:
        """Return the id each edited file has after the transition."""
        ids = []
        for edit in transition.edits:
            if edit.append and transition.ledger is not None:
                held = self.threads[transition.ledger.communication_id].content
                ids.append(object_id(b"blob", held, edit.data))
            else:
                ids.append(object_id(b"blob", edit.data))
        return tuple(ids)

    def follow(self, transition: Transition, blobs: tuple[bytes, ...]) -> bytes:
        """Become what the transition says; return the id of the root tree."""
        if transition.ledger is not None:
            self._follow_thread(transition, transition.ledger, blobs)
        for edit, blob in zip(transition.edits, blobs, strict=True):
            if edit.path == STATUS_PATH:
                self.status_bytes, self.status_blob = edit.data, blob
        if transition.status is not None:
            self.status = transition.status
        self.last = transition.at
        return root_tree(self.status_blob, self.communications.id())

    def _follow_thread(self, transition: Transition, ledger: Ledger, blobs: tuple[bytes, ...]) -> None:
        thread_id = ledger.communication_id
        state = self.threads.get(thread_id)
        if state is None:
            state = ThreadState(
                number=len(self.communications) + 1,
                ledger=ledger,
                ledger_bytes=b"",
                entries=0,
                content=bytearray(),
                tree=b"",
                attachments=b"",
                last_message=0,
                turns={each.id: Turn() for each in ledger.participants},
                tokens=thread_tokens(ledger),
                is_new=True,
            )
            self.threads[thread_id] = state
        self.touched.append(state)
        files = {}
        thread_blob = ledger_blob = b""
        for edit, blob in zip(transition.edits, blobs, strict=True):
            name = edit.path.rsplit("/", 1)[1]
            if name == "thread.md":
                state.content += edit.data
                thread_blob = blob
            elif name == "ledger.yaml":
                ledger_blob = blob
            else:
                files[name.encode()] = blob
        state.versions += 1
        has_moved = replace(state.ledger, last_updated_at=ledger.last_updated_at) != ledger
        state.ledger, state.ledger_bytes = ledger, transition.ledger_bytes
        for entry in transition.entries:
            state.entries += 1
            take(state.turns, ledger, state.entries, entry.message)
            if entry.message.type is not MessageType.SYSTEM:
                state.last_message = state.entries
        if has_moved:
            # Who takes part, and on which side, holds for the whole thread: as a rebuilt index would see it.
            state.is_changed = True
            state.turns = turns_of(ledger, state.messages())
            state.tokens = thread_tokens(ledger)
        if files:
            state.attachments = with_files(state.attachments, files)
        state.tree = thread_tree(state.attachments, ledger_blob, thread_blob)
        self.communications.id_with(thread_id, state.tree)
        for position, entry in enumerate(transition.entries, state.entries - len(transition.entries) + 1):
            self.new_messages[entry.message.id] = Found(ledger, entry.message)
            self.new_names[entry.message.id] = Names(state.number, position)


def rules_view(state: ThreadState) -> Thread:
    """Return a thread as the record's rules see it."""
    files = frozenset(name.decode() for name in file_names(state.attachments)) if state.attachments else frozenset()
    return Thread(state.ledger, state.ledger_bytes, state.entries, files)

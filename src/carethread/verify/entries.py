"""What an entry may say, given the ledger of its thread and the entries before it."""

from collections.abc import Callable
from typing import ParamSpec

from msgspec import Struct, field

from carethread.errors import CarethreadError
from carethread.ids import CommunicationId, MessageId
from carethread.record import rules
from carethread.record.media_types import attachment_path
from carethread.record.model import Author, Ledger, Message, MessageType, Party, Role, ThreadStatus
from carethread.verify.codes import Code
from carethread.verify.report import Report
from carethread.verify.threads import Placed, Thread

_Given = ParamSpec("_Given")


class Known(Struct):
    """What the record holds so far: its threads, and every entry by its id, with the thread it stands in."""

    threads: dict[CommunicationId, Thread] = field(default_factory=dict)
    messages: dict[MessageId, tuple[Thread, Message]] = field(default_factory=dict)

    def add(self, thread: Thread, message: Message) -> None:
        """Remember an entry, without its text."""
        self.messages[message.id] = (
            thread,
            Message(
                id=message.id,
                type=message.type,
                timestamp=message.timestamp,
                author_id=message.author_id,
                author_name="",
                body="",
                to=message.to,
                sent=message.sent,
            ),
        )

    def find(self, message_id: MessageId) -> tuple[Ledger, Message] | None:
        """Return an entry with the ledger of its thread as it is now."""
        thread, message = self.messages.get(message_id, (None, None))
        if thread is None or thread.ledger is None or message is None:
            return None
        return thread.ledger, message


class EntryCheck:
    """Judges one entry of one thread; faults are reported at its heading."""

    def __init__(self, known: Known, thread: Thread, ledger: Ledger, placed: Placed, report: Report) -> None:
        """Take the entry and the ledger it is held to: that before the commit, or that of a new thread."""
        self._known = known
        self._thread = thread
        self._ledger = ledger
        self._message = placed.message
        self._line = placed.line
        self._report = report

    def check(self) -> None:
        """Report every fault of the entry."""
        message = self._message
        if message.id in self._known.messages:
            self._fault(Code.MESSAGE_DUPLICATE, f"The message id {message.id} was used before.")
        if message.timestamp < self._thread.last:
            self._fault(Code.MESSAGE_TIME, "The entry is earlier than the one before it.")
        self._check_author()
        self._check_recipients()
        answered = None
        if message.in_response_to is not None:
            answered = self._known.find(message.in_response_to)
            self._hold(Code.MESSAGE_ANSWER, rules.check_answer, self._thread.id, message.in_response_to, answered)
        if message.sent is not None:
            original = None if answered is None else answered[1]
            self._hold(Code.MESSAGE_SENT, rules.check_sent, message.sent, message.timestamp, original)
        if message.corrects is not None:
            self._check_correction(message.corrects)
        if message.type is not MessageType.SYSTEM and self._ledger.status is not ThreadStatus.OPEN:
            self._hold(Code.THREAD_NOT_OPEN, rules.check_thread_open, self._ledger)
        for attachment in message.attachments:
            path = attachment_path(attachment)
            name = path.removeprefix("attachments/")
            if name not in self._thread.files:
                if not self._thread.unsure:
                    self._fault(Code.ATTACHMENT_MISSING, f"There is no {path}.")
            elif (size := self._thread.files[name]) not in (None, attachment.size):
                self._fault(Code.ATTACHMENT_SIZE, f"{path} has {size} bytes, not {attachment.size}.")

    def _check_author(self) -> None:
        message, ledger = self._message, self._ledger
        group = message.on_behalf_of
        # Where no role is written down, the type says it.
        author = Author(message.author_id, message.author_name, message.author_role or Role(message.type.value))
        if message.type is MessageType.SYSTEM and group is None:
            self._hold(Code.MESSAGE_AUTHOR, rules.check_author, ledger, author)
            return
        speaks_for = None if group is None else group.id
        if self._hold(Code.MESSAGE_AUTHOR, rules.check_speaks, ledger, author, speaks_for) and group is not None:
            self._check_name(Code.MESSAGE_GROUP, group)

    def _check_recipients(self) -> None:
        message = self._message
        is_message = message.type is not MessageType.SYSTEM
        if is_message and self._ledger.addressing is not None and not message.to:
            self._fault(Code.MESSAGE_RECIPIENTS, "The thread has addressing, and the entry no recipients.")
        for party in message.to:
            self._check_name(Code.MESSAGE_RECIPIENTS, party)

    def _check_correction(self, corrects: MessageId) -> None:
        found = self._known.find(corrects)
        if not self._hold(Code.MESSAGE_CORRECTION, rules.check_correction, self._thread.id, corrects, found):
            return
        if found is None or found[0].communication_id != self._thread.id or not self._message.to:
            return
        takes_part = {each.id for each in self._ledger.participants}
        due = {each.id for each in found[1].to if each.id in takes_part}
        if due and due != {each.id for each in self._message.to}:
            self._fault(Code.MESSAGE_CORRECTION, f"The correction does not go where {corrects} went.")

    def _check_name(self, code: Code, party: Party) -> None:
        listed = rules.find_participant(self._ledger.participants, party.id)
        if listed is None:
            self._fault(code, f"{party.id} does not take part in the thread.")
        elif listed.name != party.name:
            self._fault(code, f"{party.id} has another name in the ledger.")

    def _hold(
        self, code: Code, check: Callable[_Given, object], /, *given: _Given.args, **named: _Given.kwargs
    ) -> bool:
        """Hold the entry to a rule; say whether it keeps it."""
        try:
            check(*given, **named)
        except CarethreadError as error:
            self._fault(code, f"A rule is broken: {error}.")
            return False
        return True

    def _fault(self, code: Code, sentence: str) -> None:
        self._report.add(code, sentence, self._thread.path, self._line)

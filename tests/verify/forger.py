"""A forger who knows the format: what is added is right in every respect but the one that is asked for."""

from collections.abc import Callable
from copy import deepcopy
from uuid import UUID

from msgspec.structs import replace

from carethread import (
    Author,
    CoordinationStatus,
    Ledger,
    Message,
    MessageType,
    Participant,
    Party,
    Role,
)
from carethread.clock import Instant, format_instant
from carethread.ids import CommunicationId, MessageId
from carethread.record.commit_message import (
    COMMUNICATION_ID,
    MESSAGE_ID,
    CommitMessage,
    Summary,
    render_commit_message,
)
from carethread.record.entry_check import author_role
from carethread.record.ledger_yaml import parse_ledger, render_ledger, with_last_updated
from carethread.record.status_yaml import parse_status, render_status
from carethread.record.system_text import ledger_sentences, ledger_summary
from carethread.record.thread_md import FILE_HEADER, appendix, parse_thread, render_entry, split_thread
from tests.people import PLACE
from tests.verify.histories import Step

STATUS = "COORDINATION_STATUS.yaml"
DOMAIN = "care.example"
_HOUR_MS = 3_600_123


class Forger:
    """A history in the hands of somebody who wants it to say something else."""

    def __init__(self, steps: list[Step]) -> None:
        """Take a history; what is done to it is not done to the original."""
        self.steps = deepcopy(steps)
        self._made = 0

    # ── What there is ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def last(self) -> Step:
        """The last commit."""
        return self.steps[-1]

    @property
    def threads(self) -> list[CommunicationId]:
        """The threads, oldest first."""
        names = {path.split("/")[1] for path in self.last.files if path.startswith("communications/")}
        return [CommunicationId(name) for name in sorted(names)]

    def ledger(self, thread: CommunicationId) -> Ledger:
        """Return a thread's ledger as it is."""
        return parse_ledger(self.last.read(ledger_path(thread)))

    def messages(self, thread: CommunicationId) -> tuple[Message, ...]:
        """Return a thread's entries as they are."""
        return parse_thread(self.last.read(thread_path(thread)))

    def status(self) -> CoordinationStatus:
        """Return the record's status as it is."""
        return parse_status(self.last.read(STATUS))

    def index(self, text: str) -> int:
        """Return the number of the first commit whose message, or a file that it changed, holds a text."""
        before: Step | None = None
        for number, step in enumerate(self.steps):
            changed = [
                file.data for path, file in step.files.items() if before is None or before.files.get(path) != file
            ]
            if text in step.message or any(text.encode() in data for data in changed):
                return number
            before = step
        raise AssertionError(text)

    def now(self) -> Instant:
        """Return a time a while after the last commit."""
        return Instant(int(self.last.committer.split()[-2]) * 1000 + _HOUR_MS)

    def mint(self) -> UUID:
        """Make a UUID nobody else has."""
        self._made += 1
        return UUID(int=0xF0_0000 + self._made, version=4)

    # ── What is added ─────────────────────────────────────────────────────────────────────────────────────────────────

    def commit(
        self,
        summary: Summary,
        author: Author,
        at: Instant,
        trailers: tuple[tuple[str, str], ...] = (),
    ) -> Step:
        """Add a commit whose files are those of the last one."""
        custodian = self.status().custodian
        seconds = at // 1000
        step = Step(
            author=f"{author.name} <{author.id}@{DOMAIN}> {seconds} +0000",
            committer=f"{custodian.name} <{custodian.id}@{DOMAIN}> {seconds} +0000",
            message=render_commit_message(CommitMessage(summary, PLACE, trailers)).decode(),
            files=dict(self.last.files),
        )
        self.steps.append(step)
        return step

    def entry(self, author: Author, body: str, **fields: object) -> Message:
        """Make an entry, of the author's side unless `type` says otherwise."""
        side = MessageType.PATIENT if author.role in (Role.PATIENT, Role.PATIENT_ASSOCIATE) else MessageType.CLINICIAN
        kind = MessageType(str(fields.pop("type", MessageType.CORRECTION if "corrects" in fields else side)))
        message = Message(
            id=MessageId(str(self.mint())),
            type=kind,
            timestamp=self.now(),
            author_id=author.id,
            author_name=author.name,
            body=body,
            author_role=author_role(kind, author.role),
        )
        return replace(message, **fields)

    def say(self, author: Author, thread: CommunicationId, body: str = "Forged.", **fields: object) -> Step:
        """Add a message, right in itself, allowed or not."""
        return self.append(author, thread, self.entry(author, body, **fields))

    def append(self, author: Author, thread: CommunicationId, message: Message, ledger: bytes | None = None) -> Step:
        """Add an entry with its ledger, and with a subject that says what it is."""
        summary = Summary.MESSAGE_ADDED
        trailers = ((COMMUNICATION_ID, thread), (MESSAGE_ID, message.id))
        step = self.commit(summary, author, message.timestamp, trailers)
        old = step.read(thread_path(thread))
        step.write(thread_path(thread), old + appendix(len(split_thread(old)), render_entry(message)))
        before = step.read(ledger_path(thread))
        if ledger is not None or b"\nlast_updated_at: " in before:
            step.write(ledger_path(thread), ledger or with_last_updated(before, message.timestamp))
        return step

    def change(
        self,
        author: Author,
        thread: CommunicationId,
        edit: Callable[[Ledger], Ledger],
        body: str | None = None,
        summary: Summary | None = None,
        **fields: object,
    ) -> Step:
        """Change a ledger, with a system entry; `body` and `summary` where what is right cannot be told."""
        before = self.ledger(thread)
        at = self.now()
        after = replace(edit(before), last_updated_at=at)
        text = "\n".join(ledger_sentences(before, after)) if body is None else body
        entry = self.entry(author, text, type="system", timestamp=at, **fields)
        step = self.append(author, thread, entry, render_ledger(after))
        subject = ledger_summary(before, after) if summary is None else summary
        step.message = step.message.replace(Summary.MESSAGE_ADDED.value, subject.value)
        return step

    def open(
        self,
        author: Author,
        people: tuple[Participant, ...],
        message: Message | None = None,
        at: Instant | None = None,
        thread: str | None = None,
        **fields: object,
    ) -> CommunicationId:
        """Add a thread."""
        created = at or (self.now() if message is None else message.timestamp)
        stamp = format_instant(created).replace("-", "").replace(":", "")
        thread_id = CommunicationId(thread or f"{stamp}-{self.mint()}")
        ledger = replace(Ledger(thread_id, created, created, people), **fields)
        trailers: tuple[tuple[str, str], ...] = ((COMMUNICATION_ID, thread_id),)
        if message is not None:
            trailers = (*trailers, (MESSAGE_ID, message.id))
        step = self.commit(Summary.THREAD_CREATED, author, created, trailers)
        content = FILE_HEADER if message is None else FILE_HEADER + appendix(0, render_entry(message))
        step.write(thread_path(thread_id), content)
        step.write(ledger_path(thread_id), render_ledger(ledger))
        return thread_id

    def set_status(self, author: Author, **fields: object) -> Step:
        """Change the record's status."""
        status = replace(self.status(), **fields)
        step = self.commit(Summary.RECORD_STATUS_UPDATED, author, self.now())
        step.write(STATUS, render_status(status))
        return step

    # ── What is changed ───────────────────────────────────────────────────────────────────────────────────────────────

    def edit(self, path: str, old: bytes, new: bytes, start: int = 0, end: int | None = None) -> None:
        """Change bytes of a file in every commit from one on, as if it had always been so."""
        count = 0
        for step in self.steps[start:end]:
            file = step.files.get(path)
            if file is not None and old in file.data:
                step.write(path, file.data.replace(old, new, 1), file.mode)
                count += 1
        assert count, f"nothing to change in {path}"


def party(participant: Participant | Author) -> Party:
    """Return somebody as an entry names them."""
    return Party(participant.id, participant.name)


def thread_path(thread: str) -> str:
    """Return where a conversation lies."""
    return f"communications/{thread}/thread.md"


def ledger_path(thread: str) -> str:
    """Return where a ledger lies."""
    return f"communications/{thread}/ledger.yaml"

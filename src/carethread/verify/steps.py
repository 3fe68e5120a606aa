"""What one commit does to one thread: read, held to the rules, remembered."""

from hashlib import sha256

from carethread.errors import RecordNotWritableError
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.record import rules
from carethread.record.commit_message import Summary
from carethread.record.media_types import attachment_path
from carethread.record.model import CoordinationStatus, Ledger, Message, MessageType
from carethread.verify.codes import Code
from carethread.verify.commits import Act, author_id_in
from carethread.verify.entries import EntryCheck, Known
from carethread.verify.ledgers import LedgerCheck, follow_ledger, has_changed
from carethread.verify.objects import Objects
from carethread.verify.report import Report
from carethread.verify.threads import Added, Thread, follow_content
from carethread.verify.trees import ThreadChange

_TIME_PREFIX = len("20260111T143522.045Z-")


class Steps:
    """The threads of a record as of the last commit that was followed."""

    def __init__(self, objects: Objects, report: Report) -> None:
        """Begin with a record without threads."""
        self.messages = 0
        self._objects = objects
        self._report = report
        self._known = Known()
        self._uuids: set[str] = set()

    def follow(
        self, change: ThreadChange, commit: bytes, status: CoordinationStatus | None, *, tolerant: bool
    ) -> Act | None:
        """Go on to what a commit changed in a thread; return what the commit does, as far as that can be told.

        `commit` is the commit as it is stored, `status` the record's before it. `tolerant` says that the change may be
        that of more than one commit.
        """
        known = self._known.threads.get(change.thread_id)
        thread = self._begin(change) if known is None else known
        tolerant = tolerant or thread.unsure or change.unsure
        thread.unsure = change.unsure
        before = thread.ledger
        files = self._follow_files(thread, change)
        added = self._follow_content(thread, change)
        entry = added.last
        self._follow_ledger(thread, change, entry)
        if added.is_unknown or len(added.entries) > 1:
            if not (added.is_unknown or tolerant):
                self._report.add(Code.THREAD_ENTRIES, f"The commit adds {len(added.entries)} entries.", thread.path)
            self._take(thread, added)
            return None
        self._check_entries(thread, thread.ledger if known is None else before, added)
        if not tolerant:
            self._check_files(thread, added, files)
        if status is not None:
            self._check_writable(status, thread, is_message=known is None or _is_message(entry))
        if added.entries and entry is None:
            return None
        if known is None:
            return self._judge_new(thread, entry, author_id_in(commit))
        return self._judge_change(thread, before, entry, quiet=tolerant or bool(change.files))

    def name(
        self, thread_id: CommunicationId, message_id: MessageId, status: CoordinationStatus | None, *, tolerant: bool
    ) -> Act | None:
        """Hold a commit that changes no file to what it says: that it names a message of a thread.

        `tolerant` says that a part of the commit before could not be read.
        """
        thread, message = self._known.messages.get(message_id, (None, None))
        if thread is None or message is None or thread.id != thread_id:
            if not tolerant:
                self._report.add(Code.COMMIT_NAME, f"The thread has no message {message_id} that could be named.")
            return None
        if message.type is MessageType.SYSTEM:
            self._report.add(Code.COMMIT_NAME, f"Entry {message_id} is the record's own and called nothing else.")
        if status is not None:
            self._check_writable(status, thread, is_message=False)
        return Act(Summary.MESSAGE_NAMED, thread_id, named=message_id)

    # ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, change: ThreadChange) -> Thread:
        thread = self._known.threads[change.thread_id] = Thread(change.thread_id)
        unique = change.thread_id[_TIME_PREFIX:]
        if unique in self._uuids:
            self._report.add(Code.THREAD_DUPLICATE, f"Another thread has the UUID {unique}.", thread.folder)
        self._uuids.add(unique)
        return thread

    def _follow_content(self, thread: Thread, change: ThreadChange) -> Added:
        if change.thread is None:
            return Added()
        content = self._objects.read(change.thread, b"blob", thread.path)
        if content is None:
            thread.unsure = True
            return Added(is_unknown=True)
        return follow_content(thread, content, self._report)

    def _follow_ledger(self, thread: Thread, change: ThreadChange, entry: Message | None) -> None:
        if change.ledger is None:
            return
        content = self._objects.read(change.ledger, b"blob", f"{thread.folder}/ledger.yaml")
        if content is None:
            thread.ledger = None
        else:
            follow_ledger(thread, bytes(content), None if entry is None else entry.timestamp, self._report)

    def _follow_files(self, thread: Thread, change: ThreadChange) -> list[str]:
        """Read attachments that are new or changed; return the names of those that are what their names say."""
        names = []
        for name, blob in change.files.items():
            path = f"{thread.folder}/attachments/{name}"
            content = self._objects.read(blob, b"blob", path)
            thread.files[name] = None if content is None else len(content)
            if content is None:
                continue
            if sha256(content).hexdigest() == name.partition(".")[0]:
                names.append(name)
            else:
                self._report.add(Code.ATTACHMENT_CONTENT, "The name is not the SHA-256 of the content.", path)
        return names

    def _take(self, thread: Thread, added: Added) -> None:
        """Remember entries as they are, unjudged."""
        for placed in added.entries:
            if placed is not None and placed.message.id not in self._known.messages:
                self.messages += 1
                self._known.add(thread, placed.message)
                thread.last = placed.message.timestamp

    # ── Judging ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _check_entries(self, thread: Thread, ledger: Ledger | None, added: Added) -> None:
        for placed in added.entries:
            if placed is None:
                continue
            if ledger is not None:
                EntryCheck(self._known, thread, ledger, placed, self._report).check()
            self.messages += 1
            self._known.add(thread, placed.message)
            thread.last = placed.message.timestamp

    def _check_files(self, thread: Thread, added: Added, names: list[str]) -> None:
        if None in added.entries:
            return
        named = {
            attachment_path(each)
            for placed in added.entries
            if placed is not None
            for each in placed.message.attachments
        }
        for name in names:
            if f"attachments/{name}" not in named:
                path = f"{thread.folder}/attachments/{name}"
                self._report.add(Code.ATTACHMENT_UNREFERENCED, "No entry of this commit names this file.", path)

    def _check_writable(self, status: CoordinationStatus, thread: Thread, *, is_message: bool) -> None:
        try:
            if is_message:
                rules.check_accepts_entries(status)
            else:
                rules.check_modifiable(status)
        except RecordNotWritableError as error:
            self._report.add(Code.RECORD_NOT_WRITABLE, f"A rule is broken: {error}.", thread.folder)

    def _judge_new(self, thread: Thread, entry: Message | None, actor: ParticipantId | None) -> Act:
        at = None if entry is None else entry.timestamp
        ledger = thread.ledger
        if ledger is not None:
            continued = None if ledger.continues is None else self._known.threads.get(ledger.continues)
            check = LedgerCheck(thread, self._report)
            check.check_new(ledger, None if continued is None else continued.ledger)
            check.check_opening(ledger, entry, actor)
            at = ledger.created_at if at is None else at
        return Act(Summary.THREAD_CREATED, thread.id, entry, at)

    def _judge_change(self, thread: Thread, before: Ledger | None, entry: Message | None, *, quiet: bool) -> Act:
        summary = Summary.MESSAGE_ADDED if _is_message(entry) else None
        after = thread.ledger
        if before is not None and after is not None:
            check = LedgerCheck(thread, self._report)
            if has_changed(before, after):
                summary = check.check_change(before, after, entry) or summary
            elif entry is not None:
                check.check_unchanged(entry)
            elif not quiet:
                self._report.add(Code.COMMIT_SCOPE, "The commit records nothing in this thread.", thread.folder)
            if entry is not None:
                check.check_time(after, entry)
        return Act(summary, thread.id, entry, None if entry is None else entry.timestamp)


def _is_message(entry: Message | None) -> bool:
    return entry is not None and entry.type is not MessageType.SYSTEM

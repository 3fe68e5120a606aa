"""`ledger.yaml` from version to version: what changed, whether it may, and whether it is told."""

from collections.abc import Callable
from typing import ParamSpec

from msgspec.structs import replace

from carethread.clock import Instant, format_instant
from carethread.errors import CarethreadError, FormatError, InvalidValueError
from carethread.ids import ParticipantId
from carethread.record import rules
from carethread.record.commit_message import Summary
from carethread.record.ledger_yaml import parse_ledger, render_ledger, with_last_updated
from carethread.record.model import Ledger, Message, MessageType, ThreadStatus
from carethread.record.system_text import ledger_sentences, ledger_summary
from carethread.verify.codes import Code
from carethread.verify.report import Report
from carethread.verify.threads import Thread

_Given = ParamSpec("_Given")


def follow_ledger(thread: Thread, data: bytes, at: Instant | None, report: Report) -> None:
    """Go on to a version of `ledger.yaml`, which becomes the thread's ledger.

    `at` is the time of the entry in the same commit: where nothing but that changed, nothing else is read.
    """
    if at is not None and _moved(thread.ledger_bytes, at) == data:
        if thread.ledger is not None:
            thread.ledger = replace(thread.ledger, last_updated_at=at)
    else:
        thread.ledger = _read(data, f"{thread.folder}/ledger.yaml", report)
    thread.ledger_bytes = data


def _moved(data: bytes, at: Instant) -> bytes | None:
    try:
        return with_last_updated(data, at)
    except ValueError:
        return None


def _read(data: bytes, path: str, report: Report) -> Ledger | None:
    try:
        ledger = parse_ledger(data)
    except FormatError as error:
        report.add(Code.LEDGER_MALFORMED, f"Line {error.line}: {error.fault}.", path, error.line)
        return None
    if render_ledger(ledger) != data:
        report.add(Code.LEDGER_MALFORMED, "The ledger would be written otherwise for what it says.", path)
        return None
    return ledger


def has_changed(before: Ledger, after: Ledger) -> bool:
    """Tell whether anything changed but the time of the last change."""
    return replace(after, last_updated_at=before.last_updated_at) != before


class LedgerCheck:
    """Judges a ledger that is new or changed."""

    def __init__(self, thread: Thread, report: Report) -> None:
        """Take the thread with its new ledger."""
        self._path = f"{thread.folder}/ledger.yaml"
        self._thread = thread
        self._report = report

    def check_new(self, ledger: Ledger, continued: Ledger | None) -> None:
        """Judge the ledger of a new thread; `continued` is that of the thread it takes up, if the record has it."""
        stamp = format_instant(ledger.created_at).replace("-", "").replace(":", "")
        if ledger.communication_id != self._thread.id:
            self._fault(Code.THREAD_ID, "The ledger has another communication id than its folder.")
        elif not self._thread.id.startswith(f"{stamp}-"):
            self._fault(Code.THREAD_ID, "The thread's id does not begin with the time it was created.")
        if ledger.status is not ThreadStatus.OPEN:
            self._fault(Code.LEDGER_CREATED, f"A new thread is {ledger.status}, not open.")
        if ledger.last_updated_at != ledger.created_at:
            self._fault(Code.LEDGER_CREATED, "A new thread was updated at another time than it was created.")
        if ledger.continues is not None:
            self._hold(rules.check_continues, ledger.continues, continued)
        self._check_rules(ledger)

    def check_opening(self, ledger: Ledger, entry: Message | None, actor: ParticipantId | None) -> None:
        """Hold a new ledger to who opened the thread, and to its first entry, if it has one."""
        opener = actor if entry is None else entry.author_id
        if entry is not None:
            self.check_unchanged(entry)
            if entry.timestamp != ledger.created_at:
                self._fault(Code.LEDGER_CREATED, f"The thread was not created at the time of {entry.id}.")
        if opener is not None and rules.find_participant(ledger.participants, opener) is None:
            self._fault(Code.LEDGER_RULE, f"{opener}, who opened the thread, takes no part in it.")
        if ledger.addressing is not None and opener is not None and ledger.addressing.requester != opener:
            self._fault(Code.LEDGER_RULE, f"The requester is not {opener}, who opened the thread.")

    def check_change(self, before: Ledger, after: Ledger, entry: Message | None) -> Summary | None:
        """Judge a change that an entry must tell of; return what the commit's subject must say of it."""
        try:
            sentences, summary = ledger_sentences(before, after), ledger_summary(before, after)
        except InvalidValueError as error:
            self._fault(Code.LEDGER_CHANGE, f"There is no such change: {error}.")
            return None
        self._check_change_rules(before, after)
        if entry is None or entry.type is not MessageType.SYSTEM:
            self._fault(Code.LEDGER_UNTOLD, "The ledger changed, and no system entry in this commit says so.")
            return None
        if entry.body != "\n".join(sentences):
            self._fault(Code.LEDGER_SENTENCE, f"The system entry {entry.id} says something else than what changed.")
        return summary

    def check_unchanged(self, entry: Message) -> None:
        """Where nothing changed, no system entry tells of it."""
        if entry.type is MessageType.SYSTEM:
            self._fault(Code.LEDGER_SENTENCE, f"The system entry {entry.id} tells of a change, and there is none.")

    def check_time(self, ledger: Ledger, entry: Message) -> None:
        """The ledger was last updated with the entry."""
        if ledger.last_updated_at != entry.timestamp:
            self._fault(Code.LEDGER_TIME, f"last_updated_at is not the time of {entry.id}.")

    def _check_change_rules(self, before: Ledger, after: Ledger) -> None:
        stay = {each.id for each in after.participants}
        for each in before.participants:
            if each.id not in stay:
                self._hold(rules.check_removal, before, each.id)
        if before.status is not ThreadStatus.OPEN and (
            before.policies != after.policies or before.addressing != after.addressing
        ):
            self._fault(Code.LEDGER_RULE, f"The thread is {before.status}: its policies and addressing stay.")
        self._check_rules(after)

    def _check_rules(self, ledger: Ledger) -> None:
        self._hold(rules.check_policies, ledger.policies, ledger.addressing, ledger.participants)

    def _hold(self, check: Callable[_Given, object], /, *given: _Given.args, **named: _Given.kwargs) -> None:
        try:
            check(*given, **named)
        except CarethreadError as error:
            self._fault(Code.LEDGER_RULE, f"A rule is broken: {error}.")

    def _fault(self, code: Code, sentence: str) -> None:
        self._report.add(code, sentence, self._path)

"""The commits behind a thread, in plain values, and what the independent checker says of its record."""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import Action, Served
from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.errors import IntegrityError
from carethread.git.signatures import SignatureKind
from carethread.ids import CommunicationId, MessageId, parse_communication_id
from carethread.policy.actor import Caller
from carethread.reads.thread import readable
from carethread.record.commit_message import Summary
from carethread.record.finding import Finding
from carethread.record.model import Ledger, Message, MessageType, Participant, Party, ThreadStatus
from carethread.store.asking import Asking, Shown, answer, line
from carethread.store.past import PastCommit, past_commits
from carethread.store.threads import Stored, entries_of

# Of a record that has more, the check would keep a page waiting for several seconds.
MOST_CHECKED = 5_000
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_ROW = re.compile(r"\bthread_no ([0-9]+)", re.ASCII)
_FOLDER = "communications/"
# It says of a message only who should find it.
_TEXT = "index-text"


class Deed(StrEnum):
    """What a commit did to a thread."""

    OPENED = "opened"
    MESSAGE = "message"
    CORRECTION = "correction"
    NAMED = "named"  # a client calls a message something
    ADDED = "added"
    REMOVED = "removed"
    CLOSED = "closed"
    ARCHIVED = "archived"
    VISIBILITY = "visibility"
    POLICIES = "policies"
    ADDRESSING = "addressing"


class Step(Struct, frozen=True):
    """One commit that concerns a thread.

    Attributes:
        commit: its full id.
        at: its time, to the second.
        author: who acted.
        care_location: where.
        deeds: what it did: one thing, or, where a ledger was changed, perhaps several at once.
        message: the message or system entry that it added, or named.
        corrects: the message that a correction corrects.
        participants: who was added or removed, or took part from the beginning.
        after: the ledger as it stood then, where the thread was opened or changed.
        signature: how it is signed.
    """

    commit: str
    at: Instant
    author: Party
    care_location: str
    deeds: tuple[Deed, ...]
    message: MessageId | None
    corrects: MessageId | None
    participants: tuple[Participant, ...]
    after: Ledger | None
    signature: SignatureKind


class Past(Struct, frozen=True):
    """The commits behind a thread, oldest first.

    Attributes:
        steps: none where the repository cannot be read; then the findings say why.
        is_checked: whether the checker looked at the whole record; it does not where that would take too long.
        findings: what it found that concerns this thread, or the record as a whole; of other threads, nothing.
    """

    steps: tuple[Step, ...]
    is_checked: bool
    findings: tuple[Finding, ...]


def thread_history(
    service: CoordinationService,
    caller: Caller,
    thread_id: CommunicationId | str,
    *,
    trusted_certificates: Path | None = None,
    allowed_signers: Path | None = None,
) -> Past:
    """Return the commits behind a thread, as the repository has them, with no text of any message.

    Args:
        service: the installation.
        caller: who asks.
        thread_id: which thread.
        trusted_certificates: PEM certificates of authorities. With these or the next, every commit must be signed.
        allowed_signers: SSH keys in the form of ssh-keygen's file of allowed signers.

    Raises:
        UnknownThreadError: there is no such thread, or they may not read it: the answer is the same.
        ConfigurationError: a file of trust cannot be read.
    """
    wanted = parse_communication_id(thread_id, "thread_id")
    asked = replace(line(caller, Action.SERVED), thread=wanted)

    def work(asking: Asking) -> tuple[tuple[Stored, tuple[Message, ...]], Shown]:
        stored, _ = readable(asking.connection, asking.actor, wanted, asking.at)
        entry = replace(
            asked,
            detail="history",
            record=stored.record,
            version=stored.version,
            served=(Served(wanted, stored.version),),
        )
        return (stored, entries_of(asking.connection, stored)), Shown(entry)

    stored, messages = answer(service.archive, asked, caller, work)
    try:
        commits = past_commits(service.archive, stored.record, wanted, stored.version)
    except IntegrityError:
        # The checker says what it is.
        commits = []
    is_checked = len(commits) <= MOST_CHECKED
    concerns = _Concerns(stored, messages, commits)
    findings: tuple[Finding, ...] = ()
    if is_checked:
        found = service.verify(
            [stored.record], trusted_certificates=trusted_certificates, allowed_signers=allowed_signers
        )
        findings = tuple(each for each in found if concerns.us(each))
    known = {each.id: each for each in messages}
    return Past(tuple(_step(each, known) for each in commits if each.thread == wanted), is_checked, findings)


# ── What a commit did ─────────────────────────────────────────────────────────────────────────────────────────────────


def _step(commit: PastCommit, messages: dict[MessageId, Message]) -> Step:
    entry = None if commit.message is None else messages.get(commit.message)
    deeds = dict(_deeds(commit, entry))
    return Step(
        commit=commit.commit,
        at=commit.at,
        author=Party(commit.author_id, commit.author_name),
        care_location=commit.care_location,
        deeds=tuple(deeds),
        message=commit.message,
        corrects=None if entry is None or commit.summary is Summary.MESSAGE_NAMED else entry.corrects,
        participants=tuple(each for several in deeds.values() for each in several),
        after=commit.after,
        signature=commit.signature,
    )


def _deeds(commit: PastCommit, entry: Message | None) -> Iterator[tuple[Deed, tuple[Participant, ...]]]:
    """Yield what a commit did, and whom that concerns."""
    if commit.summary is Summary.MESSAGE_NAMED:
        yield Deed.NAMED, ()
    elif commit.after is None:
        is_correction = entry is not None and entry.type is MessageType.CORRECTION
        yield Deed.CORRECTION if is_correction else Deed.MESSAGE, ()
    elif commit.before is None:
        yield Deed.OPENED, commit.after.participants
    else:
        yield from _changes(commit.before, commit.after)


def _changes(before: Ledger, after: Ledger) -> Iterator[tuple[Deed, tuple[Participant, ...]]]:
    added = tuple(each for each in after.participants if each not in before.participants)
    removed = tuple(each for each in before.participants if each not in after.participants)
    if added:
        yield Deed.ADDED, added
    if removed:
        yield Deed.REMOVED, removed
    if before.status is not after.status:
        yield Deed.CLOSED if after.status is ThreadStatus.CLOSED else Deed.ARCHIVED, ()
    for deed in (Deed.VISIBILITY, Deed.POLICIES, Deed.ADDRESSING):
        if getattr(before, deed.value) != getattr(after, deed.value):
            yield deed, ()


# ── What a finding concerns ───────────────────────────────────────────────────────────────────────────────────────────


class _Concerns:
    """Tells which findings are of a thread, or of the record as a whole: nobody learns of other threads by them."""

    def __init__(self, stored: Stored, messages: tuple[Message, ...], commits: list[PastCommit]) -> None:
        thread_id = stored.ledger.communication_id
        self._folder = f"{_FOLDER}{thread_id}"
        self._number = str(stored.number)
        self._own = {each.commit for each in commits if each.thread == thread_id}
        self._of_record = {each.commit for each in commits if each.thread is None}
        self._ids = {*(each.id for each in messages), *_UUID.findall(thread_id), stored.clinical_id}

    def us(self, finding: Finding) -> bool:
        """Say whether a finding is for whoever reads this thread."""
        named = _UUID.findall(finding.sentence)
        if finding.path.startswith(_FOLDER):
            return finding.path == self._folder or finding.path.startswith(f"{self._folder}/")
        if finding.code == _TEXT:
            return not self._ids.isdisjoint(named)
        if finding.commit in self._own:
            return True
        # Where no commit can be read, nobody knows whose a finding is: then it must not name anything.
        if self._own and finding.commit and finding.commit not in self._of_record:
            return False
        return self._ids.issuperset(named) and all(each == self._number for each in _ROW.findall(finding.sentence))

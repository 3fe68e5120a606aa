"""The commits behind a thread, in plain values, and what the independent checker says of its record."""

from enum import StrEnum

from msgspec import Struct

from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.ids import CommunicationId
from carethread.policy.actor import Caller
from carethread.record.commit_message import Summary
from carethread.record.finding import Finding
from carethread.record.model import Message, Party


class SignatureKind(StrEnum):
    """How a commit is signed. That says nothing of whether anybody trusts who signed."""

    NONE = "none"
    SSH = "ssh"
    CMS = "cms"


class Step(Struct, frozen=True):
    """One commit that concerns a thread.

    Attributes:
        commit: its full id.
        at: its time, to the second.
        author: who acted.
        care_location: where.
        summary: what it did.
        entry: the message or system entry that it added, if it did: a system entry says what changed.
        signature: how it is signed.
    """

    commit: str
    at: Instant
    author: Party
    care_location: str
    summary: Summary
    entry: Message | None
    signature: SignatureKind


class Past(Struct, frozen=True):
    """The commits behind a thread, oldest first.

    Attributes:
        steps: none where the repository cannot be read; then the findings say why.
        is_verified: whether the checker looked at the whole record; it does not where that would take too long.
        findings: what it found that concerns this thread, or the record as a whole; of other threads, nothing.
        other_findings: how many it found that concern other threads alone.
    """

    steps: tuple[Step, ...]
    is_verified: bool
    findings: tuple[Finding, ...]
    other_findings: int


def thread_history(service: CoordinationService, caller: Caller, thread_id: CommunicationId | str) -> Past:
    """Return the commits behind a thread, as the repository has them.

    Raises:
        UnknownThreadError: there is no such thread, or they may not read it: the answer is the same.
    """
    raise NotImplementedError

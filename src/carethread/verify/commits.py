"""What a commit says of itself: who made it, when, and what its message tells, held to what its files show."""

import re

from msgspec import Struct

from carethread.clock import Instant, format_instant
from carethread.errors import FormatError, InvalidValueError, RepositoryError
from carethread.git.objects import Commit, Person, decode_commit, split_signature, with_signature
from carethread.ids import CommunicationId, MessageId, ParticipantId, parse_participant_id
from carethread.record.commit_message import (
    CLIENT,
    CLIENT_DIGEST,
    CLIENT_IDENTIFIER,
    COMMUNICATION_ID,
    MESSAGE_ID,
    CommitMessage,
    Summary,
    naming_in,
    parse_commit_message,
    render_commit_message,
)
from carethread.record.model import Custodian, Message
from carethread.record.text import check_name
from carethread.verify.codes import Code
from carethread.verify.history import Link
from carethread.verify.report import Report

_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9-]+(?:\.[a-z0-9-]+)*", re.ASCII)
_DAY_S = 86_400
_THREAD_LINE = f"\n{COMMUNICATION_ID}: ".encode()
_LOCATION_LINE = re.compile(rb"\nCare-Location: ([^\n]*)\n")
_AUTHOR_LINE = re.compile(rb"\nauthor [^<>\n]* <([0-9a-f-]{36})@")
# What may say what a client calls it.
_NAMING = frozenset({Summary.THREAD_CREATED, Summary.MESSAGE_ADDED, Summary.MESSAGE_NAMED})
_CLIENT_TRAILERS = ((), (CLIENT,), (CLIENT, CLIENT_IDENTIFIER, CLIENT_DIGEST))


class Act(Struct, frozen=True, gc=False):
    """What a commit's files show that it does. `summary` is nothing where a fault keeps that from being told.

    `named` is the message that a commit without any change of a file says it names.
    """

    summary: Summary | None
    thread_id: CommunicationId | None = None
    entry: Message | None = None
    at: Instant | None = None
    named: MessageId | None = None


def thread_named_in(raw: bytes) -> bytes:
    """Return the thread that a commit's message seems to name, if any: a hint, to be trusted with nothing."""
    _, line, rest = raw.rpartition(_THREAD_LINE)
    return rest.partition(b"\n")[0] if line else b""


def author_id_in(raw: bytes) -> ParticipantId | None:
    """Return whose commit it is, if that can be told."""
    found = _AUTHOR_LINE.search(raw)
    return None if found is None else ParticipantId(found[1].decode())


def naming_by(raw: bytes) -> tuple[CommunicationId, MessageId] | None:
    """Return the thread and the message that a commit says it names, if it says so. Its message is judged later."""
    try:
        message = parse_commit_message(decode_commit(raw).message)
    except (RepositoryError, FormatError):
        return None
    trailers = dict(message.trailers)
    if message.summary is not Summary.MESSAGE_NAMED or not {COMMUNICATION_ID, MESSAGE_ID} <= trailers.keys():
        return None
    return CommunicationId(trailers[COMMUNICATION_ID]), MessageId(trailers[MESSAGE_ID])


class Commits:
    """Follows the commits of one record."""

    def __init__(self, now: Instant, report: Report) -> None:
        """Begin before the first commit; `now` is the time of checking."""
        self._report = report
        self._latest = now // 1000 + _DAY_S
        self._instant = 0
        self._committer: tuple[str, str] | None = None
        self._domain = ""
        self._identifiers: set[tuple[str, str]] = set()
        self._resource_ids: set[tuple[bool, str]] = set()
        self._locations: set[bytes] = set()

    def check(self, link: Link, raw: bytes, act: Act | None, custodian: Custodian | None) -> None:
        """Hold a commit to what its files show, as far as that can be told."""
        if act is not None and self._is_as_expected(link, raw, act):
            return
        commit = self._read(raw)
        if commit is None:
            return
        self._check_committer(commit.committer, custodian)
        self._check_author(commit.author, None if act is None else act.entry)
        self._check_time(commit, None if act is None else act.at)
        message = self._read_message(commit)
        if message is not None:
            if act is not None and act.summary is not None:
                self._check_message(message, act, act.summary)
                self._check_names(message, act.summary)
            self._check_client(message)
            self._locations.add(message.care_location.encode())

    def _is_as_expected(self, link: Link, raw: bytes, act: Act) -> bool:
        """Tell whether an entry's commit is to the byte what it must be: then it need not be taken apart.

        True for most commits of a record; whatever is new in one, a care location or a client, is read instead.
        """
        entry, location = act.entry, _LOCATION_LINE.search(raw)
        if entry is None or act.summary is None or self._committer is None or location is None:
            return False
        seconds = entry.timestamp // 1000
        is_in_order = self._instant <= entry.timestamp and seconds <= self._latest
        if location[1] not in self._locations or not is_in_order:
            return False
        time = f"{seconds} +0000"
        name, email = self._committer
        action = "create" if act.summary is Summary.THREAD_CREATED else "update"
        lines = (
            f"tree {link.tree.hex()}\n"
            f"parent {link.parents[0].hex()}\n"
            f"author {entry.author_name} <{entry.author_id}@{self._domain}> {time}\n"
            f"committer {name} <{email}> {time}\n"
            f"\ncoordination:{action}: {act.summary.value}\n\nCare-Location: "
        )
        trailers = f"\n{COMMUNICATION_ID}: {act.thread_id}\n{MESSAGE_ID}: {entry.id}\n"
        expected = b"".join((lines.encode(), location[1], trailers.encode()))
        if expected != raw:
            payload, armor = split_signature(raw)
            if armor is None or expected != payload or with_signature(payload, armor) != raw:
                return False
        self._instant = entry.timestamp
        return True

    def _read(self, raw: bytes) -> Commit | None:
        try:
            return decode_commit(raw)
        except RepositoryError as error:
            self._report.add_once(Code.COMMIT_MALFORMED, f"The commit is not as it must be: {error}.")
            return None

    def _read_message(self, commit: Commit) -> CommitMessage | None:
        try:
            message = parse_commit_message(commit.message)
        except FormatError as error:
            self._report.add(Code.COMMIT_MESSAGE, f"The message is not as it must be: {error}.")
            return None
        if render_commit_message(message) != commit.message:
            self._report.add(Code.COMMIT_MESSAGE, "The message would be written otherwise for what it says.")
            return None
        return message

    def _check_committer(self, committer: Person, custodian: Custodian | None) -> None:
        found = (committer.name, committer.email)
        if self._committer is None:
            self._domain = committer.email.partition("@")[2]
            if _DOMAIN.fullmatch(self._domain) is None:
                self._report.add(Code.COMMIT_COMMITTER, "The committer's address has no domain.")
                custodian, self._domain = None, ""
            self._committer = found if custodian is None else (custodian.name, f"{custodian.id}@{self._domain}")
        if found != self._committer:
            self._report.add_once(Code.COMMIT_COMMITTER, f"The committer {committer.email} is not the custodian.")

    def _check_author(self, author: Person, entry: Message | None) -> None:
        identifier, _, domain = author.email.partition("@")
        if self._domain and domain != self._domain:
            self._report.add(Code.COMMIT_AUTHOR, f"The author's address is not at {self._domain}.")
        elif entry is not None:
            if (identifier, author.name) != (entry.author_id, entry.author_name):
                self._report.add(Code.COMMIT_AUTHOR, f"The author is not who wrote {entry.id}, {entry.author_id}.")
        else:
            try:
                parse_participant_id(identifier, "author.id")
                check_name(author.name, "author.name")
            except InvalidValueError as error:
                self._report.add(Code.COMMIT_AUTHOR, f"The author is not written as people are: {error}.")

    def _check_time(self, commit: Commit, at: Instant | None) -> None:
        report, seconds = self._report, commit.committer.seconds
        if commit.author.seconds != seconds:
            report.add(Code.COMMIT_TIME, "The author's time is not the committer's.")
        elif at is not None and at // 1000 != seconds:
            report.add(Code.COMMIT_TIME, f"The commit records {format_instant(at)} and is of another second.")
        # Of some commits, only the second is known.
        latest = at if at is not None else seconds * 1000 + 999
        if latest < self._instant:
            report.add(Code.HISTORY_TIME, "The commit is earlier than the one before it.")
        self._instant = at if at is not None else seconds * 1000
        if seconds > self._latest:
            report.add_once(Code.HISTORY_FUTURE, "The commit is more than a day ahead of this machine's clock.")

    def _check_message(self, message: CommitMessage, act: Act, summary: Summary) -> None:
        if message.summary is not summary:
            self._report.add(Code.COMMIT_SUBJECT, f"The subject does not say '{summary.value}', which it does.")
        trailers = dict(message.trailers)
        message_id = act.named if act.entry is None else act.entry.id
        for name, expected in ((COMMUNICATION_ID, act.thread_id), (MESSAGE_ID, message_id)):
            if trailers.get(name) != expected:
                self._report.add(Code.COMMIT_TRAILER, f"{name} does not say {expected or 'nothing'}, as it must.")
        if CLIENT_IDENTIFIER in trailers and summary not in (Summary.THREAD_CREATED, Summary.MESSAGE_ADDED):
            self._report.add(Code.COMMIT_CLIENT, "A client's identifier stands for a thread or a message only.")

    def _check_names(self, message: CommitMessage, summary: Summary) -> None:
        naming = naming_in(dict(message.trailers))
        if naming is None:
            if summary is Summary.MESSAGE_NAMED:
                self._report.add(Code.COMMIT_NAME, "The commit names a message and does not say what it is called.")
        elif summary not in _NAMING:
            self._report.add(Code.COMMIT_NAME, "A resource id and identifiers are those of a thread or a message only.")
        elif naming.resource_id is not None:
            key = summary is Summary.THREAD_CREATED, naming.resource_id
            if key in self._resource_ids:
                self._report.add(Code.COMMIT_NAME, f"The resource id {naming.resource_id} is given out already.")
            self._resource_ids.add(key)

    def _check_client(self, message: CommitMessage) -> None:
        trailers = {name: value for name, value in message.trailers if name.startswith(CLIENT)}
        if tuple(trailers) not in _CLIENT_TRAILERS:
            self._report.add(Code.COMMIT_CLIENT, "Client, identifier and digest stand together.")
        elif CLIENT_IDENTIFIER in trailers:
            key = trailers[CLIENT], trailers[CLIENT_IDENTIFIER]
            if key in self._identifiers:
                self._report.add(Code.COMMIT_CLIENT, "The client has used this identifier before.")
            self._identifiers.add(key)

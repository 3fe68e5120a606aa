"""One record, followed commit by commit: what each changed, whether it may, and whether it says so."""

from carethread.clock import Instant
from carethread.git.signatures import Trust
from carethread.ids import CoordinationId
from carethread.record.commit_message import Summary
from carethread.record.model import CoordinationStatus
from carethread.record.transitions import ATTRIBUTES_PATH, STATUS_PATH
from carethread.verify.codes import Code
from carethread.verify.commits import Act, Commits, naming_by, thread_named_in
from carethread.verify.history import Link
from carethread.verify.objects import Objects
from carethread.verify.report import Report
from carethread.verify.signatures import check_commit_signature
from carethread.verify.statuses import check_first_status, check_status_change, read_status
from carethread.verify.steps import Steps
from carethread.verify.trees import Changes, Trees


class RecordCheck:
    """A record as of the last commit that was followed."""

    def __init__(
        self,
        coordination_id: CoordinationId | None,
        trust: Trust | None,
        now: Instant,
        objects: Objects,
        report: Report,
    ) -> None:
        """Begin before the first commit. `coordination_id` is what the record must be, where that is known."""
        self.trees = Trees(objects, report)
        self.steps = Steps(objects, report)
        self.commits = 0
        self._commits = Commits(now, report)
        self._coordination_id = coordination_id
        self._trust = trust
        self._objects = objects
        self._report = report
        self._status: CoordinationStatus | None = None
        # A part of the commit before could not be read: this one may show the changes of both.
        self._gap = False

    def follow(self, link: Link, raw: bytes) -> None:
        """Go on to the next commit."""
        report = self._report
        report.begin(link.id)
        self.commits += 1
        if len(link.parents) > 1:
            report.add(Code.HISTORY_MERGE, "The commit has more than one parent.")
        if self._trust is not None:
            check_commit_signature(raw, self._trust, report)
        changes = self.trees.follow(link.tree, thread_named_in(raw))
        act = self._judge(changes, raw)
        self._commits.check(link, raw, act, None if self._status is None else self._status.custodian)
        self._gap = changes.unreadable

    def _judge(self, changes: Changes, raw: bytes) -> Act | None:
        """Judge what changed; return what the commit does, if it does one thing."""
        is_first = self.commits == 1
        if is_first:
            self._check_first(changes)
        status = self._status
        acts = [] if changes.status is None else [self._follow_status(changes.status)]
        acts += [self.steps.follow(change, raw, status, tolerant=self._gap) for change in changes.threads]
        if len(acts) == 1:
            return acts[0]
        if acts and not self._gap:
            self._report.add(Code.COMMIT_SCOPE, "The commit records more than one thing.")
        elif not (acts or is_first or changes.faulty or changes.unreadable):
            return self._judge_unchanged(raw)
        return None

    def _judge_unchanged(self, raw: bytes) -> Act | None:
        """Judge a commit that changes no file: it names a message, or it has no business here."""
        named = naming_by(raw)
        if named is not None:
            return self.steps.name(*named, self._status, tolerant=self._gap)
        self._report.add(Code.COMMIT_SCOPE, "The commit records nothing.")
        return None

    def _check_first(self, changes: Changes) -> None:
        if changes.faulty or changes.unreadable:
            return
        for path, is_there in ((ATTRIBUTES_PATH, changes.attributes), (STATUS_PATH, changes.status is not None)):
            if not is_there:
                code = Code.TREE_ATTRIBUTES if path == ATTRIBUTES_PATH else Code.TREE_MISSING
                self._report.add(code, "The first commit does not hold this file.", path)

    def _follow_status(self, blob: bytes) -> Act | None:
        content = self._objects.read(blob, b"blob", STATUS_PATH)
        status = None if content is None else read_status(bytes(content), self._report)
        if status is None:
            return None
        before, self._status = self._status, status
        if self.commits > 1:
            if before is not None:
                check_status_change(before, status, self._report)
            return Act(Summary.RECORD_STATUS_UPDATED)
        check_first_status(status, self._report)
        if self._coordination_id not in (None, status.coordination_id):
            sentence = f"The record is {status.coordination_id}, not {self._coordination_id}."
            self._report.add(Code.STATUS_IDENTITY, sentence, STATUS_PATH)
        return Act(Summary.RECORD_CREATED)

"""The check of one record from end to end."""

import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from msgspec import Struct

from carethread.clock import Clock, system_clock
from carethread.errors import InvalidValueError, RepositoryError, StorageError
from carethread.git.layout import open_objects
from carethread.git.object_reader import ObjectReader
from carethread.git.signatures import Trust
from carethread.ids import CoordinationId, parse_coordination_id
from carethread.record.finding import Finding
from carethread.verify.codes import Code
from carethread.verify.history import Link, walk
from carethread.verify.objects import Objects
from carethread.verify.record import RecordCheck
from carethread.verify.report import Report
from carethread.verify.storage import Storage, check_packs, read_main, read_storage
from carethread.verify.worktree import differences

Progress = Callable[[int, int], None]

# While a record is written, its files are ahead of its branch for a moment, and packs come and go.
PATIENCE_S = 2.0
PAUSE_S = 0.1


class Counts(Struct):
    """How much was checked."""

    commits: int = 0
    messages: int = 0


def verify_record(
    path: Path,
    *,
    coordination_id: CoordinationId | None = None,
    trust: Trust | None = None,
    known: Collection[str] = (),
    progress: Progress | None = None,
    counts: Counts | None = None,
    clock: Clock = system_clock,
) -> Iterator[Finding]:
    """Check a record's repository, from its first commit to its last, by nothing but its bytes.

    Never raises for what it finds: whatever is wrong, unreadable included, is a finding. A record that is being written
    meanwhile is no fault; what is added is checked too.

    Args:
        path: the record's directory, with `.git` in it.
        coordination_id: which record it must be; left out, the directory's name says it, if it is such an id.
        trust: whose signatures count; then every commit must have one. Left out, signatures are not looked at.
        known: ids of commits, in hex, that the record is known to have had: from a receipt, a print, a backup. Without
            them, or signatures, nobody can tell a history from one that was made anew in its place, or cut short.
        progress: called with how many commits are done, of how many.
        counts: filled in with how much was checked.
        clock: what time it is.
    """
    report = Report(coordination_id or path.name)
    storage = read_storage(path, report)
    if storage is not None:
        objects = Objects(report)
        check = RecordCheck(_expected(path, coordination_id), trust, clock(), objects, report)
        run = _Run(path, storage, objects, check, report)
        yield from run.findings(known, progress or _silent)
        if counts is not None:
            counts.commits, counts.messages = check.commits, check.steps.messages
    yield from report.take()


class _Run:
    """One check of one repository."""

    def __init__(self, path: Path, storage: Storage, objects: Objects, check: RecordCheck, report: Report) -> None:
        self._path = path
        self._storage = storage
        self._objects = objects
        self._check = check
        self._report = report
        self._head = storage.head
        self._done: bytes | None = None
        self._opened_twice = False
        self._deadline = time.monotonic() + PATIENCE_S

    def findings(self, known: Collection[str], progress: Progress) -> Iterator[Finding]:
        """Follow the history until it stands still, and compare the files with its end."""
        while True:
            try:
                with open_objects(self._path, tolerant=True) as reader:
                    if reader.damaged and not self._opened_twice:
                        # Perhaps a pack that was just replaced by another one.
                        self._opened_twice = True
                        time.sleep(PAUSE_S)
                        continue
                    links = self._begin(reader, known)
                    for number, link in enumerate(links, 1):
                        self._follow(link)
                        yield from self._report.take()
                        progress(number, len(links))
            except (RepositoryError, StorageError) as error:
                self._report.add(Code.GIT_UNREADABLE, f"The objects cannot be read: {error}.")
                return
            if self._done != self._head or not self._goes_on():
                return

    def _begin(self, reader: ObjectReader, known: Collection[str]) -> list[Link]:
        """Read how the history goes on; return the commits that are not checked yet."""
        self._objects.reader = reader
        is_first = self._done is None
        if is_first:
            check_packs(reader, self._report)
        links = walk(self._objects, self._head, self._done, self._report)
        if links and is_first:
            _check_known({link.id for link in links}, self._storage, known, self._report)
        if links is None:
            return []
        self._done = self._head
        return links

    def _follow(self, link: Link) -> None:
        raw = link.raw
        if raw is None:
            content = self._objects.read(link.id, b"commit")
            raw = b"" if content is None else bytes(content)
        self._check.follow(link, raw)

    def _goes_on(self) -> bool:
        """Compare the files with the last commit; say whether there is a newer one, or may be soon.

        Of a record that never stands still for long enough, the files are not compared.
        """
        self._report.commit = b""
        found = differences(self._path, self._check.trees.files(), self._check.trees.strange)
        if not found:
            return False
        head = read_main(self._path)
        stands_still = head in (None, self._head)
        if self._may_wait():
            self._head = head or self._head
            return True
        if stands_still:
            for name, sentence in found.items():
                self._report.add(Code.WORKTREE_FILE, sentence, name)
        return False

    def _may_wait(self) -> bool:
        if time.monotonic() > self._deadline:
            return False
        time.sleep(PAUSE_S)
        return True


def _check_known(history: set[bytes], storage: Storage, known: Collection[str], report: Report) -> None:
    report.commit = b""
    for text in sorted(set(known) - {each.hex() for each in history}):
        report.add(Code.HISTORY_KNOWN, f"The commit {text} is not in the history.")
    for name, identifier in storage.remotes.items():
        if identifier not in history:
            report.add(Code.GIT_REF, "The remote branch names a commit that is not in the history.", f".git/{name}")


def _expected(path: Path, coordination_id: CoordinationId | None) -> CoordinationId | None:
    try:
        return coordination_id or parse_coordination_id(path.name)
    except InvalidValueError:
        return None


def _silent(done: int, total: int) -> None:
    """Report progress to nobody."""

"""`thread.md` from version to version: nothing but canonical entries is ever added, and only at the end."""

from msgspec import Struct, field

from carethread.clock import Instant
from carethread.errors import FormatError
from carethread.git.objects import Octets
from carethread.ids import CommunicationId
from carethread.record.model import Ledger, Message
from carethread.record.thread_md import FILE_HEADER, SEPARATOR, parse_entry, render_entry, split_appendix, split_thread
from carethread.verify.codes import Code
from carethread.verify.report import Report

_CHUNK = 1 << 16
_SEPARATOR_LINES = SEPARATOR.count(b"\n")


class Thread(Struct):
    """A thread as of the last commit that changed it.

    `ledger` is nothing while it cannot be read. `files` are the sizes of attachments, as far as they can be read.
    `unsure` says that a part cannot be read: the next version may add more than one entry, or have other attachments.
    """

    id: CommunicationId
    content: bytearray = field(default_factory=bytearray)
    lines: int = 0
    count: int = 0
    last: Instant = Instant(0)
    ledger: Ledger | None = None
    ledger_bytes: bytes = b""
    files: dict[str, int | None] = field(default_factory=dict)
    unsure: bool = False

    @property
    def folder(self) -> str:
        """Where the thread lies in the record."""
        return f"communications/{self.id}"

    @property
    def path(self) -> str:
        """Where the conversation lies in the record."""
        return f"communications/{self.id}/thread.md"


class Placed(Struct, frozen=True, gc=False):
    """An entry, with the number of its heading's line."""

    message: Message
    line: int


class Added(Struct, frozen=True, gc=False):
    """What a version of `thread.md` adds to the one before; None stands for an entry that cannot be read.

    `is_unknown` says that it cannot be told: the old bytes changed, and `entries` are all there are; or nothing can be
    read.
    """

    entries: tuple[Placed | None, ...] = ()
    is_unknown: bool = False

    @property
    def last(self) -> Message | None:
        """The last entry, if it can be read."""
        placed = self.entries[-1] if self.entries and not self.is_unknown else None
        return None if placed is None else placed.message


def follow_content(thread: Thread, content: Octets, report: Report) -> Added:
    """Go on to a version of `thread.md`."""
    view = memoryview(content)
    size = len(thread.content)
    # A bytearray compares with a view as memory does.
    if thread.content != view[:size]:
        return _start_again(thread, view, report)
    added = bytes(view[size:])
    first_line = thread.lines + 1
    is_new = not size
    thread.content += added
    thread.lines += added.count(b"\n")
    before = thread.count
    try:
        entries = split_thread(added) if is_new else split_appendix(before, added, first_line)
    except FormatError as error:
        _malformed(error, thread, report)
        thread.count += 1
        return Added((None,))
    thread.count += len(entries)
    line = first_line + (2 if is_new else _SEPARATOR_LINES if before else 1)
    return Added(_read_entries(thread, entries, line, report))


def _read_entries(thread: Thread, entries: list[bytes], line: int, report: Report) -> tuple[Placed | None, ...]:
    placed = []
    for entry in entries:
        placed.append(_read_entry(thread, entry, line, report))
        line += entry.count(b"\n") + _SEPARATOR_LINES
    return tuple(placed)


def _read_entry(thread: Thread, entry: bytes, line: int, report: Report) -> Placed | None:
    try:
        message = parse_entry(entry, line)
    except FormatError as error:
        _malformed(error, thread, report)
        return None
    if render_entry(message) != entry:
        report.add(Code.THREAD_MALFORMED, "The entry would be written otherwise for what it says.", thread.path, line)
        return None
    return Placed(message, line)


def _start_again(thread: Thread, view: memoryview, report: Report) -> Added:
    line = _first_difference(thread.content, view)
    report.add(Code.THREAD_REWRITTEN, "The old bytes are not the beginning of the new ones.", thread.path, line)
    whole = bytes(view)
    thread.content = bytearray(whole)
    thread.lines = whole.count(b"\n")
    entries = whole.removeprefix(FILE_HEADER + b"\n").split(SEPARATOR) if len(whole) > len(FILE_HEADER) else []
    thread.count = len(entries)
    # Faults in what was there before were reported then, and a reader needs no more than the one above.
    return Added(_read_entries(thread, entries, 3, Report(report.record)), is_unknown=True)


def _first_difference(old: bytearray, new: memoryview) -> int:
    """Return the number of the first line that differs."""
    start = 0
    while old[start : start + _CHUNK] == new[start : start + _CHUNK]:
        start += _CHUNK
    end = min(len(old), len(new))
    while start < end and old[start] == new[start]:
        start += 1
    return old.count(b"\n", 0, start) + 1


def _malformed(error: FormatError, thread: Thread, report: Report) -> None:
    report.add(Code.THREAD_MALFORMED, f"Line {error.line}: {error.fault}.", thread.path, error.line)

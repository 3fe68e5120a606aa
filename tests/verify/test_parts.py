"""What no forged record can show: a codec that reads too much, very long files, the list of codes."""

from pathlib import Path

import pytest

from carethread.clock import Instant
from carethread.ids import CommunicationId, MessageId
from carethread.record.finding import Finding
from carethread.record.model import Message, MessageType
from carethread.verify import MEANINGS, Code, commits, ledgers, statuses, threads, verify_record
from carethread.verify.objects import Objects
from carethread.verify.report import Report
from carethread.verify.steps import Steps
from carethread.verify.threads import Added, Thread, follow_content
from tests.people import JANE
from tests.verify.forgeries import FORGERIES
from tests.verify.test_storage import TAMPERINGS

# Found by tests of their own, which need more than a forged history or a damaged repository.
ELSEWHERE = {
    Code.HISTORY_KNOWN: "a commit known from elsewhere: test_clean.py",
    Code.SIGNATURE_MISSING: "needs keys: test_signatures.py",
    Code.SIGNATURE_INVALID: "needs keys: test_signatures.py",
    Code.WORKTREE_FILE: "the files beside the history: test_clean.py",
}


def test_every_code_is_found_in_some_tampering() -> None:
    tampered = [code for forgery in FORGERIES for code in forgery.codes]
    tampered += [code for _, codes in TAMPERINGS.values() for code in codes]
    assert set(tampered) == {code.value for code in Code} - {code.value for code in ELSEWHERE}
    assert set(MEANINGS) == set(Code)


@pytest.mark.parametrize(
    "module, codec, code",
    [
        (threads, "render_entry", "thread-malformed"),
        (ledgers, "render_ledger", "ledger-malformed"),
        (statuses, "render_status", "status-malformed"),
        (commits, "render_commit_message", "commit-message"),
    ],
)
def test_a_form_that_would_be_written_otherwise_is_refused_even_where_it_is_read(
    module: object, codec: str, code: str, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, codec, lambda _: b"otherwise")
    assert code in {finding.code for finding in verify_record(small)}


def _follow(thread: Thread, content: bytes) -> tuple[Added, list[Finding]]:
    report = Report("record")
    return follow_content(thread, content, report), report.take()


def test_the_first_line_that_differs_is_named_in_a_long_file() -> None:
    thread = Thread(CommunicationId("thread"))
    lines = [f"line {number}\n".encode() for number in range(20_000)]
    _follow(thread, b"# Messages\n" + b"".join(lines))
    lines[15_000] = b"forged\n"
    added, found = _follow(thread, b"# Messages\n" + b"".join(lines))
    assert added.is_unknown
    assert [(finding.code, finding.line) for finding in found] == [("thread-rewritten", 15_002)]
    _, found = _follow(thread, b"# Messages\n")
    assert [(finding.code, finding.line) for finding in found] == [("thread-rewritten", 2)]


def test_a_fault_is_at_its_line(small: Path) -> None:
    thread = Thread(CommunicationId("thread"))
    content = min(small.glob("communications/*/thread.md")).read_bytes()
    cut = content.index(b"---\n") - 1
    assert _follow(thread, content[:cut])[1] == []
    rest = content[cut:].replace(b"**Type:** correction", b"**Type:** forged")
    _, found = _follow(thread, content[:cut] + rest)
    line = (content[:cut] + rest).split(b"\n").index(b"**Type:** forged  ") + 1
    assert [(finding.code, finding.line) for finding in found] == [("thread-malformed", line)]


def test_a_name_is_not_judged_by_what_could_not_be_read() -> None:
    report = Report("record")
    steps = Steps(Objects(report), report)
    unread = MessageId("3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92")
    assert steps.name(CommunicationId("t"), unread, None, tolerant=True) is None
    assert list(report.take()) == []
    message = Message(unread, MessageType.CLINICIAN, Instant(0), JANE.id, JANE.name, "x")
    steps._known.add(Thread(CommunicationId("t")), message)
    act = steps.name(CommunicationId("t"), unread, None, tolerant=False)
    assert act is not None
    assert act.named == unread
    assert list(report.take()) == []

"""The commits behind a thread, and what the checker says: to whoever reads it, and of nothing else."""

import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from carethread import (
    Addressing,
    Author,
    CoordinationService,
    Finding,
    MessageContent,
    Naming,
    ThreadStatus,
    Visibility,
    errors,
)
from carethread.access_log import Action, Outcome
from carethread.git.signatures import kind_of_signature
from carethread.ids import CommunicationId
from carethread.reads import Deed, Past, SignatureKind, Step, past, read_thread, thread_history
from carethread.record.model import Policies, Sensitivity
from carethread.writes import ThreadChange, change_thread, post_message
from tests.access.logged import log, newly
from tests.people import Ticking, mint_from, seeded_ids
from tests.region import Region

MISSING = CommunicationId("20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000")


def behind(region: Region, who: str, thread: CommunicationId) -> Past:
    return thread_history(region.service, region.caller(who), thread)


def asked(region: Region, **more: object) -> CommunicationId:
    return region.open("A1", ("Clinic-B",), "Can you look at the list?", on_behalf_of="Pharmacy-A", **more)


def told(region: Region, found: Past) -> list[tuple[str, list[Deed], list[str]]]:
    return [
        (region.name(each.author.id), list(each.deeds), [region.name(one.id) for one in each.participants])
        for each in found.steps
    ]


def test_every_commit_of_a_thread_is_told(region: Region) -> None:
    thread = asked(region)
    service = region.service
    asked(region)
    reply = post_message(service, region.caller("B1"), thread, MessageContent("50 mg"), naming=None)
    right = post_message(service, region.caller("B1"), thread, MessageContent("5 mg", corrects=reply))
    for who, change in (
        ("A1", ThreadChange(add=region.ids("C1", "A2", "B2"), visibility=Visibility(Sensitivity.CONFIDENTIAL))),
        ("A1", ThreadChange(remove=region.ids("C1"), policies=Policies(allow_patient_participation=False))),
        ("B1", ThreadChange(ThreadStatus.CLOSED)),
        ("A1", ThreadChange(ThreadStatus.ARCHIVED)),
    ):
        change_thread(service, region.caller(who), thread, change)
    found = behind(region, "A2", thread)
    assert told(region, found) == [
        ("A1", [Deed.OPENED], ["A1", "Pharmacy-A", "Clinic-B"]),
        ("B1", [Deed.MESSAGE], []),
        ("B1", [Deed.CORRECTION], []),
        ("A1", [Deed.ADDED, Deed.VISIBILITY], ["C1", "A2", "B2"]),
        ("A1", [Deed.REMOVED, Deed.POLICIES], ["C1"]),
        ("B1", [Deed.CLOSED], []),
        ("A1", [Deed.ARCHIVED], []),
    ]
    assert (found.is_checked, found.findings) == (True, ())
    opened, first, second = found.steps[:3]
    assert (first.message, first.corrects, first.after) == (reply, None, None)
    assert (second.message, second.corrects) == (right, reply)
    assert (opened.author.name, opened.care_location) == ("Anna Visser", "Riverside Pharmacy")
    view = read_thread(service, region.caller("A2"), thread)
    assert found.steps[-1].after == view.ledger
    assert found.steps[-1].commit == view.version
    assert [each.at // 1000 for each in found.steps if each.message == reply] == [
        each.timestamp // 1000 for each in view.messages if each.id == reply
    ]
    assert {each.signature for each in found.steps} == {SignatureKind.NONE}
    assert "50 mg" not in repr(found)


def test_a_name_that_a_client_gives_and_a_new_address_are_told(region: Region) -> None:
    thread = region.open("B1", ("Hospital-C",))
    record = region.service.record(read_thread(region.service, region.caller("B1"), thread).record)
    (message,) = read_thread(region.service, region.caller("B1"), thread).messages
    record.name_message(_author(region), "Hill Clinic", message.id, Naming("chosen"))
    change_thread(
        region.service,
        region.caller("B1"),
        thread,
        ThreadChange(
            add=region.ids("D1"), addressing=Addressing(region.id("B1"), region.ids("Hospital-C", "D1"))
        ),
    )  # fmt: skip
    opened, named, addressed = behind(region, "B1", thread).steps
    assert opened.deeds == (Deed.OPENED,)
    assert (named.deeds, named.message) == ((Deed.NAMED,), message.id)
    assert addressed.deeds == (Deed.ADDED, Deed.ADDRESSING)


def _author(region: Region) -> Author:
    return Author(region.id("B1"), "Dr Bo Bell")


def test_it_is_logged_before_it_is_told(region: Region) -> None:
    thread = asked(region)
    (line,) = newly(region, lambda: behind(region, "B1", thread))
    version = read_thread(region.service, region.caller("B1"), thread).version
    assert (line.action, line.detail, line.version) == (Action.SERVED, "history", version)
    assert [(each.thread, each.version, each.entries) for each in line.served] == [(thread, version, 0)]


@pytest.mark.parametrize("who", ["C1", "P1", "R2"])
def test_what_may_not_be_read_is_what_does_not_exist(region: Region, who: str) -> None:
    thread = asked(region)
    answers = set()
    for each in (thread, MISSING):
        with pytest.raises(errors.UnknownThreadError) as refused:
            behind(region, who, each)
        line = log(region)[-1]
        answers.add((str(refused.value).replace(each, "?"), line.outcome, line.detail, line.served))
    assert len(answers) == 1
    assert Outcome.UNKNOWN in answers.pop()


# ── What the checker says ─────────────────────────────────────────────────────────────────────────────────────────────


def _repository(region: Region, thread: CommunicationId) -> Path:
    view = read_thread(region.service, region.auditor, thread)
    region.service.flush()
    return region.service.record(view.record).path


def test_what_was_tampered_with_is_told_to_whom_it_concerns(region: Region) -> None:
    thread = asked(region)
    other = region.open("B1", ("Hospital-C",))
    file = _repository(region, thread) / "communications" / thread / "thread.md"
    file.write_text(file.read_text(encoding="utf-8").replace("list", "LIST"), encoding="utf-8")
    (finding,) = behind(region, "A1", thread).findings
    assert finding.code == "worktree-file"
    assert finding.path == f"communications/{thread}/thread.md"
    # The other one is as it was, and does not tell of this one.
    assert behind(region, "C1", other).findings == ()
    assert behind(region, "C1", other).is_checked


def test_what_a_commit_of_another_thread_has_wrong_is_not_told(region: Region) -> None:
    thread = asked(region)
    other = region.open("B1", ("Hospital-C",))
    folder = _repository(region, thread)
    forged = _git(folder, "commit-tree", "-p", "main", "-m", _message_of(folder), "main^{tree}")
    _git(folder, "update-ref", "refs/heads/main", forged)
    ours, theirs = behind(region, "A1", thread), behind(region, "C1", other)
    # That the record is not what it was, everybody is told who reads in it; which thread it was, whoever reads that.
    assert {each.code for each in ours.findings} == {"index-record"}
    assert {each.code for each in theirs.findings} == {"index-record", "index-thread", "index-message"}
    # A commit that nobody acknowledged is no step.
    assert len(ours.steps) == len(theirs.steps) == 1


def _message_of(folder: Path) -> str:
    return _git(folder, "log", "-1", "--format=%B", "main")


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Nobody", "-c", "user.email=nobody@nowhere.example"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )  # fmt: skip
    return done.stdout.strip()


def test_what_the_index_has_wrong_is_told_of_this_thread_alone(region: Region) -> None:
    thread = asked(region)
    other = region.open("B1", ("Hospital-C",))
    number = "SELECT thread_no FROM thread WHERE communication_id = "
    with region.service.archive.database.write() as connection:
        connection.text(f"UPDATE message SET recorded_at = 0 WHERE thread_no = ({number}'{thread}')")
    found = behind(region, "A1", thread)
    assert {each.code for each in found.findings} == {"index-message"}
    assert behind(region, "C1", other).findings == ()


def test_what_the_full_text_has_wrong_is_told_of_messages_of_this_thread_alone(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = asked(region)
    view = read_thread(region.service, region.caller("A1"), thread)
    own = Finding(view.record, "index-text", f"The index has no place in time for message {view.messages[0].id}.")
    others = Finding(view.record, "index-text", f"The index has no place in time for message {region.id('A1')}.")
    of_all = Finding(view.record, "index-text", "The full text finds other messages than the repository has.")
    whole = Finding(view.record, "journal-mark", "The journal says more is flushed than the repository has.")
    monkeypatch.setattr(CoordinationService, "verify", lambda *_, **__: iter((own, others, of_all, whole)))
    assert behind(region, "A1", thread).findings == (own, whole)


def test_a_commit_of_the_thread_that_has_something_wrong_is_told(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, other = asked(region), asked(region)
    commits = {each: behind(region, "A1", each).steps[0].commit for each in (thread, other)}
    record = read_thread(region.service, region.caller("A1"), thread).record
    sentence = f"Somebody else wrote it: {region.id('A1')}."
    found = [Finding(record, "commit-author", sentence, commits[each]) for each in (thread, other)]
    monkeypatch.setattr(CoordinationService, "verify", lambda *_, **__: iter(found))
    assert behind(region, "A1", thread).findings == (found[0],)


def test_a_repository_that_is_gone(region: Region) -> None:
    thread = asked(region)
    shutil.rmtree(_repository(region, thread))
    found = behind(region, "A1", thread)
    assert found.steps == ()
    assert found.is_checked
    assert "git-unreadable" in {each.code for each in found.findings}


def test_a_record_that_is_too_long_is_not_checked(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = asked(region)
    monkeypatch.setattr(past, "MOST_CHECKED", 1)
    found = behind(region, "A1", thread)
    assert (found.is_checked, found.findings, len(found.steps)) == (False, (), 1)


# ── Signatures ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


@pytest.fixture
def signing(tmp_path: Path, key: Path) -> Iterator[Region]:
    mint = partial(mint_from, seeded_ids())
    with CoordinationService.open(
        tmp_path / "signing", signing_key=key, clock=Ticking(), mint=mint, flushes=False
    ) as service:
        yield Region(service)


def test_how_a_commit_is_signed_and_whether_by_somebody_trusted(signing: Region, key: Path) -> None:
    thread = asked(signing)
    (step,) = behind(signing, "A1", thread).steps
    assert isinstance(step, Step)
    assert step.signature is SignatureKind.SSH
    allowed = key.with_suffix(".allowed")
    allowed.write_text(f"carethread {key.with_suffix('.pub').read_text()}")
    caller = signing.caller("A1")
    assert thread_history(signing.service, caller, thread, allowed_signers=allowed).findings == ()
    allowed.write_text("")
    found = thread_history(signing.service, caller, thread, allowed_signers=allowed).findings
    assert {each.code for each in found} <= {"signature-invalid"}
    with pytest.raises(errors.ConfigurationError):
        thread_history(signing.service, caller, thread, allowed_signers=key.with_suffix(".none"))


def test_of_which_kind_a_signature_says_it_is() -> None:
    assert kind_of_signature(None) is SignatureKind.NONE
    assert kind_of_signature(b"-----BEGIN SIGNED MESSAGE-----\nabc\n") is SignatureKind.CMS
    assert kind_of_signature(b"-----BEGIN SSH SIGNATURE-----\nabc\n") is SignatureKind.SSH
    assert kind_of_signature(b"-----BEGIN PGP SIGNATURE-----\nabc\n") is SignatureKind.UNKNOWN

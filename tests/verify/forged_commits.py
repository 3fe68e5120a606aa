"""Records, files and commits that are forged. See `forgery.py`."""

from hashlib import sha256

from msgspec.structs import replace

from carethread import (
    Attachment,
    LifecycleState,
    Visibility,
)
from carethread.clock import Instant, format_instant
from carethread.ids import ClinicalId, CoordinationId
from carethread.record.commit_message import CLIENT, CLIENT_DIGEST, CLIENT_IDENTIFIER, Summary
from carethread.record.media_types import attachment_path
from carethread.record.model import Custodian
from tests.people import (
    ADMIN,
    CLINIC,
    JANE,
    PHARMACIST,
    TOM,
    listed,
    person,
)
from tests.verify.forger import STATUS, Forger, ledger_path, party, thread_path
from tests.verify.forgery import attachment, closed, forgery, forget_change, second, third
from tests.verify.histories import EXECUTABLE, LINK

# ── Attachments ───────────────────────────────────────────────────────────────────────────────────────────────────────


def attached(data: bytes, media_type: str = "text/plain") -> Attachment:
    return Attachment(sha256(data).hexdigest(), media_type, len(data), "note.txt")


@forgery("attachment-content")
def the_content_of_an_attachment_is_swapped(forger: Forger) -> None:
    forger.say(TOM, third(forger)).write(attachment(forger), b"%PDF-1.4 made otherwise\n")
    forget_change(forger, third(forger))


@forgery("attachment-content")
def an_attachment_never_was_what_its_name_says(forger: Forger) -> None:
    path = attachment(forger)
    forger.edit(path, b"made up", b"made by")


@forgery("attachment-unreferenced", "tree-missing")
def an_attachment_is_renamed(forger: Forger) -> None:
    path = attachment(forger)
    step = forger.say(TOM, third(forger))
    step.files[path.replace(".pdf", ".png")] = step.files.pop(path)
    forget_change(forger, third(forger))


@forgery("tree-missing")
def an_attachment_is_deleted(forger: Forger) -> None:
    step = forger.say(TOM, third(forger))
    del step.files[attachment(forger)]
    forget_change(forger, third(forger))


@forgery("attachment-missing")
def an_attachment_is_named_and_not_there(forger: Forger) -> None:
    forger.say(TOM, third(forger), attachments=(attached(b"note"),))


@forgery("attachment-size")
def an_attachment_has_another_size_than_it_should(forger: Forger) -> None:
    thread = third(forger)
    attachment = replace(attached(b"note"), size=5)
    step = forger.say(TOM, thread, attachments=(attachment,))
    step.write(f"communications/{thread}/{attachment_path(attachment)}", b"note")


@forgery("attachment-unreferenced")
def a_file_is_attached_to_nothing(forger: Forger) -> None:
    thread = third(forger)
    step = forger.say(TOM, thread)
    step.write(f"communications/{thread}/{attachment_path(attached(b'note'))}", b"note")


@forgery("attachment-missing", "attachment-unreferenced")
def an_attachment_has_the_extension_of_another_type(forger: Forger) -> None:
    thread = third(forger)
    step = forger.say(TOM, thread, attachments=(attached(b"note", "image/png"),))
    step.write(f"communications/{thread}/{attachment_path(attached(b'note'))}", b"note")


@forgery("tree-path")
def an_attachment_has_a_name_of_its_own(forger: Forger) -> None:
    thread = third(forger)
    forger.say(TOM, thread).write(f"communications/{thread}/attachments/note.txt", b"note")


# ── The record ────────────────────────────────────────────────────────────────────────────────────────────────────────


@forgery("status-identity")
def the_coordination_id_is_changed(forger: Forger) -> None:
    forger.set_status(ADMIN, coordination_id=CoordinationId("7f4c2e9d4b0a4f3a9a2c0e9a6b5d1c88"))


@forgery("status-identity")
def the_coordination_id_never_was_that_of_the_directory(forger: Forger) -> None:
    forger.edit(STATUS, forger.status().coordination_id.encode(), b"7f4c2e9d4b0a4f3a9a2c0e9a6b5d1c88")


@forgery("status-identity")
def the_patient_is_changed(forger: Forger) -> None:
    forger.set_status(ADMIN, clinical_id=ClinicalId(person(5)))


@forgery("status-custodian")
def the_custodian_is_changed(forger: Forger) -> None:
    step = forger.set_status(ADMIN, custodian=Custodian(person(6), "Mallory's"))
    step.committer = forger.steps[-2].committer
    step.committer = step.committer.replace(step.committer.split()[-2], step.author.split()[-2])


@forgery("status-transition")
def a_closed_record_is_opened_again(forger: Forger) -> None:
    forger.set_status(ADMIN, lifecycle_state=LifecycleState.CLOSED)
    forger.set_status(ADMIN, lifecycle_state=LifecycleState.ACTIVE)


@forgery("status-transition")
def a_record_did_not_begin_open(forger: Forger) -> None:
    forger.edit(STATUS, b"record_queryable: true", b"record_queryable: false")


@forgery("status-malformed")
def a_status_is_not_canonical(forger: Forger) -> None:
    forger.set_status(ADMIN, record_queryable=False)
    forger.edit(STATUS, b"record_open: true", b"record_open: yes", -1)


@forgery("status-malformed")
def the_first_status_is_not_canonical(forger: Forger) -> None:
    suspended = forger.index("lifecycle_state: suspended")
    forger.edit(STATUS, b"record_open: true", b"record_open: yes", 0, suspended)


@forgery("record-not-writable")
def a_message_while_the_record_is_suspended(forger: Forger) -> None:
    forger.set_status(ADMIN, lifecycle_state=LifecycleState.SUSPENDED)
    forger.say(TOM, third(forger))


@forgery("record-not-writable")
def a_thread_while_the_record_takes_none(forger: Forger) -> None:
    forger.set_status(ADMIN, record_open=False)
    forger.open(JANE, listed(JANE))


@forgery("record-not-writable")
def a_change_while_the_record_is_not_modifiable(forger: Forger) -> None:
    forger.set_status(ADMIN, record_modifiable=False)
    forger.change(TOM, third(forger), lambda ledger: replace(ledger, visibility=Visibility(restricted=True)))


# ── Files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@forgery("tree-path")
def a_file_is_added(forger: Forger) -> None:
    forger.say(TOM, third(forger)).write("notes.txt", b"not in the record\n")


@forgery("tree-path")
def a_file_is_added_and_removed_again(forger: Forger) -> None:
    forger.say(TOM, third(forger)).write("notes.txt", b"not in the record\n")
    del forger.say(TOM, third(forger)).files["notes.txt"]


@forgery("tree-path")
def a_folder_is_added(forger: Forger) -> None:
    forger.say(TOM, third(forger)).write("tasks/20260101.yaml", b"done: true\n")
    forger.say(TOM, third(forger))


@forgery("tree-path")
def a_file_is_added_to_a_thread(forger: Forger) -> None:
    forger.say(TOM, third(forger)).write(f"communications/{third(forger)}/read.yaml", b"by: everybody\n")


@forgery("tree-path")
def a_folder_is_no_thread(forger: Forger) -> None:
    forger.say(TOM, third(forger)).write("communications/drafts/thread.md", b"# Messages\n")
    forger.say(TOM, third(forger))


@forgery("tree-missing")
def a_ledger_is_deleted(forger: Forger) -> None:
    del forger.say(TOM, third(forger)).files[ledger_path(second(forger))]


@forgery("tree-missing")
def a_thread_is_deleted(forger: Forger) -> None:
    step = forger.say(TOM, third(forger))
    step.files = {path: file for path, file in step.files.items() if second(forger) not in path}


@forgery("thread-entries", "tree-missing")
def a_thread_is_renamed(forger: Forger) -> None:
    thread = second(forger)
    name = f"{thread[:-4]}0000"
    step = forger.commit(Summary.THREAD_CREATED, PHARMACIST, forger.now())
    for path in (thread_path(thread), ledger_path(thread)):
        step.files[path.replace(thread, name)] = step.files.pop(path)


@forgery("tree-missing")
def a_thread_begins_without_a_ledger(forger: Forger) -> None:
    thread = forger.open(JANE, listed(JANE))
    del forger.last.files[ledger_path(thread)]


@forgery("tree-mode")
def a_file_becomes_executable(forger: Forger) -> None:
    step = forger.say(TOM, third(forger))
    step.write(ledger_path(second(forger)), step.read(ledger_path(second(forger))), EXECUTABLE)


@forgery("tree-mode")
def a_file_becomes_a_link(forger: Forger) -> None:
    forger.say(TOM, third(forger)).write(STATUS, b"/etc/hostname", LINK)


@forgery("tree-mode")
def an_attachment_is_a_link(forger: Forger) -> None:
    forger.say(TOM, third(forger)).write(attachment(forger), b"/etc/hostname", LINK)


@forgery("tree-attributes")
def the_attributes_are_changed(forger: Forger) -> None:
    forger.say(TOM, third(forger)).write(".gitattributes", b"* text=auto\n")


@forgery("tree-attributes")
def the_attributes_never_were_there(forger: Forger) -> None:
    for step in forger.steps:
        del step.files[".gitattributes"]


@forgery("commit-scope", "tree-attributes")
def the_attributes_come_late(forger: Forger) -> None:
    attributes = forger.last.files[".gitattributes"]
    for step in forger.steps:
        del step.files[".gitattributes"]
    forger.commit(Summary.MESSAGE_ADDED, TOM, forger.now()).files[".gitattributes"] = attributes


@forgery("tree-missing")
def the_status_never_was_there(forger: Forger) -> None:
    _keep_first(forger)
    del forger.steps[0].files[STATUS]


def _keep_first(forger: Forger) -> None:
    del forger.steps[1:]


# ── Commits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@forgery("commit-subject")
def a_subject_says_something_else(forger: Forger) -> None:
    step = forger.say(TOM, third(forger))
    step.message = step.message.replace(Summary.MESSAGE_ADDED, Summary.STATUS_UPDATED)


@forgery("commit-subject")
def a_thread_is_closed_under_another_subject(forger: Forger) -> None:
    forger.change(TOM, third(forger), closed, summary=Summary.VISIBILITY_UPDATED)


@forgery("commit-trailer")
def a_trailer_names_another_thread(forger: Forger) -> None:
    step = forger.say(TOM, third(forger))
    step.message = step.message.replace(third(forger), second(forger))


@forgery("commit-trailer")
def a_trailer_names_another_message(forger: Forger) -> None:
    step = forger.say(TOM, third(forger))
    step.message = step.message.replace(forger.messages(third(forger))[-1].id, str(forger.mint()))


@forgery("commit-trailer")
def a_status_change_names_a_message(forger: Forger) -> None:
    forger.set_status(ADMIN, record_queryable=False).message += f"Message-ID: {forger.mint()}\n"


@forgery("commit-message")
def the_care_location_is_missing(forger: Forger) -> None:
    step = forger.say(TOM, third(forger))
    lines = step.message.split("\n")
    step.message = "\n".join(line for line in lines if not line.startswith("Care-Location"))


@forgery("commit-message")
def a_trailer_is_unknown(forger: Forger) -> None:
    forger.say(TOM, third(forger)).message += "Read-By: everybody\n"


@forgery("commit-message")
def a_subject_is_in_plain_words(forger: Forger) -> None:
    step = forger.say(TOM, third(forger))
    step.message = "fix typo\n\n" + step.message.partition("\n\n")[2]


@forgery("commit-scope")
def a_commit_changes_nothing(forger: Forger) -> None:
    forger.commit(Summary.MESSAGE_ADDED, TOM, forger.now())


@forgery("commit-scope")
def a_commit_changes_only_when_a_ledger_was_changed(forger: Forger) -> None:
    thread = third(forger)
    forger.say(TOM, thread)
    forger.last.files[thread_path(thread)] = forger.steps[-2].files[thread_path(thread)]
    forger.last.message = forger.last.message.partition("Message-ID")[0]


@forgery("commit-scope")
def a_commit_changes_two_threads(forger: Forger) -> None:
    forger.say(TOM, third(forger))
    forger.say(PHARMACIST, second(forger), to=(party(CLINIC),))
    del forger.steps[-2]


@forgery("commit-scope")
def a_record_begins_with_a_thread_in_it(forger: Forger) -> None:
    _keep_first(forger)
    forger.open(JANE, listed(JANE))
    del forger.steps[0]


@forgery("commit-committer")
def the_committer_is_somebody_else(forger: Forger) -> None:
    for _ in range(3):
        step = forger.say(TOM, third(forger))
        step.committer = step.committer.replace("Thames Valley Shared Care", "Mallory")


@forgery("commit-committer")
def a_record_has_no_domain(forger: Forger) -> None:
    _keep_first(forger)
    step = forger.steps[0]
    step.committer = step.committer.replace("@care.example", "")


@forgery("commit-time")
def the_time_of_a_commit_is_off(forger: Forger) -> None:
    step = forger.say(TOM, third(forger))
    later = str(int(step.author.split()[-2]) + 60)
    step.author = step.author.replace(step.author.split()[-2], later)
    step.committer = step.committer.replace(step.committer.split()[-2], later)


@forgery("commit-time")
def author_and_committer_have_different_times(forger: Forger) -> None:
    step = forger.say(TOM, third(forger))
    step.author = step.author.replace(step.author.split()[-2], str(int(step.author.split()[-2]) - 60))


@forgery("commit-time", "ledger-time")
def the_time_of_an_entry_is_changed(forger: Forger) -> None:
    thread = third(forger)
    forger.say(TOM, thread)
    time = format_instant(forger.messages(thread)[-1].timestamp).encode()
    later = format_instant(Instant(forger.messages(thread)[-1].timestamp + 60_000)).encode()
    forger.edit(thread_path(thread), b"**Timestamp:** " + time, b"**Timestamp:** " + later, -1)


@forgery("history-time")
def a_status_is_changed_in_the_past(forger: Forger) -> None:
    step = forger.set_status(ADMIN, record_queryable=False)
    earlier = str(int(step.author.split()[-2]) - 86_400)
    step.author = step.author.replace(step.author.split()[-2], earlier)
    step.committer = step.committer.replace(step.committer.split()[-2], earlier)


@forgery("history-future")
def a_message_is_of_the_future(forger: Forger) -> None:
    forger.say(TOM, third(forger), timestamp=Instant(4_102_444_800_000))


@forgery("commit-malformed")
def a_commit_has_a_time_zone(forger: Forger) -> None:
    for _ in range(3):
        step = forger.say(TOM, third(forger))
        step.author = step.author.replace("+0000", "+0100")


@forgery("history-merge")
def an_older_commit_is_merged(forger: Forger) -> None:
    forger.say(TOM, third(forger)).merges.append(3)


def _client(*names: str) -> str:
    values = {CLIENT: "gateway", CLIENT_IDENTIFIER: "request%201", CLIENT_DIGEST: "0" * 64}
    return "".join(f"{name}: {values[name]}\n" for name in names)


@forgery("commit-client")
def a_client_uses_an_identifier_again(forger: Forger) -> None:
    forger.say(TOM, third(forger)).message += _client(CLIENT, CLIENT_IDENTIFIER, CLIENT_DIGEST)


@forgery("commit-client")
def an_identifier_has_no_client(forger: Forger) -> None:
    forger.say(TOM, third(forger)).message += _client(CLIENT_IDENTIFIER, CLIENT_DIGEST)


@forgery("commit-client")
def an_identifier_has_no_digest(forger: Forger) -> None:
    forger.say(TOM, third(forger)).message += _client(CLIENT, CLIENT_IDENTIFIER)


@forgery("commit-message")
def a_digest_is_malformed(forger: Forger) -> None:
    trailers = _client(CLIENT, CLIENT_IDENTIFIER, CLIENT_DIGEST).replace("000\n", "00x\n")
    forger.say(TOM, third(forger)).message += trailers


@forgery("commit-client")
def an_identifier_stands_for_a_status(forger: Forger) -> None:
    trailers = _client(CLIENT, CLIENT_IDENTIFIER, CLIENT_DIGEST).replace("%201", "%209")
    forger.change(TOM, third(forger), closed).message += trailers


@forgery()
def a_client_is_named_and_nothing_is_wrong(forger: Forger) -> None:
    forger.say(TOM, third(forger)).message += _client(CLIENT)

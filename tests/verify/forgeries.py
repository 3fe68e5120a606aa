"""What is done to a record, and what the checker must make of it: one row for each kind of tampering.

The record is that of `everything.write_small`: three threads. `first` is plain (Jane, Tom, John, later Mary), has an
attachment, an answer and a correction, and is closed. `second` is addressed, between a pharmacy and a clinic. `third`
takes up the first. The record was suspended once.
"""

from collections.abc import Callable
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from carethread import (
    Addressing,
    Attachment,
    Author,
    Ledger,
    LifecycleState,
    Policies,
    Role,
    ThreadStatus,
    Visibility,
)
from carethread.clock import Instant, format_instant
from carethread.ids import ClinicalId, CommunicationId, CoordinationId
from carethread.record.commit_message import CLIENT, CLIENT_DIGEST, CLIENT_IDENTIFIER, Summary
from carethread.record.media_types import attachment_path
from carethread.record.model import Custodian
from carethread.record.thread_md import render_entry
from tests.people import (
    ADDRESSED,
    ADDRESSING,
    ADMIN,
    CLINIC,
    GP,
    JANE,
    JOHN,
    MARY,
    PHARMACIST,
    PHARMACY,
    TOM,
    listed,
    person,
)
from tests.verify.forger import STATUS, Forger, ledger_path, party, thread_path
from tests.verify.histories import EXECUTABLE, LINK

Tamper = Callable[[Forger], None]

STRANGER = Author(person(66), "Mallory")


class Forgery(Struct, frozen=True):
    """A kind of tampering. `codes` are those of all findings, each as often as it is found, sorted."""

    name: str
    tamper: Tamper
    codes: tuple[str, ...]


FORGERIES: list[Forgery] = []


def forgery(*codes: str) -> Callable[[Tamper], Tamper]:
    """Add a row: the function's name says what is done."""

    def add(tamper: Tamper) -> Tamper:
        FORGERIES.append(Forgery(tamper.__name__.replace("_", "-"), tamper, tuple(sorted(codes))))
        return tamper

    return add


def _first(forger: Forger) -> CommunicationId:
    return forger.threads[0]


def _second(forger: Forger) -> CommunicationId:
    return forger.threads[1]


def _third(forger: Forger) -> CommunicationId:
    return forger.threads[2]


# ── What was said ─────────────────────────────────────────────────────────────────────────────────────────────────────


@forgery("thread-rewritten")
def a_byte_of_an_old_message_is_changed(forger: Forger) -> None:
    thread = _third(forger)
    forger.say(TOM, thread)
    forger.edit(thread_path(thread), b"Monday", b"Sunday", -1)


@forgery("thread-rewritten")
def a_byte_is_changed_in_the_middle_of_the_history(forger: Forger) -> None:
    start = forger.index("No acute changes.")
    forger.edit(thread_path(_first(forger)), b"Shortness", b"Sharpness", start)


@forgery("thread-rewritten")
def a_message_is_cut_off_the_end(forger: Forger) -> None:
    thread = _third(forger)
    before = forger.steps[-2].read(thread_path(thread))
    forger.say(TOM, thread).write(thread_path(thread), before)


@forgery("thread-rewritten")
def two_messages_are_swapped(forger: Forger) -> None:
    thread = _first(forger)
    one, two = (render_entry(each) for each in forger.messages(thread)[1:3])
    content = forger.last.read(thread_path(thread))
    content = content.replace(one, b"?").replace(two, one).replace(b"?", two)
    forger.say(TOM, _third(forger))
    forger.last.write(thread_path(thread), content)
    forger.last.files[thread_path(_third(forger))] = forger.steps[-2].files[thread_path(_third(forger))]
    forger.last.files[ledger_path(_third(forger))] = forger.steps[-2].files[ledger_path(_third(forger))]


@forgery("thread-entries")
def a_commit_is_dropped_and_its_message_shows_up_with_the_next(forger: Forger) -> None:
    del forger.steps[forger.index("The left side")]


@forgery("message-answer", "message-correction")
def a_message_is_dropped_from_all_versions(forger: Forger) -> None:
    thread = _first(forger)
    dropped = forger.messages(thread)[1]
    del forger.steps[forger.index("The report is attached.")]
    forger.edit(thread_path(thread), b"\n---\n\n" + render_entry(dropped), b"", 2)
    for step in forger.steps:
        step.files = {path: file for path, file in step.files.items() if "/attachments/" not in path}


@forgery("history-time", "message-time")
def two_commits_are_swapped_with_what_they_say(forger: Forger) -> None:
    thread = _third(forger)
    late = Instant(forger.now() + 5_000)
    forger.say(TOM, thread, timestamp=late)
    forger.say(JANE, thread, timestamp=Instant(late - 3_000))


@forgery("thread-malformed")
def line_ends_become_those_of_windows(forger: Forger) -> None:
    thread = _third(forger)
    step = forger.say(TOM, thread, "One.\nTwo.")
    step.write(thread_path(thread), step.read(thread_path(thread)).replace(b"One.\n", b"One.\r\n"))


@forgery("thread-rewritten")
def line_ends_of_the_whole_file_become_those_of_windows(forger: Forger) -> None:
    thread = _third(forger)
    step = forger.say(TOM, thread)
    step.write(thread_path(thread), step.read(thread_path(thread)).replace(b"\n", b"\r\n"))


@forgery("thread-malformed")
def the_final_newline_is_missing(forger: Forger) -> None:
    thread = _third(forger)
    step = forger.say(TOM, thread)
    step.write(thread_path(thread), step.read(thread_path(thread))[:-1])


@forgery("thread-malformed")
def an_entry_follows_without_a_separator(forger: Forger) -> None:
    thread = _third(forger)
    step = forger.say(TOM, thread)
    forger.edit(thread_path(thread), b"Monday.\n\n---\n\n", b"Monday.\n\n", -1)
    assert b"---\n\n## Message" in step.read(thread_path(thread))


@forgery("thread-malformed")
def a_file_does_not_begin_as_a_thread(forger: Forger) -> None:
    thread = forger.open(JANE, listed(JANE))
    forger.last.write(thread_path(thread), b"# Notes\n")


@forgery("thread-malformed")
def markup_is_not_escaped(forger: Forger) -> None:
    thread = _third(forger)
    forger.say(TOM, thread, "2*500*3 mg")
    forger.edit(thread_path(thread), rb"2\*500\*3", b"2*500*3", -1)


@forgery("thread-malformed")
def a_body_is_not_text(forger: Forger) -> None:
    thread = _third(forger)
    forger.say(TOM, thread)
    forger.edit(thread_path(thread), b"Forged", b"\xff\xfe", -1)


@forgery("thread-malformed")
def an_entry_was_sent_after_it_was_recorded(forger: Forger) -> None:
    thread = _third(forger)
    sent = Instant(forger.now() - 1000)
    forger.say(TOM, thread, sent=sent)
    later = format_instant(Instant(sent + 9000)).encode()
    forger.edit(thread_path(thread), b"**Sent:** " + format_instant(sent).encode(), b"**Sent:** " + later, -1)


@forgery("thread-malformed", "thread-malformed")
def two_malformed_entries_are_two_faults_and_no_more(forger: Forger) -> None:
    thread = _third(forger)
    for _ in range(2):
        forger.say(TOM, thread)
        forger.edit(thread_path(thread), b"Forged.", b"Forged. ", -1)
        forger.last.write(thread_path(thread), forger.last.read(thread_path(thread)).replace(b"Forged. \n", b"F \n"))
    forger.say(TOM, thread, "Fine again.")


@forgery("message-sent")
def an_answer_was_sent_before_the_question(forger: Forger) -> None:
    thread = _third(forger)
    asked = forger.messages(thread)[-1]
    forger.say(JANE, thread, in_response_to=asked.id, sent=Instant(asked.timestamp - 1))


@forgery("message-duplicate")
def a_message_id_is_used_again(forger: Forger) -> None:
    forger.say(TOM, _third(forger), id=forger.messages(_third(forger))[0].id)


@forgery("message-duplicate")
def a_message_id_of_another_thread_is_used_again(forger: Forger) -> None:
    forger.say(TOM, _third(forger), id=forger.messages(_first(forger))[0].id)


@forgery("message-answer")
def an_answer_to_a_message_of_another_thread(forger: Forger) -> None:
    forger.say(TOM, _third(forger), in_response_to=forger.messages(_second(forger))[0].id)


@forgery("message-answer")
def an_answer_to_a_message_that_comes_later(forger: Forger) -> None:
    thread = _third(forger)
    later = forger.entry(JANE, "Later.")
    forger.say(TOM, thread, in_response_to=later.id)
    forger.append(JANE, thread, replace(later, timestamp=forger.now()))


@forgery("thread-not-open")
def a_message_in_a_closed_thread(forger: Forger) -> None:
    forger.say(TOM, _first(forger))


# ── Who said it, and to whom ──────────────────────────────────────────────────────────────────────────────────────────


@forgery("commit-author")
def the_author_of_a_commit_is_forged(forger: Forger) -> None:
    step = forger.say(TOM, _third(forger))
    step.author = step.author.replace(f"{TOM.name} <{TOM.id}", f"{JANE.name} <{JANE.id}")


@forgery("commit-author")
def the_display_name_of_a_commit_is_forged(forger: Forger) -> None:
    step = forger.say(TOM, _third(forger))
    step.author = step.author.replace(TOM.name, "Prof. Tom Patel")


@forgery("commit-author")
def the_author_of_an_entry_is_forged(forger: Forger) -> None:
    forger.say(TOM, _third(forger))
    for label, old, new in (("Author ID", f"`{TOM.id}`", f"`{JANE.id}`"), ("Author", TOM.name, JANE.name)):
        content = forger.last.read(thread_path(_third(forger)))
        head, tail = content.rsplit(f"**{label}:** {old}".encode(), 1)
        forger.last.write(thread_path(_third(forger)), head + f"**{label}:** {new}".encode() + tail)


@forgery("commit-author")
def the_author_writes_from_another_domain(forger: Forger) -> None:
    step = forger.say(TOM, _third(forger))
    step.author = step.author.replace("@care.example", "@home.example")


@forgery("commit-author")
def a_status_is_changed_by_nobody_in_particular(forger: Forger) -> None:
    step = forger.set_status(ADMIN, record_queryable=False)
    step.author = step.author.replace(ADMIN.id, "root")


@forgery("message-author")
def a_stranger_writes(forger: Forger) -> None:
    forger.say(STRANGER, _third(forger))


@forgery("message-author")
def a_patient_writes_as_a_clinician(forger: Forger) -> None:
    forger.change(TOM, _third(forger), lambda ledger: replace(ledger, participants=ledger.participants + listed(JOHN)))
    forger.say(Author(JOHN.id, JOHN.name), _third(forger))


@forgery("message-author")
def somebody_writes_for_a_person_as_if_for_a_group(forger: Forger) -> None:
    forger.say(TOM, _third(forger), on_behalf_of=party(JANE))


@forgery("message-author")
def somebody_writes_for_a_group_that_takes_no_part(forger: Forger) -> None:
    forger.say(TOM, _third(forger), on_behalf_of=party(CLINIC))


@forgery("message-author")
def a_change_is_told_by_somebody_in_another_role(forger: Forger) -> None:
    forger.change(Author(TOM.id, TOM.name, Role.PATIENT), _third(forger), _closed)


@forgery("message-group")
def a_group_is_named_otherwise_than_in_the_ledger(forger: Forger) -> None:
    renamed = replace(party(CLINIC), name="Hill Clinic (closed)")
    forger.say(GP, _second(forger), on_behalf_of=renamed, to=(party(PHARMACY),))


@forgery("message-recipients")
def a_recipient_takes_no_part(forger: Forger) -> None:
    forger.say(TOM, _third(forger), to=(party(JOHN),))


@forgery("message-recipients")
def a_recipient_is_named_otherwise_than_in_the_ledger(forger: Forger) -> None:
    forger.say(TOM, _third(forger), to=(replace(party(JANE), name="Dr J. Smith"),))


@forgery("message-recipients")
def an_addressed_thread_has_a_message_to_nobody(forger: Forger) -> None:
    forger.say(PHARMACIST, _second(forger))


@forgery("thread-malformed")
def a_system_entry_has_recipients(forger: Forger) -> None:
    forger.change(TOM, _third(forger), _closed)
    role = b"**Author role:** clinician"
    forger.edit(thread_path(_third(forger)), role, role + f"  \n**To:** `{JANE.id}` {JANE.name}".encode(), -1)


@forgery("message-correction")
def a_system_entry_is_corrected(forger: Forger) -> None:
    thread = _third(forger)
    forger.change(TOM, thread, _with_mary)
    forger.say(TOM, thread, corrects=forger.messages(thread)[-1].id)


@forgery("message-correction")
def a_message_of_an_open_thread_is_corrected_elsewhere(forger: Forger) -> None:
    forger.say(TOM, _third(forger), corrects=forger.messages(_second(forger))[0].id)


@forgery("message-correction")
def something_is_corrected_that_was_never_said(forger: Forger) -> None:
    forger.say(TOM, _third(forger), corrects=str(forger.mint()))


@forgery("message-correction")
def a_correction_goes_to_others_than_what_it_corrects(forger: Forger) -> None:
    wrong = forger.messages(_second(forger))[0]
    forger.say(PHARMACIST, _second(forger), corrects=wrong.id, to=(party(PHARMACY),))


# ── Attachments ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _attached(data: bytes, media_type: str = "text/plain") -> Attachment:
    return Attachment(sha256(data).hexdigest(), media_type, len(data), "note.txt")


def _attachment(forger: Forger) -> str:
    return next(path for path in forger.last.files if "/attachments/" in path)


@forgery("attachment-content")
def the_content_of_an_attachment_is_swapped(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).write(_attachment(forger), b"%PDF-1.4 made otherwise\n")
    _forget_change(forger, _third(forger))


@forgery("attachment-content")
def an_attachment_never_was_what_its_name_says(forger: Forger) -> None:
    path = _attachment(forger)
    forger.edit(path, b"made up", b"made by")


@forgery("attachment-unreferenced", "tree-missing")
def an_attachment_is_renamed(forger: Forger) -> None:
    path = _attachment(forger)
    step = forger.say(TOM, _third(forger))
    step.files[path.replace(".pdf", ".png")] = step.files.pop(path)
    _forget_change(forger, _third(forger))


@forgery("tree-missing")
def an_attachment_is_deleted(forger: Forger) -> None:
    step = forger.say(TOM, _third(forger))
    del step.files[_attachment(forger)]
    _forget_change(forger, _third(forger))


@forgery("attachment-missing")
def an_attachment_is_named_and_not_there(forger: Forger) -> None:
    forger.say(TOM, _third(forger), attachments=(_attached(b"note"),))


@forgery("attachment-size")
def an_attachment_has_another_size_than_it_should(forger: Forger) -> None:
    thread = _third(forger)
    attachment = replace(_attached(b"note"), size=5)
    step = forger.say(TOM, thread, attachments=(attachment,))
    step.write(f"communications/{thread}/{attachment_path(attachment)}", b"note")


@forgery("attachment-unreferenced")
def a_file_is_attached_to_nothing(forger: Forger) -> None:
    thread = _third(forger)
    step = forger.say(TOM, thread)
    step.write(f"communications/{thread}/{attachment_path(_attached(b'note'))}", b"note")


@forgery("attachment-missing", "attachment-unreferenced")
def an_attachment_has_the_extension_of_another_type(forger: Forger) -> None:
    thread = _third(forger)
    step = forger.say(TOM, thread, attachments=(_attached(b"note", "image/png"),))
    step.write(f"communications/{thread}/{attachment_path(_attached(b'note'))}", b"note")


@forgery("tree-path")
def an_attachment_has_a_name_of_its_own(forger: Forger) -> None:
    thread = _third(forger)
    forger.say(TOM, thread).write(f"communications/{thread}/attachments/note.txt", b"note")


# ── Ledgers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _closed(ledger: Ledger) -> Ledger:
    return replace(ledger, status=ThreadStatus.CLOSED)


def _with_mary(ledger: Ledger) -> Ledger:
    return replace(ledger, participants=ledger.participants + listed(MARY))


def _forget_change(forger: Forger, thread: CommunicationId) -> None:
    """Let the last commit change nothing in a thread after all."""
    for path in (thread_path(thread), ledger_path(thread)):
        forger.last.files[path] = forger.steps[-2].files[path]


@forgery("ledger-change")
def a_closed_thread_is_reopened(forger: Forger) -> None:
    forger.change(
        TOM,
        _first(forger),
        lambda ledger: replace(ledger, status=ThreadStatus.OPEN),
        body="The thread was opened.",
        summary=Summary.STATUS_UPDATED,
    )


@forgery("ledger-change")
def the_name_of_a_participant_is_altered_in_place(forger: Forger) -> None:
    def rename(ledger: Ledger) -> Ledger:
        jane, *others = ledger.participants
        return replace(ledger, participants=(replace(jane, name="Dr Jane Jones"), *others))

    forger.change(TOM, _third(forger), rename, body="Forged.", summary=Summary.PARTICIPANTS_UPDATED)


@forgery("ledger-change")
def the_order_of_participants_is_altered(forger: Forger) -> None:
    def turn(ledger: Ledger) -> Ledger:
        return replace(ledger, participants=ledger.participants[::-1])

    forger.change(TOM, _third(forger), turn, body="Forged.", summary=Summary.PARTICIPANTS_UPDATED)


@forgery("ledger-change")
def the_time_of_creation_is_altered(forger: Forger) -> None:
    def age(ledger: Ledger) -> Ledger:
        return replace(ledger, created_at=Instant(ledger.created_at - 1))

    forger.change(TOM, _third(forger), age, body="Forged.", summary=Summary.LEDGER_UPDATED)


@forgery("ledger-untold")
def a_participant_is_slipped_in_with_a_message(forger: Forger) -> None:
    thread = _third(forger)
    forger.say(TOM, thread)
    forger.edit(ledger_path(thread), b"continues:", _row(MARY) + b"continues:", -1)


@forgery("ledger-untold")
def a_ledger_is_changed_without_an_entry(forger: Forger) -> None:
    thread = _third(forger)
    forger.change(TOM, thread, _with_mary)
    forger.last.files[thread_path(thread)] = forger.steps[-2].files[thread_path(thread)]
    forger.last.message = forger.last.message.partition("Message-ID")[0]


@forgery("ledger-sentence")
def a_system_entry_says_something_else(forger: Forger) -> None:
    forger.change(TOM, _third(forger), _with_mary, body="John Doe (patient) was added to the thread.")


@forgery("ledger-sentence")
def a_system_entry_tells_of_nothing(forger: Forger) -> None:
    forger.change(TOM, _third(forger), lambda ledger: ledger, body="Hm.", summary=Summary.STATUS_UPDATED)


@forgery("ledger-rule")
def somebody_addressed_is_removed(forger: Forger) -> None:
    def remove(ledger: Ledger) -> Ledger:
        kept = tuple(each for each in ledger.participants if each.id != CLINIC.id)
        return replace(ledger, participants=kept, addressing=replace(ADDRESSING, recipients=(PHARMACY.id,)))

    forger.change(PHARMACIST, _second(forger), remove)


@forgery("ledger-rule")
def a_policy_is_set_that_participants_contradict(forger: Forger) -> None:
    thread = _third(forger)
    forger.change(TOM, thread, _with_mary)
    off = Policies(allow_patient_participation=False)
    forger.change(TOM, thread, lambda ledger: replace(ledger, policies=off))


@forgery("ledger-rule")
def policies_of_a_closed_thread_are_changed(forger: Forger) -> None:
    home = Policies(allow_external_organisations=False, allow_patient_participation=True)
    thread = _second(forger)

    def without_clinic(ledger: Ledger) -> Ledger:
        kept = tuple(each for each in ledger.participants if each.id != CLINIC.id)
        return replace(ledger, participants=kept)

    asked = Addressing(PHARMACIST.id, (PHARMACIST.id,), PHARMACY.id)
    forger.change(PHARMACIST, thread, lambda ledger: replace(ledger, addressing=asked))
    forger.change(PHARMACIST, thread, without_clinic)
    forger.change(PHARMACIST, thread, _closed)
    forger.change(PHARMACIST, thread, lambda ledger: replace(ledger, policies=home))


@forgery("ledger-rule")
def a_thread_takes_up_one_that_is_open(forger: Forger) -> None:
    forger.open(JANE, listed(JANE), continues=_third(forger))


@forgery("ledger-rule")
def a_thread_takes_up_one_there_is_not(forger: Forger) -> None:
    nowhere = CommunicationId(f"20200101T000000.000Z-{forger.mint()}")
    forger.open(JANE, listed(JANE), continues=nowhere)


@forgery("ledger-rule")
def a_thread_is_opened_by_a_stranger(forger: Forger) -> None:
    forger.open(STRANGER, listed(JANE))


@forgery("ledger-rule")
def a_thread_is_opened_in_the_name_of_somebody_else(forger: Forger) -> None:
    people = (*ADDRESSED, *listed(GP))
    forger.open(GP, people, addressing=ADDRESSING)


@forgery("ledger-time")
def a_ledger_does_not_move_with_a_message(forger: Forger) -> None:
    thread = _third(forger)
    forger.say(TOM, thread)
    forger.last.files[ledger_path(thread)] = forger.steps[-2].files[ledger_path(thread)]


@forgery("ledger-created")
def a_thread_is_closed_from_the_start(forger: Forger) -> None:
    forger.open(JANE, listed(JANE), status=ThreadStatus.CLOSED)


@forgery("ledger-created")
def a_thread_was_updated_before_anything_happened(forger: Forger) -> None:
    forger.open(JANE, listed(JANE), last_updated_at=Instant(forger.now() + 1))


@forgery("ledger-created", "thread-id")
def a_thread_was_created_at_another_time_than_its_first_entry(forger: Forger) -> None:
    message = forger.entry(JANE, "Hello.")
    earlier = Instant(message.timestamp - 1)
    forger.open(JANE, listed(JANE), message, created_at=earlier, last_updated_at=earlier)


@forgery("ledger-sentence")
def a_thread_begins_with_a_system_entry(forger: Forger) -> None:
    forger.open(JANE, listed(JANE), forger.entry(JANE, "The thread was closed.", type="system"))


@forgery("thread-id")
def a_thread_has_the_id_of_another_time(forger: Forger) -> None:
    forger.open(JANE, listed(JANE), thread=f"20260111T143522.045Z-{forger.mint()}")


@forgery("thread-id")
def a_ledger_is_that_of_another_thread(forger: Forger) -> None:
    thread = forger.open(JANE, listed(JANE))
    forger.edit(ledger_path(thread), thread.encode(), _third(forger).encode())


@forgery("thread-duplicate")
def two_threads_have_one_uuid(forger: Forger) -> None:
    stamp = format_instant(forger.now()).replace("-", "").replace(":", "")
    forger.open(JANE, listed(JANE), thread=f"{stamp}-{_first(forger)[21:]}")


@forgery("ledger-malformed")
def a_ledger_does_not_say_when_it_was_changed(forger: Forger) -> None:
    thread = _third(forger)
    forger.say(TOM, thread)
    forger.edit(ledger_path(thread), b"last_updated_at", b"last_seen_at", -1)
    forger.say(TOM, thread, "And again.")


def _malformed_ledger(old: bytes, new: bytes) -> Tamper:
    def tamper(forger: Forger) -> None:
        thread = _third(forger)
        forger.say(TOM, thread)
        forger.edit(ledger_path(thread), old, new, -1)
        # The same fault lives on with the next message, and is not told twice.
        forger.say(TOM, thread)

    return tamper


def _row(author: Author) -> bytes:
    return f"- participant_id: {author.id}\n  role: {author.role}\n  display_name: {author.name}\n".encode()


for _name, _old, _new in (
    ("a-ledger-has-a-comment", b"status: open", b"status: open # really"),
    ("a-ledger-has-an-anchor", b"status: open", b"status: &a open"),
    ("a-ledger-has-a-tag", b"status: open", b"status: !!str open"),
    ("a-ledger-quotes-what-needs-no-quotes", b"Dr Tom Patel", b'"Dr Tom Patel"'),
    ("a-ledger-has-windows-line-ends", b"status: open\n", b"status: open\r\n"),
    ("a-ledger-has-a-key-twice", b"status: open\n", b"status: open\nstatus: open\n"),
    ("a-ledger-has-an-unknown-key", b"visibility:\n", b"urgent: true\nvisibility:\n"),
    ("a-ledger-has-no-final-newline", b"organisations: true\n", b"organisations: true"),
    ("a-ledger-names-somebody-twice", b"continues:", _row(TOM) + b"continues:"),
):
    FORGERIES.append(Forgery(_name, _malformed_ledger(_old, _new), ("ledger-malformed",)))


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
    forger.say(TOM, _third(forger))


@forgery("record-not-writable")
def a_thread_while_the_record_takes_none(forger: Forger) -> None:
    forger.set_status(ADMIN, record_open=False)
    forger.open(JANE, listed(JANE))


@forgery("record-not-writable")
def a_change_while_the_record_is_not_modifiable(forger: Forger) -> None:
    forger.set_status(ADMIN, record_modifiable=False)
    forger.change(TOM, _third(forger), lambda ledger: replace(ledger, visibility=Visibility(restricted=True)))


# ── Files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@forgery("tree-path")
def a_file_is_added(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).write("notes.txt", b"not in the record\n")


@forgery("tree-path")
def a_file_is_added_and_removed_again(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).write("notes.txt", b"not in the record\n")
    del forger.say(TOM, _third(forger)).files["notes.txt"]


@forgery("tree-path")
def a_folder_is_added(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).write("tasks/20260101.yaml", b"done: true\n")
    forger.say(TOM, _third(forger))


@forgery("tree-path")
def a_file_is_added_to_a_thread(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).write(f"communications/{_third(forger)}/read.yaml", b"by: everybody\n")


@forgery("tree-path")
def a_folder_is_no_thread(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).write("communications/drafts/thread.md", b"# Messages\n")
    forger.say(TOM, _third(forger))


@forgery("tree-missing")
def a_ledger_is_deleted(forger: Forger) -> None:
    del forger.say(TOM, _third(forger)).files[ledger_path(_second(forger))]


@forgery("tree-missing")
def a_thread_is_deleted(forger: Forger) -> None:
    step = forger.say(TOM, _third(forger))
    step.files = {path: file for path, file in step.files.items() if _second(forger) not in path}


@forgery("thread-entries", "tree-missing")
def a_thread_is_renamed(forger: Forger) -> None:
    thread = _second(forger)
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
    step = forger.say(TOM, _third(forger))
    step.write(ledger_path(_second(forger)), step.read(ledger_path(_second(forger))), EXECUTABLE)


@forgery("tree-mode")
def a_file_becomes_a_link(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).write(STATUS, b"/etc/hostname", LINK)


@forgery("tree-mode")
def an_attachment_is_a_link(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).write(_attachment(forger), b"/etc/hostname", LINK)


@forgery("tree-attributes")
def the_attributes_are_changed(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).write(".gitattributes", b"* text=auto\n")


@forgery("tree-attributes")
def the_attributes_never_were_there(forger: Forger) -> None:
    for step in forger.steps:
        del step.files[".gitattributes"]


@forgery("commit-scope", "tree-attributes")
def the_attributes_come_late(forger: Forger) -> None:
    attributes = [step.files.pop(".gitattributes") for step in forger.steps][0]
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
    step = forger.say(TOM, _third(forger))
    step.message = step.message.replace(Summary.MESSAGE_ADDED, Summary.STATUS_UPDATED)


@forgery("commit-subject")
def a_thread_is_closed_under_another_subject(forger: Forger) -> None:
    forger.change(TOM, _third(forger), _closed, summary=Summary.VISIBILITY_UPDATED)


@forgery("commit-trailer")
def a_trailer_names_another_thread(forger: Forger) -> None:
    step = forger.say(TOM, _third(forger))
    step.message = step.message.replace(_third(forger), _second(forger))


@forgery("commit-trailer")
def a_trailer_names_another_message(forger: Forger) -> None:
    step = forger.say(TOM, _third(forger))
    step.message = step.message.replace(forger.messages(_third(forger))[-1].id, str(forger.mint()))


@forgery("commit-trailer")
def a_status_change_names_a_message(forger: Forger) -> None:
    forger.set_status(ADMIN, record_queryable=False).message += f"Message-ID: {forger.mint()}\n"


@forgery("commit-message")
def the_care_location_is_missing(forger: Forger) -> None:
    step = forger.say(TOM, _third(forger))
    lines = step.message.split("\n")
    step.message = "\n".join(line for line in lines if not line.startswith("Care-Location"))


@forgery("commit-message")
def a_trailer_is_unknown(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).message += "Read-By: everybody\n"


@forgery("commit-message")
def a_subject_is_in_plain_words(forger: Forger) -> None:
    step = forger.say(TOM, _third(forger))
    step.message = "fix typo\n\n" + step.message.partition("\n\n")[2]


@forgery("commit-scope")
def a_commit_changes_nothing(forger: Forger) -> None:
    forger.commit(Summary.MESSAGE_ADDED, TOM, forger.now())


@forgery("commit-scope")
def a_commit_changes_only_when_a_ledger_was_changed(forger: Forger) -> None:
    thread = _third(forger)
    forger.say(TOM, thread)
    forger.last.files[thread_path(thread)] = forger.steps[-2].files[thread_path(thread)]
    forger.last.message = forger.last.message.partition("Message-ID")[0]


@forgery("commit-scope")
def a_commit_changes_two_threads(forger: Forger) -> None:
    forger.say(TOM, _third(forger))
    forger.say(PHARMACIST, _second(forger), to=(party(CLINIC),))
    del forger.steps[-2]


@forgery("commit-scope")
def a_record_begins_with_a_thread_in_it(forger: Forger) -> None:
    _keep_first(forger)
    forger.open(JANE, listed(JANE))
    del forger.steps[0]


@forgery("commit-committer")
def the_committer_is_somebody_else(forger: Forger) -> None:
    for _ in range(3):
        step = forger.say(TOM, _third(forger))
        step.committer = step.committer.replace("Thames Valley Shared Care", "Mallory")


@forgery("commit-committer")
def a_record_has_no_domain(forger: Forger) -> None:
    _keep_first(forger)
    step = forger.steps[0]
    step.committer = step.committer.replace("@care.example", "")


@forgery("commit-time")
def the_time_of_a_commit_is_off(forger: Forger) -> None:
    step = forger.say(TOM, _third(forger))
    later = str(int(step.author.split()[-2]) + 60)
    step.author = step.author.replace(step.author.split()[-2], later)
    step.committer = step.committer.replace(step.committer.split()[-2], later)


@forgery("commit-time")
def author_and_committer_have_different_times(forger: Forger) -> None:
    step = forger.say(TOM, _third(forger))
    step.author = step.author.replace(step.author.split()[-2], str(int(step.author.split()[-2]) - 60))


@forgery("commit-time", "ledger-time")
def the_time_of_an_entry_is_changed(forger: Forger) -> None:
    thread = _third(forger)
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
    forger.say(TOM, _third(forger), timestamp=Instant(4_102_444_800_000))


@forgery("commit-malformed")
def a_commit_has_a_time_zone(forger: Forger) -> None:
    for _ in range(3):
        step = forger.say(TOM, _third(forger))
        step.author = step.author.replace("+0000", "+0100")


@forgery("history-merge")
def an_older_commit_is_merged(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).merges.append(3)


def _client(*names: str) -> str:
    values = {CLIENT: "gateway", CLIENT_IDENTIFIER: "request%201", CLIENT_DIGEST: "0" * 64}
    return "".join(f"{name}: {values[name]}\n" for name in names)


@forgery("commit-client")
def a_client_uses_an_identifier_again(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).message += _client(CLIENT, CLIENT_IDENTIFIER, CLIENT_DIGEST)


@forgery("commit-client")
def an_identifier_has_no_client(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).message += _client(CLIENT_IDENTIFIER, CLIENT_DIGEST)


@forgery("commit-client")
def an_identifier_has_no_digest(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).message += _client(CLIENT, CLIENT_IDENTIFIER)


@forgery("commit-message")
def a_digest_is_malformed(forger: Forger) -> None:
    trailers = _client(CLIENT, CLIENT_IDENTIFIER, CLIENT_DIGEST).replace("000\n", "00x\n")
    forger.say(TOM, _third(forger)).message += trailers


@forgery("commit-client")
def an_identifier_stands_for_a_status(forger: Forger) -> None:
    trailers = _client(CLIENT, CLIENT_IDENTIFIER, CLIENT_DIGEST).replace("%201", "%209")
    forger.change(TOM, _third(forger), _closed).message += trailers


@forgery()
def a_client_is_named_and_nothing_is_wrong(forger: Forger) -> None:
    forger.say(TOM, _third(forger)).message += _client(CLIENT)

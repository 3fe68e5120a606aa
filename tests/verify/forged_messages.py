"""Messages that are forged: what was said, who said it, and to whom. See `forgery.py`."""

from msgspec.structs import replace

from carethread import (
    Author,
    Role,
)
from carethread.clock import Instant, format_instant
from carethread.record.thread_md import render_entry
from tests.people import (
    ADMIN,
    CLINIC,
    GP,
    JANE,
    JOHN,
    PHARMACIST,
    PHARMACY,
    TOM,
    listed,
)
from tests.verify.forger import Forger, ledger_path, party, thread_path
from tests.verify.forgery import STRANGER, closed, first, forgery, second, third, with_mary

# ── What was said ─────────────────────────────────────────────────────────────────────────────────────────────────────


@forgery("thread-rewritten")
def a_byte_of_an_old_message_is_changed(forger: Forger) -> None:
    thread = third(forger)
    forger.say(TOM, thread)
    forger.edit(thread_path(thread), b"Monday", b"Sunday", -1)


@forgery("thread-rewritten")
def a_byte_is_changed_in_the_middle_of_the_history(forger: Forger) -> None:
    start = forger.index("No acute changes.")
    forger.edit(thread_path(first(forger)), b"Shortness", b"Sharpness", start)


@forgery("thread-rewritten")
def a_message_is_cut_off_the_end(forger: Forger) -> None:
    thread = third(forger)
    before = forger.steps[-2].read(thread_path(thread))
    forger.say(TOM, thread).write(thread_path(thread), before)


@forgery("thread-rewritten")
def two_messages_are_swapped(forger: Forger) -> None:
    thread = first(forger)
    one, two = (render_entry(each) for each in forger.messages(thread)[1:3])
    content = forger.last.read(thread_path(thread))
    content = content.replace(one, b"?").replace(two, one).replace(b"?", two)
    forger.say(TOM, third(forger))
    forger.last.write(thread_path(thread), content)
    forger.last.files[thread_path(third(forger))] = forger.steps[-2].files[thread_path(third(forger))]
    forger.last.files[ledger_path(third(forger))] = forger.steps[-2].files[ledger_path(third(forger))]


@forgery("thread-entries")
def a_commit_is_dropped_and_its_message_shows_up_with_the_next(forger: Forger) -> None:
    del forger.steps[forger.index("The left side")]


@forgery("message-answer", "message-correction")
def a_message_is_dropped_from_all_versions(forger: Forger) -> None:
    thread = first(forger)
    dropped = forger.messages(thread)[1]
    del forger.steps[forger.index("The report is attached.")]
    forger.edit(thread_path(thread), b"\n---\n\n" + render_entry(dropped), b"", 2)
    for step in forger.steps:
        step.files = {path: file for path, file in step.files.items() if "/attachments/" not in path}


@forgery("history-time", "message-time")
def two_commits_are_swapped_with_what_they_say(forger: Forger) -> None:
    thread = third(forger)
    late = Instant(forger.now() + 5_000)
    forger.say(TOM, thread, timestamp=late)
    forger.say(JANE, thread, timestamp=Instant(late - 3_000))


@forgery("thread-malformed")
def line_ends_become_those_of_windows(forger: Forger) -> None:
    thread = third(forger)
    step = forger.say(TOM, thread, "One.\nTwo.")
    step.write(thread_path(thread), step.read(thread_path(thread)).replace(b"One.\n", b"One.\r\n"))


@forgery("thread-rewritten")
def line_ends_of_the_whole_file_become_those_of_windows(forger: Forger) -> None:
    thread = third(forger)
    step = forger.say(TOM, thread)
    step.write(thread_path(thread), step.read(thread_path(thread)).replace(b"\n", b"\r\n"))


@forgery("thread-malformed")
def the_final_newline_is_missing(forger: Forger) -> None:
    thread = third(forger)
    step = forger.say(TOM, thread)
    step.write(thread_path(thread), step.read(thread_path(thread))[:-1])


@forgery("thread-malformed")
def an_entry_follows_without_a_separator(forger: Forger) -> None:
    thread = third(forger)
    step = forger.say(TOM, thread)
    forger.edit(thread_path(thread), b"Monday.\n\n---\n\n", b"Monday.\n\n", -1)
    assert b"---\n\n## Message" in step.read(thread_path(thread))


@forgery("thread-malformed")
def a_file_does_not_begin_as_a_thread(forger: Forger) -> None:
    thread = forger.open(JANE, listed(JANE))
    forger.last.write(thread_path(thread), b"# Notes\n")


@forgery("thread-malformed")
def markup_is_not_escaped(forger: Forger) -> None:
    thread = third(forger)
    forger.say(TOM, thread, "2*500*3 mg")
    forger.edit(thread_path(thread), rb"2\*500\*3", b"2*500*3", -1)


@forgery("thread-malformed")
def a_body_is_not_text(forger: Forger) -> None:
    thread = third(forger)
    forger.say(TOM, thread)
    forger.edit(thread_path(thread), b"Forged", b"\xff\xfe", -1)


@forgery("thread-malformed")
def an_entry_was_sent_after_it_was_recorded(forger: Forger) -> None:
    thread = third(forger)
    sent = Instant(forger.now() - 1000)
    forger.say(TOM, thread, sent=sent)
    later = format_instant(Instant(sent + 9000)).encode()
    forger.edit(thread_path(thread), b"**Sent:** " + format_instant(sent).encode(), b"**Sent:** " + later, -1)


@forgery("thread-malformed", "thread-malformed")
def two_malformed_entries_are_two_faults_and_no_more(forger: Forger) -> None:
    thread = third(forger)
    for _ in range(2):
        forger.say(TOM, thread)
        forger.edit(thread_path(thread), b"Forged.", b"Forged. ", -1)
        forger.last.write(thread_path(thread), forger.last.read(thread_path(thread)).replace(b"Forged. \n", b"F \n"))
    forger.say(TOM, thread, "Fine again.")


@forgery("message-sent")
def an_answer_was_sent_before_the_question(forger: Forger) -> None:
    thread = third(forger)
    asked = forger.messages(thread)[-1]
    forger.say(JANE, thread, in_response_to=asked.id, sent=Instant(asked.timestamp - 1))


@forgery("message-duplicate")
def a_message_id_is_used_again(forger: Forger) -> None:
    forger.say(TOM, third(forger), id=forger.messages(third(forger))[0].id)


@forgery("message-duplicate")
def a_message_id_of_another_thread_is_used_again(forger: Forger) -> None:
    forger.say(TOM, third(forger), id=forger.messages(first(forger))[0].id)


@forgery("message-answer")
def an_answer_to_a_message_of_another_thread(forger: Forger) -> None:
    forger.say(TOM, third(forger), in_response_to=forger.messages(second(forger))[0].id)


@forgery("message-answer")
def an_answer_to_a_message_that_comes_later(forger: Forger) -> None:
    thread = third(forger)
    later = forger.entry(JANE, "Later.")
    forger.say(TOM, thread, in_response_to=later.id)
    forger.append(JANE, thread, replace(later, timestamp=forger.now()))


@forgery("thread-not-open")
def a_message_in_a_closed_thread(forger: Forger) -> None:
    forger.say(TOM, first(forger))


# ── Who said it, and to whom ──────────────────────────────────────────────────────────────────────────────────────────


@forgery("commit-author")
def the_author_of_a_commit_is_forged(forger: Forger) -> None:
    step = forger.say(TOM, third(forger))
    step.author = step.author.replace(f"{TOM.name} <{TOM.id}", f"{JANE.name} <{JANE.id}")


@forgery("commit-author")
def the_display_name_of_a_commit_is_forged(forger: Forger) -> None:
    step = forger.say(TOM, third(forger))
    step.author = step.author.replace(TOM.name, "Prof. Tom Patel")


@forgery("commit-author")
def the_author_of_an_entry_is_forged(forger: Forger) -> None:
    forger.say(TOM, third(forger))
    for label, old, new in (("Author ID", f"`{TOM.id}`", f"`{JANE.id}`"), ("Author", TOM.name, JANE.name)):
        content = forger.last.read(thread_path(third(forger)))
        head, tail = content.rsplit(f"**{label}:** {old}".encode(), 1)
        forger.last.write(thread_path(third(forger)), head + f"**{label}:** {new}".encode() + tail)


@forgery("commit-author")
def the_author_writes_from_another_domain(forger: Forger) -> None:
    step = forger.say(TOM, third(forger))
    step.author = step.author.replace("@care.example", "@home.example")


@forgery("commit-author")
def a_status_is_changed_by_nobody_in_particular(forger: Forger) -> None:
    step = forger.set_status(ADMIN, record_queryable=False)
    step.author = step.author.replace(ADMIN.id, "root")


@forgery("message-author")
def a_stranger_writes(forger: Forger) -> None:
    forger.say(STRANGER, third(forger))


@forgery("message-author")
def a_patient_writes_as_a_clinician(forger: Forger) -> None:
    forger.change(TOM, third(forger), lambda ledger: replace(ledger, participants=ledger.participants + listed(JOHN)))
    forger.say(Author(JOHN.id, JOHN.name), third(forger))


@forgery("message-author")
def somebody_writes_for_a_person_as_if_for_a_group(forger: Forger) -> None:
    forger.say(TOM, third(forger), on_behalf_of=party(JANE))


@forgery("message-author")
def somebody_writes_for_a_group_that_takes_no_part(forger: Forger) -> None:
    forger.say(TOM, third(forger), on_behalf_of=party(CLINIC))


@forgery("message-author")
def a_change_is_told_by_somebody_in_another_role(forger: Forger) -> None:
    forger.change(Author(TOM.id, TOM.name, Role.PATIENT), third(forger), closed)


@forgery("message-group")
def a_group_is_named_otherwise_than_in_the_ledger(forger: Forger) -> None:
    renamed = replace(party(CLINIC), name="Hill Clinic (closed)")
    forger.say(GP, second(forger), on_behalf_of=renamed, to=(party(PHARMACY),))


@forgery("message-recipients")
def a_recipient_takes_no_part(forger: Forger) -> None:
    forger.say(TOM, third(forger), to=(party(JOHN),))


@forgery("message-recipients")
def a_recipient_is_named_otherwise_than_in_the_ledger(forger: Forger) -> None:
    forger.say(TOM, third(forger), to=(replace(party(JANE), name="Dr J. Smith"),))


@forgery("message-recipients")
def an_addressed_thread_has_a_message_to_nobody(forger: Forger) -> None:
    forger.say(PHARMACIST, second(forger))


@forgery("thread-malformed")
def a_system_entry_has_recipients(forger: Forger) -> None:
    forger.change(TOM, third(forger), closed)
    role = b"**Author role:** clinician"
    forger.edit(thread_path(third(forger)), role, role + f"  \n**To:** `{JANE.id}` {JANE.name}".encode(), -1)


@forgery("message-correction")
def a_system_entry_is_corrected(forger: Forger) -> None:
    thread = third(forger)
    forger.change(TOM, thread, with_mary)
    forger.say(TOM, thread, corrects=forger.messages(thread)[-1].id)


@forgery("message-correction")
def a_message_of_an_open_thread_is_corrected_elsewhere(forger: Forger) -> None:
    forger.say(TOM, third(forger), corrects=forger.messages(second(forger))[0].id)


@forgery("message-correction")
def something_is_corrected_that_was_never_said(forger: Forger) -> None:
    forger.say(TOM, third(forger), corrects=str(forger.mint()))


@forgery("message-correction")
def a_correction_goes_to_others_than_what_it_corrects(forger: Forger) -> None:
    wrong = forger.messages(second(forger))[0]
    forger.say(PHARMACIST, second(forger), corrects=wrong.id, to=(party(PHARMACY),))

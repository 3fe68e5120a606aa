"""Ledgers that are forged: who takes part, and under which rules. See `forgery.py`."""

from msgspec.structs import replace

from carethread import (
    Addressing,
    Author,
    Ledger,
    Policies,
    ThreadStatus,
)
from carethread.clock import Instant, format_instant
from carethread.ids import CommunicationId
from carethread.record.commit_message import Summary
from tests.people import (
    ADDRESSED,
    ADDRESSING,
    CLINIC,
    GP,
    JANE,
    MARY,
    PHARMACIST,
    PHARMACY,
    TOM,
    listed,
)
from tests.verify.forger import Forger, ledger_path, thread_path
from tests.verify.forgery import FORGERIES, STRANGER, Forgery, Tamper, closed, first, forgery, second, third, with_mary

# ── Ledgers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@forgery("ledger-change")
def a_closed_thread_is_reopened(forger: Forger) -> None:
    forger.change(
        TOM,
        first(forger),
        lambda ledger: replace(ledger, status=ThreadStatus.OPEN),
        body="The thread was opened.",
        summary=Summary.STATUS_UPDATED,
    )


@forgery("ledger-change")
def the_name_of_a_participant_is_altered_in_place(forger: Forger) -> None:
    def rename(ledger: Ledger) -> Ledger:
        jane, *others = ledger.participants
        return replace(ledger, participants=(replace(jane, name="Dr Jane Jones"), *others))

    forger.change(TOM, third(forger), rename, body="Forged.", summary=Summary.PARTICIPANTS_UPDATED)


@forgery("ledger-change")
def the_order_of_participants_is_altered(forger: Forger) -> None:
    def turn(ledger: Ledger) -> Ledger:
        return replace(ledger, participants=ledger.participants[::-1])

    forger.change(TOM, third(forger), turn, body="Forged.", summary=Summary.PARTICIPANTS_UPDATED)


@forgery("ledger-change")
def the_time_of_creation_is_altered(forger: Forger) -> None:
    def age(ledger: Ledger) -> Ledger:
        return replace(ledger, created_at=Instant(ledger.created_at - 1))

    forger.change(TOM, third(forger), age, body="Forged.", summary=Summary.LEDGER_UPDATED)


@forgery("ledger-untold")
def a_participant_is_slipped_in_with_a_message(forger: Forger) -> None:
    thread = third(forger)
    forger.say(TOM, thread)
    forger.edit(ledger_path(thread), b"continues:", _row(MARY) + b"continues:", -1)


@forgery("ledger-untold")
def a_ledger_is_changed_without_an_entry(forger: Forger) -> None:
    thread = third(forger)
    forger.change(TOM, thread, with_mary)
    forger.last.files[thread_path(thread)] = forger.steps[-2].files[thread_path(thread)]
    forger.last.message = forger.last.message.partition("Message-ID")[0]


@forgery("ledger-sentence")
def a_system_entry_says_something_else(forger: Forger) -> None:
    forger.change(TOM, third(forger), with_mary, body="John Doe (patient) was added to the thread.")


@forgery("ledger-sentence")
def a_system_entry_tells_of_nothing(forger: Forger) -> None:
    forger.change(TOM, third(forger), lambda ledger: ledger, body="Hm.", summary=Summary.STATUS_UPDATED)


@forgery("ledger-rule")
def somebody_addressed_is_removed(forger: Forger) -> None:
    def remove(ledger: Ledger) -> Ledger:
        kept = tuple(each for each in ledger.participants if each.id != CLINIC.id)
        return replace(ledger, participants=kept, addressing=replace(ADDRESSING, recipients=(PHARMACY.id,)))

    forger.change(PHARMACIST, second(forger), remove)


@forgery("ledger-rule")
def a_policy_is_set_that_participants_contradict(forger: Forger) -> None:
    thread = third(forger)
    forger.change(TOM, thread, with_mary)
    off = Policies(allow_patient_participation=False)
    forger.change(TOM, thread, lambda ledger: replace(ledger, policies=off))


@forgery("ledger-rule")
def policies_of_a_closed_thread_are_changed(forger: Forger) -> None:
    home = Policies(allow_external_organisations=False, allow_patient_participation=True)
    thread = second(forger)

    def without_clinic(ledger: Ledger) -> Ledger:
        kept = tuple(each for each in ledger.participants if each.id != CLINIC.id)
        return replace(ledger, participants=kept)

    asked = Addressing(PHARMACIST.id, (PHARMACIST.id,), PHARMACY.id)
    forger.change(PHARMACIST, thread, lambda ledger: replace(ledger, addressing=asked))
    forger.change(PHARMACIST, thread, without_clinic)
    forger.change(PHARMACIST, thread, closed)
    forger.change(PHARMACIST, thread, lambda ledger: replace(ledger, policies=home))


@forgery("ledger-rule")
def a_thread_takes_up_one_that_is_open(forger: Forger) -> None:
    forger.open(JANE, listed(JANE), continues=third(forger))


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
    thread = third(forger)
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
    forger.edit(ledger_path(thread), thread.encode(), third(forger).encode())


@forgery("thread-duplicate")
def two_threads_have_one_uuid(forger: Forger) -> None:
    stamp = format_instant(forger.now()).replace("-", "").replace(":", "")
    forger.open(JANE, listed(JANE), thread=f"{stamp}-{first(forger)[21:]}")


@forgery("ledger-malformed")
def a_ledger_does_not_say_when_it_was_changed(forger: Forger) -> None:
    thread = third(forger)
    forger.say(TOM, thread)
    forger.edit(ledger_path(thread), b"last_updated_at", b"last_seen_at", -1)
    forger.say(TOM, thread, "And again.")


def _malformed_ledger(old: bytes, new: bytes) -> Tamper:
    def tamper(forger: Forger) -> None:
        thread = third(forger)
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

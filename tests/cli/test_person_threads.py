"""Threads and messages, written by people as they may."""

from pathlib import Path

import pytest

from carethread.errors import StorageError
from carethread.store.archive import Archive
from tests.cli.conftest import AS_TOM, CLINICAL_ID, TOM, PeopleAtWork, columns, short
from tests.cli.test_terminal import editor, on_terminal
from tests.region import role

FOR_PHARMACY = ("--on-behalf-of", "organisation:Pharmacy-A")


def test_opening_says_who_can_read_and_where_replies_go(people: PeopleAtWork) -> None:
    said = people.text(
        "thread", "new", "--as", "A1", "--patient", "patient:P1", *FOR_PHARMACY, "--to", "organisation:Clinic-B",
        "--to", "team:Wounds", "--with", "person:C1", "--body", "Can you review?",
    )  # fmt: skip
    assert ["Wound Team", "care team"] in [each[:2] for each in columns(said)]
    assert said.endswith(
        "The patient cannot read this.\n"
        "Who can read it: all members of Riverside Pharmacy; all members of Hill Clinic; all members of Wound Team; "
        "Dr Cas Citroen.\n"
        "Replies go to Riverside Pharmacy.\n"
    )


@pytest.mark.parametrize(
    "given, can, who",
    [
        (("--to", "team:Network-P1"), "can", "Dr Bo Bell; all members of Network of John Doe"),
        (("--to", "patient:P1"), "can", "Dr Bo Bell; John Doe"),
        (
            ("--to", "team:Network-P1", "--no-patients"),
            "cannot",
            "Dr Bo Bell; the clinicians and care administrators of Network of John Doe",
        ),
        (("--to", "Hospital-C", "--sensitivity", "confidential"), "cannot", "Dr Bo Bell; the clinicians of Stads"),
        (
            ("--to", "Hospital-C", "--with", "C1", "--restricted"),
            "cannot",
            "Dr Bo Bell; of Stadsziekenhuis only who is named here; Dr Cas Citroen",
        ),
    ],
)
def test_who_can_read_is_said_in_words(people: PeopleAtWork, given: tuple[str, ...], can: str, who: str) -> None:
    said = people.text("thread", "new", "--as", "B1", "--patient", "P1", *given)
    assert f"The patient {can} read this.\nWho can read it: {who}" in said
    assert said.endswith("Replies go to Dr Bo Bell.\n")
    assert "Recorded message" not in said


@pytest.mark.parametrize(
    "given, code, said",
    [
        (("--to", "Clinic-B"), 2, "patient: is missing"),
        (("--patient", "P1"), 2, "to: is missing"),
        (("--patient", "A1", "--to", "Clinic-B"), 2, "patient: is a practitioner"),
        (("--patient", "P1", "--to", "organisation:Clinic-Z"), 3, "no entry 'Clinic-Z' that is an organisation"),
        (("7f4c", "question.txt", "--patient", "P1", "--to", "Clinic-B"), 2, "--patient says whose"),
        (("--patient", "P1", "--to", "Clinic-B", "--participant", "patient:John"), 2, "participant: is not for --as"),
        (("--patient", "P1", "--to", "Clinic-B", "--sent", "2026-01-11T14:36:15.234Z"), 2, "sent: says something"),
        (("--patient", "P1", "--to", "Clinic-B", "--on-behalf-of", "B1"), 2, "not an organisation or a team"),
        (("--patient", "P1", "--to", "Clinic-B", "--on-behalf-of", "Clinic-B"), 4, "is no active member"),
        (("--patient", "P1", "--to", "organisation:Empty-E", "--body", "Hi"), 4, "no active member who could read"),
        (("--patient", "P1", "--to", "Clinic-B", "--continues", "550e8400"), 3, "there is no thread"),
    ],
)
def test_what_cannot_be_opened(people: PeopleAtWork, given: tuple[str, ...], code: int, said: str) -> None:
    assert said in people.fault(code, "thread", "new", "--as", "A1", *given)


def test_what_only_a_person_says(people: PeopleAtWork) -> None:
    assert "patient: needs --as" in people.fault(2, "thread", "new", "7f4c", "--patient", "P1")
    assert "with: needs --as" in people.fault(2, "thread", "new", "7f4c", "--with", "B1")
    assert "patient: needs --as" in people.fault(2, "thread", "list", "7f4c", "--patient", "P1")


def test_whom_the_directory_does_not_know_has_no_name(people: PeopleAtWork) -> None:
    plain = people.document("record", "init", CLINICAL_ID, *AS_TOM, "--care-location", "Here").coordination_id
    team = "care_team:0d4f6b82-7c3e-4a19-95d8-e1b2c7f4a630:Team of another place"
    anna = f"clinician:{_id(people, 'A1')}:Anna Visser"
    opened = people.document(
        "thread", "new", plain, "--participant", team, "--participant", anna, "--body", "Hello", *AS_TOM,
        "--care-location", "Here",
    )  # fmt: skip
    assert "The patient cannot read this." in people.text("thread", "show", opened.communication_id, "--as", "A1")
    (line,) = people.document("inbox", "--as", "A1").threads
    assert line.patients == ()
    assert TOM in people.text("access-log", "list", "--as", "N1", "--purpose", "To see", "--action", "written")


def test_the_body_of_a_new_thread_may_come_from_a_file(people: PeopleAtWork, tmp_path: Path) -> None:
    file = tmp_path / "question.txt"
    file.write_text("From a file", encoding="utf-8")
    new = ("thread", "new", "--as", "A1", "--patient", "P1", *FOR_PHARMACY, "--to", "Clinic-B")
    opened = people.document(*new, str(file), "--attach", str(file))
    (message,) = people.document("thread", "show", opened.communication_id, "--as", "B1").messages
    assert message.body == "From a file"
    assert [each.file_name for each in message.attachments] == ["question.txt"]


def test_a_reply_says_for_whom_and_to_whom(people: PeopleAtWork) -> None:
    asked = people.ask()
    thread = short(asked.communication_id)
    said = people.text("message", "reply", thread, "--as", "B1", "--body", "Yes")
    assert "On behalf of      Hill Clinic\nTo                Riverside Pharmacy\n" in said
    for place in ((thread,), (asked.coordination_id, thread)):
        people.text(
            "message", "add", *place, "--as", "A2", "--body", "Thanks", "--in-response-to", asked.message_id[:8]
        )
    people.text("message", "add", asked.coordination_id, thread, "-", "--as", "A2", stdin="From standard input")
    people.document("message", "reply", thread, "-", "--as", "A2", stdin="Once more")
    shown = people.document("thread", "show", asked.coordination_id, thread, "--as", "B2")
    assert [each.body for each in shown.messages[2:]] == ["Thanks", "Thanks", "From standard input", "Once more"]
    assert shown.messages[2].in_response_to == asked.message_id


def test_what_is_typed_is_recorded_in_the_form_that_verifies(people: PeopleAtWork) -> None:
    thread = people.ask().communication_id
    for command in (("message", "reply", thread), ("message", "add", thread)):
        people.text(*command, "-", "--as", "B1", stdin="  First  \r\nsecond\t\n\n")
    people.text(
        "message",
        "correct",
        thread,
        people.document("thread", "show", thread, "--as", "B1").messages[1].message_id,
        "-",
        "--as",
        "B1",
        stdin="Third  \n",
    )
    bodies = [each.body for each in people.document("thread", "show", thread, "--as", "B1").messages[1:]]
    assert bodies == ["  First\nsecond", "  First\nsecond", "Third"]
    assert people.document("verify").findings == ()


def test_whoever_is_on_both_sides_says_for_whom_or_to_whom(people: PeopleAtWork) -> None:
    thread = people.ask().communication_id
    reply = ("message", "reply", thread, "--as", "X1", "--body", "Yes")
    assert "say to whom with --to, or for whom with --on-behalf-of" in people.fault(4, *reply)
    for named in ("Hill Clinic", "organisation:Clinic-B"):
        assert "To                Riverside" in people.text(*reply, "--on-behalf-of", named)
    for named in ("Riverside Pharmacy", "Pharmacy-A"):
        assert "On behalf of      Hill Clinic" in people.text(*reply, "--to", named)
    assert "does not take part" in people.fault(4, *reply, "--to", "Hospital-C")
    assert "nobody who takes part" in people.fault(4, *reply, "--to", "Nobody at all")


def test_a_correction_of_ones_own_and_nobody_elses(people: PeopleAtWork, tmp_path: Path) -> None:
    asked = people.ask()
    thread, message = short(asked.communication_id), asked.message_id
    people.text("message", "correct", message, "--as", "A1", "--body", "The whole list, please")
    people.text("message", "correct", thread, message[:6], "--as", "A2", "--body", "All of it")
    file = tmp_path / "correction.txt"
    file.write_text("From a file", encoding="utf-8")
    people.text("message", "correct", message, str(file), "--as", "A1")
    people.document("message", "correct", thread, message[:6], "-", "--as", "A1", stdin="Standard input")
    shown = people.document("thread", "show", thread, "--as", "B1").messages
    assert {each.corrects for each in shown[1:]} == {message}
    assert len(shown) == 5
    assert "its author corrects it" in people.fault(4, "message", "correct", message, "--as", "B1", "--body", "No")
    assert "begins the id of 0 messages" in people.fault(2, "message", "show", thread, "zzzz", "--as", "A1")


def test_one_message(people: PeopleAtWork) -> None:
    asked = people.ask()
    said = people.text("message", "show", short(asked.communication_id), asked.message_id[:6], "--as", "B1")
    assert "    Can you review the medication list?" in said
    shown = people.document("message", "show", asked.message_id, "--as", "N1", "--auditor", "--purpose", "A test")
    assert shown.message.message_id == asked.message_id
    assert people.log()[-1].purpose == "A test"


def test_after_closing_one_goes_on_in_another_thread(people: PeopleAtWork) -> None:
    asked = people.ask()
    thread = asked.communication_id
    people.text("thread", "close", short(thread), "--as", "B1")
    assert "with --continues THREAD takes it up" in people.fault(
        4, "message", "reply", thread, "--as", "A1", "--body", "One more"
    )
    again = people.ask("Another question", continues=short(thread))
    correction = ("--thread", short(again.communication_id), "--body", "I meant the new list")
    people.text("message", "correct", asked.message_id, "--as", "A1", *correction)
    said = people.text("thread", "show", thread, "--as", "B1")
    assert f"Continued by thread {again.communication_id}." in said
    assert f"Message {asked.message_id} is corrected in thread {again.communication_id}." in said
    shown = people.document("thread", "show", thread, "--as", "B1")
    assert shown.continued_by == (again.communication_id,)
    assert shown.corrected_elsewhere[0].corrects == asked.message_id


def test_a_patients_threads(people: PeopleAtWork) -> None:
    first, second = people.ask(), people.ask()
    listed = people.document("thread", "list", "--as", "B1", "--patient", "P1")
    assert listed.coordination_id is None
    assert [each.communication_id for each in listed.threads] == [second.communication_id, first.communication_id]
    assert "● unread" in people.text("thread", "list", "--as", "B1", "--patient", "P1")
    people.document("thread", "close", second.communication_id, "--as", "A1")
    people.document("thread", "archive", second.communication_id, "--as", "A1")
    people.text("thread", "show", first.communication_id, "--as", "B1")
    said = people.text("thread", "list", "--as", "B1", "--patient", "P1")
    assert second.communication_id not in said
    assert "unread" not in said
    assert second.communication_id in people.text("thread", "list", "--as", "B1", "--patient", "P1", "--archived")


def test_whoever_adds_somebody_is_told_what_they_will_see(people: PeopleAtWork, tmp_path: Path) -> None:
    thread = people.ask().communication_id
    add = ("thread", "participants", thread, "--as", "A1", "--add", "organisation:Hospital-C")
    told = people.fault(2, *add)
    assert "yes: is needed where nobody can be asked: whoever is added sees the whole thread" in told
    assert "Stadsziekenhuis" not in told
    code, shown = on_terminal(people, *add, answer="n\n")
    assert code == 2
    assert "To be added: Stadsziekenhuis.\nWhoever is added sees the whole thread, from its beginning.\nRecord" in shown
    assert "answer: was no; nothing was recorded" in shown
    code, shown = on_terminal(people, *add, answer="y\n")
    assert code == 0
    assert "all members of Stadsziekenhuis" in shown
    assert people.document("thread", "participants", thread, "--as", "C1").message_id is None
    assert "Who can read it:" in people.text("thread", "participants", thread, "--as", "C1")
    people.document("thread", "participants", thread, "--as", "A1", "--remove", "Stadsziekenhuis")
    people.fault(3, "thread", "participants", thread, "--as", "C1")


def test_an_editor_may_be_used(people: PeopleAtWork, tmp_path: Path) -> None:
    thread = people.ask().communication_id
    write = editor(tmp_path, 'echo Typed | cat - "$1" > "$1.new" && mv "$1.new" "$1"')
    code, _ = on_terminal(people, "message", "reply", thread, "--as", "B1", EDITOR=write, TMPDIR=str(tmp_path))
    assert code == 0
    assert people.document("thread", "show", thread, "--as", "B1").messages[-1].body == "Typed"


def test_a_ledger_changes_as_a_person_may(people: PeopleAtWork) -> None:
    thread = people.ask().communication_id
    update = ("ledger", "update", thread, "--as", "A1")
    assert "say what is to change" in people.fault(2, *update)
    assert "name somebody who reads it" in people.fault(4, *update, "--restricted")
    confidential = people.document(*update, "--sensitivity", "confidential", "--no-patients").ledger
    assert (confidential.sensitivity, confidential.allow_patient_participation) == ("confidential", False)
    narrow = ("--restricted", "--add", "B1", "--add", "A2", "--yes")
    # Who opened the thread for the pharmacy is its member, and no named reader.
    assert "You cannot read this thread any more." in people.text(*update, *narrow)
    assert people.document("ledger", "show", thread, "--as", "A2").ledger.restricted
    wider = people.document("ledger", "update", thread, "--as", "A2", "--not-restricted")
    assert wider.ledger.restricted is False
    assert people.document(*update, "--restricted").ledger is None
    assert "only who is named here" in people.text("ledger", "show", thread, "--as", "B1")
    people.fault(3, "ledger", "show", thread, "--as", "B2")


def test_who_is_asked_may_grow(people: PeopleAtWork) -> None:
    thread = people.ask().communication_id
    grown = people.document(
        "ledger", "update", thread, "--as", "A1", "--add", "Hospital-C", "--yes", "--to", "Hill Clinic",
        "--to", "Hospital-C", "--reply-to", "Pharmacy-A",
    )  # fmt: skip
    assert len(grown.ledger.addressing.recipients) == 2
    plain = people.document(
        "thread", "new", grown.coordination_id, "--participant", f"clinician:{_id(people, 'A1')}:Anna Visser", *AS_TOM,
        "--care-location", "Here",
    )  # fmt: skip
    assert "says who is asked; this one does not" in people.fault(
        2, "ledger", "update", plain.communication_id, "--as", "A1", "--to", "Anna Visser"
    )
    assert "Replies go" not in people.text("ledger", "show", plain.communication_id, "--as", "A1")


def _id(people: PeopleAtWork, name: str) -> str:
    with people.region() as region:
        return region.id(name)


def test_the_last_of_a_home_side_leaves_and_a_steward_acts(people: PeopleAtWork) -> None:
    thread = people.ask().communication_id
    close = ("thread", "close", thread, "--as", "N1", "--steward")
    people.fault(3, *close)
    with people.region() as region:
        for person in ("A1", "A2", "A9", "X1"):
            code = "admin" if person == "A9" else "pharmacist"
            region.load(role(person, "Pharmacy-A", code, active=False))
    people.fault(3, "thread", "show", thread, "--as", "A1")
    listed = people.document("inbox", "--as", "N1", "--steward", "--unattended")
    assert [each.name for each in listed.groups] == ["Riverside Pharmacy"]
    assert "Riverside Pharmacy" in people.text("inbox", "--as", "N1", "--steward", "--unattended")
    assert people.document(*close).ledger.status == "closed"


def test_what_is_recorded_stays_so_if_it_cannot_be_shown(people: PeopleAtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = people.ask()
    record, thread = asked.coordination_id, asked.communication_id
    before = Archive.submit
    done: list[object] = []

    def fail_after_the_first(archive: Archive, job: object) -> object:
        if done:
            raise StorageError("the disk is full")
        done.append(job)
        return before(archive, job)  # type: ignore[arg-type]  # a job

    monkeypatch.setattr(Archive, "submit", fail_after_the_first)
    told = people.run("message", "reply", thread, "--as", "B1", "--body", "Yes")
    assert told.exit_code == 0
    assert told.stdout.startswith("Recorded message ")
    assert told.stderr == "carethread: recorded, but it cannot be shown: the disk is full\n"
    done.clear()
    told = people.run("thread", "new", record, "--body", "Hi", *AS_TOM, "--care-location", "Here")
    assert told.exit_code == 0
    assert "recorded, but not in the access log: the disk is full" in told.stderr
    told = people.run("thread", "show", record, thread)
    assert (told.exit_code, told.stdout) == (7, "")


def test_an_installation_may_keep_opening_to_professionals(people: PeopleAtWork) -> None:
    opens = (
        "thread",
        "new",
        "--as",
        "R1",
        "--patient",
        "P1",
        "--to",
        "team:Network-P1",
        "--body",
        "Who comes on Monday?",
    )
    people.environment["CARETHREAD_PATIENTS_OPEN_THREADS"] = "no"
    assert "opens no thread in this installation" in people.fault(4, *opens)
    people.environment["CARETHREAD_PATIENTS_OPEN_THREADS"] = "yes"
    assert people.document(*opens).message_id

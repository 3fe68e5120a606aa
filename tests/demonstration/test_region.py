"""The invented region: the same each time, in order, recorded by those who may, with all that it promises."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace

from carethread.access_log import Action, Outcome
from carethread.clock import Instant, parse_instant
from carethread.demonstration import playing
from carethread.demonstration.playing import timetable
from carethread.demonstration.script import read_plays
from carethread.directory.model import CareTeam, EntryKind, Organization, Patient, Practitioner, RelatedPerson
from carethread.errors import InvalidValueError, UnknownThreadError
from carethread.policy.actor import ActorKind, Caller
from carethread.reads import Looking, ThreadView, Wanted, inbox, read_attachment, search, unattended_groups
from carethread.record.model import Message, MessageType, Role, Sensitivity, ThreadStatus
from tests.demonstration.conftest import NOW, Recorded, recorded

_MINUTE = 60_000
_DAY = 24 * 60 * _MINUTE
Views = Mapping[str, ThreadView]


# ── The same each time ────────────────────────────────────────────────────────────────────────────────────────────────


def _everything(made: Recorded) -> tuple[object, ...]:
    return made.region, made.views(), made.service.directory.export(), made.log()


def test_it_is_the_same_each_time(on_sqlite: Recorded, tmp_path: Path) -> None:
    (again,) = (_everything(each) for each in recorded(tmp_path / "data"))
    assert again == _everything(on_sqlite)


def test_it_is_the_same_on_postgresql_and_nothing_is_found(on_sqlite: Recorded, on_postgres: Recorded) -> None:
    assert _everything(on_postgres) == _everything(on_sqlite)
    assert list(on_postgres.service.verify()) == []


def test_the_check_finds_nothing(on_sqlite: Recorded) -> None:
    assert list(on_sqlite.service.verify()) == []


@pytest.mark.parametrize(
    "now",
    [
        "2026-11-23T00:00:00.000Z",  # as a week begins
        "2026-11-29T23:59:59.999Z",  # as one ends
        "2027-03-01T12:34:56.789Z",
        "2028-02-29T03:00:00.000Z",
    ],
)
def test_whenever_it_is_made_it_has_just_happened(now: str) -> None:
    moment = parse_instant(now)
    scenes = timetable({each.name: each for each in read_plays()}, moment)
    assert 2 * _MINUTE < moment - scenes[-1].at < 15 * _MINUTE
    assert 100 * _DAY < moment - scenes[0].at < 130 * _DAY
    order = [(each.play, each.number, each.reader) for each in scenes]
    assert order == [
        (each.play, each.number, each.reader) for each in timetable({each.name: each for each in read_plays()}, NOW)
    ]


# ── Recorded by those who may ─────────────────────────────────────────────────────────────────────────────────────────


def test_everything_was_written_by_who_may_and_is_in_the_log(on_sqlite: Recorded, views: Views) -> None:
    log = on_sqlite.log()
    written = [each for each in log if each.action is Action.WRITTEN]
    assert {each.outcome for each in written} == {Outcome.DONE}
    by_message = {each.message: each.actor for each in written if each.message is not None}
    opened = {each.thread: each.actor for each in written if each.detail == "thread"}
    for view in views.values():
        for message in view.messages:
            first = opened[view.ledger.communication_id] if message is view.messages[0] else None
            assert by_message.get(message.id, first) == message.author_id
    everybody = set(on_sqlite.region.people.values())
    assert {each.actor for each in log} <= everybody
    assert {each.client for each in log} == {"carethread demo"}


def test_who_was_refused_is_in_the_log_and_so_are_the_emergency_and_the_audits(on_sqlite: Recorded) -> None:
    log, people = on_sqlite.log(), on_sqlite.region.people
    assert [each.actor for each in log if each.outcome is not Outcome.DONE] == [people["priya"]]
    (emergency,) = [each for each in log if each.action is Action.EMERGENCY]
    assert emergency.actor == people["samuel"]
    assert emergency.purpose
    audits = [each for each in log if each.actor_kind == ActorKind.AUDITOR]
    assert {each.actor for each in audits} == {people["helen"]}
    assert all(each.purpose for each in audits)
    assert len(audits) == 2
    assert [each.actor for each in log if each.actor_kind == ActorKind.STEWARD] == [people["joost"]]
    assert [each.actor for each in log if each.detail == "set aside"] == [people["beth"], people["anna"]]


# ── Who there is ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_there_is(on_sqlite: Recorded) -> None:
    directory = on_sqlite.service.directory
    found = [each for kind in EntryKind for each in directory.search("", kind=kind, count=100)]
    count = Counter(type(each) for each in found)
    assert count[Organization] == 5
    assert count[CareTeam] == 3
    assert count[Patient] == 6
    assert count[RelatedPerson] == 3
    assert count[Practitioner] == 14
    assert [each.fhir_id for each in found if isinstance(each, Practitioner) and not each.active] == ["nick"]
    assert len({each.fhir_id for each in found}) == len(found)
    identifiers = [each for entry in found for each in entry.identifiers]
    assert identifiers
    assert all(each.system.startswith("https://quillhaven.example/") for each in identifiers)


def test_somebody_works_at_two_organisations_and_somebody_has_left(on_sqlite: Recorded) -> None:
    directory, groups = on_sqlite.service.directory, on_sqlite.region.groups
    works = {each.group for each in directory.details("Practitioner/ingrid").memberships}
    assert {groups["hospital"], groups["home-care"]} < works
    assert directory.details("Practitioner/nick").memberships == ()


def test_two_patients_are_easily_taken_for_each_other(on_sqlite: Recorded) -> None:
    found = [on_sqlite.service.directory.find(f"Patient/maria-{each}") for each in ("jansen", "janssen")]
    patients = [each for each in found if isinstance(each, Patient)]
    assert [each.name for each in patients] == ["Maria Jansen", "Maria Janssen"]
    assert [each.birth_date for each in patients] == ["1956-05-27", "1956-05-21"]
    assert patients[0].clinical_id != patients[1].clinical_id


# ── What was said ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _messages(views: Views) -> Iterator[tuple[ThreadView, Message]]:
    return ((view, message) for view in views.values() for message in view.messages)


def test_forty_threads_over_months(on_sqlite: Recorded, views: Views) -> None:
    assert len(views) == 40
    assert Counter(each.ledger.status for each in views.values()).keys() == set(ThreadStatus)
    assert {each.role for view in views.values() for each in view.ledger.participants} == set(Role) - {Role.SYSTEM}
    assert len({view.record for view in views.values()}) == 6
    lengths = {name: len(view.messages) for name, view in views.items()}
    assert lengths["wondplan"] == 60
    assert min(lengths.values()) == 1


def test_threads_are_opened_by_all_kinds_of_people(views: Views) -> None:
    openers = set()
    for view in views.values():
        addressing = view.ledger.addressing
        assert addressing is not None
        roles = {each.id: each.role for each in view.ledger.participants}
        openers.add((roles[addressing.requester], addressing.reply_to is not None))
    assert openers == {
        (Role.CLINICIAN, True),
        (Role.CLINICIAN, False),
        (Role.CARE_ADMINISTRATOR, True),
        (Role.PATIENT, False),
        (Role.PATIENT_ASSOCIATE, False),
    }


def test_the_conversation_of_the_specification_is_among_them(views: Views) -> None:
    said = [
        (each.author_name, each.on_behalf_of and each.on_behalf_of.name, each.body)
        for each in views["medication-review"].messages[:3]
    ]
    assert said == [
        ("Anna Visser", "Larkmere Pharmacy", "Can you review the patient's medication list?"),
        ("Dr Beth Owen", "Brindle Row Clinic", "Yes, I'll review it today and follow up by EOD"),
        ("Adam Novak", "Larkmere Pharmacy", "Thank you for the quick response!"),
    ]


def test_what_was_wrong_is_corrected(views: Views, on_sqlite: Recorded) -> None:
    corrections = [(view, each) for view, each in _messages(views) if each.type is MessageType.CORRECTION]
    assert len(corrections) >= 6
    late = views["medication-review-continued"]
    closed = views["medication-review"]
    assert closed.ledger.status is ThreadStatus.CLOSED
    assert late.ledger.continues == closed.ledger.communication_id
    assert late.messages[0].corrects == on_sqlite.region.messages["review-result"]
    assert [each.corrects for each in closed.corrected_elsewhere] == [late.messages[0].corrects]


def test_a_message_in_the_wrong_record_is_set_right(views: Views, on_sqlite: Recorded) -> None:
    wrong, right = views["wrong-record"], views["right-record"]
    assert wrong.record != right.record
    assert (wrong.ledger.status, wrong.ledger.visibility.restricted) == (ThreadStatus.ARCHIVED, True)
    assert wrong.messages[-2].corrects == wrong.messages[0].id
    assert right.messages[0].body == wrong.messages[0].body
    assert len(right.messages) > 1


def test_who_reads_differs(views: Views) -> None:
    found = Counter(view.ledger.visibility.sensitivity for view in views.values())
    assert found.keys() == set(Sensitivity)
    policies = [view.ledger.policies for view in views.values()]
    assert any(not each.allow_patient_participation for each in policies)
    assert any(not each.allow_external_organisations for each in policies)


def test_people_are_added_later(views: Views) -> None:
    added = [each.body for _, each in _messages(views) if each.type is MessageType.SYSTEM and "was added" in each.body]
    assert len(added) >= 3


def test_messages_are_long_and_short_and_look_like_markdown(views: Views) -> None:
    bodies = [each.body for _, each in _messages(views) if each.type is not MessageType.SYSTEM]
    assert min(map(len, bodies)) <= 3
    assert max(map(len, bodies)) > 1_500
    assert any(re.search(r"^\|--", each, re.MULTILINE) and "**" in each for each in bodies)
    assert any(each.startswith("Controle na 2 weken") and "\n> " in each for each in bodies)
    assert sum("meneer" in each.lower() or "mevrouw" in each.lower() for each in bodies) >= 10


def test_files_go_with_messages_under_awkward_names(views: Views, on_sqlite: Recorded) -> None:
    begins = {"application/pdf": b"%PDF-1.4\n", "image/png": b"\x89PNG\r\n", "text/plain": b"Marg", "text/csv": b""}
    kinds = set()
    for _, message in _messages(views):
        for number, each in enumerate(message.attachments, 1):
            file, content = read_attachment(on_sqlite.service, on_sqlite.auditor, message.id, number)
            assert content.startswith(begins[file.media_type])
            kinds.add(file.media_type)
            assert " " in each.file_name
    assert kinds == begins.keys()


def test_something_waits_for_each_organisation_and_nothing_for_nobody(on_sqlite: Recorded) -> None:
    service, region = on_sqlite.service, on_sqlite.region
    waiting = {}
    for group, person in (("pharmacy", "anna"), ("clinic", "beth"), ("practice", "daan"), ("hospital", "jane")):
        page = inbox(service, Caller(region.people[person]), of=region.groups[group], wanted=Wanted(waiting=True))
        waiting[group] = {each.ledger.communication_id for each in page.lines}
        assert waiting[group]
    assert region.threads["medication-review-continued"] not in waiting["clinic"]
    assert region.threads["medicijnrol"] not in waiting["pharmacy"]
    steward = Caller(region.people["joost"], ActorKind.STEWARD)
    assert unattended_groups(service, steward) == ((), None)


def test_people_have_opened_most_of_their_threads_and_not_all(on_sqlite: Recorded) -> None:
    for short in ("anna", "adam", "beth", "daan", "jane", "fatima"):
        caller = Caller(on_sqlite.region.people[short])
        every, unread = (inbox(on_sqlite.service, caller, wanted=Wanted(unread=each)).lines for each in (False, True))
        assert 0 < len(unread) < len(every)


def test_words_are_found(on_sqlite: Recorded) -> None:
    caller = Caller(on_sqlite.region.people["anna"])
    hits = search(on_sqlite.service, caller, Looking(words="methotrexaat")).hits
    assert hits


# ── A script that is not in order ─────────────────────────────────────────────────────────────────────────────────────


def test_a_thread_does_not_go_back_in_time() -> None:
    (play, *_) = read_plays()
    with pytest.raises(InvalidValueError, match="before what came before, or in the future"):
        timetable({play.name: play}, Instant(1))


@pytest.mark.parametrize(
    "outcome, wanted, error", [("unknown", "served", UnknownThreadError), ("served", "unknown", InvalidValueError)]
)
def test_a_look_comes_out_as_the_script_says(
    outcome: str,
    wanted: Literal["served", "unknown"],
    error: type[Exception],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (play,) = (each for each in read_plays() if each.name == "low-mood")
    steps = [
        replace(each, look=replace(each.look, outcome=wanted)) if each.look and each.look.outcome == outcome else each
        for each in play.then
    ]
    monkeypatch.setattr(playing, "read_plays", lambda: (replace(play, then=tuple(steps)),))
    with pytest.raises(error):
        next(recorded(tmp_path / "data"))

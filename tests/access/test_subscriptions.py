"""Subscriptions kept for their owners, and what has happened that one is about."""

from pathlib import Path
from typing import Any

import pytest

from carethread import CoordinationService, MessageContent, errors
from carethread.access_log import Action, Outcome
from carethread.clock import Instant
from carethread.policy.actor import Caller, SystemClient
from carethread.policy.subscriptions import Headers, Owner, Status, Subscription, Wish
from carethread.reads import (
    Clause,
    ClientChange,
    Criteria,
    Field,
    Kind,
    Ref,
    active_subscriptions,
    check_criteria,
    matches,
    read_subscription,
    search_subscriptions,
)
from carethread.record.model import Sensitivity, Visibility
from carethread.store import access, subscriptions
from carethread.store.journal import Effect
from carethread.store.writer import Job
from carethread.writes import (
    change_subscription,
    end_subscription,
    note_failed,
    note_told,
    post_message,
    subscribe,
)
from tests.region import Region, role

ANYTHING = Criteria()
SECRET = Headers((("Authorization", "Bearer s3cret"),))
MISSING = "7f4c2e9d-4b0a-4f3a-9a2c-0e9a6b5d1c88"


def wish(status: str = "requested", **more: Any) -> Wish:
    fields = {"criteria": "Communication?", "endpoint": "https://a.example/", "headers": SECRET, **more}
    return Wish(status=Status(status), **fields)


def told_of(
    region: Region, of: Subscription, criteria: Criteria = ANYTHING, kind: Kind = Kind.MESSAGE, after: str | None = None
) -> int:
    """Return of how many things a receiver would be told now."""
    found = matches(region.service, of, kind, criteria, of.place if after is None else after)
    assert found.is_end
    return len(found.places)


def keep(region: Region, effect: Effect) -> None:
    region.service.archive.submit(Job(None, apart=lambda _: (effect,)))


def hub(region: Region, *organisations: str, client: str = "hub") -> Caller:
    """Return a registered client that speaks for organisations."""
    names = tuple(f"Organization/{each}" for each in organisations)
    made = region.service.clients.add(client, ClientChange(name="Hub", speaks_for=names), by="tests")
    return Caller(None, system=made.system, client=client)


# ── Keeping them ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_is_made_read_changed_and_ended(region: Region) -> None:
    service, a1 = region.service, region.caller("A1")
    made = subscribe(service, a1, wish(reason="Inbox"))
    assert (made.status, made.version, made.headers, made.reason) == (Status.ACTIVE, 1, SECRET, "Inbox")
    assert read_subscription(service, a1, made.id) == made
    assert active_subscriptions(service) == (made,)
    moved = change_subscription(service, a1, made.id, wish(endpoint="https://b.example/"), expected_version=1)
    assert read_subscription(service, a1, made.id) == moved
    assert (moved.version, moved.endpoint) == (2, "https://b.example/")
    ended = change_subscription(service, a1, made.id, wish("off"))
    assert read_subscription(service, a1, made.id) == ended
    assert active_subscriptions(service) == ()


def test_it_is_changed_by_whoever_knows_its_version(region: Region) -> None:
    service, a1 = region.service, region.caller("A1")
    made = subscribe(service, a1, wish())
    with pytest.raises(errors.VersionConflictError):
        change_subscription(service, a1, made.id, wish("off"), expected_version=2)
    assert read_subscription(service, a1, made.id) == made


def test_to_everybody_else_it_is_not_there(region: Region) -> None:
    service = region.service
    made = subscribe(service, region.caller("A1"), wish())
    system = SystemClient(region.id("Wounds"), "Hub", frozenset(region.ids("Pharmacy-A")))
    for other in (region.caller("A2"), region.caller("P1"), Caller(region.id("A1"), system=system)):
        said = []
        for one in (made.id, MISSING):
            with pytest.raises(errors.UnknownSubscriptionError) as read:
                read_subscription(service, other, one)
            with pytest.raises(errors.UnknownSubscriptionError) as changed:
                change_subscription(service, other, one, wish("off"))
            said += [str(each.value).replace(one, "") for each in (read, changed)]
        assert len(set(said)) == 1
        assert search_subscriptions(service, other, lambda _: True).total == 0


@pytest.mark.parametrize("given", ["", "no-uuid", "7F4C2E9D-4B0A-4F3A-9A2C-0E9A6B5D1C88"])
def test_what_is_no_id(region: Region, given: str) -> None:
    with pytest.raises(errors.UnknownSubscriptionError):
        read_subscription(region.service, region.caller("A1"), given)


def test_auditors_and_who_is_not_active_have_none(region: Region) -> None:
    service = region.service
    made = subscribe(service, region.caller("A1"), wish())
    region.load({"resourceType": "Practitioner", "id": "A1", "active": False, "name": [{"text": "Anna Visser"}]})
    for caller, error in ((region.auditor, errors.NotAllowedError), (region.caller("A1"), errors.InactiveError)):
        with pytest.raises(error):
            subscribe(service, caller, wish())
        with pytest.raises(error):
            read_subscription(service, caller, made.id)
        with pytest.raises(error):
            change_subscription(service, caller, made.id, wish("off"))
        with pytest.raises(error):
            search_subscriptions(service, caller, lambda _: True)


def test_they_are_found_page_by_page(region: Region) -> None:
    service, a1 = region.service, region.caller("A1")
    made = sorted(subscribe(service, a1, wish(reason=f"{number % 2}")).id for number in range(6))
    pages: list[list[str]] = []
    after = ""
    while not pages or after:
        found = search_subscriptions(service, a1, lambda _: True, after=after, count=4, query="x")
        assert found.total == 6
        pages.append([each.id for each in found.subscriptions])
        after = found.after
    assert [len(each) for each in pages] == [4, 2]
    assert [each for page in pages for each in page] == made
    only = search_subscriptions(service, a1, lambda each: each.reason == "1", count=0)
    assert (only.total, only.subscriptions, only.after) == (3, (), "")
    for wrong in ({"count": -1}, {"count": 501}, {"after": "x"}):
        with pytest.raises(errors.InvalidValueError):
            search_subscriptions(service, a1, lambda _: True, **wrong)


@pytest.mark.parametrize("bound", ["MOST_ACTIVE", "MOST_KEPT"])
def test_as_many_as_anybody_may(region: Region, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service, a1 = region.service, region.caller("A1")
    monkeypatch.setattr(subscriptions, bound, 2)
    first = subscribe(service, a1, wish())
    subscribe(service, a1, wish())
    with pytest.raises(errors.TooMuchError):
        subscribe(service, a1, wish())
    # Others have their own, and its own it may change.
    subscribe(service, region.caller("A2"), wish())
    change_subscription(service, a1, first.id, wish())
    change_subscription(service, a1, first.id, wish("off"))
    if bound == "MOST_KEPT":
        with pytest.raises(errors.TooMuchError):
            subscribe(service, a1, wish())
        return
    subscribe(service, a1, wish())
    with pytest.raises(errors.TooMuchError):
        change_subscription(service, a1, first.id, wish())


def test_everything_is_in_the_log(region: Region) -> None:
    service, a1 = region.service, region.caller("A1")
    made = subscribe(service, a1, wish())
    change_subscription(service, a1, made.id, wish("off"))
    read_subscription(service, a1, made.id)
    search_subscriptions(service, a1, lambda _: True, query="status=off")
    with pytest.raises(errors.UnknownSubscriptionError):
        read_subscription(service, a1, MISSING)
    with service.archive.database.read() as connection:
        lines = list(access.lines(connection, access.Filter(actor=region.id("A1"))))
    known = f'{{"subscription":"{made.id}"}}'
    assert [(each.action, each.outcome, each.query) for each in reversed(lines)] == [
        (Action.SERVED, Outcome.UNKNOWN, f'{{"subscription":"{MISSING}"}}'),
        (Action.SEARCHED, Outcome.DONE, "status=off"),
        (Action.SERVED, Outcome.DONE, known),
        (Action.WRITTEN, Outcome.DONE, known),
        (Action.WRITTEN, Outcome.DONE, known),
    ]
    assert "s3cret" not in repr(lines)


def test_they_go_with_a_backup(region: Region, tmp_path: Path) -> None:
    service = region.service
    kept = [
        subscribe(service, region.caller("A1"), wish(end=Instant(9_000_000_000_000))),
        subscribe(service, hub(region, "Pharmacy-A"), wish()),
    ]
    note_failed(service, kept[0], Instant(5))
    expected = {each.id: each for each in active_subscriptions(service)}
    assert expected[kept[0].id].failing_since == 5
    service.backup(tmp_path / "backup.tar")
    with CoordinationService.restore(tmp_path / "backup.tar", tmp_path / "restored") as restored:
        assert {each.id: each for each in active_subscriptions(restored)} == expected


# ── What whoever serves them says ─────────────────────────────────────────────────────────────────────────────────────


def test_how_far_a_receiver_was_told(region: Region) -> None:
    service, a1 = region.service, region.caller("A1")
    made = subscribe(service, a1, wish())
    note_failed(service, made, Instant(7))
    note_failed(service, made, Instant(8))
    assert read_subscription(service, a1, made.id).failing_since == 7
    note_told(service, made, "99.0")
    found = read_subscription(service, a1, made.id)
    assert (found.place, found.failing_since, found.version, found.updated) == ("99.0", None, 1, made.updated)


def test_what_is_said_of_an_earlier_version_counts_for_nothing(region: Region) -> None:
    service, a1 = region.service, region.caller("A1")
    made = subscribe(service, a1, wish())
    moved = change_subscription(service, a1, made.id, wish())
    note_told(service, made, "99.0")
    note_failed(service, made, Instant(7))
    end_subscription(service, made, Status.ERROR, "down")
    assert read_subscription(service, a1, made.id) == moved
    end_subscription(service, moved, Status.ERROR, "down")
    given_up = read_subscription(service, a1, made.id)
    assert (given_up.status, given_up.error, given_up.version) == (Status.ERROR, "down", 3)
    note_told(service, given_up, "99.0")
    assert read_subscription(service, a1, made.id) == given_up
    again = change_subscription(service, a1, made.id, wish())
    assert (again.status, again.error, again.version, again.place) == (Status.ACTIVE, "", 4, made.place)


# ── What has happened ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_receiver_is_told_of_what_comes_after_it_subscribed(region: Region) -> None:
    service, b1 = region.service, region.caller("B1")
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    of = subscribe(service, b1, wish())
    assert told_of(region, of) == 0
    message = post_message(service, region.caller("A1"), thread, MessageContent("Second"))
    assert told_of(region, of) == 1
    post_message(service, b1, thread, MessageContent("Third", corrects=None))
    found = matches(service, of, Kind.MESSAGE, ANYTHING, of.place)
    assert (len(found.places), found.looked_at, found.place) == (2, 2, found.places[-1])
    assert told_of(region, of, after=found.places[0]) == 1
    assert told_of(region, of, after=found.place) == 0
    corrected = MessageContent("Second, rightly", corrects=message)
    post_message(service, region.caller("A1"), thread, corrected)
    assert told_of(region, of, after=found.place) == 1
    # The correction is no answer to the criteria; what it corrects is changed by it.
    only = Criteria((Clause(Field.ID, (message,)),))
    assert told_of(region, of, only) == 2
    assert told_of(region, of, only, after=found.place) == 1


def test_only_what_fulfils_the_criteria(region: Region) -> None:
    service = region.service
    of = subscribe(service, region.caller("B1"), wish())
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A", patient="P2")
    post_message(service, region.caller("B2"), thread, MessageContent("An answer"))

    def where(field: Field, *values: Any, negated: bool = False) -> Criteria:
        return Criteria((Clause(field, values, negated=negated),))

    assert told_of(region, of) == 3
    for criteria, messages in (
        (where(Field.RECIPIENT, Ref("Organization", "Clinic-B")), 2),
        (where(Field.RECIPIENT, Ref("Organization", "Clinic-B"), negated=True), 1),
        (where(Field.SENDER, Ref("Practitioner", "B2")), 1),
        (where(Field.SUBJECT, Ref("Patient", "P2")), 1),
        (where(Field.SUBJECT, Ref("Patient", "P9")), 0),
        (where(Field.CONTENT, "answer"), 1),
        (where(Field.STATUS, "completed"), 3),
        (where(Field.STATUS, "entered-in-error"), 0),
        (where(Field.THREAD, Ref(None, thread)), 2),
        (where(Field.THREAD_RECIPIENT, Ref("Organization", "Clinic-B")), 3),
        (where(Field.THREAD_STATUS, "completed"), 0),
    ):
        assert told_of(region, of, criteria) == messages, criteria
    for criteria, threads in (
        (ANYTHING, 2),
        (where(Field.REQUESTER, Ref("Practitioner", "A1")), 2),
        (where(Field.SUBJECT, Ref("Patient", "P2")), 1),
        (where(Field.STATUS, "completed"), 0),
        (where(Field.MESSAGE_SENDER, Ref("Practitioner", "B2")), 1),
    ):
        # Of a thread that changed twice, only as it is now.
        assert told_of(region, of, criteria, Kind.THREAD) == threads, criteria


def test_what_a_search_could_not_be_for(region: Region) -> None:
    too_many = Criteria((Clause(Field.STATUS, ("completed",)),) * 33)
    wordless = Criteria((Clause(Field.CONTENT, ("...",)),))
    of = subscribe(region.service, region.caller("B1"), wish())
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    for each in (too_many, wordless):
        with pytest.raises(errors.InvalidValueError):
            check_criteria(each)
        with pytest.raises(errors.InvalidValueError):
            told_of(region, of, each)
    check_criteria(Criteria((Clause(Field.CONTENT, ("answer",)), Clause(Field.STATUS, ("completed",)))))
    with pytest.raises(errors.InvalidValueError):
        told_of(region, of, after="no place")


def test_only_what_may_be_read_at_that_moment(region: Region) -> None:
    service = region.service
    of = subscribe(service, region.caller("A2"), wish())
    of_patient = subscribe(service, region.caller("P1"), wish())
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    secret = Visibility(Sensitivity.RESTRICTED)
    region.open("A1", ("C1",), visibility=secret)
    assert told_of(region, of) == told_of(region, of, kind=Kind.THREAD) == 1
    assert told_of(region, of_patient) == told_of(region, of_patient, kind=Kind.THREAD) == 0
    assert read_subscription(service, region.caller("A2"), of.id) == of
    region.load(role("A2", "Pharmacy-A", "pharmacist", active=False))
    assert told_of(region, of) == told_of(region, of, kind=Kind.THREAD) == 0
    region.load(role("A2", "Pharmacy-A", "pharmacist"))
    assert told_of(region, of) == 1
    post_message(service, region.caller("B1"), thread, MessageContent("Answer"))
    assert told_of(region, of) == 2


def test_who_is_not_active_or_not_there_is_told_nothing(region: Region) -> None:
    service = region.service
    of = subscribe(service, region.caller("A2"), wish())
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    assert told_of(region, of) == 1
    region.load({"resourceType": "Practitioner", "id": "A2", "active": False, "name": [{"text": "Adam Novak"}]})
    assert told_of(region, of) == 0
    nobody = Subscription(
        id=MISSING,
        owner=Owner(region.service.archive.installation.custodian.id),
        client="",
        criteria="",
        endpoint="",
        updated=of.updated,
        place=of.place,
    )
    keep(region, subscriptions.made(nobody))
    assert told_of(region, nobody) == 0


def test_a_client_is_told_as_long_as_it_is_registered(region: Region) -> None:
    service = region.service
    of = subscribe(service, hub(region, "Clinic-B"), wish())
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    assert told_of(region, of) == 1
    service.clients.change("hub", ClientChange(speaks_for=("Organization/Pharmacy-A",)), by="tests")
    assert told_of(region, of) == 1
    service.clients.change("hub", ClientChange(speaks_for=("Organization/Hospital-C",)), by="tests")
    assert told_of(region, of) == 0
    service.clients.change("hub", ClientChange(speaks_for=("Organization/Clinic-B",)), by="tests")
    assert told_of(region, of) == 1
    service.clients.change("hub", ClientChange(active=False), by="tests")
    assert told_of(region, of) == 0


def test_a_system_that_nobody_registered_is_told_nothing(region: Region) -> None:
    system = SystemClient(region.id("Wounds"), "Hub", frozenset(region.ids("Clinic-B")))
    of = subscribe(region.service, Caller(None, system=system), wish())
    revoked = subscribe(region.service, hub(region, "Clinic-B"), wish())
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    assert (told_of(region, of), told_of(region, revoked)) == (0, 1)
    # Its own id may have been registered under another name than it subscribed with.
    elsewhere = Subscription(**{**{each: getattr(revoked, each) for each in revoked.__struct_fields__}, "client": "x"})
    keep(region, subscriptions.changed(elsewhere))
    assert told_of(region, elsewhere) == 1
    region.service.clients.change("hub", ClientChange(active=False), by="tests")
    assert told_of(region, elsewhere) == 0


def test_a_person_is_told_as_long_as_the_program_in_between_may_ask(region: Region) -> None:
    service = region.service
    hub(region, "Clinic-B", client="app")
    of = subscribe(service, Caller(region.id("B1"), client="app"), wish())
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    assert told_of(region, of) == 1
    service.clients.change("app", ClientChange(active=False), by="tests")
    assert told_of(region, of) == 0


def test_of_a_version_that_is_over_nobody_is_told(region: Region) -> None:
    service, b1 = region.service, region.caller("B1")
    first = subscribe(service, b1, wish())
    second = change_subscription(service, b1, first.id, wish())
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    assert (told_of(region, first), told_of(region, second)) == (0, 1)
    ended = change_subscription(service, b1, first.id, wish("off"))
    assert (told_of(region, second), told_of(region, ended)) == (0, 0)


def test_nothing_of_it_is_in_the_log(region: Region) -> None:
    of = subscribe(region.service, region.caller("B1"), wish())
    region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    with region.service.archive.database.read() as connection:
        before = len(list(access.lines(connection, access.Filter())))
    told_of(region, of)
    note_told(region.service, of, of.place)
    with region.service.archive.database.read() as connection:
        assert len(list(access.lines(connection, access.Filter()))) == before


def test_one_look_takes_in_so_much(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carethread.reads.subscriptions.MOST_LOOKED_AT", 2)
    of = subscribe(region.service, region.caller("B1"), wish())
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    for number in range(2):
        post_message(region.service, region.caller("A1"), thread, MessageContent(f"{number}"))
    first = matches(region.service, of, Kind.MESSAGE, ANYTHING, of.place)
    assert (len(first.places), first.is_end, first.place) == (2, False, first.places[-1])
    second = matches(region.service, of, Kind.MESSAGE, ANYTHING, first.place)
    assert (len(second.places), second.is_end, second.is_held_back) == (1, True, False)

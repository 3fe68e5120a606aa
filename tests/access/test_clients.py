"""The registry of clients: what it keeps, and that a revocation counts at once, in every process."""

import threading
from pathlib import Path

import pytest

from carethread import CoordinationService, errors
from carethread.clock import Instant
from carethread.ids import ParticipantId
from carethread.reads import ClientChange, current_rights
from tests.access.spying import spying
from tests.region import Region

FAR = Instant(99_999_999_999_999)
UUID = ParticipantId("11111111-2222-4333-8444-555555555555")


def test_a_client_in_all_its_versions(region: Region) -> None:
    clients = region.service.clients
    made = clients.add(
        "ehr",
        ClientChange("EHR", ("Organization/Pharmacy-A", "Pharmacy-A"), ("Clinic-B",)),
        by="Ann",
        participant=UUID,
    )
    assert (made.client_id, made.id, made.name, made.active) == ("ehr", UUID, "EHR", True)
    assert made.speaks_for == region.ids("Pharmacy-A")
    assert made.manages == region.ids("Clinic-B")
    assert clients.find("ehr") == made
    after, changed = clients.change("ehr", ClientChange(speaks_for=(), manages=(), manages_all=True), by="Bob")
    assert changed
    assert (after.speaks_for, after.manages, after.manages_all) == ((), (), True)
    assert clients.change("ehr", ClientChange(name="EHR"), by="Bob") == (after, False)
    gone, _ = clients.change("ehr", ClientChange(active=False), by="Bob")
    assert not gone.active
    other = clients.add("other", ClientChange("Other"), by="Ann")
    assert clients.all() == (gone, other)
    history = clients.history("ehr")
    assert [(each.number, each.recorded_by, each.client) for each in history] == [
        (1, "Ann", made),
        (2, "Bob", after),
        (3, "Bob", gone),
    ]
    assert [each.recorded_at for each in history] == sorted(each.recorded_at for each in history)


def test_versions_do_not_go_back_in_time(region: Region) -> None:
    clients = region.service.clients
    clients.add("ehr", ClientChange("EHR"), by="Ann")
    region.service.archive.clock.now = 5  # type: ignore[attr-defined]
    clients.change("ehr", ClientChange("Old"), by="Ann")
    first, second = clients.history("ehr")
    assert first.recorded_at == second.recorded_at


def test_what_is_refused(region: Region) -> None:
    clients = region.service.clients
    made = clients.add("ehr", ClientChange("EHR"), by="Ann")
    with pytest.raises(errors.DuplicateClientError, match="client ehr already"):
        clients.add("ehr", ClientChange("EHR"), by="Ann")
    for taken in (made.id, region.id("A1")):
        with pytest.raises(errors.DuplicateClientError, match="another client or entry"):
            clients.add("second", ClientChange("EHR"), by="Ann", participant=taken)
    with pytest.raises(errors.InvalidValueError, match="name: is missing"):
        clients.add("second", ClientChange(), by="Ann")
    for name in ("", "a b", "é", "x" * 201):
        with pytest.raises(errors.InvalidValueError, match="client_id"):
            clients.add(name, ClientChange("EHR"), by="Ann")
        with pytest.raises(errors.InvalidValueError, match="jti"):
            clients.revoke_token(name, FAR, by="Ann")
    with pytest.raises(errors.InvalidValueError, match="name"):
        clients.add("second", ClientChange("<b>"), by="Ann")
    for change in (ClientChange("X", ("Practitioner/A1",)), ClientChange("X", manages=("Nowhere",))):
        with pytest.raises(errors.UnknownPersonError):
            clients.add("second", change, by="Ann")
    for ask in (clients.find, clients.history, lambda name: clients.change(name, ClientChange(), by="Ann")):
        with pytest.raises(errors.UnknownClientError, match="no client nobody"):
            ask("nobody")
    assert clients.all() == (made,)


def test_a_revocation_counts_at_once_and_elsewhere(region: Region, tmp_path: Path) -> None:
    service = region.service
    url = service.archive.database.url
    with CoordinationService.open(tmp_path / "home", database_url=url, flushes=False) as other:
        for each in (service, other):
            assert current_rights(each).client("ehr") is None
        made = service.clients.add("ehr", ClientChange("EHR"), by="Ann")
        for each in (service, other):
            assert current_rights(each).client("ehr") == made
            assert current_rights(each).client_of(made.id) == made
            assert current_rights(each).client_of(UUID) is None
        assert other.clients.revoke_token("t1", FAR, by="Ann")
        assert not service.clients.revoke_token("t1", FAR, by="Ann")
        service.clients.change("ehr", ClientChange(active=False), by="Ann")
        for each in (service, other):
            now = current_rights(each)
            assert (now.is_revoked("t1"), now.is_revoked("t2")) == (True, False)
            client = now.client("ehr")
            assert client is not None
            assert not client.active
            assert not now.participants[made.id].active


def test_a_request_costs_one_statement(region: Region) -> None:
    service = region.service
    service.clients.add("ehr", ClientChange("EHR"), by="Ann")
    first = current_rights(service)
    with spying() as asked:
        assert current_rights(service) is first
    assert len(asked) == 1


def test_a_token_is_remembered_for_a_day_after_it_expired(region: Region) -> None:
    service = region.service
    clock = service.archive.clock
    now = clock()
    service.clients.revoke_token("short", Instant(now + 1_000), by="Ann")
    assert current_rights(service).is_revoked("short")
    clock.now = now + 60 * 60 * 1000  # type: ignore[attr-defined]
    service.clients.revoke_token("second", FAR, by="Ann")
    assert current_rights(service).is_revoked("short")
    clock.now = now + 25 * 60 * 60 * 1000  # type: ignore[attr-defined]
    service.clients.revoke_token("third", FAR, by="Ann")
    assert sorted(current_rights(service).revoked) == ["second", "third"]


def test_one_of_many_makes_a_client_known(region: Region) -> None:
    service = region.service
    outcomes: list[str] = []

    def make(number: int) -> None:
        try:
            service.clients.add("ehr", ClientChange(f"EHR {number}"), by="Ann")
            outcomes.append("made")
        except errors.DuplicateClientError:
            outcomes.append("there")

    threads = [threading.Thread(target=make, args=(each,)) for each in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == ["made", *["there"] * 5]
    assert len(service.clients.history("ehr")) == 1


def test_who_looks_while_somebody_else_brings_it_up_to_date(region: Region) -> None:
    """The second one finds what the first one has just read."""
    service = region.service
    clients = service.clients
    found: list[int] = []
    clients.revoke_token("t1", FAR, by="Ann")
    with clients._guard:
        waiting = [threading.Thread(target=lambda: found.append(current_rights(service).generation)) for _ in range(2)]
        for each in waiting:
            each.start()
    for each in waiting:
        each.join()
    assert found == [1, 1]

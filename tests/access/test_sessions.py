"""Sessions: what a secret opens, for whom, for how long; and that of several who have it one renews it."""

from functools import partial
from hashlib import sha256
from typing import Any

import pytest

from carethread import errors
from carethread.access_log import AccessEntry, Outcome
from carethread.directory.model import Duty
from carethread.policy.actor import ActorKind
from carethread.policy.sessions import NOTED_EVERY_MS
from carethread.reads import Acting, Preferences, Session
from carethread.reads import session as read_session
from carethread.store import access, sessions
from carethread.store.writer import Job
from carethread.writes import (
    begin_session,
    change_session,
    end_session,
    end_sessions_of,
    keep_preferences,
    rotate_session,
)
from tests.access.racing import Services, together
from tests.people import Ticking
from tests.region import Region, role

IDLE = 30 * 60 * 1000
LONGEST = 12 * 60 * 60 * 1000
NO_SECRET = "A" * 43


def begin(region: Region, who: str = "A1", **more: Any) -> tuple[Session, str]:
    fields = {"idle": IDLE, "longest": LONGEST, "client": "tests", "request_id": who, **more}
    return begin_session(region.service, region.id(who), **fields)


def later(region: Region, milliseconds: int) -> None:
    clock = region.service.archive.clock
    assert isinstance(clock, Ticking)
    clock.now += milliseconds


def rows(region: Region) -> list[tuple[object, ...]]:
    with region.service.archive.database.read() as connection:
        found = connection._cursor.execute("SELECT * FROM web_session ORDER BY began_at").fetchall()
    return [tuple(bytes(each) if isinstance(each, memoryview) else each for each in row) for row in found]


def logged(region: Region, who: str) -> list[AccessEntry]:
    with region.service.archive.database.read() as connection:
        return list(access.lines(connection, access.Filter(actor=region.id(who))))


def test_the_secret_opens_the_session(region: Region) -> None:
    session, secret = begin(region)
    assert read_session(region.service, secret) == session
    assert session.person == region.id("A1")
    assert (session.acting, session.language, session.zone) == (Acting(), "", "")
    assert session.began_at == session.last_used_at
    assert session.ends_at == session.began_at + LONGEST
    other, another = begin(region)
    assert (secret, session.csrf, session.id) != (another, other.csrf, other.id)
    for wrong in ("", "x", NO_SECRET, secret[:-1], secret + "A", session.id, session.csrf, "\ud83d" * 43):
        assert read_session(region.service, wrong) is None


def test_the_database_holds_its_hash_alone(region: Region) -> None:
    session, secret = begin(region)
    (row,) = rows(region)
    assert sha256(secret.encode()).digest() in row
    stored = repr(row)
    assert secret not in stored
    assert session.csrf not in stored


def test_left_unused(region: Region) -> None:
    session, secret = begin(region)
    later(region, IDLE - 10_000)
    used = read_session(region.service, secret)
    assert used is not None
    assert session.last_used_at < used.last_used_at
    later(region, IDLE - 10_000)
    assert read_session(region.service, secret) is not None
    later(region, IDLE)
    assert read_session(region.service, secret) is None


def test_too_old(region: Region) -> None:
    """However much it is used, and renewed."""
    _, secret = begin(region)
    for _ in range(LONGEST // (IDLE // 2) - 1):
        later(region, IDLE // 2 - 60_000)
        _, secret = rotate_session(region.service, secret)
        assert read_session(region.service, secret) is not None
    later(region, IDLE)
    assert read_session(region.service, secret) is None


def test_the_last_use_is_noted_once_a_minute(region: Region) -> None:
    session, secret = begin(region)
    for _ in range(20):
        assert read_session(region.service, secret) == session
    later(region, NOTED_EVERY_MS)
    noted = read_session(region.service, secret)
    assert noted is not None
    assert noted.last_used_at > session.last_used_at
    assert read_session(region.service, secret) == noted


def test_a_use_is_noted_of_no_session_that_has_ended(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = begin(region)
    later(region, NOTED_EVERY_MS)
    archive = region.service.archive
    submit = archive.submit

    def late(job: Job) -> str:
        """The session was found; that it is used is about to be noted."""
        monkeypatch.undo()
        end_session(region.service, secret)
        return submit(job)

    monkeypatch.setattr(archive, "submit", late)
    assert read_session(region.service, secret) is not None
    assert read_session(region.service, secret) is None
    assert rows(region) == []


def test_whoever_is_not_active_any_more(region: Region) -> None:
    _, secret = begin(region)
    inactive = {"resourceType": "Practitioner", "id": "A1", "active": False, "name": [{"text": "Anna Visser"}]}
    region.load(inactive)
    assert read_session(region.service, secret) is None
    with pytest.raises(errors.UnknownSessionError):
        change_session(region.service, secret, language="nl")
    with pytest.raises(errors.UnknownSessionError):
        rotate_session(region.service, secret)
    with pytest.raises(errors.InactiveError):
        begin(region)
    region.load({**inactive, "active": True})
    assert read_session(region.service, secret) is not None


def test_nobody_of_the_directory(region: Region) -> None:
    for whoever in (region.id("Pharmacy-A"), region.id("A1").replace("-", "")[:8] + "-0000-4000-8000-000000000000"):
        with pytest.raises(errors.UnknownPersonError):
            begin_session(region.service, whoever, idle=IDLE, longest=LONGEST)  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidValueError):
        begin(region, idle=LONGEST + 1)
    assert rows(region) == []


def test_as_what_somebody_acts(region: Region) -> None:
    service, pharmacy = region.service, region.id("Pharmacy-A")
    session, secret = begin(region, acting=Acting(pharmacy))
    assert session.acting == Acting(pharmacy)
    assert change_session(service, secret, acting=Acting()).acting == Acting()
    changed = change_session(service, secret, acting=Acting(pharmacy), language="nl", zone="Europe/Amsterdam")
    assert (changed.acting, changed.language, changed.zone) == (Acting(pharmacy), "nl", "Europe/Amsterdam")
    # What is left out stays.
    assert change_session(service, secret, zone="UTC") == read_session(service, secret)
    assert read_session(service, secret) == Session(
        **{name: getattr(changed, name) for name in changed.__struct_fields__} | {"zone": "UTC"}
    )
    with pytest.raises(errors.NotMemberError):
        change_session(service, secret, acting=Acting(region.id("Clinic-B")))
    with pytest.raises(errors.NotAllowedError):
        change_session(service, secret, acting=Acting(kind=ActorKind.AUDITOR, purpose="curious"))
    with pytest.raises(errors.InvalidValueError):
        change_session(service, secret, acting=Acting(kind=ActorKind.PRACTITIONER))
    with pytest.raises(errors.InvalidValueError):
        change_session(service, secret, language="no language")
    assert read_session(service, secret) is not None
    assert [(each.detail, each.outcome, each.acting_for) for each in logged(region, "A1")] == [
        ("session begun", Outcome.DONE, pharmacy),
        ("session changed", Outcome.DONE, None),
        ("session changed", Outcome.DONE, pharmacy),
        ("session changed", Outcome.DONE, pharmacy),
        ("not-member", Outcome.REFUSED, region.id("Clinic-B")),
        ("not-allowed", Outcome.REFUSED, None),
        ("invalid-value", Outcome.REFUSED, None),
    ]


def test_a_group_that_was_left(region: Region) -> None:
    """What a session says of it is gone at once; the session is not."""
    _, secret = begin(region, acting=Acting(region.id("Pharmacy-A")))
    region.load(role("A1", "Pharmacy-A", "pharmacist", active=False))
    found = read_session(region.service, secret)
    assert found is not None
    assert found.acting == Acting()


def test_an_auditor_for_as_long_as_appointed(region: Region) -> None:
    service = region.service
    _, secret = begin(region, "N1")
    with pytest.raises(errors.PurposeError):
        change_session(service, secret, acting=Acting(kind=ActorKind.AUDITOR))
    acting = Acting(kind=ActorKind.AUDITOR, purpose="complaint 17")
    assert change_session(service, secret, acting=acting, client="tests", request_id="7").acting == acting
    found = read_session(service, secret)
    assert found is not None
    assert found.acting == acting
    last = logged(region, "N1")[-1]
    assert (last.actor_kind, last.purpose, last.client, last.request_id) == ("auditor", "complaint 17", "tests", "7")
    service.directory.dismiss("Practitioner/N1", Duty.AUDITOR, by="test")
    assert read_session(service, secret) is None
    with pytest.raises(errors.NotAllowedError):
        begin(region, "N1", acting=acting)


def test_a_session_begins_as_its_person_prefers(region: Region) -> None:
    keep_preferences(region.service, region.caller("A1"), Preferences("nl", "Europe/Amsterdam"))
    session, _ = begin(region)
    assert (session.language, session.zone) == ("nl", "Europe/Amsterdam")
    session, _ = begin(region, language="en", zone="")
    assert (session.language, session.zone) == ("en", "")
    with pytest.raises(errors.InvalidValueError):
        begin(region, zone="no zone")


def test_another_secret(region: Region) -> None:
    service = region.service
    before, secret = begin(region)
    after, renewed = rotate_session(service, secret)
    assert read_session(service, secret) is None
    assert read_session(service, renewed) == after
    assert (after.id, after.person, after.began_at, after.ends_at) == (
        before.id, before.person, before.began_at, before.ends_at,
    )  # fmt: skip
    assert after.csrf != before.csrf
    for gone in (secret, NO_SECRET, "x"):
        with pytest.raises(errors.UnknownSessionError):
            rotate_session(service, gone)
        with pytest.raises(errors.UnknownSessionError):
            change_session(service, gone, language="nl")


def test_signing_out(region: Region) -> None:
    service = region.service
    _, here = begin(region)
    _, there = begin(region)
    _, other = begin(region, "A2")
    for secret in (here, here, NO_SECRET, "x"):
        end_session(service, secret, client="tests", request_id="7")
    assert read_session(service, here) is None
    assert read_session(service, there) is not None
    _, again = begin(region)
    assert end_sessions_of(service, region.id("A1")) == 2
    assert end_sessions_of(service, region.id("A1")) == 0
    assert read_session(service, there) is None
    assert read_session(service, again) is None
    assert read_session(service, other) is not None
    details = [each.detail for each in logged(region, "A1")]
    assert details == ["session begun"] * 2 + ["session ended", "session begun"] + ["sessions ended"] * 2


def test_what_is_over_is_swept(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_SWEPT", 2)
    for _ in range(5):
        begin(region)
    later(region, IDLE)
    _, secret = begin(region)
    assert len(rows(region)) == 4
    begin(region, "A2")
    begin(region, "A2")
    assert len(rows(region)) == 3
    assert read_session(region.service, secret) is not None


# ── Several at once, here and in another process ──────────────────────────────────────────────────────────────────────


def test_of_sixteen_who_renew_one_session_one_does(region: Region, services: Services) -> None:
    _, secret = begin(region)
    results = together([partial(rotate_session, service, secret) for service in services * 8])
    done = [each for each in results if isinstance(each, tuple)]
    assert [type(each) for each in results if not isinstance(each, tuple)] == [errors.UnknownSessionError] * 15
    ((session, renewed),) = done
    assert read_session(region.service, renewed) == session
    assert read_session(region.service, secret) is None
    assert len(rows(region)) == 1


def test_begun_and_ended_everywhere_at_once(region: Region, services: Services) -> None:
    """Whatever comes first, nothing is left half done, and nobody waits for another for ever."""
    for _ in range(6):
        begin(region)
    later(region, IDLE)
    a1 = region.id("A1")
    beginning = [partial(begin_session, service, a1, idle=IDLE, longest=LONGEST) for service in services * 4]
    results = together([*beginning, *(partial(end_sessions_of, service, a1) for service in services)])
    assert [each for each in results if isinstance(each, errors.CarethreadError)] == []
    end_sessions_of(region.service, region.id("A1"))
    assert rows(region) == []

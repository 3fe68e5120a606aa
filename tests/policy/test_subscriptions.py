"""Subscriptions: whose they are, and what becomes of them."""

from typing import Any

import pytest

from carethread import errors
from carethread.clock import Instant
from carethread.policy.actor import Actor, ActorKind, Caller, SystemClient
from carethread.policy.subscriptions import (
    MOST_CRITERIA,
    MOST_REASON,
    Headers,
    Owner,
    Status,
    Subscription,
    Wish,
    begun,
    changed,
    check_is_owner,
    check_may_subscribe,
    owner_of,
)
from tests.people import person

NOW = Instant(1_768_142_175_234)
LATER = Instant(NOW + 1)
ID = "7f4c2e9d-4b0a-4f3a-9a2c-0e9a6b5d1c88"
SECRET = Headers((("Authorization", "Bearer s3cret"),))
ME = Owner(person(1))


def wish(status: str = "requested", **more: Any) -> Wish:
    fields = {"criteria": "Communication?", "endpoint": "https://a.example/", **more}
    return Wish(status=Status(status), **fields)


def standing(status: str = "active", **more: Any) -> Subscription:
    fields: dict[str, Any] = {
        "id": ID, "owner": ME, "client": "tests", "criteria": "Communication?", "endpoint": "https://a.example/",
        "headers": SECRET, "status": Status(status), "updated": NOW, "place": "5.1", **more,
    }  # fmt: skip
    return Subscription(**fields)


def test_an_owner_is_whoever_asks() -> None:
    system = SystemClient(person(2), "Hub", frozenset())
    assert owner_of(Caller(person(1))) == Owner(person(1), None)
    assert owner_of(Caller(None, system=system)) == Owner(None, person(2))
    assert owner_of(Caller(person(1), system=system)) == Owner(person(1), person(2))
    with pytest.raises(errors.PurposeError):
        owner_of(Caller(None))


@pytest.mark.parametrize("kind", ActorKind)
def test_who_may_subscribe(kind: ActorKind) -> None:
    actor = Actor(person(1), kind, "Somebody", purpose="complaint 17")
    if kind in (ActorKind.AUDITOR, ActorKind.STEWARD):
        with pytest.raises(errors.NotAllowedError):
            check_may_subscribe(actor)
    else:
        check_may_subscribe(actor)
    with pytest.raises(errors.InactiveError):
        check_may_subscribe(Actor(person(1), kind, "Somebody", active=False))


def test_a_strangers_is_like_none_at_all() -> None:
    assert check_is_owner(ME, ID, standing()) == standing()
    said = []
    for owner, found in ((ME, None), (Owner(person(2)), standing()), (Owner(person(1), person(2)), standing())):
        with pytest.raises(errors.UnknownSubscriptionError) as raised:
            check_is_owner(owner, ID, found)
        said.append(str(raised.value))
    assert len(set(said)) == 1


def test_secrets_do_not_show() -> None:
    for each in (repr(standing()), str(wish(headers=SECRET)), f"{SECRET}"):
        assert "s3cret" not in each
        assert "Headers(1)" in each


def test_a_new_one_is_active_at_once() -> None:
    made = begun(ID, ME, "tests", wish(headers=SECRET, reason="Inbox", end=LATER), "5.1", NOW)
    assert made == standing(reason="Inbox", end=LATER)


@pytest.mark.parametrize("status", ["active", "off", "error"])
def test_a_new_one_is_requested(status: str) -> None:
    with pytest.raises(errors.IllegalTransitionError):
        begun(ID, ME, "tests", wish(status), "5.1", NOW)


@pytest.mark.parametrize(
    "field, more",
    [
        ("criteria", {"criteria": "x" * (MOST_CRITERIA + 1)}),
        ("reason", {"reason": "x" * (MOST_REASON + 1)}),
        ("end", {"end": NOW}),
    ],
)
def test_what_is_not_in_order(field: str, more: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidValueError) as raised:
        begun(ID, ME, "tests", wish(**more), "5.1", NOW)
    assert raised.value.field == field
    with pytest.raises(errors.InvalidValueError):
        changed(standing(), wish(**more), "9.1", NOW)
    # Who ends one need not put in order what is over.
    assert changed(standing(), wish("off", **more), "9.1", NOW).status is Status.OFF


@pytest.mark.parametrize(
    "before, asked, after, place",
    [
        ("active", "requested", "active", "5.1"),
        ("active", "active", "active", "5.1"),
        ("active", "off", "off", "5.1"),
        ("error", "requested", "active", "5.1"),  # goes on where it stopped
        ("error", "off", "off", "5.1"),
        ("off", "requested", "active", "9.1"),  # begins anew
        ("off", "off", "off", "5.1"),
        ("active", "error", None, ""),
        ("error", "active", None, ""),
        ("error", "error", None, ""),
        ("off", "active", None, ""),
        ("off", "error", None, ""),
    ],
)
def test_what_becomes_of_one(before: str, asked: str, after: str | None, place: str) -> None:
    found = standing(before, error="down", failing_since=NOW, version=3)
    if after is None:
        with pytest.raises(errors.IllegalTransitionError):
            changed(found, wish(asked), "9.1", LATER)
        return
    expected = standing(after, version=4, updated=LATER, place=place)
    assert changed(found, wish(asked), "9.1", LATER) == expected


def test_a_secret_stays_with_its_receiver() -> None:
    other = Headers((("X-Key", "1"),))
    assert changed(standing(), wish(), "9.1", NOW).headers == SECRET
    assert changed(standing(), wish(headers=other), "9.1", NOW).headers == other
    assert changed(standing(), wish(endpoint="https://b.example/"), "9.1", NOW).headers == Headers()
    assert changed(standing(), wish(endpoint="https://b.example/", headers=other), "9.1", NOW).headers == other


def test_versions_do_not_go_back() -> None:
    assert changed(standing(updated=LATER), wish(), "9.1", NOW).updated == LATER

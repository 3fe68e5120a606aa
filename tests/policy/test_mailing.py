"""Who is told of what is new by e-mail: addresses, times, and how an address comes to be confirmed."""

import pytest
from msgspec.structs import replace

from carethread.clock import Instant
from carethread.errors import InvalidValueError, TooMuchError
from carethread.policy.mailing import (
    CONFIRMED_WITHIN_MS,
    MOST_ASKED,
    HowOften,
    Mailing,
    MailStatus,
    MailWish,
    Quiet,
    check_wish,
    confirmed,
    ended,
    may_be_confirmed,
    wished,
)
from tests.people import person

BEFORE = Mailing(person(1), "")
WISH = MailWish("anna@care.example")
NOW = Instant(1_800_000_000_000)
DAY = 24 * 3_600_000


@pytest.mark.parametrize(
    "address",
    ["", "anna", "anna@", "@care.example", "anna@localhost", "a b@care.example", "anna@care.example\r\nBcc: x@y.nl",
     "Anna <anna@care.example>", "anna@care..example", "anna@-care.example", f"{'a' * 65}@care.example",
     f"anna@{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 63}.example", "anna@café.example"],
)  # fmt: skip
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(InvalidValueError) as raised:
        check_wish(MailWish(address))
    assert raised.value.field == "address"


@pytest.mark.parametrize("address", ["a@b.example", "anna.visser+mail@care.example", "o'neil@xn--caf-dma.example"])
def test_what_is_one(address: str) -> None:
    assert check_wish(MailWish(address)).address == address


@pytest.mark.parametrize(
    "wish, field",
    [
        (replace(WISH, daily_at=1440), "daily_at"),
        (replace(WISH, daily_at=-1), "daily_at"),
        (replace(WISH, quiet=Quiet(0, 1440)), "quiet"),
        (replace(WISH, quiet=Quiet(60, 60)), "quiet"),
    ],
)
def test_what_is_no_time(wish: MailWish, field: str) -> None:
    with pytest.raises(InvalidValueError) as raised:
        check_wish(wish)
    assert raised.value.field == field


def test_an_address_is_confirmed_before_anything_else_goes_there() -> None:
    asked = wished(BEFORE, WISH, "first", NOW)
    assert (asked.status, asked.id, asked.asked_at) == (MailStatus.ASKED, "first", None)
    assert may_be_confirmed(asked, "first", NOW)
    assert not may_be_confirmed(asked, "other", NOW)
    sent = replace(asked, asked_at=NOW)
    assert may_be_confirmed(sent, "first", Instant(NOW + CONFIRMED_WITHIN_MS))
    assert not may_be_confirmed(sent, "first", Instant(NOW + CONFIRMED_WITHIN_MS + 1))
    on = confirmed(sent, "7.0")
    assert (on.status, on.place) == (MailStatus.ON, "7.0")
    assert not may_be_confirmed(on, "first", NOW)


def test_times_change_without_asking_again_and_an_address_does_not() -> None:
    on = confirmed(wished(BEFORE, WISH, "first", NOW), "7.0")
    hourly = wished(on, replace(WISH, how_often=HowOften.HOURLY), "second", NOW)
    assert (hourly.status, hourly.id, hourly.place, hourly.wish.how_often) == (MailStatus.ON, "first", "7.0", "hourly")
    moved = wished(on, MailWish("anna@elsewhere.example"), "second", NOW)
    assert (moved.status, moved.id) == (MailStatus.ASKED, "second")


def test_nobody_is_bothered_through_us() -> None:
    mailing = BEFORE
    for number in range(MOST_ASKED):
        mailing = wished(mailing, MailWish(f"a{number}@care.example"), f"{number}", NOW)
    mailing = ended(mailing, "off")
    assert mailing.wish.address == ""
    with pytest.raises(TooMuchError):
        wished(mailing, WISH, "more", Instant(NOW + DAY - 1))
    again = wished(mailing, WISH, "more", Instant(NOW + DAY))
    assert again.asked_times == 1

"""E-mail that says there is something new, and nothing else: who wants it, where to, and how often.

It is a person's own choice, and begins once they have opened a link that was sent to the address.
"""

import re
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from carethread.clock import Instant
from carethread.errors import InvalidValueError, TooMuchError
from carethread.ids import ParticipantId
from carethread.policy.preferences import Preferences

MINUTES_A_DAY = 24 * 60
_DAY_MS = MINUTES_A_DAY * 60_000
# So long a link that confirms an address holds.
CONFIRMED_WITHIN_MS = 3 * _DAY_MS
# So many links one person may have sent in a day: nobody is to be bothered through us.
MOST_ASKED = 5
# RFC 5321, 4.5.3.1.
_LONGEST_LOCAL, _LONGEST_ADDRESS = 64, 254
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
# What HTML's input field takes: https://html.spec.whatwg.org/#valid-e-mail-address. And a domain with a dot in it.
_ADDRESS = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~\-]+@{_LABEL}(?:\.{_LABEL})+", re.ASCII)


class HowOften(StrEnum):
    """How often somebody wants to be told. What happens in between is told of together."""

    AT_ONCE = "at_once"
    HOURLY = "hourly"  # at most once an hour
    DAILY = "daily"  # at a time of day


class Quiet(Struct, frozen=True):
    """From when until when nothing is sent, in minutes after midnight, in the person's zone; over midnight too."""

    begins: int
    ends: int


class MailWish(Struct, frozen=True):
    """What a person wants. `daily_at` is in minutes after midnight, and counts where it is once a day."""

    address: str
    how_often: HowOften = HowOften.AT_ONCE
    daily_at: int = 8 * 60
    quiet: Quiet | None = None


class MailStatus(StrEnum):
    """Where it stands."""

    OFF = "off"
    ASKED = "asked"  # a link goes to the address, or has gone there
    ON = "on"
    REFUSED = "refused"  # no server takes anything for this address


class Mailing(Struct, frozen=True):
    """What is kept of a person's wish.

    Attributes:
        person: whose it is.
        id: of this address with this person; another address has another.
        status: where it stands.
        wish: what they want; with an empty address where it is off.
        asked_at: when the link was sent; nothing, if it is still to be sent.
        place: a cursor into the feed: they were told of everything before.
        mailed_at: when they were told last.
        failing_since: since when nothing can be sent to them.
        asked_times: how many links were wanted since `asked_since`.
        asked_since: from when those are counted.
        preferences: in which language, and by which clock.
    """

    person: ParticipantId
    id: str
    status: MailStatus = MailStatus.OFF
    wish: MailWish = MailWish("")
    asked_at: Instant | None = None
    place: str = ""
    mailed_at: Instant | None = None
    failing_since: Instant | None = None
    asked_times: int = 0
    asked_since: Instant = Instant(0)
    preferences: Preferences = Preferences()


def check_address(address: str) -> str:
    """Return an e-mail address.

    Raises:
        InvalidValueError: it is none.
    """
    local = address.rpartition("@")[0]
    too_long = len(address) > _LONGEST_ADDRESS or len(local) > _LONGEST_LOCAL
    if too_long or _ADDRESS.fullmatch(address) is None:
        raise InvalidValueError("address", "is no e-mail address")
    return address


def check_wish(wish: MailWish) -> MailWish:
    """Return a wish that is in order.

    Raises:
        InvalidValueError: the address is none, or a time is no time of day.
    """
    check_address(wish.address)
    quiet = () if wish.quiet is None else (wish.quiet.begins, wish.quiet.ends)
    for field, minutes in (("daily_at", wish.daily_at), *(("quiet", each) for each in quiet)):
        if not 0 <= minutes < MINUTES_A_DAY:
            raise InvalidValueError(field, "is no time of day")
    if wish.quiet is not None and wish.quiet.begins == wish.quiet.ends:
        raise InvalidValueError("quiet", "ends when it begins")
    return wish


def wished(before: Mailing, wish: MailWish, new_id: str, at: Instant) -> Mailing:
    """Return what becomes of a wish. An address that was not confirmed is asked, or asked again.

    Raises:
        InvalidValueError: something of it is not in order.
        TooMuchError: too many links were sent for this person lately.
    """
    check_wish(wish)
    if before.status is MailStatus.ON and before.wish.address == wish.address:
        return replace(before, wish=wish)
    is_new_day = at - before.asked_since >= _DAY_MS
    times = 1 if is_new_day else before.asked_times + 1
    if times > MOST_ASKED:
        raise TooMuchError(f"more than {MOST_ASKED} links to confirm an address are not sent in a day")
    return Mailing(
        before.person,
        new_id,
        MailStatus.ASKED,
        wish,
        asked_times=times,
        asked_since=at if is_new_day else before.asked_since,
    )


def ended(before: Mailing, new_id: str) -> Mailing:
    """Return what is left when a person wants no more e-mail: not the address."""
    return Mailing(before.person, new_id, asked_times=before.asked_times, asked_since=before.asked_since)


def may_be_confirmed(mailing: Mailing, mailing_id: str, at: Instant) -> bool:
    """Say whether a link that was sent for `mailing_id` confirms anything now."""
    if mailing.id != mailing_id or mailing.status is not MailStatus.ASKED:
        return False
    # A link may be there before it is known that it was sent.
    return mailing.asked_at is None or at - mailing.asked_at <= CONFIRMED_WITHIN_MS


def confirmed(mailing: Mailing, place: str) -> Mailing:
    """Return what begins with the confirmation: they are told of what is recorded from now on."""
    return replace(mailing, status=MailStatus.ON, place=place, failing_since=None)

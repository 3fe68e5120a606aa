"""Pages of the web application, as browsers ask for them: each by somebody who has signed in, by their cookie."""

from collections.abc import Mapping, Sequence

from bench.finding import Region
from carethread import CoordinationService
from carethread.errors import ConfigurationError
from carethread.ids import CommunicationId, ParticipantId
from carethread.web.static import Static
from carethread.writes import begin_session

SHORT, LONG = 20, 1_000
# The lengths of the threads whose pages are asked for: so many of each.
LENGTHS = (*[SHORT] * 40, *[LONG] * 4)
EMPTY, INBOX = "page with nothing on it", "page of the inbox"
_DAY_MS = 24 * 60 * 60 * 1000


def thread_of(length: int) -> str:
    """Return what the page of a thread is called."""
    return f"page of a thread of {length:,}"


PAGES = (EMPTY, INBOX, thread_of(SHORT), thread_of(LONG))


def are_built() -> bool:
    """Say whether there is what browsers load: without it, no pages are served."""
    try:
        Static()
    except ConfigurationError:
        return False
    return True


def page_requests(region: Region, at_work: Sequence[ParticipantId]) -> dict[str, list[bytes]]:
    """Return what is asked for, under what it is called; nothing where no pages are served."""
    if not are_built():
        return {}
    threads = [each for found in region.longer.values() for each in found]
    cookies = _cookies(region.service, {*at_work, *(person for person, _ in threads)})
    return {
        EMPTY: [_page("/search", cookies[each]) for each in at_work],
        INBOX: [_page("/inbox", cookies[each]) for each in at_work],
        **{thread_of(length): _threads(found, cookies) for length, found in region.longer.items()},
    }


def _threads(
    found: Sequence[tuple[ParticipantId, CommunicationId]], cookies: Mapping[ParticipantId, str]
) -> list[bytes]:  # fmt: skip
    return [_page(f"/threads/{thread}", cookies[person]) for person, thread in found]


def _cookies(service: CoordinationService, people: set[ParticipantId]) -> dict[ParticipantId, str]:
    """Let people sign in; return what their browsers show from then on."""
    return {each: begin_session(service, each, idle=_DAY_MS, longest=_DAY_MS)[1] for each in sorted(people)}


def _page(path: str, secret: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: text/html\r\n"
        f"Accept-Language: en-GB,en;q=0.8\r\nCookie: carethread={secret}\r\n\r\n"
    ).encode()

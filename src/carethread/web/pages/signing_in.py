"""Signing in and out, and the language of the pages."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct
from starlette.responses import Response

from carethread.ids import ParticipantId, parse_participant_id
from carethread.web.forms import local_path
from carethread.web.page import For, Page
from carethread.web.visit import CLIENT, LANGUAGE_COOKIE, Visit
from carethread.writes import begin_session, change_session, end_session

_YEAR_S = 31_536_000


class Somebody(Struct, frozen=True):
    """An invented person of a demonstration, whom anybody may be."""

    id: ParticipantId
    name: str
    about: str


People = Sequence[tuple[str, Sequence[Somebody]]]


class Cookies(Protocol):
    """Gives browsers the secret of a session, and has them forget it."""

    def sign_in(self, response: Response, secret: str) -> None:
        """Give it."""

    def sign_out(self, response: Response) -> None:
        """Have it forgotten."""


class Picking:
    """Signing in by picking an invented person: for demonstrations on one machine."""

    def __init__(self, cookies: Cookies, people: People) -> None:
        """Take the people, in groups with a heading."""
        self._cookies = cookies
        self._people = people
        self._known = {each.id for _, group in people for each in group}

    def show(self, visit: Visit) -> Response:
        """Show whom one can be."""
        if visit.session is not None:
            return visit.see(local_path(visit.query.get("to", "/")))
        return visit.page("sign_in", {"people": self._people, "to": visit.query.get("to", "/"), "problem": ""})

    def pick(self, visit: Visit) -> Response:
        """Begin a session."""
        person = parse_participant_id(visit.form.line("person"), "person")
        if person not in self._known:
            return visit.see("/sign-in")
        return begin(visit, self._cookies, person, visit.form.line("to"))

    def pages(self) -> tuple[Page, ...]:
        """Return where this answers."""
        return (
            Page("GET", "/sign-in", self.show, For.ANYBODY),
            Page("POST", "/sign-in", self.pick, For.ANYBODY),
        )


def begin(visit: Visit, cookies: Cookies, person: ParticipantId, to: str) -> Response:
    """Begin a session of somebody, whatever session the browser had before; go on to where they wanted."""
    if visit.secret:
        end_session(visit.service, visit.secret, client=CLIENT, request_id=visit.request_id)
    _, secret = begin_session(
        visit.service,
        person,
        idle=visit.options.idle,
        longest=visit.options.longest,
        client=CLIENT,
        request_id=visit.request_id,
    )
    response = visit.see(local_path(to))
    cookies.sign_in(response, secret)
    return response


class Leaving:
    """Signing out."""

    def __init__(self, cookies: Cookies) -> None:
        """Take what knows of cookies."""
        self._cookies = cookies

    def leave(self, visit: Visit) -> Response:
        """End the session."""
        end_session(visit.service, visit.secret, client=CLIENT, request_id=visit.request_id)
        response = visit.see("/sign-in")
        self._cookies.sign_out(response)
        # Of what was shown, nothing stays in the browser.
        response.headers["clear-site-data"] = '"cache", "storage"'
        return response

    def pages(self) -> tuple[Page, ...]:
        """Return where this answers."""
        return (Page("POST", "/sign-out", self.leave),)


def choose_language(visit: Visit) -> Response:
    """Change the language of the pages, for this session and for this browser."""
    language = visit.form.line("language")
    response = visit.see(local_path(visit.form.line("to")))
    if language in visit.options.languages:
        if visit.secret:
            change_session(visit.service, visit.secret, language=language, client=CLIENT, request_id=visit.request_id)
        response.set_cookie(
            LANGUAGE_COOKIE, language, max_age=_YEAR_S, path="/", httponly=True, samesite="lax",
            secure=visit.options.is_encrypted,
        )  # fmt: skip
    return response


PAGES = (Page("POST", "/language", choose_language, For.ANYBODY),)

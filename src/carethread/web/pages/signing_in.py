"""Signing in and out, and the language of the pages."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct
from starlette.responses import Response

from carethread.errors import CarethreadError
from carethread.ids import ParticipantId, parse_participant_id
from carethread.reads import person_of_claim
from carethread.web.forms import local_path
from carethread.web.openid import RETURN, SIGNED_OUT, OpenId
from carethread.web.page import For, Page
from carethread.web.visit import CLIENT, LANGUAGE_COOKIE, Visit
from carethread.writes import begin_session, change_session, end_session

_YEAR_S = 31_536_000
_PENDING_S = 600
_HINT = "carethread-signed-in-as"
# A cookie has 4 kB, its name and attributes included.
_LONGEST_HINT = 3_500


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
        return visit.page("sign_in", {"people": self._people, "to": visit.query.get("to", "/"), "problem": None})

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


class Entering:
    """Signing in where the organisation's people have their accounts."""

    def __init__(self, cookies: Cookies, openid: OpenId) -> None:
        """Take what signs people in."""
        self._cookies = cookies
        self._openid = openid

    def show(self, visit: Visit) -> Response:
        """Say that one signs in elsewhere."""
        to = local_path(visit.query.get("to", "/"))
        if visit.session is not None:
            return visit.see(to)
        return visit.page("sign_in", {"people": (), "to": to, "problem": None})

    def begin(self, visit: Visit) -> Response:
        """Send the browser to the provider; what must come back with it stays in a cookie meanwhile."""
        begun = self._openid.begin(local_path(visit.query.get("to", "/")))
        response = visit.see(begun.location)
        response.set_cookie(
            begun.name, begun.cookie, max_age=_PENDING_S, path=RETURN, httponly=True, samesite="lax",
            secure=visit.options.is_encrypted,
        )  # fmt: skip
        return response

    def come_back(self, visit: Visit) -> Response:
        """Take whoever comes back from the provider; nobody whom the directory does not know."""
        query = visit.request.url.query
        name = ""
        try:
            name = self._openid.cookie_name(query)
            signed_in = self._openid.finish(query, visit.request.cookies.get(name, ""))
            person = person_of_claim(visit.service, signed_in.meant, client=CLIENT, request_id=visit.request_id)
            response = begin(visit, self._cookies, person, signed_in.return_to)
            _keep_hint(response, signed_in.id_token_hint, is_encrypted=visit.options.is_encrypted)
        except CarethreadError as error:
            problem = visit.problem(error)
            response = visit.page("sign_in", {"people": (), "to": "/", "problem": problem}, status=problem.status)
        if name:
            response.delete_cookie(name, path=RETURN, secure=visit.options.is_encrypted, httponly=True)
        return response

    def pages(self) -> tuple[Page, ...]:
        """Return where this answers."""
        return (
            Page("GET", "/sign-in", self.show, For.ANYBODY),
            Page("GET", "/sign-in/begin", self.begin, For.ANYBODY),
            Page("GET", RETURN, self.come_back, For.ANYBODY),
        )


def _keep_hint(response: Response, hint: str, *, is_encrypted: bool) -> None:
    """Keep in the browser, for signing out alone, what the provider then wants to see. Too long, it does without."""
    if 0 < len(hint) <= _LONGEST_HINT:
        response.set_cookie(_HINT, hint, path="/sign-out", httponly=True, samesite="strict", secure=is_encrypted)


class Leaving:
    """Signing out."""

    def __init__(self, cookies: Cookies, openid: OpenId | None = None) -> None:
        """Take what knows of cookies, and what signed people in."""
        self._cookies = cookies
        self._openid = openid

    def leave(self, visit: Visit) -> Response:
        """End the session; at the provider too, where it offers that."""
        end_session(visit.service, visit.secret, client=CLIENT, request_id=visit.request_id)
        response = visit.see("/sign-in" if self._openid is None else SIGNED_OUT)
        if self._openid is not None:
            elsewhere = self._openid.sign_out(visit.request.cookies.get(_HINT, ""))
            if elsewhere is not None:
                # A form must not lead to another site, by our policy: its answer sends the browser on by itself.
                response = visit.without_session().page("signed_out", {"elsewhere": elsewhere})
                response.headers["refresh"] = f"0; url={elsewhere}"
            response.delete_cookie(_HINT, path="/sign-out", secure=visit.options.is_encrypted, httponly=True)
        self._cookies.sign_out(response)
        # Of what was shown, nothing stays in the browser.
        response.headers["clear-site-data"] = '"cache", "storage"'
        return response

    def pages(self) -> tuple[Page, ...]:
        """Return where this answers."""
        return (Page("POST", "/sign-out", self.leave), Page("GET", SIGNED_OUT, _left, For.ANYBODY))


def _left(visit: Visit) -> Response:
    return visit.page("signed_out", {"elsewhere": ""})


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


def signed_in(visit: Visit) -> Response:
    """Say that somebody is signed in again, to whom that happened while they were writing in another tab."""
    return visit.page("signed_in")


PAGES = (Page("POST", "/language", choose_language, For.ANYBODY), Page("GET", "/signed-in", signed_in))

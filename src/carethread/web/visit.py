"""One request: who asks, what they sent, in which language they read; and how a page is made for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from carethread.coordination import CoordinationService
from carethread.directory.model import Standing
from carethread.errors import CarethreadError
from carethread.policy.actor import Caller
from carethread.policy.sessions import Session
from carethread.reads import Myself, who_am_i
from carethread.record.model import Role
from carethread.web.forms import Form
from carethread.web.options import Options
from carethread.web.problems import Problem, problem_of
from carethread.web.words import Words

CLIENT = "carethread-web"
LANGUAGE_COOKIE = "carethread-language"


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A request, as a page is asked for it. `session` is missing before sign-in, and `secret` with it."""

    service: CoordinationService
    options: Options
    request: Request
    words: Words
    render: Callable[..., str]
    session: Session | None = None
    secret: str = ""
    form: Form = field(default_factory=Form)
    request_id: str = ""

    @property
    def signed_in(self) -> Session:
        """Return the session of a page that only those who signed in are shown."""
        if self.session is None:
            raise AssertionError("this page is for those who signed in")
        return self.session

    @property
    def caller(self) -> Caller:
        """Return who asks, for what is read and written."""
        session = self.signed_in
        acting = session.acting
        return Caller(
            session.person, kind=acting.kind, purpose=acting.purpose, client=CLIENT, request_id=self.request_id
        )  # fmt: skip

    @cached_property
    def me(self) -> Myself | None:
        """Return who signed in, as the directory knows them now; nobody before sign-in."""
        return None if self.session is None else who_am_i(self.service, self.caller)

    @property
    def known_me(self) -> Myself:
        """Return who signed in, on a page that only those are shown."""
        if self.me is None:
            raise AssertionError("this page is for those who signed in")
        return self.me

    @property
    def is_clinician(self) -> bool:
        """Say whether they act as a clinician of an organisation: such may see more in an emergency."""
        if self.me is None or self.signed_in.acting.kind is not None:
            return False
        return any(
            each.role is Role.ORGANISATION and Standing.CLINICIAN in each.standings for each in self.me.groups
        )  # fmt: skip

    @property
    def query(self) -> Mapping[str, str]:
        """Return what stands after the question mark: ids and places, nothing clinical."""
        return self.request.query_params

    def path(self, name: str) -> str:
        """Return a part of the address."""
        return str(self.request.path_params[name])

    def with_form(self, form: Form) -> "Visit":
        """Return the visit with what its form brought."""
        return replace(self, form=form)

    def without_session(self) -> "Visit":
        """Return the visit as of somebody who has signed out."""
        return replace(self, session=None, secret="")

    def page(
        self, template: str, shown: Mapping[str, Any] | None = None, *, status: int = 200, once: str = ""
    ) -> Response:
        """Return a page. Each form on it is told apart by an id that makes it count once."""
        made = self.render(template, visit=self, me=self.me, once=once or new_once(), **(shown or {}))
        return HTMLResponse(made, status)

    @property
    def is_part(self) -> bool:
        """Say whether a page that is open asks for a part of itself, or sends one."""
        return self.request.headers.get("hx-request") is not None

    def aside(self, template: str, shown: Mapping[str, Any] | None = None, *, status: int) -> Response:
        """Return what an open page says when a part of it is not to be had: beside what was typed, else at its top."""
        made = self.page(template, shown, status=status)
        if self.request.method == "GET":
            made.headers["hx-retarget"], made.headers["hx-reswap"] = "#amiss", "innerHTML"
        return made

    def see(self, path: str) -> Response:
        """Send the browser on to another page, after what it asked for was done."""
        return RedirectResponse(path, 303)

    def problem(self, error: CarethreadError) -> Problem:
        """Return what went wrong, in the reader's words."""
        return problem_of(error, self.words)


def new_once() -> str:
    """Return what tells one form on one page from all others."""
    return str(uuid4())

"""The web application: which address is which page, who may ask for it, and what happens around every one."""

import logging
from collections.abc import Sequence
from functools import partial
from hmac import compare_digest
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.errors import CarethreadError
from carethread.ids import random_uuid
from carethread.policy.sessions import Session
from carethread.reads import session as read_session
from carethread.web.forms import Form, is_same_site, read_form
from carethread.web.live import Live
from carethread.web.options import Options
from carethread.web.page import For, Page
from carethread.web.problems import Problem, problem_of
from carethread.web.rendering import renderer
from carethread.web.security import security_headers
from carethread.web.static import Static
from carethread.web.visit import LANGUAGE_COOKIE, Visit
from carethread.web.words import LANGUAGES, Words, language_of

_log = logging.getLogger("carethread.web")


class Site:
    """The pages of an installation."""

    def __init__(self, service: CoordinationService, options: Options) -> None:
        """Put it together; `add` brings the pages.

        Raises:
            ConfigurationError: what browsers load has not been built.
        """
        self._service = service
        self.options = options
        self._static = Static()
        self._host = urlsplit(options.base).netloc
        self._headers = security_headers(is_encrypted=options.is_encrypted)
        self._pages: list[Page] = []
        self.live = Live(service)

    def add(self, pages: Sequence[Page]) -> None:
        """Take pages."""
        self._pages += pages

    def routes(self) -> list[Route]:
        """Return the routes, for whatever serves them."""
        made = [Route(each.path, partial(self._answer, each), methods=[each.method]) for each in self._pages]
        made.append(Route("/live", self._listen, methods=["GET"]))
        made.append(Route("/static/{digest}/{name}", self._static.answer, methods=["GET"]))
        return made

    @property
    def session_cookie(self) -> str:
        """Return the name of the cookie. By https its name keeps other sites of the domain from setting it."""
        return "__Host-carethread" if self.options.is_encrypted else "carethread"

    async def _answer(self, page: Page, request: Request) -> Response:
        if self.options.demonstration and request.headers.get("host") != self._host:
            return self._elsewhere(request)
        request_id = str(random_uuid())
        secret = request.cookies.get(self.session_cookie, "")
        try:
            session = await run_in_threadpool(read_session, self._service, secret) if secret else None
        except CarethreadError as error:
            return self._finish(self._problem(self._visit(request, None, request_id, ""), error), request_id)
        visit = self._visit(request, session, request_id, secret)
        try:
            response = await self._answer_visit(page, visit)
        except CarethreadError as error:
            response = self._problem(visit, error)
        except Exception:  # noqa: BLE001 - logged; whatever it is, nothing of it is shown
            _log.exception("request %s", request_id)
            response = _shown(visit, problem_of(CarethreadError(), visit.words))
        return self._finish(response, request_id)

    def _elsewhere(self, request: Request) -> Response:
        """Answer a demonstration's visitor who came by another name: a site of others may have led its name here."""
        if request.method != "GET":
            return Response(status_code=421)
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{self.options.base}{request.url.path}{query}", 307)

    async def _listen(self, request: Request) -> Response:
        """Answer an open page that wants to hear of what happens."""
        request_id = str(random_uuid())
        secret = request.cookies.get(self.session_cookie, "")

        def check() -> Session | None:
            return read_session(self._service, secret, uses=False)

        try:
            session = await run_in_threadpool(check) if secret else None
            visit = self._visit(request, session, request_id, secret)
            if session is None:
                return self._finish(Response(status_code=401), request_id)
            return self._finish(await self.live.answer(visit, check), request_id)
        except CarethreadError as error:
            return self._finish(Response(status_code=problem_of(error, Words("en", "UTC")).status), request_id)

    async def _answer_visit(self, page: Page, visit: Visit) -> Response:
        if page.whom is For.SIGNED_IN and visit.session is None:
            return await self._ask_to_sign_in(page, visit)
        if page.method != "GET":
            if not is_same_site(visit.request, self.options.base):
                return visit.page("refused", status=403)
            visit = visit.with_form(await read_form(visit.request, self.options.largest_upload))
            if visit.session is not None and not _carries(visit.form, visit.session):
                if page.again is not None:
                    return await run_in_threadpool(page.again, visit)
                return visit.page("refused", status=403)
        return await run_in_threadpool(page.handler, visit)

    async def _ask_to_sign_in(self, page: Page, visit: Visit) -> Response:
        """Send to sign in and back again. What a form brought is not stored, and not lost: it can go on from there."""
        request = visit.request
        if visit.is_part:
            if page.method != "GET":
                return visit.aside("signed_out_meanwhile", status=401)
            return Response(status_code=401, headers={"hx-redirect": "/sign-in"})
        if page.method != "GET":
            goes_on = page.again is not None and is_same_site(request, self.options.base)
            form = await read_form(request, self.options.largest_upload) if goes_on else Form()
            return visit.page("expired", {"back": _referring_path(request), "form": form}, status=401)
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return visit.see(f"/sign-in?to={quote(path, safe='')}" if path != "/" else "/sign-in")

    def _visit(self, request: Request, session: Session | None, request_id: str, secret: str) -> Visit:
        language = session.language if session is not None else request.cookies.get(LANGUAGE_COOKIE, "")
        if language not in self.options.languages:
            language = language_of(request.headers.get("accept-language", ""), self.options.languages)
        zone = (session.zone if session is not None else "") or self.options.zone
        return Visit(
            service=self._service,
            options=self.options,
            request=request,
            words=Words(language, zone),
            render=renderer(language, static=self._static.url, languages=LANGUAGES, now=self._now()),
            session=session,
            secret=secret if session is not None else "",
            request_id=request_id,
        )

    def _now(self) -> Instant:
        return self._service.archive.clock()

    def _problem(self, visit: Visit, error: CarethreadError) -> Response:
        problem = problem_of(error, visit.words)
        if problem.status >= 500:  # noqa: PLR2004 - whatever is not the visitor's
            _log.error("request %s: %s", visit.request_id, error)
        return _shown(visit, problem)

    def _finish(self, response: Response, request_id: str) -> Response:
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        response.headers["x-request-id"] = request_id
        return response

    def sign_in(self, response: Response, secret: str) -> None:
        """Give the browser the secret of a session."""
        response.set_cookie(
            self.session_cookie, secret, path="/", httponly=True, samesite="lax", secure=self.options.is_encrypted
        )

    def sign_out(self, response: Response) -> None:
        """Have the browser forget it."""
        response.delete_cookie(self.session_cookie, path="/", secure=self.options.is_encrypted, httponly=True)


def _shown(visit: Visit, problem: Problem) -> Response:
    show = visit.aside if visit.is_part else visit.page
    return show("problem_aside" if visit.is_part else "problem", {"problem": problem}, status=problem.status)


def _carries(form: Form, session: Session) -> bool:
    return compare_digest(form.text("csrf").encode(), session.csrf.encode())


def _referring_path(request: Request) -> str:
    return urlsplit(request.headers.get("referer", "")).path or "/"

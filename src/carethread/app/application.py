"""An installation as an ASGI application: the FHIR gateway below `/fhir`, health beside it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Self
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from carethread.app.link_key import load_link_key
from carethread.app.local import is_local
from carethread.app.mail import mail_server_of
from carethread.app.sign_in import sign_in_of
from carethread.clock import format_instant
from carethread.coordination import CoordinationService
from carethread.errors import CarethreadError, ConfigurationError
from carethread.fhir.call import Options
from carethread.fhir.gateway import Gateway, Receive, Scope, Send
from carethread.fhir.issuers import load_issuers
from carethread.fhir.local_key import local_issuer
from carethread.fhir.notifications import Notifications
from carethread.fhir.openapi import openapi
from carethread.fhir.paging import Signer
from carethread.fhir.recognising import Recogniser, is_revoked
from carethread.fhir.serving import Serving
from carethread.fhir.smart import smart_configuration
from carethread.fhir.table import TABLE
from carethread.fhir.token import Token
from carethread.fhir.tokens import Tokens
from carethread.fhir.webhooks import Reach
from carethread.settings import Settings, variable
from carethread.web import Letters, Mailer, MailLinks, MailServer, People, Site, make_site
from carethread.web import Options as WebOptions

PREFIX = "/fhir"
NO_PAGES = (
    "The web application is not served: it needs to know how people sign in. Set "
    f"{variable('sign_in_issuer')} and {variable('sign_in_client_id')}, as docs/sign-in.md says."
)
_MIB = 1024 * 1024
_MINUTE_MS = 60_000
_LARGEST_MIB = 40
_THREADS = 16
_MOST_WAITING = 512

_log = logging.getLogger("carethread.app")


class Serve(Struct, frozen=True):
    """How a process serves: `base` is the address of the FHIR base as clients know it."""

    base: str
    threads: int = _THREADS
    largest_body: int = _LARGEST_MIB * _MIB

    @classmethod
    def of(cls, settings: Settings, base: str) -> Self:
        """Return what the settings say."""
        return cls(
            base.rstrip("/"),
            settings.request_threads or _THREADS,
            (settings.largest_request or _LARGEST_MIB) * _MIB,
        )


def _reach(settings: Settings) -> frozenset[Reach]:
    said = {Reach.LOOPBACK: settings.notify_this_machine, Reach.PRIVATE: settings.notify_private_networks}
    return frozenset(each for each, allowed in said.items() if allowed is True)


def _web_options(settings: Settings, options: Options, *, demonstration: bool) -> WebOptions:
    made = WebOptions(
        base=options.base.removesuffix(PREFIX),
        name=options.name,
        version=options.version,
        not_for_emergencies=settings.not_for_emergencies or "",
        patients_open_threads=options.patients_open_threads,
        sends_mail=settings.smtp_url is not None,
        demonstration=demonstration,
    )
    return replace(
        made,
        zone=settings.time_zone or made.zone,
        idle=(settings.session_idle or 0) * _MINUTE_MS or made.idle,
        longest=(settings.session_longest or 0) * 60 * _MINUTE_MS or made.longest,
        largest_upload=(settings.largest_upload or 0) * _MIB or made.largest_upload,
    )


def _site(
    service: CoordinationService, settings: Settings, options: Options, people: People | None, links: MailLinks | None
) -> Site | None:
    """Return the web application; none where nobody could sign in."""
    web_options = _web_options(settings, options, demonstration=people is not None)
    if people is not None:
        return make_site(service, web_options, people=people, links=links)
    archive = service.archive
    key = load_link_key(archive.data_dir)
    openid = sign_in_of(settings, web_options.base, key, archive.clock, bases=(options.base,))
    return None if openid is None else make_site(service, web_options, openid=openid, links=links)


def _mailer(service: CoordinationService, server: MailServer, site: Site, links: MailLinks) -> Mailer:
    options = site.options
    return Mailer(service, server, Letters(server.sender, links), zone=options.zone, languages=options.languages)


class Application:
    """Serves an opened installation, and closes it when it is shut down."""

    def __init__(
        self, service: CoordinationService, settings: Settings, serve: Serve, *, people: People | None = None
    ) -> None:
        """Put the parts together. With `people`, the web application lets anybody be one of them: for demonstrations.

        Raises:
            ConfigurationError: the issuers of tokens, or the key of the installation, are not in order; or a
                demonstration is to be served to others.
            StorageError: a key cannot be read or made.
        """
        if people is not None and not is_local(urlsplit(serve.base).hostname or ""):
            raise ConfigurationError(f"{serve.base} is reached by others: a demonstration is served here alone")
        self._service = service
        archive = service.archive
        issuers = [local_issuer(archive.data_dir, archive.installation.custodian.id)]
        if settings.token_issuers is not None:
            issuers = [*load_issuers(settings.token_issuers), *issuers]
        options = Options(
            base=serve.base,
            version=version("carethread"),
            software_date=format_instant(archive.clock()),
            name=archive.installation.custodian.name,
            largest_body=serve.largest_body,
            threads=serve.threads,
            patients_open_threads=settings.patients_open_threads is not False,
            accepts_drafts=settings.accept_drafts is True,
            reach=_reach(settings),
        )

        def revoked(token: Token) -> bool:
            return is_revoked(service, token)

        tokens = Tokens(issuers, revoked=revoked, bases=[serve.base], clock=archive.clock)
        claimed = {each.type: [interaction.value for interaction in each.interactions] for each in TABLE}
        serving = Serving(
            service,
            Recogniser(service, tokens),
            Signer(load_link_key(archive.data_dir)),
            options,
            smart_configuration(issuers, claimed),
        )
        self._gateway = Gateway(
            serving.answer,
            serving.check,
            prefix=PREFIX,
            largest_body=serve.largest_body,
            threads=serve.threads,
            most_waiting=_MOST_WAITING,
        )
        self._notifications = Notifications(service, options.reach, base=serve.base)
        self._description = openapi(options)
        self._stopping = False
        server = mail_server_of(settings)
        links = None if server is None else MailLinks(load_link_key(archive.data_dir), serve.base.removesuffix(PREFIX))
        self._site = _site(service, settings, options, people, links)
        self._mailer: Mailer | None = None
        if server is not None and links is not None and self._site is not None:
            self._mailer = _mailer(service, server, self._site, links)
        self._beside = Starlette(
            routes=[
                *([Route("/", self._no_pages)] if self._site is None else self._site.routes()),
                Route("/healthz", self._healthz),
                Route("/readyz", self._readyz),
                Route("/openapi.json", self._openapi),
            ],
            lifespan=self._lifespan,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. Whatever is below the base does not pass the router of the rest: it is most of them."""
        if scope["type"] == "http":
            path = scope["path"]
            if path == PREFIX or path.startswith(f"{PREFIX}/"):
                await self._gateway(scope, receive, send)
                return
        await self._beside(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._notifications.start()
        if self._site is not None:
            self._site.live.start()
        if self._mailer is not None:
            self._mailer.start()
        try:
            yield
        finally:
            self._stopping = True
            await asyncio.to_thread(self.close)

    def begin_to_stop(self) -> None:
        """End what would otherwise last: whoever listens for what happens. From any thread."""
        if self._site is not None:
            self._site.live.end_streams()

    def close(self) -> None:
        """Finish what was begun, and let go of the installation."""
        self._gateway.close()
        self._notifications.stop()
        if self._site is not None:
            self._site.live.stop()
        if self._mailer is not None:
            self._mailer.stop()
        self._service.close()

    @property
    def has_pages(self) -> bool:
        """Say whether the web application is served: it needs to be told how people sign in."""
        return self._site is not None

    async def _no_pages(self, _: Request) -> Response:
        return PlainTextResponse(f"{NO_PAGES}\n", 404)

    async def _healthz(self, _: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def _readyz(self, _: Request) -> Response:
        if self._stopping:
            return JSONResponse({"status": "stopping"}, 503)
        try:
            await asyncio.to_thread(self._service.backlog)
        except CarethreadError:
            _log.exception("not ready")
            return JSONResponse({"status": "the database does not answer"}, 503)
        return JSONResponse({"status": "ready"})

    async def _openapi(self, _: Request) -> Response:
        return JSONResponse(self._description)

"""`carethread serve`: the FHIR interface over HTTP."""

import gc
import ipaddress
import logging
import sys
from typing import Annotated
from urllib.parse import urlsplit

import typer

from carethread import CoordinationService
from carethread.cli import library, options, output
from carethread.cli.application import new_noun
from carethread.cli.documents import ServingDocument
from carethread.errors import ConfigurationError
from carethread.settings import Settings, variable

_DEFAULT_HOST = "127.0.0.1"
_DEFAULT_PORT = 8080
_LAST_PORT = 65_535
# How many new objects there are before the young are looked through, and how often that is before the older are.
_GARBAGE = (20_000, 20, 20)

app = new_noun("Serve the FHIR interface over HTTP.")


@app.command("serve")
def serve(
    *,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="ADDRESS", help="Where to listen.  [default: 127.0.0.1]"),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="NUMBER", help="Likewise; 0: any.  [default: 8080]")
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", metavar="URL", help="The FHIR base as clients know it, such as https://…/fhir."),
    ] = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Serve the FHIR interface over HTTP, until it is told to stop; then finish what was begun.

    HTTP is not encrypted: let a proxy on this machine do that, and say in --base-url what it is called from outside.
    Beside the interface there are /healthz, /readyz and /openapi.json.

    Examples:
      carethread serve
      carethread serve --port 9000 --base-url https://care.example/fhir
    """
    # Slow to load, and nothing else needs it.
    from carethread.app import Application, Serve, bind, run, server_of  # noqa: PLC0415

    settings = library.read_settings(data)
    directory = library.data_directory(settings)
    chosen = host or settings.host or _DEFAULT_HOST
    listening = bind(chosen, _port(port, settings))
    bound = listening.getsockname()[1]
    base = _base(base_url or settings.base_url, chosen, bound)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    # Its own lines say which requests came: those are in the access log.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with CoordinationService.open(
        directory,
        database_url=settings.database_url,
        name=settings.installation_name,
        domain=settings.installation_domain,
        signing_key=settings.signing_key,
        signing_certificate=settings.signing_certificate,
    ) as service:
        application = Application(service, settings, Serve.of(settings, base))
        if as_json:
            output.answer(ServingDocument(base, chosen, bound))
        else:
            output.say(f"Serving {base} on {chosen} port {bound}")
        sys.stdout.flush()
        # What is remembered lives long, and need not be looked through for garbage again and again.
        gc.set_threshold(*_GARBAGE)
        run(server_of(application), listening)


def _port(given: int | None, settings: Settings) -> int:
    found = given if given is not None else settings.port
    if found is None:
        return _DEFAULT_PORT
    if not 0 <= found <= _LAST_PORT:
        raise ConfigurationError(f"there is no port {found}: give one from 0 to {_LAST_PORT} with --port")
    return found


def _base(given: str | None, host: str, port: int) -> str:
    """Return the address of the FHIR base. Beyond this machine it must be said: links and tokens go by it."""
    if given is None:
        if not _is_local(host):
            raise ConfigurationError(
                f"listening on {host}, it is reached by a name that is not known: give --base-url, or set "
                f"{variable('base_url')}, such as https://care.example/fhir"
            )
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{port}/fhir"
    parts = urlsplit(given)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError(f"{given} is no address of a FHIR base: give one such as https://care.example/fhir")
    if parts.scheme == "http" and not _is_local(parts.hostname):
        raise ConfigurationError(
            f"{given} is not encrypted: tokens and messages would be read on the way; give one with https"
        )
    return given.rstrip("/")


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

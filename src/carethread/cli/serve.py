"""`carethread serve`: the FHIR interface over HTTP."""

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
from carethread.settings import variable

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
    from carethread.cli import serving  # noqa: PLC0415 - slow to load, and nothing else needs it

    settings = library.read_settings(data)
    directory = library.data_directory(settings)
    chosen = host or settings.host or serving.DEFAULT_HOST
    listening = serving.bind(chosen, serving.checked_port(settings.port if port is None else port))
    bound = listening.getsockname()[1]
    base = _base(base_url or settings.base_url, chosen, bound)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    # Its own lines say which requests came: those are in the access log.
    logging.getLogger("httpx").setLevel(logging.WARNING)

    def announce() -> None:
        signs_in = settings.sign_in_issuer is not None
        if as_json:
            output.answer(ServingDocument(base, chosen, bound))
        else:
            output.say(f"Serving {base} on {chosen} port {bound}")
            output.say(f"The pages are at {base.removesuffix('fhir')}" if signs_in else serving.NO_PAGES)

    with CoordinationService.open(
        directory,
        database_url=settings.database_url,
        name=settings.installation_name,
        domain=settings.installation_domain,
        signing_key=settings.signing_key,
        signing_certificate=settings.signing_certificate,
    ) as service:
        serving.run_until_told(service, settings, serving.Serve.of(settings, base), listening, announce)


def _base(given: str | None, host: str, port: int) -> str:
    """Return the address of the FHIR base. Beyond this machine it must be said: links and tokens go by it."""
    from carethread.cli import serving  # noqa: PLC0415 - likewise

    if given is None:
        if not serving.is_local(host):
            raise ConfigurationError(
                f"listening on {host}, it is reached by a name that is not known: give --base-url, or set "
                f"{variable('base_url')}, such as https://care.example/fhir"
            )
        return serving.local_base(host, port)
    parts = urlsplit(given)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError(f"{given} is no address of a FHIR base: give one such as https://care.example/fhir")
    if parts.scheme == "http" and not serving.is_local(parts.hostname):
        raise ConfigurationError(
            f"{given} is not encrypted: tokens and messages would be read on the way; give one with https"
        )
    return given.rstrip("/")

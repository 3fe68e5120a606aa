"""What `serve` and `demo` share: where to listen, and a server that runs until it is told to stop.

Slow to load: for the commands that serve, once they do.
"""

import gc
import socket
import sys
from collections.abc import Callable

from carethread import CoordinationService
from carethread.app import NO_PAGES, Application, Serve, bind, is_local, run, server_of
from carethread.errors import ConfigurationError
from carethread.settings import Settings
from carethread.web import People, Somebody
from carethread.web.static import Static

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8080
_LAST_PORT = 65_535
# How many new objects there are before the young are looked through, and how often that is before the older are.
_GARBAGE = (20_000, 20, 20)

__all__ = [
    "DEFAULT_HOST",
    "DEFAULT_PORT",
    "NO_PAGES",
    "Serve",
    "Somebody",
    "bind",
    "checked_port",
    "is_local",
    "local_base",
    "pages_are_built",
    "run_until_told",
]


def checked_port(given: int | None) -> int:
    """Return the port that was said, or the one that is meant otherwise.

    Raises:
        ConfigurationError: there is no such port.
    """
    if given is None:
        return DEFAULT_PORT
    if not 0 <= given <= _LAST_PORT:
        raise ConfigurationError(f"there is no port {given}: give one from 0 to {_LAST_PORT} with --port")
    return given


def pages_are_built() -> bool:
    """Whether there is what browsers load; a checkout has it after `make assets`."""
    try:
        Static()
    except ConfigurationError:
        return False
    return True


def local_base(host: str, port: int) -> str:
    """Return the address of the FHIR base for those on this machine."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/fhir"


def run_until_told(
    service: CoordinationService,
    settings: Settings,
    serve: Serve,
    listening: socket.socket,
    announce: Callable[[], None],
    people: People | None = None,
) -> None:
    """Serve an opened installation until SIGINT or SIGTERM; finish what was begun. `people` as for `Application`.

    Raises:
        ConfigurationError, StorageError: as `Application`.
    """
    application = Application(service, settings, serve, people=people)
    announce()
    sys.stdout.flush()
    # What is remembered lives long, and need not be looked through for garbage again and again.
    gc.set_threshold(*_GARBAGE)
    run(server_of(application), listening)

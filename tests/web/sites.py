"""The web application of an installation, served on a real port."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from carethread import CoordinationService
from carethread.app import Application, Serve, bind, run, server_of
from carethread.ids import ParticipantId
from carethread.settings import Settings
from carethread.web import Somebody
from tests.region import Region

Groups = Sequence[tuple[str, Sequence[tuple[ParticipantId, str, str]]]]


@contextmanager
def site(
    service: CoordinationService,
    region: Region,
    names: Sequence[str],
    settings: Settings | None = None,
    listening: socket.socket | None = None,
) -> Iterator[str]:
    """Serve an installation in which anybody may be one of these people; return the address without a path.

    Without any, people sign in as the settings say. The service is closed with it.
    """
    groups = [("People", [(region.id(each), each, "") for each in names])] if names else ()
    with serving(service, groups, settings, listening) as base:
        yield base


@contextmanager
def serving(
    service: CoordinationService,
    groups: Groups,
    settings: Settings | None = None,
    listening: socket.socket | None = None,
    **set_too: Any,
) -> Iterator[str]:
    """Serve an installation likewise, with people in groups: id, name, and what is said of them."""
    people = [(heading, [Somebody(*each) for each in group]) for heading, group in groups] or None
    listening = listening or bind("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    application = Application(service, settings or Settings(**set_too), Serve(f"{base}/fhir"), people=people)
    server = server_of(application)
    thread = threading.Thread(target=run, args=(server, listening))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield base
    finally:
        server.should_exit = True
        thread.join()

"""The web application of an installation, served on a real port."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from carethread import CoordinationService
from carethread.app import Application, Serve, bind, run, server_of
from carethread.settings import Settings
from carethread.web import Somebody
from tests.region import Region


@contextmanager
def site(
    service: CoordinationService,
    region: Region,
    names: Sequence[str],
    settings: Settings | None = None,
    listening: socket.socket | None = None,
) -> Iterator[str]:
    """Serve an installation in which anybody may be one of these people; return the address without a path.

    Without any, people sign in as the settings say.

    The service is closed with it.
    """
    people = [Somebody(region.id(each), each, "") for each in names]
    listening = listening or bind("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    application = Application(
        service, settings or Settings(), Serve(f"{base}/fhir"), people=[("People", people)] if people else None
    )
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

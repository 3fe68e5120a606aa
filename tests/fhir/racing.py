"""A server in a process of its own, which may die at any moment."""

import threading
from pathlib import Path

from carethread import CoordinationService
from carethread.app import Application, Serve, bind, run, server_of
from carethread.settings import Settings
from tests.durability.callers import Said, Say


def serve(data_dir: str, database_url: str | None, say: Say) -> None:
    """Serve an installation, and say at which address."""
    service = CoordinationService.open(Path(data_dir), database_url=database_url)
    listening = bind("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"
    server = server_of(Application(service, Settings(), Serve(base)))
    serving = threading.Thread(target=run, args=(server, listening))
    serving.start()
    say(Said("serving", 0, 1, result=base))
    serving.join()

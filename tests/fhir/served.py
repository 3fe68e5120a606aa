"""An installation that is served on a real port, and those who ask it."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from carethread import CoordinationService
from carethread.app import Application, Serve, bind, run, server_of
from carethread.clock import system_clock
from carethread.fhir.local_key import Granted, load_key, mint
from carethread.reads import ClientChange
from carethread.settings import Settings

SEED = Path(__file__).parents[1] / "directory" / "seed.json"
EVERYTHING = "user/*.cruds"
JSON = {"content-type": "application/fhir+json"}


class Served:
    """A server, and tokens for it."""

    def __init__(self, service: CoordinationService, base: str) -> None:
        self.service = service
        self.base = base
        self._key = load_key(service.archive.data_dir)
        self._clients: list[httpx.Client] = []

    def token(self, person: str = "", scope: str = EVERYTHING, *, client: str = "tests", patient: str = "") -> str:
        custodian = self.service.archive.installation.custodian.id
        granted = Granted(scope, 3600, person, client, patient)
        return mint(self._key, custodian, granted, system_clock()).text

    def as_(self, person: str = "", scope: str = EVERYTHING, **more: str) -> httpx.Client:
        """Return somebody who asks: a person, or with `client` alone a system."""
        return self.asking({"authorization": f"Bearer {self.token(person, scope, **more)}"})

    def system(self, client: str = "hub", scope: str = "system/*.cruds") -> httpx.Client:
        return self.as_("", scope, client=client)

    def asking(self, headers: Mapping[str, str]) -> httpx.Client:
        made = httpx.Client(base_url=self.base, headers={**JSON, **headers}, timeout=30)
        self._clients.append(made)
        return made

    def close(self) -> None:
        for each in self._clients:
            each.close()


@contextmanager
def served(folder: Path, *, database_url: str | None = None, settings: Settings | None = None) -> Iterator[Served]:
    """Serve a new installation that has the seed's people in its directory, and a hub that manages all of it."""
    service = CoordinationService.open(folder, database_url=database_url, name="De Linde", domain="care.example")
    service.directory.load(SEED.read_bytes(), by="tests")
    organisations = ("Organization/Pharmacy-A", "Organization/Clinic-B")
    change = ClientChange(name="Hub", speaks_for=organisations, manages_all=True)
    service.clients.add("hub", change, by="tests")
    listening = bind("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"
    server = server_of(Application(service, settings or Settings(), Serve(base)))
    thread = threading.Thread(target=run, args=(server, listening))
    thread.start()
    made = Served(service, base)
    try:
        while not server.started:
            time.sleep(0.01)
        yield made
    finally:
        made.close()
        server.should_exit = True
        thread.join()


def good(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    """Return what an answer holds, which has this status."""
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


def issue(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Return the first issue of a refusal with this status."""
    outcome = good(answer, status)
    assert outcome["resourceType"] == "OperationOutcome"
    found: dict[str, Any] = outcome["issue"][0]
    return found


def resources(bundle: Mapping[str, Any], mode: str = "match") -> list[dict[str, Any]]:
    """Return the resources of a Bundle that are in it for this reason."""
    return [each["resource"] for each in bundle.get("entry", ()) if each["search"]["mode"] == mode]


def ids(bundle: Mapping[str, Any], mode: str = "match") -> list[str]:
    return [each["id"] for each in resources(bundle, mode)]

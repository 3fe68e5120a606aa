"""The invented region, served over HTTP by a process of its own, as an installation is."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from carethread import CoordinationService
from carethread.clock import system_clock
from carethread.fhir.local_key import Granted, load_key, mint
from tests.region import Region

_SAYS_PORT = re.compile(r"^Serving .* port (?P<port>\d+)$", re.MULTILINE)
_START_S = 60
_STOP_S = 30
_DAY_S = 24 * 60 * 60
_CARETHREAD = Path(sys.executable).with_name("carethread")
JSON = "application/fhir+json"
# Who signs in, with what.
SIGNED_IN: Mapping[str, Granted] = {
    "A1": Granted("user/*.cruds", _DAY_S, "Practitioner/A1", "carethread-token"),
    "A2": Granted("user/*.cruds", _DAY_S, "Practitioner/A2", "carethread-token"),
    "B1": Granted("user/*.cruds", _DAY_S, "Practitioner/B1", "carethread-token"),
    "C1": Granted("user/*.cruds", _DAY_S, "Practitioner/C1", "carethread-token"),
    "P2": Granted("user/*.cruds", _DAY_S, "Patient/P2", "carethread-token"),
    "messages": Granted("user/Communication.rs", _DAY_S, "Practitioner/A1", "carethread-token"),
}


class Installation(Struct, frozen=True):
    """An installation that is served.

    Attributes:
        data: its data directory.
        port: where it listens, on 127.0.0.1.
        tokens: bearer tokens, by the names of `SIGNED_IN`.
    """

    data: Path
    port: int
    tokens: Mapping[str, str]

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base(self) -> str:
        """The FHIR base."""
        return f"{self.origin}/fhir"

    def authorization(self, who: str) -> str:
        """Return the header's value."""
        return f"Bearer {self.tokens[who]}"

    def client(self, who: str = "") -> httpx.Client:
        """Return a plain HTTP client for what is below the base; with no name, one who has not signed in."""
        headers = {"Accept": JSON} | ({"Authorization": self.authorization(who)} if who else {})
        # Neither the environment's proxies nor its credentials.
        return httpx.Client(base_url=self.base, headers=headers, trust_env=False, timeout=30)


@contextmanager
def serving(data: Path, database_url: str | None = None) -> Iterator[Installation]:
    """Make the region in a data directory, serve it, and stop the server as its operator does."""
    with CoordinationService.open(data, database_url=database_url) as service:
        Region(service)
        tokens = _tokens(service)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CARETHREAD_")}
    environment["CARETHREAD_DATA"] = str(data)
    if database_url is not None:
        environment["CARETHREAD_DATABASE_URL"] = database_url
    log = data.with_name("server.log")
    with log.open("wb") as said:
        server = subprocess.Popen(
            [str(_CARETHREAD), "serve", "--port", "0"], env=environment, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        yield Installation(data, _port_when_ready(server, log), tokens)
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            status = server.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            raise
    assert status == 0, log.read_text(encoding="utf-8", errors="replace")


def _tokens(service: CoordinationService) -> dict[str, str]:
    """Sign what `carethread token` would: a process for each took longer than to serve."""
    key, custodian = load_key(service.archive.data_dir), service.archive.installation.custodian.id
    return {who: mint(key, custodian, granted, system_clock()).text for who, granted in SIGNED_IN.items()}


def _port_when_ready(server: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + _START_S
    while server.poll() is None and time.monotonic() < deadline:
        said = _SAYS_PORT.search(log.read_text(encoding="utf-8"))
        # It says so before it takes the first connection, and connections wait.
        if said is not None:
            port = int(said["port"])
            ready = httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False, timeout=_START_S)
            assert ready.status_code == httpx.codes.OK, ready.text
            return port
        time.sleep(0.02)
    raise AssertionError(f"the server did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")


# ── What is sent ──────────────────────────────────────────────────────────────────────────────────────────────────────

Json = dict[str, Any]
QUESTION = "Can you review the patient's medication list?"


def thread(**change: Any) -> Json:
    """Return a thread that the pharmacy's A1 opens with the clinic, as the body of a request."""
    return _changed(
        {
            "resourceType": "CommunicationRequest",
            "status": "active",
            "subject": {"reference": "Patient/P1"},
            "requester": {"reference": "Practitioner/A1"},
            "sender": {"reference": "Organization/Pharmacy-A"},
            "recipient": [{"reference": "Organization/Clinic-B"}],
            "payload": [{"contentString": QUESTION}],
        },
        change,
    )


def reply(to: str, **change: Any) -> Json:
    """Return the clinic's B1 answering the pharmacy in a thread."""
    return _changed(
        {
            "resourceType": "Communication",
            "status": "completed",
            "basedOn": [{"reference": f"CommunicationRequest/{to}"}],
            "sender": {"reference": "Practitioner/B1"},
            "recipient": [{"reference": "Organization/Pharmacy-A"}],
            "payload": [{"contentString": "Yes, today."}],
        },
        change,
    )


def message(to: str, text: str, **change: Any) -> Json:
    """Return the pharmacy's A1 writing on in a thread."""
    sender, recipient = {"reference": "Practitioner/A1"}, [{"reference": "Organization/Clinic-B"}]
    said = {"sender": sender, "recipient": recipient, "payload": [{"contentString": text}]}
    return reply(to, **{**said, **change})


def _changed(resource: Json, change: Json) -> Json:
    return {name: value for name, value in {**resource, **change}.items() if value is not None}


def outcome(body: bytes | str | Json) -> list[Json]:
    """Return the issues of an OperationOutcome, which is the whole body."""
    found = body if isinstance(body, dict) else json.loads(body)
    assert found["resourceType"] == "OperationOutcome"
    issues: list[Json] = found["issue"]
    assert issues
    for each in issues:
        assert each["severity"] in {"fatal", "error", "warning", "information"}
        assert each["code"]
        assert each["details"]["text"]
    return issues


def ids(bundle: Json | bytes, mode: str = "match") -> list[str]:
    """Return the ids in a searchset, in order."""
    found = msgspec.json.decode(bundle) if isinstance(bundle, bytes) else bundle
    return [each["resource"]["id"] for each in found.get("entry", ()) if each["search"]["mode"] == mode]

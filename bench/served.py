"""An installation as `carethread serve` serves it, in a process of its own on one core, and what it is asked."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from bench.library import Spot
from bench.load import Load, load
from bench.prose import bodies
from bench.visited import are_built
from carethread import CoordinationService
from carethread.clock import system_clock
from carethread.fhir.local_key import Granted, load_key, mint

_TOKEN_S = 3600
# Pages are served where it is known how people sign in. Nobody does: their sessions have begun.
_SIGN_IN = {"CARETHREAD_SIGN_IN_ISSUER": "https://login.example", "CARETHREAD_SIGN_IN_CLIENT_ID": "bench"}
_TICKS = os.sysconf("SC_CLK_TCK")


class Answered(Struct, frozen=True):
    """What a server did, and how much of a processor's time each answer took, in milliseconds."""

    load: Load
    cpu_ms: float


class Served:
    """A server on one core of this machine."""

    def __init__(self, data_dir: Path, *, core: int, asking_core: int) -> None:
        """Start it. Nothing is flushed meanwhile."""
        self._asking_core = asking_core
        command = ["taskset", "--cpu-list", str(core), sys.executable, "-m", "bench.unflushed"]
        command += ["serve", "--port", "0", "--data", str(data_dir)]
        environment = {**os.environ, **(_SIGN_IN if are_built() else {})}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        said = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not said.startswith("Serving "):
            raise RuntimeError("the server did not start")
        self.port = int(said.split()[-1])

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    def ask(self, requests: Sequence[bytes], connections: int, seconds: float) -> Answered:
        """Ask for some time.

        Raises:
            RuntimeError: something was refused.
        """
        before = self._cpu_s()
        found = load(self.port, requests, connections, seconds, core=self._asking_core)
        took = self._cpu_s() - before
        if found.refused:
            raise RuntimeError(f"the server refused {found.refused} of {found.answered} requests")
        return Answered(found, took / found.answered * 1000)

    def _cpu_s(self) -> float:
        # The name, which may hold anything, ends with the last bracket.
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def __enter__(self) -> Self:
        """Use it in a `with` statement."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it at once: it would flush first."""
        self._process.kill()
        self._process.communicate()


def tokens(service: CoordinationService, numbers: Sequence[int]) -> dict[int, str]:
    """Return tokens of people by the numbers of their places."""
    key = load_key(service.archive.data_dir)
    custodian = service.archive.installation.custodian.id

    def token(number: int) -> str:
        granted = Granted("user/*.cruds", _TOKEN_S, f"Practitioner/p{number}", "bench", "")
        return mint(key, custodian, granted, system_clock()).text

    return {number: token(number) for number in numbers}


def empty_requests() -> list[bytes]:
    """Return what a server answers with hardly any work."""
    return [b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"]


def inbox_requests(allowed: dict[int, str]) -> list[bytes]:
    """Return what people see first: what came to their organisation, with its threads."""
    return [
        _head(f"GET /fhir/Communication?recipient=Organization/o{number}&_include=Communication:based-on", token)
        + b"\r\n"
        for number, token in allowed.items()
    ]


def create_requests(spots: Sequence[Spot], allowed: dict[int, str]) -> list[bytes]:
    """Return messages, one for each thread."""
    return [
        _create(spot, allowed[spot.number], text) for spot, text in zip(spots, bodies(5, len(spots)), strict=True)
    ]  # fmt: skip


def _create(spot: Spot, token: str, text: str) -> bytes:
    body = msgspec.json.encode(
        {
            "resourceType": "Communication",
            "status": "completed",
            "basedOn": [{"reference": f"CommunicationRequest/{spot.thread}"}],
            "sender": {"reference": f"Practitioner/p{spot.number}"},
            "payload": [{"contentString": text}],
        }
    )
    head = _head("POST /fhir/Communication", token)
    return head + f"Content-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _head(line: str, token: str) -> bytes:
    return (
        f"{line} HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: application/fhir+json\r\n"
        f"Authorization: Bearer {token}\r\n"
    ).encode()

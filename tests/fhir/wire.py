"""A socket to a served installation, and requests byte by byte: clients would correct half of it on the way."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse

from msgspec import Struct

from tests.installation import Installation, Json, ids, outcome, thread

FHIR_JSON = "application/fhir+json"
# Far more than any refusal takes, far less than what would hold up others.
QUICK_S = 2.0
PATIENCE_S = 20


class Heard(Struct, frozen=True):
    """An answer, and how long it took."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def issues(self) -> list[Json]:
        """What the OperationOutcome says, which it must be."""
        assert self.headers["content-type"].startswith(FHIR_JSON)
        return outcome(self.body)


@contextmanager
def connected(installation: Installation) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", installation.port), PATIENCE_S) as connection:
        yield connection


def hear(connection: socket.socket) -> Heard:
    began = time.monotonic()
    answer = HTTPResponse(connection)
    answer.begin()
    body = answer.read()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    assert len(headers) == len(answer.getheaders()), "a header came twice"
    return Heard(answer.status, headers, body, time.monotonic() - began)


def head(installation: Installation, line: str, *headers: str, who: str = "A1") -> bytes:
    lines = [f"{line} HTTP/1.1", f"Host: 127.0.0.1:{installation.port}"]
    if who:
        lines.append(f"Authorization: {installation.authorization(who)}")
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1")


def ask(installation: Installation, line: str, *headers: str, body: bytes | None = None, who: str = "A1") -> Heard:
    length = () if body is None else (f"Content-Length: {len(body)}",)
    with connected(installation) as connection:
        connection.sendall(head(installation, line, *headers, *length, who=who) + (body or b""))
        return hear(connection)


def post(
    installation: Installation, body: bytes, *, to: str = "CommunicationRequest", content_type: str = FHIR_JSON
) -> Heard:
    return ask(installation, f"POST /fhir/{to}", f"Content-Type: {content_type}", body=body)


def opened(installation: Installation) -> str:
    answer = post(installation, json.dumps(thread()).encode())
    assert answer.status == 201
    made: str = json.loads(answer.body)["id"]
    return made


def written(installation: Installation, to: str) -> int:
    answer = ask(installation, f"GET /fhir/Communication?based-on=CommunicationRequest/{to}")
    return len(ids(json.loads(answer.body)))

"""The ASGI side by itself: what happens before a request is understood, and when somebody goes away or fails."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import pytest

from carethread.errors import IntegrityError, LockedError
from carethread.fhir import gateway as module
from carethread.fhir.answers import Answer, of_value
from carethread.fhir.asked import Asked
from carethread.fhir.gateway import Gateway
from carethread.fhir.outcome import Issue, RefusedError

Work = Callable[[Asked], Answer]
Messages = list[dict[str, Any]]


def answered(asked: Asked) -> Answer:
    return of_value({"resourceType": "Basic", "id": asked.path, "size": len(asked.body)})


def made(work: Work = answered, **more: Any) -> Gateway:
    chosen: dict[str, Any] = {"prefix": "/fhir", "largest_body": 1_000_000, "threads": 2, "most_waiting": 2, **more}
    return Gateway(work, chosen.pop("check", lambda _: None), **chosen)


def scope(method: str = "GET", path: str = "/fhir/x", **headers: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }


async def ask(
    gateway: Gateway, asked: dict[str, Any], parts: Iterator[dict[str, Any]] | None = None
) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: Messages = []
    given = parts or iter([{"type": "http.request", "body": b""}])

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.sleep(0)
        return next(given)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(dict(message))
        await asyncio.sleep(0)

    await gateway(asked, receive, send)
    if not sent:
        return 0, {}, b""
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(each["body"] for each in sent[1:])


def body(*parts: bytes) -> Iterator[dict[str, Any]]:
    for number, part in enumerate(parts, 1):
        yield {"type": "http.request", "body": part, "more_body": number < len(parts)}


def run(gateway: Gateway, asked: dict[str, Any], parts: Iterator[dict[str, Any]] | None = None) -> tuple[int, Any]:
    status, _, content = asyncio.run(ask(gateway, asked, parts))
    return status, json.loads(content) if content else None


def test_a_request_is_answered() -> None:
    assert run(made(), scope()) == (200, {"resourceType": "Basic", "id": "x", "size": 0})


def test_a_body_comes_in_parts() -> None:
    assert run(made(), scope("POST"), body(b"ab", b"", b"cd"))[1]["size"] == 4


def test_what_is_too_large_is_cut_off_while_it_comes() -> None:
    taken = 0

    def parts() -> Iterator[dict[str, Any]]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield {"type": "http.request", "body": b"x" * 100_000, "more_body": True}

    status, told = run(made(), scope("POST"), parts())
    assert (status, told["issue"][0]["code"]) == (413, "too-long")
    assert taken <= 11


@pytest.mark.parametrize("length", ["1000001", "x", "-1", "１"])
def test_a_length_that_cannot_be_is_refused_before_it_is_read(length: str) -> None:
    headers = scope("POST")
    headers["headers"] = [(b"content-length", length.encode("utf-8"))]
    assert run(made(), headers, body())[0] == 413


def test_a_large_body_is_only_read_for_who_is_known() -> None:
    def check(_: Asked) -> None:
        raise RefusedError(401, Issue(code="login", text="who are you"))

    gateway = made(check=check)
    assert run(gateway, scope("POST", content_length="999999"), body())[0] == 401
    assert run(gateway, scope("POST"), body())[0] == 401
    assert run(gateway, scope("POST", content_length="2"), body(b"{}"))[0] == 200


def test_whoever_goes_away_is_not_answered() -> None:
    assert run(made(), scope("POST"), iter([{"type": "http.disconnect"}]))[0] == 0
    going: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
    )
    assert run(made(), scope("POST"), going)[0] == 0


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BODY_TIMEOUT_S", 0.05)

    async def slow() -> int:
        first = [{"type": "http.request", "body": b"x", "more_body": True}]
        sent: Messages = []

        async def receive() -> MutableMapping[str, Any]:
            if first:
                return first.pop()
            await asyncio.sleep(10)
            raise AssertionError

        async def send(message: MutableMapping[str, Any]) -> None:
            await asyncio.sleep(0)
            sent.append(dict(message))

        await made()(scope("POST"), receive, send)
        return int(sent[0]["status"])

    assert asyncio.run(slow()) == 408


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (scope(path="/fhir/" + "%FF"), 404),
        (scope() | {"query_string": b"x" * 8193}, 414),
        (scope(x="y" * 33_000), 431),
        (scope() | {"headers": [(b"x", b"y")] * 101}, 431),
    ],
)
def test_what_is_not_even_looked_at(asked: dict[str, Any], status: int) -> None:
    assert run(made(), asked)[0] == status


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ValueError("a secret"), 500, "exception"),
        (IntegrityError("a secret"), 500, "exception"),
        (LockedError("a secret"), 503, "lock-error"),
        (RefusedError(422, Issue(code="value", text="told")), 422, "value"),
    ],
)
def test_what_fails_tells_an_id_and_is_logged(
    caplog: pytest.LogCaptureFixture, error: Exception, status: int, code: str
) -> None:
    def fail(_: Asked) -> Answer:
        raise error

    found, told = run(made(fail), scope(x_request_id="request-5"))
    assert (found, told["issue"][0]["code"]) == (status, code)
    text = told["issue"][0]["details"]["text"]
    assert "secret" not in text
    assert ("request-5" in text) is (status >= 500)
    assert ("request-5" in caplog.text) is (status >= 500)


def test_too_much_at_once_is_sent_away() -> None:
    going = threading.Event()

    def wait(asked: Asked) -> Answer:
        going.wait(10)
        return answered(asked)

    async def several() -> list[int]:
        gateway = made(wait)
        asking = [asyncio.create_task(ask(gateway, scope())) for _ in range(7)]
        await asyncio.sleep(0.2)
        going.set()
        return sorted([(await each)[0] for each in asking])

    assert asyncio.run(several()) == [200] * 4 + [429] * 3


def test_a_large_answer_goes_out_in_parts_and_a_head_without() -> None:
    whole = b"x" * 600_000

    def large(_: Asked) -> Answer:
        return Answer(body=whole, media_type="application/pdf")

    status, headers, content = asyncio.run(ask(made(large), scope()))
    assert (status, content, headers[b"content-length"]) == (200, whole, b"600000")
    status, headers, content = asyncio.run(ask(made(large), scope("HEAD")))
    assert (status, content, headers[b"content-length"]) == (200, b"", b"600000")


def test_closing_waits_for_what_was_begun() -> None:
    gateway = made()
    gateway.close()
    assert run(gateway, scope())[0] == 500

"""Requests of somebody who means harm, byte by byte over a socket: refused, quickly, and with nothing left behind."""

import gzip
import json
import socket
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.fhir.wire import FHIR_JSON, PATIENCE_S, QUICK_S, ask, connected, head, hear, opened, post, written
from tests.installation import Installation, ids, message, thread


@pytest.fixture(autouse=True)
def _nothing_broke(installation: Installation) -> Iterator[None]:
    yield
    with installation.client("A1") as client:
        answer = client.get("/Organization/Pharmacy-A", timeout=QUICK_S)
    assert answer.status_code == 200


# ── Too much ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("said", ["1000000000000", "99999999999999999", str(2**63 - 1)])
def test_a_body_that_is_said_to_be_too_large_is_not_waited_for(installation: Installation, said: str) -> None:
    heard = ask(installation, "POST /fhir/Communication", f"Content-Type: {FHIR_JSON}", f"Content-Length: {said}")
    assert (heard.status, heard.issues[0]["code"]) == (413, "too-long")
    assert heard.seconds < QUICK_S


@pytest.mark.parametrize("said", ["-1", "ten", "1,2", "0x10", "18446744073709551617", "1 2"])
def test_a_length_is_a_number(installation: Installation, said: str) -> None:
    heard = ask(installation, "POST /fhir/Communication", f"Content-Type: {FHIR_JSON}", f"Content-Length: {said}")
    assert heard.status in {400, 413}
    assert heard.headers["connection"] == "close"


def test_a_body_in_chunks_is_counted(installation: Installation) -> None:
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with connected(installation) as connection:
        connection.sendall(
            head(installation, "POST /fhir/Communication", f"Content-Type: {FHIR_JSON}", "Transfer-Encoding: chunked")
        )
        try:
            for _ in range(64):
                connection.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            return
        heard = hear(connection)
    assert (heard.status, heard.issues[0]["code"]) == (413, "too-long")


def test_nobody_unknown_sends_a_large_body(installation: Installation) -> None:
    length = "Content-Length: 1000000"
    heard = ask(installation, "POST /fhir/Communication", f"Content-Type: {FHIR_JSON}", length, who="")
    assert (heard.status, heard.issues[0]["code"]) == (401, "login")


def test_a_large_body_that_comes_at_once_is_no_large_head(installation: Installation) -> None:
    text = "x" * 200_000
    heard = post(installation, json.dumps(message(opened(installation), text)).encode(), to="Communication")
    assert heard.status == 422  # longer than a message may be, which is for the record to say
    data = b"%PDF-" + b"x" * 240_000
    assert ask(installation, "POST /fhir/Binary", "Content-Type: application/pdf", body=data).status == 201


@pytest.mark.parametrize("headers", [[f"X-{n}: y" for n in range(200)], ["X-Long: " + "y" * 40_000]])
def test_headers_are_few_and_short(installation: Installation, headers: list[str]) -> None:
    heard = ask(installation, "GET /fhir/metadata", *headers)
    assert (heard.status, heard.issues[0]["code"]) == (431, "too-long")


def test_headers_without_end_are_not_kept(installation: Installation) -> None:
    with connected(installation) as connection:
        connection.sendall(b"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\n")
        try:
            for _ in range(2000):
                connection.sendall(b"X-More: " + b"y" * 1000 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            return
        assert hear(connection).status in {400, 431}


def test_an_address_is_short(installation: Installation) -> None:
    heard = ask(installation, "GET /fhir/Communication?_id=" + "x" * 20_000)
    assert (heard.status, heard.issues[0]["code"]) == (414, "too-long")


def test_a_body_is_not_unpacked(installation: Installation) -> None:
    """A few kilobytes would become gigabytes."""
    packed = gzip.compress(json.dumps(thread()).encode())
    heard = ask(
        installation,
        "POST /fhir/CommunicationRequest",
        f"Content-Type: {FHIR_JSON}",
        "Content-Encoding: gzip",
        body=packed,
    )
    assert heard.status in {400, 415}
    assert heard.issues


# ── Addresses ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "path",
    [
        "/fhir/../../etc/passwd",
        "/fhir/Binary/../links.key",
        "/fhir/Binary/..%2flinks.key",
        "/fhir/Binary/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/fhir/Binary/..%5c..%5clinks.key",
        "/fhir/Binary/%252e%252e%252flinks.key",
        "/fhir/Binary//etc/passwd",
        "/fhir/Communication/..",
        "/fhir/Communication/.",
        "/fhir/Communication/%2e%2e",
        "/fhir/Communication/a;b",
        "/fhir/Communication/a%00b",
        "/fhir/Communication/a%0d%0aX-Evil:%201",
        "/fhir/Communication/a%0aSet-Cookie:%20a=b",
        "/fhir/Communication/%",
        "/fhir/Communication/%zz",
        "/fhir/Communication/%e2%82",
        "/fhir/Communication/%ff",
        "/fhir/Communication/%c0%af",
        "/fhir/Communication/%ef%bc%8f",
        "/fhir/Communication/" + "x" * 65,
        "/fhir/Communication/" + "x" * 5000,
        "/fhir/Communication/'%20OR%201=1--",
        "/fhir/Communication/x/_history/-1",
        "/fhir/Communication/x/_history/1e9",
        "/fhir/Communication/x/_history/" + "9" * 60,
        "/fhir/Communication/x/_history/%D9%A1",
        "/fhir/communication/x",
        "/fhir/__class__/x",
        "/fhir/Communication/x/$everything",
        "/fhir/Organization/Pharmacy-A/x/y/z",
        "/fhir//Organization/Pharmacy-A",
    ],
)
def test_an_address_leads_nowhere_else(installation: Installation, path: str) -> None:
    heard = ask(installation, f"GET {path}")
    assert heard.status == 404
    assert heard.issues
    assert not {"x-evil", "set-cookie"} & set(heard.headers)
    assert heard.seconds < QUICK_S


@pytest.mark.parametrize(
    "path", ["/", "/etc/passwd", "/../etc/passwd", "/fhirx", "/%66hir/metadata", "/healthz/../fhir"]
)
def test_there_is_nothing_beside(installation: Installation, path: str) -> None:
    assert ask(installation, f"GET {path}").status in {400, 404}


@pytest.mark.parametrize("line", ["TRACE /fhir/metadata", "FOO /fhir/Communication", "PATCH /fhir/Communication/x"])
def test_other_methods_are_refused(installation: Installation, line: str) -> None:
    heard = ask(installation, line)
    # A method that HTTP itself does not know is no request.
    assert heard.status in ({400, 405} if line.startswith("FOO") else {405})


@pytest.mark.parametrize(
    "line", ["OPTIONS *", "GET http://evil.example/fhir/metadata", "CONNECT 127.0.0.1:22", "GET  /fhir/metadata", "GET"]
)
def test_odd_request_lines_do_no_harm(installation: Installation, line: str) -> None:
    heard = ask(installation, line)
    assert heard.status in {200, 400, 404, 405}
    assert b"evil.example" not in heard.body


# ── Headers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whatever_host_is_said_links_are_ours(installation: Installation) -> None:
    lines = "GET /fhir/Organization?_count=1 HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n"
    more = f"Forwarded: host=evil.example\r\nAuthorization: {installation.authorization('A1')}\r\n\r\n"
    with connected(installation) as connection:
        connection.sendall((lines + more).encode())
        heard = hear(connection)
    assert heard.status == 200
    assert b"evil.example" not in heard.body
    assert json.loads(heard.body)["link"][0]["url"].startswith(installation.base)


@pytest.mark.parametrize("given", ["a b", "a\tb", "<script>", "é", "x" * 65, "a;b", '"', ""])
def test_a_request_id_that_cannot_stand_in_a_log_is_not_said_again(installation: Installation, given: str) -> None:
    heard = ask(installation, "GET /fhir/metadata", f"X-Request-ID: {given}")
    assert heard.headers["x-request-id"] != given
    assert heard.headers["x-request-id"].isalnum()


@pytest.mark.parametrize(
    "header",
    [
        "If-Match: 1", "If-Match: *", 'If-Match: "1", "2"', "If-Match: W/" + '"' * 5000,
        'If-Match: W/"' + "9" * 400 + '"', 'If-Match: W/"1"',
        "Prefer: return=everything", "Prefer: handling=" + "x" * 5000, "Carethread-Purpose: \x01", "If-None-Exist: ?",
        "If-None-Exist: identifier=%ff", "If-None-Exist: nonsense=1", "If-None-Exist: \xff=1",
    ],
)  # fmt: skip
def test_a_header_that_says_nonsense_is_refused(installation: Installation, header: str) -> None:
    body = json.dumps(thread(id="nowhere-at-all")).encode()
    line = "PUT /fhir/CommunicationRequest/nowhere-at-all"
    if header.startswith("If-None-Exist"):
        line, body = "POST /fhir/CommunicationRequest", json.dumps(thread()).encode()
    heard = ask(installation, line, f"Content-Type: {FHIR_JSON}", header, body=body)
    assert heard.status in {400, 412}
    assert "9" * 100 not in heard.body.decode()


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer", "Bearer ", "Bearer a", "Bearer a.b.c", "Basic QTE6", "Bearer " + "a" * 20_000,
        "Bearer \xff.\xff.\xff", "Bearer ../../x", "bearer null", "Bearer a.b.c, Bearer d.e.f", "",
    ],
)  # fmt: skip
def test_a_token_that_is_none_is_refused(installation: Installation, authorization: str) -> None:
    heard = ask(installation, "GET /fhir/Communication", f"Authorization: {authorization}", who="")
    assert (heard.status, heard.issues[0]["code"]) == (401, "login")
    assert heard.headers["www-authenticate"].startswith("Bearer")


def test_two_tokens_are_none(installation: Installation) -> None:
    second = f"Authorization: {installation.authorization('C1')}"
    assert ask(installation, "GET /fhir/Organization/Pharmacy-A", second).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding : chunked"],
        ["Content-Length : 5"],
    ],
)
def test_where_a_body_ends_is_said_once(installation: Installation, headers: list[str]) -> None:
    """Else the rest of one request could pass for the next, behind a proxy that reads it otherwise."""
    smuggled = head(installation, "GET /fhir/Organization/Pharmacy-A")
    with connected(installation) as connection:
        connection.sendall(
            head(installation, "POST /fhir/Communication", f"Content-Type: {FHIR_JSON}", *headers)
            + b"0\r\n\r\n"
            + smuggled
        )
        heard = hear(connection)
        assert heard.status in {400, 413, 415, 501}
        try:
            after = connection.recv(65536)
        except ConnectionResetError:
            after = b""
    assert b"Riverside" not in after


# ── Slow, and gone ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_those_who_send_slowly_hold_up_nobody(installation: Installation) -> None:
    begun = head(installation, "POST /fhir/Communication", f"Content-Type: {FHIR_JSON}", "Content-Length: 1000")
    waiting = [socket.create_connection(("127.0.0.1", installation.port), PATIENCE_S) for _ in range(100)]
    try:
        for number, each in enumerate(waiting):
            each.sendall((begun + b"{")[: len(begun) + 1 if number % 2 else 60])
        heard = ask(installation, "GET /fhir/Organization/Pharmacy-A")
        assert heard.status == 200
        assert heard.seconds < QUICK_S
    finally:
        for each in waiting:
            each.close()


@pytest.mark.parametrize("part", [1, 20, 100, -300, -10, -1])
def test_what_did_not_come_whole_is_not_done(installation: Installation, part: int) -> None:
    to = opened(installation)
    body = json.dumps(message(to, "Half")).encode()
    whole = head(installation, "POST /fhir/Communication", f"Content-Type: {FHIR_JSON}", f"Content-Length: {len(body)}")
    with connected(installation) as connection:
        connection.sendall((whole + body)[:part])
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(PATIENCE_S)
        assert not connection.recv(65536).startswith(b"HTTP/1.1 2")
    assert written(installation, to) == 1


def test_who_goes_away_finds_it_done(installation: Installation) -> None:
    to = opened(installation)
    body = json.dumps(message(to, "And gone")).encode()
    whole = head(installation, "POST /fhir/Communication", f"Content-Type: {FHIR_JSON}", f"Content-Length: {len(body)}")
    with connected(installation) as connection:
        connection.sendall(whole + body)
        heard = hear(connection)
    assert heard.status == 201
    assert written(installation, to) == 2


def test_requests_in_one_go_are_answered_in_order(installation: Installation) -> None:
    names = ["Pharmacy-A", "nowhere", "Clinic-B", "Hospital-C"]
    with connected(installation) as connection:
        connection.sendall(b"".join(head(installation, f"GET /fhir/Organization/{name}") for name in names))
        heard = []
        reader = connection.makefile("rb")
        for _ in names:
            status = int(reader.readline().split()[1])
            length = 0
            while (line := reader.readline().strip().lower()) != b"":
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            heard.append((status, json.loads(reader.read(length)).get("id")))
    assert heard == [(200, "Pharmacy-A"), (404, None), (200, "Clinic-B"), (200, "Hospital-C")]


# ── Expressions and searches that cost ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "query",
    [
        "_id=" + ",".join(f"x{number}" for number in range(300)),
        "recipient=" + ",".join(f"Organization/x{number}" for number in range(300)),
        "&".join(f"_id=x{number}" for number in range(300)),
        "_content=" + "a" * 3000,
        "_content=%ff",
        "_id=a%00b",
        "sent=" + "2" * 500,
        "sent=ge2026-13-45",
        "sent=ap2026",
        "_count=" + "9" * 500,
        "_count=-1",
        "_count=%D9%A1",
        "_sort=sent,-sent,sent",
        "_sort=payload",
        "_include=*",
        "_include=Communication:*",
        "_include:iterate=Communication:based-on",
        "_revinclude=*",
        "based-on.requester.name=x",
        "based-on.based-on.based-on.based-on.requester=Practitioner/A1",
        "based-on:CommunicationRequest.recipient:Organization.partof:Organization.name=x",
        "_has:Communication:based-on:_has:Communication:based-on:sender=Practitioner/A1",
        "_filter=sender%20eq%20A1",
        "_query=x",
        "sender:missing=true",
        "sender=Practitioner/A1%27%20OR%201=1",
        "_cursor=AAAA",
        "_cursor=" + "A" * 3000,
        "_elements=" + ",".join(f"abc{number}" for number in range(200)),
        "_total=everything",
        "_format=xml",
        "__proto__=1",
        "a[]=1",
        "_count=1&_count=2",
    ],
)
def test_a_search_that_costs_or_says_nonsense_is_refused_at_once(installation: Installation, query: str) -> None:
    heard = ask(installation, f"GET /fhir/Communication?{query}")
    assert heard.status in {400, 406}
    assert heard.issues
    assert heard.seconds < QUICK_S
    by_post = post(
        installation, query.encode(), to="Communication/_search", content_type="application/x-www-form-urlencoded"
    )
    assert (by_post.status, by_post.issues) == (heard.status, heard.issues)


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "*",
        "a*",
        "NEAR(a b)",
        "a OR b",
        "a NOT b",
        "-a",
        "^a",
        "a:b",
        "{a b}",
        "'; DROP TABLE message; --",
        "%",
        "_",
    ],
)
def test_words_are_words(installation: Installation, text: str) -> None:
    heard = ask(installation, f"GET /fhir/Communication?_content={quote(text, safe='')}&_count=1")
    assert heard.status in {200, 400}
    heard = ask(installation, f"GET /fhir/Organization?name:exact={quote(text, safe='')}")
    assert (heard.status, ids(json.loads(heard.body))) == (200, [])

"""What happens around every page: sessions, forms that are ours, headers, and what is shown when something is wrong."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from carethread import errors
from carethread.errors import CarethreadError
from carethread.reads import read_thread
from carethread.web.forms import local_path
from carethread.web.problems import problem_of
from carethread.web.static import Static
from carethread.web.words import Words
from tests.web.people import Visitors

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "evil",
    "",
    "/in box",
    "/in\nbox",
    "http:/x",
    "/\u2028",
]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_nobody_is_sent_elsewhere(path: str) -> None:
    assert local_path(path) == "/"


def test_whoever_did_not_sign_in_is_asked_to_and_comes_back(visitors: Visitors) -> None:
    thread = visitors.region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    visitor = visitors.visitor()
    to = visitor.get(f"/threads/{thread}", 303).headers["location"]
    assert to == f"/sign-in?to=%2Fthreads%2F{thread}"
    assert "Hello" not in visitor.get(to).text
    picked = visitor.client.post("/sign-in", data={"person": visitors.region.id("A1"), "to": f"/threads/{thread}"})
    assert picked.headers["location"] == f"/threads/{thread}"
    cookie = picked.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Hello" in visitor.get(f"/threads/{thread}").text
    assert visitor.get("/sign-in?to=//evil.example", 303).headers["location"] == "/"


def test_who_is_not_to_be_picked(visitors: Visitors) -> None:
    visitor = visitors.visitor()
    answer = visitor.client.post("/sign-in", data={"person": visitors.region.id("D1")})
    assert answer.headers["location"] == "/sign-in"
    assert "set-cookie" not in answer.headers
    assert visitor.client.post("/sign-in", data={"person": "nobody"}).status_code == 422


def test_signing_in_anew_ends_the_session_before(visitors: Visitors) -> None:
    visitor = visitors.person("A1")
    before = visitor.client.cookies["carethread"]
    csrf = visitor.fields("/inbox", "/language")["csrf"]
    visitor.client.post("/sign-in", data={"person": visitors.region.id("B1"), "to": "/", "csrf": csrf})
    assert visitor.client.cookies["carethread"] != before
    other = visitors.visitor(cookies={"carethread": before})
    other.get("/inbox", 303)


def test_signing_out(visitors: Visitors) -> None:
    visitor = visitors.person("A1")
    secret = visitor.client.cookies["carethread"]
    left = visitor.send("/inbox", "/sign-out")
    assert left.headers["location"] == "/sign-in"
    assert left.headers["clear-site-data"] == '"cache", "storage"'
    visitors.visitor(cookies={"carethread": secret}).get("/inbox", 303)


def test_a_form_after_the_session_ended_says_what_became_of_it(visitors: Visitors) -> None:
    thread = visitors.region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    visitor = visitors.person("B1")
    fields = visitor.fields(f"/threads/{thread}", f"/threads/{thread}/messages") | {"body": "Not stored"}
    visitor.client.cookies.clear()
    headers = {"referer": f"{visitors.base}/threads/{thread}"}
    answer = visitor.client.post(f"/threads/{thread}/messages", data=fields, headers=headers)
    assert answer.status_code == 401
    assert "was not stored" in answer.text
    assert "I have signed in: go on" in answer.text
    discarded = visitor.client.post(f"/threads/{thread}/draft/discard", data=fields, headers=headers)
    assert f"/sign-in?to=/threads/{thread}" in discarded.text
    part = visitor.client.get(f"/threads/{thread}", headers={"hx-request": "true"})
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/sign-in")
    assert visitor.client.get("/live").status_code == 401


@pytest.mark.parametrize(
    "headers, changed",
    [
        ({}, {"csrf": ""}),
        ({}, {"csrf": "another"}),
        ({"origin": "https://evil.example"}, {}),
        ({"origin": "null"}, {}),
        ({"sec-fetch-site": "cross-site"}, {}),
        ({"sec-fetch-site": "same-site"}, {}),
    ],
)
def test_a_form_of_another_site_does_nothing(
    visitors: Visitors, headers: dict[str, str], changed: dict[str, str]
) -> None:
    region = visitors.region
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    visitor = visitors.person("B1")
    fields = visitor.fields(f"/threads/{thread}", f"/threads/{thread}/messages") | {"body": "Forged"} | changed
    answer = visitor.client.post(f"/threads/{thread}/messages", data=fields, headers=headers)
    assert answer.status_code == 403
    assert len(read_thread(region.service, region.caller("A1"), thread).messages) == 1


def test_a_form_counts_once(visitors: Visitors) -> None:
    region = visitors.region
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    visitor = visitors.person("B1")
    action = f"/threads/{thread}/messages"
    fields = visitor.fields(f"/threads/{thread}", action) | {"body": "Once"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: visitor.client.post(action, data=fields), range(8)))
    assert {each.status_code for each in answers} == {303}
    assert len({each.headers["location"] for each in answers}) == 1
    other = visitor.client.post(action, data=fields | {"body": "Twice"})
    assert other.status_code == 409
    assert "Twice" in other.text
    assert len(read_thread(region.service, region.caller("A1"), thread).messages) == 2


@pytest.mark.parametrize(
    "changed, status, told",
    [
        ({"patient": "P2"}, 422, "This is about another patient"),
        ({"patient": ""}, 422, "This is about another patient"),
        ({"thread": "other"}, 422, "This is about another patient"),
        ({"once": ""}, 422, "too large, or could not be read"),
        ({"body": " \n "}, 422, "Write a message"),
        ({"for": "Hospital-C"}, 422, "does not take part in this thread"),
        ({"to": "D1"}, 422, "does not take part in this thread"),
    ],
)
def test_a_form_that_is_not_in_order_records_nothing_and_keeps_what_was_typed(
    visitors: Visitors, changed: dict[str, str], status: int, told: str
) -> None:
    region = visitors.region
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    ids = {name: region.id(name) for name in ("P2", "Hospital-C", "D1")}
    typed = {"body": "Typed with care"} | {name: ids.get(value, value) for name, value in changed.items()}
    answer = visitors.person("B1").send(f"/threads/{thread}", f"/threads/{thread}/messages", status, **typed)
    assert told in answer.text
    if changed.get("body") is None:
        assert "Typed with care" in answer.text
    assert len(read_thread(region.service, region.caller("A1"), thread).messages) == 1


def test_hidden_and_missing_are_answered_alike(visitors: Visitors) -> None:
    hidden = visitors.region.open("C1", ("Wounds",), on_behalf_of="Hospital-C", body="Hidden")
    missing = f"{hidden[:-1]}{'0' if hidden[-1] != '0' else '1'}"
    visitor = visitors.person("A1")
    told = []
    for thread in (hidden, missing):
        for path in (f"/threads/{thread}", f"/threads/{thread}/print", f"/threads/{thread}/entries"):
            text = visitor.get(path, 404).text.replace(thread, "…")
            told.append(re.sub(r'value="[0-9a-f-]{36}"', "", text))
    half = len(told) // 2
    assert told[:half] == told[half:]
    visitor.get("/messages/00000000-0000-4000-8000-000000000000", 404)
    visitor.get("/threads/no-id", 422)
    visitor.get(f"/threads/{hidden}/entries?after=x", 422)


def test_nothing_is_kept_framed_or_loaded_from_elsewhere(visitors: Visitors) -> None:
    visitor = visitors.person("A1")
    for path, status in (("/inbox", 200), ("/threads/none", 422), ("/sign-in", 303)):
        headers = visitor.get(path, status).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


def test_what_browsers_load(visitors: Visitors) -> None:
    visitor = visitors.visitor()
    paths = re.findall(r'(?:href|src)="(/static/[^"]+)"', visitor.get("/sign-in").text)
    assert len(paths) >= 5
    for path in paths:
        answer = visitor.get(path)
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in visitor.get(path, headers={"accept-encoding": "identity"}).headers
    digest = paths[0].split("/")[2]
    visitor.get(f"/static/{digest}/absent.css", 404)
    visitor.get("/static/0000/light.css", 404)


def test_styles_and_scripts_are_small() -> None:
    """What one page needs, in both themes, as it travels."""
    sizes = Static().compressed_sizes()
    assert sum(size for name, size in sizes.items() if not name.startswith("print")) < 100 * 1024


def test_a_language_is_chosen_and_kept(visitors: Visitors) -> None:
    visitor = visitors.visitor(headers={"accept-language": "fr, nl;q=0.8, en;q=0.7, de;q=x"})
    assert '<html lang="nl"' in visitor.get("/sign-in").text
    assert '<html lang="en"' in visitors.visitor(headers={"accept-language": "fr"}).get("/sign-in").text
    person = visitors.person("A1")
    assert '<html lang="en"' in person.get("/inbox").text
    assert person.send("/inbox", "/language", language="nl").headers["location"] == "/inbox"
    assert '<html lang="nl"' in person.get("/inbox").text
    person.send("/inbox", "/language", language="xx")
    assert '<html lang="nl"' in person.get("/inbox").text


def test_a_form_is_bounded(visitors: Visitors) -> None:
    visitor = visitors.person("B1")
    csrf = visitor.fields("/inbox", "/language")["csrf"]
    for body, kind in ((b"{}", "application/json"), (b"x", "multipart/form-data; boundary=y")):
        answer = visitor.client.post("/language", content=body, headers={"content-type": kind})
        assert answer.status_code in (403, 422)
    many = {f"f{number}": "x" for number in range(500)} | {"csrf": csrf}
    assert visitor.client.post("/language", data=many).status_code in (403, 422)
    endless = visitor.client.post(
        "/language",
        content=(b"x" for _ in range(3)),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert endless.status_code == 422


def test_a_file_comes_back_as_it_was_and_is_never_shown(visitors: Visitors) -> None:
    region = visitors.region
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    visitor = visitors.person("B1")
    name, data = "röntgen & co; 1.html", b"<script>alert(1)</script>"
    path = f"/threads/{thread}"
    sent = visitor.send(path, f"{path}/messages", body="", files=[("files", (name, data, "text/html"))])
    message = sent.headers["location"].partition("#m-")[2]
    assert "röntgen &amp; co; 1.html" in visitor.get(path).text
    answer = visitor.get(f"/messages/{message}/attachments/1")
    assert answer.content == data
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    visitor.get(f"/messages/{message}/attachments/2", 404)
    visitor.get(f"/messages/{message}", 303)


def _every(kind: type[CarethreadError]) -> list[type[CarethreadError]]:
    return [kind, *(each for below in kind.__subclasses__() for each in _every(below))]


@pytest.mark.parametrize("language", ["en", "nl"])
def test_every_error_has_words_and_tells_nothing_of_the_record(language: str) -> None:
    words = Words(language, "Europe/Amsterdam")
    for kind in _every(CarethreadError):
        if kind.__module__ != errors.__name__:
            continue
        error = kind.__new__(kind)
        error.args = ("Jane Doe has been told",)
        if isinstance(error, errors.InvalidValueError):
            error.field = "recipients[3].name"
        problem = problem_of(error, words)
        assert problem.title
        assert "Jane" not in problem.title + problem.text
        assert 400 <= problem.status < 600


def test_a_fault_of_ours_tells_nothing(visitors: Visitors, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = visitors.person("A1")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("Jane Doe")

    monkeypatch.setattr("carethread.web.pages.inbox.overview", broken)
    answer = visitor.get("/inbox", 500)
    assert "Jane" not in answer.text
    assert answer.headers["x-request-id"] in answer.text
    monkeypatch.setattr("carethread.web.pages.inbox.overview", lambda *_, **__: _storage())
    assert "Nothing was stored. Try again" in visitor.get("/inbox", 503).text
    monkeypatch.setattr("carethread.web.site.read_session", lambda *_, **__: _storage())
    visitor.get("/inbox", 503)
    visitor.get("/live", 503)


def _storage() -> None:
    raise errors.StorageError("disk /var/lib/carethread")


def test_a_demonstration_goes_by_its_own_address(visitors: Visitors) -> None:
    """Whoever leads a name of theirs to this machine gets nothing by it."""
    visitor = visitors.person("A1")
    led = visitor.client.get("/inbox?show=unread", headers={"host": "rebound.example"})
    assert (led.status_code, led.headers["location"]) == (307, f"{visitors.base}/inbox?show=unread")
    data = {"person": visitors.region.id("A1")}
    assert visitor.client.post("/sign-in", data=data, headers={"host": "rebound.example"}).status_code == 421

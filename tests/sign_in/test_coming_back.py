"""Who comes back from a provider, with what: of one browser, once begun, not too late, to a page of ours."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.clock import Instant, system_clock
from carethread.errors import InvalidValueError, SignInAnswerError, SignInExpiredError
from carethread.trust.sealing import Seal
from carethread.web.claims import ClaimOf, read_claim
from carethread.web.pending import LASTS_S, MAX_RETURN, check_local
from tests.sign_in.fake import Fake, lying
from tests.sign_in.people import ADDRESS, SEAL


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with lying() as made:
        yield made


# ── The cookie ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_cookie_of_another_browser(fake: Fake) -> None:
    signing = fake.open_id()
    mine, theirs = signing.begin("/"), signing.begin("/")
    for cookie in (theirs.cookie, "", "x", "é", mine.cookie[:-1], mine.cookie[:-1] + "A!", mine.cookie * 40):
        with pytest.raises(SignInExpiredError, match="not begun in this browser"):
            signing.finish(fake.come_back(mine.location), cookie)
    assert signing.finish(fake.come_back(mine.location), mine.cookie).meant == "Practitioner/A1"


def test_the_cookie_of_another_installation_client_or_purpose(fake: Fake) -> None:
    begun = fake.open_id().begin("/")
    query = fake.come_back(begun.location)
    for other in ({"seal": Seal(bytes(32))}, {"client_id": "other"}):
        with pytest.raises(SignInExpiredError):
            fake.open_id(**other).finish(query, begun.cookie)
    with lying() as elsewhere, pytest.raises(SignInExpiredError):
        elsewhere.open_id().finish(query, begun.cookie)
    for content in (b"{}", b"", b"[]", b"\xff"):
        with pytest.raises(SignInExpiredError):
            fake.open_id().finish(query, SEAL.seal(content + b" ", b"sign-in", fake.open_id()._about))


def test_an_hour_later(fake: Fake) -> None:
    now = [system_clock()]
    signing = fake.open_id(clock=lambda: Instant(now[0]))
    begun = signing.begin("/")
    now[0] = Instant(now[0] + LASTS_S * 1000 - 1)
    assert signing.cookie_name(fake.come_back(begun.location)) == begun.name
    now[0] = Instant(now[0] + 1)
    with pytest.raises(SignInExpiredError, match="too long ago"):
        signing.finish(fake.come_back(begun.location), begun.cookie)


def test_cookies_are_few_and_small(fake: Fake) -> None:
    signing = fake.open_id()
    begun = [signing.begin("/" + "x" * (MAX_RETURN - 1)) for _ in range(100)]
    assert len({each.name for each in begun}) == 8
    assert max(len(each.cookie) for each in begun) < 3_000
    assert len({each.cookie for each in begun}) == 100


# ── The query ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "said, fault",
    [
        ({"iss": "https://evil.example"}, "another provider"),
        ({"iss": ""}, "another provider"),
        ({"iss": "https://evil.example", "error": "access_denied"}, "another provider"),
        ({"code": ""}, "no code"),
        ({"code": "x" * 5_000}, "no code"),
        ({"code": "%00"}, "no code"),
        ({"code": "%C3%A9"}, "no code"),
        ({"code": "1&code=2"}, "twice"),
        ({"state": "1&state=2"}, "twice"),
        ({"code": "x" * 9_000}, "too long"),
        ({"code": "x&" + "y=1&" * 60}, "malformed"),
        ({"code": "%FF"}, "malformed"),
    ],
)
def test_a_query_that_is_not_the_providers(fake: Fake, said: dict[str, str], fault: str) -> None:
    signing = fake.open_id()
    begun = signing.begin("/")
    with pytest.raises(SignInAnswerError, match=fault):
        signing.finish(fake.come_back(begun.location, **said), begun.cookie)


def test_a_provider_that_does_not_say_it_is_itself(fake: Fake) -> None:
    with lying() as silent:
        silent.description["authorization_response_iss_parameter_supported"] = False
        signing = silent.open_id()
        begun = signing.begin("/")
        assert signing.finish(silent.come_back(begun.location, iss=""), begun.cookie).meant == "Practitioner/A1"
        with pytest.raises(SignInAnswerError, match="another provider"):
            signing.finish(silent.come_back(begun.location, iss=fake.issuer), begun.cookie)


@pytest.mark.parametrize("query", ["", "code=c-1", "code=c-1&state=", "code=c-1&state=x", "code=c-1&state=%ED%A0%80"])
def test_a_query_without_the_state(fake: Fake, query: str) -> None:
    signing = fake.open_id()
    with pytest.raises((SignInExpiredError, SignInAnswerError)):
        signing.finish(query, signing.begin("/").cookie)


# ── Where to ──────────────────────────────────────────────────────────────────────────────────────────────────────────

ELSEWHERE = [
    "",
    "threads",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/ok\r\nLocation: https://evil.example",
    "https://evil.example/",
    "https:evil.example",
    "javascript:alert(1)",
    " /threads",
    "/threads ",
    "/a/..//evil.example",
    "/..",
    "/a//evil.example",
    "/é",
    "/\x00",
    "/" + "x" * MAX_RETURN,
]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_nobody_is_led_elsewhere(fake: Fake, path: str) -> None:
    with pytest.raises(InvalidValueError, match="return_to"):
        fake.open_id().begin(path)


@pytest.mark.parametrize("path", ["/", "/threads?of=a%2Fb&x=1#y", "/a/b/", "/search?words=//", "/a?next=https://x"])
def test_a_path_of_ours(path: str) -> None:
    assert check_local(path) == path


@given(st.text(st.sampled_from("/\\.:@?#%[]ae\t\n \x00é"), max_size=12).map(lambda rest: f"/{rest}"))
def test_whatever_is_taken_stays_here(path: str) -> None:
    try:
        taken = check_local(path)
    except InvalidValueError:
        return
    for base in (f"{ADDRESS}/sign-in/return", f"{ADDRESS}/"):
        assert urlsplit(urljoin(base, taken)).netloc == "care.example"
        assert httpx.URL(base).join(taken).host == "care.example"


# ── Who ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "claim, claims, meant",
    [
        ("{fhirUser}", {"fhirUser": "Practitioner/A1"}, "Practitioner/A1"),
        ("{fhirUser}", {"fhirUser": "https://care.example/fhir/Practitioner/A1"}, "Practitioner/A1"),
        ("{fhirUser}", {"fhirUser": "https://evil.example/Patient/P1"}, "https://evil.example/Patient/P1"),
        ("{fhirUser}", {}, ""),
        ("{fhirUser}", {"fhirUser": None}, ""),
        ("{fhirUser}", {"fhirUser": ""}, ""),
        ("{fhirUser}", {"fhirUser": ["Practitioner/A1"]}, ""),
        ("{fhirUser}", {"fhirUser": True}, ""),
        ("{fhirUser}", {"fhirUser": "x" * 181}, ""),
        ("{fhirUser}", {"fhirUser": "Practitioner/A1\n"}, ""),
        ("Practitioner/{sub}", {"sub": "A1"}, "Practitioner/A1"),
        ("Practitioner/{n}", {"n": 17}, "Practitioner/17"),
        ("https://x.example|{n}", {"n": "https://care.example/fhir/1"}, "https://x.example|https://care.example/fhir/1"),
        ("{https://x.example/who}", {"https://x.example/who": "Patient/P1"}, "Patient/P1"),
        ("Practitioner/{sub}-a", {"sub": "A1"}, "Practitioner/A1-a"),
        ("mailto:|{email}", {"email": "a@b.example", "email_verified": True}, "mailto:|a@b.example"),
        ("mailto:|{email}", {"email": "a@b.example", "email_verified": "true"}, ""),
        ("mailto:|{email}", {"email": "a@b.example"}, ""),
        ("tel:|{phone_number}", {"phone_number": "1", "phone_number_verified": False}, ""),
    ],
)  # fmt: skip
def test_who_is_meant(claim: str, claims: dict[str, Any], meant: str) -> None:
    assert read_claim(claim).meant(claims, (f"{ADDRESS}/fhir",)) == meant


def test_a_claim_is_one_name_and_what_stands_around_it() -> None:
    assert read_claim("a|{b}c") == ClaimOf("b", "a|", "c")

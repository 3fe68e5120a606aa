"""People sign in and out at a provider of others, through its own forms."""

import pytest
from joserfc.jwk import ECKey, RSAKey

from carethread.errors import SignInAnswerError, SignInExpiredError, SignInRefusedError
from carethread.trust.published import RETRY_S
from carethread.web.authentication import Authentication, Method
from tests.fhir.authorisation import Stopwatch
from tests.sign_in.people import ADDRESS, AUTHENTICATION, KEYS, SECRET, Browser, RealProvider, open_id


def test_somebody_signs_in_and_out(real: RealProvider, browser: Browser) -> None:
    signing = open_id(real.issuer)
    begun = signing.begin("/threads?of=Pharmacy-A#last")
    assert begun.location.startswith(f"{real.issuer}/auth?")
    query = browser.sign_in(begun.location)
    assert signing.cookie_name(query) == begun.name
    signed_in = signing.finish(query, begun.cookie)
    assert signed_in.return_to == "/threads?of=Pharmacy-A#last"
    assert signed_in.meant == "Practitioner/A1"
    assert signed_in.claims["sub"] == "A1"
    # The provider knows the browser: nobody is asked again.
    again = signing.begin("/")
    assert signing.finish(browser.visit(again.location), again.cookie).meant == "Practitioner/A1"
    location = signing.sign_out(signed_in.id_token_hint)
    assert location is not None
    assert location.startswith(f"{real.issuer}/session/end?")
    browser.visit(location, {"logout": "yes"})
    other = signing.begin("/")
    assert signing.finish(browser.sign_in(other.location, "A2"), other.cookie).meant == "Practitioner/A2"


@pytest.mark.parametrize(
    "client_id, authentication",
    [
        ("basic", Authentication(SECRET, method=Method.SECRET_BASIC)),
        ("post", Authentication(SECRET, method=Method.SECRET_POST)),
        ("public", Authentication()),
        ("key", AUTHENTICATION),
        ("ps", Authentication(SECRET)),
        ("es", Authentication(SECRET)),
    ],
)
def test_a_client_of_every_kind(
    real: RealProvider, browser: Browser, client_id: str, authentication: Authentication
) -> None:  # fmt: skip
    signing = open_id(real.issuer, client_id, authentication)
    begun = signing.begin("/")
    assert signing.finish(browser.sign_in(begun.location), begun.cookie).meant == "Practitioner/A1"


@pytest.mark.parametrize("authentication", [Authentication("another secret"), Authentication(), AUTHENTICATION])
def test_another_client_gets_nothing_for_the_code(
    real: RealProvider, browser: Browser, authentication: Authentication
) -> None:  # fmt: skip
    signing = open_id(real.issuer, authentication=authentication)
    begun = signing.begin("/")
    with pytest.raises(SignInRefusedError, match="invalid_client"):
        signing.finish(browser.sign_in(begun.location), begun.cookie)


def test_a_shared_secret_signs_nothing(real: RealProvider, browser: Browser) -> None:
    signing = open_id(real.issuer, "hs")
    begun = signing.begin("/")
    with pytest.raises(SignInAnswerError, match="names no key"):
        signing.finish(browser.sign_in(begun.location), begun.cookie)


def test_a_code_counts_once(real: RealProvider, browser: Browser) -> None:
    signing = open_id(real.issuer)
    begun = signing.begin("/")
    query = browser.sign_in(begun.location)
    signing.finish(query, begun.cookie)
    with pytest.raises(SignInRefusedError, match="invalid_grant"):
        signing.finish(query, begun.cookie)


def test_a_code_is_of_no_use_in_another_sign_in(real: RealProvider, browser: Browser) -> None:
    signing = open_id(real.issuer)
    mine, theirs = signing.begin("/"), signing.begin("/")
    query = browser.sign_in(theirs.location)
    with pytest.raises(SignInExpiredError):
        signing.finish(query, mine.cookie)
    stolen = query.split("code=")[1].split("&")[0]
    own = browser.visit(mine.location)
    injected = own.replace(own.split("code=")[1].split("&")[0], stolen)
    with pytest.raises(SignInRefusedError, match="invalid_grant"):
        signing.finish(injected, mine.cookie)


def test_somebody_may_think_better_of_it(real: RealProvider, browser: Browser) -> None:
    signing = open_id(real.issuer)
    begun = signing.begin("/")
    state = begun.location.split("state=")[1].split("&")[0]
    with pytest.raises(SignInRefusedError) as raised:
        signing.finish(f"error=access_denied&state={state}&iss={real.issuer}", begun.cookie)
    assert raised.value.reason == "access_denied"


def test_a_claim_that_is_only_told_when_asked(real: RealProvider, browser: Browser) -> None:
    claim = "https://care.example/staff|{employee_number}"
    signing = open_id(real.issuer, claim=claim, scope="openid staff")
    begun = signing.begin("/")
    signed_in = signing.finish(browser.sign_in(begun.location), begun.cookie)
    assert signed_in.meant == "https://care.example/staff|staff-A1"
    assert signed_in.claims["fhirUser"] == "Practitioner/A1"


@pytest.mark.parametrize("who, meant", [("A1", "mailto:|A1@care.example"), ("B1", "")])
def test_an_address_counts_once_the_provider_has_looked(
    real: RealProvider, browser: Browser, who: str, meant: str
) -> None:  # fmt: skip
    signing = open_id(real.issuer, claim="mailto:|{email}", scope="openid email")
    begun = signing.begin("/")
    assert signing.finish(browser.sign_in(begun.location, who), begun.cookie).meant == meant


def test_new_keys_are_found_while_running(real: RealProvider, browser: Browser) -> None:
    watch = Stopwatch()
    signing = open_id(real.issuer, "es", watch=watch)
    begun = signing.begin("/")
    signing.finish(browser.sign_in(begun.location), begun.cookie)
    try:
        new = (RSAKey.generate_key(2048, {"kid": "rsa-2"}), ECKey.generate_key("P-256", {"kid": "ec-2"}))
        real.sign_with(new)
        # So that unknown keys make few requests, one is not looked for at once.
        begun = signing.begin("/")
        with pytest.raises(SignInAnswerError, match="does not have"):
            signing.finish(browser.sign_in(begun.location), begun.cookie)
        watch.seconds += RETRY_S
        begun = signing.begin("/")
        assert signing.finish(browser.sign_in(begun.location), begun.cookie).meant == "Practitioner/A1"
    finally:
        real.sign_with(KEYS)


def test_whoever_was_never_signed_in_signs_out(real: RealProvider, browser: Browser) -> None:
    location = open_id(real.issuer).sign_out("")
    assert location is not None
    assert "id_token_hint" not in location
    assert browser.visit(location, {"logout": "yes"}) == ""


def test_the_address_tells_the_provider_nothing_of_where_one_was(real: RealProvider) -> None:
    begun = open_id(real.issuer).begin("/search?words=penicillin")
    assert "penicillin" not in begun.location + begun.cookie
    assert f"redirect_uri={ADDRESS.replace(':', '%3A').replace('/', '%2F')}" in begun.location

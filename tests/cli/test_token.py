"""`carethread token`: what it makes is what the FHIR interface takes."""

from pathlib import Path

import pytest

from carethread.fhir.local_key import FILE_NAME, local_issuer
from carethread.fhir.refusals import InvalidTokenError
from carethread.fhir.scopes import Reach
from carethread.fhir.token import Token
from carethread.fhir.tokens import Tokens
from carethread.reads import current_rights
from carethread.trust.keys import read_key_set
from tests.cli.conftest import PeopleAtWork


@pytest.fixture
def tokens(people: PeopleAtWork) -> Tokens:
    with people.region() as region:
        custodian = region.service.archive.installation.custodian.id
    return Tokens((local_issuer(people.data, custodian),), revoked=lambda _: False)


def test_a_person_gets_a_token(people: PeopleAtWork, tokens: Tokens) -> None:
    text = people.text("token", "--as", "A1", "--scope", "user/Communication.crs", "--scope", "user/*.rs").strip()
    token = tokens.check(f"Bearer {text}")
    assert (token.person, token.client, token.patient) == (("Practitioner", "A1"), "carethread-token", None)
    assert token.scopes.check("Communication", "create") is Reach.ALL
    assert (people.data / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_system_gets_one(people: PeopleAtWork, tokens: Tokens) -> None:
    made = people.document("token", "--client", "hub", "--scope", "system/Communication.rs", "--for", "90d")
    token = tokens.check(f"Bearer {made.token}")
    assert (token.person, token.client, token.id) == (None, "hub", made.id)
    assert token.scopes.check("Communication", "search-type") is Reach.ALL


def test_a_token_may_be_bound_to_a_patient(people: PeopleAtWork, tokens: Tokens) -> None:
    text = people.text("token", "--as", "patient:P1", "--patient", "P1", "--scope", "patient/*.rs").strip()
    token = tokens.check(f"Bearer {text}")
    assert (token.person, token.patient) == (("Patient", "P1"), "P1")
    assert token.scopes.check("Communication", "read") is Reach.PATIENT


def test_who_is_in_the_environment_gets_no_token(people: PeopleAtWork, tokens: Tokens) -> None:
    people.environment["CARETHREAD_AS"] = "A1"
    assert "give a person with --as" in people.fault(2, "token", "--scope", "user/*.rs")
    made = people.document("token", "--client", "hub", "--scope", "system/*.rs")
    assert tokens.check(f"Bearer {made.token}").person is None


@pytest.mark.parametrize(
    "arguments, code, said",
    [
        (("--as", "Z9", "--scope", "user/*.rs"), 3, "Z9"),
        (("--as", "Organization/Pharmacy-A", "--scope", "user/*.rs"), 2, "is an organisation"),
        (("--as", "A1", "--patient", "A1", "--scope", "patient/*.rs"), 2, "not a patient"),
        (("--as", "A1"), 2, "scope: is missing: it begins with user/, such as user/*.rs"),
        (("--client", "hub"), 2, "scope: is missing: it begins with system/, such as system/*.rs"),
        (("--as", "A1", "--scope", "system/*.rs"), 2, "'system/*.rs' grants nothing in this token"),
        (("--as", "A1", "--scope", "patient/*.rs"), 2, "grants nothing in this token: one begins with user/"),
        (("--as", "A1", "--patient", "P1", "--scope", "x"), 2, "one begins with patient/ or user/"),
        (("--client", "hub", "--scope", "user/*.rs"), 2, "grants nothing in this token"),
        (("--as", "A1", "--scope", "user/*.sr"), 2, "grants nothing in this token"),
        (("--as", "A1", "--scope", "user/*.rs user/*.c"), 2, "grants nothing in this token"),
        (("--as", "A1", "--scope", "user/*.rs", "--for", "91d"), 2, "or more than 90d"),
        (("--as", "A1", "--scope", "user/*.rs", "--for", "soon"), 2, "is no time such as"),
        (("--client", "x" * 151, "--scope", "system/*.rs"), 2, "is longer than 150"),
        (("--client", "a\nb", "--scope", "system/*.rs"), 2, "client"),
    ],
)
def test_what_makes_no_token_is_said(people: PeopleAtWork, arguments: tuple[str, ...], code: int, said: str) -> None:
    assert said in people.fault(code, "token", *arguments)
    assert not (people.data / FILE_NAME).exists()


def test_no_token_is_made_where_there_are_no_records(people: PeopleAtWork, tmp_path: Path) -> None:
    told = people.fault(2, "token", "--data", str(tmp_path / "absent"), "--client", "hub", "--scope", "system/*.rs")
    assert "is no data directory" in told


def test_the_key_is_shown_and_replaced(people: PeopleAtWork, tokens: Tokens) -> None:
    first = people.document("token", "key")
    assert first.keys[0].kid == first.id
    assert people.document("token", "key") == first
    assert people.text("token", "key") == f"Issuer  {first.issuer}\nKey     {first.id}\n"
    text = people.text("token", "--as", "A1", "--scope", "user/*.rs").strip()

    def check() -> Token:
        return tokens.check(f"Bearer {text}")

    assert check().issuer == first.issuer
    second = people.document("token", "key", "--replace")
    assert (second.issuer, second.id != first.id) == (first.issuer, True)
    with pytest.raises(InvalidTokenError, match="does not have"):
        check()


def test_a_revoked_token_counts_no_more(people: PeopleAtWork) -> None:
    made = people.document("token", "--as", "A1", "--scope", "user/*.rs")
    with people.region() as region:
        service = region.service
        issuer = local_issuer(people.data, service.archive.installation.custodian.id)
        tokens = Tokens((issuer,), revoked=lambda token: current_rights(service).is_revoked(token.id))
        assert tokens.check(f"Bearer {made.token}").id == made.id
        assert people.document("token", "revoke", made.id).changed
        with pytest.raises(InvalidTokenError, match="was revoked"):
            tokens.check(f"Bearer {made.token}")
    assert not people.document("token", "revoke", made.id).changed
    assert people.text("token", "revoke", made.id) == "It counts no more, as before.\n"
    assert people.text("token", "revoke", "another") == "It counts no more.\n"
    assert "visible characters" in people.fault(2, "token", "revoke", "a b")


def test_the_key_set_is_one_that_others_can_use(people: PeopleAtWork) -> None:
    import msgspec  # noqa: PLC0415 - only here

    told = people.document("token", "key")
    content = msgspec.json.encode({"keys": [msgspec.to_builtins(each) for each in told.keys]})
    assert set(read_key_set(content)) == {(told.id, "EC")}


def test_the_key_is_in_no_backup(people: PeopleAtWork, tmp_path: Path) -> None:
    people.text("token", "key")
    people.text("backup", str(tmp_path / "copy"))
    assert not [each for each in (tmp_path / "copy").rglob("*") if each.name == FILE_NAME]

"""What a refusal's headers say: RFC 6750, section 3."""

import re

import pytest

from carethread.fhir.refusals import (
    AccessError,
    InsufficientScopeError,
    InvalidTokenError,
    IssuerUnavailableError,
    MissingTokenError,
    answer,
)

# RFC 6750, 3: what may stand in the quotes of error_description, and of scope.
WORDS = re.compile(r'Bearer realm="carethread"((, (error|error_description|scope)="[\x20\x21\x23-\x5b\x5d-\x7e]+")*)')


@pytest.mark.parametrize(
    "error, status, header",
    [
        (MissingTokenError("a bearer token is needed"), 401, 'Bearer realm="carethread"'),
        (
            InvalidTokenError("the token has expired"),
            401,
            'Bearer realm="carethread", error="invalid_token", error_description="the token has expired"',
        ),
        (
            InsufficientScopeError("user/Communication.c"),
            403,
            (
                'Bearer realm="carethread", error="insufficient_scope", '
                'error_description="the token\'s scopes do not cover this: user/Communication.c would", '
                'scope="user/Communication.c"'
            ),
        ),
    ],
)
def test_each_refusal_has_its_header(error: AccessError, status: int, header: str) -> None:
    assert answer(error) == (status, {"WWW-Authenticate": header})
    assert WORDS.fullmatch(header)


def test_whose_keys_cannot_be_had_is_to_come_back() -> None:
    assert answer(IssuerUnavailableError("later")) == (503, {"Retry-After": "30"})


def test_each_cause_has_a_code() -> None:
    kinds: list[type[AccessError]] = [AccessError, *AccessError.__subclasses__()]
    assert [each.code for each in kinds] == [
        "access",
        "missing-token",
        "invalid-token",
        "insufficient-scope",
        "issuer-unavailable",
    ]

"""Every error class has its answer, and none tells what it must not."""

import re
from collections.abc import Iterator

import pytest

from carethread import errors
from carethread.fhir.outcome import INSTEAD, ROWS, Issue, RefusedError, failed, outcome, refused, row_of

# https://hl7.org/fhir/R4/valueset-issue-type.html
ISSUE_TYPES = frozenset(
    {
        "invalid", "structure", "required", "value", "invariant", "security",
        "login", "unknown", "expired", "forbidden", "suppressed", "processing",
        "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long",
        "code-invalid", "extension", "too-costly", "business-rule", "conflict", "transient",
        "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled",
        "informational",
    }
)  # fmt: skip


def classes(base: type[errors.CarethreadError] = errors.CarethreadError) -> Iterator[type[errors.CarethreadError]]:
    for each in base.__subclasses__():
        yield each
        yield from classes(each)


EVERY = sorted({each for each in classes() if each.__module__ == "carethread.errors"}, key=lambda each: each.__name__)


def made(kind: type[errors.CarethreadError]) -> errors.CarethreadError:
    """Return one with words in it."""
    arguments: tuple[object, ...] = ("ward-7", "is wrong")
    if issubclass(kind, errors.InvalidTextError):
        arguments = ("ward-7", "is wrong", 3)
    elif issubclass(kind, errors.FormatError):
        arguments = ("thread.md", 3, "is wrong")
    elif not issubclass(kind, errors.InvalidValueError | errors.DirectoryError):
        arguments = ("ward-7 is wrong",)
    try:
        return kind(*arguments)
    except TypeError:
        return kind("ward-7", 1, 2)


@pytest.mark.parametrize("kind", EVERY, ids=lambda each: each.__name__)
def test_every_error_class_has_a_row_of_its_own(kind: type[errors.CarethreadError]) -> None:
    assert kind in ROWS


@pytest.mark.parametrize("kind", ROWS, ids=lambda each: each.__name__)
def test_every_row_is_an_answer(kind: type[errors.CarethreadError]) -> None:
    row = ROWS[kind]
    assert row.code in ISSUE_TYPES
    assert row.status in {400, 401, 403, 404, 409, 412, 422, 428, 429, 500, 503}
    # A fault of ours says nothing of itself; one of theirs says what it is.
    assert row.tells is (row.status < 500)


@pytest.mark.parametrize("kind", EVERY, ids=lambda each: each.__name__)
def test_what_went_wrong_inside_is_told_by_its_id_alone(kind: type[errors.CarethreadError]) -> None:
    answer = refused(made(kind), "request-7")
    (issue,) = answer.issues
    assert issue.detail == kind.code
    if answer.status >= 500:
        assert "ward-7" not in issue.text
        assert "request-7" in issue.text
    else:
        assert "ward-7" in issue.text
    assert ("Retry-After" in answer.headers) is (answer.status == 503)


def test_a_class_without_a_row_is_answered_as_its_base() -> None:
    class NewError(errors.PolicyError):
        pass

    assert row_of(NewError("x")) == ROWS[errors.PolicyError]


def test_what_to_do_is_said_in_the_words_of_the_interface() -> None:
    for kind, words in INSTEAD.items():
        assert kind in ROWS
        assert re.fullmatch(r"[A-Z].*\.", words)
        assert "carethread " not in words


def test_a_refusal_stays_what_it_is() -> None:
    given = RefusedError(418, Issue(code="value", text="x"))
    assert refused(given, "id") is given


def test_an_outcome_has_what_was_said() -> None:
    issue = Issue(code="value", text="is wrong", expression=("a", "b"), instead="Do.", detail="own", severity="warning")
    assert outcome([issue]) == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "warning",
                "code": "value",
                "details": {
                    "coding": [{"system": "https://carethread.example/fhir/CodeSystem/error", "code": "own"}],
                    "text": "is wrong",
                },
                "diagnostics": "Do.",
                "expression": ["a", "b"],
            }
        ],
    }


def test_a_fault_of_the_program_tells_its_id() -> None:
    answer = failed("request-9")
    assert answer.status == 500
    assert "request-9" in answer.issues[0].text
    assert outcome(answer.issues)["issue"][0]["severity"] == "fatal"

"""What a refusal is to whoever asked: the one table from error classes to HTTP status and OperationOutcome."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from carethread import errors
from carethread.fhir.errors import InvalidResourceError
from carethread.fhir.mapping.drafts import ResourceRefusedError, RuleIssue
from carethread.fhir.refusals import AccessError
from carethread.fhir.refusals import answer as access_answer

# Of our own codes, which stay: https://hl7.org/fhir/R4/operationoutcome.html says what `issue.code` may be.
CODES = "https://carethread.example/fhir/CodeSystem/error"
RETRY_AFTER_S = 2
_FORBIDDEN = 403
_UNAVAILABLE = 503
_NO_TOKEN = "the request carries no bearer token"  # noqa: S105 - says that there is none


class Issue(Struct, frozen=True, kw_only=True):
    """One thing that is said about a request.

    Attributes:
        code: of https://hl7.org/fhir/R4/valueset-issue-type.html.
        text: for people. Nothing of a record's content stands in it.
        expression: FHIRPath of what it is about, or the name of a header or parameter.
        instead: what to do, where there is something.
        detail: our own stable code.
        severity: of https://hl7.org/fhir/R4/valueset-issue-severity.html.
    """

    code: str
    text: str
    expression: tuple[str, ...] = ()
    instead: str = ""
    detail: str = ""
    severity: str = "error"


class RefusedError(errors.CarethreadError):
    """A request is not done: with which status, why, and what the answer's headers add."""

    code = "refused"

    def __init__(self, status: int, *issues: Issue, headers: Mapping[str, str] | None = None) -> None:
        """Hold the answer. There is at least one issue."""
        super().__init__("; ".join(each.text for each in issues))
        self.status = status
        self.issues = issues
        self.headers = dict(headers or {})


class Row(Struct, frozen=True):
    """How an error class is answered. `tells` says whether its words may be: they name ids and fields."""

    status: int
    code: str
    tells: bool = True


# The nearest class decides; the tests want a row for each class, so that none gets its answer by accident.
ROWS: dict[type[errors.CarethreadError], Row] = {
    errors.InvalidValueError: Row(422, "value"),
    errors.InvalidTextError: Row(422, "value"),
    errors.NotFoundError: Row(404, "not-found"),
    errors.UnknownRecordError: Row(404, "not-found"),
    errors.UnknownThreadError: Row(404, "not-found"),
    errors.UnknownMessageError: Row(404, "not-found"),
    errors.UnknownPersonError: Row(404, "not-found"),
    errors.UnknownUploadError: Row(404, "not-found"),
    errors.UnknownSessionError: Row(404, "not-found"),
    errors.UnknownClientError: Row(404, "not-found"),
    errors.UnknownSubscriptionError: Row(404, "not-found"),
    errors.ConflictError: Row(409, "conflict"),
    errors.ResourceIdTakenError: Row(409, "duplicate"),
    errors.VersionConflictError: Row(412, "conflict"),
    errors.VersionNotNamedError: Row(428, "required"),
    errors.DuplicateClientError: Row(409, "duplicate"),
    errors.IdentifierConflictError: Row(409, "duplicate"),
    errors.DuplicateRecordError: Row(409, "duplicate"),
    errors.RuleError: Row(422, "business-rule"),
    errors.ThreadNotOpenError: Row(422, "business-rule"),
    errors.RecordNotWritableError: Row(422, "business-rule"),
    errors.NotCustodianError: Row(422, "business-rule"),
    errors.IllegalTransitionError: Row(422, "business-rule"),
    errors.NotParticipantError: Row(422, "business-rule"),
    errors.DuplicateParticipantError: Row(422, "business-rule"),
    errors.RoleMismatchError: Row(422, "business-rule"),
    errors.CorrectionError: Row(422, "business-rule"),
    errors.ReplyError: Row(422, "business-rule"),
    errors.AddressedParticipantError: Row(422, "business-rule"),
    errors.PolicyContradictionError: Row(422, "business-rule"),
    errors.AmbiguousSideError: Row(422, "multiple-matches"),
    errors.NothingToChangeError: Row(422, "business-rule"),
    errors.PolicyError: Row(403, "forbidden"),
    errors.InactiveError: Row(403, "forbidden"),
    errors.NotMemberError: Row(403, "forbidden"),
    errors.WrongPatientError: Row(403, "forbidden"),
    errors.NotAllowedError: Row(403, "forbidden"),
    errors.PurposeError: Row(403, "forbidden"),
    # What was asked for cannot be, whoever asks.
    errors.NoReaderError: Row(422, "business-rule"),
    errors.ExternalParticipantError: Row(422, "business-rule"),
    errors.DirectoryError: Row(422, "business-rule"),
    errors.DanglingReferenceError: Row(422, "not-found"),
    errors.DuplicateIdentifierError: Row(409, "duplicate"),
    errors.TooMuchError: Row(429, "too-costly"),
    errors.UnavailableError: Row(503, "transient", tells=False),
    errors.SignInError: Row(401, "login"),
    errors.SignInExpiredError: Row(401, "expired"),
    errors.SignInRefusedError: Row(401, "login"),
    errors.SignInAnswerError: Row(401, "login"),
    errors.NotRecognisedError: Row(401, "login"),
    errors.StorageError: Row(503, "transient", tells=False),
    errors.OutcomeUnknownError: Row(503, "timeout", tells=False),
    errors.BacklogFullError: Row(503, "throttled", tells=False),
    errors.LockedError: Row(503, "lock-error", tells=False),
    errors.CleanUpError: Row(500, "exception", tells=False),
    errors.FormatError: Row(500, "exception", tells=False),
    errors.SchemaError: Row(500, "exception", tells=False),
    errors.ConfigurationError: Row(500, "exception", tells=False),
    errors.ClockError: Row(500, "exception", tells=False),
    errors.IntegrityError: Row(500, "exception", tells=False),
    errors.RepositoryError: Row(500, "exception", tells=False),
    errors.CarethreadError: Row(500, "exception", tells=False),
}

# Fixed words for what must not tell; `{}` is the id of the request, which the server's log has as well.
_FAILED = "the server failed; nothing is known to be wrong with the request. Its id is {}"
_WORDS = {
    "transient": "this cannot be stored or read now, and nothing was recorded; trying again is safe. The request is {}",
    "timeout": "the connection to the database broke while this was stored; nobody knows whether it was. Ask again "
    "under the same id, or with If-None-Exist. The request is {}",
    "throttled": "more was accepted than is written yet, and nothing was recorded; try again in a while. "
    "The request is {}",
    "lock-error": "somebody else writes for longer than could be waited, and nothing was recorded; try again. "
    "The request is {}",
    "exception": _FAILED,
}

# What to do about it in terms of this interface, where there is something.
INSTEAD: dict[type[errors.CarethreadError], str] = {
    errors.ThreadNotOpenError: "Open a CommunicationRequest that `replaces` this one, and write there.",
    errors.AmbiguousSideError: "Name the recipients, or say in the extension on-behalf-of for whom it is written.",
    errors.NotParticipantError: "Name who takes part in the thread, or add them to its recipients first.",
    errors.PurposeError: "Say why in the header Carethread-Purpose.",
    errors.NoReaderError: "Name somebody who can read it as well.",
    errors.NotCustodianError: "Write it where the record is kept.",
    errors.VersionConflictError: "Read it again, and change what it is now.",
    errors.VersionNotNamedError: "Say in If-Match, or in meta.versionId, which version was changed.",
}


def row_of(error: errors.CarethreadError) -> Row:
    """Return how an error is answered."""
    return next(ROWS[each] for each in type(error).__mro__ if each in ROWS)


def refused(error: errors.CarethreadError, request_id: str) -> RefusedError:
    """Return an error of the library as the answer to a request."""
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, AccessError):
        return _unrecognised(error)
    if isinstance(error, InvalidResourceError):
        return RefusedError(
            400, *(Issue(code=each.code, text=each.text, expression=(each.expression,)) for each in error.issues)
        )
    if isinstance(error, ResourceRefusedError):
        return RefusedError(422, *map(_of_rule, error.issues))
    row = row_of(error)
    text = str(error) if row.tells else _WORDS[row.code].format(request_id)
    instead = next((INSTEAD[each] for each in type(error).__mro__ if each in INSTEAD), "")
    headers = {"Retry-After": str(RETRY_AFTER_S)} if row.status == _UNAVAILABLE else {}
    return RefusedError(
        row.status, Issue(code=row.code, text=text, instead=instead, detail=error.code), headers=headers
    )


def _unrecognised(error: AccessError) -> RefusedError:
    status, headers = access_answer(error)
    code = {_FORBIDDEN: "forbidden", _UNAVAILABLE: "transient"}.get(status, "login")
    return RefusedError(status, Issue(code=code, text=str(error) or _NO_TOKEN, detail=error.code), headers=headers)


def _of_rule(issue: RuleIssue) -> Issue:
    return Issue(code=issue.code, text=issue.text, expression=(issue.expression,), instead=issue.instead)


def failed(request_id: str) -> RefusedError:
    """Return the answer to a request that met a fault of this program: an id to find it by, and nothing else."""
    return RefusedError(500, Issue(code="exception", text=_FAILED.format(request_id), severity="fatal"))


def outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """Return an OperationOutcome."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(each) for each in issues]}


def _issue(issue: Issue) -> dict[str, Any]:
    details: dict[str, Any] = {"text": issue.text}
    if issue.detail:
        details = {"coding": [{"system": CODES, "code": issue.detail}], "text": issue.text}
    made: dict[str, Any] = {"severity": issue.severity, "code": issue.code, "details": details}
    if issue.instead:
        made["diagnostics"] = issue.instead
    if issue.expression:
        made["expression"] = list(issue.expression)
    return made

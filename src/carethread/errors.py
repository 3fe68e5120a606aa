"""One base class, one class per cause, each with a stable `code`.

Messages carry identifiers, field names and positions, never clinical text. Status codes of the faces (exit
codes, HTTP, OperationOutcome) are mapped from these classes once each, at the edge.
"""

from typing import ClassVar


class CarethreadError(Exception):
    """Base of every error the library raises on purpose."""

    code: ClassVar[str] = "error"
    # Whether the access log tells of it already.
    is_logged = False


# ── What the caller gave ──────────────────────────────────────────────────────────────────────────────────────────────


class InvalidValueError(CarethreadError):
    """A value breaks a rule of the record format; `field` names it."""

    code = "invalid-value"

    def __init__(self, field: str, fault: str) -> None:
        """Name the field and its fault, for example `("body", "is empty")`."""
        super().__init__(f"{field}: {fault}")
        self.field = field
        self.fault = fault


class InvalidTextError(InvalidValueError):
    """Text holds a character the record refuses; `position` is its index in the text, in code points."""

    code = "invalid-text"

    def __init__(self, field: str, fault: str, position: int) -> None:
        """Name the field, the fault and where in the text it stands."""
        super().__init__(field, f"{fault} at position {position}")
        self.position = position


class FormatError(CarethreadError):
    """Bytes are not in the canonical form; `line` counts from 1."""

    code = "malformed"

    def __init__(self, file: str, line: int, fault: str) -> None:
        """Name the file, the line and the fault."""
        super().__init__(f"{file}, line {line}: {fault}")
        self.file = file
        self.line = line
        self.fault = fault


# ── What does not exist, or is taken ──────────────────────────────────────────────────────────────────────────────────


class NotFoundError(CarethreadError):
    """Base of "there is no such thing"."""

    code = "not-found"


class UnknownRecordError(NotFoundError):
    """No record has this coordination id."""

    code = "unknown-record"


class UnknownThreadError(NotFoundError):
    """The record has no such thread."""

    code = "unknown-thread"


class UnknownMessageError(NotFoundError):
    """The thread has no such message."""

    code = "unknown-message"


class UnknownPersonError(NotFoundError):
    """The directory has no such person, organisation or team, or more than one of that name."""

    code = "unknown-person"


class UnknownUploadError(NotFoundError):
    """The actor keeps no such file, or not any more."""

    code = "unknown-upload"


class UnknownSessionError(NotFoundError):
    """Nobody has signed in with this secret, or not any more."""

    code = "unknown-session"


class UnknownClientError(NotFoundError):
    """No program of that name is known here."""

    code = "unknown-client"


class UnknownSubscriptionError(NotFoundError):
    """The actor has no such subscription."""

    code = "unknown-subscription"


class ConflictError(CarethreadError):
    """Base of "this contradicts what is already recorded"."""

    code = "conflict"


class IdentifierConflictError(ConflictError):
    """A client identifier was used before, with different content."""

    code = "identifier-conflict"


class ResourceIdTakenError(ConflictError):
    """A resource id that a client chose is that of another thread, or of another message."""

    code = "resource-id-taken"


class VersionConflictError(ConflictError):
    """What was to be changed is not the version that was named any more; `current` is the one it is now, or 0."""

    code = "version-conflict"

    def __init__(self, what: str, expected: int, current: int) -> None:
        """Name what was to be changed, the version that was expected and the one it has."""
        super().__init__(f"{what} is not at version {expected}" + (f" but at {current}" if current else ": it is new"))
        self.current = current


class VersionNotNamedError(ConflictError):
    """What is there already is changed by whoever names the version they changed."""

    code = "version-not-named"


class DuplicateClientError(ConflictError):
    """A client's name, or its id as a participant, is taken."""

    code = "duplicate-client"


class DuplicateRecordError(ConflictError):
    """A coordination id, or a clinical id, has a record already."""

    code = "duplicate-record"


# ── What the record's rules refuse ────────────────────────────────────────────────────────────────────────────────────


class RuleError(CarethreadError):
    """Base of "the record's rules do not allow this now"."""

    code = "rule"


class ThreadNotOpenError(RuleError):
    """The thread is closed or archived and accepts no message."""

    code = "thread-not-open"


class RecordNotWritableError(RuleError):
    """The record is suspended, closed, or not open to what was asked."""

    code = "record-not-writable"


class NotCustodianError(RuleError):
    """Another installation writes this record; this copy is for reading."""

    code = "not-custodian"


class IllegalTransitionError(RuleError):
    """A status does not go from what it is to what was asked."""

    code = "illegal-transition"


class NotParticipantError(RuleError):
    """Somebody named is not a participant of the thread."""

    code = "not-participant"


class DuplicateParticipantError(RuleError):
    """Somebody is a participant already."""

    code = "duplicate-participant"


class RoleMismatchError(RuleError):
    """A role is not the one the ledger gives, or not fit for what was asked."""

    code = "role-mismatch"


class CorrectionError(RuleError):
    """The message may not be corrected from here."""

    code = "correction"


class ReplyError(RuleError):
    """The message cannot answer what it names."""

    code = "reply"


class AddressedParticipantError(RuleError):
    """A participant whom the addressing names stays in the thread."""

    code = "addressed-participant"


class PolicyContradictionError(RuleError):
    """A policy cannot be turned off while participants contradict it."""

    code = "policy-contradiction"


class AmbiguousSideError(RuleError):
    """The author belongs to both sides of the thread, or nobody is left to write to: name the recipients."""

    code = "ambiguous-side"


class NothingToChangeError(RuleError):
    """An update that changes nothing is not recorded."""

    code = "nothing-to-change"


# ── What the policy refuses ───────────────────────────────────────────────────────────────────────────────────────────


class PolicyError(CarethreadError):
    """Base of "whoever asks may read it, and may not do that"."""

    code = "policy"


class InactiveError(PolicyError):
    """A person, organisation, role or team is not active, or not any more."""

    code = "inactive"


class NotMemberError(PolicyError):
    """Somebody acts for a group of which they are no active member."""

    code = "not-member"


class WrongPatientError(PolicyError):
    """A patient, related person or patient's care team belongs to another patient than the thread."""

    code = "wrong-patient"


class NoReaderError(PolicyError):
    """A group that is addressed has nobody who could read it, or a side would be left without a reader.

    `sides` are the ids of the participants of whom nobody could read it: one set for each side.
    """

    code = "no-reader"

    def __init__(self, message: str, sides: tuple[frozenset[str], ...] = ()) -> None:
        """Say it, and of whom nobody could read."""
        super().__init__(message)
        self.sides = sides


class NotAllowedError(PolicyError):
    """The actor's part in the thread does not allow what was asked."""

    code = "not-allowed"


class ExternalParticipantError(PolicyError):
    """The thread admits the home side alone, and somebody does not belong to it."""

    code = "external-participant"


class PurposeError(PolicyError):
    """An auditor must state a purpose, and whoever opens a thread in an emergency a reason."""

    code = "purpose"


class DirectoryError(CarethreadError):
    """A directory entry contradicts another, or what cannot change; `path` says where in what was loaded."""

    code = "directory"

    def __init__(self, path: str, fault: str) -> None:
        """Name the place, such as `entry[3].resource.partOf`, and the fault."""
        super().__init__(f"{path}: {fault}")
        self.path = path
        self.fault = fault


class DanglingReferenceError(DirectoryError):
    """A reference names what is neither loaded nor known."""

    code = "dangling-reference"


class DuplicateIdentifierError(DirectoryError):
    """Two entries of one kind carry the same identifier or FHIR id."""

    code = "duplicate-identifier"


class TooMuchError(CarethreadError):
    """More is asked for at once, or to be kept, than one actor may take from all others."""

    code = "too-much"


# ── What other servers do, and who signs in through them ──────────────────────────────────────────────────────────────


class UnavailableError(CarethreadError):
    """Another server does not answer now, or does not publish what it should. Trying again later is safe."""

    code = "unavailable"


class SignInError(CarethreadError):
    """Base of "nobody was signed in"."""

    code = "sign-in"


class SignInExpiredError(SignInError):
    """The sign-in was begun too long ago, in another browser, or not at all: it is begun again."""

    code = "sign-in-expired"


class SignInRefusedError(SignInError):
    """The sign-in provider signed nobody in; `reason` is the standard's word for why."""

    code = "sign-in-refused"

    def __init__(self, reason: str) -> None:
        """Name the reason, such as `access_denied`."""
        super().__init__(f"the sign-in provider signed nobody in: {reason}")
        self.reason = reason


class SignInAnswerError(SignInError):
    """What came back is not what the sign-in provider was asked for, or does not come from it."""

    code = "sign-in-answer"


class NotRecognisedError(SignInError):
    """Nobody who may sign in here is meant by what the sign-in provider says of a person."""

    code = "not-recognised"


# ── What the machine does ─────────────────────────────────────────────────────────────────────────────────────────────


class StorageError(CarethreadError):
    """The database or the disk failed; nothing was recorded. Trying again is safe."""

    code = "storage"


class OutcomeUnknownError(StorageError):
    """The connection broke while committing. Try again with the same client identifier."""

    code = "outcome-unknown"


class BacklogFullError(StorageError):
    """Too much is acknowledged but not yet in the repositories; writes are refused until it is."""

    code = "backlog-full"


class LockedError(StorageError):
    """Another process holds a lock for longer than we wait."""

    code = "locked"


class SchemaError(CarethreadError):
    """The data directory or database has a schema this version does not know."""

    code = "schema"


class ConfigurationError(CarethreadError):
    """A setting is missing or wrong; the message names the remedy."""

    code = "configuration"


class ClockError(CarethreadError):
    """The system clock is behind the record by more than is tolerated."""

    code = "clock"


class IntegrityError(CarethreadError):
    """What is stored contradicts itself; nothing was guessed and nothing written."""

    code = "integrity"


class RepositoryError(IntegrityError):
    """A Git repository is broken, foreign, or not what the journal expects."""

    code = "repository"


class CleanUpError(StorageError):
    """Something failed, and removing what it left behind failed too; the message names the place."""

    code = "clean-up"

"""The one table from error classes to exit codes, and what to do about some of them."""

from carethread import errors

DONE = 0
USAGE = 2
NOT_FOUND = 3
NOT_ALLOWED = 4
CONFLICT = 5
INTEGRITY = 6
STORAGE = 7
# As shells count: 128 and the number of the signal.
INTERRUPTED = 130
PIPE_CLOSED = 141

MEANINGS = {
    DONE: "done",
    USAGE: "the command line, a value or a setting is wrong; nothing was recorded",
    NOT_FOUND: "there is no such record, thread, message or person, or whoever asks may not read it",
    NOT_ALLOWED: "the record's rules, or what the person may do, do not allow it now",
    CONFLICT: "it contradicts what is recorded already",
    INTEGRITY: "what is stored contradicts itself; `verify` found something",
    STORAGE: "the disk, the database or the clock failed",
    INTERRUPTED: "interrupted from the keyboard",
    PIPE_CLOSED: "whoever read the output went away",
}

# The nearest class decides.
EXIT_CODES: dict[type[errors.CarethreadError], int] = {
    errors.InvalidValueError: USAGE,
    errors.ConfigurationError: USAGE,
    errors.NotFoundError: NOT_FOUND,
    errors.RuleError: NOT_ALLOWED,
    errors.PolicyError: NOT_ALLOWED,
    errors.DirectoryError: USAGE,
    errors.DuplicateIdentifierError: CONFLICT,
    errors.ConflictError: CONFLICT,
    errors.IntegrityError: INTEGRITY,
    errors.FormatError: INTEGRITY,
    errors.CarethreadError: STORAGE,
}

REMEDIES: dict[type[errors.CarethreadError], str] = {
    errors.UnknownRecordError: "`carethread record list` shows those there are",
    errors.UnknownThreadError: "`carethread thread list RECORD --all` shows those there are, "
    "`carethread inbox` those of a person",
    errors.UnknownMessageError: "`carethread thread show` shows those there are",
    errors.UnknownPersonError: "`carethread directory search` finds people, organisations and teams by name",
    errors.UnknownClientError: "`carethread client list` shows those there are",
    errors.DanglingReferenceError: "load what it names before, or with it",
    errors.ThreadNotOpenError: "`carethread thread new` with --continues THREAD takes it up",
    errors.RecordNotWritableError: "`carethread record show RECORD` says what it accepts",
    errors.NotCustodianError: "write it where it is kept",
    errors.AmbiguousSideError: "say to whom with --to, or for whom with --on-behalf-of",
    errors.InactiveError: "name somebody who is active; `carethread directory search` finds who is",
    errors.NotMemberError: "name a group of theirs; whoever keeps the directory says who is a member",
    errors.WrongPatientError: "name whom belongs to this patient",
    errors.NoReaderError: "name somebody who reads it: with --to or --with in a new thread, with --add in this one, "
    "with --reader when refiling",
    errors.NotAllowedError: "ask somebody who may; `carethread directory appoint` makes auditors and stewards",
    errors.ExternalParticipantError: "`carethread ledger update --external-organisations` admits others",
    errors.PurposeError: "say why with --purpose TEXT, in an emergency with --reason TEXT",
    errors.VersionConflictError: "look at it as it is now, and change that",
    errors.OutcomeUnknownError: "try again with the same --client and --identifier",
    errors.BacklogFullError: "`carethread flush` writes what waits",
    errors.LockedError: "try again",
    errors.SchemaError: "use the version of Carethread that wrote it, or a later one",
    errors.IntegrityError: "`carethread verify` says what is wrong where",
}


def exit_code(error: errors.CarethreadError) -> int:
    """Return what the process exits with after this error."""
    return next(EXIT_CODES[each] for each in type(error).__mro__ if each in EXIT_CODES)


def remedy(error: errors.CarethreadError) -> str | None:
    """Return what to do about this error, where there is something."""
    return next((REMEDIES[each] for each in type(error).__mro__ if each in REMEDIES), None)

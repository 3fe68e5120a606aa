"""What went wrong, in words for whoever it happened to, and what they can do. Nothing of the record is in them."""

from collections.abc import Callable

from msgspec import Struct

from carethread import errors
from carethread.errors import CarethreadError
from carethread.web.words import Words


class Problem(Struct, frozen=True):
    """A problem as a page shows it. `field` is the part of the form that it is about."""

    status: int
    title: str
    text: str
    field: str = ""


def _(sentence: str) -> str:
    """Mark a sentence that is looked up later, in the reader's language."""
    return sentence


_NOT_FOUND = (404, _("There is nothing here"), _("It may not exist, or it is not for you to see."))
_AGAIN = (503, _("This could not be done now"), _("Nothing was stored. Try again in a moment."))
# The first class that fits counts.
_KNOWN: tuple[tuple[type[CarethreadError], tuple[int, str, str]], ...] = (
    (
        errors.NotRecognisedError,
        (403, _("You cannot sign in here"), _("The directory does not know this account. Ask your administrator.")),
    ),
    (
        errors.SignInExpiredError,
        (400, _("Sign in once more"), _("It took too long, or it was begun in another browser.")),
    ),
    (errors.SignInRefusedError, (403, _("You were not signed in"), _("Your organisation’s account said no."))),
    (errors.SignInAnswerError, (400, _("You were not signed in"), _("Sign in once more."))),
    (
        errors.UnavailableError,
        (
            503,
            _("Signing in is not possible now"),
            _("Your organisation’s accounts do not answer. Try later."),
        ),
    ),
    (
        errors.UnknownUploadError,
        (422, _("A file is not kept any more"), _("Choose it again: it waits for its message for a day.")),
    ),
    (errors.NotFoundError, _NOT_FOUND),
    (
        errors.VersionConflictError,
        (409, _("Somebody changed this meanwhile"), _("Look at it as it is now, and decide again.")),
    ),
    (
        errors.IdentifierConflictError,
        (
            409,
            _("This form was sent before with something else in it"),
            _("What was sent first is stored. Check this, and send it once more if it is another message."),
        ),
    ),
    (errors.ConflictError, (409, _("Somebody changed this meanwhile"), _("Open the page again."))),
    (
        errors.ThreadNotOpenError,
        (409, _("This thread is closed"), _("Nothing can be added to it. Continue it in a new thread.")),
    ),
    (errors.RecordNotWritableError, (409, _("This patient’s record takes nothing new"), "")),
    (errors.NotCustodianError, (409, _("This patient’s record is kept elsewhere"), "")),
    (errors.IllegalTransitionError, (409, _("The thread is not in a state for that"), _("Open the page again."))),
    (
        errors.NotParticipantError,
        (422, _("Somebody you named does not take part in this thread"), _("Add them first, or choose somebody else.")),
    ),
    (errors.DuplicateParticipantError, (422, _("They take part in this thread already"), "")),
    (
        errors.AmbiguousSideError,
        (422, _("Say for whom you write, and to whom"), _("You belong to more than one side of this thread.")),
    ),
    (
        errors.AddressedParticipantError,
        (422, _("Whoever was asked, or receives the replies, stays in the thread"), ""),
    ),
    (
        errors.PolicyContradictionError,
        (422, _("Somebody takes part whom that rule would not allow"), _("Remove them first.")),
    ),
    (errors.NothingToChangeError, (422, _("That is how it is already"), _("Nothing was changed."))),
    (errors.CorrectionError, (422, _("This cannot be corrected so"), "")),
    (errors.RuleError, (422, _("The record does not allow this"), _("Nothing was stored."))),
    (errors.InactiveError, (403, _("You are not active in the directory"), _("Ask your administrator."))),
    (
        errors.NotMemberError,
        (403, _("You are no member of that organisation or team"), _("Choose for whom you write.")),
    ),
    (
        errors.WrongPatientError,
        (
            422,
            _("This is about another patient"),
            _("Nothing was stored. Check the patient first."),
        ),
    ),
    (
        errors.NoReaderError,
        (422, _("Nobody could read it"), _("Choose recipients of whom somebody is active now, or a wider visibility.")),
    ),
    (
        errors.ExternalParticipantError,
        (422, _("This thread does not allow organisations from outside"), ""),
    ),
    (errors.PurposeError, (422, _("Say why"), _("A reason is needed, and is kept."))),
    (errors.PolicyError, (403, _("You may not do this"), _("Nothing was stored."))),
    (
        errors.InvalidTextError,
        (422, _("This text cannot be stored"), _("It is too long, or holds characters that are no text.")),
    ),
    (errors.InvalidValueError, (422, _("Something in the form is not in order"), "")),
    (
        errors.OutcomeUnknownError,
        (503, _("It is not known whether this was stored"), _("Send the same form again: it counts once.")),
    ),
    (errors.TooMuchError, (429, _("That was too much at once"), _("Ask for less."))),
    (errors.StorageError, _AGAIN),
)
_UNEXPECTED = (500, _("Something went wrong here"), _("Nothing that you did is at fault. Try again later."))
_FIELDS = {
    "body": _("Write a message"),
    "recipients": _("Choose at least one recipient"),
    "reason": _("Say why, in one line"),
    "purpose": _("Say why, in one line"),
    "attachments": _("A file cannot be stored: it is too large, or its name or type is not allowed"),
    "form": _("What you sent is too large, or could not be read"),
    "query": _("Say what to look for"),
    "birth_date": _("Give a date of birth such as 27 5 1956, or its year alone"),
    "identifier": _("Give the identifier as it is written"),
    "author": _("Nobody is called so, or several are: write more of the name"),
    "organisation": _("Nobody is called so, or several are: write more of the name"),
    "add": _("Choose somebody to add"),
    "group": _("Choose for whom"),
    "address": _("Write an e-mail address, such as name@example.org"),
    "daily_at": _("Write a time of day, such as 08:00"),
    "quiet": _("Write from when until when, such as 22:00 and 07:00"),
    "visibility": _("Choose who can see it"),
    "actor": _("Choose who, or write more of the name"),
    "person": _("Choose who, or write more of the name"),
    "patient": _("Choose the patient, or write more of the name"),
    "instant": _("Give a day and a time that have been, and at which the directory knew them"),
    "action": _("Choose what was done from the list"),
    "outcome": _("Choose how it ended from the list"),
    "since": _("Give a day"),
    "until": _("Give a day"),
    "thread": _("Give the address or the id of a thread"),
}


# Errors that name no field, and are about one in every form.
_PLACES: dict[type[CarethreadError], str] = {errors.PurposeError: "purpose", errors.NoReaderError: "recipients"}


def problem_of(error: CarethreadError, words: Words) -> Problem:
    """Return a problem for an error."""
    status, title, text = next((told for kind, told in _KNOWN if isinstance(error, kind)), _UNEXPECTED)
    field = ""
    if isinstance(error, errors.InvalidValueError):
        field = error.field.partition("[")[0].partition(".")[0]
        title = _FIELDS.get(field, title)
    else:
        field = next((name for kind, name in _PLACES.items() if isinstance(error, kind)), "")
    translate: Callable[[str], str] = words.gettext
    return Problem(status, translate(title), translate(text) if text else "", field)
